"""Groups of sites for the null events of a lattice gas: one bound of the hop rate each, and the faces that need no look-up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.hopping.lattice_gas.kernel import GROUP_BIT, HELD
from kmc.hopping.tallies import crossing_classes
from kmc.network import Network
from microstructures.errors import InputError

BINS = (8, 4, 2, 1)
"""Sites of one phase and density are sorted by their fastest face, by factors of two, into so many groups at most."""
FEW, MOST = 1 << (8 - GROUP_BIT), 127
"""So many groups fit into a site of one byte, and into the tables."""


@dataclass(frozen=True)
class Groups:
    """Groups of the mobile sites, and how a mover leaves them.

    Attributes
    ----------
    words : ndarray of shape (nx, ny, nz), uint8 or uint16
        Every site without a mover, as the kernel reads it.
    phase, density_per_m3, size : ndarrays of shape (n_groups,)
        Position of the phase, carrier density and number of sites.
    bound : ndarray of shape (n_groups, 3)
        Largest rate [1/s] at which a mover leaves a site one way along each axis.
    inverse : ndarray of shape (n_groups, n_groups, 3)
        1 / (carrier density * bound) [m^3 s] of a hop from a group (axis 0) to a group (axis 1) along an axis.
    plain : ndarray of shape (n_groups, 3)
        Hop rate over the most common face between two sites of the group, over the bound.
    """

    words: NDArray[Any]
    phase: NDArray[np.intp]
    density_per_m3: NDArray[np.float64]
    size: NDArray[np.int64]
    bound: NDArray[np.float64]
    inverse: NDArray[np.float64]
    plain: NDArray[np.float64]


def group_sites(
    network: Network, mobile: NDArray[np.bool_], density: NDArray[np.float64], z_m3: float, vacancies: bool
) -> Groups:
    """Group the mobile sites by phase, carrier density and power of two of the fastest hop of a mover.

    Parameters
    ----------
    network : Network
        What conducts.
    mobile, density : ndarrays of shape (nx, ny, nz)
        Sites of the gas, and the carrier density [1/m^3] of all voxels.
    z_m3 : float
        Activity of the carriers [m^3]: the busiest groups come first.
    vacancies : bool
        Whether vacancies are the movers: they leave j for i at the rate of the carrier on i, which comes from i.
    """
    fastest = np.stack([_largest_rate(network, mobile, density, axis, vacancies) for axis in range(3)])
    group, phase, kind = _sort(network, mobile, density, fastest.max(axis=0))
    bound = np.zeros((len(phase), 3))
    for axis in range(3):
        np.maximum.at(bound[:, axis], group[mobile], fastest[axis][mobile])
    del fastest
    size = np.bincount(group[mobile], minlength=len(phase))
    movers = size / (1.0 + z_m3 * kind) if vacancies else size * z_m3 * kind / (1.0 + z_m3 * kind)
    order = np.argsort(-movers * bound.sum(axis=1), kind="stable")
    group[mobile] = np.argsort(order)[group[mobile]]
    phase, kind, size, bound = phase[order], kind[order], size[order], bound[order]
    source = kind[None, :, None] if vacancies else kind[:, None, None]
    with np.errstate(divide="ignore"):
        inverse = np.where(bound > 0.0, 1.0 / bound, 0.0)[:, None, :] / np.broadcast_to(source, (len(kind), len(kind), 1))
    words, plain = _words(network, mobile, group, inverse)
    return Groups(words, phase, kind, size, np.ascontiguousarray(bound), np.ascontiguousarray(inverse), plain)


def _largest_rate(
    network: Network, mobile: NDArray[np.bool_], density: NDArray[np.float64], axis: int, vacancies: bool
) -> NDArray[np.float64]:
    """Return the larger rate [1/s] at which a mover leaves every voxel over its two faces along an axis."""
    ahead = network.conductance[axis][network.faces.of_axis[axis]] * network.rate_factor
    carriers = np.where(mobile, density, np.inf)
    if vacancies:
        forth, back = ahead / np.roll(carriers, -1, axis=axis), np.roll(ahead / carriers, 1, axis=axis)
    else:
        forth, back = ahead / carriers, np.roll(ahead, 1, axis=axis) / carriers
    return np.maximum(forth, back)


def _sort(
    network: Network, mobile: NDArray[np.bool_], density: NDArray[np.float64], fastest: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.float64]]:
    """Return the group of every site, and the phase and density of every group."""
    kinds, kind = np.unique(density[mobile], return_inverse=True)
    phase = network.faces.phase_of_label[network.structure.labels[mobile]].astype(np.intp)
    species = kind * len(network.faces.phase_names) + phase
    present, species = np.unique(species, return_inverse=True)
    best = np.zeros(len(present))
    np.maximum.at(best, species, fastest[mobile])
    slower = np.floor(np.log2(best[species] / fastest[mobile]))
    for bins in BINS:
        code, position = np.unique(species * bins + np.minimum(slower, bins - 1).astype(np.intp), return_inverse=True)
        if len(code) <= MOST:
            break
    else:
        raise InputError(f"the gas has {len(code)} kinds of sites by phase and carrier density; allowed: {MOST}; merge phases")
    group = np.zeros(mobile.shape, dtype=np.uint8)
    group[mobile] = position
    kind_of, phase_of = np.divmod(present[code // bins], len(network.faces.phase_names))
    return group, phase_of, kinds[kind_of]


def _words(
    network: Network, mobile: NDArray[np.bool_], group: NDArray[np.uint8], inverse: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the sites as the kernel reads them, and the chance of a mover to pass the plain faces of its group.

    Crossings are counted by class, so a face from grain to grain is never plain, whatever it conducts.
    """
    n_groups, n_classes = len(inverse), network.faces.n_classes
    words: NDArray[Any] = np.left_shift(group.astype(np.uint8 if n_groups <= FEW else np.uint16), GROUP_BIT)
    words[~mobile] = HELD
    plain = np.zeros((n_groups, 3))
    counted = crossing_classes(network)
    for axis, of_axis in enumerate(network.faces.of_axis):
        alike = mobile & np.roll(mobile, -1, axis=axis) & (group == np.roll(group, -1, axis=axis)) & ~counted[of_axis]
        if mobile.shape[axis] == 1:
            alike[:] = False
        number = np.bincount(group[alike].astype(np.intp) * n_classes + of_axis[alike], minlength=n_groups * n_classes)
        common = number.reshape(n_groups, n_classes).argmax(axis=1)
        conductance = network.conductance[axis][common]
        plain[:, axis] = conductance * network.rate_factor * np.diagonal(inverse[:, :, axis])
        is_plain = alike & (network.conductance[axis][of_axis] == conductance[group])
        words[mobile & ~is_plain] |= 2 << axis
    return words, plain
