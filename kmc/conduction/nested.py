"""The first guess of a solve: every graph solved roughly, from the coarsest to the finest (nested iteration).

Potentials that change evenly from plate to plate drive strong currents through every good conductor; where good conductors do
not span, these exceed the true currents by the contrast squared, and each step of the solver takes out but a part of them.
Potentials that are constant in each aggregate know which voxels hang together (Brandt 1977; Hackbusch 1985).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.multigrid import graph_kernels
from kmc.multigrid.cycle import Multigrid
from kmc.multigrid.levels import Graph

MOST_STEPS = 12
"""Steps of conjugate gradients on each graph, at most."""
WORTHWHILE = 1e-3
"""A step that lowers the dissipation by less than this share of what all have is the last one."""

Array = NDArray[np.float64]


def nested_guess(multigrid: Multigrid, source: Array, out: Array) -> None:
    """Write a potential of the voxels, constant in each of their aggregates, for the currents `source` into them."""
    *sums, last = multigrid.sum_over_aggregates(source)
    x = multigrid.coarsest.solve(last)
    for depth in range(len(sums) - 1, -1, -1):
        x = x[multigrid.levels[depth].parent]
        _improve(multigrid, depth, sums[depth], x)
    multigrid.spread_over_voxels(x, out)


def _improve(multigrid: Multigrid, depth: int, b: Array, x: Array) -> None:
    """Take some steps of conjugate gradients from `x`, in place."""
    level = multigrid.levels[depth]
    r, p, before = _residual(level, b, x), np.zeros_like(x), 1.0
    nothing, total = np.zeros_like(x), 0.0
    for step in range(MOST_STEPS):
        size = float(np.abs(r).max(initial=0.0))
        if size == 0.0:
            return
        np.divide(r, size, out=level.b)
        multigrid.cycle(depth, 1)
        z = size * level.x
        work = float((r * z).sum())
        p = z + (work / before) * p if step else z
        q = -_residual(level, nothing, p)
        curvature = float((p * q).sum())
        if not curvature > 0.0:
            return
        x += work / curvature * p
        r -= work / curvature * q
        gain, before = work * work / curvature, work
        total += gain
        if gain <= WORTHWHILE * total:
            return


def _residual(level: Graph, b: Array, x: Array) -> Array:
    out = np.empty_like(x)
    graph_kernels.graph_residual(level.slabs, level.start, level.to, level.value, level.ground, b, x, out)
    return out
