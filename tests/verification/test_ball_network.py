"""Pressed powders in voxels against the continuum: balls that touch at discs, whatever the voxel size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from support import block, materials
from support_ball_network import Balls, ball_network_tensor, ball_with_polar_contacts, between_plates, neumann, self_potential

from kmc.conduction import conduct, solve_axis
from kmc.faces.lattice_spreading import flat_face_resistance, surface_potential
from kmc.faces.point_contacts import select_faces
from kmc.network import build_network
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.materials import Materials
from microstructures.pressing.necks import fill_necks
from microstructures.pressing.press import GreenBody, cold_press, press_powders
from microstructures.recipe import Recipe
from microstructures.structure import VoxelStructure
from microstructures.voxels.rasterize import spheres_to_grains

NM = 1e-9

# ------------------------------------------------------------------------------------------ the reference by itself


def row_of_balls(count: int, contact_radius: float, resistance: float = 0.0, sigma: float = 1.0) -> Balls:
    """Return a periodic row of unit balls along x in a box of width 2."""
    centre = np.zeros((count, 3))
    centre[:, 0] = 2.0 * np.arange(count) + 1.0
    ones = np.ones(count)
    return Balls(
        centre, ones, sigma * ones, np.stack([np.arange(count), (np.arange(count) + 1) % count], 1), contact_radius * ones,
        resistance * ones, np.array([2.0 * count, 2.0, 2.0]),
    )  # fmt: skip


@pytest.mark.parametrize("share", [0.03, 0.0625, 0.125])
def test_ball_with_two_polar_contacts(share: float) -> None:
    """A row of balls, or a simple cubic lattice along an axis: within 0.3 (a/R)^2 of the mixed boundary problem's series."""
    exact = ball_with_polar_contacts(share)
    row = ball_network_tensor(row_of_balls(3, share))
    assert 1.0 / (2.0 * row[0, 0]) == pytest.approx(exact, rel=0.3 * share**2 + 5e-4)
    assert not row[1:].any()
    assert not row[:, 1:].any()
    corner = np.indices((3, 3, 3)).reshape(3, -1).T
    number = {tuple(place): index for index, place in enumerate(corner.tolist())}
    pair = np.array([(number[tuple(at)], number[tuple((at + step) % 3)]) for at in corner for step in np.eye(3, dtype=int)])
    cubic = Balls(
        2.0 * corner + 1.0, np.ones(27), np.ones(27), pair, np.full(81, share), np.zeros(81), np.full(3, 6.0)
    )  # fmt: skip
    assert ball_network_tensor(cubic) == pytest.approx(np.eye(3) * row[0, 0], rel=1e-9, abs=1e-12)


def test_mean_log_distance_of_the_disc() -> None:
    """2 ln 2 - 3/2, drawn from the density of a disc at one potential."""
    rng = np.random.default_rng(1)
    rise, angle = rng.random((2, 400_000)), 2.0 * np.pi * rng.random((2, 400_000))
    place = np.sqrt(1.0 - rise**2) * np.exp(1j * angle)
    drawn = np.log(np.abs(place[0] - place[1]))
    above = self_potential(np.array(1.0), np.array(5.0), np.array(1.0)) - 0.25
    assert -(above * 4.0 * np.pi * 5.0) - np.log(0.1) == pytest.approx(drawn.mean(), abs=5 * drawn.std() / 600.0)


def random_balls(seed: int, resistance: float, contact_radius: float = 0.05) -> Balls:
    """Return unequal balls of unequal conductivities that touch in a random, connected, periodic way."""
    rng = np.random.default_rng(seed)
    centre = rng.random((40, 3)) * 10.0
    link = centre[:, None] - centre
    far = np.linalg.norm(link - 10.0 * np.round(link / 10.0), axis=2)
    i, j = np.triu_indices(40, 1)
    pair = np.stack([i, j], 1)[np.argsort(far[i, j])[:140]]
    return Balls(
        centre, rng.uniform(0.5, 2.0, 40), np.exp(rng.normal(size=40)), pair, rng.uniform(0.5, 1.0, 140) * contact_radius,
        np.full(140, resistance), np.full(3, 10.0),
    )  # fmt: skip


def test_contacts_that_resist_alone_are_resistors() -> None:
    """R/(pi a^2) -> infinity: Kirchhoff's network of contact resistances, solved here by its Laplacian."""
    balls = random_balls(2, 1e6)
    link = balls.centre[balls.pair[:, 1]] - balls.centre[balls.pair[:, 0]]
    jump = -10.0 * np.round(link / 10.0)
    g = np.pi * balls.contact_radius**2 / balls.resistance
    difference = np.zeros((140, 40))
    difference[np.arange(140), balls.pair[:, 0]], difference[np.arange(140), balls.pair[:, 1]] = 1.0, -1.0
    potential = np.linalg.lstsq(difference.T @ (g[:, None] * difference), -difference.T @ (g[:, None] * jump), rcond=None)[0]
    current = g[:, None] * (difference @ potential + jump)
    assert ball_network_tensor(balls) == pytest.approx(jump.T @ current / 1000.0, rel=1e-4, abs=1e-12)


def test_tensor_is_symmetric_positive_and_scales() -> None:
    """Onsager; s -> 2 s doubles it, lengths -> 2 lengths leave it, as 1/(s a) and 1/(s L^2) say."""
    balls = random_balls(3, 0.0)
    tensor = ball_network_tensor(balls)
    assert tensor == pytest.approx(tensor.T, rel=1e-9)
    assert (np.linalg.eigvalsh(tensor) > 0.0).all()
    assert ball_network_tensor(replace(balls, sigma=2.0 * balls.sigma)) == pytest.approx(2.0 * tensor, rel=1e-9)
    scaled = replace(
        balls,
        centre=2.0 * balls.centre,
        radius=2.0 * balls.radius,
        contact_radius=2.0 * balls.contact_radius,
        box=2.0 * balls.box,
    )
    assert ball_network_tensor(scaled) == pytest.approx(tensor, rel=1e-9)


def test_balls_between_plates_are_a_row_that_ends() -> None:
    """Three unequal balls in a row: polar resistances and two joints in series; a plate adds nothing."""
    centre = np.array([[1.0, 0, 0], [4.0, 0, 0], [7.0, 0, 0]])
    radius, sigma = np.array([1.0, 2.0, 1.0]), np.array([1.0, 3.0, 0.5])
    balls = Balls(centre, radius, sigma, np.array([[0, 1], [1, 2]]), np.full(2, 0.05), np.full(2, 0.01), np.full(3, 99.0))
    found = between_plates(balls, np.array([0]), np.array([2]), plate_radius=0.05, axis=0)
    polar = sum(ball_with_polar_contacts(0.05 / r) / (s * r) for r, s in zip(radius, sigma, strict=True))
    assert 1.0 / found == pytest.approx(polar + 2 * 0.01 / (np.pi * 0.05**2), rel=2e-3)


# ------------------------------------------------------------------------------------------------ the voxels


def chain(h_nm: float, contact_nm: float, direction: NDArray[np.float64], offset: NDArray[np.float64], gap_nm: float) -> float:
    """Return the conductance of a zigzag chain of balls (radius 500 nm) in voxels over that of the continuum.

    Both links are tilted against x like `direction`; `offset` [voxels] shifts all against the grid.
    """
    n = np.abs(direction) / np.linalg.norm(direction)
    link = 1000.0 + gap_nm
    length = round(2.0 * link * n[0] / h_nm)
    scale = length * h_nm / (2.0 * link * n[0])  # whole voxels
    radius, gap, link = 500.0 * scale, gap_nm * scale, link * scale
    shape = (length, *(int(np.ceil((2.0 * radius + link * c) / h_nm)) + 4 for c in n[1:]))
    box = np.array(shape) * h_nm
    first = np.array([0.0, *(box[1:] / 2.0 - 0.5 * link * n[1:])]) + offset * h_nm
    normals = np.stack([n, n * [1.0, -1.0, -1.0]])
    second = first + link * n
    point = np.stack([first, second]) + 0.5 * link * normals
    contacts = PointContacts(
        np.array([[1, 2], [2, 1]], np.int32), point * NM, normals, np.full(2, contact_nm * NM), np.full(2, gap * NM)
    )
    grains = spheres_to_grains(np.stack([first, second]) % box / h_nm, np.full(2, radius / h_nm), shape)
    labels = (grains > 0).astype(np.uint8)
    fill_necks(labels, grains, np.array([0, 1, 1], np.uint8), contacts, h_nm * NM)
    structure = block(labels, h_nm, grains=grains, periodic=True).with_(contacts=contacts)
    found = solve_axis(build_network(structure, materials({"A": 1.0})), 0, boundary="periodic", tolerance=1e-4)
    balls = Balls(
        np.stack([first, second]) * NM, np.full(2, radius * NM), np.ones(2), contacts.grains - 1, contacts.radius, np.zeros(2),
        box * NM,
    )  # fmt: skip
    return found.sigma_eff_S_per_m / _open_chain(balls, normals, box * NM)


def _open_chain(balls: Balls, normals: NDArray[np.float64], box: NDArray[np.float64]) -> float:
    """Return the conductivity of the chain in its box: both contacts of a ball lie at one normal and against the other."""
    apart = np.linalg.norm(normals[0] + normals[1])
    through = self_potential(balls.contact_radius, balls.radius, balls.sigma)[0]
    resistance = 4.0 * (through - neumann(apart) / (4.0 * np.pi * balls.sigma[0] * balls.radius[0]))
    return float(box[0] / (box[1] * box[2]) / resistance)


TILTS = tuple(
    (1.0, slope * np.cos(turn), slope * np.sin(turn))
    for slope, turn in ((0.05, 0.3), (0.12, 1.2), (0.2, 0.6), (0.3, 0.1), (0.5, 0.7), (0.7, 1.3), (0.9, 0.6), (1.0, 0.8))
)


@pytest.mark.parametrize("gap_nm", [0.0, 20.0])
@pytest.mark.parametrize("contact_nm", [16.0, 50.0])
def test_contacts_along_the_grid_conduct_as_in_the_continuum(contact_nm: float, gap_nm: float) -> None:
    """The worst case for voxels, a whole layer inside or outside at once: 4 % for each offset, 2.5 % in the mean."""
    rng = np.random.default_rng(4)
    ratios = np.array([chain(50.0, contact_nm, np.array([1.0, 0.0, 0.0]), rng.random(3), gap_nm) for _ in range(5)])
    assert ratios == pytest.approx(np.ones(5), abs=0.04)
    assert ratios.mean() == pytest.approx(1.0, abs=0.025)


@pytest.mark.parametrize("gap_nm", [0.0, 20.0])
@pytest.mark.parametrize("contact_nm", [16.0, 50.0])
def test_tilted_contacts_conduct_as_in_the_continuum(contact_nm: float, gap_nm: float) -> None:
    """A gap is closed, not bridged by a rod; one contact scatters by 2 to 6 %, the mean over tilts is right within 4 %."""
    rng = np.random.default_rng(5)
    ratios = np.array([chain(50.0, contact_nm, np.array(tilt), rng.random(3), gap_nm) for tilt in TILTS])
    assert ratios.mean() == pytest.approx(1.0, abs=0.04)
    assert ratios.std() < 0.08


def test_flat_patches_are_solved_exactly() -> None:
    """A lattice of grains that meet in one plane, contact by four faces: r from the lattice's Green function gives 1/(2 s a)."""
    table = surface_potential()
    assert 2.0 * table[0, 0] == pytest.approx(0.67759, abs=1e-5)  # 1.67759 - 1: one face between two half-spaces
    assert table[14, 0] == pytest.approx(1.0 / (2.0 * np.pi * 14.0), rel=2e-3)
    corner = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    wanted = 0.9
    r = flat_face_resistance(*corner, table, wanted)
    own = 2.0 * (table[0, 0] + 2.0 * table[0, 1] + table[1, 1])  # by symmetry all four carry the same
    assert (own + r) / 4.0 == pytest.approx(wanted, rel=1e-9)
    row = np.arange(3), np.zeros(3, np.int64)
    r = flat_face_resistance(*row, table, wanted)
    spread = 2.0 * table[np.abs(np.subtract.outer(*[row[0]] * 2)), 0]
    assert 1.0 / np.linalg.solve(spread + r * np.eye(3), np.ones(3)).sum() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("radius", [0.3, 1.5, 3.0])
def test_sides_of_unequal_conductivity_add_up_in_series(radius: float) -> None:
    """s_i/s_j = 100, 1 and swapped: a face's resistance is half by half, so R(i, j) = (R(i, i) + R(j, j)) / 2."""
    grains = np.where(np.indices((24, 20, 20))[0] < 12, 1, 2).astype(np.int32)
    contacts = PointContacts(
        np.array([[1, 2]], np.int32), np.array([[12.0, 10.2, 9.9]]) * 25 * NM, np.array([[1.0, 0.0, 0.0]]),
        np.array([radius * 25 * NM]), np.zeros(1),
    )  # fmt: skip
    known = materials({"A": 1.0, "B": 0.01}, contacts={"A|B": 1e-7, "A|A": 1e-7, "B|B": 1e-7})

    def resistance(first: int, second: int) -> float:
        structure = block(np.where(grains == 1, first, second), grains=grains).with_(contacts=contacts)
        found = solve_axis(build_network(structure, known), 0, boundary="plates", tolerance=1e-9)
        across = 1e-7 / (np.pi * (radius * 25 * NM) ** 2)
        return 24.0 / (20.0 * 20.0 * 25 * NM * found.sigma_eff_S_per_m) - across

    both = resistance(1, 2)
    assert both == pytest.approx(0.5 * (resistance(1, 1) + resistance(2, 2)), rel=2e-3)
    assert both == pytest.approx(resistance(2, 1), rel=2e-3)


# ------------------------------------------------------------------------------------------------ the gate


@cache
def green_body(seed: int) -> GreenBody:
    return press_powders(size_um=3.0, seed=seed)


@cache
def pressed(seed: int, h_nm: float, contact_nm: float | None) -> VoxelStructure:
    """Return a cold-pressed structure, its contacts all of one radius where that is given."""
    structure = cold_press(green=green_body(seed), voxel_nm=h_nm)
    if contact_nm is None:
        return structure
    particles, contacts = structure.particles, structure.contacts
    assert particles is not None
    assert contacts is not None
    alike = replace(contacts, radius=np.full(len(contacts), contact_nm * NM))
    h = h_nm * NM
    grains = spheres_to_grains(particles.centre / h, particles.radius / h, structure.shape)
    label_of_grain = np.concatenate(([0], particles.label)).astype(np.uint8)
    labels = label_of_grain[grains]
    fill_necks(labels, grains, label_of_grain, alike, h)
    return structure.with_(labels=labels, grains=grains, contacts=alike)


def powders(lfp: float, resistance: float) -> Materials:
    """Return LATP of 0.9 S/m (label 2) and LFP (label 1) of `lfp`, or not conducting if that is 0."""
    pairs = dict.fromkeys(("A|A", "A|B", "B|B"), resistance)
    return materials({"B": 0.9, **({"A": lfp} if lfp else {})}, contacts=pairs)


def voxels_over_balls(structure: VoxelStructure, lfp: float, resistance: float) -> tuple[float, float]:
    """Return the conductivity of the voxels and of the balls [S/m], each a mean over x, y and z."""
    named = structure.with_(phases={0: "pore", 1: "A", 2: "B"}, coatings={})
    found = conduct(named, powders(lfp, resistance), axis="all", boundary="periodic", tolerance=1e-3)
    particles, contacts = structure.particles, structure.contacts
    assert particles is not None
    assert contacts is not None
    balls = Balls(
        particles.centre, particles.radius, np.where(particles.label == 2, 0.9, lfp), contacts.grains - 1, contacts.radius,
        np.full(len(contacts), resistance), np.array(structure.shape) * structure.voxel_size[0],
    )  # fmt: skip
    return found.mean_sigma_eff_S_per_m, float(np.trace(ball_network_tensor(balls)) / 3.0)


def within_the_gate(seed: int, sizes_nm: tuple[float, ...], lfp: float, resistance: float, contact_nm: float | None) -> None:
    """Assert that voxels of every size conduct like the balls within 2 %, and like each other within 3 %."""
    values = [voxels_over_balls(pressed(seed, h_nm, contact_nm), lfp, resistance) for h_nm in sizes_nm]
    for voxels, balls in values:
        assert voxels == pytest.approx(balls, rel=0.02)
    assert max(voxels for voxels, _ in values) <= 1.03 * min(voxels for voxels, _ in values)


@pytest.mark.parametrize(
    ("lfp", "resistance", "contact_nm"), [(0.3, 0.0, None), (0.3, 1e-6, None), (0.3, 0.0, 50.0), (0.0, 1e-6, 50.0)]
)
def test_cold_pressed_powders_conduct_as_balls(lfp: float, resistance: float, contact_nm: float | None) -> None:
    """The gate: two powders of unequal conductivity, and LATP alone; a gap or the grid must not show."""
    within_the_gate(1, (50.0, 25.0), lfp, resistance, contact_nm)


@pytest.mark.nightly
@pytest.mark.parametrize("contact_nm", [None, 50.0])
@pytest.mark.parametrize("resistance", [0.0, 1e-6])
@pytest.mark.parametrize("lfp", [0.3, 0.0])
def test_cold_pressed_powders_do_not_depend_on_the_grid(lfp: float, resistance: float, contact_nm: float | None) -> None:
    """The gate, down to 12.5 nm."""
    within_the_gate(1, (50.0, 25.0, 12.5), lfp, resistance, contact_nm)


def coarse_powders(seed: int) -> VoxelStructure:
    """Return particles of four voxels in radius."""
    recipe = Recipe()
    alike = {"median_diameter_nm": 800.0, "log_spread": 0.0}
    fine = {name: powder.model_copy(update=alike) for name, powder in recipe.powders.items()}
    return cold_press(size_um=4.0, voxel_nm=100.0, recipe=recipe.model_copy(update={"powders": fine}), seed=seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_contact_has_a_face_at_four_voxels_a_radius(seed: int) -> None:
    """However coarse the grid: no contact is lost, every face lies between its own grains, and sigma is right within 5 %."""
    structure = coarse_powders(seed)
    faces = select_faces(structure)
    assert faces.faces_per_contact.min() >= 1
    ahead = (faces.voxel + np.eye(3, dtype=int)[faces.axis]) % structure.shape
    grains, contacts = structure.grains, structure.contacts
    assert grains is not None
    assert contacts is not None
    sides = np.stack([grains[tuple(faces.voxel.T)], grains[tuple(ahead.T)]], 1)
    assert (np.sort(sides, axis=1) == np.sort(contacts.grains[faces.contact], axis=1)).all()
    voxels, balls = voxels_over_balls(structure, 0.3, 1e-7)
    assert voxels == pytest.approx(balls, rel=0.05)


def test_faces_do_not_depend_on_threads(threads: Callable[[int], None]) -> None:
    """Blocks of contacts are joined in order: the same bits from one thread and from two."""
    structure = coarse_powders(1)
    found = []
    for count in (1, 2):
        threads(count)
        faces = select_faces(structure)
        found.append((faces.axis, faces.voxel, faces.contact, faces.spreading))
    for one, two in zip(*found, strict=True):
        assert np.array_equal(one, two)


def parted_grains(layers: int) -> tuple[NDArray[np.uint8], NDArray[np.int32], PointContacts]:
    """Return two grains with `layers` of a third between them, and a contact that says they touch."""
    grains = np.array([0] + [1] * 4 + [3] * layers + [2] * 4, np.int32)[:, None, None] * np.ones((1, 9, 9), np.int32)
    middle = (5.0 + 0.5 * layers) * 100 * NM
    contacts = PointContacts(
        np.array([[1, 2]], np.int32), np.array([[middle, 450 * NM, 450 * NM]]), np.array([[1.0, 0.0, 0.0]]), np.array([20 * NM]),
        np.zeros(1),
    )  # fmt: skip
    return np.where(grains == 3, 2, np.minimum(grains, 1)).astype(np.uint8), grains, contacts


def test_a_third_grain_gives_way_to_a_contact() -> None:
    """One voxel of a layer between both grains changes sides, the one nearest to the contact."""
    labels, grains, contacts = parted_grains(1)
    before = grains.copy()
    assert fill_necks(labels, grains, np.array([0, 1, 1, 2], np.uint8), contacts, 100 * NM) == 1
    assert np.argwhere(grains != before).tolist() == [[5, 4, 4]]
    assert (grains[5, 4, 4], labels[5, 4, 4]) == (1, 1)
    faces = select_faces(block(labels, 100.0, grains=grains, periodic=True).with_(contacts=contacts))
    assert (faces.axis.tolist(), faces.voxel.tolist()) == ([0], [[5, 4, 4]])


def test_a_thick_third_grain_is_reported() -> None:
    """Two layers are not tunnelled; the message says what to do."""
    labels, grains, contacts = parted_grains(2)
    assert fill_necks(labels, grains, np.array([0, 1, 1, 2], np.uint8), contacts, 100 * NM) == 0
    with pytest.raises(InputError, match="contact 0 between grains 1 and 2 has no voxel face at 100 nm; use smaller voxels"):
        select_faces(block(labels, 100.0, grains=grains, periodic=True).with_(contacts=contacts))
