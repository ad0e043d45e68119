"""One change of the cold body closes the gap: found, met when solved anew, and told with what would disprove it."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofire.experiment.gap.closing import (
    close_gap,
    close_the_gap,
    falsifiable_statement,
    find_gaps,
    gap_table,
)
from cofire.experiment.gap.cold_bodies import BARRIERS_EV
from cofire.experiment.gap.root_search import find_root
from cofire.experiment.scenarios.scenarios import changed_materials, changed_recipe
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Body, Variant, group_by_body, run_variants
from microstructures.materials import Materials, load_materials
from microstructures.recipe import Recipe, load_recipe

RECIPE, MATERIALS = load_recipe(), load_materials()
SIZE_UM, VOXEL_NM, SEEDS = 2.4, 80.0, (1, 2)
SETTING = Setting(RECIPE, MATERIALS, SEEDS, SIZE_UM, VOXEL_NM)


def solve(recipe: Recipe, materials: Materials, process: str, temperature_C: float = 60.0) -> pd.DataFrame:
    variants = [Variant("base", Body(process, seed, SIZE_UM, VOXEL_NM, recipe), materials, temperature_C) for seed in SEEDS]
    return pd.DataFrame([row for group in group_by_body(variants) for row in run_variants(group)])


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    return pd.concat([solve(RECIPE, MATERIALS, process) for process in ("cold-pressed", "co-fired")], ignore_index=True)


def gaps(base: pd.DataFrame, carrier: str = "ion", temperature_C: float = 60.0, **options: Any) -> dict[str, Any]:
    found = find_gaps(base, replace(SETTING, temperature_C=temperature_C), **options)
    return {gap.change: gap for gap in found if gap.carrier == carrier}


def ratio_of(base: pd.DataFrame, cold: pd.DataFrame, carrier: str = "ion") -> float:
    def sigma(rows: pd.DataFrame, process: str) -> Any:
        part = rows[(rows["process"] == process) & (rows["carrier"] == carrier)]
        return part.sort_values("seed")["sigma_mS_per_cm"].to_numpy()

    return float(np.exp(np.log(sigma(base, "co-fired") / sigma(cold, "cold-pressed")).mean()))


def test_smaller_contacts_close_the_gap_when_solved_anew(base):
    (row,) = close_gap(gaps(base)["contact radius"])
    assert row["reached"]
    assert row["ratio"] == pytest.approx(1000.0, rel=0.02)
    assert row["base_ratio"] == pytest.approx(ratio_of(base, base), rel=1e-3)
    weaker = changed_recipe(RECIPE, press={"work_of_adhesion_J_per_m2": row["work_of_adhesion_J_per_m2"]})
    assert ratio_of(base, solve(weaker, MATERIALS, "cold-pressed")) == pytest.approx(row["ratio"], rel=1e-3)
    radius_of_adhesion = (row["work_of_adhesion_J_per_m2"] / RECIPE.press.work_of_adhesion_J_per_m2) ** (1.0 / 3.0)
    assert row["factor"] == pytest.approx(radius_of_adhesion, rel=1e-6)
    assert row["low"] < row["needed"] < min(row["high"], row["base"])


def test_resisting_contacts_close_the_gap_and_their_barrier_shows_in_the_cold_body(base):
    rows = close_gap(gaps(base, temperature_C=60.0)["contact resistance"])
    assert [row["barrier_eV"] for row in rows] == list(BARRIERS_EV)
    assert len({row["needed"] for row in rows}) == 1
    sintered = MATERIALS.interface("LATP", "LATP", "ion").area_specific_resistance_ohm_m2
    assert rows[0]["times_sintered"] == pytest.approx(rows[0]["needed"] / sintered)
    energies = [row["energy_eV"] for row in rows]
    assert energies[0] < energies[1] < energies[2] < BARRIERS_EV[2]
    share = (energies[2] - energies[0]) / (BARRIERS_EV[2] - BARRIERS_EV[0])
    assert 0.5 < share < 1.0

    def resisting(table: dict[str, Any]) -> None:
        contact = {"area_specific_resistance_ohm_m2": rows[2]["needed"], "activation_energy_eV": BARRIERS_EV[2]}
        table["contacts"]["LATP|LATP"] = {"ion": contact}

    cold = solve(RECIPE, changed_materials(MATERIALS, resisting), "cold-pressed")
    assert ratio_of(base, cold) == pytest.approx(rows[2]["ratio"], rel=1e-3)
    assert cold[cold["carrier"] == "ion"]["activation_energy_eV"].mean() == pytest.approx(energies[2], abs=1e-4)


def test_a_resistance_is_that_at_the_temperature_of_the_comparison(base):
    gap = gaps(base, temperature_C=40.0)["contact resistance"]
    rows = close_gap(gap)
    assert len({row["sigma_cold_mS_per_cm"] for row in rows}) == 1

    def resisting(table: dict[str, Any]) -> None:
        at_60 = rows[0]["needed"] * math.exp(-BARRIERS_EV[0] / 8.617333262e-5 * (1.0 / 313.15 - 1.0 / 333.15))
        contact = {"area_specific_resistance_ohm_m2": at_60, "activation_energy_eV": BARRIERS_EV[0]}
        table["contacts"]["LATP|LATP"] = {"ion": contact}

    cold = solve(RECIPE, changed_materials(MATERIALS, resisting), "cold-pressed", 40.0)
    assert cold[cold["carrier"] == "ion"]["sigma_mS_per_cm"].mean() == pytest.approx(rows[0]["sigma_cold_mS_per_cm"], rel=1e-3)


def test_what_cannot_be_reached_is_told(base):
    (row,) = close_gap(gaps(base, ratio=1e30)["contact radius"])
    assert not row["reached"]
    assert row["text"].startswith("not reached by contact radius alone")
    assert math.isnan(row["low"])
    (fewer,) = close_gap(gaps(base, ratio=1e9)["coordination"])
    assert not fewer["reached"]
    assert fewer["sigma_cold_mS_per_cm"] > 0.0
    assert fewer["ratio"] > fewer["base_ratio"]


def test_tasks_can_be_sent_to_a_pool_and_need_paths_in_both_bodies(base):
    blocked = base.copy()
    blocked.loc[(blocked["seed"] == 2) & (blocked["process"] == "cold-pressed"), "sigma_mS_per_cm"] = 0.0
    tasks = find_gaps(blocked, SETTING)
    assert {tuple(task.fired) for task in tasks} == {(1,)}
    assert pickle.loads(pickle.dumps(tasks[0])) == tasks[0]
    assert pickle.loads(pickle.dumps(close_gap)) is close_gap
    (row,) = close_gap(tasks[0])
    assert row["reached"]
    assert math.isnan(row["low"])
    assert math.isnan(row["energy_low_eV"])


def test_all_of_it_in_one_call_with_what_would_disprove_it(base):
    table = close_the_gap(SETTING, ratio=500.0, base=base)
    assert list(table["change"]) == [
        "contact radius", "coordination", *3 * ["contact resistance"], "contact radius", "coordination", "contact resistance",
    ]  # fmt: skip
    statement = falsifiable_statement(table)
    assert "contacts resist with 0.55 eV" in statement
    assert "to a ratio of 500 apart" in statement
    assert statement.endswith("eV as predicted.")
    assert " +- " in statement
    assert "No single change" in falsifiable_statement(gap_table([]))


@pytest.mark.parametrize(
    ("function", "start"),
    [
        (lambda x: 2.0 * x - 7.0, 0.0),
        (lambda x: math.exp(x) - 40.0, -1.0),
        (lambda x: math.inf if x > 2.0 else 5.0 * x - 9.9, 0.0),
        (lambda x: 0.2 * x - 1.0, 9.0),
    ],
)
def test_roots_are_found_in_few_calls(function: Callable[[float], float], start: float):
    found = find_root(function, start, -10.0, 10.0, slope=1.0, within=0.02)
    assert found.reached
    assert abs(function(found.x)) <= 0.02
    assert found.calls <= 12


def test_a_jump_over_the_root_ends_the_search():
    found = find_root(lambda x: math.inf if x > 1.0 else x - 3.0, 0.0, -10.0, 10.0, slope=1.0, within=0.02)
    assert not found.reached
    assert found.x == pytest.approx(1.0, abs=2e-3)
    assert math.isnan(find_root(lambda x: math.nan, 0.0, -1.0, 1.0, slope=1.0, within=0.1).value)
