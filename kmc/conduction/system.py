"""The linear system of one axis: voxels joined by faces, driven by plates or by a mean gradient, and the flows read off it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.multigrid import kernels
from kmc.multigrid.levels import Faces
from kmc.network import Network

Array = NDArray[np.float64]


class Flows(NamedTuple):
    """The current through a network read three ways."""

    inflow: float
    outflow: float
    dissipation: float

    def agree(self, tolerance: float) -> bool:
        """Return whether the three agree."""
        return max(self) - min(self) <= tolerance * max(abs(flow) for flow in self)


class System:
    """The linear system of one axis, turned so that transport runs along array axis 0, scaled to conductances near 1."""

    def __init__(self, network: Network, axis: int, clusters: Clusters, periodic: bool) -> None:
        """Leave out what lies outside the clusters that span the axis."""
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
        self.to_sigma = float(self.scale * n[0] * size[0] / (n[1] * size[1] * n[2] * size[2]))
        self.ramp = (np.arange(n[0]) / n[0] - 0.5 * (n[0] - 1) / n[0])[:, None, None] if periodic else 0.0
        self.planes = np.empty((3, self.shape[0]))

    def turn(self, array: NDArray[Any]) -> NDArray[Any]:
        """Bring the transport axis to the front."""
        return array.transpose(self.order)

    def turn_back(self, array: NDArray[Any]) -> NDArray[Any]:
        """Undo `turn`."""
        return array.transpose(np.argsort(self.order))

    def apply(self, x: Array, out: Array) -> None:
        """Write the net current out of every voxel for potentials `x`, plates at 0."""
        faces = self.faces
        kernels.apply(*faces.of_axis, faces.table, faces.low, faces.high, x, out)

    def dot(self, a: NDArray[Any], b: NDArray[Any]) -> float:
        """Return the scalar product."""
        kernels.plane_dots(a, b, self.planes[0])
        return float(self.planes[0].sum())

    def peak(self, a: Array) -> float:
        """Return the largest magnitude."""
        kernels.plane_peaks(a, self.planes[0])
        return float(self.planes[0].max())

    def norm(self, a: Array) -> float:
        """Return the root of the sum of squares."""
        return self.dot(a, a) ** 0.5

    def take_residual(self, x: Array | None, out: Array) -> None:
        """Write the net current into every voxel: from the low plate at 1, or a jump of 1 across the outer boundary, less A x."""
        if x is None:
            out[...] = 0.0
        else:
            self.apply(x, out)
            np.negative(out, out=out)
        if self.periodic:
            across = self.faces.table[0][self.faces.of_axis[0][-1]]
            out[0] += across
            out[-1] -= across
        else:
            out[0] += self.faces.low

    def plane_guess(self) -> Array:
        """Return the potential of planes in series, exact for laminates across the axis."""
        planes = self._read_planes(np.zeros(self.shape))[0]
        if self.periodic:
            drop = _series(planes)
            x = np.concatenate(([0.0], -np.cumsum(drop[:-1])))
            x -= x.mean()
        else:
            drop = _series(np.concatenate(([self.faces.low.sum()], planes[:-1], [self.faces.high.sum()])))
            x = 1.0 - np.cumsum(drop[:-1])
        return np.broadcast_to(x[:, None, None], self.shape).copy()

    def flows(self, x: Array) -> Flows:
        """Return inflow, outflow and dissipation of a potential, in units of the system.

        Between plates the first two are the currents through the plates, else the mean over either half of the planes, each
        weighted by its resistance: where good conductors fill a plane, its current is the small rest of large ones.
        """
        conductance, current, heat = self._read_planes(x)
        if self.periodic:
            weight, half = 1.0 / np.maximum(conductance, np.finfo(np.float64).tiny), (len(current) + 1) // 2
            first, last = (np.average(current[part], weights=weight[part]) for part in (slice(half), slice(-half, None)))
            return Flows(float(first), float(last), float(heat.sum()))
        inflow, outflow = float((self.faces.low * (1.0 - x[0])).sum()), float((self.faces.high * x[-1]).sum())
        ends = (self.faces.low * (1.0 - x[0]) ** 2).sum() + (self.faces.high * x[-1] ** 2).sum()
        return Flows(inflow, outflow, float(heat.sum() + ends))

    def _read_planes(self, x: Array) -> Array:
        """Return conductance, current and dissipation of the faces that start in each plane, shape (3, nx)."""
        kernels.plane_flows(*self.faces.of_axis, self.faces.table, x, *self.planes)
        return self.planes


def _series(conductances: Array) -> Array:
    """Return the share of the total drop of each conductance in series."""
    resistance = 1.0 / np.maximum(conductances, 1e-300)
    return np.asarray(resistance / resistance.sum())
