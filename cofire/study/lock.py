"""One driver in a folder at a time. The system drops the lock when its holder dies, so that no lock is ever stale."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from microstructures.errors import InputError

LOCK, HOLDER = ".driver.lock", ".driver.json"
OWN_FILES = frozenset({LOCK, HOLDER})


@contextmanager
def only_driver(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    Raises
    ------
    InputError
        If another process holds it; host, number and start are named.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _refusal(folder) from None
    try:
        mine = {"host": platform.node(), "pid": os.getpid(), "start_UTC": datetime.now(UTC).isoformat(timespec="seconds")}
        (folder / HOLDER).write_text(json.dumps(mine), encoding="utf-8")
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def refuse_if_driven(folder: Path) -> None:
    """Refuse a folder that another process computes.

    Raises
    ------
    InputError
        If one does.
    """
    if is_driven(folder):
        raise _refusal(folder)


def _refusal(folder: Path) -> InputError:
    return InputError(f"{folder} is being computed by {holder(folder)}; wait for it, end it, or choose another folder")


def holder(folder: Path) -> str:
    """Return who holds the lock, as far as is known.

    Examples
    --------
    >>> holder(Path("nowhere"))
    'another process'
    """
    try:
        found = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {found['pid']} on {found['host']} since {found['start_UTC']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def is_driven(folder: Path) -> bool:
    """Return whether a process holds the lock of a folder."""
    if not (folder / LOCK).exists():
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
