"""Tell the grains of a label image apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from microstructures.structure import VoxelStructure


def connected_grains(structure: VoxelStructure, *, background: int = 0) -> NDArray[np.int32]:
    """Return one grain id per connected piece (6 neighbours) of every phase but the background, 0 there."""
    grains = np.zeros(structure.shape, dtype=np.int32)
    count = 0
    for label in np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256)):
        if label == background:
            continue
        pieces, n = ndimage.label(structure.labels == label)
        inside = pieces > 0
        grains[inside] = pieces[inside] + count
        count += n
    return grains


def watershed_grains(structure: VoxelStructure, *, background: int = 0, smoothing: float = 1.0) -> NDArray[np.int32]:
    """Return grain ids from a distance-transform watershed of every phase but the background, 0 there.

    Markers are the maxima of the distance to the phase's surface, smoothed by a Gaussian of `smoothing` voxels, each the
    only one within its own distance. Dense solids are cut into too few or too many grains: at a relative density of 0.9 a
    watershed finds little more than half of the true ones.

    Parameters
    ----------
    structure : VoxelStructure
        Any label image.
    background : int
        Label that has no grains, the pore.
    smoothing : float
        Standard deviation [voxels] of the Gaussian.
    """
    from skimage.segmentation import watershed

    grains = np.zeros(structure.shape, dtype=np.int32)
    count = 0
    for label in np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256)):
        if label == background:
            continue
        inside = structure.labels == label
        depth = ndimage.distance_transform_edt(inside, sampling=structure.voxel_size) / min(structure.voxel_size)
        depth = ndimage.gaussian_filter(depth, smoothing)
        peaks = _markers(depth, inside)
        pieces = watershed(-depth, peaks, mask=inside)
        grains[inside] = pieces[inside] + count
        count += int(pieces.max(initial=0))
    return grains


def _markers(depth: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number the local maxima of `depth`, at least one in every connected piece."""
    top = (depth == ndimage.maximum_filter(depth, size=5)) & inside
    pieces, n = ndimage.label(inside)
    missing = np.setdiff1d(np.arange(1, n + 1), np.unique(pieces[top]))
    if len(missing):
        deepest = ndimage.maximum_position(depth, pieces, missing)
        top[tuple(np.array(deepest).T)] = True
    # a plateau that is connected by edges or corners is one marker, but only within its piece
    plateaus = ndimage.label(top, structure=np.ones((3, 3, 3)))[0]
    _, which = np.unique(np.stack([plateaus[top], pieces[top]]), axis=1, return_inverse=True)
    markers = np.zeros(depth.shape, dtype=np.int32)
    markers[top] = which.ravel() + 1
    return markers
