"""Lattice gas: carriers that exclude each other on the sites of the network, from equilibrium, exact in time.

Every voxel holds at most one carrier. Rates and equilibrium are in `lattice_gas_sites`, the null-event kernel in
`lattice_gas_kernel`. Several independent gases run side by side; all standard errors come from their scatter.

Diffusivities are slopes of mean square displacements between half a lag and the lag, as for tracers: that of single carriers
gives the tracer diffusivity D*, that of the sum of all displacements R(t) the charge diffusivity, D_q = <R^2> / (2 N t).
A lattice carrier stands for (physical carriers)/(expected lattice carriers) real ones, both counted on the connected sites,
so that sigma_eff = q^2 <c> D_q / (kT) with the physical density <c>. For filling -> 0 this is the conductivity of
independent tracers and of the solver; at a finite filling it falls, because carriers block each other: where the carrier
density is the same everywhere, by exactly 1 - filling (symmetric exclusion; Spohn 1991).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters, label_clusters
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.lattice_gas_kernel import LEVELS, PART, advance, draw_sites, list_carriers
from kmc.hopping.lattice_gas_sites import GasSites, gas_sites
from kmc.hopping.tallies import by_axis as _by_axis
from kmc.hopping.tallies import crossings_by_pair as _crossings
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

BATCHES = 16
DEFAULT_HOPS, DEFAULT_ATTEMPTS = 100_000_000, 400_000_000
LARGEST_HOPS = 10**15
LAG = 1 << (LEVELS - 1)
"""The diffusivity is quoted at a lag of this many intervals."""
FEWEST_LAGS, MOST_LAGS = 4, 4096
ESCAPES_PER_LAG = 4.0
CROSSINGS_PER_LAG = 1.0
"""A lag is longer than this many times (voxels across)^2 hops: six times the slowest mode of the box, n^2/(4 pi^2 D)."""
HOPS_PER_LAG = 64.0
"""The lag of a uniform lattice, whose carriers only have to forget the site they left."""
PARTS, MOST_PARTS, FEWEST_HOPS_PER_PART = 64, 1 << 16, 64
"""Their charge has no memory at all, so it is followed over a lag that is this many times shorter."""


@dataclass(frozen=True)
class LatticeGasResult:
    """What carriers that exclude each other did; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    diffusivity_m2_per_s, diffusivity_stderr_m2_per_s : dict of axis to float
        Tracer diffusivity, mean of all carriers on connected sites, and its standard error over gases.
    charge_diffusivity_m2_per_s, charge_diffusivity_stderr_m2_per_s : dict of axis to float
        Charge diffusivity of the same carriers, and its standard error.
    sigma_eff_S_per_m, sigma_eff_stderr_S_per_m : dict of axis to float
        Effective conductivity q^2 <c> D_q / (kT) of the gas, and its standard error.
    haven_ratio : dict of axis to float or None
        Tracer over charge diffusivity; None where no charge moved.
    correlation_factor, correlation_factor_stderr : dict of axis to float, or None
        Tracer diffusivity over that of uncorrelated hops, (1 - filling) k h^2, where all sites and faces are alike.
    occupancy, occupancy_expected : dict of phase to float
        Time mean occupancy of the mobile sites, and the exact one, z c / (1 + z c).
    filling : float
        Share of the connected sites that is occupied at equilibrium.
    walkers, gases : int
        Carriers of all gases together, and the number of gases.
    simulated_time_s : float
        Time each gas was followed for.
    outcome : Outcome
        How it ended.
    """

    carrier: str
    temperature_C: float
    boundary: str
    filling: float
    outcome: Outcome
    diffusivity_m2_per_s: dict[str, float]
    diffusivity_stderr_m2_per_s: dict[str, float]
    charge_diffusivity_m2_per_s: dict[str, float]
    charge_diffusivity_stderr_m2_per_s: dict[str, float]
    sigma_eff_S_per_m: dict[str, float]
    sigma_eff_stderr_S_per_m: dict[str, float]
    haven_ratio: dict[str, float | None]
    correlation_factor: dict[str, float] | None
    correlation_factor_stderr: dict[str, float] | None
    occupancy: dict[str, float]
    occupancy_expected: dict[str, float]
    hops: int
    walkers: int
    gases: int
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
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "estimator": "kinetic Monte Carlo, lattice gas",
            "mode": "lattice-gas",
            **plain,
            "outcome": str(self.outcome),
            "advice": self.outcome.advice,
            "msd_time_s": self.msd_time_s.tolist(),
            "msd_m2": self.msd_m2.tolist(),
        }


@dataclass
class _Record:
    """State and sums of all gases; axis 0 counts gases."""

    interval_s: float
    intervals: int
    parts: int
    counts: NDArray[np.int64]
    charge: NDArray[np.int64]
    squares: NDArray[np.int64]
    residence: NDArray[np.float64]
    crossings: NDArray[np.int64]


@dataclass(frozen=True)
class _Slope:
    """Sums of squares per gas [voxels^2] over lag/4, lag/2 and lag, shape (gases, 3 lags, 3 axes), and their slopes."""

    sums: NDArray[np.float64]

    def later(self) -> NDArray[np.float64]:
        """Return the slope between half a lag and the lag [voxels^2 per interval] of each gas and axis."""
        return (self.sums[:, 2] - self.sums[:, 1]) / LAG

    def earlier(self) -> NDArray[np.float64]:
        """Return the slope between a quarter and half of the lag."""
        return (self.sums[:, 1] - self.sums[:, 0]) / (LAG // 2)


def run_lattice_gas(
    network: Network,
    *,
    filling: float,
    boundary: str = "periodic",
    time_s: float | None = None,
    hops: int | None = None,
    gases: int = 8,
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
    clusters: Clusters | None = None,
    progress: Callable[[float, str], Any] | None = None,
) -> LatticeGasResult:
    """Let carriers that exclude each other hop through a network.

    Parameters
    ----------
    network : Network
        Face conductances; a carrier hops with k_ij = g_ij kT / (q^2 c_i V) to an empty voxel.
    filling : float
        Share of the connected voxels (clusters of two or more) that is occupied at equilibrium, between 0 and 1. Each site
        is drawn by its own occupancy z c / (1 + z c), so the number of carriers differs from gas to gas. Near 1 nearly all
        attempts are refused and the run is slow.
    boundary : "periodic"
        The only boundary of this mode.
    time_s : float, optional
        Time each gas is followed for [s].
    hops : int, optional
        Instead of a time: about this many hops of all gases together (1e8, or what 4e8 attempts give, unless given).
    gases : int
        Independent gases; their scatter gives the standard errors, and they run side by side on the cores.
    seed, case, replica : int
        Key of the random streams; gas g uses (seed, case, replica, g) whatever the number of threads.
    clusters : Clusters, optional
        From `label_clusters` with periodic boundary.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    LatticeGasResult
        With outcome `not-percolating` and zeros where no cluster winds around the box. The charge diffusivity is a property
        of a whole gas, so it is much noisier than the tracer diffusivity; look at its error.

    Raises
    ------
    InputError
        If both `time_s` and `hops` are given, the boundary is not periodic, a number is out of range, or the gas would have
        less than one carrier.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = run_lattice_gas(build_network(block), filling=0.5, hops=200_000, seed=1)
    >>> abs(result.sigma_eff_S_per_m["x"] - 0.5 * 0.9) < 5 * result.sigma_eff_stderr_S_per_m["x"]
    True
    """
    start = time.perf_counter()
    _check(network, filling, boundary, time_s, hops, gases, (seed, case, replica))
    found = clusters if clusters is not None else label_clusters(network, periodic=True)
    sites = gas_sites(network, found, filling)
    if sites is None:
        return _nothing_moves(network, filling, seed, gases, time.perf_counter() - start)
    if sites.mobile_carriers < 1.0:
        n = int(sites.size.sum())
        raise InputError(
            f"filling is {filling:g}, which puts {sites.mobile_carriers:.2g} carriers on {n} mobile sites; "
            "allowed: at least one carrier; raise the filling or take a larger box"
        )
    interval_s, intervals = _plan(network, sites, filling, gases, time_s, hops)
    record = _run(network, sites, interval_s, intervals, gases, (seed, case, replica), progress)
    return _summary(network, found, sites, record, filling, seed, time.perf_counter() - start)


def _check(
    network: Network,
    filling: float,
    boundary: str,
    time_s: float | None,
    hops: int | None,
    gases: int,
    key: tuple[int, int, int],
) -> None:
    if boundary != "periodic":
        raise InputError(f"boundary is '{boundary}'; allowed for the lattice gas: periodic; or use tracers for plates")
    if not 0.0 < filling < 1.0:
        raise InputError(f"filling is {filling}; allowed: above 0 and below 1 (share of the conducting voxels)")
    if time_s is not None and hops is not None:
        raise InputError("time_s and hops are both given; give one of them")
    if time_s is not None and not 0.0 < time_s < 1e12:
        raise InputError(f"time_s is {time_s}; allowed: above 0 and below 1e12 s")
    if hops is not None and not 1 <= hops <= LARGEST_HOPS:
        raise InputError(f"hops is {hops}; allowed: 1 to {LARGEST_HOPS}")
    if not 2 <= gases <= 10_000:
        raise InputError(f"gases is {gases}; allowed: 2 to 10000 (an error needs at least two)")
    for name, part in zip(("seed", "case", "replica"), key, strict=True):
        if not 0 <= part < 2**64:
            raise InputError(f"{name} is {part}; allowed: whole numbers from 0 to 2^64 - 1")
    if max(network.structure.shape) > PART:
        raise InputError(f"the structure has {max(network.structure.shape)} voxels along an axis; allowed: {PART}; crop it")


def _plan(
    network: Network, sites: GasSites, filling: float, gases: int, time_s: float | None, hops: int | None
) -> tuple[float, int]:
    """Choose the interval [s] and the number of intervals: as many lags as the time holds, each long enough to forget."""
    if time_s is None:
        wanted = hops if hops is not None else min(DEFAULT_HOPS, DEFAULT_ATTEMPTS * sites.hop_rate / sites.attempt_rate)
        time_s = wanted / (gases * sites.hop_rate)
    if sites.uniform_rate is not None:
        lag_s = HOPS_PER_LAG * sites.mobile_carriers / sites.hop_rate
    else:
        across = CROSSINGS_PER_LAG * max(network.structure.shape) ** 2 / (sites.busy_rate * (1.0 - filling))
        lag_s = max(ESCAPES_PER_LAG * sites.escape_time_s, across)
    lags = int(np.clip(time_s / lag_s, FEWEST_LAGS, MOST_LAGS))
    return time_s / (lags * LAG), lags * LAG


def _run(
    network: Network,
    sites: GasSites,
    interval_s: float,
    intervals: int,
    gases: int,
    key: tuple[int, int, int],
    progress: Callable[[float, str], Any] | None,
) -> _Record:
    shape, n_groups, n_classes = network.structure.shape, len(sites.size), network.faces.n_classes
    parts = 1
    if sites.uniform_rate is not None:
        parts = max(1, min(PARTS, MOST_PARTS // intervals, int(sites.hop_rate * interval_s / FEWEST_HOPS_PER_PART)))
    seed, case, replica = (np.uint64(part) for part in key)
    bytes_of_sites = np.empty((gases, sites.groups.size), dtype=np.uint8)
    counts = np.zeros((gases, n_groups), dtype=np.int64)
    states = np.empty((gases, 4), dtype=np.uint64)
    draw_sites(sites.groups.ravel(), sites.occupancy, seed, case, replica, bytes_of_sites, counts, states)
    most = int(counts.sum(axis=1).max())
    first = np.concatenate([[0], np.cumsum(np.minimum(sites.size, most))])
    places = np.zeros((gases, first[-1]), dtype=np.int64)
    names = np.zeros((gases, first[-1]), dtype=np.int32)
    wraps = np.zeros((gases, most, 3), dtype=np.int32)
    origins = np.zeros((gases, LEVELS, most, 3), dtype=np.int32)
    list_carriers(shape, bytes_of_sites, first, places, names, origins)
    record = _Record(
        interval_s=interval_s,
        intervals=intervals,
        parts=parts,
        counts=counts,
        charge=np.zeros((gases, intervals * parts + 1, 3), dtype=np.int64),
        squares=np.zeros((gases, LEVELS, 3), dtype=np.int64),
        residence=np.zeros((gases, n_groups)),
        crossings=np.zeros((gases, n_classes), dtype=np.int64),
    )
    rates = network.conductance * network.rate_factor
    of_axis = np.stack([of.reshape(-1) for of in network.faces.of_axis])
    edges = np.linspace(0, intervals, min(BATCHES, intervals) + 1).astype(int)
    for low, high in pairwise(edges):
        advance(
            shape, of_axis, rates, sites.bound, sites.inverse, interval_s / parts, parts, int(high - low), int(low),
            int(sites.size.sum()), first, bytes_of_sites, counts, states, places, names, wraps, origins, record.charge,
            record.squares, record.residence, record.crossings,
        )  # fmt: skip
        if progress is not None:
            progress(high / intervals, f"{gases} gases, {record.crossings.sum():.3g} hops")
    return record


def _ratio(sums: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sum/weight over all gases and its standard error from the scatter of the gases."""
    total = weights.sum(axis=0)
    mean = sums.sum(axis=0) / total
    scatter = sums - mean * weights
    n = len(sums)
    return mean, np.sqrt(n / (n - 1) * (scatter**2).sum(axis=0)) / total


def _summary(
    network: Network, clusters: Clusters, sites: GasSites, record: _Record, filling: float, seed: int, seconds: float
) -> LatticeGasResult:
    size, names = np.array(network.structure.voxel_size), network.faces.phase_names
    mobile_fraction = sites.mobile_carriers / sites.carriers
    open_axes = np.asarray(clusters.spans.any(axis=0))
    carriers = record.counts.sum(axis=1)
    to_si = np.where(open_axes, mobile_fraction * size**2 / record.interval_s, 0.0)
    weights = np.repeat(np.maximum(carriers, 1e-300)[:, None].astype(np.float64), 3, axis=1)
    lags = 1 << np.arange(LEVELS)
    single = _Slope(record.squares / (record.intervals // lags)[:, None])
    together = _Slope(np.stack([((record.charge[:, n:] - record.charge[:, :-n]) ** 2.0).mean(axis=1) for n in lags], axis=1))
    tracer, tracer_error = _ratio(single.later(), weights)
    charge, charge_error = _ratio(together.later() * record.parts, weights)
    density = sites.density_per_m3
    conduct = density * ELEMENTARY_CHARGE_C**2 / (BOLTZMANN_J_PER_K * kelvin(network.temperature_C))
    factor = _correlation_factor(sites, record, single)
    residence = _by_phase(sites, record.residence.sum(axis=0), len(names))
    room = _by_phase(sites, sites.size, len(names))
    expected = _by_phase(sites, sites.size * sites.occupancy, len(names)) / np.maximum(room, 1.0)
    room = room * (len(carriers) * record.interval_s * record.intervals)
    hops = int(record.crossings.sum())
    return LatticeGasResult(
        carrier=network.carrier,
        temperature_C=network.temperature_C,
        boundary="periodic",
        filling=filling,
        outcome=_outcome(sites, record, single, weights, open_axes),
        diffusivity_m2_per_s=_by_axis(tracer * to_si),
        diffusivity_stderr_m2_per_s=_by_axis(tracer_error * to_si),
        charge_diffusivity_m2_per_s=_by_axis(charge * to_si),
        charge_diffusivity_stderr_m2_per_s=_by_axis(charge_error * to_si),
        sigma_eff_S_per_m=_by_axis(charge * to_si * conduct),
        sigma_eff_stderr_S_per_m=_by_axis(charge_error * to_si * conduct),
        haven_ratio={
            axis: float(tracer[n] / charge[n]) if open_axes[n] and charge[n] != 0.0 else None for n, axis in enumerate("xyz")
        },
        correlation_factor=None if factor is None else _by_axis(factor[0]),
        correlation_factor_stderr=None if factor is None else _by_axis(factor[1]),
        occupancy={name: float(residence[n] / room[n]) for n, name in enumerate(names) if room[n] > 0.0},
        occupancy_expected={name: float(expected[n]) for n, name in enumerate(names) if room[n] > 0.0},
        hops=hops,
        walkers=int(carriers.sum()),
        gases=len(carriers),
        hops_per_second=hops / seconds,
        simulated_time_s=record.interval_s * record.intervals,
        lag_s=record.interval_s * LAG,
        escape_time_s=sites.escape_time_s,
        mobile_fraction=mobile_fraction,
        carrier_density_per_m3=density,
        residence_fraction={
            name: float(share) for name, share in zip(names, residence / max(residence.sum(), 1e-300), strict=True)
        },
        crossings=_crossings(network, record.crossings.sum(axis=0)),
        seed=seed,
        seconds=seconds,
        msd_time_s=np.asarray(lags * record.interval_s, dtype=np.float64),
        msd_m2=single.sums.sum(axis=0) / max(int(carriers.sum()), 1) * size**2,
    )


def _outcome(
    sites: GasSites, record: _Record, single: _Slope, weights: NDArray[np.float64], open_axes: NDArray[np.bool_]
) -> Outcome:
    """Return whether the lag outlasts the grains and the tracers' slope has settled, as far as its error shows."""
    falls = (single.earlier() - single.later())[:, open_axes].mean(axis=1)
    drop, error = _ratio(falls, weights[:, 0])
    level, _ = _ratio(single.later()[:, open_axes].mean(axis=1), weights[:, 0])
    settled = drop <= 3.0 * error or drop <= 0.02 * level
    return Outcome.CONVERGED if settled and record.interval_s * LAG >= sites.escape_time_s else Outcome.NOT_EQUILIBRATED


def _correlation_factor(
    sites: GasSites, record: _Record, single: _Slope
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return f = D* / (k h^2 (1 - filling)) and its error; each gas with its own number of empty sites as a carrier sees it."""
    carriers, room = record.counts.sum(axis=1).astype(np.float64), int(sites.size.sum())
    empty = (room - carriers) / max(room - 1, 1)
    if sites.uniform_rate is None or not (carriers * empty).any():
        return None
    return _ratio(single.later(), (carriers * empty)[:, None] * (sites.uniform_rate * record.interval_s))


def _by_phase(sites: GasSites, values: NDArray[Any], n_phases: int) -> NDArray[np.float64]:
    return np.bincount(sites.phase, weights=values, minlength=n_phases).astype(np.float64)


def _nothing_moves(network: Network, filling: float, seed: int, gases: int, seconds: float) -> LatticeGasResult:
    zero = dict.fromkeys("xyz", 0.0)
    outcome = Outcome.NOT_PERCOLATING if network.conducts() else Outcome.FROZEN
    carriers, _ = site_sums(network, mirrored=False)
    return LatticeGasResult(
        carrier=network.carrier, temperature_C=network.temperature_C, boundary="periodic", filling=filling, outcome=outcome,
        diffusivity_m2_per_s=zero, diffusivity_stderr_m2_per_s=zero, charge_diffusivity_m2_per_s=zero,
        charge_diffusivity_stderr_m2_per_s=zero, sigma_eff_S_per_m=zero, sigma_eff_stderr_S_per_m=zero,
        haven_ratio=dict.fromkeys("xyz"), correlation_factor=None, correlation_factor_stderr=None, occupancy={},
        occupancy_expected={}, hops=0, walkers=0, gases=gases, hops_per_second=0.0, simulated_time_s=0.0, lag_s=0.0,
        escape_time_s=0.0, mobile_fraction=0.0, carrier_density_per_m3=float(carriers.mean()), residence_fraction={},
        crossings={}, seed=seed, seconds=seconds, msd_time_s=np.zeros(0), msd_m2=np.zeros((0, 3)),
    )  # fmt: skip
