"""The folder of a study: what lies where, and how it gets there in one step.

``study.json``
    The plan: every case with its point, in order.
``cases/NAME/case.json``
    One finished case: input, rows, structure, provenance. Written under another name, synced, renamed: whole or absent.
``failed/NAME.json``
    Why a case failed; tried again by the next run.
``structures/NAME.h5``
    Structures by the hash of what they are made of.
``table.csv``, ``table.parquet``
    All rows of all finished cases, made from the folders and from nothing else.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from cofire.console import plain
from cofire.store import write_json
from cofire.study.case import StudyCase
from microstructures.errors import CofireError, FormatError, InputError

SCHEMA = 1
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SMALLEST_FREE_BYTES = 1_000_000


class DiskFullError(CofireError, OSError):
    """There is no room for another result; what is stored is whole."""

    exit_code = 1


class StudyFolder:
    """Paths and files of a study that is computed, or was.

    Examples
    --------
    >>> StudyFolder(Path("study")).cases.as_posix()
    'study/cases'
    """

    def __init__(self, path: Path) -> None:
        """Name the folder; nothing is made."""
        self.path = path
        self.cases, self.failed, self.structures = path / "cases", path / "failed", path / "structures"
        self.plan_file, self.table = path / "study.json", path / "table"

    def make(self) -> None:
        """Make the rooms that are missing."""
        for folder in (self.cases, self.failed, self.structures):
            folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def plan(self) -> dict[str, Any]:
        """Return the plan that is stored.

        Raises
        ------
        FormatError
            If the folder holds no study, or one of a newer program.
        """
        return _read(
            self.plan_file, "study plan", f"{self.path} is no folder of a study; give one that cofire sweep has written"
        )

    def store_plan(self, plan: Mapping[str, Any]) -> None:
        """Write the plan."""
        self.make()
        write_json(self.plan_file, {"schema": SCHEMA, **plan})
        self.__dict__.pop("plan", None)

    def case_file(self, name: str) -> Path:
        """Return where a finished case lies."""
        return self.cases / name / "case.json"

    def is_done(self, name: str) -> bool:
        """Return whether a case is finished."""
        return self.case_file(name).is_file()

    def done(self) -> set[str]:
        """Return the names of all finished cases, of this plan or of an earlier one."""
        if not self.cases.is_dir():
            return set()
        return {entry.name for entry in os.scandir(self.cases) if entry.name[0] != "." and self.is_done(entry.name)}

    def reasons(self) -> dict[str, str]:
        """Return why cases failed that have not been finished since."""
        files = self.failed.glob("*.json") if self.failed.is_dir() else []
        return {
            file.stem: str(_read(file, "record of a failed case")["reason"])
            for file in sorted(files)
            if not self.is_done(file.stem)
        }

    def store_case(self, case: StudyCase, result: Mapping[str, Any]) -> None:
        """Write a finished case in one step; one that is there already is kept.

        Raises
        ------
        DiskFullError
            If there is no room.
        """
        target, partial = self.cases / case.name, self.cases / f".{case.name}.{_here()}-{os.getpid()}"
        text = json.dumps(
            plain({"schema": SCHEMA, "name": case.name, "input": case.input, **result}), indent=1, allow_nan=False
        )
        try:
            partial.mkdir(parents=True)
            with open(partial / "case.json", "x", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            _sync(partial)
            if not self.is_done(case.name):
                os.replace(partial, target)
                _sync(self.cases)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another process was quicker
                return
            raise self.as_full_disk(error) or error from None
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        (self.failed / f"{case.name}.json").unlink(missing_ok=True)

    def store_failure(self, case: StudyCase, reason: str) -> None:
        """Write why a case failed."""
        write_json(
            self.failed / f"{case.name}.json", {"schema": SCHEMA, "name": case.name, "reason": reason, "input": case.input}
        )

    def load_case(self, name: str) -> dict[str, Any]:
        """Return what is stored of a finished case."""
        return load_case(self.case_file(name))

    def as_full_disk(self, error: BaseException) -> DiskFullError | None:
        """Return the error as one of a full disk if that is what it is; libraries of C do not always tell the system's number."""
        seen: list[BaseException] = []
        cause: BaseException | None = error
        while cause is not None and len(seen) < 10:
            seen.append(cause)
            cause = cause.__cause__ or cause.__context__
        numbers = {getattr(one, "errno", None) for one in seen}
        free = shutil.disk_usage(self.path).free
        if isinstance(error, DiskFullError) or numbers & set(FULL_DISK) or free < SMALLEST_FREE_BYTES:
            return DiskFullError(
                f"no space left in {self.path} ({free / 1e6:.0f} MB free); make room and run again with --resume"
            )
        return None

    def sweep_out(self) -> None:
        """Remove what processes of this machine left half written when they were killed, and locks of structures."""
        for partial in self.cases.glob(f".*.{_here()}-*"):
            if not psutil.pid_exists(int(partial.name.rpartition("-")[2])):
                shutil.rmtree(partial, ignore_errors=True)
        for lock in self.structures.glob(".*.lock"):
            lock.unlink(missing_ok=True)


def load_case(file: Path) -> dict[str, Any]:
    """Return what is stored of a case.

    Raises
    ------
    FormatError
        If the file is absent, damaged, or written by a newer program.
    """
    return _read(file, "case")


def _read(file: Path, what: str, absent: str | None = None) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise InputError(absent or f"{file} does not exist; give a case of a study, like DIR/cases/NAME") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(
            f"{file} cannot be read as a {what}: {' '.join(str(error).split())[:200]}; remove it and resume"
        ) from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if not isinstance(schema, int) or schema < 1:
        raise FormatError(f"{file} is no {what}: it has no schema; remove it and resume")
    if schema > SCHEMA:
        raise FormatError(f"{file} has schema {schema}, newer than this program (schema {SCHEMA}); update cofire")
    return found


def _here() -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in platform.node())


def _sync(folder: Path) -> None:
    """Make the system write a folder's list of names to the disk, where it can."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
