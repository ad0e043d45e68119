"""What the contact graph conducts: a quick estimate that tells which contacts matter.

Each contact is a resistor: spreading into one piece, the interface, spreading into the other, in series. Spreading is
Holm's 1/(4 s a) in parallel with the film around the piece (`kmc.percolation.constriction`). Plates and pieces meet
without an interface, through the same spreading resistance.

Known error against the voxel network, for ions: +14 to +61 % on fired structures, where contacts are as wide as grains
and the formula no longer holds; +0.6 to +9 % on packings with point contacts, least where the interface dominates.
Electrons on films: a film part is taken to run around its whole piece, so where it covers less the estimate is high, 3
to 14 times in Voronoi grains with wide contacts; parts that do not meet are told apart (`kmc.percolation.film_parts`).
A uniform block between plates gives 2 s a L/A with a = sqrt(A/pi), not s. It explains a structure; the solver is the
truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kmc.axes import AXES
from kmc.outcomes import Outcome
from kmc.percolation.contact_graph import ContactGraph
from kmc.percolation.reduced_network import reduce_graph
from kmc.percolation.resistor_network import solve_resistors
from microstructures.jit import kernel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GraphConductivity:
    """Currents through the contact graph along one axis, for 1 V across the block.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    sigma_eff_S_per_m : float
        Effective conductivity G L/A [S/m]; exactly 0 where the graph does not percolate.
    outcome : Outcome
        How it ended.
    potential_V : ndarray of shape (n_nodes,)
        Potential of each piece, 1 at the low plate; NaN where no plate reaches it.
    current_A : ndarray of shape (n_edges,)
        Current from the first to the second node of each contact.
    heat_W : ndarray of shape (n_edges,)
        Heat of each contact, the spreading on both sides included.
    """

    axis: str
    sigma_eff_S_per_m: float
    outcome: Outcome
    potential_V: Array = field(repr=False)
    current_A: Array = field(repr=False)
    heat_W: Array = field(repr=False)

    def load(self, graph: ContactGraph) -> Array:
        """Return the share of the whole current that each contact carries, shape (n_edges,).

        With periodic boundary the whole current is that of the mean gradient.
        """
        whole = self.sigma_eff_S_per_m / _to_sigma(graph, AXES.index(self.axis))
        return np.abs(self.current_A) / whole if whole > 0.0 else np.zeros(graph.n_edges)

    def heat_by_interface(self, graph: ContactGraph) -> dict[str, float]:
        """Return the share of the heat that each kind of contact gives off, largest first; the rest is the plates'."""
        whole = self.sigma_eff_S_per_m / _to_sigma(graph, AXES.index(self.axis))
        if whole == 0.0:
            return {}
        kinds, which = np.unique(graph.interface, return_inverse=True)
        share = np.bincount(which, self.heat_W, len(kinds)) / whole
        return {str(kinds[n]): float(share[n]) for n in np.argsort(-share, kind="stable")}


def graph_conductivity(graph: ContactGraph, axis: int) -> GraphConductivity:
    """Estimate the effective conductivity along one axis from the contact graph.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts.
    axis : 0, 1 or 2
        Direction of transport.

    Returns
    -------
    GraphConductivity

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from kmc.percolation.contact_graph import build_contact_graph
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> found = graph_conductivity(build_contact_graph(build_network(block)), axis=0)
    >>> round(found.sigma_eff_S_per_m / 0.9, 6), round(2 / np.pi**0.5, 6)
    (1.128379, 1.128379)
    """
    network, m = reduce_graph(graph, axis), graph.n_edges
    edges, conductance = network.edges, network.conductance_S
    if graph.periodic:
        solution = solve_resistors(edges, conductance, network.n_nodes, drive_V=network.step.astype(float))
        joined = _winds(edges, network.step, conductance, network.n_nodes)
    else:
        held = {network.low: 1.0, network.high: 0.0}
        solution = solve_resistors(edges, conductance, network.n_nodes, held=held)
        joined = _joined(edges, conductance, network.n_nodes, network.low, network.high)
    outcome = Outcome.CONVERGED if joined else Outcome.NOT_PERCOLATING
    live = (conductance > 0.0) & (network.contact >= 0) & joined
    crossing = np.bincount(network.contact[: network.n_shares], solution.current[: network.n_shares], m)
    heat = np.bincount(network.contact[live], solution.current[live] ** 2 / conductance[live], m).astype(np.float64)
    return GraphConductivity(
        axis=AXES[axis],
        sigma_eff_S_per_m=solution.dissipation * _to_sigma(graph, axis) if joined else 0.0,
        outcome=outcome,
        potential_V=solution.potential[: graph.n_nodes],
        current_A=crossing.astype(np.float64) if joined else np.zeros(m),
        heat_W=heat,
    )


def _to_sigma(graph: ContactGraph, axis: int) -> float:
    """Return L/A [1/m] of the whole block."""
    structure = graph.network.structure
    edges = np.array(structure.shape) * np.array(structure.voxel_size)
    return float(edges[axis] ** 2 / edges.prod())


def _joined(edges: NDArray[np.int64], conductance_S: Array, n_nodes: int, low: int, high: int) -> bool:
    """Return whether conducting edges join two nodes."""
    live = edges[conductance_S > 0.0]
    graph = sparse.coo_array((np.ones(len(live)), (live[:, 0], live[:, 1])), shape=(n_nodes, n_nodes))
    _, part = connected_components(graph, directed=False)
    return bool(part[low] == part[high])


@kernel
def _winds(edges, step, conductance, n_nodes):  # type: ignore[no-untyped-def]
    """Return whether any loop of conducting edges ends in another box than it began."""
    parent = np.arange(n_nodes)
    box = np.zeros(n_nodes, dtype=np.int64)
    for m in range(len(edges)):
        if conductance[m] <= 0.0:
            continue
        a, b, shift = edges[m, 0], edges[m, 1], step[m]
        while parent[a] != a:
            shift += box[a]
            a = parent[a]
        while parent[b] != b:
            shift -= box[b]
            b = parent[b]
        if a == b and shift != 0:
            return True
        if a < b:
            parent[b] = a
            box[b] = shift
        elif b < a:
            parent[a] = b
            box[a] = -shift
    return False
