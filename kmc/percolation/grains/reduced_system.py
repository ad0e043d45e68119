"""The network of grain matrices: currents in every flux mode of every contact that dissipate least.

Unknown are the currents a of all modes. They minimise a.R a / 2 - e.a with no net current into any node, where R adds up the
matrices of the grains and the resistances of the contacts and e is the voltage that drives each mode; the multipliers are the
potentials of the nodes. Solved by conjugate gradients that never leave the balanced currents (constraint preconditioner:
Gould, Hribar, Nocedal, SIAM J. Sci. Comput. 23, 1376, 2001), so (e.a)^2 / a.R a is a lower bound of the conductance whenever
they stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from kmc.percolation.grains.reduced_kernels import add_diagonal, apply, invert

MOST_STEPS = 1000
DELAY = 3
"""Steps whose gain is held against the whole."""
TOLERANCE = 1e-7
"""Share of the conductance that the last steps may add."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Balanced(NamedTuple):
    """Balanced currents.

    Attributes
    ----------
    current : ndarray of shape (n_modes,)
        Current of every mode [A].
    potential : ndarray of shape (n_nodes,)
        Potential of every node [V], NaN where nothing drives it.
    conductance_S : float
        Current that the drive of 1 V causes [A/V], a lower bound.
    steps : int
        Steps taken.
    """

    current: Array
    potential: Array
    conductance_S: float
    steps: int


@dataclass(frozen=True)
class ReducedSystem:
    """One network of grain matrices.

    Attributes
    ----------
    nodes : ndarray of shape (n_contacts, 2), int64
        Both nodes of every contact, -1 for a plate.
    first_mode : ndarray of shape (n_contacts + 1,), int64
        Where the modes of each contact begin; the first of them carries its net current.
    live : ndarray of shape (n_contacts,), bool
        Contacts that take part.
    mode, sign : ndarrays
        Mode of every row of the matrices, and 1 if it brings its current into the node, else -1.
    first_row, first_entry : ndarrays of shape (n_nodes + 1,), int64
        Where the rows and the entries of the matrix of each node begin.
    entries : ndarray
        Matrices [ohm], row by row; the signs of the modes are in them.
    first_block : ndarray of shape (n_contacts + 1,), int64
        Where the resistances of each contact begin.
    blocks : ndarray
        Resistances of the contacts [ohm], modes by modes.
    base : ReducedSystem, optional
        A system of the same contacts that is not very different: its preconditioner is used.
    """

    nodes: Integers
    first_mode: Integers
    live: NDArray[np.bool_]
    mode: Integers
    sign: Array
    first_row: Integers
    first_entry: Integers
    entries: Array
    first_block: Integers
    blocks: Array
    base: ReducedSystem | None = None

    def changed(self, entries: Array | None = None, blocks: Array | None = None) -> ReducedSystem:
        """Return the same contacts with other matrices or resistances."""
        return replace(
            self,
            entries=self.entries if entries is None else entries,
            blocks=self.blocks if blocks is None else blocks,
            base=self.base or self,
        )

    @property
    def n_nodes(self) -> int:
        """Return the number of nodes."""
        return len(self.first_row) - 1

    def apply(self, a: Array) -> Array:
        """Return R a."""
        out = np.zeros(len(a))
        apply(self.mode, self.first_row, self.first_entry, self.entries, self.first_mode, self.first_block, self.blocks, a, out)
        return np.where(self.live_mode, out, 0.0)

    @cached_property
    def live_mode(self) -> NDArray[np.bool_]:
        """Return which modes take part."""
        return np.repeat(self.live, np.diff(self.first_mode))

    @cached_property
    def diagonal(self) -> Array:
        """Return the diagonal of R, 1 where nothing resists or takes part."""
        out = np.zeros(int(self.first_mode[-1]))
        add_diagonal(
            self.mode, self.first_row, self.first_entry, self.entries, self.first_mode, self.first_block, self.blocks, out
        )
        return np.where(self.live_mode & (out > 0.0), out, 1.0)

    @cached_property
    def _members(self) -> tuple[Integers, NDArray[np.bool_]]:
        """Return the set that each node belongs to, and which sets a plate holds."""
        pair = self.nodes[self.live]
        inner = pair[(pair >= 0).all(axis=1)]
        n = self.n_nodes
        graph = sp.coo_array((np.ones(len(inner)), (inner[:, 0], inner[:, 1])), shape=(n, n))
        count, member = connected_components(graph, directed=False)
        held = np.zeros(count, dtype=np.bool_)
        held[member[pair.max(axis=1)[(pair < 0).any(axis=1)]]] = True
        return member.astype(np.int64), held

    @cached_property
    def preconditioner(self) -> Array:
        """Return the weighted inverses of the grains' matrices, in the order of `entries`."""
        out = np.zeros_like(self.entries)
        invert(
            self.mode, self.sign, self.first_row, self.first_entry, self.entries, self._mode_contact, self.first_mode, self.first_block,
            self.blocks, self._sides, self.live_mode, self.diagonal, out,
        )  # fmt: skip
        return out

    @cached_property
    def _mode_contact(self) -> Integers:
        return np.repeat(np.arange(len(self.nodes)), np.diff(self.first_mode))

    @cached_property
    def _sides(self) -> Array:
        """Return the share of each contact's resistance that counts to the grain on either side."""
        return np.where((self.nodes >= 0).all(axis=1), 0.5, 1.0)

    @cached_property
    def _coarse(self) -> tuple[Integers, sp.csr_array, sp.csr_array, SuperLU]:
        """Return the net modes, what they bring into nodes, the preconditioner of a potential of nodes, and its factors."""
        live = np.flatnonzero(self.live)
        net, both = self.first_mode[live], self.nodes[live]
        column, inside = np.repeat(np.arange(len(live)), 2), both.ravel() >= 0
        sign = np.tile([-1.0, 1.0], len(live))
        into = sp.csr_array((sign[inside], (both.ravel()[inside], column[inside])), shape=(self.n_nodes, len(live)))
        number = np.full(int(self.first_mode[-1]), -1)
        number[net] = np.arange(len(net))
        size = np.diff(self.first_row)
        node = np.repeat(np.arange(self.n_nodes), size**2)
        at = np.arange(len(self.entries)) - self.first_entry[node]
        row, other = (self.mode[self.first_row[node] + part] for part in np.divmod(at, size[node]))
        used = (number[other] >= 0) & (self.preconditioner != 0.0)
        columns = sp.csr_array(
            (self.preconditioner[used], (row[used], number[other[used]])), shape=(len(number), len(net))
        )  # fmt: skip
        moved = sp.csr_array(columns @ into.T)
        matrix = sp.csc_array(into @ moved[net])
        member, held = self._members
        diagonal = matrix.diagonal()
        _, anchor = np.unique(member, return_index=True)
        extra = np.zeros(self.n_nodes)
        extra[anchor[~held]] = diagonal[anchor[~held]]
        extra[diagonal <= 0.0] = 1.0
        return net, into, moved, splu(sp.csc_array(matrix + sp.diags_array(extra)))

    def _precondition(self, voltage: Array) -> tuple[Array, Array]:
        """Return balanced currents that voltages drive, about, and the potentials that balance them.

        The potentials are taken off the voltages, in place, or the rounding of what never moves a current would mask the rest.
        """
        tools = self.base or self
        net, into, moved, factors = tools._coarse
        z, nothing = np.zeros(len(voltage)), np.zeros(1, dtype=np.int64)
        apply(self.mode, self.first_row, self.first_entry, tools.preconditioner, nothing, nothing, self.blocks, voltage, z)
        potential = np.asarray(factors.solve(into @ z[net]))
        voltage[net] -= into.T @ potential
        return z - moved @ potential, potential

    def solve(self, drive_V: Array, guess: Array | None = None, tolerance: float = TOLERANCE) -> Balanced:
        """Balance the currents.

        Parameters
        ----------
        drive_V : ndarray of shape (n_modes,)
            Voltage that drives each mode [V].
        guess : ndarray of shape (n_modes,), optional
            Balanced currents to start from.
        tolerance : float
            Share of the conductance that the last steps may add.
        """
        drive = np.where(self.live_mode, drive_V, 0.0)
        a = np.zeros(len(drive)) if guess is None else np.where(self.live_mode, guess, 0.0)
        through = self.apply(a)
        heat = float(a @ through)
        share = float(drive @ a) / heat if heat > 0.0 else 0.0
        a, r = share * a, drive - share * through
        p, before, gains = np.zeros(len(a)), 1.0, []
        whole = float(a @ (drive + r))
        potential = np.zeros(self.n_nodes)
        for step in range(MOST_STEPS):
            z, rise = self._precondition(r)
            potential += rise
            work = float(z @ r)
            p = z + work / before * p if step else z
            q = self.apply(p)
            curvature = float(p @ q)
            if not (work > 0.0 and curvature > 0.0):
                break
            a += work / curvature * p
            r -= work / curvature * q
            before = work
            gains.append(work * work / curvature)
            whole += gains[-1]
            if len(gains) >= DELAY and sum(gains[-DELAY:]) <= tolerance * whole:
                break
        potential += self._precondition(r)[1]
        given, heat = float(drive @ a), float(a @ self.apply(a))
        return Balanced(a, self._known(drive, potential), given**2 / heat if heat > 0.0 else 0.0, len(gains))

    def _known(self, drive: Array, potential: Array) -> Array:
        """Return the potentials, NaN where nothing holds or drives a node."""
        member, held = self._members
        driven = held.copy()
        net = self.first_mode[:-1]
        moved = self.nodes[self.live & (drive[net] != 0.0)]
        driven[member[moved[moved >= 0]]] = True
        return np.where(driven[member], potential, np.nan)
