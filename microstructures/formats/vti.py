"""VTK image data: labels as cell data, x fastest; voxel edges in the unit that the field string `length_unit` names."""

from __future__ import annotations

import math
import re
from pathlib import Path
from xml.etree.ElementTree import Element

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
from microstructures.formats.vtk_xml import VtkFile, open_vtk
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
        points = _check_header(path)
        file = open_vtk(path)
        image, pieces = file.root.find("ImageData"), file.root.findall("ImageData/Piece")
        if image is None or len(pieces) != 1 or pieces[0].get("Extent", "").split() != image.get("WholeExtent", "").split():
            raise FormatError(f"{path} holds {len(pieces)} pieces of an image; allowed: one, as large as the whole; {REMEDY}")
        if not np.allclose([float(word) for word in image.get("Direction", "1 0 0 0 1 0 0 0 1").split()], np.eye(3).ravel()):
            raise FormatError(f"{path} is rotated against its axes; allowed: an identity direction matrix; resample it first")
        cells = pieces[0].findall("CellData/DataArray")
        shape = tuple(n - 1 for n in points) if cells else points
        array = _label_array(path, cells or pieces[0].findall("PointData/DataArray"))
        if array.get("NumberOfComponents", "1") != "1" or min(shape) < 1:
            raise FormatError(f"{path} holds an array of several components, or none; allowed: one label a voxel; {REMEDY}")
        values = file.values(array, math.prod(shape))
        return Image(values.reshape(shape, order="F"), _spacing(file, image), files=(path,))


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


def _check_header(path: Path) -> tuple[int, int, int]:
    """Return the number of points along x, y, z after comparing it with the size of the file."""
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
    x, y, z = (n + 1 for n in shape)
    return x, y, z


def _label_array(path: Path, arrays: list[Element]) -> Element:
    known = {array.get("Name", ""): array for array in arrays}
    chosen = [name for name in LABEL_NAMES if name in known] or (list(known) if len(known) == 1 else [])
    if not chosen:
        names = ", ".join(list(known)[:8]) or "none"
        raise FormatError(f"{path} holds the arrays {names}; allowed: one, or one named 'label'; {REMEDY}")
    return known[chosen[0]]


def _spacing(file: VtkFile, image: Element) -> Spacing:
    field = next((array for array in image.findall("FieldData/*") if array.get("Name") == UNIT_FIELD), None)
    if field is None:
        return UNKNOWN_SPACING
    unit = file.values(field).tobytes().partition(b"\0")[0].decode("utf-8", "replace")
    metres = unit_in_metres(unit)
    if metres is None:
        raise FormatError(
            f"{file.path} names the length unit '{unit[:40]}'; allowed: nm, um, mm, cm, m; correct the field {UNIT_FIELD}"
        )
    x, y, z = (float(edge) * metres for edge in image.get("Spacing", "").split())
    return x, y, z
