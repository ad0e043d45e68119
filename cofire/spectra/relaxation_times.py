"""Distribution of relaxation times: regularised, non-negative, with the resistance of every peak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from cofire.spectra.spectrum import Spectrum
from microstructures.errors import InputError
from microstructures.notebook import InNotebook

PER_DECADE = 25
"""Relaxation times a decade."""
BEYOND = 1.0
"""Decades of relaxation times beyond the band, on either side."""
STRENGTHS = np.geomspace(1e-9, 1e1, 31)
"""Regularisations that are weighed against each other, over the largest column of the problem."""
LEAST_SHARE = 1e-3
"""A peak below this share of the whole resistance is noise."""


@dataclass(frozen=True)
class Peak:
    """A peak of the distribution of relaxation times.

    Attributes
    ----------
    frequency_Hz : float
        1 / (2 pi tau), tau the mean of ln tau over the peak.
    resistance_ohm : float
        Its area.
    capacitance_F : float
        tau / R.
    """

    frequency_Hz: float
    resistance_ohm: float
    capacitance_F: float


@dataclass(frozen=True, eq=False)
class RelaxationTimes(InNotebook):
    """A distribution of relaxation times.

    Attributes
    ----------
    tau_s : ndarray of shape (m,), dtype float64
        Relaxation times [s], rising, even in their logarithm.
    gamma_ohm : ndarray of shape (m,), dtype float64
        Resistance per unit of ln tau [ohm].
    series_ohm, series_H, series_per_F : float
        Resistance, inductance and inverse capacitance in series with it.
    strength : float
        Regularisation chosen.
    residual : float
        Largest |Z_fit - Z| / |Z|.
    peaks : tuple of Peak
        From high to low frequency.
    """

    tau_s: NDArray[np.float64]
    gamma_ohm: NDArray[np.float64]
    series_ohm: float
    series_H: float
    series_per_F: float
    strength: float
    residual: float
    peaks: tuple[Peak, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return arrays and numbers as plain values."""
        return {
            "tau_s": self.tau_s.tolist(),
            "gamma_ohm": self.gamma_ohm.tolist(),
            "series_ohm": self.series_ohm,
            "series_H": self.series_H,
            "series_per_F": self.series_per_F,
            "strength": self.strength,
            "residual": self.residual,
            "peaks": [vars(peak) for peak in self.peaks],
        }


def relaxation_times(spectrum: Spectrum, *, strength: float | None = None) -> RelaxationTimes:
    """Return the distribution of relaxation times of a spectrum.

    Z = R_s + i w L + 1 / (i w C) + integral of gamma(ln tau) / (1 + i w tau) d ln tau, all of it non-negative, by least squares
    of (Z_fit - Z) / |Z| with the penalty strength |gamma|^2 (Tikhonov). The strength is that of least generalised
    cross-validation (Golub, Heath and Wahba, Technometrics 1979, 10.1080/00401706.1979.10489751) of the same problem without
    signs: more where a spectrum is noisy, next to nothing where it is computed.

    Parameters
    ----------
    spectrum : Spectrum
        At least 5 frequencies.
    strength : float, optional
        Regularisation to use instead.

    Raises
    ------
    InputError
        If there are fewer than 5 frequencies or the strength is not finite and above 0.

    Examples
    --------
    >>> f = np.geomspace(1e2, 1e8, 41)
    >>> [peak] = relaxation_times(Spectrum(f, 10.0 + 90.0 / (1.0 + 1j * f / 1e5))).peaks
    >>> round(peak.resistance_ohm, 1), round(math.log10(peak.frequency_Hz), 2)
    (90.0, 5.0)
    """
    if spectrum.frequencies_Hz.size < 5:
        raise InputError(f"{spectrum.frequencies_Hz.size} frequencies hold no distribution of times; allowed: 5 or more")
    if strength is not None and not 0.0 < strength < math.inf:
        raise InputError(f"the strength of the regularisation is {strength:g}; allowed: finite and above 0")
    tau_s = _times(spectrum)
    rows, scale = _problem(spectrum, tau_s)
    modulus = np.abs(spectrum.z_ohm)
    goal = np.concatenate([spectrum.z_ohm.real / modulus, spectrum.z_ohm.imag / modulus])
    chosen = _cross_validated(rows, goal) if strength is None else strength
    penalty = math.sqrt(chosen) * np.eye(tau_s.size, tau_s.size + 3, 3)
    solution, _ = nnls(np.vstack([rows, penalty]), np.concatenate([goal, np.zeros(tau_s.size)]), maxiter=50 * goal.size)
    error = (rows @ solution - goal).reshape(2, -1)
    series, inductance, per_farad = (solution[:3] / scale[:3]).tolist()
    resistances = solution[3:] / scale[3:]
    gamma_ohm = resistances / math.log(tau_s[1] / tau_s[0])
    peaks = _peaks(tau_s, resistances)
    return RelaxationTimes(
        tau_s, gamma_ohm, series, inductance, per_farad, float(chosen), float(np.hypot(error[0], error[1]).max()), peaks
    )


def _times(spectrum: Spectrum) -> NDArray[np.float64]:
    low, high = np.log10(1.0 / spectrum.angular_per_s[[-1, 0]])
    count = math.ceil((high - low + 2.0 * BEYOND) * PER_DECADE) + 1
    return np.logspace(low - BEYOND, high + BEYOND, count)


def _problem(spectrum: Spectrum, tau_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return real and imaginary rows, columns of length 1 (series elements) or equal (times), and what they were divided by."""
    s = spectrum.i_angular_per_s
    columns = np.column_stack([np.ones_like(s), s, 1.0 / s, 1.0 / (1.0 + np.outer(s, tau_s))]) / np.abs(spectrum.z_ohm)[:, None]
    rows = np.vstack([columns.real, columns.imag])
    length = np.linalg.norm(rows, axis=0)
    scale = np.concatenate([length[:3], np.full(tau_s.size, length[3:].max())])
    return rows / scale, scale


def _cross_validated(rows: NDArray[np.float64], goal: NDArray[np.float64]) -> float:
    """Return the strength of least generalised cross-validation; the three series elements are not penalised."""
    series, _ = np.linalg.qr(rows[:, :3])
    rest = goal - series @ (series.T @ goal)
    left, singular, _ = np.linalg.svd(rows[:, 3:] - series @ (series.T @ rows[:, 3:]), full_matrices=False)
    along = left.T @ rest
    outside = max(float(rest @ rest - along @ along), 0.0)
    scores = []
    for strength in STRENGTHS:
        kept = singular**2 / (singular**2 + strength)
        scores.append((outside + float(np.sum(((1.0 - kept) * along) ** 2))) / (goal.size - 3.0 - float(kept.sum())) ** 2)
    return float(STRENGTHS[int(np.argmin(scores))])


def _peaks(tau_s: NDArray[np.float64], resistances: NDArray[np.float64]) -> tuple[Peak, ...]:
    """Return the peaks: runs of times between the minima of the distribution, each with its area and mean ln tau."""
    padded = np.concatenate([[0.0], resistances, [0.0]])
    smooth = padded[:-2] + 2.0 * padded[1:-1] + padded[2:]  # a single time falls between two of the grid
    change = np.flatnonzero((smooth[1:-1] <= smooth[:-2]) & (smooth[1:-1] < smooth[2:])) + 1
    found = []
    for run in np.split(np.arange(tau_s.size), change):
        area = float(resistances[run].sum())
        if area > LEAST_SHARE * float(resistances.sum()):
            tau = math.exp(float(resistances[run] @ np.log(tau_s[run])) / area)
            found.append(Peak(1.0 / (2.0 * math.pi * tau), area, tau / area))
    return tuple(found)
