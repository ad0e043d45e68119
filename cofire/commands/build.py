"""`cofire build`: press or fire a cathode."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options


def run(
    process: Annotated[str, typer.Argument(metavar="{cold-pressed|co-fired}", help="What is done to the green body.")],
    out: options.Out,
    size_um: Annotated[float, typer.Option("--size-um", help="Edge of the green body in um; firing shrinks it.")] = 4.0,
    voxel_nm: Annotated[float, typer.Option("--voxel-nm", help="Voxel edge in nm.")] = 25.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same green body.")] = 1,
    recipe: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Powders, pressing and firing.")] = None,
    from_file: Annotated[
        Path | None, typer.Option("--from", metavar="GREEN.h5", help="Fire this cold-pressed structure, grain by grain.")
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Build a cold-pressed or co-fired cathode and write it to a file."""
    target = options.check_structure_output(out, overwrite)
    from cofire.building import build, green_body_of
    from cofire.console import note, progress
    from cofire.memory.guard import check_build, check_firing

    if from_file is None:
        check_build(process, size_um=size_um, voxel_nm=voxel_nm, recipe=recipe)
    with progress(f"building {process}", "microstructures"):
        green = None
        if from_file is not None:
            from microstructures.formats import read

            green = green_body_of(read(from_file), recipe, str(from_file))
            check_firing(process, green, voxel_nm=voxel_nm)
        structure = build(process, size_um=size_um, voxel_nm=voxel_nm, seed=seed, recipe=recipe, green=green)
        options.write_structure(structure, target)
    note(f"{structure!r} written to {target}")
