"""Pack spheres of many sizes into a periodic box until they touch without overlapping.

Harmonic soft spheres are relaxed by FIRE (Bitzek et al. 2006). Below random close packing the overlaps vanish; the packing
that is left is a quench of its start. Sums run over fixed blocks of particles, so that any number of threads gives the
same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.jit import kernel, parallel_kernel, threads_for
from microstructures.pressing.neighbours import nearest_image, neighbour_lists, reading_order

OVERLAP_TOLERANCE = 1e-3
"""Largest overlap left, as a share of the mean diameter."""
MAX_STEPS = 20_000
COMPACTION_STEP = 0.01
JAMMED_DENSITY = 0.72
"""Spheres pushed into each other as far as this are jammed, whatever their sizes up to some spread."""
BLOCK = 256
"""Particles whose sums are taken together; not a number of threads."""
SPHERES_PER_THREAD = 2000
SKIN = 0.8
"""Neighbours are listed up to this share of the mean radius beyond touching."""


@dataclass(frozen=True)
class Packing:
    """Centres and radii in a periodic box of edge 1.

    Attributes
    ----------
    centre : ndarray of shape (n, 3)
        Centres, 0 <= x < 1.
    radius : ndarray of shape (n,)
        Radii.
    largest_overlap : float
        Largest overlap left, as a share of the mean diameter.
    """

    centre: NDArray[np.float64]
    radius: NDArray[np.float64]
    largest_overlap: float


def pack_spheres(radius: NDArray[np.float64], start: NDArray[np.float64]) -> Packing:
    """Pack spheres into the periodic unit box.

    Parameters
    ----------
    radius : ndarray of shape (n,)
        Radii in units of the box edge.
    start : ndarray of shape (n, 3)
        Centres to start from, 0 <= x < 1; they may overlap in any way.

    Raises
    ------
    InputError
        If the box is too small for its particles, or the overlaps do not vanish; the message says what can be packed.
    """
    if radius.max() * 2.05 > 0.5:  # a pair must have one nearest image
        raise InputError(
            f"the box is only {0.5 / radius.max():.2f} times as wide as the largest particle; allowed: 2.05 or more; "
            "use a larger size_um or smaller particles"
        )
    centre, overlap = _relaxed(start, radius, MAX_STEPS // 4)
    unit = 2.0 * radius.mean()
    if overlap <= OVERLAP_TOLERANCE * unit:
        return Packing(centre, radius, float(overlap / unit))
    density = 4.0 / 3.0 * np.pi * float((radius**3).sum())
    centre, overlap, reached = _compacted(start, radius, density)
    if reached < density:
        raise InputError(
            f"relative density {density:.3f} cannot be packed without overlaps; these particles reached {reached:.3f}; "
            "use less than that, or a wider size distribution"
        )
    return Packing(centre, radius, float(overlap / unit))


def _compacted(
    start: NDArray[np.float64], radius: NDArray[np.float64], density: float
) -> tuple[NDArray[np.float64], float, float]:
    """Compact particles as far as `density`: jam them, shrink them until they fit, let them grow in ever smaller steps.

    The way does not depend on the density wanted, only its end does. Returns centres, largest overlap, density reached.
    """
    unit = radius * (JAMMED_DENSITY / density) ** (1.0 / 3.0)
    goal = (density / JAMMED_DENSITY) ** (1.0 / 3.0)
    centre, _ = _relaxed(start, unit, MAX_STEPS // 10)
    scale, step = 1.0, COMPACTION_STEP
    fits: tuple[NDArray[np.float64], float] | None = None
    while fits is None:
        scale *= 1.0 - step
        fits = _fitted(centre, unit * scale)
    while scale < goal and step > COMPACTION_STEP / 16.0:
        found = _fitted(fits[0], unit * scale * (1.0 + step))
        if found is None:
            step *= 0.5
        else:
            fits, scale = found, scale * (1.0 + step)
    if scale >= goal:
        fits = _fitted(fits[0], radius) or fits
    return *fits, density if scale >= goal else JAMMED_DENSITY * scale**3


def _fitted(centre: NDArray[np.float64], radius: NDArray[np.float64]) -> tuple[NDArray[np.float64], float] | None:
    """Return centres without overlaps and the largest overlap left, or None if there are none nearby."""
    relaxed, overlap = _relaxed(centre, radius, MAX_STEPS // 10)
    return (relaxed, overlap) if overlap <= OVERLAP_TOLERANCE * 2.0 * radius.mean() else None


def _relaxed(start: NDArray[np.float64], radius: NDArray[np.float64], max_steps: int) -> tuple[NDArray[np.float64], float]:
    """Return the centres after relaxation, and the largest overlap left."""
    with threads_for(len(radius), SPHERES_PER_THREAD):
        return _relax_in_rounds(start, radius, max_steps)


def _relax_in_rounds(
    start: NDArray[np.float64], radius: NDArray[np.float64], max_steps: int
) -> tuple[NDArray[np.float64], float]:
    skin = SKIN * radius.mean()
    tolerance = OVERLAP_TOLERANCE * 2.0 * radius.mean()
    order = np.arange(len(radius))
    centre = start % 1.0
    velocity = np.zeros_like(centre)
    state = np.array([0.1, 0.1, 0.0])  # time step, mixing, downhill steps
    steps, overlap = 0, np.inf
    while steps < max_steps:
        nearby = reading_order(centre, radius)
        order, centre, velocity = order[nearby], centre[nearby], velocity[nearby]
        first, other = neighbour_lists(centre, radius[order], skin)
        done, overlap = _relax(
            centre, radius[order], velocity, first, other, state, 0.1 * radius.mean(), 0.5 * skin, tolerance, 500
        )
        centre %= 1.0
        steps += done
        if overlap <= tolerance:
            break
    out = np.empty_like(centre)
    out[order] = centre
    return out, float(overlap)


@kernel
def _total(sums, column):  # type: ignore[no-untyped-def]
    """Add up a column in the order of its rows; `sum` inside a parallel kernel would add in the order of its threads."""
    total = 0.0
    for row in range(len(sums)):
        total += sums[row, column]
    return total


@kernel
def _most(sums, column):  # type: ignore[no-untyped-def]
    most = 0.0
    for row in range(len(sums)):
        most = max(most, sums[row, column])
    return most


@parallel_kernel
def _relax(centre, radius, velocity, first, other, state, cap, move_limit, tolerance, max_steps):  # type: ignore[no-untyped-def]
    """Take FIRE steps until nothing overlaps, or particles have moved so far that neighbours must be found again."""
    n = len(radius)
    blocks = (n + BLOCK - 1) // BLOCK
    force = np.zeros((n, 3))
    start = centre.copy()
    sums = np.zeros((blocks, 16))
    largest = 0.0
    for step in range(max_steps):
        for block in prange(blocks):
            deepest, power, strength, speed = 0.0, 0.0, 0.0, 0.0
            for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                x, y, z, r = centre[i, 0], centre[i, 1], centre[i, 2], radius[i]
                fx, fy, fz = 0.0, 0.0, 0.0
                for p in range(first[i], first[i + 1]):
                    j = other[p]
                    dx, dy, dz = x - centre[j, 0], y - centre[j, 1], z - centre[j, 2]
                    dx, dy, dz = nearest_image(dx), nearest_image(dy), nearest_image(dz)
                    touch = r + radius[j]
                    d2 = dx * dx + dy * dy + dz * dz
                    if d2 < touch * touch:
                        d = np.sqrt(d2) + 1e-300
                        overlap = touch - d
                        deepest = max(deepest, overlap)
                        push = overlap / d
                        fx, fy, fz = fx + push * dx, fy + push * dy, fz + push * dz
                force[i, 0], force[i, 1], force[i, 2] = fx, fy, fz
                power += fx * velocity[i, 0] + fy * velocity[i, 1] + fz * velocity[i, 2]
                strength += fx * fx + fy * fy + fz * fz
                speed += velocity[i, 0] ** 2 + velocity[i, 1] ** 2 + velocity[i, 2] ** 2
            sums[block, 0], sums[block, 1], sums[block, 2], sums[block, 3] = deepest, power, strength, speed
        largest = _most(sums, 0)
        if largest <= tolerance:
            return step, largest
        power, strength, speed = _total(sums, 1), np.sqrt(_total(sums, 2)), np.sqrt(_total(sums, 3))
        keep, gain = 0.0, 0.0
        if power > 0.0:
            keep = 1.0 - state[1]
            gain = state[1] * speed / strength if strength > 0.0 else 0.0
            state[2] += 1.0
            if state[2] > 5.0:
                state[0] = min(1.1 * state[0], 0.6)
                state[1] *= 0.99
        else:
            state[0], state[1], state[2] = max(0.5 * state[0], 0.02), 0.1, 0.0
        gain += state[0]
        for block in prange(blocks):
            fastest = 0.0
            for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                for axis in range(3):
                    velocity[i, axis] = keep * velocity[i, axis] + gain * force[i, axis]
                fastest = max(fastest, velocity[i, 0] ** 2 + velocity[i, 1] ** 2 + velocity[i, 2] ** 2)
            sums[block, 0] = fastest
        longest = state[0] * np.sqrt(_most(sums, 0))
        stride = state[0] if longest <= cap else state[0] * cap / longest
        for block in prange(blocks):
            farthest = 0.0
            for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
                moved = 0.0
                for axis in range(3):
                    centre[i, axis] += stride * velocity[i, axis]
                    moved += (centre[i, axis] - start[i, axis]) ** 2
                farthest = max(farthest, moved)
            sums[block, 0] = farthest
        if _most(sums, 0) > move_limit * move_limit:
            return step + 1, max(largest, 2.0 * tolerance)
    return max_steps, max(largest, 2.0 * tolerance)
