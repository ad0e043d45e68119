"""Options that several commands share, and how a structure argument is read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from microstructures.errors import InputError

if TYPE_CHECKING:
    from microstructures.materials import Materials
    from microstructures.structure import VoxelStructure

COLDEST_LIKELY_C, HOTTEST_LIKELY_C = -123.15, 265.0


def _doubt_kelvin(temperature_C: float | None) -> float | None:
    """Say what a temperature is in kelvin where it looks as if another unit was meant."""
    if temperature_C is not None and not COLDEST_LIKELY_C <= temperature_C <= HOTTEST_LIKELY_C and temperature_C > -273.15:
        from cofire.console import note

        note(
            f"warning: --temperature-C {temperature_C:g} is {temperature_C + 273.15:g} K; temperatures are in degC, not in kelvin"
        )
    return temperature_C


Structure = Annotated[
    Path, typer.Argument(metavar="STRUCTURE", help="A .h5 of ours, or a label image (.tif .npy .vti .nrrd .mhd, or a folder).")
]
VoxelNm = Annotated[
    str | None, typer.Option("--voxel-nm", metavar="X", help="Voxel edge in nm (or X,Y,Z), where an image does not state it.")
]
MaterialsFile = Annotated[
    str | None, typer.Option("--materials", metavar="FILE.toml", help="Materials file, or the name of a shipped one.")
]
Carrier = Annotated[str, typer.Option(help="ion or electron.")]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature-C",
        metavar="T",
        callback=_doubt_kelvin,
        help="Temperature in degC; the materials' reference unless given.",
    ),
]
Axis = Annotated[str, typer.Option(help="x, y, z or all.")]
Boundary = Annotated[str, typer.Option(help="plates or periodic.")]
SmoothInsulators = Annotated[
    bool, typer.Option("--smooth-insulators", help="Make up for the voxel steps of curved pores and other insulators.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Out = Annotated[Path, typer.Option("--out", metavar="FILE.h5", help="Where to write the structure.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]


def edges_nm(text: str | None) -> float | tuple[float, ...] | None:
    """Return the voxel edges that an option names: one number, or three with commas."""
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"--voxel-nm is '{text}'; allowed: a number, or three with commas, in nm, like 25 or 25,25,50"
        ) from None
    if len(values) not in (1, 3):
        raise InputError(f"--voxel-nm is '{text}'; allowed: one number or three; write decimals with a point, like 12.5")
    return values[0] if len(values) == 1 else values


def read_structure(path: Path, voxel_nm: str | None) -> VoxelStructure:
    """Read the structure argument of a command."""
    from microstructures.formats import read

    return read(path, voxel_nm=edges_nm(voxel_nm))


def read_materials(name: str | None) -> Materials:
    """Read the materials option of a command."""
    from microstructures.materials import load_materials

    return load_materials(name)


def check_output(
    path: Path,
    overwrite: bool,
    *,
    option: str = "--out",
    suffixes: tuple[str, ...] = (),
    remedy: str = "choose another name or add --overwrite",
) -> Path:
    """Return the resolved path of a file to write, or refuse before anything is computed.

    Raises
    ------
    InputError
        If the suffix is none of `suffixes`, the file exists and `overwrite` is not set, or its folder cannot be written.
    """
    try:
        file = path.expanduser().resolve()
        if file.is_dir():
            raise InputError(f"{option} {file} is a folder; give a file name")
        if suffixes and file.suffix.lower() not in suffixes:
            raise InputError(f"{option} {file} ends in '{file.suffix}'; allowed: {', '.join(suffixes)}; rename it")
        if file.exists() and not overwrite:
            raise InputError(f"{option} {file} exists already; {remedy}")
        if not file.parent.is_dir():
            raise InputError(f"{option} {file}: the folder {file.parent} does not exist; make it first")
        with tempfile.TemporaryFile(dir=file.parent):
            return file
    except (OSError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{option} {str(path)[:200]} cannot be written: {reason}; choose another place") from None


def check_structure_output(path: Path, overwrite: bool) -> Path:
    """Return the resolved path of a structure to write, or refuse before anything is computed."""
    from microstructures.formats import SUFFIXES

    return check_output(path, overwrite, suffixes=SUFFIXES)


def write_structure(structure: VoxelStructure, path: Path) -> None:
    """Write a structure, and say so where the format cannot hold all of it."""
    from cofire.console import note
    from cofire.provenance import of_command
    from microstructures.formats import STRUCTURE_SUFFIXES, write

    write(structure, path, provenance=of_command())
    if path.suffix.lower() not in STRUCTURE_SUFFIXES:
        note(f"{path.suffix} holds the labels only; grains, contacts and the recipe are kept in .h5")


def shown(value: Any, unit: str, form: str = ".5g") -> str:
    """Return a number, or one per axis, with its unit."""
    if isinstance(value, dict):
        return ", ".join(f"{axis} {shown(entry, '', form)}" for axis, entry in value.items()) + f" {unit}"
    return "none" if value is None else f"{value:{form}} {unit}".rstrip()
