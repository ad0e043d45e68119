"""`cofire animate`: moving pictures of a firing, and of carriers that hop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cofire import options
from microstructures.errors import InputError

if TYPE_CHECKING:
    from kmc.hopping.trajectories import Trajectories
    from microstructures.structure import VoxelStructure

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

FOLLOWED_PER_DRAWN = 4
"""Carriers that are followed for each one drawn."""
MOST_WALKERS = 200
SAMPLES_PER_FRAME = 6
CARRIED = {"ion": "ions", "electron": "electrons"}
Out = Annotated[Path, typer.Option("--out", metavar="FILE.gif|.mp4", help="Where to write; .mp4 needs cofire[movies].")]


@app.callback()
def root() -> None:
    """Moving pictures: two grains that are pressed and fired, or carriers that hop."""


@app.command("firing")
def firing(
    out: Out,
    size_um: Annotated[float, typer.Option("--size-um", help="Edge of the green body in um; firing shrinks it.")] = 3.0,
    voxel_nm: Annotated[float, typer.Option("--voxel-nm", help="Voxel edge in nm.")] = 20.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same pictures.")] = 1,
    recipe: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Powders, pressing and firing.")] = None,
    frames: Annotated[int, typer.Option(metavar="N", help="Number of pictures.")] = 50,
    frames_per_s: Annotated[float, typer.Option("--frames-per-s", help="How many are shown in a second.")] = 8.0,
    overwrite: options.Overwrite = False,
) -> None:
    """Follow a grain of each phase from loose powder through pressing and firing: contact, growth, interphase."""
    target = _check_out(out, overwrite, frames_per_s)
    from cofire.building import check_size
    from cofire.console import note, progress
    from microstructures.recipe import load_recipe
    from viz.movies.firing_movie import draw_firing
    from viz.movies.movie import write_movie

    known = load_recipe(recipe)
    for process in ("cold-pressed", "co-fired"):
        check_size(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    with progress("firing", "microstructures") as bar:
        pictures = draw_firing(
            size_um=size_um, voxel_nm=voxel_nm, seed=seed, recipe=known, frames=frames, progress=bar
        )  # fmt: skip
        write_movie(target, pictures, frames_per_s=frames_per_s)
    note(f"{len(pictures)} pictures written to {target}")


@app.command("hops")
def hops(
    structure: options.Structure,
    out: Out,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    walkers: Annotated[int, typer.Option(metavar="N", help="Carriers to draw: of 4 N those that come farthest.")] = 6,
    time_s: Annotated[
        float | None,
        typer.Option("--time-s", metavar="T", help="Time that is followed, in s; a few grains' worth unless given."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ways.")] = 1,
    trajectories: Annotated[
        Path | None, typer.Option(metavar="FILE.h5", help="Draw the ways that cofire hop --trajectories wrote instead.")
    ] = None,
    boundary: Annotated[str, typer.Option(help="plates or periodic: that of the run in --trajectories.")] = "periodic",
    frames: Annotated[int, typer.Option(metavar="N", help="Number of pictures.")] = 60,
    frames_per_s: Annotated[float, typer.Option("--frames-per-s", help="How many are shown in a second.")] = 10.0,
    overwrite: options.Overwrite = False,
) -> None:
    """Watch carriers hop through a structure: balls with a tail, and a clock."""
    target = _check_out(out, overwrite, frames_per_s)
    if not 1 <= walkers <= MOST_WALKERS:
        raise InputError(f"--walkers is {walkers}; allowed: 1 to {MOST_WALKERS}")
    if carrier not in CARRIED:
        raise InputError(f"carrier is '{carrier}'; allowed: {', '.join(CARRIED)}")
    if boundary not in ("periodic", "plates"):
        raise InputError(f"--boundary is '{boundary}'; allowed: plates, periodic")
    if trajectories is None and boundary == "plates":
        raise InputError("--boundary plates goes with --trajectories FILE.h5; the ways drawn without it are periodic")
    read = options.read_structure(structure, voxel_nm)
    from cofire.console import note, progress
    from viz.movies.hops_movie import draw_hops
    from viz.movies.movie import write_movie

    with progress("hopping", "kmc.faces", "kmc.hopping") as bar:
        if trajectories is not None:
            from kmc.hopping.trajectories import read_trajectories

            found, title = read_trajectories(trajectories), None
            count = min(walkers, len(found.walker))
        else:
            found = _follow(read, materials, carrier, temperature_C, walkers, time_s, seed, frames)
            count = walkers
            title = f"{read.process}: the {count} of {len(found.walker)} {CARRIED[carrier]} that came farthest"
        pictures = draw_hops(read, found, count=count, frames=frames, boundary=boundary, title=title, progress=bar)
        write_movie(target, pictures, frames_per_s=frames_per_s)
    note(f"{len(pictures)} pictures written to {target}")


def _check_out(out: Path, overwrite: bool, frames_per_s: float) -> Path:
    """Return the resolved path of a movie, or refuse before anything is computed."""
    from viz.movies.movie import SUFFIXES, check_movie

    return check_movie(options.check_output(out, overwrite, suffixes=SUFFIXES), frames_per_s)


def _follow(
    read: VoxelStructure,
    materials: str | None,
    carrier: str,
    temperature_C: float | None,
    walkers: int,
    time_s: float | None,
    seed: int,
    frames: int,
) -> Trajectories:
    """Let carriers hop; in a pressed body from grain to grain, where they would rattle for millions of hops in each."""
    from kmc.hopping.trajectories import record_trajectories, time_to_roam_s
    from kmc.network import build_network

    network = build_network(read, options.read_materials(materials), carrier=carrier, temperature_C=temperature_C)
    count = FOLLOWED_PER_DRAWN * walkers
    return record_trajectories(
        network, walkers=count, chosen=count, time_s=time_to_roam_s(network) if time_s is None else time_s,
        samples=SAMPLES_PER_FRAME * max(frames - 1, 1), basins=read.contacts is not None, seed=seed,
    )  # fmt: skip
