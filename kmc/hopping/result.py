"""What independent carriers did, and how it follows from their displacements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.outcomes import Outcome


@dataclass(frozen=True)
class HopResult:
    """What independent carriers did; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    diffusivity_m2_per_s, diffusivity_stderr_m2_per_s : dict of axis to float
        Mean diffusivity of all carriers and its standard error over walkers.
    diffusivity_tensor_m2_per_s, diffusivity_tensor_stderr_m2_per_s : ndarray of shape (3, 3)
        The same with the products of displacements along different axes.
    sigma_eff_S_per_m, sigma_eff_stderr_S_per_m : dict of axis to float
        Effective conductivity and its standard error.
    outcome : Outcome
        How it ended.
    plateau : dict of axis to float
        How much the diffusivity still falls between half the lag and the lag, over its value: 0 within errors once settled.
    basins : dict or None
        Which regions were crossed in one event, and what that saved; None where every hop was made.
    residence_fraction : dict of phase to float
        Share of the time spent in each phase.
    mean_dwell_s : dict of phase to float or None
        Mean time a carrier stays in a phase before it hops into another; None where it never did.
    crossings : dict of "phaseA|phaseB" to int
        Hops from one phase or grain into another.
    msd_time_s : ndarray of shape (n_lags,)
        Lags of the mean square displacement.
    msd_m2 : ndarray of shape (n_lags, 3)
        Mean square displacement of the moving carriers.
    """

    carrier: str
    temperature_C: float
    boundary: str
    outcome: Outcome
    diffusivity_m2_per_s: dict[str, float]
    diffusivity_stderr_m2_per_s: dict[str, float]
    diffusivity_tensor_m2_per_s: NDArray[np.float64]
    diffusivity_tensor_stderr_m2_per_s: NDArray[np.float64]
    sigma_eff_S_per_m: dict[str, float]
    sigma_eff_stderr_S_per_m: dict[str, float]
    hops: int
    walkers: int
    hops_per_second: float
    simulated_time_s: float
    lag_s: float
    escape_time_s: float
    plateau: dict[str, float]
    basins: dict[str, Any] | None
    mobile_fraction: float
    carrier_density_per_m3: float
    residence_fraction: dict[str, float]
    mean_dwell_s: dict[str, float | None]
    crossings: dict[str, int]
    seed: int
    seconds: float
    msd_time_s: NDArray[np.float64] = field(repr=False)
    msd_m2: NDArray[np.float64] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "estimator": "kinetic Monte Carlo, independent tracers",
            "mode": "tracer",
            **{name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in plain.items()},
            "outcome": str(self.outcome),
            "advice": self.outcome.advice,
        }

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        rows = "".join(
            f"<tr><td>{a}</td><td>{self.sigma_eff_S_per_m[a]:.4g} &plusmn; {self.sigma_eff_stderr_S_per_m[a]:.2g}</td>"
            f"<td>{self.diffusivity_m2_per_s[a]:.4g} &plusmn; {self.diffusivity_stderr_m2_per_s[a]:.2g}</td></tr>"
            for a in "xyz"
        )
        return (
            f"<b>{self.carrier} hops at {self.temperature_C:g} degC, {self.boundary}: {self.outcome}</b>"
            f"<table><tr><th>axis</th><th>sigma_eff [S/m]</th><th>D [m2/s]</th></tr>{rows}</table>"
        )
