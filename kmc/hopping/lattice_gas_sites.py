"""Where a lattice gas lives: its sites, their occupancy at equilibrium, exact rates, and groups for the null events.

At most one carrier sits on a site, and a carrier hops from i to an empty j with the network's rate k_ij = g_ij kT/(q^2 c_i V).
The product measure n_i = z c_i / (1 + z c_i) is stationary, because c_i k_ij is symmetric:
n_i (1 - n_j) k_ij = z g_ij kT/(q^2 V) (1 - n_i)(1 - n_j). The site energies are thus those that the carrier densities imply.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.lattice_gas_kernel import GROUP
from kmc.network import Network
from kmc.pieces import label_pieces
from microstructures.errors import InputError

BINS = (8, 4, 2, 1)
"""Sites of one phase and density are sorted by their fastest face, by factors of two, into so many groups at most."""


@dataclass(frozen=True)
class GasSites:
    """Sites of a lattice gas and what is known of it without a random number.

    Attributes
    ----------
    groups : ndarray of shape (nx, ny, nz), uint8
        Group of each mobile site; `lattice_gas_kernel.GROUP` elsewhere.
    phase, occupancy, size : ndarrays of shape (n_groups,)
        Position of the phase, equilibrium occupancy and number of sites of each group.
    bound, inverse : ndarrays of shape (n_groups, 3)
        Largest hop rate one way along each axis [1/s], and 1 / (carrier density * bound) [m^3 s].
    carriers, mobile_carriers : float
        Expected carriers of one gas on all connected sites, and on those of clusters that wind around the box.
    density_per_m3 : float
        Physical carriers of the connected sites over the volume of the box [1/m^3].
    hop_rate, attempt_rate : float
        Expected hops and attempts of one gas [1/s].
    busy_rate : float
        Hop rate [1/s] of the sites that do the hopping, exclusion left out.
    escape_time_s : float
        Mean time a mobile carrier spends in a piece of a grain; 0 where there is one piece only.
    uniform_rate : ndarray of shape (3,) or None
        Hop rate one way along each axis [1/s] where all sites and faces are alike.
    """

    groups: NDArray[np.uint8]
    phase: NDArray[np.intp]
    occupancy: NDArray[np.float64]
    size: NDArray[np.int64]
    bound: NDArray[np.float64]
    inverse: NDArray[np.float64]
    carriers: float
    mobile_carriers: float
    density_per_m3: float
    hop_rate: float
    attempt_rate: float
    busy_rate: float
    escape_time_s: float
    uniform_rate: NDArray[np.float64] | None


def fermi_activity_m3(density: NDArray[np.float64], filling: float) -> float:
    """Return z [m^3] such that the mean of z c / (1 + z c) over all sites is the filling.

    Parameters
    ----------
    density : ndarray, float64
        Carrier density c of every site [1/m^3], above 0.
    filling : float
        Mean occupancy, between 0 and 1.

    Examples
    --------
    >>> z = fermi_activity_m3(np.array([1e27, 1e27]), 0.5)
    >>> round(z * 1e27, 12)
    1.0
    """
    values, counts = np.unique(density, return_counts=True)
    low, high = (math.log(filling / (1.0 - filling) / value) for value in (values[-1], values[0]))
    for _ in range(100):
        middle = 0.5 * (low + high)
        filled = math.exp(middle) * values
        if (counts * filled / (1.0 + filled)).sum() < filling * counts.sum():
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))


def gas_sites(network: Network, clusters: Clusters, filling: float) -> GasSites | None:
    """Sort the sites of a periodic network for a lattice gas; None where no cluster winds around the box.

    Parameters
    ----------
    network : Network
        What conducts.
    clusters : Clusters
        From `label_clusters` with periodic boundary.
    filling : float
        Mean occupancy of all sites in clusters of two voxels or more.
    """
    mobile = np.asarray(clusters.spans.any(axis=1))[clusters.ids]
    if not mobile.any():
        return None
    mobile = _with_neighbours(network, mobile)
    density, conductance = site_sums(network, mirrored=False)
    connected = (clusters.sizes[clusters.ids] > 1) & (clusters.ids > 0) | mobile
    z = fermi_activity_m3(density[connected], filling)
    occupancy = np.where(connected, z * density / (1.0 + z * density), 0.0)
    factor = network.rate_factor
    fastest = np.stack([_largest(network, axis) for axis in range(3)])
    groups, phase, group_density = _group(network, mobile, density, fastest.max(axis=0))
    n = len(phase)
    bound = np.zeros((n, 3))
    for axis in range(3):
        np.maximum.at(bound[:, axis], groups[mobile], fastest[axis][mobile])
    bound *= factor / group_density[:, None]
    del fastest
    group_occupancy = z * group_density / (1.0 + z * group_density)
    size = np.bincount(groups[mobile], minlength=n)
    order = np.argsort(-size * group_occupancy * bound.sum(axis=1), kind="stable")
    groups[mobile] = np.argsort(order)[groups[mobile]]
    phase, size, bound = phase[order], size[order], bound[order]
    group_density, group_occupancy = group_density[order], group_occupancy[order]
    with np.errstate(divide="ignore"):
        inverse = np.where(bound > 0.0, 1.0 / (group_density[:, None] * bound), 0.0)
    mobile_carriers = float(occupancy[mobile].sum())
    leaving = conductance[mobile]
    hop_rate, leaves = _traffic(network, occupancy, mobile, z)
    return GasSites(
        groups=groups,
        phase=phase,
        occupancy=group_occupancy,
        size=size,
        bound=np.ascontiguousarray(bound),
        inverse=np.ascontiguousarray(inverse),
        carriers=float(occupancy.sum()),
        mobile_carriers=mobile_carriers,
        density_per_m3=float(density[connected].sum()) / density.size,
        hop_rate=hop_rate,
        attempt_rate=float(2.0 * (size * group_occupancy * bound.sum(axis=1)).sum()),
        busy_rate=float((leaving**2 / density[mobile]).sum() / leaving.sum()) * factor,
        escape_time_s=mobile_carriers / leaves if leaves > 0.0 else 0.0,
        uniform_rate=_uniform_rate(network, mobile, density),
    )


def _with_neighbours(network: Network, mobile: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mobile voxels and all that open faces join to them.

    A voxel without carriers of its own that a film reaches only across the outer boundary belongs to no labelled cluster.
    """
    grown, before = mobile.copy(), 0
    open_faces = [network.conductance[axis][of_axis] > 0.0 for axis, of_axis in enumerate(network.faces.of_axis)]
    while (count := int(grown.sum())) != before:
        before = count
        for axis, open_face in enumerate(open_faces):
            ahead = open_face & (grown | np.roll(grown, -1, axis=axis))
            grown |= ahead | np.roll(ahead, 1, axis=axis)
    return grown


def _largest(network: Network, axis: int) -> NDArray[np.float64]:
    """Return the larger conductance [S] of the two faces of every voxel along an axis."""
    ahead = network.conductance[axis][network.faces.of_axis[axis]]
    return np.maximum(ahead, np.roll(ahead, 1, axis=axis))


def _group(
    network: Network, mobile: NDArray[np.bool_], density: NDArray[np.float64], fastest: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.float64]]:
    """Group the mobile sites by phase, carrier density and power of two of the fastest hop."""
    kinds, kind = np.unique(density[mobile], return_inverse=True)
    phase = network.faces.phase_of_label[network.structure.labels[mobile]].astype(np.intp)
    species = kind * len(network.faces.phase_names) + phase
    present, species = np.unique(species, return_inverse=True)
    best = np.zeros(len(present))
    np.maximum.at(best, species, fastest[mobile])
    slower = np.floor(np.log2(best[species] / fastest[mobile]))
    for bins in BINS:
        code, position = np.unique(species * bins + np.minimum(slower, bins - 1).astype(np.intp), return_inverse=True)
        if len(code) < GROUP:
            break
    else:
        raise InputError(
            f"the gas has {len(code)} kinds of sites by phase and carrier density; allowed: {GROUP - 1}; merge phases"
        )
    groups = np.full(mobile.shape, GROUP, dtype=np.uint8)
    groups[mobile] = position
    kind_of, phase_of = np.divmod(present[code // bins], len(network.faces.phase_names))
    return groups, phase_of, kinds[kind_of]


def _traffic(network: Network, occupancy: NDArray[np.float64], mobile: NDArray[np.bool_], z: float) -> tuple[float, float]:
    """Return the expected hops [1/s] of the mobile sites, and those of them that leave a piece of a grain."""
    pieces, _ = label_pieces(network)
    empty = np.where(mobile, 1.0 - occupancy, 0.0)
    hops = leaves = 0.0
    for axis, of_axis in enumerate(network.faces.of_axis):
        there = np.roll(empty, -1, axis=axis) if of_axis.shape[axis] > 1 else 1.0
        both_ways = 2.0 * network.conductance[axis][of_axis] * empty * there
        hops += float(both_ways.sum())
        inside = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        leaves += float(both_ways[inside][np.diff(pieces, axis=axis) != 0].sum())
    return hops * z * network.rate_factor, leaves * z * network.rate_factor


def _uniform_rate(network: Network, mobile: NDArray[np.bool_], density: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the hop rate one way along each axis [1/s] if every site and every face is alike, else None."""
    if not mobile.all() or density.min() < density.max():
        return None
    tables = [network.conductance[axis][np.unique(of)] for axis, of in enumerate(network.faces.of_axis)]
    if any(table.min() < table.max() for table in tables):
        return None
    return np.array([table[0] for table in tables]) * network.rate_factor / density.flat[0]
