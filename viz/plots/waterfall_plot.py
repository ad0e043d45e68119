"""From one conductivity to another in steps: a bar for each change, as tall as its factor on a logarithmic axis."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import ABSENT, GREY, OKABE_ITO, PAPER, PROCESSES
from viz.plots.axes import SYMBOLS, few_decades, key_below, make_panels, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDS = ("co-fired", "cold-pressed")
FALLS, RISES = ABSENT, OKABE_ITO[1]
WIDE, HIGH = 5.4, 4.8
"""Size of a panel [inch]."""
WIDTH = 0.72
LETTERS = 9
"""Longest line of a name under a bar, where a word allows it."""
LONGEST_WHISKER = 10.0
"""The axis follows whiskers no farther than by this factor."""


@styled
def waterfall(table: pd.DataFrame, *, published: pd.DataFrame | None = None) -> Figure:
    """Draw the steps from the co-fired to the cold-pressed conductivity, one panel per carrier.

    Bars of the steps hang between the conductivity before and after; "÷ 2.3" says that the step divides it by 2.3, "× 2.3"
    that it multiplies it. Whiskers are the interval of the factor, drawn at the end that it leads to; the title gives the
    factor of all steps together.

    Parameters
    ----------
    table : DataFrame
        Columns `carrier, step, sigma_before_mS_per_cm, sigma_after_mS_per_cm, factor`, optional `low` and `high` (interval of
        the factor, before over after); rows of a carrier in order, a row "total" at its end.
    published : DataFrame, optional
        Columns `process, carrier` ("co-fired", "cold-pressed") and `sigma_mS_per_cm`, `low_mS_per_cm`, `high_mS_per_cm`: a
        line with a band over the bar of that body; NaN where unknown; optional `label`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.
    """
    require(table, ("carrier", "step", "sigma_before_mS_per_cm", "sigma_after_mS_per_cm", "factor"))
    if published is not None:
        require(published, ("process", "carrier", "sigma_mS_per_cm", "low_mS_per_cm", "high_mS_per_cm"))
    carriers = list(dict.fromkeys(map(str, table["carrier"])))
    figure, panels = make_panels(len(carriers), height=HIGH)
    figure.set_size_inches(WIDE * len(carriers), HIGH)
    for axes, carrier in zip(panels, carriers, strict=True):
        part = table[table["carrier"] == carrier]
        steps = part[part["step"] != "total"].to_dict("records")
        total = part[part["step"] == "total"].to_dict("records")
        paper = [] if published is None else published[published["carrier"] == carrier].to_dict("records")
        names = [ENDS[0], *(str(step["step"]) for step in steps), ENDS[1]]
        axes.set_xticks(range(len(names)), [textwrap.fill(name, LETTERS, break_long_words=False) for name in names])
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.tick_params(axis="x", length=0, labelsize=8.0)
        axes.set_ylabel(f"{SYMBOLS.get(carrier, carrier)} (mS cm$^{{-1}}$)")
        if not all(step["factor"] > 0.0 for step in steps):
            axes.text(0.5, 0.5, "no replica conducts in every body", transform=axes.transAxes, ha="center", color=GREY)
            axes.set_yticks([])
            continue
        floor = _limits(axes, steps, paper)
        _ends(axes, steps, floor)
        for place, step in enumerate(steps, start=1):
            _step(axes, place, step)
        _paper(axes, paper)
        if total:
            axes.set_title(_title(total[0]), loc="left")
        key_below(axes, 2, gap=0.16)
    return figure


def _whisker(step: dict[Any, Any]) -> tuple[float, float] | None:
    """Return the conductivities to which the ends of the factor's interval lead, lower one first, if there is one."""
    low, high = float(step.get("low", np.nan)), float(step.get("high", np.nan))
    if not (0.0 < low < high < np.inf):
        return None
    return step["sigma_before_mS_per_cm"] / high, step["sigma_before_mS_per_cm"] / low


def _limits(axes: Axes, steps: list[dict[Any, Any]], paper: list[dict[Any, Any]]) -> float:
    """Set a logarithmic axis with room for all bars, whiskers and names of factors; return its lower end."""
    seen = [step[f"sigma_{side}_mS_per_cm"] for step in steps for side in ("before", "after")]
    lowest, highest = min(seen), max(seen)
    for end in (end for step in steps for end in _whisker(step) or ()):
        seen.append(min(max(end, lowest / LONGEST_WHISKER), highest * LONGEST_WHISKER))
    seen += [float(row[f"{kind}_mS_per_cm"]) for row in paper for kind in ("sigma", "low", "high")]
    known = np.log10([value for value in seen if np.isfinite(value) and value > 0.0])
    floor = 10.0 ** math.floor(known.min() - 0.3)
    axes.set_yscale("log")
    axes.set_ylim(floor, 10.0 ** (known.max() + 0.14 * (known.max() - math.log10(floor))))
    few_decades(axes)
    return floor


def _ends(axes: Axes, steps: list[dict[Any, Any]], floor: float) -> None:
    """Draw the whole bars of both bodies."""
    last = len(steps) + 1
    heights = (steps[0]["sigma_before_mS_per_cm"], steps[-1]["sigma_after_mS_per_cm"])
    for place, process, height in zip((0, last), ENDS, heights, strict=True):
        axes.bar(place, height - floor, WIDTH, bottom=floor, color=PROCESSES[process])
    axes.plot([last - 1 + WIDTH / 2, last - WIDTH / 2], [heights[1]] * 2, color=PAPER, linewidth=0.8)


def _title(total: dict[Any, Any]) -> str:
    """Return the factor of all steps together, with its interval if known; three digits."""
    numbers = [f"{float(f'{float(total.get(name, np.nan)):.3g}'):g}" for name in ("factor", "low", "high")]
    return f"co-fired over cold-pressed: {numbers[0]}" + (
        "" if _whisker(total) is None else f"\n(95 % interval over replicas: {numbers[1]} to {numbers[2]})"
    )


def _step(axes: Axes, place: int, step: dict[Any, Any]) -> None:
    before, after = step["sigma_before_mS_per_cm"], step["sigma_after_mS_per_cm"]
    falls = after <= before
    known = axes.get_legend_handles_labels()[1]
    label = "step lowers σ (÷)" if falls else "step raises σ (×)"
    axes.bar(place, abs(after - before), WIDTH, bottom=min(before, after), color=FALLS if falls else RISES,
             edgecolor="#555555", linewidth=0.6, label="_" + label if label in known else label)  # fmt: skip
    axes.plot([place - 1 + WIDTH / 2, place - WIDTH / 2], [before, before], color=PAPER, linewidth=0.8)
    ends, top = _whisker(step), max(before, after)
    if ends is not None:
        error = "95 % interval over replicas"
        axes.errorbar(place, after, [[max(after - ends[0], 0.0)], [max(ends[1] - after, 0.0)]], color="#262626", linestyle="none",
                      linewidth=1.1, zorder=3, label="_" + error if error in known else error)  # fmt: skip
        top = max(top, min(ends[1], LONGEST_WHISKER * top))
    text = _factor(step["factor"])
    axes.annotate(text, (place, top), (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=9.0, zorder=4)


def _paper(axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """Draw published values over the bars of both bodies."""
    places = dict(zip(ENDS, (0, len(axes.get_xticks()) - 1), strict=True))
    for row in rows:
        if row["process"] not in places:
            continue
        left = places[row["process"]] - WIDTH / 2 - 0.08
        right = left + WIDTH + 0.16
        value, low, high = (float(row[f"{kind}_mS_per_cm"]) for kind in ("sigma", "low", "high"))
        label = str(row.get("label", "published"))
        label = "_" + label if label in axes.get_legend_handles_labels()[1] else label
        if high > low:
            axes.fill_between([left, right], low, high, color=PAPER, alpha=0.45, linewidth=0, zorder=2, label=label)
            label = "_" + label
        if np.isfinite(value):
            axes.plot([left, right], [value, value], color="#262626", linewidth=1.4, linestyle="--", zorder=2.5, label=label)


def _factor(factor: float) -> str:
    return f"÷ {_number(factor)}" if factor >= 1.0 else f"× {_number(1.0 / factor)}"


def _number(value: float) -> str:
    """Return two digits, three below 2; 1 for exactly 1."""
    return f"{float(f'{value:.2g}'):g}" if value >= 1.995 or value == 1.0 else f"{value:.2f}"
