"""The matrix of each grain: which potential difference at one contact a current through another one causes.

For every flux mode of every contact of a node, its own network is solved with that current into its voxels; a net current
leaves evenly through all contacts. Z_kl is the mean potential at contact k, weighted by its mode, for the current of mode l,
less the mean over all contacts, which drops out where currents balance. Nodes are closed sets, so they are solved one by one, in
threads, always in the same order within each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from kmc.multigrid.levels import Faces
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.grains import grain_solves
from kmc.percolation.grains.contact_modes import FluxModes
from kmc.percolation.grains.grain_classes import GROUPS, answer_groups, plain_classes, special_faces
from kmc.percolation.grains.grain_faces import GrainFaces
from kmc.percolation.grains.grain_levels import NodeLevels, build_levels

TOLERANCE = 1e-7
"""Share of the dissipation that the last steps of a solve may add."""

EVEN = 1e-12
"""Sources that differ by less than this share from an even one drive no current inside the node."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class GrainMatrices:
    """Matrices of all nodes [ohm], one after another.

    Attributes
    ----------
    mode : ndarray of shape (r,), int64
        Flux mode of each row, node by node.
    sign : ndarray of shape (r,)
        1 if the mode brings its current into the node, -1 if it takes it out.
    first_row : ndarray of shape (n_nodes + 1,), int64
        Where the rows of each node begin.
    first_entry : ndarray of shape (n_nodes + 1,), int64
        Where the entries of the matrix of each node begin.
    plain : ndarray
        Entries of all matrices, row by row: the part that dissipates in faces which scale with the conductivity of the phase.
    special : ndarray of shape (GROUPS, len(plain))
        The parts in the other faces inside the nodes, in groups that answer alike to the temperature.
    special_classes, special_group : ndarrays, int64
        Classes of these others, and the group of each.
    special_share : ndarray of shape (n_phases, len(special_classes))
        How the part of a group divides among its classes, summed over the nodes of each phase.
    steps : int
        Most steps that a solve took.
    """

    mode: Integers
    sign: Array
    first_row: Integers
    first_entry: Integers
    plain: Array
    special: Array
    special_classes: Integers
    special_group: Integers
    special_share: Array
    steps: int

    def rescaled(self, phase: Integers, plain_ratio: Array, special_ratio: Array) -> Array:
        """Return the entries of all matrices for other conductances.

        Parameters
        ----------
        phase : ndarray of shape (n_nodes,), int64
            Phase of each node.
        plain_ratio, special_ratio : ndarrays of shape (n_phases,) and (len(special_classes),)
            By how much more the faces of each phase, and those of each special class, resist.
        """
        size = np.diff(self.first_entry)
        out = np.repeat(plain_ratio[phase], size) * self.plain
        for group in range(GROUPS):
            mine = self.special_group == group
            out += np.repeat((self.special_share[:, mine] @ special_ratio[mine])[phase], size) * self.special[group]
        return out


def grain_matrices(graph: ContactGraph, faces: GrainFaces, modes: FluxModes, tolerance: float = TOLERANCE) -> GrainMatrices:
    """Solve every node for every flux mode of its contacts.

    Parameters
    ----------
    graph : ContactGraph
        The nodes.
    faces : GrainFaces
        Their contacts and what is inside.
    modes : FluxModes
        The modes.
    tolerance : float
        See the module's `TOLERANCE`.
    """
    network = graph.network
    scale = float(network.conductance.max()) or 1.0
    table = np.ascontiguousarray(network.conductance / scale)
    nothing = np.zeros(graph.ids.shape[1:])
    levels = build_levels(graph.ids, graph.n_nodes, Faces(faces.inside, table, nothing, nothing, graph.periodic))
    mode, sign, node = _rows(faces, modes)
    first_row = np.searchsorted(node, np.arange(graph.n_nodes + 1))
    setting = _Setting(
        levels, faces, modes, table, plain_classes(network), answer_groups(network), graph.ids.shape,
        np.repeat(np.arange(len(faces)), np.diff(modes.start)),
        mode, sign, first_row, tolerance,
    )  # fmt: skip
    work = np.diff(first_row) * np.diff(levels.first_voxel)
    order = np.argsort(-work, kind="stable")
    with ThreadPoolExecutor(get_num_threads()) as pool:
        found = list(pool.map(setting.solve, order.tolist()))
    place = np.argsort(order)
    parts = [found[n] for n in place.tolist()]
    share = np.zeros((len(network.faces.phase_names), network.faces.n_classes))
    for n, part in enumerate(parts):
        np.add.at(share[graph.phase[n]], part[2], part[3])
    classes = np.flatnonzero(share.any(axis=0))
    share = share[:, classes]
    group = setting.group[classes]
    total = np.stack([share[:, group == g].sum(axis=1) for g in range(GROUPS)], axis=1)[:, group]
    whole = np.concatenate([np.zeros(0), *(part[0].ravel() for part in parts)]) / scale
    special = np.concatenate([np.zeros((GROUPS, 0)), *(part[1].reshape(GROUPS, -1) for part in parts)], axis=1) / scale
    return GrainMatrices(
        mode=mode,
        sign=sign,
        first_row=first_row.astype(np.int64),
        first_entry=np.concatenate(([0], np.cumsum(np.diff(first_row) ** 2))).astype(np.int64),
        plain=whole - special.sum(axis=0),
        special=special,
        special_classes=classes.astype(np.int64),
        special_group=group,
        special_share=share / np.where(total > 0.0, total, 1.0),
        steps=max((part[4] for part in parts), default=0),
    )


def _rows(faces: GrainFaces, modes: FluxModes) -> tuple[Integers, Array, Integers]:
    """Return mode, sign and node of every row of the matrices, sorted by node."""
    contact = np.repeat(np.arange(len(faces)), np.diff(modes.start))
    both = faces.nodes[contact]
    node = both.ravel()
    mode = np.repeat(np.arange(len(contact)), 2)
    sign = np.tile([-1.0, 1.0], len(contact))
    use = np.flatnonzero(node >= 0)
    order = use[np.argsort(node[use], kind="stable")]
    return mode[order], sign[order], node[order]


@dataclass(frozen=True)
class _Setting:
    """What every node's solve needs."""

    levels: NodeLevels
    faces: GrainFaces
    modes: FluxModes
    table: Array
    plain: NDArray[np.bool_]
    group: Integers
    shape: tuple[int, int, int]
    contact_of_mode: Integers
    mode: Integers
    sign: Array
    first_row: Integers
    tolerance: float

    def solve(self, node: int) -> tuple[Array, Array, Integers, Array, int]:
        """Return a node's matrix, its special parts, the classes of these and their dissipation, and the steps taken."""
        levels, rows = self.levels, slice(self.first_row[node], self.first_row[node + 1])
        k, n = int(rows.stop - rows.start), int(levels.first_voxel[node + 1] - levels.first_voxel[node])
        nothing = np.zeros((k, k)), np.zeros((GROUPS, k, k)), np.zeros(0, dtype=np.int64), np.zeros(0), 0
        if n < 2 or k == 0:
            return nothing
        to, value = np.empty((n, 6), dtype=np.int32), np.empty((n, 6))
        grain_solves.list_faces(
            node, levels.voxels, levels.first_voxel, levels.place, self.shape, *self.faces.inside, self.table, to, value
        )
        inverse = 1.0 / value.sum(axis=1)
        depth = int(levels.depth[node])
        first = levels.first[:, node]
        size = levels.first[: depth + 1, node + 1] - first[: depth + 1]
        base = np.ascontiguousarray(first[: depth + 1]), np.concatenate(([0], np.cumsum(size)))
        low = int(first[depth])
        graph = levels.start, levels.to, levels.value
        coarse = grain_solves.inverse(grain_solves.coarse_matrix(low, low + int(size[depth]), *graph))
        parent = levels.parent_of_voxel[levels.first_voxel[node] : levels.first_voxel[node + 1]] - first[0]
        ends, classes = special_faces(
            node, levels.voxels, levels.first_voxel, levels.place, self.shape, *self.faces.inside, self.plain
        )
        root = np.sqrt(self.table[classes[:, 1], classes[:, 0]])
        whole, drops = np.empty((k, k)), np.empty((len(ends), k))
        at, weight, start = self._sources(rows)
        net, sink = self._sink(rows)
        even: Array = np.zeros(n)
        np.add.at(even, at, np.repeat(sink, np.diff(start)) * weight)
        most = 0
        for begin in range(0, k, grain_solves.WIDTH):
            end = min(begin + grain_solves.WIDTH, k)
            b = np.zeros((n, grain_solves.WIDTH))
            for column in range(begin, end):
                part = slice(start[column], start[column + 1])
                np.add.at(b[:, column - begin], at[part], weight[part])
            size = np.abs(b).max(axis=0)
            b[:, : end - begin] -= net[begin:end] * even[:, None]
            b -= b.mean(axis=0)
            b[:, np.abs(b).max(axis=0) <= EVEN * size] = 0.0
            y = np.zeros_like(b)
            steps = grain_solves.solve(
                to, value, inverse, parent, (*graph, levels.inverse, levels.parent), base, depth, coarse, b, self.tolerance, y
            )
            most = max(most, steps)
            picked = np.add.reduceat(weight[:, None] * y[at], start[:-1], axis=0)
            whole[:, begin:end] = picked[:, : end - begin]
            drops[:, begin:end] = (root[:, None] * (y[ends[:, 0]] - y[ends[:, 1]]))[:, : end - begin]
        whole -= net[:, None] * (sink @ whole)
        whole = 0.5 * (whole + whole.T)
        group = self.group[classes[:, 0]]
        special = np.stack([grain_solves.gram(drops[group == g]) for g in range(GROUPS)])
        return whole, special, classes[:, 0], (drops**2).sum(axis=1), most

    def _sink(self, rows: slice) -> tuple[Array, Array]:
        """Return the net current that each row brings into the node, and the share of each row in taking 1 A out evenly."""
        modes = self.mode[rows]
        contact = self.contact_of_mode[modes]
        net = np.where(modes == self.modes.start[contact], self.sign[rows], 0.0)
        area = np.abs(net) * np.diff(self.faces.start)[contact]
        return net, net * area / area.sum()

    def _sources(self, rows: slice) -> tuple[Integers, Array, Integers]:
        """Return the voxels, counted in their node, and the currents of a range of rows, and where each row begins."""
        modes = self.mode[rows]
        contact = self.contact_of_mode[modes]
        side = (self.sign[rows] > 0.0).astype(np.int64)
        low, high = self.faces.start[contact], self.faces.start[contact + 1]
        start = np.concatenate(([0], np.cumsum(high - low)))
        face = np.arange(start[-1]) - np.repeat(start[:-1] - low, high - low)
        voxel = self.faces.voxels[face, np.repeat(side, high - low)]
        column = np.repeat(modes - self.modes.start[contact], high - low)
        sign = np.repeat(self.sign[rows], high - low)
        return self.levels.place.reshape(-1)[voxel].astype(np.int64), sign * self.modes.shape[face, column], start
