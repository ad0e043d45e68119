"""Clusters of one phase, or of several taken together, whatever they conduct: geometry alone.

A contact of pressed powder or a resisting interface plays no part here; `kmc.connectivity` labels what conducts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kmc.axes import AXES
from kmc.connectivity import Clusters, join_around
from microstructures.errors import InputError, did_you_mean
from microstructures.structure import VoxelStructure

NEIGHBOURS = {6: 1, 18: 2, 26: 3}
"""In how many coordinates neighbours may differ: those that share a face, also an edge, also a corner."""


@dataclass(frozen=True)
class PhaseClusters:
    """Clusters of a set of phases.

    Attributes
    ----------
    phases : tuple of str
        The phases taken together.
    clusters : Clusters
        Their connected sets, and which of them span.
    volume_m3 : float
        Volume of the phases [m^3].
    percolating_fraction : dict of axis to float
        Share of that volume in clusters that join both outer faces (periodic: that wind around the axis).
    isolated_volume_m3 : dict of axis to float
        Volume of the other clusters [m^3].
    """

    phases: tuple[str, ...]
    clusters: Clusters
    volume_m3: float
    percolating_fraction: dict[str, float]
    isolated_volume_m3: dict[str, float]


def find_phase_clusters(
    structure: VoxelStructure, phases: str | Sequence[str], *, periodic: bool = False, neighbours: int = 6
) -> PhaseClusters:
    """Label the clusters of one or several phases.

    Parameters
    ----------
    structure : VoxelStructure
        Phases.
    phases : str or sequence of str
        One phase, or several that count as one.
    periodic : bool
        Whether clusters go on across the outer boundary; with 6 neighbours only.
    neighbours : 6, 18 or 26
        Which voxels touch.

    Raises
    ------
    InputError
        If a phase is not in the structure, or the neighbourhood is not allowed.

    Examples
    --------
    >>> labels = np.zeros((3, 3, 3), int)
    >>> labels[:, 1, 1], labels[0, 0, 0] = 2, 2
    >>> block = VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 2: "LATP"})
    >>> find_phase_clusters(block, "LATP").percolating_fraction
    {'x': 0.75, 'y': 0.0, 'z': 0.0}
    """
    names = (phases,) if isinstance(phases, str) else tuple(phases)
    known = {name: label for label, name in structure.phases.items()}
    for name in names:
        if name not in known:
            raise InputError(f"phase '{name}' is not in the structure{did_you_mean(name, sorted(known))}")
    if neighbours not in NEIGHBOURS or (periodic and neighbours != 6):
        raise InputError(f"neighbours is {neighbours}; allowed: 6, and without periodic boundary also 18 and 26")
    inside = np.isin(structure.labels, [known[name] for name in names])
    ids, count = ndimage.label(inside, structure=ndimage.generate_binary_structure(3, NEIGHBOURS[neighbours]))
    numbered = ids.astype(np.int32)
    everywhere = [np.ones((1, 1), dtype=np.bool_)] * 3
    clusters = join_around(numbered, count, everywhere) if periodic else _span(numbered, count)
    voxel_m3 = float(np.prod(structure.voxel_size))
    total = int(inside.sum())
    through = [int(clusters.sizes[clusters.spans[:, axis]].sum()) for axis in range(3)]
    return PhaseClusters(
        phases=names,
        clusters=clusters,
        volume_m3=total * voxel_m3,
        percolating_fraction={AXES[axis]: through[axis] / total if total else 0.0 for axis in range(3)},
        isolated_volume_m3={AXES[axis]: (total - through[axis]) * voxel_m3 for axis in range(3)},
    )


def _span(ids: NDArray[np.int32], count: int) -> Clusters:
    """Return the clusters with those marked that reach both outer faces of an axis."""
    spans = np.zeros((count + 1, 3), dtype=np.bool_)
    for axis in range(3):
        low, high = (np.unique(np.take(ids, end, axis=axis)) for end in (0, -1))
        spans[np.intersect1d(low, high), axis] = True
    spans[0] = False
    return Clusters(ids=ids, count=count, spans=spans)
