"""From displacements to diffusivity and conductivity, with errors from the scatter of the walkers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.hopping.displacements import LAGS, MOST, PAIRS, QUOTED_LAG, Displacements
from kmc.hopping.plan import Plan
from kmc.hopping.result import HopResult
from kmc.hopping.tallies import by_axis, crossings_by_pair, standard_error
from kmc.hopping.walkers import Walkers
from kmc.network import Network
from kmc.outcomes import Outcome
from kmc.rates import mobility_factor

Array = NDArray[np.float64]
HALF_BOX = 0.5
"""Mean square displacement at the lag over the square of the box, from which on a carrier has seen enough of it."""


@dataclass(frozen=True)
class Estimator:
    """What turns counts into a result: all that stays the same during a run."""

    network: Network
    boundary: str
    clusters: Clusters
    mobile_fraction: float
    carrier_density_per_m3: float
    seed: int

    def progress(
        self,
        plan: Plan,
        found: Displacements,
        walkers: Walkers,
        intervals: float,
        rel_error: float | None,
        most_hops: int | None,
    ) -> tuple[float, str]:
        """Return the share of the run that is done, 1 at its end, and D with its error in words.

        Parameters
        ----------
        plan : Plan
            How long the intervals are.
        found : Displacements
            Windows so far.
        walkers : Walkers
            Who counts the hops.
        intervals : float
            Intervals behind.
        rel_error, most_hops
            Where an error decides: which, and after how many hops to give up.
        """
        hops = int(walkers.hops.sum())
        text = f"{hops:.3g} hops"
        error = np.inf
        if found.samples >= QUOTED_LAG and self.open_axes.any():
            value, stderr = (part[:3][self.open_axes] for part in self._diffusivity(plan, found))
            error = float((stderr / np.maximum(value, 1e-300)).max()) if (value > 0.0).all() else np.inf
            text += f", D {value.mean():.4g} m2/s +- {100.0 * error:.2g} %"
        if plan.samples is not None:
            return intervals / plan.samples, text
        assert rel_error is not None
        if intervals < MOST or not float(intervals).is_integer():
            return min(0.5, 0.5 * intervals / MOST), text
        share = 1.0 if error <= rel_error else max(0.5, min(0.99, (rel_error / error) ** 2))
        return (1.0 if most_hops is not None and hops >= most_hops else share), text

    def has_settled(self, plan: Plan, found: Displacements) -> bool:
        """Return whether carriers have left grains and seen half the box, and D no longer falls with the lag.

        D falls until carriers have met what there is: the slowest mode of a box of length L dies out as exp(-4 pi^2 D t/L^2). At
        a mean square displacement of 0.5 L^2 it adds to D below 0.5 % of what it added at first. The fall between half the
        lag and the lag may then be nothing within 3 standard errors, or 2 %.
        """
        edges = np.array(self.network.structure.shape)
        far = found.mean_products(QUOTED_LAG)[:, :3].mean(axis=0) >= HALF_BOX * edges**2
        return plan.lag_s >= plan.escape_time_s and bool(far[self.open_axes].all()) and self._plateau(found)[1]

    def result(
        self,
        plan: Plan,
        found: Displacements,
        walkers: Walkers,
        residence_s: Array,
        time_s: float,
        basins: dict[str, Any] | None,
        seconds: float,
    ) -> HopResult:
        """Return what the walkers did up to `time_s`; `residence_s` is the time they spent in each phase."""
        network, hops = self.network, int(walkers.hops.sum())
        value, error = self._diffusivity(plan, found)
        conduct = self.carrier_density_per_m3 / mobility_factor(network.temperature_C)
        plateau, _ = self._plateau(found)
        crossings = walkers.crossings.sum(axis=0)
        size = np.array(network.structure.voxel_size)
        lags = [lag for lag in LAGS if lag <= found.samples]
        names = network.faces.phase_names
        shares = residence_s / residence_s.sum()
        return HopResult(
            carrier=network.carrier,
            temperature_C=network.temperature_C,
            boundary=self.boundary,
            outcome=Outcome.CONVERGED if self.has_settled(plan, found) else Outcome.NOT_EQUILIBRATED,
            diffusivity_m2_per_s=by_axis(value[:3]),
            diffusivity_stderr_m2_per_s=by_axis(error[:3]),
            diffusivity_tensor_m2_per_s=_matrix(value),
            diffusivity_tensor_stderr_m2_per_s=_matrix(error),
            sigma_eff_S_per_m=by_axis(value[:3] * conduct),
            sigma_eff_stderr_S_per_m=by_axis(error[:3] * conduct),
            hops=hops,
            walkers=len(walkers.sites),
            hops_per_second=hops / seconds,
            simulated_time_s=time_s,
            lag_s=plan.lag_s,
            escape_time_s=plan.escape_time_s,
            plateau=by_axis(plateau),
            basins=basins,
            mobile_fraction=self.mobile_fraction,
            carrier_density_per_m3=self.carrier_density_per_m3,
            residence_fraction={name: float(share) for name, share in zip(names, shares, strict=True)},
            mean_dwell_s=self._dwell(residence_s, crossings),
            crossings=crossings_by_pair(network, crossings),
            seed=self.seed,
            seconds=seconds,
            msd_time_s=np.array(lags) * plan.interval_s,
            msd_m2=np.array([found.mean_products(lag)[:, :3].mean(axis=0) * size**2 for lag in lags]),
        )

    @property
    def open_axes(self) -> NDArray[np.bool_]:
        """Return along which axes anything percolates, shape (3,)."""
        return np.asarray(self.clusters.spans.any(axis=0))

    def _diffusivity(self, plan: Plan, found: Displacements) -> tuple[Array, Array]:
        """Return diffusivity and standard error [m^2/s] of each of `PAIRS`."""
        slopes = found.slopes(QUOTED_LAG)
        size = np.array(self.network.structure.voxel_size)
        to_si = np.array([size[a] * size[b] for a, b in PAIRS]) * self.mobile_fraction / plan.interval_s
        open_ = np.array([self.open_axes[a] and self.open_axes[b] for a, b in PAIRS])
        error = standard_error(slopes)
        return np.where(open_, slopes.mean(axis=0) * to_si, 0.0), np.where(open_, error * to_si, 0.0)

    def _plateau(self, found: Displacements) -> tuple[Array, bool]:
        """Return by what share D still falls along each axis, and whether that is nothing within its error or below 2 %."""
        later, earlier = found.slopes(QUOTED_LAG)[:, :3], found.slopes(QUOTED_LAG // 2)[:, :3]
        falls, level = earlier - later, later.mean(axis=0)
        drop, error = falls.mean(axis=0), standard_error(falls)
        fine = (drop <= 3.0 * error) | (drop <= 0.02 * level)
        share = np.divide(drop, level, out=np.zeros(3), where=self.open_axes & (level > 0.0))
        return share, bool(fine[self.open_axes].all())

    def _dwell(self, residence_s: Array, crossings: NDArray[np.int64]) -> dict[str, float | None]:
        """Return the mean stay in each phase [s]; at equilibrium half of the hops between two phases leave each of them."""
        faces = self.network.faces
        leaves = np.zeros(len(faces.phase_names))
        low, high = faces.phases.T.astype(np.intp)
        between = low != high
        np.add.at(leaves, low[between], 0.5 * crossings[between])
        np.add.at(leaves, high[between], 0.5 * crossings[between])
        return {
            name: float(time / count) if count > 0.0 else None
            for name, time, count in zip(faces.phase_names, residence_s, leaves, strict=True)
        }


def _matrix(values: Array) -> Array:
    """Return the symmetric matrix of the products in `PAIRS`."""
    out = np.zeros((3, 3))
    for (a, b), value in zip(PAIRS, values, strict=True):
        out[a, b] = out[b, a] = value
    return out


def nothing_moves(network: Network, boundary: str, outcome: Outcome, density: float, seed: int, seconds: float) -> HopResult:
    """Return the result where no carrier can get anywhere: exact zeros."""
    zero = dict.fromkeys("xyz", 0.0)
    return HopResult(
        carrier=network.carrier, temperature_C=network.temperature_C, boundary=boundary, outcome=outcome,
        diffusivity_m2_per_s=zero, diffusivity_stderr_m2_per_s=zero, diffusivity_tensor_m2_per_s=np.zeros((3, 3)),
        diffusivity_tensor_stderr_m2_per_s=np.zeros((3, 3)), sigma_eff_S_per_m=zero, sigma_eff_stderr_S_per_m=zero,
        hops=0, walkers=0, hops_per_second=0.0, simulated_time_s=0.0, lag_s=0.0, escape_time_s=0.0, plateau=zero, basins=None,
        mobile_fraction=0.0, carrier_density_per_m3=density, residence_fraction={}, mean_dwell_s={}, crossings={}, seed=seed,
        seconds=seconds, msd_time_s=np.zeros(0), msd_m2=np.zeros((0, 3)),
    )  # fmt: skip
