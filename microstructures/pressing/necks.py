"""Close the necks of point contacts in voxels, so that the grains of each contact meet where the particles do.

A contact that is listed with a gap counts as closed. Left alone, its neck would be a rod as long as the gap, and the finer
the voxels the more it would resist. So both grains bulge: near the contact each takes the pore voxels inside a sphere of
its own size that just cuts the contact plane. How far it cuts in matters for wide contacts only: spheres that barely touch
have a neck that resists, flattened ones lead too well (measured: -2 and +3.5 % at a fifth of the particle's radius). The disc that they
share has half the area of the contact; they then conduct like whole balls with the contact's disc on their surface.

A flat disc a little wider than the contact is filled in any case; it grows until the grains share a face, and a voxel of a
third grain that still parts them changes sides.

Where the plane lies along the grid, the voxels of a whole layer have their centres just outside both spheres, or just
inside, at once: an open gap at one offset, none at another. There the sphere that fills is slack by up to a quarter voxel. The
slack, and how it fades with the tilt, were chosen once so that pairs of balls conduct as in the continuum at every tilt.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.features import PointContacts
from microstructures.jit import inline_kernel, kernel

DISC_MARGIN = 0.3
"""How much wider than the contact the filled disc is [voxels]."""
DISC_HALF_THICKNESS = 0.87
"""Half the thickness of that disc beyond the gap [voxels]; half the diagonal of a voxel."""
BULGE_REACH = 6.0
"""Contact radii round a contact in which grains bulge; farther out the current has spread."""
BULGE_REACH_CLOSED = 2.0
"""The same for contacts without a gap."""
SMALLEST_LIFT = 0.05
"""Grains of a contact without a gap bulge where the voids at its rim are wider than this [voxels]."""
BULGE_MARGIN = 2.5
"""Further voxels in which they do."""
LARGEST_SLACK = 0.25
"""How far outside its sphere a grain takes pore voxels next to a contact that lies along the grid [voxels]."""
SLACK_FADES = 2.0
"""The slack is gone where the sine of the tilt against the nearest axis exceeds one over this."""
NEAR = 2.5
"""How far beyond the contact a voxel may lie that changes sides [voxels]."""
GROWTH_STEP = 0.25
GROWTH_STEPS = 12
ROUNDS = 3
"""How often all contacts are looked at: a voxel that changes sides for one may part another."""


def fill_necks(
    labels: NDArray[np.uint8],
    grains: NDArray[np.int32],
    label_of_grain: NDArray[np.uint8],
    contacts: PointContacts,
    voxel: float,
) -> int:
    """Fill the pore voxels of each contact's neck, in place, so that its grains share a face.

    Parameters
    ----------
    labels : ndarray of shape (nx, ny, nz), uint8
        Phase label of every voxel of a periodic box.
    grains : ndarray of shape (nx, ny, nz), int32
        Grain id of every voxel, 0 in pores.
    label_of_grain : ndarray of shape (n_grains + 1,), uint8
        Phase label of each grain.
    contacts : PointContacts
        Which grains touch, where and how widely.
    voxel : float
        Voxel edge [m].

    Returns
    -------
    int
        Number of voxels that were changed. A contact whose grains two or more layers of others keep apart stays without a
        face; `kmc` refuses it and says what to do.

    Examples
    --------
    >>> import numpy as np
    >>> grains = np.zeros((8, 8, 8), np.int32)
    >>> grains[1:4, 2:6, 2:6], grains[5:7, 2:6, 2:6] = 1, 2
    >>> contact = PointContacts(
    ...     grains=np.array([[1, 2]], np.int32), point=np.array([[4.5e-8, 4e-8, 4e-8]]), normal=np.array([[1.0, 0.0, 0.0]]),
    ...     radius=np.array([5e-9]), gap=np.array([1e-8]))
    >>> labels = (grains > 0).astype(np.uint8)
    >>> fill_necks(labels, grains, np.array([0, 1, 1], np.uint8), contact, 1e-8) > 0
    True
    """
    pairs = contacts.grains.astype(np.int64)
    volume = np.bincount(grains.ravel(), minlength=len(label_of_grain))
    size = np.maximum((3.0 * volume / (4.0 * np.pi)) ** (1.0 / 3.0), 1.0)
    points, radii, gaps = contacts.point / voxel, contacts.radius / voxel, np.maximum(contacts.gap, 0.0) / voxel
    changed = _fill_all(labels, grains, label_of_grain, pairs, points, contacts.normal, radii, gaps, size)
    for _ in range(ROUNDS):
        moved = _part_third_grains(labels, grains, label_of_grain, pairs, points, radii)
        if moved == 0:
            break
        changed += moved
    return int(changed)


@kernel
def _fill_all(labels, grains, label_of_grain, pairs, points, normals, radii, gaps, size):  # type: ignore[no-untyped-def]
    changed = 0
    for n in range(len(radii)):
        first, second = pairs[n, 0], pairs[n, 1]
        sine = np.sqrt(max(0.0, 1.0 - np.abs(normals[n]).max() ** 2))
        slack = max(0.0, LARGEST_SLACK * (1.0 - SLACK_FADES * sine))
        for step in range(GROWTH_STEPS):
            wide = max(radii[n], 0.5) + DISC_MARGIN + GROWTH_STEP * step
            thick = 0.5 * gaps[n] + DISC_HALF_THICKNESS + GROWTH_STEP * step
            bulge = 0.0
            pressed = radii[n] ** 2 / min(size[first], size[second]) > SMALLEST_LIFT
            if step == 0 and (gaps[n] > 0.0 or slack > 0.0 or pressed):
                far = (BULGE_REACH if gaps[n] > 0.0 else BULGE_REACH_CLOSED) * radii[n]
                bulge = min(far + BULGE_MARGIN, 0.7 * min(size[first], size[second]))
            changed += _fill_one(
                labels, grains, label_of_grain, first, second, points[n], normals[n], wide, thick, bulge, radii[n], gaps[n],
                slack, size,
            )  # fmt: skip
            if _meet(grains, first, second, points[n], int(np.ceil(radii[n])) + 4):
                break
    return changed


@kernel
def _fill_one(  # type: ignore[no-untyped-def]
    labels, grains, label_of_grain, first, second, p, normal, wide, thick, bulge, radius, gap, slack, size,
):  # fmt: skip
    nx, ny, nz = grains.shape
    base = (int(np.floor(p[0])), int(np.floor(p[1])), int(np.floor(p[2])))
    # a bulge ends at the sphere of the particle itself, gap / 2 behind its own
    depth = max(thick, 0.5 * gap + 0.7 * bulge * bulge / min(size[first], size[second]) + slack + 1.0) if bulge > 0.0 else thick
    reach = int(np.ceil(np.sqrt(max(wide, bulge) ** 2 + depth**2))) + 1
    filled = 0
    for a in range(-min(reach, (nx - 1) // 2), min(reach, nx // 2) + 1):
        x = base[0] + a + 0.5 - p[0]
        for b in range(-min(reach, (ny - 1) // 2), min(reach, ny // 2) + 1):
            y = base[1] + b + 0.5 - p[1]
            for c in range(-min(reach, (nz - 1) // 2), min(reach, nz // 2) + 1):
                z = base[2] + c + 0.5 - p[2]
                along = x * normal[0] + y * normal[1] + z * normal[2]
                if abs(along) >= depth:
                    continue
                across = x * x + y * y + z * z - along * along
                grain = first if along < 0.0 else second
                in_disc = abs(along) < thick and across < wide * wide
                in_bulge = False
                if across < bulge * bulge:
                    centre = np.sqrt(max(size[grain] ** 2 - 0.5 * radius**2, 0.0)) - abs(along) - slack
                    in_bulge = across + centre * centre < size[grain] ** 2
                if not in_disc and not in_bulge:
                    continue
                i, j, k = (base[0] + a) % nx, (base[1] + b) % ny, (base[2] + c) % nz
                if grains[i, j, k] == 0:
                    grains[i, j, k] = grain
                    labels[i, j, k] = label_of_grain[grain]
                    filled += 1
    return filled


@kernel
def _meet(grains, first, second, p, reach):  # type: ignore[no-untyped-def]
    """Return whether two grains share a face near a point."""
    nx, ny, nz = grains.shape
    base = (int(np.floor(p[0])), int(np.floor(p[1])), int(np.floor(p[2])))
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


@inline_kernel
def _touches(grains, i, j, k, grain):  # type: ignore[no-untyped-def]
    nx, ny, nz = grains.shape
    return (
        grains[(i + 1) % nx, j, k] == grain
        or grains[(i - 1) % nx, j, k] == grain
        or grains[i, (j + 1) % ny, k] == grain
        or grains[i, (j - 1) % ny, k] == grain
        or grains[i, j, (k + 1) % nz] == grain
        or grains[i, j, (k - 1) % nz] == grain
    )


@kernel
def _part_third_grains(labels, grains, label_of_grain, pairs, points, radii):  # type: ignore[no-untyped-def]
    """Where a contact's grains do not meet, give the nearest voxel that touches both of them to the first; count them."""
    nx, ny, nz = grains.shape
    moved = 0
    for n in range(len(radii)):
        first, second, p = pairs[n, 0], pairs[n, 1], points[n]
        reach = int(np.ceil(radii[n])) + 4
        if _meet(grains, first, second, p, reach):
            continue
        base = (int(np.floor(p[0])), int(np.floor(p[1])), int(np.floor(p[2])))
        best = (radii[n] + NEAR) ** 2
        at = (-1, -1, -1)
        for a in range(-reach, reach + 1):
            for b in range(-reach, reach + 1):
                for c in range(-reach, reach + 1):
                    i, j, k = (base[0] + a) % nx, (base[1] + b) % ny, (base[2] + c) % nz
                    x, y, z = base[0] + a + 0.5 - p[0], base[1] + b + 0.5 - p[1], base[2] + c + 0.5 - p[2]
                    d2 = x * x + y * y + z * z
                    if d2 < best and _touches(grains, i, j, k, first) and _touches(grains, i, j, k, second):
                        best = d2
                        at = (i, j, k)
        if at[0] >= 0:
            grains[at] = first
            labels[at] = label_of_grain[first]
            moved += 1
    return moved
