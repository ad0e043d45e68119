"""What it costs a carrier to cross an interface, and what a film carries along it, at a temperature.

Resistance form: 1/R(T) is plain Arrhenius about the reference temperature.
Barrier form: each carrier next to the interface crosses it at k = nu exp(-E/kT); with c a carriers per area within one
hop distance the conductance per area is q^2 c a k / (kT), so R = kT / (q^2 c a k).
"""

from __future__ import annotations

from kmc.rates import arrhenius, hop_rate_Hz, mobility_factor
from microstructures.materials import FilmConductor, InterfaceConductor
from microstructures.materials.schema import DEFAULT_CARRIER_DENSITY_PER_M3
from microstructures.units import NM


def resistance_ohm_m2(interface: InterfaceConductor | None, temperature_C: float, reference_temperature_C: float) -> float:
    """Return the area-specific resistance [ohm m^2] of an interface; 0 where the file gives none."""
    if interface is None:
        return 0.0
    if interface.area_specific_resistance_ohm_m2 is not None:
        energy = interface.activation_energy_eV or 0.0
        return interface.area_specific_resistance_ohm_m2 / arrhenius(energy, temperature_C, reference_temperature_C)
    density = interface.carrier_density_per_m3 or DEFAULT_CARRIER_DENSITY_PER_M3
    per_area = density * (interface.hop_distance_nm or 0.0) * NM
    rate = hop_rate_Hz(interface.attempt_frequency_Hz or 0.0, interface.migration_barrier_eV or 0.0, temperature_C)
    return mobility_factor(temperature_C) / (per_area * rate)


def sheet_conductance_S(film: FilmConductor | None, temperature_C: float, reference_temperature_C: float) -> float:
    """Return the sheet conductance [S] of a film; 0 where the file gives none."""
    if film is None:
        return 0.0
    return film.sheet_conductance_S * arrhenius(film.activation_energy_eV, temperature_C, reference_temperature_C)
