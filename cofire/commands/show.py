"""`cofire show`: a picture of a structure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from viz.scenes.look import Look

FIELDS = ("phase", "grain", "potential", "current", "dissipation", "trajectories")
SOLVED = ("potential", "current", "dissipation")
HOT = ("current", "dissipation")
WALKERS = 40
"""Carriers that are followed for --field trajectories; those that come farthest are drawn."""
CARRIED = {"ion": "ions", "electron": "electrons"}


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    field: Annotated[
        str | None, typer.Option(help="phase (unless given), grain, potential, current, dissipation (heat) or trajectories.")
    ] = None,
    surface: Annotated[str, typer.Option(help="voxels, or smooth: surfaces without the steps of voxels.")] = "voxels",
    view: Annotated[str, typer.Option(help="corner (cut away), whole, or slices: three planes.")] = "corner",
    slices_um: Annotated[
        str | None, typer.Option("--slices-um", metavar="X,Y,Z", help="Where the planes lie, in um; the middle unless given.")
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="PHASE,...", help="Draw these phases only, like LFTAP or pore.")] = None,
    opacity: Annotated[
        str | None,
        typer.Option(metavar="PRESET", help="solid, glass, active, ghost, or numbers from 0 to 1 like LATP=0.2,others=1."),
    ] = None,
    streamlines: Annotated[
        int, typer.Option(metavar="N", help="Draw N lines along which the current runs, like 200; the phases become clear.")
    ] = 0,
    hot_percent: Annotated[
        float, typer.Option("--hot-percent", metavar="P", help="Draw the P % of voxels with the highest current or heat.")
    ] = 0.0,
    png: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Write a picture.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page to turn in the browser.")] = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    overwrite: options.Overwrite = False,
) -> None:
    """Show a structure, or a potential, current or heat in it: on the screen, as a picture or as a page."""
    field = field or ("current" if streamlines or hot_percent else "phase")
    if field not in FIELDS:
        raise InputError(f"--field is '{field}'{did_you_mean(field, FIELDS)}")
    if streamlines and field != "current":
        raise InputError(f"--streamlines with --field {field}; allowed with --field current")
    if hot_percent and field not in HOT:
        raise InputError(f"--hot-percent with --field {field}; allowed with --field {' or '.join(HOT)}")
    if field == "trajectories" and (png is None or html is not None):
        raise InputError("--field trajectories is a picture only; give --png FILE.png, without --html")
    look = _look(surface, view, slices_um, only, opacity, hot_percent)
    if png is not None:
        png = options.check_output(png, overwrite, option="--png", suffixes=(".png",))
    if html is not None:
        html = options.check_output(html, overwrite, option="--html", suffixes=(".html", ".htm"))
    read = options.read_structure(structure, voxel_nm)
    from cofire.console import note, progress
    from viz.scenes.colouring import check_look

    check_look(read, look)
    told: list[str] = []
    with progress("drawing"):
        if png is not None and field == "trajectories":
            _draw_trajectories(read, png, materials, carrier, temperature_C)
        else:
            extra = _values(read, field, streamlines, materials, carrier, temperature_C, axis)
            if png is None and html is None:
                from viz import show

                show(read, field=field, look=look, **extra)
                return
            from viz import render

            with tempfile.TemporaryDirectory() as scratch:
                render(
                    read, field=field, look=look, png=png or Path(scratch) / "picture.png", html=html, tell=told.append, **extra
                )
    for text in told:
        note(text)
    note(f"written: {', '.join(str(path) for path in (png, html) if path is not None)}")


def _look(surface: str, view: str, slices_um: str | None, only: str | None, opacity: str | None, hot_percent: float) -> Look:
    """Return how the options want the scene to be seen."""
    from viz.scenes.look import Look

    return Look(
        view="slices" if slices_um is not None and view == "corner" else view,
        surface=surface,
        only=tuple(name.strip() for name in only.split(",")) if only else (),
        opacity=_opacity(opacity),
        slices_um=_places(slices_um),
        hot_percent=hot_percent,
    )


def _opacity(text: str | None) -> str | dict[str, float] | None:
    """Return a preset, or the opacity of each phase that PHASE=NUMBER,... names."""
    if text is None or "=" not in text:
        return text
    pairs = [part.split("=", 1) for part in text.split(",")]
    try:
        return {name.strip(): float(number) for name, number in pairs}
    except ValueError:
        raise InputError(f"--opacity is '{text}'; allowed: a preset, or PHASE=NUMBER pairs like LATP=0.2,others=1") from None


def _places(text: str | None) -> tuple[float | None, float | None, float | None]:
    """Return where the planes lie [um], None for the middle."""
    if text is None:
        return None, None, None
    try:
        x, y, z = (float(part) if part.strip() else None for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--slices-um is '{text}'; allowed: three places in um like 1.5,1.5,0.8; leave one empty for the middle"
        ) from None
    return x, y, z


def _draw_trajectories(read: Any, png: Path, materials: str | None, carrier: str, temperature_C: float | None) -> None:
    """Draw the ways of the carriers that come farthest in the time in which one leaves its grain a few times."""
    from kmc.hopping.trajectories import record_trajectories, time_to_roam_s
    from kmc.network import build_network
    from viz.scenes.trajectory_scene import render_trajectories

    network = build_network(read, options.read_materials(materials), carrier=carrier, temperature_C=temperature_C)
    found = record_trajectories(network, walkers=WALKERS, chosen=WALKERS, time_s=time_to_roam_s(network), basins=True)
    render_trajectories(read, found, png=png)


def _values(
    read: Any, field: str, streamlines: int, materials: str | None, carrier: str, temperature_C: float | None, axis: str
) -> dict[str, Any]:
    """Return the array of the field for 1 V over the block, the lines and the title, as `viz.render` takes them."""
    if field not in SOLVED:
        return {}
    if axis not in ("x", "y", "z"):
        raise InputError(f"--axis is '{axis}'; allowed with --field {field}: x, y, z")
    from kmc.conduction import conduct
    from kmc.conduction.fields import block_length_m, current_density, dissipation_density

    result = conduct(
        read, options.read_materials(materials), carrier=carrier, temperature_C=temperature_C, axis=axis, keep_potential=True
    )
    network, solution = result.network, result.solutions[0]
    if solution.potential is None:
        raise InputError(
            f"nothing conducts along {axis} ({solution.outcome}), so there is no {field}; show --field phase instead"
        )
    extra: dict[str, Any] = {"title": f"{read.process}: {CARRIED[carrier]} along {axis}, 1 V over the block"}
    if field == "potential":
        return {"potential": solution.potential, **extra}
    if field == "dissipation":
        return {"dissipation": dissipation_density(network, solution) / block_length_m(network, solution) ** 2, **extra}
    if streamlines:
        from viz.scenes.streamlines import trace_streamlines

        extra["lines"] = trace_streamlines(network, solution, count=streamlines)
    return {"current": current_density(network, solution), **extra}
