"""What a carrier in a basin can do next, in arrays that the walk reads: states, where each can leave, and for how long it stays.

A state is a voxel by which a carrier entered a set, be it a basin or a voxel that stands alone (then its six faces are the
exits). With A = L + D, L the Laplacian of the faces inside and D what leaves each voxel, it leaves through the face f of port
p with the chance A^-1[i, p] g_f, after a mean time (A^-1 c)[i] / rate factor (absorbing Markov chains: Novotny 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Basins:
    """The states of a walk from set to set, n of them, and the exits of their ports, m of them.

    Attributes
    ----------
    voxel : ndarray of shape (n,), int64
        The voxel of each state, in memory order of the structure; the ports of a set follow each other.
    first, ports : ndarrays of shape (n,), int64 and int32
        First state of the set that each belongs to, and how many it has.
    row : ndarray of shape (n,), int64
        Where the chances of leaving by each port of the set begin in `port_share`; -1 for sets of one port.
    port_share : ndarray, float64
        Those chances summed up, port after port; the last is 1.
    tau_s : ndarray of shape (n,)
        Mean time inside after entry [s].
    weight : ndarray of shape (n,)
        Carriers of each state at equilibrium [1/m^3, summed over voxels].
    phase_share : ndarray of shape (n, n_phases)
        Share of that time spent in each phase.
    at : ndarray of shape (n, 3), int32
        Where the voxel lies in its set [voxels], in the unfolded box.
    exits : ndarray of shape (n + 1,), int64
        Where the exits of each port begin.
    exit_share : ndarray of shape (m,)
        Chances of the exits of one port, summed up.
    exit_state, exit_at, exit_class : ndarrays of shape (m,), (m, 3) and (m,), int32
        The state entered, where that voxel lies in the unfolded box of the set that is left, and the class of the face.
    sizes : ndarray of shape (n_basins,), int64
        Voxels of each basin.
    hops_per_event : float
        Hops from voxel to voxel that one exit stands for, in the mean.
    largest_error : float
        Largest relative error of the sums that must come out as 1, and of the carriers of a basin.
    seconds : float
        What finding all this took [s].
    """

    voxel: Integers
    first: Integers
    ports: NDArray[np.int32]
    row: Integers
    port_share: Array
    tau_s: Array
    weight: Array
    phase_share: Array
    at: NDArray[np.int32]
    exits: Integers
    exit_share: Array
    exit_state: NDArray[np.int32]
    exit_at: NDArray[np.int32]
    exit_class: NDArray[np.int32]
    sizes: Integers
    hops_per_event: float
    largest_error: float
    seconds: float

    @property
    def states(self) -> tuple[NDArray[Any], ...]:
        """Return the arrays that the walk reads, in its order."""
        return (
            self.first, self.ports, self.row, self.port_share, self.tau_s, self.phase_share, self.at,
            self.exits, self.exit_share, self.exit_state, self.exit_at, self.exit_class,
        )  # fmt: skip

    @property
    def event_rate(self) -> float:
        """Return the exits of one carrier per second, in the mean at equilibrium."""
        return float((self.weight / self.tau_s).sum() / self.weight.sum())

    def describe(self) -> dict[str, int | float]:
        """Return figures for the user."""
        return {
            "basins": len(self.sizes),
            "voxels_in_basins": int(self.sizes.sum()),
            "largest_basin_voxels": int(self.sizes.max(initial=0)),
            "largest_ports": int(self.ports.max(initial=0)),
            "states": len(self.voxel),
            "hops_per_event": self.hops_per_event,
            "table_bytes": sum(values.nbytes for values in self.states),
            "largest_error": self.largest_error,
            "seconds": self.seconds,
        }
