"""The contact graph for other programs: GraphML for Gephi, Cytoscape and igraph, JSON for anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kmc.percolation.contacts.contact_graph import ContactGraph
from microstructures.errors import InputError
from microstructures.origin import PROGRAM, program_version, utc

if TYPE_CHECKING:
    import networkx

SUFFIXES = (".graphml", ".json")


def to_networkx(graph: ContactGraph, other: ContactGraph | None = None) -> networkx.Graph[int]:
    """Return a networkx graph; with the graph of the other carrier, contacts carry the conductances of both.

    Node attributes: phase, grain, voxels, volume_m3, surface_m2, centroid_m, radius_m. Edge attributes: interface,
    point_contact, faces, area_m2, radius_m, interface_resistance_ohm, conductance_S, and the same conductance by its
    carrier: conductance_ion_S or conductance_electron_S. With periodic boundary it is a MultiGraph (two pieces may meet on
    both sides of the box) whose edges also have an offset.

    Parameters
    ----------
    graph : ContactGraph
        Gives nodes and edges.
    other : ContactGraph, optional
        Of the same structure for the other carrier. Its conductances are given where its pieces meet as well; where they
        are one piece there, joined by a film, the attribute is missing.

    Raises
    ------
    InputError
        If both belong to one carrier, or to different structures or boundaries.
    """
    import networkx

    names = np.array(graph.phase_names)
    nodes = {
        "phase": names[graph.phase] if graph.n_nodes else names[:0],
        "grain": graph.grain,
        "voxels": graph.voxels,
        "volume_m3": graph.volume_m3,
        "surface_m2": graph.surface_m2,
        "radius_m": graph.node_radius_m,
    }
    edges: dict[str, NDArray[Any]] = {
        "interface": graph.interface,
        "point_contact": graph.point_contact,
        "faces": graph.faces,
        "area_m2": graph.area_m2,
        "radius_m": graph.radius_m,
        "interface_resistance_ohm": graph.interface_resistance_ohm,
        "conductance_S": graph.conductance_S,
        f"conductance_{graph.network.carrier}_S": graph.conductance_S,
    }
    if other is not None:
        edges[f"conductance_{other.network.carrier}_S"] = conductance_beside(graph, other)
    out: networkx.Graph[int] = networkx.MultiGraph() if graph.periodic else networkx.Graph()
    columns = zip(*(values.tolist() for values in nodes.values()), strict=True)
    centroids = [tuple(place) for place in graph.centroid_m.tolist()]
    out.add_nodes_from(
        (n, {**dict(zip(nodes, row, strict=True)), "centroid_m": place})
        for n, (row, place) in enumerate(zip(columns, centroids, strict=True))
    )
    rows = zip(*(values.tolist() for values in edges.values()), strict=True)
    for (i, j), row, offset in zip(graph.edges.tolist(), rows, graph.offset.tolist(), strict=True):
        known = {name: value for name, value in zip(edges, row, strict=True) if value == value}
        out.add_edge(i, j, **known, **({"offset": tuple(offset)} if graph.periodic else {}))
    return out


def conductance_beside(graph: ContactGraph, other: ContactGraph) -> NDArray[np.float64]:
    """Return the conductance [S] of each contact for the other carrier, NaN where its pieces do not part there.

    Pieces are matched by the voxels they share. Contacts that are one for the other carrier divide its conductance by area.
    """
    same = graph.network.structure is other.network.structure and graph.periodic == other.periodic
    if not same or graph.network.carrier == other.network.carrier:
        raise InputError("the other graph must be of the same structure and boundary, for the other carrier")
    match = _matched(graph, other)
    ends = match[graph.edges]
    found = (ends >= 0).all(axis=1) & (ends[:, 0] != ends[:, 1])
    key = np.sort(ends, axis=1) @ np.array([other.n_nodes, 1])
    order = other.edges @ np.array([other.n_nodes, 1])
    there, which = np.unique(order, return_inverse=True)
    conductance = np.bincount(which, other.conductance_S, len(there)).astype(np.float64)
    place = np.minimum(np.searchsorted(there, key), max(len(there) - 1, 0))
    found &= (there[place] == key) if len(there) else False
    out = np.full(graph.n_edges, np.nan)
    area = np.bincount(place[found], graph.area_m2[found], max(len(there), 1))
    out[found] = conductance[place[found]] * graph.area_m2[found] / area[place[found]]
    return out


def write_graph(graph: ContactGraph, path: str | Path, other: ContactGraph | None = None) -> Path:
    """Write a contact graph as GraphML or JSON (node-link data of networkx), by the suffix of the file.

    GraphML holds no lists: the centroid becomes x_m, y_m, z_m and an offset offset_x, offset_y, offset_z.

    Parameters
    ----------
    graph, other : ContactGraph
        As for `to_networkx`.
    path : path
        `.graphml` or `.json`.

    Raises
    ------
    InputError
        If the suffix is another.
    """
    import networkx

    from microstructures.formats.guard import atomic_file

    file = Path(path)
    if file.suffix.lower() not in SUFFIXES:
        raise InputError(f"graph file '{file.name}' ends in '{file.suffix}'; allowed: {', '.join(SUFFIXES)}")
    found = to_networkx(graph, other)
    structure = graph.network.structure
    found.graph.update(
        carrier=graph.network.carrier,
        temperature_C=graph.network.temperature_C,
        boundary="periodic" if graph.periodic else "plates",
        made_by=f"{PROGRAM} {program_version()}",
        written_UTC=utc(),
    )
    with atomic_file(file) as partial:
        if file.suffix.lower() == ".json":
            found.graph["edges_m"] = [edge * 1e-6 for edge in structure.edges_um]
            partial.write_text(json.dumps(networkx.node_link_data(found, edges="edges"), allow_nan=False), encoding="utf-8")
        else:
            for _, data in found.nodes(data=True):
                data.update(zip(("x_m", "y_m", "z_m"), data.pop("centroid_m"), strict=True))
            for _, _, data in found.edges(data=True):
                offset = data.pop("offset", ())
                data.update(zip(("offset_x", "offset_y", "offset_z"), offset, strict=False))
            networkx.write_graphml(found, partial)
    return file


def _matched(graph: ContactGraph, other: ContactGraph) -> NDArray[np.int64]:
    """Return the node of the other graph that shares most voxels with each node, -1 for none."""
    a, b = graph.ids.ravel().astype(np.int64), other.ids.ravel()
    pair, count = np.unique((a * (other.n_nodes + 1) + b)[(a > 0) & (b > 0)], return_counts=True)
    order = np.argsort(count, kind="stable")
    own, theirs = np.divmod(pair[order], other.n_nodes + 1)
    match = np.full(graph.n_nodes, -1, dtype=np.int64)
    match[own - 1] = theirs - 1
    return match
