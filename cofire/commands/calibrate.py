"""`cofire calibrate`: three numbers of a materials file, fitted to the co-fired body."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cofire import options

if TYPE_CHECKING:
    from cofire.calibration.result import CalibrationResult


def run(
    out: Annotated[Path, typer.Option(metavar="FILE.toml", help="Where to write the materials.")],
    materials: options.MaterialsFile = None,
    recipe: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Powders, pressing and firing.")] = None,
    size_um: Annotated[float, typer.Option("--size-um", help="Edge of the green body in um; firing shrinks it.")] = 4.0,
    voxel_nm: Annotated[float, typer.Option("--voxel-nm", help="Voxel edge in nm.")] = 50.0,
    replicas: Annotated[int, typer.Option(help="Number of fired bodies; intervals count their scatter from 2 on.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the first body.")] = 1,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Fit LATP|LATP resistance, its activation energy and the carbon film to the co-fired body at 60 degC."""
    target = options.check_output(out, overwrite, suffixes=(".toml",))
    from cofire.calibration.fit import calibrate
    from cofire.calibration.materials import write_materials
    from cofire.console import note, print_json, progress

    with progress("calibrating", "microstructures", "kmc.faces", "kmc.multigrid", "kmc.conduction") as bar:
        found = calibrate(
            materials=materials, recipe=recipe, size_um=size_um, voxel_nm=voxel_nm, replicas=replicas, seed=seed, progress=bar
        )  # fmt: skip
        write_materials(found.materials, target, found.provenance)
    if json:
        print_json(found.to_dict())
    else:
        _print(found)
    if len(found.seeds) == 1:
        note("one replica tells nothing about others: intervals come from the targets only; add --replicas 3")
    note(f"materials: {target}")


def _print(found: CalibrationResult) -> None:
    from rich.table import Table

    from cofire.calibration.result import TEMPERATURE_C
    from cofire.console import out, table

    grid = Table(title=f"calibrated at {TEMPERATURE_C:g} degC, intervals from {found.interval}", title_justify="left")
    for name in ("parameter", "value", "95 % interval", "start", "unit", "target", "measured", "reached", "note"):
        grid.add_column(name, overflow="fold")
    for entry, goal in zip(found.parameters, found.targets, strict=True):
        grid.add_row(
            entry.name, f"{entry.value:.4g}", f"{entry.low:.3g} to {entry.high:.3g}", f"{entry.start:.4g}", entry.unit,
            goal.name, f"{goal.value:g} +- {goal.error:.3g} {goal.unit}", f"{found.reached[goal.name]:.4g}", entry.note,
        )  # fmt: skip
    out.print(grid)
    names = [entry.name for entry in found.parameters]
    pairs = [(a, b) for a in range(len(names)) for b in range(a)]
    table("correlations", [(f"{names[b]}, {names[a]}", f"{found.correlation[a, b]:+.2f}") for a, b in pairs])
