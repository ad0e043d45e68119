"""What a carrier sees from a voxel: the few kinds of surroundings that a structure is made of, and the hops out of each.

Two voxels of one label whose six faces are of the same classes are alike to a carrier: it stays equally long and leaves by
the same chances. So each voxel has a number, and each number a row of a table: the mean wait, and which way to go by the
alias method (Walker 1977; Vose 1991), eight bins for six faces. Faces on the outer boundary are told apart, because the
hop through them leads around the box or into its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.hopping.equilibrium import film_classes, label_density, six_faces
from kmc.hopping.streams import scramble
from kmc.hopping.tallies import crossing_classes
from kmc.network import Network
from microstructures.jit import kernel, parallel_kernel
from microstructures.units import BOLTZMANN_EV_PER_K, kelvin

BINS = 8
CROSSES, OUTER = 8, 16
"""Flags beside the direction 0 to 5 (-x, +x, -y, +y, -z, +z) of a hop: to another phase or grain; over the outer boundary."""
CLASS_BITS, MOST_CLASSES = 20, 1 << 20


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of all voxels of a network, for one boundary.

    Attributes
    ----------
    kind : ndarray of shape (voxels,), uint32
        Kind of surroundings of each voxel, in memory order.
    chance : ndarray of shape (kinds, 8)
        Share of each bin that belongs to its first way, the rest to its second.
    way : ndarray of shape (kinds, 8, 2), uint8
        Direction and flags of both ways of each bin.
    mean_wait_s : ndarray of shape (kinds,)
        Mean time a carrier stays [s]; infinite where it cannot leave.
    phase : ndarray of shape (kinds,), uint8
        Position of the phase.
    faces : ndarray of shape (kinds, 6), uint32
        Class of the face in each direction.
    """

    kind: NDArray[np.uint32]
    chance: NDArray[np.float64]
    way: NDArray[np.uint8]
    mean_wait_s: NDArray[np.float64]
    phase: NDArray[np.uint8]
    faces: NDArray[np.uint32]


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
    size = np.array(network.structure.voxel_size)
    charge = -1.0 if network.carrier == "electron" else 1.0
    potential = 0.5 * charge * np.array(field_V_per_m) * size / (BOLTZMANN_EV_PER_K * kelvin(network.temperature_C))
    push = np.exp(np.stack([-potential, potential], axis=1).ravel())
    axis = np.arange(6) // 2
    rates = network.conductance[axis, classes] * network.rate_factor * push
    density = label_density(network)[label]
    if network.film_carrier_density > 0.0:
        density = density + np.where(film_classes(network)[classes].any(axis=1), network.film_carrier_density, 0.0)
    flags = np.where(crossing_classes(network)[classes], CROSSES, 0) + np.where(outer, OUTER, 0) + np.arange(6)
    chance, way = np.empty((len(keys), BINS)), np.empty((len(keys), BINS, 2), dtype=np.uint8)
    _fill_bins(rates, flags.astype(np.uint8), chance, way)
    total = rates.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = np.where(total > 0.0, density / total, np.inf)
    return Surroundings(
        kind=kind, chance=chance, way=way, mean_wait_s=wait, phase=faces.phase_of_label[label],
        faces=classes.astype(np.uint32),
    )  # fmt: skip


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
def _fill_bins(rates, flags, chance, way):  # type: ignore[no-untyped-def]
    """Share six rates out over eight bins of equal weight, at most two ways in each."""
    for n in prange(len(rates)):
        total = rates[n].sum()
        left = np.zeros(BINS)
        best = 0
        for direction in range(6):
            left[direction] = BINS * rates[n, direction] / total if total > 0.0 else 0.0
            if rates[n, direction] > rates[n, best]:
                best = direction
        for b in range(BINS):
            chance[n, b] = 1.0
            way[n, b, 0] = way[n, b, 1] = flags[n, best]
            if b < 6 and left[b] > 0.0:
                way[n, b, 0] = flags[n, b]
        done = np.zeros(BINS, dtype=np.bool_)
        for _ in range(BINS):
            small, large = -1, -1
            for b in range(BINS):
                if done[b]:
                    continue
                if left[b] < 1.0 and (small < 0 or left[b] < left[small]):
                    small = b
                if left[b] >= 1.0 and (large < 0 or left[b] > left[large]):
                    large = b
            if small < 0 or large < 0:
                break
            chance[n, small], way[n, small, 1] = left[small], flags[n, large]
            left[large] -= 1.0 - left[small]
            done[small] = True
