"""What would close the gap: the one change of the cold-pressed body that makes fired over cold as large as was measured.

Three changes are tried, one at a time, each on real bodies until the ratio is met: smaller contacts (less adhesion), fewer
contacts, and contacts that resist more than a sintered boundary, with a barrier of their own. They are scenarios: the prediction
stays what it is. The first two hardly move the activation energy of the cold body, a resisting contact moves it to about
its own barrier: that is an observation which tells them apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cofire.building import PROCESSES
from cofire.experiment.gap.cold_bodies import PAIRS, RATIO, Change, ColdBodies, Gap, Point, Say
from cofire.experiment.gap.root_search import Found, find_root
from cofire.experiment.scenarios.scenario_table import mean_with_interval
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Variant, group_by_body, run_variants
from cofire.tables import with_error
from microstructures.errors import InputError
from microstructures.materials import CARRIERS, Carrier

WITHIN = 0.02
"""Largest relative distance of the ratio from what is wanted."""
CHANGES: tuple[Change, ...] = ("contact radius", "coordination", "contact resistance")
UNITS = {"contact radius": "nm", "coordination": "", "contact resistance": "ohm m2"}
EXPONENT = {"contact radius": -0.6, "coordination": -2.5, "contact resistance": 1.0}
"""Where to look first: d ln(ratio) / d ln(adhesion, coordination, resistance), roughly."""
COLUMNS = (
    "carrier", "change", "unit", "base", "needed", "low", "high", "factor", "barrier_eV", "work_of_adhesion_J_per_m2",
    "times_sintered", "reached", "wanted_ratio", "ratio", "ratio_low", "ratio_high", "base_ratio", "base_ratio_low",
    "base_ratio_high", "sigma_cold_mS_per_cm", "energy_eV", "energy_low_eV", "energy_high_eV", "base_energy_eV", "base_energy_low_eV",
    "base_energy_high_eV", "replicas", "solves", "text",
)  # fmt: skip


def close_the_gap(
    setting: Setting,
    *,
    ratio: float = RATIO,
    base: pd.DataFrame | None = None,
    say: Say = lambda text: None,
) -> pd.DataFrame:
    """Find, for ions and electrons, every single change of the cold body that makes fired over cold equal `ratio`.

    Parameters
    ----------
    setting : Setting
        The base; one pair of bodies for each seed.
    ratio : float
        Fired over cold, geometric mean over seeds; met within 2 %.
    base : DataFrame, optional
        Rows of `run_variants` that hold both processes of the base under the variant "base"; solved here unless given.
    say : callable
        Told what is being done.

    Returns
    -------
    DataFrame
        One row for each change and, of a contact resistance of ions, each barrier. `needed` with its 95 % interval `low, high`
        [`unit`] in place of `base`, `factor` between them; the ratio and the cold body's activation energy [eV], of ln(sigma), that
        follow, with intervals (Student over seeds; NaN from one); `reached`; `text`, a sentence. Where a ratio cannot be reached,
        `needed` is the end of what was tried and `ratio` the largest found.

    Notes
    -----
    Run the tasks of `find_gaps` through `close_gap` on a pool for the same rows in less time.
    """
    rows = _solve_base(setting, say) if base is None else base
    return gap_table([close_gap(task, say) for task in find_gaps(rows, setting, ratio)])


def find_gaps(base: pd.DataFrame, setting: Setting, ratio: float = RATIO) -> list[Gap]:
    """Return one task for every carrier and change; seeds without a path in either body of the base are left out."""
    rows = base[base["variant"] == "base"]
    tasks = []
    for carrier in CARRIERS:
        wide = rows[rows["carrier"] == carrier].pivot(index="seed", columns="process", values="sigma_mS_per_cm")
        wide = wide.reindex(columns=list(PROCESSES))
        wide = wide[(wide > 0.0).all(axis=1)]
        fired = {int(seed): float(value) for seed, value in wide["co-fired"].items()}  # type: ignore[call-overload]
        if not fired:
            continue
        changes = CHANGES if all(name in setting.materials.file.phases for name in PAIRS[carrier].split("|")) else CHANGES[:2]
        tasks += [Gap(carrier, change, setting, fired, ratio) for change in changes]
    return tasks


def gap_table(results: Sequence[list[dict[str, Any]]]) -> pd.DataFrame:
    """Return the rows of all tasks as one table."""
    return pd.DataFrame([row for rows in results for row in rows], columns=list(COLUMNS))


def _solve_base(setting: Setting, say: Say) -> pd.DataFrame:
    variants = [
        Variant("base", setting.body(process, seed), setting.materials, setting.temperature_C)
        for seed in setting.seeds
        for process in PROCESSES
    ]
    return pd.DataFrame([row for group in group_by_body(variants) for row in run_variants(group, say)])


def close_gap(gap: Gap, say: Say = lambda text: None) -> list[dict[str, Any]]:
    """Find one change; the rows of `close_the_gap` about it. It can be imported by name and run in another process."""
    bodies = ColdBodies(gap, say)
    base = bodies.at_base()
    start, lowest, highest = (math.log(value) for value in bodies.limits)
    points = {} if gap.change == "contact resistance" else {start: base}

    def excess(x: float) -> float:
        if x not in points:
            try:
                points[x] = bodies.at(math.exp(x))
            except InputError:  # no such body: the search ends, and says how far it came
                return math.nan
        return _log_ratio(gap, points[x])

    found = find_root(excess, start, lowest, highest, slope=EXPONENT[gap.change], within=math.log1p(WITHIN))
    point = points[found.x]
    rows = []
    for k, barrier in enumerate(bodies.barriers_eV):
        row = _describe(gap, bodies, base, point, found, k)
        row["barrier_eV"] = barrier
        row["text"] = _sentence(row)
        rows.append(row)
    return rows


def _log_ratio(gap: Gap, point: Point) -> float:
    """Return ln(ratio / wanted), infinite without a path in one of the bodies."""
    sigma = point.sigma_mS_per_cm
    if np.isnan(sigma).any():
        return math.nan
    if not (sigma > 0.0).all():
        return math.inf
    return float(np.mean(np.log(np.array(list(gap.fired.values())) / sigma))) - math.log(gap.ratio)


def _describe(gap: Gap, bodies: ColdBodies, base: Point, point: Point, found: Found, barrier: int) -> dict[str, Any]:
    fired = np.array(list(gap.fired.values()))
    value, start = math.exp(found.x), bodies.limits[0]
    own, first, resistance, adhesion, power = value, start, math.nan, math.nan, 1.0
    if gap.change == "contact radius":
        own, first, adhesion, power = point.radius_nm, base.radius_nm, value, 1.0 / 3.0
    elif gap.change == "contact resistance":
        first = bodies.contact_ohm_m2
        resistance = value / bodies.sintered_ohm_m2 if bodies.sintered_ohm_m2 > 0.0 else math.nan
    with np.errstate(divide="ignore"):
        logs = np.log(fired / point.sigma_mS_per_cm)
    mean, low, high = mean_with_interval(logs.tolist())
    half = power * (high - mean) / abs(found.slope) if found.reached and found.slope else math.nan
    ratio = np.exp(mean_with_interval(np.log(fired / base.sigma_mS_per_cm).tolist()))
    energy = mean_with_interval(point.energies_eV[barrier].tolist())
    base_energy = mean_with_interval(base.energies_eV[0].tolist())
    return {
        "carrier": gap.carrier,
        "change": gap.change,
        "unit": UNITS[gap.change],
        "base": first,
        "needed": own,
        "low": own * math.exp(-half),
        "high": own * math.exp(half),
        "factor": own / first if first > 0.0 else math.nan,
        "work_of_adhesion_J_per_m2": adhesion,
        "times_sintered": resistance,
        "reached": found.reached,
        "wanted_ratio": gap.ratio,
        **dict(zip(("ratio", "ratio_low", "ratio_high"), np.exp([mean, low, high]).tolist(), strict=True)),
        **dict(zip(("base_ratio", "base_ratio_low", "base_ratio_high"), ratio.tolist(), strict=True)),
        "sigma_cold_mS_per_cm": float(point.sigma_mS_per_cm.mean()),
        **dict(zip(("energy_eV", "energy_low_eV", "energy_high_eV"), energy, strict=True)),
        **dict(zip(("base_energy_eV", "base_energy_low_eV", "base_energy_high_eV"), base_energy, strict=True)),
        "replicas": len(fired),
        "solves": bodies.solves,
    }


def _sentence(row: dict[str, Any]) -> str:
    """Return what a row says."""
    what = f"{row['change']} {row['needed']:.3g} {row['unit']}".rstrip() + f" in place of {row['base']:.3g}"
    if row["change"] == "contact radius":
        what += f" (work of adhesion {row['work_of_adhesion_J_per_m2']:.2g} J/m2)"
    elif math.isfinite(row["times_sintered"]):
        what += f" ({row['times_sintered']:.3g} times the sintered boundary, barrier {row['barrier_eV']:g} eV)"
    if not row["reached"]:
        return f"not reached by {row['change']} alone: at {what} fired over cold is {row['ratio']:.4g}, the nearest found"
    return (
        f"{what}: fired over cold is {row['ratio']:.4g} instead of {row['base_ratio']:.4g}, and the cold body's activation energy "
        f"{row['energy_eV']:.3f} eV instead of {row['base_energy_eV']:.3f} eV"
    )


def falsifiable_statement(table: pd.DataFrame, carrier: Carrier = "ion") -> str:
    """Return, from the rows of `close_the_gap`, which cold activation energy would speak for which way to close the gap."""
    rows = table[(table["carrier"] == carrier) & table["reached"]].to_dict("records")
    if not rows:
        return f"No single change closes the gap of the {carrier}s; the cold body's activation energy tells nothing here."
    parts = []
    for row in rows:
        less = row["factor"] < 1.0
        why = {
            "contact radius": f"contacts are only {'smaller' if less else 'larger'}",
            "coordination": f"contacts are only {'fewer' if less else 'more'}",
            "contact resistance": f"contacts resist with {row['barrier_eV']:g} eV",
        }[row["change"]]
        parts.append(f"{_energy(row, 'energy')} if {why}")
    symbol = "sigma_i" if carrier == "ion" else "sigma_e"
    return (
        f"The activation energy of the cold-pressed body's {symbol}, of ln(sigma), tells the ways "
        f"to a ratio of {rows[0]['wanted_ratio']:.4g} apart: {'; '.join(parts)}; {_energy(rows[0], 'base_energy')} as predicted."
    )


def _energy(row: Any, name: str) -> str:
    """Return an activation energy with half of its 95 % interval."""
    half = 0.5 * (row[f"{name}_high_eV"] - row[f"{name}_low_eV"])
    return with_error(row[f"{name}_eV"], half, "eV")
