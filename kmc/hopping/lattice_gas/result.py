"""What a lattice gas returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.outcomes import Outcome
from microstructures.notebook import InNotebook


@dataclass(frozen=True)
class LatticeGasResult(InNotebook):
    """What carriers that exclude each other did; `to_dict` gives the JSON of the command line.

    Diffusivities are slopes of mean square displacements between half a lag and the lag, as for tracers: that of single
    carriers gives the tracer diffusivity D*, that of the sum of all displacements R(t) the charge diffusivity,
    D_q = <R^2> / (2 N t). A lattice carrier stands for (physical carriers)/(expected lattice carriers) real ones, both counted
    on the connected sites, so that sigma_eff = q^2 <c> D_q / (kT) with the physical density <c>. For filling -> 0 this is the
    conductivity of independent tracers and of the solver; at a finite filling it falls, because carriers block each other:
    where the carrier density is the same everywhere, by exactly 1 - filling (symmetric exclusion; Spohn 1991).

    Attributes
    ----------
    filling, chemical_potential_eV : float or None
        Share of the connected sites that is occupied at equilibrium, and the chemical potential that gives it, above the
        energy of the best of them.
    diffusivity_m2_per_s, diffusivity_stderr_m2_per_s : dict of axis to float
        Tracer diffusivity, mean of all carriers on connected sites, and its standard error over gases. In a field, this and
        the charge diffusivity are those of the spread about the mean drift.
    charge_diffusivity_m2_per_s, charge_diffusivity_stderr_m2_per_s : dict of axis to float
        Charge diffusivity of the same carriers, and its standard error: about (2/n)^(1/2) of it with n lags in all gases
        together, whatever their size.
    chemical_diffusivity_m2_per_s, chemical_diffusivity_stderr_m2_per_s : dict of axis to float
        Diffusivity of a small difference in concentration, D_q times the thermodynamic factor, and its standard error.
    thermodynamic_factor : float or None
        <N>/Var(N) of the connected sites at equilibrium, sum n_i / sum n_i (1 - n_i), exact.
    sigma_eff_S_per_m, sigma_eff_stderr_S_per_m : dict of axis to float
        Effective conductivity q^2 <c> D_q / (kT) of the gas, and its standard error.
    haven_ratio : dict of axis to float or None
        Tracer over charge diffusivity; None where no charge moved.
    correlation_factor, correlation_factor_stderr : dict of axis to float, or None
        Tracer diffusivity over that of uncorrelated hops, (1 - filling) k h^2, where all sites and faces are alike.
    field_V_per_m : dict of axis to float, or None
        Electric field.
    drift_m_per_s, drift_stderr_m_per_s : dict of axis to float, or None
        Mean velocity of the carriers on connected sites in the second half of a run with a field, and its standard error.
    mobility_m2_per_Vs, mobility_stderr_m2_per_Vs : float or None
        Velocity along the field over the field; its magnitude for electrons, which drift against it.
    followed : "carriers" or "vacancies"
        What the kernel moved.
    occupancy, occupancy_expected : dict of phase to float
        Time mean occupancy of the mobile sites, and the exact one, z c / (1 + z c); a field changes the former only.
    walkers, gases : int
        Carriers of all gases together, and the number of gases.
    simulated_time_s : float
        Time each gas was followed for.
    outcome : Outcome
        How it ended.
    """

    carrier: str
    temperature_C: float
    boundary: str
    filling: float | None
    chemical_potential_eV: float | None
    outcome: Outcome
    diffusivity_m2_per_s: dict[str, float]
    diffusivity_stderr_m2_per_s: dict[str, float]
    charge_diffusivity_m2_per_s: dict[str, float]
    charge_diffusivity_stderr_m2_per_s: dict[str, float]
    chemical_diffusivity_m2_per_s: dict[str, float]
    chemical_diffusivity_stderr_m2_per_s: dict[str, float]
    thermodynamic_factor: float | None
    sigma_eff_S_per_m: dict[str, float]
    sigma_eff_stderr_S_per_m: dict[str, float]
    haven_ratio: dict[str, float | None]
    correlation_factor: dict[str, float] | None
    correlation_factor_stderr: dict[str, float] | None
    field_V_per_m: dict[str, float] | None
    drift_m_per_s: dict[str, float] | None
    drift_stderr_m_per_s: dict[str, float] | None
    mobility_m2_per_Vs: float | None
    mobility_stderr_m2_per_Vs: float | None
    followed: str
    occupancy: dict[str, float]
    occupancy_expected: dict[str, float]
    hops: int
    walkers: int
    gases: int
    hops_per_second: float
    simulated_time_s: float
    lag_s: float
    escape_time_s: float
    mobile_fraction: float
    carrier_density_per_m3: float
    residence_fraction: dict[str, float]
    crossings: dict[str, int]
    seed: int
    seconds: float
    msd_time_s: NDArray[np.float64] = field(repr=False)
    msd_m2: NDArray[np.float64] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "estimator": "kinetic Monte Carlo, lattice gas",
            "mode": "lattice-gas",
            **plain,
            "outcome": str(self.outcome),
            "advice": self.outcome.advice,
            "msd_time_s": self.msd_time_s.tolist(),
            "msd_m2": self.msd_m2.tolist(),
        }
