"""Effective conductivity of a structure: the public face of the solver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES, BOUNDARIES, Boundary, axes_of
from kmc.conduction.explain import Explanation, explain_solution, explanations_to_dict
from kmc.conduction.fields import block_length_m
from kmc.conduction.steady import AxisSolution, solve_axis
from kmc.connectivity import Clusters, label_clusters
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.resources import peak_memory_bytes
from microstructures.errors import InputError, did_you_mean
from microstructures.materials import Materials
from microstructures.structure import VoxelStructure

TORTUOSITY_DEFINITION = (
    "sum over phases of volume fraction times conductivity, divided by sigma_eff "
    "(one conducting phase: phi * sigma_0 / sigma_eff, 1 or more; neither its root nor the length of a path); "
    "null where nothing percolates, nothing converged or films conduct"
)
TRANSPORT_DEFINITIONS = {
    "transport_efficiency": (
        "sigma_eff / sigma_0, sigma_0 the mean conductivity of the conducting phases weighted by their volume; "
        "0 where nothing percolates, null where films conduct or nothing converged"
    ),
    "formation_factor": "sigma_0 / sigma_eff (MacMullin number): the inverse of the transport efficiency",
    "area_specific_resistance_ohm_m2": "length of the block along the axis / sigma_eff; null where nothing percolates",
}


@dataclass(frozen=True)
class ConductionResult:
    """What a structure conducts; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    solutions : tuple of AxisSolution
        One per axis asked for.
    upper_bound_S_per_m : float
        Sum over phases of volume fraction times conductivity (Wiener 1912), without films.
    explanations : tuple of Explanation
        What decides it, one for every axis that converged, where it was asked for.
    """

    solutions: tuple[AxisSolution, ...]
    carrier: str
    temperature_C: float
    boundary: str
    tolerance: float
    upper_bound_S_per_m: float
    has_films: bool
    volume_fractions: dict[str, float]
    voxels: int
    seconds: float
    memory_bytes: int
    network: Network = field(repr=False)
    explanations: tuple[Explanation, ...] = field(default=(), repr=False)

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome of all axes."""
        order = (Outcome.NOT_CONVERGED, Outcome.NOT_PERCOLATING, Outcome.CONVERGED)
        seen = {solution.outcome for solution in self.solutions}
        return next(outcome for outcome in order if outcome in seen)

    @property
    def sigma_eff_S_per_m(self) -> float | dict[str, float]:
        """Return the effective conductivity [S/m]: a number for one axis, else one per axis."""
        return self._per_axis("sigma_eff_S_per_m")

    @property
    def mean_sigma_eff_S_per_m(self) -> float:
        """Return the mean over the axes solved [S/m]."""
        return float(np.mean([solution.sigma_eff_S_per_m for solution in self.solutions]))

    @property
    def tortuosity_factor(self) -> float | dict[str, float | None] | None:
        """Return the tortuosity factor, see TORTUOSITY_DEFINITION."""
        return self._derived(lambda s: None if self.has_films else _ratio(self.upper_bound_S_per_m, s))

    @property
    def formation_factor(self) -> float | dict[str, float | None] | None:
        """Return the formation factor sigma_0 / sigma_eff, see TRANSPORT_DEFINITIONS."""
        return self._derived(lambda s: None if self.has_films else _ratio(self.mean_bulk_S_per_m, s))

    @property
    def transport_efficiency(self) -> float | dict[str, float | None] | None:
        """Return sigma_eff / sigma_0, see TRANSPORT_DEFINITIONS."""
        bulk = self.mean_bulk_S_per_m
        return self._derived(
            lambda s: None if self.has_films or s.outcome is Outcome.NOT_CONVERGED or bulk <= 0.0
            else s.sigma_eff_S_per_m / bulk
        )  # fmt: skip

    @property
    def area_specific_resistance_ohm_m2(self) -> float | dict[str, float | None] | None:
        """Return the resistance of the block times its cross section [ohm m^2], None where it does not conduct."""
        return self._derived(lambda s: _ratio(block_length_m(self.network, s), s))

    @property
    def mean_bulk_S_per_m(self) -> float:
        """Return the mean conductivity of the conducting phases, weighted by their volume [S/m]; 0 if there is none."""
        names = self.network.faces.phase_names
        conducting = sum(
            self.volume_fractions[name]
            for name, sigma in zip(names, self.network.phase_conductivity, strict=True)
            if sigma > 0.0
        )
        return self.upper_bound_S_per_m / conducting if conducting > 0.0 else 0.0

    def _derived(self, value: Callable[[AxisSolution], float | None]) -> float | dict[str, float | None] | None:
        values = {solution.axis: value(solution) for solution in self.solutions}
        return values if len(values) > 1 else next(iter(values.values()))

    def _per_axis(self, name: str) -> Any:
        values = {solution.axis: getattr(solution, name) for solution in self.solutions}
        return values if len(values) > 1 else next(iter(values.values()))

    def without_potentials(self) -> ConductionResult:
        """Return the same result with its potentials let go."""
        return replace(self, solutions=tuple(replace(solution, potential=None) for solution in self.solutions))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        percolates = {s.axis: s.outcome is not Outcome.NOT_PERCOLATING for s in self.solutions}
        return {
            "estimator": "solver, conjugate gradients with multigrid",
            "carrier": self.carrier,
            "temperature_C": self.temperature_C,
            "boundary": self.boundary,
            "axis": "all" if len(self.solutions) > 1 else self.solutions[0].axis,
            "sigma_eff_S_per_m": self.sigma_eff_S_per_m,
            "sigma_eff_stderr_S_per_m": "deterministic",
            "outcome": str(self.outcome),
            "advice": self.outcome.advice,
            "percolates": percolates if len(percolates) > 1 else next(iter(percolates.values())),
            "tortuosity_factor": self.tortuosity_factor,
            "tortuosity_factor_definition": TORTUOSITY_DEFINITION,
            "formation_factor": self.formation_factor,
            "transport_efficiency": self.transport_efficiency,
            "area_specific_resistance_ohm_m2": self.area_specific_resistance_ohm_m2,
            "definitions": TRANSPORT_DEFINITIONS,
            "iterations": self._per_axis("iterations"),
            "inflow_S_per_m": self._per_axis("inflow_S_per_m"),
            "outflow_S_per_m": self._per_axis("outflow_S_per_m"),
            "dissipation_S_per_m": self._per_axis("dissipation_S_per_m"),
            "tolerance": self.tolerance,
            "smooth_insulators": self.network.faces.smooth_insulators,
            "volume_fraction": self.volume_fractions,
            "seconds": self.seconds,
            "peak_memory_bytes": self.memory_bytes,
            "voxels": self.voxels,
            **explanations_to_dict(self.explanations),
        }

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        rows = "".join(
            f"<tr><td>{s.axis}</td><td>{s.sigma_eff_S_per_m:.5g}</td><td>{s.inflow_S_per_m:.5g}</td>"
            f"<td>{s.outflow_S_per_m:.5g}</td><td>{s.iterations}</td><td>{s.outcome}</td></tr>"
            for s in self.solutions
        )
        return (
            f"<b>{self.carrier} conduction at {self.temperature_C:g} degC, {self.boundary}</b><table><tr><th>axis</th>"
            "<th>sigma_eff [S/m]</th><th>inflow [S/m]</th><th>outflow [S/m]</th><th>iterations</th><th>outcome</th></tr>"
            f"{rows}</table>"
        )


def conduct(
    structure: VoxelStructure | Network,
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    temperature_C: float | None = None,
    axis: str = "x",
    boundary: str = "plates",
    tolerance: float = 1e-4,
    max_iterations: int = 500,
    keep_potential: bool = False,
    explain: bool = False,
    guess: Mapping[str, NDArray[np.float64] | None] | None = None,
    clusters: Clusters | None = None,
    progress: Callable[[str], Any] | None = None,
) -> ConductionResult:
    """Compute the effective conductivity of a structure by balancing the currents of every voxel.

    Parameters
    ----------
    structure : VoxelStructure or Network
        What conducts; with a Network, `materials`, `carrier` and `temperature_C` are its own.
    materials, carrier, temperature_C
        See `kmc.network.build_network`.
    axis : "x", "y", "z" or "all"
        Direction of transport.
    boundary : "plates" or "periodic"
        Plates on the outer faces with closed sides, or a periodic medium.
    tolerance : float
        Largest relative difference between inflow, outflow and dissipation.
    max_iterations : int
        Give up after so many; the outcome then says so.
    keep_potential : bool
        Whether each solution keeps its potential.
    explain : bool
        Whether to say which numbers decide the result, and which phases and contacts carry the current.
    guess : mapping of axis to ndarray of shape (nx, ny, nz), optional
        Potentials to start from, of the same boundary.
    clusters : Clusters, optional
        From `kmc.connectivity.label_clusters` for the same boundary, if known: they do not change with temperature.
    progress : callable, optional
        Called with a short text now and then.

    Returns
    -------
    ConductionResult

    Raises
    ------
    InputError
        If an option is not one of those allowed.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> round(conduct(block).sigma_eff_S_per_m, 12)
    0.9
    """
    start = time.perf_counter()
    axes = axes_of(axis)
    if boundary not in BOUNDARIES:
        raise InputError(f"boundary is '{boundary}'{did_you_mean(boundary, BOUNDARIES)}")
    if not 1e-13 <= tolerance < 1.0:
        raise InputError(f"tolerance is {tolerance}; allowed: 1e-13 to below 1")
    if max_iterations < 1:
        raise InputError(f"max_iterations is {max_iterations}; allowed: 1 or more")
    if isinstance(structure, Network):
        network = structure
    else:
        network = build_network(structure, materials, carrier=carrier, temperature_C=temperature_C)
    used: Boundary = "periodic" if boundary == "periodic" else "plates"
    found = label_clusters(network, periodic=used == "periodic") if clusters is None else clusters
    solutions, explanations = [], []
    for number in axes:
        solution = solve_axis(
            network, number, boundary=used, tolerance=tolerance, max_iterations=max_iterations, clusters=found,
            guess=(guess or {}).get(AXES[number]), keep_potential=keep_potential or explain, progress=progress,
        )  # fmt: skip
        if explain and solution.outcome is Outcome.CONVERGED:
            explanations.append(explain_solution(network, solution))
        solutions.append(solution if keep_potential else replace(solution, potential=None))
    fractions = volume_fractions(network)
    share = np.array([fractions[name] for name in network.faces.phase_names])
    return ConductionResult(
        solutions=tuple(solutions),
        carrier=network.carrier,
        temperature_C=network.temperature_C,
        boundary=boundary,
        tolerance=tolerance,
        upper_bound_S_per_m=float(share @ network.phase_conductivity),
        has_films=bool(network.film_conductance.any()),
        volume_fractions=fractions,
        voxels=network.structure.labels.size,
        seconds=time.perf_counter() - start,
        memory_bytes=peak_memory_bytes(),
        network=network,
        explanations=tuple(explanations),
    )


def _ratio(value: float, solution: AxisSolution) -> float | None:
    """Return a value over sigma_eff, None where that is no number to quote."""
    if solution.outcome is not Outcome.CONVERGED or solution.sigma_eff_S_per_m <= 0.0:
        return None
    return value / solution.sigma_eff_S_per_m


def volume_fractions(network: Network) -> dict[str, float]:
    """Return the volume fraction of every phase present."""
    counts: NDArray[np.int64] = np.bincount(network.structure.labels.ravel(), minlength=256)
    out = dict.fromkeys(network.faces.phase_names, 0.0)
    for label in np.flatnonzero(counts):
        out[network.faces.phase_names[network.faces.phase_of_label[label]]] += (
            float(counts[label]) / network.structure.labels.size
        )
    return out
