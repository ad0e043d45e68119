"""The connected parts of the films around pieces: a film that a contact does not touch cannot serve it.

Firing loses films where grains sinter, so the film around one grain may consist of patches that do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import label_sets
from kmc.network import Network
from kmc.pieces import Joins


@dataclass(frozen=True)
class FilmParts:
    """Connected parts of films.

    Attributes
    ----------
    ids : ndarray of shape (nx, ny, nz), int32
        1 + part that runs through each voxel, 0 where none does.
    node : ndarray of shape (n,), int64
        Piece that bears each part.
    voxels : ndarray of shape (n,), int64
        Voxels that it runs through.
    seams : ndarray of shape (k, 2), int64
        Parts that go on as another one across the outer boundary; none with plates.
    seam_offset : ndarray of shape (k, 3), int64
        Box of the second part of a seam, seen from the first.
    seam_conductance_S : ndarray of shape (k,)
        Conductance of the film's faces across the boundary [S].
    """

    ids: NDArray[np.int32]
    node: NDArray[np.int64]
    voxels: NDArray[np.int64]
    seams: NDArray[np.int64]
    seam_offset: NDArray[np.int64]
    seam_conductance_S: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self.node)


@dataclass(frozen=True)
class FilmTouches:
    """Contacts divided by the film parts that reach them; film parts that meet the same contact stay apart.

    Attributes
    ----------
    contact : ndarray of shape (k,), int64
        Contact that a share belongs to.
    part : ndarray of shape (k, sides), int64
        Film part on each side of it, -1 for none.
    share : ndarray of shape (k,)
        Share of the contact's faces; those of one contact add up to 1.
    filmed_share : ndarray of shape (k, sides)
        Share of the faces that this film part serves among all of its contact that a film serves on that side.
    """

    contact: NDArray[np.int64]
    part: NDArray[np.int64]
    share: NDArray[np.float64]
    filmed_share: NDArray[np.float64]


def label_film_parts(network: Network, joins: Joins) -> tuple[NDArray[np.int32], int]:
    """Return the film part of each voxel, numbered from 1, and their number; one 0 if there are no films."""
    if not joins.along_film.any():
        return np.zeros((1, 1, 1), dtype=np.int32), 0
    everywhere = np.ones(len(joins.along_film), dtype=np.bool_)
    return label_sets(network, joins.along_film, everywhere, lone=np.zeros(len(network.faces.phase_names), dtype=np.bool_))


def describe_film_parts(
    network: Network,
    joins: Joins,
    labelled: tuple[NDArray[np.int32], int],
    old_pieces: NDArray[np.int32],
    number: NDArray[np.int64],
    box: NDArray[np.int64] | None,
) -> FilmParts:
    """Find the piece of every film part and its seams across the outer boundary.

    Parameters
    ----------
    network, joins
        As for the pieces.
    labelled : tuple
        From `label_film_parts`.
    old_pieces : ndarray of shape (nx, ny, nz), int32
        Pieces before they were joined across the outer boundary.
    number : ndarray, int64
        Piece (from 1) that each old piece became part of.
    box : ndarray of shape (n_old + 1, 3), int64, or None
        Its box; None with plates.
    """
    ids, count = labelled
    old = np.zeros(count + 1, dtype=np.int64)
    if count:
        old[ids.ravel()] = old_pieces.ravel()
    voxels = np.bincount(ids.ravel(), minlength=count + 1)[1:].astype(np.int64)
    seams = [np.zeros((0, 2), dtype=np.int64)]
    offsets = [np.zeros((0, 3), dtype=np.int64)]
    conductances = [np.zeros(0)]
    faces = network.faces
    for axis in range(3) if box is not None and count else ():
        assert box is not None
        face = np.take(faces.of_axis[axis], -1, axis=axis)
        a, b = np.take(ids, -1, axis=axis), np.take(ids, 0, axis=axis)
        crosses = joins.along_film[face] & (a > 0) & (b > 0)
        pair = np.column_stack((a[crosses], b[crosses])).astype(np.int64)
        found, same = np.unique(pair, axis=0, return_inverse=True)
        step = box[old[found[:, 0]]] - box[old[found[:, 1]]]
        step[:, axis] += 1
        seams.append(found - 1)
        offsets.append(step)
        film = network.conductance[axis][face[crosses]]
        conductances.append(np.bincount(same.ravel(), film, len(found)).astype(np.float64))
    return FilmParts(
        ids=ids,
        node=number[old[1:]] - 1,
        voxels=voxels,
        seams=np.concatenate(seams),
        seam_offset=np.concatenate(offsets),
        seam_conductance_S=np.concatenate(conductances),
    )


def divide_contacts(contact: NDArray[np.int64], parts: NDArray[np.int64]) -> FilmTouches:
    """Divide contacts by the film parts that reach their faces.

    Parameters
    ----------
    contact : ndarray of shape (n,), int64
        Contact of each face.
    parts : ndarray of shape (n, sides), int64
        1 + film part of the voxel on each side of each face, 0 for none.
    """
    n_parts = int(parts.max(initial=0)) + 1
    key = contact
    for side in range(parts.shape[1]):
        key = key * n_parts + parts[:, side]
    found, count = np.unique(key, return_counts=True)
    part = np.empty((len(found), parts.shape[1]), dtype=np.int64)
    for side in reversed(range(parts.shape[1])):
        found, part[:, side] = np.divmod(found, n_parts)
    part -= 1
    filmed = np.zeros(part.shape)
    for side in range(parts.shape[1]):
        served = np.where(part[:, side] >= 0, count, 0)
        filmed[:, side] = served / np.maximum(np.bincount(found, served), 1)[found] if len(found) else 0.0
    share = count / np.bincount(found, count)[found] if len(found) else np.zeros(0)
    return FilmTouches(found, part, share, filmed)
