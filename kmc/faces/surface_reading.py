"""How far a voxel lies from a surface, read off the share of one side in a Gaussian window around it.

The smoothed side falls from 1 to 0 like a normal distribution across a flat surface; its quantile is the distance. The
window is separable, so a box of voxels is smoothed line by line: 27 sums a voxel in place of 729.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import inline_kernel, kernel
from microstructures.voxels.interface_normals import SMOOTHING, gaussian_window

REACH = 4
WINDOW = gaussian_window(REACH, 0.0)


def _read_distances() -> NDArray[np.float64]:
    """Return the distance that the normal quantile reads off a flat surface along the grid, 0.5, 1.5 ... voxels away.

    A tilted surface is read right on average over its steps; along the grid all steps are alike and read 2 % too far.
    """
    inside = np.cumsum(WINDOW)[REACH:-1] / WINDOW.sum()
    return np.array([SMOOTHING * NormalDist().inv_cdf(float(share)) for share in inside])


_READ = _read_distances()
_TRUE = np.arange(len(_READ)) + 0.5
_EXACTLY_FLAT = 1e-6
_LEAST_SHARE = 1e-6


@kernel
def smooth(parts, which, window, out):  # type: ignore[no-untyped-def]
    """Fill `out`, shape (x, y, z), with the weight of the voxels of `parts` that equal `which` in the window around each.

    `parts` has a rim of `REACH` on every side. Voxels at mirrored places are added first, so mirror images get the same bits.
    """
    nx, ny, nz = out.shape
    lines = np.empty((nx + 2 * REACH, ny + 2 * REACH, nz))
    row = np.empty(nz + 2 * REACH)
    w0, w1, w2, w3, w4 = window[4], window[3], window[2], window[1], window[0]
    for x in range(nx + 2 * REACH):
        for y in range(ny + 2 * REACH):
            for z in range(nz + 2 * REACH):
                row[z] = 1.0 if parts[x, y, z] == which else 0.0
            line = lines[x, y]
            for z in range(nz):
                line[z] = (
                    w0 * row[z + 4] + w1 * (row[z + 3] + row[z + 5]) + w2 * (row[z + 2] + row[z + 6])
                    + w3 * (row[z + 1] + row[z + 7]) + w4 * (row[z] + row[z + 8])
                )  # fmt: skip
    sheets = np.empty((nx + 2 * REACH, ny, nz))
    for x in range(nx + 2 * REACH):
        for y in range(ny):
            _weigh(sheets[x, y], lines[x, y : y + 9], w0, w1, w2, w3, w4)
    for x in range(nx):
        for y in range(ny):
            _weigh(out[x, y], sheets[x : x + 9, y], w0, w1, w2, w3, w4)


@kernel
def _weigh(out, rows, w0, w1, w2, w3, w4):  # type: ignore[no-untyped-def]
    """Add nine rows, each with its weight."""
    r0, r1, r2, r3, r4, r5, r6, r7, r8 = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7], rows[8]
    for z in range(len(out)):
        out[z] = w0 * r4[z] + w1 * (r3[z] + r5[z]) + w2 * (r2[z] + r6[z]) + w3 * (r1[z] + r7[z]) + w4 * (r0[z] + r8[z])


@inline_kernel
def read_share(share, smoothing):  # type: ignore[no-untyped-def]
    """Return the distance [voxels] at which a flat surface leaves this share inside, positive if more than half."""
    return smoothing * normal_quantile(min(max(share, _LEAST_SHARE), 1.0 - _LEAST_SHARE))


@kernel
def exactly_flat(far):  # type: ignore[no-untyped-def]
    """Return the true distance of a surface along the grid that is read at `far` >= 0, or -1 if it is none."""
    for n in range(len(_READ)):
        if abs(far - _READ[n]) < _EXACTLY_FLAT:
            return _TRUE[n]
    return -1.0


@kernel
def normal_quantile(p):  # type: ignore[no-untyped-def]
    """Return the standard normal quantile (Acklam 2003, relative error below 1.2e-9)."""
    a0, a1, a2, a3, a4, a5 = (
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.383577518672690e2,
        -3.066479806614716e1,
        2.506628277459239,
    )
    b0, b1, b2, b3, b4 = (
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
    )
    c0, c1, c2, c3, c4, c5 = (
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    )
    d0, d1, d2, d3 = 7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416
    tail = min(p, 1.0 - p)
    if tail < 0.02425:
        q = math.sqrt(-2.0 * math.log(tail))
        value = (((((c0 * q + c1) * q + c2) * q + c3) * q + c4) * q + c5) / ((((d0 * q + d1) * q + d2) * q + d3) * q + 1.0)
        return value if p < 0.5 else -value
    q = p - 0.5
    r = q * q
    numerator = (((((a0 * r + a1) * r + a2) * r + a3) * r + a4) * r + a5) * q
    return numerator / (((((b0 * r + b1) * r + b2) * r + b3) * r + b4) * r + 1.0)
