"""Which number decides: d ln(sigma_eff) / d ln(p) of every number of the materials, from one solution.

Potentials are stationary, so to first order a change of the network costs sigma_eff only what the faces lose at the
potential they had: d ln(sigma_eff) = sum over faces of (share of the dissipation) d ln(g) (Tellegen's theorem; Penfield,
Spence and Duinker 1970). The sensitivity to a number is the share of the dissipation that happens in it: in the half cells
of a phase, in an interface, in a film. Conductances scale with all of them together, so they sum to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kmc.conduction.parameters import Parameter, answers, find_parameters
from kmc.conduction.shares import dissipation_shares_by_axis
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class Sensitivity(InNotebook):
    """How much one number of the materials decides.

    Attributes
    ----------
    parameter : Parameter
        The number, with its value at this temperature.
    sensitivity : float
        d ln(sigma_eff) / d ln(p); of a resistance, p is its inverse. A number that is 10 % better makes sigma_eff better
        by 10 % times this.
    at_point_contacts, at_thin_layers : float
        The parts of it that come from faces at point contacts, and beside thin reaction layers.
    """

    parameter: Parameter
    sensitivity: float
    at_point_contacts: float
    at_thin_layers: float

    def to_dict(self) -> dict[str, Any]:
        """Return the sensitivity as plain values."""
        known = self.parameter
        return {
            "kind": known.kind,
            "name": known.name,
            "sensitivity": self.sensitivity,
            "value": known.value,
            "unit": known.unit,
            "at_point_contacts": self.at_point_contacts,
            "at_thin_layers": self.at_thin_layers,
        }


def find_sensitivities(network: Network, solution: AxisSolution) -> tuple[Sensitivity, ...]:
    """Return the sensitivity of sigma_eff to every number of the materials, largest first; they sum to 1.

    Parameters
    ----------
    network : Network
        The network that was solved.
    solution : AxisSolution
        A converged solution that kept its potential.

    Raises
    ------
    InputError
        If the potential was not kept.

    Examples
    --------
    >>> from kmc.conduction.conduct import conduct
    >>> from microstructures.structure import VoxelStructure
    >>> layers = np.repeat([1, 2], 4)[:, None, None] * np.ones((1, 4, 4), int)
    >>> structure = VoxelStructure.from_labels(layers, voxel_nm=25, phases={1: "LFP", 2: "LATP"})
    >>> result = conduct(structure, keep_potential=True)
    >>> found = find_sensitivities(result.network, result.solutions[0])
    >>> found[0].parameter.name, round(sum(entry.sensitivity for entry in found), 6)
    ('LFP', 1.0)
    """
    shares = dissipation_shares_by_axis(network, solution)
    faces = network.faces
    layered = faces.shells.bin >= 0 if faces.shells is not None else np.zeros(faces.n_classes, dtype=np.bool_)
    found = []
    for parameter in find_parameters(network):
        by_class = (shares * answers(network, parameter)).sum(axis=0)
        if by_class.any():
            parts = [float(by_class.sum()), float(by_class[faces.point_contact].sum()), float(by_class[layered].sum())]
            found.append(Sensitivity(parameter, *parts))
    return tuple(sorted(found, key=lambda entry: -abs(entry.sensitivity)))
