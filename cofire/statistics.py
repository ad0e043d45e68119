"""Means over seeds and what is known of them: standard error and the interval of Student's t."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy.special import stdtrit


def student_95(n: int) -> float:
    """Return how many standard errors of a mean of `n` values, 2 or more, half of its interval of 95 % has.

    Examples
    --------
    >>> round(student_95(3), 2)
    4.3
    """
    return float(stdtrit(n - 1, 0.975))


def mean_with_error(values: Iterable[float]) -> tuple[float, float, float]:
    """Return mean, standard error and half of the interval of 95 %; NaN for the latter two from one value.

    Examples
    --------
    >>> [round(number, 3) for number in mean_with_error([1.0, 2.0, 3.0])]
    [2.0, 0.577, 2.484]
    """
    known = np.array(list(values), dtype=np.float64)
    n = len(known)
    error = float(known.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan
    return (float(known.mean()) if n else math.nan), error, (student_95(n) * error if n > 1 else math.nan)
