"""Where particles start before they are packed: anywhere, or clumped in agglomerates of one powder."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.recipe import Powder
from microstructures.units import NM, UM

Floats = NDArray[np.float64]


def scatter(
    powders: Mapping[str, Powder], radii: Mapping[str, Floats], density: float, edge: float, rng: np.random.Generator
) -> Floats:
    """Return centres in the periodic box of edge 1 for the particles of all powders, one powder after the other.

    Agglomerates are spheres, packed first, whose own density is that of the body; their powder's particles start inside,
    and all others outside as far as there is room.

    Parameters
    ----------
    powders : mapping
        The powders.
    radii : mapping of str to ndarray
        Radii of each powder's particles, in units of the box edge.
    density : float
        Relative density of the body.
    edge : float
        Edge of the box [m].
    rng : Generator
        Where the positions come from.

    Raises
    ------
    InputError
        If an agglomerate is wider than half the box, or smaller than a particle.
    """
    clumps = {name: _clumps(powder, radii[name], density, edge, rng) for name, powder in powders.items()}
    middle = np.concatenate([np.empty((0, 3)), *(clump for clump, _ in clumps.values())])
    wide = np.concatenate([np.empty(0), *(np.full(len(clump), r) for clump, r in clumps.values())])
    out = []
    for name, powder in powders.items():
        n = len(radii[name])
        inside = rng.random(n) < (powder.agglomerates.share if powder.agglomerates else 0.0)
        centre = _outside(n, middle, wide, rng)
        clump, r = clumps[name]
        if len(clump):
            direction = rng.standard_normal((n, 3))
            direction /= np.linalg.norm(direction, axis=1)[:, None]
            depth = r * rng.random((n, 1)) ** (1.0 / 3.0)
            centre[inside] = (clump[rng.integers(len(clump), size=n)] + depth * direction)[inside] % 1.0
        out.append(centre)
    return np.concatenate(out)


def _clumps(powder: Powder, radius: Floats, density: float, edge: float, rng: np.random.Generator) -> tuple[Floats, float]:
    """Return the middles and the radius of a powder's agglomerates, in units of the box edge."""
    if powder.agglomerates is None:
        return np.empty((0, 3)), 0.0
    r = 0.5 * powder.agglomerates.diameter_nm * NM / edge
    if not 2.0 * radius.max() < 2.0 * r < 0.5:
        raise InputError(
            f"agglomerates of {powder.agglomerates.diameter_nm:g} nm in a box of {edge / UM:g} um, of particles up to "
            f"{2.0 * radius.max() * edge / NM:.3g} nm; allowed: wider than a particle, narrower than half the box"
        )
    solid = powder.agglomerates.share * 4.0 / 3.0 * np.pi * float((radius**3).sum())
    count = max(1, round(solid / density / (4.0 / 3.0 * np.pi * r**3)))
    return _apart(count, r, rng), r


def _apart(count: int, r: float, rng: np.random.Generator) -> Floats:
    """Draw positions, each of which is the farthest from the earlier ones among a few tries."""
    middle = rng.random((1, 3))
    while len(middle) < count:
        tries = rng.random((64, 3))
        link = tries[:, None] - middle
        nearest = np.linalg.norm(link - np.round(link), axis=2).min(axis=1)
        far = np.flatnonzero(nearest >= 2.0 * r)
        middle = np.concatenate([middle, tries[far[:1] if len(far) else [int(nearest.argmax())]]])
    return middle


def _outside(n: int, middle: Floats, wide: Floats, rng: np.random.Generator, rounds: int = 50) -> Floats:
    """Draw positions outside all agglomerates; what has not found one after some rounds stays where it is."""
    centre = rng.random((n, 3))
    if not len(middle):
        return centre
    for _ in range(rounds):
        link = centre[:, None] - middle
        bad = (np.linalg.norm(link - np.round(link), axis=2) < wide).any(axis=1)
        if not bad.any():
            break
        centre[bad] = rng.random((int(bad.sum()), 3))
    return centre
