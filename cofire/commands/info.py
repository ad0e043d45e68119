"""`cofire info`: measure a structure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cofire import options
from microstructures.errors import FormatError


def run(structure: options.Structure, voxel_nm: options.VoxelNm = None, json: options.Json = False) -> None:
    """Print fractions, pores, grains, interfaces, interphase, contacts, chords and two-point statistics."""
    read = options.read_structure(structure, voxel_nm)
    from cofire.console import note, print_json, progress, table
    from microstructures.morphology import describe

    with progress("measuring", "microstructures"):
        found = {**describe(read), "made": _made(structure)}
    if json:
        print_json(found)
        return
    rows = [
        *_origin(found["made"]),
        *_phases(found),
        *_grains(found),
        *_areas(found),
        *_interphase(found),
        *_contacts(found),
        *_lengths(found),
    ]
    shell = found["interphase"]
    if shell and shell["representation"] == "resolved" and shell["voxels_across"] < 3.0:
        note(
            f"the interphase is only {shell['voxels_across']:.1f} voxels thick on average; below 3 its conductance is "
            "more than 5 % low; use smaller voxels where it matters"
        )
    table(f"{read.process} structure {structure.name}", rows)


def _made(path: Path) -> dict[str, Any] | None:
    """Return what a structure file of ours says of its making, None for an image."""
    from microstructures.formats import STRUCTURE_SUFFIXES, read_provenance

    try:
        return read_provenance(path) if path.suffix.lower() in STRUCTURE_SUFFIXES else None
    except FormatError:  # an image in HDF5
        return None


def _origin(made: dict[str, Any] | None) -> list[tuple[str, str]]:
    if made is None:
        return []
    told = (f"{made['program']} {made['version']}", made.get("written_UTC"), made.get("command"))
    return [("made by", ", ".join(text for text in told if text))]


def _phases(found: dict[str, Any]) -> list[tuple[str, str]]:
    pores = found["porosity"]
    rows = [
        ("voxels", " x ".join(map(str, found["shape"])) + f" of {found['voxel_nm']} nm"),
        ("relative density", f"{found['relative_density']:.4f}"),
        ("porosity open / closed", f"{pores['open']:.4f} / {pores['closed']:.4f}, {pores['pieces']} pieces"),
    ]
    for name, share in found["volume_fraction"].items():
        error = found["representative_volume"].get(name)
        if error is None:
            rows.append((f"volume fraction {name}", f"{share:.4f}"))
            continue
        text = f"{share:.4f}, as a sample +- {error['standard_error']:.2g}"
        rows.append((f"volume fraction {name}", f"{text}; 1 % takes a cube of {error['edge_um_for_1_percent']:.3g} um"))
    return rows


def _grains(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (
            f"grains {name}",
            f"{size['count']}, {size['mean']:.3g} +- {size['standard_deviation']:.2g} um, "
            f"p10 / p50 / p90 {size['p10']:.3g} / {size['p50']:.3g} / {size['p90']:.3g} um",
        )
        for name, size in found["grain_diameter_um"].items()
    ]


def _areas(found: dict[str, Any]) -> list[tuple[str, str]]:
    raw = found["interface_area_raw_per_volume_per_um"]
    return [
        (f"area {pair}", f"{area:.4g} per um (voxel faces {raw[pair]:.4g})")
        for pair, area in found["interface_area_per_volume_per_um"].items()
    ]


def _interphase(found: dict[str, Any]) -> list[tuple[str, str]]:
    shell = found["interphase"]
    if not shell:
        return []
    span = f"{shell['thickness_nm_p05']:.3g} / {shell['thickness_nm_mean']:.3g} / {shell['thickness_nm_p95']:.3g} nm"
    side = shell["donor_side_fraction"]
    thin = ", too thin for voxels" if shell["representation"] == "thin" else ""
    return [
        ("interphase p05 / mean / p95", span + thin),
        ("interphase volume fraction", f"{shell['volume_fraction']:.4f}"),
        ("interphase coverage", f"{shell['coverage']:.3f}"),
        *([] if side is None else [("interphase share in the donor", f"{side:.3f}")]),
    ]


def _contacts(found: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for key, radius in (("contacts", "radius"), ("neighbours", "radius of equal area")):
        if key in found:
            these = found[key]
            rows.append(
                (key, f"{these['count']}, {these['coordination']:.2f} per grain, {radius} {these['radius_nm_mean']:.3g} nm")
            )
            rows += [
                (f"{key} {name}", ", ".join(f"{mean:.2f} {other}" for other, mean in others.items()) + " per grain")
                for name, others in these["coordination_by_phase"].items()
            ]
    return rows


def _lengths(found: dict[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for name, axes in found["chords"].items():
        means = " / ".join(f"{axis['mean_um']:.3g}" if axis["count"] else "none" for axis in axes.values())
        rows.append((f"mean chord {name} x / y / z", f"{means} um"))
    rows += [(f"correlation length {name}", f"{x:.3g} um") for name, x in found["two_point"]["correlation_length_um"].items()]
    return rows
