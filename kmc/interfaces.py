"""What it costs a carrier to cross an interface, and what a film carries along it, at a temperature.

Resistance form: 1/R(T) is plain Arrhenius about the reference temperature.
Barrier form: each carrier next to the interface crosses it at k = nu exp(-E/kT); with c a carriers per area within one
hop distance the conductance per area is q^2 c a k / (kT), so R = kT / (q^2 c a k).
"""

from __future__ import annotations

from kmc.rates import arrhenius, hop_rate_Hz, mobility_factor
from microstructures.features import Coating
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


def coating_factor(film: FilmConductor | None, coating: Coating | None) -> float:
    """Return what a structure's own coating makes of the sheet conductance of a film: thickness, and holes.

    A sheet of which a share c is left in small patches conducts 2 c - 1 of a whole one, nothing below one half (effective
    medium in two dimensions: Kirkpatrick, Rev. Mod. Phys. 45, 574, 1973).

    Parameters
    ----------
    film : FilmConductor or None
        What the materials say; its `thickness_nm` is the thickness its value holds for.
    coating : Coating or None
        What the structure says; None: nothing, the materials hold as they are.

    Examples
    --------
    >>> film = FilmConductor(sheet_conductance_S=1e-6, thickness_nm=4.0, activation_energy_eV=0.1)
    >>> coating_factor(film, Coating(thickness=2e-9, coverage=0.9))
    0.4
    """
    if film is None or coating is None:
        return 1.0
    thicker = coating.thickness / (film.thickness_nm * NM) if film.thickness_nm is not None else 1.0
    return thicker * max(0.0, 2.0 * coating.coverage - 1.0)


def sheet_conductance_S(film: FilmConductor | None, temperature_C: float, reference_temperature_C: float) -> float:
    """Return the sheet conductance [S] of a film; 0 where the file gives none."""
    if film is None:
        return 0.0
    return film.sheet_conductance_S * arrhenius(film.activation_energy_eV, temperature_C, reference_temperature_C)
