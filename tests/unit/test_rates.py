"""What the rate formulas promise: units, limits, and answers for phases that conduct nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from kmc.rates import (
    arrhenius,
    barrier_prefactor_S_per_m,
    carrier_density_per_m3,
    conductivity_S_per_m,
    equivalent_barrier_eV,
    hop_rate_Hz,
    mobility_factor,
    nernst_einstein_S_per_m,
)
from microstructures.errors import InputError
from microstructures.materials import Conductor
from microstructures.materials.schema import DEFAULT_CARRIER_DENSITY_PER_M3
from microstructures.units import kelvin, mS_per_cm, thermal_energy_eV

temperatures = st.floats(-200.0, 1000.0)


def test_units() -> None:
    """degC to K, kT in eV, S/m to mS/cm, kT/q^2 in J/C^2."""
    assert kelvin(60.0) == pytest.approx(333.15)
    assert thermal_energy_eV(25.0) == pytest.approx(0.025693, abs=1e-6)
    assert mS_per_cm(0.9) == pytest.approx(9.0)
    assert mobility_factor(60.0) == pytest.approx(constants.k * 333.15 / constants.e**2, rel=1e-12)


@given(st.floats(0.0, 2.0), temperatures, temperatures)
def test_arrhenius_there_and_back(energy: float, one: float, two: float) -> None:
    """The factor from T1 to T2 undoes the one from T2 to T1, and is 1 at the reference."""
    assert arrhenius(energy, one, two) * arrhenius(energy, two, one) == pytest.approx(1.0, rel=1e-9)
    assert arrhenius(energy, one, one) == 1.0
    assert arrhenius(0.0, one, two) == 1.0


@given(st.floats(0.01, 1.0), st.floats(-50.0, 400.0))
def test_barrier_form_and_equivalent_barrier(barrier: float, temperature_C: float) -> None:
    """sigma of a barrier turns back into that barrier at every temperature."""
    conductor = Conductor(migration_barrier_eV=barrier, attempt_frequency_Hz=2e12, hop_distance_nm=0.3)
    sigma = conductivity_S_per_m(conductor, temperature_C, 60.0)
    prefactor = barrier_prefactor_S_per_m(conductor, temperature_C)
    assert equivalent_barrier_eV(sigma, prefactor, temperature_C) == pytest.approx(barrier, rel=1e-9)


@given(st.floats(1e-12, 1e-6), st.floats(1e24, 1e29), st.floats(1.1, 10.0))
def test_nernst_einstein_is_linear(diffusivity: float, density: float, factor: float) -> None:
    """Twice the carriers or twice the diffusivity: twice the conductivity."""
    base = nernst_einstein_S_per_m(diffusivity, density, 60.0)
    assert nernst_einstein_S_per_m(factor * diffusivity, density, 60.0) == pytest.approx(factor * base)
    assert nernst_einstein_S_per_m(diffusivity, factor * density, 60.0) == pytest.approx(factor * base)


def test_measured_form() -> None:
    """sigma_ref at the reference temperature; an energy of 0 does not depend on it."""
    measured = Conductor(conductivity_S_per_m=0.9, activation_energy_eV=0.26)
    assert conductivity_S_per_m(measured, 60.0, 60.0) == 0.9
    warmer = 0.9 * math.exp(-0.26 / (constants.k / constants.e) * (1.0 / 373.15 - 1.0 / 333.15))
    assert conductivity_S_per_m(measured, 100.0, 60.0) == pytest.approx(warmer, rel=1e-12)
    flat = Conductor(conductivity_S_per_m=0.9, activation_energy_eV=0.0)
    assert conductivity_S_per_m(flat, -100.0, 60.0) == 0.9


def test_phases_without_carriers_conduct_nothing() -> None:
    """No table for a carrier: 0 and an infinite barrier; a density not given is that of lithium in a phosphate."""
    assert conductivity_S_per_m(None, 60.0, 60.0) == 0.0
    assert carrier_density_per_m3(None) == 0.0
    assert (
        carrier_density_per_m3(Conductor(conductivity_S_per_m=1.0, activation_energy_eV=0.0)) == DEFAULT_CARRIER_DENSITY_PER_M3
    )
    assert equivalent_barrier_eV(0.0, 1.0, 60.0) == math.inf
    assert equivalent_barrier_eV(1.0, 0.0, 60.0) == math.inf


def test_hop_rate_without_a_barrier_is_the_attempt_frequency() -> None:
    """nu exp(-E/kT), nu at E = 0; 0.3 eV at 60 degC cost a factor of 3.5e4."""
    assert hop_rate_Hz(1e13, 0.0, 60.0) == 1e13
    assert 1e13 / hop_rate_Hz(1e13, 0.3, 60.0) == pytest.approx(3.457e4, rel=1e-3)


@pytest.mark.parametrize("temperature_C", [-273.15, -1000.0, math.nan, math.inf])
def test_temperatures_below_absolute_zero_are_refused(temperature_C: float) -> None:
    """One line that names the value and the unit."""
    with pytest.raises(InputError, match=r"degC; allowed: finite and above -273\.15 degC"):
        kelvin(temperature_C)
