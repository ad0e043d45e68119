"""The way of a carrier, folded back into the box: pieces that end where it leaves through a side and begin opposite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """A part of a way that lies in one image of the box.

    Attributes
    ----------
    points : ndarray of shape (n, 3)
        Corners of the line inside the box, in the unit of the positions.
    sample : ndarray of shape (n,)
        Where in the way they are: 2.5 is half-way between samples 2 and 3.
    """

    points: Floats
    sample: Floats

    def between(self, low: float, high: float) -> Floats:
        """Return the part between two places in the way, ends included, shape (n, 3); empty where there is none."""
        low, high = max(low, self.sample[0]), min(high, self.sample[-1])
        if low >= high:
            return np.empty((0, 3))
        inner = self.sample[(self.sample > low) & (self.sample < high)]
        at = np.concatenate(([low], inner, [high]))
        return np.stack([np.interp(at, self.sample, self.points[:, axis]) for axis in range(3)], axis=1)


def fold(position: Floats, box: Floats, *, mirrored: bool = False) -> list[Piece]:
    """Fold an unfolded way back into the box; the lengths of the pieces sum to that of the way.

    Parameters
    ----------
    position : ndarray of shape (samples, 3)
        Unfolded positions.
    box : ndarray of shape (3,)
        Edges of the box, in the same unit.
    mirrored : bool
        Whether the images of the box are mirror images, as between plates: ways then turn at its sides and do not break.

    Examples
    --------
    >>> [piece.points[:, 0].tolist() for piece in fold(np.array([[0.5, 0.5, 0.5], [1.25, 0.5, 0.5]]), np.ones(3))]
    [[0.5, 1.0], [0.0, 0.25]]
    """
    points, sample = _with_crossings(position / box)
    image = np.floor(0.5 * (points[1:] + points[:-1]) if len(points) > 1 else points)
    starts = np.flatnonzero(np.concatenate(([True], (image[1:] != image[:-1]).any(axis=1))))
    pieces = []
    for first, last in zip(starts, [*starts[1:], len(points) - 1], strict=True):
        within = points[first : last + 1] - image[first]
        if mirrored:
            within = np.where(image[first] % 2 == 0, within, 1.0 - within)
        pieces.append(Piece(np.clip(within, 0.0, 1.0) * box, sample[first : last + 1]))
    return pieces


def fold_points(position: Floats, box: Floats, *, mirrored: bool = False) -> Floats:
    """Return positions folded back into the box one by one, of the same shape."""
    image = np.floor(position / box)
    within = position - image * box
    return np.asarray(np.where(image % 2 == 0, within, box - within)) if mirrored else within


def _with_crossings(points: Floats) -> tuple[Floats, Floats]:
    """Return a way in units of the box with a corner wherever it crosses a side, and where in the way each corner is."""
    extra = []
    crosses = (np.floor(points[1:]) != np.floor(points[:-1])).any(axis=1)
    for step in np.flatnonzero(crosses):
        start, way = points[step], points[step + 1] - points[step]
        for axis in np.flatnonzero(way):
            low, high = sorted((start[axis], start[axis] + way[axis]))
            sides = np.arange(np.floor(low) + 1.0, np.ceil(high))
            extra.extend((step + (sides - start[axis]) / way[axis]).tolist())
    if not extra:
        return points, np.arange(len(points), dtype=np.float64)
    sample = np.unique(np.concatenate((np.arange(len(points)), extra)))
    before = np.minimum(sample.astype(np.int64), len(points) - 2)
    share = (sample - before)[:, None]
    return points[before] * (1.0 - share) + points[before + 1] * share, sample
