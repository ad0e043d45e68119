"""`cofire conduct`: effective conductivity by the solver."""

from __future__ import annotations

from typing import Annotated

import typer

from cofire import options


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    boundary: options.Boundary = "plates",
    tolerance: Annotated[float, typer.Option(help="Largest relative difference of inflow, outflow and dissipation.")] = 1e-4,
    max_iterations: Annotated[int, typer.Option(help="Give up after so many iterations.")] = 500,
    json: options.Json = False,
) -> None:
    """Compute the effective conductivity by balancing the currents of every voxel."""
    known, read = options.read_materials(materials), options.read_structure(structure, voxel_nm)
    from cofire.console import print_json, progress, table
    from kmc.conduction import conduct

    with progress("solving", "kmc.faces", "kmc.conduction") as bar:
        result = conduct(
            read, known, carrier=carrier, temperature_C=temperature_C, axis=axis, boundary=boundary, tolerance=tolerance,
            max_iterations=max_iterations, progress=lambda text: bar(None, text),
        )  # fmt: skip
    found = result.to_dict()
    if json:
        print_json(found)
        return
    sigma = found["sigma_eff_S_per_m"]
    in_reports = {a: 10.0 * v for a, v in sigma.items()} if isinstance(sigma, dict) else 10.0 * sigma
    table(
        f"{carrier} conduction of {structure.name} at {result.temperature_C:g} degC, {boundary}",
        [
            ("sigma_eff", options.shown(in_reports, "mS/cm")),
            ("", options.shown(sigma, "S/m")),
            ("outcome", f"{found['outcome']}: {found['advice']}"),
            ("inflow", options.shown(found["inflow_S_per_m"], "S/m", ".7g")),
            ("outflow", options.shown(found["outflow_S_per_m"], "S/m", ".7g")),
            ("dissipation", options.shown(found["dissipation_S_per_m"], "S/m", ".7g")),
            ("tortuosity factor", options.shown(found["tortuosity_factor"], "", ".4g")),
            ("iterations", options.shown(found["iterations"], "", "d")),
            ("time", f"{found['seconds']:.2f} s, {found['voxels']} voxels"),
        ],
    )
