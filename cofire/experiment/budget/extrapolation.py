"""What voxels of no size would give, from a few sizes.

With f(h) = f0 + C h^p, f0 is extrapolated (Richardson, Phil. Trans. R. Soc. A 210, 307, 1911) from two sizes with p = 1
(surfaces of voxels are staircases), or with the p that three of them show. f0 - f(h) is the error; 3 times it (two sizes) or
1.25 times (three) is the interval: the grid convergence index of Roache (J. Fluids Eng. 116, 405, 1994).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.optimize import brentq

FIRST_ORDER, SAFETY_TWO, SAFETY_THREE = 1.0, 3.0, 1.25
LOWEST_ORDER, HIGHEST_ORDER = 0.5, 4.0


@dataclass(frozen=True)
class Extrapolation:
    """What voxels of no size would add, the order assumed or seen, the factor of safety, and a note."""

    shift: float
    order: float
    safety: float
    note: str


def extrapolate(values: Mapping[float, float]) -> Extrapolation:
    """Extrapolate f(h) = f0 + C h^p to h = 0 and return f0 - f(finest).

    Parameters
    ----------
    values : mapping of voxel size to value
        Two sizes (first order is assumed) or more, of which the three finest are used. Where these go one way without an
        order between 0.5 and 4, the two finest count alone; where they go up and down, the largest difference of any two.

    Examples
    --------
    >>> found = extrapolate({25.0: 1.0 + 0.0625, 50.0: 1.25, 100.0: 2.0})
    >>> round(found.shift, 6), round(found.order, 6), found.safety
    (-0.0625, 2.0, 1.25)
    """
    sizes = sorted(values)[:3]
    f = [values[h] for h in sizes]
    linear = (f[0] - f[1]) / (sizes[1] / sizes[0] - 1.0)
    if len(sizes) == 2:
        return Extrapolation(linear, FIRST_ORDER, SAFETY_TWO, "first order assumed")
    first, second = f[1] - f[0], f[2] - f[1]

    def misfit(order: float) -> float:
        powers = [(h / sizes[0]) ** order for h in sizes]
        return first * (powers[2] - powers[1]) - second * (powers[1] - powers[0])

    if first * second <= 0.0:
        worst = max(f) - min(f)
        return Extrapolation(math.copysign(worst, -first), math.nan, SAFETY_THREE, "up and down; largest difference taken")
    if misfit(LOWEST_ORDER) * misfit(HIGHEST_ORDER) < 0.0:
        order = float(brentq(misfit, LOWEST_ORDER, HIGHEST_ORDER))
        shift = -first / ((sizes[1] / sizes[0]) ** order - 1.0)
        return Extrapolation(shift, order, SAFETY_THREE, f"order {order:.1f} seen")
    return Extrapolation(linear, FIRST_ORDER, SAFETY_TWO, "no order seen, first assumed of the two finest")
