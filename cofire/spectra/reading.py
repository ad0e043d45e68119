"""R_i and R_e as an experimenter reads them off the Nyquist plot of a mixed conductor between ion-blocking plates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire.spectra.apexes import apexes, valleys
from cofire.spectra.spectrum import Spectrum
from microstructures.errors import InputError
from microstructures.notebook import InNotebook

SHARE_OF_APEX = 0.5
"""Points of the low-frequency arc higher than this share of its apex draw its circle; lower ones lean on their neighbours."""

SINGLE = 0.05
"""One arc that ends below this share of the low-frequency resistance is that of capacitances, not of blocked ions."""


@dataclass(frozen=True)
class Reading(InNotebook):
    """Two resistances from two intercepts.

    Attributes
    ----------
    first_intercept_ohm : float
        Between the arcs: R_i R_e / (R_i + R_e).
    second_intercept_ohm : float
        At low frequency: R_e.
    R_i_ohm, R_e_ohm : float
        What follows from them.
    """

    first_intercept_ohm: float
    second_intercept_ohm: float
    R_i_ohm: float
    R_e_ohm: float

    @property
    def amplification(self) -> float:
        """Relative error of R_i over that of the first intercept alone: (R_i + R_e) / R_e."""
        return (self.R_i_ohm + self.R_e_ohm) / self.R_e_ohm

    def error_of_R_i_ohm(self, percent: float) -> float:
        """Return the error of R_i [ohm] for an error of the first intercept [%], to first order."""
        return self.amplification * 0.01 * percent * self.R_i_ohm

    def error_of_R_e_ohm(self, percent: float) -> float:
        """Return the error of R_e [ohm] for an error of the second intercept [%]."""
        return 0.01 * percent * self.R_e_ohm

    def range_of_R_i_ohm(self, percent: float) -> tuple[float, float]:
        """Return R_i [ohm] where the first intercept is `percent` lower and higher; infinite where it passes the second.

        Raises
        ------
        InputError
            If `percent` is not 0 to below 100.

        Examples
        --------
        >>> [round(r, 1) for r in from_intercepts(15.069, 17.1).range_of_R_i_ohm(5.0)]
        [87.9, 211.8]
        """
        if not 0.0 <= percent < 100.0:
            raise InputError(f"the error of the intercept is {percent:g} %; allowed: 0 to below 100; give percent")
        first, share = self.first_intercept_ohm, 0.01 * percent
        return _ionic(first * (1.0 - share), self.R_e_ohm), _ionic(first * (1.0 + share), self.R_e_ohm)

    def to_dict(self, percent: float = 1.0) -> dict[str, Any]:
        """Return the numbers, with errors for an error of `percent` of the intercepts."""
        low, high = self.range_of_R_i_ohm(percent)
        return {
            "first_intercept_ohm": self.first_intercept_ohm,
            "second_intercept_ohm": self.second_intercept_ohm,
            "R_i_ohm": self.R_i_ohm,
            "R_e_ohm": self.R_e_ohm,
            "amplification": self.amplification,
            "error_of_intercept_percent": percent,
            "error_of_R_i_ohm": self.error_of_R_i_ohm(percent),
            "error_of_R_e_ohm": self.error_of_R_e_ohm(percent),
            "range_of_R_i_ohm": [low, high],
        }


def from_intercepts(first_ohm: float, second_ohm: float) -> Reading:
    """Return R_i and R_e from the intercept between the arcs and that at low frequency.

    Raises
    ------
    InputError
        If they are not 0 < first < second, both finite.

    Examples
    --------
    >>> reading = from_intercepts(126.9 * 17.1 / 144.0, 17.1)
    >>> round(reading.R_i_ohm, 6), round(reading.amplification, 2)
    (126.9, 8.42)
    """
    if not 0.0 < first_ohm < second_ohm < math.inf:
        raise InputError(
            f"the intercepts are {first_ohm:g} ohm between the arcs and {second_ohm:g} ohm at low frequency; "
            "allowed: the first above 0 and below the second; without a low-frequency arc no ions are seen"
        )
    return Reading(first_ohm, second_ohm, _ionic(first_ohm, second_ohm), second_ohm)


def read_mixed_conductor(spectrum: Spectrum, *, by: str = "arc") -> Reading:
    """Read R_i and R_e off a spectrum between plates that block ions and pass electrons.

    Parameters
    ----------
    spectrum : Spectrum
        With the low-frequency arc, from below its apex to the valley between the arcs.
    by : str
        `arc`: both intercepts are where the circle through the upper half of the low-frequency arc meets the real axis.
        `valley`: the first is Re Z where -Im Z has its minimum between the arcs, the second Re Z at the lowest frequency.

    Raises
    ------
    InputError
        If the spectrum has no such arc, or `by` is neither word.

    Examples
    --------
    >>> from cofire.spectra.circuits import PAPER_CIRCUIT, mixed_conductor
    >>> f = np.geomspace(1e1, 1e10, 91)
    >>> reading = read_mixed_conductor(Spectrum(f, mixed_conductor().impedance(f, PAPER_CIRCUIT)))
    >>> round(reading.first_intercept_ohm, 2), round(reading.R_e_ohm, 2)
    (15.07, 17.1)
    """
    if by not in ("arc", "valley"):
        raise InputError(f"by is '{by}'; allowed: arc, valley")
    tops, low = apexes(spectrum), valleys(spectrum)
    if not tops:
        raise InputError("the spectrum has no arc: -Im Z has no maximum; allowed: one or more; measure over a wider band")
    bottom = next((valley for valley in low if valley.frequency_Hz > tops[0].frequency_Hz), None)
    last = float(spectrum.z_ohm.real[-1] / spectrum.z_ohm.real[0])
    if bottom is None and last < SINGLE:
        raise InputError(
            f"the spectrum has one arc, which ends at {last:.2g} of its low-frequency resistance; allowed: two arcs, or one that ends "
            f"above {SINGLE:g}; measure to lower frequencies, or with less noise"
        )
    if by == "valley":
        first = float(spectrum.z_ohm.real[-1]) if bottom is None else bottom.z_real_ohm
        return from_intercepts(first, float(spectrum.z_ohm.real[0]))
    end = math.inf if bottom is None else bottom.frequency_Hz
    high = -spectrum.z_ohm.imag > SHARE_OF_APEX * tops[0].minus_imag_ohm
    on_arc = high & (spectrum.frequencies_Hz < end)
    if np.count_nonzero(on_arc) < 4:
        raise InputError(
            f"{np.count_nonzero(on_arc)} frequencies lie on the upper half of the arc at {tops[0].frequency_Hz:.3g} Hz; "
            "allowed: 4 or more; ask for more frequencies a decade"
        )
    return from_intercepts(*_crossings(spectrum.z_ohm[on_arc]))


def _ionic(first_ohm: float, second_ohm: float) -> float:
    """Return R_i [ohm], infinite where the first intercept is not below the second."""
    return first_ohm * second_ohm / (second_ohm - first_ohm) if first_ohm < second_ohm else math.inf


def _crossings(z_ohm: NDArray[np.complex128]) -> tuple[float, float]:
    """Return where the circle through points meets the real axis, lower and higher.

    Least squares of x^2 + y^2 - a x - b y - c (Kasa, IEEE Trans. Instrum. Meas. 1976, 10.1109/TIM.1976.6312298).
    """
    middle = z_ohm.mean()
    scale = float(np.abs(z_ohm - middle).max())
    x, y = (z_ohm.real - middle.real) / scale, z_ohm.imag / scale
    (a, _, c), *_ = np.linalg.lstsq(np.column_stack([x, y, np.ones_like(x)]), x**2 + y**2, rcond=None)
    half = 0.25 * a**2 + c
    if half <= 0.0:
        raise InputError(
            "the circle through the low-frequency arc does not meet the real axis; allowed: an arc; check the points"
        )
    root = math.sqrt(half)
    return float(middle.real + scale * (0.5 * a - root)), float(middle.real + scale * (0.5 * a + root))
