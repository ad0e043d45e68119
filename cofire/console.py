"""What the commands say: results on stdout, everything else on stderr, bars on a terminal only."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cofire.plain_values import plain
from cofire.provenance import of_command

WIDTH_IN_FILES = 160

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
err = Console(stderr=True, highlight=False)


def print_json(result: Mapping[str, Any]) -> None:
    """Print exactly one JSON object on stdout: a result and, unless it has its own, the record of the command that runs."""
    known = None if "provenance" in result else of_command()
    whole = result if known is None else {**result, "provenance": known}
    sys.stdout.write(json.dumps(plain(whole), allow_nan=False, indent=2) + "\n")
    sys.stdout.flush()


def note(message: str) -> None:
    """Tell the user something on stderr."""
    err.print(message, markup=False, soft_wrap=True)


def table(title: str, rows: list[tuple[str, str]]) -> None:
    """Print rows of name and value."""
    grid = Table(title=title, show_header=False, title_justify="left", title_style="bold")
    grid.add_column(style="cyan")
    grid.add_column()
    for name, value in rows:
        grid.add_row(name, value)
    out.print(grid)


@contextmanager
def progress(label: str, *rooms: str) -> Iterator[Callable[[float | None, str], None]]:
    """Show a bar on a terminal, nothing elsewhere; call the result with the share done (or None) and a short text.

    `rooms` are the packages whose kernels will run: the bar says so where one of them still has to be compiled.
    """
    if not err.is_terminal:
        yield lambda share, text: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(label, total=None, text="compiling kernels (first run only)" if must_compile(*rooms) else "")

        def show(share: float | None, text: str) -> None:
            if share is None:
                bar.update(task, text=text)
            else:
                bar.update(task, total=1.0, completed=share, text=text)

        yield show


def must_compile(*rooms: str) -> bool:
    """Return whether a package has no compiled kernel on disk yet, so that its first call takes a while."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return False
    places = (Path(__file__).parent.parent.joinpath(*room.split(".")) for room in rooms)
    return any(not any(place.rglob("*.nbi")) for place in places)
