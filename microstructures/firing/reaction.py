"""Which pairs of grains react where two phases meet, and how thick a layer each of them grows.

A pair's thickness depends on the seed and the numbers of its two grains alone, so the same pair grows the same layer
at every voxel size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from microstructures.jit import kernel
from microstructures.recipe import InterphaseRecipe
from microstructures.units import NM

CUTOFF_SPREADS = 2.5
"""The lognormal is cut this many standard deviations from its median."""


@dataclass(frozen=True)
class Reactions:
    """Grains of two phases that share faces, and the layer between each pair.

    Attributes
    ----------
    grains : ndarray of shape (n, 2), int32
        Donor and host grain, sorted, each pair once.
    faces : ndarray of shape (n,), int64
        Voxel faces that they share.
    thickness : ndarray of shape (n,)
        Thickness [m] of the layer, 0 where the pair did not react.
    """

    grains: NDArray[np.int32]
    faces: NDArray[np.int64]
    thickness: NDArray[np.float64]


def draw_reactions(
    labels: NDArray[np.uint8],
    grains: NDArray[np.int32],
    periodic: tuple[bool, bool, bool],
    donor: int,
    host: int,
    recipe: InterphaseRecipe,
    growth: float,
    seed: int,
) -> Reactions:
    """Find the pairs of grains in contact and draw each one's layer.

    Parameters
    ----------
    labels, grains : ndarrays of shape (nx, ny, nz)
        Phases and grains.
    periodic : tuple of 3 bools
        Along which axes faces wrap around.
    donor, host : int
        Labels of both phases.
    recipe : InterphaseRecipe
        Percentiles and coverage: the share of the faces whose pairs react, met to within one pair.
    growth : float
        Factor on all thicknesses.
    seed : int
        The same seed gives the same bits.
    """
    keys = _contact_keys(labels, grains, np.asarray(periodic), donor, host)
    unique, faces = np.unique(keys, return_counts=True)
    pairs = np.stack([unique >> 32, unique & 0xFFFFFFFF], axis=1).astype(np.int32)
    spread = np.clip(ndtri(_uniform(unique, seed, 1)), -CUTOFF_SPREADS, CUTOFF_SPREADS)
    thickness = growth * recipe.median_nm * NM * np.exp(recipe.log_spread * spread)
    order = np.argsort(_uniform(unique, seed, 2))
    covered = np.cumsum(faces[order]) - 0.5 * faces[order]
    thickness[order[covered >= recipe.coverage * faces.sum()]] = 0.0
    return Reactions(pairs, faces.astype(np.int64), thickness)


def longest_layer(recipe: InterphaseRecipe, growth: float) -> float:
    """Return the largest thickness [m] that can be drawn."""
    return float(growth * recipe.median_nm * NM * np.exp(CUTOFF_SPREADS * recipe.log_spread))


def _uniform(key: NDArray[np.int64], seed: int, stream: int) -> NDArray[np.float64]:
    """Return numbers in (0, 1) that depend on key, seed and stream alone (SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        x = key.astype(np.uint64)
        for word in (np.uint64(seed), np.uint64(stream), np.uint64(0)):
            x = (x ^ word) + np.uint64(0x9E3779B97F4A7C15)
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x ^= x >> np.uint64(31)
    return np.asarray(((x >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


@kernel
def _contact_keys(labels, grains, wraps, donor, host):  # type: ignore[no-untyped-def]
    """Return donor grain * 2^32 + host grain of every face between both phases."""
    nx, ny, nz = labels.shape
    keys = np.empty(1024, dtype=np.int64)
    n = 0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                here = labels[i, j, k]
                if here != donor and here != host:
                    continue
                for axis in range(3):
                    i1, j1, k1 = i + (axis == 0), j + (axis == 1), k + (axis == 2)
                    if i1 == nx or j1 == ny or k1 == nz:
                        if not wraps[axis]:
                            continue
                        i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    there = labels[i1, j1, k1]
                    if there == here or (there != donor and there != host):
                        continue
                    first, second = np.int64(grains[i, j, k]), np.int64(grains[i1, j1, k1])
                    if n == len(keys):
                        longer = np.empty(2 * n, dtype=np.int64)
                        longer[:n] = keys
                        keys = longer
                    keys[n] = (first << 32) + second if here == donor else (second << 32) + first
                    n += 1
    return keys[:n]
