"""The error budget: every source against numbers that are known, and the ranges of the materials against the solver."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cofire.building import build
from cofire.calibration.result import TARGETS
from cofire.experiment.budget.error_budget import QUANTITIES, budget_variants, error_budget, study_variants
from cofire.experiment.budget.error_variants import BOX, PLATES, VOXEL, contact_cases, voxel_levels
from cofire.experiment.budget.extrapolation import extrapolate
from cofire.experiment.budget.parameter_error import sample_ranges, study_parameters
from cofire.experiment.budget.uncertain_numbers import find_uncertain, with_number
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Body, Variant, group_by_body, run_variants
from microstructures.errors import InputError
from microstructures.materials import Materials, load_materials, parse_materials
from microstructures.materials.schema import MaterialsFile
from microstructures.recipe import Recipe

RECIPE, MATERIALS = Recipe(), load_materials()
SEEDS, SIZE, VOXEL_NM, COARSE = (1, 2, 3), 4.0, 50.0, 75.0
SETTING = Setting(RECIPE, MATERIALS, SEEDS, SIZE, VOXEL_NM)
SMALL = Setting(RECIPE, MATERIALS, (1,), size_um=2.4, voxel_nm=75.0)
FIRED, PRESSED = {1: 1.0, 2: 1.1, 3: 0.9}, {1: 0.010, 2: 0.012, 3: 0.008}


def estimates(seeds: tuple[int, ...] = SEEDS, hops: float = 1.02) -> pd.DataFrame:
    rows = []
    for process, values in (("co-fired", FIRED), ("cold-pressed", PRESSED)):
        for seed in seeds:
            for carrier in ("ion", "electron"):
                common = {"process": process, "seed": seed, "carrier": carrier, "outcome": "converged"}
                solver = {"estimator": "solver", "sigma_mS_per_cm": values[seed], "own_stderr_mS_per_cm": 0.0}
                rows.append({**common, **solver, "activation_energy_eV": 0.30 + 0.01 * seed})
                own = {"sigma_mS_per_cm": hops * values[seed], "own_stderr_mS_per_cm": 0.01 * hops * values[seed]}
                rows.append({**common, "estimator": "kMC", **own})
    return pd.DataFrame(rows)


def rows(
    *, coarser: float = 1.04, box: float = 1.0, box_scatter: float = 0.01, contacts: float = 1.3, seeds: tuple[int, ...] = SEEDS
) -> pd.DataFrame:
    """Return made-up answers: voxels, boxes, plates and contacts each change sigma by a factor that is known."""
    found = []
    for variant in budget_variants(replace(SETTING, seeds=seeds)):
        body = variant.body
        factor = coarser
        if variant.name == BOX:
            factor *= box * (1.0 + box_scatter * (body.seed - 2))
        elif variant.name == PLATES:
            factor *= 0.9
        elif variant.name != VOXEL:
            more = any(case.name == variant.name and case.at > 6.0 for case in contact_cases(RECIPE))
            grows = more or variant.name.startswith("work of adhesion 1")
            factor *= contacts if grows else 1.0 / contacts
        values = FIRED if body.process == "co-fired" else PRESSED
        found += [
            {
                "variant": variant.name, "process": body.process, "seed": body.seed, "size_um": body.size_um,
                "voxel_nm": body.voxel_nm, "boundary": "plates" if variant.plates else "periodic", "carrier": carrier,
                "temperature_C": 60.0, "sigma_mS_per_cm": factor * values[body.seed],
                "activation_energy_eV": 0.30 + 0.01 * body.seed + 0.02 * (factor - 1.0), "outcome": "converged",
            }
            for carrier in ("ion", "electron")
        ]  # fmt: skip
    return pd.DataFrame(found)


def ranges(low: float = 0.5, high: float = 2.0, group: str = "not fitted", in_pressed: float = 1.0) -> pd.DataFrame:
    """Return a study of one number to which ln(sigma) is proportional."""
    return pd.DataFrame(
        [
            {"process": process, "seed": 1, "carrier": "ion", "parameter": "LATP", "group": group, "scale": "log", "low": low,
             "high": high, "at": at, "log_sigma": slope * math.log(at), "energy_eV": 0.0, "sensitivity": slope}
            for process, slope in (("co-fired", 1.0), ("cold-pressed", in_pressed))
            for at in (low, 1.0, high)
        ]
    )  # fmt: skip


def budget(table: pd.DataFrame, found: pd.DataFrame, study: pd.DataFrame | None = None, materials=MATERIALS) -> pd.DataFrame:
    return error_budget(table, found, pd.DataFrame() if study is None else study, replace(SETTING, materials=materials))


def line(table: pd.DataFrame, source: str, quantity: str = "sigma", process: str = "cold-pressed", carrier: str = "ion"):
    same = (table["quantity"] == quantity) & (table["process"] == process) & (table["carrier"] == carrier)
    part = table[same & (table["source"] == source)]
    assert len(part) == 1
    return part.iloc[0]


def test_every_quantity_has_its_lines_and_a_sum():
    found = budget(estimates(), rows())
    assert set(zip(found["quantity"], found["process"], found["carrier"], strict=True)) == set(QUANTITIES)
    assert (found.groupby(["quantity", "process", "carrier"]).tail(1)["source"] == "sum").all()


def test_replicas_have_the_interval_of_student():
    row = line(budget(estimates(), rows()), "replicas", process="co-fired")
    error = np.std(list(FIRED.values()), ddof=1) / math.sqrt(3.0)
    assert row["value"] == pytest.approx(1.0)
    assert row["standard_error"] == pytest.approx(error)
    assert math.log(row["high"]) == pytest.approx(t.ppf(0.975, 2) * error)
    energy = line(budget(estimates(), rows()), "replicas", "activation_energy")
    assert energy["high"] - energy["value"] == pytest.approx(t.ppf(0.975, 2) * 0.01 / math.sqrt(3.0))


def test_ratio_is_paired_over_seeds():
    row = line(budget(estimates(), rows()), "replicas", "ratio", "")
    logs = [math.log(FIRED[seed] / PRESSED[seed]) for seed in SEEDS]
    assert row["value"] == pytest.approx(math.exp(np.mean(logs)))
    assert row["standard_error"] == pytest.approx(np.std(logs, ddof=1) / math.sqrt(3.0))


def test_one_seed_gives_no_interval():
    found = budget(estimates((1,)), rows(seeds=(1,)))
    for source in ("replicas", "sum"):
        mine = found[found["source"] == source]
        assert len(mine) == len(QUANTITIES)
        assert mine[["standard_error", "low", "high"]].isna().all(axis=None)
        assert mine["note"].str.contains("one seed").all()
    assert not found[found["source"] == BOX]["in_sum"].any()


def test_bodies_without_a_path_are_no_quantity_but_stop_nothing():
    table = estimates()
    table.loc[table["process"] == "cold-pressed", "sigma_mS_per_cm"] = 0.0
    table.loc[table["process"] == "cold-pressed", "activation_energy_eV"] = float("nan")
    found = budget(table, rows())
    assert set(found["process"]) == {"co-fired"}


def test_hops_are_judged_in_their_own_errors_and_do_not_enter():
    row = line(budget(estimates(hops=1.02), rows()), "kinetic Monte Carlo")
    assert row["standard_error"] == pytest.approx(0.01 / math.sqrt(3.0))
    assert row["shift"] == pytest.approx(math.log(1.02))
    assert f"{math.log(1.02) / (0.01 / math.sqrt(3.0)):+.1f} of its own errors" in row["note"]
    assert not row["in_sum"]


def test_voxels_are_extrapolated_to_first_order_from_two_sizes():
    row = line(budget(estimates(), rows(coarser=1.04)), VOXEL)
    assert row["shift"] == pytest.approx(-math.log(1.04) / (COARSE / VOXEL_NM - 1.0))
    assert math.log(row["high"] / row["value"]) == pytest.approx(3.0 * abs(row["shift"]))
    assert line(budget(estimates(), rows(coarser=1.04)), VOXEL, "ratio", "")["shift"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("box", "in_sum"), [(1.1, True), (1.005, False)])
def test_box_enters_where_it_differs_from_nothing(box, in_sum):
    row = line(budget(estimates(), rows(box=box)), BOX)
    assert row["in_sum"] == in_sum
    assert row["shift"] == pytest.approx(math.log(box), abs=1e-4)
    assert ("not significant" in row["note"]) != in_sum


def test_plates_are_a_bound_beside_the_sum():
    row = line(budget(estimates(), rows()), "boundary")
    assert row["shift"] == pytest.approx(math.log(0.9))
    assert (row["low"], row["high"]) == pytest.approx((0.9 * row["value"], row["value"]))
    assert not row["in_sum"]


def test_sum_is_the_root_of_squares_of_what_enters():
    found = budget(estimates(), rows(box=1.1), ranges())
    for _, part in found.groupby(["quantity", "process", "carrier"]):
        lines, total = part[part["source"] != "sum"], part[part["source"] == "sum"].iloc[0]
        entered = lines[lines["in_sum"]]
        assert total["standard_error"] == pytest.approx(math.sqrt((entered["standard_error"] ** 2).sum()))
        assert all(source in total["note"] for source in entered["source"])
        assert total["high"] >= entered["high"].max()


def test_ranges_are_uniform_in_the_logarithm():
    row = line(budget(estimates(), rows(), ranges(0.5, 2.0)), "parameters, not fitted")
    assert row["standard_error"] == pytest.approx(math.log(4.0) / math.sqrt(12.0), rel=1e-3)
    assert row["high"] / row["value"] == pytest.approx(math.exp(0.475 * math.log(4.0)), rel=1e-3)


def test_a_number_that_moves_both_bodies_alike_leaves_their_ratio():
    assert line(budget(estimates(), rows(), ranges()), "parameters, not fitted", "ratio", "")["standard_error"] < 1e-12
    half = line(budget(estimates(), rows(), ranges(in_pressed=0.5)), "parameters, not fitted", "ratio", "")
    assert half["standard_error"] == pytest.approx(0.5 * math.log(4.0) / math.sqrt(12.0), rel=1e-3)


def test_fitted_conductivity_has_the_error_of_its_target():
    found = budget(
        estimates(), rows(), pd.concat([ranges(), ranges(group="calibrated").assign(parameter="LATP|LATP interface")])
    )
    fired = line(found, "calibrated parameters", process="co-fired")
    assert fired["standard_error"] == pytest.approx(TARGETS[0].error / TARGETS[0].value)
    assert not line(found, "parameters, not fitted", process="co-fired")["in_sum"]
    assert line(found, "parameters, not fitted")["in_sum"]
    assert line(found, "calibrated parameters")["standard_error"] == pytest.approx(math.log(4.0) / math.sqrt(12.0), rel=1e-3)


def test_fitted_activation_energy_has_the_error_of_its_target_too():
    row = line(budget(estimates(), rows()), "calibrated parameters", "activation_energy", "co-fired")
    assert row["standard_error"] == pytest.approx(TARGETS[2].error)
    content = MATERIALS.to_dict()
    content["interfaces"]["LATP|LATP"]["ion"]["source"]["activation_energy_eV"]["status"] = "measured"
    measured = Materials(MaterialsFile.model_validate(content), "measured")
    found = budget(estimates(), rows(), materials=measured)
    assert (found["source"] == "calibrated parameters").sum() == 2  # both conductivities


def test_contacts_move_the_cold_body_only():
    found = budget(estimates(), rows(contacts=1.3))
    contacts = found[found["source"].str.startswith("contacts")]
    assert set(contacts["process"]) == {"cold-pressed", ""}
    row = line(found, "contacts (coordination, adhesion)")
    assert row["standard_error"] == pytest.approx(math.log(1.3) * math.sqrt(2.0 / 3.0), rel=0.05)


def test_two_sizes_and_three():
    assert extrapolate({20.0: 1.2, 30.0: 1.3}).shift == pytest.approx(-0.2)
    exact = {h: 2.0 - 0.001 * h**1.7 for h in (10.0, 25.0, 40.0)}
    found = extrapolate(exact)
    assert found.order == pytest.approx(1.7)
    assert exact[10.0] + found.shift == pytest.approx(2.0)


@pytest.mark.parametrize("values", [(1.0, 1.1, 1.05), (1.0, 1.0, 1.2)])
def test_sizes_that_go_up_and_down_give_their_largest_difference(values):
    found = extrapolate(dict(zip((10.0, 20.0, 40.0), values, strict=True)))
    assert abs(found.shift) == pytest.approx(max(values) - min(values))
    assert math.isnan(found.order)


def test_sizes_without_an_order_fall_back_to_the_first_with_the_larger_safety():
    found = extrapolate({10.0: 1.0, 20.0: 1.1, 40.0: 1.1001})
    assert (found.shift, found.order, found.safety) == (pytest.approx(-0.1), 1.0, 3.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_coarsest_level_can_be_pressed_and_the_next_cannot_always(seed):
    coarsest = voxel_levels(RECIPE, 25.0)[-1]
    assert build("cold-pressed", size_um=2.4, voxel_nm=coarsest, seed=seed, recipe=RECIPE).process == "cold-pressed"
    with pytest.raises(InputError, match="smallest particle"):
        build("cold-pressed", size_um=2.4, voxel_nm=1.3 * coarsest, seed=seed, recipe=RECIPE)


def test_variants_share_bodies_and_seeds():
    variants = budget_variants(SETTING)
    groups = group_by_body(variants)
    assert all({VOXEL, PLATES} == {one.name for one in group} for group in groups if len(group) > 1)
    assert sum(len(group) > 1 for group in groups) == 2 * len(SEEDS)
    assert {variant.body.seed for variant in variants} == set(SEEDS)
    assert all(variant.body.voxel_nm == COARSE for variant in variants)
    changed = {one.name for one in variants} - {VOXEL, PLATES, BOX}
    assert changed == {"coordination 5", "coordination 7", "work of adhesion 0.1 J/m2", "work of adhesion 1 J/m2"}
    assert all(one.body.process == "cold-pressed" for one in variants if one.name in changed)


def test_real_rows_make_a_budget():
    chosen = [v for v in budget_variants(SMALL) if v.name != BOX]
    found = pd.DataFrame([row for group in group_by_body(chosen) for row in run_variants(group)])
    table = found[found["variant"] == VOXEL].assign(estimator="solver", own_stderr_mS_per_cm=0.0)
    got = error_budget(table, found, pd.DataFrame(), SMALL)
    contacts = line(got, "contacts (coordination, adhesion)", "ratio", "")
    assert 0.1 < contacts["standard_error"] < 1.0
    assert "coordination" in contacts["note"]
    assert "work of adhesion" in contacts["note"]


@pytest.fixture(scope="module")
def study() -> pd.DataFrame:
    variants = study_variants(SMALL)
    return pd.DataFrame([row for variant in variants for row in study_parameters(variant)])


def test_ends_of_ranges_keep_the_bounds_of_dirichlet_and_thomson(study):
    solved = study[(study["scale"] == "log") & (study["log_sigma"] != 0.0)].copy()
    value = study[(study["log_sigma"] == 0.0)].groupby(["carrier", "parameter"])["at"].first()
    own = np.array([value[key] for key in zip(solved["carrier"], solved["parameter"], strict=True)])
    factor = np.exp(np.abs(np.log(solved["at"].to_numpy() / own)))
    bound = np.log1p(solved["sensitivity"].to_numpy() * (factor - 1.0))
    assert len(solved) > 10
    assert (np.abs(solved["log_sigma"].to_numpy()) <= bound + 1e-3).all()


def test_what_is_not_solved_again_cannot_matter(study):
    names = set(study[(study["process"] == "co-fired") & (study["carrier"] == "ion")]["parameter"])
    assert {"LATP", "LFTAP", "LATP|LATP interface", "LATP, Ea"} <= names
    assert "LFP|LFP interface" not in names


def test_activation_energy_answers_to_a_boundary_as_its_sensitivity_says(study):
    number = next(one for one in find_uncertain(MATERIALS, "ion") if one.name == "LATP|LATP interface, Ea")
    body = Body("cold-pressed", 1, 2.4, 75.0, RECIPE)
    pair = [
        Variant("E", body, with_number(MATERIALS, number, energy), carriers=("ion",)) for energy in (number.low, number.high)
    ]
    low, high = (row["activation_energy_eV"] for row in run_variants(pair))
    mine = study[(study["process"] == "cold-pressed") & (study["parameter"] == number.name)].set_index("at")["energy_eV"]
    assert mine[number.high] - mine[number.low] == pytest.approx(high - low, rel=1e-6)


def test_films_fitted_as_one_move_as_one():
    film = next(one for one in find_uncertain(MATERIALS, "electron") if one.name == "film on LFP")
    assert len(film.places) == 3
    moved = with_number(MATERIALS, film, 2.0 * film.value)
    for neighbour in ("pore", "LATP", "LFP"):
        before, after = (m.film("LFP", neighbour, "electron").sheet_conductance_S for m in (MATERIALS, moved))
        assert after == pytest.approx(2.0 * before)


def test_ranges_of_other_materials_are_read_too():
    content = b"""
schema = 1
name = "one"
reference_temperature_C = 25.0
[phases.A]
label = 1
[phases.A.ion]
conductivity_S_per_m = 1.0
activation_energy_eV = 0.3
[phases.A.ion.source]
conductivity_S_per_m = { text = "x", status = "estimated", low = 0.5, high = 2.0 }
activation_energy_eV = { text = "x", status = "measured" }
"""
    (only,) = find_uncertain(parse_materials(content, "one"), "ion")
    assert (only.name, only.low, only.high, only.calibrated) == ("A", 0.5, 2.0, False)
    assert find_uncertain(parse_materials(content, "one"), "electron") == ()


def test_hypercube_interpolates_between_solved_values():
    found = ranges(1e-3, 1e3)
    (fired, _) = sample_ranges(found, points=1000)
    assert np.sort(fired.log_sigma) == pytest.approx(np.linspace(math.log(1e-3), math.log(1e3), 1000), abs=0.02)


def test_activation_energies_weigh_what_is_left_to_them_after_the_draw():
    common = {"process": "co-fired", "seed": 1, "carrier": "ion", "group": "not fitted"}
    number = {"parameter": "R", "scale": "log", "low": 0.1, "high": 10.0, "energy_eV": 0.0, "sensitivity": 0.5}
    energy = {"parameter": "R, Ea", "scale": "linear", "low": 0.2, "high": 0.4, "log_sigma": 0.0, "sensitivity": 0.5}
    moved = [
        {**number, "at": at, "log_sigma": -0.2 * math.log(at), "share of R, Ea": 0.5 + 0.1 * math.log(at)}
        for at in (0.1, 1.0, 10.0)
    ]
    own = [{**energy, "at": at, "energy_eV": 0.5 * (at - 0.3), "share of R, Ea": 0.5} for at in (0.2, 0.3, 0.4)]
    drawn = {one.parameter: one for one in sample_ranges(pd.DataFrame([{**common, **row} for row in moved + own]))}
    share = 0.5 - 0.5 * drawn["R"].log_sigma
    shift = drawn["R, Ea"].energy_eV / share
    assert np.sort(shift) == pytest.approx(np.linspace(-0.1, 0.1, len(shift)), abs=1e-4)
    assert not drawn["R, Ea"].log_sigma.any()


def test_added_changes_are_those_of_the_solver_for_numbers_drawn_together(study):
    """Two numbers of a fired body at the ends of their ranges at once, the one that decides most and its rival."""
    fired = study[(study["process"] == "co-fired") & (study["carrier"] == "ion")]
    known, log_sigma = MATERIALS, 0.0
    for name in ("LATP", "LATP|LATP interface"):
        number = next(one for one in find_uncertain(MATERIALS, "ion") if one.name == name)
        known = with_number(known, number, number.high)
        log_sigma += float(fired[(fired["parameter"] == name) & (fired["at"] == number.high)]["log_sigma"].iloc[0])
    body = Body("co-fired", 1, 2.4, 75.0, RECIPE)
    before, after = (
        row["sigma_mS_per_cm"] for row in run_variants([Variant("own", body, m, carriers=("ion",)) for m in (MATERIALS, known)])
    )
    assert math.log(after / before) == pytest.approx(log_sigma, abs=0.1)
