"""Smooth surfaces: the steps of voxel faces relaxed, with cuts kept flat and lines between phases or grains kept as lines.

The mesh is that of the voxel faces (as in the surface nets of Gibson 1998, MICCAI, LNCS 1496, 888); its corners move by the
two alternating steps of Taubin 1995 (SIGGRAPH, 351), which take away steps and do not shrink what is larger. Corners on a
line between two of them follow that line only, and corners on a cut stay in its plane. None moves farther than `FARTHEST`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.scenes.surfaces import BRIGHTNESS, Surface

SHRINK, SWELL = 0.5, -0.53
ROUNDS = 40
FARTHEST = 0.9
"""Longest way of a corner along each axis [voxels]."""
FREE = 6
"""Direction of faces that are no cut."""


def smoothed(surface: Surface, piece: NDArray[np.int64], cut: NDArray[np.bool_]) -> Surface:
    """Return a voxel surface with its steps smoothed away.

    Parameters
    ----------
    surface : Surface
        Voxel faces, from `exposed_faces`.
    piece : ndarray of shape (n_quads,), int64
        Phase or grain of every face; the lines where it changes stay lines.
    cut : ndarray of shape (n_quads,), bool
        Which faces lie on the outside of the block or on a cut: they stay flat.

    Returns
    -------
    Surface
        The same faces with moved corners, and a brightness for each corner of each face.
    """
    facing = np.where(cut, surface.side, FREE).astype(np.int64)
    start = surface.points.astype(np.float64)
    movable = np.ones(start.shape)
    for axis in range(3):
        movable[surface.quads[facing // 2 == axis], axis] = 0.0
    mean = _mean_of_neighbours(surface.quads, facing + 7 * piece, len(start))
    points = start.copy()
    for _ in range(ROUNDS):
        for weight in (SHRINK, SWELL):
            points += weight * movable * (mean @ points - points)
            np.clip(points, start - FARTHEST, start + FARTHEST, out=points)
    return replace(surface, points=points.astype(np.float32), corner_brightness=_corner_brightness(surface, points, facing))


def area(surface: Surface, edges: tuple[float, float, float]) -> float:
    """Return the area of a surface, in the square of the unit of the voxel edges.

    Examples
    --------
    >>> from viz.scenes.surfaces import exposed_faces
    >>> area(exposed_faces(np.ones((1, 1, 2), bool)), (2.0, 2.0, 2.0))
    40.0
    """
    corners = surface.points.astype(np.float64)[surface.quads] * edges
    across = corners[:, 2] - corners[:, 0]
    halves = (np.cross(corners[:, 1] - corners[:, 0], across), np.cross(across, corners[:, 3] - corners[:, 0]))
    return float(sum(0.5 * np.linalg.norm(half, axis=1).sum() for half in halves))


def _mean_of_neighbours(quads: NDArray[np.int64], kind: NDArray[np.int64], n_points: int) -> Any:
    """Return the matrix that takes the mean over the corners beside each corner, along lines where the corner is on one."""
    from scipy.sparse import coo_matrix, csr_matrix

    ends = np.stack((quads, np.roll(quads, -1, axis=1)), axis=-1).reshape(-1, 2)
    ends.sort(axis=1)
    key, of_edge = np.unique(ends[:, 0] * n_points + ends[:, 1], return_inverse=True)
    kinds = np.repeat(kind, 4)
    low, high = np.full(len(key), kind.max()), np.full(len(key), kind.min())
    np.minimum.at(low, of_edge, kinds)
    np.maximum.at(high, of_edge, kinds)
    first, second = key // n_points, key % n_points
    line = low < high
    on_line = np.zeros(n_points, dtype=np.bool_)
    on_line[first[line]] = on_line[second[line]] = True
    rows, columns = np.concatenate((first, second)), np.concatenate((second, first))
    used = np.tile(line, 2) | ~on_line[rows]
    rows, columns = rows[used], columns[used]
    count = np.bincount(rows, minlength=n_points)
    return csr_matrix(coo_matrix((1.0 / count[rows], (rows, columns)), shape=(n_points, n_points)))


def _corner_brightness(surface: Surface, points: NDArray[np.float64], facing: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the brightness of each corner of each face: that of the six directions, weighed by the normal there."""
    quads = surface.quads
    normal = np.cross(points[quads[:, 2]] - points[quads[:, 0]], points[quads[:, 3]] - points[quads[:, 1]])
    place, of_corner = np.unique(quads * 7 + facing[:, None], return_inverse=True)
    of_corner = of_corner.reshape(-1)
    means = np.stack([np.bincount(of_corner, np.repeat(normal[:, axis], 4), len(place)) for axis in range(3)], axis=1)
    share = means**2 / np.maximum((means**2).sum(axis=1, keepdims=True), 1e-30)
    bright = sum(share[:, axis] * np.take(BRIGHTNESS[axis], (means[:, axis] > 0.0).astype(int)) for axis in range(3))
    open_sky = surface.brightness / np.ravel(BRIGHTNESS)[surface.side]
    sky = np.bincount(of_corner, np.repeat(open_sky, 4), len(place)) / np.bincount(of_corner, minlength=len(place))
    return np.asarray((bright * sky)[of_corner].reshape(-1, 4), dtype=np.float32)
