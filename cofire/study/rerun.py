"""Compute a stored case once more, and say whether the result is the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.console import plain
from cofire.study.case import StudyCase
from cofire.study.compute import compute_case
from cofire.study.differences import first_difference
from cofire.study.folder import load_case
from cofire.version import __version__, library_versions
from microstructures.errors import InputError
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class Rerun(InNotebook):
    """What a case gave when it was computed again; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    same : bool
        Whether every number is the same, bit for bit.
    difference : str or None
        The first number that is not.
    versions : dict
        Packages whose version has changed: stored and present.
    rows : list of dict
        The rows computed now.
    """

    name: str
    same: bool
    difference: str | None
    versions: Mapping[str, tuple[str, str]]
    rows: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {
            "case": self.name, "same": self.same, "difference": self.difference,
            "versions": {name: list(pair) for name, pair in self.versions.items()}, "rows": self.rows,
        }  # fmt: skip


def rerun(path: str | Path, *, image: str | Path | None = None, say: Callable[[str], Any] = lambda text: None) -> Rerun:
    """Compute a stored case again from its input alone, structure included.

    Parameters
    ----------
    path : path
        A folder `DIR/cases/NAME`, or the `case.json` in it.
    image : path, optional
        Where the image of an image case lies now.
    say : callable
        Told what is being done.

    Raises
    ------
    InputError
        If there is no such case, or its image is missing or another one.
    """
    given = Path(path).expanduser()
    stored = load_case(_file_of(given))
    case = StudyCase.of_input(stored["input"], None if image is None else Path(image).expanduser())
    if case.name != stored["name"]:
        raise InputError(f"{given}: the input gives the name {case.name}, not {stored['name']}; it was changed by hand")
    found = plain(compute_case(case, None, say))
    was = {key: stored[key] for key in ("rows", "structure")}
    rows = [dict(enumerate(one["rows"])) for one in (was, found)]
    difference = first_difference({**was, "rows": rows[0]}, {**found, "rows": rows[1]})
    before = stored["provenance"]["versions"]
    now = {**library_versions(), "cofire": __version__}
    before = {**before, "cofire": stored["provenance"]["version"]}
    changed = {name: (str(before[name]), now[name]) for name in now if name in before and before[name] != now[name]}
    return Rerun(case.name, difference is None, difference, changed, found["rows"])


def _file_of(given: Path) -> Path:
    """Return the file of a case that is named by its folder, its file, or DIR/NAME."""
    for candidate in (given / "case.json", given.parent / "cases" / given.name / "case.json"):
        if os.path.isfile(candidate):
            return candidate
    return given
