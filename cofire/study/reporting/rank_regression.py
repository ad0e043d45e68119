"""Standardised rank regression coefficients of a sample (R. L. Iman and W. J. Conover, Technometrics 21, 499, 1979)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]


def rank_coefficients(inputs: Floats, values: Floats) -> tuple[Floats, float]:
    """Return how strongly the rank of a value follows the rank of each input, and the share of the variance of ranks explained.

    Parameters
    ----------
    inputs : ndarray of shape (n, k)
        A row a case.
    values : ndarray of shape (n,)
        Their answers; equal ones, as zeros are, share a rank.

    Returns
    -------
    tuple
        Coefficients between -1 and 1 for independent inputs, NaN where there are fewer than two cases more than inputs, or nothing
        varies; and R squared: below about 0.7 they tell little, since the answer is then no monotone sum.

    Examples
    --------
    >>> x = np.array([[1.0, 1.0], [2.0, 3.0], [3.0, 2.0], [4.0, 1.5], [5.0, 2.5]])
    >>> found, explained = rank_coefficients(x, x[:, 0] ** 3)
    >>> (found + 1e-12).round(6).tolist(), round(explained, 6)
    ([1.0, 0.0], 1.0)
    """
    count, many = inputs.shape
    ranks, answer = rankdata(inputs, axis=0), rankdata(values)
    if count < many + 3 or not answer.std() or not ranks.std(axis=0).all():
        return np.full(many, np.nan), float("nan")
    standard = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    answer = (answer - answer.mean()) / answer.std()
    found = np.linalg.lstsq(standard, answer, rcond=None)[0]
    return found, float(1.0 - ((answer - standard @ found) ** 2).mean())
