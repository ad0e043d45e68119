"""What percolates, and which contacts decide it: clusters, contact graph, critical barrier and their story in one call."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kmc.axes import AXES, BOUNDARIES, axes_of
from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.percolation.clusters.critical import critical_barriers_eV
from kmc.percolation.clusters.statistics import NEIGHBOURHOOD, cluster_statistics
from kmc.percolation.contacts.contact_graph import ContactGraph, build_contact_graph
from kmc.percolation.explanation import Explanation, explain
from kmc.percolation.grains.grain_graph import build_grain_graph
from kmc.percolation.grains.graph_conductivity import GraphConductivity, graph_conductivity
from kmc.percolation.story import tell
from microstructures.errors import InputError
from microstructures.materials import Materials
from microstructures.structure import VoxelStructure

T = TypeVar("T")


@dataclass(frozen=True)
class PercolationResult:
    """What percolates; `to_dict` gives the JSON of the command line.

    A value along one axis stands by itself; with axis "all" it is a dict by axis.

    Attributes
    ----------
    percolates : bool or dict of axis to bool
        Whether a cluster joins both electrodes (periodic: winds around the axis).
    percolating_fraction : dict of phase to float, or dict of axis to it
        Share of each phase's voxels in such clusters.
    isolated_fraction : the same form
        Share of each phase's voxels that conduct in other clusters.
    clusters : int
        Number of clusters.
    sigma_eff_graph_S_per_m : float or dict of axis to float
        Estimate of the contact graph [S/m]; see `kmc.percolation.grains.graph_conductivity` for its known error.
    critical_barrier_eV : float or None, or dict of axis to it
        Lowest barrier at which a path still spans [eV].
    grains, contacts : int
        Nodes (pieces of grains) and edges of the contact graph.
    outcome : Outcome
        `converged`, or `not-percolating` if an axis asked for does not percolate.
    story : tuple of str
        Sentences to quote.
    graph : ContactGraph
        The contact graph.
    currents : dict of axis to GraphConductivity
        Potentials and currents of the graph for 1 V.
    explanation : Explanation
        Backbone, utilisation, paths and bottlenecks.
    """

    percolates: bool | dict[str, bool]
    percolating_fraction: dict[str, float] | dict[str, dict[str, float]]
    isolated_fraction: dict[str, float] | dict[str, dict[str, float]]
    clusters: int
    sigma_eff_graph_S_per_m: float | dict[str, float]
    critical_barrier_eV: float | dict[str, float | None] | None
    grains: int
    contacts: int
    outcome: Outcome
    carrier: str
    temperature_C: float
    boundary: str
    axis: str
    seconds: float
    story: tuple[str, ...]
    neighbourhood: str = NEIGHBOURHOOD
    graph: ContactGraph = field(repr=False, kw_only=True)
    currents: dict[str, GraphConductivity] = field(repr=False, kw_only=True)
    explanation: Explanation = field(repr=False, kw_only=True)

    @property
    def advice(self) -> str:
        """Return one sentence on what to try next."""
        return self.outcome.advice

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "percolates": self.percolates,
            "percolating_fraction": self.percolating_fraction,
            "isolated_fraction": self.isolated_fraction,
            "clusters": self.clusters,
            "sigma_eff_graph_S_per_m": self.sigma_eff_graph_S_per_m,
            "critical_barrier_eV": self.critical_barrier_eV,
            "grains": self.grains,
            "contacts": self.contacts,
            "outcome": str(self.outcome),
            "advice": self.advice,
            "carrier": self.carrier,
            "temperature_C": self.temperature_C,
            "boundary": self.boundary,
            "axis": self.axis,
            "neighbourhood": self.neighbourhood,
            "seconds": self.seconds,
            **self._explained(),
            "story": list(self.story),
        }

    def _explained(self) -> dict[str, Any]:
        """Return the explanation as plain values, in the form of the other keys; null where there is nothing to tell."""
        told = self.explanation
        columns: dict[str, dict[int, Any]] = {
            "fast_network": {axis: one.to_dict() for axis, one in told.shares.items()},
            "utilisation": {axis: one.to_dict() for axis, one in (told.utilisation or {}).items()},
            "critical_path": {axis: one.to_dict() for axis, one in told.critical.items()},
            "fastest_path": {axis: one.to_dict() for axis, one in told.fastest.items()},
            "path_tortuosity": {axis: one.to_dict() for axis, one in told.tortuosity.items()},
            "bottlenecks": {axis: one.to_dict(self.graph) for axis, one in told.bottlenecks.items()},
        }
        if self.axis != "all":
            return {key: found.get(AXES.index(self.axis)) for key, found in columns.items()}
        return {key: {name: found.get(axis) for axis, name in enumerate(AXES)} for key, found in columns.items()}

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        axes = AXES if self.axis == "all" else self.axis
        head = "".join(f"<th>{axis}</th>" for axis in axes)

        def row(name: str, values: Any, form: str) -> str:
            cells = [values[axis] if self.axis == "all" else values for axis in axes]
            shown = ["none" if cell is None else format(cell, form) for cell in cells]
            return f"<tr><td>{html.escape(name)}</td>{''.join(f'<td>{cell}</td>' for cell in shown)}</tr>"

        whole: Any = self.percolating_fraction
        phases = whole["x"] if self.axis == "all" else whole
        spread = {name: {axis: whole[axis][name] for axis in AXES} if self.axis == "all" else whole[name] for name in phases}
        yes: Any = {True: "yes", False: "no"}
        found = self.percolates
        answer = {name: yes[value] for name, value in found.items()} if isinstance(found, dict) else yes[found]
        rows = [row("percolates", answer, "")]
        rows += [row(f"percolating fraction of {name}", value, ".4f") for name, value in spread.items()]
        rows.append(row("critical barrier / eV", self.critical_barrier_eV, ".3f"))
        rows.append(row("sigma_eff of the graph / S/m", self.sigma_eff_graph_S_per_m, ".4g"))
        title = (
            f"{self.carrier}, {self.temperature_C:g} degC, {self.boundary}: {self.clusters} clusters, "
            f"{self.grains} pieces of grains, {self.contacts} contacts"
        )
        story = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.story)
        return f"<b>{title}</b><table><tr><th></th>{head}</tr>{''.join(rows)}</table><ul>{story}</ul>"


def percolate(
    structure: VoxelStructure | Network,
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    temperature_C: float | None = None,
    axis: str = "x",
    boundary: str = "plates",
    active: str | None = None,
) -> PercolationResult:
    """Find what percolates in a structure, and which contacts decide it.

    Parameters
    ----------
    structure : VoxelStructure or Network
        Phases and grains; with a Network, `materials`, `carrier` and `temperature_C` are its own.
    materials : Materials, path or name, optional
        `lfp-latp` unless given.
    carrier : "ion" or "electron"
        What moves.
    temperature_C : float, optional
        Temperature [degC]; the reference temperature of the materials unless given.
    axis : "x", "y", "z" or "all"
        Direction of transport.
    boundary : "plates" or "periodic"
        Whether a cluster has to join both outer faces of the axis, or to wind around it.
    active : str, optional
        Phase of the active material, for the utilisation; the one that electrons enter and ions reach through an
        electrolyte unless given (`kmc.percolation.utilisation.default_active`).

    Returns
    -------
    PercolationResult

    Raises
    ------
    InputError
        If an option is not allowed.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> found = percolate(block)
    >>> found.percolates, found.percolating_fraction, found.grains
    (True, {'LATP': 1.0}, 1)
    """
    start = time.perf_counter()
    axes = axes_of(axis)
    if boundary not in BOUNDARIES:
        raise InputError(f"boundary is '{boundary}'; allowed: {', '.join(BOUNDARIES)}")
    if isinstance(structure, Network):
        known = structure
    else:
        known = build_network(structure, materials, carrier=carrier, temperature_C=temperature_C)
    periodic = boundary == "periodic"
    clusters = label_clusters(known, periodic=periodic)
    statistics = cluster_statistics(known, clusters)
    critical = critical_barriers_eV(known, axes, periodic=periodic, clusters=clusters)
    graph = build_contact_graph(known, periodic=periodic)
    grains = build_grain_graph(graph, axes)
    currents = {number: graph_conductivity(graph, number, grains) for number in axes}
    explanation = explain(graph, currents, critical, active=active)
    if all(statistics.spanning[number] > 0 for number in axes):
        outcome = Outcome.CONVERGED
    else:
        outcome = Outcome.NOT_PERCOLATING

    def shaped(values: dict[int, T]) -> Any:
        return {AXES[number]: value for number, value in values.items()} if axis == "all" else values[axes[0]]

    return PercolationResult(
        percolates=shaped({number: clusters.percolates(number) for number in axes}),
        percolating_fraction=shaped({number: statistics.percolating_fraction(number) for number in axes}),
        isolated_fraction=shaped({number: statistics.isolated_fraction(number) for number in axes}),
        clusters=statistics.count,
        sigma_eff_graph_S_per_m=shaped({number: currents[number].sigma_eff_S_per_m for number in axes}),
        critical_barrier_eV=shaped(critical),
        grains=graph.n_nodes,
        contacts=graph.n_edges,
        outcome=outcome,
        carrier=known.carrier,
        temperature_C=known.temperature_C,
        boundary=boundary,
        axis=axis,
        story=tuple(tell(statistics, graph, currents, critical, explanation)),
        graph=graph,
        currents={AXES[number]: found for number, found in currents.items()},
        explanation=explanation,
        seconds=time.perf_counter() - start,
    )
