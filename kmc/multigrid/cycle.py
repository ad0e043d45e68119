"""Multigrid for the 7-point network whose aggregates stop at interfaces and end in the contact graph.

The finest level stays matrix-free. The coarse correction is over-relaxed, since piecewise constant potentials are too stiff
(Braess 1995). Currents inside an aggregate are never summed over it, and vectors are float64: the potential of a grain that
hangs together with the rest by a conductance 1e-12 times weaker than its own would drown in the rounding of its own currents.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from kmc.multigrid import graph_kernels, kernels
from kmc.multigrid.levels import Coarsest, Faces, coarser_graph, first_graph
from microstructures.jit import threads_for

OVER_RELAXATION = 1.4
LARGEST_DIRECT = 1000
NODES_PER_THREAD = 20_000
CYCLES = 2
"""Visits of the next coarser level from each coarse one (2: W-cycle)."""

Array = NDArray[np.float64]


class Multigrid:
    """A symmetric cycle on voxels and ever coarser graphs."""

    def __init__(self, faces: Faces) -> None:
        """Build the hierarchy."""
        self.faces = faces
        self.network = (*faces.of_axis, faces.table, faces.low, faces.high)
        self.boxes = smoothing_boxes(faces)
        self.x = np.zeros(faces.of_axis[0].shape)
        self.slot = np.empty(self.x.shape, dtype=np.uint8)
        self.levels = [first_graph(faces, self.slot)]
        while len(self.levels[-1].x) > LARGEST_DIRECT and max(self.levels[-1].shape) > 1:
            self.levels.append(coarser_graph(self.levels[-1]))
        self.coarsest = Coarsest(self.levels[-1])

    def solve(self, residual: Array, scale: float) -> Array:
        """Return an approximate solution of A x = scale residual; `scale` should bring its entries near 1."""
        network = (*self.network, residual, scale, self.x)
        coarse = self.levels[0]
        self.x[...] = 0.0
        for box in self.boxes:
            kernels.smooth(*network, 0, box)
            kernels.smooth(*network, 1, box)
        kernels.restrict_residual(*network, self.slot, coarse.first, coarse.b)
        self.cycle(0, 1)
        kernels.add_correction(self.x, coarse.x, self.slot, coarse.first, OVER_RELAXATION)
        for box in reversed(self.boxes):
            kernels.smooth(*network, 1, box)
            kernels.smooth(*network, 0, box)
        return self.x

    def sum_over_aggregates(self, source: Array) -> list[Array]:
        """Return the currents into the nodes of every graph, from the finest to the coarsest, for those into the voxels."""
        first = self.levels[0]
        self.x[...] = 0.0
        kernels.restrict_residual(*self.network, source, 1.0, self.x, self.slot, first.first, first.b)
        sums: list[Array] = [first.b.copy()]
        for level, coarse in pairwise(self.levels):
            sums.append(np.bincount(level.parent, weights=sums[-1], minlength=len(coarse.x)).astype(np.float64, copy=False))
        return sums

    def spread_over_voxels(self, nodes: Array, out: Array) -> None:
        """Write the potential that is constant in every aggregate of voxels, from those of the finest graph."""
        out[...] = 0.0
        kernels.add_correction(out, nodes, self.slot, self.levels[0].first, 1.0)

    def cycle(self, depth: int, visits: int) -> None:
        """Write to the potential of a graph an approximate solution for the currents into its nodes."""
        with threads_for(len(self.levels[depth].x), NODES_PER_THREAD):
            self._cycle(depth, visits)

    def _cycle(self, depth: int, visits: int) -> None:
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            level.x[...] = self.coarsest.solve(level.b)
            return
        coarse = self.levels[depth + 1]
        level.x[...] = 0.0
        for _ in range(visits):
            level.smooth(self.faces.periodic, backward=False)
            graph_kernels.restrict_slabs(
                level.slabs, coarse.slabs, level.start, level.to, level.value, level.ground, level.parent,
                level.b, level.x, coarse.b,
            )  # fmt: skip
            self.cycle(depth + 1, CYCLES)
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
