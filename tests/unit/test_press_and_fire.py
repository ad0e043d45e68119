"""Green bodies and what the furnace makes of them: density, masses, contacts, grains, and the same bits every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from kmc.network import build_network
from microstructures.errors import InputError
from microstructures.features import Coating
from microstructures.firing.fire import co_fire
from microstructures.materials import load_materials
from microstructures.pressing.carbon import coatings_of
from microstructures.pressing.contacts import close_contacts, contact_forces
from microstructures.pressing.packing import OVERLAP_TOLERANCE
from microstructures.pressing.press import GreenBody, cold_press, press_powders
from microstructures.recipe import InterphaseRecipe, Recipe, parse_recipe
from microstructures.structure import VoxelStructure

SIZE_UM, VOXEL_NM = 3.0, 25.0
DENSE = parse_recipe({"press": {"relative_density": 0.95}}, "test")
RESOLVED = parse_recipe({"fire": {"interphase": {"representation": "resolved"}}}, "test")


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
        size_um=4.0, recipe=parse_recipe({"press": {"relative_density": 0.4}}, "test"), seed=1
    ).particles.radius
    assert np.median(radius) == pytest.approx(250e-9, rel=0.03)
    assert np.log(radius).std() == pytest.approx(0.15, rel=0.15)


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
    """JKR at zero load: a^3 = 6 pi w R^2/K, K = (4/3) E/(2 (1 - nu^2)); some 10 nm for particles of 0.5 um (Johnson 1971)."""
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


@pytest.mark.parametrize("voxel_nm", [25.0, 15.0, 40.0])
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


def test_particles_can_be_followed_through_the_furnace(fired: VoxelStructure, cold: VoxelStructure) -> None:
    """Particles keep number, phase and place; a grain lies where they were and has their volume, its share of pores apart."""
    assert fired.grains is not None
    assert fired.particles is not None
    assert cold.particles is not None
    np.testing.assert_array_equal(fired.particles.label, cold.particles.label)
    np.testing.assert_array_equal(cold.particles.grain, np.arange(1, len(cold.particles) + 1))
    n = np.array(fired.shape)
    ratio = fired.particles.centre / fired.voxel_size[0] / n - cold.particles.centre / cold.voxel_size[0] / np.array(cold.shape)
    np.testing.assert_allclose(ratio, 0.0, atol=1e-12)
    assert set(np.unique(fired.grains)) == {0, *fired.particles.grain.tolist()}
    at = np.floor(fired.particles.centre / fired.voxel_size[0]).astype(int)
    assert (fired.grains[tuple(at.T)] == fired.particles.grain).mean() > 0.97
    wanted = np.bincount(fired.particles.grain, weights=4.0 / 3.0 * np.pi * cold.particles.radius**3)[1:]
    volume = np.bincount(fired.grains.ravel(), minlength=len(wanted) + 1)[1:] * fired.voxel_size[0] ** 3
    np.testing.assert_allclose(volume, wanted, rtol=0.4)
    assert np.abs(volume / wanted - 1.0).mean() < 0.08


def test_grains_double(fired: VoxelStructure) -> None:
    """Both phases: an eighth of the particles' number, so twice their mean diameter within a few percent."""
    assert fired.particles is not None
    for label in (1, 2):
        mine = fired.particles.label == label
        grains = len(np.unique(fired.particles.grain[mine]))
        assert grains == round(mine.sum() / 8)
        volume = np.bincount(fired.particles.grain[mine], weights=fired.particles.radius[mine] ** 3)
        ratio = np.cbrt(volume[volume > 0.0]).mean() / fired.particles.radius[mine].mean()
        assert ratio == pytest.approx(2.0, rel=0.06)


def test_without_growth_every_particle_is_a_grain(green: GreenBody) -> None:
    recipe = parse_recipe({"fire": {"grain_growth": {"LFP": 1.0, "LATP": 1.0}, "interphase": None}}, "test")
    body = co_fire(green=GreenBody(green.particles, green.edge, recipe, green.seed), voxel_nm=VOXEL_NM)
    assert body.grains is not None
    assert body.n_grains == len(green.particles)
    volume = np.bincount(body.grains.ravel())[1:] * body.voxel_size[0] ** 3
    assert np.abs(volume / (4.0 / 3.0 * np.pi * green.particles.radius**3) - 1.0).mean() < 0.1


def test_firing_longer_or_hotter_thickens_the_layer() -> None:
    """sqrt(D t): four times as long is twice as thick; 2.5 eV between 775 and 700 degC."""
    layer = InterphaseRecipe()
    assert layer.growth(775.0, 2.0) == pytest.approx(1.0)
    assert layer.growth(775.0, 8.0) == pytest.approx(2.0)
    slower = np.exp(-2.5 / 8.617333262e-5 * (1.0 / 973.15 - 1.0 / 1048.15))
    assert layer.growth(700.0, 2.0) == pytest.approx(np.sqrt(slower), rel=1e-9)


def test_pressure_enlarges_contacts_and_balances(green: GreenBody) -> None:
    """Forces balance the pressure by the virial, 3 p V = sum f d; the radius follows JKR under that force."""
    press = green.recipe.press.model_copy(update={"contact_pressure_MPa": 500.0})
    loose = close_contacts(green.particles.centre, green.particles.radius, green.edge, green.recipe.press)
    tight = close_contacts(green.particles.centre, green.particles.radius, green.edge, press)
    np.testing.assert_array_equal(loose.grains, tight.grains)
    r, s = (green.particles.radius[side - 1] for side in tight.grains.T)
    reduced = r * s / (r + s)
    force = contact_forces(reduced, r + s + tight.gap, green.edge**3, 500e6)
    assert (force * (r + s + tight.gap)).sum() == pytest.approx(3.0 * 500e6 * green.edge**3)
    modulus = 4.0 / 3.0 * 115e9 / (2.0 * (1.0 - 0.25**2))
    adhesion = 3.0 * np.pi * 0.3 * reduced
    jkr = reduced / modulus * (force + adhesion + np.sqrt(2.0 * adhesion * force + adhesion**2))
    np.testing.assert_allclose(tight.radius**3, jkr, rtol=1e-12)
    hertz = (force * reduced / modulus) ** (1.0 / 3.0)
    assert (tight.radius > hertz).all()
    assert (tight.radius > 2.0 * loose.radius).all()


def test_carbon_is_on_record(cold: VoxelStructure, fired: VoxelStructure) -> None:
    """4 nm on all LFP unless the recipe says otherwise; none on LATP."""
    assert dict(cold.coatings) == dict(fired.coatings) == {"LFP": Coating(4e-9, 1.0)}
    bare = parse_recipe({"powders": {"LFP": {"carbon": {"coverage": 0.6, "thickness_nm": 2.0}}}}, "test")
    assert coatings_of(bare) == {"LFP": Coating(2e-9, 0.6)}


def test_one_powder_alone() -> None:
    """Powders whose shares sum to 1 are all there are: LATP pellets need neither growth of LFP nor an interphase."""
    recipe = parse_recipe({"powders": {"LATP": {"mass_fraction": 1.0}}}, "test")
    assert list(recipe.powders) == ["LATP"]
    assert recipe.fire.interphase is None
    assert recipe.fire.grain_growth == {"LATP": 2.0}
    body = co_fire(size_um=2.0, voxel_nm=50.0, recipe=recipe, seed=1)
    assert set(np.unique(body.labels)) == {0, 2}


def test_agglomerates_clump() -> None:
    """LFP that starts in agglomerates has more LFP neighbours than LFP that starts anywhere."""

    def share_of_like(recipe: Recipe) -> float:
        body = press_powders(size_um=4.0, recipe=recipe, seed=5)
        contacts = close_contacts(body.particles.centre, body.particles.radius, body.edge, recipe.press)
        first, second = (body.particles.label[side - 1] for side in contacts.grains.T)
        return float(((first == 1) & (second == 1)).sum() / ((first == 1) | (second == 1)).sum())

    clumped = parse_recipe({"powders": {"LFP": {"agglomerates": {"diameter_nm": 1900.0}}}}, "test")
    assert share_of_like(clumped) > 1.3 * share_of_like(Recipe())
    with pytest.raises(InputError, match="narrower than half the box"):
        press_powders(size_um=3.0, recipe=clumped, seed=1)


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


# ------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: press_powders(size_um=-1.0, seed=1), "size_um is -1.0"),
        (lambda: press_powders(size_um=float("nan"), seed=1), "size_um is nan"),
        (lambda: press_powders(size_um=4.0, seed=-1), "seed is -1"),
        (lambda: press_powders(size_um=0.3, seed=1), "less than one particle"),
        (lambda: press_powders(size_um=0.9, seed=1), "as wide as the largest particle"),
        (lambda: cold_press(size_um=3.0, voxel_nm=0.0, seed=1), "voxel_nm 0"),
        (lambda: cold_press(size_um=3.0, voxel_nm=-5.0, seed=1), "voxel_nm -5"),
        (lambda: cold_press(size_um=3.0, voxel_nm=300.0, seed=1), "radius of .* voxels; allowed: at least 2"),
        (lambda: cold_press(size_um=3.0, voxel_nm=0.5, seed=1), "voxels along an edge"),
        (lambda: co_fire(size_um=3.0, voxel_nm=80.0, seed=1, recipe=RESOLVED), "thinner than a voxel of 80 nm"),
        (lambda: press_powders(size_um=200.0, seed=1), "hold some .* particles"),
        (lambda: parse_recipe({"fire": {"grain_growth": {"NMC": 2.0}}}, "r"), "which is no powder"),
        (lambda: parse_recipe({"press": {"relative_density": 1.1}}, "r"), "r: press.relative_density"),
        (lambda: press_powders(size_um=2.0, seed=1, recipe=DENSE), r"0\.950 cannot be packed .* reached 0\.6"),
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
