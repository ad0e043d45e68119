"""The sources of error, one function each: how far one of them moves one quantity.

Errors of conductivities and ratios are relative, those of logarithms, paired over seeds; of activation energies in eV.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cofire.calibration.result import NORMAL_95, TARGETS
from cofire.experiment.budget.error_variants import BOX, BOX_FACTORS, PLATES, VOXEL, coarse_level, select, voxel_levels
from cofire.experiment.budget.extrapolation import extrapolate
from cofire.experiment.budget.parameter_error import Spread
from cofire.experiment.budget.uncertain_numbers import find_uncertain
from cofire.experiment.setting import Setting
from cofire.statistics import mean_with_error
from microstructures.materials import CARRIERS, Materials
from microstructures.recipe import Recipe

SOLVER_TOLERANCE = 1e-4
Quantity = tuple[str, str, str]
"""Kind ("sigma", "ratio" or "activation_energy"), process and carrier."""


@dataclass(frozen=True)
class Line:
    """One source: errors and shift relative (of energies in eV), half-widths of the interval below and above."""

    source: str
    error: float
    below: float
    above: float
    shift: float = math.nan
    in_sum: bool = True
    note: str = ""


def by_seed(table: pd.DataFrame, quantity: Quantity) -> pd.Series[float]:
    """Return ln(sigma), ln(ratio) or the activation energy [eV] of every seed that has one."""
    kind, process, carrier = quantity
    mine = table[table["carrier"] == carrier]
    if kind == "ratio":
        fired, pressed = (by_seed(mine, ("sigma", name, carrier)) for name in ("co-fired", "cold-pressed"))
        return (fired - pressed).dropna()
    mine = mine[mine["process"] == process].drop_duplicates("seed").set_index("seed")
    if kind == "activation_energy":
        return mine["activation_energy_eV"].dropna()
    sigma = mine["sigma_mS_per_cm"]
    return np.log(sigma[sigma > 0.0])


def replicas_line(estimates: pd.DataFrame, quantity: Quantity) -> tuple[float, str, Line]:
    """Return value, unit and error of the mean over seeds: arithmetic, of ratios geometric, as the comparison prints them."""
    kind, process, carrier = quantity
    solver = estimates[estimates["estimator"] == "solver"]
    values = by_seed(solver, quantity)
    mean, error, half = mean_with_error(values)
    unit = {"sigma": "mS/cm", "ratio": "", "activation_energy": "eV"}[kind]
    if kind == "ratio":
        mean = math.exp(mean)
    elif kind == "sigma":
        mine = solver[(solver["carrier"] == carrier) & (solver["process"] == process)]["sigma_mS_per_cm"].dropna()
        mean, error, half = mean_with_error(mine)
        if mean > 0.0:
            error, half = error / mean, half / mean
        else:
            mean = math.nan
    note = "one seed tells nothing about the others" if math.isnan(error) else f"{len(values)} seeds, Student's t"
    return mean, unit, Line("replicas", error, half, half, note=note)


def hops_line(estimates: pd.DataFrame, quantity: Quantity) -> Line | None:
    """Return what the hops say of themselves and of the solver; None where they give nothing."""
    hops = estimates[(estimates["estimator"] == "kMC") & (estimates["own_stderr_mS_per_cm"] > 0.0)]
    if quantity[0] == "activation_energy" or hops.empty:
        return None
    solver = estimates[estimates["estimator"] == "solver"]
    difference = (by_seed(hops, quantity) - by_seed(solver, quantity)).dropna()
    if difference.empty:
        return None
    relative = hops.assign(variance=(hops["own_stderr_mS_per_cm"] / hops["sigma_mS_per_cm"]) ** 2)
    mine = relative[(relative["carrier"] == quantity[2]) & relative["seed"].isin(difference.index)]
    mine = mine if quantity[0] == "ratio" else mine[mine["process"] == quantity[1]]
    own = math.sqrt(float(mine["variance"].sum())) / len(difference)
    off = float(difference.mean())
    note = f"differs from the solver by {100.0 * off:+.2g} %, {off / own:+.1f} of its own errors"
    lost = mine[mine["outcome"] == "not-equilibrated"] if "outcome" in mine else mine.iloc[:0]
    note += f"; {len(lost)} of {len(mine)} not equilibrated (an upper bound of sigma)" if len(lost) else ""
    return Line("kinetic Monte Carlo", own, NORMAL_95 * own, NORMAL_95 * own, off, in_sum=False, note=note)


def voxels_line(estimates: pd.DataFrame, rows: pd.DataFrame, quantity: Quantity, setting: Setting) -> Line | None:
    """Return the error of the run's voxels, from coarser ones of the same seeds; None without any."""
    own = by_seed(estimates[estimates["estimator"] == "solver"], quantity)
    mine = rows[(rows["variant"] == VOXEL) & (rows["size_um"] == setting.size_um)]
    sizes = [setting.voxel_nm, *sorted(float(h) for h in mine["voxel_nm"].unique() if h > setting.voxel_nm)]
    coarser = [by_seed(mine[mine["voxel_nm"] == h], quantity) for h in sizes[1:]]
    paired = pd.concat([own, *coarser], axis=1).dropna().to_numpy(dtype=np.float64)
    if len(sizes) < 2 or not len(paired):
        return None
    made_of_voxels = [_layer_of_voxels(setting.recipe, h) for h in sizes]
    found = extrapolate(dict(zip(sizes, paired.mean(axis=0).tolist(), strict=True)))
    _, scatter, _ = mean_with_error(paired[:, 1] - paired[:, 0])
    notes = [f"{' and '.join(f'{h:g}' for h in sizes)} nm: {found.note}"]
    if math.isfinite(scatter):
        notes.append(f"scatter of the difference over seeds {scatter:.2g}")
    if quantity[1] != "cold-pressed" and len(set(made_of_voxels)) > 1:
        notes.append("the layer is made of voxels in the finer and folded into faces in the coarser, so no order")
    size = abs(found.shift)
    half = found.safety * size
    return Line(VOXEL, size, half, half, found.shift, note="; ".join(notes))


def _layer_of_voxels(recipe: Recipe, voxel_nm: float) -> bool:
    from microstructures.firing.interphase import RESOLVED_ABOVE_VOXELS

    layer = recipe.fire.interphase
    if layer is None or layer.representation != "auto":
        return layer is not None and layer.representation == "resolved"
    grown = layer.growth(recipe.fire.temperature_C, recipe.fire.hours) * layer.median_nm
    return grown >= RESOLVED_ABOVE_VOXELS * voxel_nm


def box_line(rows: pd.DataFrame, quantity: Quantity, setting: Setting) -> Line | None:
    """Return what the largest box adds to the run's, both with coarse voxels; None without any."""
    size_um, coarse = setting.size_um, coarse_level(voxel_levels(setting.recipe, setting.voxel_nm))
    base = by_seed(select(rows, VOXEL, size_um, coarse), quantity)
    steps = {factor: (by_seed(select(rows, BOX, factor * size_um, coarse), quantity) - base).dropna() for factor in BOX_FACTORS}
    largest = max((factor for factor, values in steps.items() if len(values)), default=None)
    if largest is None:
        return None
    shift, error, half = mean_with_error(steps[largest])
    significant = abs(shift) > half
    others = "; ".join(f"{f:g} times: {v.mean():+.2g}" for f, v in steps.items() if f != largest and len(v))
    verdict = (
        "one seed, so not told from scatter"
        if math.isnan(error)
        else f"+- {error:.2g}, {'differs from 0' if significant else 'not significant: within the scatter of replicas'}"
    )
    note = "; ".join(part for part in (f"{largest:g} times the box: {shift:+.2g} {verdict}", others) if part)
    total = math.hypot(error, shift) if significant else error
    below, above = half + max(0.0, -shift), half + max(0.0, shift)
    return Line(BOX, total, below, above, shift, in_sum=significant, note=note)


def boundary_line(rows: pd.DataFrame, quantity: Quantity) -> Line | None:
    """Return what plates change in the run's box with coarse voxels; None without any."""
    plates = rows[rows["variant"] == PLATES]
    if plates.empty:
        return None
    size_um, voxel_nm = plates["size_um"].iloc[0], plates["voxel_nm"].iloc[0]
    shifts = (by_seed(plates, quantity) - by_seed(select(rows, VOXEL, size_um, voxel_nm), quantity)).dropna()
    if shifts.empty:
        return None
    shift, error, _ = mean_with_error(shifts)
    known = f" +- {error:.2g}" if math.isfinite(error) else ""
    note = f"plates: {shift:+.2g}{known}; vanishes with 1/L: a bound, not in the sum"
    return Line("boundary", abs(shift), max(0.0, -shift), max(0.0, shift), shift, in_sum=False, note=note)


def tolerance_line(quantity: Quantity) -> Line | None:
    """Return the tolerance of the solver; None for activation energies."""
    if quantity[0] == "activation_energy":
        return None
    error = SOLVER_TOLERANCE * (math.sqrt(2.0) if quantity[0] == "ratio" else 1.0)
    return Line("solver tolerance", error, error, error, note="inflow, outflow and dissipation agree within it")


def ranges_line(spreads: Sequence[Spread], quantity: Quantity, group: str, source: str, *, in_sum: bool) -> Line | None:
    """Return the spread of one group of numbers over their ranges, its three largest parts in the note; None without any."""
    kind, process, carrier = quantity
    read: Callable[[Spread], NDArray[np.float64]] = (
        (lambda spread: spread.energy_eV) if kind == "activation_energy" else (lambda spread: spread.log_sigma)
    )
    parts: dict[str, NDArray[np.float64]] = {}
    for spread in spreads:
        if (spread.group, spread.carrier) == (group, carrier) and (kind == "ratio" or spread.process == process):
            sign = -1.0 if kind == "ratio" and spread.process == "cold-pressed" else 1.0
            parts[spread.parameter] = parts.get(spread.parameter, 0.0) + sign * read(spread)
    if not parts:
        return None
    total = np.sum(list(parts.values()), axis=0)
    low, high = (float(end) for end in np.percentile(total, (2.5, 97.5)))
    alone = sorted(((float(part.std()), name) for name, part in parts.items()), reverse=True)[:3]
    alone = [(size, name) for size, name in alone if size > 0.01 * alone[0][0]]
    unit = " eV" if kind == "activation_energy" else ""
    note = ", ".join(f"{name} {size:.2g}{unit}" for size, name in alone)
    note += f"; median {np.median(total):+.2g}{unit} off the value"
    note += "" if in_sum else "; a new fit takes it up: not in the sum"
    return Line(source, float(total.std()), max(0.0, -low), max(0.0, high), in_sum=in_sum, note=note)


def target_line(quantity: Quantity, materials: Materials) -> Line | None:
    """Return the error of the target of a quantity that the materials were fitted to, or None."""
    kind, process, carrier = quantity
    if process != "co-fired" or (kind, carrier) not in _TARGET_AND_FIELD:
        return None
    which, field = _TARGET_AND_FIELD[(kind, carrier)]
    mine = next(one for one in CARRIERS if one == carrier)
    if not any(one.calibrated and one.field == field for one in find_uncertain(materials, mine)):
        return None
    target = TARGETS[which]
    error = target.error / (target.value if kind == "sigma" else 1.0)
    note = f"fitted to {target.value:g} +- {target.error:g} {target.unit}: its error, by construction"
    return Line("calibrated parameters", error, NORMAL_95 * error, NORMAL_95 * error, note=note)


_TARGET_AND_FIELD = {
    ("sigma", "ion"): (0, "area_specific_resistance_ohm_m2"),
    ("sigma", "electron"): (1, "sheet_conductance_S"),
    ("activation_energy", "ion"): (2, "activation_energy_eV"),
}
"""Which target of the calibration a quantity of the co-fired body is, and the field of the number fitted to it."""


def sum_line(lines: Sequence[Line]) -> Line:
    """Return the root of squares of what enters it."""
    counted = [line for line in lines if line.in_sum]
    error, below, above = (math.sqrt(sum(getattr(line, name) ** 2 for line in counted)) for name in ("error", "below", "above"))
    note = "root of squares of " + ", ".join(line.source for line in counted)
    if math.isnan(error):
        note = "unknown: from one seed; " + note
    return Line("sum", error, below, above, note=note)
