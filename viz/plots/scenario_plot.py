"""Scenarios as dots: one row each, grouped, beside the base and the published values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import OKABE_ITO, PAPER
from viz.plots.axes import few_decades, label_short_axis, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"ion": OKABE_ITO[5], "electron": OKABE_ITO[0]}
MARKS = {"ion": "o", "electron": "s"}
BASE, UNTOUCHED, WORDS = "base", "as the base", {"ion": "ions", "electron": "electrons"}
PANELS = (
    ("sigma", "co-fired", ("ion",), "co-fired σ$_i$ (mS cm$^{-1}$)"),
    ("sigma", "co-fired", ("electron",), "co-fired σ$_e$ (mS cm$^{-1}$)"),
    ("ratio", "", ("ion", "electron"), "co-fired σ / cold-pressed σ (1)"),
)
ROW_INCHES, TYPE = 0.2, 8.5


@styled
def scenarios(table: pd.DataFrame) -> Figure:
    """Show what every scenario makes of the fired conductivities and of the ratio fired/cold.

    Parameters
    ----------
    table : DataFrame
        Columns `group, label, quantity, process, carrier, value, low, high, change, change_low, change_high, note` and optional
        `published, published_low, published_high`, as a comparison writes them. Rows of the group "base" are drawn as a vertical
        line. Thick bars are the interval of the change against the base, thin ones that of the value; dots of scenarios that do
        not matter to a quantity are left out, those without a path are triangles at the left edge.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.
    """
    from matplotlib.figure import Figure

    columns = (
        "group",
        "label",
        "quantity",
        "process",
        "carrier",
        "value",
        "low",
        "high",
        "change",
        "change_low",
        "change_high",
    )
    require(table, (*columns, "note"))
    heights, names, headings = _rows(table)
    lowest = -max(heights.values(), default=0.0) - 1.0
    figure = Figure(figsize=(10.5, 1.5 - ROW_INCHES * lowest), layout="constrained")
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (quantity, process, carriers, title) in zip(panels, PANELS, strict=True):
        part = table[(table["quantity"] == quantity) & (table["process"] == process) & table["carrier"].isin(carriers)]
        _limits(axes, part)
        for number, carrier in enumerate(carriers):
            shift = 0.0 if len(carriers) == 1 else 0.16 * (1 - 2 * number)
            _series(axes, part[part["carrier"] == carrier], carrier, heights, shift)
        axes.set_xlabel(title)
        axes.set_ylim(lowest, 0.7)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#E8E8E8", linewidth=0.6)
    panels[0].set_yticks([-y for y in heights.values()], names, fontsize=TYPE)
    for text, y in headings:
        panels[0].annotate(
            text, (0.0, -y), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points", ha="right",
            va="center", fontsize=TYPE, weight="bold", annotation_clip=False,
        )  # fmt: skip
    _key(figure, bool({"published_low", "published_high"} <= set(table.columns)))
    return figure


def _rows(table: pd.DataFrame) -> tuple[dict[tuple[str, str], float], list[str], list[tuple[str, float]]]:
    """Return how far down every scenario is drawn, the names of the rows, and the headings of the groups."""
    heights: dict[tuple[str, str], float] = {}
    headings: list[tuple[str, float]] = []
    y, before = 0.0, ""
    for group, label in dict.fromkeys(zip(table["group"].astype(str), table["label"].astype(str), strict=True)):
        if group == BASE:
            continue
        if group != before:
            headings.append((group, y))
            y += 1.0
        heights[(group, label)], before = y, group
        y += 1.0
    return heights, [label for _, label in heights], headings


def _limits(axes: Axes, part: pd.DataFrame) -> None:
    """Set a logarithmic axis for values and published bands; wide intervals may run out of it."""
    columns = [name for name in ("value", "published_low", "published_high") if name in part.columns]
    found = part[columns].to_numpy(dtype=float)
    found = found[np.isfinite(found) & (found > 0.0)]
    low, high = (float(found.min()), float(found.max())) if found.size else (0.1, 1.0)
    room = 0.08 * max(math.log10(high / low), 0.3)
    axes.set_xscale("log")
    axes.set_xlim(low * 10.0 ** (-2.0 * room), high * 10.0**room)
    few_decades(axes)
    label_short_axis(axes.xaxis)


def _series(axes: Axes, part: pd.DataFrame, carrier: str, heights: dict[tuple[str, str], float], shift: float) -> None:
    colour = COLOURS.get(carrier, OKABE_ITO[1])
    style: dict[str, Any] = {"color": colour, "linestyle": "none", "marker": MARKS.get(carrier, "D")}
    edge = axes.get_xlim()[0]
    for row in part.to_dict("records"):
        if str(row["group"]) == BASE:
            _base(axes, row, colour)
            continue
        if UNTOUCHED in str(row["note"]):
            continue
        y, value = -heights[(str(row["group"]), str(row["label"]))] + shift, float(row["value"])
        if not value > 0.0:
            axes.plot([edge], [y], markersize=6.0, fillstyle="none", clip_on=False, **{**style, "marker": "<"})
            continue
        if math.isfinite(row["low"]):
            axes.plot([max(row["low"], 1e-3 * edge), row["high"]], [y, y], color=colour, linewidth=0.7, alpha=0.6)
        if math.isfinite(row["change_low"]) and row["change"] > 0.0:
            ends = [value * row[name] / row["change"] for name in ("change_low", "change_high")]
            axes.plot(ends, [y, y], color=colour, linewidth=2.4, alpha=0.6, solid_capstyle="butt")
        axes.plot([value], [y], markersize=4.5, **style)


def _base(axes: Axes, row: Any, colour: str) -> None:
    """Draw the base as a line, and what was published as a band."""
    if row["value"] > 0.0:
        axes.axvline(row["value"], color=colour, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    low, high = (float(row.get(name, math.nan)) for name in ("published_low", "published_high"))
    if high > low > 0.0:
        axes.axvspan(low, high, color=PAPER, alpha=0.15, linewidth=0, zorder=0)


def _key(figure: Figure, published: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=COLOURS[carrier], linestyle="none", marker=MARKS[carrier], label=word)
        for carrier, word in WORDS.items()
    ]
    handles += [
        Line2D([], [], color="#1A1A1A", linewidth=1.0, linestyle=(0, (4, 2)), label="base"),
        Line2D([], [], color="#1A1A1A", linewidth=2.4, alpha=0.6, label="95 % of the change"),
        Line2D([], [], color="#1A1A1A", linewidth=0.7, alpha=0.6, label="95 % of the value"),
        Line2D([], [], color="#1A1A1A", linestyle="none", marker="<", fillstyle="none", label="no path"),
    ]
    handles += [Patch(color=PAPER, alpha=0.3, linewidth=0, label="published")] if published else []
    figure.legend(
        handles=handles, loc="outside lower center", ncols=len(handles), fontsize=TYPE, handletextpad=0.5, columnspacing=1.2
    )
