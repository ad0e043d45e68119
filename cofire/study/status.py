"""How far a study is, read from its folder."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.study.folder import StudyFolder
from cofire.study.lock import holder, is_driven, only_driver
from cofire.study.table import Table
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class StudyStatus(InNotebook):
    """How far a study is; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    cases, done : int
        Distinct cases of the plan, and those finished.
    failed : dict of str to str
        Reason by name of a case.
    driver : str or None
        Who computes it at this moment.
    seconds_each : float or None
        Median time of a case, `seconds_left` what the others will take one after another [s].
    """

    folder: Path
    name: str
    cases: int
    done: int
    failed: Mapping[str, str]
    driver: str | None
    seconds_each: float | None
    table: Path | None

    @property
    def seconds_left(self) -> float | None:
        """Return the time that is left for one process [s]; None where no case is finished."""
        return None if self.seconds_each is None else self.seconds_each * (self.cases - self.done)

    def to_dict(self) -> dict[str, Any]:
        """Return the status as plain values."""
        return {
            "folder": str(self.folder), "name": self.name, "cases": self.cases, "done": self.done, "failed": dict(self.failed),
            "driver": self.driver, "seconds_each": self.seconds_each, "seconds_left": self.seconds_left,
            "table": None if self.table is None else str(self.table),
        }  # fmt: skip


def study_status(path: str | Path) -> StudyStatus:
    """Return how far a study is; while nobody computes it, its table is written anew from the folders.

    Raises
    ------
    InputError
        If the folder holds no study.
    """
    folder = StudyFolder(Path(path).expanduser().resolve())
    names = list(dict.fromkeys(entry["name"] for entry in folder.plan["cases"]))
    finished = folder.done()
    done = [name for name in names if name in finished]
    driven = is_driven(folder.path)
    if not driven:
        with only_driver(folder.path):
            Table(folder).write()
    seconds = [float(folder.load_case(name)["provenance"]["seconds"]) for name in done]
    return StudyStatus(
        folder.path, str(folder.plan["name"]), len(names), len(done),
        {name: reason for name, reason in folder.reasons().items() if name in names},
        holder(folder.path) if driven else None,
        statistics.median(seconds) if seconds else None,
        folder.table.with_suffix(".csv") if done else None,
    )  # fmt: skip
