"""Where -Im Z has its maxima and minima: what an eye sees on a Nyquist plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from cofire.spectra.kramers_kronig import FEWEST, kramers_kronig
from cofire.spectra.spectrum import Spectrum

PROMINENCE = 0.01
"""A maximum stands out by this share of the largest -Im Z, or it is noise."""
SCATTER = 6.0
"""And by this many standard deviations of the noise, as the Kramers-Kronig test finds it."""
ROUNDING = 1e-9
"""What a file may have lost of |Z|."""


@dataclass(frozen=True)
class Extremum:
    """A maximum (apex of an arc) or minimum (valley between arcs) of -Im Z.

    Attributes
    ----------
    frequency_Hz, z_real_ohm, minus_imag_ohm : float
        Where it is; interpolated between frequencies.
    """

    frequency_Hz: float
    z_real_ohm: float
    minus_imag_ohm: float


def apexes(spectrum: Spectrum, *, least: float = PROMINENCE) -> tuple[Extremum, ...]:
    """Return the maxima of -Im Z, from low to high frequency, by a parabola in ln f through three points.

    Arcs that overlap move each other's apexes: of R 100 and 900 ohm in series, 2.35 decades apart, the smaller by 8 %. The
    relaxation frequencies of a fitted circuit do not move.

    Parameters
    ----------
    least : float
        A maximum counts where it stands out by this share of the largest -Im Z, and by six standard deviations of the noise.

    Examples
    --------
    >>> f = np.geomspace(1e2, 1e8, 61)
    >>> [apex] = apexes(Spectrum(f, 10.0 + 90.0 / (1.0 + 1j * f / 1.2e5)))
    >>> round(apex.frequency_Hz / 1.2e5, 2), round(apex.z_real_ohm)
    (1.0, 55)
    """
    return _extrema(spectrum, 1.0, least)


def valleys(spectrum: Spectrum, *, least: float = PROMINENCE) -> tuple[Extremum, ...]:
    """Return the minima of -Im Z between arcs, from low to high frequency, as `apexes` does the maxima."""
    return _extrema(spectrum, -1.0, least)


def _extrema(spectrum: Spectrum, sign: float, least: float) -> tuple[Extremum, ...]:
    x, height = np.log(spectrum.frequencies_Hz), -spectrum.z_ohm.imag
    modulus = np.abs(spectrum.z_ohm)
    scatter = SCATTER * kramers_kronig(spectrum).noise if height.size >= FEWEST else 0.0
    threshold = np.maximum(max(least * float(height.max()), ROUNDING * float(modulus.max())), scatter * modulus)
    found = []
    for at in find_peaks(sign * height, prominence=threshold)[0]:
        around = slice(at - 1, at + 2)
        place, top = _parabola(x[around], height[around])
        found.append(Extremum(math.exp(place), float(np.interp(place, x, spectrum.z_ohm.real)), top))
    return tuple(found)


def _parabola(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return place and height of the extremum of the parabola through three points, the middle one if they are level."""
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    if left == right:
        return float(x[1]), float(y[1])
    curvature = (right - left) / (x[2] - x[0])
    place = min(max(0.5 * (x[0] + x[1] - left / curvature), x[0]), x[2])
    return float(place), float(y[0] + (place - x[0]) * (left + curvature * (place - x[1])))
