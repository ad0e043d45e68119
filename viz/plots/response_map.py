"""A number over two others: coloured cells with contours, or the points of a sample; crosses where nothing conducts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.palette import ABSENT, INK, ink_on
from viz.plots.axes import require, styled
from viz.plots.map_plot import COLOURS, LOGARITHMIC_FROM
from viz.plots.response_plot import spans_decades

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
CELL_INCHES = 0.62
MOST_WRITTEN = 8
"""Cells along an axis up to which numbers are written into them."""
LEVELS = 4
"""Contours at most."""


@styled
def response_map(
    table: pd.DataFrame,
    *,
    xlabel: str,
    ylabel: str,
    label: str | Mapping[str, str],
    share: bool = False,
    sampled: bool = False,
) -> Figure:
    """Draw a number over two others, with a row of panels for every carrier; each panel has its own scale of colours.

    Parameters
    ----------
    table : DataFrame
        Columns `x`, `y`, `carrier`, `mean`; optional `panel` (side by side). Of a grid, one row a cell; NaN and missing cells stay
        grey, cells with 0 are hatched: no path.
    xlabel, ylabel : str
        Labels of the axes, with units.
    label : str or mapping
        Label of the colours; one text for each carrier, or one for all.
    share : bool
        Whether the number is a share, from 0 to 1; its 0 is coloured.
    sampled : bool
        Whether the rows are points of a sample and no cells; crosses say no path.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing, the table is empty, or a cell occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> cells = [(x, y, "ion", x * y) for x in (1, 2, 3) for y in (1, 2, 3)]
    >>> table = pd.DataFrame(cells, columns=["x", "y", "carrier", "mean"])
    >>> response_map(table, xlabel="size (um)", ylabel="hours", label="σ (mS/cm)").axes[0].get_xlabel()
    'size (um)'
    """
    from matplotlib.figure import Figure

    require(table, ("x", "y", "carrier", "mean"))
    table = table.assign(panel=table["panel"].astype(str) if "panel" in table.columns else "")
    if not sampled and table.duplicated(["x", "y", "carrier", "panel"]).any():
        twice = table.loc[table.duplicated(["x", "y", "carrier", "panel"]), ["x", "y"]].iloc[0].tolist()
        raise InputError(f"cell {twice[0]}, {twice[1]} occurs twice; allowed: one row a cell; average the others")
    carriers, panels = (list(dict.fromkeys(map(str, table[name]))) for name in ("carrier", "panel"))
    columns, rows = (7, 6) if sampled else (table["x"].nunique(), table["y"].nunique())
    wide = min(max(CELL_INCHES * columns, 2.4), 6.0)
    tall = min(max(CELL_INCHES * 0.8 * rows, 2.0), 4.5)
    figure = Figure(figsize=(0.9 + (wide + 1.2) * len(panels), (tall + 0.75) * len(carriers)), layout="constrained")
    grid = figure.subplots(len(carriers), len(panels), squeeze=False, sharex=True, sharey=True)
    for number, carrier in enumerate(carriers):
        row = grid[number]
        part = table[table["carrier"] == carrier]
        for axes, panel in zip(row, panels, strict=True):
            mine = part[part["panel"] == panel]
            if mine.empty:
                axes.set_axis_off()
                continue
            norm = _scale(mine["mean"].to_numpy(dtype=np.float64), share)
            picture = (_points if sampled else _cells)(axes, mine, norm, share)
            figure.colorbar(picture, ax=axes, label=label if isinstance(label, str) else label.get(carrier, carrier), pad=0.02)
            if number == 0:
                axes.set_title(panel, loc="left")
        row[0].set_ylabel(ylabel)
    for axes in grid[-1]:
        axes.set_xlabel(xlabel)
    return figure


def _scale(values: Floats, share: bool) -> Any:
    """Return the scale of colours of one row of panels."""
    from matplotlib.colors import LogNorm, Normalize

    if share:
        return Normalize(0.0, 1.0)
    found = values[np.isfinite(values) & (values > 0.0)]
    if not len(found):
        return Normalize(0.0, 1.0)
    low, high = float(found.min()), float(found.max())
    if high > LOGARITHMIC_FROM * low:
        return LogNorm(low, high)
    return Normalize(low, high) if high > low else Normalize(0.5 * low, 1.5 * low)


def _cells(axes: Axes, part: pd.DataFrame, norm: Any, share: bool) -> Any:
    """Draw cells of equal size, with the number in each; of many cells, contours between their middles."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex
    from matplotlib.patches import Rectangle

    grid = part.pivot(index="y", columns="x", values="mean")
    numbers = grid.to_numpy(dtype=np.float64)
    known = np.isfinite(numbers) & ((numbers > 0.0) | share)
    colours = colormaps[COLOURS].with_extremes(bad=ABSENT)
    picture = axes.imshow(np.where(known, numbers, np.nan), norm=norm, cmap=colours, origin="lower", aspect="auto")
    rows, columns = numbers.shape
    axes.set_xticks(range(columns), [_text(tick) for tick in grid.columns])
    axes.set_yticks(range(rows), [_text(tick) for tick in grid.index])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    written = max(rows, columns) <= MOST_WRITTEN
    if min(rows, columns) >= 3 and not written:
        _contours(axes, axes.contour, (range(columns), range(rows), np.where(known, numbers, np.nan)), norm)
    for (y, x), number in np.ndenumerate(numbers):
        if number == 0.0 and not share:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch="xxx", edgecolor="#8C8C8C", linewidth=0))
        if written:
            colour = to_hex(colours(norm(number))) if known[y, x] else ABSENT
            text = (f"{number:.3g}" if known[y, x] else "no path") if math.isfinite(number) else "–"
            box = {"facecolor": ABSENT, "edgecolor": "none", "pad": 1.0} if text == "no path" else None
            axes.text(x, y, text, ha="center", va="center", fontsize=8.0, color=ink_on(colour.upper()), bbox=box)
    return picture


def _points(axes: Axes, part: pd.DataFrame, norm: Any, share: bool) -> Any:
    """Draw the points of a sample, crosses at those without a path."""
    x, y, values = (part[name].to_numpy(dtype=np.float64) for name in ("x", "y", "mean"))
    known = np.isfinite(values) & ((values > 0.0) | share)
    shut = np.isfinite(values) & ~known
    for spans, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if (spans > 0.0).all() and spans_decades(spans):
            scale("log")
    picture = axes.scatter(x[known], y[known], c=values[known], norm=norm, cmap=COLOURS, s=34, zorder=3)
    axes.plot(x[shut], y[shut], "x", color=INK, markersize=6, zorder=3)
    return picture


def _contours(axes: Axes, draw: Any, numbers: tuple[Any, ...], norm: Any) -> None:
    """Draw lines of equal number, at round numbers where the colours are logarithmic."""
    found = np.asarray(numbers[-1], dtype=np.float64)
    found = found[np.isfinite(found)]
    if len(found) < 4 or found.max() <= found.min() * (1.0 + 1e-9):
        return
    from matplotlib.colors import LogNorm
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import LogLocator, MaxNLocator

    ticks = LogLocator(numticks=LEVELS) if isinstance(norm, LogNorm) else MaxNLocator(LEVELS)
    levels = [level for level in ticks.tick_values(found.min(), found.max()) if found.min() < level < found.max()]
    if levels:
        lines = draw(*numbers, levels=levels, colors="white", linewidths=1.0, zorder=2)
        lines.set_path_effects([withStroke(linewidth=2.0, foreground=INK)])


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
