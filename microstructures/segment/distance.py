"""How deep each voxel lies in its phase: the exact Euclidean distance to the nearest voxel of anything else."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
FIRST_MARGIN = 16  # voxels


def depth_in_phase(groups: NDArray[np.uint8], edges: tuple[float, float, float], periodic: tuple[bool, bool, bool]) -> Floats:
    """Return the distance from each voxel's centre to the nearest centre of a voxel of another group, 0 in group 0.

    Periodic axes are continued by a margin of copies as wide as the largest distance, which makes them exact. Where no other
    group exists the distance is 1 everywhere.

    Parameters
    ----------
    groups : ndarray of shape (nx, ny, nz), uint8
        Which voxels belong together; 0 needs no distance.
    edges : tuple of 3 floats
        Edges of a voxel, in the unit of the distance.
    periodic : tuple of 3 bools
        Axes along which the last layer touches the first.
    """
    if groups.min() == groups.max():
        return np.full(groups.shape, 1.0 if groups.flat[0] else 0.0, dtype=np.float32)
    half = [(n + 1) // 2 if wraps else 0 for n, wraps in zip(groups.shape, periodic, strict=True)]
    margin = [min(FIRST_MARGIN, h) for h in half]
    while True:
        depth = _crop(
            _distances(np.pad(groups, [(m, m) for m in margin], mode="wrap") if any(margin) else groups, edges), margin
        )
        reach = depth.max()
        needed = [min(int(np.ceil(min(reach / edge, h))), h) for edge, h in zip(edges, half, strict=True)]
        if all(n <= m for n, m in zip(needed, margin, strict=True)):
            return depth
        margin = needed


def _crop(padded: Floats, margin: list[int]) -> Floats:
    inner = tuple(slice(m, n - m) for m, n in zip(margin, padded.shape, strict=True))
    return np.ascontiguousarray(padded[inner])


def _distances(groups: NDArray[np.uint8], edges: tuple[float, float, float]) -> Floats:
    """Return the distances inside the array, whose border is no surface."""
    if find_spec("edt") is not None:
        distances: Floats = import_module("edt").edt(
            groups, anisotropy=edges, black_border=False, parallel=numba.get_num_threads()
        )
        return distances
    depth = np.zeros(groups.shape, dtype=np.float32)
    for group in np.flatnonzero(np.bincount(groups.ravel(), minlength=256)):
        if group:
            inside = groups == group
            np.copyto(depth, ndimage.distance_transform_edt(inside, sampling=edges), where=inside, casting="same_kind")
    return depth
