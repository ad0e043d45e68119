"""What every reader and writer shares: one named error per bad file, size limits, voxel spacing, atomic files."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import CofireError, FormatError, InputError, clear_line
from microstructures.machine_memory import STATED_BY, available_memory_bytes, gigabytes
from microstructures.structure import as_labels
from microstructures.units import NM

LARGEST_VOXEL_COUNT = 20_000_000_000
LARGEST_LABEL_COUNT = 64
LARGEST_COMPRESSION = 2000.0
SPACING_TOLERANCE = 1e-3
LONGEST_MESSAGE = 600
UNSETTLED_NS = 2_000_000_000
"""A file written less than so long ago may change again and keep its time, which clocks of file systems tell coarsely."""
_hashes: dict[tuple[int, int, int, int], str] = {}
GREY_REMEDY = "if it is a grey image, segment it: cofire import --thresholds otsu (or multi-otsu, or values like 80,160)"
METRES_PER_UNIT = {
    "m": 1.0,
    "cm": 1e-2,
    "mm": 1e-3,
    "um": 1e-6,
    "µm": 1e-6,
    "μm": 1e-6,
    "micron": 1e-6,
    "microns": 1e-6,
    "micrometer": 1e-6,
    "micrometre": 1e-6,
    "nm": 1e-9,
    "nanometer": 1e-9,
    "nanometre": 1e-9,
    "pm": 1e-12,
    "å": 1e-10,
}
Spacing = tuple[float | None, float | None, float | None]
"""Voxel edges [m] along x, y, z as far as a file states them."""
ClaimCheck = Callable[[Path, Sequence[int], int], None]
"""Refuses a file by its path, shape and bytes a voxel, before anything is allocated."""
_claim_check: ContextVar[ClaimCheck | None] = ContextVar("claim_check", default=None)


def content_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits; of a folder, that of its files' names and hashes.

    Raises
    ------
    FormatError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "a"
    ...     _ = file.write_bytes(b"")
    ...     content_hash(file)[:8]
    'e3b0c442'
    """
    try:
        if Path(path).is_dir():
            return hash_of_files(sorted(file for file in Path(path).iterdir() if file.is_file() and file.name[0] != "."))
        with open(path, "rb") as stream:
            return _hash_once(stream)
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}; check the path and its permissions") from None


def _hash_once(stream: Any) -> str:
    """Return the SHA-256 of an open file, from memory where it has been computed and the file not touched since."""
    about = os.fstat(stream.fileno())
    same = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
    settled = time.time_ns() - about.st_mtime_ns > UNSETTLED_NS
    if settled and same in _hashes:
        return _hashes[same]
    found = hashlib.file_digest(stream, "sha256").hexdigest()
    if settled:
        _hashes[same] = found
    return found


def hash_of_files(files: Sequence[Path]) -> str:
    """Return one hash of an image: that of its file, or of the names and hashes of several."""
    if len(files) == 1:
        return content_hash(files[0])
    lines = [f"{content_hash(file)}  {file.name}\n" for file in files]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def existing_file(path: str | Path) -> Path:
    """Return `path` as a non-empty file, or raise a FormatError that says what stands there instead."""
    try:
        file = Path(path).expanduser()
        if file.is_dir():
            raise FormatError(f"{file} is a folder; give one file")
        if not file.is_file():
            raise FormatError(f"{file} does not exist; check the path")
        size = file.stat().st_size
    except CofireError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise FormatError(f"{str(path)!r} cannot be opened: {one_line(error)}; check the path") from None
    if size == 0:
        raise FormatError(f"{file} is empty (0 bytes); write or copy it again")
    return file


def one_line(error: BaseException, limit: int = 200) -> str:
    """Return the message of an error on one line of at most `limit` characters."""
    return clear_line(str(error), limit) or type(error).__name__


@contextmanager
def as_format_errors(path: Path, kind: str, remedy: str) -> Iterator[None]:
    """Turn whatever a foreign library raises on a damaged file into one FormatError, and silence its warnings.

    Errors of ours pass, InputErrors with the path in front.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except FormatError as error:
        raise FormatError(clear_line(str(error), LONGEST_MESSAGE)) from None
    except InputError as error:
        text = str(error) if str(error).startswith(str(path)) else f"{path}: {error}"
        raise FormatError(clear_line(text, LONGEST_MESSAGE)) from None
    except CofireError:
        raise
    except MemoryError:
        raise FormatError(f"{path} claims more data than there is memory; {remedy}") from None
    except Exception as error:
        name = f"{type(error).__name__} " if isinstance(error, LookupError) else ""
        raise FormatError(f"{path} cannot be read as {kind}: {name}{one_line(error)}; {remedy}") from None


def check_claim(path: Path, shape: Sequence[int], bytes_per_voxel: int, stored_bytes: int) -> None:
    """Refuse, before anything is allocated, a file that claims far more voxels than it can hold, or than there is memory for."""
    voxels = math.prod(int(n) for n in shape)
    text = " x ".join(str(n) for n in shape)
    damaged = voxels * bytes_per_voxel > LARGEST_COMPRESSION * stored_bytes + 4096
    if not damaged:
        (_claim_check.get() or _check_room)(path, shape, bytes_per_voxel)
    if voxels > LARGEST_VOXEL_COUNT:
        raise FormatError(f"{path} claims {text} voxels; allowed: {LARGEST_VOXEL_COUNT:g} in all; crop or coarsen the image")
    if damaged:
        raise FormatError(
            f"{path} claims {text} voxels but stores only {stored_bytes} bytes; it is damaged or not an image; write it again"
        )


@contextmanager
def claims_checked(check: ClaimCheck) -> Iterator[None]:
    """Let `check` judge what files claim in this block: it may know what else their voxels will need."""
    token = _claim_check.set(check)
    try:
        yield
    finally:
        _claim_check.reset(token)


def reading_bytes(shape: Sequence[int], bytes_per_voxel: int) -> int:
    """Return what it takes to read voxels: their values, and the labels made of them [bytes]."""
    return math.prod(int(n) for n in shape) * (bytes_per_voxel + 1)


def _check_room(path: Path, shape: Sequence[int], bytes_per_voxel: int) -> None:
    needed, available = reading_bytes(shape, bytes_per_voxel), available_memory_bytes()
    if needed > available:
        raise FormatError(
            f"{path} claims {' x '.join(str(n) for n in shape)} voxels, which take {gigabytes(needed)} to read; "
            f"available: {gigabytes(available)}; crop or coarsen the image, or say with {STATED_BY} what may be used"
        )


def label_image(path: Path, image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the labels of an image; a grey-scale image is refused by its number of distinct values, and told the remedy.

    Raises
    ------
    FormatError
        If the image has not three axes, is no integer image of labels 0 to 255, or holds too many distinct values.
    """
    if image.ndim != 3:
        raise FormatError(f"{path} holds an image of shape {image.shape}; allowed: three axes; give the whole stack of slices")
    try:
        labels = as_labels(image)
    except InputError as error:
        numbers = image.dtype.kind in "iu" or (image.dtype.kind == "f" and bool(np.isfinite(image).all()))
        raise FormatError(f"{path}: {error}{f'; {GREY_REMEDY}' if numbers else ''}") from None
    counts = np.zeros(256, dtype=np.int64)
    for slab in labels:
        counts += np.bincount(slab.ravel(), minlength=256)
    distinct = int(np.count_nonzero(counts))
    if distinct > LARGEST_LABEL_COUNT:
        raise FormatError(
            f"{path} looks like a grey-scale image: {distinct} distinct values; "
            f"allowed: {LARGEST_LABEL_COUNT} labels; {GREY_REMEDY}"
        )
    return labels


def given_edges_nm(voxel_nm: float | Sequence[float] | None) -> tuple[float, float, float] | None:
    """Return what the user gave as three edges [nm] along x, y, z, or raise an InputError."""
    if voxel_nm is None:
        return None
    try:
        given = np.asarray(voxel_nm)
        edges = given.astype(float)
    except (TypeError, ValueError):
        given, edges = np.asarray("?"), np.zeros(0)
    usable = given.dtype.kind in "iuf" and edges.shape in ((), (3,)) and np.isfinite(edges).all() and (edges > 0).all()
    if not usable:
        raise InputError(f"voxel_nm is {voxel_nm!r}; allowed: one positive number or three (x, y, z); give nanometres")
    x, y, z = np.broadcast_to(edges, (3,)).tolist()
    return x, y, z


def voxel_edges_nm(
    path: Path, given_nm: tuple[float, float, float] | None, stated: Spacing = (None, None, None)
) -> tuple[float, float, float]:
    """Return the voxel edges [nm] along x, y, z from what the file states [m] and what the user gave [nm].

    Raises
    ------
    InputError
        If nobody says an edge, or both say it and differ by more than 0.1 %.
    """
    stated_nm = [None if edge is None else edge / NM for edge in stated]
    if given_nm is None:
        if any(edge is None for edge in stated_nm):
            known = ", ".join(f"{axis} {edge:g} nm" for axis, edge in zip("xyz", stated_nm, strict=True) if edge is not None)
            says = f"states its voxel size only in part ({known})" if known else "does not state its voxel size"
            raise InputError(f"{path} {says}; there is no default; pass --voxel-nm (in Python voxel_nm=), in nanometres")
        x, y, z = (float(edge) for edge in stated_nm if edge is not None)
        return x, y, z
    for axis, edge, wanted in zip("xyz", stated_nm, given_nm, strict=True):
        if edge is not None and not abs(edge - wanted) <= SPACING_TOLERANCE * wanted:
            raise InputError(
                f"{path} states a voxel edge of {edge:g} nm along {axis}, but voxel_nm is {wanted:g} nm; "
                "allowed: agreement within 0.1 %; correct one of them, or leave voxel_nm out"
            )
    return given_nm


def unit_in_metres(unit: str) -> float | None:
    """Return the length of a unit as image files name them [m], or None for one that is no length (pixel, inch)."""
    return METRES_PER_UNIT.get(unit.strip().casefold())


def positive_or_none(edge: float) -> float | None:
    """Return an edge that can be one, or None for zero, negative, infinite or NaN."""
    return edge if 0.0 < edge < math.inf else None


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well the file there becomes `path` in one step.

    Raises
    ------
    InputError
        If the folder does not exist or the system refuses to write; nothing is left behind.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write")
    if not path.parent.is_dir():
        raise InputError(f"folder {path.parent} does not exist; create it first")
    partial = path.with_name(f".{path.stem[:80]}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield partial
        with open(partial, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or one_line(error)}; check space and permissions"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
