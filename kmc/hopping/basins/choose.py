"""Which sets of voxels are worth being basins: those a carrier hops about in many times before it leaves.

Two ways to draw the sets are tried, and the one that saves most hops is taken: the pieces of grains (`kmc.pieces`), and
voxels joined by all faces that conduct better than a threshold, for thresholds from the best conductor downwards (single
linkage), with pieces where no threshold finds a set. A larger set replaces those it holds if it saves a good part of the hops
that they leave. A set that winds around the box has no end, and is never a basin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.basins.joined import JoinedSets, across
from kmc.network import Network
from kmc.pieces import find_joins
from microstructures.jit import kernel

FEWEST_HOPS = 30.0
"""Hops that a carrier makes inside a basin for each that leaves it, at least, in the mean."""
MOST_PORTS = 1000
"""Voxels by which a basin can be left: its table grows as their square, the work for it as their cube."""
WORTHWHILE = 0.7
"""A set replaces those it holds if it leaves at most this share of their hops."""
MOST_ENTRIES = 100_000_000
"""Chances in the tables of all basins together (0.8 GB); those that save least for their size are dropped beyond that."""
LEVEL_RATIO = 1.5
"""There is one threshold for each such factor that holds conductances, in the widest gap between these."""


@dataclass(frozen=True)
class Partition:
    """The sets of a structure that are basins; all other voxels stand alone.

    Attributes
    ----------
    basin : ndarray of shape (n_voxels,), int64
        The voxel that stands for the basin of each voxel, in memory order; its own where it stands alone.
    shift : ndarray of shape (n_voxels,), int64
        Packed offset of the copy of the box it lies in, seen from there.
    hops_per_exit : float
        Hops from voxel to voxel for each that leaves a basin or a lone voxel, in the mean at equilibrium.
    """

    basin: NDArray[np.int64]
    shift: NDArray[np.int64]
    hops_per_exit: float


def choose_basins(network: Network, mobile: NDArray[np.bool_]) -> Partition:
    """Return the basins of the voxels `mobile`, an array of the shape of the structure."""
    pieces = _pieces(network)
    by_piece, by_conductance = _Adopted(network, mobile), _by_conductance(network, mobile)
    by_piece.adopt(pieces)
    by_conductance.adopt(pieces, replace=False)
    return max((found.partition() for found in (by_piece, by_conductance)), key=lambda partition: partition.hops_per_exit)


def _pieces(network: Network) -> JoinedSets:
    """Return the pieces of grains, joined across the outer boundary."""
    joins, grains = find_joins(network), network.structure.grains
    sets = JoinedSets(network.faces.of_axis)
    no_grains = np.zeros((1, 1, 1), dtype=np.int32)
    within = (network.conductance > 0.0) & joins.within
    sets.join(within, no_grains if grains is None else grains, joins.along_film)
    return sets


def _by_conductance(network: Network, mobile: NDArray[np.bool_]) -> _Adopted:
    """Return the sets above some threshold that pay."""
    found, sets = _Adopted(network, mobile), JoinedSets(network.faces.of_axis)
    anywhere = np.ones(network.faces.n_classes, dtype=np.bool_)
    above = np.inf
    for threshold in thresholds(_occupied(network, mobile)):
        joins = (network.conductance >= threshold) & (network.conductance < above)
        sets.join(joins, np.zeros((1, 1, 1), dtype=np.int32), anywhere)
        above = threshold
        if bool(sets.winds[sets.root[mobile.reshape(-1)]].all()):
            break
        found.adopt(sets)
    return found


def thresholds(values: NDArray[np.float64]) -> list[float]:
    """Return least conductances of joining faces, the largest first: cuts in the gaps of a sorted list of conductances.

    Examples
    --------
    >>> thresholds(np.array([1e-9, 1.0, 1.1, 2.0, 1e-3]))
    [2.0, 1.0, 0.001]
    """
    falling = np.sort(values)[::-1]
    cuts: list[float] = []
    first = 0
    while first < len(falling) - 1:
        end = int(np.searchsorted(-falling, -falling[first] / LEVEL_RATIO, side="right"))
        end = min(max(end, first + 1), len(falling) - 1)
        gaps = falling[first:end] / falling[first + 1 : end + 1]
        cuts.append(float(falling[first + int(np.argmax(gaps))]))
        first = end
    return cuts


def _occupied(network: Network, mobile: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the conductances [S] of the faces of the voxels `mobile`, each once."""
    found = [np.unique(network.conductance[axis][of_axis[mobile]]) for axis, of_axis in enumerate(network.faces.of_axis)]
    values = np.unique(np.concatenate(found))
    return values[values > 0.0]


class _Adopted:
    """The basins found so far, and what they leave of the hops."""

    def __init__(self, network: Network, mobile: NDArray[np.bool_]) -> None:
        self.faces = (*network.faces.of_axis, network.conductance)
        self.mobile = mobile.reshape(-1)
        n = mobile.size
        self.basin, self.shift = np.arange(n), np.zeros(n, dtype=np.int64)

    def adopt(self, sets: JoinedSets, *, replace: bool = True) -> None:
        """Make basins of those sets that pay; unless `replace`, only of sets that hold none yet."""
        ports, size, inside, leaving = self._measure(sets.root, sets.shift)
        pays = (size > 1) & ~sets.winds & (ports <= MOST_PORTS) & (inside >= FEWEST_HOPS * leaving)
        if replace:
            pays &= leaving <= WORTHWHILE * self._leaving(sets.root)
        else:
            voxels = np.bincount(self.basin, minlength=len(self.basin))
            pays[sets.root[voxels[self.basin] > 1]] = False
        chosen = pays[sets.root] & self.mobile
        self.basin[chosen], self.shift[chosen] = sets.root[chosen], sets.shift[chosen]

    def partition(self) -> Partition:
        """Return what was adopted and fits the memory allowed."""
        ports, size, inside, leaving = self._measure(self.basin, self.shift)
        entries = np.where(size > 1, ports.astype(np.int64) ** 2, 0)
        hops = float(inside.sum() + leaving.sum())
        if entries.sum() > MOST_ENTRIES:
            best = np.argsort(-inside / np.maximum(entries, 1), kind="stable")
            dropped = np.zeros(len(self.basin), dtype=np.bool_)
            dropped[best[np.cumsum(entries[best]) > MOST_ENTRIES]] = True
            alone = np.flatnonzero(dropped[self.basin])
            self.basin[alone], self.shift[alone] = alone, 0
            ports, size, inside, leaving = self._measure(self.basin, self.shift)
        return Partition(self.basin, self.shift, hops / float(leaving.sum()))

    def _measure(self, root: NDArray[np.int64], shift: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Return the ports, voxels, and conductance inside and out of each set; of meaning at the voxels `root`."""
        n = len(root)
        ports, size = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
        inside, leaving = np.zeros(n), np.zeros(n)
        _measure(*self.faces, self.mobile, root, shift, ports, size, inside, leaving)
        return ports, size, inside, leaving

    def _leaving(self, root: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the conductance out of the present basins in each of the sets `root`."""
        out = np.zeros(len(root))
        _leaving_now(*self.faces, self.mobile, self.basin, self.shift, root, out)
        return out


@kernel
def _measure(of_x, of_y, of_z, table, mobile, root, shift, ports, size, inside, leaving):  # type: ignore[no-untyped-def]
    """Add up for every set its ports and voxels, and the conductance of faces inside it (both ways) and out of it."""
    nx, ny, nz = of_x.shape
    flat_x, flat_y, flat_z = of_x.reshape(-1), of_y.reshape(-1), of_z.reshape(-1)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                n = (i * ny + j) * nz + k
                if not mobile[n]:
                    continue
                mine, is_port = root[n], False
                for side in range(6):
                    axis, owner, m, step = across(i, j, k, nx, ny, nz, side)
                    g = table[axis, flat_x[owner] if axis == 0 else (flat_y[owner] if axis == 1 else flat_z[owner])]
                    if root[m] == mine and shift[m] == shift[n] + step:
                        inside[mine] += g
                    elif g > 0.0:
                        leaving[mine] += g
                        is_port = True
                size[mine] += 1
                ports[mine] += is_port


@kernel
def _leaving_now(of_x, of_y, of_z, table, mobile, basin, shift, root, out):  # type: ignore[no-untyped-def]
    """Add up for every set `root` the conductance of the faces that leave one of the basins in it."""
    nx, ny, nz = of_x.shape
    flat_x, flat_y, flat_z = of_x.reshape(-1), of_y.reshape(-1), of_z.reshape(-1)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                n = (i * ny + j) * nz + k
                if not mobile[n]:
                    continue
                for side in range(6):
                    axis, owner, m, step = across(i, j, k, nx, ny, nz, side)
                    if basin[m] != basin[n] or shift[m] != shift[n] + step:
                        face = flat_x[owner] if axis == 0 else (flat_y[owner] if axis == 1 else flat_z[owner])
                        out[root[n]] += table[axis, face]
