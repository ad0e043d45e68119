"""A folder of slices: one grey picture per z, sorted as people count (slice_2 before slice_10), nothing missing."""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError
from microstructures.formats import tiff
from microstructures.formats.guard import Spacing, as_format_errors, check_claim, existing_file
from microstructures.formats.image import UNKNOWN_SPACING, Image

TIFF_SUFFIXES = (".tif", ".tiff")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SLICE_SUFFIXES = (*TIFF_SUFFIXES, ".png", ".bmp")
GREY_MODES = ("1", "L", "I;16", "I;16B", "I;16L", "I")
SEVERAL_WORDS = {"P": "a palette (colour table)", "RGB": "colours", "RGBA": "colours", "LA": "transparency"}


def read_image(folder: Path) -> Image:
    """Read a folder of slices as one image, slices along z; voxel edges across come from the first slice, if it is a TIFF.

    Raises
    ------
    FormatError
        If the folder holds fewer than two slices or several kinds of them, a number is missing or there twice, or a slice
        is damaged, in colour, or differs from the first in shape or type.
    """
    files, left_out = slice_files(folder)
    read = _read_tiff if files[0].suffix.lower() in TIFF_SUFFIXES else _read_picture
    first, spacing = read(existing_file(files[0]))
    size = files[0].stat().st_size
    check_claim(folder, (first.shape[1], first.shape[0], len(files)), first.dtype.itemsize, size * len(files))
    stack = np.empty((len(files), *first.shape), dtype=first.dtype)
    for z, file in enumerate(files):
        page = first if z == 0 else read(existing_file(file))[0]
        if page.shape != first.shape or page.dtype != first.dtype:
            raise FormatError(
                f"{file} is {page.shape[1]} x {page.shape[0]} {page.dtype}, but {files[0].name} is {first.shape[1]} x "
                f"{first.shape[0]} {first.dtype}; allowed: slices of one size and type; move it elsewhere or convert it"
            )
        stack[z] = page
    facts: dict[str, Any] = {"slices": len(files), "first_slice": files[0].name, "last_slice": files[-1].name}
    notes = [f"{len(files)} slices along z, from {files[0].name} to {files[-1].name}"]
    if left_out:
        facts["files_left_out"] = [file.name for file in left_out[:10]]
        notes.append(f"left out: {', '.join(facts['files_left_out'])}{', ...' if len(left_out) > 10 else ''}")
    return Image(stack.transpose(2, 1, 0), spacing, files=tuple(files), facts=facts, notes=tuple(notes))


def slice_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the slices of a folder in their order, and the other files in it (hidden ones do not count).

    Raises
    ------
    FormatError
        As for the folder as a whole.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.is_dir())
    except OSError as error:
        raise FormatError(f"{folder} is a folder that cannot be read: {error.strerror}; check its permissions") from None
    slices = [entry for entry in entries if entry.suffix.lower() in SLICE_SUFFIXES]
    left_out = [entry for entry in entries if entry not in set(slices)]
    if len(slices) < 2:
        raise FormatError(
            f"{folder} is a folder with {len(slices) or 'no'} slice{'s' if not slices else ''} ({', '.join(SLICE_SUFFIXES)}); "
            "allowed: two slices or more of one stack; or give one file, such as a .h5 or a .tif stack"
        )
    kinds = Counter(".tif" if entry.suffix.lower() in TIFF_SUFFIXES else entry.suffix.lower() for entry in slices)
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        raise FormatError(f"{folder} holds slices of several kinds ({found}); allowed: one kind; move the others elsewhere")
    slices.sort(key=natural_key)
    _check_numbers(slices)
    return slices, left_out


def natural_key(file: Path) -> tuple[list[str | int], str]:
    """Return a sort key that takes digits as numbers.

    Examples
    --------
    >>> [file.name for file in sorted([Path("s_10.png"), Path("s_2.png")], key=natural_key)]
    ['s_2.png', 's_10.png']
    """
    parts: list[str | int] = list(re.split(r"(\d+)", file.stem.casefold(), flags=re.ASCII))
    parts[1::2] = [int(part) for part in parts[1::2]]
    return parts, file.name


def _check_numbers(slices: list[Path]) -> None:
    """Make sure that the names follow one pattern, and that the number in which they differ goes up in equal steps."""
    keys = [natural_key(file)[0] for file in slices]
    patterns = ["#".join(str(part) for part in key[::2]) for key in keys]
    usual, count = Counter(patterns).most_common(1)[0]
    if "#" not in usual:
        return
    if count < len(slices):
        odd = next(file for file, pattern in zip(slices, patterns, strict=True) if pattern != usual)
        raise FormatError(f"{odd} does not belong to the slices named '{usual}'; move it elsewhere, or rename it")
    numbers = np.array([key[1::2] for key in keys], dtype=object)
    varying = [column for column in numbers.T if any(value != column[0] for value in column)]
    if not varying:
        raise FormatError(f"{slices[1]} has the same number as {slices[0].name}; keep one of them")
    if len(varying) > 1:
        return
    steps = [int(after - before) for before, after in zip(varying[0], varying[0][1:], strict=False)]
    for place, step in enumerate(steps):
        if step == 0:
            raise FormatError(f"{slices[place + 1]} has the same number as {slices[place].name}; keep one of them")
        if step != min(step for step in steps if step):
            raise FormatError(
                f"{slices[place].parent}: a slice is missing between {slices[place].name} and {slices[place + 1].name}; "
                "add it, or number the slices anew"
            )


def _read_tiff(file: Path) -> tuple[NDArray[Any], Spacing]:
    return tiff.read_slice(file)


def _check_chunks(file: Path) -> None:
    """Make sure that every chunk of a PNG lies inside the file: the library would reserve what a damaged length claims."""
    size = file.stat().st_size
    with open(file, "rb") as stream:
        place = 8 if stream.read(8) == PNG_SIGNATURE else size
        while place + 12 <= size:
            stream.seek(place)
            length, name = struct.unpack(">I4s", stream.read(8))
            place += 12 + length
            if name == b"IEND":
                return
    if place != size:
        raise FormatError(
            f"{file} is truncated or damaged: a chunk of it ends at byte {place} of {size}; write or copy it again"
        )


def _read_picture(file: Path) -> tuple[NDArray[Any], Spacing]:
    """Read a grey PNG or BMP of 1, 8 or 16 bits; size and mode are known before any pixel is decoded."""
    from PIL import Image as Picture

    remedy = "save the slice again as an 8-bit or 16-bit grey picture"
    _check_chunks(file)
    with as_format_errors(file, "a picture", remedy), Picture.open(file, formats=("PNG", "BMP")) as picture:
        mode = picture.mode
        if mode not in GREY_MODES:
            raise FormatError(
                f"{file} holds {SEVERAL_WORDS.get(mode, mode)}; allowed: one grey value or label a pixel; convert it to grey first"
            )
        width, height = picture.size
        check_claim(file, (width, height), 4, file.stat().st_size)
        pixels = np.asarray(picture)
    if mode == "I" and pixels.min(initial=0) >= 0 and pixels.max(initial=0) < 65536:
        pixels = pixels.astype(np.uint16)
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False), UNKNOWN_SPACING
