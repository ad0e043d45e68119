"""The waterfall: a chain of bodies in which one thing changes at a time, and factors that multiply to the total."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cofire.building import build
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Body, group_by_body, run_variants
from cofire.experiment.waterfall import waterfall, waterfall_variants
from microstructures.errors import InputError
from microstructures.materials import load_materials
from microstructures.recipe import Recipe, parse_recipe

NAMES = ["co-fired", "no reaction layer", "no grain growth", "60 % dense", "point contacts", "contact resistance"]
SETTING = Setting(Recipe(), load_materials(), (1,), size_um=2.4, voxel_nm=80.0)
STATES = ["co-fired", "a", "b", "c", "cold"]


def table_of(sigma: np.ndarray, carrier: str = "ion", seeds: list[int] | None = None) -> pd.DataFrame:
    """Return rows of conductivities of shape (seeds, states)."""
    return pd.DataFrame(
        [
            {"variant": state, "seed": seed, "carrier": carrier, "sigma_mS_per_cm": value}
            for seed, values in zip(seeds or range(1, len(sigma) + 1), sigma, strict=True)
            for state, value in zip(STATES, values, strict=True)
        ]
    )


@pytest.fixture
def sigma() -> np.ndarray:
    middle = np.array([1.0, 1.3, 0.4, 0.35, 6e-3])
    return middle * np.exp(0.1 * np.random.default_rng(3).standard_normal((4, 5)))


def test_chain_changes_one_thing_at_a_time():
    chain = waterfall_variants(replace(SETTING, seeds=(4, 5)))
    assert [variant.name for variant in chain] == 2 * NAMES
    assert [variant.body.seed for variant in chain] == 6 * [4] + 6 * [5]
    fired, bare, small, loose, points, cold = chain[:6]
    assert fired.body.recipe == Recipe()
    assert bare.body.recipe.fire.interphase is None
    assert small.body.recipe.fire == bare.body.recipe.fire.model_copy(update={"grain_growth": {"LFP": 1.0, "LATP": 1.0}})
    assert loose.body.recipe.fire == small.body.recipe.fire.model_copy(update={"relative_density": 0.6})
    assert points.body == cold.body
    assert cold.body == Body("cold-pressed", 4, 2.4, 80.0, Recipe())
    materials = load_materials()
    assert all(variant.materials == materials for variant in chain if variant.name != "point contacts")
    assert points.materials.contact("LFP", "LFP", "electron") == materials.interface("LFP", "LFP", "electron")
    assert cold.materials.contact("LFP", "LFP", "electron") != materials.interface("LFP", "LFP", "electron")
    assert {**points.materials.to_dict(), "contacts": None} == {**materials.to_dict(), "contacts": None}
    assert len(group_by_body(chain)) == 10  # both of cold-pressed powder share a body


def test_recipes_of_the_chain_are_valid_and_press_the_same_powder():
    for variant in waterfall_variants(SETTING):
        own = variant.body.recipe
        assert Recipe.model_validate(own.model_dump()) == own
        assert (own.powders, own.press) == (Recipe().powders, Recipe().press)


def test_changes_that_change_nothing_are_left_out():
    fire = {"grain_growth": {"LFP": 1.0, "LATP": 1.0}, "relative_density": 0.7}
    plain = parse_recipe({"press": {"relative_density": 0.7}, "fire": fire}, "test")
    plain = plain.model_copy(update={"fire": plain.fire.model_copy(update={"interphase": None})})
    materials = load_materials()
    setting = replace(SETTING, recipe=plain, materials=materials)
    names = [variant.name for variant in waterfall_variants(setting)]
    assert names == ["co-fired", "point contacts", "contact resistance"]
    without = next(v for v in waterfall_variants(setting) if v.name == "point contacts").materials
    assert [v.name for v in waterfall_variants(replace(setting, materials=without))] == [
        "co-fired",
        "point contacts",
    ]


def test_bodies_of_the_chain_are_as_named():
    bodies = {
        v.name: build(v.body.process, size_um=2.4, voxel_nm=80.0, seed=1, recipe=v.body.recipe)
        for v in waterfall_variants(SETTING)
    }
    solid = {name: float((body.labels > 0).mean()) for name, body in bodies.items()}
    for name in NAMES[:3]:
        assert solid[name] == pytest.approx(0.9, abs=1e-3)
    assert solid["60 % dense"] == pytest.approx(0.6, abs=1e-3)
    assert bodies["co-fired"].shells is not None
    assert "LFTAP" not in bodies["no reaction layer"].phases.values()
    assert bodies["no reaction layer"].shells is None
    grains = {name: int(body.particles.grain.max()) for name, body in bodies.items()}
    n = len(bodies["co-fired"].particles.grain)
    assert grains["co-fired"] == grains["no reaction layer"] < n
    assert grains["no grain growth"] == grains["60 % dense"] == grains["point contacts"] == n
    assert bodies["60 % dense"].contacts is None
    assert len(bodies["point contacts"].contacts) > n
    for body in bodies.values():
        assert body.coatings == bodies["co-fired"].coatings
        assert np.array_equal(body.particles.label, bodies["co-fired"].particles.label)


def test_waterfall_of_solved_bodies():
    chain = waterfall_variants(SETTING)
    rows = pd.DataFrame([row for group in group_by_body(chain) for row in run_variants(group)])
    found = waterfall(rows)
    assert list(found["carrier"].unique()) == ["ion", "electron"]
    for carrier, part in found.groupby("carrier"):
        own = rows[rows["carrier"] == carrier]["sigma_mS_per_cm"].to_numpy()
        assert list(part["step"]) == [*NAMES[1:], "total"]
        assert part["factor"].iloc[:-1].prod() == pytest.approx(part["factor"].iloc[-1], rel=1e-12)
        assert part["factor"].iloc[-1] == pytest.approx(own[0] / own[-1], rel=1e-12)
        assert part["sigma_before_mS_per_cm"].tolist() == pytest.approx([*own[:-1], own[0]])
        assert part["low"].isna().all()
    factor = {(c, s): f for c, s, f in zip(found["carrier"], found["step"], found["factor"], strict=True)}
    assert factor["ion", "contact resistance"] == 1.0  # no contact of ions has a value of its own
    assert factor["electron", "contact resistance"] > 1.0
    assert factor["electron", "no reaction layer"] < 1.0  # carbon is kept where nothing reacted
    assert factor["ion", "60 % dense"] > 1.0
    assert factor["ion", "point contacts"] > 1.0


def test_factors_multiply_to_the_total(sigma):
    found = waterfall(table_of(sigma))
    steps, total = found.iloc[:-1], found.iloc[-1]
    assert list(found["step"]) == [*STATES[1:], "total"]
    assert steps["factor"].prod() == pytest.approx(total["factor"], rel=1e-12)
    assert total["factor"] == pytest.approx(np.exp(np.log(sigma[:, 0] / sigma[:, -1]).mean()), rel=1e-12)
    ratio = found["sigma_before_mS_per_cm"] / found["sigma_after_mS_per_cm"]
    assert ratio.tolist() == pytest.approx(found["factor"].tolist(), rel=1e-12)
    assert (found["replicas"] == 4).all()
    assert (found["note"] == "").all()


def test_intervals_are_those_of_student_paired_by_seed(sigma):
    found = waterfall(table_of(sigma))
    fall = np.log(sigma[:, 1] / sigma[:, 2])
    low, high = t.interval(0.95, 3, loc=fall.mean(), scale=fall.std(ddof=1) / 2.0)
    assert found.loc[1, ["low", "high"]].tolist() == pytest.approx([np.exp(low), np.exp(high)], rel=1e-9)
    sigma *= np.array([1.0, 100.0, 3.0, 0.2])[:, None]  # what all bodies of a seed share drops out
    again = waterfall(table_of(sigma))
    assert again["low"].tolist() == pytest.approx(found["low"].tolist(), rel=1e-9)


@pytest.mark.parametrize(("value", "why"), [(0.0, "no path"), (np.nan, "no value")])
def test_seed_that_fails_in_one_body_is_left_out_of_all_steps(sigma, value, why):
    broken = sigma.copy()
    broken[1, 2] = value
    both = pd.concat([table_of(broken), table_of(sigma, "electron")])
    found = waterfall(both)
    ion = found[found["carrier"] == "ion"].reset_index(drop=True)
    electron = found[found["carrier"] == "electron"].reset_index(drop=True)
    kept = waterfall(table_of(sigma[[0, 2, 3]]))
    numbers = ["factor", "low", "high", "sigma_before_mS_per_cm", "sigma_after_mS_per_cm", "replicas"]
    pd.testing.assert_frame_equal(ion[numbers], kept[numbers])
    assert (ion["note"] == f"seed 2 left out of every step: {why} in 'b'").all()
    assert ion["factor"].iloc[:-1].prod() == pytest.approx(ion["factor"].iloc[-1], rel=1e-12)
    assert (electron["replicas"] == 4).all()
    assert (electron["note"] == "").all()


def test_one_seed_has_factors_but_no_interval_and_none_has_neither(sigma):
    alone = waterfall(table_of(sigma[:1]))
    assert np.isfinite(alone["factor"]).all()
    assert alone[["low", "high"]].isna().all(axis=None)
    sigma[:2, -1] = 0.0
    nothing = waterfall(table_of(sigma[:2]))
    assert nothing[["factor", "low", "high", "sigma_before_mS_per_cm"]].isna().all(axis=None)
    assert (nothing["replicas"] == 0).all()
    assert nothing.loc[0, "note"] == "seeds 1, 2 left out of every step: no path in 'cold'"


def test_body_that_was_not_asked_counts_as_without_a_value(sigma):
    rows = table_of(sigma)
    found = waterfall(rows.drop(index=rows[(rows["variant"] == "c") & (rows["seed"] == 3)].index))
    assert (found["replicas"] == 3).all()
    assert found.loc[0, "note"] == "seed 3 left out of every step: no value in 'c'"


def test_rows_that_are_no_chain_are_refused(sigma):
    rows = table_of(sigma)
    with pytest.raises(InputError, match="no column seed"):
        waterfall(rows.drop(columns="seed"))
    with pytest.raises(InputError, match="at least two"):
        waterfall(rows[rows["variant"] == "a"])
    with pytest.raises(InputError, match="'co-fired' of seed 1, ion, is given twice"):
        waterfall(pd.concat([rows, rows]))
