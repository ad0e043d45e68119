"""Flooding: grains grow from their markers, the deepest voxels first, until they meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import kernel

STEPS_PER_SQUARE = 16.0
"""Squared depths are sorted to 1/16 of a voxel edge squared, unless voxels are cubes: then they are whole numbers."""


def flood(
    grains: NDArray[np.int32],
    markers: NDArray[np.int64],
    groups: NDArray[np.uint8],
    depth: NDArray[np.float32],
    periodic: tuple[bool, bool, bool],
    *,
    cubes: bool,
) -> None:
    """Grow grain k + 1 from marker k within its group, in place.

    Meyer's flooding (1994): of all voxels that share a face with a grain the deepest is taken next, among equals the one
    that was reached first. Sorted into one queue per depth this costs the same for every voxel.

    Parameters
    ----------
    grains : ndarray of shape (nx, ny, nz), int32
        Zeros; receives the ids.
    markers : ndarray of shape (n, 3)
        Where grains begin.
    groups : ndarray of shape (nx, ny, nz), uint8
        Voxels of different groups never share a grain.
    depth : ndarray of shape (nx, ny, nz), float32
        Distance to the surface [smallest voxel edges].
    periodic : tuple of 3 bools
        Axes along which the last layer touches the first.
    cubes : bool
        Whether all voxel edges are equal.
    """
    index = np.int32 if depth.size < 2**31 else np.int64
    after = np.full(depth.size, -1, dtype=index)
    _flood(grains, markers, groups, depth, np.array(periodic), 1.0 if cubes else STEPS_PER_SQUARE, after)


@kernel
def _flood(grains, markers, groups, depth, wraps, steps, after):  # type: ignore[no-untyped-def]
    nx, ny, nz = grains.shape
    level_of, grain_of, group_of = depth.reshape(-1), grains.reshape(-1), groups.reshape(-1)
    n_levels = int(depth.max() ** 2 * steps + 0.5) + 1
    first, last = np.full(n_levels, -1, dtype=np.int64), np.full(n_levels, -1, dtype=np.int64)
    for m in range(len(markers)):
        n = (markers[m, 0] * ny + markers[m, 1]) * nz + markers[m, 2]
        grain_of[n] = m + 1
        _queue(first, last, after, int(level_of[n] ** 2 * steps + 0.5), n)
    level = n_levels - 1
    while level >= 0:
        n = first[level]
        if n < 0:
            level -= 1
            continue
        first[level] = after[n]
        i, rest = divmod(n, ny * nz)
        j, k = divmod(rest, nz)
        for face in range(6):
            if face == 0:
                m = n - ny * nz if i > 0 else (n + (nx - 1) * ny * nz if wraps[0] else -1)
            elif face == 1:
                m = n - nz if j > 0 else (n + (ny - 1) * nz if wraps[1] else -1)
            elif face == 2:
                m = n - 1 if k > 0 else (n + nz - 1 if wraps[2] else -1)
            elif face == 3:
                m = n + 1 if k + 1 < nz else (n - (nz - 1) if wraps[2] else -1)
            elif face == 4:
                m = n + nz if j + 1 < ny else (n - (ny - 1) * nz if wraps[1] else -1)
            else:
                m = n + ny * nz if i + 1 < nx else (n - (nx - 1) * ny * nz if wraps[0] else -1)
            if m < 0 or grain_of[m] != 0 or group_of[m] != group_of[n]:
                continue
            grain_of[m] = grain_of[n]
            _queue(first, last, after, min(level, int(level_of[m] ** 2 * steps + 0.5)), m)


@kernel
def _queue(first, last, after, level, n):  # type: ignore[no-untyped-def]
    """Append voxel n to the queue of its level."""
    if first[level] < 0:
        first[level] = n
    else:
        after[last[level]] = n
    after[n] = -1
    last[level] = n
