"""Tracer kinetic Monte Carlo: independent carriers started from equilibrium, and the conductivity that follows.

sigma_eff = q^2 <c> D / (kT) with <c> the mean carrier density of the whole block and D the mean tracer diffusivity
(De Masi et al. 1989). D is the slope of the mean square displacement between half a lag and the lag, which drops the
constant that the first, faster steps leave behind; it falls with the lag towards its limit, so before the plateau it is an
upper bound.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters, label_clusters
from kmc.hopping.basins import BasinHops, Basins, find_basins
from kmc.hopping.checkpoint import SafePoints, load_checkpoint, run_identity
from kmc.hopping.displacements import MOST, Displacements
from kmc.hopping.equilibrium import mobile_carriers, site_sums
from kmc.hopping.estimate import Estimator, nothing_moves
from kmc.hopping.plan import Plan, escape_time_s, make_plan
from kmc.hopping.result import HopResult
from kmc.hopping.voxel_hops import VoxelHops
from kmc.hopping.walkers import Walkers
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.errors import InputError

LARGEST_HOPS = 10**15
FEWEST_HOPS, FEWEST_EVENTS = 20_000, 16
"""Moves of each carrier at least, where they are single hops and where they lead from basin to basin."""
HOPS_PER_STEP = 100_000_000
"""A run can stop, be saved and tell how far it is after so many hops, some seconds."""


class Moves(Protocol):
    """A way for carriers to move: by single hops, or basin by basin."""

    def start(self, weight: NDArray[np.float64], count: int, key: tuple[int, int, int]) -> Walkers:
        """Start carriers from equilibrium."""

    def advance(self, walkers: Walkers, until_s: float) -> None:
        """Let all walkers move until a time [s]."""

    def residence_s(self, walkers: Walkers, until_s: float) -> NDArray[np.float64]:
        """Return the time spent in each phase [s]."""


@dataclass
class _Run:
    """A run on its way: since `began_s`, `steps` parts of an interval are done."""

    plan: Plan
    walkers: Walkers
    displacements: Displacements
    began_s: float = 0.0
    steps: int = 0

    @property
    def parts(self) -> int:
        """Return the parts of an interval, each some seconds of work at most."""
        hops = len(self.walkers.sites) * self.plan.move_rate_Hz * self.plan.interval_s
        return max(1, math.ceil(hops / HOPS_PER_STEP))

    @property
    def time_s(self) -> float:
        """Return the time reached [s]; the same number however the run got there."""
        whole, part = divmod(self.steps, self.parts)
        return self.began_s + self.plan.interval_s * (whole + part / self.parts)

    @property
    def intervals(self) -> float:
        """Return how many intervals are done."""
        return self.steps / self.parts

    @property
    def has_many_windows(self) -> bool:
        """Return whether another four lags have just been sampled, enough to see whether D still falls."""
        return self.steps > 0 and self.steps % (MOST * self.parts) == 0

    def has_settled(self, estimator: Estimator) -> bool:
        """Return whether D no longer falls with the lag."""
        return estimator.has_settled(self.plan, self.displacements)

    def take_longer_lags(self) -> None:
        """Start to sample anew, half as often, from where the walkers are."""
        self.began_s, self.steps = self.time_s, 0
        self.plan = replace(self.plan, interval_s=2.0 * self.plan.interval_s)
        self.displacements = Displacements.of(self.walkers.places)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything that decides how it goes on."""
        more = {"past": self.displacements.places, "sums": self.displacements.sums}
        return {**self.walkers.arrays(), **more, "clock": np.array([self.plan.interval_s, self.began_s, self.steps])}

    def go_on_from(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take up a run where it was saved."""
        interval_s, self.began_s, steps = arrays["clock"].tolist()
        self.plan, self.steps = replace(self.plan, interval_s=interval_s), int(steps)
        self.walkers = Walkers.from_arrays(arrays)
        self.displacements = Displacements(arrays["past"], arrays["sums"], self.steps // self.parts)


def run_tracers(
    network: Network,
    *,
    boundary: str = "periodic",
    walkers: int | None = None,
    time_s: float | None = None,
    hops: int | None = None,
    rel_error: float | None = None,
    basins: str = "auto",
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
    clusters: Clusters | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_s: float = 5.0,
    resume: Path | None = None,
    stop: Callable[[], bool] | None = None,
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
    rel_error : float, optional
        Go on until the standard error of sigma_eff is this share of it along every axis that conducts and D has settled: while it
        still falls with the lag, the lag is doubled. `hops` then is the most to be made, and a quarter of `time_s` the first lag.
    basins : "auto" or "no"
        Whether nearly closed regions of a periodic structure, like grains behind point contacts, may be crossed in one event
        with their exact exit statistics where that saves work (`kmc.hopping.basins`). Counted are then such events, and hops
        only where they lead out of a region.
    seed, case, replica : int
        Key of the random streams; walker w uses (seed, case, replica, w) whatever the number of threads.
    clusters : Clusters, optional
        From `label_clusters` with the same boundary.
    checkpoint : path, optional
        Written now and then and at the end.
    checkpoint_every_s : float
        Least time between two checkpoints [s].
    resume : path, optional
        A checkpoint of the same run; it goes on from there, and the result has the same bits.
    stop : callable, optional
        Asked every few seconds; if it says so, the checkpoint is written and `Stopped` raised.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    HopResult

    Raises
    ------
    InputError
        If both `time_s` and `hops` are given without `rel_error`, or a number is out of range.
    Stopped
        If `stop` said so.
    """
    start = time.perf_counter()
    _check(boundary, walkers, time_s, hops, rel_error, basins, seed)
    mirrored = boundary == "plates"
    found = clusters if clusters is not None else label_clusters(network, periodic=not mirrored)
    carriers, conductance = site_sums(network, mirrored)
    weight = mobile_carriers(found, carriers)
    mobile = weight > 0.0
    all_carriers, moving = float(carriers.sum()), float(weight.sum())
    if moving == 0.0:
        outcome = Outcome.NOT_PERCOLATING if network.conducts() else Outcome.FROZEN
        return nothing_moves(network, boundary, outcome, all_carriers / carriers.size, seed, time.perf_counter() - start)
    with np.errstate(over="ignore"):
        leaving = conductance[mobile] * network.rate_factor  # carriers density times hop rate
    if not 0.0 < leaving.sum() < np.inf:
        raise InputError(
            f"hop rates are {leaving.sum() / moving:g} per s; allowed: what a float can hold; check the conductivities"
        )
    busy_rate = float((leaving * (leaving / carriers[mobile] / leaving.sum())).sum())
    regions = None if mirrored or basins == "no" else _find_basins(network, found, progress)
    plan = make_plan(
        move_rate_Hz=float(leaving.sum()) / moving if regions is None else regions.event_rate,
        fewest_moves=FEWEST_HOPS if regions is None else FEWEST_EVENTS, escape_time_s=escape_time_s(network, weight),
        half_box_time_s=0.25 * max(network.structure.shape) ** 2 / busy_rate, walkers=walkers, time_s=time_s, hops=hops,
        open_end=rel_error is not None,
    )  # fmt: skip
    del carriers, conductance, mobile, leaving
    moves: Moves = VoxelHops(network, mirrored=mirrored) if regions is None else BasinHops(network, regions)
    run = _Run(
        plan=plan,
        walkers=moves.start(weight, plan.walkers, (seed, case, replica)),
        displacements=Displacements.of(np.zeros((plan.walkers, 3), dtype=np.int64)),
    )
    del weight
    estimator = Estimator(network, boundary, found, moving / all_carriers, all_carriers / found.ids.size, seed)
    identity = run_identity(
        network, boundary=boundary, walkers=plan.walkers, interval_s=plan.interval_s, rel_error=rel_error, hops=hops,
        basins=regions is not None, seed=seed, case=case, replica=replica,
    )  # fmt: skip
    if resume is not None:
        run.go_on_from(load_checkpoint(resume, identity))
    safe = SafePoints(checkpoint, identity, checkpoint_every_s, stop)
    for share, text, done in _steps(run, moves, estimator, rel_error, hops):
        if progress is not None and run.steps:
            progress(min(share, 1.0), text)
        safe.reach(share, done, run.arrays)
    residence = moves.residence_s(run.walkers, run.time_s)
    seconds = time.perf_counter() - start
    words = None if regions is None else regions.describe()
    return estimator.result(run.plan, run.displacements, run.walkers, residence, run.time_s, words, seconds)


def _find_basins(network: Network, clusters: Clusters, progress: Callable[[float, str], Any] | None) -> Basins | None:
    """Return the basins that pay, None where single hops are as good or a float cannot hold what they need."""
    say = None if progress is None else (lambda share, text, tell=progress: tell(0.0, f"looking for basins: {text}"))
    try:
        return find_basins(network, clusters, progress=say)
    except FloatingPointError:
        return None


def _steps(
    run: _Run, moves: Moves, estimator: Estimator, rel_error: float | None, most_hops: int | None
) -> Iterator[tuple[float, str, bool]]:
    """Move the walkers on, step by step; yield the share done, D in words, and whether that was all."""
    while True:
        share, text = estimator.progress(run.plan, run.displacements, run.walkers, run.intervals, rel_error, most_hops)
        enough = most_hops is not None and int(run.walkers.hops.sum()) >= most_hops
        done = share >= 1.0 and (rel_error is None or enough or run.has_settled(estimator))
        yield share, text, done
        if done:
            return
        if rel_error is not None and run.has_many_windows and not run.has_settled(estimator):
            run.take_longer_lags()
        run.steps += 1
        moves.advance(run.walkers, run.time_s)
        if run.steps % run.parts == 0:
            run.displacements.take(run.walkers.places)


def _check(
    boundary: str,
    walkers: int | None,
    time_s: float | None,
    hops: int | None,
    rel_error: float | None,
    basins: str,
    seed: int,
) -> None:
    if boundary not in ("periodic", "plates"):
        raise InputError(f"boundary is '{boundary}'; allowed: periodic, plates")
    if basins not in ("auto", "no"):
        raise InputError(f"basins is '{basins}'; allowed: auto, no")
    if rel_error is not None and not 1e-5 <= rel_error < 1.0:
        raise InputError(f"rel_error is {rel_error}; allowed: 1e-5 to below 1 (0.01 is 1 %)")
    if time_s is not None and hops is not None and rel_error is None:
        raise InputError("time_s and hops are both given; give one of them")
    if walkers is not None and not 2 <= walkers <= 10_000_000:
        raise InputError(f"walkers is {walkers}; allowed: 2 to 10000000 (an error needs at least two)")
    if time_s is not None and not 0.0 < time_s < 1e12:
        raise InputError(f"time_s is {time_s}; allowed: above 0 and below 1e12 s")
    if hops is not None and not 1 <= hops <= LARGEST_HOPS:
        raise InputError(f"hops is {hops}; allowed: 1 to {LARGEST_HOPS}")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
