"""A block of voxels in a binary file, x fastest: its length is compared with what the header claims before it is read."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError
from microstructures.formats.guard import check_claim, existing_file

PIECE_BYTES = 1 << 20
EITHER_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def read_block(
    path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], *, offset: int = 0, compressed: bool = False
) -> NDArray[Any]:
    """Read voxels of shape (nx, ny, nz), x fastest, from `offset` bytes on to the end of the file.

    Raises
    ------
    FormatError
        If the file holds more or fewer bytes than the shape needs, or its compressed data are damaged.
    """
    stored = path.stat().st_size - offset
    needed = math.prod(shape) * dtype.itemsize
    text = " x ".join(map(str, shape))
    if min(shape) < 1:
        raise FormatError(f"{path} claims {text} voxels; allowed: at least one along every axis; correct the shape")
    check_claim(path, shape, dtype.itemsize, max(stored, 0))
    if compressed:
        flat = _inflate(path, offset, needed).view(dtype)
    elif stored != needed:
        raise FormatError(
            f"{path} holds {max(stored, 0)} bytes of voxels, but {text} of {dtype} need {needed}; "
            "correct shape, type or header, or write the file again"
        )
    else:
        flat = np.fromfile(path, dtype=dtype, count=math.prod(shape), offset=offset)
    return flat.astype(dtype.newbyteorder("="), copy=False).reshape(shape, order="F")


def _inflate(path: Path, offset: int, needed: int) -> NDArray[np.uint8]:
    """Decompress exactly `needed` bytes; a stream that gives more is stopped there."""
    out = np.empty(needed, dtype=np.uint8)
    engine, filled = zlib.decompressobj(EITHER_GZIP_OR_ZLIB), 0
    with open(path, "rb") as stream:
        stream.seek(offset)
        while not engine.eof:
            piece = engine.unconsumed_tail or stream.read(PIECE_BYTES)
            if not piece:
                raise FormatError(
                    f"{path} is truncated: its compressed voxels end after {filled} of {needed} bytes; copy it again"
                )
            try:
                data = engine.decompress(piece, PIECE_BYTES)
            except zlib.error as error:
                raise FormatError(f"{path} is damaged: {error}; write or copy it again") from None
            if filled + len(data) > needed:
                raise FormatError(f"{path} holds more than the {needed} bytes of voxels that its header claims; write it again")
            out[filled : filled + len(data)] = np.frombuffer(data, dtype=np.uint8)
            filled += len(data)
    if filled != needed:
        raise FormatError(f"{path} is truncated: it holds {filled} of {needed} bytes of voxels; write or copy it again")
    return out


def detached_file(header: Path, name: str) -> Path:
    """Return the data file that a header names: it must lie in the header's folder, or below."""
    folder = header.parent.resolve()
    if not name or Path(name).is_absolute() or not (folder / name).resolve().is_relative_to(folder):
        raise FormatError(f"{header} points to the data file '{name[:200]}'; allowed: a file in its own folder; put it there")
    if (folder / name).resolve() == header.resolve():
        raise FormatError(f"{header} points to itself as its data file; correct the header")
    return existing_file(folder / name)


def diagonal(header: Path, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lengths along x, y, z of axis vectors that are parallel to them; the voxels keep their order.

    Raises
    ------
    FormatError
        If the image is rotated against its axes.
    """
    if rows.shape != (3, 3) or np.any(np.abs(rows - np.diag(np.diagonal(rows))) > 1e-6 * np.abs(rows).max(initial=0.0)):
        raise FormatError(f"{header} is rotated against its axes; allowed: axes along x, y, z; resample it first")
    return np.abs(np.diagonal(rows))
