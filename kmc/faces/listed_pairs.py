"""The pairs of grains that have reacted with each other, as sorted numbers that kernels can search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.features import ThinShells
from microstructures.jit import kernel


def pair_keys(shells: ThinShells | None) -> NDArray[np.int64]:
    """Return the listed pairs as sorted numbers, donor << 32 | host.

    Raises
    ------
    InputError
        If the pairs are not sorted by donor, then host, or one is listed twice.
    """
    if shells is None:
        return np.zeros(0, dtype=np.int64)
    grains = shells.grains.reshape(-1, 2).astype(np.int64)
    keys: NDArray[np.int64] = (grains[:, 0] << 32) | grains[:, 1]
    wrong = np.flatnonzero(np.diff(keys) <= 0)
    if len(wrong):
        donor, host = grains[wrong[0] + 1]
        raise InputError(
            f"pair {wrong[0] + 1} of the thin shells, grains {donor} and {host}, is out of order or listed twice; "
            "sort the pairs by donor, then host, each once"
        )
    return keys


@kernel
def pair_index(keys, donor_grain, host_grain):  # type: ignore[no-untyped-def]
    """Return the position of a pair of grains in the sorted `keys` (donor << 32 | host), or -1 if it is not listed."""
    key = (np.int64(donor_grain) << 32) | np.int64(host_grain)
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low if low < len(keys) and keys[low] == key else -1


@kernel
def reacted(keys, grain, side, other):  # type: ignore[no-untyped-def]
    """Return whether `grain` is listed with the grain `other` of a phase that is a donor (side -1) or a host (+1)."""
    if side > 0:
        return pair_index(keys, grain, other) >= 0
    return side < 0 and pair_index(keys, other, grain) >= 0
