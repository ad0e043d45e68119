"""`cofire info`: measure a structure."""

from __future__ import annotations

from cofire import options


def run(structure: options.Structure, voxel_nm: options.VoxelNm = None, json: options.Json = False) -> None:
    """Print fractions, grains, interface areas, shell thickness, contacts and two-point statistics."""
    read = options.read_structure(structure, voxel_nm)
    from cofire.console import note, print_json, progress, table
    from microstructures.morphology import describe

    with progress("measuring", "microstructures"):
        found = describe(read)
    if json:
        print_json(found)
        return
    rows = [
        ("voxels", " x ".join(map(str, found["shape"])) + f" of {found['voxel_nm']} nm"),
        ("relative density", f"{found['relative_density']:.4f}"),
    ]
    rows += [(f"volume fraction {name}", f"{share:.4f}") for name, share in found["volume_fraction"].items()]
    rows += [
        (f"grains {name}", f"{size['count']}, {size['mean']:.3g} +- {size['standard_deviation']:.2g} um")
        for name, size in found["grain_diameter_um"].items()
    ]
    rows += [(f"area {pair}", f"{area:.4g} per um") for pair, area in found["interface_area_per_volume_per_um"].items()]
    shell = found["interphase"]
    if shell:
        span = f"{shell['thickness_nm_p05']:.3g} / {shell['thickness_nm_mean']:.3g} / {shell['thickness_nm_p95']:.3g} nm"
        rows += [("interphase p05 / mean / p95", span), ("interphase coverage", f"{shell['coverage']:.3f}")]
        if shell["voxels_across"] < 3.0:
            note(
                f"the interphase is only {shell['voxels_across']:.1f} voxels thick on average; below 3 its conductance is "
                "more than 5 % low; use smaller voxels where it matters"
            )
    if "contacts" in found:
        contacts = found["contacts"]
        rows.append(("contacts", f"{contacts['count']}, {contacts['coordination']:.2f} per grain, "
                                 f"radius {contacts['radius_nm_mean']:.3g} nm"))  # fmt: skip
    rows += [(f"correlation length {name}", f"{x:.3g} um") for name, x in found["two_point"]["correlation_length_um"].items()]
    table(f"{read.process} structure {structure.name}", rows)
