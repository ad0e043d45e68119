"""Direct current through the network: effective conductivity, exact within a stated tolerance."""

from kmc.conduction.conduct import ConductionResult, conduct
from kmc.conduction.steady import AxisSolution, solve_axis

__all__ = ["AxisSolution", "ConductionResult", "conduct", "solve_axis"]
