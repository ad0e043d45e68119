"""One symmetric cycle inside a closed set of voxels, for eight sources at a time: voxels, then a W-cycle of its aggregates.

The eight values of a voxel are spelled out, so that the compiler keeps them in registers.
"""

from __future__ import annotations

import numpy as np

from microstructures.jit import inline_kernel, kernel

OVER_RELAXATION = 1.4
"""Of the coarse correction, as in `kmc.multigrid.cycle`."""
DEEPEST = 16
"""Levels at most: each halves the box."""


@inline_kernel
def load(x, n):  # type: ignore[no-untyped-def]
    """Return the values of one voxel or aggregate."""
    return (x[n, 0], x[n, 1], x[n, 2], x[n, 3], x[n, 4], x[n, 5], x[n, 6], x[n, 7])


@inline_kernel
def store(x, n, s):  # type: ignore[no-untyped-def]
    """Write the values of one voxel or aggregate."""
    x[n, 0], x[n, 1], x[n, 2], x[n, 3], x[n, 4], x[n, 5], x[n, 6], x[n, 7] = s


@inline_kernel
def add(s, g, r):  # type: ignore[no-untyped-def]
    """Return s + g r."""
    return (
        s[0] + g * r[0], s[1] + g * r[1], s[2] + g * r[2], s[3] + g * r[3],
        s[4] + g * r[4], s[5] + g * r[5], s[6] + g * r[6], s[7] + g * r[7],
    )  # fmt: skip


@inline_kernel
def add_drop(s, g, p, q):  # type: ignore[no-untyped-def]
    """Return s + g (p - q)."""
    return (
        s[0] + g * (p[0] - q[0]), s[1] + g * (p[1] - q[1]), s[2] + g * (p[2] - q[2]), s[3] + g * (p[3] - q[3]),
        s[4] + g * (p[4] - q[4]), s[5] + g * (p[5] - q[5]), s[6] + g * (p[6] - q[6]), s[7] + g * (p[7] - q[7]),
    )  # fmt: skip


@inline_kernel
def add_each(s, g, r):  # type: ignore[no-untyped-def]
    """Return s + g r, with a factor of its own for every column."""
    return (
        s[0] + g[0] * r[0], s[1] + g[1] * r[1], s[2] + g[2] * r[2], s[3] + g[3] * r[3],
        s[4] + g[4] * r[4], s[5] + g[5] * r[5], s[6] + g[6] * r[6], s[7] + g[7] * r[7],
    )  # fmt: skip


@inline_kernel
def times(g, r):  # type: ignore[no-untyped-def]
    """Return g r."""
    return (g * r[0], g * r[1], g * r[2], g * r[3], g * r[4], g * r[5], g * r[6], g * r[7])


@kernel
def _smooth(to, value, inverse, b, x, backward):  # type: ignore[no-untyped-def]
    """Solve voxel after voxel for its neighbours."""
    for step in range(len(x)):
        n = len(x) - 1 - step if backward else step
        s = load(b, n)
        for face in range(6):
            m = to[n, face]
            if m != n:
                s = add(s, value[n, face], load(x, m))
        store(x, n, times(inverse[n], s))


@kernel
def _smooth_graph(first, last, start, to, value, inverse, shift, b, x, backward):  # type: ignore[no-untyped-def]
    """Solve aggregate after aggregate of one level for its neighbours."""
    for step in range(last - first):
        n = last - 1 - step if backward else first + step
        s = load(b, n + shift)
        for e in range(start[n], start[n + 1]):
            s = add(s, np.float64(value[e]), load(x, to[e] + shift))
        store(x, n + shift, times(inverse[n], s))


@kernel
def _restrict_graph(first, last, start, to, value, parent, shift, coarse_shift, b, x):  # type: ignore[no-untyped-def]
    """Sum the residual over the aggregates of the next level; edges inside one are left out."""
    for n in range(first, last):
        at, mine = n + shift, parent[n] + coarse_shift
        own, s = load(x, at), load(b, at)
        for e in range(start[n], start[n + 1]):
            if parent[to[e]] != parent[n]:
                s = add_drop(s, -np.float64(value[e]), own, load(x, to[e] + shift))
        store(b, mine, add(load(b, mine), 1.0, s))


@kernel
def _solve_coarse(inverse, low, b, x):  # type: ignore[no-untyped-def]
    n = len(inverse)
    for a in range(n):
        s = times(0.0, load(b, low))
        for m in range(n):
            s = add(s, inverse[a, m], load(b, low + m))
        store(x, low + a, s)


@kernel
def _cycle(depth, base, start, to, value, inverse, parent, coarse_inverse, b, x):  # type: ignore[no-untyped-def]
    """Write the potentials of all levels for the sources `b` into the first: a W-cycle; base[l] is where level l begins."""
    visits = np.zeros(DEEPEST, dtype=np.int64)
    first, local = base
    level, descend = 0, True
    while True:
        low, high = local[level], local[level + 1]
        shift = low - first[level]
        if level == depth:
            _solve_coarse(coarse_inverse, low, b, x)
            if level == 0:
                return
            descend = False
            level -= 1
            continue
        size = high - low
        if descend:
            if visits[level] == 0:
                x[low:high] = 0.0
            _smooth_graph(first[level], first[level] + size, start, to, value, inverse, shift, b, x, False)
            coarse_shift = local[level + 1] - first[level + 1]
            b[local[level + 1] : local[level + 2]] = 0.0
            _restrict_graph(first[level], first[level] + size, start, to, value, parent, shift, coarse_shift, b, x)
            level += 1
            visits[level] = 0
            continue
        coarse_shift = local[level + 1] - first[level + 1]
        for n in range(first[level], first[level] + size):
            store(x, n + shift, add(load(x, n + shift), OVER_RELAXATION, load(x, parent[n] + coarse_shift)))
        _smooth_graph(first[level], first[level] + size, start, to, value, inverse, shift, b, x, True)
        visits[level] += 1
        if level == 0:
            return
        if visits[level] < 2:
            descend = True
        else:
            level -= 1


@kernel
def cycle(to, value, inverse, parent, levels, base, depth, coarse_inverse, b, x, coarse_b, coarse_x):  # type: ignore[no-untyped-def]
    """Write about the potentials for the sources `b`: one cycle."""
    x[:] = 0.0
    _smooth(to, value, inverse, b, x, False)
    coarse_b[: base[1][1]] = 0.0
    for v in range(len(x)):
        mine = parent[v]
        own, s = load(x, v), load(b, v)
        for face in range(6):
            m = to[v, face]
            if parent[m] != mine:
                s = add_drop(s, -value[v, face], own, load(x, m))
        store(coarse_b, mine, add(load(coarse_b, mine), 1.0, s))
    _cycle(depth, base, *levels, coarse_inverse, coarse_b, coarse_x)
    for v in range(len(x)):
        store(x, v, add(load(x, v), OVER_RELAXATION, load(coarse_x, parent[v])))
    _smooth(to, value, inverse, b, x, True)
