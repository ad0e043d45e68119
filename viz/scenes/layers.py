"""The faces of a labelled block as a look wants them: cut or whole, in planes, smooth, and apart by what one can see through."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.scenes.look import Look
from viz.scenes.smoothing import smoothed
from viz.scenes.surfaces import Surface, cut_corner, exposed_faces, faces_of_planes, on_cut


def layered_faces(
    labels: NDArray[np.uint8], opacity: NDArray[np.float64], look: Look, places: tuple[int, int, int]
) -> list[tuple[float, Surface]]:
    """Return every opacity that occurs, highest first, with the faces among which those of that opacity are.

    Parameters
    ----------
    labels : ndarray of shape (nx, ny, nz), uint8
        The block.
    opacity : ndarray of shape (256,)
        Opacity of every label, 0 for what is hidden.
    look : Look
        Its view is followed here, its surface by `finished_faces`.
    places : tuple of int
        Voxel of each plane along x, y and z, for the view "slices".
    """
    if look.view == "slices":
        planes = faces_of_planes(labels.shape, places)
        return [(level, planes) for level in _levels(opacity[labels.ravel()[planes.voxel]])]
    of_voxel = opacity[labels]
    visible = (of_voxel > 0.0) & _region(of_voxel > 0.0, look)
    return [
        (level, exposed_faces(visible & (of_voxel == level) if level == 1.0 else visible))
        for level in _levels(of_voxel[visible])
    ]


def finished_faces(
    labels: NDArray[np.uint8],
    opacity: NDArray[np.float64],
    look: Look,
    found: list[tuple[float, Surface]],
    pieces: NDArray[Any],
) -> list[tuple[float, Surface]]:
    """Return the faces of each opacity alone, smoothed if the look says so; levels without a face are left out.

    Parameters
    ----------
    labels, opacity, look
        As for `layered_faces`.
    found
        What it returned.
    pieces : ndarray of shape (nx, ny, nz), integer
        Phase or grain of every voxel: the lines between them on a smooth surface stay lines.
    """
    out = []
    for level, surface in found:
        if look.surface == "smooth" and look.view != "slices":
            cut = on_cut(surface, _region(opacity[labels] > 0.0, look))
            surface = smoothed(surface, pieces.ravel()[surface.voxel].astype(np.int64), cut)
        out.append((level, surface.part(opacity[labels.ravel()[surface.voxel]] == level)))
    return [(level, surface) for level, surface in out if len(surface)]


def _levels(opacities: NDArray[np.float64]) -> list[float]:
    """Return the opacities above zero, highest first."""
    return [float(level) for level in np.unique(opacities)[::-1] if level > 0.0]


def _region(visible: NDArray[np.bool_], look: Look) -> NDArray[np.bool_]:
    """Return the voxels that a cut leaves; all where it would leave nothing to see."""
    everything = np.ones_like(visible)
    region = cut_corner(visible.shape) if look.view == "corner" else everything
    return region if (visible & region).any() else everything
