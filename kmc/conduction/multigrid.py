"""Multigrid for the 7-point network whose aggregates stop at interfaces and end in the contact graph.

A block of 2 x 2 x 2 voxels becomes one unknown if its voxels hang together well, else one for each of its pieces; eight
blocks become one by the same rule, until one unknown stands for each grain or piece of one. The Galerkin operator of
potentials that are constant in each aggregate is a graph whose edges are sums of faces. The finest level stays matrix-free.
The coarse correction is over-relaxed, since piecewise constant potentials are too stiff (Braess 1995). Currents
inside an aggregate are never summed over it, and vectors are float64: the potential of a grain that hangs together with the
rest by a conductance 1e-12 times weaker than its own would drown in the rounding of its own currents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from kmc.conduction import aggregates, graph_kernels, kernels
from microstructures.jit import threads_for

OVER_RELAXATION = 1.4
LARGEST_DIRECT = 1000
STRENGTH = 0.5
"""Least conductance of an edge inside an aggregate, against the strongest edge of the more weakly joined end."""
NODES_PER_THREAD = 20_000
CYCLES = 2
"""Visits of the next coarser level from each coarse one (2: W-cycle)."""

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
        diagonal = self.ground + _row_sums(self.start, self.value)
        self.inverse = 1.0 / np.where(diagonal > 0.0, diagonal, np.inf)
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


class Multigrid:
    """A symmetric cycle on voxels and ever coarser graphs."""

    def __init__(self, faces: Faces) -> None:
        """Build the hierarchy."""
        self.faces = faces
        self.network = (*faces.of_axis, faces.table, faces.low, faces.high)
        self.boxes = smoothing_boxes(faces)
        self.x = np.zeros(faces.of_axis[0].shape)
        self.slot = np.empty(self.x.shape, dtype=np.uint8)
        self.levels = [_first_graph(faces, self.slot)]
        while len(self.levels[-1].x) > LARGEST_DIRECT and max(self.levels[-1].shape) > 1:
            self.levels.append(_coarser(self.levels[-1]))
        self.factors = _factorise(self.levels[-1])

    def solve(self, residual: Array, scale: float) -> Array:
        """Return an approximate solution of A x = scale residual; `scale` should bring its entries near 1."""
        network = (*self.network, residual, scale, self.x)
        coarse = self.levels[0]
        self.x[...] = 0.0
        for box in self.boxes:
            kernels.smooth(*network, 0, box)
            kernels.smooth(*network, 1, box)
        kernels.restrict_residual(*network, self.slot, coarse.first, coarse.b)
        self._visit(0, 1)
        kernels.add_correction(self.x, coarse.x, self.slot, coarse.first, OVER_RELAXATION)
        for box in reversed(self.boxes):
            kernels.smooth(*network, 1, box)
            kernels.smooth(*network, 0, box)
        return self.x

    def _visit(self, depth: int, visits: int) -> None:
        with threads_for(len(self.levels[depth].x), NODES_PER_THREAD):
            self._cycle(depth, visits)

    def _cycle(self, depth: int, visits: int) -> None:
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            level.x[...] = self.factors.solve(level.b)
            return
        coarse = self.levels[depth + 1]
        level.x[...] = 0.0
        for _ in range(visits):
            level.smooth(self.faces.periodic, backward=False)
            graph_kernels.restrict_slabs(
                level.slabs, coarse.slabs, level.start, level.to, level.value, level.ground, level.parent,
                level.b, level.x, coarse.b,
            )  # fmt: skip
            self._visit(depth + 1, CYCLES)
            graph_kernels.add_parents(level.x, coarse.x, level.parent, OVER_RELAXATION)
            level.smooth(self.faces.periodic, backward=True)


def smoothing_boxes(faces: Faces) -> list[NDArray[np.int64]]:
    """Return boxes in which neighbours always differ in colour.

    Around a periodic axis with an odd number of voxels red meets red; its last plane is then smoothed on its own.
    """
    ranges = []
    for axis, n in enumerate(faces.of_axis[0].shape):
        odd = n > 1 and n % 2 == 1 and bool(np.take(faces.of_axis[axis], -1, axis=axis).any())
        ranges.append([(0, n - 1), (n - 1, n)] if odd else [(0, n)])
    return [np.array([edge for pair in boxes for edge in pair]) for boxes in product(*ranges)]


def _first_graph(faces: Faces, slot: NDArray[np.uint8]) -> Graph:
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


def _coarser(level: Graph) -> Graph:
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


def _row_sums(start: Integers, value: Single) -> Array:
    """Return the sum of the edges of each node."""
    rows = np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
    return np.bincount(rows, weights=value, minlength=len(start) - 1).astype(np.float64)


def _factorise(level: Graph) -> SuperLU:
    """Factorise a level; one node of every set that nothing grounds is tied to 0 by its own conductance.

    The currents into such a set sum to zero, so none flows to its ground and the solution is exact up to a constant.
    """
    n = len(level.x)
    off = sp.csr_matrix((level.value.astype(np.float64), level.to, level.start), shape=(n, n))
    diagonal = level.ground + np.asarray(off.sum(axis=1)).ravel()
    _, member = connected_components(off, directed=False)
    held = np.bincount(member, weights=level.ground > 0.0) > 0.0
    _, anchor = np.unique(member, return_index=True)
    loose = anchor[~held]
    diagonal[loose] *= 2.0
    diagonal[diagonal <= 0.0] = 1.0
    return splu((sp.diags(diagonal) - off).tocsc())
