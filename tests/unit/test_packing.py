"""Packings, neighbours, and particles cut into voxels: against brute force and known random packings."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from microstructures.errors import InputError
from microstructures.firing.grain_growth import merge_grains
from microstructures.pressing.neighbours import neighbour_lists, neighbour_pairs
from microstructures.pressing.packing import OVERLAP_TOLERANCE, pack_spheres
from microstructures.voxels.nearest_source import nearest_source
from microstructures.voxels.rasterize import laguerre_cells, matched_weights, spheres_to_grains


def distances(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    link = centre[:, None] - centre
    return np.asarray(np.linalg.norm(link - np.round(link), axis=2))


def equal_spheres(count: int, density: float) -> NDArray[np.float64]:
    return np.full(count, (density * 3.0 / (4.0 * np.pi * count)) ** (1.0 / 3.0))


@pytest.mark.parametrize("density", [0.3, 0.5, 0.6])
def test_equal_spheres_pack(density: float) -> None:
    """Random packings of equal spheres exist up to .64; the packing reports its own largest overlap."""
    radius = equal_spheres(60, density)
    packing = pack_spheres(radius, np.random.default_rng(1).random((60, 3)))
    overlap = 1.0 - distances(packing.centre)[np.triu_indices(60, 1)].min() / (2.0 * radius[0])
    assert max(overlap, 0.0) == pytest.approx(packing.largest_overlap, abs=1e-9)
    assert packing.largest_overlap <= OVERLAP_TOLERANCE


def test_too_dense_a_packing_says_what_can_be_reached() -> None:
    """Equal spheres at .70 cannot be placed at random: one line that names a density which then does pack, near .64."""
    radius = equal_spheres(100, 0.70)
    start = np.random.default_rng(1).random((100, 3))
    with pytest.raises(InputError, match=r"relative density 0\.700 cannot be packed") as refusal:
        pack_spheres(radius, start)
    reached = float(str(refusal.value).split("reached ")[1].split(";")[0])
    assert 0.60 < reached < 0.66
    assert pack_spheres(equal_spheres(100, reached - 0.01), start).largest_overlap <= OVERLAP_TOLERANCE


def test_radial_distribution_of_a_random_packing() -> None:
    """Known of random sphere packings (Finney 1970): a peak at one diameter, depletion to 1.5, a split second peak, then 1."""
    count = 4000
    radius = equal_spheres(count, 0.60)
    centre = pack_spheres(radius, np.random.default_rng(3).random((count, 3))).centre
    pairs = neighbour_pairs(centre, radius, 4.0 * radius[0])
    link = centre[pairs[:, 0]] - centre[pairs[:, 1]]
    r = np.linalg.norm(link - np.round(link), axis=1) / (2.0 * radius[0])
    edges = np.linspace(0.975, 3.025, 42)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3) * (2.0 * radius[0]) ** 3
    g = 2.0 * np.histogram(r, edges)[0] / count / (count * shells)
    middle = 0.5 * (edges[1:] + edges[:-1])
    assert r.min() > 1.0 - 1.001 * OVERLAP_TOLERANCE
    assert int(np.argmax(g)) == 0  # within 2.5 % of one diameter
    assert g[0] > 6.0
    assert g[(middle > 1.2) & (middle < 1.5)].max() < 0.8
    assert g[(middle > 1.68) & (middle < 2.02)].min() > 1.0  # the split second peak, sqrt(3) and 2 diameters
    assert g[(middle > 2.05) & (middle < 2.3)].max() < 0.95
    assert g[(middle > 2.5)].mean() == pytest.approx(1.05, abs=0.06)


@pytest.mark.parametrize("spread", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("count", [2, 7, 300])
def test_neighbours_against_all_pairs(count: int, spread: float) -> None:
    """Every pair closer than the skin, once from either side, for equal and for very unequal spheres."""
    rng = np.random.default_rng(count)
    centre, radius = rng.random((count, 3)), np.exp(spread * rng.standard_normal(count))
    radius *= min(0.1 / radius.max(), (0.4 / count / np.mean(radius**3)) ** (1.0 / 3.0))
    skin = 0.5 * radius.mean()
    close = distances(centre) < radius[:, None] + radius + skin
    np.fill_diagonal(close, False)
    first, other = neighbour_lists(centre, radius, skin)
    found = np.zeros_like(close)
    found[np.repeat(np.arange(count), np.diff(first)), other] = True
    np.testing.assert_array_equal(found, close)
    assert first[-1] == close.sum()
    np.testing.assert_array_equal(neighbour_pairs(centre, radius, skin), np.argwhere(np.triu(close)))


@pytest.mark.parametrize("wraps", [(False, False, False), (True, True, True), (True, False, True)])
@pytest.mark.parametrize("share", [0.002, 0.1])
def test_nearest_source_against_the_distance_transform(wraps: tuple[bool, bool, bool], share: float) -> None:
    """Distances are those of an exact Euclidean transform up to the reach, and lead to a marked voxel at that distance."""
    shape, size, reach = (17, 12, 21), (1.0, 2.0, 0.7), 6.3
    marks = np.random.default_rng(1).random(shape) < share
    marks[3, 4, 5] = True
    index, distance = nearest_source(marks, size, wraps, reach)
    pad = [(n, n) if wrap else (0, 0) for n, wrap in zip(shape, wraps, strict=True)]
    inner = tuple(slice(low, low + n) for (low, _), n in zip(pad, shape, strict=True))
    exact = np.asarray(ndimage.distance_transform_edt(~np.pad(marks, pad, mode="wrap"), sampling=size))[inner]
    np.testing.assert_allclose(distance, np.where(exact <= reach, exact, np.inf), rtol=1e-6)
    near = np.isfinite(distance)
    np.testing.assert_array_equal(index >= 0, near)
    assert marks.ravel()[index[near]].all()
    link = (np.stack(np.unravel_index(index[near], shape), axis=1) - np.argwhere(near)).astype(float)
    link -= np.where(wraps, np.array(shape) * np.round(link / np.array(shape)), 0.0)
    np.testing.assert_allclose(np.linalg.norm(link * size, axis=1), distance[near], rtol=1e-6)


def test_small_grains_are_swallowed_by_their_largest_contact() -> None:
    """A chain of four: the smallest goes first, to the neighbour it touches most; another phase is left alone."""
    pairs = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    label = np.array([1, 1, 1, 1, 2], dtype=np.uint8)
    volume = np.array([2.0, 1.0, 3.0, 4.0, 0.1])
    contact = np.array([1.0, 5.0, 1.0, 9.0])
    three = merge_grains(label, volume, pairs, contact, {1: (4.0 / 3.0) ** (1.0 / 3.0)})
    assert three.tolist() == [1, 2, 2, 3, 4]
    assert merge_grains(label, volume, pairs, contact, {1: 4.0 ** (1.0 / 3.0)}).tolist() == [1, 1, 1, 1, 2]
    assert merge_grains(label, volume, pairs, contact, {}).tolist() == [1, 2, 3, 4, 5]
    lonely = merge_grains(label, volume, pairs[:1], contact[:1], {1: 2.0})
    assert lonely.tolist() == [1, 1, 2, 3, 4]


# ----------------------------------------------------------------------------------------- cells and spheres


def brute_force_cells(centre: NDArray[np.float64], weight: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    x = np.stack(np.meshgrid(*(np.arange(n) + 0.5,) * 3, indexing="ij"), axis=-1)
    link = x[..., None, :] - centre
    link -= n * np.round(link / n)
    return np.asarray((link**2).sum(axis=-1) - weight)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("spread", [0.0, 3.0, 60.0])
def test_laguerre_cells_against_brute_force(seed: int, spread: float) -> None:
    """Each voxel belongs to the particle of least d^2 - weight, exactly, in the periodic box."""
    rng, n = np.random.default_rng(seed), 16
    centre, weight = rng.random((12, 3)) * n, rng.random(12) * spread
    power = brute_force_cells(centre, weight, n)
    cells = laguerre_cells(centre, weight, (n, n, n))
    assert cells.min() >= 1
    np.testing.assert_allclose(np.take_along_axis(power, cells[..., None] - 1, axis=-1)[..., 0], power.min(axis=-1), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_spheres_against_brute_force(seed: int) -> None:
    """A voxel is solid if its centre lies in a sphere; overlaps are split on the radical plane."""
    rng, n = np.random.default_rng(seed), 20
    centre, radius = rng.random((10, 3)) * n, 2.0 + 3.0 * rng.random(10)
    power = brute_force_cells(centre, radius**2, n)
    grains = spheres_to_grains(centre, radius, (n, n, n))
    np.testing.assert_array_equal(grains > 0, power.min(axis=-1) < 0.0)
    np.testing.assert_array_equal(grains[grains > 0], power.argmin(axis=-1)[grains > 0] + 1)


def test_cells_match_their_volumes() -> None:
    """Weights are moved until each cell has its share, within a few percent."""
    rng, n = np.random.default_rng(2), 40
    radius = 0.15 + 0.1 * rng.random(15)
    packed = pack_spheres(radius * (0.4 / (4.0 / 3.0 * np.pi * (radius**3).sum())) ** (1.0 / 3.0), rng.random((15, 3)))
    centre = packed.centre * n
    cells = laguerre_cells(centre, matched_weights(centre, radius**3, n), (n, n, n))
    shares = np.bincount(cells.ravel(), minlength=16)[1:] / n**3
    np.testing.assert_allclose(shares, radius**3 / (radius**3).sum(), rtol=0.04)
