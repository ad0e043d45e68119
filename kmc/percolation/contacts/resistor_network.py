"""Currents in a network of resistors: nodes, edges with a conductance, some potentials given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from microstructures.errors import InputError


@dataclass(frozen=True)
class NetworkSolution:
    """Balanced currents of a resistor network.

    Attributes
    ----------
    potential : ndarray of shape (n_nodes,)
        Potential [V]; NaN at nodes that nothing holds or drives.
    current : ndarray of shape (n_edges,)
        Current [A] from the first to the second node of each edge.
    dissipation : float
        Power [W]: sum of current times drop.
    """

    potential: NDArray[np.float64]
    current: NDArray[np.float64]
    dissipation: float


def solve_resistors(
    edges: NDArray[np.integer[Any]],
    conductance_S: NDArray[np.float64],
    n_nodes: int,
    *,
    held: dict[int, float] | None = None,
    drive_V: NDArray[np.float64] | None = None,
) -> NetworkSolution:
    """Balance the currents of a resistor network.

    Current from i to j along an edge: I = g (V_i - V_j + drive); at every node that is not held they sum to zero
    (Kirchhoff). Solved directly by sparse LU of the reduced Laplacian.

    Parameters
    ----------
    edges : ndarray of shape (n_edges, 2), integer
        Nodes of each edge; parallel edges and loops are allowed.
    conductance_S : ndarray of shape (n_edges,)
        Conductance [S]; edges of 0 are open.
    n_nodes : int
        Number of nodes.
    held : dict of node to potential, optional
        Nodes whose potential [V] is given.
    drive_V : ndarray of shape (n_edges,), optional
        Voltage source in each edge [V], 0 unless given. A part of the network that no held node reaches gets its first
        node at 0 V.

    Raises
    ------
    InputError
        If a conductance is negative or not finite.

    Examples
    --------
    Two resistors of 1 ohm in series:

    >>> import numpy as np
    >>> solve_resistors(np.array([[0, 1], [1, 2]]), np.ones(2), 3, held={0: 1.0, 2: 0.0}).current.tolist()
    [0.5, 0.5]
    """
    if not (np.isfinite(conductance_S).all() and (conductance_S >= 0.0).all()):
        raise InputError("a conductance of the network is negative or not finite; allowed: 0 and above, in siemens")
    potential = np.full(n_nodes, np.nan)
    drive = np.zeros(len(edges)) if drive_V is None else drive_V
    i, j = edges[:, 0].astype(np.intp), edges[:, 1].astype(np.intp)
    open_ = conductance_S > 0.0
    if not open_.any():
        potential[list(held or ())] = list((held or {}).values())
        return NetworkSolution(potential, np.zeros(len(edges)), 0.0)
    graph = sparse.coo_array((np.ones(open_.sum()), (i[open_], j[open_])), shape=(n_nodes, n_nodes))
    count, part = connected_components(graph, directed=False)
    driven = np.zeros(count, dtype=np.bool_)
    driven[part[i[open_ & (drive != 0.0)]]] = True
    fixed = np.zeros(n_nodes, dtype=np.bool_)
    for node, value in (held or {}).items():
        potential[node] = value
        fixed[node] = True
        driven[part[node]] = True
    grounded = np.zeros(count, dtype=np.bool_)
    grounded[part[fixed]] = True
    parts, first = np.unique(part, return_index=True)
    loose = first[~grounded[parts] & driven[parts]]
    potential[loose] = 0.0
    fixed[loose] = True
    free = driven[part] & ~fixed
    if free.any():
        potential[free] = _solve(i[open_], j[open_], conductance_S[open_], drive[open_], potential, fixed, free)
    drop = np.where(open_, potential[i] - potential[j] + drive, 0.0)
    drop[np.isnan(drop)] = 0.0
    current = conductance_S * drop
    return NetworkSolution(potential, current, float((current * drop).sum()))


def _solve(
    i: NDArray[np.intp],
    j: NDArray[np.intp],
    g: NDArray[np.float64],
    drive: NDArray[np.float64],
    potential: NDArray[np.float64],
    fixed: NDArray[np.bool_],
    free: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the potentials of the free nodes."""
    n = len(potential)
    g = g / g.max()
    laplacian = sparse.csr_array(
        (np.concatenate((g, g, -g, -g)), (np.concatenate((i, j, i, j)), np.concatenate((i, j, j, i)))), shape=(n, n)
    )
    source = np.bincount(j, g * drive, n) - np.bincount(i, g * drive, n)
    rows = laplacian[np.flatnonzero(free)]
    matrix = sparse.csc_array(rows[:, np.flatnonzero(free)])
    right = source[free] - rows[:, np.flatnonzero(fixed)] @ potential[fixed]
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(factors.solve(right))
