"""`cofire import`: turn a label image into a structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_LAYER_NM = 1e4


def run(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Label image: .tif, .tiff, .npy or .vti.")],
    out: options.Out,
    voxel_nm: options.VoxelNm = None,
    phases: Annotated[str | None, typer.Option(metavar="0=pore,1=LFP,...", help="Name of every label in the image.")] = None,
    segment_grains: Annotated[bool, typer.Option("--segment-grains", help="Tell grains apart by a watershed.")] = False,
    grow_interphase: Annotated[
        str | None, typer.Option(metavar="A|B:40-100", help="Grow an interphase of 40 to 100 nm out of B where it meets A.")
    ] = None,
    product: Annotated[str, typer.Option(help="Name of that interphase.")] = "LFTAP",
    seed: Annotated[int, typer.Option(help="Seed of the interphase thickness.")] = 1,
    overwrite: options.Overwrite = False,
) -> None:
    """Read a label image, name its phases and write it as a structure. Nothing in the image is repaired silently."""
    target = options.check_structure_output(out, overwrite)
    names = parse_phases(phases)
    growth = None if grow_interphase is None else parse_growth(grow_interphase)
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    from cofire.console import note, progress
    from microstructures.formats import read

    with progress("importing"):
        structure = read(image, voxel_nm=options.edges_nm(voxel_nm), phases=names)
        _check_names(structure.labels, names)
        if segment_grains:
            from microstructures.segment import watershed_grains

            pore = next((label for label, name in structure.phases.items() if name == "pore"), 0)
            structure = structure.with_(grains=watershed_grains(structure, background=pore))
        if growth is not None:
            from microstructures.interphase import grow_interphase as grow
            from microstructures.recipe import InterphaseRecipe

            donor, host, low, high = growth
            _check_growth(structure.phases, donor, host, product)
            free = next(label for label in range(1, 256) if label not in structure.phases)
            recipe = InterphaseRecipe(
                donor=donor, host=host, product=product, label=free, thickness_p05_nm=low, thickness_p95_nm=high
            )
            structure = grow(structure, recipe, seed=seed)
            structure = structure.with_(recipe={**structure.recipe, "interphase": recipe.model_dump()}, seed=seed)
            if not (structure.labels == free).any():
                note(f"no {product} grew: {donor} and {host} do not touch in this image")
        options.write_structure(structure, target)
    note(f"{structure!r}, {structure.n_grains} grains, written to {target}")


def parse_phases(text: str | None) -> dict[int, str] | None:
    """Return the labels and names that ``0=pore,1=LFP`` stands for."""
    if text is None:
        return None
    out: dict[int, str] = {}
    for part in text.split(","):
        label, sign, name = part.partition("=")
        number = int(label) if label.strip().isascii() and label.strip().isdigit() else -1
        if not sign or not name.strip() or not 0 <= number <= 255:
            raise InputError(f"--phases has '{part}'; allowed: LABEL=NAME with a label from 0 to 255, like 0=pore,1=LFP")
        check_name(name.strip(), "--phases")
        if number in out or name.strip().casefold() in (known.casefold() for known in out.values()):
            raise InputError(f"--phases names '{part}' twice; give every label and name once (case does not count)")
        out[number] = name.strip()
    return out


def check_name(name: str, option: str) -> None:
    """Refuse a phase name that a materials file could not write."""
    if not name.strip() or "|" in name or name == "default" or not name.isprintable():
        raise InputError(f"{option} has the phase name {name!r}; allowed: a word without '|', and not 'default'; rename it")


def parse_growth(text: str) -> tuple[str, str, float, float]:
    """Return donor, host and the two thicknesses [nm] that ``LFP|LATP:40-100`` stands for."""
    pair, colon, span = text.partition(":")
    donor, bar, host = pair.partition("|")
    low, dash, high = span.partition("-")
    try:
        if not (colon and bar and dash and donor and host):
            raise ValueError
        values = float(low), float(high)
        if not 0.0 < values[0] <= values[1] <= LARGEST_LAYER_NM:
            raise ValueError
    except ValueError:
        raise InputError(f"--grow-interphase is '{text}'; allowed: A|B:LOW-HIGH in nm, like 'LFP|LATP:40-100'") from None
    if donor == host:
        raise InputError(f"--grow-interphase is '{text}'; allowed: two different phases, like 'LFP|LATP:40-100'")
    return donor, host, *values


def _check_growth(phases: Mapping[int, str], donor: str, host: str, product: str) -> None:
    check_name(product, "--product")
    for name in (donor, host):
        if name not in phases.values():
            near = did_you_mean(name, phases.values()) or "; name the labels with --phases"
            raise InputError(f"--grow-interphase names phase '{name}', which the image does not have{near}")
    if product.casefold() in (name.casefold() for name in phases.values()):
        raise InputError(f"--product is '{product}', a phase that the image has already; choose another name")


def _check_names(labels: NDArray[np.uint8], names: dict[int, str] | None) -> None:
    if names is None:
        return
    import numpy as np

    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()
    unnamed = [label for label in present if label not in names]
    if unnamed:
        raise InputError(f"the image holds labels {unnamed} that --phases does not name; add {unnamed[0]}=NAME")
