"""Which reaction layer a voxel lies near, and how far it is from the plane where the layer's two grains meet."""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.film_window import EXACTLY_FLAT, REACH, READ, TRUE, WINDOW, normal_quantile
from kmc.faces.listed_pairs import pair_index
from microstructures.jit import inline_kernel, kernel, parallel_kernel
from microstructures.voxels.interface_normals import SMOOTHING, step_index

NARROW = SMOOTHING / math.sqrt(2.0)
_OFFSETS = np.arange(-REACH, REACH + 1)
NARROW_WINDOW = np.exp(-0.5 * (_OFFSETS / NARROW) ** 2)
"""A second window of half the variance: what curvature adds to a reading is in proportion to the variance."""
NEAR = 1.75
"""Distance [voxels] up to which it is read from the smoothed phases; beyond, from the nearest voxels of the other side."""
RIM = 0.5
"""Detour [voxels] beyond which a voxel lies outside the rim of the contact, not above it."""
STEPS = 8
"""Steps to a voxel of the distance from the plane."""
SMALLEST = 0.0625
"""A voxel lies at least this far [voxels] on its own side of the plane."""


def ball(reach: float) -> NDArray[np.int64]:
    """Return the steps to all voxels within `reach`, nearest first, shape (n, 3)."""
    side = math.floor(reach)
    steps = np.stack(np.meshgrid(*(np.arange(-side, side + 1),) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    far = (steps**2).sum(axis=1)
    keep = (far > 0) & (far <= reach * reach)
    order = np.lexsort((*steps[keep].T, far[keep]))
    return np.ascontiguousarray(steps[keep][order], dtype=np.int64)


@parallel_kernel
def mark_contacts(side, grains, keys, wraps):  # type: ignore[no-untyped-def]
    """Return the side of voxels that share a face with the other grain of a listed pair, and the pairs' faces by plane of x.

    `side` is -1 in the donor, +1 in the host, 0 elsewhere.
    """
    nx, ny, nz = side.shape
    touches = np.zeros((nx, ny, nz), dtype=np.int8)
    count = np.zeros((nx, len(keys)), dtype=np.int64)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                here = side[i, j, k]
                if here == 0:
                    continue
                for step in range(6):
                    axis = step // 2
                    by = 1 - 2 * (step % 2)
                    x = np.int64(i) + (by if axis == 0 else 0)
                    y, z = j + (by if axis == 1 else 0), k + (by if axis == 2 else 0)
                    if not wraps[axis] and (x < 0 or y < 0 or z < 0 or x >= nx or y >= ny or z >= nz):
                        continue
                    x, y, z = x % nx, y % ny, z % nz
                    if side[x, y, z] != -here:
                        continue
                    if here < 0:
                        pair = pair_index(keys, grains[i, j, k], grains[x, y, z])
                    else:
                        pair = pair_index(keys, grains[x, y, z], grains[i, j, k])
                    if pair >= 0:
                        touches[i, j, k] = here
                        if here < 0:
                            count[i, pair] += 1
    return touches, count


@parallel_kernel
def nearest_pair(side, grains, keys, touches, reach, steps, wraps):  # type: ignore[no-untyped-def]
    """Return the listed pair whose other grain comes nearest to each voxel, and whether its plane is near enough to be read.

    -1 where there is none within the pair's own `reach` into the donor (row 0) or the host (row 1).
    """
    nx, ny, nz = side.shape
    pair = np.full((nx, ny, nz), -1, dtype=np.int32)
    close = np.zeros((nx, ny, nz), dtype=np.bool_)
    farthest = np.array([reach[0].max() ** 2, reach[1].max() ** 2])
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                here = side[i, j, k]
                if here == 0:
                    continue
                end = 0 if here < 0 else 1
                longest = farthest[end]
                for n in range(len(steps)):
                    far = steps[n, 0] ** 2 + steps[n, 1] ** 2 + steps[n, 2] ** 2
                    if far > longest:
                        break
                    x, y, z = np.int64(i) + steps[n, 0], j + steps[n, 1], k + steps[n, 2]
                    if x < 0 or y < 0 or z < 0 or x >= nx or y >= ny or z >= nz:
                        x, y, z = step_inside(x, nx, wraps[0]), step_inside(y, ny, wraps[1]), step_inside(z, nz, wraps[2])
                        if x < 0 or y < 0 or z < 0:
                            continue
                    if touches[x, y, z] != -here:
                        continue
                    if here < 0:
                        found = pair_index(keys, grains[i, j, k], grains[x, y, z])
                    else:
                        found = pair_index(keys, grains[x, y, z], grains[i, j, k])
                    if found >= 0:
                        if far <= reach[end, found] ** 2:
                            pair[i, j, k] = found
                            close[i, j, k] = far <= (NEAR + 1.0) ** 2
                        break
    return pair, close


@inline_kernel
def rounded(distance, i, j, k):  # type: ignore[no-untyped-def]
    """Return a distance in whole steps, rounded up in as many voxels as its fraction says.

    Planes at a simple angle to the grid have few distances; rounded to the nearest step all would be off alike. The
    thresholds are spread evenly over neighbours by an additive recurrence (Roberts' R3).
    """
    threshold = (i * 0.8191725133961645 + j * 0.6710436067037893 + k * 0.5497004779019703) % 1.0
    return math.floor(distance * STEPS + threshold)


@inline_kernel
def step_inside(index, n, wraps):  # type: ignore[no-untyped-def]
    """Return a voxel index in 0..n-1, wrapped where the structure is periodic, or -1 outside."""
    if 0 <= index < n:
        return index
    return index % n if wraps else -1


@parallel_kernel
def read_distances(side, close, touches, wraps):  # type: ignore[no-untyped-def]
    """Return the distance [voxels] of each voxel near a layer from its plane, positive in the host.

    The host's share of the smoothed donor and host phases grows like a normal distribution across the plane. On a curved
    plane its quantile is off by the variance of the window times the mean curvature, so the reading is extrapolated from
    two windows to none. Voxels that are not `close` get a distance beyond any reading.
    """
    nx, ny, nz = side.shape
    out = np.full((nx, ny, nz), 1e6, dtype=np.float32)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                if close[i, j, k] or touches[i, j, k] != 0:
                    out[i, j, k] = _read(side, wraps, np.int64(i), j, k)
    return out


@kernel
def _read(side, wraps, i, j, k):  # type: ignore[no-untyped-def]
    nx, ny, nz = side.shape
    donor = host = narrow_donor = narrow_host = 0.0
    for a in range(-REACH, REACH + 1):
        x = step_index(i + a, nx, wraps[0])
        for b in range(-REACH, REACH + 1):
            y = step_index(j + b, ny, wraps[1])
            wide = WINDOW[a + REACH] * WINDOW[b + REACH]
            narrow = NARROW_WINDOW[a + REACH] * NARROW_WINDOW[b + REACH]
            for c in range(-REACH, REACH + 1):
                there = side[x, y, step_index(k + c, nz, wraps[2])]
                if there > 0:
                    host += wide * WINDOW[c + REACH]
                    narrow_host += narrow * NARROW_WINDOW[c + REACH]
                elif there < 0:
                    donor += wide * WINDOW[c + REACH]
                    narrow_donor += narrow * NARROW_WINDOW[c + REACH]
    here = side[i, j, k]
    share = min(max(host / (host + donor), 1e-6), 1.0 - 1e-6)
    read = SMOOTHING * normal_quantile(share)
    far = abs(read)
    for n in range(len(READ)):
        if abs(far - READ[n]) < EXACTLY_FLAT:
            return here * TRUE[n]
    share = min(max(narrow_host / (narrow_host + narrow_donor), 1e-6), 1.0 - 1e-6)
    return here * max(here * (2.0 * NARROW * normal_quantile(share) - read), SMALLEST)


@parallel_kernel
def complete_distances(  # type: ignore[no-untyped-def]
    side, grains, keys, pair, touches, read, steps, wraps
):
    """Return the distances in steps, with those that are too far to be read found from the voxels of the contact.

    A voxel v lies |v - w| - |u_w| from the plane if w, at the distance u_w beyond it, is straight across, and less
    otherwise: the least of it is the distance (|v - w| + |u_w| for voxels w on its own side). Voxels beyond the rim of the
    contact get the pair -1. The third array is the axis of the normal where the plane lies exactly along the grid, else 3.
    """
    nx, ny, nz = side.shape
    out = np.zeros((nx, ny, nz), dtype=np.int16)
    kept = np.full((nx, ny, nz), -1, dtype=np.int32)
    normal = np.full((nx, ny, nz), 3, dtype=np.int8)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                found = pair[i, j, k]
                if found < 0:
                    continue
                here = side[i, j, k]
                least = opposite = 1e9
                nearest = 0
                for n in range(len(steps)):
                    length = math.sqrt(float(steps[n, 0] ** 2 + steps[n, 1] ** 2 + steps[n, 2] ** 2))
                    if length - 1.0 > opposite:
                        break
                    x, y, z = np.int64(i) + steps[n, 0], j + steps[n, 1], k + steps[n, 2]
                    if x < 0 or y < 0 or z < 0 or x >= nx or y >= ny or z >= nz:
                        x, y, z = step_inside(x, nx, wraps[0]), step_inside(y, ny, wraps[1]), step_inside(z, nz, wraps[2])
                        if x < 0 or y < 0 or z < 0:
                            continue
                    if touches[x, y, z] == 0:
                        continue
                    if side[x, y, z] == here:
                        if pair[x, y, z] == found:
                            least = min(least, length + abs(read[x, y, z]))
                        continue
                    if here < 0:
                        same = pair_index(keys, grains[i, j, k], grains[x, y, z])
                    else:
                        same = pair_index(keys, grains[x, y, z], grains[i, j, k])
                    if same >= 0 and length - abs(read[x, y, z]) < opposite:
                        opposite = length - abs(read[x, y, z])
                        nearest = n
                least = min(least, opposite)
                far = abs(read[i, j, k])
                if opposite - far > RIM and far <= NEAR:
                    continue
                kept[i, j, k] = found
                far = far if far <= NEAR else least
                out[i, j, k] = here * rounded(far, np.int64(i), j, k)
                for axis in range(3):
                    if far % 1.0 == 0.5 and steps[nearest, axis] ** 2 == (steps[nearest] ** 2).sum():
                        normal[i, j, k] = axis
    return out, kept, normal
