"""Compute one case: a pure function of its input. Its structure is built once and shared with the cases that have the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from cofire.building import build
from cofire.estimates import Estimate, of_graph, of_hops, of_solver
from cofire.study.case import StudyCase
from kmc.axes import AXES, Boundary, own_boundary
from kmc.conduction import conduct
from kmc.hopping import run_tracers
from kmc.network import Network, build_network
from kmc.percolation import percolate
from microstructures.errors import FormatError, InputError
from microstructures.formats import read, write
from microstructures.images.pipeline import import_image
from microstructures.materials import CARRIERS
from microstructures.morphology import describe
from microstructures.structure import VoxelStructure

Say = Callable[[str], Any]


def compute_case(case: StudyCase, structures: Path | None = None, say: Say = lambda text: None) -> dict[str, Any]:
    """Build or read the structure of a case, and ask its estimators about its carriers.

    Parameters
    ----------
    case : StudyCase
        Everything that decides the result.
    structures : Path, optional
        A folder where structures are kept by the hash of what they are made of.
    say : callable
        Told what is being done.

    Returns
    -------
    dict
        `rows`, one for each carrier and estimator, and `structure`, what was measured of it; the same bits whenever and wherever.
    """
    structure = structure_of(case, structures, say)
    say("measuring")
    measured = describe(structure, two_point=False)
    boundary: Boundary = case.run["boundary"] or own_boundary(structure)
    materials = case.materials
    rows: list[dict[str, Any]] = []
    network: Network | None = None
    for carrier in case.carriers:
        network = build_network(
            structure if network is None else network.faces, materials, carrier=carrier,
            temperature_C=case.run["temperature_C"], smooth_insulators=case.run["smooth_insulators"],
        )  # fmt: skip
        for estimator in case.run["estimators"]:
            say(f"{carrier}, {estimator}")
            rows.append({"carrier": carrier, **_row(_ask(estimator, network, boundary, case))})
    return {"rows": rows, "structure": measured}


def _ask(estimator: str, network: Network, boundary: Boundary, case: StudyCase) -> Estimate:
    axis = case.run["axis"]
    if estimator == "solver":
        return of_solver(network, conduct(network, axis=axis, boundary=boundary, keep_potential=True))
    if estimator == "graph":
        return of_graph(percolate(network, axis=axis, boundary=boundary))
    carrier = CARRIERS.index(network.carrier)
    found = run_tracers(
        network, boundary=boundary, hops=case.run["hops"], seed=case.seed, replica=case.replica, case=carrier
    )  # fmt: skip
    return of_hops(found, AXES if axis == "all" else axis)


def _row(found: Estimate) -> dict[str, Any]:
    return {
        "estimator": found.estimator,
        "sigma_eff_S_per_m": found.mean_S_per_m,
        "sigma_eff_stderr_S_per_m": found.own_stderr_S_per_m,
        **{f"sigma_eff_{axis}_S_per_m": value for axis, value in found.by_axis_S_per_m.items()},
        "outcome": str(found.outcome),
        **found.more,
    }


def structure_of(case: StudyCase, structures: Path | None, say: Say = lambda text: None) -> VoxelStructure:
    """Return the structure of a case; one that another process builds at this moment is waited for and read."""
    if structures is None:
        return _made(case, say)
    file = structures / f"{case.structure_name}.h5"
    with FileLock(structures / f".{case.structure_name}.lock"):
        if file.is_file():
            say("reading the structure")
            try:
                return read(file)
            except FormatError:  # not ours, or damaged since: build it again
                file.unlink()
        for partial in structures.glob(f".{case.structure_name}.*.partial.h5"):  # of a process that was killed
            partial.unlink(missing_ok=True)
        structure = _made(case, say)
        write(structure, file)
        return structure


def _made(case: StudyCase, say: Say) -> VoxelStructure:
    cell = case.cell
    if "image_sha256" in cell:
        if case.image is None:
            raise InputError(f"case {case.name} needs the image with SHA-256 {cell['image_sha256']}; say where it is")
        say("reading the image")
        phases = None if cell["phases"] is None else {int(label): name for label, name in cell["phases"].items()}
        done = import_image(case.image, voxel_nm=cell["voxel_nm"], phases=phases, segment_grains=cell["segment_grains"])
        if done.structure.recipe.get("sha256", cell["image_sha256"]) != cell["image_sha256"]:
            raise InputError(f"{case.image} has changed since the study was read; start the study again")
        return done.structure
    say(f"building {case.process}")
    return build(
        case.process, size_um=cell["size_um"], voxel_nm=cell["voxel_nm"], seed=case.seed, recipe=case.recipe
    )  # fmt: skip
