"""Contacts between pressed particles: which neighbours touch, and how large each contact is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.pressing.neighbours import neighbour_gaps
from microstructures.recipe import Press

Floats = NDArray[np.float64]


def close_contacts(centre: Floats, radius: Floats, edge: float, press: Press) -> PointContacts:
    """Choose which particles touch and give each contact its radius.

    The pairs with the smallest gap, relative to the sum of their radii, touch; so many that the mean coordination number
    of the recipe is reached.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres [m] in the periodic box.
    radius : ndarray of shape (n,)
        Radii [m].
    edge : float
        Edge of the box [m].
    press : Press
        Coordination number, pressure and elastic constants.

    Raises
    ------
    InputError
        If there are fewer pairs of neighbours than the coordination number asks for.
    """
    wanted = round(press.coordination * len(radius) / 2.0)
    pairs, gap, link = _closest_pairs(centre / edge, radius / edge, wanted)
    i, j = pairs.T
    gap, link = gap * edge, link * edge
    normal = link / np.linalg.norm(link, axis=1)[:, None]
    reduced = radius[i] * radius[j] / (radius[i] + radius[j])
    force = contact_forces(reduced, radius[i] + radius[j] + gap, edge**3, press.contact_pressure_MPa * 1e6)
    return PointContacts(
        grains=np.stack([i, j], axis=1).astype(np.int32) + 1,
        point=centre[i] + normal * (radius[i] + 0.5 * gap)[:, None],
        normal=normal,
        radius=jkr_radius(reduced, force, press),
        gap=gap,
    )


def contact_forces(reduced: Floats, distance: Floats, volume: float, pressure: float) -> Floats:
    """Return the normal force [N] on each contact of a body under a hydrostatic pressure [Pa].

    Forces are as the square of the reduced radius (as if all contacts bore the same stress); their scale follows from the
    virial, 3 p V = sum of f d (Love 1927, Weber 1966), and so balances the pressure exactly.
    """
    share = reduced**2
    return np.asarray(3.0 * pressure * volume * share / (share * distance).sum()) if pressure > 0.0 else np.zeros_like(share)


def jkr_radius(reduced: Floats, force: Floats, press: Press) -> Floats:
    """Return the radius [m] of adhesive contacts (Johnson, Kendall, Roberts 1971).

    a^3 = (R/K) (F + 3 pi w R + sqrt(6 pi w R F + (3 pi w R)^2)), R = r_i r_j / (r_i + r_j),
    K = (4/3) E / (2 (1 - nu^2)) for equal elastic constants.
    """
    modulus = 4.0 / 3.0 * press.youngs_modulus_GPa * 1e9 / (2.0 * (1.0 - press.poisson_ratio**2))
    adhesion = 3.0 * np.pi * press.work_of_adhesion_J_per_m2 * reduced
    load = force + adhesion + np.sqrt(2.0 * adhesion * force + adhesion**2)
    return np.asarray((reduced / modulus * load) ** (1.0 / 3.0))


def _closest_pairs(centre: Floats, radius: Floats, wanted: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the `wanted` pairs of smallest relative gap, with gap and link, in a box of edge 1."""
    widest = 0.499 - 2.0 * radius.max()  # a pair has one nearest image
    skin = min(0.2 * radius.mean(), widest)
    while True:
        pairs, gap, link = neighbour_gaps(centre % 1.0, radius, skin)
        i, j = pairs.T
        relative = gap / (radius[i] + radius[j])
        order = np.lexsort((j, i, relative))[:wanted]
        # every pair with a smaller relative gap has been seen if its largest possible gap is within the skin
        if len(order) == wanted and (wanted == 0 or relative[order[-1]] * 2.0 * radius.max() <= skin):
            return pairs[order], gap[order], link[order]
        if skin >= widest:
            raise InputError(
                f"{len(radius)} particles have {len(pairs)} pairs within half the box; the coordination number asks for "
                f"{wanted}; use a larger size_um or a smaller coordination"
            )
        skin = min(2.0 * skin, widest)
