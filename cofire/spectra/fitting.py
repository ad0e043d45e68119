"""Fit of an equivalent circuit to a spectrum, weighted by modulus, with errors of the parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from cofire.spectra.circuits import Circuit
from cofire.spectra.spectrum import Spectrum
from cofire.spectra.starting_values import starting_values
from microstructures.errors import InputError, did_you_mean
from microstructures.notebook import InNotebook

LOWEST_EXPONENT, HIGHEST_EXPONENT = 0.1, 1.5
"""Exponents that a step of the fit may try; one that ends above 1 is set to 1 and held."""
LN_RANGE = 30.0
"""Resistances and Q may end so far from where they start, in ln."""
SINGULAR = 1e-8
"""Directions of the parameters that change the residual less than this, over the most effective one, are not determined."""
LEANING = 1e-3
"""Share of a parameter in such a direction that makes its own value undetermined."""
MOST_STEPS = 200
TOLERANCE = 1e-12
"""A descent ends where the sum of squares or the parameters change less than this."""
ADVICE = {
    "converged": "the parameters are those of least squares",
    "not determined": "some parameters change nothing; their error is infinite: hold them, choose fewer arcs or a wider band",
    "not converged": "the steps ran out: the spectrum may hold less than the circuit; choose fewer arcs or a wider band",
}


@dataclass(frozen=True, eq=False)
class CircuitFit(InNotebook):
    """A circuit fitted to a spectrum.

    Attributes
    ----------
    circuit : str
        Its name.
    values, stderr : dict of str to float
        Parameters and their standard errors; 0 for those held, infinite for those not determined.
    held : tuple of str
        Parameters that were not fitted: as asked for, or exponents that came out above 1 and are 1.
    derived : dict
        Capacitance [F] and relaxation frequency [Hz] of every constant phase element with its resistances.
    chi_square : float
        Sum over frequencies of |Z_fit - Z|^2 / |Z|^2.
    reduced_chi_square : float
        That, over twice the frequencies less the parameters fitted: the mean square relative error of Re Z or Im Z.
    residual : float
        Largest |Z_fit - Z| / |Z|.
    z_ohm : ndarray of shape (n,), dtype complex128
        Impedance of the fitted circuit.
    outcome, advice : str
        How it ended and what to do next.
    """

    circuit: str
    values: dict[str, float]
    stderr: dict[str, float]
    held: tuple[str, ...]
    derived: dict[str, dict[str, float]]
    chi_square: float
    reduced_chi_square: float
    residual: float
    z_ohm: NDArray[np.complex128]
    outcome: str
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Return all but the curve."""
        return {name: value for name, value in asdict(self).items() if name != "z_ohm"}


def fit_circuit(
    spectrum: Spectrum,
    circuit: Circuit,
    *,
    hold: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
) -> CircuitFit:
    """Fit a circuit by least squares of (Z_fit - Z) / |Z|, from starting values read off the spectrum.

    Resistances and Q vary in their logarithm, so that picofarads and ohms are equals. Errors are those of the linearised problem
    with the scatter that the residual shows.

    Parameters
    ----------
    spectrum : Spectrum
        At least half as many frequencies as parameters are fitted, and one more.
    circuit : Circuit
        From `series_circuit` or `mixed_conductor`.
    hold : mapping, optional
        Parameters that keep these values.
    start : mapping, optional
        Starting values of some parameters, in place of those read off.

    Returns
    -------
    CircuitFit

    Raises
    ------
    InputError
        If a name is unknown, a value is not above 0, or there are too few frequencies.

    Examples
    --------
    >>> from cofire.spectra.circuits import series_circuit
    >>> f, circuit = np.geomspace(1e2, 1e8, 40), series_circuit(1)
    >>> true = {"R_s_ohm": 10.0, "R_1_ohm": 90.0, "Q_1": 1e-8, "n_1": 0.9}
    >>> fit = fit_circuit(Spectrum(f, circuit.impedance(f, true)), circuit)
    >>> fit.outcome, round(fit.values["n_1"], 6)
    ('converged', 0.9)
    """
    hold, start = dict(hold or {}), dict(start or {})
    for name in (*hold, *start):
        if name not in circuit.parameters:
            raise InputError(f"the circuit {circuit.name} has no '{name}'{did_you_mean(name, circuit.parameters)}")
    guesses = [{**guess, **start, **hold} for guess in starting_values(spectrum, circuit)]
    circuit.impedance(spectrum.frequencies_Hz[:1], guesses[0])
    for name, value in {**start, **hold}.items():
        if name.startswith("n_") and value > 1.0:
            raise InputError(f"'{name}' is {value:g}; allowed: above 0, at most 1; 1 is a capacitor")
    fitted = len(circuit.parameters) - len(hold)
    if not 0 < fitted < 2 * spectrum.frequencies_Hz.size:
        raise InputError(
            f"{fitted} parameters are to be fitted to {spectrum.frequencies_Hz.size} frequencies; allowed: 1 to "
            f"{2 * spectrum.frequencies_Hz.size - 1}; measure more frequencies, or hold fewer or more of them"
        )
    return _result(spectrum, circuit, min((_solve(spectrum, circuit, guess, hold) for guess in guesses), key=lambda s: s.cost))


@dataclass(frozen=True)
class _Solution:
    """Where a descent ended: parameters, half the sum of squares, the Jacobian in the variables fitted."""

    values: dict[str, float]
    free: tuple[str, ...]
    cost: float
    jacobian: NDArray[np.float64]
    converged: bool


def _solve(spectrum: Spectrum, circuit: Circuit, guess: dict[str, float], hold: dict[str, float]) -> _Solution:
    """Descend from a guess; exponents that end above 1 are held at 1 and the rest is fitted anew."""
    held = dict(hold)
    while True:
        free = tuple(name for name in circuit.parameters if name not in held)
        found = _descend(spectrum, circuit, {**guess, **held}, free)
        above = [name for name in free if name.startswith("n_") and found.values[name] > 1.0]
        if not above:
            return found
        worst = max(above, key=lambda name: found.values[name])
        held[worst] = 1.0
        guess = {**found.values, **{name: min(found.values[name], 1.0) for name in above}}
        if not set(circuit.parameters) - set(held):
            return _descend(spectrum, circuit, {**guess, **held}, ())


def _descend(spectrum: Spectrum, circuit: Circuit, guess: dict[str, float], free: tuple[str, ...]) -> _Solution:
    s, modulus = spectrum.i_angular_per_s, np.abs(spectrum.z_ohm)
    exponent = np.array([name.startswith("n_") for name in free], dtype=bool)

    def values(variables: NDArray[np.float64]) -> dict[str, float]:
        given = np.where(exponent, variables, np.exp(np.where(exponent, 0.0, variables)))
        return {**guess, **dict(zip(free, given.tolist(), strict=True))}

    def residual(variables: NDArray[np.float64]) -> NDArray[np.float64]:
        error = (circuit.formula(s, values(variables)) - spectrum.z_ohm) / modulus
        return np.concatenate([error.real, error.imag])

    first = np.array([guess[name] if power else math.log(guess[name]) for name, power in zip(free, exponent, strict=True)])
    if not free:
        return _Solution(guess, free, 0.5 * float(np.sum(residual(first) ** 2)), np.zeros((2 * s.size, 0)), True)
    bounds = (np.where(exponent, LOWEST_EXPONENT, first - LN_RANGE), np.where(exponent, HIGHEST_EXPONENT, first + LN_RANGE))
    found = least_squares(
        residual,
        first,
        jac="3-point",
        bounds=bounds,
        x_scale="jac",
        xtol=TOLERANCE,
        ftol=TOLERANCE,
        gtol=1e-15,
        max_nfev=MOST_STEPS,
    )
    return _Solution(values(found.x), free, float(found.cost), np.asarray(found.jac), bool(found.status > 0))


def _result(spectrum: Spectrum, circuit: Circuit, solution: _Solution) -> CircuitFit:
    chi_square = 2.0 * solution.cost
    reduced = chi_square / max(2 * spectrum.frequencies_Hz.size - len(solution.free), 1)
    errors = _relative_errors(solution.jacobian) * math.sqrt(reduced)
    stderr = dict.fromkeys(circuit.parameters, 0.0)
    for name, error in zip(solution.free, errors.tolist(), strict=True):
        stderr[name] = error if name.startswith("n_") else error * solution.values[name]
    z_ohm = circuit.formula(spectrum.i_angular_per_s, solution.values)
    if not np.isfinite(errors).all():
        outcome = "not determined"
    else:
        outcome = "converged" if solution.converged else "not converged"
    return CircuitFit(
        circuit.name, {name: float(solution.values[name]) for name in circuit.parameters}, stderr,
        tuple(name for name in circuit.parameters if name not in solution.free), circuit.derived(solution.values),
        chi_square, reduced, float(np.max(np.abs(z_ohm - spectrum.z_ohm) / np.abs(spectrum.z_ohm))), z_ohm,
        outcome, ADVICE[outcome],
    )  # fmt: skip


def _relative_errors(jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the square roots of the diagonal of (J^T J)^-1, infinite where a direction that matters changes nothing."""
    if jacobian.shape[1] == 0:
        return np.zeros(0)
    length = np.linalg.norm(jacobian, axis=0)
    length[length == 0.0] = 1.0
    _, singular, directions = np.linalg.svd(jacobian / length, full_matrices=False)
    lost = singular <= SINGULAR * singular[0]
    inverse = np.where(lost, 0.0, 1.0 / np.where(lost, 1.0, singular))
    errors = np.asarray(np.sqrt(np.sum((directions.T * inverse) ** 2, axis=1)) / length)
    errors[(np.abs(directions[lost]) > LEANING).any(axis=0)] = math.inf
    return errors
