"""Which faces belong to the steps of a tilted interface: those that cross it and, in line with them, those beside it.

A tilted interface is a staircase of voxel faces. Each of them blocks the current along the interface as well as the one
across, so what it blocks too much is given to the face before it and the face behind it (`kmc.steps`).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from microstructures.jit import inline_kernel, kernel, parallel_kernel
from microstructures.voxels.interface_normals import AREA_LEVELS, step_index

PLAIN, CROSSING, BESIDE = 0, 1, 2
"""What a face is to the steps: nothing, one that crosses them, one in line with it on either side."""
N_ROLES = 3
IN_LINE = 3
"""Voxels of one grain that lie in line on each side of a crossing, so that each face beside it belongs to it alone."""
COARSE = 8
"""Area levels that count as one tilt of the steps; it keeps the number of classes small."""


@inline_kernel
def step_level(level):  # type: ignore[no-untyped-def]
    """Return the area level in the middle of those that count as one tilt."""
    return 1 + (level - 1) // COARSE * COARSE + COARSE // 2


@kernel
def _run(labels, grains, has_grains, voxel, axis, step, wraps):  # type: ignore[no-untyped-def]
    """Return how many voxels of one grain follow a voxel in one direction, up to `IN_LINE - 1`."""
    n = labels.shape[axis]
    x, y, z = voxel[0], voxel[1], voxel[2]
    label = labels[x, y, z]
    grain = grains[x, y, z] if has_grains else 0
    for length in range(1, IN_LINE):
        q = step_index(voxel[axis] + step * length, n, wraps[axis])
        x, y, z = (q if axis == 0 else x), (q if axis == 1 else y), (q if axis == 2 else z)
        if labels[x, y, z] != label or (has_grains and grains[x, y, z] != grain):
            return length - 1
    return IN_LINE - 1


@kernel
def has_room(labels, grains, has_grains, i, j, k, axis, wraps):  # type: ignore[no-untyped-def]
    """Return whether both sides of the face from (i, j, k) along `axis` are thick enough to be more than steps.

    `IN_LINE` voxels of one grain in line with the face on each side, and as many to at least one side in the other directions.
    """
    voxel = np.array((i, j, k), dtype=np.int64)
    n, place = labels.shape[axis], voxel[axis]
    if not wraps[axis] and (place < 1 or place + 2 >= n):
        return False
    for side in (-1, 1):
        voxel[axis] = place if side < 0 else (place + 1) % n
        for along in range(3):
            room = 0
            for step in (-1, 1):
                if along != axis or step == side:
                    room = max(room, _run(labels, grains, has_grains, voxel, along, step, wraps))
            if room < IN_LINE - 1:
                return False
    return True


@parallel_kernel
def mark_beside(codes, axis, labels, phase_of_label, n_phases, film_codes):  # type: ignore[no-untyped-def]
    """Turn the codes of the faces in line with each crossing into those of faces beside it, in place."""
    nx, ny, nz = codes.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    pairs, levels = n_phases * n_phases, AREA_LEVELS + 1
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                own = np.int64(codes[i, j, k])
                if own == 0 or (own - 1) // film_codes // levels // pairs != PLAIN:
                    continue
                for step in (-1, 1):
                    other = np.int64(codes[(i + step * di) % nx, (j + step * dj) % ny, (k + step * dk) % nz])
                    role, rest = divmod((other - 1) // film_codes, pairs * levels)
                    if other == 0 or role != CROSSING:
                        continue
                    pair, level = divmod(rest, levels)
                    low, high = divmod(pair, n_phases)
                    phase = np.int64(phase_of_label[labels[i, j, k]])
                    beyond = high if phase == low else low
                    pair = (BESIDE * n_phases + phase) * n_phases + beyond
                    codes[i, j, k] = 1 + (pair * levels + step_level(level)) * film_codes + (own - 1) % film_codes
                    break
