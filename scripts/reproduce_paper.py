"""Everything this project says about the published cathode, from a seed: calibration, comparison, and a second seed set.

usage: python scripts/reproduce_paper.py [--out DIR] [--seed 1] [--replicas 5] [--help]
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cofire.building import PROCESSES, check_size
from cofire.calibration.fit import calibrate
from cofire.calibration.materials import write_materials
from cofire.console import note, out, progress
from cofire.experiment.comparing import DEFAULT_HOPS, MOST_HOPS, compare
from cofire.experiment.reproduction import compare_seed_sets
from cofire.provenance import record, start
from cofire.store import open_folder, write_json
from cofire.tables import label, published, with_error
from microstructures.errors import CofireError
from microstructures.materials import DEFAULT_MATERIALS
from microstructures.recipe import load_recipe

OTHER_SEEDS = 1000
"""From the first seed of one set to that of the other, and the most replicas."""
ROOMS = ("microstructures", "kmc.faces", "kmc.multigrid", "kmc.conduction", "kmc.percolation", "kmc.hopping")


def main(
    folder: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="The next free reproduction.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63, help="First seed; the second set starts 1000 later.")] = 1,
    replicas: Annotated[int, typer.Option(min=1, max=OTHER_SEEDS, help="Green bodies of each seed set.")] = 5,
    size_um: Annotated[float, typer.Option("--size-um", help="Edge of the green body in um.")] = 6.0,
    voxel_nm: Annotated[float, typer.Option("--voxel-nm", help="Voxel edge in nm.")] = 25.0,
    workers: Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes; one per core unless given.")] = None,
    hops: Annotated[int, typer.Option(min=1, max=MOST_HOPS, help="Hops for each structure and carrier.")] = DEFAULT_HOPS,
    fitted: Annotated[bool, typer.Option("--calibrate/--no-calibrate", help="Fit three numbers first, or as shipped.")] = True,
    explained: Annotated[bool, typer.Option("--explain/--no-explain", help="Explain the first seed set.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Calibrate on one seed set, compare the same with the experiment, and see whether another seed set says the same.

    Writes materials.toml, calibration.json, comparison/, second-seeds/ and reproduction.json.
    """
    started = start()
    for process in PROCESSES:
        check_size(process, size_um=size_um, voxel_nm=voxel_nm, recipe=load_recipe(None))
    target = open_folder(folder, "reproduction", overwrite)
    box: dict[str, Any] = {"size_um": size_um, "voxel_nm": voxel_nm, "replicas": replicas}
    materials = target / "materials.toml" if fitted else None
    more: dict[str, Any] = {**box, "materials": materials, "workers": workers, "hops": hops, "overwrite": overwrite}
    with progress("reproducing", *ROOMS) as bar:
        if materials is not None:
            calibration = calibrate(**box, seed=seed, progress=lambda share, text: bar(_within(0.0, 0.2, share), text))
            write_materials(calibration.materials, materials, calibration.provenance)
            write_json(target / "calibration.json", calibration.to_dict())
        first = compare(
            **more, out=target / "comparison", seed=seed, explained=explained,
            progress=lambda share, text: bar(_within(0.2, 0.8, share), text),
        )  # fmt: skip
        second = compare(
            **more, out=target / "second-seeds", seed=seed + OTHER_SEEDS, explained=False,
            progress=lambda share, text: bar(_within(0.8, 1.0, share), text),
        )  # fmt: skip
    found = compare_seed_sets(first, second)
    given = {**box, "hops": hops, "calibrated": fitted}
    run = record(started, input={**given, "seed": seed, "explained": explained}, seed=seed, files=[DEFAULT_MATERIALS])
    write_json(target / "reproduction.json", {"input": given, **found, "run": run})
    show(found)
    note(f"written: {target / 'reproduction.json'}, report: {first.folder / 'report.html'}")


def _within(start: float, end: float, share: float | None) -> float | None:
    return None if share is None else start + (end - start) * share


def show(found: dict[str, Any]) -> None:
    """Print both seed sets beside the experiment, and the checks."""
    first, second = (f"seeds {seeds[0]} to {seeds[-1]}" for seeds in found["seeds"].values())
    grid = Table(title="two seed sets, beside the experiment", title_justify="left", title_style="bold")
    for name in ("quantity", "process", "carrier", first, second, "difference / error", "p", "published"):
        grid.add_column(name, overflow="fold")
    for row in found["quantities"]:
        values = (with_error(row[which], row[f"{which}_error"], row["unit"]) for which in ("first", "second"))
        difference, p_value = row["difference_in_errors"], row["p_value"]
        told = (f"{difference:+.1f}", f"{p_value:.2g}") if p_value == p_value else ("", "")
        grid.add_row(label(row["quantity"]), row["process"], row["carrier"], *values, *told, published(row))
    out.print(grid)
    grid = Table(title="checks", title_justify="left", title_style="bold")
    for name in ("check", "value", "wanted", "ok"):
        grid.add_column(name, overflow="fold")
    for check in found["checks"]:
        grid.add_row(check["name"], f"{check['value']:.5g}", check["wanted"], {True: "yes", False: "NO"}.get(check["ok"], ""))
    out.print(grid)


if __name__ == "__main__":
    try:
        typer.run(main)
    except CofireError as error:
        sys.exit(f"error: {error}")
