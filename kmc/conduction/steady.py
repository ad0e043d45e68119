"""Direct current through a structure: balance every voxel's currents and read the effective conductivity.

Plates: the potential is 1 on the low and 0 on the high outer face of the axis (half a cell from the first and last voxel
centres), the sides are closed; a uniform block gives its own conductivity. Periodic: a macroscopic gradient along the axis
over a structure that repeats in all directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES, Boundary
from kmc.conduction.nested import nested_guess
from kmc.conduction.system import Flows, System
from kmc.connectivity import Clusters, label_clusters
from kmc.multigrid import kernels
from kmc.multigrid.cycle import Multigrid
from kmc.network import Network
from kmc.outcomes import Outcome

ERROR_DELAY = 4
"""Steps over which the fall of the dissipation is summed to judge its error: each step lowers it by a known amount, so the
error before the last few is at least their sum (Hestenes and Stiefel 1952; Strakos and Tichy 2002)."""
CANCELLED = 1e-8
"""Share of the dissipation below which what is left after subtracting those amounts is read anew from the potential."""
EXACT_RESIDUAL = 1e-12
"""Residual over source at which a potential is exact to rounding: the first guess of laminates and uniform blocks."""
LOST = 10.0
"""Rounding has the upper hand once the residual of the potential exceeds the one carried along by so much."""
ERROR_SHARE = 0.1
"""The error of the dissipation may be this share of the tolerance."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class AxisSolution:
    """Currents along one axis.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    boundary : "plates" or "periodic"
        What was solved with; everything read from the potential follows it.
    sigma_eff_S_per_m : float
        Effective conductivity [S/m], from the dissipation (its error is the square of that of the potential).
    inflow_S_per_m, outflow_S_per_m, dissipation_S_per_m : float
        The same conductivity read three ways; converged means that they agree.
    iterations : int
        Iterations of the solver.
    outcome : Outcome
        How it ended.
    potential : ndarray of shape (nx, ny, nz) or None
        Potential, 1 at the low plate and NaN where no current can flow; axes as in the structure. Periodic: the deviation
        from the mean gradient.
    """

    axis: str
    boundary: Boundary
    sigma_eff_S_per_m: float
    inflow_S_per_m: float
    outflow_S_per_m: float
    dissipation_S_per_m: float
    iterations: int
    outcome: Outcome
    potential: Array | None = field(default=None, repr=False)


def solve_axis(
    network: Network,
    axis: int,
    *,
    boundary: Boundary = "plates",
    tolerance: float = 1e-4,
    max_iterations: int = 500,
    clusters: Clusters | None = None,
    guess: Array | None = None,
    keep_potential: bool = False,
    progress: Callable[[str], Any] | None = None,
) -> AxisSolution:
    """Solve the network for a unit potential difference along one axis.

    Parameters
    ----------
    network : Network
        Face conductances.
    axis : 0, 1 or 2
        Direction of transport.
    boundary : "plates" or "periodic"
        See the module.
    tolerance : float
        Largest relative difference between inflow, outflow and dissipation.
    max_iterations : int
        Give up after so many.
    clusters : Clusters, optional
        From `label_clusters` for the same boundary, if known.
    guess : ndarray of shape (nx, ny, nz), optional
        A potential to start from.
    keep_potential : bool
        Whether to return the potential.
    progress : callable, optional
        Called with a short text now and then.

    Returns
    -------
    AxisSolution
    """
    periodic = boundary == "periodic"
    found = clusters if clusters is not None else label_clusters(network, periodic=periodic)
    if not found.percolates(axis):
        return AxisSolution(AXES[axis], boundary, 0.0, 0.0, 0.0, 0.0, 0, Outcome.NOT_PERCOLATING)
    system = System(network, axis, found, periodic)
    known = None if guess is None else np.nan_to_num(system.turn(guess)) - system.ramp
    x, iterations, flows, converged = _conjugate_gradients(system, known, tolerance, max_iterations, progress)
    inflow, outflow, dissipation = (flow * system.to_sigma for flow in flows)
    return AxisSolution(
        axis=AXES[axis],
        boundary=boundary,
        sigma_eff_S_per_m=dissipation,
        inflow_S_per_m=inflow,
        outflow_S_per_m=outflow,
        dissipation_S_per_m=dissipation,
        iterations=iterations,
        outcome=Outcome.CONVERGED if converged else Outcome.NOT_CONVERGED,
        potential=system.turn_back(np.where(system.turn(found.spans[found.ids, axis]), x + system.ramp, np.nan))
        if keep_potential
        else None,
    )


def _conjugate_gradients(
    system: System,
    known: Array | None,
    tolerance: float,
    max_iterations: int,
    progress: Callable[[str], Any] | None,
) -> tuple[Array, int, Flows, bool]:
    """Return the potential, the iterations, the flows, and whether these agree."""
    x = system.plane_guess() if known is None else np.ascontiguousarray(known)
    r, q = np.empty(system.shape), np.empty(system.shape)
    system.take_residual(None, r)
    system.take_residual(x, q)
    flows = system.flows(x)
    if system.norm(q) <= EXACT_RESIDUAL * system.norm(r):
        return x, 0, flows, flows.agree(tolerance)
    multigrid = Multigrid(system.faces)
    heat = flows.dissipation
    if known is None:
        nested_guess(multigrid, r, q)
        found = system.flows(q).dissipation
        if found < heat:
            x, q, heat = q, x, found
    system.take_residual(x, r)
    p = np.zeros(system.shape)
    work, last_read = 1.0, heat
    gains: list[float] = []
    for iteration in range(max_iterations + 1):
        if heat < CANCELLED * last_read:
            heat = last_read = system.flows(x).dissipation
        size = system.peak(r)
        last = iteration == max_iterations or size == 0.0 or not 0.0 < heat < np.inf
        settled = size == 0.0 or _small(gains, tolerance * heat)
        if last or settled:
            flows = system.flows(x)
            if progress is not None:
                inflow, outflow = flows.inflow * system.to_sigma, flows.outflow * system.to_sigma
                progress(f"{iteration} iterations, inflow {inflow:.5g} S/m, outflow {outflow:.5g} S/m")
            agree = flows.agree(tolerance)
            if last or agree:
                return x, iteration, flows, agree and settled
            system.take_residual(x, q)
            if system.norm(q) > LOST * system.norm(r):
                return x, iteration, flows, False
        z = multigrid.solve(r, 1.0 / size)
        before, work = work, size * system.dot(r, z)
        if work == 0.0:
            break
        kernels.step_direction(z, size, work / before if iteration else 0.0, p)
        system.apply(p, q)
        curvature = system.dot(p, q)
        if not curvature > 0.0:
            break
        kernels.step_solution(work / curvature, p, q, x, r)
        gains.append(work * work / curvature)
        heat -= gains[-1]
    return x, iteration, system.flows(x), False


def _small(gains: list[float], allowed: float) -> bool:
    """Return whether the dissipation is worth holding against the flows, judged by what the last steps took off it."""
    return len(gains) >= ERROR_DELAY and sum(gains[-ERROR_DELAY:]) <= ERROR_SHARE * allowed
