"""The faces one can see: quadrilaterals between visible and hidden voxels, found exactly and without a mesh library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BRIGHTNESS = ((0.70, 0.90), (0.80, 0.72), (0.62, 1.00))
"""Brightness of faces that look down and up along x, y, z: light from above, and three faces of a cube tell apart."""
CREVICE_VOXELS = 9
DARKEST_CREVICE = 0.45


@dataclass(frozen=True)
class Surface:
    """Quadrilaterals of a voxel surface.

    Attributes
    ----------
    points : ndarray of shape (n_points, 3), float32
        Corners, in units of the voxel edges.
    quads : ndarray of shape (n_quads, 4), int64
        Corners of every quadrilateral.
    voxel : ndarray of shape (n_quads,), int64
        Flat index (C order) of the voxel that each one belongs to.
    brightness : ndarray of shape (n_quads,), float32
        From 0 to 1: lighting by direction, darker in crevices.
    side : ndarray of shape (n_quads,), int8
        Where the voxel face looks: 0, 1 down and up along x, 2, 3 along y, 4, 5 along z.
    corner_brightness : ndarray of shape (n_quads, 4), float32, optional
        Brightness at the corners, for surfaces that are smooth.
    """

    points: NDArray[np.float32]
    quads: NDArray[np.int64]
    voxel: NDArray[np.int64]
    brightness: NDArray[np.float32]
    side: NDArray[np.int8]
    corner_brightness: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of quadrilaterals."""
        return len(self.quads)

    def part(self, chosen: NDArray[Any]) -> Surface:
        """Return the quadrilaterals that a mask or an order chooses; the points stay as they are."""
        corner = None if self.corner_brightness is None else self.corner_brightness[chosen]
        return Surface(self.points, self.quads[chosen], self.voxel[chosen], self.brightness[chosen], self.side[chosen], corner)


def exposed_faces(visible: NDArray[np.bool_], *, crevices: bool = True) -> Surface:
    """Return the faces between visible voxels and hidden ones or the outside.

    Parameters
    ----------
    visible : ndarray of shape (nx, ny, nz), bool
        The voxels to show.
    crevices : bool
        Whether to darken faces in narrow places, which gives depth to a picture without shadows.

    Returns
    -------
    Surface
        Normals point outwards (counter-clockwise seen from outside).

    Examples
    --------
    >>> len(exposed_faces(np.ones((1, 1, 2), bool)))
    10
    """
    shape = np.array(visible.shape)
    padded = np.pad(visible, 1)
    crowding = _crowding(visible) if crevices else None
    corner_strides = np.array([(shape[1] + 1) * (shape[2] + 1), shape[2] + 1, 1])
    quads, voxels, brightness, sides = [], [], [], []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (0, 1):
            beside = np.roll(padded, 1 - 2 * side, axis=axis)[1:-1, 1:-1, 1:-1]
            flat = np.flatnonzero(visible & ~beside)
            index = np.stack(np.unravel_index(flat, visible.shape), axis=1)
            low = index @ corner_strides + side * corner_strides[axis]
            du, dv = corner_strides[u], corner_strides[v]
            ring = (0, du, du + dv, dv) if side else (0, dv, du + dv, du)
            quads.append(low[:, None] + np.array(ring))
            voxels.append(flat)
            shade = np.full(len(flat), BRIGHTNESS[axis][side], dtype=np.float32)
            if crowding is not None:
                index[:, axis] += 2 * side - 1
                shade *= _openness(crowding[tuple((index + 1).T)])
            brightness.append(shade)
            sides.append(np.full(len(flat), 2 * axis + side, dtype=np.int8))
    corners = np.concatenate(quads)
    used = np.zeros(int(np.prod(shape + 1)), dtype=np.bool_)
    used[corners.ravel()] = True
    number = np.cumsum(used) - 1
    points = np.stack(np.unravel_index(np.flatnonzero(used), tuple(shape + 1)), axis=1).astype(np.float32)
    return Surface(points, number[corners], np.concatenate(voxels), np.concatenate(brightness), np.concatenate(sides))


def faces_of_planes(shape: tuple[int, int, int], places: tuple[int, int, int]) -> Surface:
    """Return every voxel of three planes as a quadrilateral in the middle of the voxel, all equally bright.

    Examples
    --------
    >>> len(faces_of_planes((2, 3, 4), (0, 1, 2)))
    26
    """
    points, voxels, sides = [], [], []
    for axis, place in enumerate(places):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        index = np.indices(tuple(1 if k == axis else n for k, n in enumerate(shape))).reshape(3, -1).T
        index[:, axis] = place
        corner = np.repeat(index[:, None, :].astype(np.float32), 4, axis=1)
        corner[:, 1:3, u] += 1.0
        corner[:, 2:, v] += 1.0
        corner[..., axis] += 0.5
        points.append(corner.reshape(-1, 3))
        voxels.append(np.ravel_multi_index(tuple(index.T), shape))
        sides.append(np.full(len(index), 2 * axis + 1, dtype=np.int8))
    voxel = np.concatenate(voxels)
    quads = np.arange(4 * len(voxel)).reshape(-1, 4)
    return Surface(np.concatenate(points), quads, voxel, np.ones(len(voxel), np.float32), np.concatenate(sides))


def on_cut(surface: Surface, region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which faces look out of the region (the block, or what a cut left of it), shape (n_quads,), bool."""
    index = np.stack(np.unravel_index(surface.voxel, region.shape), axis=1) + 1
    index[np.arange(len(index)), surface.side // 2] += 2 * (surface.side % 2) - 1
    return np.asarray(~np.pad(region, 1)[tuple(index.T)])


def cut_corner(shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Return the voxels that remain when the octant at high x, low y, high z is taken away; all along thin axes."""
    keep = np.ones(shape, dtype=np.bool_)
    nx, ny, nz = shape
    if min(shape) >= 4:
        keep[nx - nx // 2 :, : ny // 2, nz - nz // 2 :] = False
    return keep


def _crowding(visible: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the share of visible voxels around each voxel, of shape + 2: the outside belongs to it."""
    from scipy.ndimage import uniform_filter

    size = min(CREVICE_VOXELS, 2 * (min(visible.shape) // 4) + 1)
    return np.asarray(uniform_filter(np.pad(visible, 1).astype(np.float32), size=size, mode="constant"))


def _openness(crowding: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 beside a flat wall, where half of the neighbourhood is filled, down to `DARKEST_CREVICE`."""
    excess = np.clip(2.0 * crowding - 1.0, 0.0, 1.0)
    return np.asarray(1.0 - (1.0 - DARKEST_CREVICE) * excess, dtype=np.float32)
