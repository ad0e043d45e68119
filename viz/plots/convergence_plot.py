"""Does the number hold? Against the size of the voxels, with the limit of none; and against the iterations of the solver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import AXES, PAPER, PROCESSES
from viz.plots.axes import axis_label, column, few_decades, key_below, looks, make_panels, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LIMIT = ("series", "limit", "limit_error", "order")
BESIDE = 0.02
"""How far limits lie beside each other, so that their errors can be told apart, over the coarsest voxel."""
APART = {"markerfacecolor": "white", "linestyle": "--", "linewidth": 1.0}
"""How the difference of the flows is drawn."""
FLOWS = ("inflow_S_per_m", "outflow_S_per_m", "dissipation_S_per_m")


@styled
def voxel_convergence(table: pd.DataFrame, *, value: str, limits: pd.DataFrame | None = None) -> Figure:
    """Plot a number against the voxel edge h, with the limit h -> 0 and its error as an open marker.

    Parameters
    ----------
    table : DataFrame
        Columns `series, voxel_nm` and `value`; optional `stderr`, its standard error.
    value : str
        Column of the number; its unit, at the end of the name, goes into the label.
    limits : DataFrame, optional
        Columns `series, limit, limit_error, order`: Richardson's extrapolation f(h) = f0 + C h^p (Phil. Trans. R. Soc. A 210,
        307, 1911), f0 and its error in the unit of the number, and p; NaN where no order was seen, then no curve is drawn.

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
    >>> table = pd.DataFrame({"series": "ion", "voxel_nm": [25, 50, 100], "sigma_eff_mS_per_cm": [1.02, 1.04, 1.08]})
    >>> limits = pd.DataFrame({"series": ["ion"], "limit": [1.0], "limit_error": [0.025], "order": [1.0]})
    >>> voxel_convergence(table, value="sigma_eff_mS_per_cm", limits=limits).axes[0].get_xlabel()
    'voxel edge h (nm)'
    """
    require(table, ("series", "voxel_nm", value))
    if limits is not None:
        require(limits, LIMIT)
    names = list(dict.fromkeys(map(str, table["series"])))
    figure, (axes,) = make_panels(1, height=4.4)
    step = BESIDE * float(table["voxel_nm"].max())
    for number, (name, look) in enumerate(looks(names, {**PROCESSES, **AXES}).items()):
        part = table[table["series"].astype(str) == name].sort_values("voxel_nm")
        size, found = part["voxel_nm"].to_numpy(dtype=float), part[value].to_numpy(dtype=float)
        axes.errorbar(size, found, column(part, "stderr"), label=name, linestyle="none", **look)
        if limits is not None:
            for row in limits[limits["series"].astype(str) == name].to_dict("records"):
                _limit(axes, row, step * (number - (len(names) - 1) / 2), (size[0], found[0]), size[-1], look)
    axes.set(xlabel="voxel edge h (nm)", ylabel=axis_label(value))
    axes.set_xlim(-0.04 * float(table["voxel_nm"].max()), 1.06 * float(table["voxel_nm"].max()))
    if limits is not None:
        axes.axvline(0.0, color=PAPER, linewidth=0.8, zorder=0)
        axes.errorbar(
            [], [], [], marker="o", color=PAPER, markerfacecolor="white", linestyle="none", label="limit h → 0 ± error"
        )
    key_below(axes, 2)
    return figure


def _limit(
    axes: Axes, row: dict[Any, Any], place: float, finest: tuple[float, float], coarsest: float, look: dict[str, Any]
) -> None:
    """Draw the limit with its error, and the curve from it through the finest value."""
    limit, order = float(row["limit"]), float(row["order"])
    axes.errorbar(
        place, limit, float(row["limit_error"]), markerfacecolor="white", markersize=7.0, zorder=3, clip_on=False, **look
    )
    if np.isfinite(order):
        across = np.linspace(0.0, coarsest, 80)
        curve = limit + (finest[1] - limit) * (across / finest[0]) ** order
        axes.plot(across, curve, color=look["color"], linestyle="--", linewidth=1.0, zorder=1)


@styled
def solver_convergence(table: pd.DataFrame, *, tolerance: float | None = None) -> Figure:
    """Plot against the iterations of the solver how far sigma_eff is from its last value, and inflow, outflow and dissipation apart.

    The three flows are equal once the potential solves Kirchhoff's equations; the solver stops when they agree. They may agree by
    chance before: a potential that falls evenly takes in nearly what it gives out. So the distance from the last value is shown
    as well; the last row of a series serves as its value and is not drawn.

    Parameters
    ----------
    table : DataFrame
        Columns `iterations, inflow_S_per_m, outflow_S_per_m, dissipation_S_per_m`, as an `AxisSolution` names them; solve with
        a small `tolerance` and `max_iterations` = 0, 1, 2, ... for the rows. Optional `series`.
    tolerance : float, optional
        Drawn as a line.

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
    >>> flows = {"inflow_S_per_m": [0.9, 1.0], "outflow_S_per_m": [1.2, 1.01], "dissipation_S_per_m": [1.1, 1.0]}
    >>> solver_convergence(pd.DataFrame({"iterations": [0, 1], **flows})).axes[0].get_xlabel()
    'iterations (1)'
    """
    from matplotlib.ticker import MaxNLocator

    require(table, ("iterations", *FLOWS))
    part = table.assign(series=table["series"].astype(str) if "series" in table.columns else "solver")
    names = list(dict.fromkeys(part["series"]))
    figure, (axes,) = make_panels(1, height=4.4)
    figure.set_figwidth(5.6)
    for name, look in looks(names, {**PROCESSES, **AXES}).items():
        mine = part[part["series"] == name].sort_values("iterations")
        flows = mine[list(FLOWS)].to_numpy(dtype=float)
        size = np.maximum(np.abs(flows).max(axis=1), np.finfo(float).tiny)
        done = mine["iterations"].to_numpy(dtype=float)
        _curve(
            axes,
            done[:-1],
            np.abs(flows[:-1, 2] / (flows[-1, 2] or 1.0) - 1.0),
            f"{name}: σ$_{{eff}}$ from its last value",
            look,
        )
        _curve(axes, done, np.ptp(flows, axis=1) / size, f"{name}: flows apart", {**look, **APART})
    axes.set_yscale("log")
    axes.set(xlabel="iterations (1)", ylabel="relative difference (1)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if tolerance is not None:
        axes.axhline(tolerance, color=PAPER, linestyle=":", linewidth=1.2, label=f"tolerance {tolerance:g}")
    few_decades(axes)
    key_below(axes, 2)
    return figure


def _curve(axes: Axes, done: Any, difference: Any, label: str, look: dict[str, Any]) -> None:
    shown = difference > 0.0
    axes.plot(done[shown], difference[shown], label=label, markersize=5.0, **look)
