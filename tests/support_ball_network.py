"""The continuum reference for pressed powders: balls that touch at discs much smaller than they are.

Between its contacts a ball of radius R and conductivity s is solved by its Neumann function. With unit inflow at a point of
its surface (and as much outflow spread evenly) the potential at another, at distance t R, is

    N(t) = (2/t - ln(t (2 + t) / 4)) / (4 pi s R)

(Kellogg, Foundations of Potential Theory, 1929, ch. IX). A disc of radius a at one potential has the inflow density
1/(2 pi a sqrt(a^2 - r^2)) (Holm 1967); averaged over it twice, the singular part of N gives 1/(4 s a) and the mean of
ln(distance / a) is 2 ln 2 - 3/2. Unknowns are the current of each contact and one potential a ball. Valid for a/R up to
about 0.1; nothing in it knows of voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

MEAN_LOG_DISTANCE = 2.0 * np.log(2.0) - 1.5
"""Mean of ln(distance / a) between two points drawn from the density of a disc at one potential."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Balls:
    """Balls and the discs at which they touch, in SI units.

    Attributes
    ----------
    centre, radius, sigma : ndarrays of shape (n, 3), (n,), (n,)
        Centres [m], radii [m], conductivities [S/m]; balls of 0 S/m are left out.
    pair : ndarray of shape (m, 2), integer
        The two balls of each contact.
    contact_radius, resistance : ndarrays of shape (m,)
        Radius [m] of each disc, and the area-specific resistance [ohm m2] between its two sides.
    box : ndarray of shape (3,)
        Edges [m] of the periodic box.
    """

    centre: Array
    radius: Array
    sigma: Array
    pair: NDArray[np.integer]
    contact_radius: Array
    resistance: Array
    box: Array


def neumann(t: Array) -> Array:
    """Return 4 pi s R times the potential at distance t R from a unit inflow, both on the sphere."""
    return np.asarray(2.0 / t - np.log(t * (2.0 + t) / 4.0))


def self_potential(contact_radius: Array, radius: Array, sigma: Array) -> Array:
    """Return the potential [V] of a disc with unit inflow, above the mean of its ball."""
    ball = MEAN_LOG_DISTANCE + np.log(contact_radius / (2.0 * radius))
    return np.asarray(1.0 / (4.0 * sigma * contact_radius) - ball / (4.0 * np.pi * sigma * radius))


def ball_network_tensor(balls: Balls) -> Array:
    """Return the conductivity tensor [S/m] of a periodic packing, shape (3, 3): column b under a unit field along b."""
    n, pair = len(balls.radius), np.asarray(balls.pair, dtype=np.intp)
    link = balls.centre[pair[:, 1]] - balls.centre[pair[:, 0]]
    jump = -balls.box * np.round(link / balls.box)  # the image of the second ball that the first one touches
    toward = (link + jump) / np.linalg.norm(link + jump, axis=1)[:, None]
    on = (balls.sigma[pair] > 0.0).all(axis=1)
    matrix = _matrix(balls, pair[on], toward[on], balls.contact_radius[on], balls.resistance[on])
    m = int(on.sum())
    right = np.zeros((m + n, 3))
    right[:m] = jump[on]  # potentials fall by E . x: that image lies E . jump lower
    current = splu(matrix).solve(right)[:m]
    return np.asarray(jump[on].T @ current / balls.box.prod())


def between_plates(balls: Balls, low: NDArray[np.integer], high: NDArray[np.integer], plate_radius: float, axis: int) -> float:
    """Return the conductance [S] of balls between two plates across `axis`, which touch `low` and `high` by discs.

    No contact wraps; a plate conducts perfectly and adds no resistance of its own.
    """
    n, pair = len(balls.radius), np.asarray(balls.pair, dtype=np.intp)
    link = balls.centre[pair[:, 1]] - balls.centre[pair[:, 0]]
    toward = link / np.linalg.norm(link, axis=1)[:, None]
    wall = np.eye(3)[axis]
    m, n_low, n_high = len(pair), len(low), len(high)
    # plates are two more nodes without volume: current runs plate -> low ... high -> plate
    pairs = np.concatenate([pair, np.stack([np.full(n_low, -1), low], 1), np.stack([high, np.full(n_high, -1)], 1)])
    discs = np.concatenate([balls.contact_radius, np.full(n_low + n_high, plate_radius)])
    resistances = np.concatenate([balls.resistance, np.zeros(n_low + n_high)])
    towards = np.concatenate([toward, np.tile(wall, (n_low + n_high, 1))])
    matrix = _matrix(balls, pairs, towards, discs, resistances)
    right = np.zeros(len(pairs) + n)
    right[m : m + n_low] = 1.0
    return float(splu(matrix).solve(right)[m : m + n_low].sum())


def _matrix(balls: Balls, pair: NDArray[np.intp], toward: Array, disc: Array, resistance: Array) -> sparse.csc_array:
    """Return the equations of contacts (drops add up) and of balls (currents add up to nothing).

    Contact k: U_j + sum N I - U_i - sum N I + r_k I_k = given, written with a positive diagonal; -1 stands for a plate.
    """
    n, m = len(balls.radius), len(pair)
    ball = np.concatenate([pair[:, 0], pair[:, 1]])
    contact = np.concatenate([np.arange(m), np.arange(m)])
    inflow = np.concatenate([-np.ones(m), np.ones(m)])
    place = np.concatenate([toward, -toward])
    rows, columns, values = [np.arange(m)], [np.arange(m)], [resistance / (np.pi * disc**2)]
    for g in range(n):
        mine = np.flatnonzero(ball == g)
        if len(mine) == 0:
            continue
        k, sign = contact[mine], inflow[mine]
        apart = np.linalg.norm(place[mine][:, None] - place[mine], axis=2)
        np.fill_diagonal(apart, 1.0)
        kernel = neumann(apart) / (4.0 * np.pi * balls.sigma[g] * balls.radius[g])
        np.fill_diagonal(kernel, self_potential(disc[k], balls.radius[g], balls.sigma[g]))
        rows += [np.repeat(k, len(k)), k, np.full(len(k), m + g)]
        columns += [np.tile(k, len(k)), np.full(len(k), m + g), k]
        values += [(sign[:, None] * sign * kernel).ravel(), sign, sign]
    held = _held(n, pair)
    at = np.concatenate([*rows, m + held]), np.concatenate([*columns, m + held])
    entries = (np.concatenate([*values, np.ones(len(held))]), at)
    return sparse.csc_array(sparse.coo_array(entries, shape=(m + n, m + n)))


def _held(n: int, pair: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return one ball of every group that no plate touches: its potential is free, and set to 0."""
    inner = pair[(pair >= 0).all(axis=1)]
    _, group = connected_components(sparse.coo_array((np.ones(len(inner)), inner.T), shape=(n, n)), directed=False)
    touched = pair[(pair < 0).any(axis=1)].max(axis=1)
    _, first = np.unique(group, return_index=True)
    return np.asarray(first[~np.isin(group[first], group[touched])], dtype=np.intp)


def ball_with_polar_contacts(share: float, terms: int = 4000, modes: int = 6) -> float:
    """Return s R times the resistance of a ball between two opposite caps at one potential each, a/R = `share`.

    The inflow over a cap, sum of b_m (cos theta - cos theta_0)^(m - 1/2), is expanded in Legendre polynomials, the b_m
    minimise the dissipation; the tail of the series falls as 1/terms and is extrapolated.
    """
    values = [_polar_sum(share, count, modes) for count in (terms, 2 * terms)]
    return 2.0 * values[1] - values[0]


def _polar_sum(share: float, terms: int, modes: int) -> float:
    edge = np.sqrt(1.0 - share**2)
    y, weight = np.polynomial.legendre.leggauss(400 + int(1.2 * terms * share))
    y, weight = 0.5 * (y + 1.0), 0.5 * weight
    x = edge + (1.0 - edge) * y**2
    density = np.stack([2.0 * weight * y ** (2 * m) for m in range(modes)], axis=1)  # (x - edge)^(m-1/2) dx, scaled
    before, now = np.ones_like(x), x.copy()
    form = np.zeros((modes, modes))
    for order in range(1, terms):
        if order % 2:
            moment = now @ density
            form += (2.0 * order + 1.0) / order * np.outer(moment, moment)
        before, now = now, ((2 * order + 1) * x * now - order * before) / (order + 1)
    inflow = density.sum(axis=0)
    # u = sum (2l+1)/(2 pi s R l) P_l I_l over odd l; both caps: the drop is twice the potential
    return float(1.0 / (inflow @ np.linalg.solve(form, inflow)) / (2.0 * np.pi) * 2.0)
