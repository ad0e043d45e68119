"""The record that every output carries: which program computed it, by which command, from what, with what, where and when."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cofire.plain_values import plain
from cofire.version import __version__, library_versions
from microstructures.errors import CofireError
from microstructures.origin import PROGRAM, utc

SCHEMA = 1
"""Of the record; a change of meaning raises it."""
WRITTEN = frozenset({"out", "png", "html", "fields", "contacts", "graph", "trajectories", "checkpoint", "preview"})
"""Options whose files a command writes; every other option that is a path is read."""
LARGEST_HEADER_BYTES = 65536
DETACHED = re.compile(rb"^(?:data ?file\s*:|ElementDataFile\s*=)\s*(\S+)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Started:
    """When something began, and by which words.

    Attributes
    ----------
    command : str
        The words as typed, or the name of a Python function.
    moment : datetime
        What the clock of the machine said.
    clock_s : float
        What a clock said that nobody can set [s].
    options : mapping or None
        Every option of a command with its value, defaults included.
    """

    command: str
    moment: datetime
    clock_s: float
    options: Mapping[str, Any] | None = None


_running: ContextVar[Started | None] = ContextVar("running", default=None)


def start(command: str = "") -> Started:
    """Start the clock of a record; inside a command of ours the words typed count, not `command`.

    Examples
    --------
    >>> start("cofire.compare").command
    'cofire.compare'
    """
    running = _running.get()
    words = shlex.join(sys.argv) if running is None and not command else command
    return Started(words if running is None else running.command, datetime.now(UTC), time.monotonic())


def record(
    started: Started,
    *,
    input: Mapping[str, Any],
    seed: int | None = None,
    files: Iterable[str | Path] = (),
    threads: int | None = None,
) -> dict[str, Any]:
    """Return the record of what began at `started` and ends now, as plain values.

    Parameters
    ----------
    started : Started
        From `start`.
    input : mapping
        Everything that decides the result, defaults included.
    seed : int, optional
        The first seed.
    files : iterable of path or name
        Every file that was read, and names of shipped materials.
    threads : int, optional
        Threads of the compiled kernels; those of this process unless given.

    Returns
    -------
    dict
        `schema`, `program`, `version`, `command`, `input`, `seed`, `inputs` (by file: `sha256`, `bytes`), `versions`, `threads`,
        `host`, `system`, `start_UTC`, `end_UTC` (as the clock of the machine said) and `seconds` (by a clock nobody can set).

    Examples
    --------
    >>> found = record(start("example"), input={"size_um": 3.0}, seed=1, files=["lfp-latp"])
    >>> found["command"], found["input"], list(found["inputs"])
    ('example', {'size_um': 3.0}, ['lfp-latp'])
    """
    return {
        "schema": SCHEMA,
        "program": PROGRAM,
        "version": __version__,
        "command": started.command,
        "input": plain(input),
        "seed": seed,
        "inputs": {str(file): identify(file, started.moment) for file in _with_detached(files)},
        "versions": {"python": platform.python_version(), **library_versions()},
        "threads": kernel_threads() if threads is None else threads,
        "host": platform.node(),
        "system": platform.platform(),
        "start_UTC": utc(started.moment),
        "end_UTC": utc(),
        "seconds": round(time.monotonic() - started.clock_s, 3),
    }


def identify(file: str | Path, since: datetime | None = None) -> dict[str, Any]:
    """Return `sha256` and `bytes` of a file, folder of files, or shipped materials; `changed_since_start` where it was.

    A file that has gone has null for both: a result that took hours is not lost for it.
    """
    from microstructures.formats import content_hash
    from microstructures.materials import shipped_materials

    if isinstance(file, str) and file in shipped_materials():
        import hashlib

        content = shipped_materials()[file].read_bytes()
        return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    try:
        path = Path(file).expanduser()
        members = (
            [one.stat() for one in path.iterdir() if one.is_file() and one.name[0] != "."] if path.is_dir() else [path.stat()]
        )
        found: dict[str, Any] = {"sha256": content_hash(path), "bytes": sum(one.st_size for one in members)}
    except (CofireError, OSError):
        return {"sha256": None, "bytes": None}
    if since is not None and any(one.st_mtime > since.timestamp() for one in members):
        found["changed_since_start"] = True
    return found


def _with_detached(files: Iterable[str | Path]) -> Iterator[str | Path]:
    """Yield files, and after a header (.nhdr, .mhd) the file with its voxels."""
    for file in files:
        yield file
        path = Path(file)
        if path.suffix.lower() in (".nhdr", ".mhd") and path.is_file():
            with path.open("rb") as stream:
                named = DETACHED.search(stream.read(LARGEST_HEADER_BYTES))
            data = None if named is None else path.parent / os.fsdecode(named[1])
            if data is not None and data.is_file():
                yield data


def kernel_threads() -> int:
    """Return how many threads the compiled kernels of this process use; 1 where none has been loaded."""
    numba = sys.modules.get("numba")
    return 1 if numba is None else int(numba.get_num_threads())


@contextmanager
def running(words: list[str]) -> Iterator[None]:
    """Let everything inside belong to the command that these words name."""
    token = _running.set(Started(shlex.join([PROGRAM, *words]), datetime.now(UTC), time.monotonic()))
    try:
        yield
    finally:
        _running.reset(token)


def note_options(options: Mapping[str, Any]) -> None:
    """Remember the options of the running command."""
    known = _running.get()
    if known is not None:
        _running.set(replace(known, options=dict(options)))


def of_command() -> dict[str, Any] | None:
    """Return the record of the running command with its resolved options, or None where no command runs."""
    known = _running.get()
    if known is None or known.options is None:
        return None
    options = known.options
    files = [path for name, value in options.items() if name not in WRITTEN for path in _paths(value)]
    resolved = dict(options)
    if "materials" in options:
        from microstructures.materials import DEFAULT_MATERIALS

        resolved["materials"] = options["materials"] or DEFAULT_MATERIALS
        files.append(resolved["materials"])
    resolved.update(_defaults_of_files(resolved))
    return record(known, input=resolved, seed=options.get("seed"), files=files)


def _defaults_of_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an option that was left out takes from a file: the whole recipe, the reference temperature."""
    from microstructures.materials import load_materials
    from microstructures.recipe import load_recipe

    found: dict[str, Any] = {}
    try:
        if "recipe" in options and not options.get("from_file"):  # else it is that of the green body
            found["recipe"] = load_recipe(options["recipe"]).model_dump()
        if options.get("temperature_C", 0.0) is None and "materials" in options:
            found["temperature_C"] = load_materials(options["materials"]).reference_temperature_C
    except CofireError:  # a file that has changed since it was read: its hash says so
        pass
    return found


def _paths(value: Any) -> list[Path]:
    entries = value if isinstance(value, list | tuple) else [value]
    return [entry for entry in entries if isinstance(entry, Path)]
