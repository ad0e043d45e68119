"""Fields that follow from a potential: where the current runs, and where it loses its energy.

All are for a mean field of 1 V/m along the axis, so that the mean of the current density along it is sigma_eff, and so is
the mean of the dissipation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction.face_currents import face_currents, kept_potential, plate_currents
from kmc.conduction.parameters import answers, find_parameters
from kmc.conduction.steady import AxisSolution
from kmc.network import Network

Array = NDArray[np.float64]


def current_density(network: Network, solution: AxisSolution) -> Array:
    """Return the magnitude of the current density [A/m^2] of every voxel for 1 V over the block, shape (nx, ny, nz).

    NaN where nothing conducts.

    Raises
    ------
    InputError
        If the solution kept no potential.
    """
    per_field = np.sqrt((current_density_vector(network, solution) ** 2).sum(axis=0))
    return np.asarray(per_field / block_length_m(network, solution))


def current_density_vector(network: Network, solution: AxisSolution) -> Array:
    """Return the current density [A/m^2] at every voxel centre for a mean field of 1 V/m, shape (3, nx, ny, nz).

    Each component is the mean of the currents through both faces of the voxel, over their area; NaN where nothing conducts.
    The mean of the component along the axis, with 0 for NaN, is sigma_eff.

    Parameters
    ----------
    network, solution
        See `kmc.conduction.face_currents.face_currents`.

    Raises
    ------
    InputError
        If the solution kept no potential.

    Examples
    --------
    >>> from kmc.conduction.conduct import conduct
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = conduct(block, keep_potential=True)
    >>> float(current_density_vector(result.network, result.solutions[0])[0].mean().round(9))
    0.9
    """
    potential = kept_potential(solution)
    area, _ = network.faces.face_geometry()
    out = np.empty((3, *potential.shape))
    for axis in range(3):
        flow = face_currents(network, solution, axis)
        out[axis] = flow
        out[axis] += np.roll(flow, 1, axis=axis)
        if AXES[axis] == solution.axis:
            along = np.moveaxis(out[axis], axis, 0)
            low, high = plate_currents(network, solution)
            along[0] += low
            along[-1] += high
        out[axis] *= 0.5 * block_length_m(network, solution) / area[axis]
    out[:, ~np.isfinite(potential)] = np.nan
    return out


def dissipation_density(network: Network, solution: AxisSolution) -> Array:
    """Return the power [W/m^3] lost in every voxel for a mean field of 1 V/m, shape (nx, ny, nz); its mean is sigma_eff.

    What a face loses in the half cell of a phase belongs to the voxel of that phase; what it loses in an interface or a
    film is shared by both voxels.

    Parameters, errors: see `current_density_vector`.
    """
    potential = kept_potential(solution)
    faces = network.faces
    phase = faces.phase_of_label[network.structure.labels]
    of_first = _share_of_first_phase(network)
    out = np.zeros(potential.shape)
    for axis in range(3):
        flow = face_currents(network, solution, axis)
        classes, table = faces.of_axis[axis], network.conductance[axis]
        resistance = np.divide(1.0, table, out=np.zeros_like(table), where=table > 0.0)
        heat = flow * flow * resistance[classes]
        own = np.where(phase == faces.phases[classes, 0], of_first[axis][classes], 1.0 - of_first[axis][classes])
        out += heat * own
        out += np.roll(heat * (1.0 - own), 1, axis=axis)
    axis = AXES.index(solution.axis)
    along = np.moveaxis(out, axis, 0)
    for end, flow in zip((0, -1), plate_currents(network, solution), strict=True):
        conductance = 2.0 * network.conductance[axis][faces.plates[axis][end]]
        along[end] += np.divide(flow * flow, conductance, out=np.zeros_like(flow), where=conductance > 0.0)
    out *= block_length_m(network, solution) ** 2 / float(np.prod(network.structure.voxel_size))
    return out


def block_length_m(network: Network, solution: AxisSolution) -> float:
    """Return the length [m] of the block along the axis of a solution."""
    axis = AXES.index(solution.axis)
    return network.structure.shape[axis] * network.structure.voxel_size[axis]


def _share_of_first_phase(network: Network) -> Array:
    """Return which share of what a face loses belongs to the voxel of its first phase, shape (3, n_classes)."""
    faces = network.faces
    first, second = faces.phases.T.astype(np.intp)
    parts = np.zeros((2, *network.conductance.shape))
    for parameter in find_parameters(network):
        if parameter.kind == "phase" and parameter.name in faces.phase_names:
            number = faces.phase_names.index(parameter.name)
            answer = answers(network, parameter)
            for side, phases in enumerate((first, second)):
                parts[side] += np.where(phases == number, answer, 0.0)
    return np.where(first == second, 0.5, np.clip(0.5 * (1.0 + parts[0] - parts[1]), 0.0, 1.0))
