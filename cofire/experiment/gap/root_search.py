"""Where a monotone, dear and perhaps broken function crosses zero: few calls, steps in logarithms, no path is infinite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

MOST_CALLS = 24
LONGEST_STEP = 3.0
NARROWEST = 1e-3
"""Width of a bracket below which a function that still jumps over zero is given up; logarithms are meant."""


@dataclass(frozen=True)
class Found:
    """Where the search ended.

    Attributes
    ----------
    x : float
        The root; where there is none, the point of the smallest distance to zero among the finite ones.
    value : float
        What the function is there.
    slope : float
        Its slope nearby; 0 if only one finite point is known.
    reached : bool
        Whether the value lies within the tolerance.
    calls : int
        How often the function was called.
    """

    x: float
    value: float
    slope: float
    reached: bool
    calls: int


def find_root(
    function: Callable[[float], float], start: float, lowest: float, highest: float, *, slope: float, within: float
) -> Found:
    """Find x with abs(function(x)) <= within; secants between limits, halves where the function is infinite.

    Parameters
    ----------
    function : callable
        Monotone; may be infinite beyond some x, and NaN, which ends the search.
    start, lowest, highest : float
        Where to start, and the limits of x.
    slope : float
        A guess of the slope for the first step; its sign must be right.
    within : float
        Largest distance to zero.

    Examples
    --------
    >>> round(find_root(lambda x: x**3 - 8.0, 1.0, 0.0, 10.0, slope=3.0, within=1e-4).x, 4)
    2.0
    """
    seen: list[tuple[float, float]] = []
    x = start
    while len(seen) < MOST_CALLS:
        seen.append((x, function(x)))
        if math.isnan(seen[-1][1]) or abs(seen[-1][1]) <= within:
            break
        step = _next(seen, slope, lowest, highest)
        if step is None:
            break
        x = step
    finite = [point for point in seen if math.isfinite(point[1])] or seen[:1]
    best = min(finite, key=lambda point: abs(point[1]))
    others = [point for point in finite if point[0] != best[0]]
    near = min(others, key=lambda point: abs(point[0] - best[0]), default=None)
    local = 0.0 if near is None else (near[1] - best[1]) / (near[0] - best[0])
    return Found(best[0], best[1], local, abs(best[1]) <= within, len(seen))


def _next(seen: list[tuple[float, float]], slope: float, lowest: float, highest: float) -> float | None:
    """Return where to look next, or None if there is nowhere to look."""
    below = [point for point in seen if point[1] < 0.0]
    above = [point for point in seen if point[1] > 0.0]
    if below and above:
        low = min(below, key=lambda point: -point[1])
        high = min(above, key=lambda point: (point[1], abs(point[0] - low[0])))
        width = high[0] - low[0]
        if abs(width) < NARROWEST:
            return None
        if not math.isfinite(high[1]):
            return low[0] + 0.5 * width
        (x, value), (before, earlier) = sorted((p for p in seen if math.isfinite(p[1])), key=lambda p: abs(p[1]))[:2]
        guess = x - value * (x - before) / (value - earlier) if value != earlier else math.nan
        if 1e-9 < (guess - low[0]) / width < 1.0 - 1e-9:
            return guess
        return low[0] + width * min(max(low[1] / (low[1] - high[1]), 0.05), 0.95)
    x, value = min(seen, key=lambda point: abs(point[1]))
    if not math.isfinite(value):
        return None
    finite = sorted((point for point in seen if math.isfinite(point[1])), key=lambda point: abs(point[1]))
    if len(finite) > 1 and (finite[0][1] - finite[1][1]) / (finite[0][0] - finite[1][0]) * slope > 0.0:
        slope = (finite[0][1] - finite[1][1]) / (finite[0][0] - finite[1][0])
    step = min(max(-1.1 * value / slope, -LONGEST_STEP), LONGEST_STEP)
    reached = min(max(x + step, lowest), highest)
    return None if any(reached == point[0] for point in seen) else reached
