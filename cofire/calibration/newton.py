"""The steps of the fit: Newton in ln G for electrons, and for ions in the resistance, exact for grains and boundaries in series."""

from __future__ import annotations

import math
from collections.abc import Callable

from cofire.calibration.materials import BOUNDARY_PAIR, starting_values, with_values
from cofire.calibration.observing import Observed
from cofire.calibration.result import TEMPERATURE_C, Target
from microstructures.errors import InputError
from microstructures.materials import Carrier, Materials
from microstructures.units import BOLTZMANN_EV_PER_K, kelvin

MET, MOST_STEPS = 1e-3, 20
"""Largest relative distance to a target; most steps of one carrier."""
LARGEST_ENERGY_EV = 5.0
Observe = Callable[[Materials, Carrier], Observed]


def shift_per_eV(materials: Materials) -> float:
    """Return by how much ln R at 60 degC grows with each eV of its activation energy; 0 if that is the reference."""
    return (1.0 / kelvin(TEMPERATURE_C) - 1.0 / kelvin(materials.reference_temperature_C)) / BOLTZMANN_EV_PER_K


def fit_ions(
    start: Materials, observe: Observe, sigma_target: Target, energy_target: Target
) -> tuple[float, float, Observed, int]:
    """Return resistance [ohm m^2] and activation energy [eV] that meet both targets, what they give, and the steps taken.

    Raises
    ------
    InputError
        If a target cannot be reached.
    """
    resistance, energy, _ = starting_values(start)
    shift = shift_per_eV(start)
    for step in range(1, MOST_STEPS + 1):
        found = observe(with_values(start, resistance, energy), "ion")
        sigma, own, share = float(found.sigma.mean()), float(found.energy.mean()), found.weighted_share
        sigma_met = abs(sigma / sigma_target.value - 1.0) < MET
        if sigma_met and abs(own / energy_target.value - 1.0) < MET:
            return resistance, energy, found, step
        if not 0.0 < share < 1.0:
            raise InputError(
                f"no ion crosses a {BOUNDARY_PAIR} boundary in these bodies; nothing can be fitted; use a larger box"
            )
        rest = (own - share * energy) / (1.0 - share)
        grown = max(1.0 + (sigma / sigma_target.value - 1.0) / share, math.exp(-2.0))
        later = min(share * grown * sigma_target.value / sigma, 0.99)
        wanted = (energy_target.value - (1.0 - later) * rest) / later
        allowed = min(max(wanted, 0.0), LARGEST_ENERGY_EV)
        if sigma_met and allowed != wanted and allowed == energy:
            ends = [own + share * (end - energy) for end in (0.0, LARGEST_ENERGY_EV)]
            raise InputError(
                f"Ea(i) of {energy_target.value:g} eV cannot be reached: a boundary of 0 to {LARGEST_ENERGY_EV:g} eV gives "
                f"{ends[0]:.3f} to {ends[1]:.3f} eV; correct the activation energies of the phases in {start.origin}"
            )
        resistance *= grown * math.exp(-(allowed - energy) * shift)
        energy = allowed
    raise InputError(_not_reached(sigma_target, sigma))


def fit_electrons(start: Materials, observe: Observe, target: Target) -> tuple[float, Observed, int]:
    """Return the sheet conductance [S] that meets the target, what it gives, and the steps taken.

    Raises
    ------
    InputError
        If the target cannot be reached.
    """
    sheet = starting_values(start)[2]
    for step in range(1, MOST_STEPS + 1):
        found = observe(with_values(start, sheet_conductance_S=sheet), "electron")
        sigma, share = float(found.sigma.mean()), found.weighted_share
        if abs(sigma / target.value - 1.0) < MET:
            return sheet, found, step
        if share < 1e-6:
            break
        sheet *= math.exp(min(max(math.log(target.value / sigma) / share, -3.0), 3.0))
    raise InputError(_not_reached(target, sigma))


def _not_reached(target: Target, seen: float) -> str:
    return (
        f"{target.name} of {target.value:g} {target.unit} was not reached within {MOST_STEPS} steps, got {seen:.4g}; "
        "other paths carry what is missing or too much; correct the other numbers of the materials file"
    )
