"""What the contact graph conducts: a lower bound that tells which contacts matter.

Every grain counts with the matrix of its own network between its contacts, every contact with its faces
(`kmc.percolation.grains.grain_graph`). The currents are balanced ones of the voxel network with a few flux modes per contact, so the
result never exceeds the solver's (Thomson's principle).

Known error against the solver, 20 structures of 4 um at 50 nm (`benchmarks/graph.py`): ions -2.3 to -4.7 % in fired bodies, down to
-0.5 % in Voronoi grains, -0.01 % at point contacts; electrons -14 % in fired bodies, where they crowd at the rims of contacts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.outcomes import Outcome
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.grains.grain_graph import GrainGraph, build_grain_graph, to_sigma

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
        Potential of each piece, the mean over its contacts, 1 at the low plate; NaN where no plate reaches it.
    current_A : ndarray of shape (n_edges,)
        Current from the first to the second node of each contact.
    heat_W : ndarray of shape (n_edges,)
        Heat of each contact, the spreading on both sides included: its current times the drop between both nodes.
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
        whole = self.sigma_eff_S_per_m / to_sigma(graph, AXES.index(self.axis))
        return np.abs(self.current_A) / whole if whole > 0.0 else np.zeros(graph.n_edges)

    def heat_by_interface(self, graph: ContactGraph) -> dict[str, float]:
        """Return the share of the heat that each kind of contact gives off, largest first; the rest is the plates'."""
        whole = self.sigma_eff_S_per_m / to_sigma(graph, AXES.index(self.axis))
        if whole == 0.0:
            return {}
        kinds, which = np.unique(graph.interface, return_inverse=True)
        share = np.bincount(which, self.heat_W, len(kinds)) / whole
        return {str(kinds[n]): float(share[n]) for n in np.argsort(-share, kind="stable")}


def graph_conductivity(graph: ContactGraph, axis: int, grains: GrainGraph | None = None) -> GraphConductivity:
    """Find how much current the contact graph carries along one axis, a lower bound of the solver's.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts.
    axis : 0, 1 or 2
        Direction of transport.
    grains : GrainGraph, optional
        The matrices of this graph's grains, if they are at hand: one build serves all axes.

    Returns
    -------
    GraphConductivity

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from kmc.percolation.contacts.contact_graph import build_contact_graph
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> round(graph_conductivity(build_contact_graph(build_network(block)), axis=0).sigma_eff_S_per_m, 6)
    0.9
    """
    known = build_grain_graph(graph, (axis,)) if grains is None else grains
    found = known.solve(axis)
    net = known.modes.start[: graph.n_edges]
    current, potential = found.current[net], np.nan_to_num(found.potential)
    drop = potential[graph.edges[:, 0]] - potential[graph.edges[:, 1]] + known.drive_V(axis)[net]
    return GraphConductivity(
        axis=AXES[axis],
        sigma_eff_S_per_m=found.conductance_S * to_sigma(graph, axis),
        outcome=Outcome.CONVERGED if found.conductance_S > 0.0 else Outcome.NOT_PERCOLATING,
        potential_V=found.potential,
        current_A=current,
        heat_W=current * drop,
    )
