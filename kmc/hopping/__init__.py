"""Kinetic Monte Carlo on the network: carriers that hop, exact in time."""

from kmc.hopping.hop import hop
from kmc.hopping.lattice_gas import LatticeGasResult, run_lattice_gas
from kmc.hopping.result import HopResult
from kmc.hopping.tracers import run_tracers

__all__ = ["HopResult", "LatticeGasResult", "hop", "run_lattice_gas", "run_tracers"]
