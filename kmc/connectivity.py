"""Which voxels are joined by conducting faces: the clusters of the network.

Neighbourhood: the 6 faces of a voxel, the same as the solver and the hops use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.jit import kernel
from microstructures.voxels.winding import join_across_boundary


@dataclass(frozen=True)
class Clusters:
    """Connected sets of conducting voxels.

    Attributes
    ----------
    ids : ndarray of shape (nx, ny, nz), int32
        Cluster of each voxel, numbered from 1 in memory order; 0 where nothing conducts.
    count : int
        Number of clusters.
    spans : ndarray of shape (count + 1, 3), bool
        Whether a cluster joins both plates along an axis, or (periodic boundary) winds around it; row 0 is False.
    """

    ids: NDArray[np.int32]
    count: int
    spans: NDArray[np.bool_]

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Return the number of voxels of each cluster; entry 0 counts those that do not conduct."""
        return np.bincount(self.ids.ravel(), minlength=self.count + 1)

    def percolates(self, axis: int) -> bool:
        """Return whether any cluster spans the axis."""
        return bool(self.spans[:, axis].any())


def label_clusters(network: Network, *, periodic: bool = False, conducts: NDArray[np.bool_] | None = None) -> Clusters:
    """Find the connected clusters of a network.

    Parameters
    ----------
    network : Network
        What conducts.
    periodic : bool
        Whether faces across the outer boundary count.
    conducts : ndarray of shape (n_classes,), bool, optional
        Which classes of face to count; those with a conductance above 0 unless given.
    """
    faces = network.faces
    open_ = np.asarray((network.conductance > 0.0).any(axis=0)) if conducts is None else conducts
    ids, count = label_sets(network, open_, np.ones(faces.n_classes, dtype=np.bool_), wraps=periodic)
    if periodic:
        return join_around(ids, count, [open_[np.take(faces.of_axis[axis], -1, axis=axis)] for axis in range(3)])
    spans = np.zeros((count + 1, 3), dtype=np.bool_)
    for axis in range(3):
        ends = []
        for end, plate in zip((0, -1), faces.plates[axis], strict=True):
            outer = np.take(ids, end, axis=axis)
            touches = np.zeros(count + 1, dtype=np.bool_)
            touches[outer[open_[plate]]] = True
            ends.append(touches)
        spans[:, axis] = ends[0] & ends[1]
    spans[0] = False
    return Clusters(ids=ids, count=count, spans=spans)


def label_sets(
    network: Network,
    joins: NDArray[np.bool_],
    across_grains: NDArray[np.bool_],
    *,
    lone: NDArray[np.bool_] | None = None,
    wraps: bool = False,
) -> tuple[NDArray[np.int32], int]:
    """Number the sets of voxels that some classes of face join, the outer boundary left out.

    Parameters
    ----------
    network : Network
        Whose faces to look at.
    joins : ndarray of shape (n_classes,), bool
        Classes that join.
    across_grains : ndarray of shape (n_classes,), bool
        Those of them that do so even between different grains.
    lone : ndarray of shape (n_phases,), bool, optional
        Phases whose voxels are a set even if nothing joins them; those that conduct unless given.
    wraps : bool
        Whether an open face across the outer boundary makes a set of a lone voxel.

    Returns
    -------
    ids : ndarray of shape (nx, ny, nz), int32
        Set of each voxel, numbered from 1 in memory order; 0 for none.
    count : int
        Number of sets.
    """
    structure = network.structure
    has_grains = structure.grains is not None and not bool(across_grains.all())
    grains = structure.grains if structure.grains is not None and has_grains else np.zeros((1, 1, 1), dtype=np.int32)
    parent = _union(*network.faces.of_axis, joins, grains, across_grains, has_grains, wraps)
    counts = network.phase_conductivity > 0.0 if lone is None else lone
    ids, count = _number(parent, structure.labels, counts[network.faces.phase_of_label])
    return ids, count


@kernel
def _find(parent, n):  # type: ignore[no-untyped-def]
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n


@kernel
def _merge(parent, a, b):  # type: ignore[no-untyped-def]
    a, b = _find(parent, a), _find(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@kernel
def _union(of_x, of_y, of_z, joins, grains, ignores_grains, has_grains, wraps):  # type: ignore[no-untyped-def]
    """Return the union-find forest of all voxels, roots being the first voxel of each set; -1 - n marks loners.

    Faces across the outer boundary never join here; with `wraps` an open one keeps its voxels from being loners.
    """
    nx, ny, nz = of_x.shape
    parent = np.arange(nx * ny * nz)
    touched = np.zeros(nx * ny * nz, dtype=np.bool_)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                n = (i * ny + j) * nz + k
                for axis in range(3):
                    if axis == 0:
                        if i + 1 == nx:
                            if wraps and joins[of_x[i, j, k]]:
                                touched[n] = True
                                touched[j * nz + k] = True
                            continue
                        face, i1, j1, k1, m = of_x[i, j, k], i + 1, j, k, n + ny * nz
                    elif axis == 1:
                        if j + 1 == ny:
                            if wraps and joins[of_y[i, j, k]]:
                                touched[n] = True
                                touched[i * ny * nz + k] = True
                            continue
                        face, i1, j1, k1, m = of_y[i, j, k], i, j + 1, k, n + nz
                    else:
                        if k + 1 == nz:
                            if wraps and joins[of_z[i, j, k]]:
                                touched[n] = True
                                touched[(i * ny + j) * nz] = True
                            continue
                        face, i1, j1, k1, m = of_z[i, j, k], i, j, k + 1, n + 1
                    if not joins[face]:
                        continue
                    if has_grains and not ignores_grains[face] and grains[i, j, k] != grains[i1, j1, k1]:
                        continue
                    _merge(parent, n, m)
                    touched[n] = True
                    touched[m] = True
    for n in range(len(parent)):
        parent[n] = _find(parent, n)
    for n in range(len(parent)):
        if not touched[n]:
            parent[n] = -1 - n
    return parent


@kernel
def _number(parent, labels, conducts):  # type: ignore[no-untyped-def]
    """Return cluster numbers in memory order; a lone voxel counts if its own phase conducts."""
    flat = labels.reshape(-1)
    ids = np.zeros(len(parent), dtype=np.int32)
    count = 0
    for n in range(len(parent)):
        root = parent[n]
        if root < 0:
            if conducts[flat[n]]:
                count += 1
                ids[n] = count
        elif root == n:
            count += 1
            ids[n] = count
        else:
            ids[n] = ids[root]
    return ids.reshape(labels.shape), count


def join_around(ids: NDArray[np.int32], count: int, joins: Sequence[NDArray[np.bool_]]) -> Clusters:
    """Join clusters across the outer boundary and find which of them wind around an axis.

    Parameters
    ----------
    ids : ndarray of shape (nx, ny, nz), int32
        Clusters found without that boundary, numbered from 1; 0 for none.
    count : int
        Their number.
    joins : sequence of 3 ndarrays, bool
        Which faces between the last and the first plane of each axis join; clusters 0 never do.
    """
    low, high, along = [], [], []
    for axis, open_ in enumerate(joins):
        a, b = np.take(ids, -1, axis=axis), np.take(ids, 0, axis=axis)
        crosses = open_ & (a > 0) & (b > 0)
        low.append(a[crosses])
        high.append(b[crosses])
        along.append(np.full(int(crosses.sum()), axis))
    root, winds = join_across_boundary(np.concatenate(low), np.concatenate(high), np.concatenate(along), count)
    first, compact = np.unique(root, return_inverse=True)
    spans = np.zeros((len(first), 3), dtype=np.bool_)
    np.logical_or.at(spans, compact, winds)
    spans[0] = False
    return Clusters(ids=compact.astype(np.int32)[ids], count=len(first) - 1, spans=spans)
