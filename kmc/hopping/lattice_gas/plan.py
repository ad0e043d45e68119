"""How long a lattice gas runs, and in which steps: intervals for the tracers, parts for the charge, batches for the clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kmc.hopping.field import checked_work_kT
from kmc.hopping.lattice_gas.measure import LEVELS
from kmc.hopping.lattice_gas.sites import GasSites
from kmc.network import Network
from microstructures.errors import InputError

BATCHES, BATCH_ATTEMPTS = 16, 40_000_000
"""At least so many batches, each with no more than about so many attempts of all gases."""
DEFAULT_HOPS, DEFAULT_ATTEMPTS = 100_000_000, 400_000_000
LARGEST_HOPS = 10**15
LARGEST_SIDE = 1 << 20
LARGEST_POTENTIAL_eV = 5.0
LAG = 1 << (LEVELS - 1)
"""The diffusivity is quoted at a lag of this many intervals."""
FEWEST_LAGS, MOST_LAGS = 4, 4096
ESCAPES_PER_LAG = 4.0
CROSSINGS_PER_LAG = 1.0
"""A lag is longer than this many times (voxels across)^2 hops: six times the slowest mode of the box, n^2/(4 pi^2 D)."""
HOPS_PER_LAG = 64.0
"""The lag of a uniform lattice, whose carriers only have to forget the site they left."""
PARTS, MOST_PARTS, FEWEST_HOPS_PER_PART = 64, 1 << 16, 64
"""Their charge has no memory at all, so it is followed over a lag that is this many times shorter."""


@dataclass(frozen=True)
class Plan:
    """Steps of a run.

    Attributes
    ----------
    interval_s, intervals : float, int
        Length [s] and number of the intervals between two looks at the tracers.
    parts : int
        Parts of an interval; the charge is noted after each.
    charge_lag : int
        Shortest lag of the charge, in parts.
    batch : int
        Parts after which the kernel comes back; it does not change a bit of the result.
    """

    interval_s: float
    intervals: int
    parts: int
    charge_lag: int
    batch: int

    @property
    def time_s(self) -> float:
        """Return how long each gas is followed [s]."""
        return self.interval_s * self.intervals


def make_plan(
    network: Network, sites: GasSites, gases: int, time_s: float | None, hops: int | None, steps: tuple[float, float, float]
) -> Plan:
    """Choose the steps: as many lags as the time holds, each long enough to forget.

    Parameters
    ----------
    network, sites
        Where the gas lives.
    gases : int
        Independent gases.
    time_s, hops
        Time of each gas [s], or hops of all.
    steps : tuple of 3 float
        Work of the field over one voxel along each axis, in units of kT.
    """
    faster = sum(math.cosh(0.5 * step) for step in steps) / 3.0
    hop_rate, attempt_rate = sites.hop_rate * faster, sites.attempt_rate * faster
    if time_s is None:
        wanted = hops if hops is not None else min(DEFAULT_HOPS, DEFAULT_ATTEMPTS * hop_rate / attempt_rate)
        time_s = wanted / (gases * hop_rate)
    if sites.uniform_rate is not None:
        lag_s = HOPS_PER_LAG * sites.mobile_carriers / sites.hop_rate
    else:
        across = CROSSINGS_PER_LAG * max(network.structure.shape) ** 2 / (sites.busy_rate * sites.empty)
        lag_s = max(ESCAPES_PER_LAG * sites.escape_time_s, across)
    intervals = LAG * int(np.clip(time_s / lag_s, FEWEST_LAGS, MOST_LAGS))
    interval_s = time_s / intervals
    parts = math.ceil(gases * attempt_rate * interval_s / BATCH_ATTEMPTS)
    if sites.uniform_rate is None:
        charge_lag = parts = max(parts, 1)
    else:
        finest = min(PARTS, MOST_PARTS // intervals, int(sites.hop_rate * interval_s / FEWEST_HOPS_PER_PART))
        parts, charge_lag = max(parts, finest, 1), 1
    all_parts = intervals * parts
    batches = min(all_parts, max(BATCHES, math.ceil(gases * attempt_rate * time_s / BATCH_ATTEMPTS)))
    return Plan(interval_s, intervals, parts, charge_lag, math.ceil(all_parts / batches))


def field_steps(network: Network, field_V_per_m: tuple[float, float, float] | None) -> tuple[float, float, float]:
    """Return the work of a field on a carrier over one voxel along each axis, q E h / (kT); electrons are negative."""
    if field_V_per_m is None:
        return (0.0, 0.0, 0.0)
    x, y, z = checked_work_kT(network, field_V_per_m).tolist()
    return (x, y, z)


def check_options(
    network: Network,
    filling: float | None,
    chemical_potential_eV: float | None,
    boundary: str,
    time_s: float | None,
    hops: int | None,
    gases: int,
    key: tuple[int, int, int],
) -> None:
    """Raise InputError with a line of advice where an option of `run_lattice_gas` is out of range."""
    if boundary != "periodic":
        raise InputError(f"boundary is '{boundary}'; allowed for the lattice gas: periodic; or use tracers for plates")
    if (filling is None) == (chemical_potential_eV is None):
        given = "neither is" if filling is None else "both are"
        raise InputError(f"filling and chemical_potential_eV: {given} given; give one of them")
    if filling is not None and not 0.0 < filling < 1.0:
        raise InputError(f"filling is {filling}; allowed: above 0 and below 1 (share of the conducting voxels)")
    if chemical_potential_eV is not None and not abs(chemical_potential_eV) <= LARGEST_POTENTIAL_eV:
        raise InputError(
            f"chemical_potential_eV is {chemical_potential_eV}; allowed: -{LARGEST_POTENTIAL_eV:g} to "
            f"{LARGEST_POTENTIAL_eV:g} eV above the energy of the best site"
        )
    if time_s is not None and hops is not None:
        raise InputError("time_s and hops are both given; give one of them")
    if time_s is not None and not 0.0 < time_s < 1e12:
        raise InputError(f"time_s is {time_s}; allowed: above 0 and below 1e12 s")
    if hops is not None and not 1 <= hops <= LARGEST_HOPS:
        raise InputError(f"hops is {hops}; allowed: 1 to {LARGEST_HOPS}")
    if not 2 <= gases <= 10_000:
        raise InputError(f"gases is {gases}; allowed: 2 to 10000 (an error needs at least two)")
    for name, part in zip(("seed", "case", "replica"), key, strict=True):
        if not 0 <= part < 2**64:
            raise InputError(f"{name} is {part}; allowed: whole numbers from 0 to 2^64 - 1")
    if max(network.structure.shape) >= LARGEST_SIDE:
        raise InputError(
            f"the structure has {max(network.structure.shape)} voxels along an axis; allowed: {LARGEST_SIDE - 1}; crop it"
        )
