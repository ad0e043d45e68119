"""Kernels that gather strongly joined neighbours: voxels of a 2 x 2 x 2 block, then nodes of eight neighbouring blocks.

Within a block, edges are taken from the strongest to the weakest; one joins its two aggregates if it is not much weaker
than the strongest edge of either of them (Kruskal's order keeps a weak voxel from joining two strong ones). So an aggregate
stops at interfaces, pores and thin walls, and a block holds as many as it has pieces.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from microstructures.jit import kernel, parallel_kernel

NONE = 255
"""Slot of a voxel that no face joins to anything."""


@kernel
def _root(parent, n):  # type: ignore[no-untyped-def]
    while parent[n] != n:
        parent[n] = parent[parent[n]]
        n = parent[n]
    return n


@kernel
def _join(n_edges, a, b, g, order, parent, strongest, strength):  # type: ignore[no-untyped-def]
    """Join the ends of strong edges, the strongest edge first; `order` sorts the edges by falling conductance."""
    for e in range(n_edges):
        edge = order[e]
        p, q = _root(parent, a[edge]), _root(parent, b[edge])
        if p != q and g[edge] >= strength * min(strongest[p], strongest[q]):
            low, high = min(p, q), max(p, q)
            parent[high] = low
            strongest[low] = max(strongest[p], strongest[q])


@kernel
def _gather_slab(ci, of_x, of_y, of_z, table, low, high, strength, slot, count):  # type: ignore[no-untyped-def]
    nx, ny, nz = of_x.shape
    cy, cz = (ny + 1) // 2, (nz + 1) // 2
    parent, strongest = np.empty(8, dtype=np.int64), np.empty(8)
    a, b, g, order = np.empty(12, np.int64), np.empty(12, np.int64), np.empty(12), np.empty(12, np.int64)
    for cj in range(cy):
        for ck in range(cz):
            n_edges, weakest, peak = 0, np.inf, 0.0
            for n in range(8):
                parent[n], strongest[n] = n, 0.0
                i, j, k = 2 * ci + (n >> 2), 2 * cj + ((n >> 1) & 1), 2 * ck + (n & 1)
                if i >= nx or j >= ny or k >= nz:
                    continue
                before, left, down = (i - 1 if i > 0 else nx - 1), (j - 1 if j > 0 else ny - 1), (k - 1 if k > 0 else nz - 1)
                ahead_x, ahead_y, ahead_z = table[0, of_x[i, j, k]], table[1, of_y[i, j, k]], table[2, of_z[i, j, k]]
                back = max(table[0, of_x[before, j, k]], table[1, of_y[i, left, k]], table[2, of_z[i, j, down]])
                strongest[n] = max(ahead_x, ahead_y, ahead_z, back)
                if i == 0:
                    strongest[n] = max(strongest[n], low[j, k])
                if i + 1 == nx:
                    strongest[n] = max(strongest[n], high[j, k])
                peak = max(peak, strongest[n])
                for bit, value, there in ((4, ahead_x, i + 1 < nx), (2, ahead_y, j + 1 < ny), (1, ahead_z, k + 1 < nz)):
                    if not n & bit and there:
                        weakest = min(weakest, value)
                        if value > 0.0:
                            a[n_edges], b[n_edges], g[n_edges] = n, n + bit, value
                            n_edges += 1
            if weakest >= strength * peak:
                for n in range(8):
                    parent[n] = 0
            else:
                for e in range(n_edges):  # insertion sort by falling conductance
                    f = e
                    while f > 0 and g[order[f - 1]] < g[e]:
                        order[f] = order[f - 1]
                        f -= 1
                    order[f] = e
                _join(n_edges, a, b, g, order, parent, strongest, strength)
            used = 0
            for n in range(8):
                i, j, k = 2 * ci + (n >> 2), 2 * cj + ((n >> 1) & 1), 2 * ck + (n & 1)
                if i >= nx or j >= ny or k >= nz:
                    continue
                root = _root(parent, n)
                if root == n:
                    if strongest[n] == 0.0:
                        slot[i, j, k] = NONE
                    else:
                        slot[i, j, k] = used
                        used += 1
                else:
                    slot[i, j, k] = slot[2 * ci + (root >> 2), 2 * cj + ((root >> 1) & 1), 2 * ck + (root & 1)]
            count[(ci * cy + cj) * cz + ck] = used


@parallel_kernel
def gather_voxels(of_x, of_y, of_z, table, low, high, strength, slot, count):  # type: ignore[no-untyped-def]
    """Number the aggregates of each block of 2 x 2 x 2 voxels: `slot` of every voxel, `count` of every block."""
    for ci in prange((of_x.shape[0] + 1) // 2):
        _gather_slab(np.int64(ci), of_x, of_y, of_z, table, low, high, strength, slot, count)


@kernel
def _node(i, j, k, slot, first, cy, cz):  # type: ignore[no-untyped-def]
    return first[((i >> 1) * cy + (j >> 1)) * cz + (k >> 1)] + slot[i, j, k]


@kernel
def _link_slab(ci, of_x, of_y, of_z, table, low, high, slot, first, start, to, value, ground, fill):  # type: ignore[no-untyped-def]
    nx, ny, nz = of_x.shape
    cy, cz = (ny + 1) // 2, (nz + 1) // 2
    other, total = np.empty((8, 32), dtype=np.int64), np.empty((8, 32))
    degree = np.zeros(8, dtype=np.int64)
    for cj in range(cy):
        for ck in range(cz):
            block = (ci * cy + cj) * cz + ck
            base, used = first[block], first[block + 1] - first[block]
            degree[:] = 0
            for n in range(8):
                i, j, k = 2 * ci + (n >> 2), 2 * cj + ((n >> 1) & 1), 2 * ck + (n & 1)
                if i >= nx or j >= ny or k >= nz or slot[i, j, k] == NONE:
                    continue
                s = np.int64(slot[i, j, k])
                for face in range(6):
                    i1, j1, k1 = i, j, k
                    if face == 0:
                        i1 = i - 1 if i > 0 else nx - 1
                        g = table[0, of_x[i1, j, k]]
                    elif face == 1:
                        i1 = i + 1 if i + 1 < nx else 0
                        g = table[0, of_x[i, j, k]]
                    elif face == 2:
                        j1 = j - 1 if j > 0 else ny - 1
                        g = table[1, of_y[i, j1, k]]
                    elif face == 3:
                        j1 = j + 1 if j + 1 < ny else 0
                        g = table[1, of_y[i, j, k]]
                    elif face == 4:
                        k1 = k - 1 if k > 0 else nz - 1
                        g = table[2, of_z[i, j, k1]]
                    else:
                        k1 = k + 1 if k + 1 < nz else 0
                        g = table[2, of_z[i, j, k]]
                    if g == 0.0:
                        continue
                    target = _node(i1, j1, k1, slot, first, cy, cz)
                    if target == base + s:
                        continue
                    e = 0
                    while e < degree[s] and other[s, e] != target:
                        e += 1
                    if e == degree[s]:
                        other[s, e], total[s, e] = target, 0.0
                        degree[s] += 1
                    total[s, e] += g
                if fill and i == 0:
                    ground[base + s] += low[j, k]
                if fill and i + 1 == nx:
                    ground[base + s] += high[j, k]
            for s in range(used):
                if fill:
                    for e in range(degree[s]):
                        to[start[base + s] + e], value[start[base + s] + e] = other[s, e], total[s, e]
                else:
                    start[base + s + 1] = degree[s]


@parallel_kernel
def link_voxels(of_x, of_y, of_z, table, low, high, slot, first, start, to, value, ground, fill):  # type: ignore[no-untyped-def]
    """Write the edges between aggregates (sums of faces); without `fill` only how many each has, to start[1:]."""
    for ci in prange((of_x.shape[0] + 1) // 2):
        _link_slab(np.int64(ci), of_x, of_y, of_z, table, low, high, slot, first, start, to, value, ground, fill)


@kernel
def gather_nodes(first, shape, start, to, value, ground, strength, parent, count):  # type: ignore[no-untyped-def]
    """Number the aggregates of nodes in each block of 2 x 2 x 2 blocks; `parent` becomes the aggregate of each node."""
    nx, ny, nz = shape
    cx, cy, cz = (nx + 1) // 2, (ny + 1) // 2, (nz + 1) // 2
    n_nodes = len(start) - 1
    strongest, root_of = np.zeros(n_nodes), np.arange(n_nodes)
    block_of = np.empty(n_nodes, dtype=np.int64)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                fine = (i * ny + j) * nz + k
                block_of[first[fine] : first[fine + 1]] = ((i >> 1) * cy + (j >> 1)) * cz + (k >> 1)
    for n in range(n_nodes):
        strongest[n] = ground[n]
        for e in range(start[n], start[n + 1]):
            strongest[n] = max(strongest[n], value[e])
    a, b, g = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), np.empty(64)
    total = 0
    for ci in range(cx):
        for cj in range(cy):
            for ck in range(cz):
                block, n_edges = (ci * cy + cj) * cz + ck, 0
                for child in range(8):
                    i, j, k = 2 * ci + (child >> 2), 2 * cj + ((child >> 1) & 1), 2 * ck + (child & 1)
                    if i >= nx or j >= ny or k >= nz:
                        continue
                    fine = (i * ny + j) * nz + k
                    for n in range(first[fine], first[fine + 1]):
                        for e in range(start[n], start[n + 1]):
                            if to[e] > n and block_of[to[e]] == block:
                                if n_edges == len(a):
                                    a, b = np.concatenate((a, a)), np.concatenate((b, b))
                                    g = np.concatenate((g, g))
                                a[n_edges], b[n_edges], g[n_edges] = n, to[e], value[e]
                                n_edges += 1
                order = np.argsort(-g[:n_edges], kind="mergesort")
                _join(n_edges, a, b, g, order, root_of, strongest, strength)
                begin = total
                for child in range(8):
                    i, j, k = 2 * ci + (child >> 2), 2 * cj + ((child >> 1) & 1), 2 * ck + (child & 1)
                    if i >= nx or j >= ny or k >= nz:
                        continue
                    fine = (i * ny + j) * nz + k
                    for n in range(first[fine], first[fine + 1]):
                        if root_of[n] == n:
                            parent[n] = total
                            total += 1
                for child in range(8):
                    i, j, k = 2 * ci + (child >> 2), 2 * cj + ((child >> 1) & 1), 2 * ck + (child & 1)
                    if i >= nx or j >= ny or k >= nz:
                        continue
                    fine = (i * ny + j) * nz + k
                    for n in range(first[fine], first[fine + 1]):
                        parent[n] = parent[_root(root_of, n)]
                count[block] = total - begin
    return total
