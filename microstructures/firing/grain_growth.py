"""Let grains of one phase grow: the smallest ones are swallowed by the neighbour they share most contact with.

A grain boundary runs towards the centre of the smaller grain, so small grains vanish first. A phase cannot pass through
another one: only grains of the same phase that touch can merge, and a particle alone among others stays as it was.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray


def merge_grains(
    label: NDArray[np.uint8],
    volume: NDArray[np.float64],
    pairs: NDArray[np.int64],
    contact: NDArray[np.float64],
    factor: dict[int, float],
) -> NDArray[np.int32]:
    """Return the grain, numbered from 1, that each particle becomes part of.

    Parameters
    ----------
    label : ndarray of shape (n,), uint8
        Phase of each particle.
    volume : ndarray of shape (n,)
        Volume of each particle, in any unit.
    pairs : ndarray of shape (m, 2), int64
        Particles that touch.
    contact : ndarray of shape (m,)
        How much they touch: an area in any unit.
    factor : dict of int to float
        For each phase label the factor by which the mean diameter of its grains grows; phases not named keep theirs. The
        number of grains falls by its cube, as long as grains have neighbours to merge with.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 2]])
    >>> merge_grains(np.array([1, 1, 2], np.uint8), np.ones(3), pairs, np.ones(2), {1: 2.0 ** (1 / 3)})
    array([1, 1, 2], dtype=int32)
    """
    owner = np.arange(len(label))
    for phase, growth in factor.items():
        mine = label == phase
        if growth > 1.0 and mine.any():
            same = mine[pairs].all(axis=1)
            _merge(owner, np.flatnonzero(mine), volume, pairs[same], contact[same], round(mine.sum() / growth**3))
    # grains are numbered in the order of their first particle
    _, first, which = np.unique(owner, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1)
    return np.asarray(rank[which.ravel()])


def _merge(
    owner: NDArray[np.int64],
    members: NDArray[np.int64],
    volume: NDArray[np.float64],
    pairs: NDArray[np.int64],
    contact: NDArray[np.float64],
    target: int,
) -> None:
    """Merge until `target` grains are left or none can; write the owner of every member."""
    touching: dict[int, dict[int, float]] = {int(p): {} for p in members}
    for (i, j), area in zip(pairs.tolist(), contact.tolist(), strict=True):
        touching[i][j] = touching[i].get(j, 0.0) + area
        touching[j][i] = touching[j].get(i, 0.0) + area
    size = {int(p): float(volume[p]) for p in members}
    swallowed: dict[int, int] = {}
    queue = [(size[p], p) for p in size]
    heapq.heapify(queue)
    left = len(size)
    while queue and left > max(target, 1):
        measured, small = heapq.heappop(queue)
        if small in swallowed or measured != size[small] or not touching[small]:
            continue
        large = max(touching[small], key=lambda p: (touching[small][p], -p))
        for other, area in touching.pop(small).items():
            del touching[other][small]
            if other != large:
                touching[large][other] = touching[large].get(other, 0.0) + area
                touching[other][large] = touching[large][other]
        swallowed[small] = large
        size[large] += size.pop(small)
        heapq.heappush(queue, (size[large], large))
        left -= 1
    for p in members.tolist():
        root = p
        while root in swallowed:
            root = swallowed[root]
        owner[p] = root
