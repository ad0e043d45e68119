"""Which structures conduct at all: dead ends, islands, staircases, single columns, paths that close around the box."""

from __future__ import annotations

import numpy as np
import pytest
from support import Labels, materials, network, sigma

from kmc.conduction import conduct, solve_axis
from kmc.connectivity import label_clusters
from kmc.outcomes import Outcome

BOUNDARIES = ("plates", "periodic")
TENSE = {"tolerance": 1e-12}


def column(length: int = 6) -> Labels:
    labels = np.zeros((length, 5, 4), dtype=np.uint8)
    labels[:, 2, 1] = 1
    return labels


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_single_column(boundary: str) -> None:
    """A straight column of cross-section 1 voxel in 20 conducts s/20, and nothing across."""
    found = conduct(network(column(), materials({"A": 3.0})), axis="all", boundary=boundary, **TENSE)
    assert found.sigma_eff_S_per_m == pytest.approx({"x": 3.0 / 20.0, "y": 0.0, "z": 0.0}, rel=1e-12)
    assert [solution.outcome.value for solution in found.solutions] == ["converged", "not-percolating", "not-percolating"]
    assert found.to_dict()["percolates"] == {"x": True, "y": False, "z": False}


def test_dead_ends_and_islands_carry_nothing() -> None:
    """A branch that leads nowhere, and a voxel by itself, change nothing; the island has no potential, the branch has."""
    labels = column()
    labels[3, 3:, 1] = 1
    labels[0, 0, 3] = 1
    solution = solve_axis(network(labels, materials({"A": 3.0})), 0, tolerance=1e-12, keep_potential=True)
    assert solution.sigma_eff_S_per_m == pytest.approx(3.0 / 20.0, rel=1e-12)
    x = solution.potential
    assert x is not None
    assert x[3, 3:, 1] == pytest.approx(x[3, 2, 1])
    assert np.isnan(x[0, 0, 3])
    assert np.array_equal(np.isnan(x), (labels == 0) | (np.indices(labels.shape)[1] == 0))
    np.testing.assert_allclose(x[:, 2, 1], 1.0 - (np.arange(6) + 0.5) / 6.0, rtol=1e-10)


def _dead_end() -> Labels:
    labels = column()
    labels[-1] = 0
    return labels


def _staircase() -> Labels:
    labels = np.zeros((6, 6, 4), dtype=np.uint8)
    labels[range(6), range(6), 1] = 1
    return labels


def _island() -> Labels:
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    return labels


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("make", [_dead_end, _staircase, _island], ids=["dead end", "diagonal staircase", "island"])
def test_what_does_not_percolate_conducts_exactly_nothing(make: object, boundary: str) -> None:
    """Percolation counts the 6 faces of a voxel, as the solver does: no solve, exactly 0, and advice."""
    found = conduct(network(make(), materials({"A": 1.0})), boundary=boundary)  # type: ignore[operator]
    assert found.sigma_eff_S_per_m == 0.0
    assert found.outcome is Outcome.NOT_PERCOLATING
    assert found.to_dict()["percolates"] is False
    assert found.to_dict()["iterations"] == 0
    assert found.tortuosity_factor is None


def test_staircase_with_steps_percolates() -> None:
    """The diagonal joined by faces is a chain of conductances s h that ends in two voxels at the high plate."""
    n = 6
    labels = _staircase()
    labels[range(1, n), range(n - 1), 1] = 1
    solution = solve_axis(network(labels, materials({"A": 1.0})), 0, tolerance=1e-12)
    resistance = 0.5 + (2 * n - 3) + 1.0 / (2.0 + 1.0 / 1.5)  # of one face: plate, steps, two voxels at the other plate
    assert solution.sigma_eff_S_per_m == pytest.approx(n / (n * 4) / resistance, rel=1e-10)


def test_nothing_conducts_is_not_percolating() -> None:
    """Without a single conducting face the answer is exactly 0."""
    found = conduct(network(np.ones((4, 4, 4)), materials({})))
    assert (found.sigma_eff_S_per_m, found.outcome) == (0.0, Outcome.NOT_PERCOLATING)


def test_a_path_that_closes_around_the_box_percolates_only_periodically() -> None:
    """Periodic transport needs a loop around the box; plates need a way from one to the other."""
    labels = np.zeros((6, 6, 3), dtype=np.uint8)
    labels[:, 1, 1] = 1
    labels[2, 1, 1] = 0
    labels[1, 1:, 1] = labels[3, 2:, 1] = labels[2, 5, 1] = 1
    labels[3, 1, 1] = 1
    known = materials({"A": 1.0})
    assert label_clusters(network(labels, known)).percolates(0)
    shifted = np.roll(labels, 3, axis=1)  # the detour now leads around the outer boundary
    assert not label_clusters(network(shifted, known)).percolates(0)
    found = network(shifted, known, periodic=True)
    assert label_clusters(found, periodic=True).percolates(0)
    assert sigma(found) == pytest.approx(sigma(network(labels, known, periodic=True)), rel=1e-8)
