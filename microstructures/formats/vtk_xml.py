"""The XML container of VTK files: tags, and the values of one array, inline or appended, as text, base64 or raw, packed or not.

Format: docs.vtk.org, "VTK XML formats". Every length that a file claims is compared with what it holds before memory is taken,
which VTK's own reader does not do: it ends the process where a damaged file claims too much.
"""

from __future__ import annotations

import base64
import lzma
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError

TYPES = {
    "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4", "UInt32": "u4", "Int64": "i8", "UInt64": "u8",
    "Float32": "f4", "Float64": "f8", "String": "u1",
}  # fmt: skip
ORDERS = {"LittleEndian": "<", "BigEndian": ">"}
SIZES = {"UInt32": "u4", "UInt64": "u8"}
PACKERS = {"": "", "vtkZLibDataCompressor": "zlib", "vtkLZMADataCompressor": "lzma"}
LZMA_BYTES = 1 << 28
REMEDY = "write or copy it again"


@dataclass(frozen=True)
class VtkFile:
    """An open VTK file: its tags, and what is appended behind them."""

    path: Path
    root: ElementTree.Element
    appended: memoryview
    appended_is_raw: bool

    def values(self, array: ElementTree.Element, count: int | None = None, longest: int = 4096) -> NDArray[Any]:
        """Return the values of an array tag: exactly `count` of them, or, where that is None, at most `longest`.

        Raises
        ------
        FormatError
            If the array has another length, or is stored in a way that this program does not read.
        """
        name = f"{self.path}: array '{array.get('Name', '')[:40]}'"
        dtype = np.dtype(_choice(name, "type", array.get("type", ""), TYPES))
        form = array.get("format", "ascii")
        if form == "ascii":
            words = (array.text or "").split()
            if len(words) > longest if count is None else len(words) != count:
                raise FormatError(f"{name} holds {len(words)} values; allowed: {count or longest}; {REMEDY}")
            return np.array(words, dtype=float).astype(dtype) if dtype.kind == "f" else np.array([int(w) for w in words], dtype)
        order = _choice(name, "byte_order", self.root.get("byte_order", "LittleEndian"), ORDERS)
        data = self._stored(name, array, form, order, None if count is None else count * dtype.itemsize, longest)
        return np.frombuffer(data, dtype=np.dtype(order + dtype.str[1:])).astype(dtype, copy=False)

    def _stored(
        self, name: str, array: ElementTree.Element, form: str, order: str, needed: int | None, longest: int
    ) -> bytes | memoryview:
        """Return the bytes of an array, unpacked."""
        if form == "binary":
            source, raw = memoryview("".join((array.text or "").split()).encode()), False
        elif form == "appended":
            offset = int(array.get("offset", "-1"))
            if not 0 <= offset < len(self.appended):
                raise FormatError(f"{name} is truncated: its data lie beyond the end of the file; {REMEDY}")
            source, raw = self.appended[offset:], self.appended_is_raw
        else:
            raise FormatError(f"{name} has the format '{form[:40]}'; allowed: ascii, binary, appended; {REMEDY}")
        size = np.dtype(order + _choice(name, "header_type", self.root.get("header_type", "UInt32"), SIZES))
        packer = _choice(name, "compressor", self.root.get("compressor", ""), PACKERS)
        if not packer:
            (length,) = _sizes(name, source, raw, size, 1)
            _check_length(name, length, needed, longest)
            return _bytes(name, source, raw, size.itemsize + length)[size.itemsize :]
        (blocks,) = _sizes(name, source, raw, size, 1)
        if blocks * size.itemsize > len(source):
            raise FormatError(f"{name} claims {blocks} packed blocks in {len(source)} bytes; {REMEDY}")
        _, edge, last, *packed = _sizes(name, source, raw, size, 3 + blocks)
        lengths = [edge] * blocks
        if blocks and last:
            lengths[-1] = last
        _check_length(name, sum(lengths), needed, longest)
        start = (3 + blocks) * size.itemsize
        data = _bytes(name, source[start if raw else 4 * math.ceil(start / 3) :], raw, sum(packed))
        pieces, at = [], 0
        for length, stored in zip(lengths, packed, strict=True):
            pieces.append(_unpacked(name, packer, data[at : at + stored], length))
            at += stored
        return b"".join(pieces)


def open_vtk(path: Path) -> VtkFile:
    """Parse the tags of a VTK file; entities and document types are refused.

    Raises
    ------
    FormatError
        If the file declares a document type.
    xml.etree.ElementTree.ParseError
        If the tags do not match.
    """
    content = path.read_bytes()
    start = content.find(b"<AppendedData")
    tags, appended, encoding = content, memoryview(b""), "raw"
    if start >= 0:
        close = content.index(b">", start) + 1
        encoding = "base64" if b"base64" in content[start:close] else "raw"
        appended = memoryview(content)[content.index(b"_", close) + 1 :]
        tags = content[:start] + b"</VTKFile>"
    if b"<!" in tags.replace(b"<!--", b""):
        raise FormatError(f"{path} declares a document type or entities; allowed: the tags of VTK alone; {REMEDY}")
    return VtkFile(path, ElementTree.fromstring(tags), appended, encoding == "raw")


def _choice(name: str, key: str, seen: str, allowed: dict[str, str]) -> str:
    if seen not in allowed:
        words = ", ".join(word or "none" for word in allowed)
        raise FormatError(f"{name} has the {key} '{seen[:40]}'; allowed: {words}; export it again with one of these")
    return allowed[seen]


def _sizes(name: str, source: memoryview, raw: bool, size: np.dtype[Any], count: int) -> list[int]:
    return [int(value) for value in np.frombuffer(_bytes(name, source, raw, count * size.itemsize), dtype=size)]


def _bytes(name: str, source: memoryview, raw: bool, count: int) -> bytes | memoryview:
    """Return `count` bytes from the start of raw data or of base64 text."""
    stored = source[: count if raw else 4 * math.ceil(count / 3)]
    data = stored if raw else base64.b64decode(stored, validate=True)
    if len(data) < count:
        raise FormatError(f"{name} is truncated: it holds {len(data)} of {count} bytes; {REMEDY}")
    return data[:count]


def _check_length(name: str, claimed: int, needed: int | None, longest: int) -> None:
    if claimed > longest if needed is None else claimed != needed:
        raise FormatError(f"{name} claims {claimed} bytes; allowed: {needed or longest}; {REMEDY}")


def _unpacked(name: str, packer: str, stored: bytes | memoryview, length: int) -> bytes:
    try:
        engine = zlib.decompressobj() if packer == "zlib" else lzma.LZMADecompressor(memlimit=LZMA_BYTES)
        data = engine.decompress(stored, length + 1)
    except (zlib.error, lzma.LZMAError) as error:
        raise FormatError(f"{name} is damaged: {error}; {REMEDY}") from None
    if len(data) != length:
        raise FormatError(f"{name} is damaged: a packed block gives {len(data)} of {length} bytes; {REMEDY}")
    return data
