"""Anisotropic phases and the conductivity tensor against exact answers, bounds and an independent finite-element solution."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq
from scipy.sparse.linalg import cg
from support import blobs, block, materials, random_labels, voronoi

from kmc.conduction import conduct
from kmc.faces import Orientations, random_rotations
from kmc.hopping import hop
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.tensor import conductivity_tensor
from microstructures.materials import Materials, parse_materials

Array = NDArray[np.float64]


def crystals(anisotropy: tuple[float, float, float], resistance_ohm_m2: float = 0.0) -> Materials:
    """Return a phase A of 1 S/m with randomly oriented grains."""
    text = f"""
schema = 1
name = "crystals"
reference_temperature_C = 60.0
[phases.A]
label = 1
[phases.A.ion]
conductivity_S_per_m = 1.0
activation_energy_eV = 0.0
anisotropy = {list(anisotropy)}
orientation = "random-grain"
[interfaces."A|A".ion]
area_specific_resistance_ohm_m2 = {resistance_ohm_m2}
activation_energy_eV = 0.0
"""
    return parse_materials(text.encode(), "crystals.toml")


def polycrystal(n: int, count: int, anisotropy: tuple[float, float, float], seed: int, **options: object) -> Network:
    """Return periodic Voronoi grains of one anisotropic phase."""
    _, grains = voronoi(n, count, seed=seed)
    structure = block(np.ones((n, n, n)), grains=grains, periodic=True).with_(seed=seed)
    return build_network(structure, crystals(anisotropy), **options)  # type: ignore[arg-type]


def about_z(degrees: float) -> Array:
    """Return a rotation about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def self_consistent(principal: tuple[float, float, float]) -> float:
    """Return the effective-medium conductivity of a polycrystal of equiaxed grains: sum of (k - s)/(k + 2 s) = 0.

    Helsing and Helte, J. Appl. Phys. 69, 3583 (1991).
    """
    k = np.array(principal)
    return float(brentq(lambda s: float(((k - s) / (k + 2.0 * s)).sum()), k.min(), k.max()))


@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0, 90.0])
def test_a_tilted_single_crystal_keeps_the_diagonal_of_its_tensor(degrees: float) -> None:
    """What tilt="diagonal" knows and what it does not: Q K Q^T has its diagonal right and loses the rest.

    The truth of a homogeneous crystal is its own tensor. At 45 degrees sigma_xy = (K_a - K_b)/2 is missing altogether.
    """
    principal = (0.1, 1.0, 0.4)
    turn = about_z(degrees)
    truth = turn @ np.diag(principal) @ turn.T
    structure = block(np.ones((6, 5, 4)), grains=np.ones((6, 5, 4)), periodic=True)
    both = Orientations(np.stack([np.eye(3), turn]), tilt="diagonal")
    found = conductivity_tensor(build_network(structure, crystals(principal), orientations=both)).sigma_eff_S_per_m
    np.testing.assert_allclose(np.diag(found), np.diag(truth), rtol=1e-9)
    np.testing.assert_allclose(found - np.diag(np.diag(found)), 0.0, atol=1e-12)
    assert abs(truth[0, 1]) == pytest.approx(0.45 * abs(np.sin(np.radians(2.0 * degrees))), abs=1e-12)


@pytest.mark.parametrize(("degrees", "expected"), [(10.0, (0.1, 1.0, 0.4)), (80.0, (1.0, 0.1, 0.4)), (-60.0, (1.0, 0.1, 0.4))])
def test_a_tilted_single_crystal_turned_to_the_grid(degrees: float, expected: tuple[float, float, float]) -> None:
    """tilt="nearest" keeps the principal conductivities and turns the crystal by at most 45 degrees about z."""
    structure = block(np.ones((4, 4, 4)), grains=np.ones((4, 4, 4)), periodic=True)
    turned = Orientations(np.stack([np.eye(3), about_z(degrees)]))
    known = build_network(structure, crystals((0.1, 1.0, 0.4)), orientations=turned)
    np.testing.assert_allclose(np.diag(conductivity_tensor(known).sigma_eff_S_per_m), expected, rtol=1e-9)


@pytest.mark.parametrize("ratio", [4.0, 25.0])
def test_checkerboard_of_crystals(ratio: float) -> None:
    """Square grains turned by 90 degrees in turn conduct sqrt(K_a K_b) in their plane (Dykhne, Sov. Phys. JETP 32, 63, 1971).

    The field is singular where four grains meet, so the order in the voxel lies below one at high ratios; three sizes give
    the limit by Aitken's extrapolation.
    """
    values = []
    for size in (16, 32, 64):
        n = 2 * size
        x = np.arange(n) // size
        grains = np.broadcast_to(((x[:, None] + x[None, :]) % 2 + 1)[:, :, None], (n, n, 2))
        structure = block(np.ones((n, n, 2)), grains=grains, periodic=True)
        turns = Orientations(np.stack([np.eye(3), np.eye(3), about_z(90.0)]))
        known = build_network(structure, crystals((1.0, ratio, 1.0)), orientations=turns)
        sigma = conduct(known, axis="x", boundary="periodic", tolerance=1e-6).mean_sigma_eff_S_per_m
        if size == 16:
            assert conduct(known, axis="y", boundary="periodic", tolerance=1e-6).mean_sigma_eff_S_per_m == pytest.approx(sigma)
        values.append(sigma / np.sqrt(ratio))
    errors, steps = np.abs(np.array(values) - 1.0), np.diff(values)
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]
    assert values[2] - steps[1] ** 2 / (steps[1] - steps[0]) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("tilt", ["nearest", "diagonal"])
@pytest.mark.parametrize("anisotropy", [(0.01, 1.0, 0.01), (1.0, 0.05, 1.0), (0.05, 0.3, 1.0)])
def test_polycrystals_lie_between_voigt_and_reuss(tilt: str, anisotropy: tuple[float, float, float]) -> None:
    """Every axis lies between the harmonic and the arithmetic mean of its faces, and strictly inside."""
    turned = Orientations(random_rotations(20, seed=4), tilt)  # type: ignore[arg-type]
    known = polycrystal(14, 20, anisotropy, 4, orientations=turned)
    found = np.diag(conductivity_tensor(known).sigma_eff_S_per_m)
    for axis in range(3):
        local = known.conductance[axis][known.faces.of_axis[axis]] / 25e-9
        assert 1.001 / (1.0 / local).mean() < found[axis] < 0.999 * local.mean()


def test_a_polycrystal_turned_to_the_grid_meets_the_self_consistent_value() -> None:
    """Equiaxed grains of LFP-like needles, K = (0.1, 1, 0.1), effective-medium value 0.25.

    The mean over the axes of three polycrystals of 100 grains, extrapolated from 20 and 40 voxels (first order), within
    5 %: effective-medium theory is itself no exact answer for Voronoi grains.
    """
    principal = (0.1, 1.0, 0.1)
    means = []
    for n in (20, 40):
        found = [conduct(polycrystal(n, 100, principal, seed), axis="all", boundary="periodic") for seed in (1, 2, 3)]
        means.append(np.mean([result.mean_sigma_eff_S_per_m for result in found]))
    assert 2.0 * means[1] - means[0] == pytest.approx(self_consistent(principal), rel=0.05)


def test_turned_grains_conduct_as_tilted_ones() -> None:
    """The full tensor of every tilted grain, by finite elements, against the network of 7 points, in the mean over seeds.

    Both are of first order, extrapolated from 12 and 24 voxels. Turning the grains to the grid keeps the mean within 5 %
    (the seeds scatter by 2 %); the diagonal of the tensor is more than 25 % too high.
    """
    principal, count = (0.1, 1.0, 0.1), 30
    rows = []
    for seed in (1, 2, 3):
        rotations = random_rotations(count, seed=seed)
        tensors = np.einsum("gai,i,gbi->gab", rotations, principal, rotations)
        levels = []
        for n in (12, 24):
            row = [np.trace(elements_tensor(tensors[voronoi(n, count, seed=seed)[1]])) / 3.0]
            for tilt in ("nearest", "diagonal"):
                known = polycrystal(n, count, principal, seed, orientations=Orientations(rotations, tilt))  # type: ignore[arg-type]
                row.append(conduct(known, axis="all", boundary="periodic").mean_sigma_eff_S_per_m)
            levels.append(row)
        rows.append(2.0 * np.array(levels[1]) - np.array(levels[0]))
    truth, turned, tilted = np.mean(rows, axis=0)
    assert turned == pytest.approx(truth, rel=0.05)
    assert tilted > 1.25 * truth


def test_elements_are_exact_for_a_homogeneous_crystal() -> None:
    """The reference of the test above returns the tensor of a single crystal."""
    turn = random_rotations(0, seed=1)[0]
    tensor = turn @ np.diag([0.1, 1.0, 0.4]) @ turn.T
    np.testing.assert_allclose(elements_tensor(np.broadcast_to(tensor, (3, 3, 3, 3, 3))), tensor, atol=1e-9)


def test_hops_agree_with_the_solver_in_a_polycrystal() -> None:
    """Same faces, same physics: sigma_eff of carriers that hop through crystals and their boundaries, axis by axis."""
    n, count = 8, 6
    _, grains = voronoi(n, count, seed=2)
    structure = block(np.ones((n, n, n)), grains=grains, periodic=True).with_(seed=2)
    known = build_network(structure, crystals((0.2, 1.0, 0.2), resistance_ohm_m2=1e-8))
    solved = conduct(known, axis="all", boundary="periodic", tolerance=1e-6).sigma_eff_S_per_m
    hopped = hop(known, walkers=4000, hops=20_000_000, seed=1)
    assert isinstance(solved, dict)
    assert max(solved.values()) > 1.2 * min(solved.values())
    for axis, value in solved.items():
        error = hopped.sigma_eff_stderr_S_per_m[axis]
        assert error < 0.03 * value
        assert abs(hopped.sigma_eff_S_per_m[axis] - value) < 4.0 * error


def test_detailed_balance_between_crystals() -> None:
    """Every face has one conductance for both directions: a crystal turned end for end conducts the same."""
    known = polycrystal(10, 8, (0.01, 1.0, 0.2), 3)
    flipped_structure = known.structure.with_(
        labels=known.structure.labels[::-1].copy(), grains=np.ascontiguousarray(known.structure.grains[::-1])  # type: ignore[index]
    )  # fmt: skip
    flipped = build_network(flipped_structure, known.materials)
    for axis in range(3):
        g = known.conductance[axis][known.faces.of_axis[axis]]
        mirrored = flipped.conductance[axis][flipped.faces.of_axis[axis]][::-1]
        if axis == 0:
            mirrored = np.roll(mirrored, -1, axis=0)
        np.testing.assert_array_equal(g, mirrored)


@pytest.mark.parametrize("thickness", [3, 8])
def test_tensor_of_a_laminate_at_45_degrees(thickness: int) -> None:
    """Diagonal steps of voxels: the exact answer of the network, and of the medium in the limit.

    Along (1, 1) all faces are in series, so with p the mean and s the harmonic mean of the faces' conductivities
    sigma_xx = (p + s)/2 and sigma_xy = (s - p)/2. Faces between both phases have the harmonic mean of the two.
    """
    n = 2 * thickness
    x = np.arange(n)
    labels = np.where((x[:, None, None] + x[None, :, None] + 0 * x[:4]) % n < thickness, 1, 2)
    found = conductivity_tensor(block(labels, periodic=True), materials({"A": 1.0, "B": 10.0}))
    series = 20.0 / 11.0
    mean = ((thickness - 1) * 11.0 + 2.0 * series) / n
    expected = [[(mean + series) / 2, (series - mean) / 2, 0.0], [(series - mean) / 2, (mean + series) / 2, 0.0], [0, 0, 5.5]]
    np.testing.assert_allclose(found.sigma_eff_S_per_m, expected, rtol=1e-6, atol=1e-6)
    assert found.asymmetry < 1e-6
    values, axes = found.principal()
    assert values[0] == pytest.approx(series, rel=1e-6)
    assert np.abs(axes[:, 0]) == pytest.approx([np.sqrt(0.5), np.sqrt(0.5), 0.0], abs=1e-6)
    assert axes[0, 0] * axes[1, 0] > 0.0
    limit = (series - 5.5) / 2.0
    assert found.sigma_eff_S_per_m[0, 1] == pytest.approx(limit, abs=(5.5 - series) / thickness / 2.0 * 1.001)


def test_tensor_of_a_tilted_laminate() -> None:
    """Layers 1|10 along (2, 1): exact tensor 5.5 (1 - n n) + 20/11 n n; first order, its sign that of the tilt."""
    normal = np.array([1.0, -2.0, 0.0]) / np.sqrt(5.0)
    exact = 5.5 * np.eye(3) - (5.5 - 20.0 / 11.0) * np.outer(normal, normal)
    found = []
    for m in (4, 8):
        x = np.arange(4 * m)
        labels = np.where((x[:, None, None] - 2 * x[None, :, None] + 0 * x[:4]) % (4 * m) < 2 * m, 1, 2)
        for flip, sign in ((slice(None), 1.0), (slice(None, None, -1), -1.0)):
            tensor = conductivity_tensor(block(labels[flip], periodic=True), materials({"A": 1.0, "B": 10.0}))
            assert tensor.asymmetry < 1e-6
            assert sign * tensor.sigma_eff_S_per_m[0, 1] > 1.0
            if sign > 0:
                found.append(tensor.sigma_eff_S_per_m)
    assert np.abs(found[1] - exact).max() < 0.6 * np.abs(found[0] - exact).max()
    np.testing.assert_allclose(2.0 * found[1] - found[0], exact, atol=0.03)


def test_tensor_is_symmetric_and_positive() -> None:
    """Onsager: sigma_ij = sigma_ji of any structure, voxels not cubes, two solutions read independently."""
    labels = random_labels((7, 8, 6), 2, seed=1, first=1)
    known = materials({"A": 1.0, "B": 30.0}, resistance={"A|B": 1e-8})
    found = conductivity_tensor(block(labels, (20.0, 30.0, 25.0), periodic=True), known, tolerance=1e-9)
    assert found.outcome is Outcome.CONVERGED
    assert found.asymmetry < 1e-6
    assert np.abs(found.sigma_eff_S_per_m[0, 1]) > 1e-3
    assert found.principal()[0].min() > 0.0
    diagonal = conduct(block(labels, (20.0, 30.0, 25.0), periodic=True), known, axis="all", boundary="periodic", tolerance=1e-9)
    assert np.diag(found.sigma_eff_S_per_m) == pytest.approx(list(diagonal.sigma_eff_S_per_m.values()), rel=1e-6)  # type: ignore[union-attr]
    assert found.to_dict()["sigma_eff_S_per_m"]["xy"] == found.sigma_eff_S_per_m[0, 1]


def test_off_diagonals_of_an_isotropic_ensemble_vanish_in_the_mean() -> None:
    """Random two-phase structures: the mean of sigma_ij, i != j, is 0 within 4 standard errors."""
    known = materials({"A": 1.0, "B": 20.0})
    off = []
    for seed in range(8):
        found = conductivity_tensor(block(blobs(12, {1: 0.5, 2: 0.5}, seed=seed), periodic=True), known).sigma_eff_S_per_m
        off += [found[0, 1], found[0, 2], found[1, 2]]
    assert np.std(off) > 1e-3
    assert abs(np.mean(off)) < 4.0 * np.std(off) / np.sqrt(len(off))


def test_where_nothing_percolates_the_tensor_is_zero() -> None:
    """Planes of pore close one axis: that row and column are 0, the others the mean of the layers."""
    labels = np.ones((6, 4, 4), dtype=np.uint8)
    labels[3:] = 0
    found = conductivity_tensor(block(labels, periodic=True), materials({"A": 2.0}))
    np.testing.assert_allclose(found.sigma_eff_S_per_m, np.diag([0.0, 1.0, 1.0]), atol=1e-12)
    assert found.outcome is Outcome.NOT_PERCOLATING


def elements_tensor(tensors: Array) -> Array:
    """Return the effective tensor of a periodic medium by trilinear finite elements, one cube per voxel.

    Parameters
    ----------
    tensors : ndarray of shape (n, n, n, 3, 3)
        Conductivity tensor of every voxel. The result is an upper bound of the voxelated medium.
    """
    n = tensors.shape[0]
    corner = np.array([[(c >> 2) & 1, (c >> 1) & 1, c & 1] for c in range(8)], dtype=float)
    points = (corner - 0.5) / np.sqrt(3.0) + 0.5
    weights = np.where(corner[None] == 1.0, points[:, None, :], 1.0 - points[:, None, :])
    slopes = np.empty((8, 3, 8))
    for axis in range(3):
        rest = weights[:, :, [other for other in range(3) if other != axis]].prod(axis=2)
        slopes[:, axis] = (2.0 * corner[:, axis] - 1.0) * rest
    local = np.einsum("vab,pai,pbj->vij", tensors.reshape(-1, 3, 3), slopes, slopes, optimize=True) / 8.0
    index = np.arange(n**3).reshape(n, n, n)
    nodes = np.stack([np.roll(index, tuple(-int(c) for c in at), (0, 1, 2)).ravel() for at in corner], axis=1)
    rows, columns = np.repeat(nodes, 8, axis=1).ravel(), np.tile(nodes, (1, 8)).ravel()
    matrix = sparse.coo_matrix((local.ravel(), (rows, columns)), shape=(n**3, n**3)).tocsr()
    scale = sparse.diags(1.0 / matrix.diagonal())
    fields = []
    for axis in range(3):
        source = np.bincount(nodes.ravel(), -(local @ corner[:, axis]).ravel(), n**3)
        potential, failed = cg(matrix, source, rtol=1e-7, atol=1e-14, M=scale, maxiter=4000)
        assert failed == 0
        fields.append(potential[nodes] + corner[:, axis])
    return np.array([[np.einsum("vi,vij,vj->", a, local, b) for b in fields] for a in fields]) / n**3
