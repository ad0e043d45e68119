"""From the sums of a lattice gas to its result: slopes, errors from the scatter of the gases, means by phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.field import charge_number
from kmc.hopping.lattice_gas.measure import LEVELS
from kmc.hopping.lattice_gas.plan import LAG, Plan
from kmc.hopping.lattice_gas.result import LatticeGasResult
from kmc.hopping.lattice_gas.sites import GasSites
from kmc.hopping.lattice_gas.state import GasState
from kmc.hopping.tallies import by_axis, crossings_by_pair
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

LAGS = 1 << np.arange(LEVELS)


@dataclass(frozen=True)
class _Slope:
    """Sums of squares per gas [voxels^2] over lag/4, lag/2 and lag, shape (gases, 3 lags, 3 axes), and their slopes."""

    sums: NDArray[np.float64]

    def later(self) -> NDArray[np.float64]:
        """Return the slope between half a lag and the lag [voxels^2 per interval] of each gas and axis."""
        return (self.sums[:, 2] - self.sums[:, 1]) / LAG

    def earlier(self) -> NDArray[np.float64]:
        """Return the slope between a quarter and half of the lag."""
        return (self.sums[:, 1] - self.sums[:, 0]) / (LAG // 2)


def summarize(
    network: Network,
    clusters: Clusters,
    sites: GasSites,
    plan: Plan,
    state: GasState,
    field_V_per_m: tuple[float, float, float] | None,
    seed: int,
    hops_here: int,
    seconds: float,
) -> LatticeGasResult:
    """Return the result of a run that is done; `hops_here` hops took `seconds`."""
    size, names = np.array(network.structure.voxel_size), network.faces.phase_names
    mobile_fraction = sites.mobile_carriers / sites.carriers
    open_axes = np.asarray(clusters.spans.any(axis=0))
    carriers = _carriers(sites, state)
    to_si = np.where(open_axes, mobile_fraction * size**2 / plan.interval_s, 0.0)
    weights = np.repeat(np.maximum(carriers, 1e-300)[:, None].astype(np.float64), 3, axis=1)
    single, together = _slopes(plan, state, carriers, drifting=field_V_per_m is not None)
    tracer, tracer_error = _ratio(single.later(), weights)
    charge, charge_error = _ratio(together.later() * (plan.parts / plan.charge_lag), weights)
    density = sites.density_per_m3
    conduct = density * ELEMENTARY_CHARGE_C**2 / (BOLTZMANN_J_PER_K * kelvin(network.temperature_C))
    factor = _correlation_factor(sites, plan, carriers, single)
    drift = _drift(network, plan, state, weights, np.where(open_axes, mobile_fraction * size, 0.0), field_V_per_m)
    residence, room, expected = _residence(sites, plan, state, len(names))
    return LatticeGasResult(
        carrier=network.carrier,
        temperature_C=network.temperature_C,
        boundary="periodic",
        filling=sites.filling,
        chemical_potential_eV=sites.chemical_potential_eV,
        outcome=_outcome(sites, plan, single, weights, open_axes),
        diffusivity_m2_per_s=by_axis(tracer * to_si),
        diffusivity_stderr_m2_per_s=by_axis(tracer_error * to_si),
        charge_diffusivity_m2_per_s=by_axis(charge * to_si),
        charge_diffusivity_stderr_m2_per_s=by_axis(charge_error * to_si),
        chemical_diffusivity_m2_per_s=by_axis(charge * to_si * sites.thermodynamic_factor),
        chemical_diffusivity_stderr_m2_per_s=by_axis(charge_error * to_si * sites.thermodynamic_factor),
        thermodynamic_factor=sites.thermodynamic_factor,
        sigma_eff_S_per_m=by_axis(charge * to_si * conduct),
        sigma_eff_stderr_S_per_m=by_axis(charge_error * to_si * conduct),
        haven_ratio={
            axis: float(tracer[n] / charge[n]) if open_axes[n] and charge[n] != 0.0 else None for n, axis in enumerate("xyz")
        },
        correlation_factor=None if factor is None else by_axis(factor[0]),
        correlation_factor_stderr=None if factor is None else by_axis(factor[1]),
        **drift,
        followed="vacancies" if sites.vacancies else "carriers",
        occupancy={name: float(residence[n] / room[n]) for n, name in enumerate(names) if room[n] > 0.0},
        occupancy_expected={name: float(expected[n] / room[n]) for n, name in enumerate(names) if room[n] > 0.0},
        hops=int(state.hops.sum()),
        walkers=int(carriers.sum()),
        gases=len(carriers),
        hops_per_second=hops_here / seconds,
        simulated_time_s=plan.time_s,
        lag_s=plan.interval_s * LAG,
        escape_time_s=sites.escape_time_s,
        mobile_fraction=mobile_fraction,
        carrier_density_per_m3=density,
        residence_fraction={
            name: float(share) for name, share in zip(names, residence / max(residence.sum(), 1e-300), strict=True)
        },
        crossings=crossings_by_pair(network, state.crossings.sum(axis=0)),
        seed=seed,
        seconds=seconds,
        msd_time_s=np.asarray(LAGS * plan.interval_s, dtype=np.float64),
        msd_m2=single.sums.sum(axis=0) / max(int(carriers.sum()), 1) * size**2,
    )


def nothing_moves(
    network: Network, filling: float | None, chemical_potential_eV: float | None, seed: int, gases: int, seconds: float
) -> LatticeGasResult:
    """Return the result where no cluster winds around the box."""
    zero = dict.fromkeys("xyz", 0.0)
    outcome = Outcome.NOT_PERCOLATING if network.conducts() else Outcome.FROZEN
    carriers, _ = site_sums(network, mirrored=False)
    return LatticeGasResult(
        carrier=network.carrier, temperature_C=network.temperature_C, boundary="periodic", filling=filling,
        chemical_potential_eV=chemical_potential_eV, outcome=outcome, diffusivity_m2_per_s=zero,
        diffusivity_stderr_m2_per_s=zero, charge_diffusivity_m2_per_s=zero, charge_diffusivity_stderr_m2_per_s=zero,
        chemical_diffusivity_m2_per_s=zero, chemical_diffusivity_stderr_m2_per_s=zero, thermodynamic_factor=None,
        sigma_eff_S_per_m=zero, sigma_eff_stderr_S_per_m=zero, haven_ratio=dict.fromkeys("xyz"), correlation_factor=None,
        correlation_factor_stderr=None, field_V_per_m=None, drift_m_per_s=None, drift_stderr_m_per_s=None,
        mobility_m2_per_Vs=None, mobility_stderr_m2_per_Vs=None, followed="carriers", occupancy={}, occupancy_expected={},
        hops=0, walkers=0, gases=gases, hops_per_second=0.0, simulated_time_s=0.0, lag_s=0.0, escape_time_s=0.0,
        mobile_fraction=0.0, carrier_density_per_m3=float(carriers.mean()), residence_fraction={}, crossings={}, seed=seed,
        seconds=seconds, msd_time_s=np.zeros(0), msd_m2=np.zeros((0, 3)),
    )  # fmt: skip


def _carriers(sites: GasSites, state: GasState) -> NDArray[np.int64]:
    movers = state.counts.sum(axis=1)
    return np.asarray(sites.groups.size.sum() - movers if sites.vacancies else movers)


def _slopes(plan: Plan, state: GasState, carriers: NDArray[np.int64], drifting: bool) -> tuple[_Slope, _Slope]:
    """Return the mean square displacements of single carriers and of the charge, about the mean drift if there is one."""
    windows, lags = (plan.intervals // LAGS)[:, None], LAGS * plan.charge_lag
    squares, charge, parts = state.squares / windows, state.charge.astype(np.float64), plan.intervals * plan.parts
    if drifting:
        drift = charge[:, -1:] / parts
        share = drift / np.maximum(carriers, 1)[:, None, None]
        squares -= carriers[:, None, None] * (share * plan.parts * LAGS[:, None]) ** 2
        charge -= drift * np.arange(parts + 1)[:, None]
    spread = np.stack([((charge[:, n:] - charge[:, :-n]) ** 2).mean(axis=1) for n in lags], axis=1)
    # about its own mean, a gas without memory strays less by a share lag/time
    return _Slope(squares), _Slope(spread / (1.0 - lags[:, None] / parts) if drifting else spread)


def _ratio(sums: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sum/weight over all gases and its standard error from the scatter of the gases."""
    total = weights.sum(axis=0)
    mean = sums.sum(axis=0) / total
    scatter = sums - mean * weights
    n = len(sums)
    return mean, np.sqrt(n / (n - 1) * (scatter**2).sum(axis=0)) / total


def _drift(
    network: Network,
    plan: Plan,
    state: GasState,
    weights: NDArray[np.float64],
    voxel_m: NDArray[np.float64],
    field_V_per_m: tuple[float, float, float] | None,
) -> dict[str, Any]:
    """Return drift velocity and mobility of the second half of the run, from the displacements of all carriers."""
    names = ("drift_m_per_s", "drift_stderr_m_per_s", "mobility_m2_per_Vs", "mobility_stderr_m2_per_Vs")
    if field_V_per_m is None:
        return {"field_V_per_m": None, **dict.fromkeys(names)}
    all_parts = plan.intervals * plan.parts
    half = all_parts // 2
    mean, error = _ratio((state.charge[:, -1] - state.charge[:, half]).astype(np.float64), weights)
    to_si = voxel_m / ((all_parts - half) * plan.interval_s / plan.parts)
    field = np.array(field_V_per_m)
    along = charge_number(network) * field / float(field @ field)
    mobility, mobility_error = float(mean * to_si @ along), float(np.linalg.norm(error * to_si * along))
    values = (by_axis(mean * to_si), by_axis(error * to_si), mobility, mobility_error)
    return {"field_V_per_m": by_axis(field), **dict(zip(names, values, strict=True))}


def _residence(
    sites: GasSites, plan: Plan, state: GasState, n_phases: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return by phase the time of all carriers on its mobile sites, of all these sites, and of the expected carriers."""
    groups = sites.groups
    room = groups.size.astype(np.float64) * (len(state.counts) * plan.time_s)
    movers: NDArray[np.float64] = state.residence.sum(axis=0)
    carriers = room - movers if sites.vacancies else movers

    def by_phase(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(n_phases)
        np.add.at(total, groups.phase, values)
        return total

    return by_phase(carriers), by_phase(room), by_phase(room * sites.occupancy)


def _outcome(
    sites: GasSites, plan: Plan, single: _Slope, weights: NDArray[np.float64], open_axes: NDArray[np.bool_]
) -> Outcome:
    """Return whether the lag outlasts the grains and the tracers' slope has settled, as far as its error shows."""
    falls = (single.earlier() - single.later())[:, open_axes].mean(axis=1)
    drop, error = _ratio(falls, weights[:, 0])
    level, _ = _ratio(single.later()[:, open_axes].mean(axis=1), weights[:, 0])
    settled = drop <= 3.0 * error or drop <= 0.02 * level
    return Outcome.CONVERGED if settled and plan.interval_s * LAG >= sites.escape_time_s else Outcome.NOT_EQUILIBRATED


def _correlation_factor(
    sites: GasSites, plan: Plan, carriers: NDArray[np.int64], single: _Slope
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return f = D* / (k h^2 (1 - filling)) and its error; each gas with its own number of empty sites as a carrier sees it."""
    room = int(sites.groups.size.sum())
    share = carriers * ((room - carriers) / max(room - 1, 1))
    if sites.uniform_rate is None or not share.any():
        return None
    return _ratio(single.later(), share[:, None] * (sites.uniform_rate * plan.interval_s))
