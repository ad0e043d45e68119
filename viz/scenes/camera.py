"""A parallel camera: where a point of the block lands in the picture, so that scale bars are exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIRECTION = (0.80, -1.0, 0.72)
"""From the block to the eye: x runs to the right, y away, z up; the cut corner faces the eye."""
WIDTH_SHARE, HEIGHT_SHARE = 0.86, 0.93


@dataclass(frozen=True)
class Camera:
    """A parallel projection of a block onto a picture.

    Attributes
    ----------
    edges : ndarray of shape (3,)
        Edges of the block [um]; the picture is centred on its middle.
    width, height : int
        Size of the picture [pixels].
    pixels_per_um : float
        Scale of every length that lies in the plane of the picture.
    """

    edges: NDArray[np.float64]
    width: int
    height: int
    pixels_per_um: float

    @property
    def basis(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the unit vectors to the right, up and towards the eye."""
        return _basis()

    @property
    def position(self) -> tuple[list[float], list[float], list[float]]:
        """Return eye, focal point and view-up as VTK wants them."""
        _, up, eye = _basis()
        centre = 0.5 * self.edges
        return list(centre + eye * 3.0 * np.linalg.norm(self.edges)), list(centre), list(up)

    @property
    def parallel_scale(self) -> float:
        """Return half the height of the picture [um]."""
        return self.height / (2.0 * self.pixels_per_um)

    def project(self, point: NDArray[np.float64] | tuple[float, float, float]) -> NDArray[np.float64]:
        """Return the pixel (right, up) of a point of the block [um], from the lower left corner of the picture."""
        right, up, _ = _basis()
        offset = np.asarray(point) - 0.5 * self.edges
        middle = np.array([self.width, self.height]) / 2.0
        return np.asarray(middle + np.array([right @ offset, up @ offset]) * self.pixels_per_um)


def fit_cameras(blocks_um: list[tuple[float, float, float]], width: int, height: int) -> list[Camera]:
    """Return one camera per block, all with the largest scale at which every block fits."""
    right, up, _ = _basis()
    scale = min(
        min(WIDTH_SHARE * width / (np.abs(right) @ edges), HEIGHT_SHARE * height / (np.abs(up) @ edges))
        for edges in map(np.array, blocks_um)
    )
    return [Camera(np.array(edges), width, height, float(scale)) for edges in blocks_um]


def _basis() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    eye = np.array(DIRECTION) / np.linalg.norm(DIRECTION)
    right = np.cross([0.0, 0.0, 1.0], eye)
    right /= np.linalg.norm(right)
    return right, np.cross(eye, right), eye
