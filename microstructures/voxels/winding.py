"""Join the pieces of a periodic box across its boundary, and find those that wind around it."""

from __future__ import annotations

import numpy as np

from microstructures.jit import kernel


@kernel
def join_across_boundary(low, high, axis, count):  # type: ignore[no-untyped-def]
    """Return the piece that each piece is joined to, and around which axes the joined ones wind.

    Union-find with offsets: every piece remembers in which copy of the box it lies relative to its parent; a loop whose
    offset is not zero winds around the axes of that offset.

    Parameters
    ----------
    low, high : ndarrays of shape (n,), integer
        Pieces, numbered from 1, that meet across the boundary: on the far end of an axis and on its near end.
    axis : ndarray of shape (n,), integer
        The axis they meet along.
    count : int
        Number of pieces.

    Returns
    -------
    root : ndarray of shape (count + 1,), int64
        Representative of each piece.
    winds : ndarray of shape (count + 1, 3), bool
        Whether the joined piece winds around each axis; true at representatives.
    """
    parent = np.arange(count + 1)
    offset = np.zeros((count + 1, 3), dtype=np.int64)
    winds = np.zeros((count + 1, 3), dtype=np.bool_)
    for n in range(len(low)):
        shift_a, shift_b = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
        a, b = np.int64(low[n]), np.int64(high[n])
        while parent[a] != a:
            shift_a += offset[a]
            a = parent[a]
        while parent[b] != b:
            shift_b += offset[b]
            b = parent[b]
        step = shift_a - shift_b
        step[axis[n]] += 1
        if a == b:
            for c in range(3):
                if step[c] != 0:
                    winds[a, c] = True
        elif a < b:
            parent[b] = a
            offset[b] = step
        else:
            parent[a] = b
            offset[a] = -step
    root = np.empty(count + 1, dtype=np.int64)
    for n in range(count + 1):
        a = n
        while parent[a] != a:
            a = parent[a]
        root[n] = a
    for n in range(count + 1):
        for c in range(3):
            if winds[n, c]:
                winds[root[n], c] = True
    return root, winds
