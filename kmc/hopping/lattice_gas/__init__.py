"""Lattice gas: carriers that exclude each other on the sites of the network, from equilibrium, exact in time.

Every voxel holds at most one carrier. Equilibrium and exact sums are in `sites`, bounds for the null events in `groups`, the
kernels in `kernel`, `start` and `measure`, the numbers a run returns in `result`. Several independent gases run side by side;
all standard errors come from their scatter. Above a filling of 0.8 the vacancies are followed instead of the carriers.
"""

from kmc.hopping.lattice_gas.result import LatticeGasResult
from kmc.hopping.lattice_gas.run import run_lattice_gas

__all__ = ["LatticeGasResult", "run_lattice_gas"]
