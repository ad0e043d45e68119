"""How far each voxel lies from the surface of a film-bearing grain, and which film runs there."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.listed_pairs import reacted
from microstructures.jit import kernel, parallel_kernel
from microstructures.voxels.interface_normals import SMOOTHING, gaussian_window, step_index

REACH = 4
WINDOW = gaussian_window(REACH, 0.0)


def _read_distances() -> NDArray[np.float64]:
    """Return the distance that the normal quantile reads off a flat surface along the grid, 0.5, 1.5 ... voxels away.

    A tilted surface is read right on average over its steps; along the grid all steps are alike and read 2 % too far.
    """
    inside = np.cumsum(WINDOW)[REACH:-1] / WINDOW.sum()
    return np.array([SMOOTHING * NormalDist().inv_cdf(float(share)) for share in inside])


READ = _read_distances()
TRUE = np.arange(len(READ)) + 0.5
EXACTLY_FLAT = 1e-6


@parallel_kernel
def film_distances(labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys):  # type: ignore[no-untyped-def]
    """Return the signed distance [voxels] of each voxel from its zone's surface, the coated share there, and the film.

    The zone's own solid, smoothed by a Gaussian, falls from 1 to 0 like a normal distribution across its surface; its
    quantile is the distance, positive inside. What lies outside decides which film it is; -1 where there is none. A grain
    has no film towards one that it has reacted with (`keys`, `side`: the listed pairs of thin shells).
    """
    nx, ny, nz = labels.shape
    distance = np.zeros((nx, ny, nz), dtype=np.float32)
    coated = np.zeros((nx, ny, nz), dtype=np.float32)
    film = np.full((nx, ny, nz), -1, dtype=np.int8)
    for i in prange(nx):
        outside = np.zeros(len(bears) + 1)
        for j in range(ny):
            for k in range(nz):
                if zones[i, j, k] > 0 and near[i, j, k]:
                    far, share, which = _look(
                        labels, grains, zones, phase_of_label, film_of, bears, wraps, side, keys, i, j, k, outside
                    )
                    distance[i, j, k], coated[i, j, k], film[i, j, k] = far, share, which
    return distance, coated, film


@kernel
def _look(labels, grains, zones, phase_of_label, film_of, bears, wraps, side, keys, i, j, k, outside):  # type: ignore[no-untyped-def]
    nx, ny, nz = labels.shape
    own = zones[i, j, k]
    outside[:] = 0.0
    inside = 0.0
    bearer = -1
    for a in range(-REACH, REACH + 1):
        x = step_index(i + a, nx, wraps[0])
        for b in range(-REACH, REACH + 1):
            y = step_index(j + b, ny, wraps[1])
            plane = WINDOW[a + REACH] * WINDOW[b + REACH]
            for c in range(-REACH, REACH + 1):
                z = step_index(k + c, nz, wraps[2])
                phase = phase_of_label[labels[x, y, z]]
                if bears[phase] and zones[x, y, z] == own:
                    inside += plane * WINDOW[c + REACH]
                    bearer = phase
                elif len(keys) > 0 and reacted(keys, own - 1, side[phase], grains[x, y, z]):
                    outside[len(bears)] += plane * WINDOW[c + REACH]
                else:
                    outside[phase] += plane * WINDOW[c + REACH]
    outer = outside.sum()
    if bearer < 0 or outer <= 0.0:
        return 0.0, 0.0, -1
    best = -1
    coated = 0.0
    for phase in range(len(bears)):
        if film_of[bearer, phase] >= 0:
            coated += outside[phase]
            if best < 0 or outside[phase] > outside[best]:
                best = phase
    if best < 0 or coated <= 0.0:
        return 0.0, 0.0, -1
    share = min(max(inside / (inside + outer), 1e-6), 1.0 - 1e-6)
    read = SMOOTHING * normal_quantile(share)
    far = abs(read)
    for n in range(len(READ)):
        if abs(far - READ[n]) < EXACTLY_FLAT:
            far = TRUE[n]
    return (far if read > 0.0 else -far), coated / outer, film_of[bearer, best]


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
