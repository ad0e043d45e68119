"""The critical barrier: the lowest barrier at which a path still joins both electrodes.

Critical-path analysis (Ambegaokar, Halperin, Langer, Phys. Rev. B 4, 2612, 1971): where barriers differ by much more
than kT, the conductivity is governed by the largest barrier that a carrier cannot go around.
"""

from __future__ import annotations

import numpy as np

from kmc.connectivity import Clusters, label_clusters
from kmc.network import Network


def critical_barriers_eV(
    network: Network, axes: tuple[int, ...] = (0, 1, 2), *, periodic: bool = False, clusters: Clusters | None = None
) -> dict[int, float | None]:
    """Find the lowest barrier at which a spanning path exists.

    A face conducts at a level E if its barrier (`Network.barrier_eV`) is at most E; the plates' own faces count too.
    The level is searched among the barriers that occur, so the result is one of them.

    Parameters
    ----------
    network : Network
        What conducts.
    axes : tuple of int
        Directions of transport.
    periodic : bool
        Whether a path must wind around the box instead of joining both plates.
    clusters : Clusters, optional
        From `label_clusters` with the same boundary, if known.

    Returns
    -------
    dict of axis to float or None
        Critical barrier [eV]; None where nothing percolates.

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((3, 3, 3), 2), voxel_nm=25, phases={2: "LATP"})
    >>> round(critical_barriers_eV(build_network(block), (0,))[0], 3)
    0.256
    """
    barrier = network.barrier_eV
    levels = np.unique(barrier[np.isfinite(barrier)])
    whole = clusters if clusters is not None else label_clusters(network, periodic=periodic)
    spans_at: dict[int, tuple[bool, bool, bool]] = {}

    def spans(level: int, axis: int) -> bool:
        if level not in spans_at:
            found = label_clusters(network, periodic=periodic, conducts=barrier <= levels[level])
            spans_at[level] = (found.percolates(0), found.percolates(1), found.percolates(2))
        return spans_at[level][axis]

    critical: dict[int, float | None] = {}
    for axis in axes:
        if not whole.percolates(axis):
            critical[axis] = None
            continue
        low, high = 0, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            if spans(middle, axis):
                high = middle
            else:
                low = middle + 1
        critical[axis] = float(levels[low])
    return critical
