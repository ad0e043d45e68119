"""Boxes in which kernels look at a structure: a tile and a rim around it, copied once so that no look beyond it needs a check."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from microstructures.jit import in_threads, inline_kernel, kernel
from microstructures.voxels.interface_normals import step_index

TILE = 16
"""Edge [voxels] of a tile."""
TILES_AT_ONCE = 8


def over_tiles(part: Callable[[int, int], None], shape: tuple[int, ...]) -> None:
    """Call `part(first, last)`, which writes to its own tiles only, until all tiles that cover a structure are done."""
    in_threads(part, math.prod(-(-n // TILE) for n in shape), TILES_AT_ONCE)


@kernel
def tile_box(tile, shape):  # type: ignore[no-untyped-def]
    """Return the box of a tile: first x, y, z, then past last."""
    ty, tz = -(-shape[1] // TILE), -(-shape[2] // TILE)
    box = np.empty(6, dtype=np.int64)
    box[0], box[1], box[2] = tile // (ty * tz) * TILE, tile // tz % ty * TILE, tile % tz * TILE
    for axis in range(3):
        box[axis + 3] = min(box[axis] + TILE, shape[axis])
    return box


@inline_kernel
def extend(box, x, y, z):  # type: ignore[no-untyped-def]
    """Let a box hold one more voxel."""
    box[0], box[1], box[2] = min(box[0], x), min(box[1], y), min(box[2], z)
    box[3], box[4], box[5] = max(box[3], x + 1), max(box[4], y + 1), max(box[5], z + 1)


@kernel
def gather(values, box, rim, wraps):  # type: ignore[no-untyped-def]
    """Return a copy of a box with a rim; beyond the structure it repeats or is mirrored.

    A mirrored voxel lies farther away than the voxel itself, which the box holds too.
    """
    nx, ny, nz = values.shape
    out = np.empty((box[3] - box[0] + 2 * rim, box[4] - box[1] + 2 * rim, box[5] - box[2] + 2 * rim), dtype=values.dtype)
    low = box[2] - rim
    inner = low >= 0 and low + out.shape[2] <= nz
    for a in range(out.shape[0]):
        x = step_index(box[0] + a - rim, nx, wraps[0])
        for b in range(out.shape[1]):
            y = step_index(box[1] + b - rim, ny, wraps[1])
            if inner:
                out[a, b] = values[x, y, low : low + out.shape[2]]
            else:
                for c in range(out.shape[2]):
                    out[a, b, c] = values[x, y, step_index(low + c, nz, wraps[2])]
    return out


@kernel
def any_near(marked, reach, shape):  # type: ignore[no-untyped-def]
    """Return where a marked voxel lies within a cube of `reach`, for the box inside the rim of `marked`; its rim >= `reach`."""
    rim = (marked.shape[0] - shape[0]) // 2
    skip = rim - reach
    width = 2 * reach + 1
    lines = np.zeros((marked.shape[0], marked.shape[1], shape[2]), dtype=np.bool_)
    for a in range(marked.shape[0]):
        for b in range(marked.shape[1]):
            last = -width - 1
            for c in range(skip, marked.shape[2] - skip):
                if marked[a, b, c]:
                    last = c
                z = c - skip - 2 * reach
                if z >= 0:
                    lines[a, b, z] = c - last < width
    sheets = np.zeros((marked.shape[0], shape[1], shape[2]), dtype=np.bool_)
    for a in range(marked.shape[0]):
        for y in range(shape[1]):
            for b in range(y + skip, y + skip + width):
                for z in range(shape[2]):
                    sheets[a, y, z] |= lines[a, b, z]
    out = np.zeros((shape[0], shape[1], shape[2]), dtype=np.bool_)
    for x in range(shape[0]):
        for a in range(x + skip, x + skip + width):
            for y in range(shape[1]):
                for z in range(shape[2]):
                    out[x, y, z] |= sheets[a, y, z]
    return out
