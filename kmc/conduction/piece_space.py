"""One unknown per connected piece of a grain, joined by the faces between pieces, solved directly.

Point contacts and interfaces that resist strongly make each piece nearly equipotential. This space takes those modes out
of the residual for good (A-DEF2 of Tang, Nabben, Vuik and Erlangga 2009), whatever the multigrid cycle leaves of them.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numba import prange
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from kmc.conduction.multigrid import Faces
from microstructures.jit import parallel_kernel

LARGEST_PIECE_COUNT = 40_000
SLABS = 16

Array = NDArray[np.float64]


class PieceSpace:
    """The piecewise constant potentials of a network."""

    def __init__(self, faces: Faces, pieces: NDArray[np.int32], count: int) -> None:
        """Factorise the matrix of the pieces; `pieces` numbers them from 1, turned as the faces are, 0 is no piece."""
        self.pieces = pieces
        matrix = _piece_matrix(faces, pieces, count + 1)
        self.factors = splu((matrix + sp.diags(_grounding(matrix, faces, pieces))).tocsc())
        self.partial = np.zeros((SLABS, count + 1))

    def correct(self, residual: Array, out: Array) -> None:
        """Add to `out` the piecewise constant correction of `residual`."""
        _sum_over_pieces(self.pieces, residual, self.partial)
        sums = self.partial.sum(axis=0)
        sums[0] = 0.0
        _add_to_pieces(self.pieces, self.factors.solve(sums), out)


def _grounding(matrix: sp.csr_matrix, faces: Faces, pieces: NDArray[np.int32]) -> Array:
    """Return what to add to the diagonal: one piece of every set that no plate holds is tied to 0 by its own conductance.

    The currents into such a set sum to zero, so none flows to its ground and the solution is exact up to a constant.
    """
    diagonal = matrix.diagonal()
    n_sets, member = connected_components(matrix, directed=False)
    held = np.zeros(n_sets, dtype=np.bool_)
    for plane, plate in ((pieces[0], faces.low), (pieces[-1], faces.high)):
        held[member[plane[plate > 0.0]]] = True
    _, first = np.unique(member, return_index=True)
    ground = np.zeros(len(diagonal))
    ground[first[~held]] = diagonal[first[~held]]
    ground[diagonal <= 0.0] = 1.0
    return ground


def _piece_matrix(faces: Faces, pieces: NDArray[np.int32], n: int) -> sp.csr_matrix:
    rows, columns, values = [], [], []
    for axis, of_axis in enumerate(faces.of_axis):
        for plane, part in enumerate(of_axis):  # plane by plane, to hold no further copies of the block
            here = pieces[plane]
            other = pieces[(plane + 1) % len(pieces)] if axis == 0 else np.roll(here, -1, axis=axis - 1)
            crosses = (here != other) & (part > 0)
            rows.append(here[crosses])
            columns.append(other[crosses])
            values.append(faces.table[axis][part[crosses]])
    a, b, v = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    off = sp.coo_matrix((v, (a, b)), shape=(n, n)).tocsr()
    off = off + off.T
    diagonal = np.asarray(off.sum(axis=1)).ravel()
    np.add.at(diagonal, pieces[0].ravel(), faces.low.ravel())
    np.add.at(diagonal, pieces[-1].ravel(), faces.high.ravel())
    return (sp.diags(diagonal) - off).tocsr()


@parallel_kernel
def _sum_over_pieces(pieces, r, partial):  # type: ignore[no-untyped-def]
    """Sum `r` over pieces, one row of partial sums per slab of planes."""
    slabs = partial.shape[0]
    nx, ny, nz = r.shape
    for slab in prange(slabs):
        partial[slab, :] = 0.0
        for i in range(slab * nx // slabs, (slab + 1) * nx // slabs):
            for j in range(ny):
                for k in range(nz):
                    partial[slab, pieces[i, j, k]] += r[i, j, k]


@parallel_kernel
def _add_to_pieces(pieces, values, x):  # type: ignore[no-untyped-def]
    """Add to each voxel the value of its piece."""
    nx, ny, nz = x.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                x[i, j, k] += values[pieces[i, j, k]]
