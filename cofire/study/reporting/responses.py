"""How a conductivity answers to one of the numbers varied: means over replicas with intervals of 95 %, and paired ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cofire.building import PROCESSES
from cofire.statistics import mean_with_error, student_95
from cofire.study.reporting.factors import Factor
from cofire.study.reporting.findings import PROCESS_KEY, Findings
from cofire.study.reporting.labels import value_label
from cofire.study.reporting.variance_shares import bins_of

MOST_CURVES, MOST_PANELS = 6, 5
"""Curves in a panel and panels side by side; what does not fit is averaged over."""
POINTS_A_BIN, MOST_BINS = 8, 12
"""Of a sample, whose mean is drawn by bins."""


@dataclass(frozen=True)
class Arrangement:
    """How the other factors of a figure are told apart.

    Attributes
    ----------
    curves, panels, averaged : tuple of Factor
        By colour and marker, by panels side by side (one factor at most), and not at all.
    """

    curves: tuple[Factor, ...]
    panels: tuple[Factor, ...]
    averaged: tuple[Factor, ...]


def arrange(others: Sequence[Factor], rows: pd.DataFrame) -> Arrangement:
    """Return how to tell other factors apart: processes side by side, at most 6 curves a panel, 5 panels, the rest averaged."""
    panels = [factor for factor in others if factor.keys == (PROCESS_KEY,)]
    left = [factor for factor in others if not factor.sampled and factor not in panels]
    averaged = [factor for factor in others if factor.sampled]
    curves: list[Factor] = []
    count = 1
    for factor in left:
        levels = len(factor.levels(rows))
        if count * levels <= MOST_CURVES:
            curves.append(factor)
            count *= levels
        elif not panels and levels <= MOST_PANELS:
            panels.append(factor)
        else:
            averaged.append(factor)
    return Arrangement(tuple(curves), tuple(panels), tuple(averaged))


def response(rows: pd.DataFrame, x: Factor, shown: Arrangement, value: str) -> pd.DataFrame:
    """Return the curve points of one figure.

    Parameters
    ----------
    rows : DataFrame
        One row a case and carrier.
    x : Factor
        What the answer is drawn against.
    shown : Arrangement
        How other factors are told apart.
    value : str
        Column of the answer.

    Returns
    -------
    DataFrame
        Columns `x`, `panel`, `series`, `carrier`, `mean`, `low_95`, `high_95`, `n` (replicas, or points of a bin), `share` (of cases
        with a path). Averages over other factors are taken within each seed, so that the interval is that of seeds; of a sample,
        `x` is the mean of a bin and the interval is over its points.
    """
    known = rows[np.isfinite(rows[value].astype(float))]
    known = known.assign(series=_texts(known, shown.curves), panel=_texts(known, shown.panels), answer=known[value])
    if x.sampled:
        places = known.drop_duplicates("point")
        bins = max(1, min(MOST_BINS, len(places) // POINTS_A_BIN))
        numbers = bins_of(places[x.column].to_numpy(dtype=np.float64), bins)
        known = known.assign(bin=known["point"].map(dict(zip(places["point"], numbers, strict=True))))
    groups = ["panel", "series", "carrier", "bin" if x.sampled else x.column]
    units = "point" if x.sampled else "seed"
    out = []
    for names, part in known.groupby(groups, sort=False):
        mean, _, half = mean_with_error(part.groupby(units)["answer"].mean())
        place = float(part[x.column].mean()) if x.sampled else names[3]
        out.append({
            "x": place, "panel": names[0], "series": names[1], "carrier": names[2], "mean": mean, "low_95": mean - half,
            "high_95": mean + half, "n": part[units].nunique(), "share": float(part["percolates"].mean()),
        })  # fmt: skip
    table = pd.DataFrame(out, columns=["x", "panel", "series", "carrier", "mean", "low_95", "high_95", "n", "share"])
    return table.sort_values("x", kind="stable").reset_index(drop=True) if x.numeric else table


def scattered(rows: pd.DataFrame, x: Factor, shown: Arrangement, value: str) -> pd.DataFrame:
    """Return every case of a sample as a point of the figure: `x`, `panel`, `series`, `carrier`, `mean`."""
    known = rows[np.isfinite(rows[value].astype(float))]
    return pd.DataFrame({
        "x": known[x.column], "panel": _texts(known, shown.panels), "series": _texts(known, shown.curves),
        "carrier": known["carrier"], "mean": known[value],
    })  # fmt: skip


def _texts(rows: pd.DataFrame, factors: Sequence[Factor]) -> list[str]:
    """Return a text for every row that says its levels: names bare, numbers with what they are."""
    columns = []
    for factor in factors:
        told = factor.label if factor.numeric else ""
        columns.append([f"{told} {value_label(value)}".strip() for value in rows[factor.column]])
    return [", ".join(row) for row in zip(*columns, strict=True)] if columns else [""] * len(rows)


def paired_ratios(found: Findings) -> tuple[pd.DataFrame, int]:
    """Return co-fired over cold-pressed at every point that has both, and how many pairs have no path on a side.

    Returns
    -------
    tuple
        A table with `carrier`, a column for every other factor, `ratio`, `low_95`, `high_95`, `n` (seeds): the exponential of the
        mean of the logarithms of the ratios of equal seeds, with the interval of Student's t of that mean; empty where there are no
        pairs. And the number of pairs where a conductivity is 0: they have no ratio and are left out.
    """
    others = [factor for factor in found.factors if factor.keys != (PROCESS_KEY,)]
    columns = [factor.column for factor in others]
    cold, fired = (found.rows[found.rows["process"] == process] for process in PROCESSES)
    both = cold.merge(fired, on=["carrier", "seed", *columns], suffixes=("_cold", "_fired"))
    open_ = both[(both["sigma_mS_per_cm_cold"] > 0.0) & (both["sigma_mS_per_cm_fired"] > 0.0)]
    logs = np.log(open_["sigma_mS_per_cm_fired"] / open_["sigma_mS_per_cm_cold"])
    out = []
    for names, part in open_.assign(log_ratio=logs).groupby(["carrier", *columns], sort=False, dropna=False):
        middle, low, high = log_mean(part["log_ratio"])
        out.append({**dict(zip(["carrier", *columns], names, strict=True)), "ratio": middle, "low_95": low, "high_95": high,
                    "n": part["seed"].nunique()})  # fmt: skip
    table = pd.DataFrame(out, columns=["carrier", *columns, "ratio", "low_95", "high_95", "n"])
    return table, len(both) - len(open_)


def log_mean(logarithms: Any) -> tuple[float, float, float]:
    """Return exp(mean) of logarithms, with the ends of its interval of 95 %; NaN for the ends from one value.

    Examples
    --------
    >>> [round(number, 3) for number in log_mean([math.log(3.9), math.log(4.0), math.log(4.1)])]
    [3.999, 3.758, 4.255]
    """
    known = np.asarray(logarithms, dtype=np.float64)
    mean = float(known.mean())
    if len(known) < 2:
        return math.exp(mean), math.nan, math.nan
    half = student_95(len(known)) * float(known.std(ddof=1)) / math.sqrt(len(known))
    return math.exp(mean), math.exp(mean - half), math.exp(min(mean + half, 700.0))


def pooled_ratio(found: Findings, carrier: str) -> tuple[float, float, float, int] | None:
    """Return the ratio over all points: of each seed the mean logarithm, then as for one point; None without pairs."""
    others = [factor.column for factor in found.factors if factor.keys != (PROCESS_KEY,)]
    mine = found.rows[(found.rows["carrier"] == carrier) & found.rows["percolates"]]
    cold, fired = (mine[mine["process"] == process] for process in PROCESSES)
    both = cold.merge(fired, on=["seed", *others], suffixes=("_cold", "_fired"))
    if both.empty:
        return None
    both["log_ratio"] = np.log(both["sigma_mS_per_cm_fired"] / both["sigma_mS_per_cm_cold"])
    logs = both.groupby("seed")["log_ratio"].mean()
    return (*log_mean(logs), len(logs))
