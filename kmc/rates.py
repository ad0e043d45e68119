"""From barriers to conductivities and back: what one phase contributes to the network at a temperature.

Barrier form: D = a^2 nu / 6 exp(-E/kT) and sigma = q^2 c D / (kT) (Nernst-Einstein).
Measured form: sigma(T) = sigma_ref exp(-Ea/k (1/T - 1/T_ref)), plain Arrhenius about the reference temperature.
"""

from __future__ import annotations

import math

from microstructures.materials import Conductor
from microstructures.materials.schema import DEFAULT_CARRIER_DENSITY_PER_M3
from microstructures.units import (
    BOLTZMANN_EV_PER_K,
    BOLTZMANN_J_PER_K,
    ELEMENTARY_CHARGE_C,
    NM,
    kelvin,
    thermal_energy_eV,
)

DEFAULT_ATTEMPT_FREQUENCY_HZ = 1.0e13
DEFAULT_HOP_DISTANCE_NM = 0.35


def mobility_factor(temperature_C: float) -> float:
    """Return kT/q^2 [J/C^2], which turns a conductance [S] over carriers into a hop rate [1/s]."""
    return BOLTZMANN_J_PER_K * kelvin(temperature_C) / ELEMENTARY_CHARGE_C**2


def nernst_einstein_S_per_m(diffusivity_m2_per_s: float, carrier_density_per_m3: float, temperature_C: float) -> float:
    """Return sigma = q^2 c D / (kT) [S/m].

    Examples
    --------
    >>> round(nernst_einstein_S_per_m(1e-12, 6.0e27, 60.0) * 10, 6)  # mS/cm
    0.334849
    """
    return carrier_density_per_m3 * diffusivity_m2_per_s / mobility_factor(temperature_C)


def arrhenius(activation_energy_eV: float, temperature_C: float, reference_temperature_C: float) -> float:
    """Return exp(-Ea/k (1/T - 1/T_ref)), the factor of a conductivity between two temperatures."""
    inverse = 1.0 / kelvin(temperature_C) - 1.0 / kelvin(reference_temperature_C)
    return math.exp(-activation_energy_eV / BOLTZMANN_EV_PER_K * inverse)


def hop_rate_Hz(attempt_frequency_Hz: float, barrier_eV: float, temperature_C: float) -> float:
    """Return nu exp(-E/kT) [Hz], the rate of one kind of jump."""
    return attempt_frequency_Hz * math.exp(-barrier_eV / thermal_energy_eV(temperature_C))


def carrier_density_per_m3(conductor: Conductor | None) -> float:
    """Return the equilibrium density of carriers [1/m^3]; 0 where the phase has none."""
    if conductor is None:
        return 0.0
    return conductor.carrier_density_per_m3 or DEFAULT_CARRIER_DENSITY_PER_M3


def conductivity_S_per_m(conductor: Conductor | None, temperature_C: float, reference_temperature_C: float) -> float:
    """Return what a phase conducts [S/m] at a temperature; 0 where it has no carriers."""
    if conductor is None:
        return 0.0
    if conductor.conductivity_S_per_m is not None:
        energy = conductor.activation_energy_eV or 0.0
        return conductor.conductivity_S_per_m * arrhenius(energy, temperature_C, reference_temperature_C)
    return barrier_prefactor_S_per_m(conductor, temperature_C) * math.exp(
        -(conductor.migration_barrier_eV or 0.0) / thermal_energy_eV(temperature_C)
    )


def principal_factors(conductor: Conductor | None) -> tuple[float, float, float]:
    """Return what the conductivity is multiplied with along the crystal axes a, b, c; ones for an isotropic phase.

    Examples
    --------
    >>> principal_factors(Conductor(conductivity_S_per_m=1.0, activation_energy_eV=0.3, anisotropy=(0.01, 1.0, 0.01)))
    (0.01, 1.0, 0.01)
    """
    if conductor is None or conductor.anisotropy is None:
        return 1.0, 1.0, 1.0
    return conductor.anisotropy


def barrier_prefactor_S_per_m(conductor: Conductor, temperature_C: float) -> float:
    """Return q^2 c a^2 nu / (6 kT) [S/m], the conductivity that the phase would have without a barrier.

    A measured phase says nothing about hops; it gets nu = 1e13 Hz and a = 0.35 nm, typical of phosphates, so that its
    conductivity can be quoted as an equivalent barrier.
    """
    frequency = conductor.attempt_frequency_Hz or DEFAULT_ATTEMPT_FREQUENCY_HZ
    distance = (conductor.hop_distance_nm or DEFAULT_HOP_DISTANCE_NM) * NM
    return nernst_einstein_S_per_m(distance**2 * frequency / 6.0, carrier_density_per_m3(conductor), temperature_C)


def equivalent_barrier_eV(sigma_S_per_m: float, prefactor_S_per_m: float, temperature_C: float) -> float:
    """Return E = kT ln(prefactor / sigma) [eV], infinite where nothing conducts."""
    if sigma_S_per_m <= 0.0 or prefactor_S_per_m <= 0.0:
        return math.inf
    return thermal_energy_eV(temperature_C) * math.log(prefactor_S_per_m / sigma_S_per_m)
