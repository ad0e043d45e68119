"""Conductivity against temperature: an Arrhenius plot of computed and measured values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from microstructures.units import BOLTZMANN_EV_PER_K, ZERO_CELSIUS_K
from viz.palette import PROCESSES, series_colour
from viz.plots.axes import MARKERS, SYMBOLS, column, error_bars, key_below, make_panels, require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@styled
def arrhenius(table: pd.DataFrame, *, experiment: pd.DataFrame | None = None, fit: str = "ln σ") -> Figure:
    """Plot conductivities against 1000/T, one panel per carrier, temperatures in degC along the top.

    Parameters
    ----------
    table : DataFrame
        Columns `process, carrier, temperature_C, sigma_mS_per_cm`; optional `stderr_mS_per_cm` (error bars) and
        `activation_energy_eV` (one number per process and carrier, printed in the key).
    experiment : DataFrame, optional
        Columns `label, carrier, process, temperature_C, sigma_mS_per_cm`, optional `stderr_mS_per_cm` and
        `activation_energy_eV`: open markers, and a dashed line of that slope through them.
    fit : str
        Which activation energy the numbers are: "ln σ" or "ln σT".

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or nothing can be drawn.
    """
    require(table, ("process", "carrier", "temperature_C", "sigma_mS_per_cm"))
    if experiment is not None:
        require(experiment, ("label", "carrier", "process", "temperature_C", "sigma_mS_per_cm"))
    everything = [table] if experiment is None else [table, experiment]
    carriers = list(dict.fromkeys(str(c) for frame in everything for c in frame["carrier"]))
    temperatures = sorted({float(t) for frame in everything for t in frame["temperature_C"]})
    figure, panels = make_panels(len(carriers), height=4.6)
    for axes, carrier in zip(panels, carriers, strict=True):
        for process, part in table[table["carrier"] == carrier].groupby("process", sort=False):
            _arrhenius_series(axes, part, str(process), str(process), fit)
        if experiment is not None:
            chosen = experiment[experiment["carrier"] == carrier]
            for pair, part in chosen.groupby(["label", "process"], sort=False):
                label, process = map(str, pair)
                _arrhenius_experiment(axes, part, f"{label}, {process}", process, temperatures, fit)
        axes.set_yscale("log")
        axes.set_xlabel("1000 / T (K$^{-1}$)")
        axes.set_ylabel(f"{SYMBOLS.get(carrier, carrier)} (mS cm$^{{-1}}$)")
        _celsius_axis(axes, temperatures)
        key_below(axes, 1)
    return figure


def _slope(part: pd.DataFrame) -> float | None:
    """Return the one activation energy [eV] of a series, if it has one."""
    energies = column(part, "activation_energy_eV")
    known = np.array([]) if energies is None else energies[np.isfinite(energies)]
    return float(known[0]) if known.size else None


def _energy_label(label: str, energy: float | None, fit: str) -> str:
    return label if energy is None else f"{label}: $E_a$ = {energy:.2f} eV ({fit})"


def _arrhenius_series(axes: Axes, part: pd.DataFrame, label: str, process: str, fit: str) -> None:
    ordered = part.sort_values("temperature_C")
    sigma = ordered["sigma_mS_per_cm"].to_numpy(dtype=float)
    label = _energy_label(label, _slope(ordered), fit)
    look: dict[str, Any] = {"color": series_colour(process, PROCESSES), "marker": MARKERS.get(process, "^")}
    good = sigma > 0.0
    if not good.any():
        axes.plot([], [], label=f"{label}: 0 (no path)", linestyle="none", fillstyle="none", **look)
        return
    x = 1000.0 / (ordered["temperature_C"].to_numpy(dtype=float) + ZERO_CELSIUS_K)
    errors = column(ordered, "stderr_mS_per_cm")
    drawn = error_bars(sigma[good], None if errors is None else errors[good])
    axes.errorbar(x[good], sigma[good], drawn, label=label, **look)


def _arrhenius_experiment(
    axes: Axes, part: pd.DataFrame, label: str, process: str, temperatures: list[float], fit: str
) -> None:
    part = part[part["sigma_mS_per_cm"] > 0.0]
    if part.empty:
        return
    energy, colour = _slope(part), series_colour(process, PROCESSES)
    x = 1000.0 / (part["temperature_C"].to_numpy(dtype=float) + ZERO_CELSIUS_K)
    sigma, errors = part["sigma_mS_per_cm"].to_numpy(dtype=float), column(part, "stderr_mS_per_cm")
    axes.errorbar(
        x, sigma, error_bars(sigma, errors), label=_energy_label(label, energy, fit), linestyle="none", color=colour,
        marker=MARKERS.get(process, "^"), markerfacecolor="white", markersize=8.0, zorder=3,
    )  # fmt: skip
    if energy is not None:
        across = 1000.0 / (np.linspace(temperatures[0], temperatures[-1], 50) + ZERO_CELSIUS_K)
        power = 1.0 if fit.endswith("T") else 0.0
        middle, level = x.mean(), np.exp(np.log(sigma).mean())
        line = level * np.exp(-energy / BOLTZMANN_EV_PER_K * (across - middle) / 1000.0) * (across / middle) ** power
        axes.plot(across, line, color=colour, linestyle="--", linewidth=1.0, zorder=1)


def _celsius_axis(axes: Axes, temperatures: list[float]) -> None:
    """Add the temperatures in degC along the top, at those that were computed if they are few."""
    from matplotlib.ticker import NullLocator

    def turn(x: Any, shift_in: float, shift_out: float) -> Any:
        return 1000.0 / np.maximum(np.asarray(x, dtype=float) + shift_in, 1e-3) - shift_out

    top = axes.secondary_xaxis(
        "top", functions=(lambda x: turn(x, 0.0, ZERO_CELSIUS_K), lambda t: turn(t, ZERO_CELSIUS_K, 0.0))
    )
    step = math.ceil(len(temperatures) / 6)
    top.set_xticks(temperatures[::step], [f"{t:g}" for t in temperatures[::step]])
    top.xaxis.set_minor_locator(NullLocator())
    top.set_xlabel("temperature (°C)")
