"""Read and write voxel structures: our own HDF5, and images in every usual voxel format.

Axes are x, y, z in memory whatever their order on disk, and there is no default voxel size: the file states it or the
caller does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from microstructures.errors import FormatError, InputError
from microstructures.formats import dream3d, hdf5, metaimage, npy, nrrd, raw, slices, tiff, vti
from microstructures.formats.guard import (
    content_hash,
    existing_file,
    given_edges_nm,
    hash_of_files,
    label_image,
    one_line,
    voxel_edges_nm,
)
from microstructures.formats.hdf5 import read_provenance
from microstructures.formats.image import UNKNOWN_SPACING, Image
from microstructures.formats.raw import RawLayout
from microstructures.structure import VoxelStructure

__all__ = ["Image", "RawLayout", "content_hash", "load_image", "read", "read_provenance", "structure_of", "write"]

STRUCTURE_SUFFIXES = (".h5", ".hdf5")
IMAGE_FORMATS: dict[str, Any] = {".tif": tiff, ".tiff": tiff, ".npy": npy, ".vti": vti}
SUFFIXES = (*STRUCTURE_SUFFIXES, *IMAGE_FORMATS)
"""What can be written."""
READ_ONLY_FORMATS: dict[str, Any] = {".nrrd": nrrd, ".nhdr": nrrd, ".mhd": metaimage, ".mha": metaimage}
READABLE_SUFFIXES = (*SUFFIXES, *READ_ONLY_FORMATS, ".dream3d", ".raw")


def read(
    path: str | Path,
    *,
    voxel_nm: float | Sequence[float] | None = None,
    phases: Mapping[int, str] | None = None,
    thresholds: str | Sequence[float] | None = None,
    dataset: str | None = None,
    raw: RawLayout | None = None,
) -> VoxelStructure:
    """Read a structure of ours, or an image.

    Parameters
    ----------
    path : path
        ``.h5``/``.hdf5`` (ours), or an image: ``.tif``/``.tiff`` stack or a folder of slices (z, y, x on disk), ``.npy``
        (x, y, z), ``.vti``, ``.nrrd``/``.nhdr``, ``.mhd``/``.mha``, a dataset of an HDF5 or ``.dream3d`` file (z, y, x), or
        headerless voxels (x fastest).
    voxel_nm : float or three floats, optional
        Voxel edge [nm], along x, y, z if three. Needed where the file does not state it; where it does, both must
        agree within 0.1 %.
    phases : mapping of int to str, optional
        Names of the labels; they replace those in the file.
    thresholds : sequence of float, "otsu" or "multi-otsu", optional
        How to segment a grey image; see `microstructures.images.threshold.segment_grey`.
    dataset : str, optional
        Full name of the dataset to read from an HDF5 file that is not ours.
    raw : RawLayout, optional
        Shape and type of a file without a header.

    Returns
    -------
    VoxelStructure
        For an image the recipe holds its name, SHA-256, voxel edges and thresholds.

    Raises
    ------
    InputError
        If nobody states the voxel size, or file and caller contradict each other.
    FormatError
        If the file is absent, damaged, too large, or a grey image and no thresholds are given.

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
    found = load_image(path, dataset=dataset, raw=raw)
    if isinstance(found, VoxelStructure):
        if thresholds is not None:
            raise InputError(f"{path} is a structure with labels already; leave the thresholds out")
        given_nm = given_edges_nm(voxel_nm)
        if given_nm is not None:
            voxel_edges_nm(Path(path), given_nm, found.voxel_size)
        return found if phases is None else found.with_(phases=phases)
    return structure_of(found, Path(path), voxel_nm=voxel_nm, phases=phases, thresholds=thresholds)


def load_image(path: str | Path, *, dataset: str | None = None, raw: RawLayout | None = None) -> Image | VoxelStructure:
    """Read the voxel values of an image as they are, or a structure of ours.

    Parameters
    ----------
    path, dataset, raw
        As for `read`.

    Returns
    -------
    Image or VoxelStructure

    Raises
    ------
    InputError
        If options and file do not fit.
    FormatError
        If the file is absent, damaged or too large.
    """
    if raw is not None:
        if dataset is not None:
            raise InputError(f"{path} cannot be both headerless and hold the dataset '{dataset}'; give one of both")
        return _raw_image(path, raw)
    if _is_folder(path):
        _refuse_dataset(path, dataset)
        return slices.read_image(Path(path).expanduser())
    suffix = _suffix(path, READABLE_SUFFIXES)
    if suffix == ".raw":
        raise InputError(
            f"{path} has no header; say --raw-shape 100,100,80 and --raw-type uint8 with cofire import (in Python raw=)"
        )
    file = existing_file(path)
    if suffix in STRUCTURE_SUFFIXES and not dream3d.is_foreign(file):
        _refuse_dataset(path, dataset)
        return hdf5.read_structure(file)
    if suffix in (*STRUCTURE_SUFFIXES, ".dream3d"):
        return dream3d.read_image(file, dataset)
    _refuse_dataset(path, dataset)
    image: Image = {**IMAGE_FORMATS, **READ_ONLY_FORMATS}[suffix].read_image(file)
    return image


def structure_of(
    image: Image,
    path: Path,
    *,
    voxel_nm: float | Sequence[float] | None = None,
    phases: Mapping[int, str] | None = None,
    thresholds: str | Sequence[float] | None = None,
) -> VoxelStructure:
    """Turn the values of an image into a structure; parameters and errors as for `read`, `path` names the image."""
    given_nm = given_edges_nm(voxel_nm)
    ignored = image.spacing_is_assumed and given_nm is not None
    edges_nm = voxel_edges_nm(path, given_nm, UNKNOWN_SPACING if ignored else image.spacing)
    recipe = {"image": path.absolute().name, "sha256": hash_of_files(image.files), "voxel_nm": list(edges_nm), **image.facts}
    if thresholds is None:
        labels = label_image(path, image.values)
    else:
        from microstructures.images.threshold import segment_grey

        try:
            labels, chosen = segment_grey(image.values, thresholds, phase_count=None if phases is None else len(phases))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        recipe["thresholds"] = chosen
    structure = VoxelStructure.from_labels(labels, voxel_nm=edges_nm, phases=phases)
    return structure.with_(recipe=recipe, grains=image.grains)


def _raw_image(path: str | Path, layout: RawLayout) -> Image:
    return raw.read_image(existing_file(path), layout)


def _is_folder(path: str | Path) -> bool:
    try:
        return Path(path).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        raise FormatError(f"{str(path)!r} cannot be opened: {one_line(error)}; check the path") from None


def _refuse_dataset(path: str | Path, dataset: str | None) -> None:
    if dataset is not None:
        raise InputError(f"{path} holds no datasets to choose from ('{dataset}'); leave --dataset out")


def write(structure: VoxelStructure, path: str | Path, *, provenance: Mapping[str, Any] | None = None) -> Path:
    """Write a structure; the file appears complete or not at all.

    ``.h5`` keeps everything (a tuple in the recipe comes back as a list). ``.tif``, ``.npy`` and ``.vti`` keep the
    labels; TIFF and VTI also the voxel size.

    Parameters
    ----------
    structure : VoxelStructure
        What to write.
    path : path
        Its suffix says the format; an existing file is replaced.
    provenance : mapping, optional
        What is known of the run that made it; ``.h5`` keeps it beside program, versions, time and host.

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
    suffix = _suffix(path, SUFFIXES)
    try:
        file = Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path} cannot be resolved: {error}; give a full path") from None
    if suffix in STRUCTURE_SUFFIXES:
        hdf5.write_structure(structure, file, provenance)
    else:
        IMAGE_FORMATS[suffix].write_labels(structure, file)
    return file


def _suffix(path: str | Path, allowed: tuple[str, ...]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in allowed:
        raise FormatError(f"{path} ends in '{suffix}'; allowed: {', '.join(allowed)}; rename or convert the file")
    return suffix
