"""Kinetic Monte Carlo on the network: carriers that hop, exact in time."""

from kmc.hopping.ambipolar import ambipolar_diffusivity_m2_per_s
from kmc.hopping.checkpoint import Stopped
from kmc.hopping.drift import DriftResult, run_drift
from kmc.hopping.hop import hop
from kmc.hopping.lattice_gas import LatticeGasResult, run_lattice_gas
from kmc.hopping.result import HopResult
from kmc.hopping.tracers import run_tracers

__all__ = [
    "DriftResult",
    "HopResult",
    "LatticeGasResult",
    "Stopped",
    "ambipolar_diffusivity_m2_per_s",
    "hop",
    "run_drift",
    "run_lattice_gas",
    "run_tracers",
]
