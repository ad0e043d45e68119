"""Press powders into a green body: packed particles, point contacts, voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.features import Particles
from microstructures.pressing.agglomerates import scatter
from microstructures.pressing.carbon import coatings_of
from microstructures.pressing.contacts import close_contacts
from microstructures.pressing.necks import fill_necks
from microstructures.pressing.packing import pack_spheres
from microstructures.recipe import Powder, Recipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM, UM
from microstructures.voxels.rasterize import spheres_to_grains

FEWEST_VOXELS_PER_RADIUS = 2.0
MOST_VOXELS = 2_000_000_000
MOST_PARTICLES = 5_000_000


@dataclass(frozen=True)
class GreenBody:
    """Pressed particles in a periodic cube, before they are cut into voxels.

    Attributes
    ----------
    particles : Particles
        Centres, radii [m] and labels.
    edge : float
        Edge of the cube [m].
    recipe : Recipe
        What it was made from.
    seed : int
        The seed it was made from.
    """

    particles: Particles
    edge: float
    recipe: Recipe
    seed: int


def press_powders(*, size_um: float, recipe: Recipe | None = None, seed: int) -> GreenBody:
    """Pack both powders at the recipe's mass ratio and density into a periodic cube.

    Parameters
    ----------
    size_um : float
        Edge of the cube [um].
    recipe : Recipe, optional
        Powders and density.
    seed : int
        The same seed gives the same bits.

    Raises
    ------
    InputError
        If the cube is too small for the particles, or they cannot be packed so densely; the message says what can.
    """
    used = recipe or Recipe()
    if not 0.0 < size_um < 1e4:
        raise InputError(f"size_um is {size_um} um; allowed: above 0 and below 10000 um")
    if not 0 <= seed < 2**64:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    edge = size_um * UM
    _check_numbers(used, edge)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    solid = used.press.relative_density * edge**3
    shares = used.solid_fractions()
    radii = {name: _draw_radii(powder, shares[name] * solid, rng) for name, powder in used.powders.items()}
    start = scatter(used.powders, {name: drawn / edge for name, drawn in radii.items()}, used.press.relative_density, edge, rng)
    radius = np.concatenate(list(radii.values()))
    label = np.concatenate([np.full(len(radii[name]), powder.label, np.uint8) for name, powder in used.powders.items()])
    packing = pack_spheres(radius / edge, start)
    grain = np.arange(1, len(radius) + 1, dtype=np.int32)
    return GreenBody(Particles(packing.centre * edge, radius, label, grain), edge, used, seed)


def _check_numbers(recipe: Recipe, edge: float) -> None:
    """Refuse a green body that no machine holds, before anything is drawn."""
    shares = recipe.solid_fractions()
    solid = recipe.press.relative_density * edge**3
    particles = sum(shares[name] * solid / (powder.mean_volume_nm3 * NM**3) for name, powder in recipe.powders.items())
    if particles > MOST_PARTICLES:
        raise InputError(
            f"{edge / UM:g} um hold some {particles:.2g} particles; allowed: {MOST_PARTICLES}; "
            "use a smaller size_um or coarser powder"
        )


def _draw_radii(powder: Powder, volume: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw lognormal radii [m] and scale them so that they fill `volume` [m^3] exactly."""
    count = round(volume / (powder.mean_volume_nm3 * NM**3))
    if count < 1:
        raise InputError(
            f"the box holds less than one particle of {powder.median_diameter_nm:g} nm; use a larger size_um or finer powder"
        )
    spread = powder.log_spread * np.clip(rng.standard_normal(count), -2.5, 2.5)
    radius = 0.5 * powder.median_diameter_nm * NM * np.exp(spread)
    scale: float = (volume / (4.0 / 3.0 * np.pi * (radius**3).sum())) ** (1.0 / 3.0)
    return radius * scale


def check_resolution(recipe: Recipe, voxel_nm: float) -> None:
    """Refuse voxels that are too coarse for half of a powder's particles, before anything is pressed."""
    _check_radius(min(0.5 * powder.median_diameter_nm for powder in recipe.powders.values()), voxel_nm)


def _check_radius(radius_nm: float, voxel_nm: float) -> None:
    voxels = radius_nm / voxel_nm if voxel_nm > 0.0 else np.inf  # cells_along refuses voxels of no size
    if voxels < FEWEST_VOXELS_PER_RADIUS:
        raise InputError(
            f"the smallest particle has a radius of {voxels:.2g} voxels; allowed: at least "
            f"{FEWEST_VOXELS_PER_RADIUS:g}; use a voxel_nm of at most {radius_nm / FEWEST_VOXELS_PER_RADIUS:.3g}"
        )


def cells_along(edge: float, voxel_nm: float) -> int:
    """Return the number of voxels along an edge [m], or raise an InputError if it is out of range."""
    n = round(edge / (voxel_nm * NM)) if voxel_nm > 0.0 else 0
    if not 8 <= n <= MOST_VOXELS ** (1.0 / 3.0):
        raise InputError(
            f"{edge / UM:g} um at voxel_nm {voxel_nm:g} are {n} voxels along an edge; "
            f"allowed: 8 to {int(MOST_VOXELS ** (1 / 3))}; change size_um or voxel_nm"
        )
    return n


def cold_press(
    *,
    size_um: float = 4.0,
    voxel_nm: float = 25.0,
    recipe: Recipe | None = None,
    seed: int = 1,
    green: GreenBody | None = None,
) -> VoxelStructure:
    """Press a cathode cold: spheres that touch at points.

    Parameters
    ----------
    size_um, recipe, seed
        See `press_powders`; ignored where `green` is given.
    voxel_nm : float
        Voxel edge [nm]; the cube is made of whole voxels, its particles are scaled with it by less than half a voxel.
    green : GreenBody, optional
        A green body that was pressed already.

    Returns
    -------
    VoxelStructure
        Periodic; grain k is particle k - 1; contacts are those of the particles, whatever the voxels.

    Examples
    --------
    >>> cold_press(size_um=3.0, voxel_nm=50.0, seed=1).shape
    (60, 60, 60)
    """
    if green is None:
        check_resolution(recipe or Recipe(), voxel_nm)
    body = green or press_powders(size_um=size_um, recipe=recipe, seed=seed)
    n = cells_along(body.edge, voxel_nm)
    voxel = voxel_nm * NM
    scale = n * voxel / body.edge
    centre, radius = body.particles.centre * scale, body.particles.radius * scale
    _check_radius(float(radius.min()) / NM, voxel_nm)
    grains = spheres_to_grains(centre / voxel, radius / voxel, (n, n, n))
    label_of_grain = np.concatenate(([0], body.particles.label)).astype(np.uint8)
    labels = label_of_grain[grains]
    contacts = close_contacts(centre, radius, n * voxel, body.recipe.press)
    filled = fill_necks(labels, grains, label_of_grain, contacts, voxel)
    gap_limit = float((contacts.gap / (radius[contacts.grains - 1].sum(axis=1))).max()) if len(contacts) else 0.0
    return VoxelStructure(
        labels=labels,
        voxel_size=(voxel, voxel, voxel),
        phases={k: v for k, v in body.recipe.phases().items() if k == 0 or v in body.recipe.powders},
        grains=grains,
        periodic=(True, True, True),
        contacts=contacts,
        particles=Particles(centre, radius, body.particles.label, body.particles.grain),
        coatings=coatings_of(body.recipe),
        process="cold-pressed",
        recipe={
            **body.recipe.model_dump(),
            "contacts": {"largest_relative_gap": gap_limit, "neck_voxels": filled},
        },
        seed=body.seed,
    )
