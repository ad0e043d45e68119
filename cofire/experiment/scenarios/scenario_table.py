"""What the scenarios conduct beside the base, with intervals: one tidy table for report, CSV and plot.

Intervals are those of Student over seeds; a change is paired, seed by seed, with the base, whose powder, packing and pores are
the same wherever they can be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cofire.building import PROCESSES
from cofire.calibration.result import TARGETS
from cofire.experiment.scenarios.scenarios import BASE
from cofire.paper import VALUES
from cofire.statistics import mean_with_error

COLUMNS = (
    "group", "label", "quantity", "process", "carrier", "unit", "value", "low", "high", "change", "change_low", "change_high",
    "replicas", "published", "published_low", "published_high", "note",
)  # fmt: skip
FITTED = {
    ("sigma", "ion"): TARGETS[0].error / TARGETS[0].value,
    ("sigma", "electron"): TARGETS[1].error / TARGETS[1].value,
    ("activation_energy", "ion"): TARGETS[2].error,
}
"""What the materials are calibrated to on the co-fired body, with its error: relative, of the activation energy in eV."""


def mean_with_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of the finite values and its 95 % interval (Student); no interval from one value.

    Examples
    --------
    >>> [round(number, 3) for number in mean_with_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    mean, _, half = mean_with_error(value for value in values if math.isfinite(value))
    return mean, mean - half, mean + half


def scenario_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what every scenario conducts, with intervals, and how far it is from the base.

    Parameters
    ----------
    rows : DataFrame
        Rows of `run_variants` for `scenario_variants`.

    Returns
    -------
    DataFrame
        One row for each scenario (`group, label`), quantity ("sigma" [mS/cm], "ratio" fired/cold, "activation_energy" [eV], of
        ln(sigma)), process and carrier. `value, low, high`: mean over seeds and its 95 % interval; of a ratio the geometric mean.
        `change, change_low, change_high`: the factor against the base from paired logarithms; of an activation energy the
        difference [eV]. Bodies in which a scenario does not matter have the values of the base and are noted so. Seeds without a
        path count as 0 in a conductivity, and are left out of ratio, change and activation energy, which is noted.
    """
    found = {
        (row["variant"], row["process"], row["carrier"], row["seed"]): (row["sigma_mS_per_cm"], row["activation_energy_eV"])
        for row in rows.to_dict("records")
    }
    seeds = list(dict.fromkeys(rows["seed"]))
    out = []
    for name in dict.fromkeys(rows["variant"]):
        view = _View(found, str(name), seeds)
        for carrier in dict.fromkeys(rows["carrier"]):
            for process in dict.fromkeys(rows["process"]):
                out.append(view.sigma(process, carrier))
                out.append(view.energy(process, carrier))
            out.append(view.ratio(carrier))
    order = {"sigma": 0, "ratio": 1, "activation_energy": 2}
    groups = {name: k for k, name in enumerate(dict.fromkeys(row["group"] for row in out))}
    labels = {name: k for k, name in enumerate(dict.fromkeys((row["group"], row["label"]) for row in out))}
    out.sort(key=lambda row: (groups[row["group"]], labels[(row["group"], row["label"])], order[row["quantity"]]))
    return pd.DataFrame(out, columns=list(COLUMNS))


def observations(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for every scenario, which measured quantity would show it best.

    Parameters
    ----------
    table : DataFrame
        Of `scenario_table`.

    Returns
    -------
    DataFrame
        One row for each scenario: `group, label, quantity, process, carrier`, the `change` against the base, `in_errors`: this
        change over the error of the measurement (that of the calibration's targets, else half the published interval; relative,
        and of logarithms, but of activation energies), `fitted`: whether the materials were calibrated to this quantity, so that
        another calibration takes it up; `text`. Below one error nothing that was measured tells the scenario from the base.
    """
    rows = []
    for (group, label), part in table[table["group"] != BASE].groupby(["group", "label"], sort=False):
        known = [row for row in part.to_dict("records") if math.isfinite(row["change"]) and math.isfinite(_in_errors(row))]
        if not known:
            continue
        best = max(known, key=lambda row: abs(_in_errors(row)))
        errors, fitted = _in_errors(best), (best["quantity"], best["carrier"]) in FITTED and best["process"] == "co-fired"
        name = " ".join(
            word for word in (best["process"], best["quantity"].replace("_", " "), f"of the {best['carrier']}s") if word
        )
        moves = f"{best['change']:+.3f} eV" if best["quantity"] == "activation_energy" else f"x {best['change']:.3g}"
        verdict = "; the materials are calibrated to it: calibrate anew" if fitted else ""
        verdict = verdict if abs(errors) >= 1.0 else "; nothing that was measured tells it from the base"
        rows.append(
            {
                **{"group": group, "label": label},
                **{key: best[key] for key in ("quantity", "process", "carrier", "change")},
                "in_errors": errors,
                "fitted": fitted,
                "text": f"{name} {moves}, {abs(errors):.1f} errors of the measurement{verdict}",
            }
        )
    return pd.DataFrame(rows)


def _in_errors(row: Any) -> float:
    """Return a change over the error of the measurement; NaN where nothing was measured."""
    low, high, change = row["published_low"], row["published_high"], row["change"]
    error = FITTED.get((row["quantity"], row["carrier"])) if row["process"] == "co-fired" else None
    if row["quantity"] == "activation_energy":
        return float(change / (error or 0.5 * (high - low)))
    return math.log(change) / (error or 0.5 * math.log(high / low)) if change > 0.0 else math.nan


@dataclass(frozen=True)
class _View:
    """The results of one scenario, with those of the base where it does not matter."""

    found: dict[tuple[Any, Any, Any, Any], tuple[float, float]]
    name: str
    seeds: list[int]

    def _read(self, process: str, carrier: str, which: int, name: str | None = None) -> NDArray[np.float64]:
        nothing = (math.nan, math.nan)
        values = [
            self.found.get(
                (name or self.name, process, carrier, seed), self.found.get((BASE, process, carrier, seed), nothing)
            )[which]
            for seed in self.seeds
        ]
        return np.array(values, dtype=np.float64)

    def sigma(self, process: str, carrier: str) -> dict[str, Any]:
        """Return the row of a conductivity."""
        mine, base = self._read(process, carrier, 0), self._read(process, carrier, 0, BASE)
        change = np.exp(mean_with_interval((_log(mine) - _log(base)).tolist())).tolist()
        return self._row("sigma", process, carrier, "mS/cm", mean_with_interval(mine.tolist()), change, mine)

    def energy(self, process: str, carrier: str) -> dict[str, Any]:
        """Return the row of an activation energy."""
        mine, base = self._read(process, carrier, 1), self._read(process, carrier, 1, BASE)
        change = mean_with_interval((mine - base).tolist())
        sigma = self._read(process, carrier, 0)
        return self._row("activation_energy", process, carrier, "eV", mean_with_interval(mine.tolist()), change, sigma)

    def ratio(self, carrier: str) -> dict[str, Any]:
        """Return the row of fired over cold."""
        logs, base = (
            _log(self._read("co-fired", carrier, 0, name)) - _log(self._read("cold-pressed", carrier, 0, name))
            for name in (None, BASE)
        )
        value, change = (np.exp(mean_with_interval(series.tolist())).tolist() for series in (logs, logs - base))
        return self._row("ratio", "", carrier, "", value, change, np.where(np.isfinite(logs), 1.0, 0.0))

    def _row(
        self, quantity: str, process: str, carrier: str, unit: str, value: Sequence[float], change: Sequence[float], paths: Any
    ) -> dict[str, Any]:
        group, _, label = self.name.rpartition(": ") if self.name != BASE else (BASE, "", "")
        published = VALUES.get((quantity, process, carrier))
        processes = (process,) if process else PROCESSES
        touched = any((self.name, one, carrier, seed) in self.found for one in processes for seed in self.seeds)
        notes = [] if touched else ["as the base: does not matter here"]
        blocked = int(np.count_nonzero(paths == 0.0))
        notes += [f"{blocked} of {len(self.seeds)} without a path"] if blocked else []
        lost = int(np.count_nonzero(np.isnan(paths)))
        notes += [f"{lost} of {len(self.seeds)} without a value"] if lost else []
        same = 0.0 if quantity == "activation_energy" else 1.0
        change = change if touched and self.name != BASE else (same, math.nan, math.nan)
        numbers = dict(zip(("value", "low", "high", "change", "change_low", "change_high"), (*value, *change), strict=True))
        return {
            "group": group,
            "label": label,
            "quantity": quantity,
            "process": process,
            "carrier": carrier,
            "unit": unit,
            **{key: float(number) for key, number in numbers.items()},
            "replicas": len(self.seeds) - lost - (blocked if quantity != "sigma" else 0),
            "published": published.value if published else math.nan,
            "published_low": published.low if published else math.nan,
            "published_high": published.high if published else math.nan,
            "note": "; ".join(notes),
        }


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return logarithms; NaN where nothing flows."""
    return np.log(np.where(values > 0.0, values, np.nan))
