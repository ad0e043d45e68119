"""Counts and means as results quote them: by axis, and by the pair of phases that a hop joins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network


def by_axis(values: NDArray[np.float64]) -> dict[str, float]:
    """Return three numbers with the names of their axes.

    Examples
    --------
    >>> by_axis(np.array([1.0, 2.0, 3.0]))
    {'x': 1.0, 'y': 2.0, 'z': 3.0}
    """
    return {axis: float(value) for axis, value in zip("xyz", values, strict=True)}


def standard_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of the mean over walkers that start each in its own share of equilibrium, in order.

    Neighbours start alike, in one phase and close by, so half the mean square of their differences is the variance that
    chance makes; that of all walkers would count the differences between phases too, which the shares leave no chance
    (Wolter 2007, Introduction to Variance Estimation, section 8.2). What remains of such differences makes it larger.

    Parameters
    ----------
    values : ndarray of shape (walkers, ...)
        A value of each walker, in their order.

    Examples
    --------
    >>> standard_error(np.array([1.0, 2.0, 1.0, 2.0])).round(4).item()
    0.3536
    """
    return np.asarray(np.sqrt(0.5 * (np.diff(values, axis=0) ** 2).mean(axis=0) / len(values)))


def crossings_by_pair(network: Network, by_class: NDArray[np.int64]) -> dict[str, int]:
    """Return the hops by phase pair; those over a grain boundary or point contact of one phase are A|A.

    Parameters
    ----------
    network : Network
        What was hopped through.
    by_class : ndarray of shape (n_classes,), int64
        Hops by class of face.
    """
    faces = network.faces
    out: dict[str, int] = {}
    for index in np.flatnonzero((by_class > 0) & crossing_classes(network)):
        low, high = sorted(faces.phase_names[int(phase)] for phase in faces.phases[index])
        out[f"{low}|{high}"] = out.get(f"{low}|{high}", 0) + int(by_class[index])
    return dict(sorted(out.items()))


def crossing_classes(network: Network) -> NDArray[np.bool_]:
    """Return which classes of face cross from one phase or grain to another, shape (n_classes,)."""
    faces = network.faces
    return np.asarray(faces.interface | (faces.phases[:, 0] != faces.phases[:, 1]))
