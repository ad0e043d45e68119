"""Carriers in a uniform field: drift, mobility, and the diffusivity that Einstein's relation makes of it.

Hops along the field are faster by exp(u/2), those against it slower, u = q E h / kT. On a uniform lattice with the rate G one way
the drift is exactly 2 h G sinh(u/2); in any structure the mobility of a small field is D q / (kT).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kmc.connectivity import label_clusters
from kmc.hopping.equilibrium import mobile_carriers, site_sums
from kmc.hopping.field import charge_number, checked_work_kT
from kmc.hopping.tallies import by_axis, standard_error
from kmc.hopping.voxel_hops import VoxelHops
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.notebook import InNotebook
from microstructures.units import BOLTZMANN_EV_PER_K, ELEMENTARY_CHARGE_C, kelvin

PARTS = 32
"""Steps of a run; the first half only lets the carriers find their steady state."""
DEFAULT_WALKERS, DEFAULT_HOPS = 4096, 100_000_000


@dataclass(frozen=True)
class DriftResult(InNotebook):
    """What carriers do in a uniform field; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    field_V_per_m : dict of axis to float
        The field.
    drift_m_per_s, drift_stderr_m_per_s : dict of axis to float
        Mean velocity of all carriers and its standard error over walkers.
    mobility_m2_per_Vs, mobility_stderr_m2_per_Vs : float
        Velocity along the field over the field; its magnitude for electrons, which drift against it.
    einstein_diffusivity_m2_per_s, einstein_diffusivity_stderr_m2_per_s : float
        Mobility kT/q: the diffusivity along the field, if the field is small.
    sigma_eff_S_per_m, sigma_eff_stderr_S_per_m : float
        q c mobility, c the mean carrier density of the whole block.
    potential_per_voxel_kT : float
        Largest drop of potential over one voxel, in kT/q; the relations hold to u^2/24.
    """

    carrier: str
    temperature_C: float
    outcome: Outcome
    field_V_per_m: dict[str, float]
    drift_m_per_s: dict[str, float]
    drift_stderr_m_per_s: dict[str, float]
    mobility_m2_per_Vs: float
    mobility_stderr_m2_per_Vs: float
    einstein_diffusivity_m2_per_s: float
    einstein_diffusivity_stderr_m2_per_s: float
    sigma_eff_S_per_m: float
    sigma_eff_stderr_S_per_m: float
    potential_per_voxel_kT: float
    carrier_density_per_m3: float
    hops: int
    walkers: int
    simulated_time_s: float
    seed: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        words = {"outcome": str(self.outcome), "advice": self.outcome.advice}
        return {"estimator": "kinetic Monte Carlo, drift in a field", "mode": "drift", **plain, **words}


def run_drift(
    network: Network,
    field_V_per_m: tuple[float, float, float],
    *,
    walkers: int | None = None,
    time_s: float | None = None,
    hops: int | None = None,
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
    progress: Callable[[float, str], Any] | None = None,
) -> DriftResult:
    """Let carriers hop through a periodic network in a uniform field.

    Parameters
    ----------
    network : Network
        Face conductances; hop rates follow from them.
    field_V_per_m : tuple of 3 float
        Field along x, y, z [V/m].
    walkers : int, optional
        Number of carriers; 4096 unless given.
    time_s, hops : optional
        Time each is followed for [s], or hops of all together (1e8 unless given); the second half counts.
    seed, case, replica : int
        Key of the random streams.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    DriftResult

    Raises
    ------
    InputError
        If the field is zero or so strong that a voxel drops more than 20 kT/q, or a number is out of range.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> found = run_drift(build_network(block), (2e5, 0.0, 0.0), hops=4_000_000, seed=1)
    >>> abs(found.sigma_eff_S_per_m - 0.9) < 5 * found.sigma_eff_stderr_S_per_m
    True
    """
    start = time.perf_counter()
    field, size = np.array(field_V_per_m, dtype=np.float64), np.array(network.structure.voxel_size)
    thermal = BOLTZMANN_EV_PER_K * kelvin(network.temperature_C)
    drop = float(np.abs(checked_work_kT(network, field_V_per_m)).max())
    count = DEFAULT_WALKERS if walkers is None else walkers
    if not 2 <= count <= 10_000_000:
        raise InputError(f"walkers is {count}; allowed: 2 to 10000000 (an error needs at least two)")
    if time_s is not None and hops is not None:
        raise InputError("time_s and hops are both given; give one of them")
    carriers, conductance = site_sums(network, mirrored=False)
    weight = mobile_carriers(label_clusters(network, periodic=True), carriers)
    moving, density = float(weight.sum()), float(carriers.mean())
    value, error, done, mean_time = np.zeros(3), np.zeros(3), 0, 0.0
    if moving > 0.0:
        moves = VoxelHops(network, field_V_per_m=(field[0], field[1], field[2]))
        rate = float(conductance[weight > 0.0].sum()) * network.rate_factor / moving
        mean_time = time_s or (hops or DEFAULT_HOPS) / (count * rate)
        group = moves.start(weight, count, (seed, case, replica))
        for part in range(1, PARTS + 1):
            moves.advance(group, mean_time * part / PARTS)
            if 2 * part == PARTS:
                before = group.places.copy()
            if progress is not None:
                progress(part / PARTS, f"{group.hops.sum():.3g} hops")
        steps = (group.places - before) * size * (moving / carriers.sum()) / (0.5 * mean_time)
        value, error, done = steps.mean(axis=0), standard_error(steps), int(group.hops.sum())
    along = charge_number(network) * field / float(field @ field)
    mobility, mobility_error = float(value @ along), float(np.sqrt(((error * along) ** 2).sum()))
    return DriftResult(
        carrier=network.carrier,
        temperature_C=network.temperature_C,
        outcome=Outcome.CONVERGED if moving > 0.0 else Outcome.NOT_PERCOLATING,
        field_V_per_m=by_axis(field),
        drift_m_per_s=by_axis(value),
        drift_stderr_m_per_s=by_axis(error),
        mobility_m2_per_Vs=mobility,
        mobility_stderr_m2_per_Vs=mobility_error,
        einstein_diffusivity_m2_per_s=mobility * thermal,
        einstein_diffusivity_stderr_m2_per_s=mobility_error * thermal,
        sigma_eff_S_per_m=ELEMENTARY_CHARGE_C * density * mobility,
        sigma_eff_stderr_S_per_m=ELEMENTARY_CHARGE_C * density * mobility_error,
        potential_per_voxel_kT=drop,
        carrier_density_per_m3=density,
        hops=done,
        walkers=count if moving > 0.0 else 0,
        simulated_time_s=mean_time,
        seed=seed,
        seconds=time.perf_counter() - start,
    )
