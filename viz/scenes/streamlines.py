"""Lines along which a current runs, each carrying the same share of it, traced exactly through the currents of faces.

Inside a voxel every component of the current density is linear between its two faces, so a line has a closed form from the
face where it enters to the face where it leaves (Pollock 1988, Ground Water 26, 743). As what enters a voxel also leaves it,
no line ends inside of the block and none enters what does not conduct.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction.face_currents import face_currents, plate_currents
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.errors import InputError

Array = NDArray[np.float64]
MOST_LINES = 5000
LONGEST = 60
"""Most voxels that a line visits, over the number of voxels along the three edges of the block."""


@dataclass(frozen=True)
class Streamlines:
    """Lines of equal current.

    Attributes
    ----------
    points_um : tuple of ndarray of shape (n, 3), float64
        Where each line enters and leaves its voxels [um].
    current_A_per_m2 : tuple of ndarray of shape (n,), float64
        Current density at these points, for 1 V over the block.
    share : float
        Share of the whole current that each line stands for.
    """

    points_um: tuple[Array, ...]
    current_A_per_m2: tuple[Array, ...]
    share: float


def trace_streamlines(network: Network, solution: AxisSolution, *, count: int = 200) -> Streamlines:
    """Return lines of equal current from the low to the high end of a solved block; in a periodic one some leave by a side.

    Parameters
    ----------
    network : Network
        The network that was solved.
    solution : AxisSolution
        Its solution along one axis, with the potential kept.
    count : int
        How many lines.

    Raises
    ------
    InputError
        If the count is not between 1 and 5000, the solution kept no potential, or no current enters the block.

    Examples
    --------
    >>> from kmc.conduction.conduct import conduct
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = conduct(block, keep_potential=True)
    >>> lines = trace_streamlines(result.network, result.solutions[0], count=3)
    >>> [float(line[-1, 0].round(9)) for line in lines.points_um]
    [0.1, 0.1, 0.1]
    """
    if not 1 <= count <= MOST_LINES:
        raise InputError(f"{count} streamlines; allowed: 1 to {MOST_LINES}")
    low, high = _of_both_faces(network, solution)
    axis = AXES.index(solution.axis)
    cell, place = _starts(low[axis], axis, count)
    shape = np.array(low.shape[1:])
    visits = _trace(low, high, cell, place, LONGEST * int(shape.sum()))
    lines, currents = [], []
    edge_um = np.array(network.structure.voxel_size) * 1e6
    for points, values in visits:
        lines.append(points * edge_um)
        currents.append(values)
    return Streamlines(tuple(lines), tuple(currents), 1.0 / count)


def _of_both_faces(network: Network, solution: AxisSolution) -> tuple[Array, Array]:
    """Return the current density [A/m^2] through the low and the high faces of every voxel, each (3, nx, ny, nz)."""
    area, _ = network.faces.face_geometry()
    high = np.stack([face_currents(network, solution, axis) for axis in range(3)])
    low = np.stack([np.roll(high[axis], 1, axis=axis) for axis in range(3)])
    axis = AXES.index(solution.axis)
    if solution.boundary != "periodic":
        first, last = plate_currents(network, solution)
        np.moveaxis(low[axis], axis, 0)[0] = first
        np.moveaxis(high[axis], axis, 0)[-1] = last
    scale = np.asarray(area).reshape(3, 1, 1, 1)
    return low / scale, high / scale


def _starts(low: Array, axis: int, count: int) -> tuple[NDArray[np.intp], Array]:
    """Return voxel and place in it, 0 to 1, of every line: evenly spread over the current that enters."""
    inflow = np.maximum(np.take(low, 0, axis=axis), 0.0)
    total = inflow.sum()
    if total <= 0.0:
        raise InputError("no current enters the block, so there are no streamlines; look at another axis or carrier")
    ends = np.cumsum(inflow.ravel()) / total
    chosen = np.searchsorted(ends, (np.arange(count) + 0.5) / count).clip(0, inflow.size - 1)
    across = np.stack(np.unravel_index(chosen, inflow.shape), axis=1)
    cell = np.insert(across, axis, 0, axis=1)
    place = np.insert(np.random.default_rng(0).uniform(0.1, 0.9, (count, 2)), axis, 0.0, axis=1)
    return cell, place


def _trace(low: Array, high: Array, cell: NDArray[np.intp], place: Array, most: int) -> list[tuple[Array, Array]]:
    """Return points [voxels] and current densities of every line; all lines step together, one voxel at a time."""
    shape = np.array(low.shape[1:])
    count = len(cell)
    points: list[list[Array]] = [[] for _ in range(count)]
    values: list[list[float]] = [[] for _ in range(count)]
    alive = np.arange(count)
    for _ in range(most):
        start, end = low[:, *cell.T].T, high[:, *cell.T].T
        speed = start + (end - start) * place
        for line, point, value in zip(alive, cell + place, np.linalg.norm(speed, axis=1), strict=True):
            points[line].append(point)
            values[line].append(float(value))
        time, exit_up = _way_out(start, end, speed, place)
        first = np.argmin(time, axis=1)
        moves = np.isfinite(time.min(axis=1)) & (speed != 0.0).any(axis=1)
        rows = np.arange(len(alive))
        place = _moved(start, end, speed, place, np.where(moves, time[rows, first], 0.0)[:, None])
        step = np.where(exit_up[rows, first], 1, -1)
        cell = cell.copy()
        cell[rows, first] += step
        place[rows, first] = np.where(step > 0, 0.0, 1.0)
        inside = ((cell >= 0) & (cell < shape)).all(axis=1)
        for row in np.flatnonzero(moves & ~inside):
            points[alive[row]].append(cell[row] + place[row])
            values[alive[row]].append(values[alive[row]][-1])
        going = moves & inside
        alive, cell, place = alive[going], cell[going], place[going]
        if alive.size == 0:
            break
    return [(np.array(p), np.array(v)) for p, v in zip(points, values, strict=True)]


def _way_out(start: Array, end: Array, speed: Array, place: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return how long a line takes to the face ahead along each axis, inf where it never gets there, and which face it is."""
    up = speed > 0.0
    target = np.where(up, end, start)
    reaches = np.where(up, end > 0.0, (speed < 0.0) & (start < 0.0))
    way = np.where(up, 1.0 - place, -place)
    growth = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        straight = way / speed
        curved = np.log(target / speed) / growth
    steady = np.abs(growth) <= 1e-9 * np.abs(speed)
    return np.where(reaches, np.maximum(np.where(steady, straight, curved), 0.0), np.inf), up


def _moved(start: Array, end: Array, speed: Array, place: Array, time: Array) -> Array:
    growth = end - start
    steady = np.abs(growth * time) < 1e-9
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curved = speed * np.expm1(growth * time) / growth
    return np.asarray(np.clip(place + np.where(steady, speed * time, curved), 0.0, 1.0))
