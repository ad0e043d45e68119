"""What the graph says, in sentences that can be quoted."""

from __future__ import annotations

import numpy as np

from kmc.axes import AXES
from kmc.network import Network
from kmc.percolation.clusters import ClusterStatistics
from kmc.percolation.contact_graph import ContactGraph
from kmc.percolation.graph_conductivity import GraphConductivity
from kmc.pieces import carrying_phases

MOST_LOADED = 10
SMALLEST_LOAD = 5e-4
DISTINCT_EV = 1e-3
CARRIER_NAMES = {"ion": "Lithium ions", "electron": "Electrons"}


def tell(
    network: Network,
    statistics: ClusterStatistics,
    graph: ContactGraph,
    currents: dict[int, GraphConductivity],
    critical: dict[int, float | None],
) -> list[str]:
    """Return up to ten sentences: what percolates, what blocks it, and which contacts carry the current."""
    story = [_what_percolates(network, statistics, graph, currents)]
    story += _shares(network, statistics, currents)
    story += _barriers(network, critical)
    story.append(_contacts(graph))
    story += _loads(graph, currents)
    return story[:10]


def _what_percolates(
    network: Network, statistics: ClusterStatistics, graph: ContactGraph, currents: dict[int, GraphConductivity]
) -> str:
    yes = [AXES[axis] for axis in currents if statistics.spanning[axis] > 0]
    no = [AXES[axis] for axis in currents if statistics.spanning[axis] == 0]
    goal = "wind around the periodic box" if graph.periodic else "join both electrodes"
    name = CARRIER_NAMES[network.carrier]
    answers = (("percolate", yes), ("do not percolate", no))
    parts = [f"{answer} along {_listed(which)}" for answer, which in answers if which]
    spanning = max(int(statistics.spanning[axis]) for axis in currents)
    return (
        f"{name} {' and '.join(parts)} at {network.temperature_C:g} degC: "
        f"{spanning} of {statistics.count} clusters {goal} (6-face neighbourhood)."
    )


def _shares(network: Network, statistics: ClusterStatistics, currents: dict[int, GraphConductivity]) -> list[str]:
    out = []
    for row in np.flatnonzero(carrying_phases(network)):
        shares = ", ".join(f"{100.0 * statistics.percolating[row, axis]:.1f} % along {AXES[axis]}" for axis in currents)
        out.append(f"Of {statistics.phase_names[row]}, {shares} lies in percolating clusters.")
    return out[:3]


def _barriers(network: Network, critical: dict[int, float | None]) -> list[str]:
    found = {axis: value for axis, value in critical.items() if value is not None}
    if not found:
        return []
    values = ", ".join(f"{value:.3f} eV along {AXES[axis]}" for axis, value in found.items())
    film = " (below 0: it runs along a film)" if min(found.values()) < 0.0 else ""
    out = [f"The easiest path has to pass an equivalent barrier of {values}{film}."]
    bulk = _bulk_barriers_eV(network)
    spared = [name for name, value in bulk.items() if value > max(found.values()) + DISTINCT_EV]
    if spared:
        inside = ", ".join(f"{name} ({bulk[name]:.3f} eV)" for name in spared)
        out.append(f"It needs no step inside {inside}.")
    return out


def _bulk_barriers_eV(network: Network) -> dict[str, float]:
    """Return the barrier of a face inside each phase that conducts by itself."""
    faces = network.faces
    plain = (faces.phases[:, 0] == faces.phases[:, 1]) & ~faces.interface & ~faces.point_contact & (faces.film < 0)
    plain[0] = False
    barrier = network.barrier_eV
    found = {faces.phase_names[int(faces.phases[n, 0])]: float(barrier[n]) for n in np.flatnonzero(plain)}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _contacts(graph: ContactGraph) -> str:
    if graph.n_edges == 0:
        return f"The contact graph has {graph.n_nodes} pieces of grains and no contacts."
    points = int(graph.point_contact.sum())
    kinds, count = np.unique(graph.interface, return_counts=True)
    order = np.argsort(-count, kind="stable")[:3]
    most = ", ".join(f"{count[n]} {kinds[n]}" for n in order)
    per_piece, radius_nm = 2.0 * graph.n_edges / graph.n_nodes, float(np.median(graph.radius_m)) * 1e9
    return (
        f"The contact graph has {graph.n_nodes} pieces of grains and {graph.n_edges} contacts ({most}; "
        f"{points} point contacts), {per_piece:.1f} per piece, of median radius {radius_nm:.0f} nm."
    )


def _loads(graph: ContactGraph, currents: dict[int, GraphConductivity]) -> list[str]:
    axis = next((axis for axis, found in currents.items() if found.sigma_eff_S_per_m > 0.0), None)
    if axis is None:
        return []
    found = currents[axis]
    out = [
        f"Along {AXES[axis]} the graph conducts {found.sigma_eff_S_per_m:.3g} S/m (closed-form spreading: it explains, "
        "the solver decides)."
    ]
    heat = [f"{kind} {100 * share:.0f} %" for kind, share in found.heat_by_interface(graph).items() if share >= 0.005]
    if heat:
        out.append(f"There, the contacts dissipate {', '.join(heat[:4])} of all heat.")
    load = found.load(graph)
    top = np.argsort(-load, kind="stable")[: min(MOST_LOADED, int((load > SMALLEST_LOAD).sum()))]
    if len(top):
        kinds, count = np.unique(graph.interface[top], return_counts=True)
        listed = ", ".join(f"{count[n]} {kinds[n]}" for n in np.argsort(-count, kind="stable"))
        share = f"the first carries {100 * load[top[0]]:.0f} % of the current"
        name = f"The {len(top)} most loaded contacts are" if len(top) > 1 else "The most loaded contact is"
        out.append(f"{name} {listed}; {share}.")
    return out


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
