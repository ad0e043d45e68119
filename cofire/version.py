"""The version of the program, read from its installed metadata, and those of what it stands on."""

from __future__ import annotations

from microstructures.origin import installed_version, program_version

LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "scikit-image",
    "edt",
    "connected-components-3d",
    "networkx",
    "pandas",
    "pyarrow",
    "h5py",
    "tifffile",
    "pillow",
    "pydantic",
    "pyvista",
    "vtk",
    "matplotlib",
    "jinja2",
    "typer",
    "rich",
    "filelock",
    "psutil",
    "dask",
    "distributed",
)

__version__ = program_version()


def library_versions() -> dict[str, str]:
    """Return the version of every library that results and pictures depend on."""
    return {name: installed_version(name) for name in LIBRARIES}
