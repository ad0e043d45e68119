"""The levels of the solver: the faces of the voxels, and graphs of ever larger aggregates of them.

A block of 2 x 2 x 2 voxels becomes one node if its voxels hang together well, else one for each of its pieces; eight blocks
become one by the same rule, until one node stands for each grain or piece of one. The Galerkin operator of potentials that
are constant in each aggregate is a graph whose edges are sums of faces.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from kmc.multigrid import aggregates, graph_kernels

STRENGTH = 0.5
"""Least conductance of an edge inside an aggregate, against the strongest edge of the more weakly joined end."""

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Integers = NDArray[np.integer]


@dataclass(frozen=True)
class Faces:
    """The 7-point network of voxels, turned so that transport runs along axis 0.

    Attributes
    ----------
    of_axis : tuple of 3 ndarrays of shape (nx, ny, nz), uint16 or uint32
        Class of the face to the next voxel; 0 is closed.
    table : ndarray of shape (3, n_classes)
        Conductance of each class along each axis.
    low, high : ndarrays of shape (ny, nz)
        Conductance from the first and last plane to the plates.
    periodic : bool
        Whether faces wrap around.
    """

    of_axis: tuple[Integers, Integers, Integers]
    table: Array
    low: Array
    high: Array
    periodic: bool


@dataclass
class Graph:
    """A coarse level: nodes in blocks, edges between them, and conductances to ground."""

    shape: tuple[int, int, int]
    first: Integers
    start: Integers
    to: Integers
    value: Single
    ground: Array
    parent: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def __post_init__(self) -> None:
        """Add up the diagonal."""
        across = self.shape[1] * self.shape[2]
        self.slabs = np.ascontiguousarray(self.first[::across])
        n = len(self.start) - 1
        self.inverse = np.empty(n)
        graph_kernels.invert_diagonal(self.slabs, self.start, self.value, self.ground, self.inverse)
        self.x, self.b = np.zeros(n), np.zeros(n)

    def smooth(self, wraps: bool, backward: bool) -> None:
        """Sweep over the slabs: even ones, odd ones, and the last one alone where it would meet the first."""
        n = len(self.slabs) - 1
        alone = wraps and n > 1 and n % 2 == 1
        passes = [(0, n - alone), (1, n - alone)] + ([(n - 1, n)] if alone else [])
        for colour, end in reversed(passes) if backward else passes:
            graph_kernels.smooth_slabs(
                self.slabs, self.start, self.to, self.value, self.ground, self.inverse, self.b, self.x, colour, end, backward
            )


def first_graph(faces: Faces, slot: NDArray[np.uint8]) -> Graph:
    """Return the graph of the aggregates of voxels; `slot` becomes the place of each voxel's aggregate in its block."""
    network = (*faces.of_axis, faces.table, faces.low, faces.high)
    nx, ny, nz = ((n + 1) // 2 for n in slot.shape)
    count = np.zeros(nx * ny * nz + 1, dtype=np.int32)
    aggregates.gather_voxels(*network, STRENGTH, slot, count[1:])
    first = np.cumsum(count, dtype=np.int32)
    start = np.zeros(first[-1] + 1, dtype=np.int64)
    to, value, ground = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32), np.zeros(first[-1])
    aggregates.link_voxels(*network, slot, first, start, to, value, ground, False)
    start = np.cumsum(start)
    to, value = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.float32)
    aggregates.link_voxels(*network, slot, first, start, to, value, ground, True)
    return Graph((nx, ny, nz), first, start, to, value, ground)


def coarser_graph(level: Graph) -> Graph:
    """Return the next coarser graph; `level.parent` becomes the aggregate of each node."""
    nx, ny, nz = ((n + 1) // 2 for n in level.shape)
    level.parent = np.empty(len(level.x), dtype=np.int32)
    count = np.zeros(nx * ny * nz + 1, dtype=np.int32)
    total = aggregates.gather_nodes(
        level.first, level.shape, level.start, level.to, level.value, level.ground, STRENGTH, level.parent, count[1:]
    )
    rows, columns = np.repeat(level.parent, np.diff(level.start)), level.parent[level.to]
    between = rows != columns
    matrix = sp.coo_matrix(
        (level.value[between].astype(np.float64), (rows[between], columns[between])), shape=(total, total)
    ).tocsr()
    ground: Array = np.bincount(level.parent, weights=level.ground, minlength=total).astype(np.float64)
    first = np.cumsum(count, dtype=np.int32)
    return Graph((nx, ny, nz), first, matrix.indptr.astype(np.int64), matrix.indices, matrix.data.astype(np.float32), ground)


class Coarsest:
    """The coarsest level, factorised.

    Nothing grounds the nodes of some sets (all of them, where the structure is periodic): their potential is known up to a
    constant. One node of such a set is tied to 0; currents into it that rounding leaves are spread so that none flows there,
    and its mean potential is 0, or the constant would grow from cycle to cycle.
    """

    def __init__(self, level: Graph) -> None:
        """Factorise the matrix of `level`."""
        n = len(level.x)
        off = sp.csr_matrix((level.value.astype(np.float64), level.to, level.start), shape=(n, n))
        diagonal = level.ground + np.asarray(off.sum(axis=1)).ravel()
        _, self.member = connected_components(off, directed=False)
        self.size = np.bincount(self.member)
        self.loose = np.bincount(self.member, weights=level.ground > 0.0) == 0.0
        _, anchor = np.unique(self.member, return_index=True)
        diagonal[anchor[self.loose]] *= 2.0
        diagonal[diagonal <= 0.0] = 1.0
        self.factors = splu((sp.diags(diagonal) - off).tocsc())

    def solve(self, b: Array) -> Array:
        """Return the potentials of the nodes for the currents `b` into them."""
        return self._balanced(self.factors.solve(self._balanced(b)))

    def _balanced(self, values: Array) -> Array:
        """Return the values less their mean over each loose set."""
        mean = np.where(self.loose, np.bincount(self.member, weights=values) / self.size, 0.0)
        return np.asarray(values - mean[self.member])
