"""Where a lattice gas lives, and what is known of it without a random number: occupancies, rates, and exact sums."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.lattice_gas.filling import activity_of_potential_m3, fermi_activity_m3, potential_of_activity_eV
from kmc.hopping.lattice_gas.groups import Groups, group_sites
from kmc.network import Network
from kmc.pieces import label_pieces

CROWDED = 0.8
"""Above this filling the vacancies are followed."""


@dataclass(frozen=True)
class GasSites:
    """Sites of a lattice gas.

    Attributes
    ----------
    groups : Groups
        The mobile sites, by bounds of their hop rate.
    vacancies : bool
        Whether vacancies are followed rather than carriers.
    occupancy : ndarray of shape (n_groups,)
        Equilibrium occupancy of each group by carriers.
    filling, empty, chemical_potential_eV : float
        Mean occupancy of the connected sites, 1 less that, and the potential above the energy of the best of them.
    thermodynamic_factor : float
        <N>/Var(N) of the connected sites, sum n_i / sum n_i (1 - n_i).
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

    groups: Groups
    vacancies: bool
    occupancy: NDArray[np.float64]
    filling: float
    empty: float
    chemical_potential_eV: float
    thermodynamic_factor: float
    carriers: float
    mobile_carriers: float
    density_per_m3: float
    hop_rate: float
    attempt_rate: float
    busy_rate: float
    escape_time_s: float
    uniform_rate: NDArray[np.float64] | None


def gas_sites(
    network: Network, clusters: Clusters, filling: float | None = None, chemical_potential_eV: float | None = None
) -> GasSites | None:
    """Sort the sites of a periodic network for a lattice gas; None where no cluster winds around the box.

    Parameters
    ----------
    network : Network
        What conducts.
    clusters : Clusters
        From `label_clusters` with periodic boundary.
    filling : float, optional
        Mean occupancy of all sites in clusters of two voxels or more.
    chemical_potential_eV : float, optional
        Instead of a filling: chemical potential above the energy of the best of these sites [eV].
    """
    mobile = np.asarray(clusters.spans.any(axis=1))[clusters.ids]
    if not mobile.any():
        return None
    mobile = _with_neighbours(network, mobile)
    density, conductance = site_sums(network, mirrored=False)
    connected = (clusters.sizes[clusters.ids] > 1) & (clusters.ids > 0) | mobile
    best = float(density[connected].max())
    if filling is not None:
        z = fermi_activity_m3(density[connected], filling)
    else:
        assert chemical_potential_eV is not None
        z = activity_of_potential_m3(best, chemical_potential_eV, network.temperature_C)
    empty = np.where(connected, 1.0 / (1.0 + z * density), 0.0)
    occupancy = np.where(connected, z * density * empty, 0.0)
    carriers, mobile_carriers = float(occupancy.sum()), float(occupancy[mobile].sum())
    mean = carriers / int(connected.sum())
    # a carrier that follows its own image through a box one voxel thick needs no vacancy
    vacancies = mean > CROWDED and min(mobile.shape) > 1
    groups = group_sites(network, mobile, density, z, vacancies)
    group_empty = 1.0 / (1.0 + z * groups.density_per_m3)
    group_occupancy = z * groups.density_per_m3 * group_empty
    movers = groups.size * (group_empty if vacancies else group_occupancy)
    leaving = conductance[mobile]
    hop_rate, leaves = _traffic(network, np.where(mobile, empty, 0.0), z)
    return GasSites(
        groups=groups,
        vacancies=vacancies,
        occupancy=group_occupancy,
        filling=mean if filling is None else filling,
        empty=float(empty[connected].mean()),
        chemical_potential_eV=potential_of_activity_eV(best, z, network.temperature_C),
        thermodynamic_factor=carriers / float((occupancy * empty).sum()),
        carriers=carriers,
        mobile_carriers=mobile_carriers,
        density_per_m3=float(density[connected].sum()) / density.size,
        hop_rate=hop_rate,
        attempt_rate=float(2.0 * (movers * groups.bound.sum(axis=1)).sum()),
        busy_rate=float((leaving**2 / density[mobile]).sum() / leaving.sum()) * network.rate_factor,
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


def _traffic(network: Network, empty: NDArray[np.float64], z: float) -> tuple[float, float]:
    """Return the expected hops [1/s] of the mobile sites, and those of them that leave a piece of a grain."""
    pieces, _ = label_pieces(network)
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
