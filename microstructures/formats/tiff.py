"""TIFF stacks and slices: z, y, x on disk; voxel edges from ImageJ or OME metadata, never from a bare resolution tag."""

from __future__ import annotations

import html
import logging
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError, InputError, MissingExtraError
from microstructures.formats.guard import (
    Spacing,
    as_format_errors,
    atomic_file,
    check_claim,
    positive_or_none,
    unit_in_metres,
)
from microstructures.formats.image import UNKNOWN_SPACING, Image
from microstructures.structure import VoxelStructure
from microstructures.units import UM

PALETTE = 3
OME_DEFAULT_UNIT = "µm"
LARGEST_IMAGEJ_BYTES = 4_000_000_000
LARGEST_PAGE_COUNT = 1_000_000
REMEDY = "save the label stack again as an uncompressed 8-bit grey TIFF"


def read_image(path: Path) -> Image:
    """Read the values of a TIFF stack, shape (nx, ny, nz), and its voxel edges [m] as far as the metadata state them.

    Raises
    ------
    FormatError
        If the file is damaged or truncated, or is a colour, multi-channel, time or single-slice image.
    MissingExtraError
        If its compression needs the package imagecodecs.
    """
    stack, spacing = _read(path, "ZYX")
    return Image(stack.transpose(2, 1, 0), spacing, files=(path,))


def read_slice(path: Path) -> tuple[NDArray[Any], Spacing]:
    """Read a TIFF of one slice as (ny, nx), and its voxel edges [m]; raises as `read_image`."""
    return _read(path, "YX")


def _read(path: Path, axes: str) -> tuple[NDArray[Any], Spacing]:
    with as_format_errors(path, "TIFF", REMEDY), _complaints() as complaints:
        _check_pages(path)
        import tifffile

        with tifffile.TiffFile(path, _multifile=False) as tif:
            series = _one_series(path, tif, axes)
            check_claim(path, series.shape, series.dtype.itemsize, path.stat().st_size)
            _check_data(path, series)
            try:
                stack = series.asarray()
            except ValueError as error:
                if "imagecodecs" in str(error):
                    raise MissingExtraError(
                        f"{path} is compressed in a way that needs another package; run: pip install imagecodecs; or {REMEDY}"
                    ) from None
                raise
            if complaints:
                raise FormatError(f"{path} is damaged: {complaints[0]}; {REMEDY}")
            return stack.astype(stack.dtype.newbyteorder("="), copy=False), _spacing(tif)


def write_labels(structure: VoxelStructure, path: Path) -> None:
    """Write the labels as an ImageJ stack (z, y, x) with the voxel edges in micrometres.

    Raises
    ------
    InputError
        If there is only one slice, or the stack is larger than ImageJ files can be (4 GB).
    """
    import tifffile

    if structure.labels.nbytes > LARGEST_IMAGEJ_BYTES:
        raise InputError(
            f"{path} would hold {structure.labels.nbytes} bytes; allowed: {LARGEST_IMAGEJ_BYTES} in a TIFF; write .h5 or .npy"
        )
    if structure.shape[2] < 2:
        raise InputError(f"{path} would hold a single slice; allowed: two slices or more along z in a TIFF; write .h5 or .npy")
    x_um, y_um, z_um = (edge / UM for edge in structure.voxel_size)
    with atomic_file(path) as partial:
        tifffile.imwrite(
            partial,
            np.ascontiguousarray(structure.labels.transpose(2, 1, 0)),
            imagej=True,
            resolution=(1.0 / x_um, 1.0 / y_um),
            metadata={"axes": "ZYX", "spacing": z_um, "unit": "um"},
        )


class _Collector(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(level=logging.DEBUG)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.messages.append(" ".join(record.getMessage().split())[:200])


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect the errors that the TIFF library only logs, such as a page it had to leave out."""
    messages: list[str] = []
    logger = logging.getLogger("tifffile")
    handler, propagates = _Collector(messages), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


def _check_pages(path: Path) -> None:
    """Walk the chain of page directories once: it must end, inside the file, without returning to itself."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        magic = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) == 16 else 0
        if magic not in (42, 43):
            raise FormatError(f"{path} is no TIFF; {REMEDY}")
        big = magic == 43
        count_form, offset_form, entry_bytes = ("Q", "Q", 20) if big else ("H", "I", 12)
        offset_bytes, count_bytes = struct.calcsize(offset_form), struct.calcsize(f"={count_form}")
        first = 8 if big else 4
        (offset,) = struct.unpack(order + offset_form, head[first : first + offset_bytes])
        seen: set[int] = set()
        while offset:
            page = len(seen)
            if offset in seen:
                raise FormatError(f"{path} is damaged: page {page} leads back to an earlier page; {REMEDY}")
            if page >= LARGEST_PAGE_COUNT:
                raise FormatError(f"{path} has more than {LARGEST_PAGE_COUNT} pages; {REMEDY}")
            seen.add(offset)
            end = size + 1
            if offset + count_bytes <= size:
                stream.seek(offset)
                (entries,) = struct.unpack(order + count_form, stream.read(count_bytes))
                end = offset + count_bytes + entries * entry_bytes + offset_bytes
            if end > size:
                raise FormatError(f"{path} is truncated: page {page} lies beyond the end of the file; write or copy it again")
            stream.seek(end - offset_bytes)
            (offset,) = struct.unpack(order + offset_form, stream.read(offset_bytes))
    if not seen:
        raise FormatError(f"{path} holds no page; {REMEDY}")


def _one_series(path: Path, tif: Any, wanted: str) -> Any:
    """Return the one series of grey pages with the axes `wanted`, or say what the file holds instead."""
    page = tif.pages.first
    if page.photometric == PALETTE:
        raise FormatError(f"{path} is a palette (colour table) TIFF; allowed: grey labels; convert it to 8-bit grey first")
    if page.samplesperpixel != 1:
        raise FormatError(
            f"{path} has {page.samplesperpixel} colour samples a pixel; allowed: one label a pixel; "
            "convert colours to labels first"
        )
    if len(tif.series) != 1:
        shapes = ", ".join(" x ".join(map(str, series.shape)) for series in tif.series[:3])
        raise FormatError(
            f"{path} holds {len(tif.series)} images that do not stack ({shapes}); "
            "allowed: pages of one size and type; save one stack"
        )
    series = tif.series[0]
    axes = series.axes
    if axes == wanted == "YX":
        return series
    if axes == "YX":
        raise FormatError(f"{path} holds a single slice of {series.shape}; allowed: two slices or more; give the whole stack")
    for letter, meaning in (("C", "channels"), ("S", "colour samples"), ("T", "time steps")):
        if letter in axes:
            raise FormatError(
                f"{path} holds {meaning} (axes {axes}, {series.shape}); allowed: one stack in z, y, x; "
                "save one of them as a stack"
            )
    if wanted == "YX":
        raise FormatError(
            f"{path} holds a stack of {series.shape}; allowed: one slice in each file of a folder; give the file itself"
        )
    if len(axes) != 3 or axes[1:] != "YX":
        raise FormatError(f"{path} has the axes {axes}, {series.shape}; allowed: z, y, x; save one stack")
    return series


def _check_data(path: Path, series: Any) -> None:
    """Make sure that every strip of every page lies inside the file: the library would fill gaps with zeros."""
    size = path.stat().st_size
    if series.dataoffset is not None and series.dataoffset + series.nbytes <= size:
        return
    for number, page in enumerate(series.pages):
        if page is None:
            raise FormatError(f"{path} lacks page {number}; write or copy it again")
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset <= 0 or count <= 0 or offset + count > size:
                raise FormatError(
                    f"{path} is truncated: the pixels of page {number} lie beyond the end of the file; write or copy it again"
                )


def _spacing(tif: Any) -> Spacing:
    if tif.is_ome:
        return _ome_spacing(tif.ome_metadata or "")
    if tif.is_imagej:
        return _imagej_spacing(tif.imagej_metadata or {}, tif.pages.first.tags)
    return UNKNOWN_SPACING


def _imagej_spacing(metadata: dict[str, Any], tags: Any) -> Spacing:
    metres = unit_in_metres(str(metadata.get("unit", "")).replace("\\u00B5", "µ"))
    if metres is None:
        return UNKNOWN_SPACING
    edges: list[float | None] = []
    for tag in ("XResolution", "YResolution"):
        pixels, units = tags[tag].value if tag in tags else (0, 0)
        edges.append(positive_or_none(metres * units / pixels if pixels else 0.0))
    return edges[0], edges[1], positive_or_none(metres * _number(metadata.get("spacing")))


def _ome_spacing(xml: str) -> Spacing:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    attributes = dict(re.findall(r'(\w+)="([^"]*)"', html.unescape(pixels.group(0)))) if pixels else {}
    edges: list[float | None] = []
    for axis in "XYZ":
        metres = unit_in_metres(attributes.get(f"PhysicalSize{axis}Unit", OME_DEFAULT_UNIT))
        edges.append(positive_or_none((metres or 0.0) * _number(attributes.get(f"PhysicalSize{axis}"))))
    return edges[0], edges[1], edges[2]


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
