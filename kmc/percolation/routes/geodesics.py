"""How far the way through the pores of a solid is: geodesic lengths from plate to plate, and their distribution.

Fast marching (Sethian, PNAS 93, 1591, 1996) solves |grad T| = 1 on the voxels of the network, so a free oblique path has
its Euclidean length; counting voxel faces would make it up to sqrt(3) longer. First order in the voxel: a way around a
corner comes out a few per cent long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.network import Network
from kmc.percolation.clusters.fast_network import fast_faces
from kmc.percolation.routes.heap import lower, take_least
from microstructures.jit import kernel
from microstructures.notebook import InNotebook

PERCENTILES = (5, 50, 95)


@dataclass(frozen=True)
class PathTortuosity(InNotebook):
    """Geodesic length over thickness, over the voxels of the high plate that a way reaches.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    values : ndarray of shape (n,)
        Length of the shortest way from the low plate to each outlet voxel, over the thickness of the block.
    reached : float
        Share of the outlet's conducting voxels that a way reaches.
    """

    axis: str
    values: NDArray[np.float64]
    reached: float

    @property
    def mean(self) -> float:
        """Return the mean over the outlet voxels."""
        return float(self.values.mean())

    def to_dict(self) -> dict[str, Any]:
        """Return mean, least and percentiles."""
        p05, p50, p95 = (float(value) for value in np.percentile(self.values, PERCENTILES))
        shortest = float(self.values.min())
        return {"mean": self.mean, "min": shortest, "p05": p05, "p50": p50, "p95": p95, "outlet_share": self.reached}


def path_tortuosity(network: Network, axis: int, *, conducts: NDArray[np.bool_] | None = None) -> PathTortuosity | None:
    """Return the distribution of the geodesic path tortuosity along an axis.

    Parameters
    ----------
    network : Network
        What conducts.
    axis : 0, 1 or 2
        Direction of transport.
    conducts : ndarray of shape (n_classes,), bool, optional
        Faces that a way may cross; those of the fast network unless given (`kmc.percolation.clusters.fast_network`).

    Returns
    -------
    PathTortuosity or None
        None where no way leads through. This is geometry; the tortuosity factor of the solver is another quantity.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((5, 3, 3), 2), voxel_nm=25, phases={2: "LATP"})
    >>> round(path_tortuosity(build_network(block), axis=0).mean, 12)
    1.0
    """
    faces, size = network.faces, np.array(network.structure.voxel_size)
    open_ = fast_faces(network) if conducts is None else conducts
    low, high = (open_[plate] for plate in faces.plates[axis])
    times = march(network, open_, axis, low)
    outlet = np.take(times, -1, axis=axis)
    through = high & np.isfinite(outlet)
    if not through.any():
        return None
    thickness = size[axis] * network.structure.shape[axis]
    values = (outlet[through] + 0.5 * size[axis]) / thickness
    return PathTortuosity(AXES[axis], values, float(through.sum() / high.sum()))


def march(network: Network, open_: NDArray[np.bool_], axis: int, low: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the geodesic distance of every voxel centre from the low plate [m], infinite where no way leads."""
    size = np.array(network.structure.voxel_size)
    return np.asarray(_march(*network.faces.of_axis, open_, low, axis, size))


@kernel
def _front(v, axis, of_axis, open_, done, time, stride, at, length):  # type: ignore[no-untyped-def]
    """Return the least time of the settled neighbours of a voxel along one axis."""
    i, j, k = at
    least = np.inf
    if at[axis] + 1 < length and open_[of_axis[i, j, k]] and done[v + stride]:
        least = time[v + stride]
    if at[axis] > 0:
        back = of_axis[i - (axis == 0), j - (axis == 1), k - (axis == 2)]
        if open_[back] and done[v - stride]:
            least = min(least, time[v - stride])
    return least


@kernel
def _arrival(a, b, c, h):  # type: ignore[no-untyped-def]
    """Return the root of sum ((t - t_n) / h_n)^2 = 1 over the neighbours that come before it."""
    times, widths = np.array([a, b, c]), h.copy()
    for m in range(2):
        for n in range(2 - m):
            if times[n] > times[n + 1]:
                times[n], times[n + 1] = times[n + 1], times[n]
                widths[n], widths[n + 1] = widths[n + 1], widths[n]
    t = times[0] + widths[0]
    one, two, three = 0.0, 0.0, -1.0
    for n in range(3):
        if times[n] >= t:
            break
        w = 1.0 / widths[n] ** 2
        one += w
        two += w * times[n]
        three += w * times[n] ** 2
        t = (two + np.sqrt(max(two * two - one * three, 0.0))) / one
    return t


@kernel
def _march(of_x, of_y, of_z, open_, low, axis, h):  # type: ignore[no-untyped-def]
    nx, ny, nz = of_x.shape
    n = nx * ny * nz
    time = np.full(n, np.inf)
    done = np.zeros(n, dtype=np.bool_)
    place = np.full(n, -1, dtype=np.int32)
    heap = np.empty(n, dtype=np.int32)
    size = 0
    for p in range(low.shape[0]):
        for q in range(low.shape[1]):
            if low[p, q]:
                v = p * nz + q if axis == 0 else (p * ny * nz + q if axis == 1 else (p * ny + q) * nz)
                time[v] = 0.5 * h[axis]
                size = lower(heap, place, time, v, size)
    while size > 0:
        v, size = take_least(heap, place, time, size)
        done[v] = True
        i, j, k = v // (ny * nz), (v // nz) % ny, v % nz
        for way in range(6):
            w, closed = v, True
            i1, j1, k1 = i, j, k
            if way == 0 and i + 1 < nx:
                w, i1, closed = v + ny * nz, i + 1, not open_[of_x[i, j, k]]
            elif way == 1 and i > 0:
                w, i1, closed = v - ny * nz, i - 1, not open_[of_x[i - 1, j, k]]
            elif way == 2 and j + 1 < ny:
                w, j1, closed = v + nz, j + 1, not open_[of_y[i, j, k]]
            elif way == 3 and j > 0:
                w, j1, closed = v - nz, j - 1, not open_[of_y[i, j - 1, k]]
            elif way == 4 and k + 1 < nz:
                w, k1, closed = v + 1, k + 1, not open_[of_z[i, j, k]]
            elif way == 5 and k > 0:
                w, k1, closed = v - 1, k - 1, not open_[of_z[i, j, k - 1]]
            if closed or done[w]:
                continue
            at = (i1, j1, k1)
            a = _front(w, 0, of_x, open_, done, time, ny * nz, at, nx)
            b = _front(w, 1, of_y, open_, done, time, nz, at, ny)
            c = _front(w, 2, of_z, open_, done, time, 1, at, nz)
            t = _arrival(a, b, c, h)
            if t < time[w]:
                time[w] = t
                size = lower(heap, place, time, w, size)
    return time.reshape(nx, ny, nz)
