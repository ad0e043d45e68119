"""Impedance spectra: Nyquist and Bode plots, with points of an experiment beside."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError
from viz.palette import INK, PROCESSES
from viz.plots.axes import few_decades, key_below, label_short_axis, looks, make_panels, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = ("frequency_Hz", "z_real_ohm", "z_imag_ohm")
PREFIXES = {-6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
WIDTH = 4.7
"""Width of a Nyquist plot [inch]."""
APART = 0.13
"""Frequencies are written no closer to each other than this, over the size of the curve."""
LOW = 0.05
"""Points below this share of the height of their curve have their frequency below."""


@styled
def nyquist(
    spectrum: Mapping[str, ArrayLike] | pd.DataFrame, *, experiment: Mapping[str, ArrayLike] | pd.DataFrame | None = None
) -> Figure:
    """Plot -Im Z against Re Z at equal scales, with whole decades of the frequency written at the curve.

    Parameters
    ----------
    spectrum : mapping or DataFrame
        Arrays of shape (n,): `frequency_Hz`, `z_real_ohm`, `z_imag_ohm` (negative for a capacitance); optional `series`, the
        name of the curve that a point belongs to, and `z_real_stderr_ohm`, `z_imag_stderr_ohm` (error bars).
    experiment : the same, optional
        Measured points: open markers.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If an array is missing, shapes differ, or a frequency is not above 0.

    Examples
    --------
    >>> frequency = np.logspace(0, 6, 40)
    >>> z = 10.0 + 90.0 / (1.0 + 2j * np.pi * frequency * 1e-4)
    >>> nyquist({"frequency_Hz": frequency, "z_real_ohm": z.real, "z_imag_ohm": z.imag}).axes[0].get_xlabel()
    'Re Z (Ω)'
    """
    curves, points = _curves(spectrum), {} if experiment is None else _curves(experiment)
    everything = [*curves.values(), *points.values()]
    wide, high = (max(float(np.ptp(np.concatenate([c[k] for c in everything]))), 1e-12) for k in NAMES[1:])
    figure, (axes,) = make_panels(1, height=1.6 + WIDTH * min(max(1.15 * high / wide, 0.3), 1.0))
    figure.set_figwidth(WIDTH + 0.9)
    for name, (curve, look) in _together(curves, points).items():
        line = (
            {"linestyle": "none", "markerfacecolor": "white", "markersize": 5.0, "zorder": 3}
            if name in points
            else {"markersize": 3.5}
        )
        axes.errorbar(curve["z_real_ohm"], -curve["z_imag_ohm"], curve.get("z_imag_stderr_ohm"), curve.get("z_real_stderr_ohm"),
                      label=name, **look, **line)  # fmt: skip
    axes.axhline(0.0, color="#C9C9C9", linewidth=0.8, zorder=0)
    axes.set(xlabel="Re Z (Ω)", ylabel="−Im Z (Ω)")
    axes.set_aspect("equal", adjustable="datalim")
    written: list[NDArray[np.float64]] = []
    for curve in curves.values():
        _frequencies(axes, curve, APART * max(wide, high), written)
    key_below(axes, 2)
    return figure


@styled
def bode(
    spectrum: Mapping[str, ArrayLike] | pd.DataFrame, *, experiment: Mapping[str, ArrayLike] | pd.DataFrame | None = None
) -> Figure:
    """Plot the magnitude of the impedance and its phase against frequency.

    Parameters
    ----------
    spectrum, experiment : mapping or DataFrame
        As for `nyquist`.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        As for `nyquist`.

    Examples
    --------
    >>> z = np.array([100.0, 50.0 - 50.0j, 1.0])
    >>> arrays = {"frequency_Hz": [1.0, 1e3, 1e6], "z_real_ohm": z.real, "z_imag_ohm": z.imag}
    >>> [axes.get_ylabel() for axes in bode(arrays).axes]
    ['|Z| (Ω)', '−phase of Z (°)']
    """
    curves, points = _curves(spectrum), {} if experiment is None else _curves(experiment)
    figure, panels = make_panels(2, height=4.0)
    for name, (curve, look) in _together(curves, points).items():
        order = np.argsort(curve["frequency_Hz"])
        frequency, real, imaginary = (curve[key][order] for key in NAMES)
        size, angle = np.hypot(real, imaginary), -np.degrees(np.arctan2(imaginary, real))
        errors = _polar_errors(curve, order, real, imaginary)
        line = (
            {"linestyle": "none", "markerfacecolor": "white", "markersize": 5.0, "zorder": 3}
            if name in points
            else {"markersize": 3.5}
        )
        for axes, value, error in zip(panels, (size, angle), errors, strict=True):
            axes.errorbar(frequency, value, error, label=name, **look, **line)
    for axes, label in zip(panels, ("|Z| (Ω)", "−phase of Z (°)"), strict=True):
        axes.set(xscale="log", xlabel="frequency (Hz)", ylabel=label)
    if all((np.hypot(curve["z_real_ohm"], curve["z_imag_ohm"]) > 0.0).all() for curve in (*curves.values(), *points.values())):
        panels[0].set_yscale("log")
    for axes in panels:
        few_decades(axes)
        if axes.get_yscale() == "log":
            label_short_axis(axes.yaxis)
        key_below(axes, 2)
    return figure


def _curves(spectrum: Any) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Return the arrays of every curve, by its name."""
    missing = [name for name in NAMES if name not in spectrum]
    if missing:
        raise InputError(f"the spectrum has no {', '.join(missing)}; needed: {', '.join(NAMES)}")
    wanted = [name for name in (*NAMES, "z_real_stderr_ohm", "z_imag_stderr_ohm") if name in spectrum]
    arrays = {name: np.asarray(spectrum[name], dtype=float) for name in wanted}
    shapes = {array.shape for array in arrays.values()}
    frequency = arrays["frequency_Hz"]
    if len(shapes) != 1 or frequency.ndim != 1 or frequency.size == 0:
        raise InputError(f"the arrays of the spectrum have shapes {sorted(shapes)}; allowed: one shape (n,), n above 0")
    if not (frequency > 0.0).all():
        raise InputError(f"the lowest frequency is {frequency.min():g} Hz; allowed: above 0; leave direct current out")
    series = np.asarray(spectrum["series"] if "series" in spectrum else np.full(frequency.size, "impedance")).astype(str)
    return {str(name): {key: array[series == name] for key, array in arrays.items()} for name in dict.fromkeys(series)}


def _together(curves: dict[str, Any], points: dict[str, Any]) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return every curve and set of points with its look, by its name."""
    both = {**curves, **points}
    shown = looks(list(both), PROCESSES)
    return {name: (arrays, shown[name]) for name, arrays in both.items()}


def _polar_errors(curve: dict[str, Any], order: Any, real: Any, imaginary: Any) -> tuple[Any, Any]:
    """Return the standard errors of magnitude and phase [deg], to first order; None where those of the parts are not known."""
    if not {"z_real_stderr_ohm", "z_imag_stderr_ohm"} <= set(curve):
        return None, None
    a, b = curve["z_real_stderr_ohm"][order], curve["z_imag_stderr_ohm"][order]
    size = np.hypot(real, imaginary)
    return np.hypot(real * a, imaginary * b) / size, np.degrees(np.hypot(imaginary * a, real * b) / size**2)


def _frequencies(axes: Axes, curve: dict[str, Any], apart: float, written: list[NDArray[np.float64]]) -> None:
    """Write whole decades of the frequency at the points nearest to them, from the highest down, away from those `written`."""
    exponent = np.log10(curve["frequency_Hz"])
    points = np.column_stack([curve["z_real_ohm"], -curve["z_imag_ohm"]])
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    for decade in np.arange(math.floor(exponent.max() + 0.02), math.ceil(exponent.min() - 0.02) - 1, -1):
        at = int(np.argmin(np.abs(exponent - decade)))
        place = points[at]
        if abs(exponent[at] - decade) > 0.1 or any(np.abs(place - other).max() < apart for other in written):
            continue
        written.append(place)
        inwards = (middle - place) / max(float(np.linalg.norm(middle - place)), 1e-12)
        if place[1] - points[:, 1].min() < LOW * np.ptp(points[:, 1]):  # under the curve, where small arcs leave no room above
            inwards = np.array([0.0, -1.0])
        axes.plot(*place, marker="o", color=INK, markersize=4.5, zorder=4)
        axes.annotate(
            frequency_label(10.0**decade), (float(place[0]), float(place[1])), (9.0 * float(inwards[0]), 9.0 * float(inwards[1])),
            textcoords="offset points", ha="center" if abs(inwards[0]) < 0.4 else "left" if inwards[0] > 0 else "right",
            va="center" if abs(inwards[1]) < 0.4 else "bottom" if inwards[1] > 0 else "top", fontsize=8.0, color=INK, zorder=5,
        )  # fmt: skip


def frequency_label(frequency_Hz: float) -> str:
    """Return a frequency with its prefix.

    Examples
    --------
    >>> frequency_label(1e4), frequency_label(0.1)
    ('10 kHz', '100 mHz')
    """
    prefix = min(max(3 * math.floor((math.log10(frequency_Hz) + 1e-9) / 3), -6), 9)
    return f"{frequency_Hz / 10.0**prefix:g} {PREFIXES[prefix]}Hz"
