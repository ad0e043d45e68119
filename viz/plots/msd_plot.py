"""How far carriers get: mean square displacement and the diffusivity that it settles at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError
from viz.palette import AXES, PAPER, series_colour
from viz.plots.axes import MARKERS, error_bars, few_decades, key_below, make_panels, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def msd(
    time_s: ArrayLike,
    msd_m2: ArrayLike,
    *,
    stderr_m2: ArrayLike | None = None,
    diffusivity_m2_per_s: Mapping[str, float] | None = None,
    stderr_m2_per_s: Mapping[str, float] | None = None,
    lag_s: float | None = None,
) -> Figure:
    """Plot mean square displacements along the axes, and the diffusivity MSD/(2t) as it settles.

    Parameters
    ----------
    time_s : array of shape (n,)
        Lags [s].
    msd_m2 : array of shape (n,) or (n, 3)
        Mean square displacement [m^2] along one axis, or along x, y, z.
    stderr_m2 : array of the same shape, optional
        Its standard error.
    diffusivity_m2_per_s, stderr_m2_per_s : mapping of axis to float, optional
        The diffusivity that is quoted, drawn as a line, and its error, drawn as a band.
    lag_s : float, optional
        The lag at which it is quoted.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes do not fit, or no displacement is positive.
    """
    time, displacement, error = _msd_arrays(time_s, msd_m2, stderr_m2)
    names = list("xyz")[: displacement.shape[1]]
    figure, (left, right) = make_panels(2, height=4.2)
    for column, name in enumerate(names):
        good = (displacement[:, column] > 0.0) & (time > 0.0)
        t, value = time[good], displacement[good, column]
        bar = None if error is None else error[good, column]
        look: dict[str, Any] = {"color": series_colour(name, AXES), "marker": MARKERS[name], "markersize": 5.0}
        label = f"along {name}" if len(names) > 1 else "carriers"
        left.errorbar(t, value, error_bars(value, bar), label=label, **look)
        right.errorbar(t, value / (2 * t), error_bars(value / (2 * t), None if bar is None else bar / (2 * t)),
                       label=label, **look)  # fmt: skip
        quoted = (diffusivity_m2_per_s or {}).get(name, 0.0)
        if quoted > 0.0:
            wide = (stderr_m2_per_s or {}).get(name, 0.0)
            right.axhline(quoted, color=look["color"], linestyle="--", linewidth=1.0)
            low = max(quoted - wide, 1e-3 * quoted)
            right.axhspan(low, quoted + wide, color=look["color"], alpha=0.15, linewidth=0)
    _slope_one(left, time, displacement)
    if lag_s is not None:
        right.axvline(lag_s, color=PAPER, linewidth=1.0, linestyle=":", label="lag of the quoted value")
    if diffusivity_m2_per_s:
        right.plot([], [], color=PAPER, linestyle="--", linewidth=1.0, label="quoted value ± standard error")
    for axes, label in ((left, "mean square displacement (m$^2$)"), (right, "MSD / 2t (m$^2$ s$^{-1}$)")):
        axes.set(xscale="log", yscale="log", xlabel="time t (s)", ylabel=label)
        few_decades(axes)
        key_below(axes, 2)
    return figure


def _msd_arrays(time_s: ArrayLike, msd_m2: ArrayLike, stderr_m2: ArrayLike | None) -> Any:
    time, displacement = np.asarray(time_s, dtype=float), np.asarray(msd_m2, dtype=float)
    displacement = displacement[:, None] if displacement.ndim == 1 else displacement
    error = None if stderr_m2 is None else np.asarray(stderr_m2, dtype=float).reshape(displacement.shape)
    if displacement.shape not in ((time.size, 1), (time.size, 3)) or time.ndim != 1:
        raise InputError(f"time has shape {time.shape}, msd {displacement.shape}; allowed: (n,) with (n,) or (n, 3)")
    if not (displacement > 0.0).any():
        raise InputError("no mean square displacement is above 0, so there is nothing to draw; did anything move?")
    return time, displacement, error


def _slope_one(axes: Axes, time: NDArray[np.float64], displacement: NDArray[np.float64]) -> None:
    """Draw the slope that free diffusion has, a little below the last point."""
    good = time > 0.0
    ends = np.array([time[good].min(), time[good].max()])
    last = displacement[np.argmax(time)]
    axes.plot(
        ends,
        0.6 * last[last > 0.0].min(initial=np.inf) / ends[1] * ends,
        color=PAPER,
        linewidth=1.0,
        linestyle="--",
        label="slope 1 (diffusion)",
    )
