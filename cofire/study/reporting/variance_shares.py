"""Which share of a variance belongs to which factor: of a full grid, of a grid with holes, and of a sample by bins.

Shares are epsilon squared (T. L. Kelley, PNAS 21, 554, 1935): from each sum of squares is taken what scatter alone would give it, so
that a factor without effect has none left; what falls below 0 is 0. Those of a full grid are scaled to sum to 1 with that of the
scatter; without scatter they are the indices of I. M. Sobol' (Math. Comput. Simul. 55, 271, 2001) of levels taken equally often.

Seeds are blocks: the same seed is used at every point, and what it changes everywhere alike blurs no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Term = tuple[int, ...]
"""Numbers of the factors of an effect: one for a main effect, two for an interaction."""
ALIASED = 1e-10
"""Singular values below this share of the largest belong to columns that others say already."""
NOTHING = 1e-20
"""Sums of squares below this share of the squares themselves are rounding."""


@dataclass(frozen=True)
class Anova:
    """Shares of the variance of a full grid.

    Attributes
    ----------
    terms : dict of Term to float
        Main effects and pair interactions.
    higher, scatter : float
        Interactions of three and more factors, and the scatter between replicas.
    """

    terms: dict[Term, float]
    higher: float
    scatter: float

    @property
    def total(self) -> float:
        """Return the sum of all shares."""
        return sum(self.terms.values()) + self.higher + self.scatter


def analyse_grid(values: Floats) -> Anova | None:
    """Return the shares of the variance of a full grid.

    Parameters
    ----------
    values : ndarray of shape (n_1, ..., n_k, replicas)
        One number a case; NaN where a replica is missing, but never in a whole cell. Cells of unequal numbers are weighted alike.

    Returns
    -------
    Anova or None
        None where nothing varies. With one replica the scatter is not known: interactions of three and more factors stand in for
        it where there are any, else nothing is taken off.

    Examples
    --------
    >>> x, y = np.array([0.0, 1.0]), np.array([0.0, 2.0])
    >>> found = analyse_grid((x[:, None] + y)[..., None])
    >>> {term: round(share, 9) + 0.0 for term, share in found.terms.items()}
    {(0,): 0.2, (1,): 0.8, (0, 1): 0.0}
    """
    cells = np.nanmean(values, axis=-1)
    known = np.isfinite(values).sum(axis=-1)
    each = known.size / float((1.0 / known).sum())
    squares, freedom = _sums_of_squares(cells)
    scatter = float(np.nansum((values - cells[..., None]) ** 2))
    total = each * sum(squares.values()) + scatter
    if total <= NOTHING * float(np.nansum(values**2)):
        return None
    replicated = bool((known > 1).any())
    high = [term for term in squares if len(term) > 2]
    noise = _noise(values)
    if not replicated and high:
        noise = each * sum(squares[term] for term in high) / sum(freedom[term] for term in high)
    left = {term: max(0.0, each * squares[term] - freedom[term] * noise) for term in squares}
    higher = sum(left[term] for term in high) if replicated else each * sum(squares[term] for term in high)
    spread = scatter + noise * sum(freedom.values()) if replicated else 0.0
    whole = sum(left[term] for term in left if len(term) <= 2) + higher + spread
    return Anova({term: share / whole for term, share in left.items() if len(term) <= 2}, higher / whole, spread / whole)


def _noise(values: Floats) -> float:
    """Return the variance between replicas of one cell, less what a seed changes in all cells alike; 0 where it is not known."""
    flat = values.reshape(-1, values.shape[-1])
    whole = flat[:, np.isfinite(flat).all(axis=0)]
    if whole.shape[1] > 1 and len(whole) > 1:
        rest = whole - whole.mean(axis=1, keepdims=True) - whole.mean(axis=0) + whole.mean()
        return float((rest**2).sum()) / ((whole.shape[0] - 1) * (whole.shape[1] - 1))
    freedom = int(np.isfinite(flat).sum()) - len(flat)
    return float(np.nansum((flat - np.nanmean(flat, axis=1, keepdims=True)) ** 2)) / freedom if freedom else 0.0


def _sums_of_squares(cells: Floats) -> tuple[dict[Term, float], dict[Term, int]]:
    """Return sum of squares and degrees of freedom of every effect of a grid with one number a cell."""
    axes = range(cells.ndim)
    effects: dict[Term, Floats] = {(): np.full((1,) * cells.ndim, cells.mean())}
    squares: dict[Term, float] = {}
    freedom: dict[Term, int] = {}
    for order in range(1, cells.ndim + 1):
        for term in combinations(axes, order):
            effect = cells.mean(axis=tuple(axis for axis in axes if axis not in term), keepdims=True)
            for smaller in effects:
                if set(smaller) < set(term):
                    effect = effect - effects[smaller]
            effects[term] = effect
            squares[term] = float((effect**2).sum()) * cells.size / effect.size
            freedom[term] = int(np.prod([cells.shape[axis] - 1 for axis in term]))
    return squares, freedom


def main_effect_shares(values: Floats, factors: Sequence[NDArray[np.intp]], blocks: NDArray[np.intp]) -> list[float]:
    """Return what each factor explains beyond all others (sums of squares of type II), as shares.

    Parameters
    ----------
    values : ndarray of shape (n,)
        One number a case.
    factors : sequence of ndarray of shape (n,)
        Number of the level of each factor, or of the bin.
    blocks : ndarray of shape (n,)
        Number of the seed.

    Returns
    -------
    list of float
        NaN where there are too few cases, or nothing varies.

    Examples
    --------
    >>> x, y = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0])
    >>> found = main_effect_shares(np.array([1.0, 1.1, 2.0, 2.1, 3.0]), [x, y], np.zeros(5, dtype=np.intp))
    >>> [share > 0.9 for share in found]
    [True, False]
    """
    middle = values - values.mean()
    total = float((middle**2).sum())
    codes = [*factors, blocks]
    matrix = np.hstack([(code[:, None] == np.unique(code)).astype(np.float64) for code in codes])
    owner = np.repeat(np.arange(len(codes)), [len(np.unique(code)) for code in codes])
    products, answers = matrix.T @ matrix, matrix.T @ middle
    explained, used = _explained(products, answers)
    if total <= NOTHING * float((values**2).sum()) or len(values) <= used:
        return [float("nan")] * len(factors)
    noise = max(0.0, total - explained) / (len(values) - used)
    out = []
    for number in range(len(factors)):
        left = np.flatnonzero(owner != number)
        without, fewer = _explained(products[np.ix_(left, left)], answers[left])
        out.append(max(0.0, (explained - without - (used - fewer) * noise) / total))
    return out


def _explained(products: Floats, answers: Floats) -> tuple[float, int]:
    """Return the squares that a linear model explains, and how many numbers it has, from its normal equations."""
    found, _, rank, _ = np.linalg.lstsq(products, answers, rcond=ALIASED)
    return float(found @ answers), int(rank)


def bins_of(numbers: Sequence[float] | Floats, count: int) -> NDArray[np.intp]:
    """Return the number of the bin of every value, each bin with as many values as the others; equal values share a bin.

    Examples
    --------
    >>> bins_of([5.0, 1.0, 3.0, 9.0], 2).tolist()
    [1, 0, 0, 1]
    """
    ordered = np.sort(np.asarray(numbers, dtype=np.float64))
    first = np.searchsorted(ordered, numbers, side="left")
    return np.asarray(first * count // len(ordered), dtype=np.intp)
