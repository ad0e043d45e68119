"""Two particles worth following: of different powders, that touch, react, come together steadily and stay in the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.features import Particles
from microstructures.firing.fire import co_fire
from microstructures.firing.reaction import draw_reactions
from microstructures.pressing.neighbours import neighbour_gaps
from microstructures.pressing.press import GreenBody, cold_press, press_powders
from microstructures.recipe import Recipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM, UM

Floats = NDArray[np.float64]

LOOSE_SHARE = 0.75
"""Density of the loose powder over that of the pressed body."""
LOOSENINGS = 8
"""Packings between both that are looked at to find a pair that comes together steadily."""


@dataclass(frozen=True)
class Pair:
    """Two particles of a green body, and how a film looks at them.

    Attributes
    ----------
    donor, host : int
        Their places in the list of particles.
    basis : ndarray of shape (3, 3)
        Rows: from the donor to the host in the pressed body, up, and towards the eye.
    reach_um : float
        How far their grains reach from the contact in the end [um].
    """

    donor: int
    host: int
    basis: Floats
    reach_um: float


def choose_pair(green: GreenBody, voxel_nm: float) -> Pair:
    """Choose two particles of different powders that touch, react, come together steadily and stay in the picture.

    Parameters
    ----------
    green : GreenBody
        The pressed powder.
    voxel_nm : float
        Voxel edge of the bodies [nm].

    Raises
    ------
    InputError
        If no two particles of the two phases that react touch.
    """
    first, second = _labels(green.recipe)
    pressed, fired = (
        cold_press(voxel_nm=voxel_nm, green=green),
        co_fire(voxel_nm=voxel_nm, green=fired_otherwise(green, interphase=None)),
    )
    contacts = pressed.contacts
    assert contacts is not None
    assert fired.particles is not None
    label = green.particles.label
    pairs = contacts.grains.astype(np.int64) - 1
    pairs = np.where((label[pairs[:, 0]] == first)[:, None], pairs, pairs[:, ::-1])
    pairs = pairs[(label[pairs[:, 0]] == first) & (label[pairs[:, 1]] == second)]
    layers = layers_nm(fired, green, 1.0)
    if layers is not None:
        pairs = pairs[[layers.get(tuple(grains), 0.0) > 0.0 for grains in fired.particles.grain[pairs].tolist()]]
    if not len(pairs):
        raise InputError("no two particles of the phases that react touch in this body; use a larger size_um or another seed")
    ways = np.stack([_links(body, pairs) for body in (*loosened(green, LOOSENINGS), green)])
    jump = np.abs(np.diff(ways, axis=0)).max(axis=(0, 2))
    parting = np.maximum(np.diff(np.linalg.norm(ways, axis=2), axis=0), 0.0).sum(axis=0)
    reach = np.array([_reach(fired, pair) for pair in pairs])
    size = 2.0 * np.median(green.particles.radius)
    radius = green.particles.radius[pairs]
    unlike = np.abs(np.log(radius / np.median(green.particles.radius))).sum(axis=1)
    chosen = int(np.argmin((jump + reach + 10.0 * parting) / size + unlike))
    right = ways[-1, chosen] / np.linalg.norm(ways[-1, chosen])
    up = np.eye(3)[2] if abs(right[2]) < 0.9 else np.eye(3)[1]
    up = up - (up @ right) * right
    up /= np.linalg.norm(up)
    basis = np.stack([right, up, np.cross(right, up)])
    return Pair(int(pairs[chosen, 0]), int(pairs[chosen, 1]), basis, float(reach[chosen] / UM))


def fired_otherwise(green: GreenBody, **fire: Any) -> GreenBody:
    """Return a green body that is fired in another way."""
    changed = green.recipe.model_copy(update={"fire": green.recipe.fire.model_copy(update=fire)})
    return replace(green, recipe=changed)


def loosened(green: GreenBody, count: int) -> Iterator[GreenBody]:
    """Yield the same powder packed less densely, densest last: the pressed body itself is left out.

    Two particles count as touching where their gap is no wider than the widest one of the pressed body's contacts.
    """
    recipe, density = green.recipe, green.recipe.press.relative_density
    limit = _widest_gap(green)
    for share in np.linspace(LOOSE_SHARE, 1.0, count + 1)[:-1]:
        edge = green.edge * float(share) ** (-1.0 / 3.0)
        press = recipe.press.model_copy(update={"relative_density": density * float(share)})
        body = press_powders(size_um=edge / UM, recipe=recipe.model_copy(update={"press": press}), seed=green.seed)
        pairs, gap, _ = neighbour_gaps(
            body.particles.centre / edge % 1.0,
            body.particles.radius / edge,
            2.0 * limit * float(body.particles.radius.max()) / edge,
        )
        touching = int((gap * edge <= limit * body.particles.radius[pairs].sum(axis=1)).sum())
        coordination = max(2.0 * touching / len(body.particles), 1e-9)
        press = press.model_copy(update={"coordination": coordination})
        yield replace(body, recipe=recipe.model_copy(update={"press": press}))


def _widest_gap(green: GreenBody) -> float:
    """Return the widest gap over the sum of radii that counts as a contact in the pressed body."""
    particles = green.particles
    wanted = round(green.recipe.press.coordination * len(particles) / 2.0)
    radius = particles.radius / green.edge
    pairs, gap, _ = neighbour_gaps(
        particles.centre / green.edge % 1.0, radius, min(2.0 * radius.max(), 0.499 - 2.0 * radius.max())
    )
    relative = np.sort(gap / radius[pairs].sum(axis=1))
    return float(relative[min(wanted, len(relative)) - 1])


def _labels(recipe: Recipe) -> tuple[int, int]:
    """Return the labels of donor and host; of the first two powders where nothing reacts."""
    layer = recipe.fire.interphase
    names = list(recipe.powders)[:2] if layer is None else [layer.donor, layer.host]
    if len(names) < 2:
        raise InputError(f"the recipe has {len(names)} powder; allowed: two or more, to follow a particle of each of two")
    return recipe.powders[names[0]].label, recipe.powders[names[1]].label


def _links(body: GreenBody, pairs: NDArray[np.int64]) -> Floats:
    """Return the way from the first to the second particle of each pair, to the nearest image [m], shape (n, 3)."""
    link = body.particles.centre[pairs[:, 1]] - body.particles.centre[pairs[:, 0]]
    return np.asarray(link - body.edge * np.round(link / body.edge))


def point_between(particles: Particles, pair: Pair, edge: float) -> tuple[Floats, float]:
    """Return the point half-way between the surfaces of both particles [m], and the gap between them [m]."""
    link = particles.centre[pair.host] - particles.centre[pair.donor]
    link -= edge * np.round(link / edge)
    distance = float(np.linalg.norm(link))
    gap = distance - particles.radius[pair.donor] - particles.radius[pair.host]
    return particles.centre[pair.donor] + link / distance * (particles.radius[pair.donor] + 0.5 * gap), gap


def layers_nm(fired: VoxelStructure, green: GreenBody, growth: float) -> dict[tuple[int, int], float] | None:
    """Return the thickness [nm] that the layer of each pair of grains will have; None where the recipe has no layers."""
    recipe = green.recipe.fire.interphase
    if recipe is None:
        return None
    assert fired.grains is not None
    found = draw_reactions(
        fired.labels, fired.grains, fired.periodic, fired.label_of(recipe.donor), fired.label_of(recipe.host), recipe, growth,
        green.seed,
    )  # fmt: skip
    return {(int(a), int(b)): float(layer / NM) for (a, b), layer in zip(found.grains, found.thickness, strict=True)}


def _reach(fired: VoxelStructure, pair: NDArray[np.int64]) -> float:
    """Return how far from the contact the grains of two particles reach [m], by the spheres that they grew from."""
    particles = fired.particles
    assert particles is not None
    edge = edge_m(fired)
    contact, _ = point_between(particles, Pair(int(pair[0]), int(pair[1]), np.eye(3), 0.0), edge)
    members = np.isin(particles.grain, particles.grain[pair])
    away = particles.centre[members] - contact
    away -= edge * np.round(away / edge)
    return float((np.linalg.norm(away, axis=1) + particles.radius[members]).max())


def edge_m(structure: VoxelStructure) -> float:
    """Return the edge of a cube [m]."""
    return structure.shape[0] * structure.voxel_size[0]
