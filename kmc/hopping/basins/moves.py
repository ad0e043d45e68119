"""Carriers that go from basin to basin: what `run_tracers` needs to know of a way to move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.basins.tables import Basins
from kmc.hopping.basins.walk import advance_basins
from kmc.hopping.walkers import BLOCKS, Equilibrium, Walkers, draw_first_waits, place_walkers
from kmc.network import Network


class BasinHops:
    """Starts carriers and lets them go from basin to basin; the sites of its walkers are states of `Basins`."""

    def __init__(self, network: Network, basins: Basins) -> None:
        """Take the tables of `find_basins` for the same network."""
        self.network, self.basins = network, basins

    def start(self, weight: NDArray[np.float64], count: int, key: tuple[int, int, int]) -> Walkers:
        """Start carriers from equilibrium, phase by phase; `weight` is that of `Basins` already."""
        basins = self.basins
        order = np.argsort(self.network.structure.labels.reshape(-1)[basins.voxel], kind="stable")
        equilibrium = Equilibrium(order, np.cumsum(basins.weight[order]))
        walkers = place_walkers(self.network, equilibrium, count, key)
        draw_first_waits(walkers, basins.tau_s[walkers.sites])
        waits = walkers.clocks[:, None] * basins.phase_share[walkers.sites]
        np.add.at(walkers.residence[:, : waits.shape[1]], np.arange(count) % BLOCKS, waits)
        return walkers

    def advance(self, walkers: Walkers, until_s: float) -> None:
        """Let all walkers move until a time [s]."""
        advance_basins(
            *self.basins.states, until_s, walkers.sites, walkers.clocks, walkers.states, walkers.places,
            walkers.residence, walkers.crossings, walkers.hops,
        )  # fmt: skip

    def residence_s(self, walkers: Walkers, until_s: float) -> NDArray[np.float64]:
        """Return the time that all walkers together have spent in each phase up to a time [s], shape (n_phases,)."""
        share = self.basins.phase_share[walkers.sites]
        ahead = (walkers.clocks - until_s) @ share
        return np.asarray(walkers.residence.sum(axis=0)[: share.shape[1]] - ahead)
