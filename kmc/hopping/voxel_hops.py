"""Carriers that hop from voxel to voxel: every hop of the network is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.surroundings import find_surroundings
from kmc.hopping.walk import walk
from kmc.hopping.walkers import BLOCKS, Equilibrium, Walkers, draw_first_waits, place_walkers
from kmc.network import Network


class VoxelHops:
    """Starts carriers and lets them hop; what `run_tracers` needs to know of a way to move."""

    def __init__(
        self, network: Network, *, mirrored: bool = False, field_V_per_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    ) -> None:
        """Sort the voxels by what a carrier sees from them."""
        self.network, self.mirrored = network, mirrored
        self.tables = find_surroundings(network, mirrored=mirrored, field_V_per_m=field_V_per_m)

    def start(self, weight: NDArray[np.float64], count: int, key: tuple[int, int, int]) -> Walkers:
        """Start carriers on voxels drawn by `weight`, shape (nx, ny, nz)."""
        walkers = place_walkers(self.network, Equilibrium.of_voxels(self.network, weight), count, key)
        draw_first_waits(walkers, self.tables.mean_wait_s(walkers.sites))
        np.add.at(walkers.residence, (np.arange(count) % BLOCKS, self.tables.phase(walkers.sites)), walkers.clocks)
        return walkers

    def advance(self, walkers: Walkers, until_s: float) -> None:
        """Let all walkers hop until a time [s]."""
        tables = self.tables
        walk(
            self.network.structure.shape, self.mirrored, tables.kind, tables.rows, tables.faces, until_s, walkers.sites,
            walkers.clocks, walkers.states, walkers.places, walkers.signs, walkers.residence, walkers.crossings, walkers.hops,
        )  # fmt: skip

    def residence_s(self, walkers: Walkers, until_s: float) -> NDArray[np.float64]:
        """Return the time that all walkers together have spent in each phase up to a time [s], shape (n_phases,)."""
        names = len(self.network.faces.phase_names)
        ahead = np.bincount(self.tables.phase(walkers.sites), weights=walkers.clocks - until_s, minlength=names)
        return np.asarray(walkers.residence.sum(axis=0)[:names] - ahead)
