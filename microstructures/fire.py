"""Fire a green body: it shrinks and densifies, its particles become faceted grains, a reaction layer grows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.interphase import grow_interphase
from microstructures.press import GreenBody, cells_along, press_powders
from microstructures.rasterize import matched_laguerre_cells, surface_distance
from microstructures.recipe import Recipe
from microstructures.structure import Particles, VoxelStructure
from microstructures.units import NM


def co_fire(
    *,
    size_um: float = 4.0,
    voxel_nm: float = 25.0,
    recipe: Recipe | None = None,
    seed: int = 1,
    green: GreenBody | None = None,
) -> VoxelStructure:
    """Fire a cathode: the green body of `cold_press` with the same arguments, densified.

    The solid volume is conserved: the cube shrinks by the cube root of the ratio of densities, and every grain keeps the
    volume of its particle within a few percent. Grains are Laguerre cells; the pores that remain are the places farthest
    from the grains' own spheres, at the junctions. Then the interphase grows.

    Parameters
    ----------
    size_um, recipe, seed
        Those of the green body (`size_um` is its edge before it shrinks); ignored where `green` is given.
    voxel_nm : float
        Voxel edge [nm].
    green : GreenBody, optional
        A green body that was pressed already.

    Returns
    -------
    VoxelStructure
        Periodic; grain k is particle k - 1 of the green body.

    Examples
    --------
    >>> co_fire(size_um=3.0, voxel_nm=25.0, seed=1).shape
    (105, 105, 105)
    """
    body = green or press_powders(size_um=size_um, recipe=recipe, seed=seed)
    pressed, fired = body.recipe.press.relative_density, body.recipe.fire.relative_density
    shrunk = body.edge * (pressed / fired) ** (1.0 / 3.0)
    n = cells_along(shrunk, voxel_nm)
    voxel = voxel_nm * NM
    centre = body.particles.centre * (n / body.edge)  # [voxels]
    volume = 4.0 / 3.0 * np.pi * body.particles.radius**3
    grains = matched_laguerre_cells(centre, volume, (n, n, n))
    radius = (3.0 * volume / (4.0 * np.pi)) ** (1.0 / 3.0) / voxel * (n * voxel / shrunk)
    pores = _pores(surface_distance(centre, radius, grains), 1.0 - fired)
    grains[pores] = 0
    label_of_grain = np.concatenate(([0], body.particles.label)).astype(np.uint8)
    structure = VoxelStructure(
        labels=label_of_grain[grains],
        voxel_size=(voxel, voxel, voxel),
        phases={k: v for k, v in body.recipe.phases().items() if k == 0 or v in body.recipe.powders},
        grains=grains,
        periodic=(True, True, True),
        particles=Particles(centre * voxel, radius * voxel, body.particles.label),
        process="co-fired",
        recipe=body.recipe.model_dump(),
        seed=body.seed,
    )
    interphase = body.recipe.fire.interphase
    return structure if interphase is None else grow_interphase(structure, interphase, seed=body.seed)


def _pores(outside: NDArray[np.float32], porosity: float) -> NDArray[np.bool_]:
    """Return the given share of the voxels, those that lie farthest outside."""
    count = round(porosity * outside.size)
    pores = np.zeros(outside.shape, dtype=np.bool_)
    if count:
        order = np.argpartition(outside, outside.size - count, axis=None)
        pores.flat[order[outside.size - count :]] = True
    return pores
