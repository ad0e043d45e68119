"""Kernels of the 7-point network of voxels: apply it, smooth on it, and the vector steps of conjugate gradients.

The network is read from classes: of_x, of_y, of_z of shape (nx, ny, nz) hold the class of the face to the next voxel along
x, y, z (the last one wraps around), table of shape (3, n_classes) what a class conducts along each axis; low, high of shape
(ny, nz) join the first and last plane to plates. Every parallel loop writes its own plane, so results do not depend on the
number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from microstructures.jit import kernel, parallel_kernel


@kernel
def mark_classes(of_axis, seen):  # type: ignore[no-untyped-def]
    """Mark the classes that occur."""
    for c in of_axis.flat:
        seen[c] = True


@parallel_kernel
def close_faces(of_x, of_y, of_z, keep, wraps):  # type: ignore[no-untyped-def]
    """Give the blocked class 0 to every face that does not join two kept voxels, or wraps around where it must not."""
    nx, ny, nz = of_x.shape
    for i in prange(nx):
        i1 = i + 1 if i + 1 < nx else 0
        for j in range(ny):
            j1 = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                k1 = k + 1 if k + 1 < nz else 0
                if not (keep[i, j, k] and keep[i1, j, k] and (wraps or i1 > 0)):
                    of_x[i, j, k] = 0
                if not (keep[i, j, k] and keep[i, j1, k] and (wraps or j1 > 0)):
                    of_y[i, j, k] = 0
                if not (keep[i, j, k] and keep[i, j, k1] and (wraps or k1 > 0)):
                    of_z[i, j, k] = 0


@parallel_kernel
def apply(of_x, of_y, of_z, table, low, high, x, out):  # type: ignore[no-untyped-def]
    """Write the net current out of every voxel for potentials `x`, plates at 0."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        for j in range(ny):
            left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
            along = table[2, of_z[i, j, nz - 1]] * (x[i, j, 0] - x[i, j, nz - 1])
            for k in range(nz):
                up = k + 1 if k + 1 < nz else 0
                v = x[i, j, k]
                s = table[0, of_x[before, j, k]] * (v - x[before, j, k]) + table[0, of_x[i, j, k]] * (v - x[after, j, k])
                s += table[1, of_y[i, left, k]] * (v - x[i, left, k]) + table[1, of_y[i, j, k]] * (v - x[i, right, k])
                ahead = table[2, of_z[i, j, k]] * (x[i, j, up] - v)
                out[i, j, k] = s + along - ahead
                along = ahead
            if i == 0:
                for k in range(nz):
                    out[i, j, k] += low[j, k] * x[i, j, k]
            if i + 1 == nx:
                for k in range(nz):
                    out[i, j, k] += high[j, k] * x[i, j, k]


@parallel_kernel
def smooth(of_x, of_y, of_z, table, low, high, b, scale, x, colour, box):  # type: ignore[no-untyped-def]
    """Solve every second voxel of a box for its neighbours (one colour of a red-black Gauss-Seidel sweep)."""
    nx, ny, nz = x.shape
    for step in prange(box[1] - box[0]):
        i = step + box[0]
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        for j in range(box[2], box[3]):
            left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
            for k in range(box[4] + ((i + j + box[4] + colour) & 1), box[5], 2):
                down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
                g0, g1, g2 = table[0, of_x[before, j, k]], table[0, of_x[i, j, k]], table[1, of_y[i, left, k]]
                g3, g4, g5 = table[1, of_y[i, j, k]], table[2, of_z[i, j, down]], table[2, of_z[i, j, k]]
                d = g0 + g1 + g2 + g3 + g4 + g5
                if i == 0:
                    d += low[j, k]
                if i + 1 == nx:
                    d += high[j, k]
                if d > 0.0:
                    s = scale * b[i, j, k] + g0 * x[before, j, k] + g1 * x[after, j, k] + g2 * x[i, left, k]
                    x[i, j, k] = (s + g3 * x[i, right, k] + g4 * x[i, j, down] + g5 * x[i, j, up]) / d


@parallel_kernel
def restrict_residual(of_x, of_y, of_z, table, low, high, b, scale, x, slot, first, out):  # type: ignore[no-untyped-def]
    """Write the residual b - A x, summed over the aggregates: `slot` within the block of 2 x 2 x 2, `first` of the block.

    Faces inside an aggregate are left out, so that strong currents in it cannot hide weak ones across its surface.
    """
    nx, ny, nz = x.shape
    cx, cy, cz = (nx + 1) // 2, (ny + 1) // 2, (nz + 1) // 2
    for c in prange(cx):
        ci = np.int64(c)
        for n in range(first[ci * cy * cz], first[(ci + 1) * cy * cz]):
            out[n] = 0.0
        for i in range(2 * ci, min(2 * ci + 2, nx)):
            before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
            for j in range(ny):
                left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
                for k in range(nz):
                    mine = slot[i, j, k]
                    if mine == 255:
                        continue
                    down, up = (k - 1 if k > 0 else nz - 1), (k + 1 if k + 1 < nz else 0)
                    v = x[i, j, k]
                    s = scale * b[i, j, k]
                    if slot[before, j, k] != mine or before >> 1 != ci:
                        s -= table[0, of_x[before, j, k]] * (v - x[before, j, k])
                    if slot[after, j, k] != mine or after >> 1 != ci:
                        s -= table[0, of_x[i, j, k]] * (v - x[after, j, k])
                    if slot[i, left, k] != mine or left >> 1 != j >> 1:
                        s -= table[1, of_y[i, left, k]] * (v - x[i, left, k])
                    if slot[i, right, k] != mine or right >> 1 != j >> 1:
                        s -= table[1, of_y[i, j, k]] * (v - x[i, right, k])
                    if slot[i, j, down] != mine or down >> 1 != k >> 1:
                        s -= table[2, of_z[i, j, down]] * (v - x[i, j, down])
                    if slot[i, j, up] != mine or up >> 1 != k >> 1:
                        s -= table[2, of_z[i, j, k]] * (v - x[i, j, up])
                    if i == 0:
                        s -= low[j, k] * v
                    if i + 1 == nx:
                        s -= high[j, k] * v
                    out[first[(ci * cy + (j >> 1)) * cz + (k >> 1)] + mine] += s


@parallel_kernel
def add_correction(x, coarse, slot, first, weight):  # type: ignore[no-untyped-def]
    """Add the weighted value of each voxel's aggregate."""
    nx, ny, nz = x.shape
    cy, cz = (ny + 1) // 2, (nz + 1) // 2
    for i in prange(nx):
        for j in range(ny):
            row = ((np.int64(i) >> 1) * cy + (j >> 1)) * cz
            for k in range(nz):
                if slot[i, j, k] != 255:
                    x[i, j, k] += weight * coarse[first[row + (k >> 1)] + slot[i, j, k]]


@parallel_kernel
def plane_flows(of_x, of_y, of_z, table, x, conductance, current, heat):  # type: ignore[no-untyped-def]
    """Write the conductance, the current and the dissipation of the faces that start in each x plane.

    The potential jumps by 1 across the outer boundary, where the last plane meets the first.
    """
    nx, ny, nz = x.shape
    for i in prange(nx):
        after, jump = (i + 1, 0.0) if i + 1 < nx else (0, 1.0)
        g_sum = flow = loss = 0.0
        for j in range(ny):
            right = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                up = k + 1 if k + 1 < nz else 0
                g, drop = table[0, of_x[i, j, k]], jump + x[i, j, k] - x[after, j, k]
                g_sum += g
                flow += g * drop
                loss += g * drop * drop
                loss += table[1, of_y[i, j, k]] * (x[i, j, k] - x[i, right, k]) ** 2
                loss += table[2, of_z[i, j, k]] * (x[i, j, k] - x[i, j, up]) ** 2
        conductance[i], current[i], heat[i] = g_sum, flow, loss


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
def plane_peaks(a, out):  # type: ignore[no-untyped-def]
    """Write the largest magnitude of each x plane."""
    nx, ny, nz = a.shape
    for i in prange(nx):
        s = 0.0
        for j in range(ny):
            for k in range(nz):
                s = max(s, abs(a[i, j, k]))
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
def step_direction(z, scale, beta, p):  # type: ignore[no-untyped-def]
    """p = scale z + beta p."""
    nx, ny, nz = z.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                p[i, j, k] = scale * z[i, j, k] + beta * p[i, j, k]
