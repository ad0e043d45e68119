"""Read and write voxel structures: our own HDF5, and label images as TIFF, NPY and VTI.

Axes are x, y, z in memory whatever their order on disk, and there is no default voxel size: the file states it or the
caller does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError, InputError
from microstructures.formats import hdf5, npy, tiff, vti
from microstructures.formats.guard import Spacing, content_hash, existing_file, given_edges_nm, voxel_edges_nm
from microstructures.structure import VoxelStructure

__all__ = ["content_hash", "read", "write"]

STRUCTURE_SUFFIXES = (".h5", ".hdf5")
IMAGE_FORMATS: dict[str, Any] = {".tif": tiff, ".tiff": tiff, ".npy": npy, ".vti": vti}
SUFFIXES = (*STRUCTURE_SUFFIXES, *IMAGE_FORMATS)


def read(
    path: str | Path,
    *,
    voxel_nm: float | Sequence[float] | None = None,
    phases: Mapping[int, str] | None = None,
) -> VoxelStructure:
    """Read a structure of ours or a label image.

    Parameters
    ----------
    path : path
        ``.h5``/``.hdf5`` (ours), or an image of labels: ``.tif``/``.tiff`` stack (z, y, x on disk), ``.npy`` (x, y, z)
        or ``.vti``.
    voxel_nm : float or three floats, optional
        Voxel edge [nm], along x, y, z if three. Needed where the file does not state it; where it does, both must
        agree within 0.1 %.
    phases : mapping of int to str, optional
        Names of the labels; they replace those in the file.

    Returns
    -------
    VoxelStructure
        For an image the recipe holds its name, SHA-256 and voxel edges.

    Raises
    ------
    InputError
        If nobody states the voxel size, or file and caller contradict each other.
    FormatError
        If the file is absent, damaged, too large, or no label image.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "labels.npy"
    ...     np.save(file, np.ones((4, 3, 2), dtype=np.uint8))
    ...     read(file, voxel_nm=25, phases={1: "LATP"}).shape
    (4, 3, 2)
    """
    suffix = _suffix(path)
    file = existing_file(path)
    given_nm = given_edges_nm(voxel_nm)
    if suffix in STRUCTURE_SUFFIXES:
        structure = hdf5.read_structure(file)
        if given_nm is not None:
            voxel_edges_nm(file, given_nm, structure.voxel_size)
        return structure if phases is None else structure.with_(phases=phases)
    labels: NDArray[np.uint8]
    stated: Spacing
    labels, stated = IMAGE_FORMATS[suffix].read_labels(file)
    edges_nm = voxel_edges_nm(file, given_nm, stated)
    structure = VoxelStructure.from_labels(labels, voxel_nm=edges_nm, phases=phases)
    return structure.with_(recipe={"image": file.name, "sha256": content_hash(file), "voxel_nm": list(edges_nm)})


def write(structure: VoxelStructure, path: str | Path) -> Path:
    """Write a structure; the file appears complete or not at all.

    ``.h5`` keeps everything (a tuple in the recipe comes back as a list). ``.tif``, ``.npy`` and ``.vti`` keep the
    labels; TIFF and VTI also the voxel size.

    Parameters
    ----------
    structure : VoxelStructure
        What to write.
    path : path
        Its suffix says the format; an existing file is replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FormatError
        If the suffix is unknown.
    InputError
        If the folder does not exist, the system refuses, or the format cannot hold the structure.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> box = VoxelStructure.from_labels(np.ones((4, 3, 2), dtype=int), voxel_nm=(10, 10, 30))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read(write(box, pathlib.Path(folder) / "box.tif")).shape
    (4, 3, 2)
    """
    suffix = _suffix(path)
    try:
        file = Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path} cannot be resolved: {error}; give a full path") from None
    if suffix in STRUCTURE_SUFFIXES:
        hdf5.write_structure(structure, file)
    else:
        IMAGE_FORMATS[suffix].write_labels(structure, file)
    return file


def _suffix(path: str | Path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"{path} ends in '{suffix}'; allowed: {', '.join(SUFFIXES)}; rename or convert the file")
    return suffix
