"""How far each voxel lies from the surface of a film-bearing grain, and which film runs there."""

from __future__ import annotations

import numpy as np

from kmc.faces.listed_pairs import reacted
from kmc.faces.surface_reading import REACH, WINDOW, exactly_flat, read_share, smooth
from kmc.faces.tiles import TILE, extend, gather, over_tiles, tile_box
from microstructures.jit import kernel
from microstructures.voxels.interface_normals import SMOOTHING

_WHOLE = float(WINDOW.sum() ** 3)
_NOTHING = 1e-9 * _WHOLE
"""Less weight than one voxel in the farthest corner of the window."""


def film_distances(labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys):  # type: ignore[no-untyped-def]
    """Return the signed distance [voxels] of each voxel from its zone's surface, the coated share there, and the film.

    The distance is positive inside the zone's own solid. What lies outside decides which film it is; -1 where there is none.
    A grain has no film towards one that it has reacted with (`keys`, `side`: the listed pairs of thin shells).
    """
    distance = np.zeros(labels.shape, dtype=np.float32)
    coated = np.zeros(labels.shape, dtype=np.float32)
    film = np.full(labels.shape, -1, dtype=np.int8)
    over_tiles(
        lambda first, last: _read_tiles(
            first, last, labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys, distance, coated, film
        ),
        labels.shape,
    )
    return distance, coated, film


@kernel
def _read_tiles(  # type: ignore[no-untyped-def]
    first, last, labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys, distance, coated, film
):
    """Read the voxels of some tiles."""
    for tile in range(first, last):
        own, boxes = _zones_of_tile(zones, near, tile_box(tile, labels.shape))
        for n in range(len(own)):
            _read_zone(
                labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys, own[n], boxes[n],
                distance, coated, film,
            )  # fmt: skip


@kernel
def _zones_of_tile(zones, near, tile):  # type: ignore[no-untyped-def]
    """Return the zones that have voxels near a surface in a tile, and the box of these voxels."""
    found = np.empty(TILE**3, dtype=zones.dtype)
    count = 0
    for x in range(tile[0], tile[3]):
        for y in range(tile[1], tile[4]):
            for z in range(tile[2], tile[5]):
                if zones[x, y, z] > 0 and near[x, y, z] and (count == 0 or found[count - 1] != zones[x, y, z]):
                    found[count] = zones[x, y, z]
                    count += 1
    own = np.unique(found[:count])
    boxes = np.zeros((len(own), 6), dtype=np.int64)
    boxes[:, :3] = tile[3:]
    for x in range(tile[0], tile[3]):
        for y in range(tile[1], tile[4]):
            for z in range(tile[2], tile[5]):
                if zones[x, y, z] > 0 and near[x, y, z]:
                    extend(boxes[np.searchsorted(own, zones[x, y, z])], x, y, z)
    return own, boxes


@kernel
def _sides(labels, grains, zones, phase_of_label, bears, wraps, side, keys, own, box):  # type: ignore[no-untyped-def]
    """Return which side of the zone's surface every voxel in and around the box is on, and which sides there are.

    A phase outside is its number, a grain that has reacted with the zone the number of phases, and a phase inside follows.
    """
    n = len(bears)
    parts, zone = phase_of_label[gather(labels, box, REACH, wraps).ravel()], gather(zones, box, REACH, wraps)
    grain = gather(grains, box, REACH, wraps).ravel() if len(keys) > 0 else np.zeros(0, dtype=grains.dtype)
    present = np.zeros(2 * n + 1, dtype=np.bool_)
    for at in range(len(parts)):
        part = np.int64(parts[at])
        if bears[part] and zone.flat[at] == own:
            part += n + 1
        elif len(keys) > 0 and reacted(keys, own - 1, side[part], grain[at]):
            part = n
        parts[at] = part
        present[part] = True
    return parts.reshape(zone.shape), present


@kernel
def _read_zone(  # type: ignore[no-untyped-def]
    labels, grains, zones, near, phase_of_label, film_of, bears, wraps, side, keys, own, box, distance, coated, film
):
    """Read the voxels of one zone in one tile."""
    n = len(bears)
    parts, present = _sides(labels, grains, zones, phase_of_label, bears, wraps, side, keys, own, box)
    field_of = np.full(2 * n + 1, -1, dtype=np.int64)
    count = 0
    for part in range(2 * n + 1):
        if present[part] and (part > n or (part < n and film_of[:, part].max() >= 0)):
            field_of[part] = count
            count += 1
    weight = np.empty((count, box[3] - box[0], box[4] - box[1], box[5] - box[2]))
    for part in range(2 * n + 1):
        if field_of[part] >= 0:
            smooth(parts, part, WINDOW, weight[field_of[part]])
    for x in range(box[0], box[3]):
        for y in range(box[1], box[4]):
            for z in range(box[2], box[5]):
                if zones[x, y, z] == own and near[x, y, z]:
                    far, share, which = _read(weight[:, x - box[0], y - box[1], z - box[2]], field_of, film_of)
                    distance[x, y, z], coated[x, y, z], film[x, y, z] = far, share, which


@kernel
def _read(weight, field_of, film_of):  # type: ignore[no-untyped-def]
    """Return the distance, coated share and film of a voxel from the weights of the sides around it."""
    n = len(film_of)
    inside = most = 0.0
    bearer = -1
    for phase in range(n):
        field = field_of[n + 1 + phase]
        if field >= 0 and weight[field] > 0.0:
            inside += weight[field]
            if weight[field] > most:
                bearer, most = phase, weight[field]
    outer = _WHOLE - inside
    if bearer < 0 or outer < _NOTHING:
        return 0.0, 0.0, -1
    best = -1
    coats = most = 0.0
    for phase in range(n):
        field = field_of[phase]
        if film_of[bearer, phase] >= 0 and field >= 0 and weight[field] > 0.0:
            coats += weight[field]
            if weight[field] > most * (1.0 + 1e-9):  # of equal weights the first
                best, most = phase, weight[field]
    if best < 0:
        return 0.0, 0.0, -1
    read = read_share(inside / _WHOLE, SMOOTHING)
    flat = exactly_flat(abs(read))
    far = abs(read) if flat < 0.0 else flat
    return (far if read > 0.0 else -far), min(coats / outer, 1.0), film_of[bearer, best]
