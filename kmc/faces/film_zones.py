"""Which film-bearing grain each voxel belongs to or lies next to."""

from __future__ import annotations

import numpy as np

from kmc.faces.listed_pairs import reacted
from kmc.faces.tiles import gather, over_tiles, tile_box
from microstructures.jit import kernel

HALO_REACH = 2
"""Voxels outside a film-bearing grain that still carry its film."""
_SIDE = np.arange(-HALO_REACH, HALO_REACH + 1)
_CUBE = np.stack(np.meshgrid(_SIDE, _SIDE, _SIDE, indexing="ij"), axis=-1).reshape(-1, 3)
_FAR = (_CUBE**2).sum(axis=1)
_STEPS = np.ascontiguousarray(_CUBE[np.argsort(_FAR, kind="stable")][1:])
"""Steps to the voxels of the cube around one, nearest first."""


def film_zones(labels, grains, has_grains, phase_of_label, film_of, bears, wraps, side, keys):  # type: ignore[no-untyped-def]
    """Return the film-bearing grain (+1) each voxel belongs to or lies next to, and whether its surface is near.

    A film reaches only into neighbours that it coats the grain against; it does not short-circuit other grains.
    """
    own = bears[phase_of_label][labels].astype(np.int32)
    if has_grains:
        own *= grains + np.int32(1)
    zones = own.copy()
    near = np.zeros(labels.shape, dtype=np.bool_)
    over_tiles(
        lambda first, last: _zones_in_tiles(
            first, last, labels, grains, has_grains, phase_of_label, film_of, own, wraps, side, keys, zones, near
        ),
        labels.shape,
    )
    return zones, near


@kernel
def _zones_in_tiles(  # type: ignore[no-untyped-def]
    first, last, labels, grains, has_grains, phase_of_label, film_of, own, wraps, side, keys, zones, near
):
    for tile in range(first, last):
        box = tile_box(tile, labels.shape)
        _zones_in_tile(box, labels, grains, has_grains, phase_of_label, film_of, own, wraps, side, keys, zones, near)


@kernel
def _zones_in_tile(  # type: ignore[no-untyped-def]
    box, labels, grains, has_grains, phase_of_label, film_of, own, wraps, side, keys, zones, near
):
    around = gather(own, box, HALO_REACH, wraps)
    least, most = _range_around(around)
    phases = phase_of_label[gather(labels, box, HALO_REACH, wraps).ravel()].reshape(around.shape)
    for x in range(least.shape[0]):
        for y in range(least.shape[1]):
            for z in range(least.shape[2]):
                i, j, k = box[0] + x, box[1] + y, box[2] + z
                if least[x, y, z] == most[x, y, z]:
                    continue
                near[i, j, k] = True
                if own[i, j, k] == 0:
                    grain = grains[i, j, k] if has_grains else 0
                    middle = (x + HALO_REACH, y + HALO_REACH, z + HALO_REACH)
                    zones[i, j, k] = _nearest(around, phases, film_of, side, keys, middle, grain)


@kernel
def _range_around(around):  # type: ignore[no-untyped-def]
    """Return the least and the largest number in the cube around each voxel inside the rim."""
    nx, ny, nz = around.shape[0] - 2 * HALO_REACH, around.shape[1] - 2 * HALO_REACH, around.shape[2] - 2 * HALO_REACH
    least, most = around[:nx, :ny, :nz].copy(), around[:nx, :ny, :nz].copy()
    lower, upper = np.empty((around.shape[1], nz), around.dtype), np.empty((around.shape[1], nz), around.dtype)
    for a in range(around.shape[0]):
        for b in range(around.shape[1]):
            _range_of_row(lower[b], upper[b], around[a, b])
        for x in range(max(0, a - 2 * HALO_REACH), min(a + 1, nx)):
            for y in range(ny):
                for b in range(y, y + 2 * HALO_REACH + 1):
                    for z in range(nz):
                        least[x, y, z] = min(least[x, y, z], lower[b, z])
                        most[x, y, z] = max(most[x, y, z], upper[b, z])
    return least, most


@kernel
def _range_of_row(lower, upper, row):  # type: ignore[no-untyped-def]
    lower[:], upper[:] = row[: len(lower)], row[: len(lower)]
    for n in range(1, 2 * HALO_REACH + 1):
        for z in range(len(lower)):
            lower[z] = min(lower[z], row[z + n])
            upper[z] = max(upper[z], row[z + n])


@kernel
def _nearest(around, phases, film_of, side, keys, middle, grain):  # type: ignore[no-untyped-def]
    """Return the nearest film-bearing grain that has a film towards this voxel, of several the first; 0 if there is none."""
    x, y, z = middle
    here = phases[x, y, z]
    zone, nearest, refused = 0, 0, 0
    for n in range(len(_STEPS)):
        a, b, c = x + _STEPS[n, 0], y + _STEPS[n, 1], z + _STEPS[n, 2]
        other = around[a, b, c]
        if other == 0 or other == refused or (zone > 0 and other >= zone):
            continue
        far = _STEPS[n, 0] ** 2 + _STEPS[n, 1] ** 2 + _STEPS[n, 2] ** 2
        if zone > 0 and far > nearest:
            break
        if film_of[phases[a, b, c], here] >= 0 and (len(keys) == 0 or not reacted(keys, other - 1, side[here], grain)):
            zone, nearest = other, far
        else:
            refused = other
    return zone
