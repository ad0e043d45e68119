"""The current through every face of a solved network, between voxels and at the plates."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.errors import InputError
from microstructures.jit import parallel_kernel

Array = NDArray[np.float64]


def face_currents(network: Network, solution: AxisSolution, axis: int) -> Array:
    """Return the current [A] between each voxel and the next along an axis, for 1 V over the whole block.

    Parameters
    ----------
    network : Network
        The network that was solved.
    solution : AxisSolution
        A solution that kept its potential.
    axis : 0, 1 or 2
        Axis of the faces, any of the three.

    Returns
    -------
    ndarray of shape (nx, ny, nz), float64
        Positive towards higher indices; 0 where no current can flow. The last entry along the axis is the periodic face,
        0 between plates.

    Raises
    ------
    InputError
        If the potential was not kept.
    """
    potential = kept_potential(solution)
    out = np.zeros(potential.shape)
    wraps, step = mean_step(solution, axis)
    _currents(axis, network.faces.of_axis[axis], network.conductance[axis], potential, step, wraps, out)
    return out


def plate_currents(network: Network, solution: AxisSolution) -> tuple[Array, Array]:
    """Return the currents [A] from the low plate into each voxel beside it, and from each into the high plate, for 1 V.

    Both are 0 where the solution is periodic.
    """
    potential, axis = kept_potential(solution), AXES.index(solution.axis)
    if solution.boundary == "periodic":
        none = np.zeros(np.take(potential, 0, axis=axis).shape)
        return none, none.copy()
    flows = []
    for end, of_plate in ((0, 1.0), (-1, 0.0)):
        classes = network.faces.plates[axis][end]
        drop = np.nan_to_num(of_plate - np.take(potential, end, axis=axis))
        flows.append(2.0 * network.conductance[axis][classes] * drop * (1.0 if end == 0 else -1.0))
    return flows[0], flows[1]


def kept_potential(solution: AxisSolution) -> Array:
    """Return the potential of a solution, or raise an InputError where it was not kept."""
    if solution.potential is None:
        raise InputError("the solution has no potential; solve with keep_potential=True, and look at its outcome")
    return np.ascontiguousarray(solution.potential)


def mean_step(solution: AxisSolution, axis: int) -> tuple[bool, float]:
    """Return whether faces wrap, and the fall of the mean potential from a voxel to the next that the solution leaves out."""
    if solution.boundary != "periodic":
        return False, 0.0
    potential = kept_potential(solution)
    return True, 1.0 / potential.shape[axis] if AXES[axis] == solution.axis else 0.0


@parallel_kernel
def _currents(axis, classes, table, x, step, wraps, out):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    for plane in prange(nx):
        i = int(plane)
        for j in range(ny):
            for k in range(nz):
                i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
                conductance = table[classes[i, j, k]]
                if conductance > 0.0 and (wraps or i1 + j1 + k1 > i + j + k):
                    drop = step + x[i, j, k] - x[i1, j1, k1]
                    if np.isfinite(drop):
                        out[i, j, k] = conductance * drop
