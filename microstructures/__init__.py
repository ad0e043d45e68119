"""What a cathode is made of: voxel structures, materials, pressing, firing, morphology and file formats.

Public names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "VoxelStructure": "microstructures.structure",
    "PointContacts": "microstructures.features",
    "Particles": "microstructures.features",
    "ThinShells": "microstructures.features",
    "Coating": "microstructures.features",
    "Recipe": "microstructures.recipe",
    "load_recipe": "microstructures.recipe",
    "press_powders": "microstructures.pressing.press",
    "cold_press": "microstructures.pressing.press",
    "co_fire": "microstructures.firing.fire",
    "grow_interphase": "microstructures.firing.interphase",
    "connected_grains": "microstructures.segment",
    "watershed_grains": "microstructures.segment",
    "import_image": "microstructures.images.pipeline",
    "RawLayout": "microstructures.formats",
    "describe": "microstructures.morphology",
    "Materials": "microstructures.materials",
    "load_materials": "microstructures.materials",
    "read": "microstructures.formats",
    "write": "microstructures.formats",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'microstructures' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
