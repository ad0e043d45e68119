"""Two particles on their way from loose powder to the fired cathode, a body for each picture.

Every body comes from the recipe with one number changed, by the functions that build all structures: the density that the
powder is packed at, the density that the body is fired to, the growth of grains, the time at temperature. In the furnace all
of that happens at once; the model, and so the film, does one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from microstructures.firing.fire import co_fire
from microstructures.firing.interphase import grow_interphase
from microstructures.morphology.areas import measure_interfaces
from microstructures.pressing.press import GreenBody, cold_press
from microstructures.recipe import InterphaseRecipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM
from viz.movies.pair_choice import Pair, edge_m, fired_otherwise, layers_nm, loosened, point_between

Floats = NDArray[np.float64]

SHARES = {"pressing": 0.24, "pressed": 0.06, "densification": 0.26, "grain growth": 0.20, "interphase": 0.24}
"""Share of the pictures of each stage."""


@dataclass(frozen=True)
class Stage:
    """One picture of the film, before it is drawn.

    Attributes
    ----------
    name : str
        What is going on.
    numbers : str
        Density, contact and layer, with units.
    structure : VoxelStructure
        The body.
    grains : (int, int)
        Grains of the donor and of the host particle.
    contact : ndarray of shape (3,)
        Point between both particles [m].
    """

    name: str
    numbers: str
    structure: VoxelStructure
    grains: tuple[int, int]
    contact: Floats


def firing_stages(green: GreenBody, pair: Pair, voxel_nm: float, frames: int) -> Iterator[Stage]:
    """Yield the bodies of a film: powder that is pressed, body that densifies, grains that grow, a layer that grows.

    Parameters
    ----------
    green : GreenBody
        The pressed powder.
    pair : Pair
        Who is followed.
    voxel_nm : float
        Voxel edge of the bodies [nm].
    frames : int
        Number of pictures, 10 or more.
    """
    recipe, fire = green.recipe, green.recipe.fire
    counts = {name: max(2, round(share * frames)) for name, share in SHARES.items()}
    counts["interphase"] = max(1, frames - sum(counts.values()) + counts["interphase"])
    if fire.interphase is None:
        counts["grain growth"] += counts.pop("interphase")
    for body in loosened(green, counts["pressing"]):
        yield _pressed_stage("powder is pressed", body, pair, voxel_nm)
    stage = _pressed_stage("pressed", green, pair, voxel_nm)
    for _ in range(counts["pressed"]):
        yield stage
    for density in np.linspace(recipe.press.relative_density, fire.relative_density, counts["densification"] + 1)[1:]:
        fired = co_fire(
            voxel_nm=voxel_nm, green=fired_otherwise(green, relative_density=float(density), grain_growth={}, interphase=None)
        )
        yield _fired_stage("fired: densification", fired, pair)
    for share in np.linspace(0.0, 1.0, counts["grain growth"] + 1)[1:]:
        growth = {name: float(factor**share) for name, factor in fire.grain_growth.items()}
        fired = co_fire(voxel_nm=voxel_nm, green=fired_otherwise(green, grain_growth=growth, interphase=None))
        last = _fired_stage("fired: grains grow", fired, pair)
        yield last
    if fire.interphase is not None:
        yield from _reacting(last, green, fire.interphase, counts["interphase"])


def _reacting(base: Stage, green: GreenBody, recipe: InterphaseRecipe, count: int) -> Iterator[Stage]:
    """Yield the fired body with a layer that grows as the square root of time until the firing is over."""
    fire = green.recipe.fire
    whole = recipe.growth(fire.temperature_C, fire.hours)
    layer_nm = (layers_nm(base.structure, green, whole) or {}).get(base.grains, 0.0)
    for share in np.linspace(0.0, 1.0, count + 1)[1:]:
        hours = fire.hours * float(share) ** 2
        growth = recipe.growth(fire.temperature_C, hours)
        resolved = growth * recipe.median_nm * NM >= max(base.structure.voxel_size)
        drawn = recipe.model_copy(update={"representation": "resolved" if resolved else "thin"})
        body = grow_interphase(base.structure, drawn, seed=green.seed, growth=growth)
        words = f"{base.numbers} · layer {growth / whole * layer_nm:.0f} nm ({hours:.2f} h at {fire.temperature_C:g} °C)"
        yield replace(base, name="fired: interphase grows", numbers=words, structure=body)


def _pressed_stage(name: str, body: GreenBody, pair: Pair, voxel_nm: float) -> Stage:
    structure = cold_press(voxel_nm=voxel_nm, green=body)
    particles, contacts = structure.particles, structure.contacts
    assert particles is not None
    assert contacts is not None
    grains = (pair.donor + 1, pair.host + 1)
    contact, gap = point_between(particles, pair, edge_m(structure))
    mine = np.isin(contacts.grains, grains).all(axis=1)
    words = f"contact radius {contacts.radius[mine][0] / NM:.0f} nm" if mine.any() else f"gap {max(gap, 0.0) / NM:.0f} nm"
    density = (4.0 / 3.0 * np.pi * body.particles.radius**3).sum() / body.edge**3
    return Stage(name, f"density {100.0 * density:.0f} % · {words}", structure, grains, contact)


def _fired_stage(name: str, structure: VoxelStructure, pair: Pair) -> Stage:
    particles = structure.particles
    assert particles is not None
    grains = (int(particles.grain[pair.donor]), int(particles.grain[pair.host]))
    contact, _ = point_between(particles, pair, edge_m(structure))
    labels = (int(particles.label[pair.donor]), int(particles.label[pair.host]))
    found = measure_interfaces(_cut_out(structure, contact), between=labels)
    mine = np.isin(found.grains, grains).all(axis=1) & (found.grains[:, 0] != found.grains[:, 1])
    radius_nm = np.sqrt(found.area[mine].sum() / np.pi) / NM
    density = 100.0 * np.count_nonzero(structure.labels) / structure.labels.size
    return Stage(name, f"density {density:.0f} % · contact radius {radius_nm:.0f} nm", structure, grains, contact)


def _cut_out(structure: VoxelStructure, centre: Floats) -> VoxelStructure:
    """Return the middle of a periodic body, rolled so that a point lies in its centre."""
    assert structure.grains is not None
    n = np.array(structure.shape)
    shift = tuple(int(k) for k in n // 2 - np.floor(centre / np.array(structure.voxel_size)).astype(int))
    middle = tuple(slice(k // 8, k - k // 8) for k in structure.shape)
    labels = np.ascontiguousarray(np.roll(structure.labels, shift, (0, 1, 2))[middle])
    grains = np.ascontiguousarray(np.roll(structure.grains, shift, (0, 1, 2))[middle])
    return VoxelStructure(labels=labels, voxel_size=structure.voxel_size, phases=structure.phases, grains=grains)
