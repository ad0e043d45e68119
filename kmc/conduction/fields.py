"""Fields that follow from a potential: where the current runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.errors import InputError


def current_density(network: Network, solution: AxisSolution) -> NDArray[np.float64]:
    """Return the magnitude of the current density [A/m^2] of every voxel for a mean field of 1 V over the block.

    Each component is the mean of the currents through both faces of the voxel; NaN where nothing conducts.

    Raises
    ------
    InputError
        If the solution kept no potential.
    """
    x = solution.potential
    if x is None:
        raise InputError("the solution has no potential; solve with keep_potential=True")
    area, _ = network.faces.face_geometry()
    total = np.zeros(x.shape)
    known = np.nan_to_num(x)
    inside = np.isfinite(x)
    for axis, of_axis in enumerate(network.faces.of_axis):
        n = x.shape[axis]
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(0, n - 1), slice(1, n)
        a, b = tuple(low), tuple(high)
        flow = network.conductance[axis][of_axis[a]] * (known[a] - known[b]) * (inside[a] & inside[b])
        component = np.zeros(x.shape)
        component[a] += flow
        component[b] += flow
        if "xyz"[axis] == solution.axis:
            for end, plate in ((0, 1.0), (n - 1, 0.0)):
                at = [slice(None)] * 3
                at[axis] = slice(end, end + 1)
                classes = np.expand_dims(network.faces.plates[axis][0 if end == 0 else 1], axis)
                drop = (plate - known[tuple(at)]) * (1.0 if end == 0 else -1.0)
                component[tuple(at)] += 2.0 * network.conductance[axis][classes] * drop * inside[tuple(at)]
        total += (0.5 * component / area[axis]) ** 2
    return np.where(inside, np.sqrt(total), np.nan)
