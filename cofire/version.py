"""The version of the program, read from its installed metadata, and those of what it stands on."""

from __future__ import annotations

from importlib import metadata

LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "scikit-image",
    "networkx",
    "pyvista",
    "vtk",
    "matplotlib",
    "pydantic",
    "tifffile",
    "h5py",
)


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


__version__ = _installed("cofire")


def library_versions() -> dict[str, str]:
    """Return the version of every library that results depend on."""
    return {name: _installed(name) for name in LIBRARIES}
