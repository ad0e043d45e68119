"""Face classes: the few hundred kinds of voxel faces that a whole structure is made of.

A face is described once, by what is geometry: which phases meet, whether an interface is crossed and how its true area
compares with the voxel face, whether a film runs there, whether it stands for a point contact. The conductance of a
class follows from the materials, the carrier and the temperature (`kmc.network`), so a new temperature or a new
resistance costs a table, not a structure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.faces.steps import BESIDE, N_ROLES
from kmc.faces.thin_shells import ShellClasses
from microstructures.structure import VoxelStructure
from microstructures.voxels.interface_normals import AREA_LEVELS

BLOCKED = 0
"""Class of a face that never conducts: two grains that touch as voxels but not as particles."""

FILM_LEVELS = 128
"""Steps of the share of a film that one face carries."""

FILM_HALF_WIDTH = 1.5
"""Half width [voxels] of the raised cosine that spreads a film over faces; multiples of 1/2 sum to one on any grid."""


@dataclass(frozen=True)
class FaceTable:
    """Every face of a structure, by class.

    Attributes
    ----------
    structure : VoxelStructure
        What the faces belong to.
    of_axis : tuple of 3 ndarrays of shape (nx, ny, nz), uint16 or uint32
        Class of the face between a voxel and its next neighbour along x, y, z; the last one along an axis is the
        periodic face, used with periodic boundary only.
    plates : tuple of 3 pairs of 2-D ndarrays
        Class of the full face that a voxel on the low and high end of an axis would share with its mirror image; a plate
        sits in the middle of it.
    phase_names : tuple of str
        Names of the phases; classes and voxels refer to them by position.
    phase_of_label : ndarray of shape (256,), uint8
        Position of each label's phase.
    phases : ndarray of shape (n_classes, 2), uint8
        Both phases of a class.
    interface : ndarray of shape (n_classes,), bool
        Whether an interface resistance applies.
    steps : ndarray of shape (n_classes,), uint8
        Whether the class crosses the steps of a tilted interface or lies beside them (`kmc.faces.steps`).
    beyond : ndarray of shape (n_classes,), uint8
        Phase on the other side of the interface; of a face beside steps, of the one it lies beside.
    point_contact : ndarray of shape (n_classes,), bool
        Whether the class stands for a point contact of the structure.
    area_factor : ndarray of shape (n_classes,)
        The interface resistance of one face is R * area_factor / face area.
    step_factor : ndarray of shape (n_classes,)
        The same of the steps that a class crosses or lies beside, in coarser levels; 1 elsewhere.
    spreading : ndarray of shape (n_classes,)
        Extra resistance of each half cell, in units of the half cell itself (point contacts).
    film : ndarray of shape (n_classes,), int16
        Position in `film_pairs`, -1 without a film.
    film_weight : ndarray of shape (n_classes,)
        Share of the sheet conductance that the face carries.
    film_across : ndarray of shape (n_classes,), bool
        Whether the film leads to the interface from both sides (in series with it) instead of along it.
    film_pairs : tuple of (str, str)
        Bearer and neighbour of every film.
    smooth_insulators : bool
        Whether the steps of the boundaries of insulators are made up for too.
    shells : ShellClasses or None
        Where the classes lie towards thin reaction layers; None if the structure has none.
    direction : ndarray of shape (n_classes, 2), uint8, or None
        Position in `directions` of the face's normal, seen from the crystals on both sides; None if all is isotropic.
    directions : ndarray of shape (n_directions, 3) or None
        Squared cosines between a normal and the crystal axes a, b, c; the first stands for isotropic phases.
    """

    structure: VoxelStructure
    of_axis: tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]]
    plates: tuple[tuple[NDArray[np.unsignedinteger], NDArray[np.unsignedinteger]], ...]
    phase_names: tuple[str, ...]
    phase_of_label: NDArray[np.uint8]
    phases: NDArray[np.uint8]
    interface: NDArray[np.bool_]
    steps: NDArray[np.uint8]
    beyond: NDArray[np.uint8]
    point_contact: NDArray[np.bool_]
    area_factor: NDArray[np.float64]
    step_factor: NDArray[np.float64]
    spreading: NDArray[np.float64]
    film: NDArray[np.int16]
    film_weight: NDArray[np.float64]
    film_across: NDArray[np.bool_]
    film_pairs: tuple[tuple[str, str], ...]
    smooth_insulators: bool = False
    shells: ShellClasses | None = None
    direction: NDArray[np.uint8] | None = None
    directions: NDArray[np.float64] | None = None

    @property
    def n_classes(self) -> int:
        """Return the number of classes, the blocked one included."""
        return len(self.phases)

    def face_geometry(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the area [m^2] and the centre-to-centre length [m] of a face along x, y, z."""
        size = np.array(self.structure.voxel_size)
        return size.prod() / size, size


@dataclass(frozen=True)
class ClassCode:
    """Packs what describes an ordinary face into one integer, so that equal faces can be found by equal numbers."""

    n_phases: int
    n_films: int

    @property
    def film_codes(self) -> int:
        """Return the number of film states: none, or one of the films at one of the levels, along or across."""
        return 1 + 2 * self.n_films * FILM_LEVELS

    @property
    def space(self) -> int:
        """Return the number of codes; 0 is the blocked face."""
        return 1 + N_ROLES * self.n_phases**2 * (AREA_LEVELS + 1) * self.film_codes

    def unpack(self, code: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
        """Return steps, phases, area level and film state of every code (code 0 must be dropped before)."""
        rest, film_state = np.divmod(code - 1, self.film_codes)
        pair, level = np.divmod(rest, AREA_LEVELS + 1)
        steps, pair = np.divmod(pair, self.n_phases**2)
        low, beyond = np.divmod(pair, self.n_phases)
        across, state = np.divmod(np.maximum(film_state - 1, 0), max(1, self.n_films * FILM_LEVELS))
        film, film_level = np.divmod(state, FILM_LEVELS)
        bare = film_state == 0
        return {
            "steps": steps,
            "low": low,
            "high": np.where(steps == BESIDE, low, beyond),
            "beyond": beyond,
            "level": level,
            "film": np.where(bare, -1, film),
            "film_level": np.where(bare, -1, film_level),
            "across": np.where(bare, 0, across),
        }
