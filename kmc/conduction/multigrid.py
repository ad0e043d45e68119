"""Geometric multigrid for the 7-point network, with the contact graph as a second coarse space.

Blocks of 2 x 2 x 2 voxels form the next level; the Galerkin operator of block-constant potentials is again a 7-point
network whose faces are sums of fine ones. Red-black Gauss-Seidel smooths; the coarse correction is over-relaxed, since
block-constant potentials are too stiff (Braess 1995). All of it in float32: a preconditioner need not be exact. Interfaces
that resist strongly make each piece of a grain nearly equipotential; one unknown per piece, solved directly in float64,
takes these modes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from kmc.conduction import kernels

OVER_RELAXATION = 1.7
LARGEST_DIRECT = 400
LARGEST_PIECE_COUNT = 40_000
SLABS = 16
SINGLE_NOISE = 1e-7

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Faces = tuple[Single, Single, Single]


@dataclass
class Level:
    """One level of the hierarchy: its faces, its vectors, and the boxes it is smoothed in."""

    g: Faces
    low: Single
    high: Single
    x: Single
    b: Single
    boxes: list[NDArray[np.int64]]


def make_level(g: Faces, low: Single, high: Single) -> Level:
    """Prepare a level from its faces and plates."""
    x, b = np.zeros(g[0].shape, dtype=np.float32), np.zeros(g[0].shape, dtype=np.float32)
    return Level(g, low, high, x, b, smoothing_boxes(g))


def smoothing_boxes(g: Faces) -> list[NDArray[np.int64]]:
    """Return boxes in which neighbours always differ in colour.

    Around a periodic axis with an odd number of voxels red meets red; its last plane is then smoothed on its own.
    """
    shape = g[0].shape
    ranges = []
    for axis, n in enumerate(shape):
        odd = n > 1 and n % 2 == 1 and bool(np.take(g[axis], -1, axis=axis).any())
        ranges.append([(0, n - 1), (n - 1, n)] if odd else [(0, n)])
    return [np.array([edge for pair in boxes for edge in pair]) for boxes in product(*ranges)]


class Multigrid:
    """A symmetric V(1,1) cycle on a hierarchy of 7-point networks."""

    def __init__(self, g: tuple[Array, Array, Array], low: Array, high: Array) -> None:
        """Build the hierarchy from the faces and plates of the finest level."""
        x, y, z = (part.astype(np.float32) for part in g)
        self.levels = [make_level((x, y, z), low.astype(np.float32), high.astype(np.float32))]
        while self.levels[-1].x.size > LARGEST_DIRECT and max(self.levels[-1].x.shape) > 1:
            self.levels.append(_coarser(self.levels[-1]))
        self.inverse = _pseudo_inverse(self.levels[-1])

    def solve(self, residual: Array, out: Array) -> None:
        """Write an approximate solution of A out = residual."""
        finest = self.levels[0]
        size = float(np.abs(residual).max())
        np.multiply(residual, 1.0 / size if size > 0.0 else 1.0, out=finest.b, casting="same_kind")
        self._cycle(0)
        np.multiply(finest.x, size, out=out)

    def _cycle(self, depth: int) -> None:
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            kernels.multiply(self.inverse, level.b, level.x)
            return
        arrays = (*level.g, level.low, level.high, level.b, level.x)
        coarse = self.levels[depth + 1]
        level.x[...] = 0.0
        for box in level.boxes:
            kernels.smooth(*arrays, 0, box)
            kernels.smooth(*arrays, 1, box)
        kernels.restrict_residual(*arrays, coarse.b)
        self._cycle(depth + 1)
        kernels.add_correction(level.x, coarse.x, OVER_RELAXATION)
        for box in reversed(level.boxes):
            kernels.smooth(*arrays, 1, box)
            kernels.smooth(*arrays, 0, box)


def _coarser(level: Level) -> Level:
    nx, ny, nz = ((n + 1) // 2 for n in level.x.shape)
    x, y, z = (np.empty((nx, ny, nz), dtype=np.float32) for _ in range(3))
    kernels.coarsen(*level.g, x, y, z)
    return make_level((x, y, z), _sum_pairs(level.low), _sum_pairs(level.high))


def _sum_pairs(plate: Single) -> Single:
    """Sum a plate over blocks of 2 x 2 faces."""
    padded = np.pad(plate, [(0, n % 2) for n in plate.shape])
    return padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2).sum(axis=(1, 3))


def _pseudo_inverse(level: Level) -> Single:
    shape, n = level.x.shape, level.x.size
    index = np.arange(n).reshape(shape)
    matrix = np.zeros((n, n))
    for axis, conductance in enumerate(level.g):
        here, there, g = index.ravel(), np.roll(index, -1, axis=axis).ravel(), conductance.ravel().astype(np.float64)
        np.add.at(matrix, (here, here), g)
        np.add.at(matrix, (there, there), g)
        np.add.at(matrix, (here, there), -g)
        np.add.at(matrix, (there, here), -g)
    np.add.at(matrix, (index[0].ravel(), index[0].ravel()), level.low.ravel())
    np.add.at(matrix, (index[-1].ravel(), index[-1].ravel()), level.high.ravel())
    # scaled to a unit diagonal, weak regions are as well conditioned as strong ones; what is still below the noise of
    # float32 are potentials of whole regions that hang together weakly or not at all, which are not for this level
    scale = 1.0 / np.sqrt(np.where(matrix.diagonal() > 0.0, matrix.diagonal(), np.inf))
    inverse = np.linalg.pinv(scale[:, None] * matrix * scale, rcond=SINGLE_NOISE, hermitian=True)
    return (scale[:, None] * inverse * scale).astype(np.float32)


class PieceSpace:
    """One unknown per connected piece of a grain, joined by the faces between pieces, solved directly."""

    def __init__(self, g: tuple[Array, Array, Array], low: Array, high: Array, pieces: NDArray[np.int32], count: int) -> None:
        """Factorise the matrix of the pieces."""
        self.pieces = pieces
        matrix = _piece_matrix(g, low, high, pieces, count + 1)
        self.factors = splu((matrix + sp.diags(_grounding(matrix, low, high, pieces))).tocsc())
        self.partial = np.zeros((SLABS, count + 1))

    def correct(self, residual: Array, out: Array) -> None:
        """Add to `out` the piecewise constant correction of `residual`."""
        kernels.piece_sums(self.pieces, residual, self.partial)
        sums = self.partial.sum(axis=0)
        sums[0] = 0.0
        kernels.add_pieces(self.pieces, self.factors.solve(sums), out)


def _grounding(matrix: sp.csr_matrix, low: Array, high: Array, pieces: NDArray[np.int32]) -> Array:
    """Return what to add to the diagonal: one piece of every set that no plate holds is tied to 0 by its own conductance.

    The currents into such a set sum to zero, so none flows to its ground and the solution is exact up to a constant.
    """
    diagonal = matrix.diagonal()
    n_sets, member = connected_components(matrix, directed=False)
    held = np.zeros(n_sets, dtype=np.bool_)
    for plane, plate in ((pieces[0], low), (pieces[-1], high)):
        held[member[plane[plate > 0.0]]] = True
    _, first = np.unique(member, return_index=True)
    ground = np.zeros(len(diagonal))
    ground[first[~held]] = diagonal[first[~held]]
    ground[diagonal <= 0.0] = 1.0
    return ground


def _piece_matrix(g: tuple[Array, Array, Array], low: Array, high: Array, pieces: NDArray[np.int32], n: int) -> sp.csr_matrix:
    rows, columns, values = [], [], []
    for axis, conductance in enumerate(g):
        other = np.roll(pieces, -1, axis=axis)
        crosses = (pieces != other) & (conductance > 0.0)
        rows.append(pieces[crosses])
        columns.append(other[crosses])
        values.append(conductance[crosses])
    a, b, v = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    off = sp.coo_matrix((v, (a, b)), shape=(n, n)).tocsr()
    off = off + off.T
    diagonal = np.asarray(off.sum(axis=1)).ravel()
    np.add.at(diagonal, pieces[0].ravel(), low.ravel())
    np.add.at(diagonal, pieces[-1].ravel(), high.ravel())
    return (sp.diags(diagonal) - off).tocsr()
