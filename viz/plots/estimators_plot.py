"""Several estimators of one conductivity side by side, with published values behind them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import ESTIMATORS, PAPER, series_colour
from viz.plots.axes import (
    MARKERS,
    SYMBOLS,
    column,
    error_bars,
    key_below,
    log_limits,
    make_panels,
    require,
    strip_for_zeros,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def estimators(table: pd.DataFrame, *, paper: pd.DataFrame | None = None) -> Figure:
    """Compare the conductivities that several estimators give for the same structures, one panel per carrier.

    Parameters
    ----------
    table : DataFrame
        Columns `process, carrier, estimator, sigma_mS_per_cm`; optional `stderr_mS_per_cm`. Several rows of one
        process and estimator (replicas) are drawn one by one. Zero means that no path joins both sides.
    paper : DataFrame, optional
        Columns `process, carrier` and `sigma_mS_per_cm` with optional `stderr_mS_per_cm`, or `low_mS_per_cm` and
        `high_mS_per_cm`: published values, a line with a band; optional `label`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.
    """
    require(table, ("process", "carrier", "estimator", "sigma_mS_per_cm"))
    carriers, processes, names = (list(dict.fromkeys(map(str, table[c]))) for c in ("carrier", "process", "estimator"))
    figure, panels = make_panels(len(carriers), height=4.2)
    for axes, carrier in zip(panels, carriers, strict=True):
        part = table[table["carrier"] == carrier]
        published = None if paper is None else paper[paper["carrier"] == carrier]
        zeros = bool((part["sigma_mS_per_cm"] <= 0.0).any())
        floor = log_limits(axes, [part] if published is None else [part, published], zeros=zeros)
        if zeros:
            strip_for_zeros(axes, floor)
        if published is not None:
            _paper_bands(axes, published, processes)
        for number, name in enumerate(names):
            _estimator_series(axes, part[part["estimator"] == name], name, number, len(names), processes, floor)
        axes.set_xticks(range(len(processes)), processes)
        axes.set_xlim(-0.5, len(processes) - 0.5)
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel(f"{SYMBOLS.get(carrier, carrier)} (mS cm$^{{-1}}$)")
        key_below(axes, 4, gap=0.09)
    return figure


def _paper_bands(axes: Axes, published: pd.DataFrame, processes: list[str]) -> None:
    from matplotlib.patches import Rectangle

    for row in published.to_dict("records"):
        if row["process"] not in processes:
            continue
        middle = float(row.get("sigma_mS_per_cm", np.nan))
        error = float(np.nan_to_num(row.get("stderr_mS_per_cm", 0.0)))
        low = float(row.get("low_mS_per_cm", np.nan))
        high = float(row.get("high_mS_per_cm", np.nan))
        low = low if np.isfinite(low) else max(middle - error, 1e-3 * middle)
        high = high if np.isfinite(high) else middle + error
        left = processes.index(str(row["process"])) - 0.42
        label = str(row.get("label", "published"))
        label = "_" + label if label in axes.get_legend_handles_labels()[1] else label
        if np.isfinite(middle):
            axes.plot([left, left + 0.84], [middle, middle], color=PAPER, linewidth=1.4, zorder=1, label=label)
            label = "_" + label
        if high > low:
            band = Rectangle((left, low), 0.84, high - low, facecolor=PAPER, alpha=0.3, linewidth=0, zorder=1, label=label)
            axes.add_patch(band)


def _estimator_series(
    axes: Axes, part: pd.DataFrame, name: str, number: int, count: int, processes: list[str], floor: float
) -> None:
    if part.empty:
        return
    style: dict[str, Any] = {"color": series_colour(name, ESTIMATORS), "linestyle": "none"}
    spread = 0.6 / count
    place = np.array([processes.index(str(p)) for p in part["process"]], dtype=float)
    place += (number - (count - 1) / 2) * spread
    repeat = part.groupby("process").cumcount().to_numpy()
    many = part.groupby("process")["process"].transform("size").to_numpy()
    place += (repeat - (many - 1) / 2) * np.minimum(0.06, 0.8 * spread / many)
    sigma, errors = part["sigma_mS_per_cm"].to_numpy(dtype=float), column(part, "stderr_mS_per_cm")
    good = sigma > 0.0
    bars = None if not good.any() else error_bars(sigma[good], None if errors is None else errors[good])
    axes.errorbar(place[good], sigma[good], bars, marker=MARKERS.get(name, "^"), label=name, zorder=3, **style)
    if not good.all():
        bottom = math.sqrt(axes.get_ylim()[0] * floor)
        axes.plot(place[~good], np.full((~good).sum(), bottom), marker="v", fillstyle="none", zorder=3, **style)
