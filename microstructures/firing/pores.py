"""Choose which voxels of a densified body stay pores: the places farthest outside the particles that grew into grains.

Pores of a sintered body sit where three or more grains meet. Their surface is that of a soft minimum of the distances to
the particles, so that it is rounded over a given length where two grains meet; inside a grain that grew from several
particles there are none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import in_threads, kernel
from microstructures.voxels.rasterize import BLOCK, bins

Floats = NDArray[np.float64]

WITHIN_GRAIN = 0.5
"""A voxel farther from any other grain than from its own, by this share of its particle's radius, is no pore."""
MOST_NEARBY = 2048
REACH = 1.0
"""Particles up to this many mean radii beyond the nearest are looked at."""


def open_pores(
    grains: NDArray[np.int32],
    centre: Floats,
    radius: Floats,
    grain_of_particle: NDArray[np.int32],
    porosity: float,
    rounding: float,
) -> None:
    """Set the grain of the given share of voxels to 0, in place: those that lie farthest outside.

    Parameters
    ----------
    grains : ndarray of shape (nx, ny, nz), int32
        Particle (index + 1) whose cell every voxel belongs to, in a periodic box.
    centre, radius : ndarrays of shape (n, 3) and (n,)
        The particles [voxels].
    grain_of_particle : ndarray of shape (n,), int32
        Which particles are one grain.
    porosity : float
        Share of all voxels.
    rounding : float
        Length [voxels] over which pore surfaces are rounded.
    """
    count = round(porosity * grains.size)
    if count == 0:
        return
    size = np.array(grains.shape, dtype=np.float64)
    inside = np.ascontiguousarray(centre % size)
    cells, begin, members = bins(inside, grains.shape)
    outside: NDArray[np.float32] = np.empty(grains.shape, dtype=np.float32)
    in_threads(
        lambda first, last: _outside(
            first, last, grains, inside, radius, grain_of_particle, max(rounding, 1e-3), cells, begin, members, outside
        ),
        -(-grains.shape[0] // BLOCK),
    )
    limit = _largest(outside, count)
    grains[outside > limit] = 0
    tied = np.flatnonzero(outside.ravel() == limit)
    grains.ravel()[tied[: max(0, count - int((outside > limit).sum()))]] = 0


def _largest(values: NDArray[np.float32], count: int) -> np.float32:
    """Return the value that the `count` largest ones reach, without sorting more than those in question."""
    edges = np.linspace(float(values.min()), float(values.max()) + 1e-6, 4097)
    above = np.cumsum(np.histogram(values, bins=edges)[0][::-1])[::-1]
    at = int(np.searchsorted(-above, -count, side="right")) - 1
    low, high = edges[at], edges[at + 1]
    between = np.sort(values[(values >= low) & (values < high)])
    beyond = int((values >= high).sum())
    return np.float32(between[len(between) - (count - beyond)])


@kernel
def _outside(first, last, grains, centre, radius, grain, rounding, cells, begin, members, out):  # type: ignore[no-untyped-def]
    """Write how far each voxel of some planes of blocks lies outside the particles (negative inside), rounded."""
    for plane in range(first, last):
        _plane(plane, grains, centre, radius, grain, rounding, cells, begin, members, out)


@kernel
def _plane(plane, grains, centre, radius, grain, rounding, cells, begin, members, out):  # type: ignore[no-untyped-def]
    size = np.array([float(grains.shape[0]), float(grains.shape[1]), float(grains.shape[2])])
    near, shift = np.empty(MOST_NEARBY, dtype=np.int32), np.empty((MOST_NEARBY, 3))
    half = 0.5 * np.sqrt(3.0) * (BLOCK - 1)
    mean, largest = radius.mean(), radius.max()
    middle = np.empty(3)
    i0, i1 = plane * BLOCK, min(grains.shape[0], (plane + 1) * BLOCK)
    for j0 in range(0, grains.shape[1], BLOCK):
        j1 = min(grains.shape[1], j0 + BLOCK)
        for k0 in range(0, grains.shape[2], BLOCK):
            k1 = min(grains.shape[2], k0 + BLOCK)
            middle[0], middle[1], middle[2] = 0.5 * (i0 + i1), 0.5 * (j0 + j1), 0.5 * (k0 + k1)
            count = _nearby(middle, half + REACH * mean, size, centre, radius, largest, cells, begin, members, near, shift)
            for i in range(i0, i1):
                for j in range(j0, j1):
                    for k in range(k0, k1):
                        p = grains[i, j, k] - 1
                        own = _gap(i, j, k, centre[p, 0], centre[p, 1], centre[p, 2], radius[p], size)
                        if own <= -2.0 * rounding:
                            out[i, j, k] = own
                            continue
                        soft, other = 1.0, np.inf
                        for m in range(count):
                            q = near[m]
                            if q == p:
                                continue
                            x, y, z = i + 0.5 - shift[m, 0], j + 0.5 - shift[m, 1], k + 0.5 - shift[m, 2]
                            gap = np.sqrt(x * x + y * y + z * z) - radius[q]
                            soft += np.exp(-min(max((gap - own) / rounding, -50.0), 50.0))
                            if grain[q] != grain[p]:
                                other = min(other, gap)
                        value = own - rounding * np.log(soft)
                        if other - own > WITHIN_GRAIN * radius[p]:
                            value = min(value, -2.0 * rounding)
                        out[i, j, k] = value


@kernel
def _gap(i, j, k, x, y, z, r, size):  # type: ignore[no-untyped-def]
    dx, dy, dz = i + 0.5 - x, j + 0.5 - y, k + 0.5 - z
    dx -= size[0] * np.round(dx / size[0])
    dy -= size[1] * np.round(dy / size[1])
    dz -= size[2] * np.round(dz / size[2])
    return np.sqrt(dx * dx + dy * dy + dz * dz) - r


@kernel
def _nearby(middle, reach, size, centre, radius, largest, cells, begin, members, near, shift):  # type: ignore[no-untyped-def]
    """List particles whose surface comes within `reach` of `middle`, each once, as the image nearest to it."""
    count = 0
    span, low, high = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    for axis in range(3):
        span[axis] = int(np.ceil((reach + largest) / size[axis] * cells[axis]))
        at = int(middle[axis] / size[axis] * cells[axis])
        whole = 2 * span[axis] + 1 >= cells[axis]
        low[axis], high[axis] = (0, cells[axis]) if whole else (at - span[axis], at + span[axis] + 1)
    for a in range(low[0], high[0]):
        for b in range(low[1], high[1]):
            for c in range(low[2], high[2]):
                cell = (a % cells[0] * cells[1] + b % cells[1]) * cells[2] + c % cells[2]
                for m in range(begin[cell], begin[cell + 1]):
                    p = members[m]
                    d2 = 0.0
                    for axis in range(3):
                        x = centre[p, axis] + size[axis] * np.round((middle[axis] - centre[p, axis]) / size[axis])
                        if count < len(near):
                            shift[count, axis] = x
                        d2 += (x - middle[axis]) ** 2
                    if d2 < (reach + radius[p]) ** 2 and count < len(near):
                        near[count] = p
                        count += 1
    return count
