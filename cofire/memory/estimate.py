"""How much memory a calculation will take, from the shape of its structure and what is asked of it, before anything is begun.

The peak of resident memory of one process is that of its most demanding stage: what the interpreter, its libraries and the
compiled kernels take, and a number of bytes for every voxel, since all large arrays have the shape of the structure. Thin
reaction layers add classes of faces, kinetic Monte Carlo the places of its carriers. `benchmarks/memory.py` compares with what
processes really take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from microstructures.errors import InputError, did_you_mean
from microstructures.materials import CARRIERS
from microstructures.recipe import InterphaseRecipe, Recipe, load_recipe
from microstructures.units import NM, UM

Kind = Literal["co-fired", "cold-pressed", "image"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ESTIMATORS = ("solver", "graph", "kMC")
"""Who can be asked in a case."""
Shape = Sequence[int]


class Stage(NamedTuple):
    """What a process takes at the peak of a stage: fixed memory [MB], and bytes a voxel of each kind of structure."""

    base_MB: float
    fired: float
    pressed: float
    image: float

    def peak_bytes(self, kind: Kind, voxels: int) -> float:
        """Return the peak for so many voxels."""
        return 1e6 * self.base_MB + dict(zip(KINDS, self[1:], strict=True))[kind] * voxels


STAGES = {
    "build": Stage(192, 32, 13, 0),
    "build, thin layer": Stage(192, 18, 13, 0),
    "solver": Stage(222, 86, 87, 84),
    "graph": Stage(262, 82, 74, 82),
    "hops": Stage(240, 134, 215, 178),
    "hops between plates": Stage(240, 100, 120, 165),
    "lattice gas": Stage(212, 284, 284, 284),
    "import": Stage(150, 0, 0, 24),
    "import, grains told apart": Stage(213, 0, 0, 25),
}
"""Measured on fresh processes with kernels compiled before (`ru_maxrss`, Linux, Python 3.11): 61 runs of the commands on bodies of
0.1 to 11 million voxels, straight lines through them; the structure, its faces and clusters are included."""
KEPT_POTENTIAL = 8.0
"""Bytes a voxel of each potential that a solver keeps."""
GRAIN_VOXEL_BYTES, GRAIN_VOXEL_BYTES_A_THREAD = {"ion": 1700, "electron": 3000}, 650
"""What the graph takes for each voxel of the largest grain, whose currents from contact to contact it solves for: electrons enter
it through films too. A thread more solves for another grain. Bodies of equal shape differ by up to a fifth here."""
LARGEST_GRAIN_UM3 = {"co-fired": 1.64, "cold-pressed": 0.20}
"""The largest grain of bodies of the default recipe, 1 and 0.5 um wide in the mean."""
PIECE_BYTES, PIECE_BYTES_A_THREAD = 290, 110
"""The same of an image without grains, a large piece of each phase: bytes a voxel of the image, for one thread and a second."""
CASE_MB, CASE_BYTES, MOST_CASE_VOXELS = 60, 100, 3_000_000
"""What a process that asks several estimators takes beyond its most demanding stage: the kernels of the others, and bytes a voxel
that the C library keeps of arrays given back; large ones it returns to the system."""
WALKER_BYTES = 2100
"""What a carrier takes, mostly its last 65 places, if the user says how many there are; the usual thousands are in the base."""
PARTICLE_BYTES = 450
"""What a particle of the green body takes."""
LAYER_CLASS_BYTES = {"solver": 1000, "graph": 2000, "hops": 800}
"""What a class of faces near a thin reaction layer takes."""
LAYER_CLASSES_PER_FACE, MOST_LAYER_CLASSES = 11.0, 260_000
"""Classes that thin layers make for each voxel face of 1 um^2 of every um^3, until nearly all that there can be have been seen."""


def build_bytes(process: str, *, size_um: float, voxel_nm: float, recipe: Recipe | str | Path | None = None) -> int:
    """Return the peak memory [bytes] of a process that builds a body and writes it.

    Parameters
    ----------
    process : "cold-pressed" or "co-fired"
        What is done to the green body.
    size_um, voxel_nm : float
        Edge of the green body [um] and of a voxel [nm].
    recipe : Recipe or path, optional
        Powders, pressing and firing.

    Examples
    --------
    >>> build_bytes("co-fired", size_um=4.0, voxel_nm=25.0) < build_bytes("co-fired", size_um=8.0, voxel_nm=25.0)
    True
    """
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    kind = _kind(process)
    edge = built_edge_voxels(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    stage = "build, thin layer" if kind == "co-fired" and not _has_resolved_layer(known, voxel_nm) else "build"
    particles = known.press.relative_density * (size_um * UM / NM) ** 3 * _particles_per_nm3(known)
    return int(STAGES[stage].peak_bytes(kind, edge**3) + PARTICLE_BYTES * particles)


def conduct_bytes(
    shape: Shape,
    *,
    kind: str = "image",
    voxel_nm: float = 25.0,
    thin_layer: bool = False,
    axes: int = 1,
    keep_potential: bool = False,
) -> int:
    """Return the peak memory [bytes] of a process that reads a structure and solves for its conductivity.

    Parameters
    ----------
    shape : three ints
        Voxels along x, y, z.
    kind : "co-fired", "cold-pressed" or "image"
        Where the structure came from.
    voxel_nm : float
        Voxel edge [nm].
    thin_layer : bool
        Whether it has reaction layers that are too thin for voxels.
    axes : int
        Number of axes solved, 1 or 3.
    keep_potential : bool
        Whether the potentials of all axes are kept.

    Examples
    --------
    >>> round(conduct_bytes((5000, 5000, 5000)) / 1e9)
    10500
    """
    voxels = _voxels(shape)
    kept = KEPT_POTENTIAL * voxels * ((axes - 1) if keep_potential else min(axes - 1, 1))
    return int(STAGES["solver"].peak_bytes(_kind(kind), voxels) + kept + _layer_bytes("solver", shape, voxel_nm, thin_layer))


def percolate_bytes(
    shape: Shape,
    *,
    kind: str = "image",
    voxel_nm: float = 25.0,
    thin_layer: bool = False,
    carrier: str = "ion",
    threads: int | None = None,
) -> int:
    """Return the peak memory [bytes] of a process that reads a structure and finds what percolates.

    Parameters
    ----------
    shape, kind, voxel_nm, thin_layer
        As for `conduct_bytes`.
    carrier : "ion" or "electron"
        What moves.
    threads : int, optional
        Grains solved at once; as many as kernels use unless given.
    """
    known, voxels, more = _kind(kind), _voxels(shape), (threads or _threads()) - 1
    if known == "image":
        grains = float(voxels) * (PIECE_BYTES + PIECE_BYTES_A_THREAD * min(more, 1))
    else:
        largest = min(voxels, LARGEST_GRAIN_UM3[known] / (voxel_nm * NM / UM) ** 3)
        grains = largest * (GRAIN_VOXEL_BYTES.get(carrier, 0) + GRAIN_VOXEL_BYTES_A_THREAD * more)
    return int(STAGES["graph"].peak_bytes(known, voxels) + grains + _layer_bytes("graph", shape, voxel_nm, thin_layer))


def hop_bytes(
    shape: Shape,
    *,
    kind: str = "image",
    voxel_nm: float = 25.0,
    thin_layer: bool = False,
    boundary: str = "periodic",
    mode: str = "tracer",
    walkers: int | None = None,
) -> int:
    """Return the peak memory [bytes] of a process that reads a structure and lets carriers hop through it.

    Parameters
    ----------
    shape, kind, voxel_nm, thin_layer
        As for `conduct_bytes`.
    boundary : "periodic" or "plates"
        Basins are looked for in a periodic box only, and need most of the memory.
    mode : "tracer" or "lattice-gas"
        Independent carriers, or one a site.
    walkers : int, optional
        Number of carriers, where the user says it.
    """
    tracers = "hops" if boundary == "periodic" else "hops between plates"
    stage = STAGES["lattice gas" if mode == "lattice-gas" else tracers]
    more = WALKER_BYTES * (walkers or 0) + _layer_bytes("hops", shape, voxel_nm, thin_layer)
    return int(stage.peak_bytes(_kind(kind), _voxels(shape)) + more)


def case_bytes(
    *,
    process: str,
    size_um: float,
    voxel_nm: float,
    recipe: Recipe | str | Path | None = None,
    carriers: Sequence[str] = CARRIERS,
    estimators: Sequence[str] = ESTIMATORS,
    threads: int | None = None,
) -> int:
    """Return the peak memory [bytes] of a process that builds a body and asks estimators about carriers, one after the other.

    Parameters
    ----------
    process, size_um, voxel_nm, recipe
        As for `build_bytes`.
    carriers : sequence of "ion" and "electron"
        They share the faces; the graph of electrons is the larger one.
    estimators : sequence of "solver", "graph" and "kMC"
        Who is asked, about all axes.
    threads : int, optional
        Threads of the process; as many as its kernels would use here unless given.

    Examples
    --------
    >>> small = case_bytes(process="cold-pressed", size_um=3.0, voxel_nm=50.0, estimators=["solver"])
    >>> small < case_bytes(process="cold-pressed", size_um=3.0, voxel_nm=50.0)
    True
    """
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    edge = built_edge_voxels(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    body = {"kind": process, "voxel_nm": voxel_nm, "thin_layer": has_thin_layer(process, voxel_nm, known)}
    asked = _asked_bytes((edge, edge, edge), carriers, estimators, threads, **body)
    return max(asked, build_bytes(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known))


def image_case_bytes(
    shape: Shape,
    *,
    carriers: Sequence[str] = CARRIERS,
    estimators: Sequence[str] = ESTIMATORS,
    segment_grains: bool = False,
    threads: int | None = None,
) -> int:
    """Return the peak memory [bytes] of a process that imports an image and asks estimators about carriers.

    Parameters
    ----------
    shape : three ints
        Voxels along x, y, z.
    carriers, estimators, threads
        As for `case_bytes`.
    segment_grains : bool
        Whether grains are told apart.
    """
    imported = import_bytes(shape, segment_grains=segment_grains)
    return max(imported, _asked_bytes(shape, carriers, estimators, threads))


def import_bytes(shape: Shape, *, bytes_per_voxel: int = 1, segment_grains: bool = False) -> int:
    """Return the peak memory [bytes] of a process that imports an image, reports on it and repairs it.

    Parameters
    ----------
    shape : three ints
        Voxels along x, y, z.
    bytes_per_voxel : int
        Of the values in the file.
    segment_grains : bool
        Whether grains are told apart.
    """
    stage = STAGES["import, grains told apart" if segment_grains else "import"]
    return int(stage.peak_bytes("image", _voxels(shape)) + (bytes_per_voxel - 1) * _voxels(shape))


def _asked_bytes(shape: Shape, carriers: Sequence[str], estimators: Sequence[str], threads: int | None, **body: Any) -> int:
    """Return the peak of a process that asks estimators about carriers, one after the other."""
    for given, allowed, what in ((carriers, CARRIERS, "carrier"), (estimators, ESTIMATORS, "estimator")):
        unknown = [name for name in given if name not in allowed]
        if unknown:
            raise InputError(f"{what} '{unknown[0]}' is unknown{did_you_mean(str(unknown[0]), allowed)}")
    peaks = {
        "solver": conduct_bytes(shape, axes=3, keep_potential=True, **body),
        "graph": max((percolate_bytes(shape, carrier=name, threads=threads, **body) for name in carriers), default=0),
        "kMC": hop_bytes(shape, **body),
    }
    more = 1e6 * CASE_MB + CASE_BYTES * min(_voxels(shape), MOST_CASE_VOXELS) if len(set(estimators)) > 1 else 0.0
    return max((peaks[name] for name in estimators), default=0) + int(more)


def built_edge_voxels(process: str, *, size_um: float, voxel_nm: float, recipe: Recipe) -> int:
    """Return the voxels along an edge of a body, whether or not it can be built.

    Examples
    --------
    >>> built_edge_voxels("co-fired", size_um=4.0, voxel_nm=25.0, recipe=Recipe())
    140
    """
    return max(1, round(size_um * fired_share(process, recipe) * UM / (voxel_nm * NM)))


def fired_share(process: str, recipe: Recipe) -> float:
    """Return the edge of a body over that of its green body."""
    if process == "cold-pressed":
        return 1.0
    return float((recipe.press.relative_density / recipe.fire.relative_density) ** (1.0 / 3.0))


def thin_layer_classes(shape: Shape, voxel_nm: float) -> float:
    """Return about how many classes of faces thin reaction layers make in a body of that shape.

    Those of grains of about 1 um, as the default recipe fires them: each voxel face near a layer is a class of its own, until
    most of the kinds of faces that there can be have been seen.
    """
    faces = _voxels(shape) * voxel_nm * NM / UM
    return LAYER_CLASSES_PER_FACE * faces / (1.0 + LAYER_CLASSES_PER_FACE * faces / MOST_LAYER_CLASSES)


def has_thin_layer(process: str, voxel_nm: float, recipe: Recipe) -> bool:
    """Return whether a body that is yet to be built will have reaction layers that are too thin for voxels."""
    return process == "co-fired" and recipe.fire.interphase is not None and not _has_resolved_layer(recipe, voxel_nm)


def _layer_bytes(stage: str, shape: Shape, voxel_nm: float, thin_layer: bool) -> float:
    return LAYER_CLASS_BYTES[stage] * thin_layer_classes(shape, voxel_nm) if thin_layer else 0.0


def _threads() -> int:
    from numba import get_num_threads

    return int(get_num_threads())


def _has_resolved_layer(recipe: Recipe, voxel_nm: float) -> bool:
    """Return whether the reaction layer will be made of voxels of its own."""
    from microstructures.firing.interphase import RESOLVED_ABOVE_VOXELS

    layer: InterphaseRecipe | None = recipe.fire.interphase
    if layer is None or layer.representation != "auto":
        return layer is not None and layer.representation == "resolved"
    median_nm = layer.growth(recipe.fire.temperature_C, recipe.fire.hours) * layer.median_nm
    return median_nm >= RESOLVED_ABOVE_VOXELS * voxel_nm


def _particles_per_nm3(recipe: Recipe) -> float:
    """Return the particles in each nm^3 of solid."""
    shares = recipe.solid_fractions()
    return sum(shares[name] / powder.mean_volume_nm3 for name, powder in recipe.powders.items())


def _voxels(shape: Shape) -> int:
    return math.prod(int(n) for n in shape)


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise InputError(f"process is '{name}'{did_you_mean(name, KINDS)}")
