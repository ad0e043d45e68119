"""Kernels of a coarse level, a graph whose nodes lie in slabs: smooth on it, move between levels.

Edges of node n: `to` and `value` from start[n] to start[n + 1]; nodes of one slab follow each other, edges reach no farther
than the next slab. Every second slab is treated at the same time, each in the order of its nodes, so results do not depend
on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from microstructures.jit import parallel_kernel


@parallel_kernel
def invert_diagonal(slabs, start, value, ground, out):  # type: ignore[no-untyped-def]
    """Write the inverse of what joins each node to others and to the ground, 0 where nothing does."""
    for step in prange(len(slabs) - 1):
        slab = np.int64(step)
        for n in range(slabs[slab], slabs[slab + 1]):
            s = ground[n]
            for e in range(start[n], start[n + 1]):
                s += value[e]
            out[n] = 1.0 / s if s > 0.0 else 0.0


@parallel_kernel
def smooth_slabs(slabs, start, to, value, ground, inverse, b, x, colour, end, backward):  # type: ignore[no-untyped-def]
    """Solve node after node of every second slab from `colour` to `end` for its neighbours (Gauss-Seidel)."""
    for step in prange((end - colour + 1) // 2):
        slab = colour + 2 * np.int64(step)
        low, high = slabs[slab], slabs[slab + 1]
        for m in range(high - low):
            n = high - 1 - m if backward else low + m
            v = x[n]
            s = b[n] - ground[n] * v
            for e in range(start[n], start[n + 1]):
                s += value[e] * (x[to[e]] - v)
            x[n] = v + inverse[n] * s


@parallel_kernel
def restrict_slabs(slabs, coarse_slabs, start, to, value, ground, parent, b, x, out):  # type: ignore[no-untyped-def]
    """Write the residual b - A x, summed over the aggregates (edges inside one left out); a coarse slab holds two slabs."""
    n_slabs = len(slabs) - 1
    for step in prange(len(coarse_slabs) - 1):
        slab = np.int64(step)
        for n in range(coarse_slabs[slab], coarse_slabs[slab + 1]):
            out[n] = 0.0
        for n in range(slabs[2 * slab], slabs[min(2 * slab + 2, n_slabs)]):
            mine, v = parent[n], x[n]
            s = b[n] - ground[n] * v
            for e in range(start[n], start[n + 1]):
                if parent[to[e]] != mine:
                    s += value[e] * (x[to[e]] - v)
            out[mine] += s


@parallel_kernel
def add_parents(x, coarse, parent, weight):  # type: ignore[no-untyped-def]
    """Add the weighted value of each node's aggregate."""
    for n in prange(len(x)):
        x[n] += weight * coarse[parent[n]]


@parallel_kernel
def graph_residual(slabs, start, to, value, ground, b, x, out):  # type: ignore[no-untyped-def]
    """Write b - A x of every node, from differences of potentials."""
    for step in prange(len(slabs) - 1):
        slab = np.int64(step)
        for n in range(slabs[slab], slabs[slab + 1]):
            v = x[n]
            s = b[n] - ground[n] * v
            for e in range(start[n], start[n + 1]):
                s += value[e] * (x[to[e]] - v)
            out[n] = s
