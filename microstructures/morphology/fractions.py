"""How much of each phase there is, and how dense the solid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.jit import kernel
from microstructures.structure import VoxelStructure

PORE = "pore"


def count_labels(structure: VoxelStructure) -> NDArray[np.int64]:
    """Return the number of voxels of each label, ndarray of shape (256,)."""
    return np.asarray(_count(np.ascontiguousarray(structure.labels).reshape(-1)))


def present_labels(structure: VoxelStructure) -> list[int]:
    """Return the labels that have voxels, in rising order."""
    return [int(label) for label in np.flatnonzero(count_labels(structure))]


def pore_labels(structure: VoxelStructure) -> list[int]:
    """Return the labels of pores: the phase named pore, or label 0 where phases have no names."""
    return [label for label, name in structure.phases.items() if name == PORE] if structure.phases else [0]


def volume_fractions(structure: VoxelStructure) -> dict[str, float]:
    """Return the volume fraction of every phase, named phases without voxels included as 0.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.zeros((2, 2, 2), int)
    >>> labels[0] = 1
    >>> volume_fractions(VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 1: "LFP"}))
    {'pore': 0.5, 'LFP': 0.5}
    """
    counts = count_labels(structure)
    present = set(np.flatnonzero(counts).tolist()) | set(structure.phases)
    return {structure.phase_name(label): float(counts[label]) / structure.labels.size for label in sorted(present)}


def relative_density(structure: VoxelStructure) -> float:
    """Return the share of the volume that is not pore (the phase named pore, or label 0 where phases have no names).

    Examples
    --------
    >>> import numpy as np
    >>> relative_density(VoxelStructure.from_labels(np.ones((2, 2, 2), int), voxel_nm=25))
    1.0
    """
    counts = count_labels(structure)
    return 1.0 - float(counts[pore_labels(structure)].sum()) / structure.labels.size


@kernel
def _count(labels):  # type: ignore[no-untyped-def]
    counts = np.zeros(256, dtype=np.int64)
    for label in labels:
        counts[label] += 1
    return counts
