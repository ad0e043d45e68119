"""A film of two particles that are pressed and fired: they touch, grow together, grow, and react."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.recipe import Recipe
from viz.movies.pair_scene import PairView, draw_stage
from viz.scenes.drawing import checked_size

FEWEST_FRAMES = 10
LARGEST_SHARE = 0.46
"""Most of the fired body's edge that is shown to each side of the contact; beyond half of it neighbours would appear twice."""
CLOSEST = 2.6
"""Least that is shown to each side, in mean radii of the pair."""


def draw_firing(
    *,
    size_um: float = 3.0,
    voxel_nm: float = 20.0,
    seed: int = 1,
    recipe: Recipe | None = None,
    frames: int = 50,
    size: tuple[int, int] = (640, 560),
    progress: Callable[[float, str], Any] | None = None,
) -> list[NDArray[np.uint8]]:
    """Draw a particle of each of two powders from the loose powder to the fired cathode.

    The pair is one that touches and reacts in the body that `cold_press` and `co_fire` build from the same arguments. Every
    picture is a body of its own, built from the recipe with another density, growth of grains or time (`viz.movies.pair_stages`).
    Both grains are solid and cut open in front of and above their contact; their neighbours are a haze.

    Parameters
    ----------
    size_um : float
        Edge of the green body [um].
    voxel_nm : float
        Voxel edge [nm].
    seed : int
        The same seed gives the same pictures.
    recipe : Recipe, optional
        Powders, pressing and firing.
    frames : int
        Number of pictures, 10 to 1000.
    size : (width, height)
        Size of a picture [pixels].
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    list of ndarray of shape (height, width, 3), uint8
        The pictures.

    Raises
    ------
    InputError
        If a number is out of range, the body cannot be built, or no two particles touch and react.
    """
    from microstructures.pressing.press import check_resolution, press_powders
    from viz.movies.pair_choice import choose_pair
    from viz.movies.pair_stages import firing_stages

    width, height = checked_size(size)
    if not FEWEST_FRAMES <= frames <= 1000:
        raise InputError(f"frames is {frames}; allowed: {FEWEST_FRAMES} to 1000")
    known = recipe or Recipe()
    check_resolution(known, voxel_nm)
    green = press_powders(size_um=size_um, recipe=known, seed=seed)
    pair = choose_pair(green, voxel_nm)
    fired_um = size_um * (known.press.relative_density / known.fire.relative_density) ** (1.0 / 3.0)
    radius_um = 0.5e6 * float(green.particles.radius[[pair.donor, pair.host]].sum())
    reach_um = min(max(pair.reach_um, CLOSEST * radius_um), LARGEST_SHARE * fired_um)
    phases = [known.phases()[int(green.particles.label[k])] for k in (pair.donor, pair.host)]
    layer = known.fire.interphase
    view = PairView(pair, width, height, reach_um, (*phases, *(() if layer is None else (layer.product,))))
    pictures = []
    for number, stage in enumerate(firing_stages(green, pair, voxel_nm, frames)):
        pictures.append(draw_stage(stage, view))
        if progress is not None:
            progress((number + 1) / frames, f"{stage.name}: frame {number + 1} of {frames}")
    return pictures
