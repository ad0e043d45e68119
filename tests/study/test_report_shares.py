"""Which number decides: shares, coefficients and intervals against answers known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc

from cofire.study.reporting.bootstrap import intervals
from cofire.study.reporting.factors import find_factors
from cofire.study.reporting.findings import Findings, sort_rows
from cofire.study.reporting.labels import key_label, key_labels
from cofire.study.reporting.rank_regression import rank_coefficients
from cofire.study.reporting.ranking import ALL, ANOVA, BINS, LEVELS, PATH, SCATTER, SIGMA, SRRC, rank
from cofire.study.reporting.responses import arrange, paired_ratios, pooled_ratio, response
from cofire.study.reporting.variance_shares import analyse_grid, main_effect_shares

Formula = Callable[[Mapping[str, Any], int], float]
X, Y, Z = "cell.recipe.press.relative_density", "cell.size_um", "cell.recipe.fire.hours"
PROCESSES = ["cold-pressed", "co-fired"]


def findings(
    axes: Sequence[Sequence[Mapping[str, Any]]], sigma: Formula, replicas: int = 1, outcome: str = "converged"
) -> Findings:
    """Return what a study of these axes found, had it measured `sigma` [mS/cm] of (point, replica)."""
    rows = []
    for parts in product(*axes):
        point = {key: value for part in parts for key, value in part.items()}
        for replica in range(replicas):
            rows.append({
                "case": f"{len(rows):016x}", "process": point.get("cell.process", "co-fired"), "seed": 7 + replica, "replica": replica,
                **point, "temperature_C": 60.0, "carrier": "ion", "estimator": "solver", "outcome": outcome,
                "sigma_eff_S_per_m": 0.1 * sigma(point, replica),
            })  # fmt: skip
    plan = {"name": "made up", "study": {"seed": 7, "replicas": replicas, "axes": axes}}
    frame = pd.DataFrame(rows)
    return sort_rows(frame, plan, "solver", folder=Path("made-up"), names=set(frame["case"]), done=len(frame), failed={})


def grid(**values: Sequence[Any]) -> list[list[dict[str, Any]]]:
    """Return the axes of a grid over X, Y, Z and the process."""
    keys = {"x": X, "y": Y, "z": Z, "process": "cell.process"}
    return [[{keys[name]: value} for value in found] for name, found in values.items()]


def share_of(table: pd.DataFrame, term: str, **where: str) -> float:
    """Return the value of one term of a ranking."""
    part = table[
        (table["term"] == term) & np.logical_and.reduce([table[name] == value for name, value in where.items()] or [True])
    ]
    assert len(part) == 1, table
    return float(part["value"].iloc[0])


def test_a_power_law_has_its_exact_shares() -> None:
    powers_of_two = [1.0, 2.0, 4.0, 8.0]
    found = rank(findings(grid(x=powers_of_two, y=powers_of_two), lambda p, r: 0.3 * p[X] ** 2 * p[Y]))
    assert share_of(found, "relative density") == pytest.approx(0.8, abs=1e-12)  # (2 ln x)^2 : (ln y)^2 = 4 : 1
    assert share_of(found, "size (um)") == pytest.approx(0.2, abs=1e-12)
    assert found["term"].tolist()[:2] == ["relative density", "size (um)"]
    assert set(found["measure"]) == {ANOVA}


def test_shares_of_an_additive_model_sum_to_one_and_interactions_are_none() -> None:
    rng = np.random.default_rng(3)
    a, b, c = rng.normal(size=3), rng.normal(size=4), rng.normal(size=2)
    found = analyse_grid((a[:, None, None] + b[:, None] + c)[..., None])
    assert found is not None
    assert sum(found.terms[term] for term in ((0,), (1,), (2,))) == pytest.approx(1.0, abs=1e-12)
    assert max(found.terms[term] for term in ((0, 1), (0, 2), (1, 2))) < 1e-12
    assert found.terms[(0,)] == pytest.approx(a.var() / (a.var() + b.var() + c.var()), abs=1e-12)


def test_a_pure_interaction_is_a_pair() -> None:
    found = rank(findings(grid(x=[1.0, 2.0], y=[1.0, 2.0]), lambda p, r: math.exp((2 * p[X] - 3) * (2 * p[Y] - 3))))
    assert share_of(found, "relative density × size (um)") == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("blocks", [0.0, 3.0])
def test_scatter_alone_leaves_little_to_the_numbers_and_common_seeds_blur_nothing(blocks: float) -> None:
    rng = np.random.default_rng(11)
    draws = rng.normal(size=(300, 4, 4, 3)) + blocks * rng.normal(size=(300, 1, 1, 3))
    noise = [analyse_grid(values) for values in draws]
    shares = np.array([found.terms[(0,)] for found in noise if found is not None])
    assert shares.mean() < 0.03  # 0.064 of 47 degrees of freedom unless what chance gives is taken off
    effect = np.arange(4.0)[:, None, None]
    kept = [analyse_grid(effect + 0.1 * values) for values in draws]
    ratio = [found.terms[(0,)] / (1.0 - found.scatter) for found in kept if found is not None]
    assert np.median(ratio) > 0.99


def test_shares_with_replicas_sum_to_one() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=(3, 4, 2, 5)) + np.arange(3.0)[:, None, None, None]
    values[0, 0, 0, 1] = np.nan
    found = analyse_grid(values)
    assert found is not None
    assert found.total == pytest.approx(1.0, abs=1e-12)
    assert min([*found.terms.values(), found.higher, found.scatter]) >= 0.0


def test_nothing_that_differs_has_no_shares() -> None:
    assert analyse_grid(np.full((2, 3, 2), 4.0)) is None
    assert rank(findings(grid(x=[1.0, 2.0]), lambda p, r: 4.0)).empty


def test_intervals_over_seeds_hold_the_truth() -> None:
    """Of a share of 0.8 beside one of 0.2, with scatter between independent replicas."""
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(16):
        noise = rng.normal(scale=0.3, size=(3, 3, 6))
        table = rank(
            findings(
                grid(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 2.0]),
                lambda p, r, n=noise: math.exp(2 * p[X] + p[Y] + n[int(p[X]), int(p[Y]), r]),
                6,
            )
        )
        row = table[table["term"] == "relative density"].iloc[0]
        truth = (4 * 2 / 3) / (5 * 2 / 3 + 0.09)
        hits += row["low_95"] <= truth <= row["high_95"]
    assert hits >= 12


def test_a_number_without_any_effect_has_none_and_takes_nothing_off_the_others() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(scale=0.5, size=(3, 3))
    plain = rank(findings(grid(x=[1.0, 2.0, 3.0]), lambda p, r: math.exp(p[X] + noise[int(p[X]) - 1, r]), 3))
    both = rank(findings(grid(x=[1.0, 2.0, 3.0], z=[1.0, 2.0]), lambda p, r: math.exp(p[X] + noise[int(p[X]) - 1, r]), 3))
    assert share_of(both, "hours") == 0.0
    assert share_of(both, "relative density") == pytest.approx(share_of(plain, "relative density"), abs=1e-12)


def test_points_without_a_path_are_ranked_apart() -> None:
    found = rank(findings(grid(x=[1.0, 2.0, 3.0], y=[1.0, 2.0, 3.0]), lambda p, r: 0.0 if p[X] == 1.0 else p[Y]))
    assert share_of(found, "relative density", response=PATH) == pytest.approx(1.0)
    assert share_of(found, "size (um)", response=SIGMA) == pytest.approx(1.0)
    assert found[found["response"] == SIGMA]["n"].unique().tolist() == [6]


def test_a_grid_with_holes_is_ranked_by_main_effects() -> None:
    found = rank(
        findings(
            grid(x=[1.0, 2.0, 3.0], y=[1.0, 2.0, 3.0]), lambda p, r: 0.0 if p[X] + p[Y] < 2.5 else math.exp(2 * p[X] + p[Y])
        )
    )
    sigma = found[found["response"] == SIGMA]
    assert set(sigma["measure"]) == {LEVELS}
    assert sigma["term"].tolist() == ["relative density", "size (um)"]


def test_main_effects_of_a_whole_grid_are_those_of_the_analysis_of_variance() -> None:
    x, y = (values.ravel() for values in np.meshgrid(np.arange(3), np.arange(4), indexing="ij"))
    answer = 2.0 * x + np.sin(y)
    whole = analyse_grid(answer.reshape(3, 4, 1))
    assert whole is not None
    found = main_effect_shares(answer, [x, y], np.zeros(12, dtype=np.intp))
    assert found == pytest.approx([whole.terms[(0,)], whole.terms[(1,)]], abs=1e-12)


def sample(count: int, seed: int = 1) -> list[list[dict[str, float]]]:
    """Return a Sobol sample of X, Y and Z between 1 and 10, evenly in the logarithm."""
    unit = qmc.Sobol(3, rng=np.random.default_rng(seed)).random_base2(int(math.log2(count)))
    return [[dict(zip((X, Y, Z), (10.0**row).tolist(), strict=True)) for row in unit]]


def test_a_sample_has_first_order_shares_and_coefficients() -> None:
    found = rank(findings(sample(256), lambda p, r: 0.3 * p[X] ** 2 / p[Y]))
    assert share_of(found, "relative density", measure=BINS) == pytest.approx(0.8, abs=0.03)
    assert share_of(found, "size (um)", measure=BINS) == pytest.approx(0.2, abs=0.03)
    assert share_of(found, "hours", measure=BINS) == pytest.approx(0.0, abs=0.03)
    assert share_of(found, "relative density", measure=SRRC) == pytest.approx(math.sqrt(0.8), abs=0.03)
    assert share_of(found, "size (um)", measure=SRRC) == pytest.approx(-math.sqrt(0.2), abs=0.03)
    assert share_of(found, "hours", measure=SRRC) == pytest.approx(0.0, abs=0.03)
    assert found[found["measure"] == SRRC]["term"].tolist() == ["relative density", "size (um)", "hours"]
    assert (found["low_95"] <= found["value"]).all()
    assert (found["value"] <= found["high_95"]).all()


def test_a_small_sample_has_coefficients_only() -> None:
    assert set(rank(findings(sample(32), lambda p, r: p[X]))["measure"]) == {SRRC}


def test_each_process_of_a_sample_is_ranked_on_its_own_too() -> None:
    axes = [*grid(process=PROCESSES), *sample(64)]
    found = rank(findings(axes, lambda p, r: p[X] if p["cell.process"] == "co-fired" else 1e-4 * p[Y]))
    assert share_of(found, "process", among=ALL, measure=BINS) > 0.9
    assert share_of(found, "relative density", among="co-fired", measure=SRRC) == pytest.approx(1.0)
    assert share_of(found, "size (um)", among="cold-pressed", measure=SRRC) == pytest.approx(1.0)


def test_coefficients_of_too_few_cases_are_not_known() -> None:
    found, explained = rank_coefficients(np.eye(3), np.arange(3.0))
    assert np.isnan(found).all()
    assert math.isnan(explained)


def test_intervals_need_three_units() -> None:
    assert math.isnan(intervals({"a": 0.5}, 2, lambda drawn: {"a": 0.5})["a"][0])
    low, high = intervals({"a": 0.5}, 200, lambda drawn: {"a": float((drawn % 2).mean())})["a"]
    assert low == pytest.approx(0.5 - 1.96 * 0.5 / math.sqrt(200), abs=0.02)
    assert high == pytest.approx(0.5 + 1.96 * 0.5 / math.sqrt(200), abs=0.02)


def test_ratios_are_paired_by_seed() -> None:
    """Bodies differ tenfold from seed to seed, their ratios by a known factor only."""
    factors = [2.0, 3.0, 4.5]

    def sigma(point: Mapping[str, Any], replica: int) -> float:
        return 10.0**replica * (factors[replica] * point[X] if point["cell.process"] == "co-fired" else 1.0)

    known = findings(grid(process=PROCESSES, x=[1.0, 2.0]), sigma, 3)
    table, none = paired_ratios(known)
    assert none == 0
    assert table["ratio"].tolist() == pytest.approx([3.0, 6.0])
    half = 4.302653 * math.log(1.5) / math.sqrt(3)
    assert math.log(table["high_95"][0] / 3.0) == pytest.approx(half, rel=1e-5)
    assert math.log(3.0 / table["low_95"][0]) == pytest.approx(half, rel=1e-5)
    pooled = pooled_ratio(known, "ion")
    assert pooled is not None
    assert pooled[0] == pytest.approx(3.0 * math.sqrt(2.0))


def test_a_pair_without_a_path_has_no_ratio() -> None:
    table, none = paired_ratios(
        findings(
            grid(process=PROCESSES, x=[1.0, 2.0]),
            lambda p, r: 0.0 if p["cell.process"] == "cold-pressed" and p[X] == 1.0 else 2.0,
        )
    )
    assert none == 1
    assert table[X].tolist() == [2.0]


def test_no_pairs_no_ratio() -> None:
    assert paired_ratios(findings(grid(x=[1.0, 2.0]), lambda p, r: 1.0))[0].empty


def test_what_has_not_converged_is_counted_and_left_out() -> None:
    known = findings(grid(x=[1.0, 2.0, 3.0]), lambda p, r: math.nan if p[X] == 2.0 else p[X])
    assert known.not_converged == 1
    assert known.rows[X].tolist() == [1.0, 3.0]
    bounds = findings(grid(x=[1.0, 2.0]), lambda p, r: p[X], outcome="not-equilibrated")
    assert (bounds.not_settled, len(bounds.rows)) == (2, 2)


def test_a_response_averages_within_seeds_and_shows_zeros() -> None:
    known = findings(grid(x=[1.0, 2.0], y=[1.0, 3.0]), lambda p, r: 0.0 if p[X] == 1.0 else p[Y] + r, 3)
    x, y = known.factors
    shown = arrange([], known.rows)
    table = response(known.rows, x, shown, "sigma_mS_per_cm")
    assert table["mean"].tolist() == pytest.approx([0.0, 3.0])
    assert (table["high_95"] - table["mean"]).tolist() == pytest.approx([0.0, 4.302653 / math.sqrt(3)], rel=1e-5)
    assert table["share"].tolist() == [0.0, 1.0]
    assert arrange([y], known.rows).curves == (y,)


def test_too_many_curves_become_panels_and_then_an_average() -> None:
    known = findings(
        grid(x=[1.0, 2.0, 3.0, 4.0, 5.0], y=[1.0, 2.0, 3.0, 4.0], z=[1.0, 2.0, 3.0], process=PROCESSES), lambda p, r: p[X]
    )
    x, y, z, process = known.factors
    assert arrange([y, z], known.rows).panels == (z,)
    shown = arrange([y, z, process], known.rows)
    assert (shown.panels, shown.curves, shown.averaged) == ((process,), (y,), (z,))
    table = response(known.rows, x, shown, "sigma_mS_per_cm")
    assert table.groupby("panel")["series"].nunique().tolist() == [4, 4]


def test_keys_that_advance_together_are_one_factor_and_samples_are_many() -> None:
    together = [[{"cell.recipe": f"r{i}.toml", X: 0.5 + 0.1 * i, Y: 3.0 - i} for i in range(3)]]
    (factor,) = find_factors(together)
    assert (factor.label, factor.numeric, factor.keys) == ("relative density", True, (X, "cell.recipe", Y))
    assert [one.sampled for one in find_factors(sample(16))] == [True, True, True]
    (listed,) = find_factors([[{X: 1.0, "cell.process": "co-fired"}, {X: 1.0, "cell.process": "cold-pressed"}, {X: 2.0}]])
    assert not listed.numeric
    assert find_factors([[{X: 1.0}]]) == []


def test_labels_are_short_and_differ() -> None:
    assert key_label("run.temperature_C") == "temperature (degC)"
    assert key_label("cell.recipe.press.contact_pressure_MPa") == "contact pressure (MPa)"
    assert key_label("run.materials.phases.LFTAP.ion.conductivity_S_per_m") == "LFTAP ion conductivity (S/m)"
    found = key_labels(["cell.recipe.powders.LFP.median_diameter_nm", "cell.recipe.powders.LATP.median_diameter_nm"])
    assert list(found.values()) == ["LFP median diameter (nm)", "LATP median diameter (nm)"]


def test_scatter_between_replicas_is_a_bar_of_its_own() -> None:
    found = rank(findings(grid(x=[1.0, 2.0]), lambda p, r: math.exp(p[X] + 0.1 * r * (-1) ** int(p[X])), 3))
    assert 0.0 < share_of(found, SCATTER) < 0.2
