"""Turn particles into voxels: spheres, or the Laguerre cells that they grow into. All lengths in voxels."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from microstructures.jit import kernel, parallel_kernel

Floats = NDArray[np.float64]


def spheres_to_grains(centre: Floats, radius: Floats, shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return the grain id (particle index + 1) of every voxel, 0 outside the spheres.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres in the periodic box.
    radius : ndarray of shape (n,)
        Radii. Overlaps are split on the radical plane.
    shape : tuple of 3 ints
        Voxels along x, y, z.
    """
    best, grains = np.zeros(shape), np.zeros(shape, dtype=np.int32)
    _grow(centre, radius**2, radius, best, grains)
    return grains


def laguerre_cells(centre: Floats, weight: Floats, shape: tuple[int, int, int]) -> NDArray[np.int32]:
    """Return the Laguerre cell (particle index + 1) of every voxel: the particle with the least d^2 - weight.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres in the periodic box.
    weight : ndarray of shape (n,)
        Weights, squared radii to begin with.
    shape : tuple of 3 ints
        Voxels along x, y, z.
    """
    best, grains = np.full(shape, np.inf), np.zeros(shape, dtype=np.int32)
    spacing_squared = (np.prod(shape) / len(weight)) ** (2.0 / 3.0)
    half_box = 0.5 * min(shape) - 1.0  # nearest images only
    reach = np.minimum(np.sqrt(weight - weight.min() + spacing_squared), half_box)
    _grow(centre, weight, reach, best, grains)
    # beyond its own reach a particle has d^2 - weight above this, so whatever is below it is settled
    _settle(centre, weight, float((reach**2 - weight).min()), best, grains)
    return grains


def matched_laguerre_cells(centre: Floats, volume: Floats, shape: tuple[int, int, int], rounds: int = 12) -> NDArray[np.int32]:
    """Return Laguerre cells whose volumes are proportional to `volume`, within about 1 %.

    The weights are moved against the error of each cell's volume, damped by the mean area between cells.
    """
    target = volume / volume.sum() * np.prod(shape)
    radius = (3.0 * target / (4.0 * np.pi)) ** (1.0 / 3.0)
    weight = radius**2
    for _ in range(rounds):
        cells = laguerre_cells(centre, weight, shape)
        error = target - np.bincount(cells.ravel(), minlength=len(volume) + 1)[1:]
        if np.abs(error / target).max() < 0.01:
            break
        weight = weight + 0.6 * error / (3.0 * radius)
    return laguerre_cells(centre, weight, shape)


@parallel_kernel
def surface_distance(centre, radius, grains):  # type: ignore[no-untyped-def]
    """Return how far each voxel lies outside the sphere of its own grain, negative inside; float32."""
    nx, ny, nz = grains.shape
    out = np.empty((nx, ny, nz), dtype=np.float32)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                p = grains[i, j, k] - 1
                dx, dy, dz = i + 0.5 - centre[p, 0], j + 0.5 - centre[p, 1], k + 0.5 - centre[p, 2]
                dx, dy, dz = dx - nx * np.round(dx / nx), dy - ny * np.round(dy / ny), dz - nz * np.round(dz / nz)
                out[i, j, k] = np.sqrt(dx * dx + dy * dy + dz * dz) - radius[p]
    return out


@kernel
def _grow(centre, weight, reach, best, grains):  # type: ignore[no-untyped-def]
    """Give each voxel within reach of a particle to it, if it beats the best so far."""
    nx, ny, nz = grains.shape
    for p in range(len(weight)):
        r = reach[p]
        x, y, z = centre[p, 0], centre[p, 1], centre[p, 2]
        for ii in range(max(int(np.floor(x - r)), int(x) - nx // 2), min(int(np.ceil(x + r)), int(x) - nx // 2 + nx)):
            dx2 = (ii + 0.5 - x) ** 2
            if dx2 >= r * r:
                continue
            i = ii % nx
            for jj in range(max(int(np.floor(y - r)), int(y) - ny // 2), min(int(np.ceil(y + r)), int(y) - ny // 2 + ny)):
                dy2 = dx2 + (jj + 0.5 - y) ** 2
                if dy2 >= r * r:
                    continue
                j = jj % ny
                for kk in range(max(int(np.floor(z - r)), int(z) - nz // 2), min(int(np.ceil(z + r)), int(z) - nz // 2 + nz)):
                    d2 = dy2 + (kk + 0.5 - z) ** 2
                    if d2 >= r * r:
                        continue
                    k = kk % nz
                    if d2 - weight[p] < best[i, j, k]:
                        best[i, j, k] = d2 - weight[p]
                        grains[i, j, k] = p + 1


@parallel_kernel
def _settle(centre, weight, certain, best, grains):  # type: ignore[no-untyped-def]
    """Compare every particle at the few voxels that no reach has settled."""
    nx, ny, nz = grains.shape
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                if best[i, j, k] <= certain:
                    continue
                for p in range(len(weight)):
                    dx, dy, dz = i + 0.5 - centre[p, 0], j + 0.5 - centre[p, 1], k + 0.5 - centre[p, 2]
                    dx, dy, dz = dx - nx * np.round(dx / nx), dy - ny * np.round(dy / ny), dz - nz * np.round(dz / nz)
                    power = dx * dx + dy * dy + dz * dz - weight[p]
                    if power < best[i, j, k]:
                        best[i, j, k] = power
                        grains[i, j, k] = p + 1
