"""What a fired body conducts, at which activation energy, and how much of its dissipation is in what is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cofire.calibration.materials import BOUNDARY_PAIR, FILM_BEARER
from cofire.calibration.result import TEMPERATURE_C
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.conduction.sensitivities import find_sensitivities
from kmc.faces import FaceTable
from kmc.network import build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.materials import Carrier, Materials
from microstructures.units import mS_per_cm

TOLERANCE = 1e-6
"""Of the solver."""


@dataclass(frozen=True)
class Observed:
    """What the replicas conduct [mS/cm], its activation energy [eV] and the share of what is fitted, each shape (n,)."""

    sigma: NDArray[np.float64]
    energy: NDArray[np.float64]
    share: NDArray[np.float64]

    @property
    def weighted_share(self) -> float:
        """Return the sensitivity of the mean over replicas."""
        return float((self.sigma * self.share).sum() / self.sigma.sum())


def observe_body(faces: FaceTable, materials: Materials, carrier: Carrier, seed: int) -> tuple[float, float, float]:
    """Return sigma [mS/cm], its activation energy [eV] and the share of what is fitted, means over the axes."""
    network = build_network(faces, materials, carrier=carrier, temperature_C=TEMPERATURE_C)
    result = conduct(network, axis="all", boundary="periodic", tolerance=TOLERANCE, keep_potential=True)
    if result.outcome is not Outcome.CONVERGED:
        raise InputError(f"seed {seed}, {carrier}: {result.outcome}; {result.outcome.advice}")
    sigma, share = [], []
    for solution in result.solutions:
        sigma.append(mS_per_cm(solution.sigma_eff_S_per_m))
        found = find_sensitivities(network, solution)
        share.append(sum(s.sensitivity for s in found if _is_fitted(s.parameter.kind, s.parameter.name, carrier)))
    return float(np.mean(sigma)), mean_activation_energy_eV(network, result.solutions), float(np.average(share, weights=sigma))


def _is_fitted(kind: str, name: str, carrier: Carrier) -> bool:
    if carrier == "ion":
        return (kind, name) == ("interface", BOUNDARY_PAIR)
    return kind == "film" and name.split("|")[0] == FILM_BEARER
