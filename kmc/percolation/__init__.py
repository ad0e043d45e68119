"""What percolates and why: clusters, the grain contact graph, its currents and the critical barrier."""

from kmc.percolation.clusters import ClusterStatistics, cluster_statistics
from kmc.percolation.contact_graph import ContactGraph, build_contact_graph
from kmc.percolation.critical import critical_barriers_eV
from kmc.percolation.graph_conductivity import GraphConductivity, graph_conductivity
from kmc.percolation.percolate import PercolationResult, percolate

__all__ = [
    "ClusterStatistics",
    "ContactGraph",
    "GraphConductivity",
    "PercolationResult",
    "build_contact_graph",
    "cluster_statistics",
    "critical_barriers_eV",
    "graph_conductivity",
    "percolate",
]
