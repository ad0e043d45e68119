"""What is measured of a structure, against shapes whose measures are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import ndimage
from support import blobs, block, distance_from_middle, laminate, random_labels, sphere, voronoi

from microstructures.interface_normals import AREA_LEVELS, area_factor_of_level
from microstructures.morphology import (
    describe,
    grain_sizes_um,
    interface_areas,
    relative_density,
    two_point_statistics,
    volume_fractions,
)
from microstructures.segment import connected_grains, watershed_grains


@pytest.mark.parametrize("radius", [12.0, 20.0])
@pytest.mark.parametrize("shift", [0.0, 0.37])
def test_area_of_a_sphere(radius: float, shift: float) -> None:
    """4 pi R^2, where plain voxel faces say 6 pi R^2: within 1.5 % at a radius of 20 voxels, 3 % at 12."""
    n = int(2 * radius + 12)
    x = np.arange(n) + 0.5 - 0.5 * n - shift
    labels = (x[:, None, None] ** 2 + x[:, None] ** 2 + x**2 < radius**2).astype(np.uint8)
    exact = 4.0 * np.pi * radius**2 / n**3 / 0.025
    assert interface_areas(block(labels))["A|pore"] == pytest.approx(exact, rel=0.015 if radius == 20.0 else 0.03)
    faces = sum(np.abs(np.diff(labels.astype(int), axis=axis)).sum() for axis in range(3))
    assert faces / (4.0 * np.pi * radius**2) == pytest.approx(1.5, rel=0.03)


def test_area_of_a_cylinder_does_not_depend_on_its_direction() -> None:
    """2 pi R per length, along every axis."""
    for axis in range(3):
        x = np.arange(48) - 23.5
        labels = np.moveaxis(np.repeat((x[:, None] ** 2 + x**2 < 15.0**2)[None], 4, axis=0), 0, axis)
        found = interface_areas(block(labels, periodic=True))["A|pore"]
        assert found == pytest.approx(2.0 * np.pi * 15.0 / 48**2 / 0.025, rel=0.02)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("periodic", [False, True])
def test_area_of_a_laminate_is_exact(axis: int, periodic: bool) -> None:
    """Flat faces count in full; the joint at the outer boundary counts where the structure is periodic."""
    labels = np.moveaxis(laminate([1] * 4 + [2] * 6), 0, axis)
    faces = 2 if periodic else 1
    assert interface_areas(block(labels, 50.0, periodic=periodic)) == pytest.approx({"A|B": faces / 0.5})


def test_area_in_flat_voxels() -> None:
    """The area of a plane follows from the edges of a voxel: one face of 20 x 30 in layers of 10 nm."""
    labels = laminate([1] * 5 + [2] * 5)
    assert interface_areas(block(labels, (10.0, 20.0, 30.0))) == pytest.approx({"A|B": 1.0 / 0.1})


def test_grain_boundaries_have_names() -> None:
    """A|A is the boundary of two grains of A; A|pore is no grain boundary."""
    labels = laminate([1] * 6 + [0] * 2)
    grains = laminate([1] * 3 + [2] * 3 + [0] * 2)
    assert interface_areas(block(labels, 50.0, grains=grains)) == pytest.approx({"A|A": 2.5, "A|pore": 2.5})


def test_levels_of_area_run_from_flat_to_diagonal() -> None:
    """1 at level 1, sqrt 3 at the last, 1 where there is no interface."""
    factor = area_factor_of_level(np.array([0, 1, AREA_LEVELS]))
    np.testing.assert_allclose(factor, [1.0, 1.0, np.sqrt(3.0)])


def test_fractions_and_density() -> None:
    """Fractions sum to one and name phases that are absent; density counts everything but pore."""
    structure = block(blobs(20, {0: 0.25, 1: 0.75}, seed=1))
    found = volume_fractions(structure)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["pore"] == pytest.approx(0.25, abs=1e-3)
    assert found["E"] == 0.0
    assert relative_density(structure) == pytest.approx(0.75, abs=1e-3)


def test_two_point_probability_against_a_plain_count() -> None:
    """S2(0) = phi, S2(r) = the share of pairs at distance r along the axes with both ends inside (Torquato 2002)."""
    labels = blobs(24, {0: 0.4, 1: 0.6}, seed=2)
    found = two_point_statistics(block(labels))
    for name, label in (("pore", 0), ("A", 1)):
        inside = labels == label
        expected = [np.mean([(inside & np.roll(inside, r, axis)).mean() for axis in range(3)]) for r in range(13)]
        np.testing.assert_allclose(found["S2"][name], expected, atol=2e-6)
        assert found["S2"][name][0] == pytest.approx(inside.mean(), abs=1e-6)
    np.testing.assert_allclose(found["r_um"], np.arange(13) * 0.025)
    assert found["correlation_length_um"]["A"] == pytest.approx(found["correlation_length_um"]["pore"], rel=1e-4)


def test_uncorrelated_voxels_have_no_memory() -> None:
    """S2(r) = phi^2 for r > 0 in white noise."""
    found = two_point_statistics(block(random_labels((48, 48, 48), 2, seed=3)))["S2"]["A"]
    np.testing.assert_allclose(found[1:], found[0] ** 2, atol=0.01)


def test_grain_sizes() -> None:
    """A sphere of radius R is its own equivalent sphere."""
    labels, radius = sphere(32, 0.2, inside=1, outside=0)
    found = grain_sizes_um(block(labels, 50.0, grains=labels))
    assert found["A"]["count"] == 1
    assert found["A"]["mean"] == pytest.approx(2.0 * radius * 0.05, rel=0.01)
    assert found["A"]["standard_deviation"] == 0.0


def test_description_is_plain_and_complete() -> None:
    """The JSON of `cofire info`: nothing but numbers, strings, lists and dictionaries."""
    labels, grains = voronoi(16, 8, seed=1)
    found = describe(block(labels, 50.0, grains=grains, periodic=True))
    assert json.loads(json.dumps(found)) == found
    assert found["shape"] == [16, 16, 16]
    assert found["voxel_nm"] == pytest.approx(50.0)
    assert found["grains"] == 8
    assert found["relative_density"] == 1.0
    assert found["interphase"] == {}
    assert "two_point" not in describe(block(labels), two_point=False)


def test_connected_grains_number_each_piece() -> None:
    """One id per connected piece of a phase, none for the background."""
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[0], labels[2, :2], labels[2, 4:], labels[5] = 1, 1, 1, 2
    grains = connected_grains(block(labels))
    assert np.unique(grains).tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(grains == 0, labels == 0)
    assert len(set(grains[labels == 1])) == 3
    assert connected_grains(block(labels), background=1).max() == ndimage.label(labels == 0)[1] + 1


def test_watershed_parts_touching_spheres() -> None:
    """Two spheres that overlap a little are two grains; each solid voxel has one."""
    n, radius = 40, 9.0
    x = np.indices((n, n, n)) + 0.5
    inside = np.zeros((n, n, n), dtype=bool)
    for middle in (12.0, 28.0):
        inside |= (x[0] - middle) ** 2 + (x[1] - 20.0) ** 2 + (x[2] - 20.0) ** 2 < radius**2
    grains = watershed_grains(block(inside))
    assert grains.max() == 2
    np.testing.assert_array_equal(grains > 0, inside)
    assert len(np.unique(grains[:20][inside[:20]])) == 1
    assert len(np.unique(grains[20:][inside[20:]])) == 1
    assert connected_grains(block(inside)).max() == 1


def test_watershed_gives_every_piece_a_grain() -> None:
    """Specks too small for a peak of their own still belong to a grain."""
    labels = (np.random.default_rng(1).random((16, 16, 16)) < 0.15).astype(np.uint8)
    grains = watershed_grains(block(labels))
    np.testing.assert_array_equal(grains > 0, labels > 0)
    pieces, count = ndimage.label(labels)
    assert grains.max() >= count
    assert all(len(np.unique(pieces[grains == grain])) == 1 for grain in range(1, grains.max() + 1))


def test_distance_helper_is_centred() -> None:
    """The middle of an even cube lies between its voxels."""
    assert distance_from_middle(4).min() == pytest.approx(np.sqrt(0.75))
