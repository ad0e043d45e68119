"""A voxel dataset in somebody else's HDF5 file, DREAM.3D's above all: z, y, x on disk.

DREAM.3D files carry voxel edges in `_SIMPL_GEOMETRY/SPACING` beside the cell data (version 6) or as the attribute
`_SPACING` of the geometry (version 7), both in the order x, y, z and without a unit; its custom, micrometres, is assumed
and said. Fiji's HDF5 writer states `element_size_um` in the order z, y, x.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError, InputError, did_you_mean
from microstructures.formats.guard import Spacing, as_format_errors, check_claim, positive_or_none
from microstructures.formats.image import UNKNOWN_SPACING, Image
from microstructures.units import UM

OUR_FORMAT = b"cofire-structure"
LARGEST_CHUNK_BYTES = 1 << 28
LONGEST_LIST = 12
PHASE_NAMES, FEATURE_NAMES = ("phases", "cellphases"), ("featureids", "grainids", "cellfeatureids")
REMEDY = "write or copy it again"


def is_foreign(path: Path) -> bool:
    """Return whether this is a sound HDF5 file, but no structure of ours."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get("format") != OUR_FORMAT)
    except Exception:
        return False


def read_image(path: Path, dataset: str | None) -> Image:
    """Read one dataset of three axes, and where it is one of DREAM.3D's, phases as labels with feature ids as grains.

    Parameters
    ----------
    path : Path
        An HDF5 file.
    dataset : str or None
        Its full name, such as ``/DataContainers/ImageDataContainer/CellData/FeatureIds``. Feature ids without phases
        beside them become one phase: label 1 in every feature, 0 outside.

    Raises
    ------
    InputError
        If no dataset is named, or not one of this file; the message lists them.
    FormatError
        If the file is damaged, or the dataset lies elsewhere or has not three axes.
    """
    import h5py

    with as_format_errors(path, "HDF5", REMEDY), h5py.File(path, "r") as file:
        data = _find(path, file, dataset)
        group, name = data.parent, data.name.rsplit("/", 1)[-1]
        values = _load(path, data)
        spacing, assumed = _spacing(path, data)
        grains, notes = None, []
        if name.lower().replace(" ", "") in FEATURE_NAMES:
            grains, phases = _as_grains(path, values), _sibling(path, group, PHASE_NAMES)
            values = np.asarray(values > 0) if phases is None else _load(path, phases)
            notes.append("no phases beside the features: label 1 in every feature" if phases is None else
                         f"labels from {phases.name}, grains from {data.name}")  # fmt: skip
        elif name.lower().replace(" ", "") in PHASE_NAMES:
            features = _sibling(path, group, FEATURE_NAMES)
            if features is not None:
                grains = _as_grains(path, _load(path, features))
                notes.append(f"labels from {data.name}, grains from {features.name}")
        if grains is not None and grains.shape != values.shape:
            raise FormatError(f"{path}: features of {grains.shape} on phases of {values.shape}; {REMEDY}")
        if assumed:
            notes.append("the file gives voxel edges without a unit; micrometres, as is DREAM.3D's custom")
        facts = {"dataset": data.name}
        return Image(values, spacing, assumed, grains=grains, files=(path,), facts=facts, notes=tuple(notes))


def _find(path: Path, file: Any, name: str | None) -> Any:
    """Return the dataset of that name, following no link that leads elsewhere."""
    import h5py

    known = _volumes(file)
    if name is None:
        raise FormatError(
            f"{path} is an HDF5 file but no cofire structure; "
            + (f"import it with --dataset and one of: {_listed(known)}" if known else "it holds no dataset of three axes")
        )
    node: Any = file
    for part in [part for part in name.split("/") if part]:
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            others = did_you_mean(name, known) if known else "; it holds none of three axes"
            raise InputError(f"{path} has no dataset '{name[:200]}'{others}")
        if not isinstance(link, h5py.HardLink):
            raise FormatError(
                f"{path}: '{name[:200]}' is a link to elsewhere; allowed: data in this file; name the target itself"
            )
        node = node[part]
    if not isinstance(node, h5py.Dataset):
        raise InputError(
            f"{path}: '{name[:200]}' is a group; allowed: one of {_listed(known) or 'its datasets, but it has none'}"
        )
    return node


def _volumes(file: Any) -> dict[str, str]:
    """Return name and shape of every dataset with three axes; links that lead elsewhere are not followed."""
    import h5py

    found: dict[str, str] = {}

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and len(_shape(node)) == 3 and node.dtype.kind in "iufb":
            found[f"/{name}"] = f"{' x '.join(map(str, _shape(node)[::-1]))} {node.dtype}"

    file.visititems(visit)
    return found


def _listed(known: dict[str, str]) -> str:
    entries = [f"{name} ({what})" for name, what in known.items()]
    return ", ".join(entries[:LONGEST_LIST]) + (
        f" and {len(entries) - LONGEST_LIST} more" if len(entries) > LONGEST_LIST else ""
    )


def _shape(data: Any) -> tuple[int, ...]:
    """Return the shape of a dataset without the axis that DREAM.3D keeps for components."""
    shape: tuple[int, ...] = tuple(data.shape or ())
    return shape[:3] if len(shape) == 4 and shape[3] == 1 else shape


def _load(path: Path, data: Any) -> NDArray[Any]:
    """Read a dataset as (nx, ny, nz)."""
    shape = _shape(data)
    if len(shape) != 3 or min(shape) < 1 or data.dtype.kind not in "iufb":
        raise FormatError(f"{path}: '{data.name}' has shape {data.shape}, type {data.dtype}; allowed: three axes of numbers")
    if data.is_virtual or data.external:
        raise FormatError(f"{path}: '{data.name}' takes its data from other files; allowed: data in this file; {REMEDY}")
    if data.chunks is not None and np.prod(data.chunks, dtype=float) * data.dtype.itemsize > LARGEST_CHUNK_BYTES:
        raise FormatError(f"{path}: '{data.name}' has chunks of {data.chunks}; allowed: {LARGEST_CHUNK_BYTES} bytes; {REMEDY}")
    _check_filters(path, data)
    check_claim(path, shape, data.dtype.itemsize, data.id.get_storage_size())
    array = np.empty(data.shape, dtype=data.dtype)
    data.read_direct(array)
    return array.reshape(shape).transpose(2, 1, 0).astype(data.dtype.newbyteorder("="), copy=False)


def _check_filters(path: Path, data: Any) -> None:
    """Refuse data packed in a way that this computer cannot unpack."""
    import h5py

    steps = data.id.get_create_plist()
    for number in range(steps.get_nfilters()):
        code = steps.get_filter(number)[0]
        if not h5py.h5z.filter_avail(code):
            raise FormatError(
                f"{path}: '{data.name}' is packed with the HDF5 filter {code}, which is not installed here; "
                "allowed: gzip, shuffle, fletcher32; write it again with gzip"
            )


def _sibling(path: Path, group: Any, names: tuple[str, ...]) -> Any:
    import h5py

    for name in group:
        if name.lower().replace(" ", "") in names and isinstance(group.get(name, getlink=True), h5py.HardLink):
            node = group[name]
            if isinstance(node, h5py.Dataset):
                return node
    return None


def _as_grains(path: Path, ids: NDArray[Any]) -> NDArray[np.int32]:
    if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() > np.iinfo(np.int32).max:
        raise FormatError(f"{path} has feature ids of type {ids.dtype} from {ids.min()} to {ids.max()}; allowed: 0 to 2^31 - 1")
    return np.ascontiguousarray(ids, dtype=np.int32)


def _spacing(path: Path, data: Any) -> tuple[Spacing, bool]:
    """Return the voxel edges [m], and whether their unit is assumed."""
    stated = np.asarray(data.attrs.get("element_size_um", ()), dtype=float).ravel()
    if stated.size == 3:
        x, y, z = (positive_or_none(edge * UM) for edge in stated[::-1].tolist())
        return (x, y, z), False
    for group in _ancestors(data):
        edges, shape = _geometry(group)
        if edges.size != 3:
            continue
        if shape.size == 3 and tuple(shape.tolist()) != _shape(data)[::-1]:
            raise FormatError(f"{path}: '{data.name}' has {_shape(data)[::-1]} voxels, its geometry {shape.tolist()}; {REMEDY}")
        x, y, z = (positive_or_none(edge * UM) for edge in edges.tolist())
        return (x, y, z), True
    return UNKNOWN_SPACING, False


def _ancestors(data: Any) -> Iterator[Any]:
    node = data.parent
    while node.name != "/":
        yield node
        node = node.parent


def _geometry(group: Any) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return spacing and dimensions (x, y, z) that a group states, empty where it does not."""
    import h5py

    found = {"SPACING": np.zeros(0), "DIMENSIONS": np.zeros(0)}
    for key in found:
        if f"_{key}" in group.attrs:
            found[key] = np.asarray(group.attrs[f"_{key}"])
        elif isinstance(group.get("_SIMPL_GEOMETRY", getlink=True), h5py.HardLink):
            geometry = group["_SIMPL_GEOMETRY"]
            inside = isinstance(geometry, h5py.Group) and isinstance(geometry.get(key, getlink=True), h5py.HardLink)
            if inside and isinstance(geometry[key], h5py.Dataset) and geometry[key].size == 3:
                found[key] = np.asarray(geometry[key]).ravel()
    return found["SPACING"].astype(float).ravel(), found["DIMENSIONS"].ravel()
