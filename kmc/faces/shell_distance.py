"""Which reaction layer a voxel lies near, and how far it is from the plane where the layer's two grains meet."""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.listed_pairs import pair_index
from kmc.faces.surface_reading import REACH, WINDOW, exactly_flat, read_share, smooth
from kmc.faces.tiles import any_near, extend, gather, over_tiles, tile_box
from microstructures.jit import inline_kernel, kernel, parallel_kernel
from microstructures.voxels.interface_normals import SMOOTHING

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


def nearest_pair(side, grains, keys, touches, reach, steps, wraps):  # type: ignore[no-untyped-def]
    """Return the listed pair whose other grain comes nearest to each voxel, and whether its plane is near enough to be read.

    -1 where there is none within the pair's own `reach` into the donor (row 0) or the host (row 1).
    """
    pair = np.full(side.shape, -1, dtype=np.int32)
    close = np.zeros(side.shape, dtype=np.bool_)
    over_tiles(
        lambda first, last: _nearest_in_tiles(first, last, side, grains, keys, touches, reach, steps, wraps, pair, close),
        side.shape,
    )
    return pair, close


@kernel
def _nearest_in_tiles(first, last, side, grains, keys, touches, reach, steps, wraps, pair, close):  # type: ignore[no-untyped-def]
    for tile in range(first, last):
        _nearest_in_tile(tile_box(tile, side.shape), side, grains, keys, touches, reach, steps, wraps, pair, close)


@kernel
def _nearest_in_tile(box, side, grains, keys, touches, reach, steps, wraps, pair, close):  # type: ignore[no-untyped-def]
    rim = np.abs(steps).max() if len(steps) > 0 else 0
    touch = gather(touches, box, rim, wraps)
    if not touch.any():
        return
    shape = box[3:] - box[:3]
    farthest = np.array([reach[0].max() ** 2, reach[1].max() ** 2])
    beyond_donor = any_near(touch > 0, min(rim, np.int64(reach[0].max())), shape)
    beyond_host = any_near(touch < 0, min(rim, np.int64(reach[1].max())), shape)
    grain = gather(grains, box, rim, wraps).ravel()
    offsets, flat = _offsets(steps, touch.shape), touch.ravel()
    for x in range(shape[0]):
        for y in range(shape[1]):
            for z in range(shape[2]):
                i, j, k = box[0] + x, box[1] + y, box[2] + z
                here = side[i, j, k]
                if here == 0 or not (beyond_donor[x, y, z] if here < 0 else beyond_host[x, y, z]):
                    continue
                end = 0 if here < 0 else 1
                at = ((x + rim) * touch.shape[1] + y + rim) * touch.shape[2] + z + rim
                for n in range(len(steps)):
                    there = at + offsets[n]
                    if flat[there] != -here:
                        continue
                    far = steps[n, 0] ** 2 + steps[n, 1] ** 2 + steps[n, 2] ** 2
                    if far > farthest[end]:
                        break
                    found = _pair_of(keys, here, grain[at], grain[there])
                    if found >= 0:
                        if far <= reach[end, found] ** 2:
                            pair[i, j, k] = found
                            close[i, j, k] = far <= (NEAR + 1.0) ** 2
                        break


@kernel
def _offsets(steps, shape):  # type: ignore[no-untyped-def]
    """Return the steps as offsets in a flat box."""
    return (steps[:, 0] * shape[1] + steps[:, 1]) * shape[2] + steps[:, 2]


@inline_kernel
def _pair_of(keys, here, own, other):  # type: ignore[no-untyped-def]
    """Return the pair of a voxel on the side `here` and one of the other side, or -1 if it is not listed."""
    return pair_index(keys, own, other) if here < 0 else pair_index(keys, other, own)


@inline_kernel
def rounded(distance, i, j, k):  # type: ignore[no-untyped-def]
    """Return a distance in whole steps, rounded up in as many voxels as its fraction says.

    Planes at a simple angle to the grid have few distances; rounded to the nearest step all would be off alike. The
    thresholds are spread evenly over neighbours by an additive recurrence (Roberts' R3).
    """
    threshold = (i * 0.8191725133961645 + j * 0.6710436067037893 + k * 0.5497004779019703) % 1.0
    return math.floor(distance * STEPS + threshold)


def read_distances(side, close, touches, wraps):  # type: ignore[no-untyped-def]
    """Return the distance [voxels] of each voxel near a layer from its plane, positive in the host.

    The host's share of the smoothed donor and host phases grows like a normal distribution across the plane. On a curved
    plane its quantile is off by the variance of the window times the mean curvature, so the reading is extrapolated from
    two windows to none. Voxels that are not `close` get a distance beyond any reading.
    """
    out = np.full(side.shape, 1e6, dtype=np.float32)
    over_tiles(lambda first, last: _read_tiles(first, last, side, close, touches, wraps, out), side.shape)
    return out


@kernel
def _read_tiles(first, last, side, close, touches, wraps, out):  # type: ignore[no-untyped-def]
    for tile in range(first, last):
        _read_tile(tile_box(tile, side.shape), side, close, touches, wraps, out)


@kernel
def _read_tile(tile, side, close, touches, wraps, out):  # type: ignore[no-untyped-def]
    """Read the voxels of one tile that are close."""
    box = tile.copy()
    box[:3], box[3:] = tile[3:], 0
    for x in range(tile[0], tile[3]):
        for y in range(tile[1], tile[4]):
            for z in range(tile[2], tile[5]):
                if close[x, y, z] or touches[x, y, z] != 0:
                    extend(box, x, y, z)
    if box[3] == 0:
        return
    sx, sy, sz = box[3:] - box[:3]
    parts = gather(side, box, REACH, wraps)
    wide, narrow = np.empty((2, sx, sy, sz)), np.empty((2, sx, sy, sz))
    for end in range(2):
        smooth(parts, 2 * end - 1, WINDOW, wide[end])
        smooth(parts, 2 * end - 1, NARROW_WINDOW, narrow[end])
    for x in range(box[0], box[3]):
        for y in range(box[1], box[4]):
            for z in range(box[2], box[5]):
                if close[x, y, z] or touches[x, y, z] != 0:
                    a, b, c = x - box[0], y - box[1], z - box[2]
                    out[x, y, z] = side[x, y, z] * _read(wide[:, a, b, c], narrow[:, a, b, c], side[x, y, z])


@kernel
def _read(wide, narrow, here):  # type: ignore[no-untyped-def]
    """Return the distance of a voxel on the side `here` from the weights of donor and host in the two windows."""
    read = read_share(wide[1] / (wide[0] + wide[1]), SMOOTHING)
    flat = exactly_flat(abs(read))
    if flat >= 0.0:
        return flat
    return max(here * (2.0 * read_share(narrow[1] / (narrow[0] + narrow[1]), NARROW) - read), SMALLEST)


def complete_distances(  # type: ignore[no-untyped-def]
    side, grains, keys, pair, touches, read, steps, wraps
):
    """Return the distances in steps, with those that are too far to be read found from the voxels of the contact.

    A voxel v lies |v - w| - |u_w| from the plane if w, at the distance u_w beyond it, is straight across, and less
    otherwise: the least of it is the distance (|v - w| + |u_w| for voxels w on its own side). Voxels beyond the rim of the
    contact get the pair -1. The third array is the axis of the normal where the plane lies exactly along the grid, else 3.
    """
    out = np.zeros(side.shape, dtype=np.int16)
    kept = np.full(side.shape, -1, dtype=np.int32)
    normal = np.full(side.shape, 3, dtype=np.int8)
    over_tiles(
        lambda first, last: _complete_tiles(
            first, last, side, grains, keys, pair, touches, read, steps, wraps, out, kept, normal
        ),
        side.shape,
    )
    return out, kept, normal


@kernel
def _complete_tiles(  # type: ignore[no-untyped-def]
    first, last, side, grains, keys, pair, touches, read, steps, wraps, out, kept, normal
):
    for tile in range(first, last):
        box = tile_box(tile, side.shape)
        _complete_tile(box, side, grains, keys, pair, touches, read, steps, wraps, out, kept, normal)


@kernel
def _complete_tile(  # type: ignore[no-untyped-def]
    box, side, grains, keys, pair, touches, read, steps, wraps, out, kept, normal
):
    if pair[box[0] : box[3], box[1] : box[4], box[2] : box[5]].max() < 0:
        return
    rim = np.abs(steps).max()
    touch = gather(touches, box, rim, wraps)
    offsets, flat = _offsets(steps, touch.shape), touch.ravel()
    lengths = np.sqrt((steps**2).sum(axis=1).astype(np.float64))
    grain, own_pair = gather(grains, box, rim, wraps).ravel(), gather(pair, box, rim, wraps).ravel()
    distance = np.abs(gather(read, box, rim, wraps)).ravel()
    for i in range(box[0], box[3]):
        for j in range(box[1], box[4]):
            for k in range(box[2], box[5]):
                found = pair[i, j, k]
                if found < 0:
                    continue
                here = side[i, j, k]
                least = opposite = 1e9
                nearest = 0
                at = ((i - box[0] + rim) * touch.shape[1] + j - box[1] + rim) * touch.shape[2] + k - box[2] + rim
                for n in range(len(steps)):
                    length = lengths[n]
                    if length - 1.0 > opposite:
                        break
                    there = at + offsets[n]
                    if flat[there] == 0:
                        continue
                    if flat[there] == here:
                        if own_pair[there] == found:
                            least = min(least, length + distance[there])
                    elif length - distance[there] < opposite and _pair_of(keys, here, grain[at], grain[there]) >= 0:
                        opposite = length - distance[there]
                        nearest = n
                least = min(least, opposite)
                far = distance[at]
                if opposite - far > RIM and far <= NEAR:
                    continue
                kept[i, j, k] = found
                far = np.float64(far) if far <= NEAR else least
                out[i, j, k] = here * rounded(far, i, j, k)
                for axis in range(3):
                    if far % 1.0 == 0.5 and steps[nearest, axis] ** 2 == (steps[nearest] ** 2).sum():
                        normal[i, j, k] = axis
