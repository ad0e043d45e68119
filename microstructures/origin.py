"""Who wrote a file, when and with what; and how a file of a newer program is refused."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

from microstructures.errors import FormatError, InputError

PROGRAM = "cofire"
WRITERS = ("numpy", "scipy", "numba", "h5py")
"""Libraries that decide what is in a structure and its file."""


@cache
def installed_version(package: str) -> str:
    """Return the version of an installed package, or "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def program_version() -> str:
    """Return the version of this program."""
    return installed_version(PROGRAM)


def utc(moment: datetime | None = None) -> str:
    """Return a moment, now unless given, as ISO 8601 in UTC, in whole seconds.

    Examples
    --------
    >>> utc(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
    '2024-05-06T07:08:09+00:00'
    """
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def stamp() -> dict[str, Any]:
    """Return who writes now: program, version, time in UTC, host, system, and the versions of Python and of `WRITERS`."""
    return {
        "program": PROGRAM,
        "version": program_version(),
        "written_UTC": utc(),
        "host": platform.node(),
        "system": platform.platform(),
        "versions": {"python": platform.python_version(), **{name: installed_version(name) for name in WRITERS}},
    }


def refuse_newer(
    seen: Any, newest: int, name: str, *, written_by: str | None = None, error: type[InputError] = FormatError
) -> None:
    """Refuse a schema number above the newest that this program reads.

    Parameters
    ----------
    seen : int
        What the file says; anything else passes, and is for the caller to judge.
    newest : int
        The newest schema known here.
    name : str
        What to call the file.
    written_by : str, optional
        Version of the program that wrote it, where the file says so.
    error : class
        What to raise.

    Examples
    --------
    >>> refuse_newer(2, 3, "a.h5")
    >>> refuse_newer(4, 3, "a.h5", written_by="7.0")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    microstructures.errors.FormatError: a.h5 has schema 4 (written by cofire 7.0), newer than this program reads (cofire ...: 3)...
    """
    if isinstance(seen, int) and seen > newest:
        by = "" if written_by is None else f" (written by {PROGRAM} {written_by[:40]})"
        raise error(
            f"{name} has schema {seen}{by}, newer than this program reads ({PROGRAM} {program_version()}: {newest}); "
            f"update it: pip install --upgrade {PROGRAM}"
        )
