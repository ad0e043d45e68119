"""Every conducting face between two pieces of grains, and the contacts they add up to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from kmc.percolation.contacts.film_parts import FilmTouches, divide_contacts
from kmc.pieces import Joins
from microstructures.jit import kernel

_WRAPPED, _WITHIN = 3, 6


@dataclass(frozen=True)
class PieceFaces:
    """Faces between pieces, one row each.

    Attributes
    ----------
    pieces : ndarray of shape (n, 2), int64
        Piece of the low and of the high voxel.
    films : ndarray of shape (n, 2), int64
        1 + film part that runs through the low and the high voxel, 0 for none.
    axis : ndarray of shape (n,), int64
        Direction of the face's normal.
    face_class : ndarray of shape (n,), int64
        Its class in the face table.
    wrapped : ndarray of shape (n,), bool
        Whether it crosses the outer boundary of the box.
    within : ndarray of shape (n,), bool
        Whether both voxels belong to one grain and phase, so that the piece goes on across the outer boundary.
    """

    pieces: NDArray[np.int64]
    films: NDArray[np.int64]
    axis: NDArray[np.int64]
    face_class: NDArray[np.int64]
    wrapped: NDArray[np.bool_]
    within: NDArray[np.bool_]

    def take(self, keep: NDArray[np.bool_]) -> PieceFaces:
        """Return some of the rows."""
        return PieceFaces(
            self.pieces[keep], self.films[keep], self.axis[keep], self.face_class[keep], self.wrapped[keep],
            self.within[keep],
        )  # fmt: skip


@dataclass(frozen=True)
class ContactSums:
    """Faces added up to contacts, one row each.

    Attributes
    ----------
    pieces : ndarray of shape (m, 2), int64
        The lower number first.
    offset : ndarray of shape (m, 3), int64
        Box in which the second piece lies, seen from the first.
    faces : ndarray of shape (m,), int64
    area_m2 : ndarray of shape (m,)
    interface_resistance_ohm : ndarray of shape (m,)
    point_contact : ndarray of shape (m,), bool
    touches : FilmTouches
        The contacts divided by the film parts that reach them.
    """

    pieces: NDArray[np.int64]
    offset: NDArray[np.int64]
    faces: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    interface_resistance_ohm: NDArray[np.float64]
    point_contact: NDArray[np.bool_]
    touches: FilmTouches


def collect_faces(
    network: Network, ids: NDArray[np.int32], films: NDArray[np.int32], joins: Joins, periodic: bool
) -> PieceFaces:
    """List the faces between pieces; with periodic boundary also all those of pieces across the outer boundary."""
    structure = network.structure
    has_grains = structure.grains is not None
    grains = structure.grains if structure.grains is not None else np.zeros((1, 1, 1), dtype=np.int32)
    has_films = bool(joins.along_film.any())
    look = (
        ids, films, has_films, *network.faces.of_axis, joins.contact, joins.within, joins.along_film, grains,
        has_grains, periodic,
    )  # fmt: skip
    empty = np.empty((0, 6), dtype=np.int32)
    rows = np.empty((_collect(*look, False, empty), 6), dtype=np.int32)
    _collect(*look, True, rows)
    code = rows[:, 3].astype(np.int64)
    return PieceFaces(
        pieces=rows[:, :2].astype(np.int64),
        films=rows[:, 4:].astype(np.int64),
        axis=code % 3,
        face_class=rows[:, 2].astype(np.int64),
        wrapped=code % _WITHIN >= _WRAPPED,
        within=code >= _WITHIN,
    )


def add_up(network: Network, found: PieceFaces, pieces: NDArray[np.int64], offset: NDArray[np.int64]) -> ContactSums:
    """Add the faces of each contact.

    True area of a face: A / area_factor, so that a point contact of N faces adds up to pi a^2. Interface resistance:
    all faces in parallel, each with R area_factor / A.

    Parameters
    ----------
    network : Network
    found : PieceFaces
    pieces, offset : ndarrays of shape (n, 2) and (n, 3), int64
        Pieces of each face and the box of the second seen from the first (in place of those in `found`).
    """
    faces = network.faces
    swap = lower_first(pieces, offset)[:, None]
    pieces, offset = np.where(swap, pieces[:, ::-1], pieces), np.where(swap, -offset, offset)
    first, same, count = unique_rows(pieces, offset)
    area = faces.face_geometry()[0][found.axis] / faces.area_factor[found.face_class]
    resistance = network.interface_resistance[found.face_class]
    with np.errstate(divide="ignore"):
        across = np.bincount(same, area / resistance, count)
        interface_resistance = np.where(across > 0.0, 1.0 / across, np.inf)
    return ContactSums(
        pieces=pieces[first],
        offset=offset[first],
        faces=np.bincount(same, minlength=count).astype(np.int64),
        area_m2=np.bincount(same, area, count).astype(np.float64),
        interface_resistance_ohm=interface_resistance,
        point_contact=np.bincount(same, faces.point_contact[found.face_class], count) > 0.0,
        touches=divide_contacts(same.astype(np.int64), np.where(swap, found.films[:, ::-1], found.films)),
    )


def lower_first(pieces: NDArray[np.int64], offset: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where a pair must be swapped: the second has the lower number, or it is the first in a box behind."""
    sign = np.sign(offset)
    lead = np.where(sign[:, 0] != 0, sign[:, 0], np.where(sign[:, 1] != 0, sign[:, 1], sign[:, 2]))
    behind = (pieces[:, 0] == pieces[:, 1]) & (lead < 0)
    return np.logical_or(pieces[:, 0] > pieces[:, 1], behind)


def unique_rows(pieces: NDArray[np.int64], offset: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return the first row of each contact in order of its pieces, the contact of each row, and their number."""
    if not len(pieces):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), 0
    key = pieces[:, 0] * (pieces.max() + 1) + pieces[:, 1]
    for axis in range(3):
        low, high = int(offset[:, axis].min()), int(offset[:, axis].max())
        key = key * (high - low + 1) + (offset[:, axis] - low)
    found, first, same = np.unique(key, return_index=True, return_inverse=True)
    return first, same, len(found)


@kernel
def _collect(ids, films, has_films, of_x, of_y, of_z, contact, within, along_film, grains, has_grains, periodic, fill, rows):  # type: ignore[no-untyped-def]
    """Return the number of faces; with `fill`, write its pieces, class, code and film parts."""
    nx, ny, nz = ids.shape
    n = 0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                a = ids[i, j, k]
                if a == 0:
                    continue
                for axis in range(3):
                    i1, j1, k1 = i, j, k
                    if axis == 0:
                        i1, face = i + 1, np.int64(of_x[i, j, k])
                        wrapped = i1 == nx
                    elif axis == 1:
                        j1, face = j + 1, np.int64(of_y[i, j, k])
                        wrapped = j1 == ny
                    else:
                        k1, face = k + 1, np.int64(of_z[i, j, k])
                        wrapped = k1 == nz
                    if wrapped:
                        if not periodic:
                            continue
                        i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    b = ids[i1, j1, k1]
                    if b == 0 or (a == b and not wrapped):
                        continue
                    inside = wrapped and within[face]
                    if inside and has_grains and not along_film[face]:
                        inside = grains[i, j, k] == grains[i1, j1, k1]
                    if not contact[face] and not inside:
                        continue
                    if fill:
                        rows[n, 0], rows[n, 1], rows[n, 2] = a, b, face
                        rows[n, 3] = axis + (_WRAPPED if wrapped else 0) + (_WITHIN if inside else 0)
                        rows[n, 4] = films[i, j, k] if has_films else 0
                        rows[n, 5] = films[i1, j1, k1] if has_films else 0
                    n += 1
    return n
