"""cofire: what a composite solid-state cathode conducts, and why.

The front door: `cofire.compare`, `cofire.build` and, by the same names as on the command line, `conduct`, `percolate`,
`hop`, `read`, `write`, `describe`. Names load on first use; no module of the package may bear one of them, because Python
would put the module in the place of the function.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "__version__": "cofire.version",
    "compare": "cofire.experiment.comparing",
    "calibrate": "cofire.calibration.fit",
    "sweep": "cofire.study.sweep",
    "read_study": "cofire.study.table",
    "study_status": "cofire.study.status",
    "build": "cofire.building",
    "doctor": "cofire.diagnosis",
    "conduct": "kmc",
    "percolate": "kmc",
    "hop": "kmc",
    "read": "microstructures",
    "write": "microstructures",
    "describe": "microstructures",
    "VoxelStructure": "microstructures",
    "load_materials": "microstructures",
    "load_recipe": "microstructures",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cofire' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
