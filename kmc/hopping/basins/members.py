"""The voxels of basins as lists: where each lies in the unfolded box, which faces join it to others inside, which are exits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.basins.choose import Partition
from kmc.hopping.basins.joined import Faces, across, unpack
from microstructures.jit import kernel


@dataclass(frozen=True)
class Members:
    """Mobile voxels, basin by basin; a voxel that stands alone is a basin of one.

    Attributes
    ----------
    voxel : ndarray of shape (n,), int64
        Voxels in memory order of the structure, those of one basin after each other.
    first : ndarray of shape (n_basins + 1,), int64
        Where the voxels of each basin begin.
    at : ndarray of shape (n, 3), int32
        Where each lies in its basin [voxels], in the unfolded box.
    inner, inner_to, inner_S : CSR of shape (n, .)
        Faces inside the basin: the member on the other side and the conductance [S]; each face from both sides.
    exit, exit_to, exit_S : CSR of shape (n, .)
        Faces that leave it: the member on the other side and the conductance [S].
    exit_at : ndarray of shape (n_exits, 3), int32
        Where the voxel beyond an exit lies in the unfolded box of the basin that is left [voxels].
    exit_class : ndarray of shape (n_exits,), int32
        Class of the face.
    """

    voxel: NDArray[np.int64]
    first: NDArray[np.int64]
    at: NDArray[np.int32]
    inner: NDArray[np.int64]
    inner_to: NDArray[np.int64]
    inner_S: NDArray[np.float64]
    exit: NDArray[np.int64]
    exit_to: NDArray[np.int64]
    exit_S: NDArray[np.float64]
    exit_at: NDArray[np.int32]
    exit_class: NDArray[np.int32]


def list_members(faces: Faces, table: NDArray[np.float64], mobile: NDArray[np.bool_], partition: Partition) -> Members:
    """Return the voxels `mobile` (shape (nx, ny, nz)) of a partition with their faces of conductance `table` [S]."""
    shape = mobile.shape
    voxel = np.flatnonzero(mobile)
    basin = partition.basin[voxel]
    order = np.argsort(basin, kind="stable")
    voxel, basin = voxel[order], basin[order]
    first = np.concatenate((np.flatnonzero(np.diff(basin, prepend=-1)), [len(voxel)]))
    member = np.full(mobile.size, -1, dtype=np.int64)
    member[voxel] = np.arange(len(voxel))
    counts = np.zeros((2, len(voxel) + 1), dtype=np.int64)
    inside = (partition.basin, partition.shift)
    _count(*faces, table, voxel, *inside, counts)
    inner, exits = np.cumsum(counts, axis=1)
    inner_to, inner_S = np.empty(inner[-1], dtype=np.int64), np.empty(inner[-1])
    exit_to, exit_S = np.empty(exits[-1], dtype=np.int64), np.empty(exits[-1])
    exit_class, exit_shift = np.empty(exits[-1], dtype=np.int32), np.empty(exits[-1], dtype=np.int64)
    _fill(*faces, table, voxel, *inside, member, inner, inner_to, inner_S, exits, exit_to, exit_S, exit_class, exit_shift)
    size = np.array(shape)
    where = np.stack(np.unravel_index(voxel, shape), axis=1)
    at = where + size * unpack(partition.shift[voxel])
    exit_at = where[exit_to] + size * unpack(exit_shift)
    return Members(
        voxel=voxel, first=first, at=at.astype(np.int32), inner=inner, inner_to=inner_to, inner_S=inner_S, exit=exits,
        exit_to=exit_to, exit_S=exit_S, exit_at=exit_at.astype(np.int32), exit_class=exit_class,
    )  # fmt: skip


@kernel
def _count(of_x, of_y, of_z, table, voxel, basin, shift, counts):  # type: ignore[no-untyped-def]
    nx, ny, nz = of_x.shape
    flat_x, flat_y, flat_z = of_x.reshape(-1), of_y.reshape(-1), of_z.reshape(-1)
    for e in range(len(voxel)):
        n = voxel[e]
        i, j, k = n // (ny * nz), (n // nz) % ny, n % nz
        for side in range(6):
            axis, owner, m, step = across(i, j, k, nx, ny, nz, side)
            g = table[axis, flat_x[owner] if axis == 0 else (flat_y[owner] if axis == 1 else flat_z[owner])]
            if g > 0.0:
                leaves = basin[m] != basin[n] or shift[m] != shift[n] + step
                counts[1 if leaves else 0, e + 1] += 1


@kernel
def _fill(  # type: ignore[no-untyped-def]
    of_x, of_y, of_z, table, voxel, basin, shift, member, inner, inner_to, inner_S, exits, exit_to, exit_S, exit_class, exit_shift,
):  # fmt: skip
    nx, ny, nz = of_x.shape
    flat_x, flat_y, flat_z = of_x.reshape(-1), of_y.reshape(-1), of_z.reshape(-1)
    for e in range(len(voxel)):
        n = voxel[e]
        i, j, k = n // (ny * nz), (n // nz) % ny, n % nz
        at_inner, at_exit = inner[e], exits[e]
        for side in range(6):
            axis, owner, m, step = across(i, j, k, nx, ny, nz, side)
            face = flat_x[owner] if axis == 0 else (flat_y[owner] if axis == 1 else flat_z[owner])
            g = table[axis, face]
            if g == 0.0:
                continue
            if basin[m] != basin[n] or shift[m] != shift[n] + step:
                exit_to[at_exit], exit_S[at_exit] = member[m], g
                exit_class[at_exit], exit_shift[at_exit] = face, shift[n] + step
                at_exit += 1
            else:
                inner_to[at_inner], inner_S[at_inner] = member[m], g
                at_inner += 1
