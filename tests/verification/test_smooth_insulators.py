"""Steps of insulators made up for on request: what `build_network(..., smooth_insulators=True)` promises."""

from __future__ import annotations

import numpy as np
import pytest
from support import blobs, block, materials, sigma, sphere

from kmc.hopping import hop
from kmc.network import Network, build_network
from kmc.tensor import conductivity_tensor

INSULATING_SPHERES = {0.1: 0.8571119, 0.2: 0.726703, 0.3: 0.6056612, 0.4: 0.4901099, 0.5: 0.3737348}


def smooth(labels: np.ndarray, **values: float) -> Network:
    return build_network(block(labels, 25.0, periodic=True), materials(values or {"A": 1.0}), smooth_insulators=True)


@pytest.mark.parametrize("volume_fraction", list(INSULATING_SPHERES))
def test_simple_cubic_array_of_insulating_spheres(volume_fraction: float) -> None:
    """McPhedran & McKenzie 1978 within 1 % at 64 voxels a cell, where the plain network is up to 2 % low."""
    labels, _ = sphere(64, volume_fraction)
    assert sigma(smooth(labels), tolerance=1e-6) == pytest.approx(INSULATING_SPHERES[volume_fraction], rel=0.01)


@pytest.mark.parametrize("normal", [(1, 1, 0), (1, 0, -1), (0, 1, 0)])
def test_channels_between_insulating_planes_conduct_by_their_width(normal: tuple[int, int, int]) -> None:
    """Half of the volume conducts along, nothing across: exact along the grid and at 45 degrees."""
    n, unit = 24, np.array(normal) / np.linalg.norm(normal)
    phase = np.tensordot(normal, np.indices((n, n, n)) + 0.5, axes=1) / n + 0.2
    labels = 1 + (phase % 1.0 < 0.5)
    found = conductivity_tensor(smooth(labels, A=2.0)).sigma_eff_S_per_m
    share = float((labels == 1).mean())
    assert found == pytest.approx(2.0 * share * (np.eye(3) - np.outer(unit, unit)), abs=2e-3)


def test_other_boundaries_stay_as_they_are() -> None:
    """Between two conductors without resistance nothing changes, whatever the other carrier does."""
    labels = blobs(16, {1: 0.5, 2: 0.5}, seed=3)
    known = materials({"A": 1.0, "B": 0.1})
    plain = build_network(block(labels, 25.0), known)
    assert sigma(smooth(labels, A=1.0, B=0.1)) == sigma(plain, boundary="periodic")


def test_hops_see_the_same_network() -> None:
    """sigma_eff of hops and solver agree within 4 standard errors with the steps made up for."""
    network = smooth(sphere(16, 0.4)[0])
    found, wanted = hop(network, walkers=2000, hops=4_000_000, seed=5), sigma(network)
    for axis in "xyz":
        off = found.sigma_eff_S_per_m[axis] - wanted
        assert abs(off) < 4.0 * found.sigma_eff_stderr_S_per_m[axis] < 0.15 * wanted
