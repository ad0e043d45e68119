"""Weighted looks at the neighbourhood of one face: which way an interface faces, and how far away a surface is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kmc.faces.classes import AREA_LEVELS, FILM_HALF_WIDTH, FILM_LEVELS
from microstructures.jit import inline_kernel, kernel

NORMAL_REACH = 3
FILM_REACH = 4
SMOOTHING = 1.5
"""Standard deviation [voxels] of the Gaussian window."""




def _gaussian(reach: int, shift: float) -> NDArray[np.float64]:
    offsets = np.arange(-reach, reach + 1 + (shift > 0)) - shift
    return np.exp(-0.5 * (offsets / SMOOTHING) ** 2)


NORMAL_CENTRED, NORMAL_SHIFTED = _gaussian(NORMAL_REACH, 0.0), _gaussian(NORMAL_REACH, 0.5)
FILM_CENTRED, FILM_SHIFTED = _gaussian(FILM_REACH, 0.0), _gaussian(FILM_REACH, 0.5)


@inline_kernel
def step_index(index, n, wraps):  # type: ignore[no-untyped-def]
    """Return a voxel index brought back into 0..n-1: by wrapping, or by reflection at the outer face."""
    if 0 <= index < n:
        return index
    if wraps:
        return index % n
    if index < 0:
        index = -1 - index
    if index >= n:
        index = 2 * n - 1 - index
    return min(max(index, 0), n - 1)


@kernel
def area_level(labels, grains, has_grains, i, j, k, axis, wraps, inverse_size):  # type: ignore[no-untyped-def]
    """Return the area level of the interface at the face from (i, j, k) along `axis`.

    The normal is the gradient of the Gaussian-smoothed difference between the two sides; voxels of third parties do not
    count. In-plane offsets come in mirror pairs, so a flat interface gives exactly level 1.
    """
    nx, ny, nz = labels.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
    if not wraps[axis] and (i1 < i or j1 < j or k1 < k):
        return 1  # the artificial joint of a non-periodic block is flat
    low, high = labels[i, j, k], labels[i1, j1, k1]
    grain_low = grains[i, j, k] if has_grains else 0
    grain_high = grains[i1, j1, k1] if has_grains else 0
    gx = gy = gz = 0.0
    wx = NORMAL_SHIFTED if axis == 0 else NORMAL_CENTRED
    wy = NORMAL_SHIFTED if axis == 1 else NORMAL_CENTRED
    wz = NORMAL_SHIFTED if axis == 2 else NORMAL_CENTRED
    for a in range(-NORMAL_REACH, NORMAL_REACH + 1 + di):
        x = a - 0.5 * di
        ia = step_index(i + a, nx, wraps[0])
        for b in range(-NORMAL_REACH, NORMAL_REACH + 1 + dj):
            y = b - 0.5 * dj
            jb = step_index(j + b, ny, wraps[1])
            plane = wx[a + NORMAL_REACH] * wy[b + NORMAL_REACH]
            for c in range(-NORMAL_REACH, NORMAL_REACH + 1 + dk):
                kc = step_index(k + c, nz, wraps[2])
                label = labels[ia, jb, kc]
                if label != low and label != high:
                    continue
                grain = grains[ia, jb, kc] if has_grains else 0
                sign = 0.0
                if label == low and grain == grain_low:
                    sign = -1.0
                elif label == high and grain == grain_high:
                    sign = 1.0
                else:
                    continue
                z = c - 0.5 * dk
                weight = sign * plane * wz[c + NORMAL_REACH]
                gx += weight * x
                gy += weight * y
                gz += weight * z
    gx, gy, gz = abs(gx) * inverse_size[0], abs(gy) * inverse_size[1], abs(gz) * inverse_size[2]
    length = math.sqrt(gx * gx + gy * gy + gz * gz)
    if length == 0.0:
        return 1
    share = ((gx + gy + gz) / length - 1.0) / (math.sqrt(3.0) - 1.0)
    return 1 + int(round(min(max(share, 0.0), 1.0) * (AREA_LEVELS - 1)))


@kernel
def film_state(labels, zones, phase_of_label, film_of, bears, own, centre, odd_axis, wraps):  # type: ignore[no-untyped-def]
    """Return (film, level) of the face of zone `own` centred at `centre` + half a voxel along `odd_axis`, or (-1, 0).

    The zone's own solid, smoothed, tells how far the face lies from its surface; a raised cosine of that distance is the
    share of the film that the face carries. What lies outside decides which film it is.
    """
    nx, ny, nz = labels.shape
    di, dj, dk = 1 if odd_axis == 0 else 0, 1 if odd_axis == 1 else 0, 1 if odd_axis == 2 else 0
    outside = np.zeros(16)
    inside = 0.0
    wx = FILM_SHIFTED if odd_axis == 0 else FILM_CENTRED
    wy = FILM_SHIFTED if odd_axis == 1 else FILM_CENTRED
    wz = FILM_SHIFTED if odd_axis == 2 else FILM_CENTRED
    bearer = -1
    for a in range(-FILM_REACH, FILM_REACH + 1 + di):
        ia = step_index(centre[0] + a, nx, wraps[0])
        for b in range(-FILM_REACH, FILM_REACH + 1 + dj):
            jb = step_index(centre[1] + b, ny, wraps[1])
            plane = wx[a + FILM_REACH] * wy[b + FILM_REACH]
            for c in range(-FILM_REACH, FILM_REACH + 1 + dk):
                kc = step_index(centre[2] + c, nz, wraps[2])
                weight = plane * wz[c + FILM_REACH]
                phase = phase_of_label[labels[ia, jb, kc]]
                if bears[phase] and zones[ia, jb, kc] == own:
                    inside += weight
                    bearer = phase
                else:
                    outside[phase] += weight
    total = inside + outside.sum()
    if bearer < 0 or inside >= total:
        return -1, 0
    share = min(max(inside / total, 1e-6), 1.0 - 1e-6)
    distance = abs(SMOOTHING * _normal_quantile(share))
    if distance >= FILM_HALF_WIDTH:
        return -1, 0
    best = -1
    coated = outer = 0.0
    for phase in range(len(bears)):
        outer += outside[phase]
        if film_of[bearer, phase] >= 0:
            coated += outside[phase]
            if best < 0 or outside[phase] > outside[best]:
                best = phase
    if best < 0 or coated <= 0.0:
        return -1, 0
    peak = 0.5 * (1.0 + math.cos(math.pi * distance / FILM_HALF_WIDTH)) * coated / outer
    level = int(round(peak * FILM_LEVELS)) - 1
    if level < 0:
        return -1, 0
    return film_of[bearer, best], level


@kernel
def _normal_quantile(p):  # type: ignore[no-untyped-def]
    """Return the standard normal quantile (Acklam 2003, relative error below 1.2e-9)."""
    a0, a1, a2, a3, a4, a5 = -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.383577518672690e2, -3.066479806614716e1, 2.506628277459239
    b0, b1, b2, b3, b4 = -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1
    c0, c1, c2, c3, c4, c5 = -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783
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
