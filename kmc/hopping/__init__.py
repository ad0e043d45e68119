"""Kinetic Monte Carlo on the network: carriers that hop, exact in time."""

from kmc.hopping.hop import hop
from kmc.hopping.tracers import HopResult, run_tracers

__all__ = ["HopResult", "hop", "run_tracers"]
