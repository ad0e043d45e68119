"""The calibration: three numbers of a materials file from three measured on the co-fired body, with what is known of them.

Unknown are the LATP|LATP resistance R (from sigma_i), its activation energy E (from that of sigma_i) and the sheet conductance
G of the carbon film on LFP (from sigma_e). A step needs one solution per axis: the share s of the dissipation in a boundary or
film is d ln(sigma_eff) / d ln(p) (`kmc.conduction.sensitivities`) and, of the boundary, d Ea / d E as well. Steps are those of
Newton in ln G, and for ions in the resistance, where they would be exact if grains and boundaries were in series.
Parameters have the covariance J^-1 (C_targets + C_replicas) J^-T in ln R, ln G and E, which gives correlations and the interval
of G; those of R and E, far from linear, are profiles (`cofire.calibration.profile`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire import provenance
from cofire.building import DEFAULT_SEED, DEFAULT_SIZE_UM, build, check_size
from cofire.calibration.materials import BOUNDARY_PAIR, calibrated_materials, starting_values, with_values
from cofire.calibration.newton import fit_electrons, fit_ions, shift_per_eV
from cofire.calibration.observing import Observed, observe_body
from cofire.calibration.profile import Point, energy_interval, resistance_at
from cofire.calibration.result import (
    NAMES,
    TARGETS,
    TEMPERATURE_C,
    CalibrationResult,
    Fitted,
    Target,
    covariance,
    interval_half_width,
)
from kmc.network import build_network
from microstructures.errors import InputError
from microstructures.materials import DEFAULT_MATERIALS, Carrier, Materials, load_materials
from microstructures.recipe import Recipe, load_recipe

DEFAULT_VOXEL_NM = 50.0
DIFFERENCE = 0.02
"""Step of ln R for the derivative of the activation energy."""
Progress = Callable[[float | None, str], Any]


def calibrate(
    *,
    materials: str | Path | Materials | None = None,
    recipe: str | Path | Recipe | None = None,
    size_um: float = DEFAULT_SIZE_UM,
    voxel_nm: float = DEFAULT_VOXEL_NM,
    replicas: int = 3,
    seed: int = DEFAULT_SEED,
    targets: Sequence[Target] = TARGETS,
    progress: Progress = lambda share, text: None,
) -> CalibrationResult:
    """Fit LATP|LATP resistance, its activation energy and the carbon film to the co-fired body at 60 degC.

    Parameters
    ----------
    materials : Materials, path or name, optional
        Where to start, and all other numbers; `lfp-latp` unless given. Films on LFP keep their ratios.
    recipe : Recipe or path, optional
        Powders, pressing and firing.
    size_um, voxel_nm : float
        Edge of the green body [um] and of a voxel [nm].
    replicas, seed : int
        Number of fired bodies and the first seed.
    targets : sequence of Target
        sigma_i and sigma_e [mS/cm] and the activation energy of sigma_i, of ln(sigma) [eV], in this order.
    progress : callable
        Called with the share done and a short text.

    Returns
    -------
    CalibrationResult
        Half an interval of a target is the root of (1.96 e_target)^2 + (t e_replicas)^2, t of Student with n - 1; R and E are
        those that reach its ends, G follows linearly in ln G.

    Raises
    ------
    InputError
        If an option is out of range, or a target cannot be reached.
    MaterialsError
        If the materials lack one of the three numbers.
    """
    started = provenance.start("cofire.calibrate")
    if not 1 <= replicas <= 10_000:
        raise InputError(f"replicas is {replicas}; allowed: 1 to 10000")
    if not 0 <= seed < 2**64 - replicas:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    start = materials if isinstance(materials, Materials) else load_materials(materials)
    starting_values(start)  # what is missing is told before anything is computed
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    check_size("co-fired", size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    seeds = tuple(range(seed, seed + replicas))
    bodies, told = [], 0

    def say(text: str) -> None:
        nonlocal told
        told += 1
        progress(min(0.98, told / (18 * replicas)), text)

    for one in seeds:
        say(f"seed {one}: building")
        body = build("co-fired", size_um=size_um, voxel_nm=voxel_nm, seed=one, recipe=known)
        bodies.append(build_network(body, start, carrier="ion", temperature_C=TEMPERATURE_C).faces)

    def observe(changed: Materials, carrier: Carrier) -> Observed:
        rows = []
        for one, faces in zip(seeds, bodies, strict=True):
            say(f"seed {one}: {carrier}, solver")
            rows.append(observe_body(faces, changed, carrier, one))
        return Observed(*np.array(rows).T)

    sigma_i, sigma_e, energy_i = targets
    largest = float(observe(with_values(start, resistance_ohm_m2=0.0), "ion").sigma.mean())
    if sigma_i.value >= largest:
        raise InputError(
            f"sigma_i of {sigma_i.value:g} mS/cm cannot be reached: without any {BOUNDARY_PAIR} resistance these bodies conduct "
            f"{largest:.4g} mS/cm, the largest there is; raise the conductivity of LATP or LFTAP in {start.origin}"
        )
    resistance, energy, ion, steps_i = fit_ions(start, observe, sigma_i, energy_i)
    sheet, electron, steps_e = fit_electrons(start, observe, sigma_e)
    nearby = observe(with_values(start, resistance * math.exp(DIFFERENCE), energy), "ion")

    def solve(one: float) -> Point:
        found = observe(with_values(start, one, energy), "ion")
        return Point(one, float(found.sigma.mean()), found.weighted_share)

    by_resistance = (nearby.energy.mean() - ion.energy.mean()) / DIFFERENCE
    jacobian = _jacobian(ion, electron, by_resistance, shift_per_eV(start))
    samples = np.array([ion.sigma, electron.sigma, ion.energy])
    scatter = np.cov(samples) / replicas if replicas > 1 else None
    from_targets = covariance(jacobian, np.diag([target.error**2 for target in targets]))
    from_replicas = None if scatter is None else covariance(jacobian, scatter)
    total = from_targets if from_replicas is None else from_targets + from_replicas
    deviation = np.sqrt(np.diag(total))
    names = [target.name for target in targets]
    half = [
        interval_half_width(target.error**2, None if scatter is None else float(scatter[k, k]), replicas)
        for k, target in enumerate(targets)
    ]
    fitted = _fitted(start, (resistance, sheet, energy), names, from_targets, from_replicas, replicas)
    bounds = _profiles(ion, resistance, energy, largest, (sigma_i.value, half[0]), (energy_i.value, half[2]), solve)
    resolved = {
        "size_um": size_um, "voxel_nm": voxel_nm, "replicas": replicas, "seed": seed, "temperature_C": TEMPERATURE_C,
        "targets": [vars(target) for target in targets], "recipe": known.model_dump(), "materials": start.to_dict(),
    }  # fmt: skip
    given = (DEFAULT_MATERIALS if materials is None else materials, recipe)
    read = [one for one in given if isinstance(one, str | Path)]
    run = provenance.record(started, input=resolved, seed=seed, files=read)
    result = CalibrationResult(
        parameters=(_bounded(fitted[0], *bounds[0]), fitted[1], _bounded(fitted[2], *bounds[1])),
        targets=tuple(targets),
        reached=dict(zip(names, samples.mean(axis=1).tolist(), strict=True)),
        correlation=total / np.outer(deviation, deviation),
        jacobian=jacobian,
        largest_sigma_i_mS_per_cm=largest,
        interval="targets only" if from_replicas is None else "targets and replicas",
        iterations={"ion": steps_i, "electron": steps_e},
        seeds=seeds,
        size_um=size_um,
        voxel_nm=voxel_nm,
        seconds=round(run["seconds"], 1),
        materials=start,
        provenance=run,
    )
    return replace(result, materials=calibrated_materials(start, result))


def _profiles(
    ion: Observed,
    resistance: float,
    energy: float,
    largest: float,
    sigma_target: tuple[float, float],
    energy_target: tuple[float, float],
    solve: Callable[[float], Point],
) -> tuple[tuple[float, float, str], tuple[float, float, str]]:
    """Return the interval of the resistance and of its activation energy, each with what a reader must know."""
    middle, half = sigma_target
    best = Point(resistance, float(ion.sigma.mean()), ion.weighted_share)
    points = [best]
    low, high, note = 0.0, math.inf, "no upper bound: the interval of sigma_i reaches 0"
    if middle - half > 0.0:
        points.append(resistance_at(middle - half, best, largest, solve))
        high, note = points[-1].resistance, ""
    if middle + half < largest:
        points.append(resistance_at(middle + half, best, largest, solve))
        low = points[-1].resistance
    else:
        unbound = f"no lower bound: at 0 sigma_i is {largest:.4g} mS/cm, within the interval of its target"
        note = "; ".join(part for part in (unbound, note) if part)
    share = best.share
    rest = (float(ion.energy.mean()) - share * energy) / (1.0 - share)
    ends = energy_interval(points, largest, rest, sigma_target, energy_target)
    free = "" if math.isfinite(ends[1]) else "not bounded: where the resistance may vanish its activation energy has no say"
    return (low, high, note), (max(ends[0], 0.0), ends[1], free)


def _bounded(fitted: Fitted, low: float, high: float, note: str) -> Fitted:
    return replace(fitted, low=low, high=high, note=note)


def _jacobian(ion: Observed, electron: Observed, energy_by_ln_R: float, shift: float) -> NDArray[np.float64]:
    """Return the derivatives of sigma_i, sigma_e, Ea(i) with respect to ln R, ln G, E at the reference temperature."""
    sigma_i, sigma_e = -(ion.sigma * ion.share).mean(), (electron.sigma * electron.share).mean()
    energy = ion.share.mean() + energy_by_ln_R * shift
    return np.array([[sigma_i, 0.0, sigma_i * shift], [0.0, sigma_e, 0.0], [energy_by_ln_R, 0.0, energy]])


def _fitted(
    start: Materials,
    values: tuple[float, float, float],
    targets: Sequence[str],
    from_targets: NDArray[np.float64],
    from_replicas: NDArray[np.float64] | None,
    replicas: int,
) -> tuple[Fitted, ...]:
    resistance, energy, sheet = starting_values(start)
    found = []
    for k, (unit, before) in enumerate((("ohm m2", resistance), ("S", sheet), ("eV", energy))):
        own = None if from_replicas is None else float(from_replicas[k, k])
        half = interval_half_width(float(from_targets[k, k]), own, replicas)
        low, high = (values[k] + sign * half if unit == "eV" else values[k] * math.exp(sign * half) for sign in (-1.0, 1.0))
        errors = math.sqrt(from_targets[k, k]), None if own is None else math.sqrt(own)
        found.append(Fitted(NAMES[k], values[k], low, high, before, unit, targets[k], *errors))
    return tuple(found)
