"""Grow a reaction layer where two phases meet: interdiffusion, as thick as each pair of grains was given.

The layer spreads from the plane where the grains met, a share of it into the donor, the rest into the host; a voxel belongs
to it if its centre lies within the local thickness. It is part of the host's grain, whose lattice it continues. Layers that
are thin against a voxel are not made of voxels: their pairs and thicknesses are listed, and the network folds them into the
faces they lie on.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray
from scipy.special import erf

from microstructures.errors import InputError
from microstructures.features import ThinShells
from microstructures.firing.reaction import draw_reactions, longest_layer
from microstructures.jit import inline_kernel, kernel, parallel_kernel
from microstructures.recipe import InterphaseRecipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM
from microstructures.voxels.nearest_source import nearest_source

RESOLVED_ABOVE_VOXELS = 2.0
"""Median thickness [voxels] from which `auto` makes layers of voxels."""
HOST_TITANIUM = 1.7
"""x of Li(3-x)Fe(2-x-y)Ti(x)Al(y)(PO4)3 in the host, Li1.3Al0.3Ti1.7(PO4)3; in the donor it is 0."""
EDGE_OF_PROFILE = 1.8124
"""2 erfinv(0.8): the layer spans the profile between 10 and 90 %."""


def grow_interphase(
    structure: VoxelStructure, recipe: InterphaseRecipe | None = None, *, seed: int = 0, growth: float = 1.0
) -> VoxelStructure:
    """Return the structure with an interphase grown between donor and host.

    Parameters
    ----------
    structure : VoxelStructure
        Must name the donor and the host phase. Without grains every connected piece of a phase is one.
    recipe : InterphaseRecipe, optional
        Phases, percentiles of the thickness [nm], share of it in the donor, share of the contact area that reacts.
    seed : int
        The same seed gives the same bits.
    growth : float
        Factor on all thicknesses, `recipe.growth(temperature_C, hours)` for another firing.

    Raises
    ------
    InputError
        If a phase is missing, the label is taken, or a layer of voxels is asked for that is thinner than a voxel.
    """
    used = recipe or InterphaseRecipe()
    voxel = max(structure.voxel_size)
    donor, host = structure.label_of(used.donor), structure.label_of(used.host)
    if structure.phases.get(used.label, used.product) != used.product or used.label in (donor, host):
        raise InputError(f"label {used.label} of the interphase is taken by {structure.phases[used.label]}; choose another")
    median = growth * used.median_nm * NM
    thin = used.representation == "thin" or (used.representation == "auto" and median < RESOLVED_ABOVE_VOXELS * voxel)
    if not thin and median < voxel:
        raise InputError(
            f"a layer of {median / NM:.3g} nm (median) is thinner than a voxel of {voxel / NM:g} nm; "
            f"use a voxel_nm of at most {median / NM:.3g}, better a third of it, or representation = 'thin'"
        )
    grains = _grains(structure)
    reactions = draw_reactions(structure.labels, grains, structure.periodic, donor, host, used, growth, seed)
    named = structure.with_(grains=grains, phases={**structure.phases, used.label: used.product})
    if thin:
        grew = reactions.thickness > 0.0
        return named.with_(
            shells=ThinShells(
                used.product, used.donor, used.host, used.donor_share, reactions.grains[grew], reactions.thickness[grew]
            )
        )
    labels, owner = np.array(structure.labels), np.array(grains)
    composition = np.full(structure.shape, np.nan, dtype=np.float32) if used.composition else None
    reach = longest_layer(used, growth) + voxel
    for from_label, into_label, share in ((donor, host, 1.0 - used.donor_share), (host, donor, used.donor_share)):
        if share == 0.0 or not len(reactions.grains):
            continue
        source = _touching(structure.labels, np.asarray(structure.periodic), from_label, into_label)
        index, distance = nearest_source(source, structure.voxel_size, structure.periodic, share * reach + voxel)
        keys = (reactions.grains[:, 0].astype(np.int64) << 32) + reactions.grains[:, 1]
        depth = np.full(structure.shape if used.composition else (0, 0, 0), -1.0, dtype=np.float32)
        _react(
            structure.labels, grains, into_label, host, used.label, index, distance, np.asarray(structure.voxel_size), keys,
            share * reactions.thickness, labels, owner, depth,
        )  # fmt: skip
        if composition is not None:
            _fill_composition(composition, depth, share if into_label == host else -share, used.donor_share)
    return named.with_(labels=labels, grains=owner, composition=composition)


def _grains(structure: VoxelStructure) -> NDArray[np.int32]:
    if structure.grains is not None:
        return structure.grains
    from microstructures.segment import connected_grains

    return connected_grains(structure)


def _fill_composition(composition: NDArray[np.float32], depth: NDArray[np.float32], share: float, donor_share: float) -> None:
    """Write x = 1.7 (1 + erf(1.8124 s)) / 2, s the distance from the layer's middle over its thickness, positive in the host."""
    inside = depth >= 0.0
    from_middle = share * depth[inside] - (0.5 - donor_share)
    composition[inside] = HOST_TITANIUM * 0.5 * (1.0 + erf(EDGE_OF_PROFILE * from_middle))


@parallel_kernel
def _touching(labels, wraps, inside, outside):  # type: ignore[no-untyped-def]
    """Return the voxels of one label that share a face with the other."""
    nx, ny, nz = labels.shape
    out = np.zeros((nx, ny, nz), dtype=np.bool_)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                if labels[i, j, k] == inside:
                    out[i, j, k] = _meets(labels, wraps, outside, int(i), j, k)
    return out


@kernel
def _meets(labels, wraps, outside, i, j, k):  # type: ignore[no-untyped-def]
    nx, ny, nz = labels.shape
    for axis in range(3):
        for step in (-1, 1):
            i1 = i + (step if axis == 0 else 0)
            j1 = j + (step if axis == 1 else 0)
            k1 = k + (step if axis == 2 else 0)
            if i1 < 0 or j1 < 0 or k1 < 0 or i1 == nx or j1 == ny or k1 == nz:
                if not wraps[axis]:
                    continue
                i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
            if labels[i1, j1, k1] == outside:
                return True
    return False


@inline_kernel
def _beyond_plane(distance, di, dj, dk, voxel):  # type: ignore[no-untyped-def]
    """Return how far a voxel lies from the interface, given its distance from the nearest voxel on the other side.

    The interface lies beyond that voxel's centre by half the spacing of the voxel planes that are parallel to it: half a
    voxel along the grid, less where it is tilted.
    """
    x, y, z = abs(di) * voxel[0], abs(dj) * voxel[1], abs(dk) * voxel[2]
    return distance - 0.5 * max(x * voxel[0], y * voxel[1], z * voxel[2]) / distance


@parallel_kernel
def _react(labels, grains, into, host, product, index, distance, voxel, keys, thickness, labels_out, owner, depth):  # type: ignore[no-untyped-def]
    """Turn the voxels within their pair's thickness into the product; write their depth over that thickness if asked for."""
    nx, ny, nz = labels.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                nearest = np.int64(index[i, j, k])
                if labels[i, j, k] != into or nearest < 0:
                    continue
                i1, j1, k1 = nearest // (ny * nz), nearest // nz % ny, nearest % nz
                here, there = np.int64(grains[i, j, k]), np.int64(grains[i1, j1, k1])
                key = (there << 32) + here if into == host else (here << 32) + there
                pair = np.searchsorted(keys, key)
                if pair == len(keys) or keys[pair] != key or thickness[pair] == 0.0:
                    continue
                di, dj, dk = abs(np.int64(i) - i1), abs(j - j1), abs(k - k1)
                far = _beyond_plane(distance[i, j, k], min(di, nx - di), min(dj, ny - dj), min(dk, nz - dk), voxel)
                if far <= thickness[pair]:
                    labels_out[i, j, k] = product
                    if depth.size:
                        depth[i, j, k] = far / thickness[pair]
                    if into != host:
                        owner[i, j, k] = grains[i1, j1, k1]
