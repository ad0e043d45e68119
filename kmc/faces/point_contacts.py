"""Which voxel faces stand for a point contact, and how they must conduct so that the contact does.

A contact disc of radius a between two grains has the resistance 1/(4 s_i a) + 1/(4 s_j a) + R/(pi a^2) (Holm 1967). The
grid carries part of the spreading itself: a patch of N faces acts like a disc of radius a_grid. Each of the N faces gets
what is missing, r = 1 + N (1/(2a) - 1/(2 a_grid)) in units of 1/(s h), and its share of R. Fitted once against the exact
1/(2 s a) of two half-spaces with 120 random tilts and offsets: no bias, 2 to 6 % scatter for a single contact. A patch that
lies flat in one plane of the grid is not fitted but solved with the lattice's Green function (`lattice_spreading`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.faces.lattice_spreading import flat_face_resistance, surface_potential
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.jit import in_threads, kernel
from microstructures.structure import VoxelStructure

ONE_FACE_RADIUS = 0.269
"""Radius [voxels] of the disc that conducts like one voxel face, averaged over tilt and offset."""
LARGEST_ON_ONE_FACE = 0.45
"""Radius [voxels] up to which a contact is one face; wider ones would leave it less than the smallest share."""
SMALLEST_SHARE = 0.25
"""Smallest face resistance [1/(s h)]; below it another face is added."""
WIDEST_FLAT = 4.0
"""Radius [voxels] above which the fit serves flat patches too."""
TERRACE_MARGIN = 1.5
"""A patch is flat if all faces between its grains lie in its plane, this far [voxels] beyond the contact."""
CONTACTS_PER_BLOCK = 2048


@dataclass(frozen=True)
class ContactFaces:
    """The faces that stand for the point contacts of a structure.

    Attributes
    ----------
    axis, voxel, contact : ndarrays of shape (n,), (n, 3), (n,)
        Axis and low voxel of each chosen face, and the contact it stands for.
    faces_per_contact : ndarray of shape (n_contacts,)
        Number of faces of each contact.
    area_factor, spreading : ndarrays of shape (n_contacts,)
        What a face class of each contact is made of.
    labels : ndarray of shape (n_contacts, 2)
        Phase labels of both grains.
    """

    axis: NDArray[np.int64]
    voxel: NDArray[np.int64]
    contact: NDArray[np.int64]
    faces_per_contact: NDArray[np.int64]
    area_factor: NDArray[np.float64]
    spreading: NDArray[np.float64]
    labels: NDArray[np.uint8]


def select_faces(structure: VoxelStructure) -> ContactFaces:
    """Choose the faces of every point contact.

    Raises
    ------
    InputError
        If the structure has no grains, or a contact has no face between its grains (the neck was not filled).
    """
    contacts = structure.contacts
    if contacts is None or structure.grains is None:
        raise InputError("point contacts need grains; give a structure with both")
    h = structure.voxel_size[0]
    radius = contacts.radius / h
    found, count, spread = _select_in_threads(structure, contacts, h)
    if len(count) and count.min() == 0:
        first = int(np.argmin(count))
        i, j = contacts.grains[first]
        raise InputError(
            f"contact {first} between grains {i} and {j} has no voxel face at {structure.voxel_nm[0]:g} nm; "
            "use smaller voxels, or fill the necks (microstructures.pressing.necks.fill_necks)"
        )
    contact = np.repeat(np.arange(len(count)), count)
    flat = found.reshape(-1, 4)
    return ContactFaces(
        axis=flat[:, 0],
        voxel=flat[:, 1:],
        contact=contact,
        faces_per_contact=count,
        area_factor=count / (np.pi * radius**2),
        spreading=spread,
        labels=_label_of_grain(structure)[contacts.grains],
    )


def _select_in_threads(
    structure: VoxelStructure, contacts: PointContacts, h: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Choose the faces of fixed blocks of contacts, each on its own thread; joined in order, so that bits do not depend."""
    pairs, point, radius = contacts.grains.astype(np.int64), contacts.point / h, contacts.radius / h
    table, periodic = surface_potential(), all(structure.periodic)

    def block(first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        part = slice(first, last)
        found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] = _select(
            structure.grains, periodic, pairs[part], point[part], contacts.normal[part], radius[part], table
        )
        return found

    parts = in_threads(block, len(radius), CONTACTS_PER_BLOCK) or [block(0, 0)]
    found, count, spread = (np.concatenate(column) for column in zip(*parts, strict=True))
    return found, count, spread


def _label_of_grain(structure: VoxelStructure) -> NDArray[np.uint8]:
    assert structure.grains is not None
    label = np.zeros(structure.n_grains + 1, dtype=np.uint8)
    label[structure.grains.ravel()] = structure.labels.ravel()
    return label


@kernel
def grid_radius(n_faces, true_area):  # type: ignore[no-untyped-def]
    """Return the radius [voxels] of the disc that conducts like a patch of faces of total true area [voxel faces]."""
    if n_faces == 1:
        return ONE_FACE_RADIUS
    size = np.sqrt(true_area / np.pi)
    return max(size - (0.277 + 0.07 * np.log(max(size, 0.3))), 0.30)


@kernel
def _candidates(grains, periodic, first, second, point, normal, reach, place, measure):  # type: ignore[no-untyped-def]
    """Find every face between two grains near a point: axis, voxel, in-plane and 3-D distance, |normal . axis|, position.

    Returns their number and the arrays they were written to, longer ones if those given were too short.
    """
    nx, ny, nz = grains.shape
    shape = (nx, ny, nz)
    n = 0
    base = (int(np.floor(point[0])), int(np.floor(point[1])), int(np.floor(point[2])))
    # in a box narrower than the window every voxel is looked at once
    for a in range(-min(reach, (nx - 1) // 2), min(reach, nx // 2) + 1):
        for b in range(-min(reach, (ny - 1) // 2), min(reach, ny // 2) + 1):
            for c in range(-min(reach, (nz - 1) // 2), min(reach, nz // 2) + 1):
                at = (base[0] + a, base[1] + b, base[2] + c)
                i, j, k = at[0] % nx, at[1] % ny, at[2] % nz
                here = grains[i, j, k]
                if here != first and here != second:
                    continue
                if not periodic and (i != at[0] or j != at[1] or k != at[2]):
                    continue
                for axis in range(3):
                    i1 = (i + 1) % nx if axis == 0 else i
                    j1 = (j + 1) % ny if axis == 1 else j
                    k1 = (k + 1) % nz if axis == 2 else k
                    if not periodic and (i1 < i or j1 < j or k1 < k):
                        continue
                    there = grains[i1, j1, k1]
                    if there == here or (there != first and there != second) or shape[axis] < 2:
                        continue
                    if n == len(place):
                        longer_place, longer_measure = np.empty((2 * n, 7), np.int64), np.empty((2 * n, 3))
                        longer_place[:n], longer_measure[:n] = place, measure
                        place, measure = longer_place, longer_measure
                    dx = at[0] + (1.0 if axis == 0 else 0.5) - point[0]
                    dy = at[1] + (1.0 if axis == 1 else 0.5) - point[1]
                    dz = at[2] + (1.0 if axis == 2 else 0.5) - point[2]
                    along = dx * normal[0] + dy * normal[1] + dz * normal[2]
                    d2 = dx * dx + dy * dy + dz * dz
                    place[n, 0], place[n, 1], place[n, 2], place[n, 3] = axis, i, j, k
                    place[n, 4], place[n, 5], place[n, 6] = a, b, c
                    measure[n, 0] = np.sqrt(max(d2 - along * along, 0.0))
                    measure[n, 1] = np.sqrt(d2)
                    measure[n, 2] = abs(normal[axis])
                    n += 1
    return n, place, measure


@kernel
def _choose(place, measure, n, radius, flat_table, taken):  # type: ignore[no-untyped-def]
    """Mark the faces of one contact in `taken`; return their number and what each has beyond its two half cells."""
    taken[:n] = False
    if radius > LARGEST_ON_ONE_FACE:
        for m in range(n):
            taken[m] = measure[m, 0] < radius + 0.3
    if not taken[:n].any():
        taken[np.argmin(measure[:n, 1])] = True
    while True:
        chosen, area = 0, 0.0
        for m in range(n):
            if taken[m]:
                chosen += 1
                area += measure[m, 2]
        share = _face_resistance(place, measure, n, radius, flat_table, taken, chosen, area)
        if share >= SMALLEST_SHARE or chosen == n:
            return chosen, max(share, SMALLEST_SHARE) - 1.0
        nearest = -1
        for m in range(n):
            if not taken[m] and (nearest < 0 or measure[m, 0] < measure[nearest, 0]):
                nearest = m
        taken[nearest] = True


@kernel
def _face_resistance(place, measure, n, radius, flat_table, taken, chosen, area):  # type: ignore[no-untyped-def]
    """Return the resistance [1/(s h)] of each chosen face."""
    wanted = 0.5 / radius
    lead = np.argmax(taken[:n])
    axis = place[lead, 0]
    # a terrace: every face between both grains, chosen or near a chosen one, lies in one plane of the grid
    flat = radius <= WIDEST_FLAT
    for m in range(n):
        if taken[m] or measure[m, 0] < radius + TERRACE_MARGIN:
            flat = flat and place[m, 0] == axis and place[m, 4 + axis] == place[lead, 4 + axis]
    if not flat:
        return 1.0 + chosen * (wanted - 0.5 / grid_radius(chosen, area))
    across, along = np.empty(chosen, np.int64), np.empty(chosen, np.int64)
    at = 0
    for m in range(n):
        if taken[m]:
            across[at], along[at] = place[m, 4 + (axis + 1) % 3], place[m, 4 + (axis + 2) % 3]
            at += 1
    return flat_face_resistance(across, along, flat_table, wanted)


@kernel
def _select(grains, periodic, pairs, points, normals, radii, flat_table):  # type: ignore[no-untyped-def]
    n_contacts = len(radii)
    count = np.zeros(n_contacts, dtype=np.int64)
    spread = np.zeros(n_contacts)
    found = np.empty((64, 4), dtype=np.int64)
    place, measure = np.empty((64, 7), np.int64), np.empty((64, 3))
    total = 0
    for contact in range(n_contacts):
        reach = int(np.ceil(radii[contact])) + 4
        n, place, measure = _candidates(
            grains, periodic, pairs[contact, 0], pairs[contact, 1], points[contact], normals[contact], reach, place, measure
        )
        if n == 0:
            continue
        taken = np.zeros(n, dtype=np.bool_)
        count[contact], spread[contact] = _choose(place, measure, n, radii[contact], flat_table, taken)
        while total + count[contact] > len(found):
            larger = np.empty((2 * len(found), 4), dtype=np.int64)
            larger[:total] = found[:total]
            found = larger
        for m in range(n):
            if taken[m]:
                found[total] = place[m, :4]
                total += 1
    return found[:total], count, spread
