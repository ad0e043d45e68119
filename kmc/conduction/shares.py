"""Where the resistance sits: the share of the dissipation of every class of face, and what follows from it.

By Tellegen's theorem d ln(sigma_eff) = sum over faces of (share of the dissipation) d ln(g), so one solution tells how
sigma_eff answers to any change of the network, a temperature above all.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.arrhenius import class_activation_energy_eV
from kmc.axes import AXES
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.errors import InputError
from microstructures.jit import parallel_kernel
from microstructures.units import thermal_energy_eV


def dissipation_shares(network: Network, solution: AxisSolution) -> NDArray[np.float64]:
    """Return the share of the dissipation of each class between plates, shape (n_classes,); they sum to 1.

    Parameters
    ----------
    network : Network
        The network that was solved.
    solution : AxisSolution
        A solution between plates that kept its potential.

    Raises
    ------
    InputError
        If the potential was not kept.
    """
    x = solution.potential
    if x is None:
        raise InputError("the solution has no potential; solve with keep_potential=True")
    axis = AXES.index(solution.axis)
    faces, table = network.faces, network.conductance
    heat = np.zeros(faces.n_classes)
    potential = np.ascontiguousarray(x)
    for along, of_axis in enumerate(faces.of_axis):
        heat += _heat(along, of_axis, table[along], potential, faces.n_classes)
    for end, potential_of_plate in ((0, 1.0), (-1, 0.0)):
        classes = faces.plates[axis][end]
        drop = np.take(potential, end, axis=axis) - potential_of_plate
        conducts = np.isfinite(drop)
        losses = 2.0 * table[axis][classes[conducts]] * drop[conducts] ** 2
        heat += np.bincount(classes[conducts], weights=losses, minlength=faces.n_classes)
    total = heat.sum()
    return heat / total if total > 0.0 else heat


def activation_energy_eV(network: Network, solution: AxisSolution, *, of: str = "sigma") -> float:
    """Return -d ln(sigma_eff) / d(1/kT) [eV] at the network's temperature, exactly, from one solution.

    Parameters
    ----------
    network, solution
        See `dissipation_shares`.
    of : "sigma" or "sigma_T"
        Whether of sigma or of sigma * T, which is larger by kT.
    """
    energy = float(dissipation_shares(network, solution) @ class_activation_energy_eV(network))
    return energy + thermal_energy_eV(network.temperature_C) if of == "sigma_T" else energy


@parallel_kernel
def _heat(axis, classes, table, x, n_classes):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    slabs = 16
    heat = np.zeros((slabs, n_classes))
    for slab in prange(slabs):
        for i in range(slab * nx // slabs, (slab + 1) * nx // slabs):
            for j in range(ny):
                for k in range(nz):
                    if i + di == nx or j + dj == ny or k + dk == nz:
                        continue
                    drop = x[i, j, k] - x[i + di, j + dj, k + dk]
                    face = classes[i, j, k]
                    if table[face] > 0.0 and np.isfinite(drop):
                        heat[slab, face] += table[face] * drop * drop
    return heat.sum(axis=0)
