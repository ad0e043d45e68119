"""Structures as VTK image data and back: voxels are cells, lengths in micrometres."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from microstructures.units import UM

GRAINS = "grain"
LABELS = "label"


def to_image_data(structure: VoxelStructure, **fields: ArrayLike) -> Any:
    """Return a structure as `pyvista.ImageData` for ParaView, filters and pictures.

    Parameters
    ----------
    structure : VoxelStructure
        Its labels become the cell array ``label``, its grains, if any, ``grain``.
    **fields : array of shape (nx, ny, nz) or (nx, ny, nz, 3)
        Further cell arrays, e.g. ``potential=...``.

    Returns
    -------
    pyvista.ImageData
        Of `shape + 1` points; spacing in micrometres; phase names in the field data ``phase_names``.

    Raises
    ------
    InputError
        If a field has another shape than the structure, or takes a reserved name.

    Examples
    --------
    >>> block = VoxelStructure.from_labels(np.ones((2, 3, 4), int), voxel_nm=500)
    >>> to_image_data(block).dimensions
    (3, 4, 5)
    """
    import pyvista

    image = pyvista.ImageData(
        dimensions=tuple(n + 1 for n in structure.shape), spacing=tuple(edge / UM for edge in structure.voxel_size)
    )
    arrays: dict[str, Any] = {LABELS: structure.labels}
    if structure.grains is not None:
        arrays[GRAINS] = structure.grains
    for name, values in fields.items():
        if name in arrays:
            raise InputError(f"field '{name}' is already an array of the structure; allowed: any other name")
        arrays[name] = np.asarray(values)
    for name, array in arrays.items():
        if array.shape[:3] != structure.shape or array.shape[3:] not in ((), (3,)):
            raise InputError(f"field '{name}' has shape {array.shape}; allowed: {structure.shape}, or with a last axis of 3")
        tail = array.shape[3:]
        image.cell_data[name] = array.reshape(-1, *tail, order="F") if not tail else _cells_of_vectors(array)
    names = [f"{label}={name}" for label, name in structure.phases.items()]
    if names:
        image.field_data["phase_names"] = np.array(names)
    image.field_data["length_unit"] = np.array(["um"])
    image.set_active_scalars(LABELS, preference="cell")
    return image


def from_image_data(image: Any) -> VoxelStructure:
    """Return the structure that `to_image_data` stored; voxel edges are good to a rounding error.

    Parameters
    ----------
    image : pyvista.ImageData
        With a cell array ``label``, lengths in micrometres.

    Raises
    ------
    InputError
        If it has no labels.
    """
    if LABELS not in image.cell_data:
        found = ", ".join(image.cell_data.keys()) or "none"
        raise InputError(f"the image data has the cell arrays {found}; allowed: one named '{LABELS}'")
    shape = tuple(int(n) - 1 for n in image.dimensions)
    pairs = [str(text).split("=", 1) for text in image.field_data.get("phase_names", [])]
    x, y, z = (float(edge) * UM / 1e-9 for edge in image.spacing)
    return VoxelStructure.from_labels(
        np.asarray(image.cell_data[LABELS]).reshape(shape, order="F"),
        voxel_nm=(x, y, z),
        phases={int(label): name for label, name in pairs},
        grains=np.asarray(image.cell_data[GRAINS]).reshape(shape, order="F") if GRAINS in image.cell_data else None,
    )


def _cells_of_vectors(array: Any) -> Any:
    """Return vectors in the order of VTK's cells, shape (n, 3)."""
    return np.stack([array[..., axis].ravel(order="F") for axis in range(3)], axis=1)
