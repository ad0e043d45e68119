"""An impedance spectrum, the frequencies that one is asked for, and the pellet that turns ohm m2 into ohms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import epsilon_0

from microstructures.errors import InputError, clear_line
from microstructures.notebook import InNotebook

MOST_FREQUENCIES = 10_000


@dataclass(frozen=True, eq=False)
class Spectrum(InNotebook):
    """An impedance at rising frequencies.

    Parameters
    ----------
    frequencies_Hz : ndarray of shape (n,), dtype float64
        Rising, above 0.
    z_ohm : ndarray of shape (n,), dtype complex128
        Impedance; Re Z above 0, Im Z negative for a capacitance.
    label : str
        What the spectrum is of.

    Raises
    ------
    InputError
        If shapes differ, a number is not finite, frequencies do not rise from above 0, or Re Z is not above 0.

    Examples
    --------
    >>> Spectrum([1.0, 10.0], [3.0 - 1.0j, 2.0]).to_dict()["z_imag_ohm"]
    [-1.0, 0.0]
    """

    frequencies_Hz: NDArray[np.float64]
    z_ohm: NDArray[np.complex128]
    label: str = ""

    def __post_init__(self) -> None:
        """Take read-only copies and check them."""
        for name, kind in (("frequencies_Hz", np.float64), ("z_ohm", np.complex128)):
            try:
                values = np.array(getattr(self, name), dtype=kind)
            except (TypeError, ValueError):
                raise InputError(f"{name} holds what is no number; allowed: arrays of numbers") from None
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        _check_frequencies(self.frequencies_Hz)
        if self.z_ohm.shape != self.frequencies_Hz.shape:
            raise InputError(f"z_ohm has shape {self.z_ohm.shape}, frequencies_Hz {self.frequencies_Hz.shape}; make them equal")
        wrong = ~(np.isfinite(self.z_ohm) & (self.z_ohm.real > 0.0))
        if wrong.any():
            at = int(np.argmax(wrong))
            raise InputError(
                f"the impedance at {self.frequencies_Hz[at]:g} Hz is {self.z_ohm[at]:g} ohm; "
                "allowed: finite, Re Z above 0; leave out points that are no passive response"
            )

    @property
    def angular_per_s(self) -> NDArray[np.float64]:
        """Angular frequencies [1/s], shape (n,)."""
        return 2.0 * math.pi * self.frequencies_Hz

    @property
    def i_angular_per_s(self) -> NDArray[np.complex128]:
        """Angular frequencies times the imaginary unit [1/s], shape (n,)."""
        return np.asarray(1j * self.angular_per_s, dtype=np.complex128)

    def to_dict(self) -> dict[str, Any]:
        """Return the arrays as plain values, under the names that plots and reports read."""
        return {
            "label": self.label,
            "frequency_Hz": self.frequencies_Hz.tolist(),
            "z_real_ohm": self.z_ohm.real.tolist(),
            "z_imag_ohm": self.z_ohm.imag.tolist(),
        }


def _check_frequencies(frequencies_Hz: NDArray[np.float64]) -> None:
    if frequencies_Hz.ndim != 1 or frequencies_Hz.size < 2:
        raise InputError(f"frequencies have shape {frequencies_Hz.shape}; allowed: (n,), n at least 2; give more frequencies")
    if not np.isfinite(frequencies_Hz).all() or frequencies_Hz.min() <= 0.0:
        wrong = frequencies_Hz[~(np.isfinite(frequencies_Hz) & (frequencies_Hz > 0.0))][0]
        raise InputError(f"a frequency is {wrong:g} Hz; allowed: finite and above 0; direct current is a limit, not a point")
    falls = np.diff(frequencies_Hz) <= 0.0
    if falls.any():
        at = int(np.argmax(falls))
        raise InputError(
            f"frequencies do not rise: {frequencies_Hz[at]:g} Hz is followed by {frequencies_Hz[at + 1]:g} Hz; "
            "allowed: each higher than the one before; sort them, without repeats"
        )


def parse_frequencies(text: str) -> NDArray[np.float64]:
    """Return the frequencies [Hz] that `from:to:count` names, evenly spaced in their logarithm.

    Returns
    -------
    ndarray of shape (count,), dtype float64
        Rising; both ends exact.

    Raises
    ------
    InputError
        If the text has another form, an end is not a finite number above 0, they do not rise, or the count is not 2 to 10000.

    Examples
    --------
    >>> parse_frequencies("1:1e4:5").tolist()
    [1.0, 10.0, 100.0, 1000.0, 10000.0]
    """
    form = "allowed: from:to:count in Hz, like 1e-2:1e9:60"
    shown = clear_line(text, 60)
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"frequencies are '{shown}'; {form}; give three numbers with colons")
    try:
        first, last = float(parts[0]), float(parts[1])
    except ValueError:
        raise InputError(f"frequencies are '{shown}'; {form}; write decimals with a point") from None
    try:
        count = int(parts[2])
    except ValueError:
        raise InputError(f"the count of frequencies is '{clear_line(parts[2], 30)}'; allowed: a whole number; {form}") from None
    for name, value in (("lowest", first), ("highest", last)):
        if not 0.0 < value < math.inf:
            raise InputError(f"the {name} frequency is {value:g} Hz; allowed: finite and above 0; {form}")
    if not first < last:
        raise InputError(
            f"frequencies run from {first:g} to {last:g} Hz; allowed: from below to; exchange or part them; {form}"
        )
    if not 2 <= count <= MOST_FREQUENCIES:
        raise InputError(f"the count of frequencies is {count}; allowed: 2 to {MOST_FREQUENCIES}; {form}")
    found = np.geomspace(first, last, count)
    _check_frequencies(found)
    return found


@dataclass(frozen=True)
class Pellet:
    """A round pellet between two plates.

    Parameters
    ----------
    thickness_m, diameter_m : float
        Size [m].

    Raises
    ------
    InputError
        If a length is not finite and above 0.

    Examples
    --------
    >>> pellet = Pellet(0.88e-3, 9.45e-3)
    >>> float(round(pellet.ohms(0.88e-3 / 0.734), 2))
    17.09
    """

    thickness_m: float
    diameter_m: float

    def __post_init__(self) -> None:
        """Check both lengths."""
        for name in ("thickness_m", "diameter_m"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} of the pellet is {getattr(self, name):g} m; allowed: finite and above 0; give metres")

    @property
    def area_m2(self) -> float:
        """Area of a face [m2]."""
        return 0.25 * math.pi * self.diameter_m**2

    def geometric_capacitance_F(self, relative_permittivity: float) -> float:
        """Return eps_r eps_0 A / L [F]: what the pellet has as a plate capacitor, to hold in a fit."""
        return relative_permittivity * epsilon_0 * self.area_m2 / self.thickness_m

    def ohms(self, z_ohm_m2: ArrayLike, *, block_m: float | None = None) -> NDArray[Any]:
        """Return the impedance of the pellet [ohm] from one times area [ohm m2].

        Parameters
        ----------
        z_ohm_m2 : array of shape (n,) or number
            Impedance times area of a block of thickness `block_m`.
        block_m : float, optional
            Thickness of that block [m], where it is not the pellet's own: the impedance is then scaled with thickness, which is
            right for what the body does and not for what happens at the plates.

        Returns
        -------
        ndarray
            z (thickness / block) / area, of the shape given.
        """
        return np.asarray(z_ohm_m2) * (self._thicker(block_m) / self.area_m2)

    def area_specific(self, z_ohm: ArrayLike, *, block_m: float | None = None) -> NDArray[Any]:
        """Return the impedance times area [ohm m2] of a block from that of the pellet [ohm]; `ohms` undone."""
        return np.asarray(z_ohm) * (self.area_m2 / self._thicker(block_m))

    def _thicker(self, block_m: float | None) -> float:
        if block_m is not None and not 0.0 < block_m < math.inf:
            raise InputError(
                f"block_m is {block_m:g} m; allowed: finite and above 0; give the thickness of the block in metres"
            )
        return 1.0 if block_m is None else self.thickness_m / block_m


PAPER_PELLET = Pellet(0.88e-3, 9.45e-3)
"""The co-fired pellet of Xu et al., Small 2022, 10.1002/smll.202200266."""
