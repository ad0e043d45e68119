"""Intervals by profile: how far a parameter may go before the experiment, met as well as it can be, forbids it.

Three parameters answer three measured numbers, so all of them can be met wherever one parameter stands, and its profile is
the image of the targets' own interval. 1/sigma_i is nearly linear in the boundary's resistance R, as if grains and boundaries
stood in series; the share s of the boundary in the dissipation is then 1 - sigma/sigma(R = 0), and its activation energy E
follows from Ea = s E + (1 - s) Ea(rest). Both are corrected by solved points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CLOSE = 2e-3
"""Relative distance to a wanted conductivity at which a bound is found."""
MOST_STEPS = 12
DIRECTIONS = 720


@dataclass(frozen=True)
class Point:
    """A solved point: LATP|LATP resistance [ohm m^2], sigma_i [mS/cm] and the boundary's share of the dissipation."""

    resistance: float
    sigma: float
    share: float


def resistance_at(wanted: float, near: Point, largest: float, solve: Callable[[float], Point]) -> Point:
    """Return the point at which sigma_i is `wanted` [mS/cm], found by secants of 1/sigma over R.

    Parameters
    ----------
    wanted : float
        Conductivity [mS/cm], below `largest`.
    near : Point
        A solved point.
    largest : float
        Conductivity without any resistance [mS/cm].
    solve : callable
        Solves at a resistance.

    Raises
    ------
    ValueError
        If it is not found.
    """
    before, here = Point(0.0, largest, 0.0), near
    for _ in range(MOST_STEPS):
        if abs(here.sigma / wanted - 1.0) < CLOSE:
            return here
        slope = (1.0 / here.sigma - 1.0 / before.sigma) / (here.resistance - before.resistance)
        resistance = here.resistance + (1.0 / wanted - 1.0 / here.sigma) / slope
        if not math.isfinite(resistance) or resistance <= 0.0:
            resistance = 0.5 * min(before.resistance, here.resistance) or 0.5 * here.resistance
        before, here = here, solve(resistance)
    raise ValueError(f"no resistance gives sigma_i = {wanted:g} mS/cm within {MOST_STEPS} steps")


def energy_interval(
    points: list[Point], largest: float, rest_eV: float, sigma: tuple[float, float], energy: tuple[float, float]
) -> tuple[float, float]:
    """Return the interval of the boundary's activation energy [eV]; infinite where it has no say.

    Parameters
    ----------
    points : list of Point
        Solved points with a share above 0.
    largest : float
        sigma_i without any resistance [mS/cm].
    rest_eV : float
        Activation energy of everything but the boundary.
    sigma, energy : pairs of floats
        sigma_i [mS/cm] and Ea(i) [eV], each with half of its interval: the axes of the region that the experiment allows.

    Examples
    --------
    >>> low, high = energy_interval([Point(1e-7, 1.0, 0.5)], 2.0, 0.26, (1.0, 0.1), (0.30, 0.02))
    >>> bool(low < 0.34 < high), energy_interval([Point(1e-7, 1.0, 0.5)], 2.0, 0.26, (1.0, 1.5), (0.30, 0.02))
    (True, (-inf, inf))
    """
    angle = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False)
    at = sigma[0] + sigma[1] * np.cos(angle)
    if at.max() >= largest:
        return -math.inf, math.inf
    known = sorted(points, key=lambda point: point.sigma)
    correction = [point.share / (1.0 - point.sigma / largest) for point in known]
    share = (1.0 - at / largest) * np.interp(at, [point.sigma for point in known], correction)
    own = (energy[0] + energy[1] * np.sin(angle) - (1.0 - share) * rest_eV) / share
    return float(own.min()), float(own.max())
