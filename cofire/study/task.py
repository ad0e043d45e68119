"""What a process does with one case: compute it and store it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cofire import provenance
from cofire.study.case import StudyCase
from cofire.study.compute import compute_case
from cofire.study.folder import StudyFolder
from kmc.resources import peak_memory_bytes
from microstructures.errors import CofireError


def compute_and_store(item: tuple[StudyCase, Path], say: Callable[[str], Any]) -> float:
    """Compute a case and store it; return the seconds spent computing.

    Raises
    ------
    DiskFullError
        If the case cannot be stored, or its structure.
    """
    case, path = item
    folder = StudyFolder(path)
    started, clock = provenance.start(f"cofire sweep, case {case.name}"), time.monotonic()
    try:
        result = compute_case(case, folder.structures, lambda text: say(f"{case.name}: {text}"))
        seconds = time.monotonic() - clock
        files = [] if case.image is None else [case.image]
        record = provenance.record(started, input={"case": case.name}, seed=case.seed, files=files)
        folder.store_case(case, {**result, "provenance": {**record, "peak_memory_bytes": peak_memory_bytes()}})
    except Exception as error:
        raise folder.as_full_disk(error) or error from None
    return seconds


def reason_of(error: BaseException) -> str:
    """Return why a case failed, on one line."""
    text = " ".join(str(error).split())[:500]
    return text if isinstance(error, CofireError) else f"{type(error).__name__}: {text}" if text else type(error).__name__
