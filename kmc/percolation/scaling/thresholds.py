"""Percolation thresholds by finite-size extrapolation: random sites or bonds on a cubic lattice.

A finite box spans at a share that scatters, and whose mean drifts with its edge L as
p(L) = p_c + a L^(-1/nu), nu = 0.876 in three dimensions (Stauffer, Aharony, Introduction to Percolation Theory, 1994). Each
sample here fills one random order of sites or bonds until a cluster first joins both plates (union-find, as Newman and
Ziff, Phys. Rev. E 64, 016706, 2001), so a sample gives a threshold, not a yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kmc.percolation.clusters.phase_clusters import NEIGHBOURS
from microstructures.errors import InputError
from microstructures.jit import kernel

CORRELATION_LENGTH_EXPONENT = 0.876
"""nu of percolation in three dimensions."""
ELEMENTS = ("site", "bond")


@dataclass(frozen=True)
class Line:
    """A straight line through points with errors.

    Attributes
    ----------
    value, stderr : float
        What was asked for and its standard error: a threshold, or an exponent.
    other, other_stderr : float
        The second number of the line: the drift `a` of a threshold, or the logarithm of the prefactor of a power law.
    """

    value: float
    stderr: float
    other: float
    other_stderr: float


def spanning_thresholds(
    length: int, *, samples: int, seed: int, element: str = "site", neighbours: int = 6
) -> NDArray[np.float64]:
    """Return the share of sites or bonds at which a cluster first joins two opposite faces of a cube.

    Parameters
    ----------
    length : int
        Edge of the cube [sites]; its other faces are open.
    samples : int
        Number of independent samples.
    seed : int
        Seed of the random orders.
    element : "site" or "bond"
        What is filled at random.
    neighbours : 6, 18 or 26
        Which sites touch, or are joined by bonds.

    Returns
    -------
    ndarray of shape (samples,)
        Threshold of each sample.

    Raises
    ------
    InputError
        If a choice is not allowed.

    Examples
    --------
    >>> found = spanning_thresholds(8, samples=50, seed=1)
    >>> bool(abs(found.mean() - 0.33) < 0.03)
    True
    """
    if element not in ELEMENTS or neighbours not in NEIGHBOURS:
        raise InputError(f"element '{element}', neighbours {neighbours}; allowed: site or bond, 6, 18 or 26")
    if length < 1 or samples < 1:
        raise InputError(f"length is {length}, samples is {samples}; allowed: 1 and above")
    steps = np.array([step for step in product((-1, 0, 1), repeat=3) if 0 < np.abs(step).sum() <= NEIGHBOURS[neighbours]])
    rng = np.random.default_rng(seed)
    found = np.empty(samples)
    if element == "site":
        for n in range(samples):
            found[n] = _fill_sites(rng.permutation(length**3), steps, length) / length**3
        return found
    bonds = _bonds(length, steps[len(steps) // 2 :])
    for n in range(samples):
        found[n] = _fill_bonds(rng.permutation(len(bonds)), bonds, length) / max(len(bonds), 1)
    return found


def extrapolate_threshold(
    lengths: Sequence[int] | NDArray[np.int64],
    thresholds: ArrayLike,
    stderr: ArrayLike,
    *,
    nu: float = CORRELATION_LENGTH_EXPONENT,
) -> Line:
    """Extrapolate the mean thresholds of finite cubes to infinite size by p(L) = p_c + a L^(-1/nu).

    Parameters
    ----------
    lengths : sequence of int, at least 2
        Edges.
    thresholds, stderr : array of the same length
        Mean threshold at each length and its standard error.
    nu : float
        Exponent of the correlation length.

    Returns
    -------
    Line
        `value` is p_c, `other` the drift a.

    Examples
    --------
    >>> lengths = np.array([16, 32, 64])
    >>> round(extrapolate_threshold(lengths, 0.3116 + 0.3 * lengths ** (-1 / 0.876), [1e-3] * 3).value, 6)
    0.3116
    """
    return fit_line(np.asarray(lengths, dtype=float) ** (-1.0 / nu), np.asarray(thresholds, dtype=float), np.asarray(stderr))


def fit_line(x: NDArray[np.float64], y: NDArray[np.float64], error: NDArray[np.float64], *, known_errors: bool = True) -> Line:
    """Return the weighted least-squares line: `value` its intercept, `other` its slope.

    Errors that are only relative to each other are scaled by the scatter about the line (NaN for two points).

    Raises
    ------
    InputError
        If there are fewer than two points, or not as many of each.
    """
    if not len(x) == len(y) == len(error) >= 2:
        raise InputError(f"{len(x)} points, {len(y)} values, {len(error)} errors; allowed: at least 2, as many of each")
    design = np.column_stack((np.ones(len(x)), x)) / error[:, None]
    solution, *_ = np.linalg.lstsq(design, y / error, rcond=None)
    covariance = np.linalg.inv(design.T @ design)
    if not known_errors:
        rest = y / error - design @ solution
        covariance = covariance * float(rest @ rest) / (len(x) - 2) if len(x) > 2 else np.full((2, 2), np.nan)
    a, b = np.sqrt(np.diag(covariance))
    return Line(float(solution[0]), float(a), float(solution[1]), float(b))


def _bonds(length: int, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return both ends of every bond of a cube, shape (n, 2)."""
    place = np.stack(np.unravel_index(np.arange(length**3), (length,) * 3), axis=1)
    ends = []
    for step in steps:
        there = place + step
        inside = ((there >= 0) & (there < length)).all(axis=1)
        ends.append(np.column_stack((np.flatnonzero(inside), np.ravel_multi_index(tuple(there[inside].T), (length,) * 3))))
    return np.concatenate(ends).astype(np.int64)


@kernel
def _root(parent, n):  # type: ignore[no-untyped-def]
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n


@kernel
def _join(parent, size, a, b):  # type: ignore[no-untyped-def]
    a, b = _root(parent, a), _root(parent, b)
    if a != b:
        if size[a] < size[b]:
            a, b = b, a
        parent[b] = a
        size[a] += size[b]


@kernel
def _fill_sites(order, steps, length):  # type: ignore[no-untyped-def]
    """Return how many sites were filled when the first cluster joined both ends of axis 0."""
    n = length**3
    low, high = n, n + 1
    parent, size = np.arange(n + 2), np.ones(n + 2, dtype=np.int64)
    filled = np.zeros(n, dtype=np.bool_)
    for count in range(n):
        site = order[count]
        filled[site] = True
        i, j, k = site // (length * length), (site // length) % length, site % length
        for s in range(len(steps)):
            i1, j1, k1 = i + steps[s, 0], j + steps[s, 1], k + steps[s, 2]
            if i1 < 0 or j1 < 0 or k1 < 0 or i1 >= length or j1 >= length or k1 >= length:
                continue
            other = (i1 * length + j1) * length + k1
            if filled[other]:
                _join(parent, size, site, other)
        if i == 0:
            _join(parent, size, site, low)
        if i == length - 1:
            _join(parent, size, site, high)
        if _root(parent, low) == _root(parent, high):
            return count + 1
    return n


@kernel
def _fill_bonds(order, bonds, length):  # type: ignore[no-untyped-def]
    """Return how many bonds were filled when the first cluster joined both ends of axis 0."""
    n, layer = length**3, length * length
    low, high = n, n + 1
    parent, size = np.arange(n + 2), np.ones(n + 2, dtype=np.int64)
    for site in range(layer):
        _join(parent, size, site, low)
        _join(parent, size, n - 1 - site, high)
    for count in range(len(order)):
        _join(parent, size, bonds[order[count], 0], bonds[order[count], 1])
        if _root(parent, low) == _root(parent, high):
            return count + 1
    return len(order)
