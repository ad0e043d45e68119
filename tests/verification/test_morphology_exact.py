"""Measures of structures whose answers are known in closed form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from support import block, distance_from_middle, laminate

from microstructures.morphology import (
    chord_statistics,
    interface_areas,
    interphase_statistics,
    measure_interfaces,
    neighbour_statistics,
    raw_interface_areas,
    representative_volumes,
    two_point_statistics,
)
from microstructures.morphology.layer_thickness import layer_thickness
from microstructures.morphology.two_point import correlate
from microstructures.structure import VoxelStructure
from microstructures.voxels.rasterize import laguerre_cells, spheres_to_grains

FACES_PER_CELL = 2.0 + 48.0 * np.pi**2 / 35.0
"""Of Poisson-Voronoi cells: 15.5355 (Meijering 1953; Okabe et al., Spatial Tessellations, 2000, table 5.5.2)."""
SURFACE_OF_CELLS = 2.910
"""Boundary per volume of Poisson-Voronoi cells over the cube root of their number density (the same table)."""
SQUARED_VOLUME = 1.179
"""Mean squared over squared mean volume of Poisson-Voronoi cells (Gilbert 1962)."""


def overlapping_spheres(n: int, radius: float, solid: float, seed: int) -> tuple[NDArray[np.bool_], float]:
    """Return Poisson spheres in a periodic cube of n voxels, and their number per voxel."""
    rng = np.random.default_rng(seed)
    density = -np.log(1.0 - solid) / (4.0 / 3.0 * np.pi * radius**3)
    centre = rng.random((rng.poisson(density * n**3), 3)) * n
    return spheres_to_grains(centre, np.full(len(centre), radius), (n, n, n)) > 0, density


def union_of_two(radius: float, r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the volume of two spheres at distance r."""
    x = np.minimum(r, 2.0 * radius)
    return 4.0 / 3.0 * np.pi * radius**3 * (1.0 + 0.75 * x / radius - x**3 / (16.0 * radius**3))


def poisson_voronoi(n: int, cells: int, seed: int) -> tuple[NDArray[np.int32], float]:
    """Return Poisson-Voronoi cells of a periodic cube, and the cube root of their number per voxel."""
    centre = np.random.default_rng(seed).random((cells, 3)) * n
    return laguerre_cells(centre, np.zeros(cells), (n, n, n)), (cells / n**3) ** (1.0 / 3.0)


@pytest.mark.parametrize("periodic", [True, False])
def test_two_point_probability_of_overlapping_spheres(periodic: bool) -> None:
    """S2(r) = exp(-rho V2(r)) in the void, V2 the union of two spheres (Torquato, Random Heterogeneous Materials, 2002).

    Voxel centres are points, so S2 on voxels has no bias; one standard error of S2(0) is 0.0008 in a box of 100 radii.
    """
    n, radius = 250, 2.5
    solid, density = overlapping_spheres(n, radius, 0.6, seed=1)
    found = correlate(block(solid, periodic=periodic), 0)
    for s2 in found.along:
        exact = np.exp(-density * union_of_two(radius, np.arange(n // 2 + 1.0)))
        np.testing.assert_allclose(s2, exact, atol=0.003)
    r = np.arange(-8, 9.0)
    lags = np.sqrt(r[:, None, None] ** 2 + r[:, None] ** 2 + r**2)
    values = np.exp(-density * union_of_two(radius, lags))
    exact = np.array([values[(lags + 0.5).astype(int) == shell].mean() for shell in range(8)])
    np.testing.assert_allclose(found.radial[:8], exact, atol=0.003)
    np.testing.assert_allclose(found.radial[8:], np.exp(-2.0 * density * 4.0 / 3.0 * np.pi * radius**3), atol=0.003)


def test_specific_surface_of_overlapping_spheres() -> None:
    """S_v = rho 4 pi R^2 phi (Torquato 2002, phi of the void), from the slope of S2 and from the faces, within 1 %.

    Gaps between spheres narrower than a voxel are missed: over one voxel h, 4 (S2(0) - S2(h)) / h is
    4 phi (1 - exp(-rho pi (R^2 h - h^3 / 12))) / h, low by half a voxel over the mean chord 1 / (rho pi R^2), here 2.4 %.
    """
    n, radius = 200, 8.0
    solid, _ = overlapping_spheres(n, radius, 0.4, seed=2)
    structure = block(solid, 1000.0, periodic=True)
    phi = 1.0 - solid.mean()
    density = -np.log(phi) / (4.0 / 3.0 * np.pi * radius**3)
    exact = 4.0 * np.pi * radius**2 * density * phi
    on_voxels = 4.0 * phi * (1.0 - np.exp(-density * np.pi * (radius**2 - 1.0 / 12.0)))
    assert on_voxels / exact == pytest.approx(0.9757, abs=0.001)
    slope = two_point_statistics(structure)["specific_surface_per_um"]
    assert slope["pore"] == pytest.approx(slope["A"], rel=1e-3)
    assert slope["A"] == pytest.approx(on_voxels, rel=0.01)
    assert interface_areas(structure)["A|pore"] == pytest.approx(on_voxels, rel=0.015)
    assert raw_interface_areas(structure)["A|pore"] == pytest.approx(1.5 * on_voxels, rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_area_of_a_sphere_within_one_percent(seed: int) -> None:
    """4 pi R^2 at a radius of 20 voxels, wherever the centre lies in its voxel."""
    n, radius = 56, 20.0
    x = np.arange(n)[:, None] + 0.5 - 0.5 * n - np.random.default_rng(seed).random(3)
    inside = x[:, None, None, 0] ** 2 + x[:, None, 1] ** 2 + x[:, 2] ** 2 < radius**2
    found = interface_areas(block(inside, 1000.0))["A|pore"] * n**3
    assert found == pytest.approx(4.0 * np.pi * radius**2, rel=0.01)


def test_surface_and_neighbours_of_poisson_voronoi_cells() -> None:
    """S_v = 2.910 n^(1/3) within 1 % and 15.535 faces a cell within 2 %, at 22 voxels a cell.

    The faces of 750 cells scatter by 0.8 % (standard deviation 3.3 a cell); voxels lose 1 % of them there, 4 % at 7 voxels.
    """
    cells = 750
    grains, root = poisson_voronoi(200, cells, seed=1)
    structure = block(np.ones_like(grains), 1000.0, grains=grains, periodic=True)
    known = measure_interfaces(structure)
    assert interface_areas(structure, known)["A|A"] == pytest.approx(SURFACE_OF_CELLS * root, rel=0.01)
    assert neighbour_statistics(structure, known)["coordination"] == pytest.approx(FACES_PER_CELL, rel=0.02)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 2])
def test_poisson_voronoi_cells_converge(seed: int) -> None:
    """What voxels lose falls with the voxel: area and faces a cell of the same 400 cells at 7, 14 and 27 voxels a cell."""
    centre = np.random.default_rng(seed).random((400, 3))
    areas, faces = [], []
    for n in (50, 100, 200):
        grains = laguerre_cells(centre * n, np.zeros(400), (n, n, n))
        structure = block(np.ones_like(grains), 1000.0, grains=grains, periodic=True)
        known = measure_interfaces(structure)
        areas.append(interface_areas(structure, known)["A|A"] / (400.0 / n**3) ** (1.0 / 3.0) / SURFACE_OF_CELLS)
        faces.append(neighbour_statistics(structure, known)["coordination"] / FACES_PER_CELL)
    assert areas[0] < areas[1] < areas[2] == pytest.approx(1.0, abs=0.01)
    assert faces[0] < faces[1] < faces[2] == pytest.approx(1.0, abs=0.015)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("periodic", [False, True])
def test_chords_of_a_laminate_are_exact(axis: int, periodic: bool) -> None:
    """The thicknesses of the layers, along their normal; across it no chord ends."""
    labels = np.moveaxis(laminate([1] * 3 + [2] * 5 + [1] * 4 + [2] * 2 + [1] * 6), 0, axis)
    found = chord_statistics(block(labels, 10.0, periodic=periodic))
    a, b = found["A"]["xyz"[axis]], found["B"]["xyz"[axis]]
    assert a["mean_um"] == pytest.approx(0.065 if periodic else 0.04)
    assert b["mean_um"] == pytest.approx(0.035)
    assert b["standard_deviation_um"] == pytest.approx(0.015)
    assert (a["count"], b["count"]) == (32 if periodic else 16, 32)
    assert all(found["A"][letter] == {"count": 0} for letter in "xyz" if letter != "xyz"[axis])


def test_mean_chord_is_four_volumes_over_the_surface() -> None:
    """4 phi / S_v (Underwood 1970): 4 R / 3 in a sphere, 4 phi / S_v outside of it, over all axes, within 1 %."""
    n, radius = 96, 20.0
    inside = distance_from_middle(n) < radius
    structure = block(inside, 1000.0, periodic=True)
    chords = chord_statistics(structure)
    mean = {name: np.mean([axis["mean_um"] for axis in chords[name].values()]) for name in ("A", "pore")}
    assert mean["A"] == pytest.approx(4.0 / 3.0 * radius, rel=0.01)
    assert chords["A"]["x"]["p50_um"] == pytest.approx(np.sqrt(2.0) * radius, abs=1.0)  # P(chord < l) = (l / 2R)^2
    # lines that miss the sphere have no end: the void that chords see is what lies beside the sphere
    assert mean["pore"] == pytest.approx(n - mean["A"], rel=1e-9)


def test_voxel_bias_of_chords() -> None:
    """Chords of the void between overlapping spheres: 1 / (rho pi R^2) on lines, longer on voxels, by a known amount.

    Mean chord on voxels = h / (1 - S2(h) / S2(0)) = h / (1 - exp(-rho pi (R^2 h - h^3 / 12))): 9 % too long at a mean chord
    of 6 voxels, for chords shorter than a voxel are missed.
    """
    n, radius, mean = 250, 4.0, 6.0
    density = 1.0 / (np.pi * radius**2 * mean)
    solid, found_density = overlapping_spheres(n, radius, 1.0 - np.exp(-density * 4.0 / 3.0 * np.pi * radius**3), seed=3)
    assert found_density == pytest.approx(density)
    on_voxels = 1.0 / (1.0 - np.exp(-density * np.pi * (radius**2 - 1.0 / 12.0)))
    assert on_voxels / mean == pytest.approx(1.09, abs=0.005)
    chords = chord_statistics(block(solid, periodic=True))["pore"]
    assert np.mean([axis["mean_voxels"] for axis in chords.values()]) == pytest.approx(on_voxels, rel=0.01)


def test_representative_volume_of_independent_voxels() -> None:
    """A3 = h^3, so that the fraction of 64^3 voxels at phi = 0.3 has the standard error 0.000895 (Kanit et al. 2003)."""
    samples = [np.random.default_rng(seed).random((64, 64, 64)) < 0.3 for seed in range(16)]
    found = [representative_volumes(block(sample, 1000.0, periodic=True))["A"] for sample in samples]
    exact = np.sqrt(0.3 * 0.7 / 64**3)
    assert exact == pytest.approx(0.000895034, abs=1e-9)
    errors = np.array([each["standard_error"] for each in found])
    assert np.median(errors) == pytest.approx(exact, rel=0.01)
    np.testing.assert_allclose(errors, exact, rtol=0.05)
    scatter = np.std([sample.mean() for sample in samples], ddof=1)
    assert scatter == pytest.approx(exact, rel=3.0 / np.sqrt(30.0))
    blocks = np.mean([each["integral_range_blocks_um3"] for each in found])
    assert blocks == pytest.approx(1.0, abs=3.0 * np.sqrt(2.0 / 63.0 / 16.0))
    edge = found[0]["edge_um_for_1_percent"]
    assert edge == pytest.approx((4.0 * 0.7 / 0.3 / 0.01**2) ** (1.0 / 3.0), rel=0.03)


def test_integral_range_of_coloured_cells() -> None:
    """Poisson-Voronoi cells coloured at random: A3 = <v^2> / <v> = 1.179 mean volumes (Gilbert 1962), within 10 %.

    One block of 1000 cells gives it within 9 %, so the standard error within 5 %; the mean of eight is tested.
    """
    cells = 1000
    ranges = []
    for seed in range(8):
        grains, root = poisson_voronoi(64, cells, seed)
        coloured = np.random.default_rng(100 + seed).random(cells + 1) < 0.5
        found = representative_volumes(block(coloured[grains], 1000.0, periodic=True))["A"]
        ranges.append(found["integral_range_um3"] * root**3)
    assert np.mean(ranges) == pytest.approx(SQUARED_VOLUME, rel=0.1)


LAYER = {"product": "C", "donor": "A", "host": "B"}
DIRECTIONS = [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (2, 1, 1), (3, 1, 0), (3, 2, 1)]


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("asked", [2.0, 4.0, 6.0])
def test_flat_layers_at_any_tilt(direction: tuple[int, int, int], asked: float) -> None:
    """Volume over area, at 2 voxels and more: exact along the grid, within 1.5 % at any tilt; 5th to 95th within 1.5 %."""
    n, normal = 60, np.linalg.norm(direction)
    period = n / normal
    depth = ((np.indices((n, n, n)) + 0.5).transpose(1, 2, 3, 0) @ direction + 0.37) % n / normal
    labels = np.where(depth < asked, 3, np.where(depth < asked + 0.5 * (period - asked), 2, 1))
    found = interphase_statistics(block(labels, 10.0, periodic=True), **LAYER)
    thickness = 10.0 * (labels == 3).mean() * period
    tolerance = 1e-9 if direction == (1, 0, 0) else 0.015
    for key in ("mean", "p05", "p95"):
        assert found[f"thickness_nm_{key}"] == pytest.approx(thickness, rel=tolerance)


@pytest.mark.parametrize(("radius", "thickness"), [(10, 4), (20, 4), (20, 2), (16, 8)])
@pytest.mark.parametrize("donor_inside", [True, False])
def test_coats_of_spheres(radius: int, thickness: int, donor_inside: bool) -> None:
    """A spherical coat within 1 %, its 5th and 95th percentile within 0.15 voxels, on whichever side the donor lies."""
    n = 2 * (radius + thickness) + 16
    x = np.arange(n) + 0.5 - 0.5 * n
    distance = np.sqrt((x[:, None, None] - 0.1) ** 2 + (x[:, None] - 0.3) ** 2 + (x - 0.45) ** 2)
    core, matrix = (1, 2) if donor_inside else (2, 1)
    labels = np.where(distance < radius, core, np.where(distance < radius + thickness, 3, matrix))
    found = interphase_statistics(block(labels, 10.0), **LAYER)
    assert found["thickness_nm_mean"] == pytest.approx(10.0 * thickness, rel=0.01)
    assert found["thickness_nm_p05"] == pytest.approx(10.0 * thickness, abs=1.5)
    assert found["thickness_nm_p95"] == pytest.approx(10.0 * thickness, abs=1.5)


@pytest.mark.parametrize("case", ["edges", "pore"])
def test_ends_of_layers_do_not_count(case: str) -> None:
    """A layer of 5 voxels around the edges of a cube, or over a contact with pore beside it: the tail stays within 10 %."""
    n = 60
    labels = np.full((n, n, n), 2, dtype=np.uint8)
    if case == "pore":
        labels[:, :, :30] = 0
        labels[18:42, 18:42, :30] = 1
    else:
        labels[18:42, 18:42, 18:42] = 1
    depth = ndimage.distance_transform_edt(labels != 1) - 0.5
    labels[(labels == 2) & (depth <= 5.0)] = 3
    found = interphase_statistics(block(labels, 10.0), **LAYER)
    assert found["thickness_nm_mean"] == pytest.approx(50.0, rel=0.05)
    assert found["thickness_nm_p05"] == pytest.approx(50.0, rel=0.03)
    assert found["thickness_nm_p95"] == pytest.approx(50.0, rel=0.11)


def test_layers_of_flat_voxels() -> None:
    """Lengths along each axis count with the edge of the voxel: 4 planes of 3 nm, and 10 nm at a tilt within 1 %."""
    x = np.indices((60, 60, 60)) + 0.5
    straight = np.where(x[0] < 20.0, 1, np.where(x[0] < 24.0, 3, 2)).astype(np.uint8)
    thickness, _ = layer_thickness(straight, 3, 1, 2, (3e-9, 2e-9, 1e-9), (False, False, False))
    np.testing.assert_allclose(thickness, 12e-9, rtol=1e-9)
    depth = 0.6 * 3.0 * x[0] + 0.8 * x[2]
    tilted = np.where(depth < 60.0, 1, np.where(depth < 70.0, 3, 2)).astype(np.uint8)
    thickness, weight = layer_thickness(tilted, 3, 1, 2, (3e-9, 2e-9, 1e-9), (False, False, False))
    assert np.average(thickness, weights=weight) == pytest.approx(10e-9, rel=0.01)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_coverage_of_a_sphere_that_reacted_in_octants(share: float) -> None:
    """Three of eight grains around a ball reacted: coverage 3/8 within 2 %, on whichever side the layer grew."""
    distance, n = distance_from_middle(72), 72
    x = np.indices((n, n, n)) >= n // 2
    octant = x[0] * 4 + x[1] * 2 + x[2]
    labels = np.where(distance < 24.0, 1, 2)
    grains = np.where(distance < 24.0, 1, 2 + octant)
    low, high = 24.0 - 4.0 * share, 28.0 - 4.0 * share
    labels[(distance >= low) & (distance < high) & (octant < 3)] = 3
    found = interphase_statistics(VoxelStructure.from_labels(labels, voxel_nm=10.0, phases={1: "A", 2: "B", 3: "C"},
                                                             grains=grains), **LAYER)  # fmt: skip
    assert found["coverage"] == pytest.approx(3 / 8, rel=0.02)
    assert found["thickness_nm_mean"] == pytest.approx(40.0, rel=0.02)
    inside = (24.0**3 - low**3) / (high**3 - low**3)
    assert found["donor_side_fraction"] == pytest.approx(inside, abs=0.02)


def test_integral_range_of_blocks_is_that_of_a_plain_count() -> None:
    """The scatter between 4 x 4 x 4 blocks, counted one by one."""
    labels = np.random.default_rng(9).random((16, 12, 20)) < 0.4
    fractions = [
        labels[4 * i : 4 * i + 4, 3 * j : 3 * j + 3, 5 * k : 5 * k + 5].mean() for i, j, k in product(range(4), repeat=3)
    ]
    found = representative_volumes(block(labels, 1000.0))["A"]["integral_range_blocks_um3"]
    phi = labels.mean()
    assert found == pytest.approx(np.var(fractions, ddof=1) * 60.0 / (phi * (1.0 - phi)))
