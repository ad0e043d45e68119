"""What a carrier sees from a voxel: the few kinds of surroundings that a structure is made of, and the hops out of each.

Two voxels of one label whose six faces are of the same classes are alike to a carrier: it stays equally long and leaves by
the same chances. So each voxel has a number, and each number a row of a table, as long as a cache line: the mean wait, and
which way to go by the alias method (Walker 1977; Vose 1991). Faces on the outer boundary are told apart, because the hop
through them leads around the box or into its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.hopping.equilibrium import film_classes, label_density, six_faces
from kmc.hopping.field import work_over_voxel_kT
from kmc.hopping.streams import scramble
from kmc.hopping.tallies import crossing_classes
from kmc.network import Network
from microstructures.jit import kernel, parallel_kernel

WAYS = 6
"""Directions -x, +x, -y, +y, -z, +z; also the bins of the alias method, each shared by its own direction and another."""
WAIT, PACKED, ROW = 6, 7, 8
"""Places in a row: six shares of the bins' own directions, the mean wait [s], whole numbers packed into one, and its length."""
FLAGS, PHASE = 18, 30
"""Bits of the packed number: below `FLAGS` three for the other direction of each bin, then two flags for each direction:
`CROSSES` to another phase or grain, `OUTER` over the outer boundary; from `PHASE` on the phase."""
CROSSES, OUTER = 1, 2
LINE = 64
"""Bytes of a cache line, where rows begin."""
CLASS_BITS, MOST_CLASSES = 20, 1 << 20


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of all voxels of a network, for one boundary.

    Attributes
    ----------
    kind : ndarray of shape (voxels,), uint32
        Kind of surroundings of each voxel, in memory order.
    rows : ndarray of shape (kinds, 8)
        See `WAIT` and `PACKED`.
    faces : ndarray of shape (kinds, 6), uint32
        Class of the face in each direction.
    """

    kind: NDArray[np.uint32]
    rows: NDArray[np.float64]
    faces: NDArray[np.uint32]

    def mean_wait_s(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the mean time a carrier stays on some voxels [s]; infinite where it cannot leave."""
        return np.asarray(self.rows[self.kind[voxels], WAIT])

    def phase(self, voxels: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the position of the phase of some voxels."""
        return self.rows[self.kind[voxels], PACKED].astype(np.intp) >> PHASE


def find_surroundings(
    network: Network, *, mirrored: bool = False, field_V_per_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Surroundings:
    """Sort the voxels of a network by what a carrier sees from them.

    Parameters
    ----------
    network : Network
        Face conductances; hop rates follow from them.
    mirrored : bool
        Whether the outer boundary leads into mirror images (plates), else around the box.
    field_V_per_m : tuple of 3 float
        Uniform field [V/m] along x, y, z: it makes hops of positive carriers along it faster by exp(q E h / 2kT), those
        against it slower, and the other way round for electrons.
    """
    faces = network.faces
    plates = [plate for pair in faces.plates for plate in pair]
    labels = np.ascontiguousarray(network.structure.labels)
    kind = np.empty(labels.size, dtype=np.uint32)
    keys = _sort_voxels(*faces.of_axis, *plates, mirrored, labels, kind)
    classes, label, outer = _unpack(keys)
    half = 0.5 * work_over_voxel_kT(network, field_V_per_m)
    push = np.exp(np.stack([-half, half], axis=1).ravel())
    axis = np.arange(6) // 2
    rates = network.conductance[axis, classes] * network.rate_factor * push
    density = label_density(network)[label]
    if network.film_carrier_density > 0.0:
        density = density + np.where(film_classes(network)[classes].any(axis=1), network.film_carrier_density, 0.0)
    flags = np.where(crossing_classes(network)[classes], CROSSES, 0) + np.where(outer, OUTER, 0)
    packed = faces.phase_of_label[label].astype(np.int64) << PHASE
    packed |= (flags << (FLAGS + 2 * np.arange(WAYS))).sum(axis=1)
    rows = _aligned(len(keys))
    total = rates.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows[:, WAIT] = np.where(total > 0.0, density / total, np.inf)
    _fill_bins(rates, packed, rows)
    return Surroundings(kind=kind, rows=rows, faces=classes.astype(np.uint32))


def _aligned(kinds: int) -> NDArray[np.float64]:
    """Return rows that begin with a cache line."""
    raw = np.empty(kinds * ROW * 8 + LINE, dtype=np.uint8)
    first = -raw.ctypes.data % LINE
    return raw[first : first + kinds * ROW * 8].view(np.float64).reshape(kinds, ROW)


def _unpack(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the six classes, the label and which faces lie on the outer boundary of every key."""
    low = MOST_CLASSES - 1
    classes = np.stack([(keys[:, n // 3] >> (CLASS_BITS * (n % 3))) & low for n in range(6)], axis=1)
    return classes, keys[:, 2] & 0xFF, (keys[:, 2, None] >> (8 + np.arange(6))) & 1 > 0


@kernel
def _sort_voxels(of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, labels, kind):  # type: ignore[no-untyped-def]
    """Write the kind of every voxel; return the keys of the kinds, three words each, in the order they are met."""
    nx, ny, nz = labels.shape
    size, count = 1024, 0
    slots = np.full(size, -1, dtype=np.int64)
    keys = np.empty((size // 2, 3), dtype=np.int64)
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                f0, f1, f2, f3, f4, f5 = six_faces(
                    of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, i, j, k
                )
                first = np.int64(f0) | (np.int64(f1) << CLASS_BITS) | (np.int64(f2) << (2 * CLASS_BITS))
                second = np.int64(f3) | (np.int64(f4) << CLASS_BITS) | (np.int64(f5) << (2 * CLASS_BITS))
                edge = (i == 0) | ((i + 1 == nx) << 1) | ((j == 0) << 2) | ((j + 1 == ny) << 3) | ((k == 0) << 4)
                third = np.int64(labels[i, j, k]) | ((edge | ((k + 1 == nz) << 5)) << 8)
                slot = _slot(first, second, third, slots, keys)
                if slots[slot] < 0:
                    if count == len(keys):
                        size *= 2
                        slots, keys = _grow(size, keys)
                        slot = _slot(first, second, third, slots, keys)
                    slots[slot] = count
                    keys[count, 0], keys[count, 1], keys[count, 2] = first, second, third
                    count += 1
                kind[(i * ny + j) * nz + k] = slots[slot]
    return keys[:count].copy()


@kernel
def _slot(first, second, third, slots, keys):  # type: ignore[no-untyped-def]
    """Return where a key is in the hash table, or the free place where it belongs."""
    word = scramble(scramble(scramble(np.uint64(first)) ^ np.uint64(second)) ^ np.uint64(third))
    last = len(slots) - 1
    slot = np.int64(word) & last
    while slots[slot] >= 0:
        n = slots[slot]
        if keys[n, 0] == first and keys[n, 1] == second and keys[n, 2] == third:
            break
        slot = (slot + 1) & last
    return slot


@kernel
def _grow(size, keys):  # type: ignore[no-untyped-def]
    """Return a hash table of a new size with all keys in it, and room for twice as many keys."""
    slots = np.full(size, -1, dtype=np.int64)
    more = np.empty((size // 2, 3), dtype=np.int64)
    more[: len(keys)] = keys
    for n in range(len(keys)):
        slots[_slot(keys[n, 0], keys[n, 1], keys[n, 2], slots, keys)] = n
    return slots, more


@parallel_kernel
def _fill_bins(rates, packed, rows):  # type: ignore[no-untyped-def]
    """Share six rates out over six bins of equal weight, at most two directions in each."""
    for n in prange(len(rates)):
        total = rates[n].sum()
        left, done, others = np.empty(WAYS), np.zeros(WAYS, dtype=np.bool_), np.int64(0)
        for b in range(WAYS):
            left[b] = WAYS * rates[n, b] / total if total > 0.0 else 1.0
            rows[n, b] = 1.0
        for _ in range(WAYS):
            small, large = -1, -1
            for b in range(WAYS):
                if not done[b] and left[b] < 1.0 and (small < 0 or left[b] < left[small]):
                    small = b
                if not done[b] and left[b] >= 1.0 and (large < 0 or left[b] > left[large]):
                    large = b
            if small < 0 or large < 0:
                break
            rows[n, small] = left[small]
            others |= np.int64(large) << (3 * small)
            left[large] -= 1.0 - left[small]
            done[small] = True
        for b in range(WAYS):
            if not done[b] and left[b] < 1e-9:  # what rounding leaves of a direction that is closed
                rows[n, b] = 0.0
                others |= np.int64(np.argmax(rates[n])) << (3 * b)
        rows[n, PACKED] = packed[n] | others
