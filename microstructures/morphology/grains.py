"""How large the grains of each phase are, and which phase a grain is of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.jit import kernel
from microstructures.morphology.fractions import present_labels
from microstructures.structure import VoxelStructure
from microstructures.units import UM

NO_PHASE = -1


@dataclass(frozen=True)
class GrainCounts:
    """How many voxels of which phase every grain has.

    Attributes
    ----------
    ids : ndarray of shape (n,), int64
        Grain ids that have voxels, rising, 0 left out.
    labels : ndarray of shape (m,), int64
        Labels that have voxels, rising.
    voxels : ndarray of shape (n, m), int64
        Voxels by grain and label.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    voxels: NDArray[np.int64]


def count_grains(structure: VoxelStructure) -> GrainCounts:
    """Count the voxels of every grain by phase; no grains where the structure has none.

    Raises
    ------
    InputError
        If a grain id is negative.
    """
    present = np.array(present_labels(structure), dtype=np.int64)
    lowest = 0 if structure.grains is None else int(structure.grains.min())
    if lowest < 0:
        raise InputError(f"grain ids go down to {lowest}; allowed: 1 and above, 0 where there is no grain; renumber them")
    if structure.grains is None or structure.n_grains == 0:
        return GrainCounts(np.empty(0, dtype=np.int64), present, np.empty((0, len(present)), dtype=np.int64))
    if structure.n_grains > structure.grains.size:  # ids far apart: number them first
        ids, compact = np.unique(structure.grains, return_inverse=True)
        grains = compact.reshape(structure.shape).astype(np.int32)
    else:
        ids, grains = np.arange(structure.n_grains + 1, dtype=np.int32), structure.grains
    index = np.zeros(256, dtype=np.int64)
    index[present] = np.arange(len(present))
    voxels = _count(np.ascontiguousarray(structure.labels), grains, index, len(ids), len(present))
    kept = (voxels.sum(axis=1) > 0) & (ids > 0)
    return GrainCounts(ids[kept].astype(np.int64), present, voxels[kept])


def label_of_grains(
    structure: VoxelStructure, counts: GrainCounts | None = None, *, product: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which phase every grain is of.

    That of the particles it was made from, where they are known; else the phase that most of it is, a reaction product
    left out: a layer belongs to the grain that it grew out of.

    Parameters
    ----------
    structure : VoxelStructure
        Whose grains.
    counts : GrainCounts, optional
        Its grains, if they were counted before.
    product : int, optional
        Label of a reaction product.

    Returns
    -------
    ids : ndarray of shape (n,), int64
        Grain ids, rising.
    labels : ndarray of shape (n,), int64
        Label of each; -1 where a grain is all product and no particle tells.
    """
    known = counts or count_grains(structure)
    votes = known.voxels.copy()
    if product is not None:
        votes[:, known.labels == product] = 0
    if len(known.ids) == 0:
        return known.ids, np.empty(0, dtype=np.int64)
    labels = np.where(votes.sum(axis=1) > 0, known.labels[votes.argmax(axis=1)], NO_PHASE)
    particles = structure.particles
    if particles is not None and len(particles):
        at = np.searchsorted(known.ids, particles.grain)
        at[at == len(known.ids)] = 0
        has_voxels = known.ids[at] == particles.grain
        labels[at[has_voxels]] = particles.label[has_voxels]
    return known.ids, labels


def grain_sizes_um(structure: VoxelStructure, counts: GrainCounts | None = None) -> dict[str, dict[str, float]]:
    """Return the distribution of the equivalent-sphere diameter [um] of the grains of every phase.

    A grain that holds an interphase counts with it, as the phase that most of it is.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure; an empty dictionary comes back where grains are not known.
    counts : GrainCounts, optional
        Its grains, if they were counted before.

    Returns
    -------
    dict
        By phase: `count`; `mean`, `standard_deviation`, `p10`, `p50`, `p90` by number; `volume_weighted_mean`.

    Examples
    --------
    >>> import numpy as np
    >>> cube = np.ones((10, 10, 10), int)
    >>> sizes = grain_sizes_um(VoxelStructure.from_labels(cube, voxel_nm=100, phases={1: "LFP"}, grains=cube))
    >>> round(sizes["LFP"]["mean"], 4)  # (6 / pi)^(1/3)
    1.2407
    """
    known = counts or count_grains(structure)
    if len(known.ids) == 0:
        return {}
    size = known.voxels.sum(axis=1)
    main = known.labels[known.voxels.argmax(axis=1)]
    diameter = (6.0 * size * float(np.prod(structure.voxel_size)) / np.pi) ** (1.0 / 3.0) / UM
    out = {}
    for label in known.labels:
        mine = diameter[main == label]
        if len(mine) == 0:
            continue
        p10, p50, p90 = np.percentile(mine, (10, 50, 90))
        out[structure.phase_name(int(label))] = {
            "count": len(mine),
            "mean": float(mine.mean()),
            "standard_deviation": float(mine.std()),
            "p10": float(p10),
            "p50": float(p50),
            "p90": float(p90),
            "volume_weighted_mean": float(np.average(mine, weights=size[main == label])),
        }
    return out


@kernel
def _count(labels, grains, index, n_grains, n_labels):  # type: ignore[no-untyped-def]
    nx, ny, nz = labels.shape
    voxels = np.zeros((n_grains, n_labels), dtype=np.int64)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                voxels[grains[i, j, k], index[labels[i, j, k]]] += 1
    return voxels
