"""Green bodies and what the furnace makes of them: density, masses, contacts, grains, and the same bits every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from kmc.network import build_network
from microstructures.contacts import close_contacts
from microstructures.errors import InputError
from microstructures.fire import co_fire
from microstructures.materials import load_materials
from microstructures.packing import OVERLAP_TOLERANCE, pack_spheres
from microstructures.press import GreenBody, cold_press, press_powders
from microstructures.rasterize import laguerre_cells, matched_laguerre_cells, spheres_to_grains
from microstructures.recipe import InterphaseRecipe, Recipe, parse_recipe
from microstructures.structure import VoxelStructure

SIZE_UM, VOXEL_NM = 3.0, 50.0


@pytest.fixture(scope="module")
def green() -> GreenBody:
    return press_powders(size_um=SIZE_UM, seed=3)


@pytest.fixture(scope="module")
def cold(green: GreenBody) -> VoxelStructure:
    return cold_press(green=green, voxel_nm=VOXEL_NM)


@pytest.fixture(scope="module")
def fired(green: GreenBody) -> VoxelStructure:
    return co_fire(green=green, voxel_nm=VOXEL_NM)


def distances(centre: NDArray[np.float64], edge: float) -> NDArray[np.float64]:
    link = centre[:, None] - centre
    link -= edge * np.round(link / edge)
    return np.asarray(np.linalg.norm(link, axis=2))


@pytest.mark.parametrize("seed", [1, 2, 2**40])
def test_particles_fill_their_share_without_overlap(seed: int) -> None:
    """Volume fraction .60, masses 54.25 : 45.75, no two particles overlap by more than a thousandth of a diameter."""
    body = press_powders(size_um=SIZE_UM, seed=seed)
    volume = 4.0 / 3.0 * np.pi * body.particles.radius**3
    assert volume.sum() / body.edge**3 == pytest.approx(0.60, rel=1e-12)
    label = body.particles.label
    masses = [volume[label == n].sum() * density for n, density in ((1, 3.598), (2, 2.92))]
    assert masses[0] / sum(masses) == pytest.approx(0.5425, rel=1e-6)
    touch = body.particles.radius[:, None] + body.particles.radius
    overlap = touch - distances(body.particles.centre, body.edge)
    np.fill_diagonal(overlap, 0.0)
    assert overlap.max() <= 1.001 * OVERLAP_TOLERANCE * 2.0 * body.particles.radius.mean()
    assert (body.particles.centre >= 0.0).all()
    assert (body.particles.centre <= body.edge).all()


def test_radii_are_lognormal() -> None:
    """Median and spread of the recipe, by number, up to the scaling that makes the volume exact."""
    radius = press_powders(
        size_um=7.0, recipe=parse_recipe({"press": {"relative_density": 0.4}}, "test"), seed=1
    ).particles.radius
    assert np.median(radius) == pytest.approx(500e-9, rel=0.03)
    assert np.log(radius).std() == pytest.approx(0.15, rel=0.15)


@pytest.mark.parametrize("density", [0.3, 0.5, 0.6])
def test_equal_spheres_pack(density: float) -> None:
    """Random packings of equal spheres exist up to .64; the packing reports its own largest overlap."""
    count = 60
    radius = np.full(count, (density * 3.0 / (4.0 * np.pi * count)) ** (1.0 / 3.0))
    packing = pack_spheres(radius, np.random.default_rng(1))
    overlap = 1.0 - distances(packing.centre, 1.0)[np.triu_indices(count, 1)].min() / (2.0 * radius[0])
    assert max(overlap, 0.0) == pytest.approx(packing.largest_overlap, abs=1e-9)
    assert packing.largest_overlap <= OVERLAP_TOLERANCE


def test_too_dense_a_packing_is_refused() -> None:
    """Equal spheres at .70 cannot be placed at random: one line that names the density and what to do."""
    radius = np.full(40, (0.70 * 3.0 / (4.0 * np.pi * 40)) ** (1.0 / 3.0))
    with pytest.raises(InputError, match=r"relative density 0\.700 cannot be packed") as refusal:
        pack_spheres(radius, np.random.default_rng(1))
    assert "\n" not in str(refusal.value)


# ---------------------------------------------------------------------------------------------------- cold


def test_grain_k_is_particle_k(cold: VoxelStructure) -> None:
    """Every voxel of grain k lies in particle k, the neck of its contacts apart; labels are those of the particles."""
    assert cold.grains is not None
    assert cold.particles is not None
    assert cold.n_grains == len(cold.particles)
    label_of_grain = np.concatenate(([0], cold.particles.label))
    np.testing.assert_array_equal(cold.labels, label_of_grain[cold.grains])
    centres = (np.indices(cold.shape) + 0.5).transpose(1, 2, 3, 0) * cold.voxel_size[0]
    inside = cold.grains > 0
    own = cold.grains[inside] - 1
    link = centres[inside] - cold.particles.centre[own]
    edge = cold.shape[0] * cold.voxel_size[0]
    link -= edge * np.round(link / edge)
    out = np.linalg.norm(link, axis=1) - cold.particles.radius[own]
    assert (out > 0.0).mean() < 0.005
    assert out.max() < 3.0 * cold.voxel_size[0]
    volume = np.bincount(cold.grains.ravel())[1:] * cold.voxel_size[0] ** 3
    np.testing.assert_allclose(volume, 4.0 / 3.0 * np.pi * cold.particles.radius**3, rtol=0.05)
    assert inside.mean() == pytest.approx(0.60, abs=0.006)


def test_contacts_reach_the_coordination_number(cold: VoxelStructure) -> None:
    """Z = 6 in the mean: the pairs with the smallest relative gap, each once, normals from the first to the second."""
    contacts, particles = cold.contacts, cold.particles
    assert contacts is not None
    assert particles is not None
    assert contacts.coordination(len(particles)) == pytest.approx(6.0, abs=2.0 / len(particles))
    assert len(np.unique(np.sort(contacts.grains, axis=1), axis=0)) == len(contacts)
    np.testing.assert_allclose(np.linalg.norm(contacts.normal, axis=1), 1.0)
    edge = cold.shape[0] * cold.voxel_size[0]
    i, j = contacts.grains.T - 1
    touch = particles.radius[i] + particles.radius[j]
    gap = distances(particles.centre, edge)[i, j] - touch
    np.testing.assert_allclose(contacts.gap, gap, atol=1e-15)
    off = contacts.point - particles.centre[i] - contacts.normal * (particles.radius[i] + 0.5 * gap)[:, None]
    np.testing.assert_allclose(off, 0.0, atol=1e-15)
    every = distances(particles.centre, edge) / (particles.radius[:, None] + particles.radius)
    chosen = np.zeros(every.shape, dtype=bool)
    chosen[i, j] = chosen[j, i] = True
    others = ~chosen & ~np.eye(len(particles), dtype=bool)
    assert every[chosen].max() <= every[others].min()


def test_contact_radius_is_that_of_adhesion(cold: VoxelStructure, green: GreenBody) -> None:
    """JKR at zero load: a^3 = 6 pi w R^2/K, K = (4/3) E/(2 (1 - nu^2)); some 20 nm for particles of 1 um (Johnson 1971)."""
    contacts, particles, press = cold.contacts, cold.particles, green.recipe.press
    assert contacts is not None
    assert particles is not None
    r, s = (particles.radius[side - 1] for side in contacts.grains.T)
    modulus = 4.0 / 3.0 * 115e9 / (2.0 * (1.0 - 0.25**2))
    np.testing.assert_allclose(contacts.radius**3, 6.0 * np.pi * 0.3 * (r * s / (r + s)) ** 2 / modulus, rtol=1e-12)
    edge = cold.shape[0] * cold.voxel_size[0]
    stickier = press.model_copy(update={"work_of_adhesion_J_per_m2": 2.4})
    np.testing.assert_allclose(
        close_contacts(particles.centre, particles.radius, edge, stickier).radius, 2.0 * contacts.radius, rtol=1e-12
    )


@pytest.mark.parametrize("voxel_nm", [50.0, 30.0, 100.0])
def test_every_contact_has_a_face(green: GreenBody, voxel_nm: float) -> None:
    """The network of a cold structure holds each contact, whatever the voxels missed."""
    cold = cold_press(green=green, voxel_nm=voxel_nm)
    faces = build_network(cold, load_materials()).faces
    assert cold.contacts is not None
    assert faces.point_contact.sum() == len(cold.contacts)
    seen = np.concatenate([np.unique(part) for part in faces.of_axis])
    assert np.isin(np.flatnonzero(faces.point_contact), seen).all()


# --------------------------------------------------------------------------------------------------- fired


def test_fired_body_is_dense_and_shrunk(fired: VoxelStructure, cold: VoxelStructure) -> None:
    """Relative density .90 to one voxel in count, edges smaller by (.60/.90)^(1/3), process and seed on record."""
    assert np.count_nonzero(fired.labels) == pytest.approx(0.90 * fired.labels.size, abs=1.0)
    assert fired.edges_um[0] == pytest.approx(cold.edges_um[0] * (0.60 / 0.90) ** (1.0 / 3.0), abs=0.5 * VOXEL_NM / 1000.0)
    assert (fired.process, cold.process) == ("co-fired", "cold-pressed")
    assert fired.seed == cold.seed == 3
    assert fired.contacts is None
    assert fired.periodic == (True, True, True)


def test_grains_keep_their_particles(fired: VoxelStructure, cold: VoxelStructure) -> None:
    """Grain k of the fired body is grain k of the cold one: same phase, same volume within 15 %, same place."""
    assert fired.grains is not None
    assert fired.particles is not None
    assert cold.particles is not None
    assert fired.n_grains == cold.n_grains
    np.testing.assert_array_equal(fired.particles.label, cold.particles.label)
    volume = np.bincount(fired.grains.ravel())[1:] * fired.voxel_size[0] ** 3
    np.testing.assert_allclose(volume, 4.0 / 3.0 * np.pi * cold.particles.radius**3, rtol=0.15)
    for grain in range(1, fired.n_grains + 1):
        labels = set(np.unique(fired.labels[fired.grains == grain]))
        own = int(cold.particles.label[grain - 1])
        assert own in labels
        assert labels <= ({1} if own == 1 else {2, 3})
    n = np.array(fired.shape)
    ratio = fired.particles.centre / fired.voxel_size[0] / n - cold.particles.centre / cold.voxel_size[0] / np.array(cold.shape)
    np.testing.assert_allclose(ratio, 0.0, atol=1e-12)


def test_pores_are_where_the_grains_meet(fired: VoxelStructure) -> None:
    """Pore voxels touch three or more grains more than twice as often as solid ones."""
    assert fired.grains is not None
    pore = fired.labels == 0
    around = np.stack([np.roll(fired.grains, shift, axis) for axis in range(3) for shift in (-3, 3)])
    many = np.array([len(set(column) - {0}) for column in around.reshape(6, -1).T]).reshape(pore.shape) >= 3
    assert many[pore].mean() > 2.0 * many[~pore].mean()


def test_full_density_has_no_pore(green: GreenBody) -> None:
    """Relative density 1 leaves nothing empty; without an interphase only the powders are there."""
    recipe = parse_recipe({"fire": {"relative_density": 1.0, "interphase": None}}, "test")
    dense = co_fire(green=GreenBody(green.particles, green.edge, recipe, green.seed), voxel_nm=VOXEL_NM)
    assert set(np.unique(dense.labels)) == {1, 2}
    assert ndimage.label(dense.labels)[1] == 1


def test_same_seed_same_bits_whatever_the_threads(threads: Callable[[int], None], fired: VoxelStructure) -> None:
    """Labels, grains and contacts depend on the seed alone."""
    for number in (1, 2):
        threads(number)
        cold = cold_press(size_um=SIZE_UM, voxel_nm=VOXEL_NM, seed=3)
        again = co_fire(size_um=SIZE_UM, voxel_nm=VOXEL_NM, seed=3)
        np.testing.assert_array_equal(again.labels, fired.labels)
        np.testing.assert_array_equal(again.grains, fired.grains)
        if number == 1:
            first = cold
    assert first.contacts is not None
    assert cold.contacts is not None
    np.testing.assert_array_equal(cold.grains, first.grains)
    np.testing.assert_array_equal(cold.contacts.point, first.contacts.point)
    other = cold_press(size_um=SIZE_UM, voxel_nm=VOXEL_NM, seed=4)
    assert (other.grains != first.grains).mean() > 0.3


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
    centre = pack_spheres(radius * (0.4 / (4.0 / 3.0 * np.pi * (radius**3).sum())) ** (1.0 / 3.0), rng).centre * n
    cells = matched_laguerre_cells(centre, radius**3, (n, n, n))
    shares = np.bincount(cells.ravel(), minlength=16)[1:] / n**3
    np.testing.assert_allclose(shares, radius**3 / (radius**3).sum(), rtol=0.03)


# ------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: press_powders(size_um=-1.0, seed=1), "size_um is -1.0"),
        (lambda: press_powders(size_um=float("nan"), seed=1), "size_um is nan"),
        (lambda: press_powders(size_um=4.0, seed=-1), "seed is -1"),
        (lambda: press_powders(size_um=0.5, seed=1), "less than one particle"),
        (lambda: press_powders(size_um=1.5, seed=1), "as wide as the largest particle"),
        (lambda: cold_press(size_um=3.0, voxel_nm=0.0, seed=1), "voxel_nm 0"),
        (lambda: cold_press(size_um=3.0, voxel_nm=-5.0, seed=1), "voxel_nm -5"),
        (lambda: cold_press(size_um=3.0, voxel_nm=300.0, seed=1), "radius of .* voxels; allowed: at least 2"),
        (lambda: cold_press(size_um=3.0, voxel_nm=0.5, seed=1), "voxels along an edge"),
        (lambda: co_fire(size_um=3.0, voxel_nm=80.0, seed=1), "thinner than a voxel of 80 nm"),
        (lambda: parse_recipe({"press": {"relative_density": 0.9}}, "r"), "r: press.relative_density"),
        (lambda: parse_recipe({"press": {"density": 0.5}}, "r"), "unknown key 'press.density'"),
        (lambda: parse_recipe({"powders": {"LFP": {"mass_fraction": 0.9}}}, "r"), "mass fractions of the powders sum to"),
        (lambda: parse_recipe({"fire": {"interphase": {"label": 2}}}, "r"), "label 2, which a powder has too"),
        (lambda: parse_recipe({"fire": {"interphase": {"thickness_p95_nm": 10.0}}}, "r"), "swap them"),
    ],
)  # fmt: skip
def test_impossible_requests_are_refused_in_one_line(call: Callable[[], object], message: str) -> None:
    """What was wrong, the value seen, what is allowed, what to do."""
    with pytest.raises(InputError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_recipe_says_what_the_paper_says() -> None:
    """Xu et al. 2022: 11.5 and 9.7 mg/cm2, 60 % pressed, 90 % fired, 40 to 100 nm."""
    recipe = Recipe()
    assert recipe.powders["LFP"].mass_fraction == pytest.approx(11.5 / (11.5 + 9.7), abs=5e-4)
    assert (recipe.press.relative_density, recipe.fire.relative_density) == (0.60, 0.90)
    assert sum(recipe.solid_fractions().values()) == pytest.approx(1.0)
    layer = recipe.fire.interphase
    assert isinstance(layer, InterphaseRecipe)
    assert (layer.thickness_p05_nm, layer.thickness_p95_nm) == (40.0, 100.0)
    assert recipe.phases() == {0: "pore", 1: "LFP", 2: "LATP", 3: "LFTAP"}
