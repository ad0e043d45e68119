"""Sets of voxels that some faces join, in a box that repeats: which belong together, and in which copy of the box each lies.

Union-find with offsets, as in `microstructures.voxels.winding`, but of voxels. A set whose joining faces lead from it to its
own image winds around the box. Offsets count copies of the box along x, y, z in one whole number each, see `pack`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import inline_kernel, kernel

BITS = 20
STEPS = (1 << (2 * BITS), 1 << BITS, 1)
"""One box along x, y, z; offsets add up as vectors as long as no part exceeds 2^19 boxes."""

Faces = tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]


class JoinedSets:
    """A forest of voxels that grows as more faces join.

    Attributes
    ----------
    root : ndarray of shape (n_voxels,), int64
        The voxel that stands for the set of each voxel, in memory order.
    shift : ndarray of shape (n_voxels,), int64
        Packed offset of the copy of the box that a voxel lies in, seen from its root.
    winds : ndarray of shape (n_voxels,), bool
        Whether a set winds around the box; of meaning at roots.
    """

    def __init__(self, of_axis: Faces) -> None:
        """Begin with every voxel alone."""
        n = of_axis[0].size
        self.of_axis = of_axis
        self.root, self.shift = np.arange(n), np.zeros(n, dtype=np.int64)
        self.winds = np.zeros(n, dtype=np.bool_)

    def join(self, joins: NDArray[np.bool_], grains: NDArray[np.int32], across_grains: NDArray[np.bool_]) -> None:
        """Join the voxels on both sides of some faces.

        Parameters
        ----------
        joins : ndarray of shape (3, n_classes), bool
            Which classes join, along each axis.
        grains : ndarray of shape (nx, ny, nz) or (1, 1, 1), int32
            Grain of each voxel; of size 1 where grains do not matter.
        across_grains : ndarray of shape (n_classes,), bool
            Classes that join voxels of unlike grains too.
        """
        _join(*self.of_axis, joins, grains.reshape(-1), across_grains, self.root, self.shift, self.winds)


def unpack(shift: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return packed offsets as vectors of boxes, shape (n, 3)."""
    half, parts = 1 << (BITS - 1), []
    rest = shift.copy()
    for _ in range(3):
        part = ((rest + half) & ((1 << BITS) - 1)) - half
        parts.append(part)
        rest = (rest - part) >> BITS
    return np.stack(parts[::-1], axis=1)


@inline_kernel
def across(i, j, k, nx, ny, nz, side):  # type: ignore[no-untyped-def]
    """Return axis, voxel that owns the face, neighbour, and packed step of the box for one of the six faces of a voxel."""
    n = (i * ny + j) * nz + k
    axis = side >> 1
    stride = ny * nz if axis == 0 else (nz if axis == 1 else 1)
    at = i if axis == 0 else (j if axis == 1 else k)
    count = nx if axis == 0 else (ny if axis == 1 else nz)
    box = 1 << (20 * (2 - axis))
    if side & 1:
        wraps = at + 1 == count
        m = n - (count - 1) * stride if wraps else n + stride
        return axis, n, m, (box if wraps else 0)
    wraps = at == 0
    m = n + (count - 1) * stride if wraps else n - stride
    return axis, m, m, (-box if wraps else 0)


@kernel
def _find(parent, offset, n):  # type: ignore[no-untyped-def]
    """Return the root of a voxel and its offset from there; paths are halved on the way."""
    shift = np.int64(0)
    while parent[n] != n:
        p = parent[n]
        if parent[p] != p:
            offset[n] += offset[p]
            parent[n] = parent[p]
        shift += offset[n]
        n = parent[n]
    return n, shift


@kernel
def _join(of_x, of_y, of_z, joins, grains, across_grains, parent, offset, winds):  # type: ignore[no-untyped-def]
    nx, ny, nz = of_x.shape
    by_grain = len(grains) > 1
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                for side in (1, 3, 5):
                    axis, n, m, step = across(i, j, k, nx, ny, nz, side)
                    face = of_x[i, j, k] if axis == 0 else (of_y[i, j, k] if axis == 1 else of_z[i, j, k])
                    if not joins[axis, face] or (by_grain and grains[n] != grains[m] and not across_grains[face]):
                        continue
                    a, shift_a = _find(parent, offset, n)
                    b, shift_b = _find(parent, offset, m)
                    gap = shift_a + step - shift_b
                    if a == b:
                        winds[a] = winds[a] or gap != 0
                    elif a < b:
                        parent[b], offset[b] = a, gap
                        winds[a] = winds[a] or winds[b]
                    else:
                        parent[a], offset[a] = b, -gap
                        winds[b] = winds[a] or winds[b]
    for n in range(len(parent)):
        root, shift = _find(parent, offset, n)
        parent[n], offset[n] = root, shift
