"""At the end of a night: what came of the mutants, a line for each kind of file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Rows = list[dict[str, Any]]
LINES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LINES] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str, Rows], None]:
    """Return a function that keeps a line about the mutants of one kind of file."""

    def note(title: str, rows: Rows) -> None:
        mutants = rows[1:]
        refused = sum(row["outcome"] == "refused" for row in mutants)
        slowest, largest = max(row["seconds"] for row in mutants), max(row["peak_bytes"] or 0 for row in mutants)
        request.config.stash[LINES].append(
            f"{title:<24} {len(mutants):>5} mutants of {rows[0]['file_bytes']:>8} bytes, {refused:>5} refused, "
            f"slowest {slowest:.3f} s, largest {largest / 1e6:.2f} MB"
        )

    return note


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for line in config.stash[LINES]:
        terminalreporter.write_line(line)
