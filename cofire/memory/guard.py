"""Refuse what would not fit, before it is begun: the numbers, and what would fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from cofire.building import PROCESSES
from cofire.memory.estimate import build_bytes, built_edge_voxels, conduct_bytes
from cofire.memory.machine import STATED_BY, available_memory_bytes, gigabytes
from microstructures.errors import InputError
from microstructures.pressing.press import FEWEST_VOXELS_PER_RADIUS, MOST_VOXELS, GreenBody
from microstructures.recipe import Recipe, load_recipe
from microstructures.units import UM

REMEDY = "use a smaller body, larger voxels or fewer workers"
FEWEST_VOXELS = 8
"""Voxels along an edge below which nothing is worth proposing."""
LABEL_AND_GRAIN_BYTES = 5
LARGEST_DEVIATION = 2.5
"""Standard deviations of a powder's lognormal at which `microstructures.pressing.press` cuts it off."""


def check_memory(needed_bytes: int, what: str, *, remedy: str = REMEDY) -> None:
    """Refuse what takes more memory than there is.

    Parameters
    ----------
    needed_bytes : int
        The peak, from `cofire.memory.estimate`.
    what : str
        What takes it; the message begins with that.
    remedy : str
        What would help.

    Raises
    ------
    InputError
        If less is available; it names both numbers and the remedy.

    Examples
    --------
    >>> check_memory(10**6, "a small thing")
    """
    available = available_memory_bytes()
    if needed_bytes > available:
        raise InputError(
            f"{what} takes about {gigabytes(needed_bytes)} of memory; available: {gigabytes(available)}; {remedy}, "
            f"or say with {STATED_BY} what may be used"
        )


def workers_that_fit(wanted: int, bytes_each: int) -> int:
    """Return how many of `wanted` processes of `bytes_each` fit at once; 0 if not even one does.

    Examples
    --------
    >>> workers_that_fit(4, 2**70)
    0
    """
    return max(0, min(wanted, available_memory_bytes() // max(1, bytes_each)))


def check_build(process: str, *, size_um: float, voxel_nm: float, recipe: Recipe | str | Path | None = None) -> None:
    """Refuse a body that does not fit into memory while it is built, and say which would.

    Sizes that make no body are left to `cofire.building.check_size`, which knows what is wrong with them.

    Raises
    ------
    InputError
        If building takes more than is available.
    """
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    if process not in PROCESSES or not (0.0 < size_um < math.inf and 0.0 < voxel_nm < math.inf):
        return

    def needs(size_um: float, voxel_nm: float) -> int:
        return build_bytes(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)

    needed, available = needs(size_um, voxel_nm), available_memory_bytes()
    if needed <= available:
        return
    n = built_edge_voxels(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    most = min(n, int(MOST_VOXELS ** (1.0 / 3.0)))
    coarse = largest_edge(lambda edge: needs(size_um, voxel_nm * n / edge), most, available)
    small = largest_edge(lambda edge: needs(size_um * edge / n, voxel_nm), most, available)
    fits = []
    if coarse >= FEWEST_VOXELS and voxel_nm * n / coarse <= coarsest_voxel_nm(known):
        fits.append(f"a voxel_nm of at least {_three_digits(voxel_nm * n / coarse, math.ceil)}")
    if small >= FEWEST_VOXELS:
        fits.append(f"a size_um of at most {_three_digits(size_um * small / n, math.floor)}")
    check_memory(
        needed,
        f"building a {process} body of {n} x {n} x {n} voxels (its labels and grains alone "
        f"{gigabytes(LABEL_AND_GRAIN_BYTES * n**3)}, the solver later {gigabytes(conduct_bytes((n, n, n), kind=process))})",
        remedy=f"use {' or '.join(fits)}" if fits else "use a machine with more memory",
    )


def check_firing(process: str, green: GreenBody, *, voxel_nm: float) -> None:
    """Refuse, as `check_build` does, what is to become of a green body that was pressed already."""
    check_build(process, size_um=green.edge / UM, voxel_nm=voxel_nm, recipe=green.recipe)


def coarsest_voxel_nm(recipe: Recipe) -> float:
    """Return about the largest voxel edge [nm] that resolves the smallest particles drawn.

    Examples
    --------
    >>> round(coarsest_voxel_nm(Recipe()))
    86
    """
    smallest_nm = min(
        0.5 * powder.median_diameter_nm * math.exp(-LARGEST_DEVIATION * powder.log_spread) for powder in recipe.powders.values()
    )
    return smallest_nm / FEWEST_VOXELS_PER_RADIUS


def largest_edge(needs: Callable[[int], int], most: int, available_bytes: int) -> int:
    """Return the largest number of voxels along an edge, up to `most`, of which `needs(edge)` still fits; 0 if none does.

    Examples
    --------
    >>> largest_edge(lambda edge: 10 * edge**3, 5000, 10_000)
    10
    """
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needs(middle) <= available_bytes else (low, middle)
    return low


def _three_digits(value: float, to_whole: Callable[[float], int]) -> str:
    """Return a number to three digits, rounded up or down."""
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return f"{to_whole(value / step) * step:.3g}"
