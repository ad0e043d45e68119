"""Sensitivity ranking: which of the numbers varied decides the conductivity, and whether there is a path at all."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cofire.study.reporting.bootstrap import intervals
from cofire.study.reporting.factors import Factor
from cofire.study.reporting.findings import PROCESS_KEY, Findings
from cofire.study.reporting.rank_regression import rank_coefficients
from cofire.study.reporting.variance_shares import analyse_grid, bins_of, main_effect_shares

Floats = NDArray[np.float64]
Shares = Callable[[NDArray[np.intp]], dict[Factor, float]]
"""From numbers of rows to a number for each factor."""
SIGMA, PATH = "ln sigma_eff", "percolates"
FEWEST_FOR_SHARES = 64
"""Points of a sample from which on shares are taken by bins."""
MOST_BINS = 32
SCATTER, HIGHER = "replicas (seed to seed)", "interactions of three and more"
ANOVA, LEVELS, BINS, SRRC = "ANOVA", "main effects", "share by bins", "SRRC"
ALL = "all cases"
COLUMNS = ("response", "among", "carrier", "measure", "term", "kind", "keys", "value", "low_95", "high_95", "n", "explained")


def rank(found: Findings) -> pd.DataFrame:
    """Return how much each factor decides, the largest first within each response, carrier and measure.

    Returns
    -------
    DataFrame
        Columns `response` ("ln sigma_eff", or "percolates" where some cases do and some do not), `among` ("all cases", and each
        process where it is varied beside others: it would outweigh them all), `carrier`, `measure` ("ANOVA", "main effects",
        "share by bins", "SRRC"), `term`, `kind` ("main", "pair", "rest"), `keys`, `value`, `low_95`, `high_95`, `n` (cases),
        `explained` (R squared of the rank regression, else NaN); empty where nothing is varied or nothing differs.
    """
    rows: list[dict[str, Any]] = []
    for among, part in _parts(found):
        for carrier in found.carriers:
            mine = part[part["carrier"] == carrier]
            open_ = mine[mine["percolates"]]
            head = {"among": among, "carrier": carrier}
            sigma = _ranked(open_.assign(answer=np.log(open_["sigma_mS_per_cm"])), found.factors)
            rows += [{**head, "response": SIGMA, "n": len(open_), **row} for row in sigma]
            if 0 < len(open_) < len(mine):
                path = _ranked(mine.assign(answer=mine["percolates"].astype(float)), found.factors)
                rows += [{**head, "response": PATH, "n": len(mine), **row} for row in path]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table["value"].abs().to_numpy(dtype=np.float64)
    groups = table.groupby(["response", "among", "carrier", "measure"], sort=False).ngroup().to_numpy()
    return table.iloc[np.lexsort((-order, groups))].reset_index(drop=True)


def _parts(found: Findings) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of all cases and, where the process is one factor of several, those of each process."""
    parts = [(ALL, found.rows)]
    if len(found.factors) > 1 and any(factor.keys == (PROCESS_KEY,) for factor in found.factors):
        parts += [(str(process), part) for process, part in found.rows.groupby("process", sort=False)]
    return parts


def _ranked(rows: pd.DataFrame, factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """Return the rows of one answer of one carrier."""
    varied = [factor for factor in factors if rows[factor.column].nunique() > 1]
    if not varied or rows["answer"].nunique() < 2:
        return []
    if any(factor.sampled for factor in varied):
        return _of_sample(rows, varied)
    cube = _as_grid(rows, varied)
    return _of_levels(rows, varied) if cube is None else _of_grid(cube, varied)


def _row(
    measure: str, factors: Sequence[Factor], value: float, ends: tuple[float, float], kind: str = "main"
) -> dict[str, Any]:
    term = " × ".join(factor.label for factor in factors)
    keys = [key for factor in factors for key in factor.keys]
    return {"measure": measure, "term": term, "kind": kind, "keys": keys, "value": value, "low_95": ends[0], "high_95": ends[1]}


def _as_grid(rows: pd.DataFrame, factors: Sequence[Factor]) -> Floats | None:
    """Return the answers by levels and seed, NaN where a replica is missing; None where a whole cell is."""
    codes = [pd.Categorical(rows[factor.column], categories=factor.levels(rows)).codes for factor in factors]
    seed_codes, seeds = pd.factorize(rows["seed"], sort=True)
    cube = np.full((*(len(factor.levels(rows)) for factor in factors), len(seeds)), np.nan)
    cube[(*codes, seed_codes)] = rows["answer"]
    return cube if np.isfinite(cube).any(axis=-1).all() else None


def _of_grid(cube: Floats, factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """Return the analysis of variance of a full grid, with intervals over seeds; a factor that changes nothing at all is 0."""
    idle = [axis for axis in range(len(factors)) if (np.nan_to_num(cube) == np.nan_to_num(cube.take([0], axis))).all()]
    still = [_row(ANOVA, [factors[axis]], 0.0, (0.0, 0.0)) for axis in idle]
    cube = cube[tuple(0 if axis in idle else slice(None) for axis in range(cube.ndim))]
    factors = [factor for axis, factor in enumerate(factors) if axis not in idle]
    found = analyse_grid(cube) if factors else None
    if found is None:
        return []
    whole = cube[..., np.isfinite(cube).all(axis=tuple(range(cube.ndim - 1)))]
    seeds = whole.shape[-1]
    means = np.nanmean(cube, axis=-1)[..., None]
    rest = (whole - whole.mean(axis=-1, keepdims=True)) * math.sqrt(seeds / (seeds - 1)) if seeds > 1 else whole

    def again(drawn: NDArray[np.intp]) -> dict[Any, float]:
        other = analyse_grid(means + rest[..., drawn])
        return {} if other is None else {**other.terms, HIGHER: other.higher, SCATTER: other.scatter}

    values: dict[Any, float] = {**found.terms, HIGHER: found.higher, SCATTER: found.scatter}
    ends = intervals(values, seeds, again)
    rows = [
        _row(ANOVA, [factors[i] for i in term], value, ends[term], "main" if len(term) == 1 else "pair")
        for term, value in found.terms.items()
    ]  # fmt: skip
    others = [HIGHER] if len(factors) > 2 else []
    others += [SCATTER] if cube.shape[-1] > 1 else []
    return rows + still + [{**_row(ANOVA, [], values[name], ends[name], "rest"), "term": name} for name in others]


def _of_levels(rows: pd.DataFrame, factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """Return the shares of main effects of a grid with holes, with intervals over seeds."""
    codes = [np.asarray(pd.factorize(rows[factor.column])[0], dtype=np.intp) for factor in factors]
    blocks = np.asarray(pd.factorize(rows["seed"], sort=True)[0], dtype=np.intp)
    answer = rows["answer"].to_numpy(dtype=np.float64)
    places = [np.flatnonzero(blocks == number) for number in range(blocks.max() + 1)]

    def shares(chosen: NDArray[np.intp]) -> dict[Factor, float]:
        found = main_effect_shares(answer[chosen], [code[chosen] for code in codes], blocks[chosen])
        return {factor: value for factor, value in zip(factors, found, strict=True) if math.isfinite(value)}

    values = shares(np.arange(len(answer)))
    ends = intervals(values, len(places), partial(_redrawn, shares, places))
    return [_row(LEVELS, [factor], value, ends[factor]) for factor, value in values.items()]


def _of_sample(rows: pd.DataFrame, factors: Sequence[Factor]) -> list[dict[str, Any]]:
    """Return rank coefficients and, of 64 points and more, shares by bins, with intervals over the points of the sample."""
    sampled = [factor.column for factor in factors if factor.sampled]
    points = rows.groupby(sampled, sort=False).ngroup().to_numpy()
    places = [np.flatnonzero(points == number) for number in range(points.max() + 1)]
    answer = rows["answer"].to_numpy(dtype=np.float64)
    inputs = {factor: column for factor in factors if (column := _as_numbers(rows, factor)) is not None}
    matrix = np.stack(list(inputs.values()), axis=1)

    def coefficients(chosen: NDArray[np.intp]) -> dict[Factor, float]:
        return dict(zip(inputs, rank_coefficients(matrix[chosen], answer[chosen])[0].tolist(), strict=True))

    def shares(chosen: NDArray[np.intp]) -> dict[Factor, float]:
        found = main_effect_shares(answer[chosen], [groups[chosen] for groups in bins.values()], blocks[chosen])
        return dict(zip(bins, found, strict=True))

    out = []
    measures: dict[str, Shares] = {SRRC: coefficients}
    if len(places) >= FEWEST_FOR_SHARES:
        blocks = np.asarray(pd.factorize(rows["seed"])[0], dtype=np.intp)
        count = max(2, min(MOST_BINS, round(math.sqrt(len(places))), 1 + len(places) // (2 * len(sampled))))
        bins = {factor: _groups(rows, factor, count) for factor in factors}
        measures[BINS] = shares
    for measure, compute in measures.items():
        values = {factor: value for factor, value in compute(np.arange(len(answer))).items() if math.isfinite(value)}
        ends = intervals(values, len(places), partial(_redrawn, compute, places), -1.0 if measure == SRRC else 0.0)
        explained = {"explained": rank_coefficients(matrix, answer)[1]} if measure == SRRC else {}
        out += [{**_row(measure, [factor], value, ends[factor]), **explained} for factor, value in values.items()]
    return out


def _redrawn(compute: Shares, places: Sequence[NDArray[np.intp]], drawn: NDArray[np.intp]) -> dict[Factor, float]:
    """Return the numbers of the rows of the seeds or points that were drawn."""
    return compute(np.concatenate([places[number] for number in drawn]))


def _as_numbers(rows: pd.DataFrame, factor: Factor) -> Floats | None:
    """Return the values of a factor as numbers, two texts as 0 and 1; None for more of them."""
    if factor.numeric:
        return rows[factor.column].to_numpy(dtype=np.float64)
    codes, levels = pd.factorize(rows[factor.column])
    return np.asarray(codes, dtype=np.float64) if len(levels) == 2 else None


def _groups(rows: pd.DataFrame, factor: Factor, count: int) -> NDArray[np.intp]:
    """Return the bin of every row, of a sampled factor, or else its level."""
    if factor.sampled:
        return bins_of(rows[factor.column].to_numpy(dtype=np.float64), count)
    return np.asarray(pd.factorize(rows[factor.column])[0], dtype=np.intp)
