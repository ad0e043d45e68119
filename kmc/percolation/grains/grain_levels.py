"""The nodes of a contact graph as closed sets of voxels, each with its own hierarchy of aggregates.

The aggregates are those of `kmc.multigrid`, built for all nodes at once and then sorted by node, so that every node can be
solved by itself, for many sources at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.multigrid.levels import Faces, Graph, coarser_graph, first_graph
from microstructures.jit import kernel

SMALL_ENOUGH = 100
"""Aggregates of a node that are solved directly."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class NodeLevels:
    """Voxels and aggregates of all nodes; the aggregates of every level follow those of the finer one, sorted by node.

    Attributes
    ----------
    voxels : ndarray, int64
        Flat positions of the voxels, sorted by node.
    first_voxel : ndarray of shape (n_nodes + 1,), int64
        Where each node's begin.
    place : ndarray of shape (nx, ny, nz), int32
        Place of each voxel among those of its node.
    parent_of_voxel : ndarray, int64
        Aggregate of each of `voxels`, -1 of one that is a node by itself.
    first : ndarray of shape (n_levels, n_nodes + 1), int64
        Where the aggregates of each node begin, level by level.
    start, to, value : CSR
        Other aggregates that each is joined to, and by which conductance.
    inverse : ndarray
        Inverse of the diagonal.
    parent : ndarray, int64
        Aggregate of each aggregate, -1 on the last level.
    depth : ndarray of shape (n_nodes,), int64
        Last level that each node needs.
    """

    voxels: Integers
    first_voxel: Integers
    place: NDArray[np.int32]
    parent_of_voxel: Integers
    first: Integers
    start: Integers
    to: Integers
    value: NDArray[np.float32]
    inverse: NDArray[np.float64]
    parent: Integers
    depth: Integers


def build_levels(ids: NDArray[np.int32], n_nodes: int, faces: Faces) -> NodeLevels:
    """Build the hierarchies of all nodes.

    Parameters
    ----------
    ids : ndarray of shape (nx, ny, nz), int32
        1 + node of each voxel, 0 for none.
    n_nodes : int
        Number of nodes.
    faces : Faces
        The network, closed between nodes.
    """
    slot = np.empty(ids.shape, dtype=np.uint8)
    graphs = [first_graph(faces, slot)]
    while max(graphs[-1].shape) > 1:
        graphs.append(coarser_graph(graphs[-1]))
    count = np.bincount(ids.ravel(), minlength=n_nodes + 1)
    voxels = np.argsort(ids.ravel(), kind="stable")[count[0] :]
    first_voxel = np.concatenate(([0], np.cumsum(count[1:])))
    place = np.zeros(ids.shape, dtype=np.int32)
    _number(voxels, first_voxel, place.reshape(-1))
    parent = np.empty(len(voxels), dtype=np.int64)
    _parents(voxels, slot, graphs[0].first, parent)
    return _sorted_by_node(graphs, voxels, first_voxel, place, parent)


def _sorted_by_node(
    graphs: list[Graph], voxels: Integers, first_voxel: Integers, place: NDArray[np.int32], parent_of_voxel: Integers
) -> NodeLevels:
    """Bring the aggregates of every level into the order of their nodes."""
    n_nodes = len(first_voxel) - 1
    bases = np.concatenate(([0], np.cumsum([len(graph.x) for graph in graphs])))
    total = int(bases[-1])
    new, first = np.empty(total, dtype=np.int64), np.empty((len(graphs), n_nodes + 1), dtype=np.int64)
    held = parent_of_voxel >= 0
    owner = np.full(len(graphs[0].x), n_nodes, dtype=np.int64)
    owner[parent_of_voxel[held]] = np.repeat(np.arange(n_nodes), np.diff(first_voxel))[held]
    for level, graph in enumerate(graphs):
        order = np.argsort(owner, kind="stable")
        new[bases[level] + order] = bases[level] + np.arange(len(order))
        first[level] = bases[level] + np.searchsorted(owner[order], np.arange(n_nodes + 1))
        if level + 1 < len(graphs):
            coarse = np.full(len(graphs[level + 1].x), n_nodes, dtype=np.int64)
            coarse[graph.parent] = owner
            owner = coarse
    degree, inverse, parent = np.zeros(total + 1, dtype=np.int64), np.empty(total), np.full(total, -1, dtype=np.int64)
    for level, graph in enumerate(graphs):
        here = new[bases[level] : bases[level + 1]]
        degree[1 + here], inverse[here] = np.diff(graph.start), graph.inverse
        if level + 1 < len(graphs):
            parent[here] = new[bases[level + 1] + graph.parent]
    start = np.cumsum(degree)
    to, value = np.empty(start[-1], dtype=np.int64), np.empty(start[-1], dtype=np.float32)
    for level, graph in enumerate(graphs):
        _sort_edges(
            graph.start, graph.to, graph.value, new[bases[level] : bases[level + 1]], bases[level], new, start, to, value
        )
    sizes = np.diff(first, axis=1)
    depth = np.argmax(sizes <= SMALL_ENOUGH, axis=0)
    depth = np.where((sizes <= SMALL_ENOUGH).any(axis=0), depth, len(graphs) - 1)
    of_voxel = np.append(new, -1)[parent_of_voxel]
    return NodeLevels(voxels, first_voxel, place, of_voxel, first, start, to, value, inverse, parent, depth.astype(np.int64))


@kernel
def _number(voxels, first_voxel, place):  # type: ignore[no-untyped-def]
    for node in range(len(first_voxel) - 1):
        for n in range(first_voxel[node], first_voxel[node + 1]):
            place[voxels[n]] = n - first_voxel[node]


@kernel
def _parents(voxels, slot, first, parent):  # type: ignore[no-untyped-def]
    """Write the aggregate of each voxel, -1 where no face joins it to another."""
    _, ny, nz = slot.shape
    cy, cz = (ny + 1) // 2, (nz + 1) // 2
    for n in range(len(voxels)):
        at = voxels[n]
        i, j, k = at // (ny * nz), at // nz % ny, at % nz
        own = np.int64(slot[i, j, k])
        parent[n] = -1 if own == 255 else first[((i >> 1) * cy + (j >> 1)) * cz + (k >> 1)] + own


@kernel
def _sort_edges(start, to, value, here, base, new, new_start, new_to, new_value):  # type: ignore[no-untyped-def]
    for n in range(len(start) - 1):
        e = new_start[here[n]]
        for old in range(start[n], start[n + 1]):
            new_to[e], new_value[e] = new[base + to[old]], value[old]
            e += 1
