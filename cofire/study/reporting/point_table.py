"""The conductivities of a study in one table: a row for each point, carriers side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cofire.statistics import mean_with_error
from cofire.study.reporting.findings import Findings


def point_table(found: Findings) -> pd.DataFrame:
    """Return mean and half of the interval of 95 % over replicas at every point.

    Returns
    -------
    DataFrame
        A column for every factor, under its label; for each carrier `sigma_<carrier>_mS_per_cm`, `..._half_95`, `..._paths` (how many
        replicas percolate) and `..._n` (replicas).
    """
    rows = []
    for _, part in found.rows.groupby("point", sort=False):
        row: dict[str, Any] = {factor.label: part[factor.column].iloc[0] for factor in found.factors}
        for carrier in found.carriers:
            mine = part[part["carrier"] == carrier]
            mean, _, half = mean_with_error(mine["sigma_mS_per_cm"])
            name = f"sigma_{carrier}_mS_per_cm"
            row |= {name: mean, f"{name}_half_95": half, f"{name}_paths": int(mine["percolates"].sum()), f"{name}_n": len(mine)}
        rows.append(row)
    return pd.DataFrame(rows)
