"""MetaImage of ITK and ImageJ: a text header with the voxels behind it (.mha) or in a file beside it (.mhd), raw or zlib.

Format: itk.org/Wiki/MetaIO/Documentation. The first axis is the fastest; sizes stand in the order x, y, z. The voxel edges
count where `DistanceUnits` names their unit: programs write `ElementSpacing` in whatever unit they think in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microstructures.errors import FormatError
from microstructures.formats.block import detached_file, diagonal, read_block
from microstructures.formats.guard import Spacing, as_format_errors, positive_or_none, unit_in_metres
from microstructures.formats.image import UNKNOWN_SPACING, Image

LARGEST_HEADER_BYTES = 65536
REMEDY = "save it again as MetaImage with one binary data file"
TYPES = {
    "MET_CHAR": "int8",
    "MET_UCHAR": "uint8",
    "MET_SHORT": "int16",
    "MET_USHORT": "uint16",
    "MET_INT": "int32",
    "MET_UINT": "uint32",
    "MET_LONG_LONG": "int64",
    "MET_ULONG_LONG": "uint64",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}


def read_image(path: Path) -> Image:
    """Read a ``.mhd`` or ``.mha`` file.

    Raises
    ------
    FormatError
        If the file is damaged, has not three axes or more than one channel, is rotated, or is text or a list of slices.
    """
    with as_format_errors(path, "MetaImage", REMEDY):
        fields, end = _header(path)
        for key, allowed in (("ndims", "3"), ("objecttype", "image"), ("binarydata", "true"), ("elementnumberofchannels", "1")):
            if fields.get(key, allowed).lower() != allowed:
                raise FormatError(f"{path} has {key} {fields[key][:40]}; allowed: {allowed}; {REMEDY}")
        sizes = tuple(int(word) for word in fields.get("dimsize", "").split())
        if len(sizes) != 3:
            raise FormatError(
                f"{path} has the DimSize '{fields.get('dimsize', '')[:40]}'; allowed: three whole numbers; {REMEDY}"
            )
        name = TYPES.get(fields.get("elementtype", "").upper())
        if name is None:
            raise FormatError(f"{path} has the ElementType '{fields.get('elementtype', '')[:40]}'; allowed: {', '.join(TYPES)}")
        big = _flag(fields, "binarydatabyteordermsb") or _flag(fields, "elementbyteordermsb")
        dtype = np.dtype(name).newbyteorder(">" if big else "<")
        data, offset = _data_file(path, fields, end)
        skip = int(fields.get("headersize", "0"))
        compressed = _flag(fields, "compresseddata")
        if skip < -1 or (compressed and skip):
            raise FormatError(f"{path} has HeaderSize {skip}; allowed: -1 or more, 0 with compressed voxels; {REMEDY}")
        if skip == -1:
            offset = max(offset, data.stat().st_size - int(np.prod(sizes, dtype=float)) * dtype.itemsize)
        else:
            offset += skip
        values = read_block(data, sizes, dtype, offset=offset, compressed=compressed)
        return Image(values, _spacing(path, fields), files=(path,) if data == path else (path, data))


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields, their names in lower case, and where the header ends: after the line ElementDataFile."""
    fields: dict[str, str] = {}
    with open(path, "rb") as stream:
        while stream.tell() < LARGEST_HEADER_BYTES:
            line = stream.readline(LARGEST_HEADER_BYTES)
            name, sign, value = line.decode("utf-8", "replace").partition("=")
            if not line or not (sign or not line.strip()):
                break
            key = name.strip().lower()
            if key in fields:
                raise FormatError(f"{path} has the field '{key[:40]}' twice; correct the header")
            fields[key] = value.strip()
            if key == "elementdatafile":
                return fields, stream.tell()
    raise FormatError(f"{path} is no MetaImage: it has no line ElementDataFile; {REMEDY}")


def _data_file(path: Path, fields: dict[str, str], end: int) -> tuple[Path, int]:
    name = fields["elementdatafile"]
    if name.upper() == "LOCAL":
        return path, end
    if name.upper().startswith("LIST") or "%" in name:
        raise FormatError(f"{path} is spread over many files ('{name[:40]}'); allowed: one; give the folder of its slices")
    return detached_file(path, name), 0


def _flag(fields: dict[str, str], key: str) -> bool:
    return fields.get(key, "false").lower() in ("true", "1")


def _spacing(path: Path, fields: dict[str, str]) -> Spacing:
    words = next((fields[key] for key in ("transformmatrix", "rotation", "orientation") if key in fields), "1 0 0 0 1 0 0 0 1")
    turned = np.array([float(word) for word in words.split()])
    if turned.size != 9:
        raise FormatError(f"{path} has a TransformMatrix of {turned.size} numbers; allowed: 9; {REMEDY}")
    diagonal(path, turned.reshape(3, 3))
    metres = unit_in_metres(fields.get("distanceunits", ""))
    edges = [float(word) for word in fields.get("elementspacing", fields.get("elementsize", "")).split()]
    if metres is None or len(edges) != 3:
        return UNKNOWN_SPACING
    x, y, z = (positive_or_none(metres * edge) for edge in edges)
    return x, y, z
