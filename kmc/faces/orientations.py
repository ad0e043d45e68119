"""Where the crystals of anisotropic phases point, and face classes that know it.

A face along n sees of a crystal with principal conductivities K and axes Q the number n.K.n, that is the squared cosines
between n and the crystal axes times the principal conductivities. The 7-point network has no place for the rest of the
tensor, so a tilted crystal is either turned to the nearest orientation along the grid ("nearest", exact for what it then
is) or keeps the diagonal of its tensor ("diagonal"). See docs/physics.md for what each costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.classes import BLOCKED
from microstructures.errors import InputError
from microstructures.jit import inline_kernel, parallel_kernel
from microstructures.materials import Materials
from microstructures.structure import VoxelStructure

Tilt = Literal["nearest", "diagonal"]
STEPS = 18
"""Steps from one crystal axis to the next in the table of directions, 5 degrees each; 0, 45 and 90 are exact."""
ALONG_AXES = 1
"""Position in the table of directions of the first of the three crystal axes."""
_ISOTROPIC, _GRID, _GRAIN = 0, 1, 2


@dataclass(frozen=True)
class Orientations:
    """Where the crystal of every grain points.

    Attributes
    ----------
    rotations : ndarray of shape (n_grains + 1, 3, 3)
        Rotation of each grain; its columns are the crystal axes a, b, c in the box. Row 0 belongs to voxels without a grain.
    tilt : "nearest" or "diagonal"
        What becomes of a crystal that does not lie along the grid: turned to the nearest orientation that does (the better
        choice for polycrystals), or the diagonal of its conductivity tensor (exact along the axes of a single crystal).

    Examples
    --------
    >>> Orientations(random_rotations(3, seed=1)).rotations.shape
    (4, 3, 3)
    """

    rotations: NDArray[np.float64]
    tilt: Tilt = "nearest"

    def __post_init__(self) -> None:
        """Check that the table holds rotations."""
        if self.rotations.ndim != 3 or self.rotations.shape[1:] != (3, 3):
            raise InputError(f"rotations have shape {self.rotations.shape}; allowed: (n_grains + 1, 3, 3)")
        if self.tilt not in ("nearest", "diagonal"):
            raise InputError(f"tilt is '{self.tilt}'; allowed: nearest, diagonal")
        off = np.abs(np.einsum("gij,gkj->gik", self.rotations, self.rotations) - np.eye(3)).max(axis=(1, 2), initial=0.0)
        wrong = np.flatnonzero(~(off < 1e-6))
        if len(wrong):
            raise InputError(f"rotation {wrong[0]} is off an orthogonal matrix by {off[wrong[0]]:.3g}; allowed: below 1e-6")

    def squared_cosines(self) -> NDArray[np.float64]:
        """Return the squared cosines between each box axis and the crystal axes, shape (n_grains + 1, 3, 3)."""
        cosines = self.rotations**2
        if self.tilt == "diagonal":
            return np.asarray(cosines)
        choices = np.array([np.eye(3)[list(order)] for order in permutations(range(3))])
        closest = np.argmax(np.round(np.einsum("gij,pij->gp", cosines, choices), 9), axis=1)
        return np.asarray(choices[closest])


def random_rotations(n_grains: int, *, seed: int) -> NDArray[np.float64]:
    """Draw one rotation for every grain, uniform over all orientations; row 0 belongs to voxels without a grain.

    Each depends on the seed and the number of its grain only, so a grain keeps its orientation at any voxel size. Three
    uniform numbers make a quaternion (Shoemake, Graphics Gems III, 124, 1992).

    Parameters
    ----------
    n_grains : int
        Highest grain number.
    seed : int
        Seed of the structure.

    Returns
    -------
    ndarray of shape (n_grains + 1, 3, 3)

    Examples
    --------
    >>> bool((random_rotations(2, seed=5)[1] == random_rotations(9, seed=5)[1]).all())
    True
    """
    key = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    counter = np.arange(3 * (n_grains + 1), dtype=np.uint64).reshape(-1, 3)
    u = (_mixed(_mixed(counter) ^ key) >> np.uint64(11)) * 2.0**-53
    first, second, third = u[:, 0], 2.0 * np.pi * u[:, 1], 2.0 * np.pi * u[:, 2]
    x, y = np.sqrt(1.0 - first) * np.sin(second), np.sqrt(1.0 - first) * np.cos(second)
    z, w = np.sqrt(first) * np.sin(third), np.sqrt(first) * np.cos(third)
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)],
        [2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)],
        [2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.asarray(np.moveaxis(np.array(rows), -1, 0))


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the counters scrambled (splitmix64: Steele, Lea and Flood 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def direction_table() -> NDArray[np.float64]:
    """Return the squared cosines that classes tell apart, shape (191, 3): isotropic, the three axes, all between.

    Examples
    --------
    >>> direction_table().shape, direction_table()[:3].round(3).tolist()
    ((191, 3), [[0.333, 0.333, 0.333], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    """
    corners = [(STEPS, 0, 0), (0, STEPS, 0), (0, 0, STEPS)]
    inside = [(i, j, STEPS - i - j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]
    steps = np.array(corners + [point for point in inside if point not in corners])
    cosines = np.sin(0.5 * np.pi * steps / STEPS) ** 2
    return np.concatenate([np.full((1, 3), 1.0 / 3.0), cosines / cosines.sum(axis=1, keepdims=True)])


@dataclass(frozen=True)
class OrientedFaces:
    """Face classes told apart by direction: what replaces the classes of `build_faces`.

    Attributes
    ----------
    of_axis, plates : tuples of ndarrays
        The new class of every face.
    parent : ndarray of shape (n_new,)
        The class each new one is made from.
    direction : ndarray of shape (n_new, 2), uint8
        See `FaceTable`.
    """

    of_axis: list[NDArray[np.unsignedinteger]]
    plates: tuple[tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]], ...]
    parent: NDArray[np.intp]
    direction: NDArray[np.uint8]


def orient_faces(
    structure: VoxelStructure,
    materials: Materials,
    names: tuple[str, ...],
    phase_of_label: NDArray[np.uint8],
    orientations: Orientations | None,
    of_axis: list[NDArray[np.unsignedinteger]],
    plates: tuple[tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]], ...],
    phases: NDArray[np.uint8],
) -> OrientedFaces | None:
    """Split classes by the direction in which their faces cross the crystals; None if every phase is isotropic.

    Parameters
    ----------
    structure, materials, names, phase_of_label
        As in `build_faces`.
    orientations : Orientations or None
        Of the grains of `random-grain` phases; drawn from the structure's seed unless given.
    of_axis, plates : as in `FaceTable`
        Classes so far.
    phases : ndarray of shape (n_classes, 2), uint8
        Their phases.

    Raises
    ------
    InputError
        If grains are needed and absent, the table of orientations is too short, or a thin shell meets an anisotropic phase.
    """
    kinds = {"grid": _GRID, "random-grain": _GRAIN}
    mode = np.array([kinds.get(materials.orientation(name) or "", _ISOTROPIC) for name in names])
    shells = structure.shells
    layered = () if shells is None else (shells.donor, shells.host, shells.product)
    for name in layered:
        if materials.orientation(name) is not None:
            raise InputError(f"thin shells touch phase '{name}', which is anisotropic; give shells voxels of their own")
    if not mode.any():
        return None
    table, grains = np.zeros((1, 3), dtype=np.uint8), np.zeros((1, 1, 1), dtype=np.int32)
    by_grain = bool((mode == _GRAIN).any())
    if by_grain:
        table = _grain_directions(structure, names[int(np.argmax(mode == _GRAIN))], orientations)
        assert structure.grains is not None
        grains = structure.grains
    used = np.unique(np.concatenate([[0, *range(ALONG_AXES, ALONG_AXES + 3)], table.ravel()])).astype(np.uint8)
    place: NDArray[np.int64] = np.zeros(256, dtype=np.int64)
    place[used] = np.arange(len(used))
    n = len(used)
    look = (structure.labels, grains, by_grain, phase_of_label, mode, place[table], phases, n)
    seen = np.zeros(len(phases) * n * n, dtype=np.bool_)
    seen[BLOCKED] = True
    for axis in range(3):
        _mark(axis, of_axis[axis], *look, seen)
    raw_plates = []
    for axis in range(3):
        for end in (0, -1):
            at = (slice(None),) * axis + (end,)
            phase = phase_of_label[structure.labels[at]]
            own = place[table][grains[at] if by_grain else 0, axis]
            along = np.select([mode[phase] == _GRID, mode[phase] == _GRAIN], [ALONG_AXES + axis, own], 0)
            class_ = plates[axis][0 if end == 0 else 1].astype(np.int64)
            raw_plates.append(np.where(class_ == BLOCKED, BLOCKED, (class_ * n + along) * n + along))
            seen[raw_plates[-1].ravel()] = True
    codes = np.flatnonzero(seen)
    dtype = np.uint16 if len(codes) <= 0xFFFF else np.uint32
    position: NDArray[np.unsignedinteger] = np.zeros(len(seen), dtype=dtype)
    position[codes] = np.arange(len(codes))
    new = [np.empty(part.shape, dtype=dtype) for part in of_axis]
    for axis in range(3):
        _assign(axis, of_axis[axis], *look, position, new[axis])
    found = [position[part] for part in raw_plates]
    parent, both = np.divmod(codes, n * n)
    return OrientedFaces(
        of_axis=new,
        plates=tuple((found[2 * axis], found[2 * axis + 1]) for axis in range(3)),
        parent=parent,
        direction=np.stack([used[both // n], used[both % n]], axis=1),
    )


def _grain_directions(structure: VoxelStructure, name: str, orientations: Orientations | None) -> NDArray[np.uint8]:
    """Return the position in the table of directions of each box axis in each grain, shape (n_grains + 1, 3)."""
    if structure.grains is None:
        raise InputError(
            f"phase '{name}' has orientation random-grain and the structure has no grains; segment it into grains, or use grid"
        )
    known = orientations or Orientations(random_rotations(structure.n_grains, seed=structure.seed or 0))
    if len(known.rotations) <= structure.n_grains:
        raise InputError(
            f"{len(known.rotations)} rotations are given; allowed: {structure.n_grains + 1} or more, one per grain after row 0"
        )
    cosines, axes = np.sqrt(known.squared_cosines()), np.sqrt(direction_table()[ALONG_AXES:])
    nearest = [np.argmax(np.round(cosines[:, axis] @ axes.T, 12), axis=1) for axis in range(3)]
    return np.ascontiguousarray(np.stack(nearest, axis=1) + ALONG_AXES).astype(np.uint8)


@inline_kernel
def _direction(axis, grain, mode, table):  # type: ignore[no-untyped-def]
    if mode == 0:
        return np.int64(0)
    if mode == 1:
        return np.int64(1 + axis)
    return np.int64(table[grain, axis])


@inline_kernel
def _code(axis, classes, labels, grains, by_grain, phase_of_label, mode, table, phases, n, i, j, k):  # type: ignore[no-untyped-def]
    """Return a class and the directions on its two sides as one number, in the order of its phases."""
    class_ = np.int64(classes[i, j, k])
    if class_ == 0:
        return np.int64(0)
    nx, ny, nz = labels.shape
    i1 = (i + 1) % nx if axis == 0 else i
    j1 = (j + 1) % ny if axis == 1 else j
    k1 = (k + 1) % nz if axis == 2 else k
    a, b = phase_of_label[labels[i, j, k]], phase_of_label[labels[i1, j1, k1]]
    grain_a = grains[i, j, k] if by_grain else np.int32(0)
    grain_b = grains[i1, j1, k1] if by_grain else np.int32(0)
    first, second = _direction(axis, grain_a, mode[a], table), _direction(axis, grain_b, mode[b], table)
    if a > b or (a == b and first > second):
        first, second = second, first
    if min(a, b) != phases[class_, 0] or max(a, b) != phases[class_, 1]:
        first, second = np.int64(0), np.int64(0)
    return (class_ * n + first) * n + second


@parallel_kernel
def _mark(axis, classes, labels, grains, by_grain, phase_of_label, mode, table, phases, n, seen):  # type: ignore[no-untyped-def]
    for i in prange(labels.shape[0]):
        for j in range(labels.shape[1]):
            for k in range(labels.shape[2]):
                at = _code(axis, classes, labels, grains, by_grain, phase_of_label, mode, table, phases, n, np.int64(i), j, k)
                if not seen[at]:
                    seen[at] = True


@parallel_kernel
def _assign(axis, classes, labels, grains, by_grain, phase_of_label, mode, table, phases, n, position, out):  # type: ignore[no-untyped-def]
    for i in prange(labels.shape[0]):
        for j in range(labels.shape[1]):
            for k in range(labels.shape[2]):
                at = _code(axis, classes, labels, grains, by_grain, phase_of_label, mode, table, phases, n, np.int64(i), j, k)
                out[i, j, k] = position[at]
