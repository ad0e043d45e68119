"""Run a study: every case once, on any number of processes; whatever is interrupted goes on where it stopped."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.memory.guard import workers_that_fit
from cofire.memory.machine import available_memory_bytes
from cofire.store import open_folder, remove_if_empty
from cofire.study.case import StudyCase
from cofire.study.folder import DiskFullError, StudyFolder
from cofire.study.lock import OWN_FILES, only_driver, refuse_if_driven
from cofire.study.plan import Plan, make_plan, refuse_another
from cofire.study.study_file import Study
from cofire.study.table import Table
from cofire.study.task import compute_and_store, reason_of
from cofire.version import __version__
from cofire.workers import Workers, worker_count
from microstructures.errors import InputError
from microstructures.notebook import InNotebook

SMALLEST_FREE_BYTES = 10_000_000
TABLE_SHARE = 0.02
"""Of the time, at most, that goes into writing the table while cases run."""
Progress = Callable[[float | None, str], Any]


@dataclass(frozen=True)
class SweepResult(InNotebook):
    """What a run of a study came to; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    folder : Path
        Where everything lies.
    cases, done, computed : int
        Distinct cases of the study, those finished, and those of them that this run computed.
    failed : dict of str to str
        Reason by name of a case.
    stopped : bool
        Whether the run was asked to stop before its end.
    """

    folder: Path
    name: str
    cases: int
    done: int
    computed: int
    failed: Mapping[str, str]
    stopped: bool
    workers: int
    seconds: float

    @property
    def outcome(self) -> str:
        """Return "done", "some-failed" or "stopped"."""
        return "stopped" if self.stopped else "some-failed" if self.failed else "done"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "folder": str(self.folder),
            "name": self.name,
            "outcome": self.outcome,
            "cases": self.cases,
            "done": self.done,
            "computed": self.computed,
            "failed": dict(self.failed),
            "table": str(self.folder / "table.csv"),
            "workers": self.workers,
            "seconds": self.seconds,
        }


def sweep(
    study: str | Path | Study,
    *,
    out: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    extend: bool = False,
    many: bool = False,
    order: Callable[[list[str]], list[str]] = list,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress = lambda share, text: None,
    note: Callable[[str], Any] = lambda text: None,
) -> SweepResult:
    """Compute every case of a study that is not finished yet.

    Parameters
    ----------
    study : path or Study
        The study file; see `cofire.study.study_file`.
    out : path, optional
        Folder; the next free `cofire-sweep` unless given.
    workers : int, optional
        Processes; one per core unless given, and fewer where memory would not do. Results do not depend on it.
    scheduler : str, optional
        Address of a dask scheduler to use instead.
    resume : bool
        Whether to go on in a folder that holds this study.
    extend : bool
        Whether to go on in a folder that holds another version of it: cases that both have are kept.
    many : bool
        Whether more than 10 000 cases are meant.
    order : callable
        Gets the names of the cases to compute and returns them in the order to begin them.
    stop : callable
        Once it says so, what runs is finished and nothing new begun.
    progress, note : callable
        Told the share done and a short text; told what the user should know.

    Returns
    -------
    SweepResult

    Raises
    ------
    InputError
        If something about study or folder is wrong; nothing is computed then.
    DiskFullError
        If there is no room; what is stored is whole.
    """
    clock = time.monotonic()
    folder = _folder(out, resume, extend, note)
    try:
        plan = make_plan(study, many=many, seed=_seed_of(folder))
    except BaseException:
        remove_if_empty(folder.path)
        raise
    with only_driver(folder.path):
        _adopt(plan, folder, resume, extend, note)
        folder.sweep_out()
        todo = _todo(plan, folder, order)
        count = min(worker_count(workers, len(todo)), 10**6) if scheduler is None else 1
        used = count if scheduler is not None else max(1, workers_that_fit(count, plan.bytes_each))
        if used < count:
            note(
                f"{used} of {count} processes: each takes up to {plan.bytes_each / 1e9:.1f} GB, "
                f"{available_memory_bytes() / 1e9:.1f} GB are free"
            )
        run = _Run(plan, folder, todo, progress, note)
        if todo:
            with Workers(used, scheduler=scheduler, apart=True) as pool:
                if pool.dashboard:
                    note(f"what the processes do: {pool.dashboard}")
                run.go(pool, stop)
        run.table.write()
        folder.sweep_out()
        done = sum(folder.is_done(case.name) for case in plan.cases)
        names = {case.name for case in plan.cases}
        failed = {name: reason for name, reason in folder.reasons().items() if name in names}
        stopped = stop() and done + len(failed) < len(plan.cases)
    return SweepResult(
        folder.path, plan.study.name, len(plan.cases), done, run.computed, failed, stopped, used, round(time.monotonic() - clock, 1)
    )  # fmt: skip


class _Run:
    """The part of a sweep that computes."""

    def __init__(
        self, plan: Plan, folder: StudyFolder, todo: Sequence[StudyCase], progress: Progress, note: Callable[[str], Any]
    ) -> None:  # fmt: skip
        self.folder, self.todo, self.progress, self.note = folder, todo, progress, note
        self.table = Table(folder)
        self.computed = 0
        self._before, self._cases = len(plan.cases) - len(todo), len(plan.cases)
        self._written = self._writing = 0.0

    def go(self, pool: Workers, stop: Callable[[], bool]) -> None:
        """Compute what is to do, and keep the table up to date."""
        items = [(case, self.folder.path) for case in self.todo]
        for index, found in pool.finished(compute_and_store, items, self._say, choose=self._choose, stop=stop):
            case = self.todo[index]
            if isinstance(found, DiskFullError):
                raise found
            if isinstance(found, BaseException):
                self.folder.store_failure(case, reason_of(found))
                self.note(f"case {case.name} failed: {reason_of(found)}")
                continue
            self.computed += 1
            self.table.refresh({case.name})
            self._write_now_and_then()
        self._say(len(self.todo), "")

    def _say(self, done: int, text: str) -> None:
        done += self._before
        self.progress(done / max(1, self._cases), f"{done} of {self._cases} cases   {text}")

    def _choose(self, waiting: list[int], running: list[int]) -> int:
        """Return the place of the first case whose structure nobody is building at this moment."""
        busy = {self.todo[index].structure_name for index in running}
        return next((place for place, index in enumerate(waiting) if self.todo[index].structure_name not in busy), 0)

    def _write_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._written >= self._writing / TABLE_SHARE:
            self.table.write()
            self._written = time.monotonic()
            self._writing = self._written - now


def _seed_of(folder: StudyFolder) -> int | None:
    """Return the seed that an earlier run drew or was given."""
    return int(folder.plan["study"]["seed"]) if folder.plan_file.exists() else None


def _todo(plan: Plan, folder: StudyFolder, order: Callable[[list[str]], list[str]]) -> list[StudyCase]:
    done = folder.done()
    by_name = {case.name: case for case in plan.cases if case.name not in done}
    return [by_name[name] for name in order(list(by_name))]


def _folder(out: str | Path | None, resume: bool, extend: bool, note: Callable[[str], Any]) -> StudyFolder:
    """Return the folder to compute in; one that holds something is refused unless the run goes on there."""
    if out is None:
        if resume or extend:
            raise InputError(f"--{'resume' if resume else 'extend'} needs --out DIR, the folder to go on in")
        return StudyFolder(open_folder(None, "cofire-sweep", overwrite=False))
    path = Path(out).expanduser()
    refuse_if_driven(path)
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    held = "study.json" in names
    if held and not (resume or extend):
        raise InputError(f"--out {path} holds a study already; add --resume to go on with it, or choose another folder")
    if not held and names - OWN_FILES:
        raise InputError(f"--out {path} is not empty and holds no study; choose another folder")
    if not held and resume:
        note(f"{path} holds no study yet; it is begun")
    return StudyFolder(open_folder(path, "cofire-sweep", overwrite=True))


def _adopt(plan: Plan, folder: StudyFolder, resume: bool, extend: bool, note: Callable[[str], Any]) -> None:
    """Store the plan in a new folder, or see that it is the one that lies there."""
    if folder.plan_file.exists() and not extend:
        refuse_another(plan, folder, "choose another --out, or --extend to keep the cases that both have")
        if folder.plan["version"] != __version__:
            note(f"begun by cofire {folder.plan['version']}, this is {__version__}; cases that are finished are kept")
    else:
        folder.store_plan(plan.stored())
    folder.make()
    if plan.study.drawn:
        note(f"the study names no seed; drawn: {plan.study.seed}")
    twice = len(plan.planned) - len(plan.cases)
    if twice:
        note(f"{twice} of {len(plan.planned)} cases are the same as others; they are computed once")
    free = shutil.disk_usage(folder.path).free
    if free < SMALLEST_FREE_BYTES:
        raise InputError(
            f"{folder.path} has {free / 1e6:.0f} MB free; allowed: {SMALLEST_FREE_BYTES / 1e6:.0f} MB or more; "
            "make room or choose another disk"
        )
