"""What share of the good conductors works: backbone, dead ends and what is cut off, of the fast network's phases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kmc.axes import AXES
from kmc.connectivity import label_clusters
from kmc.network import Network
from kmc.percolation.clusters.backbone import find_backbone
from kmc.percolation.clusters.fast_network import LEAST_SHARE, faces_of, fast_phases
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class FastShares(InNotebook):
    """How the volume of the fast phases divides along one axis; the shares add up to 1.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    phases : tuple of str
        The fast phases (`kmc.percolation.clusters.fast_network`).
    backbone : float
        Share of their voxels that current can run through (`kmc.percolation.clusters.backbone`).
    dead_ends : float
        Share in percolating clusters of the fast network, but off the backbone.
    isolated : float
        Share in its other clusters.
    """

    axis: str
    phases: tuple[str, ...]
    backbone: float
    dead_ends: float
    isolated: float

    def to_dict(self) -> dict[str, float | list[str]]:
        """Return plain values."""
        return {
            "phases": list(self.phases),
            "backbone": self.backbone,
            "dead_ends": self.dead_ends,
            "isolated": self.isolated,
        }


def fast_shares(
    network: Network, axes: tuple[int, ...] = (0, 1, 2), *, periodic: bool = False, least_share: float = LEAST_SHARE
) -> dict[int, FastShares]:
    """Divide the volume of the fast phases into backbone, dead ends and what is cut off.

    Parameters
    ----------
    network : Network
        What conducts.
    axes : tuple of int
        Directions of transport.
    periodic : bool
        Whether a cluster percolates by winding around the box.
    least_share : float
        What counts as fast; see `fast_phases`.

    Returns
    -------
    dict of axis to FastShares
        Empty where nothing conducts.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> labels = np.zeros((4, 3, 1), int)
    >>> labels[:, 1, 0], labels[2, 2, 0], labels[0, 0, 0] = 2, 2, 0
    >>> block = VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 2: "LATP"})
    >>> fast_shares(build_network(block), axes=(0,))[0].dead_ends
    0.2
    """
    chosen = fast_phases(network, least_share=least_share)
    faces = network.faces
    inside = chosen[faces.phase_of_label][network.structure.labels]
    total = int(inside.sum())
    if total == 0:
        return {}
    conducts = faces_of(network, chosen)
    clusters = label_clusters(network, periodic=periodic, conducts=conducts)
    names = tuple(name for name, fast in zip(faces.phase_names, chosen, strict=True) if fast)
    found = {}
    for axis in axes:
        spans = clusters.spans[:, axis]
        through = int(np.count_nonzero(spans[clusters.ids] & inside)) if spans.any() else 0
        on = 0
        if through:
            on = int(np.count_nonzero(find_backbone(network, axis, periodic=periodic, conducts=conducts) & inside))
        found[axis] = FastShares(AXES[axis], names, on / total, (through - on) / total, (total - through) / total)
    return found
