"""Stopping in good order: the first SIGTERM or Ctrl-C lets a run reach its next safe point, a second one ends it at once."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

TERMINATED = 143
"""Exit code as a shell gives it: 128 + SIGTERM."""


class Asked:
    """Whether somebody asked to stop; call it to know, `code` is then the exit code."""

    code = 0

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.code != 0


@contextmanager
def stop_when_asked() -> Iterator[Asked]:
    """Turn the first signal into an answer, and give the handlers back after it."""
    asked = Asked()
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> Any:
        asked.code = 128 + number
        for other, handler in before.items():
            signal.signal(other, handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            before[number] = signal.signal(number, note)
        except ValueError:  # not the main thread: signals go elsewhere
            break
    try:
        yield asked
    finally:
        for other, handler in before.items():
            signal.signal(other, handler)


def resume_command(checkpoint: Path) -> str:
    """Return the command that goes on where this one stopped."""
    words = [word for word in sys.argv[1:] if not word.startswith("--resume=")]
    if "--resume" in words:
        at = words.index("--resume")
        del words[at : at + 2]
    return shlex.join(["cofire", *words, "--resume", str(checkpoint)])


def resume_words(folder: Path) -> str:
    """Return the command that goes on with a study in its folder."""
    words = [word for word in sys.argv[1:] if word not in ("--resume", "--extend") and not word.startswith("--out=")]
    if "--out" in words:
        at = words.index("--out")
        del words[at : at + 2]
    return shlex.join(["cofire", *words, "--out", str(folder), "--resume"])
