"""Equivalent circuits: resistor and parallel R-CPE elements in series, and a mixed conductor between ion-blocking plates."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError, did_you_mean

Impedance = Callable[[NDArray[np.complex128], Mapping[str, float]], NDArray[np.complex128]]
MOST_ARCS = 3
PAPER_CIRCUIT = {
    "R_e_ohm": 17.1, "R_i_ohm": 126.9, "Q_i": 1.6e-10, "n_i": 1.0, "Q_int": 1.2e-7, "n_int": 1.0, "Q_geom": 6.5e-12, "n_geom": 1.0,
}  # fmt: skip
"""Xu et al., Small 2022, 10.1002/smll.202200266, at 60 degC; the exponents are not printed there and taken as 1."""


@dataclass(frozen=True)
class Circuit:
    """A circuit: its name, the names of its parameters, and its impedance.

    Attributes
    ----------
    name : str
        In the notation of circuit strings: `-` in series, `p(,)` in parallel.
    parameters : tuple of str
        Resistances `R_..._ohm`; constant phase elements 1 / (Q (i w)^n) by `Q_...` [S s^n] and `n_...`.
    arcs : tuple of (tuple of str, str)
        Names of the resistances, which add, and suffix of the constant phase element that they relax with.
    formula : callable
        Impedance [ohm] from i w [1/s] and the values of the parameters.
    """

    name: str
    parameters: tuple[str, ...]
    arcs: tuple[tuple[tuple[str, ...], str], ...]
    formula: Impedance

    def impedance(self, frequencies_Hz: ArrayLike, values: Mapping[str, float]) -> NDArray[np.complex128]:
        """Return the impedance [ohm], shape (n,), at frequencies [Hz].

        Raises
        ------
        InputError
            If a parameter is missing, unknown, or not above 0.

        Examples
        --------
        >>> series_circuit(1).impedance([1e3], {"R_s_ohm": 1, "R_1_ohm": 2, "Q_1": 1e-12, "n_1": 1}).real.round(9).tolist()
        [3.0]
        """
        for name in values:
            if name not in self.parameters:
                raise InputError(f"the circuit {self.name} has no '{name}'{did_you_mean(name, self.parameters)}")
        for name in self.parameters:
            if name not in values:
                raise InputError(f"the circuit {self.name} needs '{name}'; give all of {', '.join(self.parameters)}")
            if not 0.0 < values[name] < math.inf:
                raise InputError(f"'{name}' of the circuit {self.name} is {values[name]:g}; allowed: finite and above 0")
        return self.formula(2j * math.pi * np.asarray(frequencies_Hz, dtype=float), values)

    def derived(self, values: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """Return capacitance [F] and relaxation frequency [Hz] of every constant phase element with its R, by its suffix.

        C = (Q R)^(1/n) / R is the capacitance that has the same relaxation frequency 1 / (2 pi R C) (Hsu and Mansfeld,
        Corrosion 2001, 10.5006/1.3280607).
        """
        found: dict[str, dict[str, float]] = {}
        for names, suffix in self.arcs:
            resistance = sum(values[name] for name in names)
            tau_s = (values[f"Q_{suffix}"] * resistance) ** (1.0 / values[f"n_{suffix}"])
            found[suffix] = {
                "capacitance_F": tau_s / resistance,
                "relaxation_frequency_Hz": 1.0 / (2.0 * math.pi * tau_s),
            }
        return found


def series_circuit(arcs: int) -> Circuit:
    """Return a resistor in series with `arcs` parallel R-CPE elements.

    Z = R_s + sum of R_k / (1 + R_k Q_k (i w)^n_k). Where the elements lie in series, as in a brick layer, arc k has its apex at
    f = 1 / (2 pi (R_k Q_k)^(1 / n_k)) as long as the others are far away; the maximum of -Im Z of the sum lies elsewhere.

    Parameters
    ----------
    arcs : int
        1 to 3.

    Raises
    ------
    InputError
        If there are more arcs than a spectrum can tell apart, or none.

    Examples
    --------
    >>> series_circuit(2).name
    'R_s-p(R_1,CPE_1)-p(R_2,CPE_2)'
    """
    if arcs not in range(1, MOST_ARCS + 1):
        raise InputError(f"the circuit is asked for with {arcs} arcs; allowed: 1 to {MOST_ARCS}; choose fewer")
    numbers = range(1, arcs + 1)

    def formula(s: NDArray[np.complex128], values: Mapping[str, float]) -> NDArray[np.complex128]:
        z = np.full(s.shape, values["R_s_ohm"], dtype=complex)
        for k in numbers:
            z += _resistor_and_cpe(s, values, f"R_{k}_ohm", str(k))
        return z

    return Circuit(
        "-".join(["R_s", *(f"p(R_{k},CPE_{k})" for k in numbers)]),
        ("R_s_ohm", *(name for k in numbers for name in (f"R_{k}_ohm", f"Q_{k}", f"n_{k}"))),
        tuple(((f"R_{k}_ohm",), str(k)) for k in numbers),
        formula,
    )


def mixed_conductor() -> Circuit:
    """Return the circuit of a mixed conductor between plates that block ions and pass electrons.

    1 / Z = 1 / R_e + Q_geom (i w)^n_geom + 1 / (R_i / (1 + R_i Q_i (i w)^n_i) + 1 / (Q_int (i w)^n_int)).

    The paper (Xu et al., Small 2022, 10.1002/smll.202200266, figure 3a, after Huggins, Ionics 2002, 10.1007/BF02376083) names
    R_i/CPE_i, R_e/CPE_geo and C_int, and does not say in words how they are joined. Of R_i/CPE_i and R_e/CPE_geo in series the
    low-frequency intercept would be R_i + R_e = 144 ohm. This one has the intercepts that the paper reads: R_e = 17.1 ohm at low
    frequency, R_i R_e / (R_i + R_e) = 15.07 ohm between the arcs, and 0 at the highest frequencies.

    Arcs: from R_e to the parallel sum with its apex at 1 / (2 pi (R_i + R_e) C_int), and from there to 0 with its apex near
    1 / (2 pi R_par (C_i + C_geom)). The second holds little but the sum of C_i and C_geom: with both exponents free or 1 they are
    told apart only where C_int is not far larger than C_i. Hold one of them in a fit.

    Examples
    --------
    >>> z = mixed_conductor().impedance([1e-2, 7e5], PAPER_CIRCUIT)
    >>> z.real.round(2).tolist()
    [17.1, 15.07]
    """

    def formula(s: NDArray[np.complex128], values: Mapping[str, float]) -> NDArray[np.complex128]:
        ions = _resistor_and_cpe(s, values, "R_i_ohm", "i") + 1.0 / _cpe(s, values, "int")
        return 1.0 / (1.0 / values["R_e_ohm"] + _cpe(s, values, "geom") + 1.0 / ions)

    arcs = ((("R_i_ohm",), "i"), (("R_i_ohm", "R_e_ohm"), "int"), (("R_e_ohm",), "geom"))
    names = ("R_e_ohm", "R_i_ohm", "Q_i", "n_i", "Q_int", "n_int", "Q_geom", "n_geom")
    return Circuit("p(R_e,CPE_geom,p(R_i,CPE_i)-CPE_int)", names, arcs, formula)


def _cpe(s: NDArray[np.complex128], values: Mapping[str, float], suffix: str) -> Any:
    """Return the admittance [S] of a constant phase element."""
    return values[f"Q_{suffix}"] * s ** values[f"n_{suffix}"]


def _resistor_and_cpe(s: NDArray[np.complex128], values: Mapping[str, float], resistance: str, suffix: str) -> Any:
    """Return the impedance [ohm] of a resistor and a constant phase element in parallel."""
    return values[resistance] / (1.0 + values[resistance] * _cpe(s, values, suffix))
