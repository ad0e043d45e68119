"""Sensitivities from one solution against the difference of two solves, on everything that a face can be made of."""

from __future__ import annotations

import numpy as np
import pytest
from support import blobs, block, laminate, materials, voronoi

from kmc.axes import Boundary
from kmc.conduction import activation_energy_eV, dissipation_shares, solve_axis
from kmc.conduction.parameters import answers, find_parameters
from kmc.conduction.sensitivities import find_sensitivities
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.features import PointContacts, ThinShells
from microstructures.structure import VoxelStructure

H = 25e-9
TOLERANCE = 1e-9
STEP = 3e-3
Numbers = dict[tuple[str, str], float]


def grains_with_interfaces() -> tuple[VoxelStructure, Numbers]:
    labels, grains = voronoi(16, 20, seed=3, labels=(1, 2, 3))
    numbers = {
        ("phase", "A"): 1.0, ("phase", "B"): 0.03, ("interface", "A|B"): 2e-8, ("interface", "A|A"): 5e-8,
        ("interface", "B|B"): 1e-6,
    }  # fmt: skip
    return block(labels, grains=grains, periodic=True), numbers


def films_in_pores() -> tuple[VoxelStructure, Numbers]:
    labels = blobs(20, {0: 0.45, 1: 0.3, 2: 0.25}, seed=5, size=2.0)
    numbers = {
        ("phase", "A"): 0.02, ("phase", "B"): 1.0, ("film", "A|pore"): 3e-8, ("film", "A|B"): 1e-8, ("interface", "A|B"): 1e-7,
    }  # fmt: skip
    return block(labels, periodic=True), numbers


def pressed_contact() -> tuple[VoxelStructure, Numbers]:
    n = 12
    labels = laminate([1] * (n // 2) + [2] * (n // 2), across=n)
    contacts = PointContacts(
        grains=np.array([[1, 2]], dtype=np.int32), point=np.full((1, 3), 0.5 * n * H), normal=np.array([[1.0, 0.0, 0.0]]),
        radius=np.array([2.0 * H]), gap=np.zeros(1),
    )  # fmt: skip
    numbers = {("phase", "A"): 1.0, ("phase", "B"): 0.2, ("contact", "A|B"): 1e-7, ("interface", "A|B"): 3e-6}
    return block(labels, grains=labels).with_(contacts=contacts), numbers


def thin_layers() -> tuple[VoxelStructure, Numbers]:
    x, y, z = np.indices((16, 16, 16)) + 0.5
    wave = np.sin(2.0 * np.pi * y / 16.0) + np.sin(2.0 * np.pi * (y + z) / 16.0)
    labels = np.where(np.abs(x - 8.0) < 4.0 + 1.2 * wave, 1, 2)
    shells = ThinShells("C", "A", "B", 0.5, np.array([[1, 2]], dtype=np.int32), np.array([1.3 * H]))
    numbers = {
        ("phase", "A"): 0.3, ("phase", "B"): 1.0, ("phase", "C"): 0.02, ("interface", "A|C"): 3e-8, ("interface", "B|C"): 1e-8,
    }  # fmt: skip
    return block(labels, grains=labels, periodic=True).with_(shells=shells), numbers


CASES = {"interfaces": grains_with_interfaces, "films": films_in_pores, "contact": pressed_contact, "layers": thin_layers}


def network_of(structure: VoxelStructure, numbers: Numbers) -> Network:
    """Build everything from the numbers anew, faces included."""
    tables: dict[str, dict[str, float]] = {"phase": {}, "interface": {}, "contact": {}, "film": {}}
    for (kind, name), value in numbers.items():
        tables[kind][name] = value
    known = materials(
        tables["phase"], resistance=tables["interface"], contacts=tables["contact"], films=tables["film"],
        energy_eV={"A": 0.3, "B": 0.2, "A|B": 0.5, "A|A": 0.45, "A|pore": 0.07},
    )  # fmt: skip
    return build_network(structure, known)


def sigma(known: Network, boundary: Boundary) -> float:
    solution = solve_axis(known, 0, boundary=boundary, tolerance=TOLERANCE)
    assert solution.outcome is Outcome.CONVERGED
    return solution.sigma_eff_S_per_m


@pytest.mark.parametrize(
    ("case", "boundary"),
    [(case, boundary) for case in CASES for boundary in ("plates", "periodic") if (case, boundary) != ("contact", "periodic")],
)
def test_every_sensitivity_is_the_difference_of_two_solves(case: str, boundary: Boundary) -> None:
    structure, numbers = CASES[case]()
    known = network_of(structure, numbers)
    solution = solve_axis(known, 0, boundary=boundary, tolerance=TOLERANCE, keep_potential=True)
    found = {(entry.parameter.kind, entry.parameter.name): entry.sensitivity for entry in find_sensitivities(known, solution)}
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-6)
    assert {key for key, value in found.items() if abs(value) > 1e-6} <= set(numbers)
    decisive = 0
    for key in numbers:
        better = [
            sigma(network_of(structure, numbers | {key: numbers[key] * np.exp(sign * STEP)}), boundary) for sign in (-1.0, 1.0)
        ]
        expected = np.log(better[1] / better[0]) / (2.0 * STEP) * (1.0 if key[0] in ("phase", "film") else -1.0)
        assert found.get(key, 0.0) == pytest.approx(expected, rel=1e-3, abs=1e-6), key
        decisive += abs(expected) > 0.01
    assert decisive >= 3


def test_series_and_parallel_are_exact() -> None:
    """Across a laminate the sensitivities are shares of the resistance, along it shares of the conductance."""
    labels = laminate([1] * 6 + [2] * 2)
    known = build_network(block(labels), materials({"A": 1.0, "B": 0.1}, resistance={"A|B": 1e-7}))
    resistances = {"A": 6 * H / 1.0, "B": 2 * H / 0.1, "A|B": 1e-7}
    conductances = {"A": 6 * 1.0, "B": 2 * 0.1}
    for axis, parts in ((0, resistances), (1, conductances)):
        solution = solve_axis(known, axis, tolerance=1e-10, keep_potential=True)
        found = {entry.parameter.name: entry.sensitivity for entry in find_sensitivities(known, solution)}
        for name, part in parts.items():
            assert found[name] == pytest.approx(part / sum(parts.values()), rel=1e-7)


def test_parts_at_contacts_and_layers_are_told() -> None:
    structure, numbers = pressed_contact()
    known = network_of(structure, numbers)
    solution = solve_axis(known, 0, tolerance=TOLERANCE, keep_potential=True)
    by_name = {(e.parameter.kind, e.parameter.name): e for e in find_sensitivities(known, solution)}
    at_contact = by_name[("contact", "A|B")]
    assert at_contact.at_point_contacts == pytest.approx(at_contact.sensitivity, rel=1e-12)
    phase = by_name[("phase", "B")]
    assert 0.0 < phase.at_point_contacts < phase.sensitivity
    assert phase.at_thin_layers == 0.0


def test_point_contact_without_a_table_of_its_own_is_the_sintered_interface() -> None:
    structure, numbers = pressed_contact()
    del numbers["contact", "A|B"]
    names = {(entry.kind, entry.name) for entry in find_parameters(network_of(structure, numbers))}
    assert names == {("phase", "A"), ("phase", "B"), ("interface", "A|B")}


def test_answers_of_open_classes_sum_to_one() -> None:
    for make in CASES.values():
        known = network_of(*make())
        total = np.sum([answers(known, parameter) for parameter in find_parameters(known)], axis=0)
        np.testing.assert_allclose(total[known.conductance > 0.0], 1.0, atol=1e-6)


@pytest.mark.parametrize("voxel_nm", [25.0, (25.0, 50.0, 10.0)])
@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_activation_energy_by_both_boundaries_and_in_long_voxels(
    boundary: Boundary, voxel_nm: float | tuple[float, float, float]
) -> None:
    """Exact from one solution, against two temperatures; long voxels weigh half cells and interfaces by axis."""
    labels, grains = voronoi(12, 14, seed=1)
    structure = block(labels, voxel_nm, grains=grains, periodic=True)
    known = network_of(structure, {("phase", "A"): 1.0, ("phase", "B"): 0.1, ("interface", "A|B"): 1e-7})
    solution = solve_axis(known, 1, boundary=boundary, tolerance=TOLERANCE, keep_potential=True)
    assert dissipation_shares(known, solution).sum() == pytest.approx(1.0, rel=1e-12)
    step, k = 0.5, 8.617333262e-5
    values = [
        solve_axis(known.at(60.0 + sign * step), 1, boundary=boundary, tolerance=TOLERANCE).sigma_eff_S_per_m
        for sign in (-1.0, 1.0)
    ]
    inverse = [1.0 / (k * (333.15 + sign * step)) for sign in (-1.0, 1.0)]
    expected = -np.log(values[1] / values[0]) / (inverse[1] - inverse[0])
    assert activation_energy_eV(known, solution) == pytest.approx(expected, rel=1e-4)
