"""The pieces of grains that the contact graph is made of: connected voxels of one phase and one grain.

A film belongs to the piece that bears it: voxels without carriers of their own that it runs through join that piece,
but a film never joins two grains that both conduct. With periodic boundary a piece goes on across the outer boundary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import _number, _union
from kmc.network import Network
from kmc.percolation.clusters import carrying_phases
from microstructures.jit import kernel


@dataclass(frozen=True)
class Joins:
    """Which faces lie inside a piece.

    Attributes
    ----------
    within : ndarray of shape (n_classes,), bool
        Classes that join voxels of one grain to one piece.
    along_film : ndarray of shape (n_classes,), bool
        Those that do so whatever the grains, because a film runs along them.
    contact : ndarray of shape (n_classes,), bool
        Classes that are a contact where they lie between two pieces: open, both sides carry.
    """

    within: NDArray[np.bool_]
    along_film: NDArray[np.bool_]
    contact: NDArray[np.bool_]


def find_joins(network: Network) -> Joins:
    """Sort the face classes of a network into those inside pieces and those between them."""
    faces = network.faces
    open_ = (network.conductance > 0.0).any(axis=0)
    carries = carrying_phases(network)
    phases = faces.phases.astype(np.intp)
    bearer = np.array([faces.phase_names.index(pair[0]) for pair in faces.film_pairs] + [-1])[faces.film]
    filmed = (faces.film >= 0) & ~faces.film_across & (network.film_conductance[faces.film] > 0.0)
    own_or_empty = ((phases == bearer[:, None]) | ~carries[phases]).all(axis=1)
    along_film = open_ & filmed & own_or_empty
    same_phase = phases[:, 0] == phases[:, 1]
    return Joins(
        within=open_ & ~faces.point_contact & (same_phase | along_film),
        along_film=along_film,
        contact=np.logical_and(open_, carries[phases].all(axis=1)),
    )


def label_grain_pieces(network: Network, joins: Joins) -> tuple[NDArray[np.int32], int]:
    """Return the piece each voxel belongs to, shape (nx, ny, nz), int32, numbered from 1, and the number of pieces.

    Pieces without a voxel that carries by itself are dropped (0).
    """
    faces, structure = network.faces, network.structure
    has_grains = structure.grains is not None
    grains = structure.grains if structure.grains is not None else np.zeros((1, 1, 1), dtype=np.int32)
    parent = _union(*faces.of_axis, joins.within, grains, joins.along_film, has_grains)
    conducts = (network.phase_conductivity > 0.0)[faces.phase_of_label]
    ids, count = _number(parent, structure.labels, conducts)
    held = np.zeros(count + 1, dtype=np.bool_)
    _mark_carrying(ids, structure.labels, carrying_phases(network)[faces.phase_of_label], held)
    held[0] = False
    if held[1:].all():
        return ids, count
    number = np.where(held, np.cumsum(held), 0).astype(np.int32)
    return number[ids], int(held.sum())


@dataclass(frozen=True)
class PieceSums:
    """Sums over the carrying voxels of each piece; row 0 is no piece.

    Attributes
    ----------
    voxels : ndarray of shape (n + 1,), int64
    place : ndarray of shape (n + 1, 3)
        Sum of the voxel centres [voxels].
    phase, grain : ndarrays of shape (n + 1,), int64
        Phase (as a position) and grain of the first carrying voxel.
    """

    voxels: NDArray[np.int64]
    place: NDArray[np.float64]
    phase: NDArray[np.int64]
    grain: NDArray[np.int64]


def sum_pieces(network: Network, ids: NDArray[np.int32], count: int) -> PieceSums:
    """Count the carrying voxels of each piece and add up where they lie."""
    faces, structure = network.faces, network.structure
    grains = structure.grains if structure.grains is not None else np.zeros((1, 1, 1), dtype=np.int32)
    sums = PieceSums(
        voxels=np.zeros(count + 1, dtype=np.int64),
        place=np.zeros((count + 1, 3)),
        phase=np.zeros(count + 1, dtype=np.int64),
        grain=np.zeros(count + 1, dtype=np.int64),
    )
    carries = carrying_phases(network)
    _sum(
        ids, structure.labels, faces.phase_of_label, carries, grains, structure.grains is not None,
        sums.voxels, sums.place, sums.phase, sums.grain,
    )  # fmt: skip
    return sums


def merge_periodic(
    first: NDArray[np.int64], second: NDArray[np.int64], axis: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join pieces that continue across the outer boundary.

    Parameters
    ----------
    first, second, axis : ndarrays of shape (n,), int64
        Piece `second` lies next to piece `first`, one box further along `axis`.
    count : int
        Number of pieces.

    Returns
    -------
    root : ndarray of shape (count + 1,), int64
        Lowest piece of each set.
    box : ndarray of shape (count + 1, 3), int64
        Box in which a piece lies, seen from its root. A piece that meets itself again in another box stays in its own.
    """
    root, box = _merge_boxes(first, second, axis, count)
    return root, box


@kernel
def _mark_carrying(ids, labels, carries, held):  # type: ignore[no-untyped-def]
    flat_ids, flat_labels = ids.reshape(-1), labels.reshape(-1)
    for n in range(len(flat_ids)):
        if carries[flat_labels[n]]:
            held[flat_ids[n]] = True


@kernel
def _sum(ids, labels, phase_of_label, carries, grains, has_grains, voxels, place, phase, grain):  # type: ignore[no-untyped-def]
    nx, ny, nz = ids.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                piece = ids[i, j, k]
                own = phase_of_label[labels[i, j, k]]
                if piece == 0 or not carries[own]:
                    continue
                if voxels[piece] == 0:
                    phase[piece] = own
                    grain[piece] = grains[i, j, k] if has_grains else 0
                voxels[piece] += 1
                place[piece, 0] += i + 0.5
                place[piece, 1] += j + 0.5
                place[piece, 2] += k + 0.5


@kernel
def _merge_boxes(first, second, axis, count):  # type: ignore[no-untyped-def]
    parent = np.arange(count + 1)
    box = np.zeros((count + 1, 3), dtype=np.int64)
    for n in range(len(first)):
        a, b = first[n], second[n]
        step = np.zeros(3, dtype=np.int64)
        step[axis[n]] = 1
        while parent[a] != a:
            step += box[a]
            a = parent[a]
        while parent[b] != b:
            step -= box[b]
            b = parent[b]
        if a < b:
            parent[b] = a
            box[b] = step
        elif b < a:
            parent[a] = b
            box[a] = -step
    root = np.empty(count + 1, dtype=np.int64)
    total = np.zeros((count + 1, 3), dtype=np.int64)
    for n in range(count + 1):
        a = n
        while parent[a] != a:
            total[n] += box[a]
            a = parent[a]
        root[n] = a
    return root, total
