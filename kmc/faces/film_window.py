"""How far one face lies from the surface of a film-bearing grain, and what share of the film runs through it."""

from __future__ import annotations

import math

import numpy as np

from kmc.faces.classes import FILM_HALF_WIDTH, FILM_LEVELS
from microstructures.interface_normals import SMOOTHING, gaussian_window, step_index
from microstructures.jit import kernel

FILM_REACH = 4
FILM_CENTRED, FILM_SHIFTED = gaussian_window(FILM_REACH, 0.0), gaussian_window(FILM_REACH, 0.5)


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
