"""Find the neighbours of spheres of many sizes in a periodic box of edge 1, in time and memory linear in their number.

Spheres are sorted into levels, each half as large as the one before; a level has its own grid of cells, as wide as its
largest pair reaches. A sphere looks into the 27 cells about it of its own and every other level.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from microstructures.jit import inline_kernel, kernel, parallel_kernel

Floats = NDArray[np.float64]
ROW = 32
"""Neighbours of one sphere that are kept from counting; those of larger spheres are found twice."""


def neighbour_lists(centre: Floats, radius: Floats, skin: float) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """List, for every sphere, the others whose surface is closer than `skin`.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres, 0 <= x < 1.
    radius : ndarray of shape (n,)
        Radii; the largest pair must reach less than half the box.
    skin : float
        Largest distance between surfaces.

    Returns
    -------
    first : ndarray of shape (n + 1,), int64
        The neighbours of sphere i are ``other[first[i]:first[i + 1]]``.
    other : ndarray of shape (2 * pairs,), int32
        Every pair is listed twice, once from either side.
    """
    level, cells, offset, begin, members = _sorted_into_cells(centre, radius, skin)
    largest = np.array([radius[level == k].max(initial=0.0) for k in range(len(cells))])
    first: NDArray[np.int64] = np.zeros(len(radius) + 1, dtype=np.int64)
    there = np.column_stack([centre, radius])[members]  # in the order of the cells, so that a cell is read in one sweep
    rows = np.empty((len(radius), ROW), dtype=np.int32)
    _count(centre, radius, skin, largest, cells, offset, begin, members, there, rows, first)
    first = np.cumsum(first)
    other = np.empty(first[-1], dtype=np.int32)
    _list(centre, radius, skin, largest, cells, offset, begin, members, there, rows, first, other)
    return first, other


def neighbour_pairs(centre: Floats, radius: Floats, skin: float) -> NDArray[np.int64]:
    """Return every pair (i, j), i < j, once, whose surfaces are closer than `skin`; shape (pairs, 2), sorted."""
    first, other = neighbour_lists(centre, radius, skin)
    low = np.repeat(np.arange(len(radius)), np.diff(first))
    once = low < other
    pairs = np.stack([low[once], other[once].astype(np.int64)], axis=1)
    return np.asarray(pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))])


def neighbour_gaps(centre: Floats, radius: Floats, skin: float) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the pairs of `neighbour_pairs`, the distance between their surfaces, and the links from the first to the second.

    Links, of shape (pairs, 3), lead to the nearest image; distances are negative where spheres overlap.
    """
    pairs = neighbour_pairs(centre, radius, skin)
    link = centre[pairs[:, 1]] - centre[pairs[:, 0]]
    link -= np.round(link)
    return pairs, np.asarray(np.linalg.norm(link, axis=1) - radius[pairs].sum(axis=1)), link


def reading_order(centre: Floats, radius: Floats) -> NDArray[np.int64]:
    """Return an order in which spheres that are close in space are close in memory."""
    n = max(1, int(0.5 / radius.mean()))
    cell = np.minimum((centre * n).astype(np.int64), n - 1)
    return np.argsort((cell[:, 0] * n + cell[:, 1]) * n + cell[:, 2], kind="stable")


def _sorted_into_cells(
    centre: Floats, radius: Floats, skin: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Return the level of every sphere, cells along an edge and first cell of every level, and the spheres by cell."""
    level = np.floor(np.log2(radius.max() / radius) + 1e-9).astype(np.int64)
    n_levels = int(level.max()) + 1
    widest = radius.max() * 0.5 ** np.arange(n_levels)
    cells = np.maximum(1, np.floor(1.0 / (2.0 * widest + skin)).astype(np.int64))
    worthwhile = np.ceil(1.3 * np.bincount(level, minlength=n_levels) ** (1.0 / 3.0)).astype(np.int64)
    cells = np.minimum(cells, np.maximum(3, worthwhile))
    offset = np.concatenate(([0], np.cumsum(cells**3)))
    at = np.minimum((centre * cells[level][:, None]).astype(np.int64), cells[level][:, None] - 1)
    cell = offset[level] + (at[:, 0] * cells[level] + at[:, 1]) * cells[level] + at[:, 2]
    members = np.argsort(cell, kind="stable").astype(np.int32)
    begin = np.concatenate(([0], np.cumsum(np.bincount(cell, minlength=offset[-1]))))
    return level, cells, offset, begin, members


@inline_kernel
def nearest_image(d):  # type: ignore[no-untyped-def]
    """Return a coordinate difference in a periodic box of edge 1 between -1/2 and 1/2, if it is within -3/2 to 3/2."""
    if d > 0.5:
        return d - 1.0
    if d < -0.5:
        return d + 1.0
    return d


@inline_kernel
def _wrapped(cell, n):  # type: ignore[no-untyped-def]
    """Return a cell index between -n and 2 n - 1 as one between 0 and n - 1."""
    if cell < 0:
        return cell + n
    if cell >= n:
        return cell - n
    return cell


@kernel
def _near(i, centre, radius, skin, largest, cells, offset, begin, members, there, out):  # type: ignore[no-untyped-def]
    """Count the neighbours of sphere i, and write them to `out` as far as they fit."""
    found = 0
    x, y, z = centre[i, 0], centre[i, 1], centre[i, 2]
    reach_own = radius[i] + skin
    for k in range(len(cells)):
        if largest[k] == 0.0:
            continue
        n = cells[k]
        reach = reach_own + largest[k]
        span = int(np.ceil(reach * n))
        wide = 2 * span + 1 >= n
        a0, b0, c0 = int(x * n), int(y * n), int(z * n)
        low, high = (0, n) if wide else (-span, span + 1)
        for a in range(low, high):
            ca = a if wide else _wrapped(a0 + a, n)
            for b in range(low, high):
                cb = b if wide else _wrapped(b0 + b, n)
                for c in range(low, high):
                    cc = c if wide else _wrapped(c0 + c, n)
                    cell = offset[k] + (ca * n + cb) * n + cc
                    for p in range(begin[cell], begin[cell + 1]):
                        dx, dy, dz = x - there[p, 0], y - there[p, 1], z - there[p, 2]
                        dx, dy, dz = nearest_image(dx), nearest_image(dy), nearest_image(dz)
                        touch = reach_own + there[p, 3]
                        if dx * dx + dy * dy + dz * dz < touch * touch and members[p] != i:
                            if found < len(out):
                                out[found] = members[p]
                            found += 1
    return found


@parallel_kernel
def _count(centre, radius, skin, largest, cells, offset, begin, members, there, rows, first):  # type: ignore[no-untyped-def]
    """Count the neighbours of every sphere, and keep them in its row as far as they fit."""
    for i in prange(len(radius)):
        first[i + 1] = _near(int(i), centre, radius, skin, largest, cells, offset, begin, members, there, rows[i])


@parallel_kernel
def _list(centre, radius, skin, largest, cells, offset, begin, members, there, rows, first, other):  # type: ignore[no-untyped-def]
    for i in prange(len(radius)):
        count = first[i + 1] - first[i]
        if count <= rows.shape[1]:
            for p in range(count):
                other[first[i] + p] = rows[i, p]
        else:
            _near(int(i), centre, radius, skin, largest, cells, offset, begin, members, there, other[first[i] : first[i + 1]])
