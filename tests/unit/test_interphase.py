"""The reaction layer: where it grows, how thick, how much of it."""

from __future__ import annotations

import numpy as np
import pytest
from support import Labels, distance_from_middle, laminate, voronoi

from microstructures.errors import InputError
from microstructures.interphase import grow_interphase
from microstructures.morphology import describe, interphase_statistics
from microstructures.recipe import InterphaseRecipe
from microstructures.structure import VoxelStructure

PHASES = {0: "pore", 1: "LFP", 2: "LATP"}
VOXEL_NM = 10.0
UNIFORM = InterphaseRecipe(thickness_p05_nm=60.0, thickness_p95_nm=60.0)


def structure(labels: Labels, grains: np.ndarray | None = None, *, periodic: bool = True) -> VoxelStructure:
    return VoxelStructure.from_labels(labels, voxel_nm=VOXEL_NM, phases=PHASES, grains=grains, periodic=periodic)


@pytest.fixture(scope="module")
def fired() -> VoxelStructure:
    """Return Voronoi grains of both phases, of some 500 nm."""
    labels, grains = voronoi(110, 12, seed=3)
    return structure(labels, grains)


def reacted(found: VoxelStructure) -> np.ndarray:
    return np.asarray(found.labels == 3)


@pytest.mark.parametrize("axis", range(3))
def test_layer_on_a_plane_is_as_thick_as_asked(axis: int) -> None:
    """60 nm of 10 nm voxels on both sides of every LATP layer, out of LATP only."""
    labels = np.moveaxis(laminate([1] * 20 + [2] * 30), 0, axis)
    found = grow_interphase(structure(labels), UNIFORM, seed=1)
    depth = np.moveaxis(found.labels, axis, 0)[:, 0, 0]
    assert depth.tolist() == [1] * 20 + [3] * 6 + [2] * 18 + [3] * 6
    numbers = interphase_statistics(found)
    assert numbers["thickness_nm_mean"] == pytest.approx(60.0, abs=VOXEL_NM)
    assert numbers["volume_fraction"] == pytest.approx(12 / 50)
    assert numbers["coverage"] == pytest.approx(1.0)


def test_layer_around_a_sphere_has_the_volume_of_a_shell() -> None:
    """4 pi ((R + t)^3 - R^3)/3 within 10 % at six voxels across."""
    distance = distance_from_middle(80)
    found = grow_interphase(structure(np.where(distance < 25.0, 1, 2)), UNIFORM, seed=1)
    shell = 4.0 / 3.0 * np.pi * (31.0**3 - 25.0**3)
    assert reacted(found).sum() == pytest.approx(shell, rel=0.1)
    assert distance[reacted(found)].max() < 25.0 + 6.0 + 1.0
    assert (found.labels[distance < 25.0] == 1).all()
    assert interphase_statistics(found)["thickness_nm_mean"] == pytest.approx(60.0, abs=6.0)


def test_thickness_percentiles_are_those_asked_for(fired: VoxelStructure) -> None:
    """40 to 100 nm between the 5th and 95th percentile of the pairs of grains, within a voxel and the sampling of pairs."""
    found = grow_interphase(fired, InterphaseRecipe(), seed=5)
    numbers = interphase_statistics(found)
    assert numbers["thickness_nm_p05"] == pytest.approx(40.0, abs=12.0)
    assert numbers["thickness_nm_p95"] == pytest.approx(100.0, abs=20.0)
    assert numbers["thickness_nm_mean"] == pytest.approx(np.sqrt(40.0 * 100.0) * np.exp(0.5 * 0.2785**2), rel=0.1)
    area = describe(fired, two_point=False)["interface_area_per_volume_per_um"]["LATP|LFP"]
    thin = area * numbers["thickness_nm_mean"] / 1000.0  # flat interfaces: area times thickness
    assert numbers["volume_fraction"] == pytest.approx(thin, rel=0.15)


@pytest.mark.parametrize(("coverage", "low", "high"), [(0.0, 0.0, 0.0), (0.5, 0.3, 0.7), (1.0, 0.99, 1.0)])
def test_coverage(fired: VoxelStructure, coverage: float, low: float, high: float) -> None:
    """The share of the pairs of grains that react; the share of the area follows within the sampling of pairs."""
    found = grow_interphase(fired, UNIFORM.model_copy(update={"coverage": coverage}), seed=7)
    numbers = interphase_statistics(found)
    assert bool(numbers) == (coverage > 0.0)
    assert low <= numbers.get("coverage", 0.0) <= high


def test_every_pair_of_grains_reacts_or_does_not(fired: VoxelStructure) -> None:
    """Every pair has a thickness of its own: along one pair's interface the layer is even."""
    labels = laminate([1] * 10 + [2] * 40)
    grains = np.where(labels == 1, 1, 2) + 2 * (np.indices(labels.shape)[1] >= 2)
    found = grow_interphase(structure(labels, grains), InterphaseRecipe(), seed=2)
    depth = reacted(found).sum(axis=0)
    assert len(np.unique(depth[:2])) == len(np.unique(depth[2:])) == 1
    assert fired.grains is not None
    kept = grow_interphase(fired, InterphaseRecipe(), seed=2).grains
    np.testing.assert_array_equal(kept, fired.grains)


def test_only_host_voxels_react_and_pores_stay() -> None:
    """LFP and pore keep every voxel, even between the layer and the donor."""
    labels = laminate([1] * 10 + [2] * 10 + [0] * 3 + [2] * 10 + [1] * 2, across=6)
    found = grow_interphase(structure(labels), UNIFORM, seed=1)
    np.testing.assert_array_equal(found.labels == 1, labels == 1)
    np.testing.assert_array_equal(found.labels == 0, labels == 0)
    assert set(np.unique(labels[reacted(found)])) == {2}
    assert found.phases[3] == "LFTAP"


def test_layer_wraps_around_a_periodic_box_only() -> None:
    """LFP at the low end reacts with LATP at the high end where the structure is periodic."""
    labels = laminate([1] * 5 + [2] * 40)
    assert reacted(grow_interphase(structure(labels), UNIFORM, seed=1))[-6:, 0, 0].all()
    assert not reacted(grow_interphase(structure(labels, periodic=False), UNIFORM, seed=1))[-6:].any()


def test_same_seed_same_layer(fired: VoxelStructure) -> None:
    """One seed, one layer; another seed, another."""
    one, two, other = (grow_interphase(fired, InterphaseRecipe(), seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert (one.labels != other.labels).any()


def test_structure_without_an_interface_is_left_alone() -> None:
    """Donor and host that do not touch make nothing."""
    labels = laminate([1] * 5 + [0] * 2 + [2] * 8 + [0] * 2)
    found = grow_interphase(structure(labels), UNIFORM, seed=1)
    np.testing.assert_array_equal(found.labels, labels)
    assert interphase_statistics(found) == {}


def test_impossible_layers_are_refused() -> None:
    """A layer thinner than a voxel, a label that is taken, a phase that is not there."""
    base = structure(laminate([1] * 5 + [2] * 5))
    with pytest.raises(InputError, match=r"a layer of 5 nm \(median\) is thinner than a voxel of 10 nm"):
        grow_interphase(base, InterphaseRecipe(thickness_p05_nm=2.5, thickness_p95_nm=10.0))
    with pytest.raises(InputError, match="label 1 of the interphase is taken by LFP"):
        grow_interphase(base, InterphaseRecipe(label=1))
    with pytest.raises(InputError, match="phase 'NMC' is not in this structure"):
        grow_interphase(base, InterphaseRecipe(donor="NMC"))
