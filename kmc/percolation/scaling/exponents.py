"""The exponent t of the conductivity above a percolation threshold, from its rise and from its size at the threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kmc.percolation.scaling.thresholds import CORRELATION_LENGTH_EXPONENT, Line, fit_line
from microstructures.errors import InputError


def conductivity_exponent(
    share: ArrayLike, sigma_S_per_m: ArrayLike, threshold: float, *, rel_stderr: ArrayLike | None = None
) -> Line:
    """Fit the exponent t of sigma ~ (p - p_c)^t above a threshold; t = 2.0 on lattices in three dimensions.

    Parameters
    ----------
    share : array of shape (n,), n >= 2
        Shares p above the threshold. Close to it the box must be many correlation lengths |p - p_c|^(-nu) wide.
    sigma_S_per_m : array of shape (n,)
        Mean conductivities, above 0.
    threshold : float
        p_c.
    rel_stderr : array of shape (n,), optional
        Relative standard errors; all equal unless given.

    Returns
    -------
    Line
        `value` is t, `other` ln of the prefactor.

    Raises
    ------
    InputError
        If a share is not above the threshold or a conductivity not above 0. Leave out what does not percolate, and say so.

    Examples
    --------
    >>> p = np.array([0.35, 0.4, 0.5])
    >>> round(conductivity_exponent(p, 3.0 * (p - 0.3116) ** 2, 0.3116).value, 6)
    2.0
    """
    p, sigma = np.asarray(share, dtype=float), np.asarray(sigma_S_per_m, dtype=float)
    if not ((p > threshold).all() and (sigma > 0.0).all()):
        raise InputError("a share is not above the threshold, or a conductivity not above 0; leave these points out")
    error = np.full(len(p), 1.0) if rel_stderr is None else np.asarray(rel_stderr, dtype=float)
    line = fit_line(np.log(p - threshold), np.log(sigma), error, known_errors=rel_stderr is not None)
    return Line(line.other, line.other_stderr, line.value, line.stderr)


def finite_size_exponent(
    lengths: Sequence[int] | NDArray[np.int64],
    sigma_S_per_m: ArrayLike,
    rel_stderr: ArrayLike,
    *,
    nu: float = CORRELATION_LENGTH_EXPONENT,
) -> Line:
    """Fit t from sigma ~ L^(-t/nu), the mean conductivity of cubes of edge L right at the threshold.

    Corrections to scaling are not separated: compare boundaries and ranges of L before quoting the result.

    Parameters
    ----------
    lengths : sequence of int, at least 2
        Edges.
    sigma_S_per_m : array of the same length
        Mean conductivity at each edge; cubes that do not percolate count as 0 and must not be left out.
    rel_stderr : array of the same length
        Relative standard errors of the means.
    nu : float
        Exponent of the correlation length.

    Returns
    -------
    Line
        `value` is t, `other` ln of the prefactor.

    Raises
    ------
    InputError
        If a mean is not above 0.

    Examples
    --------
    >>> lengths = np.array([8, 16, 32])
    >>> round(finite_size_exponent(lengths, 3.0 * lengths ** (-2.0 / 0.876), [0.1] * 3).value, 6)
    2.0
    """
    sigma = np.asarray(sigma_S_per_m, dtype=float)
    if not (sigma > 0.0).all():
        raise InputError("a mean conductivity is not above 0; average over more samples")
    line = fit_line(np.log(np.asarray(lengths, dtype=float)), np.log(sigma), np.asarray(rel_stderr, dtype=float))
    return Line(-nu * line.other, nu * line.other_stderr, line.value, line.stderr)
