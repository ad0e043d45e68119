"""A uniform electric field: what it does to a carrier over one voxel, and which fields are allowed."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.errors import InputError
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

LARGEST_STEP = 20.0
"""Work of the field over one voxel, in units of kT."""


def charge_number(network: Network) -> int:
    """Return the charge of a carrier in elementary charges."""
    return -1 if network.carrier == "electron" else 1


def work_over_voxel_kT(network: Network, field_V_per_m: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the work of a field on a carrier over one voxel along each axis, q E h / (kT); electrons are negative."""
    charge = ELEMENTARY_CHARGE_C * charge_number(network)
    thermal = BOLTZMANN_J_PER_K * kelvin(network.temperature_C)
    return charge * np.array(field_V_per_m, dtype=np.float64) * np.array(network.structure.voxel_size) / thermal


def checked_work_kT(network: Network, field_V_per_m: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the same for a field that a run may have.

    Raises
    ------
    InputError
        If the field is zero, or so strong that a voxel drops more than 20 kT/q.
    """
    work = work_over_voxel_kT(network, field_V_per_m)
    drop = float(np.abs(work).max())
    if not 0.0 < drop <= LARGEST_STEP or not math.isfinite(work.sum()):
        raise InputError(
            f"field_V_per_m is {tuple(field_V_per_m)}, {drop:.3g} kT/q over one voxel; "
            f"allowed: above 0, at most {LARGEST_STEP:g}"
        )
    return work
