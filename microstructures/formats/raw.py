"""Headerless voxels: the user says their shape and type, and the file's length must agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from microstructures.errors import InputError, did_you_mean
from microstructures.formats.block import read_block
from microstructures.formats.guard import as_format_errors
from microstructures.formats.image import Image

RAW_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
BYTE_ORDERS = {"little": "<", "big": ">"}
REMEDY = "check --raw-shape, --raw-type and --raw-header-bytes"


@dataclass(frozen=True)
class RawLayout:
    """What a headerless file holds.

    Attributes
    ----------
    shape : tuple of 3 ints
        Voxels along x, y, z; x runs fastest in the file, z slowest.
    type : str
        uint8, int8, uint16, int16, uint32, int32, float32 or float64.
    byte_order : str
        "little" or "big".
    header_bytes : int
        Bytes to skip at the start.

    Raises
    ------
    InputError
        If a value is not allowed.

    Examples
    --------
    >>> RawLayout(shape=(100, 100, 80)).type
    'uint8'
    """

    shape: tuple[int, int, int]
    type: str = "uint8"
    byte_order: str = "little"
    header_bytes: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        if len(self.shape) != 3 or not all(isinstance(n, int) and n > 0 for n in self.shape):
            raise InputError(f"the raw shape is {self.shape}; allowed: three whole numbers above 0, voxels along x, y, z")
        if self.type not in RAW_TYPES:
            raise InputError(f"the raw type is '{self.type}'{did_you_mean(self.type, RAW_TYPES)}")
        if self.byte_order not in BYTE_ORDERS:
            raise InputError(f"the raw byte order is '{self.byte_order}'; allowed: little, big")
        if not isinstance(self.header_bytes, int) or self.header_bytes < 0:
            raise InputError(f"the raw header is {self.header_bytes} bytes long; allowed: a whole number from 0 on")


def read_image(path: Path, layout: RawLayout) -> Image:
    """Read a headerless file of exactly the length that `layout` says.

    Raises
    ------
    FormatError
        If the file is longer or shorter.
    """
    dtype = np.dtype(layout.type).newbyteorder(BYTE_ORDERS[layout.byte_order])  # type: ignore[arg-type]
    with as_format_errors(path, "RAW", REMEDY):
        return Image(
            read_block(path, layout.shape, dtype, offset=layout.header_bytes), files=(path,), facts={"raw": asdict(layout)}
        )
