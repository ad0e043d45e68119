"""How a number answers to another: means with intervals, a row of panels for each carrier, a panel for each group of cases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viz.palette import GREY, PROCESSES
from viz.plots.axes import label_short_axis, log_limits, looks, require, strip_for_zeros, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
LOGARITHMIC_FROM = 10.0
"""Largest over smallest positive value from which on an axis is logarithmic."""
PANEL_INCHES = (3.7, 2.9)
FEW_TICKS = 6
"""Values up to which each has a tick of its own."""
SIDEWAYS = 0.01
"""How far series are drawn beside each other, so that equal values are seen, as a share of the axis."""
COLUMNS = ("x", "carrier", "mean")


@styled
def responses(
    table: pd.DataFrame,
    *,
    xlabel: str,
    ylabel: str | Mapping[str, str],
    points: pd.DataFrame | None = None,
    line: float | None = None,
    apart: bool = False,
) -> Figure:
    """Plot a number against another, or against names, with a row of panels for every carrier.

    An axis is logarithmic where its values span more than a decade; a value of exactly 0 then lies in a strip of its own.

    Parameters
    ----------
    table : DataFrame
        Columns `x` (numbers or names), `carrier`, `mean`; optional `series` (colour and marker), `panel` (side by side), `low_95`
        and `high_95` (error bars), `share` (below 1: the mark is open, since not every case has a path).
    xlabel : str
        Label of the horizontal axis, with its unit.
    ylabel : str or mapping
        Of the vertical one; one text for each carrier, or one for all.
    points : DataFrame, optional
        Single values behind the means, with the same columns.
    line : float, optional
        Where a horizontal line is drawn, such as 1 for ratios.
    apart : bool
        Whether every panel has a vertical axis of its own, for groups that differ much.

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
    >>> table = pd.DataFrame({"x": [0.5, 0.6], "carrier": ["ion", "ion"], "mean": [0.1, 9.0]})
    >>> responses(table, xlabel="relative density", ylabel="σ (mS/cm)").axes[0].get_yscale()
    'log'
    """
    from matplotlib.figure import Figure

    require(table, COLUMNS)
    table = _complete(table)
    points = None if points is None else _complete(points)
    carriers, panels, series = (list(dict.fromkeys(map(str, table[name]))) for name in ("carrier", "panel", "series"))
    width, height = PANEL_INCHES
    keys = 0 if series == [""] else math.ceil(len(series) / _key_columns(series, width * len(panels)))
    figure = Figure(
        figsize=(0.9 + max(1.2, len(panels)) * width, 0.5 + height * len(carriers) + 0.22 * keys), layout="constrained"
    )
    grid = figure.subplots(len(carriers), len(panels), squeeze=False, sharex=True, sharey=False if apart else "row")
    styles = looks(series, PROCESSES)
    step = _step(table["x"]) if points is None else 0.0
    for number, carrier in enumerate(carriers):
        row = grid[number]
        part = table[table["carrier"] == carrier]
        behind = None if points is None else points[points["carrier"] == carrier]
        floor = None if apart else _vertical_axis(row[0], part, behind)
        for axes, panel in zip(row, panels, strict=True):
            if apart:
                floor = _vertical_axis(axes, _of_panel(part, panel), _of_panel(behind, panel))
            if line is not None:
                axes.axhline(line, color=GREY, linewidth=0.8, zorder=1)
            for place, name in enumerate(series):
                mine, dots = (_of_panel(some, panel, name) for some in (part, behind))
                _draw(
                    axes, mine, dots, name, styles[name], floor, step * (place - 0.5 * (len(series) - 1)), _is_log(table["x"])
                )
            if number == 0:
                axes.set_title(panel, loc="left")
        row[0].set_ylabel(ylabel if isinstance(ylabel, str) else ylabel.get(carrier, carrier))
    for axes in grid[-1]:
        _horizontal_axis(axes, table if points is None else points, xlabel)
    if keys:
        handles = {label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles, loc="outside lower center", ncols=_key_columns(series, width * len(panels)))
    return figure


def _complete(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a text for every series and panel."""
    return table.assign(**{name: table[name].astype(str) if name in table.columns else "" for name in ("series", "panel")})


def _key_columns(series: list[str], width: float) -> int:
    """Return how many names of the key fit side by side."""
    return max(1, min(len(series), int(width / (0.55 + 0.085 * max(map(len, series))))))


def spans_decades(values: Any) -> bool:
    """Return whether positive values span more than a decade.

    Examples
    --------
    >>> spans_decades([1.0, 5.0]), spans_decades([0.0, 1.0, 20.0])
    (False, True)
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found) & (found > 0.0)]
    return bool(len(found)) and float(found.max()) > LOGARITHMIC_FROM * float(found.min())


def _of_panel(table: pd.DataFrame | None, panel: str, series: str | None = None) -> pd.DataFrame | None:
    """Return the rows of a panel, and of one series of it."""
    if table is None:
        return None
    return table[(table["panel"] == panel) & ((series is None) | (table["series"] == series))]


def _step(x: pd.Series) -> float:
    """Return how far series lie beside each other: in x or, where its axis is logarithmic, in ln x."""
    if not _is_numeric(x):
        return 0.0
    values = np.log(x.to_numpy(dtype=np.float64)) if _is_log(x) else x.to_numpy(dtype=np.float64)
    return SIDEWAYS * float(values.max() - values.min())


def _is_numeric(x: pd.Series) -> bool:
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(x))


def _is_log(x: pd.Series) -> bool:
    """Return whether a horizontal axis is logarithmic."""
    return _is_numeric(x) and bool((x > 0.0).all()) and spans_decades(x)


def _vertical_axis(axes: Axes, part: pd.DataFrame | None, behind: pd.DataFrame | None) -> float | None:
    """Set the vertical axis; return where the strip for zeros ends, None where there is none."""
    tables = [table for table in (part, behind) if table is not None]
    values = np.concatenate([table["mean"].to_numpy(dtype=np.float64) for table in tables])
    if not spans_decades(values) or (values < 0.0).any():
        return None
    zeros = bool((values == 0.0).any())
    named = {"mean": "sigma_mS_per_cm", "high_95": "high_mS_per_cm"}
    floor = log_limits(
        axes, [table[list(set(named) & set(table.columns))].rename(columns=named) for table in tables], zeros=zeros
    )
    if not zeros:
        return None
    strip_for_zeros(axes, floor)
    return floor


def _horizontal_axis(axes: Axes, table: pd.DataFrame, xlabel: str) -> None:
    axes.set_xlabel(xlabel)
    if not _is_numeric(table["x"]):
        axes.margins(x=0.2)
        axes.tick_params(axis="x", length=0)
        return
    values = sorted(set(table["x"].dropna()))
    if len(values) <= FEW_TICKS and not _is_log(table["x"]):
        axes.set_xticks(values, [f"{value:g}" for value in values])
    if _is_log(table["x"]):
        axes.set_xscale("log")
        label_short_axis(axes.xaxis)


def _draw(
    axes: Axes,
    mine: pd.DataFrame | None,
    dots: pd.DataFrame | None,
    name: str,
    look: Mapping[str, Any],
    floor: float | None,
    beside: float,
    log: bool,
) -> None:
    """Draw one series: single values small and pale, means with intervals, zeros in their strip."""
    if dots is not None and len(dots):
        axes.plot(dots["x"], _raised(axes, dots, floor), ".", color=look["color"], alpha=0.4, markersize=4.5, zorder=2)
    if mine is None or mine.empty:
        return
    y = _raised(axes, mine, floor)
    joined = _is_numeric(mine["x"]) and len(mine) > 1
    x = mine["x"] if beside == 0.0 else mine["x"] * math.exp(beside) if log else mine["x"] + beside
    if joined:
        line = y if floor is None else np.where(mine["mean"] > 0.0, y, np.nan)  # none down to the strip: it has no height
        axes.plot(x, line, "-", color=look["color"], linewidth=1.3, zorder=2.5)
    axes.errorbar(
        x, y, _bars(mine, y, axes.get_yscale() == "log"), color=look["color"], marker=look["marker"], linestyle="none",
        label=name or None, zorder=3,
    )  # fmt: skip
    if "share" in mine.columns:
        partly = (mine["share"] < 1.0).to_numpy()
        axes.plot(
            x[partly], y[partly], look["marker"], color=look["color"], markerfacecolor="white", zorder=4
        )  # fmt: skip


def _bars(mine: pd.DataFrame, y: Floats, log: bool) -> Floats | None:
    """Return how far the intervals reach below and above; on a logarithmic axis the lower end stays above zero."""
    if not {"low_95", "high_95"} <= set(mine.columns):
        return None
    low, high = (mine[name].to_numpy(dtype=np.float64) for name in ("low_95", "high_95"))
    reach = np.clip(np.nan_to_num(np.stack([y - low, high - y])), 0.0, None)
    if log:
        shown = mine["mean"].to_numpy(dtype=np.float64) > 0.0
        reach = np.where(shown, np.stack([np.minimum(reach[0], 0.95 * y), reach[1]]), 0.0)
    return reach


def _raised(axes: Axes, table: pd.DataFrame, floor: float | None) -> Floats:
    """Return the values, zeros in the middle of their strip."""
    y = table["mean"].to_numpy(dtype=np.float64)
    return y if floor is None else np.where(y > 0.0, y, math.sqrt(axes.get_ylim()[0] * floor))
