"""Every open face that leaves a node of the contact graph: through a contact into another node, or into a plate.

What is left are the faces inside the nodes, closed sets that can be solved one by one. Nodes go on across a periodic
boundary; where one winds around the box, it meets its own image in a contact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.percolation.contacts.contact_faces import PieceFaces, collect_faces, lower_first, unique_rows
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.contacts.pieces import label_carrying_pieces, merge_periodic
from kmc.pieces import find_joins
from microstructures.jit import kernel, parallel_kernel

PLATE = -1
"""Stands for the node and the voxel on the far side of a plate's faces."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class GrainFaces:
    """Faces of all contacts, sorted by contact: first those of the graph's edges, then others, then plates.

    Attributes
    ----------
    nodes : ndarray of shape (m, 2), int64
        Both nodes of each contact; a low plate comes first, a high plate second, as `PLATE`.
    offset : ndarray of shape (m, 3), int64
        Box in which the second node lies, seen from the first.
    plate_axis : ndarray of shape (m,), int64
        Axis of the plate, -1 for none.
    start : ndarray of shape (m + 1,), int64
        First face of each contact.
    voxels : ndarray of shape (k, 2), int64
        Voxel of each face on the side of the first and of the second node, as flat positions.
    axis : ndarray of shape (k,), int64
        Direction of its normal.
    sign : ndarray of shape (k,), int64
        1 if the second voxel lies further along it, else -1.
    face_class : ndarray of shape (k,), int64
        Class in the face table; a plate's faces conduct twice what their class does.
    inside : tuple of 3 ndarrays of shape (nx, ny, nz)
        Classes of the faces inside nodes, all others closed.
    """

    nodes: Integers
    offset: Integers
    plate_axis: Integers
    start: Integers
    voxels: Integers
    axis: Integers
    sign: Integers
    face_class: Integers
    inside: tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]

    def __len__(self) -> int:
        """Return the number of contacts."""
        return len(self.nodes)

    @property
    def contact(self) -> Integers:
        """Return the contact of each face."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @property
    def at_plate(self) -> NDArray[np.bool_]:
        """Return whether each contact is with a plate."""
        return np.asarray(self.plate_axis >= 0)

    def resistance_ohm(self, conductance_S: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the resistance of each face [ohm] for the conductances of all classes, shape (3, n_classes)."""
        whole = 1.0 / conductance_S[self.axis, self.face_class]
        return np.where(self.at_plate[self.contact], 0.5 * whole, whole)


def find_grain_faces(graph: ContactGraph, axes: tuple[int, ...] = (0, 1, 2)) -> GrainFaces:
    """Sort the open faces of a graph's network into those of contacts, those at the plates of some axes, and those inside nodes."""
    network = graph.network
    joins = find_joins(network)
    pieces, count = (graph.ids, graph.n_nodes)
    number, box = np.arange(count + 1), np.zeros((count + 1, 3), dtype=np.int64)
    if graph.periodic:
        pieces, count = label_carrying_pieces(network, joins)
        number, box = _nodes_of(collect_faces(network, pieces, graph.films.ids, joins, True), count)
    open_ = np.asarray((network.conductance > 0.0).any(axis=0))
    inside = tuple(part.copy(order="C") for part in network.faces.of_axis)
    look = (pieces, number, box, graph.periodic, open_)
    rows = np.empty((_leaving(*look, *inside, np.empty((0, 9), dtype=np.int64), False), 9), dtype=np.int64)
    _leaving(*look, *inside, rows, True)
    _close(*look, *inside)
    nodes, offset = rows[:, :2] - 1, rows[:, 2:5]
    swap = lower_first(nodes, offset)
    nodes, offset = np.where(swap[:, None], nodes[:, ::-1], nodes), np.where(swap[:, None], -offset, offset)
    voxels = np.where(swap[:, None], rows[:, 6:4:-1], rows[:, 5:7])
    first, same, found = unique_rows(nodes, offset)
    rank = _edges_first(graph, nodes[first], offset[first])
    contact = rank[same]
    order = np.argsort(contact, kind="stable")
    by_rank = first[np.argsort(rank)]
    plates = [] if graph.periodic else [(axis, *_plate(graph, axis, end, open_)) for axis in axes for end in (0, 1)]
    plate_nodes = [part[1] for part in plates]
    faces_of = np.concatenate([np.bincount(contact, minlength=found), *(part[3] for part in plates)])
    return GrainFaces(
        nodes=np.concatenate([nodes[by_rank], *plate_nodes]),
        offset=np.concatenate([offset[by_rank], *(np.zeros((len(part), 3), dtype=np.int64) for part in plate_nodes)]),
        plate_axis=np.concatenate([np.full(found, -1), *(np.full(len(part[1]), part[0]) for part in plates)]),
        start=np.concatenate(([0], np.cumsum(faces_of))).astype(np.int64),
        voxels=np.concatenate([voxels[order], *(part[2] for part in plates)]),
        axis=np.concatenate([rows[order, 7], *(np.full(len(part[2]), part[0]) for part in plates)]),
        sign=np.concatenate([np.where(swap[order], -1, 1), *(np.ones(len(part[2]), dtype=np.int64) for part in plates)]),
        face_class=np.concatenate([rows[order, 8], *(part[4] for part in plates)]),
        inside=(inside[0], inside[1], inside[2]),
    )


def _nodes_of(found: PieceFaces, count: int) -> tuple[Integers, Integers]:
    """Return 1 + node of each piece cut by the outer boundary, and its box."""
    crossing = np.unique(np.column_stack((found.pieces[found.within], found.axis[found.within])), axis=0)
    root, box = merge_periodic(crossing[:, 0], crossing[:, 1], crossing[:, 2], count)
    return np.unique(root, return_inverse=True)[1].astype(np.int64), box


def _edges_first(graph: ContactGraph, nodes: Integers, offset: Integers) -> Integers:
    """Return the number of each contact: that of the graph's edge, or one after all edges."""
    known = {row: number for number, row in enumerate(map(tuple, np.column_stack((graph.edges, graph.offset)).tolist()))}
    edge = np.array([known.get(row, -1) for row in map(tuple, np.column_stack((nodes, offset)).tolist())], dtype=np.int64)
    return np.where(edge >= 0, edge, graph.n_edges - 1 + np.cumsum(edge < 0))


def _plate(graph: ContactGraph, axis: int, end: int, open_: NDArray[np.bool_]) -> tuple[Integers, Integers, Integers, Integers]:
    """Return nodes, voxels, number of faces and classes of the contacts with one plate, sorted by node."""
    shape = graph.ids.shape
    number = np.arange(graph.ids.size).reshape(shape)
    node, voxel = np.take(graph.ids, -end, axis=axis).ravel(), np.take(number, -end, axis=axis).ravel()
    classes = graph.network.faces.plates[axis][end].ravel()
    at = np.flatnonzero((node > 0) & open_[classes])
    at = at[np.argsort(node[at], kind="stable")]
    found, count = np.unique(node[at], return_counts=True)
    pair = np.column_stack((np.full(len(found), PLATE), found.astype(np.int64) - 1))
    voxels = np.column_stack((np.full(len(at), PLATE), voxel[at]))
    flip = slice(None, None, -1 if end else 1)
    return pair[:, flip], voxels[:, flip], count.astype(np.int64), classes[at].astype(np.int64)


@kernel
def _state(pieces, number, box, i, j, k, i1, j1, k1, axis, wrapped, shift):  # type: ignore[no-untyped-def]
    """Return 0 if a face lies outside, 1 inside a node, 2 in a contact; `shift` becomes the box of its far side."""
    a, b = pieces[i, j, k], pieces[i1, j1, k1]
    if a == 0 or b == 0:
        return 0
    for d in range(3):
        shift[d] = box[a, d] - box[b, d]
    if wrapped:
        shift[axis] += 1
    if number[a] == number[b] and shift[0] == 0 and shift[1] == 0 and shift[2] == 0:
        return 1
    return 2


@kernel
def _leaving(pieces, number, box, periodic, open_, of_x, of_y, of_z, rows, fill):  # type: ignore[no-untyped-def]
    """Return the number of open faces between nodes; with `fill`, write nodes, offset, voxels, axis and class of each."""
    nx, ny, nz = pieces.shape
    n, shift = 0, np.zeros(3, dtype=np.int64)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if pieces[i, j, k] == 0:
                    continue
                for axis in range(3):
                    i1, j1, k1 = i + (axis == 0), j + (axis == 1), k + (axis == 2)
                    wrapped = i1 == nx or j1 == ny or k1 == nz
                    if wrapped and not periodic:
                        continue
                    i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    face = np.int64(of_x[i, j, k] if axis == 0 else (of_y[i, j, k] if axis == 1 else of_z[i, j, k]))
                    if not open_[face] or _state(pieces, number, box, i, j, k, i1, j1, k1, axis, wrapped, shift) != 2:
                        continue
                    if fill:
                        rows[n, 0], rows[n, 1] = number[pieces[i, j, k]], number[pieces[i1, j1, k1]]
                        rows[n, 2:5] = shift
                        rows[n, 5], rows[n, 6] = (i * ny + j) * nz + k, (i1 * ny + j1) * nz + k1
                        rows[n, 7], rows[n, 8] = axis, face
                    n += 1
    return n


@parallel_kernel
def _close(pieces, number, box, periodic, open_, of_x, of_y, of_z):  # type: ignore[no-untyped-def]
    """Close every face that does not lie inside a node."""
    nx, ny, nz = pieces.shape
    for i in prange(nx):
        shift = np.zeros(3, dtype=np.int64)
        for j in range(ny):
            for k in range(nz):
                for axis in range(3):
                    i1, j1, k1 = i + (axis == 0), j + (axis == 1), k + (axis == 2)
                    wrapped = i1 == nx or j1 == ny or k1 == nz
                    i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    keep = periodic or not wrapped
                    keep = keep and _state(pieces, number, box, i, j, k, i1, j1, k1, axis, wrapped, shift) == 1
                    if axis == 0 and not (keep and open_[of_x[i, j, k]]):
                        of_x[i, j, k] = 0
                    elif axis == 1 and not (keep and open_[of_y[i, j, k]]):
                        of_y[i, j, k] = 0
                    elif axis == 2 and not (keep and open_[of_z[i, j, k]]):
                        of_z[i, j, k] = 0
