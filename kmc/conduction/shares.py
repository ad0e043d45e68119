"""Where the resistance sits: the share of the dissipation of every class of face, and what follows from it.

By Tellegen's theorem d ln(sigma_eff) = sum over faces of (share of the dissipation) d ln(g), so one solution tells how
sigma_eff answers to any change of the network, a temperature above all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.arrhenius import class_activation_energy_eV
from kmc.axes import AXES
from kmc.conduction.face_currents import kept_potential, mean_step
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.jit import parallel_kernel
from microstructures.units import thermal_energy_eV


def dissipation_shares(network: Network, solution: AxisSolution) -> NDArray[np.float64]:
    """Return the share of the dissipation of each class, shape (n_classes,); they sum to 1.

    Parameters
    ----------
    network : Network
        The network that was solved.
    solution : AxisSolution
        A solution that kept its potential.

    Raises
    ------
    InputError
        If the potential was not kept.
    """
    return np.asarray(dissipation_shares_by_axis(network, solution).sum(axis=0))


def dissipation_shares_by_axis(network: Network, solution: AxisSolution) -> NDArray[np.float64]:
    """Return the share of the dissipation of the faces of each axis and class, shape (3, n_classes); they sum to 1.

    Parameters, errors: see `dissipation_shares`.
    """
    potential = kept_potential(solution)
    faces, table = network.faces, network.conductance
    heat = np.zeros((3, faces.n_classes))
    for along, of_axis in enumerate(faces.of_axis):
        wraps, step = mean_step(solution, along)
        heat[along] = _heat(along, of_axis, table[along], potential, step, wraps, faces.n_classes)
    axis = AXES.index(solution.axis)
    for end, potential_of_plate in () if solution.boundary == "periodic" else ((0, 1.0), (-1, 0.0)):
        classes = faces.plates[axis][end]
        drop = np.take(potential, end, axis=axis) - potential_of_plate
        conducts = np.isfinite(drop)
        losses = 2.0 * table[axis][classes[conducts]] * drop[conducts] ** 2
        heat[axis] += np.bincount(classes[conducts], weights=losses, minlength=faces.n_classes)
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
    shares = dissipation_shares_by_axis(network, solution)
    energy = float((shares * class_activation_energy_eV(network)).sum())
    return energy + thermal_energy_eV(network.temperature_C) if of == "sigma_T" else energy


def mean_activation_energy_eV(network: Network, solutions: Sequence[AxisSolution]) -> float:
    """Return the activation energy [eV] of the mean of sigma_eff over axes: of ln(sigma), NaN where nothing flows.

    Parameters
    ----------
    network : Network
        What the solutions belong to.
    solutions : sequence of AxisSolution
        With their potentials; those without one, or without a flow, add nothing.
    """
    flows = [one for one in solutions if one.potential is not None and one.sigma_eff_S_per_m > 0.0]
    if not flows:
        return math.nan
    energies = [activation_energy_eV(network, one) for one in flows]
    return float(np.average(energies, weights=[one.sigma_eff_S_per_m for one in flows]))


@parallel_kernel
def _heat(axis, classes, table, x, step, wraps, n_classes):  # type: ignore[no-untyped-def]
    nx, ny, nz = x.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    slabs = 16
    heat = np.zeros((slabs, n_classes))
    for slab in prange(slabs):
        for i in range(slab * nx // slabs, (slab + 1) * nx // slabs):
            for j in range(ny):
                for k in range(nz):
                    i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
                    if not wraps and i1 + j1 + k1 <= i + j + k:
                        continue
                    drop = step + x[i, j, k] - x[i1, j1, k1]
                    face = classes[i, j, k]
                    if table[face] > 0.0 and np.isfinite(drop):
                        heat[slab, face] += table[face] * drop * drop
    return heat.sum(axis=0)
