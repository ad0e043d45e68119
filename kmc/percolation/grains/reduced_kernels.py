"""Kernels of the network of grain matrices: apply it, its diagonal, the inverses of its grains; blocks of its contacts."""

from __future__ import annotations

import numpy as np

from kmc.percolation.grains.grain_solves import inverse
from microstructures.jit import kernel


@kernel
def apply(mode, first_row, first_entry, entries, first_mode, first_block, blocks, a, out):  # type: ignore[no-untyped-def]
    """Add R a to `out`."""
    for node in range(len(first_row) - 1):
        low, k = first_row[node], first_row[node + 1] - first_row[node]
        here = np.empty(k)
        for i in range(k):
            here[i] = a[mode[low + i]]
        for i in range(k):
            at, s = first_entry[node] + i * k, 0.0
            for j in range(k):
                s += entries[at + j] * here[j]
            out[mode[low + i]] += s
    for contact in range(len(first_mode) - 1):
        low, k = first_mode[contact], first_mode[contact + 1] - first_mode[contact]
        for i in range(k):
            for j in range(k):
                out[low + i] += blocks[first_block[contact] + i * k + j] * a[low + j]


@kernel
def add_diagonal(mode, first_row, first_entry, entries, first_mode, first_block, blocks, out):  # type: ignore[no-untyped-def]
    """Add the diagonal of R to `out`."""
    for node in range(len(first_row) - 1):
        low, k = first_row[node], first_row[node + 1] - first_row[node]
        for i in range(k):
            out[mode[low + i]] += entries[first_entry[node] + i * k + i]
    for contact in range(len(first_mode) - 1):
        low, k = first_mode[contact], first_mode[contact + 1] - first_mode[contact]
        for i in range(k):
            out[low + i] += blocks[first_block[contact] + i * k + i]


@kernel
def invert(mode, sign, first_row, first_entry, entries, contact, first_mode, first_block, blocks, sides, live, diagonal, out):  # type: ignore[no-untyped-def]
    """Write the inverse of each node's matrix, with its share of what resists at contacts, weighed by its share of the diagonal."""
    for node in range(len(first_row) - 1):
        low, k = first_row[node], first_row[node + 1] - first_row[node]
        used = np.empty(k, dtype=np.int64)
        n = 0
        for i in range(k):
            if live[mode[low + i]]:
                used[n] = i
                n += 1
        matrix = np.empty((n, n))
        for i in range(n):
            for j in range(n):
                matrix[i, j] = entries[first_entry[node] + used[i] * k + used[j]]
                a, b = mode[low + used[i]], mode[low + used[j]]
                c = contact[a]
                if c == contact[b] and sign[low + used[i]] == sign[low + used[j]]:
                    size = first_mode[c + 1] - first_mode[c]
                    matrix[i, j] += sides[c] * blocks[first_block[c] + (a - first_mode[c]) * size + b - first_mode[c]]
        weight = np.empty(n)
        for i in range(n):
            weight[i] = matrix[i, i] / diagonal[mode[low + used[i]]]
        matrix = inverse(matrix)
        for i in range(n):
            for j in range(n):
                out[first_entry[node] + used[i] * k + used[j]] = weight[i] * matrix[i, j] * weight[j]


@kernel
def winds(ends, step, count):  # type: ignore[no-untyped-def]
    """Return whether any loop of contacts ends in another box than it began."""
    parent = np.arange(count)
    box = np.zeros(count, dtype=np.int64)
    for m in range(len(ends)):
        a, b, shift = ends[m, 0], ends[m, 1], step[m]
        while parent[a] != a:
            shift += box[a]
            a = parent[a]
        while parent[b] != b:
            shift -= box[b]
            b = parent[b]
        if a == b and shift != 0:
            return True
        if a < b:
            parent[b] = a
            box[b] = shift
        elif b < a:
            parent[a] = b
            box[a] = -shift
    return False


@kernel
def add_blocks(start, first_mode, shape, resistance, first_block, out):  # type: ignore[no-untyped-def]
    """Add the resistances of all contacts, modes by modes, to `out`."""
    for contact in range(len(start) - 1):
        k = first_mode[contact + 1] - first_mode[contact]
        for face in range(start[contact], start[contact + 1]):
            for i in range(k):
                f = resistance[face] * shape[face, i]
                for j in range(k):
                    out[first_block[contact] + i * k + j] += f * shape[face, j]
