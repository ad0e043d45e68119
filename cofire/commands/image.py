"""`cofire import`: turn a real image into a structure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from microstructures.formats import RawLayout
    from microstructures.images.pipeline import ImportedImage
    from microstructures.images.report import PhaseReport
    from microstructures.structure import VoxelStructure

LARGEST_LAYER_NM = 1e4
REPRESENTATIONS = ("resolved", "thin", "auto")


def run(
    image: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGE", help=".tif, folder of slices, .npy, .vti, .nrrd, .mhd/.mha, .h5/.dream3d, or --raw-shape."
        ),
    ],
    out: options.Out,
    voxel_nm: options.VoxelNm = None,
    phases: Annotated[str | None, typer.Option(metavar="0=pore,1=LFP,...", help="Name of every label in the image.")] = None,
    thresholds: Annotated[
        str | None, typer.Option(metavar="80,160|otsu|multi-otsu", help="Segment a grey image, from dark to bright.")
    ] = None,
    preview: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Picture of histogram, grey and segmented slice.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(metavar="/PATH", help="Dataset of an HDF5 or DREAM.3D file.")] = None,
    raw_shape: Annotated[str | None, typer.Option(metavar="X,Y,Z", help="Voxels of a file without a header.")] = None,
    raw_type: Annotated[str | None, typer.Option(help="uint8, uint16, ... float64; uint8 unless given.")] = None,
    raw_byte_order: Annotated[str | None, typer.Option(help="little or big; little unless given.")] = None,
    raw_header_bytes: Annotated[int | None, typer.Option(help="Bytes to skip at the start.")] = None,
    crop: Annotated[str | None, typer.Option(metavar="X0:X1,Y0:Y1,Z0:Z1", help="Voxels to keep, done first.")] = None,
    resample_nm: Annotated[float | None, typer.Option("--resample-nm", metavar="H", help="New cubic voxels of H nm.")] = None,
    median: Annotated[int | None, typer.Option(metavar="N", help="Majority filter over N x N x N voxels.")] = None,
    islands: Annotated[
        int | None, typer.Option("--remove-islands", metavar="N", help="Pieces below N voxels take the label around them.")
    ] = None,
    segment_grains: Annotated[bool, typer.Option("--segment-grains", help="Tell grains apart by a watershed.")] = False,
    grow_interphase: Annotated[
        str | None, typer.Option(metavar="A|B:40-100", help="Grow an interphase of 40 to 100 nm out of B where it meets A.")
    ] = None,
    product: Annotated[str, typer.Option(help="Name of that interphase.")] = "LFTAP",
    representation: Annotated[
        str, typer.Option(help="resolved: of voxels; thin: folded into the faces; auto: by its thickness in voxels.")
    ] = "resolved",
    seed: Annotated[int, typer.Option(help="Seed of the interphase thickness.")] = 1,
    json: options.Json = False,
    overwrite: options.Overwrite = False,
) -> None:
    """Read an image, name its phases, say what is in it, and write it as a structure. Nothing is repaired unless asked for."""
    target = options.check_structure_output(out, overwrite)
    names = parse_phases(phases)
    growth = None if grow_interphase is None else parse_growth(grow_interphase)
    if not 0 <= seed < 2**64:
        raise InputError(f"--seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    if representation not in REPRESENTATIONS:
        raise InputError(f"--representation is '{representation}'{did_you_mean(representation, REPRESENTATIONS)}")
    if preview is not None:
        if thresholds is None:
            raise InputError("--preview shows thresholds, and there are none; add --thresholds otsu, or leave it out")
        preview = options.check_output(preview, overwrite, option="--preview", suffixes=(".png",))
    cuts = parse_thresholds(thresholds)
    layout = parse_raw(raw_shape, raw_type, raw_byte_order, raw_header_bytes)
    spans = parse_crop(crop)
    from cofire.console import note, print_json, progress
    from cofire.memory.reading import room_to_import
    from microstructures.images.pipeline import import_image

    with progress("importing"), room_to_import(spans, segment_grains=segment_grains):
        done = import_image(
            image, voxel_nm=options.edges_nm(voxel_nm), phases=names, thresholds=cuts, dataset=dataset, raw=layout, crop_to=spans,
            resample_nm=resample_nm, median_voxels=median, remove_islands_below=islands, segment_grains=segment_grains,
        )  # fmt: skip
        structure, grown = done.structure, None
        if growth is not None:
            structure, grown = _grow(structure, growth, product, representation, seed)
        if preview is not None:
            _draw(done, structure.phases, preview)
        options.write_structure(structure, target)
    if json:
        print_json({"structure": str(target), **replace(done, structure=structure).to_dict(), "interphase": grown})
    for line in (*report_lines(done), *_growth_lines(growth, grown)):
        note(line)
    note(f"{structure!r}, {structure.n_grains} grains, written to {target}")


def report_lines(done: ImportedImage) -> Iterable[str]:
    """Yield what was found and done, one line each."""
    yield from done.notes
    if done.thresholds is not None:
        values = ", ".join(f"{value:g}" for value in done.thresholds["values"])
        yield f"thresholds ({done.thresholds['method']}): {values}; a voxel of that value belongs to the darker phase"
    for step in done.steps:
        if "voxels_after" in step:
            yield f"{step['step']}: {step['voxels_before']} voxels became {step['voxels_after']}"
    yield from _phase_lines("found", done.found, done.small_below_voxels)
    for step in done.steps:
        if "voxels_changed" in step:
            yield f"{step['step']}: {step['voxels_changed']} voxels changed"
    yield from _phase_lines("left", done.left or {}, done.small_below_voxels)
    if done.left is None and any(phase.islands for phase in done.found.values()):
        yield "nothing was repaired; --remove-islands N or --median N would"
    for warning in done.warnings:
        yield f"warning: {warning}"


def _phase_lines(title: str, phases: Mapping[str, PhaseReport], limit: int) -> Iterable[str]:
    for name, phase in phases.items():
        yield (
            f"{title} {name}: {phase.voxels} voxels ({phase.volume_fraction:.4f}) in {phase.pieces} pieces; "
            f"{phase.islands} islands below {limit} voxels ({phase.island_voxels} voxels, {phase.single_voxels} single); "
            f"{phase.enclosed_pieces} enclosed ({phase.enclosed_voxels} voxels)"
        )


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


def parse_thresholds(text: str | None) -> str | tuple[float, ...] | None:
    """Return the method or the grey values that an option names."""
    if text is None or not text.strip() or text.strip()[0].isalpha():
        if text is not None and not text.strip():
            raise InputError("--thresholds is empty; allowed: otsu, multi-otsu, or grey values like 80,160")
        return text if text is None else text.strip()
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--thresholds is '{text}'; allowed: otsu, multi-otsu, or ascending grey values like 80,160") from None


def parse_crop(text: str | None) -> list[tuple[int | None, int | None]] | None:
    """Return the three spans that ``0:100,20:80,:`` stands for."""
    if text is None:
        return None
    spans: list[tuple[int | None, int | None]] = []
    try:
        for part in text.split(","):
            low, high = part.split(":")
            spans.append((int(low) if low.strip() else None, int(high) if high.strip() else None))
        if len(spans) != 3:
            raise ValueError
    except ValueError:
        raise InputError(
            f"--crop is '{text}'; allowed: X0:X1,Y0:Y1,Z0:Z1 in voxels, like 0:100,20:80,: (empty: to the end)"
        ) from None
    return spans


def parse_raw(shape: str | None, kind: str | None, byte_order: str | None, header_bytes: int | None) -> RawLayout | None:
    """Return the layout of a headerless file that the four options stand for."""
    if shape is None:
        if not (kind is byte_order is header_bytes is None):
            raise InputError("--raw-type, --raw-byte-order and --raw-header-bytes need --raw-shape; add it, like 100,100,80")
        return None
    from microstructures.formats import RawLayout

    try:
        x, y, z = (int(part) for part in shape.split(","))
    except ValueError:
        raise InputError(
            f"--raw-shape is '{shape}'; allowed: three whole numbers, voxels along x, y, z, like 100,100,80"
        ) from None
    return RawLayout((x, y, z), kind or "uint8", byte_order or "little", header_bytes or 0)


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


def _grow(
    structure: VoxelStructure, growth: tuple[str, str, float, float], product: str, representation: Any, seed: int
) -> tuple[VoxelStructure, dict[str, Any]]:
    """Grow the layer out of the host alone, at every pair of pieces or grains that touch; say how much grew."""
    from microstructures.firing.interphase import grow_interphase
    from microstructures.recipe import InterphaseRecipe

    donor, host, low, high = growth
    _check_growth(structure.phases, donor, host, product)
    free = next(label for label in range(1, 256) if label not in structure.phases)
    recipe = InterphaseRecipe(
        donor=donor, host=host, product=product, label=free, thickness_p05_nm=low, thickness_p95_nm=high, donor_share=0.0,
        coverage=1.0, representation=representation,
    )  # fmt: skip
    grown = grow_interphase(structure, recipe, seed=seed)
    grown = grown.with_(recipe={**grown.recipe, "interphase": recipe.model_dump()}, seed=seed)
    thin = 0 if grown.shells is None else len(grown.shells)
    return grown, {"product": product, "voxels": int((grown.labels == free).sum()), "thin_pairs_of_grains": thin}


def _check_growth(phases: Mapping[int, str], donor: str, host: str, product: str) -> None:
    check_name(product, "--product")
    for name in (donor, host):
        if name not in phases.values():
            near = did_you_mean(name, phases.values()) or "; name the labels with --phases"
            raise InputError(f"--grow-interphase names phase '{name}', which the image does not have{near}")
    if product.casefold() in (name.casefold() for name in phases.values()):
        raise InputError(f"--product is '{product}', a phase that the image has already; choose another name")


def _growth_lines(growth: Any, grown: dict[str, Any] | None) -> Iterable[str]:
    if grown is None:
        return
    if grown["thin_pairs_of_grains"]:
        yield f"interphase: thin layers of {grown['product']} between {grown['thin_pairs_of_grains']} pairs of grains"
    elif grown["voxels"]:
        yield f"interphase: {grown['voxels']} voxels of {growth[1]} became {grown['product']}"
    else:
        yield f"no {grown['product']} grew: {growth[0]} and {growth[1]} do not touch in this image"


def _draw(done: ImportedImage, phases: Mapping[int, str], file: Path) -> None:
    from viz.plots.threshold_plot import save_threshold_preview

    if done.grey is None or done.segmented is None or done.thresholds is None:
        return
    save_threshold_preview(
        file, done.grey, done.segmented, done.thresholds["values"], method=done.thresholds["method"], phases=phases,
        voxel_nm=done.structure.recipe["voxel_nm"],
    )  # fmt: skip
