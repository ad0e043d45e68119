"""Which faces inside grains scale with the conductivity of their phase, and how the others answer to other conditions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.faces.steps import PLAIN
from kmc.network import Network
from microstructures.jit import kernel

GROUPS = 4
"""Groups of faces inside grains that do not just scale with the conductivity of the phase."""
WARMER_K = 10.0
"""They are told apart by what so much does to them [K]."""

Integers = NDArray[np.int64]


def plain_classes(network: Network) -> NDArray[np.bool_]:
    """Return which classes conduct in proportion to the conductivity of one phase, shape (n_classes,), bool."""
    faces = network.faces
    plain = (faces.phases[:, 0] == faces.phases[:, 1]) & ~faces.interface & ~faces.point_contact & (faces.film < 0)
    plain &= faces.steps == PLAIN
    return plain if faces.shells is None else plain & (faces.shells.bin < 0)


def answer_groups(network: Network) -> Integers:
    """Return the group of every class, shape (n_classes,): by how much it gains from a higher temperature."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.nan_to_num(np.log(network.at(network.temperature_C + WARMER_K).conductance[0] / network.conductance[0]))
    low, high = float(gain[network.conductance[0] > 0.0].min(initial=0.0)), float(gain.max(initial=0.0))
    return np.minimum((gain - low) / max(high - low, 1e-9) * GROUPS, GROUPS - 1).astype(np.int64)


@kernel
def special_faces(node, voxels, first_voxel, place, shape, of_x, of_y, of_z, plain):  # type: ignore[no-untyped-def]
    """Return the ends, counted in the node, of the faces inside it that are not plain, and their class and axis."""
    nx, ny, nz = shape
    most = 3 * (first_voxel[node + 1] - first_voxel[node])
    ends, classes, n = np.empty((most, 2), dtype=np.int64), np.empty((most, 2), dtype=np.int64), 0
    for v in range(first_voxel[node], first_voxel[node + 1]):
        at = voxels[v]
        i, j, k = at // (ny * nz), at // nz % ny, at % nz
        for axis in range(3):
            face = np.int64(of_x[i, j, k] if axis == 0 else (of_y[i, j, k] if axis == 1 else of_z[i, j, k]))
            if face == 0 or plain[face]:
                continue
            i1, j1, k1 = (i + (axis == 0)) % nx, (j + (axis == 1)) % ny, (k + (axis == 2)) % nz
            ends[n, 0], ends[n, 1] = place[i, j, k], place[i1, j1, k1]
            classes[n, 0], classes[n, 1] = face, axis
            n += 1
    return ends[:n].copy(), classes[:n].copy()
