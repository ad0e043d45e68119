"""Mean square displacements on the way: the last places of every walker, and sums over all windows of a few lengths.

All sums are whole numbers, so that nothing depends on the order in which they are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LAGS = (1, 2, 4, 8, 16, 32, 64)
"""Lengths of the windows, in samples."""
QUOTED_LAG = 16
"""The diffusivity is quoted at this lag: the slope from half of it to all of it."""
MOST = LAGS[-1]
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Products of displacements that are summed; the first three are squares."""


@dataclass
class Displacements:
    """Windows of all walkers so far.

    Attributes
    ----------
    places : ndarray of shape (walkers, 65, 3), int64
        Unfolded positions [voxels] at the last 65 samples; sample m is in row m % 65.
    sums : ndarray of shape (walkers, 7, 6), int64
        Sums over windows of each of `LAGS` of the products in `PAIRS` [voxels^2].
    samples : int
        Samples taken, the start not counted.
    """

    places: NDArray[np.int64]
    sums: NDArray[np.int64]
    samples: int = 0

    @classmethod
    def of(cls, places: NDArray[np.int64]) -> Displacements:
        """Return those of walkers that start from these places, shape (walkers, 3)."""
        past = np.zeros((len(places), MOST + 1, 3), dtype=np.int64)
        past[:, 0] = places
        return cls(past, np.zeros((len(places), len(LAGS), len(PAIRS)), dtype=np.int64))

    def take(self, places: NDArray[np.int64]) -> None:
        """Take a sample of the places of all walkers, shape (walkers, 3), and count the windows that end with it."""
        self.samples += 1
        rows = MOST + 1
        self.places[:, self.samples % rows] = places
        for n, lag in enumerate(LAGS):
            if lag <= self.samples:
                step = places - self.places[:, (self.samples - lag) % rows]
                for m, (a, b) in enumerate(PAIRS):
                    self.sums[:, n, m] += step[:, a] * step[:, b]

    def windows(self, lag: int) -> int:
        """Return how many windows of a lag each walker has."""
        return max(self.samples - lag + 1, 0)

    def mean_products(self, lag: int) -> NDArray[np.float64]:
        """Return each walker's mean products over all windows of one of `LAGS` [voxels^2], shape (walkers, 6)."""
        return np.asarray(self.sums[:, LAGS.index(lag)] / max(self.windows(lag), 1))

    def slopes(self, lag: int) -> NDArray[np.float64]:
        """Return each walker's diffusivities [voxels^2 per sample] from the slope between lag/2 and lag, shape (walkers, 6)."""
        return (self.mean_products(lag) - self.mean_products(lag // 2)) / lag
