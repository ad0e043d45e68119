"""Intervals by drawing the data anew (B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K")
DRAWS = 400
FEWEST_UNITS = 3
"""Seeds or points from which on there is an interval."""
SEED = 20_221_006


def intervals(
    estimate: Mapping[K, float],
    units: int,
    again: Callable[[NDArray[np.intp]], Mapping[K, float]],
    lowest: float = 0.0,
) -> dict[K, tuple[float, float]]:
    """Return an interval of 95 % for each of several numbers.

    The spread of the numbers drawn is laid around the estimate: drawing points twice shifts shares a little, and this takes the
    shift out.

    Parameters
    ----------
    estimate : mapping
        The numbers.
    units : int
        How many seeds or points there are.
    again : callable
        Gets the numbers of the units drawn, with repetition, and returns the numbers of that sample.

    lowest : float
        Smallest possible number; the largest is 1.

    Returns
    -------
    dict
        Lower and upper end; NaN from fewer than 3 units.
    """
    if units < FEWEST_UNITS or not estimate:
        return dict.fromkeys(estimate, (math.nan, math.nan))
    rng = np.random.default_rng(SEED)
    drawn = [again(rng.integers(0, units, units)) for _ in range(DRAWS)]
    out = {}
    for key, value in estimate.items():
        found = np.array([one.get(key, math.nan) for one in drawn])
        found = found[np.isfinite(found)]
        if len(found) < DRAWS // 2 or not math.isfinite(value):
            out[key] = (math.nan, math.nan)
            continue
        low, high = np.percentile(found, (2.5, 97.5)) - np.median(found)
        out[key] = (max(lowest, value + float(low)), min(1.0, value + float(high)))
    return out
