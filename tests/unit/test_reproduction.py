"""Two seed sets against each other and the experiment, on tables whose answers are known."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from cofire.experiment.comparison import Comparison
from cofire.experiment.explaining import Explanation
from cofire.experiment.reproduction import QUANTITIES, compare_seed_sets
from cofire.experiment.waterfall import waterfall
from microstructures.errors import InputError

NOTHING = pd.DataFrame()
SIGMA = {
    ("co-fired", "ion"): 0.99,
    ("co-fired", "electron"): 7.34,
    ("cold-pressed", "ion"): 6e-3,
    ("cold-pressed", "electron"): 8e-3,
}
ENERGY = {
    ("co-fired", "ion"): 0.29,
    ("co-fired", "electron"): 0.07,
    ("cold-pressed", "ion"): 0.36,
    ("cold-pressed", "electron"): 0.2,
}
STATES = ["co-fired", "a", "b", "cold-pressed"]
BETWEEN = np.array([1.3, 0.4])
"""Of the fired body, what both states in between conduct."""


def samples(seed: int, replicas: int, scatter: float = 0.05) -> dict[tuple[str, str, str], np.ndarray]:
    """Return made-up values of every replica: conductivities with a relative scatter, energies with a tenth of it."""
    random = np.random.default_rng(seed)
    found = {("sigma", *key): value * np.exp(scatter * random.standard_normal(replicas)) for key, value in SIGMA.items()}
    found |= {
        ("activation_energy", *key): value + 0.1 * scatter * random.standard_normal(replicas) for key, value in ENERGY.items()
    }
    return found | {
        ("ratio", "", carrier): found["sigma", "co-fired", carrier] / found["sigma", "cold-pressed", carrier]
        for carrier in ("ion", "electron")
    }


def table(values: dict[tuple[str, str, str], np.ndarray]) -> pd.DataFrame:
    rows = []
    for (quantity, process, carrier), value in values.items():
        logs = np.log(value) if quantity == "ratio" else value
        n = len(value)
        error = logs.std(ddof=1) / math.sqrt(n) if n > 1 else math.nan
        mean = float(np.exp(logs.mean())) if quantity == "ratio" else float(value.mean())
        entry = {"quantity": quantity, "process": process, "carrier": carrier, "unit": "", "replicas": n}
        error = mean * error if quantity == "ratio" else error
        rows.append({**entry, "estimator": "kMC", "value": 3.0 * mean, "standard_error": error})
        rows.append({**entry, "estimator": "solver", "value": mean, "standard_error": error})
    return pd.DataFrame(rows)


def chain(values: dict[tuple[str, str, str], np.ndarray]) -> pd.DataFrame:
    """Return rows of `run_variants` for two states between fired and cold."""
    rows = []
    for carrier in ("ion", "electron"):
        pairs = zip(values["sigma", "co-fired", carrier], values["sigma", "cold-pressed", carrier], strict=True)
        for seed, (fired, cold) in enumerate(pairs, start=1):
            for state, sigma in zip(STATES, (fired, *(BETWEEN * fired), cold), strict=True):
                rows.append({"variant": state, "seed": seed, "carrier": carrier, "sigma_mS_per_cm": sigma})
    return pd.DataFrame(rows)


def comparison(
    seed: int,
    replicas: int = 5,
    *,
    values: dict[tuple[str, str, str], np.ndarray] | None = None,
    falls: pd.DataFrame | None = None,
) -> Comparison:
    given = {"size_um": 6.0, "voxel_nm": 25.0, "temperature_C": 60.0, "recipe": {}, "materials": {"name": "x"}}
    run = {"input": {**given, "seed": seed, "replicas": replicas}}
    explanation = None if falls is None else Explanation(falls, NOTHING, NOTHING, NOTHING, NOTHING, "", 75.0)
    found = table(samples(seed, replicas) if values is None else values)
    return Comparison(Path(), found, NOTHING, NOTHING, [], run, explanation)


def named(found: dict[str, Any], words: str) -> dict[str, Any]:
    checks = [check for check in found["checks"] if words in check["name"]]
    assert len(checks) == 1
    return checks[0]


def test_p_values_are_those_of_welch_and_of_ratios_the_logarithms():
    one, other = samples(1, 5), samples(1001, 4, scatter=0.2)
    found = compare_seed_sets(comparison(1, 5, values=one), comparison(1001, 4, values=other))
    assert found["seeds"] == {"first": [1, 2, 3, 4, 5], "second": [1001, 1002, 1003, 1004]}
    assert [(row["quantity"], row["process"], row["carrier"]) for row in found["quantities"]] == list(QUANTITIES)
    for row in found["quantities"]:
        key = row["quantity"], row["process"], row["carrier"]
        a, b = (np.log(one[key]), np.log(other[key])) if key[0] == "ratio" else (one[key], other[key])
        wanted = ttest_ind(a, b, equal_var=False)
        assert row["difference_in_errors"] == pytest.approx(wanted.statistic)
        assert row["p_value"] == pytest.approx(wanted.pvalue)
        mean, error = a.mean(), a.std(ddof=1) / math.sqrt(5)
        if key[0] == "ratio":
            mean, error = math.exp(mean), math.exp(mean) * error
        assert (row["first"], row["first_error"]) == (pytest.approx(mean), pytest.approx(error))
        assert (row["first_replicas"], row["second_replicas"]) == (5, 4)


def test_published_values_stand_beside_where_there_are_any():
    rows = {
        (r["quantity"], r["process"], r["carrier"]): r for r in compare_seed_sets(comparison(1), comparison(1001))["quantities"]
    }
    fired = rows["sigma", "co-fired", "ion"]
    assert (fired["published"], fired["published_low"], fired["published_high"]) == (0.99, 0.85, 1.15)
    assert rows["ratio", "", "ion"]["published"] == 1000.0
    assert math.isnan(rows["sigma", "cold-pressed", "ion"]["published"])


@pytest.mark.parametrize(
    ("quantity", "carrier", "words", "inside", "outside"),
    [
        ("sigma", "ion", "sigma of the ions", (0.85, 1.13), (0.83, 1.15)),
        ("sigma", "electron", "sigma of the electrons", (6.95, 7.73), (6.93, 7.75)),
        ("activation_energy", "ion", "activation energy of the ions", (0.261, 0.319), (0.259, 0.321)),
        ("activation_energy", "electron", "activation energy of the electrons", (0.041, 0.099), (0.039, 0.101)),
    ],
)
def test_the_fired_body_of_both_seed_sets_is_held_against_the_experiment(quantity, carrier, words, inside, outside):
    for expected, ends in ((True, inside), (False, outside)):
        for value in ends:
            values = samples(1, 5)
            values[quantity, "co-fired", carrier] = value * np.array([0.999, 1.0, 1.001, 1.0, 1.0])
            found = compare_seed_sets(comparison(1, values=values), comparison(1001))
            check = named(found, f"{words}, co-fired, seeds 1 to 5")
            assert check["ok"] is expected, check
            assert check["value"] == pytest.approx(value)
            turned = compare_seed_sets(comparison(1001), comparison(1, values=values))
            assert named(turned, f"{words}, co-fired, seeds 1 to 5")["ok"] is expected


def test_a_fired_body_without_a_path_fails_its_check():
    values = samples(1, 3)
    values["sigma", "co-fired", "ion"] = np.full(3, np.nan)
    found = compare_seed_sets(comparison(1, 3, values=values), comparison(1001, 3))
    assert named(found, "sigma of the ions, co-fired, seeds 1 to 3")["ok"] is False
    assert named(found, "sigma of the ions, co-fired, seeds 1001 to 1003")["ok"] is True
    assert "of 9 differences" in found["checks"][-1]["name"]


def test_seed_sets_that_differ_are_told_so():
    same = compare_seed_sets(comparison(1), comparison(1001))
    check = named(same, "smallest p value of 10 differences")
    assert check["ok"] is True
    assert check["value"] == min(row["p_value"] for row in same["quantities"])
    assert check["wanted"] == "0.005 or more"
    values = samples(1001, 5)
    values["sigma", "cold-pressed", "ion"] = 1.5 * values["sigma", "cold-pressed", "ion"]
    assert named(compare_seed_sets(comparison(1), comparison(1001, values=values)), "smallest p value")["ok"] is False


@pytest.mark.parametrize("replicas", [(1, 5), (5, 1), (1, 1)])
def test_one_replica_gives_no_p_value_and_no_verdict(replicas):
    found = compare_seed_sets(comparison(1, replicas[0]), comparison(1001, replicas[1]))
    for row in found["quantities"]:
        assert math.isnan(row["p_value"])
        assert math.isnan(row["difference_in_errors"])
    check = found["checks"][-1]
    assert check["ok"] is None
    assert check["wanted"] == "two replicas or more"


def test_factors_of_the_waterfall_multiply_to_the_ratio():
    values = samples(1, 5)
    falls = waterfall(chain(values))
    found = compare_seed_sets(comparison(1, values=values, falls=falls), comparison(1001))
    for carrier in ("ion", "electron"):
        check = named(found, f"waterfall of the {carrier}s")
        assert check["ok"] is True
        assert check["value"] == pytest.approx(float(np.exp(np.log(values["ratio", "", carrier]).mean())))
        assert "fired over cold" in check["wanted"]
    assert not any("waterfall" in one["name"] for one in compare_seed_sets(comparison(1), comparison(1001))["checks"])


@pytest.mark.parametrize("factor", [1.002, 0.998, math.nan])
def test_a_waterfall_that_does_not_lead_to_the_ratio_fails(factor):
    values = samples(1, 5)
    falls = waterfall(chain(values))
    falls.loc[1, "factor"] *= factor
    found = compare_seed_sets(comparison(1, values=values, falls=falls), comparison(1001))
    assert named(found, "waterfall of the ions")["ok"] is False
    assert named(found, "waterfall of the electrons")["ok"] is True


def test_a_waterfall_of_fewer_seeds_is_held_against_its_own_total():
    values = samples(1, 5)
    rows = chain(values)
    rows.loc[(rows["variant"] == "b") & (rows["seed"] == 2) & (rows["carrier"] == "ion"), "sigma_mS_per_cm"] = 0.0
    falls = waterfall(rows)
    found = compare_seed_sets(comparison(1, values=values, falls=falls), comparison(1001))
    check = named(found, "waterfall of the ions")
    kept = np.log(np.delete(values["ratio", "", "ion"], 1)).mean()
    assert check["ok"] is True
    assert check["value"] == pytest.approx(float(np.exp(kept)))
    assert "its total" in check["wanted"]


def test_comparisons_of_different_things_or_with_a_common_seed_are_refused():
    first, second = comparison(1), comparison(1001)
    run = copy.deepcopy(second.run)
    run["input"]["voxel_nm"], run["input"]["materials"] = 50.0, {"name": "y"}
    with pytest.raises(InputError, match="differ in voxel_nm, materials"):
        compare_seed_sets(first, replace(second, run=run))
    with pytest.raises(InputError, match="both comparisons hold seed 5"):
        compare_seed_sets(first, comparison(5))
