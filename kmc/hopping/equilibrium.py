"""How carriers are spread at equilibrium, and how often they hop: exact sums over the network, no random numbers."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.connectivity import Clusters
from kmc.network import Network
from microstructures.jit import inline_kernel, parallel_kernel


def label_density(network: Network) -> NDArray[np.float64]:
    """Return the density of carriers [1/m^3] of each label, shape (256,)."""
    return np.ascontiguousarray(network.phase_carrier_density[network.faces.phase_of_label])


def film_classes(network: Network) -> NDArray[np.bool_]:
    """Return which classes carry a conducting film."""
    faces = network.faces
    return (faces.film >= 0) & (network.film_conductance[faces.film] * faces.film_weight > 0.0)


def site_sums(network: Network, mirrored: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the carrier density [1/m^3] and the total conductance [S] of every voxel, each of shape (nx, ny, nz)."""
    faces = network.faces
    plates = [plate for pair in faces.plates for plate in pair]
    return _site_sums(
        *faces.of_axis, *plates, mirrored, network.conductance, network.structure.labels, label_density(network),
        film_classes(network), network.film_carrier_density,
    )  # fmt: skip


def mobile_carriers(clusters: Clusters, carriers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the carriers of the voxels that some axis lets through, 0 elsewhere, shape (nx, ny, nz)."""
    return np.where(np.asarray(clusters.spans.any(axis=1))[clusters.ids], carriers, 0.0)


@inline_kernel
def six_faces(of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, i, j, k):  # type: ignore[no-untyped-def]
    """Return the classes of the faces of a voxel towards -x, +x, -y, +y, -z, +z."""
    nx, ny, nz = of_x.shape
    if i > 0:
        f0 = of_x[i - 1, j, k]
    else:
        f0 = low_x[j, k] if mirrored else of_x[nx - 1, j, k]
    f1 = high_x[j, k] if mirrored and i + 1 == nx else of_x[i, j, k]
    if j > 0:
        f2 = of_y[i, j - 1, k]
    else:
        f2 = low_y[i, k] if mirrored else of_y[i, ny - 1, k]
    f3 = high_y[i, k] if mirrored and j + 1 == ny else of_y[i, j, k]
    if k > 0:
        f4 = of_z[i, j, k - 1]
    else:
        f4 = low_z[i, j] if mirrored else of_z[i, j, nz - 1]
    f5 = high_z[i, j] if mirrored and k + 1 == nz else of_z[i, j, k]
    return f0, f1, f2, f3, f4, f5


@parallel_kernel
def _site_sums(  # type: ignore[no-untyped-def]
    of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, table, labels, density, film_class, film_density,
):  # fmt: skip
    nx, ny, nz = labels.shape
    carriers = np.empty((nx, ny, nz))
    total = np.empty((nx, ny, nz))
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                f0, f1, f2, f3, f4, f5 = six_faces(
                    of_x, of_y, of_z, low_x, high_x, low_y, high_y, low_z, high_z, mirrored, i, j, k
                )
                n = density[labels[i, j, k]]
                if film_class[f0] or film_class[f1] or film_class[f2] or film_class[f3] or film_class[f4] or film_class[f5]:
                    n += film_density
                carriers[i, j, k] = n
                total[i, j, k] = table[0, f0] + table[0, f1] + table[1, f2] + table[1, f3] + table[2, f4] + table[2, f5]
    return carriers, total
