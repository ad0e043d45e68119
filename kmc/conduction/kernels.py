"""Kernels of the 7-point network: apply it, smooth on it, move between levels.

Arrays: conductances gx, gy, gz of shape (nx, ny, nz) hold the face to the next voxel along x, y, z (the last one wraps
around); low, high of shape (ny, nz) join the first and last plane to plates. Every parallel loop writes its own plane, so
results do not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from microstructures.jit import kernel, parallel_kernel


@parallel_kernel
def expand(of_x, of_y, of_z, table, wraps, g_x, g_y, g_z):  # type: ignore[no-untyped-def]
    """Look up the conductance of every face; faces across the outer boundary are closed unless `wraps`."""
    nx, ny, nz = of_x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                g_x[i, j, k] = table[0, of_x[i, j, k]] if wraps or i + 1 < nx else 0.0
                g_y[i, j, k] = table[1, of_y[i, j, k]] if wraps or j + 1 < ny else 0.0
                g_z[i, j, k] = table[2, of_z[i, j, k]] if wraps or k + 1 < nz else 0.0


@parallel_kernel
def close_faces(g_x, g_y, g_z, keep):  # type: ignore[no-untyped-def]
    """Close every face that does not join two kept voxels."""
    nx, ny, nz = g_x.shape
    for i in prange(nx):
        i1 = i + 1 if i + 1 < nx else 0
        for j in range(ny):
            j1 = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                k1 = k + 1 if k + 1 < nz else 0
                if not (keep[i, j, k] and keep[i1, j, k]):
                    g_x[i, j, k] = 0.0
                if not (keep[i, j, k] and keep[i, j1, k]):
                    g_y[i, j, k] = 0.0
                if not (keep[i, j, k] and keep[i, j, k1]):
                    g_z[i, j, k] = 0.0


@parallel_kernel
def apply(g_x, g_y, g_z, low, high, x, out):  # type: ignore[no-untyped-def]
    """Write the net current out of every voxel for potentials `x`, plates at 0."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        for j in range(ny):
            left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
            for k in range(nz):
                down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
                v = x[i, j, k]
                s = g_x[before, j, k] * (v - x[before, j, k]) + g_x[i, j, k] * (v - x[after, j, k])
                s += g_y[i, left, k] * (v - x[i, left, k]) + g_y[i, j, k] * (v - x[i, right, k])
                s += g_z[i, j, down] * (v - x[i, j, down]) + g_z[i, j, k] * (v - x[i, j, up])
                out[i, j, k] = s
            if i == 0:
                for k in range(nz):
                    out[i, j, k] += low[j, k] * x[i, j, k]
            if i + 1 == nx:
                for k in range(nz):
                    out[i, j, k] += high[j, k] * x[i, j, k]


@parallel_kernel
def smooth(g_x, g_y, g_z, low, high, b, x, colour, box):  # type: ignore[no-untyped-def]
    """Solve every second voxel of a box for its neighbours (one colour of a red-black Gauss-Seidel sweep)."""
    nx, ny, nz = x.shape
    for step in prange(box[1] - box[0]):
        i = step + box[0]
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        for j in range(box[2], box[3]):
            left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
            for k in range(box[4] + ((i + j + box[4] + colour) & 1), box[5], 2):
                down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
                g0, g1, g2 = g_x[before, j, k], g_x[i, j, k], g_y[i, left, k]
                g3, g4, g5 = g_y[i, j, k], g_z[i, j, down], g_z[i, j, k]
                d = g0 + g1 + g2 + g3 + g4 + g5
                if i == 0:
                    d += low[j, k]
                if i + 1 == nx:
                    d += high[j, k]
                if d > 0.0:
                    s = b[i, j, k] + g0 * x[before, j, k] + g1 * x[after, j, k] + g2 * x[i, left, k]
                    x[i, j, k] = (s + g3 * x[i, right, k] + g4 * x[i, j, down] + g5 * x[i, j, up]) / d


@parallel_kernel
def restrict_residual(g_x, g_y, g_z, low, high, b, x, coarse):  # type: ignore[no-untyped-def]
    """Write the residual b - A x, summed over blocks of 2 x 2 x 2 voxels."""
    nx, ny, nz = x.shape
    cx, cy, cz = coarse.shape
    for ci in prange(cx):
        for cj in range(cy):
            for ck in range(cz):
                coarse[ci, cj, ck] = np.float32(0.0)
        for i in range(2 * ci, min(2 * ci + 2, nx)):
            before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
            for j in range(ny):
                left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
                for k in range(nz):
                    down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
                    v = x[i, j, k]
                    s = g_x[before, j, k] * (v - x[before, j, k]) + g_x[i, j, k] * (v - x[after, j, k])
                    s += g_y[i, left, k] * (v - x[i, left, k]) + g_y[i, j, k] * (v - x[i, right, k])
                    s += g_z[i, j, down] * (v - x[i, j, down]) + g_z[i, j, k] * (v - x[i, j, up])
                    if i == 0:
                        s += low[j, k] * v
                    if i + 1 == nx:
                        s += high[j, k] * v
                    coarse[ci, j >> 1, k >> 1] += b[i, j, k] - s


@parallel_kernel
def add_correction(x, coarse, weight):  # type: ignore[no-untyped-def]
    """Add the weighted value of each voxel's block."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x[i, j, k] += weight * coarse[i >> 1, j >> 1, k >> 1]


@parallel_kernel
def coarsen(g_x, g_y, g_z, c_x, c_y, c_z):  # type: ignore[no-untyped-def]
    """Sum the faces between blocks of 2 x 2 x 2 voxels (Galerkin operator of block-constant potentials)."""
    nx, ny, nz = g_x.shape
    cx, cy, cz = c_x.shape
    for ci in prange(cx):
        i0, i1 = 2 * ci, min(2 * ci + 1, nx - 1)
        for cj in range(cy):
            j0, j1 = 2 * cj, min(2 * cj + 1, ny - 1)
            for ck in range(cz):
                k0, k1 = 2 * ck, min(2 * ck + 1, nz - 1)
                s = t = u = 0.0
                for j in range(j0, j1 + 1):
                    for k in range(k0, k1 + 1):
                        s += g_x[i1, j, k]
                for i in range(i0, i1 + 1):
                    for k in range(k0, k1 + 1):
                        t += g_y[i, j1, k]
                    for j in range(j0, j1 + 1):
                        u += g_z[i, j, k1]
                c_x[ci, cj, ck] = s if cx > 1 else 0.0
                c_y[ci, cj, ck] = t if cy > 1 else 0.0
                c_z[ci, cj, ck] = u if cz > 1 else 0.0


@parallel_kernel
def plane_dots(a, b, out):  # type: ignore[no-untyped-def]
    """Write the scalar product of each x plane; summing these in order gives the same bits for any thread count."""
    nx, ny, nz = a.shape
    for i in prange(nx):
        s = 0.0
        for j in range(ny):
            for k in range(nz):
                s += np.float64(a[i, j, k]) * np.float64(b[i, j, k])
        out[i] = s


@parallel_kernel
def step_solution(alpha, p, q, x, r):  # type: ignore[no-untyped-def]
    """x += alpha p, r -= alpha q."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x[i, j, k] += alpha * p[i, j, k]
                r[i, j, k] -= alpha * q[i, j, k]


@parallel_kernel
def step_direction(z, beta, p):  # type: ignore[no-untyped-def]
    """p = z + beta p."""
    nx, ny, nz = z.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                p[i, j, k] = z[i, j, k] + beta * p[i, j, k]


@parallel_kernel
def piece_sums(pieces, r, partial):  # type: ignore[no-untyped-def]
    """Sum `r` over pieces, one row of partial sums per slab of planes."""
    slabs = partial.shape[0]
    nx, ny, nz = r.shape
    for slab in prange(slabs):
        partial[slab, :] = 0.0
        for i in range(slab * nx // slabs, (slab + 1) * nx // slabs):
            for j in range(ny):
                for k in range(nz):
                    partial[slab, pieces[i, j, k]] += r[i, j, k]


@parallel_kernel
def add_pieces(pieces, values, x):  # type: ignore[no-untyped-def]
    """Add to each voxel the value of its piece."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x[i, j, k] += values[pieces[i, j, k]]


@kernel
def multiply(matrix, b, out):  # type: ignore[no-untyped-def]
    """Write matrix b of a small dense matrix; serial, for a threaded library would wait longer than it works."""
    flat_b, flat_out = b.reshape(-1), out.reshape(-1)
    for i in range(matrix.shape[0]):
        s = np.float32(0.0)
        for j in range(matrix.shape[1]):
            s += matrix[i, j] * flat_b[j]
        flat_out[i] = s
