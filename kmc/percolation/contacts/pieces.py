"""What the contact graph wants to know of its pieces: size, place, and how they go on across the outer boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from kmc.pieces import Joins, carrying_phases, label_pieces
from microstructures.jit import kernel


def label_carrying_pieces(network: Network, joins: Joins) -> tuple[NDArray[np.int32], int]:
    """Return the pieces that hold a voxel which carries by itself, as `label_pieces` does, the others dropped (0)."""
    ids, count = label_pieces(network, joins)
    held = np.zeros(count + 1, dtype=np.bool_)
    _mark_carrying(ids, network.structure.labels, carrying_phases(network)[network.faces.phase_of_label], held)
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


def piece_surface_m2(
    ids: NDArray[np.int32], count: int, face_area_m2: NDArray[np.float64], periodic: bool
) -> NDArray[np.float64]:
    """Return the area [m^2] of the voxel faces between each piece and anything else in the box, shape (count,)."""
    return np.asarray(_count_outer_faces(ids, count, periodic)[1:] @ face_area_m2)


@kernel
def _count_outer_faces(ids, count, periodic):  # type: ignore[no-untyped-def]
    nx, ny, nz = ids.shape
    found = np.zeros((count + 1, 3))
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                a = ids[i, j, k]
                for axis in range(3):
                    i1, j1, k1 = i + (axis == 0), j + (axis == 1), k + (axis == 2)
                    if i1 == nx or j1 == ny or k1 == nz:
                        if not periodic:
                            continue
                        i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    b = ids[i1, j1, k1]
                    if a != b:
                        found[a, axis] += 1.0
                        found[b, axis] += 1.0
    return found


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
