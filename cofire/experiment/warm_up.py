"""Compile and cache every kernel of a comparison before its cases need them, several processes at a time.

The bodies are a chessboard of grains written down by hand, so that compiling what solves need not wait for what builds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cofire.building import PROCESSES, build
from cofire.workers import Workers
from kmc.axes import Boundary
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.conduction.fields import current_density
from kmc.faces.point_contacts import select_faces
from kmc.hopping import run_tracers
from kmc.network import Network, build_network
from kmc.percolation import percolate
from microstructures.features import Coating, PointContacts, ThinShells
from microstructures.formats import write
from microstructures.materials import CARRIERS, load_materials
from microstructures.morphology import describe
from microstructures.recipe import Recipe
from microstructures.structure import VoxelStructure
from microstructures.units import NM

GRAIN, GRAINS, VOXEL_NM = 4, 4, 50.0
"""Voxels along a grain, grains along the box, and the voxel edge [nm]."""
BUILT_UM, BUILT_NM = 2.0, 50.0
PHASES = {1: "LFP", 2: "LATP", 3: "LFTAP"}
HOPS = 2000
Say = Callable[[str], Any]


def warm_up(workers: Workers, say: Callable[[int, str], Any]) -> None:
    """Compile in the processes of a comparison what its cases will run; a process alone compiles as it goes.

    What two parts have in common is compiled by the first of them, before the second begins.
    """
    if workers.count > 1:
        for parts in ([_sort_faces, _build], [_solve, _hop, _percolate]):
            workers.run(_compile, parts, say)


def _compile(part: Callable[[], None], say: Say) -> None:
    say("compiling kernels (first run only)")
    part()


def _build() -> None:
    """Find the faces of point contacts; build and describe a small body of each kind."""
    recipe = Recipe()
    assert recipe.fire.interphase is not None
    select_faces(chessboards()[0])
    for kind in ("thin", "resolved"):
        shell = recipe.fire.interphase.model_copy(
            update={"representation": kind, "thickness_p05_nm": 120.0, "thickness_p95_nm": 150.0}
        )
        used = recipe.model_copy(update={"fire": recipe.fire.model_copy(update={"interphase": shell})})
        for process in PROCESSES:
            structure = build(process, size_um=BUILT_UM, voxel_nm=BUILT_NM, recipe=used)
            describe(structure, two_point=False)
    with tempfile.TemporaryDirectory() as folder:
        write(structure, Path(folder) / "structure.h5")


def _networks() -> Iterator[Network]:
    """Give both carriers' networks of all bodies, with faces as narrow as they can be, and as wide as large bodies need."""
    materials = load_materials()
    for structure in chessboards():
        faces = build_network(structure, materials, carrier="ion").faces
        for bits in (16, 32):
            x, y, z = (_in_bits(codes, bits) for codes in faces.of_axis)
            plates = tuple((_in_bits(low, bits), _in_bits(high, bits)) for low, high in faces.plates)
            wide = replace(faces, of_axis=(x, y, z), plates=plates)
            for carrier in CARRIERS:
                yield build_network(wide, materials, carrier=carrier)


def _in_bits(codes: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.unsignedinteger]:
    return codes.astype(f"u{bits // 8}")


def _sort_faces() -> None:
    for _ in _networks():
        pass


def _solve() -> None:
    """Solve for the currents, their activation energy and density."""
    for network in _networks():
        boundaries: tuple[Boundary, ...] = ("periodic", "plates")
        for boundary in boundaries:
            solved = conduct(network, axis="all", boundary=boundary, keep_potential=True)
            mean_activation_energy_eV(network, solved.solutions)
            if solved.solutions[0].potential is not None:
                current_density(network, solved.solutions[0])


def _percolate() -> None:
    for network in _networks():
        percolate(network, axis="all", boundary="periodic")


def _hop() -> None:
    for network in _networks():
        run_tracers(network, boundary="periodic", hops=HOPS, seed=1)


def chessboards() -> list[VoxelStructure]:
    """Return a pressed body, a fired one with layers of voxels, and one with thin layers: grains of both phases in turn.

    Examples
    --------
    >>> [structure.process for structure in chessboards()]
    ['cold-pressed', 'co-fired', 'co-fired']
    """
    place = (np.arange(GRAIN * GRAINS) + GRAIN // 2) // GRAIN % GRAINS  # some grains go on across the boundary
    x, y, z = np.meshgrid(place, place, place, indexing="ij")
    grains = ((x * GRAINS + y) * GRAINS + z + 1).astype(np.int32)
    labels = ((x + y + z) // 2 % 2 + 1).astype(np.uint8)
    whole = (np.arange(GRAIN * GRAINS) % GRAIN > 0) | (place % 2 == 0)
    pressed, layered = labels.copy(), labels.copy()
    pressed[0, 0, 0] = 0
    layered[~whole] = 3
    common: dict[str, Any] = {
        "voxel_size": (VOXEL_NM * NM,) * 3,
        "phases": {0: "pore", **PHASES},
        "periodic": (True, True, True),
        "coatings": {"LFP": Coating(thickness=5.0 * NM, coverage=0.9)},
    }
    return [
        VoxelStructure(
            pressed,
            grains=np.where(pressed > 0, grains, 0).astype(np.int32),
            contacts=_contacts(),
            process="cold-pressed",
            **common,
        ),
        VoxelStructure(layered, grains=grains, process="co-fired", **common),
        VoxelStructure(labels, grains=grains.copy(), shells=_shells(grains, labels), process="co-fired", **common),
    ]


def _contacts() -> PointContacts:
    """Return contacts of all neighbouring grains, of many radii."""
    pairs, points, normals = [], [], []
    for at, axis in product(product(range(GRAINS), repeat=3), range(3)):
        low, step = np.array(at), np.eye(3, dtype=int)[axis]
        high = (low + step) % GRAINS
        pairs.append([1 + int(np.ravel_multi_index(tuple(cell), (GRAINS,) * 3)) for cell in (low, high)])
        points.append((low + 0.5 * step) * GRAIN * VOXEL_NM * NM)
        normals.append(step.astype(float))
    radius = np.geomspace(5.0, 90.0, len(pairs)) * NM
    return PointContacts(np.array(pairs, dtype=np.int32), np.array(points), np.array(normals), radius, np.zeros(len(pairs)))


def _shells(grains: NDArray[np.int32], labels: NDArray[np.uint8]) -> ThinShells:
    """Return layers between all neighbouring grains."""
    found = set()
    for axis in range(3):
        for shift in (1, -1):
            other = np.roll(grains, shift, axis)
            here = (labels == 1) & (np.roll(labels, shift, axis) == 2)
            found |= set(zip(grains[here].tolist(), other[here].tolist(), strict=True))
    pairs = np.array(sorted(found), dtype=np.int32)
    return ThinShells("LFTAP", "LFP", "LATP", 0.5, pairs, np.full(len(pairs), 20.0 * NM))
