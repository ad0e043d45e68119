"""A study ready to be computed: its cases resolved, what they need of memory, and whether a folder holds the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.memory.estimate import case_bytes, image_case_bytes
from cofire.memory.guard import check_memory
from cofire.memory.reading import room_to_import
from cofire.study.case import StudyCase
from cofire.study.differences import first_difference
from cofire.study.folder import StudyFolder
from cofire.study.resolve import Planned, distinct, resolve_study
from cofire.study.study_file import Study, load_study
from cofire.version import __version__
from microstructures.errors import InputError
from microstructures.formats import read

MANY_CASES = 10_000
WORKER_BYTES = 40_000_000
"""What a process takes to speak with the scheduler, measured: 33 MB."""


@dataclass(frozen=True)
class Plan:
    """A study with its cases resolved and its needs estimated."""

    study: Study
    planned: Sequence[Planned]
    cases: Sequence[StudyCase]
    bytes_each: int

    def stored(self) -> dict[str, Any]:
        """Return the plan as it is kept in the folder."""
        return {
            "program": "cofire", "version": __version__, **self.study.to_dict(),
            "cases": [{"name": one.case.name, "point": dict(one.point), "replica": one.case.replica} for one in self.planned],
        }  # fmt: skip


def make_plan(study: str | Path | Study, *, many: bool = False, seed: int | None = None) -> Plan:
    """Read a study and resolve its cases.

    Parameters
    ----------
    study : path or Study
        The study file.
    many : bool
        Whether more than 10 000 cases are meant.
    seed : int, optional
        The one to take where the study names none; drawn unless given.

    Raises
    ------
    InputError
        If the study or one of its points cannot be computed, there are too many cases, or one does not fit into memory.
    """
    known = study if isinstance(study, Study) else load_study(study, seed)
    if known.count > MANY_CASES and not many:
        raise InputError(
            f"study {known.name} has {known.count} cases (points times replicas); allowed: {MANY_CASES}; vary less, or say --many"
        )
    planned = resolve_study(known)
    cases = distinct(planned)
    needs = {case: _bytes_of(case) + WORKER_BYTES for case in {_size_key(case): case for case in cases}.values()}
    largest = max(needs, key=lambda case: needs[case])
    check_memory(needs[largest], f"case {largest.name} ({largest.process})")
    return Plan(known, planned, cases, needs[largest])


def refuse_another(plan: Plan, folder: StudyFolder, remedy: str) -> None:
    """Refuse a folder that holds other cases than the plan.

    Raises
    ------
    InputError
        It says what differs.
    """
    before, now = folder.plan, plan.stored()
    names = [[entry["name"] for entry in one["cases"]] for one in (before, now)]
    if names[0] != names[1]:
        told = first_difference({k: before[k] for k in ("cell", "run", "study")}, {k: now[k] for k in ("cell", "run", "study")})
        raise InputError(
            f"{folder.path} holds another study: {told or 'a file that it reads, or a default of the program, has changed'}; {remedy}"
        )


def _size_key(case: StudyCase) -> tuple[Any, ...]:
    cell = case.cell
    place = case.image if case.image is not None else (case.process, cell["size_um"], cell["voxel_nm"], str(cell["recipe"]))
    return place, tuple(case.run["carriers"]), tuple(case.run["estimators"])


def _bytes_of(case: StudyCase) -> int:
    cell, asked = case.cell, {"carriers": case.run["carriers"], "estimators": case.run["estimators"]}
    if case.image is None:
        return case_bytes(
            process=case.process, size_um=cell["size_um"], voxel_nm=cell["voxel_nm"], recipe=case.recipe, **asked
        )  # fmt: skip
    phases = None if cell["phases"] is None else {int(label): name for label, name in cell["phases"].items()}
    with room_to_import(None, segment_grains=cell["segment_grains"]):  # what is wrong with the image is told at once
        shape = read(case.image, voxel_nm=cell["voxel_nm"], phases=phases).shape
    return image_case_bytes(shape, segment_grains=cell["segment_grains"], **asked)
