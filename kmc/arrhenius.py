"""Activation energies: from conductivities at several temperatures, or exactly from one solution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.errors import InputError
from microstructures.notebook import InNotebook
from microstructures.units import BOLTZMANN_EV_PER_K, kelvin


@dataclass(frozen=True)
class ArrheniusFit(InNotebook):
    """Activation energies of one series, fitted both ways that papers use.

    Attributes
    ----------
    activation_energy_eV : float
        Slope of ln(sigma) against -1/(kT); the one quoted.
    activation_energy_sigma_T_eV : float
        Slope of ln(sigma T), larger by about kT.
    residual : float
        Root mean square deviation of ln(sigma) from the straight line.
    activation_energy_stderr_eV, activation_energy_sigma_T_stderr_eV : float
        Standard errors of both slopes, from the scatter about the lines; NaN where two temperatures leave no scatter.
    """

    activation_energy_eV: float
    activation_energy_sigma_T_eV: float
    residual: float
    activation_energy_stderr_eV: float = math.nan
    activation_energy_sigma_T_stderr_eV: float = math.nan

    def to_dict(self) -> dict[str, float]:
        """Return the fit as plain values."""
        return asdict(self)


def fit_arrhenius(temperature_C: Sequence[float], sigma_S_per_m: Sequence[float]) -> ArrheniusFit:
    """Fit ln(sigma) and ln(sigma T) against 1/T by least squares.

    Raises
    ------
    InputError
        If fewer than two different temperatures, or a conductivity that is not positive, are given.

    Examples
    --------
    >>> from kmc.rates import arrhenius
    >>> sigma = [arrhenius(0.3, t, 60.0) for t in (50.0, 60.0, 80.0)]
    >>> round(fit_arrhenius([50.0, 60.0, 80.0], sigma).activation_energy_eV, 9)
    0.3
    """
    kelvins = np.array([kelvin(t) for t in temperature_C])
    sigma = np.asarray(sigma_S_per_m, dtype=np.float64)
    if len(np.unique(kelvins)) < 2 or len(kelvins) != len(sigma):
        raise InputError(f"an Arrhenius fit needs at least two different temperatures, got {list(temperature_C)} degC")
    if not (sigma > 0.0).all():
        raise InputError("an Arrhenius fit needs conductivities above 0; one of them does not percolate")
    inverse = -1.0 / (BOLTZMANN_EV_PER_K * kelvins)
    slope, error, residual = _line(inverse, np.log(sigma))
    slope_t, error_t, _ = _line(inverse, np.log(sigma * kelvins))
    return ArrheniusFit(slope, slope_t, residual, error, error_t)


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return slope, its standard error (NaN for two points) and root mean square misfit of a straight line."""
    slope, offset = np.polyfit(x, y, 1)
    squares = float(((y - slope * x - offset) ** 2).sum())
    spread = float(((x - x.mean()) ** 2).sum())
    error = math.sqrt(squares / (len(x) - 2) / spread) if len(x) > 2 else math.nan
    return float(slope), error, math.sqrt(squares / len(x))


def class_activation_energy_eV(network: Network, step_K: float = 0.01) -> NDArray[np.float64]:
    """Return -d ln(g) / d(1/kT) [eV] of every face class along each axis, shape (3, n_classes), 0 where nothing conducts."""
    t = network.temperature_C
    low, high = network.at(t - step_K).conductance, network.at(t + step_K).conductance
    inverse = [1.0 / (BOLTZMANN_EV_PER_K * kelvin(t + sign * step_K)) for sign in (-1.0, 1.0)]
    conducts = (low > 0.0) & (high > 0.0)
    ratio = np.log(np.where(conducts, high, 1.0) / np.where(conducts, low, 1.0))
    return np.asarray(-ratio / (inverse[1] - inverse[0]))
