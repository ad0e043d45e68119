"""How many carriers to follow for how long: what a run decides before the first hop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.displacements import MOST, QUOTED_LAG
from kmc.network import Network
from kmc.pieces import label_pieces

DEFAULT_HOPS = 100_000_000
FEWEST_WALKERS, MOST_WALKERS = 128, 16_384
ESCAPES_PER_LAG = 4.0
CROSSINGS_PER_LAG = 32.0
"""A lag is long enough to diffuse this many times over half the box, in hops of a uniform lattice."""


@dataclass(frozen=True)
class Plan:
    """How many walkers run for how long.

    Attributes
    ----------
    walkers : int
        Number of carriers.
    interval_s : float
        Time between samples [s].
    samples : int or None
        Samples to take; None where an error decides.
    escape_time_s : float
        Mean time a carrier spends in a piece of a grain before it leaves; 0 where there is one piece only.
    half_box_time_s : float
        Time to diffuse over half the box, were the lattice uniform.
    move_rate_Hz : float
        Mean rate at which a carrier moves, by a hop or from basin to basin.
    """

    walkers: int
    interval_s: float
    samples: int | None
    escape_time_s: float
    half_box_time_s: float
    move_rate_Hz: float

    @property
    def lag_s(self) -> float:
        """Return the lag at which the diffusivity is quoted [s]."""
        return QUOTED_LAG * self.interval_s


def make_plan(
    *,
    move_rate_Hz: float,
    fewest_moves: int,
    escape_time_s: float,
    half_box_time_s: float,
    walkers: int | None,
    time_s: float | None,
    hops: int | None,
    open_end: bool,
) -> Plan:
    """Choose walkers and time: a lag long enough for several escapes from a grain and for diffusion over half the box.

    Parameters
    ----------
    move_rate_Hz, escape_time_s, half_box_time_s : float
        See `Plan`.
    fewest_moves : int
        Moves of each carrier at least.
    walkers, time_s, hops
        What the user asked for.
    open_end : bool
        Whether the run goes on until its error is small enough: the time then only sets the lag.
    """
    total = hops or DEFAULT_HOPS
    wanted_s = max(ESCAPES_PER_LAG * escape_time_s, CROSSINGS_PER_LAG * half_box_time_s) * MOST / QUOTED_LAG
    if open_end:
        wanted_s = max(wanted_s, fewest_moves / move_rate_Hz) if time_s is None else time_s
        count = walkers or int(np.clip(DEFAULT_HOPS / (wanted_s * move_rate_Hz), FEWEST_WALKERS, MOST_WALKERS))
        return Plan(count, wanted_s / MOST, None, escape_time_s, half_box_time_s, move_rate_Hz)
    if time_s is not None:
        count = walkers or int(np.clip(total / (move_rate_Hz * time_s), FEWEST_WALKERS, MOST_WALKERS))
    else:
        each = max(fewest_moves, wanted_s * move_rate_Hz)
        count = walkers or int(np.clip(total / each, FEWEST_WALKERS, MOST_WALKERS))
        time_s = max(total, 1) / (count * move_rate_Hz)
    return Plan(count, time_s / MOST, MOST, escape_time_s, half_box_time_s, move_rate_Hz)


def escape_time_s(network: Network, weight: NDArray[np.float64]) -> float:
    """Return the mean time a carrier spends in a piece of a grain before it leaves [s]; 0 where there is one piece only.

    Parameters
    ----------
    network : Network
        What conducts.
    weight : ndarray of shape (nx, ny, nz)
        Carriers of every voxel that move.
    """
    pieces, _ = label_pieces(network)
    leaving = 0.0
    for axis, of_axis in enumerate(network.faces.of_axis):
        n = of_axis.shape[axis]
        here, there = np.take(pieces, range(n - 1), axis=axis), np.take(pieces, range(1, n), axis=axis)
        crosses = (here != there) & (np.take(weight, range(n - 1), axis=axis) > 0.0)
        leaving += 2.0 * float(network.conductance[axis][np.take(of_axis, range(n - 1), axis=axis)[crosses]].sum())
    return float(weight.sum()) / (leaving * network.rate_factor) if leaving > 0.0 else 0.0
