"""`cofire percolate`: clusters, contact graph and critical barrier."""

from __future__ import annotations

from cofire import options


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    boundary: options.Boundary = "plates",
    json: options.Json = False,
) -> None:
    """Find what percolates, what the contact graph conducts and which barrier decides it."""
    known, read = options.read_materials(materials), options.read_structure(structure, voxel_nm)
    from cofire.console import out, print_json, progress, table
    from kmc.percolation import percolate

    with progress("percolating", "kmc.faces", "kmc.percolation"):
        result = percolate(read, known, carrier=carrier, temperature_C=temperature_C, axis=axis, boundary=boundary)
    found = result.to_dict()
    if json:
        print_json(found)
        return
    fraction = found["percolating_fraction"]
    by_axis = fraction if axis == "all" else {axis: fraction}
    percolates = found["percolates"] if axis == "all" else {axis: found["percolates"]}
    rows = [("percolates", ", ".join(f"{a} {'yes' if through else 'no'}" for a, through in percolates.items()))]
    rows += [("outcome", f"{found['outcome']}: {found['advice']}")]
    rows += [
        (f"percolating fraction along {a}", ", ".join(f"{name} {share:.4f}" for name, share in part.items()))
        for a, part in by_axis.items()
    ]
    rows += [
        ("clusters", str(found["clusters"])),
        ("grains, contacts", f"{found['grains']}, {found['contacts']}"),
        ("sigma_eff of the graph", options.shown(found["sigma_eff_graph_S_per_m"], "S/m")),
        ("critical barrier", options.shown(found["critical_barrier_eV"], "eV", ".4f")),
    ]
    table(f"{carrier} percolation of {structure.name} at {result.temperature_C:g} degC, {boundary}", rows)
    for sentence in result.story:
        out.print(f"- {sentence}", markup=False)
