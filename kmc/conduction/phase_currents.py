"""Who carries the current: the share of every phase and film in its volume integral along the axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction.face_currents import face_currents, plate_currents
from kmc.conduction.parameters import answers, find_parameters
from kmc.conduction.steady import AxisSolution
from kmc.network import Network


def current_shares(network: Network, solution: AxisSolution) -> dict[str, float]:
    """Return the share of the current that each phase, and each film, carries along the axis; they sum to 1.

    The share of a phase is the volume integral of the current density along the axis over its voxels, over that of the
    whole block. What films carry is taken out of the voxels that they are spread over and named "film A|B"; a thin
    reaction layer counts for the voxels that it lies in.

    Parameters, errors: see `kmc.conduction.face_currents.face_currents`.

    Examples
    --------
    >>> from kmc.conduction.conduct import conduct
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = conduct(block, keep_potential=True)
    >>> {name: round(share, 9) for name, share in current_shares(result.network, result.solutions[0]).items()}
    {'LATP': 1.0}
    """
    axis, faces = AXES.index(solution.axis), network.faces
    phase = np.moveaxis(faces.phase_of_label[network.structure.labels], axis, 0)
    flow = np.moveaxis(face_currents(network, solution, axis), axis, 0)
    classes = np.moveaxis(faces.of_axis[axis], axis, 0)
    films = _film_shares(network, axis)
    in_film = np.zeros(faces.n_classes)
    for share in films.values():
        in_film += share
    count = len(faces.phase_names)

    def by_phase(phases: NDArray[np.uint8], flows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(phases.ravel(), weights=flows.ravel(), minlength=count), dtype=np.float64)

    in_voxels = flow * (1.0 - in_film[classes])
    carried = 0.5 * (by_phase(phase, in_voxels) + by_phase(np.roll(phase, -1, axis=0), in_voxels))
    by_class: NDArray[np.float64] = np.zeros(faces.n_classes)
    by_class += np.bincount(classes.ravel(), weights=flow.ravel(), minlength=faces.n_classes)
    for end, current in zip((0, -1), plate_currents(network, solution), strict=True):
        at = faces.plates[axis][end]
        carried += 0.5 * by_phase(phase[end], current * (1.0 - in_film[at]))
        by_class += 0.5 * np.bincount(at.ravel(), weights=current.ravel(), minlength=faces.n_classes)
    found = {name: float(value) for name, value in zip(faces.phase_names, carried, strict=True)}
    found |= {name: float(by_class @ share) for name, share in films.items()}
    total = sum(found.values())
    return {name: value / total if total > 0.0 else 0.0 for name, value in found.items()}


def _film_shares(network: Network, axis: int) -> dict[str, NDArray[np.float64]]:
    """Return which share of the current through a face along an axis runs in each film, by class."""
    along = ~network.faces.film_across
    return {
        f"film {parameter.name}": np.where(along, answers(network, parameter)[axis], 0.0)
        for parameter in find_parameters(network)
        if parameter.kind == "film"
    }
