"""The minimum cut: the contacts of least total conductance whose loss parts the plates.

Max-flow min-cut (Ford and Fulkerson, Can. J. Math. 8, 399, 1956) with the contact conductances as capacities; pieces that a
plate touches are tied to it without limit. If all else conducted perfectly, the block would still conduct no more than
the cut: an upper bound of the graph's conductance, and the place where better contacts would help.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from kmc.percolation.contacts.contact_graph import ContactGraph
from microstructures.errors import InputError

LARGEST_CAPACITY = 2**30
"""Capacities are integers of 32 bits; conductances are rounded to this share of the largest possible flow."""
DECIDING_SHARE = 0.99
MEASURES = ("conductance", "count")


@dataclass(frozen=True)
class MinimumCut:
    """Contacts that part the plates.

    Attributes
    ----------
    contacts : ndarray of shape (n,), int64
        Edges of the graph, the best conductor first.
    conductance_S : float
        Sum of their conductances [S].
    area_m2 : float
        Sum of their areas [m^2].
    low_side : ndarray of shape (n_nodes,), bool
        Pieces that stay with the low plate.
    contact_S : ndarray of shape (n,)
        Conductance of each contact [S].
    """

    contacts: NDArray[np.int64]
    conductance_S: float
    area_m2: float
    low_side: NDArray[np.bool_]
    contact_S: NDArray[np.float64]

    @property
    def deciding(self) -> NDArray[np.int64]:
        """Return the fewest contacts that hold 99 % of the conductance of the cut, the best conductor first."""
        held = np.cumsum(self.contact_S) >= DECIDING_SHARE * self.conductance_S
        return self.contacts[: int(held.argmax()) + 1] if len(held) else self.contacts


def minimum_cut(
    graph: ContactGraph, axis: int, *, by: str = "conductance", among: NDArray[np.bool_] | None = None
) -> MinimumCut | None:
    """Find the minimum cut between the plates of an axis.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts, between plates.
    axis : 0, 1 or 2
        Direction of transport.
    by : "conductance" or "count"
        What a contact costs: its conductance, or 1. The least number of contacts is that of the paths from plate to plate
        which share no contact (Menger).
    among : ndarray of shape (n_nodes,), bool, optional
        Pieces to look at, with the contacts among them, as if the others were gone; all unless given.

    Returns
    -------
    MinimumCut or None
        Empty where nothing joins the plates; None where a single piece does, so that no contacts can part them.

    Raises
    ------
    InputError
        If the graph is periodic, or `by` is unknown.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from kmc.percolation.contacts.contact_graph import build_contact_graph
    >>> from microstructures.structure import VoxelStructure
    >>> labels = np.repeat([1, 2], 2)[:, None, None] * np.ones((1, 3, 3), int)
    >>> pair = VoxelStructure.from_labels(labels, voxel_nm=25, phases={1: "LFP", 2: "LATP"})
    >>> minimum_cut(build_contact_graph(build_network(pair)), axis=0).contacts.tolist()
    [0]
    """
    if by not in MEASURES:
        raise InputError(f"by is '{by}'; allowed: {', '.join(MEASURES)}")
    if graph.periodic:
        raise InputError("a minimum cut parts two plates, and the graph is periodic; build it without periodic boundary")
    n, kept = graph.n_nodes, np.ones(graph.n_nodes, dtype=np.bool_) if among is None else among
    low, high = (plate.node[kept[plate.node]] for plate in graph.plates[axis])
    if np.intersect1d(low, high).size:
        return None
    live = (graph.conductance_S > 0.0) & kept[graph.edges].all(axis=1)
    weight = np.where(live, graph.conductance_S if by == "conductance" else 1.0, 0.0)
    capacity = _capacities(weight, whole=by == "count")
    source, sink = n, n + 1
    i, j = graph.edges.T
    tail = np.concatenate((i, j, np.full(len(low), source), high))
    head = np.concatenate((j, i, low, np.full(len(high), sink)))
    unlimited = np.full(len(low) + len(high), LARGEST_CAPACITY)
    size = np.concatenate((capacity, capacity, unlimited)).astype(np.int32)
    matrix = sparse.csr_array((size, (tail, head)), shape=(n + 2, n + 2))
    flow = maximum_flow(matrix, source, sink).flow
    left = sparse.csr_array(matrix - flow)
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    reached = np.zeros(n + 2, dtype=np.bool_)
    reached[breadth_first_order(left, source, return_predecessors=False)] = True
    cut = np.flatnonzero(live & (reached[i] != reached[j]))
    cut = cut[np.argsort(-graph.conductance_S[cut], kind="stable")]
    conductance = graph.conductance_S[cut]
    return MinimumCut(cut, float(conductance.sum()), float(graph.area_m2[cut].sum()), reached[:n], conductance)


def _capacities(weight: NDArray[np.float64], *, whole: bool) -> NDArray[np.int64]:
    """Return integer capacities whose sum stays below the largest; the least that conducts is 1."""
    total = float(weight.sum())
    if total == 0.0:
        return np.zeros(len(weight), dtype=np.int64)
    scale = 1.0 if whole else 0.5 * LARGEST_CAPACITY / total
    return np.where(weight > 0.0, np.maximum(np.rint(weight * scale), 1), 0).astype(np.int64)
