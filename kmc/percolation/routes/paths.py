"""Single paths from plate to plate: the one of least resistance, and the one over the lowest pass.

Dijkstra over voxels, each face costing its resistance 1/g. The critical path is the one of least resistance among those
whose largest barrier is as low as it can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.network import Network
from kmc.percolation.clusters.critical import critical_barriers_eV
from kmc.percolation.routes.heap import lower, take_least
from microstructures.jit import kernel
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class VoxelPath(InNotebook):
    """A path of voxels from the low to the high plate.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    voxels : ndarray of shape (n, 3), int64
        The voxels in order.
    points_m : ndarray of shape (n, 3)
        Their centres [m].
    length_m : float
        Length over the centres, the half voxels to both plates included [m].
    face_class : ndarray of shape (n + 1,), int64
        Class of each face passed, the plates' own first and last.
    face_resistance_ohm : ndarray of shape (n + 1,)
        Resistance of each [ohm].
    face_barrier_eV : ndarray of shape (n + 1,)
        Equivalent barrier of each [eV] (`Network.barrier_eV`).
    face_kind : tuple of str
        What each face is: "inside LATP", "LATP|LATP interface", "LFP|LFP point contact", "film on LFP" and so on.
    path_tortuosity : float
        Length over thickness of the block; on voxel faces a straight oblique path already has up to sqrt(3).
    """

    axis: str
    voxels: NDArray[np.int64]
    points_m: NDArray[np.float64]
    length_m: float
    face_class: NDArray[np.int64]
    face_resistance_ohm: NDArray[np.float64]
    face_barrier_eV: NDArray[np.float64]
    face_kind: tuple[str, ...]
    path_tortuosity: float

    @property
    def resistance_ohm(self) -> float:
        """Return the resistance of the path [ohm]."""
        return float(self.face_resistance_ohm.sum())

    @property
    def highest(self) -> int:
        """Return the position of the face with the largest barrier; of several, the one of largest resistance."""
        top = np.flatnonzero(self.face_barrier_eV == self.face_barrier_eV.max())
        return int(top[np.argmax(self.face_resistance_ohm[top])])

    def bottleneck_m(self) -> NDArray[np.float64]:
        """Return the centre of the face with the largest barrier [m], shape (3,); on a plate that of its voxel."""
        n = self.highest
        ends = self.points_m[[max(n - 1, 0), min(n, len(self.points_m) - 1)]]
        return np.asarray(ends.mean(axis=0))

    def resistance_by_kind(self) -> dict[str, float]:
        """Return the share of the resistance that each kind of face has, largest first."""
        kinds, which = np.unique(self.face_kind, return_inverse=True)
        share = np.bincount(which, self.face_resistance_ohm) / self.resistance_ohm
        return {str(kinds[n]): float(share[n]) for n in np.argsort(-share, kind="stable")}

    def to_dict(self) -> dict[str, Any]:
        """Return the path as plain values."""
        return {
            "voxels": self.voxels.tolist(),
            "length_m": self.length_m,
            "path_tortuosity": self.path_tortuosity,
            "resistance_ohm": self.resistance_ohm,
            "resistance_share": self.resistance_by_kind(),
            "barrier_eV": float(self.face_barrier_eV.max()),
            "bottleneck": {
                "kind": self.face_kind[self.highest],
                "point_m": self.bottleneck_m().tolist(),
                "faces_at_this_barrier": int((self.face_barrier_eV == self.face_barrier_eV.max()).sum()),
            },
        }


def fastest_path(network: Network, axis: int, *, conducts: NDArray[np.bool_] | None = None) -> VoxelPath | None:
    """Find the path of least resistance between the plates.

    Parameters
    ----------
    network : Network
        What conducts.
    axis : 0, 1 or 2
        Direction of transport.
    conducts : ndarray of shape (n_classes,), bool, optional
        Which classes of face to count; those with a conductance above 0 unless given.

    Returns
    -------
    VoxelPath or None
        None where no path joins the plates.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 3, 3), 2), voxel_nm=25, phases={2: "LATP"})
    >>> found = fastest_path(build_network(block), axis=0)
    >>> len(found.voxels), found.path_tortuosity, found.resistance_by_kind()
    (4, 1.0, {'inside LATP': 1.0})
    """
    faces = network.faces
    open_ = np.asarray((network.conductance > 0.0).any(axis=0)) if conducts is None else conducts
    with np.errstate(divide="ignore"):
        cost = np.where(open_, 1.0 / network.conductance, np.inf)
    low, high = (0.5 * cost[axis][plate] for plate in faces.plates[axis])
    last, previous = _dijkstra(*faces.of_axis, cost, np.ascontiguousarray(low), np.ascontiguousarray(high), axis)
    if last < 0:
        return None
    chain = [int(last)]
    while previous[chain[-1]] >= 0:
        chain.append(int(previous[chain[-1]]))
    voxels = np.stack(np.unravel_index(chain[::-1], network.structure.shape), axis=1).astype(np.int64)
    return _describe(network, axis, voxels, cost)


def critical_path(network: Network, axis: int, *, critical_eV: float | None = None) -> VoxelPath | None:
    """Find the path over the lowest pass: of all paths with the least largest barrier, the one of least resistance.

    Parameters
    ----------
    network : Network
        What conducts.
    axis : 0, 1 or 2
        Direction of transport.
    critical_eV : float, optional
        The critical barrier between plates from `critical_barriers_eV`, if known.

    Returns
    -------
    VoxelPath or None
        Its largest barrier is the critical one; None where nothing percolates.
    """
    level = critical_barriers_eV(network, (axis,))[axis] if critical_eV is None else critical_eV
    return None if level is None else fastest_path(network, axis, conducts=network.barrier_eV <= level)


def kinds_of_face(network: Network) -> tuple[str, ...]:
    """Return what each class of face is, in words."""
    faces, names = network.faces, network.faces.phase_names
    film = np.where(faces.film_across, 0.0, network.film_conductance[faces.film] * faces.film_weight * (faces.film >= 0))
    by_film = film > 0.5 * network.conductance.max(axis=0)
    pairs = ["|".join(sorted((names[a], names[b]))) for a, b in faces.phases.tolist()]
    kinds = []
    for n, pair in enumerate(pairs):
        a, b = pair.split("|")
        if by_film[n]:
            kinds.append(f"film on {faces.film_pairs[faces.film[n]][0]}")
        elif faces.point_contact[n]:
            kinds.append(f"{pair} point contact")
        elif faces.interface[n]:
            kinds.append(f"{pair} interface")
        else:
            kinds.append(f"inside {a}" if a == b else f"{pair} boundary")
    return tuple(kinds)


def _describe(network: Network, axis: int, voxels: NDArray[np.int64], cost: NDArray[np.float64]) -> VoxelPath:
    faces, size = network.faces, np.array(network.structure.voxel_size)
    steps = np.diff(voxels, axis=0)
    along = np.abs(steps).argmax(axis=1)
    nearer = np.minimum(voxels[:-1], voxels[1:])
    between = [int(faces.of_axis[a][tuple(v)]) for a, v in zip(along.tolist(), nearer.tolist(), strict=True)]
    low, high = (plate[tuple(np.delete(voxels[end], axis))] for plate, end in zip(faces.plates[axis], (0, -1), strict=True))
    classes = np.array([int(low), *between, int(high)], dtype=np.int64)
    weight = np.r_[0.5, np.ones(len(between)), 0.5]
    directions = np.r_[axis, along, axis]
    kinds = kinds_of_face(network)
    length = float(size[along].sum() + size[axis])
    return VoxelPath(
        axis=AXES[axis],
        voxels=voxels,
        points_m=(voxels + 0.5) * size,
        length_m=length,
        face_class=classes,
        face_resistance_ohm=cost[directions, classes] * weight,
        face_barrier_eV=network.barrier_eV[classes],
        face_kind=tuple(kinds[n] for n in classes),
        path_tortuosity=length / float(size[axis] * network.structure.shape[axis]),
    )


@kernel
def _dijkstra(of_x, of_y, of_z, cost, low, high, axis):  # type: ignore[no-untyped-def]
    """Return the last voxel of the cheapest path (-1: none) and the voxel before each (-1: it starts there)."""
    nx, ny, nz = of_x.shape
    n = nx * ny * nz
    total = np.full(n, np.inf)
    previous = np.full(n, -1, dtype=np.int32)
    place = np.full(n, -1, dtype=np.int32)
    heap = np.empty(n, dtype=np.int32)
    size = 0
    for p in range(low.shape[0]):
        for q in range(low.shape[1]):
            if np.isfinite(low[p, q]):
                v = p * nz + q if axis == 0 else (p * ny * nz + q if axis == 1 else (p * ny + q) * nz)
                total[v] = low[p, q]
                size = lower(heap, place, total, v, size)
    best, last = np.inf, -1
    while size > 0:
        v, size = take_least(heap, place, total, size)
        if total[v] >= best:
            break
        i, j, k = v // (ny * nz), (v // nz) % ny, v % nz
        end = np.inf
        if axis == 0 and i == nx - 1:
            end = high[j, k]
        elif axis == 1 and j == ny - 1:
            end = high[i, k]
        elif axis == 2 and k == nz - 1:
            end = high[i, j]
        if total[v] + end < best:
            best, last = total[v] + end, v
        for way in range(6):
            price, w = np.inf, v
            if way == 0 and i + 1 < nx:
                price, w = cost[0, of_x[i, j, k]], v + ny * nz
            elif way == 1 and i > 0:
                price, w = cost[0, of_x[i - 1, j, k]], v - ny * nz
            elif way == 2 and j + 1 < ny:
                price, w = cost[1, of_y[i, j, k]], v + nz
            elif way == 3 and j > 0:
                price, w = cost[1, of_y[i, j - 1, k]], v - nz
            elif way == 4 and k + 1 < nz:
                price, w = cost[2, of_z[i, j, k]], v + 1
            elif way == 5 and k > 0:
                price, w = cost[2, of_z[i, j, k - 1]], v - 1
            if total[v] + price < total[w]:
                total[w] = total[v] + price
                previous[w] = v
                size = lower(heap, place, total, w, size)
    return last, previous
