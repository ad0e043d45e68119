"""The calibration: three numbers of a materials file from three measured on the co-fired body, with what is known of them.

Unknown are the LATP|LATP resistance R (from sigma_i), its activation energy E (from that of sigma_i) and the sheet conductance
G of the carbon film on LFP (from sigma_e). A step needs one solution per axis: the share s of the dissipation in a boundary or
film is d ln(sigma_eff) / d ln(p) (`kmc.conduction.sensitivities`) and, of the boundary, d Ea / d E as well. Steps are those of
Newton in ln G, and for ions in the resistance, where they would be exact if grains and boundaries were in series.
Parameters have the covariance J^-1 (C_targets + C_replicas) J^-T, linear in ln R, ln G and E.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire.building import DEFAULT_SEED, DEFAULT_SIZE_UM, build, check_size
from cofire.calibrated_materials import BOUNDARY_PAIR, FILM_BEARER, calibrated_materials, starting_values, with_values
from cofire.calibration_result import (
    NAMES,
    NORMAL_95,
    TARGETS,
    TEMPERATURE_C,
    CalibrationResult,
    Fitted,
    Target,
    covariance,
    interval_half_width,
)
from kmc.conduction import activation_energy_eV, conduct
from kmc.conduction.sensitivities import find_sensitivities
from kmc.faces import FaceTable
from kmc.network import build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.materials import Carrier, Materials, load_materials
from microstructures.recipe import load_recipe
from microstructures.units import BOLTZMANN_EV_PER_K, kelvin, mS_per_cm

DEFAULT_VOXEL_NM = 50.0
MET, MOST_STEPS, TOLERANCE = 1e-3, 20, 1e-6
"""Largest relative distance to a target; most steps of one carrier; tolerance of the solver."""
DIFFERENCE = 0.02
"""Step of ln R for the derivative of the activation energy."""
LARGEST_ENERGY_EV = 5.0
Progress = Callable[[float | None, str], Any]


def calibrate(
    *,
    materials: str | Path | Materials | None = None,
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
        Half an interval is the root of (1.96 e_targets)^2 + (t e_replicas)^2, t of Student with n - 1. Of R it is linear in
        ln R, while 1/sigma_i is nearly linear in R: where R matters little, the true interval reaches further down and less up.

    Raises
    ------
    InputError
        If an option is out of range, or a target cannot be reached.
    MaterialsError
        If the materials lack one of the three numbers.
    """
    clock = time.monotonic()
    if not 1 <= replicas <= 10_000:
        raise InputError(f"replicas is {replicas}; allowed: 1 to 10000")
    if not 0 <= seed < 2**64 - replicas:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    start = materials if isinstance(materials, Materials) else load_materials(materials)
    starting_values(start)  # what is missing is told before anything is computed
    check_size("co-fired", size_um=size_um, voxel_nm=voxel_nm, recipe=load_recipe())
    seeds = tuple(range(seed, seed + replicas))
    bodies, told = [], 0

    def say(text: str) -> None:
        nonlocal told
        told += 1
        progress(min(0.98, told / (12 * replicas)), text)

    for one in seeds:
        say(f"seed {one}: building")
        body = build("co-fired", size_um=size_um, voxel_nm=voxel_nm, seed=one)
        bodies.append(build_network(body, start, carrier="ion", temperature_C=TEMPERATURE_C).faces)

    def observe(known: Materials, carrier: Carrier) -> _Observed:
        rows = []
        for one, faces in zip(seeds, bodies, strict=True):
            say(f"seed {one}: {carrier}, solver")
            rows.append(_observe(faces, known, carrier, one))
        return _Observed(*np.array(rows).T)

    sigma_i, sigma_e, energy_i = targets
    largest = float(observe(with_values(start, resistance_ohm_m2=0.0), "ion").sigma.mean())
    if sigma_i.value >= largest:
        raise InputError(
            f"sigma_i of {sigma_i.value:g} mS/cm cannot be reached: without any {BOUNDARY_PAIR} resistance these bodies conduct "
            f"{largest:.4g} mS/cm, the largest there is; raise the conductivity of LATP or LFTAP in {start.origin}"
        )
    resistance, energy, ion, steps_i = _fit_ions(start, observe, sigma_i, energy_i)
    sheet, electron, steps_e = _fit_electrons(start, observe, sigma_e)
    nearby = observe(with_values(start, resistance * math.exp(DIFFERENCE), energy), "ion")
    by_resistance = (nearby.energy.mean() - ion.energy.mean()) / DIFFERENCE
    jacobian = _jacobian(ion, electron, by_resistance, _shift_per_eV(start))
    samples = np.array([ion.sigma, electron.sigma, ion.energy])
    from_targets = covariance(jacobian, np.diag([target.error**2 for target in targets]))
    from_replicas = covariance(jacobian, np.cov(samples) / replicas) if replicas > 1 else None
    total = from_targets if from_replicas is None else from_targets + from_replicas
    deviation = np.sqrt(np.diag(total))
    names = [target.name for target in targets]
    result = CalibrationResult(
        parameters=_fitted(start, (resistance, sheet, energy), names, from_targets, from_replicas, replicas),
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
        seconds=round(time.monotonic() - clock, 1),
        materials=start,
    )
    if largest <= sigma_i.value + NORMAL_95 * sigma_i.error:
        note = f"no lower bound: at 0 sigma_i is {largest:.4g} mS/cm, within the interval of its target"
        result = replace(result, parameters=(replace(result.parameters[0], low=0.0, note=note), *result.parameters[1:]))
    return replace(result, materials=calibrated_materials(start, result))


def _jacobian(ion: _Observed, electron: _Observed, energy_by_ln_R: float, shift_per_eV: float) -> NDArray[np.float64]:
    """Return the derivatives of sigma_i, sigma_e, Ea(i) with respect to ln R, ln G, E at the reference temperature."""
    sigma_i, sigma_e = -(ion.sigma * ion.share).mean(), (electron.sigma * electron.share).mean()
    energy = ion.share.mean() + energy_by_ln_R * shift_per_eV
    return np.array([[sigma_i, 0.0, sigma_i * shift_per_eV], [0.0, sigma_e, 0.0], [energy_by_ln_R, 0.0, energy]])


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
        note = "the linear interval reaches below 0: hardly known" if low < 0.0 else ""
        found.append(Fitted(NAMES[k], values[k], low, high, before, unit, targets[k], *errors, note))
    return tuple(found)


def _shift_per_eV(materials: Materials) -> float:
    """Return by how much ln R at 60 degC grows with each eV of its activation energy; 0 if that is the reference."""
    return (1.0 / kelvin(TEMPERATURE_C) - 1.0 / kelvin(materials.reference_temperature_C)) / BOLTZMANN_EV_PER_K


@dataclass(frozen=True)
class _Observed:
    """What the replicas conduct [mS/cm], its activation energy [eV] and the share of what is fitted, each shape (n,)."""

    sigma: NDArray[np.float64]
    energy: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def weighted_share(self) -> float:
        """Return the sensitivity of the mean over replicas."""
        return float((self.sigma * self.share).sum() / self.sigma.sum())


def _observe(faces: FaceTable, materials: Materials, carrier: Carrier, seed: int) -> tuple[float, float, float]:
    network = build_network(faces, materials, carrier=carrier, temperature_C=TEMPERATURE_C)
    result = conduct(network, axis="all", boundary="periodic", tolerance=TOLERANCE, keep_potential=True)
    if result.outcome is not Outcome.CONVERGED:
        raise InputError(f"seed {seed}, {carrier}: {result.outcome}; {result.outcome.advice}")
    sigma, energy, share = [], [], []
    for solution in result.solutions:
        sigma.append(mS_per_cm(solution.sigma_eff_S_per_m))
        energy.append(activation_energy_eV(network, solution, boundary="periodic"))
        found = find_sensitivities(network, solution, "periodic")
        share.append(sum(s.sensitivity for s in found if _is_fitted(s.parameter.kind, s.parameter.name, carrier)))
    return float(np.mean(sigma)), float(np.average(energy, weights=sigma)), float(np.average(share, weights=sigma))


def _is_fitted(kind: str, name: str, carrier: Carrier) -> bool:
    if carrier == "ion":
        return (kind, name) == ("interface", BOUNDARY_PAIR)
    return kind == "film" and name.split("|")[0] == FILM_BEARER


_Observe = Callable[[Materials, Carrier], _Observed]


def _fit_ions(
    start: Materials, observe: _Observe, sigma_target: Target, energy_target: Target
) -> tuple[float, float, _Observed, int]:
    resistance, energy, _ = starting_values(start)
    shift = _shift_per_eV(start)
    for step in range(1, MOST_STEPS + 1):
        found = observe(with_values(start, resistance, energy), "ion")
        sigma, own, share = float(found.sigma.mean()), float(found.energy.mean()), found.weighted_share
        sigma_met = abs(sigma / sigma_target.value - 1.0) < MET
        if sigma_met and abs(own / energy_target.value - 1.0) < MET:
            return resistance, energy, found, step
        if not 0.0 < share < 1.0:
            raise InputError(
                f"no ion crosses a {BOUNDARY_PAIR} boundary in these bodies; nothing can be fitted; use a larger box"
            )
        rest = (own - share * energy) / (1.0 - share)
        grown = max(1.0 + (sigma / sigma_target.value - 1.0) / share, math.exp(-2.0))
        later = min(share * grown * sigma_target.value / sigma, 0.99)
        wanted = (energy_target.value - (1.0 - later) * rest) / later
        allowed = min(max(wanted, 0.0), LARGEST_ENERGY_EV)
        if sigma_met and allowed != wanted and allowed == energy:
            ends = [own + share * (end - energy) for end in (0.0, LARGEST_ENERGY_EV)]
            raise InputError(
                f"Ea(i) of {energy_target.value:g} eV cannot be reached: a boundary of 0 to {LARGEST_ENERGY_EV:g} eV gives "
                f"{ends[0]:.3f} to {ends[1]:.3f} eV; correct the activation energies of the phases in {start.origin}"
            )
        resistance *= grown * math.exp(-(allowed - energy) * shift)
        energy = allowed
    raise InputError(_not_reached(sigma_target, sigma))


def _fit_electrons(start: Materials, observe: _Observe, target: Target) -> tuple[float, _Observed, int]:
    sheet = starting_values(start)[2]
    for step in range(1, MOST_STEPS + 1):
        found = observe(with_values(start, sheet_conductance_S=sheet), "electron")
        sigma, share = float(found.sigma.mean()), found.weighted_share
        if abs(sigma / target.value - 1.0) < MET:
            return sheet, found, step
        if share < 1e-6:
            break
        sheet *= math.exp(min(max(math.log(target.value / sigma) / share, -3.0), 3.0))
    raise InputError(_not_reached(target, sigma))


def _not_reached(target: Target, seen: float) -> str:
    return (
        f"{target.name} of {target.value:g} {target.unit} was not reached within {MOST_STEPS} steps, got {seen:.4g}; "
        "other paths carry what is missing or too much; correct the other numbers of the materials file"
    )
