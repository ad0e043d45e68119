"""Why a structure conducts as it does: everything the graph and the paths tell, along every axis asked for."""

from __future__ import annotations

from dataclasses import dataclass

from kmc.network import Network, build_network
from kmc.percolation.clusters.dead_ends import FastShares, fast_shares
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.grains.graph_conductivity import GraphConductivity
from kmc.percolation.routes.bottlenecks import Bottlenecks, find_bottlenecks
from kmc.percolation.routes.geodesics import PathTortuosity, path_tortuosity
from kmc.percolation.routes.paths import VoxelPath, critical_path, fastest_path
from kmc.percolation.utilisation import Utilisation, utilisation
from microstructures.materials import CARRIERS


@dataclass(frozen=True)
class Explanation:
    """What was found, by axis; an axis is missing where there is nothing to tell.

    Attributes
    ----------
    shares : dict of axis to FastShares
        Backbone, dead ends and what is cut off.
    utilisation : dict of axis to Utilisation, or None
        None where no phase is active.
    critical, fastest : dict of axis to VoxelPath
        Paths between plates.
    tortuosity : dict of axis to PathTortuosity
        Of the fast network between plates.
    bottlenecks : dict of axis to Bottlenecks
        Loads, cut, articulation.
    """

    shares: dict[int, FastShares]
    utilisation: dict[int, Utilisation] | None
    critical: dict[int, VoxelPath]
    fastest: dict[int, VoxelPath]
    tortuosity: dict[int, PathTortuosity]
    bottlenecks: dict[int, Bottlenecks]


def other_network(network: Network) -> Network:
    """Return the network of the other carrier; the faces are shared."""
    carrier = next(name for name in CARRIERS if name != network.carrier)
    return build_network(network.faces, network.materials, carrier=carrier, temperature_C=network.temperature_C)


def explain(
    graph: ContactGraph,
    currents: dict[int, GraphConductivity],
    critical_eV: dict[int, float | None],
    *,
    active: str | None = None,
) -> Explanation:
    """Find backbone, utilisation, paths and bottlenecks along every axis.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts of the network.
    currents : dict of axis to GraphConductivity
        Its currents; their axes are those looked at.
    critical_eV : dict of axis to float or None
        Critical barriers.
    active : str, optional
        Phase of the active material; see `kmc.percolation.utilisation.default_active`.
    """
    network, periodic, axes = graph.network, graph.periodic, tuple(currents)
    pair = [network, other_network(network)]
    ion, electron = sorted(pair, key=lambda one: CARRIERS.index(one.carrier))
    critical, fastest, tortuosity = {}, {}, {}
    for axis in () if periodic else axes:
        level = critical_eV[axis]
        if level is not None:
            over_lowest, quickest = critical_path(network, axis, critical_eV=level), fastest_path(network, axis)
            assert over_lowest is not None
            assert quickest is not None
            critical[axis], fastest[axis] = over_lowest, quickest
        lengths = path_tortuosity(network, axis)
        if lengths is not None:
            tortuosity[axis] = lengths
    return Explanation(
        shares=fast_shares(network, axes, periodic=periodic),
        utilisation=utilisation(ion, electron, active=active, axes=axes, periodic=periodic),
        critical=critical,
        fastest=fastest,
        tortuosity=tortuosity,
        bottlenecks={axis: find_bottlenecks(graph, found) for axis, found in currents.items()},
    )
