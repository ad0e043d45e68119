"""Whether the numbers come out again: one comparison beside another of other seeds, both beside the experiment."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from scipy.special import stdtr

from cofire.building import PROCESSES
from cofire.calibration.result import TARGETS
from cofire.experiment.comparison import Comparison
from cofire.paper import VALUES
from microstructures.errors import InputError
from microstructures.materials import CARRIERS

QUANTITIES = (
    *(("sigma", process, carrier) for process in PROCESSES for carrier in CARRIERS),
    *(("ratio", "", carrier) for carrier in CARRIERS),
    *(("activation_energy", process, carrier) for process in PROCESSES for carrier in CARRIERS),
)
"""What is compared: quantity, process, carrier; of the solver."""
SIGNIFICANCE = 0.05
"""Chance that seed sets which differ by chance alone are called different, all quantities together."""
WITHIN = 1e-3
"""Largest relative distance between the product of a waterfall and the ratio."""
SAME = ("size_um", "voxel_nm", "temperature_C", "recipe", "materials")

Check = dict[str, Any]


def compare_seed_sets(first: Comparison, second: Comparison) -> dict[str, Any]:
    """Compare two seed sets with each other and with the experiment.

    Parameters
    ----------
    first, second : Comparison
        Same box, voxels, temperature, recipe and materials; no seed in common.

    Returns
    -------
    dict
        `seeds`: those of `first` and of `second`.
        `quantities`: one entry for each of `QUANTITIES`: `quantity, process, carrier, unit`, mean, standard error and replicas of
        both sets (`first, first_error, first_replicas, second, ...`), `difference_in_errors` (first less second over the root of
        the sum of squares of both errors; of ratios the logarithms), `p_value` (Welch's t test, two-sided), `published,
        published_low, published_high`. NaN where nothing is known: no error and no p value comes from one replica.
        `checks`: entries `name, value, wanted, ok`; `ok` is None where one replica cannot tell. Conductivities and activation
        energies of the co-fired body stand in both sets against the experiment, the waterfall against the ratio, and the
        smallest p value against 0.05 over the number of quantities (Bonferroni).

    Raises
    ------
    InputError
        If both comparisons are not of the same thing, or share a seed.

    Examples
    --------
    >>> QUANTITIES[0], len(QUANTITIES)
    (('sigma', 'cold-pressed', 'ion'), 10)
    """
    seeds = {"first": _seeds(first), "second": _seeds(second)}
    differing = [name for name in SAME if first.run["input"][name] != second.run["input"][name]]
    if differing:
        raise InputError(f"both comparisons differ in {', '.join(differing)}; give two that differ in their seeds only")
    if shared := set(seeds["first"]) & set(seeds["second"]):
        raise InputError(f"both comparisons hold seed {min(shared)}; give seeds without one in common")
    rows = [_quantity(first.table, second.table, *which) for which in QUANTITIES]
    checks = [check for row in rows for check in _against_the_experiment(row, seeds)]
    return {
        "seeds": seeds,
        "quantities": rows,
        "checks": [*checks, *_waterfalls(first), *_waterfalls(second), _agreement(rows)],
    }


def _seeds(comparison: Comparison) -> list[int]:
    given = comparison.run["input"]
    return list(range(given["seed"], given["seed"] + given["replicas"]))


def _quantity(first: pd.DataFrame, second: pd.DataFrame, quantity: str, process: str, carrier: str) -> dict[str, Any]:
    one, other = _entry(first, quantity, process, carrier), _entry(second, quantity, process, carrier)
    known = VALUES.get((quantity, process, carrier))
    means = [_logarithm(entry) if quantity == "ratio" else (entry["value"], entry["standard_error"]) for entry in (one, other)]
    difference, p_value = welch(means[0], means[1], (one["replicas"], other["replicas"]))
    return {
        "quantity": quantity,
        "process": process,
        "carrier": carrier,
        "unit": one["unit"],
        "first": one["value"],
        "first_error": one["standard_error"],
        "first_replicas": one["replicas"],
        "second": other["value"],
        "second_error": other["standard_error"],
        "second_replicas": other["replicas"],
        "difference_in_errors": difference,
        "p_value": p_value,
        "published": known.value if known else math.nan,
        "published_low": known.low if known else math.nan,
        "published_high": known.high if known else math.nan,
    }


def _entry(table: pd.DataFrame, quantity: str, process: str, carrier: str) -> dict[str, Any]:
    """Return the row of the solver; NaN from no replica where the table has none."""
    rows = table[(table["quantity"] == quantity) & (table["process"] == process) & (table["carrier"] == carrier)]
    rows = rows[rows["estimator"] == "solver"]
    if rows.empty:
        return {"value": math.nan, "standard_error": math.nan, "unit": "", "replicas": 0}
    return {str(key): value for key, value in rows.to_dict("records")[0].items()}


def _logarithm(entry: dict[str, Any]) -> tuple[float, float]:
    """Return the logarithm of a ratio with its error."""
    value, error = entry["value"], entry["standard_error"]
    return (math.log(value), error / value) if value > 0.0 else (math.nan, math.nan)


def welch(first: tuple[float, float], second: tuple[float, float], replicas: tuple[int, int]) -> tuple[float, float]:
    """Return the difference of two means in combined standard errors, and its two-sided p value (Welch, Biometrika 1947).

    Parameters
    ----------
    first, second : tuple of float
        Mean and its standard error.
    replicas : tuple of int
        What each is a mean of.

    Examples
    --------
    >>> difference, p_value = welch((1.0, 0.03), (1.1, 0.04), (5, 5))
    >>> round(difference, 6), round(p_value, 4)
    (-2.0, 0.0833)
    >>> welch((1.0, float("nan")), (1.1, 0.04), (1, 5))
    (nan, nan)
    """
    error = math.hypot(first[1], second[1])
    if not (math.isfinite(error) and error > 0.0 and min(replicas) > 1):
        return math.nan, math.nan
    difference = (first[0] - second[0]) / error
    freedom = error**4 / sum(one**4 / (n - 1) for one, n in zip((first[1], second[1]), replicas, strict=True))
    return difference, float(2.0 * stdtr(freedom, -abs(difference)))


def _against_the_experiment(row: dict[str, Any], seeds: dict[str, list[int]]) -> list[Check]:
    """Return the checks of a quantity of the co-fired body, one for each seed set."""
    if row["process"] != "co-fired":
        return []
    value, error = row["published"], 0.5 * (row["published_high"] - row["published_low"])
    if (row["quantity"], row["carrier"]) == ("sigma", "electron"):
        error = next(target.error for target in TARGETS if target.name == "sigma_e")
    low, high = value - error, value + error
    symbol = "sigma" if row["quantity"] == "sigma" else "activation energy"
    return [
        {
            "name": f"{symbol} of the {row['carrier']}s, co-fired, seeds {seeds[which][0]} to {seeds[which][-1]}",
            "value": row[which],
            "wanted": f"{value:g} +- {error:.2g} {row['unit']}",
            "ok": bool(low <= row[which] <= high),
        }
        for which in ("first", "second")
    ]


def _waterfalls(comparison: Comparison) -> list[Check]:
    """Return whether the factors of each waterfall multiply to fired over cold; none without an explanation.

    Where a seed without a path in a body between is left out of the waterfall, they are held against its own total.
    """
    if comparison.explanation is None:
        return []
    checks = []
    for carrier, part in comparison.explanation.waterfall.groupby("carrier", sort=False):
        total, ratio = part[part["step"] == "total"].iloc[0], _entry(comparison.table, "ratio", "", str(carrier))
        same = ratio["replicas"] == total["replicas"]
        wanted = float(ratio["value"] if same else total["factor"])
        product = math.prod(part[part["step"] != "total"]["factor"].tolist())
        checks.append(
            {
                "name": f"factors of the waterfall of the {carrier}s, multiplied, seeds from {comparison.run['input']['seed']}",
                "value": product,
                "wanted": f"{wanted:.5g} within {100.0 * WITHIN:g} %, {'fired over cold' if same else 'its total'}",
                "ok": bool(abs(product - wanted) <= WITHIN * wanted),
            }
        )
    return checks


def _agreement(rows: list[dict[str, Any]]) -> Check:
    """Return whether both seed sets are the same within errors."""
    known = [row["p_value"] for row in rows if math.isfinite(row["p_value"])]
    smallest = min(known, default=math.nan)
    limit = SIGNIFICANCE / max(1, len(known))
    return {
        "name": f"smallest p value of {len(known)} differences between both seed sets",
        "value": smallest,
        "wanted": f"{limit:.2g} or more" if known else "two replicas or more",
        "ok": smallest >= limit if known else None,
    }
