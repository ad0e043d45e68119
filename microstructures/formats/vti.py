"""VTK image data: labels as cell data, x fastest; voxel edges in the unit that the field string `length_unit` names."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from microstructures.errors import FormatError
from microstructures.formats.guard import (
    Spacing,
    as_format_errors,
    atomic_file,
    check_claim,
    unit_in_metres,
)
from microstructures.formats.image import UNKNOWN_SPACING, Image
from microstructures.structure import VoxelStructure
from microstructures.units import UM

LABEL_NAMES = ("label", "labels", "phase", "phases")
UNIT_FIELD = "length_unit"
HEADER_BYTES = 65536
REMEDY = "export it again as VTK image data (.vti) with one integer array per cell"


def read_image(path: Path) -> Image:
    """Read the values of a ``.vti`` file, shape (nx, ny, nz), and its voxel edges [m] if it names their unit.

    The values are the cell array, or failing that the point array, that is called ``label`` or is the only one.

    Raises
    ------
    FormatError
        If the file is damaged, rotated, or holds no single label array.
    """
    with as_format_errors(path, "VTI", REMEDY):
        _check_header(path)
        grid = _parse(path)
        if not np.allclose(grid.direction_matrix, np.eye(3)):
            raise FormatError(f"{path} is rotated against its axes; allowed: an identity direction matrix; resample it first")
        points: tuple[int, ...] = tuple(int(n) for n in grid.dimensions)
        in_cells = len(grid.cell_data) > 0
        shape = tuple(n - 1 for n in points) if in_cells else points
        values = np.asarray(_label_array(path, grid.cell_data if in_cells else grid.point_data))
        if values.ndim != 1 or values.size != math.prod(shape):
            raise FormatError(
                f"{path} holds an array of shape {values.shape} on {shape} voxels; allowed: one label a voxel; {REMEDY}"
            )
        return Image(values.reshape(shape, order="F").copy(), _spacing(path, grid), files=(path,))


def write_labels(structure: VoxelStructure, path: Path) -> None:
    """Write the labels of a structure as cell data, the voxel edges in micrometres."""
    import pyvista

    grid = pyvista.ImageData(
        dimensions=tuple(n + 1 for n in structure.shape), spacing=tuple(edge / UM for edge in structure.voxel_size)
    )
    grid.cell_data["label"] = structure.labels.ravel(order="F")
    grid.field_data[UNIT_FIELD] = ["um"]
    with atomic_file(path) as partial:
        grid.save(partial)


def _parse(path: Path) -> Any:
    """Parse with VTK's own reader; what it would print becomes an error."""
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader

    reader = vtkXMLImageDataReader()
    reader.SetFileName(str(path))
    verbosity = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        with pyvista.VtkErrorCatcher(send_to_logging=False) as catcher:
            reader.Update()
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)
    if catcher.error_events:
        raise ValueError(catcher.error_events[0].alert)
    return pyvista.wrap(reader.GetOutput())


def _check_header(path: Path) -> None:
    """Compare what the header claims with the size of the file before VTK allocates anything."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(HEADER_BYTES)
        stream.seek(max(0, size - 1024))
        tail = stream.read()
    if b"<VTKFile" not in head or b"<ImageData" not in head:
        raise FormatError(f"{path} is no VTK image data; {REMEDY}")
    if b"</VTKFile>" not in tail:
        raise FormatError(f"{path} is truncated: it has no closing </VTKFile>; write or copy it again")
    whole = re.search(rb'WholeExtent\s*=\s*"([^"]*)"', head)
    try:
        low_high = [int(text) for text in whole.group(1).split()] if whole else []
        shape = [high - low for low, high in zip(low_high[::2], low_high[1::2], strict=True)]
    except ValueError:
        shape = []
    if len(shape) != 3 or min(shape) < 0:
        raise FormatError(f"{path} has no usable WholeExtent; allowed: six integers; {REMEDY}")
    check_claim(path, [n + 1 for n in shape], 1, size)


def _label_array(path: Path, arrays: Any) -> Any:
    names = list(arrays.keys())
    chosen = [name for name in LABEL_NAMES if name in names] or (names if len(names) == 1 else [])
    if not chosen:
        raise FormatError(f"{path} holds the arrays {', '.join(names) or 'none'}; allowed: one, or one named 'label'; {REMEDY}")
    return arrays[chosen[0]]


def _spacing(path: Path, grid: Any) -> Spacing:
    if UNIT_FIELD not in grid.field_data:
        return UNKNOWN_SPACING
    unit = str(np.asarray(grid.field_data[UNIT_FIELD]).ravel()[0])
    metres = unit_in_metres(unit)
    if metres is None:
        raise FormatError(f"{path} names the length unit '{unit}'; allowed: nm, um, mm, cm, m; correct the field {UNIT_FIELD}")
    x, y, z = (float(edge) * metres for edge in grid.spacing)
    return x, y, z
