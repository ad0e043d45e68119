"""The pure parts of the calibration: files, derivatives, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from cofire.building import build
from cofire.calibration.fit import calibrate
from cofire.calibration.materials import to_toml, with_values
from cofire.calibration.result import interval_half_width
from kmc.conduction import activation_energy_eV, conduct
from kmc.network import build_network
from microstructures.materials import load_materials, parse_materials
from microstructures.units import mS_per_cm


@pytest.mark.parametrize("name", ["lfp-latp", "nmc-cathode"])
def test_written_materials_read_the_same(name):
    table = load_materials(name).to_dict()
    assert parse_materials(to_toml(table).encode(), name).to_dict() == table


def test_names_and_texts_of_any_kind_survive():
    table = load_materials().to_dict()
    table["notes"] = 'quote " backslash \\ tab \t line\nbell \x07 delete \x7f \u03a9 \U0001f50b'
    table["phases"]["a.b [c] \u03a9"] = {"label": 200}
    assert parse_materials(to_toml(table).encode(), "odd").to_dict()["notes"] == table["notes"]
    assert "a.b [c] \u03a9" in parse_materials(to_toml(table).encode(), "odd").file.phases


def test_replaced_values_leave_the_original_alone():
    before = load_materials().to_dict()
    changed = with_values(load_materials(), resistance_ohm_m2=0.0, activation_energy_eV=0.4, sheet_conductance_S=1e-6)
    assert changed.interface("LATP", "LATP", "ion").area_specific_resistance_ohm_m2 == 0.0
    assert changed.interface("LATP", "LATP", "ion").activation_energy_eV == 0.4
    assert load_materials().to_dict() == before


@pytest.mark.parametrize("replicas", [2, 3, 10])
def test_interval_of_replicas_is_that_of_student(replicas):
    assert interval_half_width(0.0, 4.0, replicas) == pytest.approx(2.0 * t.ppf(0.975, replicas - 1))


def test_derivatives_are_those_of_the_solver_even_away_from_the_reference_temperature():
    table = load_materials().to_dict()
    table["reference_temperature_C"] = 50.0
    found = calibrate(materials=parse_materials(to_toml(table).encode(), "cool"), size_um=2.4, voxel_nm=80, replicas=1)
    resistance, sheet, energy = (entry.value for entry in found.parameters)
    body = build("co-fired", size_um=2.4, voxel_nm=80, seed=1)

    def targets(shift: np.ndarray) -> np.ndarray:
        known = with_values(
            found.materials, resistance * math.exp(shift[0]), energy + shift[2], sheet * math.exp(shift[1])
        )  # fmt: skip
        values = []
        for carrier in ("ion", "electron"):
            network = build_network(body, known, carrier=carrier, temperature_C=60.0)
            solved = conduct(network, axis="all", boundary="periodic", keep_potential=True, tolerance=1e-7)
            sigma = [one.sigma_eff_S_per_m for one in solved.solutions]
            values.append(mS_per_cm(float(np.mean(sigma))))
            if carrier == "ion":
                energies = [activation_energy_eV(network, one) for one in solved.solutions]
                mean = float(np.average(energies, weights=sigma))
        return np.array([*values, mean])

    step = 0.02
    columns = [(targets(step * row) - targets(-step * row)) / (2.0 * step) for row in np.eye(3)]
    assert found.jacobian == pytest.approx(np.array(columns).T, rel=0.03, abs=1e-5)
