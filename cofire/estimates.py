"""What the three estimators answer about one network, as plain rows that tables are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kmc.axes import AXES
from kmc.conduction import ConductionResult, mean_activation_energy_eV
from kmc.hopping.result import HopResult
from kmc.network import Network
from kmc.outcomes import Outcome
from kmc.percolation import PercolationResult


@dataclass(frozen=True)
class Estimate:
    """An effective conductivity.

    Attributes
    ----------
    estimator : "solver", "graph" or "kMC"
        Who answers.
    by_axis_S_per_m : dict of str to float
        Of each axis asked for [S/m].
    mean_S_per_m, own_stderr_S_per_m : float
        Their mean, and its standard error from the estimator alone: 0 for those that are deterministic [S/m].
    outcome : Outcome
        How it ended.
    more : dict
        What only this estimator knows: `iterations`, `activation_energy_eV`, `hops`.
    """

    estimator: str
    by_axis_S_per_m: dict[str, float]
    mean_S_per_m: float
    own_stderr_S_per_m: float
    outcome: Outcome
    more: dict[str, Any] = field(default_factory=dict)


def of_solver(network: Network, solved: ConductionResult) -> Estimate:
    """Return what the solver found; a value that did not converge is no number for a table."""
    lost = solved.outcome is Outcome.NOT_CONVERGED
    by_axis = {solution.axis: float("nan") if lost else solution.sigma_eff_S_per_m for solution in solved.solutions}
    more: dict[str, Any] = {"iterations": max(solution.iterations for solution in solved.solutions)}
    energy = mean_activation_energy_eV(network, solved.solutions)
    if math.isfinite(energy):
        more["activation_energy_eV"] = energy
    mean = float("nan") if lost else solved.mean_sigma_eff_S_per_m
    return Estimate("solver", by_axis, mean, 0.0, solved.outcome, more)


def of_graph(found: PercolationResult) -> Estimate:
    """Return what the contact graph found."""
    sigma = found.sigma_eff_graph_S_per_m
    by_axis = sigma if isinstance(sigma, dict) else {found.axis: sigma}
    return Estimate("graph", by_axis, float(np.mean(list(by_axis.values()))), 0.0, found.outcome)


def of_hops(found: HopResult, axes: str = AXES) -> Estimate:
    """Return what kinetic Monte Carlo found along some axes; carriers hop along all of them."""
    errors = np.array([found.sigma_eff_stderr_S_per_m[axis] for axis in axes])
    by_axis = {axis: found.sigma_eff_S_per_m[axis] for axis in axes}
    own = float(np.sqrt((errors**2).sum()) / len(errors))
    return Estimate("kMC", by_axis, float(np.mean(list(by_axis.values()))), own, found.outcome, {"hops": found.hops})
