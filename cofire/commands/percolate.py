"""`cofire percolate`: what percolates, what is dead, what holds the current up."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError

if TYPE_CHECKING:
    from kmc.percolation import PercolationResult

GRAPH_SUFFIXES = (".graphml", ".json")


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    boundary: options.Boundary = "plates",
    active: Annotated[
        str | None, typer.Option(metavar="PHASE", help="Active material, for the utilisation; found by itself unless given.")
    ] = None,
    graph: Annotated[
        Path | None, typer.Option(metavar="FILE.graphml|.json", help="Write the contact graph, conductances of both carriers.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the graph and its currents over the structure.")
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Tell in ten lines what percolates, what is dead, where the bottleneck is and which contacts carry the current."""
    if graph is not None:
        graph = options.check_output(graph, overwrite, option="--graph", suffixes=GRAPH_SUFFIXES)
    if png is not None:
        if axis == "all":
            raise InputError("--png shows one axis, and --axis is all; choose x, y or z")
        png = options.check_output(png, overwrite, option="--png", suffixes=(".png",))
    known = options.read_materials(materials)
    from cofire.console import out, print_json, progress, table
    from cofire.memory.estimate import percolate_bytes
    from cofire.memory.reading import read_for
    from kmc.percolation import percolate

    read = read_for("the contact graph", structure, voxel_nm, partial(percolate_bytes, carrier=carrier))
    with progress("percolating", "kmc.faces", "kmc.percolation") as bar:
        result = percolate(
            read, known, carrier=carrier, temperature_C=temperature_C, axis=axis, boundary=boundary, active=active
        )  # fmt: skip
        bar(None, "writing")
        found = result.to_dict()
        found["files"] = _write(result, graph, png)
    if json:
        print_json(found)
        return
    table(f"{carrier} percolation of {structure.name} at {result.temperature_C:g} degC, {boundary}", _rows(found, axis))
    for sentence in result.story:
        out.print(f"- {sentence}", markup=False)
    if found["files"]:
        out.print(f"written: {', '.join(found['files'])}", markup=False)


def _write(result: PercolationResult, graph: Path | None, png: Path | None) -> list[str]:
    """Write the files asked for; return their names."""
    written = []
    if graph is not None:
        from kmc.percolation import build_contact_graph, write_graph
        from kmc.percolation.explanation import other_network

        other = build_contact_graph(other_network(result.graph.network), periodic=result.graph.periodic)
        written.append(str(write_graph(result.graph, graph, other)))
    if png is not None:
        from viz.scenes.graph_scene import render_graph

        written.append(str(render_graph(result.graph, result.currents[result.axis], png=png)))
    return written


def _rows(found: dict[str, Any], axis: str) -> list[tuple[str, str]]:
    fraction = found["percolating_fraction"]
    by_axis = fraction if axis == "all" else {axis: fraction}
    percolates = found["percolates"] if axis == "all" else {axis: found["percolates"]}
    rows = [("percolates", ", ".join(f"{a} {'yes' if through else 'no'}" for a, through in percolates.items()))]
    rows += [("outcome", f"{found['outcome']}: {found['advice']}")]
    rows += [
        (f"percolating fraction along {a}", ", ".join(f"{name} {share:.4f}" for name, share in part.items()))
        for a, part in by_axis.items()
    ]
    return [
        *rows,
        ("clusters", str(found["clusters"])),
        ("grains, contacts", f"{found['grains']}, {found['contacts']}"),
        ("sigma_eff of the graph", options.shown(found["sigma_eff_graph_S_per_m"], "S/m")),
        ("critical barrier", options.shown(found["critical_barrier_eV"], "eV", ".4f")),
    ]
