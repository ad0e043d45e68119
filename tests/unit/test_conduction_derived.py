"""What follows from a solution: derived numbers, fields and their files, contacts, temperatures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from support import blobs, block, laminate, materials, network, voronoi

from cofire.cli import main
from kmc.arrhenius import fit_arrhenius
from kmc.axes import Boundary
from kmc.conduction import conduct, solve_axis
from kmc.conduction.conduct import ConductionResult
from kmc.conduction.contact_currents import contact_currents
from kmc.conduction.face_currents import face_currents, plate_currents
from kmc.conduction.field_files import write_fields
from kmc.conduction.fields import current_density, current_density_vector, dissipation_density
from kmc.conduction.phase_currents import current_shares
from kmc.conduction.steady import AxisSolution
from kmc.conduction.temperatures import conduct_over
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure

H = 25e-9
TIGHT = 1e-10


def composite(
    voxel_nm: float | tuple[float, float, float] = 25.0, resistance: float = 1e-7, n: int = 12
) -> tuple[Network, NDArray[np.int32]]:
    """Return the network of grains of A, B and pore with interfaces that resist."""
    labels, grains = voronoi(n, 24, seed=4, labels=(1, 2, 1, 2, 0))
    known = materials({"A": 1.0, "B": 0.05}, resistance={"default": resistance}, energy_eV={"A": 0.3, "B": 0.2, "default": 0.4})
    return build_network(block(labels, voxel_nm, grains=grains, periodic=True), known), grains


def coated() -> Network:
    labels = blobs(16, {0: 0.4, 1: 0.3, 2: 0.3}, seed=2, size=2.0)
    return network(labels, materials({"A": 0.02, "B": 1.0}, films={"A|pore": 3e-8}), periodic=True)


def solved(known: Network, axis: int, boundary: Boundary) -> AxisSolution:
    solution = solve_axis(known, axis, boundary=boundary, tolerance=TIGHT, keep_potential=True)
    assert solution.outcome is Outcome.CONVERGED
    return solution


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize(
    ("make", "axis"), [(lambda: composite()[0], 1), (lambda: composite((25.0, 40.0, 10.0))[0], 2), (coated, 0)]
)
def test_fields_have_the_mean_of_the_whole(make, axis: int, boundary: Boundary) -> None:  # type: ignore[no-untyped-def]
    """Mean current density and mean dissipation are sigma_eff for 1 V/m; across the axis the mean current is a tensor term."""
    known = make()
    solution = solved(known, axis, boundary)
    flow = np.nan_to_num(current_density_vector(known, solution))
    heat = dissipation_density(known, solution)
    assert flow[axis].mean() == pytest.approx(solution.sigma_eff_S_per_m, rel=1e-9)
    assert heat.mean() == pytest.approx(solution.sigma_eff_S_per_m, rel=1e-12)
    assert heat.min() >= 0.0
    length = known.structure.shape[axis] * known.structure.voxel_size[axis]
    assert np.nanmax(np.abs(current_density(known, solution) * length - np.sqrt((flow**2).sum(axis=0)))) <= 1e-12


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_solutions_remember_their_boundary(boundary: Boundary) -> None:
    """The mean current density is sigma_eff without being told the boundary, which taken for the other one it is not."""
    known, _ = composite()
    other: Boundary = "plates" if boundary == "periodic" else "periodic"
    found = conduct(known, axis="all", boundary=boundary, tolerance=TIGHT, keep_potential=True)
    for axis, solution in enumerate(found.solutions):
        assert solution.boundary == boundary
        flow = np.nan_to_num(current_density_vector(known, solution))
        assert flow[axis].mean() == pytest.approx(solution.sigma_eff_S_per_m, rel=1e-9)
        mistaken = np.nan_to_num(current_density_vector(known, replace(solution, boundary=other)))
        assert mistaken[axis].mean() != pytest.approx(solution.sigma_eff_S_per_m, rel=0.1)
    assert all(solution.boundary == boundary for solution in found.without_potentials().solutions)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_solutions_without_a_path_remember_their_boundary(boundary: Boundary) -> None:
    known = network(laminate([1] * 4 + [0] * 4), materials({"A": 1.0}), periodic=True)
    solution = solve_axis(known, 0, boundary=boundary)
    assert (solution.outcome, solution.boundary) == (Outcome.NOT_PERCOLATING, boundary)


def test_only_plates_feed_current() -> None:
    known, _ = composite()
    for axis in range(3):
        solution = solved(known, axis, "plates")
        length, area = 12 * H, (12 * H) ** 2
        for flow in plate_currents(known, solution):
            assert flow.shape == (12, 12)
            assert flow.sum() * length / area == pytest.approx(solution.sigma_eff_S_per_m, rel=1e-9)
        assert not np.any(plate_currents(known, solved(known, axis, "periodic")))


def test_laminate_loses_heat_in_its_layers() -> None:
    """In series a layer of conductivity s loses j^2/s; the loss of an interface lies in the voxels beside it."""
    known = network(laminate([1] * 4 + [2] * 4), materials({"A": 1.0, "B": 0.1}, resistance={"A|B": 1e-7}))
    solution = solved(known, 0, "plates")
    j = solution.sigma_eff_S_per_m
    heat = dissipation_density(known, solution)[:, 1, 2]
    expected = np.array([j * j / 1.0] * 4 + [j * j / 0.1] * 4)
    expected[3:5] += 0.5 * j * j * 1e-7 / H
    np.testing.assert_allclose(heat, expected, rtol=1e-9)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_current_shares_of_layers_and_films(boundary: Boundary) -> None:
    layers = np.moveaxis(laminate([1] * 6 + [2] * 2 + [0] * 8, across=6), 0, 2)
    known = network(layers, materials({"A": 1.0, "B": 0.5}), periodic=True)
    found = current_shares(known, solved(known, 0, boundary))
    assert found == pytest.approx({"A": 6.0 / 7.0, "B": 1.0 / 7.0, "pore": 0.0}, rel=1e-9)
    bare = np.moveaxis(laminate([1] * 8 + [0] * 8, across=6), 0, 2)
    filmed = network(bare, materials({"A": 0.5}, films={"A|pore": 1e-7}), periodic=True)
    found = current_shares(filmed, solved(filmed, 0, boundary))
    total = 8 * H * 0.5 + 2 * 1e-7
    assert found == pytest.approx({"A": 8 * H * 0.5 / total, "pore": 0.0, "film A|pore": 2e-7 / total}, abs=1e-6)


def test_current_shares_sum_to_one() -> None:
    known = coated()
    found = current_shares(known, solved(known, 1, "plates"))
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    assert abs(found["pore"]) < 1e-6
    assert found["film A|pore"] > 0.01


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("make", [lambda: composite()[0], lambda: composite((25.0, 40.0, 10.0))[0], coated])
def test_no_grain_keeps_current(make, boundary: Boundary) -> None:  # type: ignore[no-untyped-def]
    """Kirchhoff: what flows into a grain flows out; what leaves the low plate reaches the high one."""
    known = make()
    solution = solved(known, 0, boundary)
    found = contact_currents(known, solution)
    net = found.net_currents_A()
    assert len(net) > 2
    plates = [net.pop((0, name), None) for name in ("low plate", "high plate")]
    assert max(abs(value) for value in net.values()) < 1e-6 * found.total_A
    if boundary == "plates":
        assert plates[0] == pytest.approx(found.total_A, rel=1e-6)
        assert plates[1] == pytest.approx(-found.total_A, rel=1e-6)
    else:
        assert plates == [None, None]


def test_contacts_against_a_count_by_hand() -> None:
    """Area, faces and current of every pair, summed voxel by voxel."""
    known, grains = composite(resistance=0.0)
    solution = solved(known, 0, "plates")
    found = contact_currents(known, solution)
    inner = found.between_grains
    length = 12 * H
    by_hand: dict[tuple[int, int], list[float]] = {}
    for axis in range(3):
        flow = face_currents(known, solution, axis)
        for at in np.argwhere(flow != 0.0):
            after = at.copy()
            after[axis] += 1
            a, b = int(grains[tuple(at)]), int(grains[tuple(after)])
            if a != b:
                entry = by_hand.setdefault((min(a, b), max(a, b)), [0.0, 0.0])
                entry[0] += 1
                entry[1] += flow[tuple(at)] * length * (1.0 if a < b else -1.0)
    assert len(by_hand) == inner.sum() > 10
    for pair, faces, area, current in zip(
        found.grain[inner], found.faces[inner], found.area_m2[inner], found.current_A[inner], strict=True
    ):
        expected = by_hand[int(pair.min()), int(pair.max())]
        assert faces == expected[0]
        assert area == pytest.approx(faces * H * H, rel=1e-12)
        assert current * (1.0 if pair[0] < pair[1] else -1.0) == pytest.approx(expected[1], rel=1e-9, abs=1e-30)


def test_most_loaded_contacts_come_first() -> None:
    known, _ = composite()
    found = contact_currents(known, solved(known, 0, "plates"))
    shares = [entry["share"] for entry in found.most_loaded(5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == max(found.share[found.between_grains])
    table = found.to_frame()
    assert len(table) == len(found)
    assert table["share"].is_monotonic_decreasing
    classes = found.by_interface()
    assert sum(entry["contacts"] for entry in classes.values()) == found.between_grains.sum()
    assert set(classes) == {"A|A", "A|B", "B|B"}


def test_bicrystal_has_one_contact_that_carries_everything() -> None:
    labels = laminate([1] * 5 + [2] * 5, across=6)
    known = network(labels, materials({"A": 1.0, "B": 2.0}, resistance={"A|B": 1e-7}), grains=labels)
    found = contact_currents(known, solved(known, 0, "plates"))
    (entry,) = found.most_loaded()
    assert (entry["grains"], entry["interface"], entry["point_contact"]) == ([1, 2], "A|B", False)
    assert entry["share"] == pytest.approx(1.0, rel=1e-9)
    assert entry["area_m2"] == pytest.approx(36 * H * H, rel=1e-12)
    assert entry["current_A"] == pytest.approx(found.total_A, rel=1e-9)


def test_derived_numbers_of_a_straight_channel() -> None:
    """Half of the block conducts straight through: tau = 1, formation factor 2, efficiency 1/2, ASR = L / sigma_eff."""
    labels = np.moveaxis(laminate([1] * 4 + [0] * 4, across=8), 0, 2)
    result = conduct(block(labels), materials({"A": 0.4}))
    assert result.tortuosity_factor == pytest.approx(1.0, rel=1e-9)
    assert result.formation_factor == pytest.approx(2.0, rel=1e-9)
    assert result.transport_efficiency == pytest.approx(0.5, rel=1e-9)
    assert result.area_specific_resistance_ohm_m2 == pytest.approx(8 * H / 0.2, rel=1e-9)
    found = result.to_dict()
    assert "volume fraction" in found["tortuosity_factor_definition"]
    assert set(found["definitions"]) == {"transport_efficiency", "formation_factor", "area_specific_resistance_ohm_m2"}
    assert "sensitivities" not in found


def test_derived_numbers_where_nothing_percolates_or_films_conduct() -> None:
    labels = laminate([1] * 4 + [0] * 4)
    across = conduct(block(labels), materials({"A": 0.4}), axis="all")
    assert across.tortuosity_factor == {"x": None, "y": pytest.approx(1.0), "z": pytest.approx(1.0)}
    assert across.transport_efficiency == {"x": 0.0, "y": pytest.approx(0.5), "z": pytest.approx(0.5)}
    assert across.formation_factor["x"] is across.area_specific_resistance_ohm_m2["x"] is None  # type: ignore[index]
    filmed = conduct(coated())
    assert filmed.tortuosity_factor is filmed.formation_factor is filmed.transport_efficiency is None
    assert filmed.area_specific_resistance_ohm_m2 is not None


def test_an_unconverged_number_derives_nothing() -> None:
    result = conduct(composite()[0], max_iterations=1, tolerance=1e-9, explain=True)
    assert result.outcome is Outcome.NOT_CONVERGED
    assert result.tortuosity_factor is result.formation_factor is result.transport_efficiency is None
    assert result.area_specific_resistance_ohm_m2 is None
    assert result.explanations == ()


def explained(axis: str) -> ConductionResult:
    return conduct(composite()[0], axis=axis, explain=True)


def test_explanation_is_part_of_the_result() -> None:
    one, every = explained("y").to_dict(), explained("all")
    assert sum(entry["sensitivity"] for entry in one["sensitivities"]) == pytest.approx(1.0, abs=1e-6)
    sizes = [abs(entry["sensitivity"]) for entry in one["sensitivities"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(one["current_share"].values()) == pytest.approx(1.0, abs=1e-9)
    assert len(one["grain_contacts"]["most_loaded"]) == 10
    assert 0.2 < one["activation_energy_eV"] < 0.4
    assert set(every.to_dict()["sensitivities"]) == set("xyz")
    assert all(solution.potential is None for solution in every.solutions)
    assert every.to_dict()["sensitivities"]["y"] == one["sensitivities"]
    json.dumps(one)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("suffix", [".h5", ".vti"])
def test_field_files_hold_the_fields(tmp_path: Path, suffix: str, boundary: Boundary) -> None:
    known, _ = composite((25.0, 40.0, 10.0))
    solution = solved(known, 1, boundary)
    path = tmp_path / f"fields{suffix}"
    write_fields(path, known, solution)
    if suffix == ".h5":
        with h5py.File(path) as file:
            potential, flow = file["potential_V"][:], file["current_density_A_per_m2"][:]
            heat = file["dissipation_W_per_m3"][:]
            assert "1 V/m" in file.attrs["normalisation"]
            assert file.attrs["boundary"] == boundary
            assert file.attrs["sigma_eff_S_per_m"] == solution.sigma_eff_S_per_m
            np.testing.assert_allclose(file.attrs["voxel_size_m"], known.structure.voxel_size)
    else:
        import pyvista

        grid = pyvista.read(path)
        shape = known.structure.shape
        assert grid.field_data["boundary"][0] == boundary
        np.testing.assert_allclose(grid.spacing, np.array(known.structure.voxel_size) * 1e6)
        potential = np.asarray(grid.cell_data["potential_V"]).reshape(shape, order="F")
        flow = np.asarray(grid.cell_data["current_density_A_per_m2"]).reshape((*shape, 3), order="F")
        heat = np.asarray(grid.cell_data["dissipation_W_per_m3"]).reshape(shape, order="F")
    assert solution.potential is not None
    np.testing.assert_array_equal(potential, solution.potential * (12 * known.structure.voxel_size[1]))
    np.testing.assert_array_equal(flow, np.moveaxis(current_density_vector(known, solution), 0, -1))
    np.testing.assert_array_equal(heat, dissipation_density(known, solution))
    assert list(tmp_path.iterdir()) == [path]


def test_field_files_that_fail_leave_nothing(tmp_path: Path) -> None:
    known, _ = composite()
    bare = solve_axis(known, 0)
    with pytest.raises(InputError, match="keep_potential"):
        write_fields(tmp_path / "a.h5", known, bare)
    with pytest.raises(InputError, match=r"allowed: \.h5, \.vti"):
        write_fields(tmp_path / "a.png", known, solved(known, 0, "plates"))
    assert list(tmp_path.iterdir()) == []


def test_temperatures_follow_single_solves() -> None:
    known, _ = composite()
    series = conduct_over(known, [80.0, 25.0, 60.0, 60.0], axis="z", tolerance=1e-9)
    assert series.temperature_C == (25.0, 60.0, 80.0)
    for result in series.results:
        alone = conduct(known.at(result.temperature_C), axis="z", tolerance=1e-9)
        assert result.sigma_eff_S_per_m == pytest.approx(alone.sigma_eff_S_per_m, rel=1e-8)
        assert result.network.faces is known.faces
        assert result.solutions[0].potential is None
    fit = series.fits["z"]
    assert fit is not None
    assert 0.2 < fit.activation_energy_eV < 0.4
    assert 0.0 < fit.activation_energy_stderr_eV < 0.02
    found = series.to_dict()
    assert found["arrhenius"] == fit.to_dict()
    assert len(found["sigma_eff_S_per_m"]) == len(found["outcome"]) == 3


def test_temperatures_of_one_barrier_are_a_straight_line() -> None:
    structure: VoxelStructure = block(blobs(12, {1: 0.7, 0: 0.3}, seed=1))
    series = conduct_over(
        structure, [20.0, 60.0, 100.0], materials({"A": 1.0}, energy_eV={"A": 0.31}), axis="all", tolerance=1e-9
    )
    for fit in series.fits.values():
        assert fit is not None
        assert fit.activation_energy_eV == pytest.approx(0.31, abs=1e-7)
        assert fit.activation_energy_stderr_eV < 1e-7


def test_temperatures_where_nothing_percolates_have_no_fit() -> None:
    series = conduct_over(block(laminate([1, 0])), [20.0, 60.0], materials({"A": 1.0}))
    assert series.fits == {"x": None}
    with pytest.raises(InputError, match="no temperature"):
        conduct_over(block(laminate([1, 0])), [], materials({"A": 1.0}))


def test_errors_of_the_fits_cover_the_truth() -> None:
    """Over many noisy series the error is the scatter of the slope: the normalised deviations have variance n-2 over n-4."""
    rng, k = np.random.default_rng(1), 8.617333262e-5
    temperatures = np.linspace(20.0, 120.0, 12)
    deviations = []
    for _ in range(400):
        sigma = np.exp(-0.3 / (k * (temperatures + 273.15)) + 0.05 * rng.standard_normal(12))
        fit = fit_arrhenius(temperatures.tolist(), sigma.tolist())
        deviations.append((fit.activation_energy_eV - 0.3) / fit.activation_energy_stderr_eV)
    assert np.mean(np.square(deviations)) == pytest.approx(10.0 / 8.0, rel=0.25)
    assert np.isnan(fit_arrhenius([20.0, 60.0], [1.0, 2.0]).activation_energy_stderr_eV)


MATERIALS = """\
schema = 1
name = "two"
reference_temperature_C = 60.0
phases.A = { label = 1, ion = { conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 } }
phases.B = { label = 2, ion = { conductivity_S_per_m = 0.1, activation_energy_eV = 0.2 } }
interfaces."A|B" = { ion = { area_specific_resistance_ohm_m2 = 1e-7, activation_energy_eV = 0.4 } }
"""


@pytest.fixture
def image(tmp_path: Path) -> list[str]:
    """Return the words that every command below starts with."""
    np.save(tmp_path / "mix.npy", blobs(12, {0: 0.2, 1: 0.4, 2: 0.4}, seed=7, size=2.0))
    (tmp_path / "two.toml").write_text(MATERIALS)
    return ["conduct", str(tmp_path / "mix.npy"), "--voxel-nm", "25", "--materials", str(tmp_path / "two.toml")]


def test_command_tells_what_decides(image: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*image, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = {(entry["kind"], entry["name"]): entry["sensitivity"] for entry in found["sensitivities"]}
    assert set(names) == {("phase", "A"), ("phase", "B"), ("interface", "A|B")}
    assert sum(names.values()) == pytest.approx(1.0, abs=1e-6)
    assert main([*image, "--axis", "all", "--temperatures", "25,60,100"]) == 0
    out = capsys.readouterr().out
    for words in ("what decides it", "conductivity of A", "interface A|B", "Ea of ln sigma T y", "tortuosity factor"):
        assert words in out


def test_command_writes_fields_contacts_and_temperatures(
    image: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields, table = tmp_path / "f.h5", tmp_path / "c.csv"
    assert main([*image, "--fields", str(fields), "--contacts", str(table), "--temperatures", "25,60", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == [str(fields), str(table)]
    with h5py.File(fields) as file:
        assert np.nan_to_num(file["current_density_A_per_m2"][..., 0]).mean() == pytest.approx(
            found["sigma_eff_S_per_m"], rel=1e-3
        )
    rows = pd.read_csv(table)
    assert rows["share"].max() <= 1.001
    assert {"low plate", "high plate"} <= set(rows["phase_b"])
    assert found["temperatures"]["temperature_C"] == [25.0, 60.0]
    assert found["temperatures"]["sigma_eff_S_per_m"][1] == pytest.approx(found["sigma_eff_S_per_m"], rel=1e-3)
    assert found["temperatures"]["arrhenius"]["activation_energy_stderr_eV"] is None
    assert main([*image, "--contacts", str(table)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*image, "--contacts", str(tmp_path / "c.parquet")]) == 0
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "c.parquet"), rows, check_dtype=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--temperatures", "25;60"], "allowed: numbers with commas"),
        (["--temperatures", "25,-300"], "-300"),
        (["--fields", "f.h5", "--axis", "all"], "choose x, y or z"),
        (["--contacts", "f.xlsx"], "allowed: .csv, .parquet"),
    ],
)
def test_command_refuses_in_one_line(
    image: list[str], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*image, *words]) == 2
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said


def test_command_writes_no_fields_where_nothing_flows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "gap.npy", laminate([1, 1, 0, 1]))
    (tmp_path / "two.toml").write_text(MATERIALS)
    words = ["conduct", str(tmp_path / "gap.npy"), "--voxel-nm", "25", "--materials", str(tmp_path / "two.toml")]
    assert main([*words, "--fields", str(tmp_path / "f.vti"), "--temperatures", "25,60", "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["outcome"], found["files"]) == ("not-percolating", [])
    assert found["temperatures"]["arrhenius"] is None
    assert "is not written" in err
    assert not (tmp_path / "f.vti").exists()
