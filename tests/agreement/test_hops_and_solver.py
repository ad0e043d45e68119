"""Hops against the solver on five kinds of structure: pressed, fired, Voronoi grains, voxel noise, a tomogram.

The long-time limit of the hops is the solution of the same network (De Masi et al. 1989): every axis of every structure within
3 standard errors, at a standard error of at most 1 % (pressed: 3 %). With 3 axes each that raises a false alarm in 1 of 20 sets
of seeds; these are fixed, and the nightly run takes others at 4.5.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import block, materials, voronoi

import microstructures
from kmc.conduction import conduct
from kmc.hopping import hop
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.firing.fire import co_fire
from microstructures.pressing.press import cold_press, press_powders

TOMOGRAM = Path(__file__).parents[3] / "shared" / "data" / "nmc_cathode_ct.tif"


def cold(seed: int) -> Network:
    return build_network(cold_press(size_um=2.4, voxel_nm=60.0, seed=seed))


def fired(seed: int) -> Network:
    """Return the electrons of a fired body, which follow its carbon films."""
    return build_network(co_fire(green=press_powders(size_um=2.4, seed=seed), voxel_nm=60.0), carrier="electron")


def grains(seed: int) -> Network:
    labels, ids = voronoi(24, 20, seed=seed, labels=(1, 2, 3))
    known = materials({"A": 1.0, "B": 0.5, "C": 0.2}, resistance={"A|A": 3e-8, "A|B": 3e-8}, density={"B": 2e27})
    return build_network(block(labels, 25.0, grains=ids, periodic=True), known)


def noise(seed: int) -> Network:
    labels = np.random.default_rng(seed).choice([0, 1, 2], size=(20, 20, 20), p=[0.3, 0.4, 0.3])
    return build_network(block(labels, 25.0, periodic=True), materials({"A": 1.0, "B": 0.1}))


def tomogram(seed: int) -> Network:
    if not TOMOGRAM.exists():
        pytest.skip("shared/data/nmc_cathode_ct.tif is not here")
    image = microstructures.read(TOMOGRAM, voxel_nm=398.0)
    i, j, k = np.random.default_rng(seed).integers(0, 200, 3)
    crop = image.labels[i : i + 32, j : j + 32, k : k + 32]
    return build_network(block(crop, 398.0), materials({"A": 1.0, "B": 5.0}))


STRUCTURES = {
    "cold": (cold, 0.03),
    "fired": (fired, 0.01),
    "grains": (grains, 0.01),
    "noise": (noise, 0.01),
    "scan": (tomogram, 0.01),
}


@pytest.mark.parametrize("kind", STRUCTURES)
def test_hops_conduct_as_the_solver_says(kind: str) -> None:
    """|z| < 3 along every axis."""
    make, rel_error = STRUCTURES[kind]
    compare(make, rel_error, seed=1, sigmas=3.0)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", STRUCTURES)
def test_hops_conduct_as_the_solver_says_whatever_the_seed(kind: str, fresh_seed: int) -> None:
    """|z| < 4.5 along every axis."""
    make, rel_error = STRUCTURES[kind]
    compare(make, rel_error, seed=fresh_seed, sigmas=4.5)


def test_an_axis_without_a_path_carries_exactly_nothing() -> None:
    """This crop of the tomogram does not repeat into itself along z."""
    compare(tomogram, 0.01, seed=513175716, sigmas=4.5)


def compare(make: Callable[[int], Network], rel_error: float, *, seed: int, sigmas: float) -> None:
    known = make(seed)
    solved = conduct(known, axis="all", boundary="periodic", tolerance=1e-6).sigma_eff_S_per_m
    found = hop(known, rel_error=rel_error, seed=seed)
    assert found.outcome is Outcome.CONVERGED
    for axis in "xyz":
        value, error = found.sigma_eff_S_per_m[axis], found.sigma_eff_stderr_S_per_m[axis]
        if solved[axis] == 0.0:  # type: ignore[index]
            assert value == error == 0.0
            continue
        assert 0.0 < error <= rel_error * value
        assert abs(value - solved[axis]) < sigmas * error, (axis, value, error, solved[axis])  # type: ignore[index]
