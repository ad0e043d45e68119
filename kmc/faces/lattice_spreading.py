"""How a flat patch of voxel faces spreads current into the grid behind it: the Green function of the cubic lattice.

Unit conductances on an infinite simple cubic lattice: G(l, m, n) = integral over t from 0 to infinity of
exp(-6t) I_l(2t) I_m(2t) I_n(2t), G(0, 0, 0) = 0.252731 (Watson 1939). Behind a closed plane the mirror image one voxel
farther on is added, so that a unit current into one surface voxel raises another at (l, m) by G(l, m, 0) + G(l, m, 1).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ive

from microstructures.jit import kernel

WIDEST = 14
"""Largest distance [voxels] along an axis between two faces of a patch that the table serves."""


@lru_cache(maxsize=1)
def surface_potential() -> NDArray[np.float64]:
    """Return the potential [1/(s h)] of surface voxels at distance (l, m) from a unit inflow, shape (WIDEST + 1,) * 2.

    Examples
    --------
    >>> round(float(2 * surface_potential()[0, 0]), 4)  # two sides of one voxel face
    0.6776
    """
    grid, weight = np.polynomial.legendre.leggauss(400)
    u = 20.0 * grid - 6.0  # t = exp(u) from 5e-12 to 1.2e6, the rest in closed form
    t, dt = np.exp(u), 20.0 * weight * np.exp(u)
    bessel = np.stack([ive(order, 2.0 * t) for order in range(WIDEST + 1)])
    beyond = 2.0 * (4.0 * np.pi) ** -1.5 / np.sqrt(np.exp(14.0))
    flat = np.einsum("lt,mt,t,t->lm", bessel, bessel, bessel[0], dt)
    behind = np.einsum("lt,mt,t,t->lm", bessel, bessel, bessel[1], dt)
    table = flat + behind + 2.0 * beyond
    table.flags.writeable = False
    return table


@kernel
def flat_face_resistance(first, second, table, wanted):  # type: ignore[no-untyped-def]
    """Return the resistance [1/(s h)] between the voxels of each face of a flat patch, so that the patch has `wanted`.

    Faces at whole-numbered positions (first, second) of one plane, each r, between two half-spaces:
    sum over faces of (r delta + 2 G) I = 1 and wanted = 1 / sum I, solved for r by Newton's method.
    """
    n = len(first)
    spread = np.empty((n, n))
    for a in range(n):
        for b in range(n):
            spread[a, b] = 2.0 * table[abs(first[a] - first[b]), abs(second[a] - second[b])]
    r = n * (wanted - spread.mean())  # exact if all faces carried the same current
    matrix = np.empty((n, n))
    for _ in range(8):
        r = max(r, 1e-3)
        matrix[:] = spread
        for a in range(n):
            matrix[a, a] += r
        current = np.linalg.solve(matrix, np.ones(n))
        total = current.sum()
        change = (wanted - 1.0 / total) * total * total / (current * current).sum()
        r += change
        if abs(change) < 1e-6:
            break
    return r
