"""Pack spheres of many sizes into a periodic box until they touch without overlapping.

Harmonic soft spheres started at random are relaxed by FIRE (Bitzek et al. 2006). Below random close packing the overlaps
vanish; the packing that is left is a quench of a random one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from microstructures.errors import InputError
from microstructures.jit import kernel

OVERLAP_TOLERANCE = 1e-3
"""Largest overlap left, as a share of the mean diameter."""
MAX_STEPS = 20_000


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


def pack_spheres(radius: NDArray[np.float64], rng: np.random.Generator) -> Packing:
    """Pack spheres into the periodic unit box.

    Parameters
    ----------
    radius : ndarray of shape (n,)
        Radii in units of the box edge.
    rng : Generator
        Where the random start comes from.

    Raises
    ------
    InputError
        If the box is too small for its particles, or the overlaps do not vanish; the message says what to change.
    """
    skin = min(0.3 * radius.mean(), 0.499 - 2.0 * radius.max())  # half a box: a pair then has one nearest image
    if skin < 0.02 * radius.mean():
        raise InputError(
            f"the box is only {0.5 / radius.max():.2f} times as wide as the largest particle; allowed: 2.05 or more; "
            "use a larger size_um or smaller particles"
        )
    reach = 2.0 * radius.max() + skin
    centre = rng.random((len(radius), 3))
    velocity = np.zeros_like(centre)
    state = np.array([0.1, 0.1, 0.0])  # time step, mixing, downhill steps
    unit = 2.0 * radius.mean()
    overlap = np.inf
    steps = 0
    while steps < MAX_STEPS:
        pairs = cKDTree(centre, boxsize=np.ones(3)).query_pairs(reach, output_type="ndarray")
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        done, overlap = _relax(centre, radius, velocity, pairs, state, 0.5 * skin, OVERLAP_TOLERANCE * unit, 500)
        centre %= 1.0
        steps += done
        if overlap <= OVERLAP_TOLERANCE * unit:
            return Packing(centre, radius, float(overlap / unit))
    density = 4.0 / 3.0 * np.pi * (radius**3).sum()
    raise InputError(
        f"relative density {density:.3f} cannot be packed without overlaps (largest left: {overlap / unit:.1%} of a "
        "diameter); use at most about 0.62, or a wider size distribution"
    )


@kernel
def _relax(centre, radius, velocity, pairs, state, move_limit, tolerance, max_steps):  # type: ignore[no-untyped-def]
    """Take FIRE steps until nothing overlaps, or particles have moved so far that the pairs must be found again."""
    n = len(radius)
    force = np.zeros((n, 3))
    start = centre.copy()
    cap = 0.1 * radius.mean()
    largest = 0.0
    for step in range(max_steps):
        force[:] = 0.0
        largest = 0.0
        for p in range(len(pairs)):
            i, j = pairs[p, 0], pairs[p, 1]
            dx = centre[i, 0] - centre[j, 0]
            dy = centre[i, 1] - centre[j, 1]
            dz = centre[i, 2] - centre[j, 2]
            dx, dy, dz = dx - np.round(dx), dy - np.round(dy), dz - np.round(dz)
            touch = radius[i] + radius[j]
            d2 = dx * dx + dy * dy + dz * dz
            if d2 < touch * touch:
                d = np.sqrt(d2) + 1e-300
                overlap = touch - d
                largest = max(largest, overlap)
                push = overlap / d
                force[i, 0] += push * dx
                force[i, 1] += push * dy
                force[i, 2] += push * dz
                force[j, 0] -= push * dx
                force[j, 1] -= push * dy
                force[j, 2] -= push * dz
        if largest <= tolerance:
            return step, largest
        power = (force * velocity).sum()
        if power > 0.0:
            strength, speed = np.sqrt((force * force).sum()), np.sqrt((velocity * velocity).sum())
            velocity *= 1.0 - state[1]
            if strength > 0.0:
                velocity += state[1] * speed / strength * force
            state[2] += 1.0
            if state[2] > 5.0:
                state[0] = min(1.1 * state[0], 0.6)
                state[1] *= 0.99
        else:
            velocity[:] = 0.0
            state[0], state[1], state[2] = max(0.5 * state[0], 0.02), 0.1, 0.0
        velocity += state[0] * force
        longest = state[0] * np.sqrt((velocity * velocity).sum(axis=1).max())
        centre += velocity * (state[0] if longest <= cap else state[0] * cap / longest)
        moved = centre - start
        if (moved * moved).sum(axis=1).max() > move_limit * move_limit:
            return step + 1, max(largest, 2.0 * tolerance)
    return max_steps, max(largest, 2.0 * tolerance)
