"""What is measured of a structure, against shapes whose measures are known."""

from __future__ import annotations

import itertools
import json

import numba
import numpy as np
import pytest
from scipy import ndimage
from support import blobs, block, distance_from_middle, laminate, random_labels, sphere, voronoi

from microstructures.errors import InputError
from microstructures.features import Particles, PointContacts, ThinShells
from microstructures.morphology import (
    chord_statistics,
    contact_statistics,
    count_chords,
    describe,
    grain_sizes_um,
    interface_areas,
    interphase_statistics,
    label_of_grains,
    measure_interfaces,
    neighbour_statistics,
    porosity,
    raw_interface_areas,
    relative_density,
    representative_volumes,
    two_point_statistics,
    volume_fractions,
)
from microstructures.morphology.two_point import correlate
from microstructures.segment import connected_grains, watershed_grains
from microstructures.structure import VoxelStructure
from microstructures.voxels.interface_normals import AREA_LEVELS, area_factor_of_level


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


@pytest.mark.parametrize("periodic", [False, True])
def test_two_point_probability_against_a_plain_count(periodic: bool) -> None:
    """S2(0) = phi, S2(r) = the share of pairs at distance r along the axes with both ends inside (Torquato 2002)."""
    labels = blobs(24, {0: 0.4, 1: 0.6}, seed=2)
    found = two_point_statistics(block(labels, periodic=periodic))
    for name, label in (("pore", 0), ("A", 1)):
        inside = labels == label
        for axis, letter in enumerate("xyz"):
            line = np.moveaxis(inside, axis, 0)
            if periodic:
                expected = [(line & np.roll(line, r, 0)).mean() for r in range(13)]
            else:
                expected = [(line[: 24 - r] & line[r:]).mean() for r in range(13)]
            np.testing.assert_allclose(found["S2_axes"][name][letter], expected, atol=1e-6)
        mean = np.mean([found["S2_axes"][name][letter] for letter in "xyz"], axis=0)
        np.testing.assert_allclose(found["S2"][name], mean, atol=1e-6)
        assert found["S2"][name][0] == pytest.approx(inside.mean(), abs=1e-6)
    np.testing.assert_allclose(found["r_um"], np.arange(13) * 0.025)
    if periodic:
        assert found["correlation_length_um"]["A"] == pytest.approx(found["correlation_length_um"]["pore"], rel=1e-4)


@pytest.mark.parametrize("periodic", [False, True])
def test_radial_two_point_probability_against_a_plain_count(periodic: bool) -> None:
    """All lags of a shell count, in flat voxels too, each with as many pairs as fit into the block."""
    shape, size = (9, 8, 10), np.array([1.0, 2.0, 1.5])
    inside = np.random.default_rng(4).random(shape) < 0.4
    found = correlate(block(inside, tuple(25.0 * size), periodic=periodic), 1)
    farthest = min(n // 2 * h for n, h in zip(shape, size, strict=True))
    good, pairs, lags = np.zeros(20), np.zeros(20), np.zeros(20)
    for lag in itertools.product(*(range(-(n - 1) // 2, n // 2 + 1) for n in shape)):
        length = np.linalg.norm(lag * size)
        if length > farthest:
            continue
        if periodic:
            ends, count = inside & np.roll(inside, lag, (0, 1, 2)), inside.size
        else:
            low = tuple(slice(max(0, -a), n - max(0, a)) for a, n in zip(lag, shape, strict=True))
            high = tuple(slice(max(0, a), n - max(0, -a)) for a, n in zip(lag, shape, strict=True))
            ends, count = inside[low] & inside[high], inside[low].size
        shell = int(length + 0.5)
        good[shell], pairs[shell], lags[shell] = good[shell] + ends.sum(), pairs[shell] + count, lags[shell] + 1
    filled = lags > 0
    np.testing.assert_allclose(found.radial, (good / np.maximum(pairs, 1))[filled], rtol=1e-6)
    assert found.lags[:2].tolist() == lags[filled][:2].tolist()


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


def test_distribution_of_grain_sizes() -> None:
    """Nine slabs of 1 to 9 planes: percentiles by number, the weighted mean by volume."""
    grains = np.repeat(np.arange(1, 10), np.arange(1, 10))[:, None, None] * np.ones((1, 4, 4), dtype=int)
    found = grain_sizes_um(block(np.ones_like(grains), 1000.0, grains=grains))["A"]
    diameter = (6.0 * 16.0 * np.arange(1, 10) / np.pi) ** (1.0 / 3.0)
    assert found["count"] == 9
    assert found["p50"] == pytest.approx(diameter[4])
    assert (found["p10"], found["p90"]) == pytest.approx(tuple(np.percentile(diameter, (10, 90))))
    assert found["volume_weighted_mean"] == pytest.approx(np.average(diameter, weights=np.arange(1, 10)))


def test_grain_ids_far_apart_and_below_zero() -> None:
    """Ids of an image may be any numbers above 0, and are told apart; below 0 they are refused."""
    grains = laminate([1, 1, 2, 2, 2]).astype(np.int64)
    plain, far = (block(np.ones_like(grains), grains=ids) for ids in (grains, np.where(grains == 1, 7, 2_000_000_000)))
    assert grain_sizes_um(far) == grain_sizes_um(plain)
    assert interface_areas(far) == interface_areas(plain) != {}
    assert measure_interfaces(far).grains.tolist() == [[7, 2_000_000_000]]
    with pytest.raises(InputError, match="grain ids go down to -1; allowed: 1 and above"):
        grain_sizes_um(block(np.ones_like(grains), grains=-grains // 2))


def test_phase_of_a_grain() -> None:
    """Most voxels decide, a reaction product left out; particles overrule them."""
    labels = laminate([1, 3, 3, 2, 2, 3, 3])
    grains = laminate([1, 1, 1, 2, 2, 3, 3])
    ids, of_grain = label_of_grains(block(labels, grains=grains), product=3)
    assert ids.tolist() == [1, 2, 3]
    assert of_grain.tolist() == [1, 2, -1]
    assert label_of_grains(block(labels, grains=grains))[1].tolist() == [3, 2, 3]
    known = Particles(np.zeros((2, 3)), np.ones(2), np.array([2, 1], dtype=np.uint8), np.array([3, 9], dtype=np.int32))
    assert label_of_grains(block(labels, grains=grains).with_(particles=known), product=3)[1].tolist() == [1, 2, 2]


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


def test_thread_count_changes_no_bit() -> None:
    """One thread or two: the same description."""
    labels, grains = voronoi(24, 20, seed=5, labels=(0, 1, 2))
    structure = block(labels, grains=grains, periodic=True)
    threads = numba.get_num_threads()
    try:
        found = []
        for count in (1, threads):
            numba.set_num_threads(count)
            found.append(describe(structure))
    finally:
        numba.set_num_threads(threads)
    assert found[0] == found[1]


def test_raw_area_counts_faces() -> None:
    """Every face between unlike voxels once, whatever its tilt."""
    labels = blobs(20, {1: 0.5, 2: 0.5}, seed=6)
    faces = sum((labels != np.roll(labels, 1, axis)).sum() for axis in range(3))
    structure = block(labels, 50.0, periodic=True)
    assert raw_interface_areas(structure)["A|B"] == pytest.approx(faces / 20**3 / 0.05)
    assert interface_areas(structure)["A|B"] < raw_interface_areas(structure)["A|B"]


@pytest.mark.parametrize(
    ("holes", "periodic", "open_", "closed", "pieces"),
    [
        ([(3, 3, 3)], False, 0, 1, 1),
        ([(0, 3, 3)], False, 1, 0, 1),
        ([(0, 3, 3)], True, 0, 1, 1),
        ([(0, 3, 3), (5, 3, 3)], True, 0, 2, 1),
        ([(0, 3, 3), (5, 3, 3)], False, 2, 0, 2),
        ([(n, 3, 3) for n in range(6)], True, 6, 0, 1),
        ([(n, 3, 3) for n in range(6)] + [(0, 0, 0)], True, 6, 1, 2),
        ([(2, 2, 2), (3, 3, 3)], False, 0, 2, 2),
        # leaves the box and comes back into the same copy of it
        ([(0, 2, 2), (1, 2, 2), (1, 3, 2), (0, 3, 2), (5, 2, 2), (5, 3, 2)], True, 0, 6, 1),
        # winds around the diagonal of x and y in one piece
        ([(n, n, 1) for n in range(6)] + [((n + 1) % 6, n, 1) for n in range(6)], True, 12, 0, 1),
    ],
)
def test_open_and_closed_pores(holes: list[tuple[int, int, int]], periodic: bool, open_: int, closed: int, pieces: int) -> None:
    """Open: touches an outer face, or winds around a periodic box; joined by faces only."""
    labels = np.ones((6, 6, 6), dtype=np.uint8)
    labels[tuple(np.array(holes).T)] = 0
    found = porosity(block(labels, periodic=periodic))
    assert found["open"] * 216 == pytest.approx(open_)
    assert found["closed"] * 216 == pytest.approx(closed)
    assert found["total"] * 216 == pytest.approx(open_ + closed)
    assert found["pieces"] == pieces
    assert found["open_pieces"] == (1 if open_ == 6 or periodic else pieces) * (open_ > 0)


def test_dense_body_has_no_pores() -> None:
    """No pore, no piece, no division by nothing."""
    assert porosity(block(np.ones((3, 3, 3)))) == {
        "total": 0.0, "open": 0.0, "closed": 0.0, "pieces": 0, "open_pieces": 0, "largest_piece": 0.0,
    }  # fmt: skip


def test_chords_of_a_line() -> None:
    """Cut chords do not count in a block, run on in a periodic one, and a line of one phase has none."""
    labels = np.ones((9, 2, 1), dtype=np.uint8)
    labels[:, 0, 0] = [1, 1, 2, 2, 2, 1, 2, 1, 1]
    counts = {name: np.flatnonzero(table).tolist() for name, table in count_chords(block(labels), 0).items()}
    assert counts == {"A": [1], "B": [1, 3]}
    counts = {name: np.flatnonzero(table).tolist() for name, table in count_chords(block(labels, periodic=True), 0).items()}
    assert counts == {"A": [1, 4], "B": [1, 3]}
    assert chord_statistics(block(labels))["A"]["z"] == {"count": 0}


def test_statistics_of_chords() -> None:
    """Mean, spread, percentiles and shares of chords of 2, 2 and 5 voxels of 100 nm."""
    found = chord_statistics(block(laminate([1, 2, 2, 1, 2, 2, 1, 2, 2, 2, 2, 2, 1], 1), 100.0), distributions=True)["B"]["x"]
    assert found["count"] == 3
    assert found["mean_um"] == pytest.approx(0.3)
    assert found["standard_deviation_um"] == pytest.approx(np.sqrt(2.0) / 10.0)
    assert (found["p10_um"], found["p50_um"], found["p90_um"]) == pytest.approx((0.2, 0.2, 0.5))
    assert found["share_by_voxels"] == pytest.approx([0.0, 0.0, 2 / 3, 0.0, 0.0, 1 / 3])


def test_contacts_by_pair_of_phases() -> None:
    """Three grains of A, B, B and three contacts: numbers, radii and areas by pair; who has how many neighbours."""
    labels, grains = laminate([1, 2, 2, 0]), laminate([1, 2, 3, 0])
    pairs = np.array([[1, 2], [1, 3], [2, 3]], dtype=np.int32)
    radius = np.array([10e-9, 20e-9, 60e-9])
    contacts = PointContacts(pairs, np.zeros((3, 3)), np.eye(3), radius, np.array([-1e-9, 0.0, 2e-9]))
    found = contact_statistics(block(labels, grains=grains).with_(contacts=contacts))
    assert found["count"] == 3
    assert found["coordination"] == 2.0
    assert (found["radius_nm_min"], found["radius_nm_mean"], found["radius_nm_max"]) == pytest.approx((10.0, 30.0, 60.0))
    assert found["area_um2_total"] == pytest.approx(np.pi * (0.01**2 + 0.02**2 + 0.06**2))
    assert found["pairs"]["A|B"]["count"] == 2
    assert found["pairs"]["A|B"]["radius_nm_mean"] == pytest.approx(15.0)
    assert found["coordination_by_phase"] == {"A": {"A": 0.0, "B": 2.0}, "B": {"A": 1.0, "B": 1.0}}
    assert found["coordination_distribution"] == pytest.approx([0.0, 0.0, 1.0])
    assert neighbour_statistics(block(labels, grains=grains).with_(contacts=contacts)) == {}
    assert contact_statistics(block(labels, grains=grains)) == {}


def test_neighbours_share_faces() -> None:
    """A row of bricks 1 2 1' with a pore beside the last: one neighbour at the ends, two in the middle."""
    labels, grains = laminate([1, 1, 2, 2, 1, 1, 0]), laminate([1, 1, 2, 2, 3, 3, 0])
    found = neighbour_statistics(block(labels, 1000.0, grains=grains))
    assert found["count"] == 2
    assert found["coordination"] == pytest.approx(4 / 3)
    assert list(found["pairs"]) == ["A|B"]
    expected = {"count": 2, "area_um2_mean": 16.0, "radius_nm_mean": np.sqrt(16.0 / np.pi) * 1e3, "area_um2_total": 32.0}
    assert found["pairs"]["A|B"] == pytest.approx(expected)
    assert found["coordination_by_phase"] == {"A": {"A": 0.0, "B": 1.0}, "B": {"A": 2.0, "B": 0.0}}
    assert found["coordination_distribution"] == pytest.approx([0.0, 2 / 3, 1 / 3])


LAYERS = {"product": "C", "donor": "A", "host": "B"}


def layered(layers: list[int], grains: list[int] | None = None) -> VoxelStructure:
    """Return a stack of 10 nm voxels, 1 = donor A, 2 = host B, 3 = product C."""
    return block(laminate(layers), 10.0, grains=None if grains is None else laminate(grains))


@pytest.mark.parametrize(("inside", "outside"), [(0, 4), (2, 2), (4, 0), (1, 3)])
def test_layer_on_either_side_of_the_contact(inside: int, outside: int) -> None:
    """The same layer, whichever grains it grew out of: thickness exact, one contact, all of it covered."""
    labels = [1] * (8 - inside) + [3] * 4 + [2] * (8 - outside)
    found = interphase_statistics(layered(labels, [1] * 8 + [2] * 8), **LAYERS)
    assert found["representation"] == "resolved"
    for key in ("mean", "p05", "p50", "p95"):
        assert found[f"thickness_nm_{key}"] == pytest.approx(40.0)
    assert found["thickness_nm_standard_deviation"] == pytest.approx(0.0, abs=1e-6)
    assert found["volume_fraction"] == pytest.approx(4 / 16)
    assert found["coverage"] == pytest.approx(1.0)
    assert found["donor_side_fraction"] == pytest.approx(inside / 4)
    assert sum(found["thickness_distribution"]["share"]) == pytest.approx(1.0)
    assert found["voxels_across"] == pytest.approx(4.0)


def test_coverage_of_a_contact_that_reacted_in_part() -> None:
    """Three of four grain contacts bear a layer on both sides; bare donor|host is the rest."""
    labels, grains = laminate([1] * 8 + [2] * 8, 16), laminate([1] * 8 + [2] * 8, 16).astype(int)
    grains += 2 * (np.arange(16) // 4)[:, None]
    labels[6:11, :12] = 3
    found = interphase_statistics(block(labels, 10.0, grains=grains), **LAYERS)
    assert found["coverage"] == pytest.approx(0.75, rel=0.02)
    assert found["donor_side_fraction"] == pytest.approx(0.4)
    assert found["thickness_nm_p05"] == pytest.approx(50.0, rel=0.04)  # the rim of the layer is round
    assert found["thickness_nm_p95"] == pytest.approx(50.0, rel=0.04)


def test_layer_without_grains() -> None:
    """Coverage from the donor's surface; nobody knows on which side the layer grew."""
    labels = laminate([1] * 6 + [3] * 2 + [2] * 8, 16)
    labels[6:8, 12:] = 2
    found = interphase_statistics(block(labels, 10.0), **LAYERS)
    assert found["coverage"] == pytest.approx(0.75, rel=0.02)
    assert found["donor_side_fraction"] is None


def test_layer_whose_host_is_used_up() -> None:
    """Nothing faces the layer: twice its volume over its surface."""
    found = interphase_statistics(layered([1] * 6 + [3] * 5 + [1] * 5), **LAYERS)
    assert found["samples"] == 0
    assert found["thickness_nm_mean"] == found["thickness_nm_p05"] == pytest.approx(50.0)


def test_names_of_the_layer_come_from_the_recipe() -> None:
    """An image's own phase names, as `cofire import --grow-interphase` and the firing recipe keep them."""
    structure = layered([1] * 6 + [3] * 4 + [2] * 6)
    assert interphase_statistics(structure) == {}
    expected = interphase_statistics(structure, **LAYERS)
    assert interphase_statistics(structure.with_(recipe={"interphase": LAYERS})) == expected
    assert interphase_statistics(structure.with_(recipe={"fire": {"interphase": LAYERS}})) == expected
    assert interphase_statistics(structure.with_(recipe={"fire": {"interphase": None}})) == {}


def test_layer_of_the_host_s_grains_on_both_sides() -> None:
    """Where the layer has become part of the host's grain, the recipe alone knows how much of it the donor gave."""
    structure = layered([1] * 7 + [3] * 4 + [2] * 5, [1] * 7 + [2] * 9)
    assert interphase_statistics(structure, **LAYERS)["donor_side_fraction"] == 0.0
    found = interphase_statistics(structure.with_(recipe={"interphase": {**LAYERS, "donor_share": 0.25}}))
    assert found["donor_side_fraction"] == 0.25
    assert found["coverage"] == pytest.approx(1.0)


def test_thin_layers() -> None:
    """Thickness weighted by the area of each pair; volume and coverage by area; no voxel of the product is needed."""
    labels, grains = laminate([1] * 8 + [2] * 8, 64), laminate([1] * 8 + [2] * 8, 64).astype(int)
    grains += np.where(labels == 2, 1 * (np.arange(64) >= 16)[:, None] + 1 * (np.arange(64) >= 48)[:, None], 0)
    shells = ThinShells("C", "A", "B", 0.4, np.array([[1, 2], [1, 3]], dtype=np.int32), np.array([10e-9, 40e-9]))
    structure = block(labels, 100.0, grains=grains).with_(shells=shells)
    found = interphase_statistics(structure, interfaces=measure_interfaces(structure))
    contact = measure_interfaces(structure, between=(1, 2))
    assert contact.grains.tolist() == [[1, 2], [1, 3], [1, 4]]
    assert contact.raw_area == pytest.approx(64 * np.array([16, 32, 16]) * 1e-14)
    assert contact.area == pytest.approx(contact.raw_area, rel=0.03)  # lines where three grains meet tilt the normal a little
    share = contact.area / contact.area.sum()
    assert found["representation"] == "thin"
    assert found["coverage"] == pytest.approx(share[:2].sum(), rel=1e-9)
    assert found["thickness_nm_mean"] == pytest.approx((10.0 * share[0] + 40.0 * share[1]) / share[:2].sum(), rel=1e-9)
    assert found["volume_fraction"] == pytest.approx((10.0 * 0.25 + 40.0 * 0.5) / 1600.0, rel=0.03)
    assert found["donor_side_fraction"] == 0.4
    assert found["voxels_across"] == pytest.approx(found["thickness_nm_mean"] / 100.0)
    assert describe(structure, two_point=False)["interphase"] == found
    other = ThinShells("C", "A", "B", 0.4, np.array([[5, 6]], dtype=np.int32), np.array([10e-9]))
    assert interphase_statistics(structure.with_(shells=other)) == {}


def test_representative_volume_of_one_phase() -> None:
    """A phase that fills the block has no scatter and no entry."""
    assert representative_volumes(block(np.ones((8, 8, 8)))) == {}


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
