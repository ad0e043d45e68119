"""Which way an interface faces at one voxel face, and hence how much true area that face stands for.

Voxel faces overcount a tilted interface by |nx| + |ny| + |nz| (3/2 on average over a curved one), at any resolution.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import inline_kernel, kernel

AREA_LEVELS = 64
"""Steps between a flat interface (true area = face area) and one along the body diagonal (1/sqrt 3 of it)."""
SMOOTHING = 1.5
"""Standard deviation [voxels] of the Gaussian window."""
REACH = 3


def gaussian_window(reach: int, shift: float) -> NDArray[np.float64]:
    """Return the weights of a Gaussian window of `reach` voxels each side; one more where it is centred between two."""
    offsets = np.arange(-reach, reach + 1 + (shift > 0)) - shift
    return np.exp(-0.5 * (offsets / SMOOTHING) ** 2)


def area_factor_of_level(level: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return |nx| + |ny| + |nz| of an area level: 1 for level 1, sqrt 3 for the last; level 0 is no interface."""
    return 1.0 + (np.maximum(level, 1) - 1) / (AREA_LEVELS - 1) * (np.sqrt(3.0) - 1.0)


CENTRED, SHIFTED = gaussian_window(REACH, 0.0), gaussian_window(REACH, 0.5)


@inline_kernel
def step_index(index, n, wraps):  # type: ignore[no-untyped-def]
    """Return a voxel index brought back into 0..n-1: by wrapping, or by reflection at the outer face."""
    if 0 <= index < n:
        return index
    if wraps:
        return index % n
    if index < 0:
        index = -1 - index
    if index >= n:
        index = 2 * n - 1 - index
    return min(max(index, 0), n - 1)


@inline_kernel
def side_sign(labels, grains, has_grains, i, j, k, low, high, grain_low, grain_high):  # type: ignore[no-untyped-def]
    """Return -1 for a voxel of the low side of an interface, +1 for one of the high side, 0 for third parties."""
    label = labels[i, j, k]
    if has_grains:
        grain = grains[i, j, k]
        return (1.0 if (label == high) & (grain == grain_high) else 0.0) - (
            1.0 if (label == low) & (grain == grain_low) else 0.0
        )
    return (1.0 if label == high else 0.0) - (1.0 if label == low else 0.0)


@kernel
def area_level(labels, grains, has_grains, i, j, k, axis, wraps, inverse_size):  # type: ignore[no-untyped-def]
    """Return the area level of the interface at the face from (i, j, k) along `axis`.

    The normal is the gradient of the Gaussian-smoothed difference between the two sides; voxels of third parties do not
    count. In-plane offsets come in mirror pairs, so a flat interface gives exactly level 1.
    """
    nx, ny, nz = labels.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
    if not wraps[axis] and (i1 < i or j1 < j or k1 < k):
        return 1  # the artificial joint of a non-periodic block is flat
    low, high = labels[i, j, k], labels[i1, j1, k1]
    grain_low = grains[i, j, k] if has_grains else 0
    grain_high = grains[i1, j1, k1] if has_grains else 0
    gx = gy = gz = 0.0
    wx = SHIFTED if axis == 0 else CENTRED
    wy = SHIFTED if axis == 1 else CENTRED
    wz = SHIFTED if axis == 2 else CENTRED
    whole_row = k >= REACH and k + REACH + dk < nz
    for a in range(-REACH, REACH + 1 + di):
        ia = step_index(i + a, nx, wraps[0])
        sheet = sheet_y = sheet_z = 0.0
        for b in range(-REACH, REACH + 1 + dj):
            jb = step_index(j + b, ny, wraps[1])
            row = row_z = 0.0
            if whole_row:
                for c in range(-REACH, REACH + 1 + dk):
                    weight = wz[c + REACH] * side_sign(
                        labels, grains, has_grains, ia, jb, k + c, low, high, grain_low, grain_high
                    )
                    row += weight
                    row_z += weight * (c - 0.5 * dk)
            else:
                for c in range(-REACH, REACH + 1 + dk):
                    kc = step_index(k + c, nz, wraps[2])
                    weight = wz[c + REACH] * side_sign(labels, grains, has_grains, ia, jb, kc, low, high, grain_low, grain_high)
                    row += weight
                    row_z += weight * (c - 0.5 * dk)
            sheet += wy[b + REACH] * row
            sheet_y += wy[b + REACH] * row * (b - 0.5 * dj)
            sheet_z += wy[b + REACH] * row_z
        gx += wx[a + REACH] * sheet * (a - 0.5 * di)
        gy += wx[a + REACH] * sheet_y
        gz += wx[a + REACH] * sheet_z
    gx, gy, gz = abs(gx) * inverse_size[0], abs(gy) * inverse_size[1], abs(gz) * inverse_size[2]
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    if length == 0.0:
        return 1
    share = ((gx + gy + gz) / length - 1.0) / (math.sqrt(3.0) - 1.0)
    return 1 + round(min(max(share, 0.0), 1.0) * (AREA_LEVELS - 1))
