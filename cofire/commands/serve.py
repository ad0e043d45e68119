"""`cofire serve`: structures in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options
from microstructures.errors import InputError


def run(
    structures: Annotated[
        list[Path],
        typer.Argument(metavar="STRUCTURE...", help="One or more: .h5 of ours, or label images.", show_default=False),
    ],
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    temperature_C: options.Temperature = None,
    port: Annotated[int | None, typer.Option(metavar="N", help="Port; the first free one from 8050 on unless given.")] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; others than this machine's own let others look.")
    ] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Show structures on a page in the browser: hide phases, cut, solve, turn, and keep pictures and numbers."""
    from cofire.console import note, progress
    from viz.serve import Subject, check_extra, free_port, serve_structures
    from viz.serve.address import FIRST_PORT

    check_extra()
    found = free_port(host, port)
    known = options.read_materials(materials)
    with progress("reading", "microstructures"):
        names = _names(structures)
        subjects = [
            Subject(name, options.read_structure(path, voxel_nm), known, temperature_C)
            for name, path in zip(names, structures, strict=True)
        ]
    if port is None and found != FIRST_PORT:
        note(f"port {FIRST_PORT} is taken; using {found}")
    note(f"open http://{host}:{found}/ in a browser; Ctrl-C ends it")
    try:
        serve_structures(subjects, host=host, port=found, open_browser=not no_open)
    except KeyboardInterrupt:
        note("ended")


def _names(structures: list[Path]) -> list[str]:
    """Return a name for every file: its stem, with its folder where stems repeat."""
    stems = [path.stem for path in structures]
    names = [stem if stems.count(stem) == 1 else str(path) for stem, path in zip(stems, structures, strict=True)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice} is given twice; allowed: every structure once")
    return names
