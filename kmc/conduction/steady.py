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
from kmc.conduction import kernels
from kmc.conduction.multigrid import Faces, Multigrid
from kmc.connectivity import Clusters, label_clusters
from kmc.network import Network
from kmc.outcomes import Outcome

ERROR_DELAY = 4
"""Steps over which the fall of the dissipation is summed to judge its error."""
EXACT_RESIDUAL = 1e-12
"""Residual over source at which a potential is exact to rounding: the first guess of laminates and uniform blocks."""
LEAST_RESIDUAL = 1e-17
"""Residual over source that rounding hides whatever the flows are; up to there weak flows may still come to agree."""
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
        return AxisSolution(AXES[axis], 0.0, 0.0, 0.0, 0.0, 0, Outcome.NOT_PERCOLATING)
    system = _System(network, axis, found, periodic)
    x = system.first_guess() if guess is None else np.ascontiguousarray(np.nan_to_num(system.turn(guess)))
    iterations, converged = _conjugate_gradients(system, x, tolerance, max_iterations, progress)
    inflow, outflow, dissipation = system.flows(x)
    return AxisSolution(
        axis=AXES[axis],
        sigma_eff_S_per_m=dissipation,
        inflow_S_per_m=inflow,
        outflow_S_per_m=outflow,
        dissipation_S_per_m=dissipation,
        iterations=iterations,
        outcome=Outcome.CONVERGED if converged else Outcome.NOT_CONVERGED,
        potential=system.turn_back(np.where(system.turn(found.spans[found.ids, axis]), x, np.nan)) if keep_potential else None,
    )


class _System:
    """The linear system of one axis, turned so that transport runs along array axis 0, scaled to conductances near 1."""

    def __init__(self, network: Network, axis: int, clusters: Clusters, periodic: bool) -> None:
        self.order = (axis, *(other for other in range(3) if other != axis))
        self.periodic = periodic
        faces = network.faces
        used = np.zeros(faces.n_classes, dtype=np.bool_)
        for part in faces.of_axis:
            kernels.mark_classes(part, used)
        self.scale = float(network.conductance[:, used].max()) or 1.0
        table = np.ascontiguousarray(network.conductance[list(self.order)] / self.scale)
        of_x, of_y, of_z = (self.turn(faces.of_axis[a]).copy(order="C") for a in self.order)
        keep = self.turn(clusters.spans[:, axis][clusters.ids])
        kernels.close_faces(of_x, of_y, of_z, keep, periodic)
        self.shape = of_x.shape
        low, high = np.zeros(self.shape[1:]), np.zeros(self.shape[1:])
        if not periodic:
            below, above = faces.plates[axis]
            low, high = np.where(keep[0], 2.0 * table[0][below], 0.0), np.where(keep[-1], 2.0 * table[0][above], 0.0)
        self.faces = Faces((of_x, of_y, of_z), table, low, high, periodic)
        size = np.array(network.structure.voxel_size)[list(self.order)]
        n = np.array(self.shape)
        self.to_sigma = self.scale * n[0] * size[0] / (n[1] * size[1] * n[2] * size[2])
        self.step = 1.0 / self.shape[0] if periodic else 0.0
        self.planes = np.empty((3, self.shape[0]))

    def turn(self, array: NDArray[Any]) -> NDArray[Any]:
        """Bring the transport axis to the front."""
        return array.transpose(self.order)

    def turn_back(self, array: NDArray[Any]) -> NDArray[Any]:
        """Undo `turn`."""
        return array.transpose(np.argsort(self.order))

    def apply(self, x: Array, out: Array) -> None:
        faces = self.faces
        kernels.apply(*faces.of_axis, faces.table, faces.low, faces.high, x, out)

    def dot(self, a: NDArray[Any], b: NDArray[Any]) -> float:
        kernels.plane_dots(a, b, self.planes[0])
        return float(self.planes[0].sum())

    def peak(self, a: Array) -> float:
        kernels.plane_peaks(a, self.planes[0])
        return float(self.planes[0].max())

    def take_source(self, out: Array) -> None:
        """Write the currents that the plates, or the mean gradient, drive into each voxel."""
        out[...] = 0.0
        kernels.add_source(self.faces.of_axis[0], self.faces.table, self.faces.low, self.step, self.periodic, out)

    def first_guess(self) -> Array:
        """Return the potential of planes in series, exact for laminates across the axis."""
        planes = self._read_planes(np.zeros(self.shape))[0]
        if self.periodic:
            drop = _series(planes)
            x = np.concatenate(([0.0], -np.cumsum(drop[:-1]))) + np.arange(self.shape[0]) * self.step
            x -= x.mean()
        else:
            drop = _series(np.concatenate(([self.faces.low.sum()], planes[:-1], [self.faces.high.sum()])))
            x = 1.0 - np.cumsum(drop[:-1])
        return np.broadcast_to(x[:, None, None], self.shape).copy()

    def end_flows(self, x: Array) -> tuple[float, float, float]:
        """Return the currents through both ends and a scale for them, in units of the system."""
        if self.periodic:
            low, high = self.shape[0] - 1, (self.shape[0] - 1) // 2
            g, of_x = self.faces.table[0], self.faces.of_axis[0]
            first = float((g[of_x[low]] * (self.step + x[low] - x[0])).sum())
            after = (high + 1) % self.shape[0]
            second = float((g[of_x[high]] * (self.step + x[high] - x[after])).sum())
            return first, second, max(abs(first), abs(second))
        first = float((self.faces.low * (1.0 - x[0])).sum())
        second = float((self.faces.high * x[-1]).sum())
        return first, second, max(abs(first), abs(second))

    def flows(self, x: Array) -> tuple[float, float, float]:
        """Return inflow, outflow and dissipation of a potential, each as a conductivity [S/m]."""
        _, _, heat = self._read_planes(x)
        total = heat.sum()
        if not self.periodic:
            total += (self.faces.low * (1.0 - x[0]) ** 2).sum() + (self.faces.high * x[-1] ** 2).sum()
        inflow, outflow, _ = self.end_flows(x)
        return float(inflow * self.to_sigma), float(outflow * self.to_sigma), float(total * self.to_sigma)

    def _read_planes(self, x: Array) -> Array:
        """Return conductance, current and dissipation of the faces that start in each plane, shape (3, nx)."""
        kernels.plane_flows(*self.faces.of_axis, self.faces.table, x, self.step, *self.planes)
        return self.planes


def _series(conductances: Array) -> Array:
    """Return the share of the total drop of each conductance in series."""
    resistance = 1.0 / np.maximum(conductances, 1e-300)
    return np.asarray(resistance / resistance.sum())


def _conjugate_gradients(
    system: _System,
    x: Array,
    tolerance: float,
    max_iterations: int,
    progress: Callable[[str], Any] | None,
) -> tuple[int, bool]:
    """Improve `x` in place until inflow, outflow and dissipation agree; return the iterations and whether they do."""
    multigrid = Multigrid(system.faces)
    r, q = np.empty(system.shape), np.empty(system.shape)
    system.take_source(r)
    source_norm = system.dot(r, r) ** 0.5
    system.apply(x, q)
    np.subtract(r, q, out=r)
    p = np.zeros(system.shape)
    rz = 1.0
    gains: list[float] = []
    for iteration in range(max_iterations + 1):
        residual = system.dot(r, r) ** 0.5
        exact = residual <= EXACT_RESIDUAL * source_norm
        settled = exact or iteration == max_iterations or _settled(system, x, r, gains, tolerance)
        if settled:
            flows = system.flows(x)
            if progress is not None:
                progress(f"{iteration} iterations, inflow {flows[0]:.5g} S/m, outflow {flows[1]:.5g} S/m")
            agree = max(flows) - min(flows) <= tolerance * max(abs(flow) for flow in flows)
            # an exact first guess can only be spoiled by going on
            spent = residual <= (LEAST_RESIDUAL if iteration else EXACT_RESIDUAL) * source_norm
            if agree or spent or iteration == max_iterations:
                return iteration, agree
        size = system.peak(r)
        z = multigrid.solve(r, 1.0 / size)
        rz_new = size * system.dot(r, z)
        kernels.step_direction(z, size, rz_new / rz if iteration else 0.0, p)
        rz = rz_new
        system.apply(p, q)
        curvature = system.dot(p, q)
        if not curvature > 0.0:
            return iteration, False
        kernels.step_solution(rz / curvature, p, q, x, r)
        gains.append(rz * rz / curvature)
    return max_iterations, False


def _settled(system: _System, x: Array, r: Array, gains: list[float], tolerance: float) -> bool:
    """Return whether the potential is worth the full check of its flows.

    The dissipation falls by gains[k] in step k, so its error before the last few steps is at least their sum (Hestenes and
    Stiefel 1952; Strakos and Tichy 2002). The flows through both ends and the work of the residual cost next to nothing.
    """
    if len(gains) < ERROR_DELAY:
        return False  # of the first guess inflow, outflow and dissipation agree by construction
    inflow, outflow, scale = system.end_flows(x)
    if abs(inflow - outflow) > tolerance * scale or abs(system.dot(x, r)) > tolerance * scale:
        return False
    return sum(gains[-ERROR_DELAY:]) <= ERROR_SHARE * tolerance * scale
