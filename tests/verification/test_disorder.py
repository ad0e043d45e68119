"""Disorder in one dimension: many barriers or many traps, with the means that decide the diffusivity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants, stats

from kmc.hopping import HopResult, hop
from kmc.network import build_network
from microstructures.materials import parse_materials
from microstructures.structure import VoxelStructure

KELVIN, KINDS = 300.0, 15
KT_EV = constants.Boltzmann * KELVIN / constants.elementary_charge
H = 25e-9


def ring(barriers_eV: np.ndarray, densities_per_m3: np.ndarray, seed: int) -> HopResult:
    """Let carriers hop around a ring of layers, one voxel each, of so many phases in random order."""
    tables = ["schema = 1", 'name = "disorder"', f"reference_temperature_C = {KELVIN - 273.15}"]
    for n, (barrier, density) in enumerate(zip(barriers_eV, densities_per_m3, strict=True), start=1):
        conductor = (
            f"migration_barrier_eV = {float(barrier)!r}, attempt_frequency_Hz = 1e13, hop_distance_nm = 0.35, "
            f"carrier_density_per_m3 = {float(density)!r}"
        )
        tables.append(f"phases.P{n} = {{ label = {n}, ion = {{ {conductor} }} }}")
    labels = np.random.default_rng(1).permutation(np.arange(1, KINDS + 1, dtype=np.uint8))[:, None, None]
    names = {n: f"P{n}" for n in range(1, KINDS + 1)}
    structure = VoxelStructure.from_labels(labels, voxel_nm=25.0, phases=names, periodic=True)
    known = build_network(structure, parse_materials("\n".join(tables).encode(), "test"), temperature_C=KELVIN - 273.15)
    return hop(known, rel_error=0.008, seed=seed)


def test_uniform_barriers_in_one_dimension() -> None:
    """D = a^2/<1/G>: barriers 0 to 100 meV at 300 K give .0825564861 of the lowest one, as 76.282 meV more at one temperature."""
    width = 0.1
    exact = (width / KT_EV) / np.expm1(width / KT_EV)
    assert exact == pytest.approx(0.0825564861, rel=1e-6)
    offset = width * np.exp(width / KT_EV) / np.expm1(width / KT_EV) - KT_EV  # d ln <exp(E/kT)> / d(1/kT)
    assert offset == pytest.approx(0.076282, rel=1e-4)
    barriers = 0.3 + (np.arange(KINDS) + 0.5) / KINDS * width
    sample = 1.0 / np.exp((barriers - 0.3) / KT_EV).mean()
    assert sample == pytest.approx(exact, rel=4e-3)
    found = ring(barriers, np.full(KINDS, 6e27), seed=1)
    lowest = (0.35e-9) ** 2 * 1e13 / 6.0 * np.exp(-0.3 / KT_EV)
    error = found.diffusivity_stderr_m2_per_s["x"] / lowest
    assert error <= 0.008 * sample * 1.05
    assert abs(found.diffusivity_m2_per_s["x"] / lowest - sample) < 3.0 * error


def test_gaussian_traps() -> None:
    """D = D0/<exp(e/kT)>, in any dimension: sd 50 meV at 300 K gives .154070497; here the mean of the sample itself."""
    assert np.exp(-0.5 * (0.05 / KT_EV) ** 2) == pytest.approx(0.154070497, rel=1e-6)
    depth = 0.05 * stats.norm.ppf((np.arange(KINDS) + 0.5) / KINDS)
    sample = 1.0 / np.exp(depth / KT_EV).mean()
    # equal conductances, so that only the depth of the wells differs: c ~ exp(e/kT), barrier + kT ln c the same
    found = ring(0.3 + depth, 1e26 * np.exp(depth / KT_EV), seed=2)
    free = (0.35e-9) ** 2 * 1e13 / 6.0 * np.exp(-0.3 / KT_EV)
    error = found.diffusivity_stderr_m2_per_s["x"] / free
    assert abs(found.diffusivity_m2_per_s["x"] / free - sample) < 3.0 * error < 0.025 * sample
