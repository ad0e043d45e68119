"""Which number decides: sensitivities as sorted bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import GREY, PROCESSES
from viz.plots.axes import column, key_below, looks, make_panels, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = {"phase": "", "interface": " interface", "contact": " point contact", "film": " film"}
ROW_INCHES = 0.30
LEAST = 5e-3
"""Sensitivities below this in every series are left out."""


@styled
def sensitivities(table: pd.DataFrame) -> Figure:
    """Plot d ln(sigma_eff) / d ln(p) of every number p of the materials, largest first.

    Of a resistance, p is its inverse: all bars say by how many per cent sigma_eff improves where a number is one per cent
    better. Per series they sum to 1; parameters below 0.005 in every series are left out, and the axis says so.

    Parameters
    ----------
    table : DataFrame
        Columns `kind, name, sensitivity`, as `kmc.conduction.sensitivities.Sensitivity.to_dict` gives them; optional `series`
        (structures, carriers or axes beside each other) and `stderr` (over replicas, for instance).

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"kind": ["phase", "interface"], "name": ["LATP", "LATP|LFP"], "sensitivity": [0.2, 0.8]}
    >>> [label.get_text() for label in sensitivities(pd.DataFrame(rows)).axes[0].get_yticklabels()]
    ['LATP|LFP interface', 'LATP']
    """
    require(table, ("kind", "name", "sensitivity"))
    names = table["name"].astype(str) + table["kind"].astype(str).map(lambda kind: WORDS.get(kind, f" {kind}"))
    series = table["series"].astype(str) if "series" in table.columns else "sensitivity"
    part = table.assign(parameter=names, series=series)
    largest = part.groupby("parameter")["sensitivity"].agg(lambda values: float(np.abs(values).max()))
    largest = largest.sort_values(ascending=False, kind="stable")
    rows, small = [str(name) for name in largest.index[largest >= LEAST]], int((largest < LEAST).sum())
    groups = list(dict.fromkeys(part["series"]))
    figure, (axes,) = make_panels(1, height=1.7 + ROW_INCHES * max(len(rows), 1) * max(1.0, 0.7 * len(groups)))
    figure.set_figwidth(5.6)
    shown = part[part["parameter"].isin(rows) & (part["sensitivity"].abs() >= LEAST)]
    for name, look in looks(groups, PROCESSES).items():
        _bars(axes, shown, name, rows, groups, look["color"])
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.set_xlabel("d ln σ$_{eff}$ / d ln p (1)" + (f"; {small} below {LEAST:g} left out" if small else ""))
    axes.margins(x=0.12)
    if len(groups) > 1:
        key_below(axes, 2, gap=0.55 / (figure.get_figheight() - 0.9))
    return figure


def _bars(axes: Axes, shown: pd.DataFrame, label: str, rows: list[str], groups: list[str], colour: str) -> None:
    """Draw the bars of one series; those of a parameter lie around its name."""
    mine = shown[shown["series"] == label]
    thick = 0.8 / len(groups)
    beside = {name: [group for group in groups if group in set(part["series"])] for name, part in shown.groupby("parameter")}
    shift = [beside[name].index(label) - (len(beside[name]) - 1) / 2 for name in mine["parameter"]]
    place = np.array([rows.index(name) for name in mine["parameter"]]) + thick * np.array(shift)
    value, error = mine["sensitivity"].to_numpy(dtype=float), column(mine, "stderr")
    axes.barh(place, value, 0.92 * thick, color=colour, label=label)
    known: Any = np.zeros(len(value)) if error is None else np.nan_to_num(error)
    if known.any():
        axes.errorbar(value, place, xerr=known, linestyle="none", color="#262626", linewidth=1.0)
    for y, x, wide in zip(place, value, known, strict=True):
        right = x >= 0.0
        axes.annotate(f"{x:.2f}", (x + (wide if right else -wide), y), (4 if right else -4, 0), textcoords="offset points",
                          ha="left" if right else "right", va="center", fontsize=8.0)  # fmt: skip
