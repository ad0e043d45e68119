"""Connected pieces of phases: voxels of one label that share faces, across periodic boundaries too."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from microstructures.jit import kernel
from microstructures.structure import VoxelStructure

Periodic = tuple[bool, bool, bool]


def connected_grains(structure: VoxelStructure, *, background: int = 0) -> NDArray[np.int32]:
    """Number the connected pieces of every phase but the background.

    Two voxels are connected if they have the same label and share a face; along the periodic axes of the structure the last
    layer touches the first.

    Parameters
    ----------
    structure : VoxelStructure
        Any label image.
    background : int
        Label that has no grains, the pore. A label that does not occur, such as -1, gives every phase its grains.

    Returns
    -------
    ndarray of shape (nx, ny, nz), int32
        Ids from 1, in the order in which a sweep along z, then y, then x meets the pieces; 0 in the background.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((5, 1, 1), int)
    >>> image[[0, 2, 4]] = 1
    >>> ends = VoxelStructure.from_labels(image, voxel_nm=25, periodic=True)
    >>> connected_grains(ends).ravel().tolist()
    [1, 0, 2, 0, 1]
    """
    return connected_pieces(structure.labels, structure.periodic, background)


def connected_pieces(labels: NDArray[np.uint8], periodic: Periodic, background: int = 0) -> NDArray[np.int32]:
    """Number the connected pieces of equal labels from 1 in memory order, 0 in the background."""
    pieces = pieces_inside(labels, background)
    root = _joined(pieces, labels, periodic, int(pieces.max(initial=0)))
    _renumber(pieces.reshape(-1), root)
    return pieces


def pieces_inside(labels: NDArray[np.uint8], background: int = 0) -> NDArray[np.int32]:
    """Number the connected pieces of equal labels in any order from 1, the box not wrapped; 0 in the background.

    connected-components-3d takes one sweep for all labels, scipy one for each.
    """
    if find_spec("cc3d") is not None:
        wanted: NDArray[np.uint8] | NDArray[np.uint16] = labels
        if background != 0:  # cc3d leaves out the label 0
            wanted = labels.astype(np.uint16) + 1
            wanted[labels == background] = 0
        return np.ascontiguousarray(import_module("cc3d").connected_components(wanted, connectivity=6), dtype=np.int32)
    pieces = np.zeros(labels.shape, dtype=np.int32)
    count = 0
    for label in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)):
        if label != background:
            found, n = ndimage.label(labels == label)
            np.add(found, count, out=pieces, where=found > 0, casting="unsafe")
            count += n
    return pieces


def _joined(pieces: NDArray[np.int32], labels: NDArray[np.uint8], periodic: Periodic, count: int) -> NDArray[np.int32]:
    """Return which pieces are one, because they touch across a periodic boundary: a common number for each."""
    low, high = [], []
    for axis in np.flatnonzero(periodic):
        first, last = (np.take(pieces, end, axis=axis) for end in (0, -1))
        touch = (np.take(labels, 0, axis=axis) == np.take(labels, -1, axis=axis)) & (first > 0)
        low.append(first[touch])
        high.append(last[touch])
    if not low:
        return np.arange(count + 1, dtype=np.int32)
    i, j = np.concatenate(low), np.concatenate(high)
    graph = coo_array((np.ones(len(i), dtype=np.int8), (i, j)), shape=(count + 1, count + 1))
    return connected_components(graph, directed=False)[1]


@kernel
def _renumber(flat, group):  # type: ignore[no-untyped-def]
    """Replace pieces by their groups, numbered in memory order."""
    number = np.zeros(group.max() + 1, dtype=np.int32)
    count = 0
    for n in range(len(flat)):
        if flat[n] > 0:
            g = group[flat[n]]
            if number[g] == 0:
                count += 1
                number[g] = count
            flat[n] = number[g]
