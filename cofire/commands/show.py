"""`cofire show`: a picture of a structure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

FIELDS = ("phase", "grain", "potential", "current")


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    field: Annotated[str, typer.Option(help="phase, grain, potential or current.")] = "phase",
    png: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Write a picture.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page to turn in the browser.")] = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    overwrite: options.Overwrite = False,
) -> None:
    """Show a structure, or the potential or current in it: on the screen, as a picture or as a page."""
    if field not in FIELDS:
        raise InputError(f"--field is '{field}'{did_you_mean(field, FIELDS)}")
    if png is not None:
        png = options.check_output(png, overwrite, option="--png", suffixes=(".png",))
    if html is not None:
        html = options.check_output(html, overwrite, option="--html", suffixes=(".html", ".htm"))
    read = options.read_structure(structure, voxel_nm)
    from cofire.console import note, progress

    with progress("drawing"):
        extra = _values(read, field, materials, carrier, temperature_C, axis)
        if png is None and html is None:
            from viz import show

            show(read, field=field, **extra)
            return
        from viz import render

        with tempfile.TemporaryDirectory() as scratch:
            render(read, field=field, png=png or Path(scratch) / "picture.png", html=html, **extra)
    note(f"written: {', '.join(str(path) for path in (png, html) if path is not None)}")


def _values(
    read: Any, field: str, materials: str | None, carrier: str, temperature_C: float | None, axis: str
) -> dict[str, Any]:
    if field not in ("potential", "current"):
        return {}
    if axis not in ("x", "y", "z"):
        raise InputError(f"--axis is '{axis}'; allowed with --field {field}: x, y, z")
    from kmc.conduction import conduct
    from kmc.conduction.fields import current_density

    result = conduct(
        read, options.read_materials(materials), carrier=carrier, temperature_C=temperature_C, axis=axis, keep_potential=True
    )
    solution = result.solutions[0]
    if solution.potential is None:
        raise InputError(
            f"nothing conducts along {axis} ({solution.outcome}), so there is no {field}; show --field phase instead"
        )
    return {"potential": solution.potential} if field == "potential" else {"current": current_density(result.network, solution)}
