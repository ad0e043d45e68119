"""Tracer kinetic Monte Carlo: independent carriers started from equilibrium, and the conductivity that follows.

sigma_eff = q^2 <c> D / (kT) with <c> the mean carrier density of the whole block and D the mean tracer diffusivity
(De Masi et al. 1989). D is the slope of the mean square displacement between half a lag and the lag, which drops the
constant that the first, faster steps leave behind; it falls with the lag towards its limit, so before the plateau it is an
upper bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters, label_clusters
from kmc.hopping.checkpoint import Checkpoint
from kmc.hopping.equilibrium import film_classes, label_density, site_sums
from kmc.hopping.streams import draw, open_stream
from kmc.hopping.walk import walk
from kmc.network import Network
from kmc.outcomes import Outcome
from kmc.pieces import label_pieces
from microstructures.errors import InputError
from microstructures.jit import kernel
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

SAMPLES = 64
QUOTED_LAG = 16
"""The diffusivity is quoted at a lag of this many of the `SAMPLES` intervals of the run."""
BLOCKS = 16
BATCHES = 16
DEFAULT_HOPS = 100_000_000
FEWEST_WALKERS, MOST_WALKERS = 128, 8192
FEWEST_HOPS_EACH = 20_000
ESCAPES_PER_LAG = 4.0
CROSSINGS_PER_LAG = 32.0
"""A lag is long enough to diffuse this many times over half the box, in hops of a uniform lattice."""
LARGEST_HOPS = 10**15


@dataclass(frozen=True)
class HopResult:
    """What independent carriers did; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    diffusivity_m2_per_s, diffusivity_stderr_m2_per_s : dict of axis to float
        Mean diffusivity of all carriers and its standard error over walkers.
    sigma_eff_S_per_m, sigma_eff_stderr_S_per_m : dict of axis to float
        Effective conductivity and its standard error.
    outcome : Outcome
        How it ended.
    msd_time_s : ndarray of shape (n_lags,)
        Lags of the mean square displacement.
    msd_m2 : ndarray of shape (n_lags, 3)
        Mean square displacement of the moving carriers.
    """

    carrier: str
    temperature_C: float
    boundary: str
    outcome: Outcome
    diffusivity_m2_per_s: dict[str, float]
    diffusivity_stderr_m2_per_s: dict[str, float]
    sigma_eff_S_per_m: dict[str, float]
    sigma_eff_stderr_S_per_m: dict[str, float]
    hops: int
    walkers: int
    hops_per_second: float
    simulated_time_s: float
    lag_s: float
    escape_time_s: float
    mobile_fraction: float
    carrier_density_per_m3: float
    residence_fraction: dict[str, float]
    crossings: dict[str, int]
    seed: int
    seconds: float
    msd_time_s: NDArray[np.float64] = field(repr=False)
    msd_m2: NDArray[np.float64] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "estimator": "kinetic Monte Carlo, independent tracers",
            "carrier": self.carrier,
            "temperature_C": self.temperature_C,
            "boundary": self.boundary,
            "outcome": str(self.outcome),
            "advice": self.outcome.advice,
            "diffusivity_m2_per_s": self.diffusivity_m2_per_s,
            "diffusivity_stderr_m2_per_s": self.diffusivity_stderr_m2_per_s,
            "sigma_eff_S_per_m": self.sigma_eff_S_per_m,
            "sigma_eff_stderr_S_per_m": self.sigma_eff_stderr_S_per_m,
            "hops": self.hops,
            "walkers": self.walkers,
            "hops_per_second": self.hops_per_second,
            "simulated_time_s": self.simulated_time_s,
            "lag_s": self.lag_s,
            "escape_time_s": self.escape_time_s,
            "mobile_fraction": self.mobile_fraction,
            "carrier_density_per_m3": self.carrier_density_per_m3,
            "residence_fraction": self.residence_fraction,
            "crossings": self.crossings,
            "seed": self.seed,
            "seconds": self.seconds,
            "msd_time_s": self.msd_time_s.tolist(),
            "msd_m2": self.msd_m2.tolist(),
        }


@dataclass(frozen=True)
class _Plan:
    """How many walkers run for how long."""

    walkers: int
    time_s: float
    escape_time_s: float
    half_box_time_s: float


def run_tracers(
    network: Network,
    *,
    boundary: str = "periodic",
    walkers: int | None = None,
    time_s: float | None = None,
    hops: int | None = None,
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
    clusters: Clusters | None = None,
    checkpoint: Path | None = None,
    resume: Path | None = None,
    progress: Callable[[float, str], Any] | None = None,
) -> HopResult:
    """Let independent carriers hop through a network.

    Parameters
    ----------
    network : Network
        Face conductances; hop rates follow from them.
    boundary : "periodic" or "plates"
        Plates: the block is unfolded into its mirror images, which conduct like the block between plates.
    walkers : int, optional
        Number of carriers; chosen from the time a carrier needs to leave a grain unless given.
    time_s : float, optional
        Time that each carrier is followed for [s].
    hops : int, optional
        Instead of a time: about this many hops of all walkers together (1e8 unless given).
    seed, case, replica : int
        Key of the random streams; walker w uses (seed, case, replica, w) whatever the number of threads.
    clusters : Clusters, optional
        From `label_clusters` with the same boundary.
    checkpoint : path, optional
        Written after every batch of walkers.
    resume : path, optional
        A checkpoint of the same run; walkers it holds are not walked again, and the result has the same bits.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    HopResult

    Raises
    ------
    InputError
        If both `time_s` and `hops` are given, or a number is out of range.
    """
    start = time.perf_counter()
    _check(boundary, walkers, time_s, hops, seed)
    mirrored = boundary == "plates"
    found = clusters if clusters is not None else label_clusters(network, periodic=not mirrored)
    carriers, conductance = site_sums(network, mirrored)
    mobile = np.asarray(found.spans.any(axis=1))[found.ids]
    weight = np.where(mobile, carriers, 0.0)
    all_carriers, moving = float(carriers.sum()), float(weight.sum())
    if moving == 0.0:
        outcome = Outcome.NOT_PERCOLATING if network.conducts() else Outcome.FROZEN
        return _nothing_moves(network, boundary, outcome, all_carriers / carriers.size, seed, time.perf_counter() - start)
    leaving = conductance[mobile] * network.rate_factor  # carriers density times hop rate
    if not 0.0 < leaving.sum() < np.inf:
        raise InputError(
            f"hop rates are {leaving.sum() / moving:g} per s; allowed: what a float can hold; check the conductivities"
        )
    mean_rate = float(leaving.sum()) / moving
    busy_rate = float((leaving * (leaving / carriers[mobile] / leaving.sum())).sum())
    plan = _plan(network, weight, moving, (mean_rate, busy_rate), walkers, time_s, hops)
    del leaving
    order = np.argsort(network.structure.labels, axis=None, kind="stable")  # phase by phase: each gets its exact share
    cumulative = np.cumsum(weight.ravel()[order])
    del carriers, conductance, weight, mobile
    sample_times = plan.time_s * np.arange(SAMPLES + 1) / SAMPLES
    key = {
        "seed": seed,
        "case": case,
        "replica": replica,
        "walkers": plan.walkers,
        "time_s": plan.time_s,
        "boundary": boundary,
    }
    record = Checkpoint.open(resume, network, key, plan.walkers, SAMPLES + 1, BLOCKS)
    _run(network, mirrored, (order, cumulative), sample_times, record, (seed, case, replica), checkpoint, progress)
    seconds = time.perf_counter() - start
    return _summary(
        network, boundary, found, plan, record, moving / all_carriers, all_carriers / cumulative.size, seed, seconds
    )


def _check(boundary: str, walkers: int | None, time_s: float | None, hops: int | None, seed: int) -> None:
    if boundary not in ("periodic", "plates"):
        raise InputError(f"boundary is '{boundary}'; allowed: periodic, plates")
    if time_s is not None and hops is not None:
        raise InputError("time_s and hops are both given; give one of them")
    if walkers is not None and not 2 <= walkers <= 10_000_000:
        raise InputError(f"walkers is {walkers}; allowed: 2 to 10000000 (an error needs at least two)")
    if time_s is not None and not 0.0 < time_s < 1e12:
        raise InputError(f"time_s is {time_s}; allowed: above 0 and below 1e12 s")
    if hops is not None and not 1 <= hops <= LARGEST_HOPS:
        raise InputError(f"hops is {hops}; allowed: 1 to {LARGEST_HOPS}")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")


def _plan(
    network: Network,
    weight: NDArray[np.float64],
    moving: float,
    rates: tuple[float, float],
    walkers: int | None,
    time_s: float | None,
    hops: int | None,
) -> _Plan:
    """Choose walkers and time: a lag long enough for several escapes from a grain and for diffusion over half the box.

    `rates` are the mean hop rate of all carriers, and that of the carriers that do the hopping.
    """
    mean_rate, busy_rate = rates
    escape = _escape_time_s(network, weight, moving)
    half_box = 0.25 * max(network.structure.shape) ** 2 / busy_rate
    if walkers is not None and time_s is not None:
        return _Plan(walkers, time_s, escape, half_box)
    total = hops or DEFAULT_HOPS
    if time_s is not None:
        return _Plan(int(np.clip(total / (mean_rate * time_s), FEWEST_WALKERS, MOST_WALKERS)), time_s, escape, half_box)
    if walkers is None:
        wanted_s = max(ESCAPES_PER_LAG * escape, CROSSINGS_PER_LAG * half_box) * SAMPLES / QUOTED_LAG
        walkers = int(np.clip(total / max(FEWEST_HOPS_EACH, wanted_s * mean_rate), FEWEST_WALKERS, MOST_WALKERS))
    return _Plan(walkers, max(total, 1) / (walkers * mean_rate), escape, half_box)


def _escape_time_s(network: Network, weight: NDArray[np.float64], moving: float) -> float:
    """Return the mean time a carrier spends in a piece of a grain before it leaves; 0 where there is one piece only."""
    pieces, _ = label_pieces(network)
    leaving = 0.0
    for axis, of_axis in enumerate(network.faces.of_axis):
        n = of_axis.shape[axis]
        here, there = np.take(pieces, range(n - 1), axis=axis), np.take(pieces, range(1, n), axis=axis)
        crosses = (here != there) & (np.take(weight, range(n - 1), axis=axis) > 0.0)
        leaving += 2.0 * float(network.conductance[axis][np.take(of_axis, range(n - 1), axis=axis)[crosses]].sum())
    return moving / (leaving * network.rate_factor) if leaving > 0.0 else 0.0


def _run(
    network: Network,
    mirrored: bool,
    places: tuple[NDArray[np.int64], NDArray[np.float64]],
    sample_times: NDArray[np.float64],
    record: Checkpoint,
    key: tuple[int, int, int],
    checkpoint: Path | None,
    progress: Callable[[float, str], Any] | None,
) -> None:
    faces, structure = network.faces, network.structure
    plates = [plate for pair in faces.plates for plate in pair]
    rates = network.conductance * network.rate_factor
    density, film = label_density(network), film_classes(network)
    film_density = network.film_carrier_density if film.any() else 0.0
    seed, case, replica = (np.uint64(part) for part in key)
    walkers = len(record.places)
    order, cumulative = places
    edges = np.linspace(0, walkers, min(BATCHES, walkers) + 1).astype(np.int64)
    for low, high in pairwise(edges.tolist()):
        if high <= record.done:
            continue
        shares = (np.arange(low, high) + _first_numbers(low, high, seed, case, replica)) / walkers
        starts = order[np.searchsorted(cumulative, shares * cumulative[-1], side="right")]
        walk(
            *faces.of_axis, *plates, mirrored, rates, structure.labels, density, film, film_density, faces.phase_of_label,
            starts, low, sample_times, seed, case, replica, BLOCKS, record.places[low:high], record.residence,
            record.crossings, record.hops,
        )  # fmt: skip
        record.done = high
        if checkpoint is not None:
            record.save(checkpoint)
        if progress is not None:
            progress(high / walkers, f"{high} of {walkers} walkers, {record.hops.sum():.3g} hops")


@kernel
def _first_numbers(low, high, seed, case, replica):  # type: ignore[no-untyped-def]
    """Return the first random number of each walker's stream: it chooses the start within the walker's share."""
    out = np.empty(high - low)
    for w in range(low, high):
        a, b, c, d = open_stream(seed, case, replica, w)
        out[w - low], a, b, c, d = draw(a, b, c, d)
    return out


def mean_square_displacement(places: NDArray[np.int32], lag: int) -> NDArray[np.float64]:
    """Return each walker's mean square displacement [voxels^2] over all windows of `lag` samples, shape (walkers, 3)."""
    steps = (places[:, lag:] - places[:, :-lag]).astype(np.float64)
    return np.asarray((steps**2).mean(axis=1))


def _slopes(places: NDArray[np.int32], lag: int) -> NDArray[np.float64]:
    """Return each walker's diffusivity [voxels^2 per sample interval] from the slope between lag/2 and lag."""
    return (mean_square_displacement(places, lag) - mean_square_displacement(places, lag // 2)) / lag


def _summary(
    network: Network,
    boundary: str,
    clusters: Clusters,
    plan: _Plan,
    record: Checkpoint,
    mobile_fraction: float,
    density: float,
    seed: int,
    seconds: float,
) -> HopResult:
    size = np.array(network.structure.voxel_size)
    interval = plan.time_s / SAMPLES
    to_si = mobile_fraction * size**2 / interval
    quoted, earlier = _slopes(record.places, QUOTED_LAG), _slopes(record.places, QUOTED_LAG // 2)
    root = np.sqrt(len(quoted))
    open_axes = clusters.spans.any(axis=0)
    value = np.where(open_axes, quoted.mean(axis=0) * to_si, 0.0)
    error = np.where(open_axes, quoted.std(axis=0, ddof=1) / root * to_si, 0.0)
    falls = (earlier - quoted)[:, open_axes]
    drop, drop_error = falls.mean(axis=0), falls.std(axis=0, ddof=1) / root
    settled = bool(((drop <= 3.0 * drop_error) | (drop <= 0.02 * quoted[:, open_axes].mean(axis=0))).all())
    lag_s = QUOTED_LAG * interval
    outcome = (
        Outcome.CONVERGED if settled and lag_s >= max(plan.escape_time_s, plan.half_box_time_s) else Outcome.NOT_EQUILIBRATED
    )
    conduct = density * ELEMENTARY_CHARGE_C**2 / (BOLTZMANN_J_PER_K * kelvin(network.temperature_C))
    lags = np.array([1, 2, 4, 8, 16, 32, 64])
    residence = record.residence.sum(axis=0)[: len(network.faces.phase_names)]
    return HopResult(
        carrier=network.carrier,
        temperature_C=network.temperature_C,
        boundary=boundary,
        outcome=outcome,
        diffusivity_m2_per_s=_by_axis(value),
        diffusivity_stderr_m2_per_s=_by_axis(error),
        sigma_eff_S_per_m=_by_axis(value * conduct),
        sigma_eff_stderr_S_per_m=_by_axis(error * conduct),
        hops=int(record.hops.sum()),
        walkers=plan.walkers,
        hops_per_second=float(record.hops.sum() / seconds),
        simulated_time_s=plan.time_s,
        lag_s=lag_s,
        escape_time_s=plan.escape_time_s,
        mobile_fraction=mobile_fraction,
        carrier_density_per_m3=density,
        residence_fraction={
            name: float(share) for name, share in zip(network.faces.phase_names, residence / residence.sum(), strict=True)
        },
        crossings=_crossings(network, record.crossings.sum(axis=0)),
        seed=seed,
        seconds=seconds,
        msd_time_s=lags * interval,
        msd_m2=np.array([mean_square_displacement(record.places, int(lag)).mean(axis=0) * size**2 for lag in lags]),
    )


def _by_axis(values: NDArray[np.float64]) -> dict[str, float]:
    return {axis: float(value) for axis, value in zip("xyz", values, strict=True)}


def _crossings(network: Network, by_class: NDArray[np.int64]) -> dict[str, int]:
    """Return the hops by phase pair; those over a grain boundary or point contact of one phase are A|A."""
    faces = network.faces
    out: dict[str, int] = {}
    crosses = faces.interface | (faces.phases[:, 0] != faces.phases[:, 1])
    for index in np.flatnonzero((by_class > 0) & crosses):
        low, high = sorted(faces.phase_names[int(phase)] for phase in faces.phases[index])
        out[f"{low}|{high}"] = out.get(f"{low}|{high}", 0) + int(by_class[index])
    return dict(sorted(out.items()))


def _nothing_moves(network: Network, boundary: str, outcome: Outcome, density: float, seed: int, seconds: float) -> HopResult:
    zero = dict.fromkeys("xyz", 0.0)
    return HopResult(
        carrier=network.carrier, temperature_C=network.temperature_C, boundary=boundary, outcome=outcome,
        diffusivity_m2_per_s=zero, diffusivity_stderr_m2_per_s=zero, sigma_eff_S_per_m=zero, sigma_eff_stderr_S_per_m=zero,
        hops=0, walkers=0, hops_per_second=0.0, simulated_time_s=0.0, lag_s=0.0, escape_time_s=0.0, mobile_fraction=0.0,
        carrier_density_per_m3=density, residence_fraction={}, crossings={}, seed=seed, seconds=seconds,
        msd_time_s=np.zeros(0), msd_m2=np.zeros((0, 3)),
    )  # fmt: skip
