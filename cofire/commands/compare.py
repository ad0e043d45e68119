"""`cofire compare`: the whole comparison in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options


def run(
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write; the next free cofire-compare.")] = None,
    size_um: Annotated[float, typer.Option("--size-um", help="Edge of the green body in um; firing shrinks it.")] = 4.0,
    voxel_nm: Annotated[float, typer.Option("--voxel-nm", help="Voxel edge in nm.")] = 25.0,
    replicas: Annotated[int, typer.Option(help="Number of green bodies.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the first green body.")] = 1,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; one per core unless given.")] = None,
    recipe: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Powders, pressing and firing.")] = None,
    materials: options.MaterialsFile = None,
    temperature_C: Annotated[float, typer.Option("--temperature-C", help="Temperature in degC.")] = 60.0,
    hops: Annotated[int, typer.Option(help="Hops of kinetic Monte Carlo for each structure and carrier.")] = 200_000_000,
    check_replicas: Annotated[int, typer.Option(help="Of how many seeds graph and hops are asked too.")] = 1,
    explained: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Add waterfall, scenarios, what would close the gap, error budget.")
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")] = False,
    json: options.Json = False,
) -> None:
    """Press one green body per seed, fire it, and compare both with the published experiment."""
    from cofire.console import note, print_json, progress
    from cofire.experiment.comparing import compare
    from cofire.tables import print_comparison

    with progress(
        "comparing", "microstructures", "kmc.faces", "kmc.multigrid", "kmc.conduction", "kmc.percolation", "kmc.hopping"
    ) as bar:
        found = compare(
            out=out, size_um=size_um, voxel_nm=voxel_nm, replicas=replicas, seed=seed, workers=workers, recipe=recipe,
            materials=materials, temperature_C=temperature_C, hops=hops, check_replicas=check_replicas, explained=explained,
            overwrite=overwrite, progress=bar,
        )  # fmt: skip
    if json:
        print_json(found.to_dict())
    else:
        print_comparison(found)
    if found.run["not_explained"]:
        note(f"not explained: {found.run['not_explained']}")
    note(f"report: {found.folder / 'report.html'}")
