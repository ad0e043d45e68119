"""Scenarios change what they say and nothing else; their table pairs them with the base."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from cofire.building import build
from cofire.experiment.scenarios.scenario_table import mean_with_interval, observations, scenario_table
from cofire.experiment.scenarios.scenarios import BASE, Scenario, changed_recipe, find_scenarios, scenario_variants
from cofire.experiment.setting import Setting
from cofire.experiment.variants import group_by_body, run_variants
from microstructures.materials import load_materials
from microstructures.recipe import Recipe, load_recipe, parse_recipe

RECIPE, MATERIALS = load_recipe(), load_materials()
SCENARIOS = find_scenarios(RECIPE, MATERIALS)


def of_group(start: str, scenarios: list[Scenario] | None = None) -> list[Scenario]:
    return [one for one in scenarios or SCENARIOS if one.group.startswith(start)]


def differences(a: Any, b: Any, where: str = "") -> set[str]:
    """Return the names of the values in which two nested tables differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set().union(*(differences(a.get(key), b.get(key), f"{where}.{key}".lstrip(".")) for key in {*a, *b}))
    return set() if a == b else {where}


def test_the_base_comes_first_and_unchanged():
    first = SCENARIOS[0]
    assert (first.name, first.recipe, first.materials, first.scale) == (BASE, RECIPE, MATERIALS, 1.0)
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize(
    ("start", "labels", "allowed"),
    [
        ("LFTAP conductivity (base 1 mS/cm)", ["0.0046 mS/cm", "0.1 mS/cm", "8.2 mS/cm"], set()),
        ("shell thickness (base 40 to 100 nm)", ["40 nm", "70 nm", "100 nm"],
         {"fire.interphase.thickness_p05_nm", "fire.interphase.thickness_p95_nm"}),
        ("shell coverage (base 75 %)", ["50 %", "100 %"], {"fire.interphase.coverage"}),
        ("density after firing (base 90 %)", ["60 %", "70 %", "80 %", "95 %", "100 %"], {"fire.relative_density"}),
        ("LFP in the solid volume (base 49 %)", ["30 %", "40 %", "50 %", "60 %", "70 %"],
         {"powders.LFP.mass_fraction", "powders.LATP.mass_fraction"}),
        ("powder diameter (base LFP 500 nm, LATP 500 nm)", ["x 0.5", "x 2"],
         {"powders.LFP.median_diameter_nm", "powders.LATP.median_diameter_nm", "fire.pore_rounding_nm"}),
    ],
)  # fmt: skip
def test_each_group_changes_what_it_says(start: str, labels: list[str], allowed: set[str]):
    found = of_group(start)
    assert [one.label for one in found] == labels
    for one in found:
        assert differences(one.recipe.model_dump(), RECIPE.model_dump()) <= allowed
        assert allowed == set() or one.recipe != RECIPE
        assert (one.processes == ("co-fired",)) == (start[:3] not in ("LFP", "pow"))


def test_conductivities_of_the_product_are_those_of_the_labels():
    for one in of_group("LFTAP conductivity"):
        changed = differences(one.materials.to_dict(), MATERIALS.to_dict())
        assert changed == {"phases.LFTAP.ion.conductivity_S_per_m"}
        assert f"{10.0 * one.materials.conductor('LFTAP', 'ion').conductivity_S_per_m:g} mS/cm" == one.label


def test_carbon_is_kept_by_a_body_that_did_not_react_and_lost_with_its_film():
    kept, lost = of_group("carbon")
    assert (kept.recipe.fire.interphase, kept.materials, kept.carriers) == (None, MATERIALS, ("electron",))
    assert (lost.recipe, lost.carriers) == (RECIPE, ("electron",))
    assert differences(list(lost.materials.file.films), ["LFP|pore", "LFP|LFP"]) == set()


@pytest.mark.parametrize("number", range(5))
def test_volume_fractions_are_those_of_the_labels(number: int):
    one = of_group("LFP in the solid")[number]
    assert f"{100.0 * one.recipe.solid_fractions()['LFP']:.6g} %" == one.label


def test_a_shell_of_another_firing_is_as_thick_as_its_label():
    hotter = changed_recipe(RECIPE, fire={"hours": 8.0})
    for one in of_group("shell thickness (base 80 to 200 nm)", find_scenarios(hotter, MATERIALS)):
        interphase = one.recipe.fire.interphase
        assert interphase is not None
        assert interphase.growth(775.0, 8.0) * interphase.median_nm == pytest.approx(float(one.label.split()[0]))


def test_levels_follow_the_recipe_and_its_own_is_left_out():
    denser = parse_recipe({"fire": {"relative_density": 0.8, "interphase": {"coverage": 0.5}}}, "test")
    found = find_scenarios(denser, MATERIALS)
    assert "80 %" not in [one.label for one in of_group("density after firing (base 80 %)", found)]
    assert [one.label for one in of_group("shell coverage (base 50 %)", found)] == ["75 %", "100 %"]
    assert {one.recipe.fire.relative_density for one in of_group("LFP in", found)} == {0.8}


def test_a_recipe_of_one_powder_without_reaction_has_fewer_scenarios():
    powder = {"label": 2, "density_g_per_cm3": 2.92, "mass_fraction": 1.0, "median_diameter_nm": 500.0}
    found = find_scenarios(parse_recipe({"powders": {"LATP": powder}}, "test"), MATERIALS)
    assert {one.group.split(" (")[0] for one in found} == {BASE, "density after firing", "powder diameter"}


def test_grains_of_another_size_are_the_same_packing():
    small = of_group("powder diameter")[0]
    one = build("cold-pressed", size_um=2.4, voxel_nm=60.0, seed=3)
    other = build("cold-pressed", size_um=1.2, voxel_nm=30.0, seed=3, recipe=small.recipe)
    assert one.particles is not None
    assert other.particles is not None
    assert other.particles.centre == pytest.approx(0.5 * one.particles.centre, rel=1e-9)
    assert one.contacts is not None
    assert other.contacts is not None
    assert np.array_equal(one.contacts.grains, other.contacts.grains)
    assert other.contacts.radius == pytest.approx(one.contacts.radius * 0.5 ** (2.0 / 3.0), rel=1e-6)


def test_variants_share_bodies_and_scale_with_the_grains():
    variants = scenario_variants(Setting(RECIPE, MATERIALS, (4, 5), size_um=3.0, voxel_nm=50.0, temperature_C=70.0))
    assert {variant.temperature_C for variant in variants} == {70.0}
    base = next(group for group in group_by_body(variants) if group[0].name == BASE and group[0].body.process == "co-fired")
    assert [variant.name.split(":")[-1].strip() for variant in base] == [
        "base", "0.0046 mS/cm", "0.1 mS/cm", "8.2 mS/cm", "lost everywhere",
    ]  # fmt: skip
    layers = [variant.body.recipe.fire.interphase for variant in variants if variant.body.recipe is not RECIPE]
    assert {layer.representation for layer in layers if layer is not None} == {"thin"}
    resolved = scenario_variants(Setting(RECIPE, MATERIALS, (4,), size_um=3.0, voxel_nm=25.0))
    layers = [variant.body.recipe.fire.interphase for variant in resolved]
    assert {layer.representation for layer in layers if layer is not None} == {"auto"}
    small = [variant.body for variant in variants if variant.name.endswith(": x 0.5")]
    assert {(body.size_um, body.voxel_nm) for body in small} == {(1.5, 25.0)}
    assert len(small) == 4


def rows(sigma: dict[tuple[str, str], list[float]]) -> pd.DataFrame:
    """Return rows of ions: conductivities of seeds 1, 2, ... by variant and process; energies are 0.3 eV plus a tenth of them."""
    return pd.DataFrame(
        [
            {"variant": variant, "process": process, "carrier": "ion", "seed": seed, "sigma_mS_per_cm": value,
             "activation_energy_eV": 0.3 + 0.1 * value if value > 0.0 else math.nan}
            for (variant, process), values in sigma.items()
            for seed, value in enumerate(values, 1)
        ]
    )  # fmt: skip


def pick(table: pd.DataFrame, label: str, quantity: str, process: str = "") -> Any:
    part = table[(table["label"] == label) & (table["quantity"] == quantity) & (table["process"] == process)]
    assert len(part) == 1
    return part.iloc[0]


def test_the_table_pairs_seeds_and_takes_the_base_where_nothing_changed():
    fired, cold, other = [1.0, 1.2, 0.8], [0.01, 0.02, 0.01], [0.5, 0.5, 0.4]
    table = scenario_table(
        rows({("base", "co-fired"): fired, ("base", "cold-pressed"): cold, ("a (b: c): x", "co-fired"): other})
    )
    row = pick(table, "x", "sigma", "co-fired")
    half = t.ppf(0.975, 2) * np.std(other, ddof=1) / math.sqrt(3)
    assert row["group"] == "a (b: c)"
    assert row[["value", "low", "high"]].tolist() == pytest.approx(
        [np.mean(other), np.mean(other) - half, np.mean(other) + half]
    )
    logs = np.log(np.divide(other, fired))
    half = t.ppf(0.975, 2) * np.std(logs, ddof=1) / math.sqrt(3)
    expected = np.exp([logs.mean(), logs.mean() - half, logs.mean() + half]).tolist()
    assert row[["change", "change_low", "change_high"]].tolist() == pytest.approx(expected)
    ratio = pick(table, "x", "ratio")
    assert ratio["value"] == pytest.approx(np.exp(np.log(np.divide(other, cold)).mean()))
    assert ratio[["change", "change_low", "change_high"]].tolist() == pytest.approx(expected)
    energy = pick(table, "x", "activation_energy", "co-fired")
    assert energy["change"] == pytest.approx(0.1 * np.mean(np.subtract(other, fired)))
    untouched = pick(table, "x", "sigma", "cold-pressed")
    assert (untouched["value"], untouched["change"]) == (pytest.approx(np.mean(cold)), 1.0)
    assert "as the base" in untouched["note"]
    assert not (table["note"] != "")[table["group"] == BASE].any()


def test_no_interval_from_one_seed_and_seeds_without_a_path_are_told():
    one = scenario_table(rows({("base", "co-fired"): [1.0], ("base", "cold-pressed"): [0.01], ("a: x", "co-fired"): [2.0]}))
    assert one[["low", "high", "change_low", "change_high"]].isna().all(axis=None)
    assert pick(one, "x", "sigma", "co-fired")["change"] == pytest.approx(2.0)
    two = scenario_table(
        rows({("base", "co-fired"): [1.0, 1.0], ("base", "cold-pressed"): [0.01, 0.01], ("a: x", "cold-pressed"): [0.0, 0.02]})
    )
    cold, ratio = pick(two, "x", "sigma", "cold-pressed"), pick(two, "x", "ratio")
    assert (cold["value"], cold["change"], cold["note"]) == (0.01, pytest.approx(2.0), "1 of 2 without a path")
    assert (ratio["value"], ratio["replicas"], ratio["note"]) == (pytest.approx(50.0), 1, "1 of 2 without a path")
    assert math.isnan(ratio["low"])


def test_the_measured_quantity_that_shows_a_scenario_best_is_named():
    table = scenario_table(
        rows(
            {
                **{("base", "co-fired"): [1.0, 1.0], ("base", "cold-pressed"): [0.01, 0.01]},
                **{("a: x", "co-fired"): [0.5, 0.5], ("a: y", "cold-pressed"): [0.02, 0.02]},
            }
        )
    )
    fired, cold = observations(table).to_dict("records")
    assert (fired["label"], fired["quantity"], fired["process"]) == ("x", "sigma", "co-fired")
    assert fired["in_errors"] == pytest.approx(math.log(0.5) / (0.15 / 0.99))
    assert fired["fitted"]
    assert not cold["fitted"]
    assert (cold["label"], cold["quantity"]) == ("y", "ratio")
    assert cold["in_errors"] == pytest.approx(math.log(0.5) / (0.5 * math.log(10.0)))
    assert "nothing that was measured" in cold["text"]
    assert "nothing" not in fired["text"]


def test_nothing_to_average_is_no_number():
    assert all(math.isnan(number) for number in mean_with_interval([math.nan]))


def test_scenarios_are_solved_on_small_bodies():
    thin = changed_recipe(Recipe(), fire={"relative_density": 0.85})
    variants = scenario_variants(Setting(thin, MATERIALS, (1,), size_um=2.4, voxel_nm=80.0))
    chosen = [
        v for v in variants if v.body.process == "co-fired" and (v.name == BASE or v.name.split(":")[0].startswith("LFTAP"))
    ]
    chosen += [v for v in variants if v.name == BASE and v.body.process == "cold-pressed"]
    table = scenario_table(pd.DataFrame([row for group in group_by_body(chosen) for row in run_variants(group)]))
    changes = [
        row["change"]
        for row in table.to_dict("records")
        if (row["quantity"], row["process"], row["carrier"]) == ("sigma", "co-fired", "ion") and row["group"] != BASE
    ]
    assert 0.3 < changes[0] < changes[1] < 1.0 < changes[2] < 2.0
