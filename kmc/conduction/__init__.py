"""Direct current through the network: effective conductivity, exact within a stated tolerance."""

from kmc.conduction.conduct import ConductionResult, conduct
from kmc.conduction.shares import activation_energy_eV, dissipation_shares, mean_activation_energy_eV
from kmc.conduction.steady import AxisSolution, solve_axis
from kmc.conduction.temperatures import TemperatureSeries, conduct_over

__all__ = [
    "AxisSolution",
    "ConductionResult",
    "TemperatureSeries",
    "activation_energy_eV",
    "conduct",
    "conduct_over",
    "dissipation_shares",
    "mean_activation_energy_eV",
    "solve_axis",
]
