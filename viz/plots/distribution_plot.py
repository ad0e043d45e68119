"""Histograms of several structures over each other, with mean and percentiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import PAPER, PROCESSES
from viz.plots.axes import axis_label, key_below, looks, make_panels, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {"grain_diameter_um": ("volume", 0.1, "10 to 90 %"), "shell_thickness_nm": ("area", 10.0, "5 to 95 %")}
"""What the shares are of, per how much of the quantity, and between which percentiles the bar over a histogram runs."""
FILLED = 0.25
TOP = 1.05
ROW = 0.09
"""First height of the bars over the histograms, and the step from one to the next, over the highest bin."""


@styled
def distributions(table: pd.DataFrame) -> Figure:
    """Plot histograms of grain diameters or shell thicknesses, one panel per phase, structures over each other.

    Over the histograms lie a marker at the mean, a tick at the median and a bar between the percentiles of every structure.

    Parameters
    ----------
    table : DataFrame
        As `viz.tabulate_grains` and `viz.tabulate_shells` return it: columns `structure, phase, quantity, low, high, share`
        (a bin and its share) and `mean, p_low, p_middle, p_high`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import cofire, viz
    >>> fired = cofire.build("co-fired", size_um=2.0, voxel_nm=50.0)
    >>> len(viz.distributions(viz.tabulate_grains({"co-fired": fired})).axes)
    2
    """
    require(table, ("structure", "phase", "quantity", "low", "high", "share", "mean", "p_low", "p_middle", "p_high"))
    phases, names = (list(dict.fromkeys(map(str, table[column]))) for column in ("phase", "structure"))
    figure, panels = make_panels(len(phases), height=4.0)
    shown = looks(names, PROCESSES)
    for axes, phase in zip(panels, phases, strict=True):
        part = table[table["phase"] == phase]
        quantity = str(part["quantity"].iloc[0])
        weight, width, between = KINDS.get(quantity, ("whole", 1.0, "percentiles"))
        label = axis_label(quantity)
        unit = label[label.rindex("(") + 1 : -1]
        highest = max(float(_density(part[part["structure"] == name], width).max(initial=0.0)) for name in names)
        for name in names:
            mine = part[part["structure"] == name]
            if not mine.empty:
                _histogram(axes, mine, name, unit, shown[name], width, highest * (TOP + ROW * names.index(name)))
        axes.set(xlabel=label, ylabel=f"share of the {weight} (% per {width:g} {unit})")
        axes.set_xlim(0.0, 1.03 * float(part["high"].max()))
        axes.set_ylim(0.0, highest * (TOP + ROW * (len(names) - 0.3)))
        axes.set_title("reaction layer" if phase == "interphase" else phase, loc="left")
        axes.plot([], [], marker="|", color=PAPER, markersize=11.0, label=f"bar: {between}; tick: median")
        key_below(axes, 1)
    return figure


def _density(part: pd.DataFrame, width: float) -> Any:
    """Return the share [%] per `width` of the quantity in every bin."""
    return 100.0 * width * (part["share"] / (part["high"] - part["low"])).to_numpy(dtype=float)


def _histogram(axes: Axes, part: pd.DataFrame, name: str, unit: str, look: dict[str, Any], width: float, height: float) -> None:
    edges, density = np.append(part["low"], part["high"].iloc[-1]).astype(float), _density(part, width)
    colour = look["color"]
    axes.stairs(density, edges, fill=True, color=colour, alpha=FILLED)
    axes.stairs(density, edges, color=colour, linewidth=1.4)
    mean, low, middle, high = (float(part[column].iloc[0]) for column in ("mean", "p_low", "p_middle", "p_high"))
    label = f"{name}: mean {mean:.3g}, median {middle:.3g} {unit}"
    axes.errorbar(mean, height, xerr=[[mean - low], [high - mean]], label=label, linestyle="none", zorder=3, **look)
    axes.plot([middle], [height], marker="|", color=colour, markersize=11.0, markeredgewidth=1.6, zorder=3)
