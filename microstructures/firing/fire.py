"""Fire a green body: it shrinks and densifies, its particles become faceted grains that grow, a reaction layer forms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.features import Particles
from microstructures.firing.grain_growth import merge_grains
from microstructures.firing.interphase import grow_interphase
from microstructures.firing.pores import open_pores
from microstructures.pressing.carbon import coatings_of
from microstructures.pressing.neighbours import neighbour_gaps
from microstructures.pressing.press import GreenBody, cells_along, check_resolution, press_powders
from microstructures.recipe import Recipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM
from microstructures.voxels.rasterize import laguerre_cells, matched_weights


def co_fire(
    *,
    size_um: float = 4.0,
    voxel_nm: float = 25.0,
    recipe: Recipe | None = None,
    seed: int = 1,
    green: GreenBody | None = None,
) -> VoxelStructure:
    """Fire a cathode: the green body of `cold_press` with the same arguments, densified.

    The solid volume is conserved: the cube shrinks by the cube root of the ratio of densities, and every particle keeps its
    volume within a few percent as a Laguerre cell. Small grains are swallowed by touching ones of their phase until the mean
    diameter has grown as the recipe says. The pores that remain are the places farthest from the particles' own spheres,
    at the junctions of grains. Then the interphase grows.

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
        Periodic; particle k of the green body is part of grain ``particles.grain[k]``.

    Examples
    --------
    >>> co_fire(size_um=3.0, voxel_nm=25.0, seed=1).shape
    (105, 105, 105)
    """
    if green is None:
        check_resolution(recipe or Recipe(), voxel_nm)
    body = green or press_powders(size_um=size_um, recipe=recipe, seed=seed)
    used = body.recipe
    shrunk = body.edge * (used.press.relative_density / used.fire.relative_density) ** (1.0 / 3.0)
    n = cells_along(shrunk, voxel_nm)
    voxel = shrunk / n  # of the shrunken body; the cube is then made of whole voxels of voxel_nm
    centre = body.particles.centre * (n / body.edge)
    radius = body.particles.radius / voxel
    grain = _grown(body)
    weight = matched_weights(centre, radius**3, float(n))
    grains = laguerre_cells(centre, weight, (n, n, n))
    open_pores(grains, centre, radius, grain, 1.0 - used.fire.relative_density, used.fire.pore_rounding_nm / voxel_nm)
    label_of_particle = np.concatenate(([0], body.particles.label)).astype(np.uint8)
    grain_of_particle = np.concatenate(([0], grain)).astype(np.int32)
    edge = voxel_nm * NM
    structure = VoxelStructure(
        labels=label_of_particle[grains],
        voxel_size=(edge, edge, edge),
        phases={k: v for k, v in used.phases().items() if k == 0 or v in used.powders},
        grains=grain_of_particle[grains],
        periodic=(True, True, True),
        particles=Particles(centre * edge, radius * edge, body.particles.label, grain),
        coatings=coatings_of(used),
        process="co-fired",
        recipe=used.model_dump(),
        seed=body.seed,
    )
    interphase = used.fire.interphase
    if interphase is None:
        return structure
    growth = interphase.growth(used.fire.temperature_C, used.fire.hours)
    return grow_interphase(structure, interphase, seed=body.seed, growth=growth)


def _grown(body: GreenBody) -> NDArray[np.int32]:
    """Return the grain that every particle becomes part of.

    Particles touch where their surfaces are within a fifth of the smaller radius, as they all will be once the body has
    shrunk; the contact counts with that radius squared.
    """
    particles, fire = body.particles, body.recipe.fire
    factor = {body.recipe.powders[name].label: growth for name, growth in fire.grain_growth.items()}
    radius = particles.radius / body.edge
    pairs, gap, _ = neighbour_gaps(particles.centre / body.edge % 1.0, radius, 0.2 * float(radius.max()))
    smaller = radius[pairs].min(axis=1)
    touch = gap < 0.2 * smaller
    return merge_grains(particles.label, particles.radius**3, pairs[touch], smaller[touch] ** 2, factor)
