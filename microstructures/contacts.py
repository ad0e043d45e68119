"""Contacts between pressed particles: which neighbours touch, how large the contact is, and the voxels it needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from microstructures.jit import kernel
from microstructures.recipe import Press
from microstructures.structure import PointContacts

SEARCH_REACH = 1.5
"""Neighbours are looked for up to this many times the sum of the largest radii."""


def close_contacts(centre: NDArray[np.float64], radius: NDArray[np.float64], edge: float, press: Press) -> PointContacts:
    """Choose which particles touch and give each contact its radius.

    The pairs with the smallest gap, relative to the sum of their radii, touch; so many that the mean coordination number
    of the recipe is reached. The radius is that of JKR adhesion at zero load,
    a^3 = 6 pi w R^2 / K, R = r_i r_j / (r_i + r_j), K = (4/3) E / (2 (1 - nu^2)) for equal elastic constants.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres [m] in the periodic box.
    radius : ndarray of shape (n,)
        Radii [m].
    edge : float
        Edge of the box [m].
    press : Press
        Coordination number and elastic constants.
    """
    reach = min(SEARCH_REACH * 2.0 * radius.max(), 0.499 * edge)
    pairs = cKDTree(centre, boxsize=np.full(3, edge)).query_pairs(reach, output_type="ndarray")
    i, j = pairs.T
    link = centre[j] - centre[i]
    link -= edge * np.round(link / edge)
    distance = np.linalg.norm(link, axis=1)
    gap = distance - radius[i] - radius[j]
    wanted = round(press.coordination * len(radius) / 2.0)
    order = np.lexsort((j, i, gap / (radius[i] + radius[j])))[:wanted]
    i, j, gap, normal = i[order], j[order], gap[order], link[order] / distance[order, None]
    point = centre[i] + normal * (radius[i] + 0.5 * gap)[:, None]
    reduced = radius[i] * radius[j] / (radius[i] + radius[j])
    modulus = 4.0 / 3.0 * press.youngs_modulus_GPa * 1e9 / (2.0 * (1.0 - press.poisson_ratio**2))
    contact = (6.0 * np.pi * press.work_of_adhesion_J_per_m2 * reduced**2 / modulus) ** (1.0 / 3.0)
    return PointContacts(
        grains=np.stack([i, j], axis=1).astype(np.int32) + 1, point=point, normal=normal, radius=contact, gap=gap
    )


def fill_necks(
    labels: NDArray[np.uint8],
    grains: NDArray[np.int32],
    label_of_grain: NDArray[np.uint8],
    contacts: PointContacts,
    voxel: float,
) -> int:
    """Fill the pore voxels of each contact's neck, in place, so that its grains share a face; return how many.

    A flat disc a little wider than the contact and half a voxel thicker than the gap takes the grain of its side of the
    contact plane; it grows until both grains meet.
    """
    return int(
        _fill(
            labels, grains, label_of_grain, contacts.grains.astype(np.int64), contacts.point / voxel, contacts.normal,
            contacts.radius / voxel, np.maximum(contacts.gap, 0.0) / voxel,
        )
    )  # fmt: skip


@kernel
def _meet(grains, first, second, base, reach):  # type: ignore[no-untyped-def]
    nx, ny, nz = grains.shape
    for a in range(-reach, reach + 1):
        for b in range(-reach, reach + 1):
            for c in range(-reach, reach + 1):
                i, j, k = (base[0] + a) % nx, (base[1] + b) % ny, (base[2] + c) % nz
                here = grains[i, j, k]
                if here != first and here != second:
                    continue
                other = second if here == first else first
                if (
                    grains[(i + 1) % nx, j, k] == other
                    or grains[i, (j + 1) % ny, k] == other
                    or grains[i, j, (k + 1) % nz] == other
                ):
                    return True
    return False


@kernel
def _fill(labels, grains, label_of_grain, pairs, points, normals, radii, gaps):  # type: ignore[no-untyped-def]
    nx, ny, nz = grains.shape
    filled = 0
    for n in range(len(radii)):
        p, normal = points[n], normals[n]
        base = (int(np.floor(p[0])), int(np.floor(p[1])), int(np.floor(p[2])))
        first, second = pairs[n, 0], pairs[n, 1]
        for extra in range(12):
            wide = max(radii[n], 0.5) + 0.3 + 0.25 * extra
            thick = 0.5 * gaps[n] + 0.87 + 0.25 * extra
            reach = int(np.ceil(max(wide, thick))) + 1
            for a in range(-reach, reach + 1):
                for b in range(-reach, reach + 1):
                    for c in range(-reach, reach + 1):
                        x, y, z = base[0] + a + 0.5 - p[0], base[1] + b + 0.5 - p[1], base[2] + c + 0.5 - p[2]
                        along = x * normal[0] + y * normal[1] + z * normal[2]
                        across = x * x + y * y + z * z - along * along
                        if abs(along) >= thick or across >= wide * wide:
                            continue
                        i, j, k = (base[0] + a) % nx, (base[1] + b) % ny, (base[2] + c) % nz
                        if grains[i, j, k] == 0:
                            grains[i, j, k] = first if along < 0.0 else second
                            labels[i, j, k] = label_of_grain[grains[i, j, k]]
                            filled += 1
            if _meet(grains, first, second, base, int(np.ceil(radii[n])) + 4):
                break
    return filled
