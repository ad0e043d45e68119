"""Where the current is squeezed: loads of grains and contacts, and grains whose loss would cut the electrodes apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import networkx
import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.percolation.clusters.fast_network import fast_phases
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.grains.graph_conductivity import GraphConductivity
from kmc.percolation.routes.minimum_cut import MinimumCut, minimum_cut

MOST_LOADED = 10
SMALLEST_LOAD = 5e-4
"""Loads below this share of the current are not listed."""


@dataclass(frozen=True)
class Bottlenecks:
    """What holds the current up along one axis.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    contact_load : ndarray of shape (n_edges,)
        Share of the whole current through each contact: its current-flow betweenness between the plates.
    grain_load : ndarray of shape (n_nodes,)
        Share of the whole current through each piece.
    cut : MinimumCut or None
        Contacts of least conductance that part the plates, among pieces of fast phases where these join them; None with
        periodic boundary or where one piece joins them.
    articulation : ndarray of shape (k,), int64
        Pieces of fast phases (`kmc.percolation.clusters.fast_network`) whose loss would part the plates within these phases, from the
        low plate to the high.
    bridges : ndarray of shape (l,), int64
        Contacts whose loss would do so.
    """

    axis: str
    contact_load: NDArray[np.float64]
    grain_load: NDArray[np.float64]
    cut: MinimumCut | None
    articulation: NDArray[np.int64]
    bridges: NDArray[np.int64]

    def most_loaded_contacts(self, count: int = MOST_LOADED) -> NDArray[np.int64]:
        """Return the contacts with the largest loads, the largest first."""
        return _largest(self.contact_load, count)

    def most_loaded_grains(self, count: int = MOST_LOADED) -> NDArray[np.int64]:
        """Return the pieces with the largest loads, the largest first."""
        return _largest(self.grain_load, count)

    def to_dict(self, graph: ContactGraph) -> dict[str, Any]:
        """Return plain values: the most loaded contacts and grains, the cut, the grains that must not be lost."""
        loaded = [{**_contact(graph, m), "load": float(self.contact_load[m])} for m in self.most_loaded_contacts().tolist()]
        grains = [{**_piece(graph, n), "load": float(self.grain_load[n])} for n in self.most_loaded_grains().tolist()]
        cut = None
        if self.cut is not None:
            cut = {
                "contacts": len(self.cut.contacts),
                "deciding_contacts": len(self.cut.deciding),
                "conductance_S": self.cut.conductance_S,
                "area_m2": self.cut.area_m2,
                "deciding_interfaces": counted(graph.interface[self.cut.deciding]),
                "largest": [_contact(graph, m) for m in self.cut.contacts[:MOST_LOADED].tolist()],
            }
        return {
            "most_loaded_contacts": loaded,
            "most_loaded_grains": grains,
            "minimum_cut": cut,
            "articulation_grains": [_piece(graph, n) for n in self.articulation.tolist()],
            "bridge_contacts": [_contact(graph, m) for m in self.bridges.tolist()],
        }


def find_bottlenecks(graph: ContactGraph, found: GraphConductivity) -> Bottlenecks:
    """Find where the current of a contact graph is squeezed.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts.
    found : GraphConductivity
        Its currents along one axis.

    Returns
    -------
    Bottlenecks
    """
    axis = AXES.index(found.axis)
    load = found.load(graph)
    articulation, bridges, cut = np.zeros(0, np.int64), np.zeros(0, np.int64), None
    if not graph.periodic:
        articulation, bridges = cut_points(graph, axis)
        cut = minimum_cut(graph, axis, among=fast_phases(graph.network)[graph.phase])
        if cut is not None and len(cut.contacts) == 0:
            cut = minimum_cut(graph, axis)
    return Bottlenecks(
        axis=found.axis,
        contact_load=load,
        grain_load=_throughput(graph, load, found.current_A),
        cut=cut,
        articulation=articulation,
        bridges=bridges,
    )


def cut_points(graph: ContactGraph, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pieces, and the contacts, that every path between the plates within fast phases must pass.

    They are the joints of the chain of biconnected parts from plate to plate; empty where the fast phases do not join them.
    """
    fast = fast_phases(graph.network)[graph.phase]
    both = fast[graph.edges].all(axis=1) & (graph.conductance_S > 0.0)
    joined: networkx.Graph[Any] = networkx.Graph()
    joined.add_edges_from(graph.edges[both].tolist())
    for end, plate in zip(("low", "high"), graph.plates[axis], strict=True):
        joined.add_edges_from((end, node) for node in plate.node[fast[plate.node]].tolist())
    nothing = np.zeros(0, dtype=np.int64)
    if "low" not in joined or "high" not in joined or not networkx.has_path(joined, "low", "high"):
        return nothing, nothing
    parts = list(networkx.biconnected_components(joined))
    tree: networkx.Graph[Any] = networkx.Graph()
    tree.add_edges_from((("part", number), node) for number, part in enumerate(parts) for node in part)
    chain = networkx.shortest_path(tree, "low", "high")
    pieces = np.array([node for node in chain[2:-1:2]], dtype=np.int64)
    pairs = [tuple(sorted(parts[number])) for _, number in chain[3:-2:2] if len(parts[number]) == 2]
    number_of = {tuple(pair): m for m, pair in enumerate(graph.edges.tolist())}
    return pieces, np.array([number_of[pair] for pair in pairs], dtype=np.int64)


def _throughput(graph: ContactGraph, load: NDArray[np.float64], current_A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the current through each piece: half of what passes its contacts and its plates."""
    signed = load * np.sign(current_A)
    through = np.bincount(graph.edges.ravel(), np.repeat(load, 2), graph.n_nodes)
    net = np.bincount(graph.edges[:, 0], signed, graph.n_nodes) - np.bincount(graph.edges[:, 1], signed, graph.n_nodes)
    return np.asarray(0.5 * (through + np.abs(net)))


def _largest(load: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    order = np.argsort(-load, kind="stable")[:count]
    return order[load[order] > SMALLEST_LOAD].astype(np.int64)


def counted(kinds: NDArray[np.str_]) -> dict[str, int]:
    """Return how often each kind occurs, the commonest first."""
    names, count = np.unique(kinds, return_counts=True)
    return {str(names[n]): int(count[n]) for n in np.argsort(-count, kind="stable")}


def _contact(graph: ContactGraph, m: int) -> dict[str, Any]:
    return {
        "nodes": graph.edges[m].tolist(),
        "grains": graph.grain[graph.edges[m]].tolist(),
        "interface": str(graph.interface[m]),
        "area_m2": float(graph.area_m2[m]),
        "conductance_S": float(graph.conductance_S[m]),
    }


def _piece(graph: ContactGraph, n: int) -> dict[str, Any]:
    return {
        "node": n,
        "grain": int(graph.grain[n]),
        "phase": graph.phase_names[graph.phase[n]],
        "volume_m3": float(graph.volume_m3[n]),
        "centroid_m": graph.centroid_m[n].tolist(),
    }
