"""What the steps of a tilted interface block too much, and how the faces in line with them make up for it.

An interface resists what runs across it only, but a face that crosses it resists every current through it, and a tilted
interface is a staircase of such faces: along a plane at 45 degrees one that lets nothing through costs 0.35 s h of
conductance on each side, at any resolution. So what the crossing loses the face before it and the face behind it, in the
same line, gain. With u the resistance of the interface over that of both half cells, the crossing conducts 1 - y of what it
would without interface and each face beside it 1 + b with b = t y / 2. Along the interface 2 b of y are made up for; across
it, three faces in line resist what they should if 1 / (1 - y) = 1 + u + 2 b / (1 + b), a quadratic equation in y. The share
t is 0 on a plane along the grid, where nothing is lost, and 1 from a tilt of 45 degrees on; both are exact.

Between two conductors; the boundary of an insulator stays the plain 7-point network unless asked for (docs/decisions/0008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[Any]
"""Real at direct current, complex at a frequency."""
BLOCKS = 1e12
"""Resistance of an interface, over that of both half cells, from which on nothing crosses it."""


def tilt_share(area_factor: Array) -> Array:
    """Return the share t of what the steps block that is made up for, from |nx| + |ny| + |nz| of the interface.

    Examples
    --------
    >>> tilt_share(np.sqrt([1.0, 4.0 / 3.0, 2.0, 3.0])).round(6).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    return np.minimum(1.0, 2.0 * (1.0 - area_factor**-2.0))


def gain_beside_steps(excess: Numbers, share: Array) -> Numbers:
    """Return b, by how much better the faces beside a crossing conduct.

    Parameters
    ----------
    excess : ndarray
        Resistance of the interface over that of both half cells, u; complex at a frequency: both store energy in electric
        fields alone, so that the argument of their ratio is less than a right angle and the root below is the one it tends to.
    share : ndarray
        `tilt_share` of it.

    Examples
    --------
    >>> gain_beside_steps(np.array([0.0, 1.0, np.inf]), np.array([1.0, 1.0, 0.5])).round(4).tolist()
    [0.0, 0.2965, 0.25]
    """
    half, u = 0.5 * share, np.where(np.abs(excess) < BLOCKS, excess, BLOCKS)
    linear = 1.0 + u - (2.0 + u) * half
    root = linear + np.sqrt(linear**2 + 4.0 * (3.0 + u) * half * u)
    return half * np.divide(2.0 * u, root, out=np.zeros_like(root), where=u != 0.0)
