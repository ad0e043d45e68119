"""NRRD, the nearly raw raster data of Slicer and teem: attached or detached header, raw or gzip voxels.

Format: teem.sourceforge.net/nrrd/format.html. The first axis is the fastest; sizes stand in the order x, y, z.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError
from microstructures.formats.block import detached_file, diagonal, read_block
from microstructures.formats.guard import Spacing, as_format_errors, positive_or_none, unit_in_metres
from microstructures.formats.image import UNKNOWN_SPACING, Image

LARGEST_HEADER_BYTES = 65536
REMEDY = "save it again as NRRD with encoding raw or gzip"
TYPES = {
    "int8": ("signed char", "int8", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int32": ("int", "signed int", "int32", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
COMPRESSED = {"raw": False, "gzip": True, "gz": True}


def read_image(path: Path) -> Image:
    """Read a ``.nrrd`` or ``.nhdr`` file; its voxel edges count where it names their unit.

    Raises
    ------
    FormatError
        If the file is damaged, has not three axes, is rotated, or is stored in another encoding.
    """
    with as_format_errors(path, "NRRD", REMEDY):
        fields, end = _header(path)
        if int(fields.get("dimension", "0")) != 3:
            raise FormatError(
                f"{path} has dimension {fields.get('dimension', 'none')}; allowed: 3; save one volume of one channel"
            )
        sizes = tuple(int(word) for word in fields.get("sizes", "").split())
        if len(sizes) != 3:
            raise FormatError(f"{path} has the sizes '{fields.get('sizes', '')}'; allowed: three whole numbers; {REMEDY}")
        encoding = fields.get("encoding", "").lower()
        if encoding not in COMPRESSED:
            raise FormatError(f"{path} has the encoding '{encoding}'; allowed: raw, gzip; {REMEDY}")
        data, offset = path, end
        if "data file" in fields:
            data, offset = detached_file(path, fields["data file"]), 0
        dtype = _dtype(path, fields)
        skip = int(fields.get("byte skip", "0"))
        if int(fields.get("line skip", "0")) or skip < -1 or (skip and COMPRESSED[encoding]):
            raise FormatError(f"{path} skips lines, or bytes of compressed voxels; allowed: byte skip of raw voxels; {REMEDY}")
        if skip == -1:
            offset = max(offset, data.stat().st_size - int(np.prod(sizes, dtype=float)) * dtype.itemsize)
        else:
            offset += skip
        values = read_block(data, sizes, dtype, offset=offset, compressed=COMPRESSED[encoding])
        files = (path,) if data == path else (path, data)
        return Image(values, _spacing(path, fields), files=files)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields in lower case, and where the header ends: at the first empty line."""
    with open(path, "rb") as stream:
        head = stream.read(LARGEST_HEADER_BYTES)
    if not head.startswith(b"NRRD000"):
        raise FormatError(f"{path} is no NRRD; {REMEDY}")
    stop = re.search(rb"\r?\n\r?\n", head)
    detached = re.search(rb"^data ?file\s*:", head, flags=re.MULTILINE | re.IGNORECASE)
    if stop is None and (detached is None or len(head) == LARGEST_HEADER_BYTES):
        raise FormatError(f"{path} is truncated: its header has no end; write or copy it again")
    end = len(head) if stop is None else stop.end()
    fields: dict[str, str] = {}
    for line in head[: end if stop is None else stop.start()].decode("ascii", "replace").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if line.startswith("#") or not colon or value.startswith("="):
            continue
        key = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}.get(
            name.strip().lower(), name.strip().lower()
        )
        if key in fields:
            raise FormatError(f"{path} has the field '{key[:40]}' twice; correct the header")
        fields[key] = value.strip()
    return fields, end


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype:
    wanted = " ".join(fields.get("type", "").lower().split())
    name = next((name for name, words in TYPES.items() if wanted in words), None)
    if name is None:
        raise FormatError(f"{path} has the type '{wanted[:40]}'; allowed: integers or floats; {REMEDY}")
    dtype, order = np.dtype(name), fields.get("endian", "").lower()
    if dtype.itemsize > 1 and order not in ("little", "big"):
        raise FormatError(f"{path} has the endian '{order[:40]}'; allowed: little, big; correct the header")
    return dtype.newbyteorder(">" if order == "big" else "<")


def _spacing(path: Path, fields: dict[str, str]) -> Spacing:
    units = re.findall(r'"([^"]*)"', fields.get("space units") or fields.get("units", ""))
    if "space directions" in fields:
        vectors = re.findall(r"\(([^)]*)\)", fields["space directions"])
        rows: NDArray[np.float64] = np.array([[float(word) for word in vector.split(",")] for vector in vectors])
        edges = diagonal(path, rows).tolist()
    else:
        edges = [float(word) for word in fields.get("spacings", "").split()]
    if len(edges) != 3 or len(units) != 3:
        return UNKNOWN_SPACING
    x, y, z = (positive_or_none((unit_in_metres(unit) or 0.0) * edge) for unit, edge in zip(units, edges, strict=True))
    return x, y, z
