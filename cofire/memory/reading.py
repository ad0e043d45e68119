"""Read a structure or an image for work that takes more memory than reading it, or refuse it by the header of its file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cofire import options
from cofire.memory.estimate import KINDS, import_bytes
from cofire.memory.guard import FEWEST_VOXELS, check_memory, largest_edge
from cofire.memory.machine import STATED_BY, available_memory_bytes, gigabytes
from microstructures.errors import FormatError
from microstructures.formats.guard import claims_checked, reading_bytes
from microstructures.structure import VoxelStructure

Needs = Callable[..., int]
"""Peak memory [bytes] of what is done with a structure: `needs(shape, kind=..., voxel_nm=..., thin_layer=...)`, one of those of
`cofire.memory.estimate`."""
COARSE_NM = 100.0
"""Voxel edge at which grains are small: before a structure is read it is judged by the least that it may take."""
Span = tuple[int | None, int | None]


def read_for(user: str, path: Path, voxel_nm: str | None, needs: Needs) -> VoxelStructure:
    """Read a structure that `user` will work on, or refuse it before its voxels are read.

    Parameters
    ----------
    user : str
        Who needs the memory, for the message: "the solver".
    path, voxel_nm
        As for `cofire.options.read_structure`.
    needs : callable
        Peak memory [bytes] of the whole process.

    Raises
    ------
    FormatError, InputError
        If reading, or what follows, takes more memory than is available.
    """

    def least(shape: Sequence[int], bytes_per_voxel: int) -> int:
        return min(needs(shape, kind=kind, voxel_nm=COARSE_NM) for kind in KINDS)

    with claims_checked(_check(user, least)):
        structure = options.read_structure(path, voxel_nm)
    kind = structure.process if structure.process in KINDS else "image"

    def exact(shape: Sequence[int]) -> int:
        return needs(shape, kind=kind, voxel_nm=min(structure.voxel_nm), thin_layer=structure.shells is not None)

    shape = structure.shape
    check_memory(
        exact(shape),
        f"{user} on {path}, {' x '.join(map(str, shape))} voxels,",
        remedy=_remedy(shape, exact, available_memory_bytes()),
    )
    return structure


def room_to_import(crop_to: Sequence[Span] | None, *, segment_grains: bool) -> AbstractContextManager[None]:
    """Let images that are read in this block be refused by their header if importing them takes more memory than is available.

    Parameters
    ----------
    crop_to : three pairs of int or None, optional
        What is kept of the image, x, y, z.
    segment_grains : bool
        Whether grains will be told apart.
    """

    def needs(shape: Sequence[int], bytes_per_voxel: int) -> int:
        kept = shape
        if crop_to is not None:  # files order their axes in two ways: the smaller answer refuses nothing that would fit
            orders = [
                [len(range(n)[slice(*span)]) for n, span in zip(axes, crop_to, strict=True)] for axes in (shape, shape[::-1])
            ]
            kept = min(orders, key=math.prod)
        return import_bytes(kept, bytes_per_voxel=bytes_per_voxel, segment_grains=segment_grains)

    return claims_checked(_check("importing it", needs))


def _check(user: str, needs: Callable[[Sequence[int], int], int]) -> Callable[[Path, Sequence[int], int], None]:
    """Return the check of a file's claim that knows what `user` needs of a whole image; slices and tables need their reading."""

    def in_all(shape: Sequence[int], bytes_per_voxel: int) -> int:
        read = reading_bytes(shape, bytes_per_voxel)
        return max(read, needs(shape, bytes_per_voxel)) if len(shape) == 3 else read

    def check(path: Path, shape: Sequence[int], bytes_per_voxel: int) -> None:
        needed, available = in_all(shape, bytes_per_voxel), available_memory_bytes()
        too_much_asked = len(shape) == 3 and in_all((1, 1, 1), bytes_per_voxel) > available  # whatever the shape
        if needed > available and (not too_much_asked or reading_bytes(shape, bytes_per_voxel) > available):
            raise FormatError(
                f"{path} claims {' x '.join(map(str, shape))} voxels: {gigabytes(math.prod(shape) * bytes_per_voxel)} of labels, "
                f"and {user} would take about {gigabytes(needed)} in all; available: {gigabytes(available)}; "
                f"{_remedy(shape, lambda cube: in_all(cube, bytes_per_voxel), available)}, "
                f"or say with {STATED_BY} what may be used"
            )

    return check


def _remedy(shape: Sequence[int], needs: Callable[[Sequence[int]], int], available_bytes: int) -> str:
    """Say how large a cube would do, and how much coarser the voxels would have to be."""
    edge = largest_edge(lambda n: needs((n, n, n)), max(shape), available_bytes) if len(shape) == 3 else 0
    if edge < FEWEST_VOXELS:
        return "ask for less of it, or use a machine with more memory"
    times = math.ceil(10.0 * (math.prod(shape) / edge**3) ** (1.0 / 3.0)) / 10.0
    return f"crop it to {edge} x {edge} x {edge} voxels, or make its voxels {times:g} times as coarse"
