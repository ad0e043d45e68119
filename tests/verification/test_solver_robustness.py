"""The solver where solvers stall: any contrast, any interface resistance, films, noise near the percolation threshold."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve
from support import Labels, blobs, materials, network, random_labels, voronoi

from kmc.conduction import solve_axis
from kmc.multigrid.aggregates import NONE
from kmc.multigrid.cycle import Multigrid
from kmc.multigrid.levels import Faces
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.pressing.press import cold_press

MOST_ITERATIONS = 40
VOXEL_NM = 25.0
CONTRASTS = (1.0, 1e-2, 1e-6, 1e-12)
RESISTANCES = (0.0, 1.0, 1e2, 1e4, 1e6)
"""In units of h/s: the resistance of one voxel of the better phase."""

NAMES = ("voronoi", "many grains", "interpenetrating", "noise", "inclusions")


def structure(name: str, n: int) -> tuple[Labels, NDArray[np.int32] | None]:
    if name == "voronoi":
        return voronoi(n, 40, seed=2)
    if name == "many grains":
        return voronoi(n, (n // 5) ** 3, seed=5)
    if name == "interpenetrating":
        return blobs(n, {1: 0.5, 2: 0.5}, seed=3, size=2.5), None
    if name == "inclusions":
        return np.where(np.random.default_rng(6).random((n, n, n)) < 0.25, 1, 2), None
    return random_labels((n, n, n), 3, seed=4), None


def two_phases(name: str, contrast: float, resistance: float, n: int = 32) -> Network:
    labels, grains = structure(name, n)
    known = materials({"A": 1.0, "B": contrast}, resistance={"default": resistance * VOXEL_NM * 1e-9})
    return network(labels, known, VOXEL_NM, grains=grains, periodic=True)


def direct(known: Network) -> float:
    """Return sigma_eff along x between plates from a sparse direct solve, scaled row by row."""
    faces, table = known.faces, known.conductance / known.conductance.max()
    shape = known.structure.shape
    index, n = np.arange(known.structure.labels.size).reshape(shape), known.structure.labels.size
    a, b, g = [], [], []
    for axis in range(3):
        inner = [slice(None)] * 3
        inner[axis] = slice(0, -1)
        ahead = np.roll(index, -1, axis=axis)
        a.append(index[tuple(inner)].ravel())
        b.append(ahead[tuple(inner)].ravel())
        g.append(table[axis][faces.of_axis[axis][tuple(inner)]].ravel())
    rows, columns, value = (np.concatenate(part) for part in (a, b, g))
    off = sparse.coo_matrix((value, (rows, columns)), shape=(n, n)).tocsr()
    off = off + off.T
    ground, source = np.zeros(n), np.zeros(n)
    low, high = (2.0 * table[0][plate] for plate in faces.plates[0])
    ground[index[0].ravel()] += low.ravel()
    ground[index[-1].ravel()] += high.ravel()
    source[index[0].ravel()] = low.ravel()
    diagonal = np.asarray(off.sum(axis=1)).ravel() + ground
    kept = diagonal > 0.0
    matrix = (sparse.diags(diagonal) - off).tocsr()[kept][:, kept].tocsc()
    x = np.zeros(n)
    x[kept] = spsolve(matrix, source[kept])
    heat = (value * (x[rows] - x[columns]) ** 2).sum()
    heat += (low.ravel() * (1.0 - x[index[0].ravel()]) ** 2).sum() + (high.ravel() * x[index[-1].ravel()] ** 2).sum()
    size = known.structure.voxel_size
    return float(heat * known.conductance.max() * shape[0] * size[0] / (shape[1] * size[1] * shape[2] * size[2]))


@pytest.mark.parametrize("resistance", RESISTANCES)
@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("name", NAMES)
def test_iterations_stay_bounded(name: str, contrast: float, resistance: float) -> None:
    """At most 40 iterations whatever the contrast and the interfaces between plates and repeated."""
    for boundary in ("plates", "periodic"):
        solution = solve_axis(two_phases(name, contrast, resistance), 0, boundary=boundary)  # type: ignore[arg-type]
        assert solution.outcome is Outcome.CONVERGED
        assert solution.iterations <= MOST_ITERATIONS


@pytest.mark.parametrize("resistance", [0.0, 1e2, 1e6])
@pytest.mark.parametrize("contrast", [1.0, 1e-6, 1e-12])
@pytest.mark.parametrize("name", NAMES)
def test_hard_cases_against_a_direct_solve(name: str, contrast: float, resistance: float) -> None:
    """Kirchhoff's laws factorised: the solver lies within its tolerance, so converged is not said too early.

    A potential of 1 less a drop of 1e-14 keeps two digits of the drop: at contrast 1e-12 the currents through the plates need not
    agree to 1e-7, and the solver says so; the dissipation holds all the same.
    """
    known = two_phases(name, contrast, resistance, 14)
    for tolerance in (1e-4, 1e-7):
        solution = solve_axis(known, 0, tolerance=tolerance)
        assert solution.outcome is Outcome.CONVERGED or (contrast == 1e-12 and tolerance == 1e-7)
        assert solution.sigma_eff_S_per_m == pytest.approx(direct(known), rel=2.0 * tolerance)


@pytest.mark.parametrize("carrier", ["ion", "electron"])
def test_point_contacts_and_films_of_a_pressed_body(carrier: str) -> None:
    """Films thinner than a voxel and contacts smaller than one: both are found by the aggregates."""
    known = build_network(cold_press(size_um=1.4, voxel_nm=VOXEL_NM, seed=1), carrier=carrier)
    for axis in range(3):
        solution = solve_axis(known, axis, boundary="periodic")
        assert solution.outcome in (Outcome.CONVERGED, Outcome.NOT_PERCOLATING)
        assert solution.iterations <= MOST_ITERATIONS


def test_aggregates_stop_at_a_strong_interface() -> None:
    """Two slabs with an interface in the middle of a block: two unknowns in each block it cuts, one in the others."""
    labels = np.ones((6, 8, 8), dtype=np.uint8)
    labels[3:] = 2
    known = network(labels, materials({"A": 1.0, "B": 1.0}, resistance={"A|B": 1e6 * VOXEL_NM * 1e-9}), VOXEL_NM)
    plate = np.zeros((8, 8))
    of_axis = tuple(part.copy() for part in known.faces.of_axis)
    for axis in range(3):
        np.moveaxis(of_axis[axis], axis, 0)[-1] = 0
    multigrid = Multigrid(Faces(of_axis, known.conductance / known.conductance.max(), plate, plate, False))  # type: ignore[arg-type]
    first = multigrid.levels[0]
    assert np.diff(first.first).reshape(first.shape).tolist() == [[[1] * 4] * 4, [[2] * 4] * 4, [[1] * 4] * 4]
    assert not (multigrid.slot == NONE).any()
    assert (multigrid.slot[2] != multigrid.slot[3]).all()


@pytest.mark.parametrize("name", ["voronoi", "noise"])
def test_same_bits_for_any_number_of_threads(name: str) -> None:
    """The parallel loops write disjoint slabs and sums are taken in a fixed order."""
    known, found = two_phases(name, 1e-6, 1e2, 33), []
    before = numba.get_num_threads()
    for threads in sorted({1, before}):
        numba.set_num_threads(threads)
        try:
            found.append(solve_axis(known, 1, boundary="periodic", keep_potential=True))
        finally:
            numba.set_num_threads(before)
    assert all(one.sigma_eff_S_per_m == found[0].sigma_eff_S_per_m for one in found)
    assert all(np.array_equal(one.potential, found[0].potential, equal_nan=True) for one in found)  # type: ignore[arg-type]
