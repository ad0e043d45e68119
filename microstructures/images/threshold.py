"""Segment a grey image: thresholds that the user gives, or that Otsu's rule finds in the histogram.

Otsu's thresholds make the variance between the classes as large as it can be (N. Otsu, IEEE Trans. Syst. Man Cybern. 9, 62,
1979; several classes: P.-S. Liao et al., J. Inf. Sci. Eng. 17, 713, 2001). They suit histograms whose peaks are of similar
weight; look at the preview.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError, did_you_mean

METHODS = ("otsu", "multi-otsu")
BIN_COUNT = 256
LARGEST_EXACT_RANGE = 1 << 20
"""Integer images whose grey values span less are counted value by value."""
LARGEST_CLASS_COUNT = 5
OUTER_SHARE = 5e-4
"""Share of the voxels at either end of the histogram that falls into its first and last bin whatever their value."""


def segment_grey(
    values: NDArray[Any], thresholds: str | Sequence[float], *, phase_count: int | None = None
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Return labels 0, 1, 2, ... from dark to bright, and the thresholds that were used.

    Parameters
    ----------
    values : ndarray of shape (nx, ny, nz), integers or floats
        Grey values.
    thresholds : sequence of float, "otsu" or "multi-otsu"
        The highest grey value of each label but the last; a voxel of exactly that value belongs to the darker one.
    phase_count : int, optional
        Number of labels. "otsu" makes 2; "multi-otsu" needs the number, 2 to 5.

    Returns
    -------
    labels : ndarray of shape (nx, ny, nz), uint8
    chosen : dict
        ``method``, ``values`` (ascending) and ``voxels`` per label, for the recipe.

    Raises
    ------
    InputError
        If the image is no grey image, the thresholds do not ascend or do not divide it, or their number does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> labels, chosen = segment_grey(np.array([[[10, 80, 81, 200]]]), (80, 160))
    >>> labels.tolist(), chosen["values"]
    ([[[0, 0, 1, 2]]], [80, 160])
    """
    _check_grey(values)
    if isinstance(thresholds, str):
        method, used = thresholds, otsu_thresholds(values, _class_count(thresholds, phase_count))
    else:
        method, used = "given", _ascending(thresholds)
        if phase_count is not None and phase_count != len(used) + 1:
            raise InputError(
                f"{len(used)} thresholds make {len(used) + 1} phases, but {phase_count} are named; "
                "name one phase more than there are thresholds, from dark to bright: 0=pore,1=..."
            )
    labels = np.zeros(values.shape, dtype=np.uint8)
    for limit in used:
        labels += values > limit
    voxels = np.bincount(labels.ravel(), minlength=len(used) + 1)
    if not voxels.all():
        empty = int(np.flatnonzero(voxels == 0)[0])
        raise InputError(
            f"no voxel falls into label {empty} with the thresholds {', '.join(f'{limit:g}' for limit in used)}; "
            f"the grey values run from {values.min():g} to {values.max():g}; choose thresholds between"
        )
    return labels, {"method": method, "values": used, "voxels": voxels.tolist()}


def otsu_thresholds(values: NDArray[Any], class_count: int) -> list[float]:
    """Return the `class_count` - 1 thresholds that separate the classes of the histogram best.

    Parameters
    ----------
    values : ndarray of any shape
        Finite grey values.
    class_count : int
        2 to 5.

    Returns
    -------
    list of float
        Ascending; whole numbers for integer images.

    Raises
    ------
    InputError
        If the image has fewer distinct values than classes.

    Examples
    --------
    >>> import numpy as np
    >>> otsu_thresholds(np.array([10, 10, 12, 90, 91, 200, 201]), 3)
    [12, 91]
    """
    from skimage.filters import threshold_multiotsu, threshold_otsu

    counts, highest = histogram(values)
    if np.count_nonzero(counts) < class_count:
        raise InputError(
            f"the image has {np.count_nonzero(counts)} distinct grey values; needed: {class_count} for as many phases; "
            "name fewer phases, or give the thresholds"
        )
    if class_count == 2:
        found = np.array([threshold_otsu(hist=(counts, highest))])
    else:
        found = threshold_multiotsu(hist=(counts, highest), classes=class_count)
    limits = [float(limit) for limit in found]
    return [int(limit) for limit in limits] if values.dtype.kind in "iu" else limits


def histogram(values: NDArray[Any], bin_count: int = BIN_COUNT) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many voxels fall into each bin, and the highest grey value of each bin.

    Bins of integer images hold whole numbers of grey values, so that no value is cut in two; a few hot or dead voxels
    (0.05 % at either end) do not stretch the bins.

    Parameters
    ----------
    values : ndarray of any shape
        Finite grey values.
    bin_count : int
        Largest number of bins.

    Returns
    -------
    counts : ndarray of shape (n,), int64
    highest : ndarray of shape (n,), float64
        In grey values.
    """
    if values.dtype.kind in "iu" and int(values.max()) - int(values.min()) < LARGEST_EXACT_RANGE:
        return _folded(values, bin_count)
    low, high = np.quantile(values, (OUTER_SHARE, 1.0 - OUTER_SHARE))
    if low == high:
        low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(np.clip(values, low, high), bins=bin_count)
    return counts.astype(np.int64), edges[1:].astype(np.float64)


def _folded(values: NDArray[Any], bin_count: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count every grey value slab by slab, then fold neighbouring values into bins of equal width."""
    lowest = int(values.min())
    exact = np.zeros(int(values.max()) - lowest + 1, dtype=np.int64)
    for slab in values:
        exact += np.bincount(slab.ravel().astype(np.int64) - lowest, minlength=len(exact))
    share = np.cumsum(exact) / values.size
    first, last = np.searchsorted(share, (OUTER_SHARE, 1.0 - OUTER_SHARE)).tolist()
    if first == last:
        first, last = 0, len(exact) - 1
    width = max(1, math.ceil((last - first + 1) / bin_count))
    n = math.ceil((last - first + 1) / width)
    where = (np.clip(np.arange(len(exact)), first, last) - first) // width
    counts = np.bincount(where, weights=exact, minlength=n).astype(np.int64)
    return counts, lowest + first + width * np.arange(1.0, n + 1) - 1.0


def _check_grey(values: NDArray[Any]) -> None:
    if values.ndim != 3 or values.size == 0:
        raise InputError(f"the image has shape {values.shape}; allowed: three axes with at least one voxel each")
    if values.dtype.kind not in "iuf":
        raise InputError(f"the image has type {values.dtype}; allowed with thresholds: integers or floats")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))
        raise InputError(
            f"the image holds {len(bad)} NaN or infinite voxels, the first at {tuple(bad[0].tolist())}; clean it first"
        )


def _class_count(method: str, phase_count: int | None) -> int:
    if method not in METHODS:
        raise InputError(f"thresholds are '{method}'{did_you_mean(method, METHODS)}; or numbers like 80,160")
    if method == "otsu":
        if phase_count not in (None, 2):
            raise InputError(f"otsu makes 2 phases, but {phase_count} are named; use multi-otsu, or name 2")
        return 2
    if phase_count is None or not 2 <= phase_count <= LARGEST_CLASS_COUNT:
        seen = "no phases are named" if phase_count is None else f"{phase_count} phases are named"
        raise InputError(
            f"multi-otsu takes the number of phases from their names, and {seen}; allowed: 2 to {LARGEST_CLASS_COUNT}"
        )
    return phase_count


def _ascending(thresholds: Sequence[float]) -> list[float]:
    used = [int(limit) if float(limit).is_integer() else float(limit) for limit in thresholds]
    if not 1 <= len(used) <= 255 or not np.isfinite(used).all() or any(b <= a for a, b in pairwise(used)):
        raise InputError(f"the thresholds are {list(thresholds)}; allowed: one or more ascending grey values, like 80,160")
    return used
