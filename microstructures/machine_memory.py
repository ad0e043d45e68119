"""How much memory a process may still take: what the machine has, what its group is allowed, what the user stated."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from microstructures.errors import InputError

STATED_BY = "COFIRE_MEMORY_GB"
"""Environment variable that says how much memory may be used; it replaces what is found on the machine."""
GB = 1e9
UNKNOWN_BYTES = 2**62
"""What a machine is taken to have that does not say."""
NO_LIMIT_BYTES = 2**60
"""A limit of this size is none; version 1 writes the largest multiple of a page."""
RECLAIMABLE = {1: ("total_inactive_file", "total_active_file"), 2: ("inactive_file", "active_file", "slab_reclaimable")}
"""Lines of `memory.stat` with what the kernel gives back under pressure: copies of files."""
LIMIT_AND_USAGE = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}


def available_memory_bytes(proc: Path = Path("/proc")) -> int:
    """Return how many bytes a process may still take: the least of what the machine, its control group and its limits leave.

    The environment variable COFIRE_MEMORY_GB replaces all of these: it says how much may be used, by all workers together.

    Parameters
    ----------
    proc : path
        Where the system describes processes.

    Raises
    ------
    InputError
        If COFIRE_MEMORY_GB is not a number above 0.

    Examples
    --------
    >>> available_memory_bytes() > 0
    True
    """
    stated = stated_memory_bytes()
    if stated is not None:
        return stated
    return max(0, min(_machine_bytes(proc), _group_bytes(proc), _address_space_bytes(proc)))


def stated_memory_bytes() -> int | None:
    """Return what COFIRE_MEMORY_GB allows [bytes]; None where it is not set."""
    text = os.environ.get(STATED_BY, "").strip()
    if not text:
        return None
    try:
        stated = float(text)
    except ValueError:
        stated = math.nan
    if not 0.0 < stated < 1e9:
        raise InputError(f"{STATED_BY} is '{text}'; allowed: a number above 0, in GB, like 16; correct or unset it")
    return int(stated * GB)


def gigabytes(number: float) -> str:
    """Return bytes as people read them.

    Examples
    --------
    >>> gigabytes(1.25e11), gigabytes(20_125_000_000), gigabytes(3.4e8), gigabytes(1.62e13)
    ('125 GB', '20.1 GB', '0.34 GB', '16200 GB')
    """
    return f"{float(f'{number / GB:.3g}'):.6g} GB" if number < 1e6 * GB else f"{number / GB:.3g} GB"


def _machine_bytes(proc: Path) -> int:
    """Return the memory that the machine has available, page cache included."""
    try:
        psutil: Any = import_module("psutil")
        if proc == Path("/proc"):
            return int(psutil.virtual_memory().available)
    except (ImportError, OSError):
        pass
    found = _numbers(proc / "meminfo").get("MemAvailable:")
    if found is not None:
        return 1024 * found
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN_BYTES


def _group_bytes(proc: Path) -> int:
    """Return what the control groups of this process leave, those above it included."""
    return min((_left_in(folder, version) for folder, version in _group_folders(proc)), default=UNKNOWN_BYTES)


def _group_folders(proc: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folder of every control group above this process that may limit memory, and the version of its files."""
    for line in _lines(proc / "self" / "mountinfo"):
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if kind[0] == "cgroup2" else 1
        if version == 1 and "memory" not in kind[2].split(","):
            continue
        mount, root = Path(fields[4]), PurePosixPath(fields[3])
        for entry in _lines(proc / "self" / "cgroup"):
            number, controllers, group = (*entry.split(":", 2), "", "")[:3]
            if (version == 2 and (number, controllers) == ("0", "")) or (version == 1 and "memory" in controllers.split(",")):
                inside = _below(mount, PurePosixPath(group), root)
                yield from ((folder, version) for folder in (inside, *inside.parents) if folder.is_relative_to(mount))


def _below(mount: Path, group: PurePosixPath, root: PurePosixPath) -> Path:
    """Return where a group lies under its mount, which may show only the groups below `root`."""
    within = group.relative_to(root) if group.is_relative_to(root) else group.relative_to("/")
    folder = mount / within
    return folder if ".." not in within.parts and folder.is_dir() else mount


def _left_in(folder: Path, version: int) -> int:
    """Return what a control group leaves: its limit less what it uses and cannot give back."""
    limit, usage = (_number(folder / name) for name in LIMIT_AND_USAGE[version])
    if limit is None or usage is None or limit >= NO_LIMIT_BYTES:
        return UNKNOWN_BYTES
    stat = _numbers(folder / "memory.stat")
    return limit - usage + min(usage, sum(stat.get(name, 0) for name in RECLAIMABLE[version]))


def _address_space_bytes(proc: Path) -> int:
    """Return what the limit on address space (ulimit -v) leaves."""
    try:
        import resource
    except ImportError:  # not on Windows
        return UNKNOWN_BYTES
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= NO_LIMIT_BYTES:
        return UNKNOWN_BYTES
    return limit - 1024 * _numbers(proc / "self" / "status").get("VmSize:", 0)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    """Return the one number of a file; None where there is none, as where a limit is 'max'."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else None


def _numbers(file: Path) -> dict[str, int]:
    """Return the lines of a file that consist of a name and a number."""
    rows = (line.split() for line in _lines(file))
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}
