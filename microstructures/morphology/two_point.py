"""The two-point probability S2(r): the chance that both ends of a segment of length r lie in one phase.

By fast Fourier transforms in single precision, one phase at a time. Where a structure is not periodic it is padded with
zeros up to the longest lag and every lag is divided by its own number of pairs, so nothing wraps around.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import get_num_threads, prange
from numpy.typing import NDArray
from scipy import fft

from microstructures.jit import parallel_kernel
from microstructures.morphology.fractions import present_labels
from microstructures.structure import VoxelStructure
from microstructures.units import UM

AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Correlation:
    """S2 of one phase.

    Attributes
    ----------
    volume_fraction : float
        S2 at distance 0.
    along : tuple of 3 ndarrays
        S2 at 0, 1, 2 ... voxels along x, y and z, up to half the block.
    distance : ndarray of shape (n,)
        Mean length of the lags of each shell [m]; shells are as wide as the shortest edge of a voxel.
    radial : ndarray of shape (n,)
        S2 averaged over all directions, by shell.
    lags : ndarray of shape (n,), int64
        Number of lag vectors of each shell.
    """

    volume_fraction: float
    along: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    distance: NDArray[np.float64]
    radial: NDArray[np.float64]
    lags: NDArray[np.int64]


def correlate(structure: VoxelStructure, label: int) -> Correlation:
    """Return S2 of one phase, along the axes and averaged over all directions.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure.
    label : int
        Label of the phase.

    Examples
    --------
    >>> import numpy as np
    >>> layers = np.zeros((8, 2, 2), int)
    >>> layers[:4] = 1
    >>> s2 = correlate(VoxelStructure.from_labels(layers, voxel_nm=25, periodic=True), 1)
    >>> [round(float(value), 3) for value in s2.along[0]]
    [0.5, 0.375, 0.25, 0.125, 0.0]
    """
    size = np.array(structure.voxel_size)
    farthest = min(n // 2 * h for n, h in zip(structure.shape, size, strict=True))
    reach = [n // 2 for n in structure.shape]
    padded = tuple(
        n if wraps else fft.next_fast_len(n + r, real=True)
        for n, r, wraps in zip(structure.shape, reach, structure.periodic, strict=True)
    )
    pairs = _count_pairs(structure.labels == label, padded)
    wraps = np.array(structure.periodic)
    shape = np.array(structure.shape)
    step = float(size.min())
    sums, weights, lengths, lags = (
        part.sum(axis=0) for part in _shells(pairs, shape, wraps, size, step, farthest, int(farthest / step + 0.5) + 1)
    )
    filled = lags > 0
    along = []
    for axis, n in enumerate(shape):
        lag = np.arange(n // 2 + 1)
        found = np.moveaxis(pairs, axis, 0)[: n // 2 + 1, 0, 0].astype(np.float64)
        others = structure.labels.size / n
        along.append(found / (others * (n if wraps[axis] else n - lag)))
    return Correlation(
        volume_fraction=float(along[0][0]),
        along=(along[0], along[1], along[2]),
        distance=lengths[filled] / lags[filled],
        radial=sums[filled] / weights[filled],
        lags=lags[filled],
    )


def correlate_phases(structure: VoxelStructure) -> dict[str, Correlation]:
    """Return S2 of every phase that has voxels, by name."""
    return {structure.phase_name(label): correlate(structure, label) for label in present_labels(structure)}


def two_point_statistics(structure: VoxelStructure, known: dict[str, Correlation] | None = None) -> dict[str, Any]:
    """Return S2 of every phase as plain values, with what follows from it.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure.
    known : dict of str to Correlation, optional
        S2 of its phases, if it was taken before.

    Returns
    -------
    dict
        `r_um` and, by phase: `S2`, the mean over the axes; `S2_axes`, along each of them; `r_radial_um` and `S2_radial`,
        averaged over all directions; `correlation_length_um`, the integral of (S2 - phi^2) / (phi - phi^2) over r up to
        half the block; `specific_surface_per_um` from the slope at 0, -S_v / 4 for an isotropic structure
        (Debye, Anderson, Brumberger, J. Appl. Phys. 28, 679, 1957), taken over the first voxel along the axes: right on
        average over directions, but 2/3 of the truth for layers along the grid; on voxels too low by
        (voxel / diameter)^2 / 3 for lone spheres, and by half a voxel over the mean chord where grains touch or overlap.
    """
    curves = known or correlate_phases(structure)
    size_um = np.array(structure.voxel_size) / UM
    shortest = min(n // 2 * h for n, h in zip(structure.shape, size_um, strict=True))
    r_um = np.arange(int(shortest / size_um.max() + 1e-9) + 1) * size_um.max()
    out: dict[str, Any] = {
        "r_um": r_um.tolist(),
        "S2": {},
        "S2_axes": {},
        "r_radial_um": [],
        "S2_radial": {},
        "correlation_length_um": {},
        "specific_surface_per_um": {},
    }
    for name, curve in curves.items():
        phi = curve.volume_fraction
        axes = [np.interp(r_um, np.arange(len(s2)) * h, s2) for s2, h in zip(curve.along, size_um, strict=True)]
        s2 = np.mean(axes, axis=0)
        out["S2"][name] = _rounded(s2)
        out["S2_axes"][name] = {letter: _rounded(part) for letter, part in zip(AXES, axes, strict=True)}
        out["r_radial_um"] = _rounded(curve.distance / UM)
        out["S2_radial"][name] = _rounded(curve.radial)
        if 0.0 < phi < 1.0:
            out["correlation_length_um"][name] = float(np.trapezoid((s2 - phi**2) / (phi - phi**2), r_um))
            slopes = [(part[0] - part[1]) / h for part, h in zip(curve.along, size_um, strict=True) if len(part) > 1]
            if slopes:
                out["specific_surface_per_um"][name] = 4.0 * float(np.mean(slopes))
    return out


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 6) for value in values]


def _count_pairs(inside: NDArray[np.bool_], padded: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the number of pairs of voxels inside by their lag, ndarray of the padded shape, float32."""
    image = np.zeros(padded, dtype=np.float32)
    image[tuple(slice(n) for n in inside.shape)] = inside
    workers = get_num_threads()
    spectrum = fft.rfftn(image, workers=workers, overwrite_x=True)
    del image
    for plane in spectrum:  # the power spectrum in place
        plane.real = plane.real**2 + plane.imag**2
        plane.imag = 0.0
    pairs = np.asarray(fft.irfftn(spectrum, s=padded, workers=workers, overwrite_x=True), dtype=np.float32)
    np.rint(pairs, out=pairs)  # counts are whole; the rounding error of the transform goes
    return np.maximum(pairs, 0.0, out=pairs)


@parallel_kernel
def _shells(pairs, shape, wraps, size, step, farthest, n_shells):  # type: ignore[no-untyped-def]
    """Sum the pairs inside, all pairs, the lengths and the number of lags by shell, one row per plane."""
    px, py, pz = pairs.shape
    sums, weights = np.zeros((px, n_shells)), np.zeros((px, n_shells))
    lengths, lags = np.zeros((px, n_shells)), np.zeros((px, n_shells), dtype=np.int64)
    for plane in prange(px):
        i = int(plane)
        a = i if i <= px // 2 else px - i
        if a > shape[0] // 2:
            continue
        for j in range(py):
            b = j if j <= py // 2 else py - j
            if b > shape[1] // 2:
                continue
            for k in range(pz):
                c = k if k <= pz // 2 else pz - k
                if c > shape[2] // 2:
                    continue
                length = np.sqrt((a * size[0]) ** 2 + (b * size[1]) ** 2 + (c * size[2]) ** 2)
                if length > farthest * (1.0 + 1e-9):
                    continue
                shell = int(length / step + 0.5)
                weight = 1.0 * (shape[0] if wraps[0] else shape[0] - a)
                weight *= shape[1] if wraps[1] else shape[1] - b
                weight *= shape[2] if wraps[2] else shape[2] - c
                sums[i, shell] += pairs[i, j, k]
                weights[i, shell] += weight
                lengths[i, shell] += length
                lags[i, shell] += 1
    return sums, weights, lengths, lags
