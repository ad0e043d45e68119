"""What is thinner or smaller than a voxel: films along interfaces, and point contacts between grains."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from support import Labels, block, laminate, materials, network, sigma, sphere

from kmc.conduction import conduct
from kmc.network import build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.materials import Materials, load_materials
from microstructures.pressing.press import cold_press
from microstructures.structure import VoxelStructure

H = 25e-9
SHEET = 1e-6


@pytest.mark.parametrize("n", [32, 64])
@pytest.mark.parametrize("volume_fraction", [0.1, 0.3])
@pytest.mark.parametrize(("matrix", "inside"), [(1.0, 0.0), (1.0, 0.3), (1e-4, 2e-5)])
def test_coated_sphere_is_neutral(n: int, volume_fraction: float, matrix: float, inside: float) -> None:
    """A sphere (R, s_c) with a film G = (s_m - s_c) R/2 leaves a matrix s_m as it is, at any f (Miloh & Benveniste 1999)."""
    labels, radius = sphere(n, volume_fraction)
    phases = {"A": matrix, "B": inside} if inside else {"A": matrix}
    known = materials(phases, films={"B|A": (matrix - inside) * radius * H / 2.0})
    assert sigma(network(labels, known, periodic=True)) == pytest.approx(matrix, rel=0.025)


@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_flat_film_is_exact(boundary: str, axis: int, outer: bool) -> None:
    """A film along the grid conducts G per pitch, whatever the voxels: s = (f s)_bulk + G/pitch along it, nothing across."""
    layers = [1] * 8 + [0] * 8
    labels = np.moveaxis(laminate(layers, across=6), 0, axis)
    known = network(labels, materials({"A": 0.5} if outer else {}, films={"A|pore": SHEET}), periodic=True)
    expected = dict.fromkeys("xyz", 0.25 * outer + 2.0 * SHEET / (16 * H))
    expected["xyz"[axis]] = 0.0
    found = conduct(known, axis="all", boundary=boundary, tolerance=1e-10).sigma_eff_S_per_m
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("degrees", [5.0, 15.0, 26.565051, 35.0, 45.0, 60.0, 70.0])
def test_tilted_film_between_plates(degrees: float) -> None:
    """One film across a slab: sigma_eff = G cos(theta)/pitch at every angle, within 2.5 %."""
    slope, n = np.tan(np.radians(degrees)), 96
    height = int(np.ceil(n * slope)) + 24
    i, k = np.indices((n, height)) + 0.5
    solid = k < 0.5 * height + 0.3 + (i - 0.5 * n) * slope
    labels = np.repeat(solid[:, None, :], 4, axis=1).astype(np.uint8)
    found = sigma(network(labels, materials({}, films={"A|pore": SHEET})), boundary="plates")
    assert found == pytest.approx(SHEET * np.cos(np.radians(degrees)) / (height * H), rel=0.025)


@pytest.mark.parametrize("normal", [(1, 0, 1), (1, 1, 1), (1, 0, 2), (1, 2, 0), (1, 1, 2), (0, 3, 1)])
def test_tilted_films_in_a_periodic_box(normal: tuple[int, int, int]) -> None:
    """Parallel films of normal n and spacing p: sigma_aa = (G/p) (1 - n_a^2) along every axis, within 2.5 %."""
    n = 48
    phase = np.tensordot(normal, np.indices((n, n, n)) + 0.5, axes=1) / n
    known = network((phase + 0.13) % 1.0 < 0.5, materials({}, films={"A|pore": SHEET}), periodic=True)
    length = np.linalg.norm(normal)
    spacing = 0.5 * n * H / length
    for axis, component in enumerate(np.array(normal) / length):
        assert sigma(known, axis) == pytest.approx(SHEET / spacing * (1.0 - component**2), rel=0.025)


def test_a_film_belongs_to_the_pair_it_is_named_for() -> None:
    """A|pore coats A against pore, not against B; a film named for both conducts on both."""
    labels = np.moveaxis(laminate([1] * 6 + [2] * 6 + [0] * 6, across=6), 0, 2)
    one = network(labels, materials({}, films={"A|pore": SHEET}), periodic=True)
    two = network(labels, materials({}, films={"A|pore": SHEET, "A|B": 3.0 * SHEET}), periodic=True)
    assert sigma(one) == pytest.approx(SHEET / (18 * H), rel=1e-6)
    assert sigma(two) == pytest.approx(4.0 * SHEET / (18 * H), rel=1e-6)


@pytest.mark.parametrize("gap", [1, 2, 3, 6])
def test_films_of_two_grains_do_not_touch_across_a_pore(gap: int) -> None:
    """Two coated plates stay apart however narrow the gap; narrow ones lose some of the films, and never gain."""
    layers = [0] * 4 + [1] * 6 + [0] * gap + [2] * 6 + [0] * 4
    grains = laminate(layers, across=6)
    known = network(grains > 0, materials({"A": 1.0}, films={"A|pore": SHEET}), grains=grains)
    found = conduct(known, axis="all").sigma_eff_S_per_m
    assert isinstance(found, dict)
    whole = (12 + 4 * SHEET / H) / len(layers)
    assert found["x"] == 0.0
    assert found["y"] == pytest.approx(found["z"], rel=1e-6)
    assert found["y"] <= whole * (1.0 + 1e-6)
    assert found["y"] >= whole * (1.0 - 1e-6 if gap == 6 else 0.7)


def test_film_needs_no_conducting_bulk_and_its_temperature_is_its_own() -> None:
    """sigma_eff of a coated insulator follows the film's activation energy alone."""
    labels = np.moveaxis(laminate([1] * 6 + [0] * 6, across=4), 0, 1)
    known = network(labels, materials({}, films={"A|pore": SHEET}, energy_eV={"A|pore": 0.2}))
    ratio = sigma(known.at(100.0), boundary="plates") / sigma(known.at(60.0), boundary="plates")
    assert ratio == pytest.approx(np.exp(-0.2 / 8.617333262e-5 * (1.0 / 373.15 - 1.0 / 333.15)), rel=1e-6)


def test_films_need_cubic_voxels() -> None:
    """A film in flat voxels is refused, with what to do."""
    with pytest.raises(InputError, match="films need cubic voxels"):
        network(laminate([1, 0]), materials({}, films={"A|pore": SHEET}), (20.0, 20.0, 25.0))


# ------------------------------------------------------------------------------------------------ point contacts

BOX = (64, 40, 40)


def two_grains(
    normal: NDArray[np.float64], point: NDArray[np.float64], radius: float, labels: tuple[int, int] = (1, 1)
) -> VoxelStructure:
    """Return a block cut by a plane, with one contact of `radius` [voxels] at `point` [voxels] on it."""
    side = np.tensordot(normal, np.indices(BOX) + 0.5, axes=1) < normal @ point
    contacts = PointContacts(
        grains=np.array([[1, 2]], dtype=np.int32), point=point[None] * H, normal=normal[None], radius=np.array([radius * H]),
        gap=np.zeros(1),
    )  # fmt: skip
    return block(np.where(side, *labels), grains=np.where(side, 1, 2)).with_(contacts=contacts)


def tilted_planes(count: int, seed: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return random normals within 45 degrees of x, and points within half a voxel of the middle."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        normal = rng.standard_normal(3)
        normal /= np.linalg.norm(normal)
        if normal[0] > np.cos(np.pi / 4.0):
            found.append((normal, np.array(BOX) / 2.0 + rng.random(3) - 0.5))
    return found


def relative_contact_resistances(
    radius: float, known: Materials, labels: tuple[int, int], exact: float, bulk: float
) -> NDArray[np.float64]:
    """Return (resistance of the block - `bulk`) / `exact` of 24 random tilts and offsets."""
    out = []
    for normal, point in tilted_planes(24, seed=11):
        found = sigma(build_network(two_grains(normal, point, radius, labels), known), boundary="plates", tolerance=1e-5)
        out.append((BOX[0] / (found * BOX[1] * BOX[2] * H) - bulk) / exact)
    return np.array(out)


def narrowing(radius: float) -> float:
    """Return how much less a disc in a tube resists than one in a half space (Gibson 1976), tube of the same area."""
    e = radius * np.sqrt(np.pi / (BOX[1] * BOX[2]))
    return float(1.0 - 1.40925 * e + 0.33801 * e**3 + 0.0679 * e**5)


@pytest.mark.parametrize("radius", [0.2, 0.5, 1.0, 2.0])
def test_point_contact_has_its_constriction_resistance(radius: float) -> None:
    """R = 1/(2 s a) (Holm 1967) in the mean over tilts and offsets, whatever a/h; a single one scatters by 2 to 6 %."""
    bulk = BOX[0] / (BOX[1] * BOX[2] * H)
    found = relative_contact_resistances(radius, materials({"A": 1.0}), (1, 1), narrowing(radius) / (2.0 * radius * H), bulk)
    assert found.mean() == pytest.approx(1.0, abs=0.03)
    assert found.std() < 0.08


@pytest.mark.parametrize("radius", [0.3, 1.0])
def test_point_contact_between_unequal_grains(radius: float) -> None:
    """R = 1/(4 s_i a) + 1/(4 s_j a)."""
    bulk = BOX[0] / (BOX[1] * BOX[2] * H) * (0.5 + 0.5 / 3.0)
    exact = narrowing(radius) * (1.0 + 1.0 / 3.0) / (4.0 * radius * H)
    found = relative_contact_resistances(radius, materials({"A": 1.0, "B": 3.0}), (1, 2), exact, bulk)
    assert found.mean() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("radius", [0.3, 1.0])
def test_point_contact_with_an_interface(radius: float) -> None:
    """R_ij/(pi a^2) of true contact area comes on top; where it rules, the scatter of the grid is gone."""
    bulk = BOX[0] / (BOX[1] * BOX[2] * H)
    for resistance, within, scatter in ((1e-8, 0.03, 0.05), (1e-5, 0.003, 0.003)):
        known = materials({"A": 1.0}, resistance={"A|A": 99.0}, contacts={"A|A": resistance})
        exact = narrowing(radius) / (2.0 * radius * H) + resistance / (np.pi * (radius * H) ** 2)
        found = relative_contact_resistances(radius, known, (1, 1), exact, bulk)
        assert found.mean() == pytest.approx(1.0, abs=within)
        assert found.std() < scatter


def faced_grains() -> tuple[Labels, Labels]:
    grains = laminate([1] * 5 + [2] * 5, across=10)
    return np.ones_like(grains), grains


def one_contact(radius: float, grains: tuple[int, int] = (1, 2)) -> PointContacts:
    return PointContacts(
        grains=np.array([grains], dtype=np.int32), point=np.array([[5.0, 5.0, 5.0]]) * H, normal=np.array([[1.0, 0.0, 0.0]]),
        radius=np.array([radius * H]), gap=np.zeros(1),
    )  # fmt: skip


def test_voxels_that_touch_without_a_contact_do_not_conduct() -> None:
    """The contact list decides: an empty one separates grains that share a hundred faces."""
    labels, grains = faced_grains()
    empty = PointContacts(np.zeros((0, 2), np.int32), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    found = conduct(block(labels, grains=grains).with_(contacts=empty), materials({"A": 1.0}))
    assert (found.sigma_eff_S_per_m, found.outcome) == (0.0, Outcome.NOT_PERCOLATING)
    joined = conduct(block(labels, grains=grains).with_(contacts=one_contact(0.2)), materials({"A": 1.0}))
    assert 0.0 < float(joined.sigma_eff_S_per_m) < 1.0  # type: ignore[arg-type]


def test_wider_contacts_conduct_more() -> None:
    """Monotone in the radius, from a tenth of a voxel to the whole face."""
    labels, grains = faced_grains()
    known = materials({"A": 1.0})
    values = []
    for radius in (0.1, 0.3, 0.4, 0.7, 1.0, 2.0, 3.0, 4.0):
        structure = block(labels, grains=grains).with_(contacts=one_contact(radius))
        values.append(sigma(build_network(structure, known), boundary="plates"))
    assert (np.diff(values) > 0.0).all()


def test_contact_without_a_face_is_refused() -> None:
    """Grains that do not meet at the contact's place have no face to conduct through; the message says what to do."""
    labels, grains = faced_grains()
    labels = np.where((np.indices(labels.shape)[0] > 3) & (np.indices(labels.shape)[0] < 7), 0, 1)
    apart = block(labels, grains=np.where(labels == 0, 0, grains)).with_(contacts=one_contact(0.5))
    with pytest.raises(InputError, match="contact 0 between grains 1 and 2 has no voxel face"):
        build_network(apart, materials({"A": 1.0}))


def test_contacts_need_grains_and_cubic_voxels() -> None:
    """A contact list without grains, or in flat voxels, is refused."""
    labels, grains = faced_grains()
    with pytest.raises(InputError, match="need grains"):
        build_network(block(labels).with_(contacts=one_contact(0.5)), materials({"A": 1.0}))
    with pytest.raises(InputError, match="need cubic voxels"):
        build_network(block(labels, (25.0, 25.0, 30.0), grains=grains).with_(contacts=one_contact(0.5)), materials({"A": 1.0}))


def test_no_film_reaches_into_another_particle() -> None:
    """Particles touch at points: the film that LFP bears against LATP changes nothing in a pressed body."""
    known = load_materials()
    films = {key: film for key, film in known.file.films.items() if key != "LFP|LATP"}
    without = dataclasses.replace(known, file=known.file.model_copy(update={"films": films}))
    body = cold_press(size_um=2.0, voxel_nm=50.0, seed=2)
    first, second = (build_network(body, materials, carrier="electron") for materials in (known, without))
    for axis in range(3):
        np.testing.assert_array_equal(
            first.conductance[axis][first.faces.of_axis[axis]], second.conductance[axis][second.faces.of_axis[axis]]
        )
