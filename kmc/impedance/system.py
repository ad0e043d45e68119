"""The complex symmetric system of one axis: voxels joined by faces, driven by plates or a mean gradient, and its flows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import label_clusters
from kmc.faces import BLOCKED
from kmc.impedance import kernels
from kmc.impedance.admittance import Admittance, double_layer
from kmc.multigrid.kernels import close_faces
from kmc.multigrid.levels import Faces
from kmc.network import Network

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Flows(NamedTuple):
    """The current through a network read three ways."""

    inflow: complex
    outflow: complex
    dissipation: complex

    def agree(self, tolerance: float) -> bool:
        """Return whether the three agree."""
        most = max(abs(a - b) for a in self for b in self)
        return most <= tolerance * max(abs(flow) for flow in self)


class System:
    """The system of one axis, turned so that transport runs along array axis 0; `set_frequency` fills in its numbers.

    With displacement every voxel belongs to it. Without, what is solved is direct current: real numbers at any frequency, and
    only the clusters that span the axis.
    """

    def __init__(
        self, network: Network, axis: int, *, periodic: bool, displacement: bool, double_layer_F_per_m2: float
    ) -> None:
        """Turn the faces; `double_layer_F_per_m2` stands in series with each plate, 0 for reversible ones."""
        self.network, self.plates, self.periodic = network, network.faces.plates[axis], periodic
        self.order = (axis, *(other for other in range(3) if other != axis))
        faces = network.faces
        self.admittance = Admittance(network) if displacement else None
        of_axis = [faces.of_axis[a].transpose(self.order).copy(order="C") for a in self.order]
        self.shape = of_axis[0].shape
        self.has_gaps = displacement and self._fill_gaps(of_axis)
        keep: NDArray[np.bool_] = np.ones(self.shape, dtype=np.bool_)
        if not displacement:
            clusters = label_clusters(network, periodic=periodic)
            keep = clusters.spans[:, axis][clusters.ids].transpose(self.order)
        self.spans = bool(keep.any())
        close_faces(*of_axis, np.ascontiguousarray(keep), periodic)
        self.of_axis = tuple(of_axis)
        self.keeps = np.stack([keep[0], keep[-1]])
        size = np.array(network.structure.voxel_size)[list(self.order)]
        n = np.array(self.shape)
        self.plate_F = double_layer_F_per_m2 * float(size[1] * size[2])
        self.length_m = float(n[0] * size[0])
        self.length_over_area = self.length_m / float(n[1] * size[1] * n[2] * size[2])
        self.counts = self._count()
        self.planes = np.empty((6, self.shape[0]))

    def _fill_gaps(self, of_axis: list[NDArray[Any]]) -> bool:
        """Give the faces between particles that touch as voxels only a class of their own."""
        faces, found = self.network.faces, 0
        if self.network.structure.contacts is None:
            return False
        n_phases = len(faces.phase_names)
        phase = faces.phase_of_label[self.network.structure.labels].transpose(self.order).copy(order="C")
        for axis in range(3):
            if faces.n_classes + n_phases**2 > np.iinfo(of_axis[axis].dtype).max:
                of_axis[axis] = of_axis[axis].astype(np.uint32)
            found += kernels.fill_gaps(of_axis[axis], BLOCKED, phase, axis, self.periodic, faces.n_classes, n_phases)
        return found > 0

    def _count(self) -> NDArray[np.int64]:
        gaps = len(self.network.faces.phase_names) ** 2 if self.has_gaps else 0
        counts = np.zeros((3, self.network.faces.n_classes + gaps), dtype=np.int64)
        for axis in range(3):
            kernels.count_classes(self.of_axis[axis], counts[axis])
        return counts

    def admittances(self, frequency_Hz: float) -> tuple[Complex, Complex, Complex]:
        """Return what the classes along each axis, of shape (3, n_classes), and both plates, of shape (ny, nz), conduct [S]."""
        w = 2.0 * np.pi * frequency_Hz
        if self.admittance is None:
            classes = self.network.conductance.astype(np.complex128)
        else:
            classes = self.admittance.classes(w)
            if self.has_gaps:
                classes = np.concatenate([classes, self.admittance.gaps(w)], axis=1)
        classes = classes[list(self.order)]
        low = high = np.zeros(self.shape[1:], dtype=np.complex128)
        if not self.periodic:
            low, high = (2.0 * classes[0][plate] * keep for plate, keep in zip(self.plates, self.keeps, strict=True))
            if self.plate_F > 0.0:
                low, high = double_layer(low, self.plate_F, w), double_layer(high, self.plate_F, w)
        return classes, low, high

    def set_frequency(self, frequency_Hz: float) -> None:
        """Fill in what the faces and plates conduct, scaled to conductances near 1."""
        classes, low, high = self.admittances(frequency_Hz)
        self.scale = float(np.abs(classes[self.counts > 0]).max()) or 1.0
        self.complex_low, self.complex_high = low / self.scale, high / self.scale
        self.low, self.high = _parts(self.complex_low), _parts(self.complex_high)
        scaled = classes / self.scale
        self.table = np.ascontiguousarray(np.stack([scaled.real, scaled.imag], axis=-1))
        self.network_of_faces = (*self.of_axis, self.table)
        self.to_sigma = self.scale * self.length_over_area

    @property
    def is_real(self) -> bool:
        """Return whether no face stores energy."""
        return not (self.table[..., 1].any() or self.low[1].any() or self.high[1].any())

    def real_faces(self) -> Faces:
        """Return the real network whose conductances are real plus imaginary part.

        Whatever the potential, x* A x over its own x* g x lies on the line from 1 to i, no farther from 0 than 1/sqrt 2.
        """
        of_x, of_y, of_z = self.of_axis
        return Faces((of_x, of_y, of_z), self.table.sum(axis=-1), self.low.sum(axis=0), self.high.sum(axis=0), self.periodic)

    def apply(self, x: Array, out: Array) -> complex:
        """Write the net current out of every voxel for potentials `x`, plates at 0; return x times it."""
        kernels.apply(*self.network_of_faces, self.low, self.high, x, out, self.planes)
        return self._sum()

    def dot(self, a: Array, b: Array) -> complex:
        """Return the product, not conjugated."""
        kernels.plane_dots(a, b, self.planes)
        return self._sum()

    def _sum(self) -> complex:
        return complex(float(self.planes[0].sum()), float(self.planes[1].sum()))

    def take_source(self, out: Array) -> None:
        """Write the current into every voxel from the low plate at 1, or from a jump of 1 across the outer boundary."""
        out[...] = 0.0
        if self.periodic:
            across = np.moveaxis(self.table[0][self.of_axis[0][-1]], -1, 0)
            out[:, 0] += across
            out[:, -1] -= across
        else:
            out[:, 0] += self.low

    def take_residual(self, x: Array, out: Array, space: Array) -> None:
        """Write what is left of the source; `space` is overwritten."""
        self.take_source(out)
        self.apply(x, space)
        out -= space

    def plane_guess(self) -> Array:
        """Return the potential of planes in series, exact for laminates across the axis."""
        planes = self._read_planes(np.zeros((2, *self.shape)))[0]
        if self.periodic:
            drop = _series(planes)
            x = np.concatenate(([0.0], -np.cumsum(drop[:-1])))
            x -= x.mean()
        else:
            drop = _series(np.concatenate(([self.complex_low.sum()], planes[:-1], [self.complex_high.sum()])))
            x = 1.0 - np.cumsum(drop[:-1])
        return np.broadcast_to(_parts(x)[:, :, None, None], (2, *self.shape)).copy()

    def flows(self, x: Array) -> Flows:
        """Return inflow, outflow and x . A x of a potential, in units of the system.

        Between plates the first two are the currents through the plates, else the mean over either half of the planes, each
        weighted by its resistance.
        """
        conductance, current, heat = self._read_planes(x)
        if self.periodic:
            weight, half = 1.0 / np.maximum(np.abs(conductance), np.finfo(np.float64).tiny), (len(current) + 1) // 2
            first, last = (np.average(current[part], weights=weight[part]) for part in (slice(half), slice(-half, None)))
            return Flows(complex(first), complex(last), complex(heat.sum()))
        drop, rest = 1.0 - (x[0, 0] + 1j * x[1, 0]), x[0, -1] + 1j * x[1, -1]
        ends = (self.complex_low * drop**2).sum() + (self.complex_high * rest**2).sum()
        inflow, outflow = (self.complex_low * drop).sum(), (self.complex_high * rest).sum()
        return Flows(complex(inflow), complex(outflow), complex(heat.sum() + ends))

    def _read_planes(self, x: Array) -> Complex:
        """Return conductance, current and x . A x of the faces that start in each plane, shape (3, nx)."""
        kernels.plane_flows(*self.network_of_faces, x, self.planes)
        return np.asarray(self.planes[::2] + 1j * self.planes[1::2])


def _parts(values: Complex) -> Array:
    """Return real and imaginary part, stacked."""
    return np.ascontiguousarray(np.stack([values.real, values.imag]))


def _series(conductances: Complex) -> Complex:
    """Return the share of the total drop of each conductance in series."""
    resistance = 1.0 / np.where(conductances == 0.0, 1e-300, conductances)
    return np.asarray(resistance / resistance.sum())
