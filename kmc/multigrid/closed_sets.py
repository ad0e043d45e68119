"""Closed sets of voxels seen from a few of their voxels alone, their ports: the network between these that does the same.

Nested dissection: a set is halved in space again and again, and each half is replaced by an equivalent network.
Eliminating a voxel v joins its neighbours by g_iv g_jv / sum_k g_kv (star-mesh transform; Kron reduction, Doerfler and Bullo
2013) and hands its carriers to them by the chance that each is the first that a walk from v meets. Nothing is ever subtracted
(Grassmann, Taksar and Heyman 1985), so every conductance between ports has nearly all its digits however unlike the faces.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import kernel

LEAF = 64
"""Voxels that are reduced in one go."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Reduced = tuple[Integers, Array, Array]
"""Members that are left, the conductances [S] between them (lower triangle), and their carriers by phase."""
_Set = tuple[int, Integers, Integers, tuple[Integers, Integers, Array], NDArray[np.bool_], Array]


def reduce_to_ports(
    members: tuple[int, int],
    at: NDArray[np.int32],
    joins: tuple[Integers, Integers, Array],
    is_port: NDArray[np.bool_],
    carriers: Array,
) -> Reduced:
    """Eliminate the voxels of a closed set that are no ports.

    Parameters
    ----------
    members : tuple of int
        The set: its first member and the one after the last, in lists of the members of many sets.
    at : ndarray of shape (n, 3), int32
        Where all members lie [voxels].
    joins : CSR
        Start, other member and conductance [S] of the faces inside sets, each from both sides.
    is_port : ndarray of shape (n,), bool
        Which members stay; one of each set at least, and a set hangs together.
    carriers : ndarray of shape (n, n_phases)
        Carriers of every member, in the column of its phase.

    Returns
    -------
    ports : ndarray of shape (p,), int64
        Members that are ports, in rising order.
    conductance : ndarray of shape (p, p)
        Symmetric conductances [S] between ports, with 0 on the diagonal.
    carriers : ndarray of shape (p, n_phases)
        All carriers of the set, shared among its ports.
    """
    low, high = members
    order = np.arange(low, high)
    _sort_by_halves(order, at)
    rank = np.empty(high - low, dtype=np.int64)
    rank[order - low] = np.arange(high - low)
    here = (low, order, rank, joins, is_port, carriers)
    ports, lower, shared = _reduce(here, 0, high - low)
    by_member = np.argsort(ports)
    full = lower + lower.T
    return ports[by_member], np.ascontiguousarray(full[np.ix_(by_member, by_member)]), shared[by_member]


def _sort_by_halves(order: Integers, at: NDArray[np.int32]) -> None:
    """Sort members in place such that each half of the list, of the halves and so on is a half in space."""
    if len(order) <= LEAF:
        return
    where = at[order]
    axis = int(np.argmax(np.ptp(where, axis=0)))
    order[...] = order[np.argsort(where[:, axis], kind="stable")]
    middle = len(order) // 2
    _sort_by_halves(order[:middle], at)
    _sort_by_halves(order[middle:], at)


def _reduce(here: _Set, begin: int, end: int) -> Reduced:
    low, order, rank, joins, is_port, carriers = here
    if end - begin <= LEAF:
        ids = order[begin:end]
        nothing = np.zeros((len(ids), len(ids)))
        none = ids[:0], nothing[:0, :0], carriers[:0]
        return _merge(ids, nothing, carriers[ids], *none, low, rank, begin, end, end, *joins, is_port)
    middle = begin + (end - begin) // 2
    one, other = _reduce(here, begin, middle), _reduce(here, middle, end)
    return _merge(*one, *other, low, rank, begin, middle, end, *joins, is_port)


@kernel
def _merge(  # type: ignore[no-untyped-def]
    ids_a, g_a, c_a, ids_b, g_b, c_b, low, rank, begin, middle, end, start, to, value, is_port,
):  # fmt: skip
    """Join two reduced halves by the faces between them, and eliminate what now has neighbours in neither.

    Where there is no second half, the faces inside the first are added.
    """
    n_a, n = len(ids_a), len(ids_a) + len(ids_b)
    ids = np.concatenate((ids_a, ids_b))
    kept = np.zeros(n, dtype=np.bool_)
    n_kept = 0
    for a in range(n):
        member = ids[a]
        kept[a] = is_port[member]
        for e in range(start[member], start[member + 1]):
            there = rank[to[e] - low]
            if there < begin or there >= end:
                kept[a] = True
        n_kept += kept[a]
    place = np.empty(n, dtype=np.int64)
    front, back = 0, n_kept
    for a in range(n):
        if kept[a]:
            place[a] = front
            front += 1
        else:
            place[a] = back
            back += 1
    sorted_ids, carriers = np.empty(n, dtype=np.int64), np.empty((n, c_a.shape[1]))
    where = np.full(end - begin, -1, dtype=np.int64)
    for a in range(n):
        p = place[a]
        sorted_ids[p] = ids[a]
        where[rank[ids[a] - low] - begin] = p
        for c in range(c_a.shape[1]):
            carriers[p, c] = c_a[a, c] if a < n_a else c_b[a - n_a, c]
    g = np.zeros((n, n))
    for a in range(n_a):
        for b in range(a):
            g[max(place[a], place[b]), min(place[a], place[b])] = g_a[a, b]
    for a in range(n - n_a):
        for b in range(a):
            p, q = place[n_a + a], place[n_a + b]
            g[max(p, q), min(p, q)] = g_b[a, b]
    for a in range(n_a):
        for e in range(start[ids[a]], start[ids[a] + 1]):
            there = rank[to[e] - low]
            across_cut = middle <= there < end
            if across_cut or (n == n_a and begin <= there < rank[ids[a] - low]):
                p, q = place[a], where[there - begin]
                g[max(p, q), min(p, q)] += value[e]
    for v in range(n - 1, n_kept - 1, -1):
        row = g[v, :v]
        share = 1.0 / row.sum()
        for i in range(v):
            f = row[i] * share
            if f > 0.0:
                for c in range(carriers.shape[1]):
                    carriers[i, c] += f * carriers[v, c]
                into = g[i]
                for j in range(i):
                    into[j] += f * row[j]
    return sorted_ids[:n_kept].copy(), g[:n_kept, :n_kept].copy(), carriers[:n_kept].copy()
