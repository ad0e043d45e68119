"""Find the basins of a network and fill their tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.hopping.basins.choose import choose_basins
from kmc.hopping.basins.members import Members, list_members
from kmc.hopping.basins.tables import Basins
from kmc.hopping.basins.visits import visits
from kmc.hopping.equilibrium import site_sums
from kmc.multigrid.closed_sets import reduce_to_ports
from kmc.network import Network
from microstructures.jit import kernel

LEAST_GAIN = 5.0
"""Hops that an exit must stand for, or plain hops are as good: it costs half a hop where the tables fit the cache, up to six
where they do not."""
LARGEST_ERROR = 1e-6
REPORTS = 20

Array = NDArray[np.float64]


def find_basins(network: Network, clusters: Clusters, *, progress: Callable[[float, str], Any] | None = None) -> Basins | None:
    """Find nearly closed sets of voxels, and how a carrier leaves each.

    Parameters
    ----------
    network : Network
        What the carriers hop through, in a box that repeats.
    clusters : Clusters
        From `label_clusters(network, periodic=True)`; only those that wind around the box are mobile, others are left out.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    Basins or None
        None where it does not pay: then single hops are as good.

    Raises
    ------
    FloatingPointError
        If the chances to leave a basin do not add up: conductances span more than a float can hold.
    """
    start = time.perf_counter()
    mobile = np.asarray(clusters.spans.any(axis=1))[clusters.ids]
    if not mobile.any():
        return None
    partition = choose_basins(network, mobile)
    if partition.hops_per_exit < LEAST_GAIN:
        return None
    members = list_members(network.faces.of_axis, network.conductance, mobile, partition)
    density, _ = site_sums(network, False)
    phase = network.faces.phase_of_label[network.structure.labels.reshape(-1)[members.voxel]]
    carriers = np.zeros((len(members.voxel), len(network.faces.phase_names)))
    carriers[np.arange(len(phase)), phase] = density.reshape(-1)[members.voxel]
    return _Builder(members, carriers, network.rate_factor).build(partition.hops_per_exit, start, progress)


class _Builder:
    """Fills the tables, basin by basin."""

    def __init__(self, members: Members, carriers: Array, rate_factor: float) -> None:
        self.members, self.carriers, self.rate_factor = members, carriers, rate_factor
        n = len(members.voxel)
        leaving = np.bincount(np.repeat(np.arange(n), np.diff(members.exit)), weights=members.exit_S, minlength=n)
        self.is_port = np.diff(members.exit) > 0
        self.port = np.flatnonzero(self.is_port)
        self.leaving = leaving[self.port]
        # carriers and ports of voxels that stand alone; those of basins are written over
        resident = carriers[self.port]
        self.time = resident / self.leaving[:, None]
        self.row = np.full(len(self.port), -1, dtype=np.int64)
        self.bounds = np.searchsorted(self.port, members.first)

    def build(self, hops_per_event: float, start: float, progress: Callable[[float, str], Any] | None) -> Basins:
        """Return the tables of all sets."""
        members, bounds = self.members, self.bounds
        sizes = np.diff(members.first)
        many = np.flatnonzero(sizes > 1)
        many = many[np.argsort(-sizes[many], kind="stable")]  # the largest first: no thread is left with one at the end
        entries = np.concatenate(([0], np.cumsum(np.diff(bounds)[many] ** 2)))
        table = np.empty(int(entries[-1]))
        error = 0.0
        with ThreadPoolExecutor(get_num_threads()) as pool:
            found = pool.map(lambda basin, filled: self._fill(basin, filled, table), many.tolist(), entries[:-1].tolist())
            for done, off in enumerate(found):
                error = max(error, off)
                if progress is not None and done % max(1, len(many) // REPORTS) == 0:
                    progress(done / len(many), f"{done} of {len(many)} basins")
        if not error <= LARGEST_ERROR:
            raise FloatingPointError(
                f"the chances to leave a basin add up to 1 within {error:.2g} only; allowed: {LARGEST_ERROR:g}; "
                "hop without basins"
            )
        total = self.time.sum(axis=1)
        exits = np.concatenate(([0], np.cumsum(np.diff(members.exit)[self.port])))
        state_of_member = np.cumsum(self.is_port) - 1
        return Basins(
            voxel=members.voxel[self.port],
            first=np.repeat(bounds[:-1], np.diff(bounds)),
            ports=np.repeat(np.diff(bounds), np.diff(bounds)).astype(np.int32),
            row=self.row,
            port_share=table,
            tau_s=total / self.rate_factor,
            weight=self.leaving * total,
            phase_share=self.time / total[:, None],
            at=members.at[self.port],
            exits=exits,
            exit_share=_running_shares(exits, members.exit_S),
            exit_state=state_of_member[members.exit_to].astype(np.int32),
            exit_at=members.exit_at,
            exit_class=members.exit_class,
            sizes=sizes[many],
            hops_per_event=hops_per_event,
            largest_error=error,
            seconds=time.perf_counter() - start,
        )

    def _fill(self, basin: int, filled: int, table: Array) -> float:
        """Write the rows of one basin from entry `filled` on, and its times; return the largest error of its sums."""
        members = self.members
        low, high = int(members.first[basin]), int(members.first[basin + 1])
        ours = slice(int(self.bounds[basin]), int(self.bounds[basin + 1]))
        inside = (members.inner, members.inner_to, members.inner_S)
        _, conductance, shared = reduce_to_ports((low, high), members.at, inside, self.is_port, self.carriers)
        leaving, ports = self.leaving[ours], ours.stop - ours.start
        inverse = visits(conductance, leaving)
        running = np.cumsum(inverse * leaving, axis=1)
        self.time[ours] = inverse @ shared
        gained = float((leaving[:, None] * self.time[ours]).sum() / self.carriers[low:high].sum())
        error = max(float(np.abs(running[:, -1] - 1.0).max()), abs(gained - 1.0))
        running /= running[:, -1:]
        table[filled : filled + ports**2] = running.reshape(-1)
        if ports > 1:
            self.row[ours] = filled + ports * np.arange(ports)
        return error


@kernel
def _running_shares(start, values):  # type: ignore[no-untyped-def]
    """Return the running sums of the values of each list over their total; the last of each is 1."""
    out = np.empty(len(values))
    for n in range(len(start) - 1):
        s = 0.0
        for e in range(start[n], start[n + 1]):
            s += values[e]
            out[e] = s
        for e in range(start[n], start[n + 1]):
            out[e] /= s
    return out
