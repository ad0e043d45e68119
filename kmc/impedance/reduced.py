"""The system at all frequencies at once, projected on the potentials of a few of them.

The potential moves along a smooth curve with frequency, so real and imaginary parts of its solutions at some frequencies span
nearly those at all others. A class of faces has one admittance, so what it contributes to the projection (Galerkin) is summed
over its faces once, as products of potential drops; every frequency then costs a small dense system (reduced basis: Quarteroni,
Manzoni and Negri 2016). The current of a projection is wrong by the square of the error of its potential.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.impedance import kernels
from kmc.impedance.system import System

INDEPENDENT = 1e-13
"""Least share of new direction, in energy, that a potential must bring to be used."""
PARTS = 4
"""Parts of the box whose products are summed apart, whatever the number of threads."""

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


class Reduced:
    """The projection of a system, at every one of the frequencies, on the solutions added so far."""

    def __init__(self, system: System, frequencies_Hz: Array) -> None:
        """Gather what the classes conduct at all frequencies."""
        self.system, self.solutions = system, list[Array]()
        tables = [system.admittances(frequency) for frequency in frequencies_Hz.tolist()]
        self.present = system.counts > 0
        nx = system.shape[0]
        self.parts = np.linspace(0, nx, min(PARTS, nx) + 1).astype(np.int64)
        n = len(frequencies_Hz)
        self.matrix: Complex = np.zeros((n, 0, 0), dtype=np.complex128)
        self.source: Complex = np.zeros((n, 0), dtype=np.complex128)
        self.sink: Complex = np.zeros((n, 0), dtype=np.complex128)
        present = [np.stack([table[self.present] for table, _, _ in tables])]
        if system.periodic:
            found, which = np.unique(system.of_axis[0][-1], return_inverse=True)
            self.ends = [which.reshape(-1)]
            self.low = self.high = np.stack([table[0][found] for table, _, _ in tables])
        else:
            both = [np.unique(plate, return_index=True, return_inverse=True) for plate in system.plates]
            self.ends = [which.reshape(-1) for _, _, which in both]
            self.low, self.high = (np.stack([table[1 + end].reshape(-1)[both[end][1]] for table in tables]) for end in (0, 1))
            present += [self.low, self.high]
        self.driven = self.low @ np.bincount(self.ends[0])
        of_class = np.concatenate(present, axis=1)
        self.conductances = np.concatenate([of_class.real, of_class.imag])

    def add(self, x: Array) -> None:
        """Add the real and the imaginary part of a solution."""
        self.solutions.append(x.copy())
        last = 2 * len(self.solutions) - 2
        sums = np.concatenate([self._products(x, other) for other in self.solutions], axis=1)
        real, imaginary = np.split(self.conductances @ sums, 2)
        rows = (real + 1j * imaginary).reshape(len(real), -1, 2, 2).transpose(0, 2, 1, 3).reshape(len(real), 2, -1)
        matrix: Complex = np.zeros((len(real), last + 2, last + 2), dtype=np.complex128)
        matrix[:, :last, :last] = self.matrix
        matrix[:, last:, :] = rows
        matrix[:, :, last:] = rows.transpose(0, 2, 1)
        self.matrix = matrix
        source, sink = self._ends_of(x)
        self.source, self.sink = np.concatenate([self.source, source], axis=1), np.concatenate([self.sink, sink], axis=1)

    def _products(self, a: Array, b: Array) -> Array:
        """Return the products of the drops of two potentials, summed by class, then those at the plates, shape (n, 4)."""
        sums = np.zeros((len(self.parts) - 1, *self.system.counts.shape, 4))
        kernels.class_products(*self.system.of_axis, a, b, self.parts, sums)
        found = [sums.sum(axis=0)[self.present]]
        if not self.system.periodic:
            for which, plane in zip(self.ends, (0, -1), strict=True):
                at = [_by_class(which, a[i, plane] * b[j, plane]) for i, j in np.ndindex(2, 2)]
                found.append(np.stack(at, axis=1))
        return np.concatenate(found)

    def _ends_of(self, x: Array) -> tuple[Complex, Complex]:
        """Return the product of the parts of a potential with what drives the system, and their current out of it."""
        if self.system.periodic:
            source = self.low @ np.stack([_by_class(self.ends[0], part) for part in x[:, 0] - x[:, -1]], axis=1)
            return source, np.zeros_like(source)
        low, high = (
            np.stack([_by_class(which, part) for part in x[:, plane]], axis=1)
            for which, plane in zip(self.ends, (0, -1), strict=True)
        )
        return np.asarray(self.low @ low), np.asarray(self.high @ high)

    def weights(self, n: int) -> Complex:
        """Return the weights of the potentials at frequency number `n`."""
        return _solve(self.matrix[n], self.source[n])

    def flows(self) -> tuple[Complex, Complex]:
        """Return inflow and outflow [S] at every frequency; the periodic medium has but one."""
        found = [self.weights(n) for n in range(len(self.matrix))]
        inflow = self.driven - np.array([source @ w for source, w in zip(self.source, found, strict=True)])
        if self.system.periodic:
            return inflow, inflow
        return inflow, np.array([sink @ w for sink, w in zip(self.sink, found, strict=True)])

    def guess(self, n: int, out: Array) -> None:
        """Write the potential at frequency number `n`."""
        out[...] = 0.0
        weights = self.weights(n).reshape(-1, 2)
        for (real, imaginary), solution in zip(weights.tolist(), self.solutions, strict=True):
            kernels.add_weighted(solution, real.real, real.imag, imaginary.real, imaginary.imag, out)


def _by_class(which: NDArray[np.intp], values: Array) -> Array:
    """Return the sum of the values of each class."""
    return np.bincount(which, weights=values.reshape(-1)).astype(np.float64, copy=False)


def _solve(matrix: Complex, source: Complex) -> Complex:
    """Solve a complex symmetric system whose real and imaginary part are positive semidefinite, leaving out what is dependent."""
    energy = matrix.real + matrix.imag
    size = np.sqrt(np.maximum(energy.diagonal(), 0.0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0.0)
    values, vectors = np.linalg.eigh(scale[:, None] * energy * scale)
    kept = values > INDEPENDENT * values.max(initial=0.0)
    turn = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray(turn @ np.linalg.solve(turn.T @ matrix @ turn, turn.T @ source))
