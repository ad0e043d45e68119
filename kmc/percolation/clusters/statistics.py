"""How much of each phase percolates: the shares of its voxels in clusters that join both electrodes, or do not.

Neighbourhood: the 6 faces of a voxel. A cluster is what the network joins, whatever the phases in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.network import Network
from kmc.pieces import carrying_phases

NEIGHBOURHOOD = "6 faces"


@dataclass(frozen=True)
class ClusterStatistics:
    """Shares of every phase, along every axis.

    Attributes
    ----------
    phase_names : tuple of str
        The phases, in the order of the rows.
    voxels : ndarray of shape (n_phases,), int64
        Voxels of each phase.
    percolating : ndarray of shape (n_phases, 3)
        Percolating fraction along x, y, z: share of the phase's voxels in clusters that join both electrodes (periodic
        boundary: that wind around the axis).
    isolated : ndarray of shape (n_phases, 3)
        Share of the phase's voxels that conduct but lie in other clusters.
    count : int
        Number of clusters.
    spanning : ndarray of shape (3,), int64
        Number of clusters that join both electrodes along x, y, z.
    """

    phase_names: tuple[str, ...]
    voxels: NDArray[np.int64]
    percolating: NDArray[np.float64]
    isolated: NDArray[np.float64]
    count: int
    spanning: NDArray[np.int64]

    def percolating_fraction(self, axis: int) -> dict[str, float]:
        """Return the percolating fraction of every phase along an axis."""
        return {name: float(self.percolating[row, axis]) for row, name in enumerate(self.phase_names)}

    def isolated_fraction(self, axis: int) -> dict[str, float]:
        """Return the isolated fraction of every phase along an axis."""
        return {name: float(self.isolated[row, axis]) for row, name in enumerate(self.phase_names)}


def cluster_statistics(network: Network, clusters: Clusters) -> ClusterStatistics:
    """Count the voxels of every phase that percolate.

    Parameters
    ----------
    network : Network
        What conducts.
    clusters : Clusters
        From `kmc.connectivity.label_clusters` of the same network; its boundary is that of the result.

    Returns
    -------
    ClusterStatistics
        A phase without carriers counts as 0, although voxels of it may lie under the film of a neighbour.

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.connectivity import label_clusters
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> labels = np.zeros((3, 3, 3), int)
    >>> labels[:, 1, 1], labels[0, 0, 0] = 2, 2
    >>> network = build_network(VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 2: "LATP"}))
    >>> cluster_statistics(network, label_clusters(network)).percolating_fraction(axis=0)
    {'pore': 0.0, 'LATP': 0.75}
    """
    faces = network.faces
    n = len(faces.phase_names)
    cell = clusters.ids.ravel() * np.int64(n)
    cell += faces.phase_of_label[network.structure.labels.ravel()]
    table = np.bincount(cell, minlength=(clusters.count + 1) * n).reshape(clusters.count + 1, n)
    voxels = table.sum(axis=0)
    carries = carrying_phases(network)[:, None]
    percolating = np.stack([table[clusters.spans[:, axis]].sum(axis=0) for axis in range(3)], axis=1)
    conducting = table[1:].sum(axis=0)[:, None]
    return ClusterStatistics(
        phase_names=faces.phase_names,
        voxels=voxels.astype(np.int64),
        percolating=np.where(carries, percolating, 0) / voxels[:, None],
        isolated=np.where(carries, conducting - percolating, 0) / voxels[:, None],
        count=clusters.count,
        spanning=clusters.spans.sum(axis=0).astype(np.int64),
    )
