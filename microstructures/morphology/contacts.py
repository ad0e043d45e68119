"""How many neighbours grains have, and how large the contacts between them are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.morphology.areas import Interfaces, measure_interfaces, pair_name, sum_by
from microstructures.morphology.grains import NO_PHASE, GrainCounts, count_grains, label_of_grains
from microstructures.structure import VoxelStructure
from microstructures.units import NM, UM


def contact_statistics(structure: VoxelStructure, counts: GrainCounts | None = None) -> dict[str, Any]:
    """Return number, radius and area of the point contacts between particles, and the coordination numbers.

    Parameters
    ----------
    structure : VoxelStructure
        A pressed body; an empty dictionary comes back where a structure has no list of contacts.
    counts : GrainCounts, optional
        Its grains, if they were counted before.

    Returns
    -------
    dict
        `count`, `coordination` (mean over all grains), `radius_nm_mean`, `radius_nm_min`, `radius_nm_max`,
        `area_um2_total`, `gap_nm_largest`; by pair of phases in `pairs`; `coordination_by_phase`, the mean number of
        neighbours of each phase that a grain of a phase has; `coordination_distribution`, the share of grains that have
        0, 1, 2 ... contacts.
    """
    contacts = structure.contacts
    if contacts is None or not len(contacts):
        return {}
    known = counts or count_grains(structure)
    area = np.pi * contacts.radius**2
    out: dict[str, Any] = {
        "count": len(contacts),
        "coordination": contacts.coordination(structure.n_grains),
        "radius_nm_mean": float(contacts.radius.mean() / NM),
        "radius_nm_min": float(contacts.radius.min() / NM),
        "radius_nm_max": float(contacts.radius.max() / NM),
        "area_um2_total": float(area.sum() / UM**2),
        "gap_nm_largest": float(contacts.gap.max() / NM),
    }
    sides, table = _by_pair(structure, known, contacts.grains.astype(np.int64))
    out["pairs"] = {
        name: {
            "count": int(mine.sum()),
            "radius_nm_mean": float(contacts.radius[mine].mean() / NM),
            "radius_nm_min": float(contacts.radius[mine].min() / NM),
            "radius_nm_max": float(contacts.radius[mine].max() / NM),
            "area_um2_total": float(area[mine].sum() / UM**2),
        }
        for name, mine in table.items()
    }
    return {**out, **sides}


def neighbour_statistics(
    structure: VoxelStructure, interfaces: Interfaces | None = None, counts: GrainCounts | None = None
) -> dict[str, Any]:
    """Return how many neighbours the grains of a dense body have, and the areas they share.

    Two grains are neighbours if a voxel of one shares a face with a voxel of the other; the smallest contacts slip between
    voxels, 0.1 of the 15.5 of a Poisson-Voronoi cell of 27 voxels across, 0.6 at 7 voxels.

    Parameters
    ----------
    structure : VoxelStructure
        With grains, and without a list of point contacts: an empty dictionary comes back otherwise.
    interfaces : Interfaces, optional
        Its interfaces, if they were measured before.
    counts : GrainCounts, optional
        Its grains, if they were counted before.

    Returns
    -------
    dict
        `count`, `coordination`, `area_um2_mean`, `radius_nm_mean` (of the disc of equal area), `area_um2_total`; `pairs`,
        `coordination_by_phase` and `coordination_distribution` as in `contact_statistics`.
    """
    if structure.grains is None or structure.contacts is not None:
        return {}
    known = counts or count_grains(structure)
    pairs, area = neighbours(interfaces or measure_interfaces(structure))
    if len(pairs) == 0:
        return {}
    radius = np.sqrt(area / np.pi)
    sides, table = _by_pair(structure, known, pairs)
    return {
        "count": len(pairs),
        "coordination": 2.0 * len(pairs) / len(known.ids),
        "area_um2_mean": float(area.mean() / UM**2),
        "radius_nm_mean": float(radius.mean() / NM),
        "area_um2_total": float(area.sum() / UM**2),
        "pairs": {
            name: {
                "count": int(mine.sum()),
                "area_um2_mean": float(area[mine].mean() / UM**2),
                "radius_nm_mean": float(radius[mine].mean() / NM),
                "area_um2_total": float(area[mine].sum() / UM**2),
            }
            for name, mine in table.items()
        },
        **sides,
    }


def neighbours(interfaces: Interfaces) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs of different grains that share faces, shape (n, 2), and the area between them [m2]."""
    between = (interfaces.grains.min(axis=1) > 0) & (interfaces.grains[:, 0] != interfaces.grains[:, 1])
    pairs, which = np.unique(np.sort(interfaces.grains[between], axis=1), axis=0, return_inverse=True)
    return pairs, sum_by(which, interfaces.area[between], len(pairs))


def _by_pair(
    structure: VoxelStructure, counts: GrainCounts, pairs: NDArray[np.int64]
) -> tuple[dict[str, Any], dict[str, NDArray[np.bool_]]]:
    """Return the coordination numbers of grains, and which contacts belong to which pair of phases."""
    ids, of_grain = label_of_grains(structure, counts)
    at = np.searchsorted(ids, pairs)
    at[at == len(ids)] = 0
    labels = np.where(ids[at] == pairs, of_grain[at], NO_PHASE) if len(ids) else np.full(pairs.shape, NO_PHASE)
    labels.sort(axis=1)
    table = {
        pair_name(structure, int(a), int(b)): (labels[:, 0] == a) & (labels[:, 1] == b)
        for a, b in np.unique(labels, axis=0)
        if a != NO_PHASE
    }
    by_phase: dict[str, dict[str, float]] = {}
    for one in np.unique(of_grain[of_grain != NO_PHASE]):
        name = structure.phase_name(int(one))
        by_phase[name] = {}
        for other in np.unique(of_grain[of_grain != NO_PHASE]):
            mine = table.get(pair_name(structure, int(one), int(other)))
            ends = 0 if mine is None else int(mine.sum()) * (2 if one == other else 1)
            by_phase[name][structure.phase_name(int(other))] = ends / int((of_grain == one).sum())
    each = np.bincount(at[ids[at] == pairs], minlength=len(ids)) if len(ids) else np.zeros(0, dtype=np.int64)
    shares = np.bincount(each) / max(len(ids), 1)
    return {"coordination_by_phase": by_phase, "coordination_distribution": shares.tolist()}, table
