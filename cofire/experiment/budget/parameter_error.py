"""What the ranges of the materials file make of conductivities, activation energies and their ratios.

Every number with a range is set to its ends, one at a time, and solved again, unless it cannot matter: by the principles of
Dirichlet and Thomson a number that gets f times better or worse moves ln(sigma_eff) by no more than ln(1 + s (f - 1)), s its
sensitivity (`kmc.conduction.sensitivities`). Activation energies need no solve: d Ea / d E is the sensitivity, too.
A Latin hypercube (McKay, Beckman and Conover, Technometrics 21, 239, 1979) then draws all of them at once, evenly in ln(p)
(energies: in E), and adds what each does alone to ln(sigma_eff) and to the shares that activation energies have in Ea; that
two numbers act differently together is left out otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from cofire.building import build
from cofire.experiment.budget.uncertain_numbers import ENERGIES, Uncertain, find_uncertain, with_number
from cofire.experiment.variants import Variant
from kmc.axes import Boundary, own_boundary
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.conduction.parameters import Parameter
from kmc.conduction.sensitivities import find_sensitivities
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.materials import Carrier, Materials
from microstructures.units import thermal_energy_eV

NEGLIGIBLE = 0.005
"""Largest change of ln(sigma_eff) for which a number is not solved again."""
WIDE = 10.0
"""A range that reaches farther than this factor from its value is solved at its geometric middle as well."""
POINTS = 4096
NOT_FITTED, CALIBRATED = "not fitted", "calibrated"
_SHARE = "share of {}"
Say = Callable[[str], Any]


@dataclass(frozen=True)
class Spread:
    """What one number does within its range: change of ln(sigma_eff) and of Ea [eV], each of shape (points,)."""

    process: str
    carrier: str
    parameter: str
    group: str
    log_sigma: NDArray[np.float64]
    energy_eV: NDArray[np.float64]


def study_parameters(variant: Variant, say: Say = lambda text: None) -> list[dict[str, Any]]:
    """Build one body and solve it with every number that can matter at the ends of its range; a task of a pool.

    Parameters
    ----------
    variant : Variant
        Body, materials, temperature and carriers.
    say : callable
        Told what is being done.

    Returns
    -------
    list of dict
        One row per number and value: `process, seed, carrier, parameter, group` ("calibrated" or "not fitted"), `scale`
        ("log" or "linear"), `low, high, at` [unit of the number], `log_sigma, energy_eV` (changes against the value of the
        file; NaN where nothing flows), `sensitivity`, d ln(sigma_eff) / d ln(conductance), and `share of` every activation
        energy, d Ea / d E.
    """
    body = variant.body
    say(f"ranges of the materials, {body.process}, seed {body.seed}")
    structure = build(body.process, size_um=body.size_um, voxel_nm=body.voxel_nm, seed=body.seed, recipe=body.recipe)
    boundary: Boundary = "plates" if variant.plates else own_boundary(structure)
    rows = []
    network: Network | None = None
    for carrier in variant.carriers:
        known = variant.materials
        network = build_network(
            structure if network is None else network.faces, known, carrier=carrier, temperature_C=variant.temperature_C
        )
        base = _solve(network, boundary)
        numbers = find_uncertain(known, carrier) if np.isfinite(base.log_sigma) else ()
        energies = [number for number in numbers if number.field in ENERGIES and _nodes(number, base.share_of(number, known))]
        for number in numbers:
            share = base.share_of(number, known)
            for at in _nodes(number, share):
                answer, used, change, shift = base, known, 0.0, 0.0
                if number.field in ENERGIES:
                    shift = share * (at - number.value)
                    change = shift * _log_sigma_per_eV(number.field, variant.temperature_C, known.reference_temperature_C)
                elif at != number.value:
                    used = with_number(known, number, at)
                    answer = _solve(Network(network.faces, used, carrier, variant.temperature_C), boundary)
                    change, shift = answer.log_sigma - base.log_sigma, answer.energy_eV - base.energy_eV
                rows.append(
                    {
                        "process": body.process,
                        "seed": body.seed,
                        "carrier": carrier,
                        "parameter": number.name,
                        "group": CALIBRATED if number.calibrated else NOT_FITTED,
                        "scale": "linear" if number.field in ENERGIES or number.low <= 0.0 else "log",
                        "low": number.low,
                        "high": number.high,
                        "at": at,
                        "log_sigma": change,
                        "energy_eV": shift,
                        "sensitivity": share,
                        **{_SHARE.format(one.name): answer.share_of(one, used) for one in energies},
                    }
                )
    return rows


def _log_sigma_per_eV(field: str, temperature_C: float, reference_C: float) -> float:
    """Return by how much ln(sigma) grows with each eV of an activation energy; a barrier is not tied to a reference."""
    tied = 1.0 / thermal_energy_eV(reference_C) if field == "activation_energy_eV" else 0.0
    return tied - 1.0 / thermal_energy_eV(temperature_C)


def _nodes(number: Uncertain, share: float) -> list[float]:
    """Return the values to look at: none if the number cannot matter, else ends, value and middles of wide gaps."""
    value = number.value
    if number.field in ENERGIES:
        matters = abs(share) * (number.high - number.low) > 1e-4
        return sorted({number.low, value, number.high}) if matters else []
    if value <= 0.0 or not any(_largest_change(share, end, value) > NEGLIGIBLE for end in (number.low, number.high)):
        return []
    ends = {min(number.low, value), value, max(number.high, value)}
    wide = [end for end in ends if end > 0.0 and max(end / value, value / end) > WIDE]
    return sorted(ends | {float(np.sqrt(end * value)) for end in wide})


def _largest_change(share: float, at: float, value: float) -> float:
    """Return the most that ln(sigma_eff) can change; a resistance of 0 has no bound, it matters with a share of 0.1 %."""
    if at <= 0.0:
        return np.inf if abs(share) > 1e-3 else 0.0
    return float(np.log1p(abs(share) * (max(at / value, value / at) - 1.0)))


@dataclass(frozen=True)
class _Answer:
    log_sigma: float
    energy_eV: float
    shares: tuple[tuple[Parameter, float], ...]
    carrier: Carrier

    def share_of(self, number: Uncertain, materials: Materials) -> float:
        """Return the sensitivity to an uncertain number: the sum over what stands in its places."""
        mine = [getattr(getattr(materials.file, table)[key], carrier) for table, key, carrier in number.places]
        return sum(s for p, s in self.shares if any(_entry_of(p, materials, self.carrier) is one for one in mine))


def _entry_of(parameter: Parameter, materials: Materials, carrier: Carrier) -> object:
    a, _, b = parameter.name.partition("|")
    if parameter.kind == "phase":
        return materials.conductor(a, carrier)
    look = {"interface": materials.interface, "contact": materials.contact, "film": materials.film}
    return look[parameter.kind](a, b, carrier)


def _solve(network: Network, boundary: Boundary) -> _Answer:
    """Return ln of the mean over axes, its activation energy and sensitivities; NaN without a path or a converged value."""
    solved = conduct(network, axis="all", boundary=boundary, keep_potential=True)
    flows = [one for one in solved.solutions if one.potential is not None and one.sigma_eff_S_per_m > 0.0]
    if not flows or solved.outcome is Outcome.NOT_CONVERGED:
        return _Answer(np.nan, np.nan, (), network.carrier)
    weights = np.array([one.sigma_eff_S_per_m for one in flows])
    shares: dict[Parameter, float] = {}
    for one, weight in zip(flows, weights / weights.sum(), strict=True):
        for entry in find_sensitivities(network, one):
            shares[entry.parameter] = shares.get(entry.parameter, 0.0) + float(weight) * entry.sensitivity
    sigma = np.log(solved.mean_sigma_eff_S_per_m)
    return _Answer(float(sigma), mean_activation_energy_eV(network, flows), tuple(shares.items()), network.carrier)


def sample_ranges(study: pd.DataFrame, *, points: int = POINTS, seed: int = 1) -> tuple[Spread, ...]:
    """Draw all numbers within their ranges at once and return what each of them does to every process.

    Parameters
    ----------
    study : DataFrame
        Rows of `study_parameters` of one or more seeds and processes; between values changes are interpolated (monotone
        cubic, Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238, 1980), their mean over seeds is used. Where nothing flows
        at an end, the range is cut there.
    points : int
        Points of the hypercube; the k-th is the same draw for both processes, so that differences may be taken.
    seed : int
        Of the draw.

    Returns
    -------
    tuple of Spread
    """
    if study.empty:
        return ()
    names = list(dict.fromkeys(zip(study["carrier"], study["parameter"], strict=True)))
    drawn = dict(zip(names, latin_hypercube(len(names), points, seed), strict=True))
    out = []
    for (process, carrier), body in study.groupby(["process", "carrier"], sort=False):
        moved: dict[str, NDArray[np.float64]] = {}
        parts = {str(name): part for name, part in body.groupby("parameter", sort=False)}
        for name, part in sorted(parts.items(), key=lambda entry: _SHARE.format(entry[0]) in body):
            first, draw = part.iloc[0], drawn[(str(carrier), name)]
            if _SHARE.format(name) in body and part[_SHARE.format(name)].notna().any():
                log_sigma, energy = _energy_spread(part, draw, moved.get(name, np.zeros(points)))
            else:
                columns = [column for column in body if str(column).startswith(_SHARE.format(""))]
                found = _interpolated(part, draw, ["log_sigma", "energy_eV", *map(str, columns)])
                if found is None:
                    continue
                log_sigma, energy = found.pop("log_sigma"), found.pop("energy_eV")
                for column, share in found.items():
                    other = column.removeprefix(_SHARE.format(""))
                    moved[other] = moved.get(other, 0.0) + share
            out.append(Spread(str(process), str(carrier), name, str(first["group"]), log_sigma, energy))
    return tuple(out)


def _interpolated(part: pd.DataFrame, draw: NDArray[np.float64], names: list[str]) -> dict[str, NDArray[np.float64]] | None:
    """Return what columns change by, against the value of the file, at the points drawn; None from less than two values."""
    first = part.iloc[0]
    scale: Callable[[Any], Any] = np.log if first["scale"] == "log" else np.asarray
    low, high = scale(first["low"]), scale(first["high"])
    means = part[np.isfinite(part["log_sigma"])].groupby("at")[names].mean().dropna(axis="columns")
    if len(means) < 2:
        return None
    own = float(part["at"].iloc[int(np.nanargmin(np.abs(part["log_sigma"].to_numpy())))])
    nodes = scale(means.index.to_numpy(dtype=np.float64))
    at = np.clip(low + (high - low) * draw, nodes[0], nodes[-1])
    changes = (means - means.loc[own]).to_dict("list")
    return {str(name): np.asarray(PchipInterpolator(nodes, values)(at)) for name, values in changes.items()}


def _energy_spread(
    part: pd.DataFrame, draw: NDArray[np.float64], moved: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what an activation energy does with the share it has where all other numbers were drawn."""
    size = np.abs(part["energy_eV"].to_numpy(dtype=np.float64))
    first, farthest = part.iloc[0], part.iloc[int(size.argmax())]
    own = float(part["at"].iloc[int(size.argmin())])
    share = np.clip(float(part["sensitivity"].mean()) + moved, 0.0, 1.0)
    energy = share * (first["low"] + (first["high"] - first["low"]) * draw - own)
    return energy * float(farthest["log_sigma"] / farthest["energy_eV"]), energy


def latin_hypercube(dimensions: int, points: int, seed: int) -> NDArray[np.float64]:
    """Return points in the unit cube, shape (dimensions, points): one in each of `points` equal slices of every dimension.

    Examples
    --------
    >>> np.sort(latin_hypercube(2, 4, seed=1) * 4).astype(int).tolist()
    [[0, 1, 2, 3], [0, 1, 2, 3]]
    """
    rng = np.random.default_rng(seed)
    slices = rng.permuted(np.tile(np.arange(points), (dimensions, 1)), axis=1)
    return np.asarray((slices + rng.random((dimensions, points))) / points)
