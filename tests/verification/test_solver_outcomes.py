"""The solver is exact within its tolerance, says when it is not, and starts from what is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve
from support import Labels, blobs, block, materials, network, random_labels, sigma

from kmc.conduction import conduct, solve_axis
from kmc.outcomes import Outcome
from microstructures.errors import InputError

BOUNDARIES = ("plates", "periodic")


def assembled(
    labels: Labels, conductivity: dict[int, float], size: tuple[float, float, float], axis: int, periodic: bool
) -> float:
    """Return sigma_eff from a sparse direct solve of harmonic-mean faces, written without the product's code."""
    s = np.vectorize(conductivity.__getitem__, otypes=[float])(labels)
    index = np.arange(s.size).reshape(s.shape)
    matrix = sparse.lil_matrix((s.size, s.size))
    source, volume = np.zeros(s.size), float(np.prod(size))
    faces = []
    for along in range(3):
        area = volume / size[along]
        ahead_s, ahead = np.roll(s, -1, axis=along), np.roll(index, -1, axis=along)
        g = area / size[along] * 2.0 * s * ahead_s / (s + ahead_s)
        last = np.zeros(s.shape, dtype=bool)
        np.moveaxis(last, along, 0)[-1] = True
        drive = np.where(along == axis, 1.0 / s.shape[axis], 0.0) if periodic else 0.0
        keep = np.ones(s.shape, dtype=bool) if periodic else ~last
        for a, b, value in zip(index[keep], ahead[keep], g[keep], strict=True):
            faces.append((a, b, value, float(drive)))
        if not periodic and along == axis:
            for end, volt in ((0, 1.0), (-1, 0.0)):
                plane, lead = np.moveaxis(index, axis, 0)[end].ravel(), np.moveaxis(s, axis, 0)[end].ravel()
                faces += [(n, -1, 2.0 * area / size[axis] * value, volt) for n, value in zip(plane, lead, strict=True)]
    for a, b, value, drive in faces:
        matrix[a, a] += value
        if b < 0:
            source[a] += value * drive
            continue
        matrix[b, b] += value
        matrix[a, b] -= value
        matrix[b, a] -= value
        source[a] -= value * drive
        source[b] += value * drive
    if periodic:
        matrix[0, 0] += 1.0 * abs(matrix).max()  # fixes the potential of one voxel
    x = spsolve(matrix.tocsr(), source)
    heat = sum(g * ((drive - x[a]) ** 2 if b < 0 else (x[a] - x[b] + drive) ** 2) for a, b, g, drive in faces)
    edge = np.array(s.shape) * np.array(size)
    return float(heat * edge[axis] ** 2 / edge.prod())


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("axis", range(3))
def test_random_block_against_a_direct_solve(boundary: str, axis: int) -> None:
    """Kirchhoff's laws on 7-point faces, assembled and factorised independently."""
    labels = random_labels((5, 6, 7), 3, seed=4, first=1)
    known = network(labels, materials({"A": 1.0, "B": 30.0, "C": 1e-3}), (20.0, 25.0, 30.0), periodic=boundary == "periodic")
    expected = assembled(labels, {1: 1.0, 2: 30.0, 3: 1e-3}, known.structure.voxel_size, axis, boundary == "periodic")
    assert sigma(known, axis, boundary, 1e-9) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("contrast", [1e2, 1e6, 1e12])
def test_inflow_outflow_and_dissipation_agree(boundary: str, contrast: float) -> None:
    """What goes in comes out, and the work done equals the heat (Tellegen); converged means that, not a small residual."""
    labels = blobs(28, {0: 0.2, 1: 0.4, 2: 0.4}, seed=3)
    known = network(labels, materials({"A": 1.0, "B": 1.0 / contrast}), periodic=True)
    for tolerance in (1e-4, 1e-8):
        found = conduct(known, axis="y", boundary=boundary, tolerance=tolerance)
        flows = found.solutions[0].inflow_S_per_m, found.solutions[0].outflow_S_per_m, found.solutions[0].dissipation_S_per_m
        assert found.outcome is Outcome.CONVERGED
        assert np.ptp(flows) <= tolerance * max(flows)
        if tolerance == 1e-4:
            loose = found.sigma_eff_S_per_m
    assert loose == pytest.approx(found.sigma_eff_S_per_m, rel=1e-3)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_looser_tolerance_is_kept(boundary: str) -> None:
    """The result at tolerance t lies within some t of the exact one, on white noise as on blobs."""
    for labels in (random_labels((16, 16, 16), 2, seed=1, first=1), blobs(24, {1: 0.5, 2: 0.5}, seed=2)):
        known = network(labels, materials({"A": 1.0, "B": 100.0}), periodic=True)
        exact = sigma(known, boundary=boundary, tolerance=1e-10)
        for tolerance in (1e-3, 1e-5, 1e-7):
            assert sigma(known, boundary=boundary, tolerance=tolerance) == pytest.approx(exact, rel=2.0 * tolerance)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("tolerance", [1e-11, 1e-13])
def test_asking_for_more_than_rounding_allows_does_no_harm(boundary: str, tolerance: float) -> None:
    """The sharpest tolerance allowed may not be met, but the value stays what it was."""
    for shape in ((5, 6, 7), (16, 16, 16)):
        known = network(random_labels(shape, 2, seed=1, first=1), materials({"A": 1.0, "B": 100.0}), periodic=True)
        for axis in range(3):
            sharp = solve_axis(known, axis, boundary=boundary, tolerance=tolerance)  # type: ignore[arg-type]
            assert sharp.sigma_eff_S_per_m == pytest.approx(sigma(known, axis, boundary, 1e-6), rel=1e-5)


def test_flux_through_every_plane_is_the_same() -> None:
    """No current is lost between two planes: sum of g (x_i - x_i+1) over each plane."""
    known = network(blobs(20, {0: 0.3, 1: 0.7}, seed=5), materials({"A": 2.0}))
    solution = solve_axis(known, 0, tolerance=1e-10, keep_potential=True)
    x = solution.potential
    assert x is not None
    g = known.conductance[0][known.faces.of_axis[0]][:-1]
    flux = np.nansum(g * (x[:-1] - x[1:]), axis=(1, 2)) * 20 / (20**2 * 25e-9)
    np.testing.assert_allclose(flux, solution.sigma_eff_S_per_m, rtol=1e-8)


def test_too_few_iterations_are_admitted() -> None:
    """A run that stops early says `not-converged`, with advice."""
    known = network(blobs(20, {1: 0.5, 2: 0.5}, seed=6), materials({"A": 1.0, "B": 1e6}))
    found = conduct(known, max_iterations=1, tolerance=1e-9)
    assert found.outcome is Outcome.NOT_CONVERGED
    assert "--max-iterations" in found.outcome.advice
    assert found.to_dict()["outcome"] == "not-converged"


def test_flows_that_agree_by_chance_are_no_convergence() -> None:
    """After a step or two the flows may agree within a loose tolerance while sigma is far off: told by what the last steps gained."""
    known = network(blobs(20, {1: 0.5, 2: 0.5}, seed=6), materials({"A": 1.0, "B": 1e6}))
    true = solve_axis(known, 0, tolerance=1e-8).sigma_eff_S_per_m
    for most in (1, 2, 3):
        found = solve_axis(known, 0, max_iterations=most, tolerance=0.5)
        assert found.outcome is Outcome.NOT_CONVERGED
    settled = solve_axis(known, 0, tolerance=0.5)
    assert settled.outcome is Outcome.CONVERGED
    assert settled.sigma_eff_S_per_m == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_warm_start_ends_where_a_cold_one_does(boundary: str) -> None:
    """The answer belongs to the network, not to the guess; from the answer it takes hardly a step."""
    known = network(blobs(24, {0: 0.2, 1: 0.5, 2: 0.3}, seed=8), materials({"A": 1.0, "B": 1e-4}), periodic=True)
    cold = solve_axis(known, 2, boundary=boundary, tolerance=1e-9, keep_potential=True)  # type: ignore[arg-type]
    warm = solve_axis(known, 2, boundary=boundary, tolerance=1e-9, guess=cold.potential)  # type: ignore[arg-type]
    noise = np.random.default_rng(0).random((24, 24, 24))
    wild = solve_axis(known, 2, boundary=boundary, tolerance=1e-9, guess=noise)  # type: ignore[arg-type]
    assert warm.iterations <= 5 < cold.iterations
    for other in (warm, wild):
        assert other.outcome is Outcome.CONVERGED
        assert other.sigma_eff_S_per_m == pytest.approx(cold.sigma_eff_S_per_m, rel=1e-8)


def test_uniform_along_the_axis_needs_no_iteration() -> None:
    """Columns of any cross-section along a periodic axis: the mean gradient is the solution, s = mean of s."""
    cut = random_labels((1, 9, 11), 3, seed=2)
    known = network(np.repeat(cut, 8, axis=0), materials({"A": 1.0, "B": 50.0}), periodic=True)
    fraction = np.bincount(cut.ravel(), minlength=3) / cut.size
    assert sigma(known) == pytest.approx(fraction[1] * 1.0 + fraction[2] * 50.0, rel=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axis": "w"}, "axis is 'w'"),
        ({"boundary": "plate"}, "did you mean 'plates'"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"max_iterations": 0}, "max_iterations is 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    """One line: what was wrong, the value seen, what is allowed."""
    with pytest.raises(InputError, match=message) as refusal:
        conduct(block(np.ones((2, 2, 2))), materials({"A": 1.0}), **options)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)
