"""Everything a lattice gas carries from one batch to the next, and therefore into its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.lattice_gas.kernel import advance
from kmc.hopping.lattice_gas.measure import LEVELS
from kmc.hopping.lattice_gas.plan import Plan
from kmc.hopping.lattice_gas.sites import GasSites
from kmc.hopping.lattice_gas.start import draw_sites, list_movers
from kmc.network import Network

NARROW_BITS, WIDE_BITS = 10, 20
"""Three coordinates of so many bits each are one word of 4 or 8 bytes."""


@dataclass(frozen=True)
class GasState:
    """State and sums of all gases; axis 0 counts gases, and `done`, shape (1,), parts. See `kernel.advance`."""

    sites: NDArray[Any]
    counts: NDArray[np.int64]
    states: NDArray[np.uint64]
    places: NDArray[Any]
    names: NDArray[np.int32]
    wraps: NDArray[np.int32]
    origins: NDArray[np.int32]
    charge: NDArray[np.int64]
    squares: NDArray[np.int64]
    residence: NDArray[np.float64]
    crossings: NDArray[np.int64]
    hops: NDArray[np.int64]
    done: NDArray[np.int64]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def start_state(network: Network, sites: GasSites, plan: Plan, gases: int, key: tuple[int, int, int]) -> GasState:
    """Draw the gases from equilibrium.

    Parameters
    ----------
    network, sites, plan
        Where they live and how long.
    gases : int
        Independent gases.
    key : tuple of 3 int
        Seed, case and replica.
    """
    words, shape, n_groups = sites.groups.words, network.structure.shape, len(sites.groups.size)
    seed, case, replica = (np.uint64(part) for part in key)
    held = np.empty((gases, words.size), dtype=words.dtype)
    counts = np.zeros((gases, n_groups), dtype=np.int64)
    states = np.empty((gases, 4), dtype=np.uint64)
    draw_sites(words.ravel(), sites.occupancy, sites.vacancies, seed, case, replica, held, counts, states)
    movers = counts.sum(axis=1)
    carriers = sites.groups.size.sum() - movers if sites.vacancies else movers
    first = first_slots(sites, counts)
    places = np.zeros((gases, first[-1]), dtype=np.int32 if _bits(shape) == NARROW_BITS else np.int64)
    names = np.zeros((gases, words.size if sites.vacancies else first[-1]), dtype=np.int32)
    origins = np.zeros((gases, LEVELS, int(carriers.max()), 3), dtype=np.int32)
    list_movers(shape, _bits(shape), words.ravel(), sites.vacancies, held, first, places, names, origins)
    return GasState(
        sites=held,
        counts=counts,
        states=states,
        places=places,
        names=names,
        wraps=np.zeros((gases, int(carriers.max()), 3), dtype=np.int32),
        origins=origins,
        charge=np.zeros((gases, plan.intervals * plan.parts + 1, 3), dtype=np.int64),
        squares=np.zeros((gases, LEVELS, 3), dtype=np.int64),
        residence=np.zeros((gases, n_groups)),
        crossings=np.zeros((gases, network.faces.n_classes), dtype=np.int64),
        hops=np.zeros((gases, 1), dtype=np.int64),
        done=np.zeros(1, dtype=np.int64),
    )


def first_slots(sites: GasSites, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the movers of each group are listed; a group never holds more than its sites or all movers of a gas."""
    return np.concatenate([[0], np.cumsum(np.minimum(sites.groups.size, counts.sum(axis=1).max()))])


def advance_state(
    network: Network, sites: GasSites, plan: Plan, state: GasState, steps: tuple[float, float, float], parts: int
) -> None:
    """Advance all gases by some parts; `steps` is the work of a field over one voxel along each axis, in units of kT."""
    shape, groups = network.structure.shape, sites.groups
    push = np.exp(0.5 * np.array(steps) * (-1.0 if sites.vacancies else 1.0))
    weights = np.ascontiguousarray(np.stack([groups.bound / push, groups.bound * push], axis=2).reshape(-1, 6))
    advance(
        shape, _bits(shape), np.stack([of_axis.reshape(-1) for of_axis in network.faces.of_axis]),
        network.conductance * network.rate_factor, weights, groups.inverse, groups.plain, sites.vacancies,
        plan.interval_s / plan.parts, plan.parts, int(state.done[0]), parts, int(groups.size.sum()),
        first_slots(sites, state.counts), state.sites, state.counts, state.states, state.places, state.names, state.wraps,
        state.origins, state.charge, state.squares, state.residence, state.crossings, state.hops,
    )  # fmt: skip
    state.done[0] += parts


def _bits(shape: tuple[int, int, int]) -> int:
    return NARROW_BITS if max(shape) <= 1 << NARROW_BITS else WIDE_BITS
