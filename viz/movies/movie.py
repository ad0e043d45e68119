"""Moving pictures to files: GIF with one palette for all frames, so that colours hold, or MP4 where ffmpeg is at hand."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError, MissingExtraError, did_you_mean
from microstructures.formats.guard import atomic_file

SUFFIXES = (".gif", ".mp4")
FRAMES_PER_S = 10.0
SAME = 255
"""Colour number of a pixel that stays as it was in the frame before."""
PACK = np.array([1 << 16, 1 << 8, 1])
KEPT = 64
"""Most frequent colours that a GIF keeps as they are."""
MENDED = 48
"""Colours that are added one by one, each where the palette is worst."""
PALETTE_FRAMES = 8
"""Frames, spread evenly, whose pixels the palette of a GIF is taken from."""
MP4_RATE = "20"
"""Constant rate factor of x264: 18 looks like the original, 23 is its own choice."""
MISSING_FFMPEG = "writing .mp4 needs ffmpeg, and imageio-ffmpeg is not installed; use .gif or pip install 'cofire[movies]'"


def check_movie(path: str | Path, frames_per_s: float = FRAMES_PER_S) -> Path:
    """Return the path of a movie, or refuse it before a frame is drawn.

    Raises
    ------
    InputError
        If the suffix is none of `SUFFIXES`, or the number of frames in a second is out of range.
    MissingExtraError
        If it is `.mp4` and ffmpeg is missing.

    Examples
    --------
    >>> check_movie("hops.gif").name
    'hops.gif'
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"movie {file} ends in '{file.suffix}'{did_you_mean(suffix, SUFFIXES)}; rename it")
    if not 0.1 <= frames_per_s <= 50.0:
        raise InputError(f"frames_per_s is {frames_per_s:g}; allowed: 0.1 to 50")
    if suffix == ".mp4":
        find_ffmpeg()
    return file


def write_movie(
    path: str | Path, frames: Sequence[NDArray[np.uint8]], *, frames_per_s: float = FRAMES_PER_S, hold_s: float = 1.5
) -> Path:
    """Write frames as a GIF that repeats, or as MP4 (H.264); the same frames give the same bytes of a GIF.

    Parameters
    ----------
    path : path
        The file, `.gif` or `.mp4`; complete or absent.
    frames : sequence of ndarrays of shape (height, width, 3), uint8
        The pictures, all of one size; an odd last row or column is left out of an MP4.
    frames_per_s : float
        How many are shown in a second.
    hold_s : float
        How long the last one stays [s].

    Raises
    ------
    InputError
        If the suffix is neither, there is no frame, they differ in size, or a number is out of range.
    MissingExtraError
        If ffmpeg is missing.
    """
    file = check_movie(path, frames_per_s)
    shapes = {frame.shape for frame in frames}
    if len(shapes) != 1 or any(len(shape) != 3 or shape[2] != 3 for shape in shapes):
        raise InputError(f"{len(frames)} frames have the shapes {sorted(shapes)}; allowed: one (height, width, 3) for all")
    with atomic_file(file) as partial:
        if file.suffix.lower() == ".gif":
            _write_gif(partial, frames, frames_per_s, hold_s)
        else:
            _write_mp4(partial, frames, frames_per_s, hold_s)
    return file


def _write_gif(path: Path, frames: Sequence[NDArray[np.uint8]], frames_per_s: float, hold_s: float) -> None:
    from PIL import Image

    palette = _palette(frames)
    flat = palette.astype(np.uint8).ravel().tolist()
    pictures, before = [], None
    for frame in frames:
        index = _nearest(frame, palette)
        new = Image.fromarray(index if before is None else np.where(index == before, SAME, index).astype(np.uint8))
        new.putpalette(flat)
        pictures.append(new)
        before = index
    step = max(20, 10 * round(100.0 / frames_per_s))  # a GIF counts in 10 ms, and readers slow down below 20
    durations = [step] * (len(pictures) - 1) + [max(step, 10 * round(100.0 * hold_s))]
    pictures[0].save(
        path, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False,
        transparency=SAME, disposal=1,
    )  # fmt: skip


def _nearest(frame: NDArray[np.uint8], palette: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return which colour of the palette is nearest to each pixel."""
    from scipy.spatial import cKDTree

    value, where = np.unique(frame.reshape(-1, 3).astype(np.int64) @ PACK, return_inverse=True)
    _, index = cKDTree(palette).query(_unpack(value))
    return np.asarray(index, dtype=np.uint8)[where].reshape(frame.shape[:2])


def _palette(frames: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Return up to 255 colours that suit all frames, shape (n, 3): small things keep their colour, and white stays white.

    The colours that occur most, those of background and flat faces, are taken as they are. Then comes a median cut in which a
    colour counts with the fourth root of how often it occurs, and those that all this would miss worst, like those of the key.
    """
    from PIL import Image
    from scipy.spatial import cKDTree

    chosen = np.unique(np.linspace(0, len(frames) - 1, PALETTE_FRAMES).round().astype(int))
    pixels = np.concatenate([frames[k].reshape(-1, 3) for k in chosen]).astype(np.int64) @ PACK
    value, count = np.unique(pixels, return_counts=True)
    most = value[np.argsort(-count, kind="stable")[:KEPT]]
    weight = np.ceil(count**0.25).astype(np.int64)
    spread = Image.fromarray(_unpack(np.repeat(value, weight)).astype(np.uint8)[None])
    cut = spread.quantize(SAME - len(most) - MENDED, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    rest = np.array(cut.getpalette(), dtype=np.int64).reshape(-1, 3)[: SAME - len(most) - MENDED]
    palette, colour = np.concatenate((_unpack(most), rest)), _unpack(value)
    off = np.asarray(cKDTree(palette).query(colour)[0])
    for _ in range(MENDED):
        worst = colour[int(np.argmax(off * np.sqrt(count)))]
        palette = np.concatenate((palette, worst[None]))
        off = np.minimum(off, np.linalg.norm(colour - worst, axis=1))
    return palette


def _unpack(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return red, green and blue of numbers 0xRRGGBB, shape (n, 3)."""
    return np.stack([value >> 16, value >> 8 & 255, value & 255], axis=1)


def _write_mp4(path: Path, frames: Sequence[NDArray[np.uint8]], frames_per_s: float, hold_s: float) -> None:
    height, width = (edge - edge % 2 for edge in frames[0].shape[:2])
    shown = [*frames, *[frames[-1]] * round(hold_s * frames_per_s)]
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{frames_per_s:g}", "-i", "-")
    coded = ("-an", "-c:v", "libx264", "-crf", MP4_RATE, "-pix_fmt", "yuv420p", "-movflags", "+faststart")
    done = subprocess.run(
        [find_ffmpeg(), "-y", "-v", "error", *raw, *coded, str(path)], capture_output=True, check=False,
        input=b"".join(np.ascontiguousarray(frame[:height, :width]).tobytes() for frame in shown),
    )  # fmt: skip
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[-200:]
        raise InputError(f"ffmpeg cannot write {path.suffix}: {said}; use .gif")


def find_ffmpeg() -> str:
    """Return the program that writes MP4.

    Raises
    ------
    MissingExtraError
        If it or the package that brings it is missing.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        raise MissingExtraError(MISSING_FFMPEG) from None
