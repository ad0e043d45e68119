"""Which film-bearing grain each voxel belongs to or lies next to."""

from __future__ import annotations

import numpy as np
from numba import prange

from kmc.faces.listed_pairs import reacted
from microstructures.jit import parallel_kernel

HALO_REACH = 2
"""Voxels outside a film-bearing grain that still carry its film."""


@parallel_kernel
def film_zones(labels, grains, has_grains, phase_of_label, film_of, bears, wraps, side, keys):  # type: ignore[no-untyped-def]
    """Return the film-bearing grain (+1) each voxel belongs to or lies next to, and whether its surface is near.

    A film reaches only into neighbours that it coats the grain against; it does not short-circuit other grains.
    """
    nx, ny, nz = labels.shape
    zones = np.zeros((nx, ny, nz), dtype=np.int32)
    near = np.zeros((nx, ny, nz), dtype=np.bool_)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                own = 0
                here = phase_of_label[labels[i, j, k]]
                if bears[here]:
                    own = 1 + (grains[i, j, k] if has_grains else 0)
                best = 1000
                found = own
                close = False
                for a in range(-HALO_REACH, HALO_REACH + 1):
                    x = i + a
                    if x < 0 or x >= nx:
                        if not wraps[0]:
                            continue
                        x = x % nx
                    for b in range(-HALO_REACH, HALO_REACH + 1):
                        y = j + b
                        if y < 0 or y >= ny:
                            if not wraps[1]:
                                continue
                            y = y % ny
                        for c in range(-HALO_REACH, HALO_REACH + 1):
                            z = k + c
                            if z < 0 or z >= nz:
                                if not wraps[2]:
                                    continue
                                z = z % nz
                            there = phase_of_label[labels[x, y, z]]
                            other = 0
                            if bears[there]:
                                other = 1 + (grains[x, y, z] if has_grains else 0)
                            if other != own:
                                close = True
                            if own == 0 and other > 0 and film_of[there, here] >= 0:
                                if len(keys) > 0 and reacted(keys, other - 1, side[here], grains[i, j, k]):
                                    continue
                                d2 = a * a + b * b + c * c
                                if d2 < best or (d2 == best and other < found):
                                    best = d2
                                    found = other
                zones[i, j, k] = found
                near[i, j, k] = close
    return zones, near
