"""Build a cathode by its process."""

from __future__ import annotations

from pathlib import Path

from microstructures.errors import InputError, did_you_mean
from microstructures.firing.fire import co_fire
from microstructures.pressing.press import GreenBody, cells_along, cold_press
from microstructures.recipe import Recipe, load_recipe, parse_recipe
from microstructures.structure import VoxelStructure
from microstructures.units import UM

PROCESSES = ("cold-pressed", "co-fired")
DEFAULT_SIZE_UM, DEFAULT_VOXEL_NM, DEFAULT_SEED = 4.0, 25.0, 1


def build(
    process: str,
    *,
    size_um: float = DEFAULT_SIZE_UM,
    voxel_nm: float = DEFAULT_VOXEL_NM,
    seed: int = DEFAULT_SEED,
    recipe: Recipe | str | Path | None = None,
    green: GreenBody | None = None,
) -> VoxelStructure:
    """Build a cold-pressed or co-fired cathode; both come from the same green body if all arguments agree.

    Parameters
    ----------
    process : "cold-pressed" or "co-fired"
        What is done to the green body.
    size_um : float
        Edge of the green body [um]; firing shrinks it.
    voxel_nm : float
        Voxel edge [nm].
    seed : int
        The same seed gives the same bits.
    recipe : Recipe or path, optional
        Powders, pressing and firing.
    green : GreenBody, optional
        A green body pressed already; `size_um`, `seed` and `recipe` are then its own.

    Examples
    --------
    >>> build("cold-pressed", size_um=3.0, voxel_nm=50.0).process
    'cold-pressed'
    """
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    if process not in PROCESSES:
        raise InputError(f"process is '{process}'{did_you_mean(process, PROCESSES)}")
    if green is None:
        check_size(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    make = cold_press if process == "cold-pressed" else co_fire
    return make(size_um=size_um, voxel_nm=voxel_nm, recipe=known, seed=seed, green=green)


def check_size(process: str, *, size_um: float, voxel_nm: float, recipe: Recipe) -> None:
    """Refuse a box that is out of range before anything is pressed.

    Raises
    ------
    InputError
        If the box has too few or too many voxels along an edge.
    """
    if not 0.0 < size_um < 1e4:
        raise InputError(f"size_um is {size_um:g} um; allowed: above 0 and below 10000 um")
    pressed, fired = recipe.press.relative_density, recipe.fire.relative_density
    cells_along(size_um * UM * (1.0 if process == "cold-pressed" else (pressed / fired) ** (1.0 / 3.0)), voxel_nm)


def green_body_of(
    pressed: VoxelStructure, recipe: Recipe | str | Path | None = None, origin: str = "the structure"
) -> GreenBody:
    """Return the green body that a cold-pressed structure was cut from, to be fired.

    Parameters
    ----------
    pressed : VoxelStructure
        A cold-pressed structure; its particles, their numbers and its seed are kept.
    recipe : Recipe or path, optional
        How to fire it; the recipe it was pressed by unless given. Only firing is taken from it.
    origin : str
        What to call the structure in messages.

    Raises
    ------
    InputError
        If the structure was not pressed from particles.

    Examples
    --------
    >>> pressed = build("cold-pressed", size_um=3.0, voxel_nm=50.0)
    >>> len(green_body_of(pressed).particles) == pressed.n_grains
    True
    """
    if pressed.process != "cold-pressed" or pressed.particles is None:
        raise InputError(
            f"{origin} is '{pressed.process}', not a pressed body with its particles; allowed: cold-pressed; build one"
        )
    own = parse_recipe({key: value for key, value in pressed.recipe.items() if key in Recipe.model_fields}, origin)
    if recipe is not None:
        own = own.model_copy(update={"fire": (recipe if isinstance(recipe, Recipe) else load_recipe(recipe)).fire})
    edge = pressed.shape[0] * pressed.voxel_size[0]
    return GreenBody(pressed.particles, edge, own, 0 if pressed.seed is None else pressed.seed)
