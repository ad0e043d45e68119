"""How full each site of a lattice gas is at equilibrium: Fermi occupancies from the carrier densities.

The product measure n_i = z c_i / (1 + z c_i) is stationary under k_ij = g_ij kT/(q^2 c_i V) with exclusion, because c_i k_ij is
symmetric: n_i (1 - n_j) k_ij = z g_ij kT/(q^2 V) (1 - n_i)(1 - n_j). In energies, e_i = -kT ln(c_i / c_max), so that the best
site has e = 0, n_i = 1/(1 + exp((e_i - mu)/kT)), and z = exp(mu/kT) / c_max.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin


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


def activity_of_potential_m3(largest_density: float, chemical_potential_eV: float, temperature_C: float) -> float:
    """Return z [m^3] = exp(mu/kT) / c_max for a chemical potential [eV] above the energy of the best site.

    Examples
    --------
    >>> activity_of_potential_m3(4.0, 0.0, 25.0)
    0.25
    """
    return math.exp(chemical_potential_eV / _thermal_eV(temperature_C)) / largest_density


def potential_of_activity_eV(largest_density: float, z_m3: float, temperature_C: float) -> float:
    """Return the chemical potential [eV] above the energy of the best site, kT ln(z c_max)."""
    return _thermal_eV(temperature_C) * math.log(z_m3 * largest_density)


def _thermal_eV(temperature_C: float) -> float:
    return BOLTZMANN_J_PER_K * kelvin(temperature_C) / ELEMENTARY_CHARGE_C
