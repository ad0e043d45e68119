"""Which pores a gas or a liquid could reach from outside, and which are closed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import kernel
from microstructures.morphology.fractions import pore_labels
from microstructures.segment.connected import pieces_inside
from microstructures.structure import VoxelStructure
from microstructures.voxels.winding import join_across_boundary


def porosity(structure: VoxelStructure) -> dict[str, float]:
    """Return how much of the volume is open and how much closed pore.

    A piece of pore is a set of pore voxels joined by their six faces, across the outer boundary where the structure is
    periodic. It is open if it touches an outer face of the block that is not periodic, or winds around a periodic box and
    so leads on for ever; every other piece is closed.

    Parameters
    ----------
    structure : VoxelStructure
        Pores are the phase named pore, or label 0 where phases have no names.

    Returns
    -------
    dict
        `total`, `open` and `closed`, shares of the whole volume; `pieces` and `open_pieces`, numbers of pieces;
        `largest_piece`, the share of the pore volume that it holds.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.ones((5, 5, 5), int)
    >>> labels[2, 2, 2] = 0
    >>> porosity(VoxelStructure.from_labels(labels, voxel_nm=25))["closed"]
    0.008
    """
    pores = pore_labels(structure)
    is_pore = structure.labels == pores[0] if len(pores) == 1 else np.isin(structure.labels, pores)
    ids = pieces_inside(is_pore.view(np.uint8))
    del is_pore
    count = int(ids.max(initial=0))
    sizes = _sizes(ids, count)
    low, high, along = [], [], []
    outer = np.zeros(count + 1, dtype=np.bool_)
    for axis, wraps in enumerate(structure.periodic):
        first, last = np.take(ids, 0, axis=axis).ravel(), np.take(ids, -1, axis=axis).ravel()
        if wraps:
            joined = (first > 0) & (last > 0)
            links = np.unique(np.stack([last[joined], first[joined]]), axis=1)
            low.append(links[0])
            high.append(links[1])
            along.append(np.full(links.shape[1], axis))
        else:
            outer[first] = outer[last] = True
    root, winds = np.arange(count + 1), np.zeros(count + 1, dtype=np.bool_)
    if low:
        root, around = join_across_boundary(*(np.concatenate(part).astype(np.int64) for part in (low, high, along)), count)
        winds = around.any(axis=1)
    of_piece = np.bincount(root, weights=sizes, minlength=count + 1)
    is_open = np.zeros(count + 1, dtype=np.bool_)
    np.logical_or.at(is_open, root, outer | winds)
    of_piece[0] = 0.0
    total = float(of_piece.sum())
    open_ = float(of_piece[is_open].sum())
    voxels = structure.labels.size
    return {
        "total": total / voxels,
        "open": open_ / voxels,
        "closed": (total - open_) / voxels,
        "pieces": int((of_piece > 0).sum()),
        "open_pieces": int((is_open & (of_piece > 0)).sum()),
        "largest_piece": float(of_piece.max()) / total if total > 0.0 else 0.0,
    }


def _sizes(ids: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return the voxels of each piece; entry 0 is solid and counts nothing."""
    sizes = np.asarray(_count(ids.reshape(-1), count + 1))
    sizes[0] = 0
    return sizes


@kernel
def _count(ids, n):  # type: ignore[no-untyped-def]
    counts = np.zeros(n, dtype=np.int64)
    for piece in ids:
        counts[piece] += 1
    return counts
