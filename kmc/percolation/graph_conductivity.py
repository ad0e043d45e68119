"""What the contact graph conducts: a quick estimate that tells which contacts matter.

Each contact is a resistor: spreading into one piece, the interface, spreading into the other, in series. Spreading is
Holm's 1/(4 s a) in parallel with the film around the piece (`kmc.percolation.constriction`). Plates and pieces meet
without an interface, through the same spreading resistance.

Known error against the voxel network, for ions: +14 to +61 % on fired structures, where contacts are as wide as grains
and the formula no longer holds; +0.6 to +9 % on packings with point contacts, least where the interface dominates.
Electrons on films: several times too high where the film covers a piece only in part, since it is taken as whole.
A uniform block between plates gives 2 s a L/A with a = sqrt(A/pi), not s. It explains a structure; the solver is the
truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kmc.outcomes import Outcome
from kmc.percolation.contact_graph import ContactGraph
from kmc.percolation.resistor_network import solve_resistors
from microstructures.jit import kernel

AXES = "xyz"
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
    plate_current_A : pair of ndarrays
        Current from the low plate into each of its pieces, and out of each piece on the high plate.
    """

    axis: str
    sigma_eff_S_per_m: float
    outcome: Outcome
    potential_V: Array = field(repr=False)
    current_A: Array = field(repr=False)
    plate_current_A: tuple[Array, Array] = field(repr=False)

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
        live = self.current_A != 0.0
        heat = self.current_A[live] ** 2 / graph.conductance_S[live]
        kinds, which = np.unique(graph.interface[live], return_inverse=True)
        share = np.bincount(which, heat, len(kinds)) / whole
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
    n, m = graph.n_nodes, graph.n_edges
    if graph.periodic:
        drive = graph.offset[:, axis].astype(float)
        solution = solve_resistors(graph.edges, graph.conductance_S, n, drive_V=drive)
        nothing = np.zeros(0)
        joined = _winds(graph.edges, graph.offset[:, axis].copy(), graph.conductance_S, n)
        dissipation = solution.dissipation if joined else 0.0
        return _result(graph, axis, dissipation, solution.potential, solution.current, (nothing, nothing))
    low, high = graph.plates[axis]
    to_low = np.column_stack((np.full(len(low.node), n), low.node))
    to_high = np.column_stack((high.node, np.full(len(high.node), n + 1)))
    edges = np.concatenate((graph.edges, to_low, to_high))
    conductance = np.concatenate((graph.conductance_S, low.conductance_S, high.conductance_S))
    solution = solve_resistors(edges, conductance, n + 2, held={n: 1.0, n + 1: 0.0})
    into, out = solution.current[m : m + len(low.node)], solution.current[m + len(low.node) :]
    joined = len(out) > 0 and float(np.nanmax(solution.potential[high.node])) > 0.0
    dissipation = solution.dissipation if joined else 0.0
    return _result(graph, axis, dissipation, solution.potential[:n], solution.current[:m], (into, out))


def _result(
    graph: ContactGraph, axis: int, conductance_S: float, potential: Array, current: Array, plates: tuple[Array, Array]
) -> GraphConductivity:
    if conductance_S > 0.0:
        outcome = Outcome.CONVERGED
    elif graph.network.conducts():
        outcome = Outcome.NOT_PERCOLATING
    else:
        outcome = Outcome.FROZEN
    sigma = conductance_S * _to_sigma(graph, axis)
    if sigma == 0.0:
        current, plates = np.zeros_like(current), (np.zeros_like(plates[0]), np.zeros_like(plates[1]))
    return GraphConductivity(AXES[axis], sigma, outcome, potential, current, plates)


def _to_sigma(graph: ContactGraph, axis: int) -> float:
    """Return L/A [1/m] of the whole block."""
    structure = graph.network.structure
    edges = np.array(structure.shape) * np.array(structure.voxel_size)
    return float(edges[axis] ** 2 / edges.prod())


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
