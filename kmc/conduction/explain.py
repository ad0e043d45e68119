"""What a solution tells beyond its number: which numbers decide it, which phases and which contacts carry it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kmc.conduction.contact_currents import ContactCurrents, contact_currents
from kmc.conduction.phase_currents import current_shares
from kmc.conduction.sensitivities import Sensitivity, find_sensitivities
from kmc.conduction.shares import activation_energy_eV
from kmc.conduction.steady import AxisSolution
from kmc.network import Network


@dataclass(frozen=True)
class Explanation:
    """What decides the conductivity along one axis, and who carries the current.

    Attributes
    ----------
    axis : "x", "y" or "z"
        Direction of transport.
    sensitivities : tuple of Sensitivity
        Largest first; they sum to 1.
    current_shares : dict of str to float
        Share of the current along the axis in every phase and film; they sum to 1.
    contacts : ContactCurrents
        Current through every contact of two grains.
    activation_energy_eV : float
        -d ln(sigma_eff) / d(1/kT), exact at the temperature of the network.
    """

    axis: str
    sensitivities: tuple[Sensitivity, ...]
    current_shares: dict[str, float]
    contacts: ContactCurrents
    activation_energy_eV: float


def explain_solution(network: Network, solution: AxisSolution) -> Explanation:
    """Return what decides a converged solution that kept its potential.

    Raises
    ------
    InputError
        If the potential was not kept.
    """
    return Explanation(
        axis=solution.axis,
        sensitivities=find_sensitivities(network, solution),
        current_shares=current_shares(network, solution),
        contacts=contact_currents(network, solution),
        activation_energy_eV=activation_energy_eV(network, solution),
    )


def explanations_to_dict(explanations: tuple[Explanation, ...]) -> dict[str, Any]:
    """Return explanations as plain values: of one axis bare, of several by axis."""
    of_axis = {
        entry.axis: {
            "sensitivities": [found.to_dict() for found in entry.sensitivities],
            "current_share": entry.current_shares,
            "grain_contacts": entry.contacts.to_dict(),
            "activation_energy_eV": entry.activation_energy_eV,
        }
        for entry in explanations
    }
    if len(of_axis) == 1:
        return dict(next(iter(of_axis.values())))
    keys = ("sensitivities", "current_share", "grain_contacts", "activation_energy_eV")
    return {key: {axis: entry[key] for axis, entry in of_axis.items()} for key in keys} if of_axis else {}
