"""Read mutants of one kind of file in a process of its own, each under a watch: time, memory, and what came of it.

    python tests/fuzz/reading.py KIND SMALL|LARGE SEED COUNT FOLDER

prints one JSON line for each; mutant -1 is the good file. A mutant that takes too long ends the process with the place where it
hangs; the last file stays in FOLDER.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from good_files import KINDS, LARGE, SMALL, Kind
from mutants import mutant

from microstructures.errors import CofireError

SLOWEST_S = 5.0
ADDRESS_SPACE_BYTES = 1 << 30
"""What a mutant may reserve beyond what the process has; more becomes a MemoryError, which counts as a failure."""
LONGEST_MESSAGE = 700
SIZES = {"SMALL": SMALL, "LARGE": LARGE}


def main(kind: str, size: str, seed: int, count: int, folder: Path) -> None:
    """Read the good file, then its mutants."""
    known = KINDS[kind]
    path = folder / known.name
    known.write(path, SIZES[size])
    good, wanted = path.read_bytes(), known.read(path)
    _say(number=-1, damage="none", outcome="read", seconds=0.0, peak_bytes=0, file_bytes=len(good), wrong="")
    _limit_memory()
    for number in range(count):
        content, damage = mutant(good, seed, number)
        path.write_bytes(content)
        before = _resident("VmRSS") if _forget_peak() else None
        faulthandler.dump_traceback_later(SLOWEST_S, exit=True)
        start = time.perf_counter()
        outcome, wrong = _read(known, path, wanted)
        seconds = time.perf_counter() - start
        faulthandler.cancel_dump_traceback_later()
        peak = None if before is None else max(0, _resident("VmHWM") - before)
        size_and_cost = {"seconds": seconds, "peak_bytes": peak, "file_bytes": len(content)}
        _say(number=number, damage=damage, outcome=outcome, **size_and_cost, wrong=wrong)


def _read(kind: Kind, path: Path, wanted: Any) -> tuple[str, str]:
    """Return what came of a mutant, and what is wrong with that."""
    try:
        found = kind.read(path)
    except CofireError as error:
        return "refused", _wrong_message(error, path)
    except BaseException as error:
        return "foreign", f"{type(error).__name__}: {error}"[:500]
    if kind.exact and not np.array_equal(found, wanted):
        return "read", "other values than were written"
    return "read", ""


def _wrong_message(error: CofireError, path: Path) -> str:
    text = str(error)
    if len(text.splitlines()) != 1 or not text.isprintable():
        return f"not one printable line: {text!r}"[:500]
    if error.exit_code not in (2, 3) or len(text) > LONGEST_MESSAGE or path.parent.name not in text or ";" not in text:
        return f"no named error of reasonable length with a remedy: {text}"[:900]
    return "memory: " + text if "than there is memory" in text else ""


def _say(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    pages = Path("/proc/self/statm")
    if pages.exists():
        now = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + ADDRESS_SPACE_BYTES,) * 2)


def _forget_peak() -> bool:
    """Let the system count the peak of resident memory anew; False where it cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident(which: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(which))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
