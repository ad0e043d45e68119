"""Build a cathode by its process."""

from __future__ import annotations

import math
from pathlib import Path

from microstructures.errors import InputError, did_you_mean
from microstructures.fire import co_fire
from microstructures.press import GreenBody, cells_along, cold_press
from microstructures.recipe import Recipe, load_recipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM, UM

PROCESSES = ("cold-pressed", "co-fired")
MOST_PARTICLES, MOST_PAIRS = 1_000_000, 50_000_000
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
    """Refuse a box that is out of range, or that no machine holds, before anything is pressed.

    Raises
    ------
    InputError
        If the box has too few or too many voxels along an edge, more than a million particles, or too many pairs of neighbours.
    """
    if not 0.0 < size_um < 1e4:
        raise InputError(f"size_um is {size_um:g} um; allowed: above 0 and below 10000 um")
    pressed, fired = recipe.press.relative_density, recipe.fire.relative_density
    cells_along(size_um * UM * (1.0 if process == "cold-pressed" else (pressed / fired) ** (1.0 / 3.0)), voxel_nm)
    solid = pressed * (size_um * UM) ** 3
    shares = recipe.solid_fractions()
    particles = sum(
        shares[name] * solid / (math.pi / 6.0 * (powder.median_diameter_nm * NM) ** 3 * math.exp(4.5 * powder.log_spread**2))
        for name, powder in recipe.powders.items()
    )
    if particles > MOST_PARTICLES:
        raise InputError(
            f"{size_um:g} um hold some {particles:.2g} particles; allowed: {MOST_PARTICLES}; use a smaller size_um or coarser powder"
        )
    largest = max(powder.median_diameter_nm * NM * math.exp(2.5 * powder.log_spread) for powder in recipe.powders.values())
    pairs = 0.5 * particles**2 * min(1.0, math.pi * 4.0 / 3.0 * (largest / (size_um * UM)) ** 3)
    if pairs > MOST_PAIRS:
        raise InputError(
            f"the finest of some {particles:.2g} particles have {pairs:.2g} neighbours within the largest diameter; "
            f"allowed: {MOST_PAIRS:g}; use powders closer in size or a smaller size_um"
        )
