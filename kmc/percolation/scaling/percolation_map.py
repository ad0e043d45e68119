"""Percolation maps: how often, and with what share of a phase, structures percolate as their parameters vary."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from kmc.axes import axes_of
from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.percolation.clusters.fast_network import fast_faces
from kmc.percolation.clusters.phase_clusters import find_phase_clusters
from kmc.percolation.clusters.statistics import cluster_statistics
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure

if TYPE_CHECKING:
    import pandas as pd

NORMAL_95 = 1.959964


def percolation_map(
    build: Callable[..., VoxelStructure | Network],
    grid: Mapping[str, Sequence[Any]],
    *,
    phase: str,
    replicas: int = 10,
    seed: int = 1,
    axis: str = "x",
    periodic: bool = False,
    carrier: str | None = None,
) -> pd.DataFrame:
    """Measure over a grid of parameters how often a structure spans and which share of a phase percolates.

    Parameters
    ----------
    build : callable
        Called as `build(seed=..., **parameters)`; returns a VoxelStructure, or a Network.
    grid : mapping of str to sequence
        Values of every parameter; all combinations are built.
    phase : str
        Phase whose percolating fraction is measured.
    replicas : int
        Structures a point, with the seeds `seed`, `seed + 1`, ...
    seed : int
        First seed.
    axis : "x", "y" or "z"
        Direction; one only, so that replicas are independent.
    periodic : bool
        Whether clusters must wind around the box instead of joining both faces.
    carrier : "ion" or "electron", optional
        Count the clusters of the carrier's fast network (contacts, films; `kmc.percolation.clusters.fast_network`) instead of those
        of the phase's voxels. A Network brings its own.

    Returns
    -------
    DataFrame
        One row a point: the parameters, `replicas`, `volume_fraction`, `spanning_share` with its binomial standard error
        and Wilson's 95 % interval (`spanning_low`, `spanning_high`), `percolating_fraction` and its standard error (NaN for
        a single replica).

    Raises
    ------
    InputError
        If the grid is empty, or `replicas` or `axis` not allowed.

    Examples
    --------
    >>> def build(share, seed):
    ...     labels = np.random.default_rng(seed).random((12, 12, 12)) < share
    ...     return VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 1: "A"})
    >>> percolation_map(build, {"share": [0.1, 0.6]}, phase="A", replicas=4)["spanning_share"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    if not grid or any(len(values) == 0 for values in grid.values()):
        raise InputError("the grid has no values; allowed: at least one parameter with at least one value")
    if replicas < 1:
        raise InputError(f"replicas is {replicas}; allowed: 1 and above")
    if axis == "all":
        raise InputError("axis is 'all'; allowed: x, y, z: the axes of one structure are not independent")
    number = axes_of(axis)[0]
    rows = []
    for values in product(*grid.values()):
        point = dict(zip(grid, values, strict=True))
        found = [_measure(build(seed=seed + n, **point), phase, number, periodic, carrier) for n in range(replicas)]
        spans, fraction, volume = (np.array(column) for column in zip(*found, strict=True))
        share = float(spans.mean())
        low, high = wilson_interval(int(spans.sum()), replicas)
        rows.append(
            {
                **point,
                "replicas": replicas,
                "volume_fraction": float(volume.mean()),
                "spanning_share": share,
                "spanning_share_stderr": math.sqrt(share * (1.0 - share) / replicas),
                "spanning_low": low,
                "spanning_high": high,
                "percolating_fraction": float(fraction.mean()),
                "percolating_fraction_stderr": float(fraction.std(ddof=1) / math.sqrt(replicas)) if replicas > 1 else math.nan,
            }
        )
    return pd.DataFrame(rows)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (J. Am. Stat. Assoc. 22, 209, 1927); it stays sensible at 0 and at 1.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(0, 10)]
    [0.0, 0.278]
    """
    z2 = NORMAL_95**2
    share = successes / trials
    middle = (share + z2 / (2 * trials)) / (1.0 + z2 / trials)
    half = NORMAL_95 / (1.0 + z2 / trials) * math.sqrt(share * (1.0 - share) / trials + z2 / (4.0 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _measure(
    made: VoxelStructure | Network, phase: str, axis: int, periodic: bool, carrier: str | None
) -> tuple[bool, float, float]:
    """Return whether a structure spans, the percolating fraction of the phase, and its volume fraction."""
    if isinstance(made, VoxelStructure) and carrier is None:
        found = find_phase_clusters(made, phase, periodic=periodic)
        volume = found.volume_m3 / float(made.labels.size * np.prod(made.voxel_size))
        return found.clusters.percolates(axis), found.percolating_fraction["xyz"[axis]], volume
    network = made if isinstance(made, Network) else build_network(made, carrier=carrier or "ion")
    clusters = label_clusters(network, periodic=periodic, conducts=fast_faces(network))
    statistics = cluster_statistics(network, clusters)
    row = statistics.phase_names.index(phase)
    volume = float(statistics.voxels[row] / statistics.voxels.sum())
    return clusters.percolates(axis), float(statistics.percolating[row, axis]), volume
