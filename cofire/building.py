"""Build a cathode by its process."""

from __future__ import annotations

from pathlib import Path

from microstructures.errors import InputError, did_you_mean
from microstructures.fire import co_fire
from microstructures.press import GreenBody, cold_press
from microstructures.recipe import Recipe, load_recipe
from microstructures.structure import VoxelStructure

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
    make = cold_press if process == "cold-pressed" else co_fire
    return make(size_um=size_um, voxel_nm=voxel_nm, recipe=known, seed=seed, green=green)
