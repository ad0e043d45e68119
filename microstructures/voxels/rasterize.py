"""Turn particles into voxels: spheres, or the Laguerre cells that they grow into. All lengths in voxels.

The box is cut into blocks; for each one the few particles that may own any of its voxels are found exactly, and only they
are compared. Blocks are independent: any number of threads gives the same bits, and nothing but the result is stored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.jit import in_threads, kernel

Floats = NDArray[np.float64]

BLOCK = 8
"""Edge of a block [voxels]."""
COARSE_TO_FINE = ((100, 0.03), (1000, 0.01))
"""Voxels a grain with which volumes are matched, and to what rms error."""
MOST_COARSE_VOXELS = 8e6
MOST_CANDIDATES = 4096


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
    return _cells(centre, radius**2, shape, beyond=0.0)


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
    return _cells(centre, weight, shape, beyond=np.inf)


def matched_weights(centre: Floats, volume: Floats, edge: float, rounds: int = 20) -> Floats:
    """Return the weights that give Laguerre cells volumes proportional to `volume`, within about 1 % in the mean.

    The weights are moved against the error of each cell's volume, damped by the mean area between cells, on a grid
    that is coarse where the cells are large.

    Parameters
    ----------
    centre : ndarray of shape (n, 3)
        Centres in the periodic cube.
    volume : ndarray of shape (n,)
        Wanted volumes, in any unit.
    edge : float
        Edge of the cube, in the unit of the centres; the weights are in its square.
    """
    weight = (3.0 * volume / volume.sum() * edge**3 / (4.0 * np.pi)) ** (2.0 / 3.0)
    for voxels, close in COARSE_TO_FINE:
        n = int(np.ceil(max(min(voxels * len(volume), MOST_COARSE_VOXELS), 64 * len(volume)) ** (1.0 / 3.0)))
        unit = edge / n
        target = volume / volume.sum() * float(n) ** 3
        radius = (3.0 * target / (4.0 * np.pi)) ** (1.0 / 3.0)
        for _ in range(rounds):
            cells = laguerre_cells(centre / unit, weight / unit**2, (n, n, n))
            error = target - np.bincount(cells.ravel(), minlength=len(volume) + 1)[1:]
            if np.sqrt(np.mean((error / target) ** 2)) < close:
                break
            weight = weight + 0.6 * unit**2 * error / (3.0 * radius)
    return np.asarray(weight)


def _cells(centre: Floats, weight: Floats, shape: tuple[int, int, int], beyond: float) -> NDArray[np.int32]:
    """Return the particle of least power d^2 - weight of every voxel, 0 where that is not below `beyond`."""
    if len(weight) >= 2**31:
        raise InputError(f"{len(weight)} particles; allowed: below 2^31")
    size = np.array(shape, dtype=np.float64)
    inside = np.ascontiguousarray(centre % size)
    cells, begin, members = bins(inside, shape)
    grains: NDArray[np.int32] = np.empty(shape, dtype=np.int32)
    blocks = tuple(-(-n // BLOCK) for n in shape)
    heaviest, weight = float(weight.max()), np.ascontiguousarray(weight)
    full = in_threads(
        lambda first, last: _raster(first, last, inside, weight, heaviest, beyond, cells, begin, members, blocks, grains),
        blocks[0],
    )
    if any(full):
        raise InputError(
            f"more than {MOST_CANDIDATES} particles reach into a block of {BLOCK} voxels; use a smaller voxel_nm or coarser powder"
        )
    return grains


def bins(centre: Floats, shape: tuple[int, int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Sort particles into cells of about two each; return cells along each axis, first member of each cell, and members."""
    size = np.array(shape, dtype=np.float64)
    width = (2.0 * size.prod() / len(centre)) ** (1.0 / 3.0)
    cells = np.maximum(1, np.floor(size / width)).astype(np.int64)
    at = np.minimum((centre / size * cells).astype(np.int64), cells - 1)
    cell = (at[:, 0] * cells[1] + at[:, 1]) * cells[2] + at[:, 2]
    members = np.argsort(cell, kind="stable").astype(np.int32)
    begin = np.concatenate(([0], np.cumsum(np.bincount(cell, minlength=int(cells.prod())))))
    return cells, begin, members


@kernel
def candidates(middle, half, size, centre, weight, heaviest, beyond, cells, begin, members, found, low):  # type: ignore[no-untyped-def]
    """List the particles that may have the least power somewhere within `half` of `middle`; return how many.

    A particle is out if its power is everywhere above the lowest power that some other one has everywhere. Rings of
    cells are searched outwards until no particle beyond can be in.
    """
    width = min(size[0] / cells[0], size[1] / cells[1], size[2] / cells[2])
    at = (int(middle[0] / size[0] * cells[0]), int(middle[1] / size[1] * cells[1]), int(middle[2] / size[2] * cells[2]))
    bound = beyond
    count = 0
    rings = (max(cells[0], cells[1], cells[2]) + 1) // 2
    for ring in range(rings + 1):
        nearest = max(0.0, (ring - 1) * width - half)
        if nearest * nearest - heaviest > bound:
            break
        for a in range(-ring, ring + 1):
            if a < -(cells[0] - 1) // 2 or a > cells[0] // 2:
                continue
            for b in range(-ring, ring + 1):
                if b < -(cells[1] - 1) // 2 or b > cells[1] // 2:
                    continue
                step = 1 if abs(a) == ring or abs(b) == ring else max(1, 2 * ring)
                for c in range(-ring, ring + 1, step):
                    if c < -(cells[2] - 1) // 2 or c > cells[2] // 2:
                        continue
                    cell = ((at[0] + a) % cells[0] * cells[1] + (at[1] + b) % cells[1]) * cells[2] + (at[2] + c) % cells[2]
                    for q in range(begin[cell], begin[cell + 1]):
                        p = members[q]
                        d2 = 0.0
                        for axis in range(3):
                            d = abs(middle[axis] - centre[p, axis])
                            d = min(d, size[axis] - d)
                            d2 += d * d
                        far = np.sqrt(d2)
                        least = max(0.0, far - half) ** 2 - weight[p]
                        if least >= bound:
                            continue
                        bound = min(bound, (far + half) ** 2 - weight[p])
                        if count == len(found):
                            return count + 1
                        found[count], low[count] = p, least
                        count += 1
    kept = 0
    for m in range(count):
        if low[m] < bound or (low[m] == bound and bound < beyond):
            found[kept] = found[m]
            kept += 1
    return kept


@kernel
def _images(middle, size, centre, found, count, shifted, owner):  # type: ignore[no-untyped-def]
    """Write down every periodic image of the candidates that may be the nearest one for some voxel of the block."""
    images = 0
    for m in range(count):
        p = found[m]
        first = images
        for axis in range(3):
            x = centre[p, axis] + size[axis] * np.round((middle[axis] - centre[p, axis]) / size[axis])
            if axis == 0:
                if first == MOST_CANDIDATES:
                    return first + 1
                owner[first] = p
                images = first + 1
            known = images
            other = x + size[axis] if x < middle[axis] else x - size[axis]
            for image in range(first, known):
                shifted[image, axis] = x
                if abs(x - middle[axis]) + 0.5 * BLOCK > 0.5 * size[axis]:
                    if images == MOST_CANDIDATES:
                        return images + 1
                    shifted[images] = shifted[image]
                    shifted[images, axis] = other
                    owner[images] = p
                    images += 1
    return images


@kernel
def _raster(first, last, centre, weight, heaviest, beyond, cells, begin, members, blocks, grains):  # type: ignore[no-untyped-def]
    """Fill some planes of blocks; return how many blocks had too many candidates."""
    nx, ny, nz = grains.shape
    size = np.array([float(nx), float(ny), float(nz)])
    full = 0
    for plane in range(first, last):
        full += _raster_plane(
            plane, size, centre, weight, heaviest, beyond, cells, begin, members, blocks[1], blocks[2], grains
        )
    return full


@kernel
def _raster_plane(plane, size, centre, weight, heaviest, beyond, cells, begin, members, ny, nz, grains):  # type: ignore[no-untyped-def]
    found, low = np.empty(MOST_CANDIDATES, dtype=np.int32), np.empty(MOST_CANDIDATES)
    shifted, owner = np.empty((MOST_CANDIDATES, 3)), np.empty(MOST_CANDIDATES, dtype=np.int32)
    power, ids = np.empty(BLOCK), np.empty(BLOCK, dtype=np.int32)
    middle = np.empty(3)
    half = 0.5 * np.sqrt(3.0) * (BLOCK - 1)
    i0, i1 = plane * BLOCK, min(grains.shape[0], (plane + 1) * BLOCK)
    full = 0
    for row in range(ny):
        j0, j1 = row * BLOCK, min(grains.shape[1], (row + 1) * BLOCK)
        for column in range(nz):
            k0, k1 = column * BLOCK, min(grains.shape[2], (column + 1) * BLOCK)
            middle[0], middle[1], middle[2] = 0.5 * (i0 + i1), 0.5 * (j0 + j1), 0.5 * (k0 + k1)
            count = candidates(middle, half, size, centre, weight, heaviest, beyond, cells, begin, members, found, low)
            if count > MOST_CANDIDATES:
                full += 1
                continue
            found[:count].sort()
            images = _images(middle, size, centre, found, count, shifted, owner)
            if images > MOST_CANDIDATES:
                full += 1
                continue
            for i in range(i0, i1):
                for j in range(j0, j1):
                    power[:] = beyond
                    ids[:] = 0
                    for m in range(images):
                        p = owner[m]
                        flat = (i + 0.5 - shifted[m, 0]) ** 2 + (j + 0.5 - shifted[m, 1]) ** 2 - weight[p]
                        for k in range(k0, k1):
                            here = flat + (k + 0.5 - shifted[m, 2]) ** 2
                            if here < power[k - k0]:
                                power[k - k0] = here
                                ids[k - k0] = p + 1
                    for k in range(k0, k1):
                        grains[i, j, k] = ids[k - k0]
    return full
