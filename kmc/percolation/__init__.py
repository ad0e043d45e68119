"""What percolates and why: clusters, the grain contact graph, its currents, bottlenecks, paths and thresholds."""

from kmc.percolation.clusters.backbone import find_backbone
from kmc.percolation.clusters.critical import critical_barriers_eV
from kmc.percolation.clusters.dead_ends import FastShares, fast_shares
from kmc.percolation.clusters.fast_network import fast_faces, fast_phases
from kmc.percolation.clusters.phase_clusters import PhaseClusters, find_phase_clusters
from kmc.percolation.clusters.statistics import ClusterStatistics, cluster_statistics
from kmc.percolation.contacts.contact_graph import ContactGraph, build_contact_graph
from kmc.percolation.contacts.exports import write_graph
from kmc.percolation.grains.graph_conductivity import GraphConductivity, graph_conductivity
from kmc.percolation.percolate import PercolationResult, percolate
from kmc.percolation.routes.bottlenecks import Bottlenecks, find_bottlenecks
from kmc.percolation.routes.geodesics import PathTortuosity, path_tortuosity
from kmc.percolation.routes.minimum_cut import MinimumCut, minimum_cut
from kmc.percolation.routes.paths import VoxelPath, critical_path, fastest_path
from kmc.percolation.scaling.exponents import conductivity_exponent, finite_size_exponent
from kmc.percolation.scaling.percolation_map import percolation_map
from kmc.percolation.scaling.thresholds import extrapolate_threshold, spanning_thresholds
from kmc.percolation.utilisation import Utilisation, utilisation

__all__ = [
    "Bottlenecks",
    "ClusterStatistics",
    "ContactGraph",
    "FastShares",
    "GraphConductivity",
    "MinimumCut",
    "PathTortuosity",
    "PercolationResult",
    "PhaseClusters",
    "Utilisation",
    "VoxelPath",
    "build_contact_graph",
    "cluster_statistics",
    "conductivity_exponent",
    "critical_barriers_eV",
    "critical_path",
    "extrapolate_threshold",
    "fast_faces",
    "fast_phases",
    "fast_shares",
    "fastest_path",
    "find_backbone",
    "find_bottlenecks",
    "find_phase_clusters",
    "finite_size_exponent",
    "graph_conductivity",
    "minimum_cut",
    "path_tortuosity",
    "percolate",
    "percolation_map",
    "spanning_thresholds",
    "utilisation",
    "write_graph",
]
