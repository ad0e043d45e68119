"""What the graph says, in sentences that can be quoted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kmc.axes import AXES
from kmc.network import Network
from kmc.percolation.clusters.statistics import ClusterStatistics
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.explanation import Explanation
from kmc.percolation.grains.graph_conductivity import GraphConductivity
from kmc.percolation.routes.bottlenecks import Bottlenecks, counted
from kmc.percolation.routes.minimum_cut import MinimumCut
from kmc.pieces import carrying_phases

DISTINCT_EV = 1e-3
LINES = 10
CARRIER_NAMES = {"ion": "Lithium ions", "electron": "Electrons"}


def tell(
    statistics: ClusterStatistics,
    graph: ContactGraph,
    currents: dict[int, GraphConductivity],
    critical: dict[int, float | None],
    explanation: Explanation,
) -> list[str]:
    """Return up to ten sentences: what percolates, what is dead, what is used, what blocks, and what carries the current."""
    network = graph.network
    story = [_what_percolates(network, statistics, graph, currents)]
    story += _shares(network, statistics, currents)
    story += _fast(network, explanation)
    story += _utilisation(explanation)
    story += _barriers(network, critical, explanation)
    story += _ways(explanation)
    story.append(_contacts(graph))
    story += _loads(graph, currents, explanation)
    return story[:LINES]


def _what_percolates(
    network: Network, statistics: ClusterStatistics, graph: ContactGraph, currents: dict[int, GraphConductivity]
) -> str:
    yes = [AXES[axis] for axis in currents if statistics.spanning[axis] > 0]
    no = [AXES[axis] for axis in currents if statistics.spanning[axis] == 0]
    name = CARRIER_NAMES[network.carrier]
    answers = (("percolate", yes), ("do not percolate", no))
    parts = [f"{answer} along {_listed(which)}" for answer, which in answers if which]
    spanning = max(int(statistics.spanning[axis]) for axis in currents)
    one = spanning == 1
    verb, end = ("wind", "around the periodic box") if graph.periodic else ("join", "both electrodes")
    clusters = f"{spanning} of {statistics.count} clusters" if statistics.count != 1 else f"{spanning} of 1 cluster"
    goal = f"{verb}{'s' if one else ''} {end} (6-face neighbourhood)"
    return f"{name} {' and '.join(parts)} at {network.temperature_C:g} degC: {clusters} {goal}."


def _shares(network: Network, statistics: ClusterStatistics, currents: dict[int, GraphConductivity]) -> list[str]:
    rows = np.flatnonzero(carrying_phases(network)).tolist()
    parts = [f"{_percents(statistics.percolating[row, list(currents)])} of {statistics.phase_names[row]}" for row in rows]
    if not parts:
        return []
    return [f"Counting whatever conducts at all, {_listed(parts)} percolate{_along(currents)}."]


def _fast(network: Network, explanation: Explanation) -> list[str]:
    shares = explanation.shares
    if not shares:
        return []
    phases = next(iter(shares.values())).phases
    backbone, dead, cut_off = (
        _percents(getattr(one, name) for one in shares.values()) for name in ("backbone", "dead_ends", "isolated")
    )
    return [
        f"The fast conductors are {_listed(list(phases))} (within a factor of 1000 of the best): {backbone} of their volume "
        f"can carry current{_along(shares)}, {dead} is dead ends, {cut_off} is cut off."
        if len(phases) > 1
        else f"The fast conductor is {phases[0]} (all others are over 1000 times slower): {backbone} of it can carry "
        f"current{_along(shares)}, {dead} is dead ends, {cut_off} is cut off."
    ]


def _utilisation(explanation: Explanation) -> list[str]:
    used = explanation.utilisation
    if not used:
        return []
    one = next(iter(used.values()))
    both, ion, electron = (
        _percents(getattr(u, name) for u in used.values()) for name in ("fraction", "ion_fraction", "electron_fraction")
    )
    surface = _percents((u.surface_fraction for u in used.values()), ".2g")
    return [
        f"Utilisation{_along(used)}: {both} of {one.active} lies in grains that ions and electrons both reach (ions {ion}, "
        f"electrons {electron}); ions enter these through {surface} of the surface of {one.active}."
    ]


def _barriers(network: Network, critical: dict[int, float | None], explanation: Explanation) -> list[str]:
    found = {axis: value for axis, value in critical.items() if value is not None}
    if not found:
        return []
    values = _values([f"{value:.3f}" for value in found.values()]) + " eV"
    bulk = _bulk_barriers_eV(network)
    slower = [f"{name} ({value:.3f} eV)" for name, value in bulk.items() if value > max(found.values()) + DISTINCT_EV]
    spared = f", without a step inside {' or '.join(slower)}" if slower else ""
    where = ""
    if explanation.critical:
        path = next(iter(explanation.critical.values()))
        place = ", ".join(f"{1e6 * x:.2f}" for x in path.bottleneck_m())
        where = f"{_article(path.face_kind[path.highest])} at ({place}) um"
    if max(found.values()) < 0.0:
        worst = f", {where}," if where else ""
        return [
            f"No barrier limits the easiest path{_along(found)}: even its worst face{worst} conducts better than carriers that "
            f"hop without any barrier (equivalent barrier {values}){spared}."
        ]
    meets = f"; the easiest one meets it {'' if where.startswith('in') else 'at '}{where}" if where else ""
    return [
        f"The critical barrier{_along(found)} is {values}: every path has to pass a face that conducts no better than hops "
        f"over such a barrier{meets}{spared}."
    ]


def _bulk_barriers_eV(network: Network) -> dict[str, float]:
    """Return the barrier of a face inside each phase that conducts by itself."""
    faces = network.faces
    plain = (faces.phases[:, 0] == faces.phases[:, 1]) & ~faces.interface & ~faces.point_contact & (faces.film < 0)
    plain[0] = False
    barrier = network.barrier_eV
    found = {faces.phase_names[int(faces.phases[n, 0])]: float(barrier[n]) for n in np.flatnonzero(plain)}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _ways(explanation: Explanation) -> list[str]:
    out = []
    ways = explanation.tortuosity
    if ways:
        mean = _values([f"{one.mean:.2f}" for one in ways.values()])
        low, high = np.percentile(np.concatenate([one.values for one in ways.values()]), (5, 95))
        out.append(
            f"The shortest ways through the fast conductors{_along(ways)} are {mean} times the thickness in the mean "
            f"(5 to 95 %: {low:.2f} to {high:.2f})"
        )
    if explanation.fastest:
        path = next(iter(explanation.fastest.values()))
        kind, share = next(iter(path.resistance_by_kind().items()))
        fastest = f"he path of least resistance along {path.axis} spends {100 * share:.0f} % of it on {_plural(kind)}"
        out.append(f"t{fastest}" if out else f"T{fastest}")
    return ["; ".join(out) + "."] if out else []


def _contacts(graph: ContactGraph) -> str:
    if graph.n_edges == 0:
        return f"The contact graph has {graph.n_nodes} pieces of grains and no contacts."
    points = int(graph.point_contact.sum())
    most = ", ".join(f"{number} {kind}" for kind, number in list(counted(graph.interface).items())[:3])
    pressed = "all point contacts" if points == graph.n_edges else f"{points} point contacts" if points else "all sintered"
    per_piece, radius_nm = 2.0 * graph.n_edges / graph.n_nodes, float(np.median(graph.radius_m)) * 1e9
    return (
        f"The contact graph has {graph.n_nodes} pieces of grains and {graph.n_edges} contacts ({most}; {pressed}), "
        f"{per_piece:.1f} per piece, of median radius {radius_nm:.0f} nm."
    )


def _loads(graph: ContactGraph, currents: dict[int, GraphConductivity], explanation: Explanation) -> list[str]:
    axis = next((axis for axis, found in currents.items() if found.sigma_eff_S_per_m > 0.0), None)
    if axis is None:
        return []
    found, squeezed = currents[axis], explanation.bottlenecks[axis]
    heat = [f"{kind} {100 * share:.0f} %" for kind, share in found.heat_by_interface(graph).items() if share >= 0.005]
    where = f"; its contacts dissipate {', '.join(heat[:4])} of all heat" if heat else ""
    out = [
        f"Along {AXES[axis]} the graph conducts {found.sigma_eff_S_per_m:.3g} S/m (never more than the solver finds){where}."
    ]
    top = squeezed.most_loaded_contacts()
    if len(top):
        kinds = ", ".join(f"{number} {kind}" for kind, number in counted(graph.interface[top]).items())
        share = f"the first carries {100 * squeezed.contact_load[top[0]]:.0f} % of the current"
        name = f"The {len(top)} most loaded contacts are" if len(top) > 1 else "The most loaded contact is"
        grain = squeezed.most_loaded_grains(1)
        busiest = ""
        if len(grain):
            phase = graph.phase_names[graph.phase[grain[0]]]
            busiest = f", the busiest grain ({phase}) {100 * squeezed.grain_load[grain[0]]:.0f} %"
        out.append(f"{name} {kinds}; {share}{busiest}.")
    if squeezed.cut is not None and len(squeezed.cut.contacts):
        shares = explanation.shares.get(axis)
        joined = shares is not None and shares.backbone > 0.0
        out.append(_cut(graph, squeezed.cut) + (_lost(squeezed) if joined else "; the fast conductors join no electrodes."))
    return out


def _cut(graph: ContactGraph, cut: MinimumCut) -> str:
    parts = [f"{number} {kind}" for kind, number in counted(graph.interface[cut.deciding]).items()]
    area_um2 = 1e12 * float(graph.area_m2[cut.deciding].sum())
    word = "contact" if len(cut.deciding) == 1 else "contacts"
    return f"The weakest section is {_listed(parts)} {word} of {cut.conductance_S:.2g} S and {area_um2:.2g} um2 in all"


def _lost(squeezed: Bottlenecks) -> str:
    grains, contacts = len(squeezed.articulation), len(squeezed.bridges)
    lost = "no single grain" if grains == 0 else "one grain" if grains == 1 else f"any one of {grains} grains"
    more = "" if contacts == 0 else " or one contact" if contacts == 1 else f" or of {contacts} contacts"
    return f"; the loss of {lost}{more} would part the electrodes."


def _article(kind: str) -> str:
    if kind.startswith(("inside", "film")):
        return kind.replace("film", "in the film", 1)
    return f"a {kind}"


def _plural(kind: str) -> str:
    if kind.startswith("inside"):
        return f"steps {kind}"
    if kind.startswith("film"):
        return f"the {kind}"
    return kind.replace("boundary", "boundarie") + "s"


def _along(axes: Iterable[int]) -> str:
    return f" along {_listed([AXES[axis] for axis in axes])}"


def _percents(shares: Iterable[float], form: str = ".1f") -> str:
    """Return shares in per cent; one number where all read the same."""
    return _values([f"{100.0 * share:{form}}" for share in shares]) + " %"


def _values(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else " / ".join(texts)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
