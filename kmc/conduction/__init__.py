"""Direct current through the network: effective conductivity, exact within a stated tolerance."""

from kmc.conduction.conduct import ConductionResult, conduct
from kmc.conduction.shares import activation_energy_eV, dissipation_shares
from kmc.conduction.steady import AxisSolution, solve_axis

__all__ = ["AxisSolution", "ConductionResult", "activation_energy_eV", "conduct", "dissipation_shares", "solve_axis"]
