"""How thick a layer is, measured across it, from sub-voxel positions of both of its surfaces.

A walk starts at a voxel face between the layer and what lies on its far side, and runs along the local normal through the
layer until it leaves it. If it arrives at the near side, and both surfaces are parallel there, the distance between the
local mean planes of both surfaces is one sample. The mean over the faces of a neighbourhood lies in the true surface,
however it is tilted, and exactly so along the grid. Where a layer ends at a pore, or wraps around the rim of the contact
it grew from, its two surfaces do not face each other, and no sample is taken.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from microstructures.jit import kernel, parallel_kernel

MOST_SAMPLES = 20_000
REACH = 3
"""Half width [voxels] of the neighbourhood whose faces are averaged."""
SPREAD = 1.5
"""Standard deviation [voxels] of its Gaussian weights."""
PARALLEL = math.cos(math.radians(30.0))
"""Cosine of the largest angle between both surfaces of a layer."""
STRIDE = 0.25
"""Step of the walk [voxels]."""


def layer_thickness(
    labels: NDArray[np.uint8],
    layer: int,
    near: int,
    far: int,
    voxel_size: tuple[float, float, float],
    periodic: tuple[bool, bool, bool],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sample the thickness of a layer between two phases.

    Parameters
    ----------
    labels : ndarray of shape (nx, ny, nz), uint8
        Labels.
    layer, near, far : int
        Labels of the layer and of the phases on both sides.
    voxel_size : tuple of 3 floats
        Voxel edges [m].
    periodic : tuple of 3 bools
        Whether the labels continue periodically.

    Returns
    -------
    thickness : ndarray of shape (n,), float64
        Thickness [m], at most 20,000 samples spread evenly over the far surface.
    weight : ndarray of shape (n,), float64
        True area each sample stands for, in arbitrary units.

    Examples
    --------
    >>> stack = np.repeat(np.array([1, 1, 1, 3, 3, 2, 2, 2], dtype=np.uint8), 16).reshape(8, 4, 4)
    >>> thickness, _ = layer_thickness(stack, 3, 1, 2, (1e-8, 1e-8, 1e-8), (False, True, True))
    >>> bool(np.allclose(thickness, 2e-8))
    True
    """
    voxels, axes = _faces(labels, layer, far, periodic)
    every = -(-len(voxels) // MOST_SAMPLES) or 1
    thickness, weight = _measure(
        np.ascontiguousarray(labels), voxels[::every], axes[::every], layer, near, far,
        np.array(voxel_size), np.array(periodic),
    )  # fmt: skip
    met = thickness > 0.0
    return thickness[met], weight[met]


def _faces(
    labels: NDArray[np.uint8], inside: int, outside: int, periodic: tuple[bool, bool, bool]
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return flat index of the inner voxel and axis of every face between two labels."""
    voxels, axes = [], []
    for axis, n in enumerate(labels.shape):
        for sign in (1, -1):
            touches = np.zeros(labels.shape, dtype=np.bool_)
            here: list[slice] = [slice(None)] * 3
            there: list[slice] = [slice(None)] * 3
            here[axis], there[axis] = (slice(None, -1), slice(1, None)) if sign == 1 else (slice(1, None), slice(None, -1))
            np.logical_and(labels[tuple(here)] == inside, labels[tuple(there)] == outside, out=touches[tuple(here)])
            if periodic[axis]:
                here[axis], there[axis] = (slice(n - 1, n), slice(0, 1)) if sign == 1 else (slice(0, 1), slice(n - 1, n))
                touches[tuple(here)] = (labels[tuple(here)] == inside) & (labels[tuple(there)] == outside)
            found = np.flatnonzero(touches)
            voxels.append(found)
            axes.append(np.full(len(found), axis, dtype=np.int8))
    return np.concatenate(voxels), np.concatenate(axes)


@parallel_kernel
def _measure(labels, voxels, axes, layer, near, far, size, wraps):  # type: ignore[no-untyped-def]
    """Return thickness and weight at each face, 0 where the surfaces do not face each other."""
    _, ny, nz = labels.shape
    thickness, weight = np.zeros(len(voxels)), np.zeros(len(voxels))
    for at in prange(len(voxels)):
        n = int(at)
        i, j, k = voxels[n] // (ny * nz), voxels[n] // nz % ny, voxels[n] % nz
        thickness[n], weight[n] = _cross(labels, i, j, k, axes[n], layer, near, far, size, wraps)
    return thickness, weight


@kernel
def _cross(labels, i, j, k, axis, layer, near, far, size, wraps):  # type: ignore[no-untyped-def]
    nx, ny, nz = labels.shape
    px, py, pz, ax, ay, az = _local_plane(labels, i, j, k, layer, far, size, wraps)
    length = math.sqrt(ax * ax + ay * ay + az * az)
    if length == 0.0:
        return 0.0, 0.0
    ax, ay, az = ax / length, ay / length, az / length
    # walk from the middle of the voxel, against the normal, to the first voxel that is not of the layer
    shortest = min(size[0], size[1], size[2])
    sx, sy, sz = -STRIDE * shortest * ax / size[0], -STRIDE * shortest * ay / size[1], -STRIDE * shortest * az / size[2]
    x, y, z = i + 0.5, j + 0.5, k + 0.5
    a, b, c = i, j, k
    for _ in range(int(2.0 * (nx + ny + nz) / STRIDE)):
        x, y, z = x + sx, y + sy, z + sz
        a1, b1, c1 = math.floor(x), math.floor(y), math.floor(z)
        if (not wraps[0] and not 0 <= a1 < nx) or (not wraps[1] and not 0 <= b1 < ny) or (not wraps[2] and not 0 <= c1 < nz):
            return 0.0, 0.0
        label = labels[a1 % nx, b1 % ny, c1 % nz]
        if label == near:
            break
        if label != layer:
            return 0.0, 0.0
        a, b, c = a1, b1, c1
    else:
        return 0.0, 0.0
    qx, qy, qz, bx, by, bz = _local_plane(labels, a, b, c, layer, near, size, wraps)
    length = math.sqrt(bx * bx + by * by + bz * bz)
    if length == 0.0:
        return 0.0, 0.0
    bx, by, bz = -bx / length, -by / length, -bz / length
    if ax * bx + ay * by + az * bz < PARALLEL:
        return 0.0, 0.0
    mx, my, mz = ax + bx, ay + by, az + bz
    length = math.sqrt(mx * mx + my * my + mz * mz)
    found = ((px - qx) * mx + (py - qy) * my + (pz - qz) * mz) / length
    along = ax if axis == 0 else ay if axis == 1 else az
    return found, abs(along) / size[axis]


@kernel
def _local_plane(labels, i, j, k, inside, outside, size, wraps):  # type: ignore[no-untyped-def]
    """Return the mean position [m] of the faces between two labels about a voxel, and their mean outward normal."""
    nx, ny, nz = labels.shape
    x = y = z = wx = wy = wz = total = 0.0
    for a in range(i - REACH, i + REACH + 1):
        if not wraps[0] and not 0 <= a < nx:
            continue
        for b in range(j - REACH, j + REACH + 1):
            if not wraps[1] and not 0 <= b < ny:
                continue
            for c in range(k - REACH, k + REACH + 1):
                if not wraps[2] and not 0 <= c < nz:
                    continue
                if labels[a % nx, b % ny, c % nz] != inside:
                    continue
                for side in range(6):
                    axis, step = side // 2, 1 if side % 2 == 0 else -1
                    a1, b1, c1 = a, b, c
                    if axis == 0:
                        a1 += step
                        if not wraps[0] and not 0 <= a1 < nx:
                            continue
                    elif axis == 1:
                        b1 += step
                        if not wraps[1] and not 0 <= b1 < ny:
                            continue
                    else:
                        c1 += step
                        if not wraps[2] and not 0 <= c1 < nz:
                            continue
                    if labels[a1 % nx, b1 % ny, c1 % nz] != outside:
                        continue
                    fx, fy, fz = 0.5 * (a + a1 - 2 * i), 0.5 * (b + b1 - 2 * j), 0.5 * (c + c1 - 2 * k)
                    weight = math.exp(-0.5 * (fx * fx + fy * fy + fz * fz) / SPREAD**2) / size[axis]
                    total += weight
                    x += weight * (i + 0.5 + fx)
                    y += weight * (j + 0.5 + fy)
                    z += weight * (k + 0.5 + fz)
                    if axis == 0:
                        wx += weight * step
                    elif axis == 1:
                        wy += weight * step
                    else:
                        wz += weight * step
    if total == 0.0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    return x / total * size[0], y / total * size[1], z / total * size[2], wx, wy, wz
