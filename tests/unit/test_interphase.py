"""The reaction layer: where it grows, how thick, how much of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf
from support import Labels, distance_from_middle, laminate, voronoi

from microstructures.errors import InputError
from microstructures.firing.interphase import grow_interphase
from microstructures.firing.reaction import draw_reactions, longest_layer
from microstructures.morphology import describe, interphase_statistics
from microstructures.recipe import InterphaseRecipe
from microstructures.structure import VoxelStructure

PHASES = {0: "pore", 1: "LFP", 2: "LATP"}
VOXEL_NM = 10.0
ONE_SIDED = InterphaseRecipe(donor_share=0.0, coverage=1.0, representation="resolved")
UNIFORM = ONE_SIDED.model_copy(update={"thickness_p05_nm": 60.0, "thickness_p95_nm": 60.0})


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


def test_drawn_percentiles_are_those_asked_for() -> None:
    """Over some 2000 pairs of grains 40 and 100 nm are the 5th and 95th percentile, and three quarters of the area react."""
    labels = laminate([1, 2] * 20, across=25)
    grains = np.arange(labels.size, dtype=np.int32).reshape(labels.shape) + 1
    drawn = draw_reactions(labels.astype(np.uint8), grains, (False,) * 3, 1, 2, InterphaseRecipe(), 1.0, 3)
    assert len(drawn.grains) == labels.size - 25 * 25
    grew = drawn.thickness > 0.0
    assert grew.mean() == pytest.approx(0.75, abs=1e-4)
    low, high = np.percentile(drawn.thickness[grew], [5.0, 95.0]) * 1e9
    assert (low, high) == (pytest.approx(40.0, rel=0.02), pytest.approx(100.0, rel=0.02))
    assert drawn.thickness.max() <= longest_layer(InterphaseRecipe(), 1.0) * (1.0 + 1e-12)


def test_measured_thickness_is_the_drawn_one(fired: VoxelStructure) -> None:
    """Percentiles of the layers of voxels are those of the pairs, weighted by contact area, within a voxel or 10 %."""
    found = grow_interphase(fired, ONE_SIDED, seed=5)
    assert fired.grains is not None
    drawn = draw_reactions(fired.labels, fired.grains, fired.periodic, 1, 2, ONE_SIDED, 1.0, 5)
    weighted = np.repeat(drawn.thickness, drawn.faces) * 1e9
    numbers = interphase_statistics(found)
    for key, wanted in (("mean", weighted.mean()), *((f"p{p:02d}", np.percentile(weighted, p)) for p in (5, 95))):
        assert numbers[f"thickness_nm_{key}"] == pytest.approx(wanted, abs=max(VOXEL_NM, 0.1 * wanted)), key
    area = describe(fired, two_point=False)["interface_area_per_volume_per_um"]["LATP|LFP"]
    thin = area * numbers["thickness_nm_mean"] / 1000.0  # flat interfaces: area times thickness
    assert numbers["volume_fraction"] == pytest.approx(thin, rel=0.15)


@pytest.mark.parametrize(("coverage", "low", "high"), [(0.0, 0.0, 0.0), (0.5, 0.4, 0.6), (0.75, 0.65, 0.85), (1.0, 0.99, 1.0)])
def test_coverage(fired: VoxelStructure, coverage: float, low: float, high: float) -> None:
    """The share of the contact area that reacts, to within one pair of grains."""
    found = grow_interphase(fired, UNIFORM.model_copy(update={"coverage": coverage}), seed=7)
    numbers = interphase_statistics(found)
    assert bool(numbers) == (coverage > 0.0)
    assert low <= numbers.get("coverage", 0.0) <= high


def test_every_pair_of_grains_reacts_or_does_not(fired: VoxelStructure) -> None:
    """Every pair has a thickness of its own: along one pair's interface the layer is even."""
    labels = laminate([1] * 10 + [2] * 40)
    grains = np.where(labels == 1, 1, 2) + 2 * (np.indices(labels.shape)[1] >= 2)
    found = grow_interphase(structure(labels, grains), ONE_SIDED, seed=2)
    depth = reacted(found).sum(axis=0)
    assert len(np.unique(depth[:2])) == len(np.unique(depth[2:])) == 1
    assert fired.grains is not None
    kept = grow_interphase(fired, ONE_SIDED, seed=2).grains
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
    one, two, other = (grow_interphase(fired, ONE_SIDED, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert (one.labels != other.labels).any()


def test_structure_without_an_interface_is_left_alone() -> None:
    """Donor and host that do not touch make nothing."""
    labels = laminate([1] * 5 + [0] * 2 + [2] * 8 + [0] * 2)
    found = grow_interphase(structure(labels), UNIFORM, seed=1)
    np.testing.assert_array_equal(found.labels, labels)
    assert interphase_statistics(found) == {}


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_layer_is_split_between_both_sides(share: float) -> None:
    """40 nm in the host and 20 in the donor where a third is the donor's, all of it in the host's grain."""
    labels = laminate([1] * 20 + [2] * 30)
    grains = np.where(labels == 1, 1, 2)
    recipe = UNIFORM.model_copy(update={"donor_share": share, "thickness_p05_nm": 80.0, "thickness_p95_nm": 80.0})
    found = grow_interphase(structure(labels, grains), recipe, seed=1)
    into_donor = round(8 * share)
    depth = (
        [3] * into_donor + [1] * (20 - 2 * into_donor) + [3] * 8 + [2] * (30 - 2 * (8 - into_donor)) + [3] * (8 - into_donor)
    )
    assert found.labels[:, 0, 0].tolist() == depth
    assert found.grains is not None
    np.testing.assert_array_equal(found.grains, np.where(found.labels == 1, 1, 2))


def test_composition_follows_interdiffusion() -> None:
    """x = 1.7 (1 + erf(1.8124 s))/2 across the layer: 10 % at the donor's edge, half in the middle, 90 % at the host's."""
    labels = laminate([1] * 40 + [2] * 60)
    wide = {"donor_share": 0.5, "composition": True, "thickness_p05_nm": 200.0, "thickness_p95_nm": 200.0}
    found = grow_interphase(structure(labels, periodic=False), UNIFORM.model_copy(update=wide), seed=1)
    assert found.composition is not None
    x = found.composition[:, 0, 0]
    np.testing.assert_array_equal(np.isfinite(x), found.labels[:, 0, 0] == 3)
    inside = np.flatnonzero(np.isfinite(x))
    s = (inside + 0.5 - 40.0) / 20.0
    np.testing.assert_allclose(x[inside], 0.85 * (1.0 + erf(1.8124 * s)), rtol=1e-5)
    assert erf(1.8124 * 0.5) == pytest.approx(0.8, abs=1e-4)


def test_thin_layers_are_listed_and_not_drawn(fired: VoxelStructure) -> None:
    """Thin layers leave every voxel, and list the same pairs with the same thickness as layers of voxels have."""
    recipe = ONE_SIDED.model_copy(update={"coverage": 0.6, "donor_share": 0.3})
    thin = grow_interphase(fired, recipe.model_copy(update={"representation": "thin"}), seed=5)
    np.testing.assert_array_equal(thin.labels, fired.labels)
    assert thin.shells is not None
    assert (thin.shells.product, thin.shells.donor, thin.shells.host) == ("LFTAP", "LFP", "LATP")
    assert thin.shells.donor_share == 0.3
    assert 0.0 < thin.shells.thickness.min() < thin.shells.thickness.max() < 130e-9
    resolved = grow_interphase(fired, recipe, seed=5)
    assert resolved.shells is None
    drawn = describe(resolved, two_point=False)["interphase"]
    listed = describe(thin, two_point=False)["interphase"]
    assert listed["coverage"] == pytest.approx(0.6, abs=0.05)
    assert drawn["coverage"] == pytest.approx(0.6, abs=0.05)
    for key in ("volume_fraction", "thickness_nm_mean"):
        assert listed[key] == pytest.approx(drawn[key], rel=0.1), key


def test_auto_draws_layers_of_two_voxels(fired: VoxelStructure) -> None:
    """63 nm are six voxels of 10 nm; 19 nm are less than two."""
    auto = ONE_SIDED.model_copy(update={"representation": "auto"})
    assert grow_interphase(fired, auto, seed=1).shells is None
    assert grow_interphase(fired, auto, seed=1, growth=0.3).shells is not None


def test_a_pair_has_the_same_layer_at_every_voxel_size() -> None:
    """Thickness depends on the seed and both grains alone: pairs at 25 and at 50 nm agree."""
    from microstructures.firing.fire import co_fire
    from microstructures.pressing.press import press_powders
    from microstructures.recipe import parse_recipe

    recipe = parse_recipe({"fire": {"interphase": {"representation": "thin", "coverage": 1.0}}}, "test")
    green = press_powders(size_um=2.0, recipe=recipe, seed=1)
    fine, coarse = (co_fire(green=green, voxel_nm=h).shells for h in (25.0, 50.0))
    assert fine is not None
    assert coarse is not None
    known = {tuple(pair): t for pair, t in zip(fine.grains.tolist(), fine.thickness.tolist(), strict=True)}
    both = [
        (known[tuple(pair)], t)
        for pair, t in zip(coarse.grains.tolist(), coarse.thickness.tolist(), strict=True)
        if tuple(pair) in known
    ]
    assert len(both) > 0.8 * len(coarse)
    assert all(a == b for a, b in both)


def test_impossible_layers_are_refused() -> None:
    """A layer thinner than a voxel, a label that is taken, a phase that is not there."""
    base = structure(laminate([1] * 5 + [2] * 5))
    with pytest.raises(InputError, match=r"a layer of 5 nm \(median\) is thinner than a voxel of 10 nm"):
        grow_interphase(base, ONE_SIDED.model_copy(update={"thickness_p05_nm": 2.5, "thickness_p95_nm": 10.0}))
    with pytest.raises(InputError, match="label 1 of the interphase is taken by LFP"):
        grow_interphase(base, InterphaseRecipe(label=1))
    with pytest.raises(InputError, match="phase 'NMC' is not in this structure"):
        grow_interphase(base, InterphaseRecipe(donor="NMC"))
