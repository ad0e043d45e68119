"""Sort every voxel face of a structure into its class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.classes import BLOCKED, FILM_HALF_WIDTH, FILM_LEVELS, ClassCode, FaceTable
from kmc.faces.columns import add_contacts, class_columns
from kmc.faces.film_window import film_distances
from kmc.faces.film_zones import film_zones
from kmc.faces.listed_pairs import pair_keys
from kmc.faces.orientations import Orientations, direction_table, orient_faces
from kmc.faces.point_contacts import select_faces
from kmc.faces.steps import CROSSING, PLAIN, has_room, mark_beside
from kmc.faces.thin_shells import ShellClasses, ShellLook
from microstructures.errors import InputError
from microstructures.jit import inline_kernel, kernel, parallel_kernel
from microstructures.materials import CARRIERS, Conductor, Materials
from microstructures.structure import VoxelStructure
from microstructures.voxels.interface_normals import AREA_LEVELS, area_level


def build_faces(
    structure: VoxelStructure,
    materials: Materials,
    orientations: Orientations | None = None,
    *,
    smooth_insulators: bool = False,
) -> FaceTable:
    """Sort every face of `structure` into a class.

    Parameters
    ----------
    structure : VoxelStructure
        Voxels, grains and point contacts.
    materials : Materials
        Which interfaces resist, which phases bear films or are anisotropic; no value of a temperature enters.
    orientations : Orientations, optional
        Of the grains of phases with orientation `random-grain`; drawn from the structure's seed unless given.
    smooth_insulators : bool
        Whether the steps of the boundaries of insulators are made up for too (`kmc.steps`).

    Returns
    -------
    FaceTable

    Raises
    ------
    InputError
        If the structure holds a phase that the materials do not know, or point contacts, films or thin shells in voxels
        that are not cubes; if the thin shells are out of order or too thick; if orientations need grains that are absent.
    """
    names, phase_of_label = match_phases(structure, materials)
    n = len(names)
    pairs = [pair for pair in materials.film_pairs() if pair[0] in names and pair[1] in names]
    code = ClassCode(n_phases=n, n_films=len(pairs))
    cubic = np.ptp(structure.voxel_size) <= 1e-9 * max(structure.voxel_size)
    if not cubic and (pairs or structure.contacts is not None or structure.shells is not None):
        what = "films" if pairs else "point contacts" if structure.contacts is not None else "thin shells"
        raise InputError(f"{what} need cubic voxels, got {structure.voxel_nm} nm; resample the image to cubic voxels")
    look = _Look(structure, names, phase_of_label, materials, pairs, code, smooth_insulators)
    raw = [look.codes(axis) for axis in range(3)]
    raw_plates = [(look.plate_codes(axis, 0), look.plate_codes(axis, 1)) for axis in range(3)]
    seen = np.zeros(code.space, dtype=np.bool_)
    seen[BLOCKED] = True
    for part in (*raw, *(plate for pair in raw_plates for plate in pair)):
        _mark(part.reshape(-1), seen)
    codes = np.flatnonzero(seen)
    columns = class_columns(code, codes)
    chosen = None if structure.contacts is None else select_faces(structure)
    n_contacts = 0 if chosen is None else len(chosen.faces_per_contact)
    layers = look.find_layers(raw, raw_plates)
    n_codes = len(codes) + (0 if layers is None else len(layers.plain))
    dtype = np.uint16 if n_codes + n_contacts <= 0xFFFF else np.uint32
    position: NDArray[np.unsignedinteger] = np.zeros(code.space, dtype=dtype)
    position[codes] = np.arange(len(codes))
    of_axis = [position[part] for part in raw]
    del raw
    plates = tuple((position[low], position[high]) for low, high in raw_plates)
    shells = None
    if layers is not None:
        for part, found in zip((*of_axis, *(plate for pair in plates for plate in pair)), layers.parts, strict=True):
            part.reshape(-1)[found[0]] = len(codes) + found[1]
        like = position[layers.plain]
        columns = {name: np.concatenate([values, values[like]]) for name, values in columns.items()}
        bare: NDArray[np.int64] = np.zeros(n_codes + n_contacts, dtype=np.int64)
        bare[len(codes) : n_codes] = layers.shell
        shells = look.describe_layers(bare)
    if chosen is not None:
        add_contacts(columns, chosen, np.sort(phase_of_label[chosen.labels], axis=1), names, pairs)
        for axis in range(3):
            mine = chosen.axis == axis
            of_axis[axis][tuple(chosen.voxel[mine].T)] = n_codes + chosen.contact[mine]
    direction = None
    oriented = orient_faces(structure, materials, names, phase_of_label, orientations, of_axis, plates, columns["phases"])
    if oriented is not None:
        of_axis, plates, direction, parent = oriented.of_axis, oriented.plates, oriented.direction, oriented.parent
        columns = {name: values[parent] for name, values in columns.items()}
        if shells is not None:
            same = {name: getattr(shells, name)[parent] for name in ("bin", "low", "high", "aligned")}
            shells = replace(shells, **same)
    return FaceTable(
        structure=structure,
        of_axis=(of_axis[0], of_axis[1], of_axis[2]),
        plates=plates,
        phase_names=names,
        phase_of_label=phase_of_label,
        smooth_insulators=smooth_insulators,
        film_pairs=tuple(pairs),
        shells=shells,
        direction=direction,
        directions=None if direction is None else direction_table(),
        **columns,
    )


def match_phases(structure: VoxelStructure, materials: Materials) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """Return the names of the phases present, and the position of each label in them.

    Labels of a structure that names its phases are matched by name, those of a bare image by the materials' labels.
    """
    present = np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256))
    by_label = dict(structure.phases) or materials.names_by_label()
    names: list[str] = []
    phase_of_label = np.zeros(256, dtype=np.uint8)
    for label in present.tolist():
        if label not in by_label:
            allowed = ", ".join(f"{k}={v}" for k, v in sorted(by_label.items()))
            raise InputError(
                f"label {label} ({np.count_nonzero(structure.labels == label)} voxels) has no phase in "
                f"{materials.origin}; known: {allowed}; add a phase with label = {label}"
            )
        name = by_label[label]
        materials.phase(name)
        if name not in names:
            names.append(name)
        phase_of_label[label] = names.index(name)
    if len(names) > 16:
        raise InputError(f"the structure holds {len(names)} phases; allowed: 16; merge labels first")
    return tuple(names), phase_of_label


@dataclass(frozen=True)
class _LayerCodes:
    """Faces near thin layers: each kind is a plain code with a code of the layer.

    `parts` holds, for the faces of each axis and then of each plate, where such faces lie and which kind they are.
    """

    plain: NDArray[np.int64]
    shell: NDArray[np.int64]
    parts: list[tuple[NDArray[np.intp], NDArray[np.int64]]]


class _Look:
    """The arrays that the kernels look at, prepared once."""

    def __init__(
        self,
        structure: VoxelStructure,
        names: tuple[str, ...],
        phase_of_label: NDArray[np.uint8],
        materials: Materials,
        pairs: list[tuple[str, str]],
        code: ClassCode,
        smooth_insulators: bool,
    ) -> None:
        n = len(names)
        self.code = code
        self.labels = structure.labels
        self.has_grains = structure.grains is not None
        self.grains = structure.grains if structure.grains is not None else np.zeros((1, 1, 1), np.int32)
        self.phase_of_label = phase_of_label
        self.wraps = structure.periodic
        size = np.array(structure.voxel_size)
        self.inverse_size = size.min() / size
        self.blocks = structure.contacts is not None
        self.tilts = np.array([[_resists(materials, a, b) for b in names] for a in names])
        self.keys, self.side_of_phase = pair_keys(structure.shells), np.zeros(n, dtype=np.int8)
        self.layers: ShellLook | None = None
        if structure.shells is not None:
            self._prepare_layers(structure, names, materials)
        self.film_of = np.full((n, n), -1, dtype=np.int16)
        grainy = _phases_with_grains(structure, names, phase_of_label) if self.blocks and self.has_grains else set()
        for index, (bearer, neighbour) in enumerate(pairs):
            if bearer == neighbour or neighbour not in grainy:  # particles touch at points: no film reaches into another one
                self.film_of[names.index(bearer), names.index(neighbour)] = index
        self.bears = (self.film_of >= 0).any(axis=1)
        # of particles that touch at points the contacts are counted with plain faces
        if smooth_insulators and not self.blocks:
            apart = np.outer(self.side_of_phase, self.side_of_phase) == 0
            self.tilts |= apart & np.array([[_insulates_one(materials, a, b) for b in names] for a in names])
        if self.bears.any():
            self.zones, near = film_zones(
                self.labels, self.grains, self.has_grains, phase_of_label, self.film_of, self.bears, self.wraps,
                self.side_of_phase, self.keys,
            )  # fmt: skip
            self.distance, self.coated, self.film = film_distances(
                self.labels, self.grains, self.zones, near, phase_of_label, self.film_of, self.bears, self.wraps,
                self.side_of_phase, self.keys,
            )  # fmt: skip
        else:
            self.zones, self.film = np.zeros((1, 1, 1), np.int32), np.zeros((1, 1, 1), np.int8)
            self.distance = self.coated = np.zeros((1, 1, 1), np.float32)

    def _prepare_layers(self, structure: VoxelStructure, names: tuple[str, ...], materials: Materials) -> None:
        shells = structure.shells
        assert shells is not None
        materials.phase(shells.product)
        for name, side in ((shells.donor, -1), (shells.host, 1)):
            materials.phase(name)
            if name in names:
                self.side_of_phase[names.index(name)] = side
        if shells.donor not in names or shells.host not in names or not len(shells):
            return
        donor, host, product = names.index(shells.donor), names.index(shells.host), shells.product
        entry = _resists(materials, shells.donor, product) or _resists(materials, product, shells.host)
        self.tilts[donor, host] |= entry
        self.tilts[host, donor] |= entry
        for phase in (donor, host):
            self.tilts[phase, phase] |= _resists(materials, product, product)
        self.layers = ShellLook(structure, shells, self.side_of_phase[self.phase_of_label])

    def find_layers(
        self, raw: list[NDArray[np.uint32]], raw_plates: list[tuple[NDArray[np.uint32], NDArray[np.uint32]]]
    ) -> _LayerCodes | None:
        """Return the faces near thin layers, or None without layers; faces that are blocked stay so."""
        if self.layers is None:
            return None
        shell = [self.layers.codes(axis) for axis in range(3)]
        shell += [self.layers.plate_codes(axis, end) for axis in range(3) for end in (0, 1)]
        where, keys = [], []
        for plain, layer in zip((*raw, *(plate for pair in raw_plates for plate in pair)), shell, strict=True):
            where.append(np.flatnonzero((layer > 0) & (plain != BLOCKED)))
            keys.append(plain.reshape(-1)[where[-1]].astype(np.int64) << 32 | layer.reshape(-1)[where[-1]])
        kinds, which = _distinct(np.concatenate(keys))
        ends = np.cumsum([len(part) for part in where])[:-1]
        return _LayerCodes(kinds >> 32, kinds & 0xFFFFFFFF, list(zip(where, np.split(which, ends), strict=True)))

    def describe_layers(self, codes: NDArray[np.int64]) -> ShellClasses:
        """Return what the layer codes of all classes stand for."""
        assert self.layers is not None
        return self.layers.describe(codes)

    def codes(self, axis: int) -> NDArray[np.uint32]:
        """Return the code of every face along `axis`."""
        codes = _codes(
            axis, self.labels, self.grains, self.has_grains, self.phase_of_label, self.wraps, self.inverse_size,
            self.blocks, self.tilts, self.side_of_phase, self.film_of, self.bears, self.zones,
            self.distance, self.coated, self.film, self.code.film_codes,
        )  # fmt: skip
        mark_beside(codes, axis, self.labels, self.phase_of_label, self.code.n_phases, self.code.film_codes)
        return codes

    def plate_codes(self, axis: int, end: int) -> NDArray[np.uint32]:
        """Return the code of the face between every voxel of an outer plane and its mirror image."""
        at = (slice(None),) * axis + (-1 if end else 0,)
        phase = self.phase_of_label[self.labels[at]].astype(np.int64)
        film: NDArray[np.int64] = np.zeros(phase.shape, dtype=np.int64)
        if self.bears.any():
            film = _film_codes(
                *(np.ascontiguousarray(part[at]) for part in (self.zones, self.distance, self.coated, self.film))
            )
        pair = phase * self.code.n_phases + phase
        return (1 + pair * (AREA_LEVELS + 1) * self.code.film_codes + film).astype(np.uint32)


def _distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the sorted distinct keys and where each key stands among them, by hashing: many keys, few of them distinct."""
    from pandas import factorize

    which, kinds = factorize(keys)
    order = np.argsort(kinds)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return kinds[order], rank[which]


def _phases_with_grains(structure: VoxelStructure, names: tuple[str, ...], phase_of_label: NDArray[np.uint8]) -> set[str]:
    """Return the phases of which some voxel belongs to a grain."""
    assert structure.grains is not None
    found = np.bincount(structure.labels[structure.grains > 0], minlength=256) > 0
    return {names[phase] for phase in phase_of_label[found].tolist()}


def _resists(materials: Materials, a: str, b: str) -> bool:
    for carrier in CARRIERS:
        interface = materials.interface(a, b, carrier)
        if interface is not None and interface.area_specific_resistance_ohm_m2 != 0.0:
            return True
    return False


def _insulates_one(materials: Materials, a: str, b: str) -> bool:
    """Return whether some carrier moves on one side of a|b only."""
    return any(_conducts(materials.conductor(a, carrier)) != _conducts(materials.conductor(b, carrier)) for carrier in CARRIERS)


def _conducts(conductor: Conductor | None) -> bool:
    return conductor is not None and conductor.conductivity_S_per_m != 0.0


@inline_kernel
def film_code(which, distance, share):  # type: ignore[no-untyped-def]
    """Return the film part of a face's code: a raised cosine of the distance is the share of the film it carries."""
    if which < 0 or abs(distance) >= FILM_HALF_WIDTH:
        return 0
    level = round(0.5 * (1.0 + math.cos(math.pi * distance / FILM_HALF_WIDTH)) * share * FILM_LEVELS)
    return 1 + which * FILM_LEVELS + level - 1 if level > 0 else 0


@kernel
def _film_codes(zones, distance, coated, film):  # type: ignore[no-untyped-def]
    """Return the film codes of the voxels of an outer plane with their mirror images."""
    out = np.zeros(zones.shape, dtype=np.int64)
    for p in range(zones.shape[0]):
        for q in range(zones.shape[1]):
            if zones[p, q] > 0:
                out[p, q] = film_code(np.int64(film[p, q]), distance[p, q], coated[p, q])
    return out


@parallel_kernel
def _codes(  # type: ignore[no-untyped-def]
    axis, labels, grains, has_grains, phase_of_label, wraps, inverse_size, blocks, tilts, side, film_of, bears, zones,
    distance, coated, film, film_codes,
):  # fmt: skip
    nx, ny, nz = labels.shape
    n_phases = len(bears)
    half_films = (film_codes - 1) // 2
    any_film = half_films > 0
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    out = np.empty((nx, ny, nz), dtype=np.uint32)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
                a, b = phase_of_label[labels[i, j, k]], phase_of_label[labels[i1, j1, k1]]
                grain_a = grains[i, j, k] if has_grains else 0
                grain_b = grains[i1, j1, k1] if has_grains else 0
                crosses = a != b or grain_a != grain_b
                if blocks and grain_a != grain_b and grain_a > 0 and grain_b > 0:
                    out[i, j, k] = 0
                    continue
                level = 0
                if crosses and tilts[a, b]:
                    level = area_level(labels, grains, has_grains, i, j, k, axis, wraps, inverse_size)
                state = 0
                if any_film and zones[i, j, k] > 0 and film[i, j, k] >= 0 and film[i1, j1, k1] >= 0:
                    if zones[i, j, k] == zones[i1, j1, k1]:
                        middle = 0.5 * (distance[i, j, k] + distance[i1, j1, k1])
                        share = 0.5 * (coated[i, j, k] + coated[i1, j1, k1])
                        state = film_code(np.int64(film[i, j, k]), middle, share)
                    elif a == b and bears[a] and film_of[a, a] >= 0:
                        state = half_films + (film_of[a, a] + 1) * FILM_LEVELS
                low, high = min(a, b), max(a, b)
                role = PLAIN
                if level > 1 and state <= half_films and side[a] * side[b] == 0:
                    role = CROSSING if has_room(labels, grains, has_grains, i, j, k, axis, wraps) else PLAIN
                pair = (role * n_phases + np.int64(low)) * n_phases + high
                out[i, j, k] = 1 + (pair * (AREA_LEVELS + 1) + level) * film_codes + state
    return out


@parallel_kernel
def _mark(codes, seen):  # type: ignore[no-untyped-def]
    for n in prange(codes.shape[0]):
        if not seen[codes[n]]:
            seen[codes[n]] = True
