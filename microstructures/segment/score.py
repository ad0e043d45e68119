"""How well a segmentation matches the grains that are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError


def recovered_share(true: NDArray[np.int32], found: NDArray[np.int32]) -> float:
    """Return the share of the true grains that a segmentation recovered.

    A grain is recovered if some region covers it with an intersection over union above 1/2; then no other region can, nor can
    that region recover another grain.

    Parameters
    ----------
    true, found : ndarray of shape (nx, ny, nz), int32
        Grain ids, 0 where there is none.

    Returns
    -------
    float
        0 to 1; NaN if there is no true grain.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> true = np.array([1, 1, 1, 2, 2, 2, 3, 3, 0]).reshape(9, 1, 1)
    >>> recovered_share(true, np.array([5, 5, 7, 7, 7, 7, 9, 9, 0]).reshape(9, 1, 1))
    1.0
    >>> recovered_share(true, np.array([4, 4, 4, 4, 4, 4, 9, 9, 0]).reshape(9, 1, 1))
    0.3333333333333333
    """
    if true.shape != found.shape:
        raise InputError(f"found has shape {found.shape}; allowed: that of the true grains, {true.shape}")
    sizes, regions = np.bincount(true.ravel()), np.bincount(found.ravel())
    both = (true > 0) & (found > 0)
    pair, shared = np.unique(true[both].astype(np.int64) * len(regions) + found[both], return_counts=True)
    grain, region = np.divmod(pair, len(regions))
    matched = 2 * shared > sizes[grain] + regions[region] - shared
    count = np.count_nonzero(sizes[1:])
    return float(np.count_nonzero(matched) / count) if count else float("nan")
