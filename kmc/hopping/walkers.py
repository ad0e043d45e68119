"""Independent carriers on their way: where each is, its random stream, and what all of them have counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.exponential import draw_exponential
from kmc.hopping.streams import draw, open_stream
from kmc.network import Network
from microstructures.jit import kernel

BLOCKS = 16
"""Walkers are dealt to so many blocks, each with sums of its own, so that no bit depends on the number of threads."""
ROW = 16
"""Rows that different threads write are a multiple of this long, so that they share no cache line."""


@dataclass
class Walkers:
    """State and counts of independent carriers; `arrays` is all of it.

    Attributes
    ----------
    sites : ndarray of shape (walkers,), int64
        Voxel of each, in memory order.
    clocks : ndarray of shape (walkers,)
        Time of the next hop of each [s].
    states : ndarray of shape (walkers, 4), uint64
        Random streams.
    places : ndarray of shape (walkers, 3), int64
        Unfolded positions [voxels], from where each started.
    signs : ndarray of shape (walkers, 3), int64
        -1 along the axes where a walker is in a mirror image.
    residence : ndarray of shape (blocks, phases padded to ROW)
        Waits begun in each phase [s].
    crossings : ndarray of shape (blocks, n_classes), int64
        Hops to another phase or grain, by class of face.
    hops : ndarray of shape (blocks,), int64
        All hops.
    """

    sites: NDArray[np.int64]
    clocks: NDArray[np.float64]
    states: NDArray[np.uint64]
    places: NDArray[np.int64]
    signs: NDArray[np.int64]
    residence: NDArray[np.float64]
    crossings: NDArray[np.int64]
    hops: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Walkers:
        """Return the walkers that `arrays` came from."""
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Equilibrium:
    """Where carriers are at equilibrium: sites in an order in which each kind gets its exact share, and their weights summed up."""

    order: NDArray[np.int64]
    cumulative: NDArray[np.float64]

    @classmethod
    def of_voxels(cls, network: Network, weight: NDArray[np.float64]) -> Equilibrium:
        """Return the equilibrium of voxels weighted by their carriers, phase by phase."""
        order = np.argsort(network.structure.labels, axis=None, kind="stable")
        return cls(order, np.cumsum(weight.ravel()[order]))

    def places_of(self, shares: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the sites at which the summed weights reach these shares of the whole."""
        return self.order[np.searchsorted(self.cumulative, shares * self.cumulative[-1], side="right")]


def place_walkers(network: Network, equilibrium: Equilibrium, count: int, key: tuple[int, int, int]) -> Walkers:
    """Place carriers at equilibrium, each in its own share of it and with its own stream; their first waits are to be drawn.

    Parameters
    ----------
    network : Network
        What they hop through.
    equilibrium : Equilibrium
        Where they may start.
    count : int
        Number of carriers.
    key : tuple of 3 int
        seed, case and replica of the streams; walker w adds its own number.
    """
    seed, case, replica = (np.uint64(part) for part in key)
    states, first = np.empty((count, 4), dtype=np.uint64), np.empty(count)
    _open_streams(seed, case, replica, states, first)
    phases = -(-len(network.faces.phase_names) // ROW) * ROW
    return Walkers(
        sites=equilibrium.places_of((np.arange(count) + first) / count),
        clocks=np.zeros(count),
        states=states,
        places=np.zeros((count, 3), dtype=np.int64),
        signs=np.ones((count, 3), dtype=np.int64),
        residence=np.zeros((BLOCKS, phases)),
        crossings=np.zeros((BLOCKS, network.faces.n_classes), dtype=np.int64),
        hops=np.zeros(BLOCKS, dtype=np.int64),
    )


def draw_first_waits(walkers: Walkers, mean_wait_s: NDArray[np.float64]) -> None:
    """Set every clock to the end of the walker's first wait; `mean_wait_s[w]` is the mean where it starts."""
    _first_waits(mean_wait_s, walkers.states, walkers.clocks)


@kernel
def _open_streams(seed, case, replica, states, first):  # type: ignore[no-untyped-def]
    """Open the stream of each walker; its first number chooses the start within the walker's share."""
    for w in range(len(states)):
        a, b, c, d = open_stream(seed, case, replica, w)
        first[w], a, b, c, d = draw(a, b, c, d)
        states[w, 0], states[w, 1], states[w, 2], states[w, 3] = a, b, c, d


@kernel
def _first_waits(mean_wait, states, clocks):  # type: ignore[no-untyped-def]
    for w in range(len(states)):
        wait, a, b, c, d = draw_exponential(states[w, 0], states[w, 1], states[w, 2], states[w, 3])
        clocks[w] = wait * mean_wait[w]
        states[w, 0], states[w, 1], states[w, 2], states[w, 3] = a, b, c, d
