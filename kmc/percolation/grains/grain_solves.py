"""Conjugate gradients inside one closed set of voxels, for eight sources at a time, with a W-cycle of its aggregates.

The dissipation of each source, its own entry of the matrix of the grain, rises with every step by a known amount; a solve
ends when the last steps have added next to nothing to it (Hestenes and Stiefel 1952; Strakos and Tichy 2002).
"""

from __future__ import annotations

import numpy as np

from kmc.percolation.grains.grain_cycle import add_drop, add_each, cycle, load, store, times
from microstructures.jit import kernel

WIDTH = 8
"""Sources that are solved together, as `kmc.percolation.grains.grain_cycle` spells them out."""
DELAY = 3
"""Steps whose gain is held against the whole."""
MOST_STEPS = 200
ROUNDING = 1e-24
"""Work of a residual, against that of the first, below which it is rounding."""


@kernel
def list_faces(node, voxels, first_voxel, place, shape, of_x, of_y, of_z, table, to, value):  # type: ignore[no-untyped-def]
    """Write the six neighbours of every voxel of a node, as places in it, and the conductances to them."""
    nx, ny, nz = shape
    for n in range(first_voxel[node], first_voxel[node + 1]):
        m, at = n - first_voxel[node], voxels[n]
        i, j, k = at // (ny * nz), at // nz % ny, at % nz
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
        down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
        value[m, 0], to[m, 0] = table[0, of_x[before, j, k]], place[before, j, k]
        value[m, 1], to[m, 1] = table[1, of_y[i, left, k]], place[i, left, k]
        value[m, 2], to[m, 2] = table[2, of_z[i, j, down]], place[i, j, down]
        value[m, 3], to[m, 3] = table[2, of_z[i, j, k]], place[i, j, up]
        value[m, 4], to[m, 4] = table[1, of_y[i, j, k]], place[i, right, k]
        value[m, 5], to[m, 5] = table[0, of_x[i, j, k]], place[after, j, k]
        for face in range(6):
            if value[m, face] == 0.0:
                to[m, face] = m


@kernel
def coarse_matrix(first, last, start, to, value):  # type: ignore[no-untyped-def]
    """Return the dense matrix of a node's aggregates, its constant potentials grounded."""
    n = last - first
    matrix = np.zeros((n, n))
    for a in range(n):
        for e in range(start[first + a], start[first + a + 1]):
            b = to[e] - first
            matrix[a, b] -= value[e]
            matrix[a, a] += value[e]
    mean = 0.0
    for a in range(n):
        mean += matrix[a, a] / n
    return matrix + (mean if mean > 0.0 else 1.0) / n


@kernel
def inverse(matrix):  # type: ignore[no-untyped-def]
    """Return the inverse of a symmetric positive definite matrix (Gauss-Jordan), the same bits wherever it runs."""
    n = len(matrix)
    out = matrix.copy()
    row = np.empty(n)
    for k in range(n):
        pivot = 1.0 / out[k, k]
        for j in range(n):
            row[j] = out[k, j] * pivot
        row[k] = pivot
        for i in range(n):
            f = out[i, k]
            if i == k or f == 0.0:
                continue
            out[i, k] = 0.0
            for j in range(n):
                out[i, j] -= f * row[j]
        out[k] = row
    return out


@kernel
def gram(rows):  # type: ignore[no-untyped-def]
    """Return rows^T rows, summed in order."""
    k = rows.shape[1]
    out = np.zeros((k, k))
    for n in range(len(rows)):
        for i in range(k):
            f = rows[n, i]
            for j in range(i + 1):
                out[i, j] += f * rows[n, j]
    for i in range(k):
        for j in range(i):
            out[j, i] = out[i, j]
    return out


@kernel
def _dots(a, b, out):  # type: ignore[no-untyped-def]
    s = times(0.0, load(a, 0))
    for v in range(len(a)):
        s = add_each(s, load(a, v), load(b, v))
    for c in range(WIDTH):
        out[c] = s[c]


@kernel
def _turn(x, beta, p):  # type: ignore[no-untyped-def]
    """p = x + beta p."""
    g = (beta[0], beta[1], beta[2], beta[3], beta[4], beta[5], beta[6], beta[7])
    for v in range(len(x)):
        store(p, v, add_each(load(x, v), g, load(p, v)))


@kernel
def _move(alpha, p, q, y, b):  # type: ignore[no-untyped-def]
    """y += alpha p, b -= alpha q."""
    g = (alpha[0], alpha[1], alpha[2], alpha[3], alpha[4], alpha[5], alpha[6], alpha[7])
    less = times(-1.0, g)
    for v in range(len(y)):
        store(y, v, add_each(load(y, v), g, load(p, v)))
        store(b, v, add_each(load(b, v), less, load(q, v)))


@kernel
def _multiply(to, value, x, out):  # type: ignore[no-untyped-def]
    """Write the net current out of every voxel."""
    for n in range(len(x)):
        own = load(x, n)
        s = times(0.0, own)
        for face in range(6):
            s = add_drop(s, value[n, face], own, load(x, to[n, face]))
        store(out, n, s)


@kernel
def solve(to, value, inverse, parent, levels, base, depth, coarse_inverse, b, tolerance, y):  # type: ignore[no-untyped-def]
    """Write the potentials `y` for the sources `b`, shape (n_voxels, WIDTH), which sum to zero; return the steps taken.

    Parameters
    ----------
    to, value : ndarrays of shape (n_voxels, 6)
        From `list_faces`.
    inverse : ndarray of shape (n_voxels,)
        Inverse of the diagonal.
    parent : ndarray of shape (n_voxels,), int64
        Aggregate of each voxel, counted from the node's first.
    levels : tuple
        start, to, value, inverse and parent of all aggregates.
    base : tuple of 2 ndarrays
        First aggregate of the node on each level, and its place in lists of this node's alone (one more entry at the end).
    depth : int
        Level that is solved directly, by `coarse_inverse`.
    b : ndarray of shape (n_voxels, WIDTH)
        Sources; they become the residuals.
    tolerance : float
        Largest share of the dissipation that the last steps may have added.
    y : ndarray of shape (n_voxels, WIDTH)
        Zeros.
    """
    n = len(b)
    x, p, q = np.zeros((n, WIDTH)), np.zeros((n, WIDTH)), np.empty((n, WIDTH))
    total_nodes = base[1][depth + 1]
    coarse_b, coarse_x = np.zeros((total_nodes, WIDTH)), np.zeros((total_nodes, WIDTH))
    before, lead, whole, gains = np.ones(WIDTH), np.zeros(WIDTH), np.zeros(WIDTH), np.zeros((DELAY, WIDTH))
    done = np.zeros(WIDTH, dtype=np.bool_)
    for step in range(MOST_STEPS):
        cycle(to, value, inverse, parent, levels, base, depth, coarse_inverse, b, x, coarse_b, coarse_x)
        work, curvature = np.zeros(WIDTH), np.zeros(WIDTH)
        _dots(x, b, work)
        _turn(x, work / before if step else np.zeros(WIDTH), p)
        _multiply(to, value, p, q)
        _dots(p, q, curvature)
        alpha = np.zeros(WIDTH)
        for c in range(WIDTH):
            if step == 0:
                lead[c] = work[c]
            done[c] = done[c] or not (work[c] > ROUNDING * lead[c] and curvature[c] > 0.0)
            gains[step % DELAY, c] = 0.0
            if done[c]:
                continue
            alpha[c], before[c] = work[c] / curvature[c], work[c]
            gains[step % DELAY, c] = alpha[c] * work[c]
            whole[c] += gains[step % DELAY, c]
            done[c] = step + 1 >= DELAY and gains[:, c].sum() <= tolerance * whole[c]
        _move(alpha, p, q, y, b)
        for c in range(WIDTH):
            if done[c]:
                b[:, c] = 0.0
        if done.all():
            return step + 1
    return MOST_STEPS
