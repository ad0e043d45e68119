"""Kramers-Kronig test: can any causal, linear, stable response reproduce the spectrum?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire.spectra.spectrum import Spectrum
from microstructures.errors import InputError
from microstructures.notebook import InNotebook

PER_DECADE = 8
"""Elements a decade: a relaxation between two of them is met to 1e-7 (at 6 to 7e-6)."""
BEYOND = 0.5
"""Decades of elements beyond the band, on either side."""
LARGEST_SHARE = 0.9
"""Unknowns over equations: with as many as equations anything is reproduced, and nothing tested."""
MU = 0.85
"""Where Schoenleber stops adding elements."""
FEWEST = 6
"""Frequencies."""
CUTOFF = 1e-14
"""Singular values below this share of the largest are rounding."""


@dataclass(frozen=True, eq=False)
class KramersKronig(InNotebook):
    """What a causal measurement model leaves of a spectrum.

    Attributes
    ----------
    residual : float
        Largest |Z - Z_model| / |Z|.
    real, imag : ndarray of shape (n,), dtype float64
        Parts of (Z - Z_model) / |Z|.
    elements : int
        RC elements of the model.
    noise : float
        Standard deviation of Re Z and Im Z over |Z|: the mean square of both parts over the equations less the unknowns; 0 where
        the elements are too few to tell noise from a poor fit.
    mu : float
        1 - (sum of negative |R_k|) / (sum of positive R_k).
    dense : bool
        Whether there were frequencies for all elements that the band asks for; if not, the residual of an exact spectrum may
        be above 1e-6, for want of elements.
    """

    residual: float
    real: NDArray[np.float64]
    imag: NDArray[np.float64]
    elements: int
    noise: float
    mu: float
    dense: bool

    def to_dict(self) -> dict[str, Any]:
        """Return numbers and arrays as plain values."""
        return {**vars(self), "real": self.real.tolist(), "imag": self.imag.tolist()}


def kramers_kronig(spectrum: Spectrum, *, stop: str = "band") -> KramersKronig:
    """Test a spectrum by the linear Kramers-Kronig test.

    Z_model = R + i w L + 1 / (i w C) + sum of R_k / (1 + i w tau_k) obeys the relations whatever its coefficients, negative ones
    included; tau_k are given, so that least squares of (Z - Z_model) / |Z| is linear (Boukamp, J. Electrochem. Soc. 1995,
    10.1149/1.2044210). A spectrum that drifted while it was measured, or is not linear, leaves a residual.

    Parameters
    ----------
    spectrum : Spectrum
        Five frequencies a decade or more, at least 6.
    stop : str
        `band`: 8 elements a decade from half a decade below to half a decade above the band, or as many as nine tenths of the
        equations allow. `mu`: elements inside the band, without L and C, added until mu falls below 0.85 (Schoenleber et al.,
        Electrochim. Acta 2014, 10.1016/j.electacta.2014.01.034). That is made for depressed arcs: of sharp ones (R and C) it stops
        at 4 to 9 elements, with a residual of tens of percent, noise or not.

    Raises
    ------
    InputError
        If there are fewer than 6 frequencies, or `stop` is neither word.

    Examples
    --------
    >>> f = np.geomspace(1e2, 1e8, 40)
    >>> kramers_kronig(Spectrum(f, 10.0 + 90.0 / (1.0 + 1j * f / 1e5))).residual < 1e-6
    True
    """
    count = spectrum.frequencies_Hz.size
    if count < FEWEST:
        raise InputError(f"{count} frequencies cannot be tested; allowed: {FEWEST} or more, five a decade or more")
    if stop == "mu":
        return _until_mu(spectrum)
    if stop != "band":
        raise InputError(f"stop is '{stop}'; allowed: band, mu")
    slow, fast = np.log10(1.0 / spectrum.angular_per_s[[0, -1]]) + np.array([BEYOND, -BEYOND])
    wanted = math.ceil((slow - fast) * PER_DECADE) + 1
    elements = min(wanted, int(LARGEST_SHARE * 2 * count) - 3)
    return _model(spectrum, np.logspace(fast, slow, elements), elements == wanted, series=True)


def _until_mu(spectrum: Spectrum) -> KramersKronig:
    slow, fast = np.log10(1.0 / spectrum.angular_per_s[[0, -1]])
    most = int(LARGEST_SHARE * 2 * spectrum.frequencies_Hz.size) - 1
    for elements in range(3, most + 1):
        found = _model(spectrum, np.logspace(fast, slow, elements), True, series=False)
        if found.mu < MU:
            break
    return found


def _model(spectrum: Spectrum, tau_s: NDArray[np.float64], dense: bool, *, series: bool) -> KramersKronig:
    """Fit the model with given times; `series` adds an inductance and a capacitance in series."""
    s, modulus = spectrum.i_angular_per_s, np.abs(spectrum.z_ohm)
    alone = [np.ones_like(s), s, 1.0 / s] if series else [np.ones_like(s)]
    columns = np.column_stack([*alone, 1.0 / (1.0 + np.outer(s, tau_s))]) / modulus[:, None]
    rows = np.vstack([columns.real, columns.imag])
    goal = np.concatenate([spectrum.z_ohm.real / modulus, spectrum.z_ohm.imag / modulus])
    length = np.linalg.norm(rows, axis=0)
    solution, *_ = np.linalg.lstsq(rows / length, goal, rcond=CUTOFF)
    real, imag = (goal - rows @ (solution / length)).reshape(2, -1)
    resistances = (solution / length)[len(alone) :]
    negative, positive = float(-resistances[resistances < 0.0].sum()), float(resistances[resistances > 0.0].sum())
    mu = 1.0 - negative / positive if positive > 0.0 else -math.inf
    noise = math.sqrt(float(real @ real + imag @ imag) / max(goal.size - rows.shape[1], 1)) if dense else 0.0
    return KramersKronig(float(np.hypot(real, imag).max()), real, imag, int(tau_s.size), noise, mu, dense)
