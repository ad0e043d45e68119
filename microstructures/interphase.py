"""Grow a reaction layer where two phases meet: interdiffusion, as thick as each pair of grains was given.

The layer grows out of the host phase, from the plane where it touches the donor; a voxel belongs to it if its centre lies
within the local thickness. Every pair of grains has its own thickness, lognormal between the given percentiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from microstructures.errors import InputError
from microstructures.recipe import InterphaseRecipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM

CUTOFF_SPREADS = 2.5


def grow_interphase(structure: VoxelStructure, recipe: InterphaseRecipe | None = None, *, seed: int = 0) -> VoxelStructure:
    """Return the structure with an interphase grown into the host phase.

    Parameters
    ----------
    structure : VoxelStructure
        Must name the donor and the host phase. Without grains every connected piece of a phase is one.
    recipe : InterphaseRecipe, optional
        Phases, percentiles of the thickness [nm] and share of the grain pairs that react.
    seed : int
        The same seed gives the same bits.

    Raises
    ------
    InputError
        If a phase is missing, the label is taken, or the median layer is thinner than a voxel.
    """
    used = recipe or InterphaseRecipe()
    voxel = np.array(structure.voxel_size)
    donor, host = structure.label_of(used.donor), structure.label_of(used.host)
    if structure.phases.get(used.label, used.product) != used.product or used.label in (donor, host):
        raise InputError(f"label {used.label} of the interphase is taken by {structure.phases[used.label]}; choose another")
    if used.median_nm * NM < voxel.max():
        raise InputError(
            f"a layer of {used.median_nm:.3g} nm (median) is thinner than a voxel of {voxel.max() / NM:g} nm; "
            f"use a voxel_nm of at most {used.median_nm:.3g}, better a third of it"
        )
    grains = _grains(structure)
    longest = used.median_nm * NM * np.exp(CUTOFF_SPREADS * used.log_spread)
    pad = [int(np.ceil(longest / size)) + 1 if wrap else 0 for size, wrap in zip(voxel, structure.periodic, strict=True)]
    labels = np.pad(structure.labels, [(p, p) for p in pad], mode="wrap")
    source = _contact_voxels(labels, donor, host)
    labels_out = np.array(structure.labels)
    if source.any():
        distance, nearest = ndimage.distance_transform_edt(~source, sampling=tuple(voxel), return_indices=True)
        inner = tuple(slice(p, p + n) for p, n in zip(pad, structure.shape, strict=True))
        near = (structure.labels == host) & (distance[inner] <= longest + voxel.max())
        at = tuple(
            (index[inner][near] - p) % n if wrap else index[inner][near]
            for index, p, n, wrap in zip(nearest, pad, structure.shape, structure.periodic, strict=True)
        )
        thickness = _thickness_of_pairs(grains[at], grains[near], used, seed)
        from_plane = distance[inner][near] - _plane_offset(nearest, inner, near, voxel)
        reacted = np.zeros(structure.shape, dtype=np.bool_)
        reacted[near] = from_plane <= thickness
        labels_out[reacted] = used.label
    return structure.with_(labels=labels_out, phases={**structure.phases, used.label: used.product})


def _plane_offset(
    nearest: NDArray[np.int32], inner: tuple[slice, ...], near: NDArray[np.bool_], voxel: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far the interface lies beyond the centre of the nearest donor voxel [m].

    Half the spacing of the voxel planes that are parallel to it: half a voxel along the grid, less where it is tilted.
    """
    where = np.argwhere(near)
    link = np.stack(
        [np.abs(index[inner][near] - where[:, axis] - inner[axis].start) * voxel[axis] for axis, index in enumerate(nearest)]
    )
    return np.asarray(0.5 * (link * voxel[:, None]).max(axis=0) / np.linalg.norm(link, axis=0))


def _grains(structure: VoxelStructure) -> NDArray[np.int32]:
    if structure.grains is not None:
        return structure.grains
    from microstructures.segment import connected_grains

    return connected_grains(structure)


def _contact_voxels(labels: NDArray[np.uint8], donor: int, host: int) -> NDArray[np.bool_]:
    """Return the donor voxels that share a face with the host."""
    touches = np.zeros(labels.shape, dtype=np.bool_)
    is_host = labels == host
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        touches[tuple(low)] |= is_host[tuple(high)]
        touches[tuple(high)] |= is_host[tuple(low)]
    return touches & (labels == donor)


def _thickness_of_pairs(
    donors: NDArray[np.int32], hosts: NDArray[np.int32], recipe: InterphaseRecipe, seed: int
) -> NDArray[np.float64]:
    """Return the thickness [m] that each voxel's pair of grains was given; below 0 where the pair did not react."""
    pairs, which = np.unique(np.stack([donors, hosts]), axis=1, return_inverse=True)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 2]))
    n = pairs.shape[1]
    spread = np.clip(rng.standard_normal(n), -CUTOFF_SPREADS, CUTOFF_SPREADS)
    thickness = recipe.median_nm * NM * np.exp(recipe.log_spread * spread)
    thickness[rng.random(n) >= recipe.coverage] = -1.0
    return np.asarray(thickness[which.ravel()])
