"""Along which axis, and with which boundary: the words that solver, hops and graph share."""

from __future__ import annotations

from typing import Literal

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure

AXES = "xyz"
Boundary = Literal["plates", "periodic"]
BOUNDARIES: tuple[Boundary, Boundary] = ("plates", "periodic")


def axes_of(axis: str) -> tuple[int, ...]:
    """Return the axis numbers that "x", "y", "z" or "all" stand for.

    Raises
    ------
    InputError
        For anything else.
    """
    if axis == "all":
        return 0, 1, 2
    if axis not in AXES or len(axis) != 1:
        raise InputError(f"axis is '{axis}'; allowed: x, y, z, all")
    return (AXES.index(axis),)


def own_boundary(structure: VoxelStructure) -> Boundary:
    """Return "periodic" for a structure that repeats along all axes, else "plates"."""
    return "periodic" if all(structure.periodic) else "plates"
