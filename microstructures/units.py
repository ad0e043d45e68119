"""The one place for units and constants: SI floats inside, energies in eV, people's units at the edges."""

from __future__ import annotations

from scipy import constants

from microstructures.errors import InputError

ELEMENTARY_CHARGE_C = constants.elementary_charge
BOLTZMANN_J_PER_K = constants.Boltzmann
BOLTZMANN_EV_PER_K = constants.Boltzmann / constants.elementary_charge
ZERO_CELSIUS_K = constants.zero_Celsius
NM = 1e-9
UM = 1e-6
S_PER_M_IN_MS_PER_CM = 10.0


def kelvin(temperature_C: float) -> float:
    """Return the absolute temperature [K] of `temperature_C` [degC].

    Raises
    ------
    InputError
        If the temperature is not a finite number above absolute zero.
    """
    temperature_K = float(temperature_C) + ZERO_CELSIUS_K
    if not 0.0 < temperature_K < 1e5:
        raise InputError(f"temperature_C is {temperature_C} degC; allowed: finite and above -273.15 degC; give degrees Celsius")
    return temperature_K


def thermal_energy_eV(temperature_C: float) -> float:
    """Return kT [eV] at `temperature_C` [degC]."""
    return BOLTZMANN_EV_PER_K * kelvin(temperature_C)


def mS_per_cm(sigma_S_per_m: float) -> float:
    """Return a conductivity [mS/cm] given in S/m."""
    return sigma_S_per_m * S_PER_M_IN_MS_PER_CM
