"""Find the nearest of some marked voxels, as far as a layer reaches: exact, periodic, 8 bytes a voxel.

One axis after the other: the nearest mark along z, then the best of those along y, then along x. Only steps within
the reach are tried, nearest first, so that the work is small where marks are near and bounded where they are not.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.jit import in_threads, kernel, parallel_kernel

NEVER = -(1 << 40)
PLANES = 8
"""Planes that a thread takes at once."""


def nearest_source(
    source: NDArray[np.bool_], voxel_size: tuple[float, float, float], periodic: tuple[bool, bool, bool], reach: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return, for every voxel, the nearest marked voxel within a distance, and that distance.

    Parameters
    ----------
    source : ndarray of shape (nx, ny, nz), bool
        Marked voxels.
    voxel_size : tuple of 3 floats
        Voxel edges, in any unit.
    periodic : tuple of 3 bools
        Along which axes the distance wraps around.
    reach : float
        Longest distance between centres that counts, in the same unit.

    Returns
    -------
    index : ndarray of shape (nx, ny, nz), int32
        C-order index of the nearest marked voxel, -1 where none is within reach; of equally near ones any, but the
        same for any number of threads.
    distance : ndarray of shape (nx, ny, nz), float32
        Distance between the centres; infinite where none is within reach.

    Raises
    ------
    InputError
        If the block has 2^31 voxels or more.

    Examples
    --------
    >>> marks = np.zeros((4, 1, 1), bool)
    >>> marks[0] = True
    >>> nearest_source(marks, (2.0, 2.0, 2.0), (False, False, False), 5.0)[1].ravel()
    array([ 0.,  2.,  4., inf], dtype=float32)
    """
    if source.size >= 2**31:
        raise InputError(f"the block has {source.size} voxels; allowed: below 2^31 here; cut it into smaller blocks")
    size = np.asarray(voxel_size, dtype=np.float64)
    wraps = np.asarray(periodic)
    steps = [int(min(np.floor(reach / h * (1 + 1e-12)), n - 1)) for h, n in zip(size, source.shape, strict=True)]
    index: NDArray[np.int32] = np.empty(source.shape, dtype=np.int32)
    squared: NDArray[np.float32] = np.empty(source.shape, dtype=np.float32)
    _along_z(source, size[2], bool(wraps[2]), steps[2], index, squared)
    for axis in (1, 0):
        _take_nearer(index, squared, axis, size[axis], bool(wraps[axis]), steps[axis])
    squared[squared > np.float32(reach * reach * (1 + 1e-6))] = np.inf
    index[np.isinf(squared)] = -1
    np.sqrt(squared, out=squared)
    return index, squared


@parallel_kernel
def _along_z(source, h, wraps, steps, index, squared):  # type: ignore[no-untyped-def]
    """Find the nearest mark in each voxel's own line along z."""
    nx, ny, nz = source.shape
    for i in prange(nx):
        for j in range(ny):
            base = (np.int64(i) * ny + j) * nz
            index[i, j] = -1
            squared[i, j] = np.inf
            for turn in range(2):  # from below, then from above
                last = NEVER
                for step in range(-steps if wraps else 0, nz):
                    k = (step if turn == 0 else nz - 1 - step) % nz
                    if source[i, j, k]:
                        last = step
                    if step >= 0 and step - last <= steps:
                        d2 = np.float32(((step - last) * h) ** 2)
                        if d2 < squared[i, j, k]:
                            squared[i, j, k] = d2
                            index[i, j, k] = base + (last if turn == 0 else nz - 1 - last) % nz


def _take_nearer(index: NDArray[np.int32], squared: NDArray[np.float32], axis: int, h: float, wraps: bool, steps: int) -> None:
    """Take the best of the marks of neighbours along an axis, on several threads."""
    in_threads(
        lambda first, last: _along_rows(first, last, index, squared, axis, h, wraps, steps), index.shape[1 - axis], PLANES
    )


@kernel
def _along_rows(first, last, index, squared, axis, h, wraps, steps):  # type: ignore[no-untyped-def]
    """Take the best of the marks of neighbours along x (axis 0) or y (axis 1) in some planes along the other of the two."""
    for plane in range(first, last):
        _plane(index, squared, axis, plane, h, wraps, steps)


@kernel
def _plane(index, squared, axis, plane, h, wraps, steps):  # type: ignore[no-untyped-def]
    rows, length = index.shape[axis], index.shape[2]
    old_index, old = np.empty((rows, length), dtype=np.int32), np.empty((rows, length), dtype=np.float32)
    for row in range(rows):
        old_index[row] = index[plane, row] if axis == 1 else index[row, plane]
        old[row] = squared[plane, row] if axis == 1 else squared[row, plane]
    for row in range(rows):
        best_index = index[plane, row] if axis == 1 else index[row, plane]
        best = squared[plane, row] if axis == 1 else squared[row, plane]
        for step in range(1, steps + 1):
            aside = np.float32((step * h) ** 2)
            open_ = False
            for k in range(length):
                open_ |= best[k] > aside
            if not open_:
                break
            for sign in (-1, 1):
                other = row + sign * step
                if wraps:
                    other %= rows
                elif other < 0 or other >= rows:
                    continue
                for k in range(length):
                    d2 = old[other, k] + aside
                    if d2 < best[k]:
                        best[k] = d2
                        best_index[k] = old_index[other, k]
