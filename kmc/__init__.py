"""What moves through a structure: one network, and the ways to read it.

`conduct` balances currents, `admittance_spectrum` those that alternate, `hop` lets carriers jump, `percolate` explains by a
graph. Public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Network": "kmc.network",
    "build_network": "kmc.network",
    "Outcome": "kmc.outcomes",
    "conduct": "kmc.conduction",
    "ConductionResult": "kmc.conduction",
    "conduct_over": "kmc.conduction",
    "admittance_spectrum": "kmc.impedance",
    "AdmittanceSpectrum": "kmc.impedance",
    "conductivity_tensor": "kmc.tensor",
    "hop": "kmc.hopping",
    "HopResult": "kmc.hopping",
    "run_lattice_gas": "kmc.hopping",
    "run_drift": "kmc.hopping",
    "percolate": "kmc.percolation",
    "PercolationResult": "kmc.percolation",
    "fit_arrhenius": "kmc.arrhenius",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'kmc' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
