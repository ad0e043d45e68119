"""Kernels of the complex 7-point network of voxels; real and imaginary parts of potentials stand in arrays of their own.

of_x, of_y, of_z of shape (nx, ny, nz) hold the class of the face to the next voxel along x, y, z (the last one wraps around),
table of shape (3, n_classes, 2) the real and imaginary part of what a class conducts; low, high of shape (2, ny, nz) join the
first and last plane to plates. Every parallel loop writes its own plane, so results do not depend on the number of threads.
"""

from __future__ import annotations

from numba import prange

from microstructures.jit import kernel, parallel_kernel


@parallel_kernel
def apply(of_x, of_y, of_z, table, low, high, x, out, work):  # type: ignore[no-untyped-def]
    """Write the net current out of every voxel for potentials `x`, plates at 0, and the sum of x times it over each plane."""
    _, nx, ny, nz = x.shape
    for i in prange(nx):
        before, after = (i - 1 if i > 0 else nx - 1), (i + 1 if i + 1 < nx else 0)
        work_re = work_im = 0.0
        for j in range(ny):
            left, right = (j - 1 if j > 0 else ny - 1), (j + 1 if j + 1 < ny else 0)
            g, b = table[2, of_z[i, j, nz - 1], 0], table[2, of_z[i, j, nz - 1], 1]
            d_re, d_im = x[0, i, j, 0] - x[0, i, j, nz - 1], x[1, i, j, 0] - x[1, i, j, nz - 1]
            along_re, along_im = g * d_re - b * d_im, g * d_im + b * d_re
            for k in range(nz):
                up = k + 1 if k + 1 < nz else 0
                v_re, v_im = x[0, i, j, k], x[1, i, j, k]
                c = of_x[before, j, k]
                g, b = table[0, c, 0], table[0, c, 1]
                d_re, d_im = v_re - x[0, before, j, k], v_im - x[1, before, j, k]
                s_re, s_im = g * d_re - b * d_im, g * d_im + b * d_re
                c = of_x[i, j, k]
                g, b = table[0, c, 0], table[0, c, 1]
                d_re, d_im = v_re - x[0, after, j, k], v_im - x[1, after, j, k]
                s_re, s_im = s_re + g * d_re - b * d_im, s_im + g * d_im + b * d_re
                c = of_y[i, left, k]
                g, b = table[1, c, 0], table[1, c, 1]
                d_re, d_im = v_re - x[0, i, left, k], v_im - x[1, i, left, k]
                s_re, s_im = s_re + g * d_re - b * d_im, s_im + g * d_im + b * d_re
                c = of_y[i, j, k]
                g, b = table[1, c, 0], table[1, c, 1]
                d_re, d_im = v_re - x[0, i, right, k], v_im - x[1, i, right, k]
                s_re, s_im = s_re + g * d_re - b * d_im, s_im + g * d_im + b * d_re
                c = of_z[i, j, k]
                g, b = table[2, c, 0], table[2, c, 1]
                d_re, d_im = x[0, i, j, up] - v_re, x[1, i, j, up] - v_im
                ahead_re, ahead_im = g * d_re - b * d_im, g * d_im + b * d_re
                s_re, s_im = s_re + along_re - ahead_re, s_im + along_im - ahead_im
                along_re, along_im = ahead_re, ahead_im
                if i == 0:
                    s_re += low[0, j, k] * v_re - low[1, j, k] * v_im
                    s_im += low[0, j, k] * v_im + low[1, j, k] * v_re
                if i + 1 == nx:
                    s_re += high[0, j, k] * v_re - high[1, j, k] * v_im
                    s_im += high[0, j, k] * v_im + high[1, j, k] * v_re
                out[0, i, j, k], out[1, i, j, k] = s_re, s_im
                work_re += v_re * s_re - v_im * s_im
                work_im += v_re * s_im + v_im * s_re
        work[0, i], work[1, i] = work_re, work_im


@parallel_kernel
def step_solution(a_re, a_im, p, q, x, r, peak):  # type: ignore[no-untyped-def]
    """x += a p, r -= a q, and the largest part of r in each plane."""
    _, nx, ny, nz = x.shape
    for i in prange(nx):
        most = 0.0
        for j in range(ny):
            for k in range(nz):
                p_re, p_im, q_re, q_im = p[0, i, j, k], p[1, i, j, k], q[0, i, j, k], q[1, i, j, k]
                x[0, i, j, k] += a_re * p_re - a_im * p_im
                x[1, i, j, k] += a_re * p_im + a_im * p_re
                r_re = r[0, i, j, k] - a_re * q_re + a_im * q_im
                r_im = r[1, i, j, k] - a_re * q_im - a_im * q_re
                r[0, i, j, k], r[1, i, j, k] = r_re, r_im
                most = max(most, abs(r_re), abs(r_im))
        peak[0, i] = most


@parallel_kernel
def step_direction(z, scale, b_re, b_im, p):  # type: ignore[no-untyped-def]
    """p = scale z + b p."""
    _, nx, ny, nz = p.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                p_re, p_im = p[0, i, j, k], p[1, i, j, k]
                p[0, i, j, k] = scale * z[0, i, j, k] + b_re * p_re - b_im * p_im
                p[1, i, j, k] = scale * z[1, i, j, k] + b_re * p_im + b_im * p_re


@parallel_kernel
def plane_dots(a, b, out):  # type: ignore[no-untyped-def]
    """Write the sum of a times b over each plane; none of them is conjugated."""
    _, nx, ny, nz = a.shape
    for i in prange(nx):
        s_re = s_im = 0.0
        for j in range(ny):
            for k in range(nz):
                s_re += a[0, i, j, k] * b[0, i, j, k] - a[1, i, j, k] * b[1, i, j, k]
                s_im += a[0, i, j, k] * b[1, i, j, k] + a[1, i, j, k] * b[0, i, j, k]
        out[0, i], out[1, i] = s_re, s_im


@parallel_kernel
def plane_flows(of_x, of_y, of_z, table, x, out):  # type: ignore[no-untyped-def]
    """Write what the faces that start in each plane conduct, carry and turn over, shape (6, nx).

    The potential jumps by 1 across the outer boundary, where the last plane meets the first.
    """
    _, nx, ny, nz = x.shape
    for i in prange(nx):
        after, jump = (i + 1, 0.0) if i + 1 < nx else (0, 1.0)
        sum_re = sum_im = flow_re = flow_im = heat_re = heat_im = 0.0
        for j in range(ny):
            right = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                up = k + 1 if k + 1 < nz else 0
                v_re, v_im = x[0, i, j, k], x[1, i, j, k]
                for axis in range(3):
                    if axis == 0:
                        c, d_re, d_im = of_x[i, j, k], jump + v_re - x[0, after, j, k], v_im - x[1, after, j, k]
                    elif axis == 1:
                        c, d_re, d_im = of_y[i, j, k], v_re - x[0, i, right, k], v_im - x[1, i, right, k]
                    else:
                        c, d_re, d_im = of_z[i, j, k], v_re - x[0, i, j, up], v_im - x[1, i, j, up]
                    g, b = table[axis, c, 0], table[axis, c, 1]
                    s_re, s_im = g * d_re - b * d_im, g * d_im + b * d_re
                    heat_re += s_re * d_re - s_im * d_im
                    heat_im += s_re * d_im + s_im * d_re
                    if axis == 0:
                        sum_re, sum_im, flow_re, flow_im = sum_re + g, sum_im + b, flow_re + s_re, flow_im + s_im
        out[0, i], out[1, i], out[2, i], out[3, i], out[4, i], out[5, i] = sum_re, sum_im, flow_re, flow_im, heat_re, heat_im


@kernel
def _sum_products(first, last, of_x, of_y, of_z, a, b, out):  # type: ignore[no-untyped-def]
    _, nx, ny, nz = a.shape
    for i in range(first, last):
        after = i + 1 if i + 1 < nx else 0
        for j in range(ny):
            right = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                up = k + 1 if k + 1 < nz else 0
                for axis in range(3):
                    if axis == 0:
                        c, i1, j1, k1 = of_x[i, j, k], after, j, k
                    elif axis == 1:
                        c, i1, j1, k1 = of_y[i, j, k], i, right, k
                    else:
                        c, i1, j1, k1 = of_z[i, j, k], i, j, up
                    a_re, a_im = a[0, i, j, k] - a[0, i1, j1, k1], a[1, i, j, k] - a[1, i1, j1, k1]
                    b_re, b_im = b[0, i, j, k] - b[0, i1, j1, k1], b[1, i, j, k] - b[1, i1, j1, k1]
                    out[axis, c, 0] += a_re * b_re
                    out[axis, c, 1] += a_re * b_im
                    out[axis, c, 2] += a_im * b_re
                    out[axis, c, 3] += a_im * b_im


@parallel_kernel
def class_products(of_x, of_y, of_z, a, b, parts, out):  # type: ignore[no-untyped-def]
    """Add up the products of the drops of two potentials over the faces of each class: re re, re im, im re, im im.

    `out` of shape (n_parts, 3, n_classes, 4): planes from parts[n] to parts[n + 1] apart, and faces along each axis.
    """
    for n in prange(len(parts) - 1):
        _sum_products(parts[n], parts[n + 1], of_x, of_y, of_z, a, b, out[n])


@parallel_kernel
def add_weighted(solution, a_re, a_im, b_re, b_im, x):  # type: ignore[no-untyped-def]
    """Add the real and the imaginary part of a solution, each as a real potential with a complex weight a and b."""
    _, nx, ny, nz = x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                re, im = solution[0, i, j, k], solution[1, i, j, k]
                x[0, i, j, k] += a_re * re + b_re * im
                x[1, i, j, k] += a_im * re + b_im * im


@kernel
def fill_gaps(of_axis, blocked, phase, axis, wraps, first, n_phases):  # type: ignore[no-untyped-def]
    """Give each blocked face that joins two voxels of the box the class of a gap between their phases."""
    nx, ny, nz = phase.shape
    found = 0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if of_axis[i, j, k] != blocked:
                    continue
                i1, j1, k1 = i + (axis == 0), j + (axis == 1), k + (axis == 2)
                if i1 == nx or j1 == ny or k1 == nz:
                    if not wraps:
                        continue
                    i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                of_axis[i, j, k] = first + phase[i, j, k] * n_phases + phase[i1, j1, k1]
                found += 1
    return found


@kernel
def count_classes(of_axis, count):  # type: ignore[no-untyped-def]
    """Add up how many faces each class has."""
    for c in of_axis.flat:
        count[c] += 1
