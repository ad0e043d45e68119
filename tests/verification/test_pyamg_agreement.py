"""The solver against matrices assembled here and solved by others: SciPy's factorisation, and pyamg where it is installed."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import brentq
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve
from support import Labels, blobs, materials, network, random_labels, voronoi

from kmc.conduction import solve_axis
from kmc.network import Network
from kmc.outcomes import Outcome

Array = NDArray[np.float64]
Faces = tuple[NDArray[np.intp], NDArray[np.intp], Array]
"""Two voxels (or a voxel and -1, the high plate, or -2, the low one) and the conductance between them."""
STRUCTURES = range(20)
PHASES = "ABC"


def random_material(rng: np.random.Generator) -> tuple[dict[str, float], dict[str, float]]:
    """Return conductivities [S/m] over 4 decades, and a resistance [ohm m2] for every pair, every third of them 0."""
    conductivity = {name: float(10.0 ** rng.uniform(-3.0, 1.0)) for name in PHASES}
    pairs = [f"{a}|{b}" for n, a in enumerate(PHASES) for b in PHASES[n:]]
    resistance = {pair: float(10.0 ** rng.uniform(-9.0, -5.0) * (rng.random() > 1.0 / 3.0)) for pair in pairs}
    return conductivity, resistance


def random_structure(n: int, seed: int) -> tuple[Labels, NDArray[np.int32] | None]:
    """Return labels and grains: in turn polycrystals, blobs, white noise, and blobs in grains of their own."""
    if seed % 4 == 0:
        return voronoi(n, 12, seed=seed, labels=(1, 2, 3))
    if seed % 4 == 1:
        return blobs(n, {0: 0.15, 1: 0.35, 2: 0.3, 3: 0.2}, seed=seed), None
    if seed % 4 == 2:
        return random_labels((n, n + 1, n - 1), 3, seed=seed, first=1), None
    return blobs(n, {0: 0.1, 1: 0.4, 2: 0.3, 3: 0.2}, seed=seed), voronoi(n, 6, seed=seed)[1]


def conductivity_of(faces: list[Faces], shape: tuple[int, ...], size: Array, axis: int, solve: object) -> float:
    """Return sigma_eff between plates at 1 and 0 from a list of faces, leaving out what hangs on no plate."""
    count = int(np.prod(shape))
    a, b, g = (np.concatenate(part) for part in zip(*faces, strict=True))
    inner, low, high = (b >= 0) & (g > 0.0), b == -2, b == -1
    i, j = a[inner], b[inner]
    graph = sparse.coo_array((np.ones(len(i)), (i, j)), (count, count))
    _, piece = connected_components(graph, directed=False)
    joined = np.isin(piece, np.intersect1d(piece[a[low & (g > 0)]], piece[a[high & (g > 0)]]))
    if not joined.any():
        return 0.0
    diagonal: Array = np.bincount(a, g * ~inner, count) + np.bincount(i, g[inner], count) + np.bincount(j, g[inner], count)
    rows, columns = np.concatenate([i, j, np.arange(count)]), np.concatenate([j, i, np.arange(count)])
    values = np.concatenate([-g[inner], -g[inner], diagonal])
    matrix = sparse.csr_array((values, (rows, columns)), (count, count))[joined][:, joined]
    scale = diagonal.max()
    x = np.zeros(count)
    x[joined] = solve(matrix / scale, np.bincount(a[low], g[low], count)[joined] / scale)  # type: ignore[operator]
    used = low & joined[a]
    length = np.array(shape) * size
    return float((g[used] * (1.0 - x[a[used]])).sum() * length[axis] ** 2 / length.prod())


def area_level(side: NDArray[np.int8], axis: int, inverse_size: Array) -> int:
    """Return the step of 64 between 1 and sqrt 3 in which |nx| + |ny| + |nz| falls, n from a window of -1, 0 and 1."""
    offset = [np.arange(side.shape[a]) - 3.0 - 0.5 * (a == axis) for a in range(3)]
    weight = [np.exp(-0.5 * (part / 1.5) ** 2) for part in offset]
    pull = np.einsum("abc,a,b,c->abc", side.astype(float), *weight)
    gradient = np.array([abs(np.einsum("abc,a->", np.moveaxis(pull, a, 0), offset[a])) for a in range(3)]) * inverse_size
    if not gradient.any():
        return 1
    share = (gradient.sum() / np.linalg.norm(gradient) - 1.0) / (np.sqrt(3.0) - 1.0)
    return 1 + round(min(max(share, 0.0), 1.0) * 63)


def has_room(around: NDArray[np.int64], at: tuple[int, ...], along: int) -> bool:
    """Return whether three voxels of one grain lie in line on both sides of a face, and to some side in other directions."""
    if at[along] < 1 or at[along] + 2 >= around.shape[along] - 6:
        return False
    for side in (0, 1):
        here = tuple(n + 3 + side * (a == along) for a, n in enumerate(at))
        for other in range(3):
            steps = [s for s in (-1, 1) if other != along or s == 2 * side - 1]
            lines = [[around[tuple(n + k * s * (a == other) for a, n in enumerate(here))] for k in range(3)] for s in steps]
            if not any(len(set(line)) == 1 for line in lines):
                return False
    return True


def gain_beside(excess: float, factor: float) -> float:
    """Return b = t y / 2 of 1 / (1 - y) = 1 + u + 2 b / (1 + b), t = min(1, 2 - 2 / f^2)."""
    share = min(1.0, 2.0 - 2.0 / factor**2)
    if share == 0.0:
        return 0.0

    def off(y: float) -> float:
        return 1.0 - (1.0 - y) * (1.0 + excess + share * y / (1.0 + 0.5 * share * y))

    return 0.5 * share * float(brentq(off, 1e-12, 1.0, xtol=1e-15))


def faces_by_hand(
    labels: Labels,
    grains: NDArray[np.int32] | None,
    values: dict[str, float],
    resistance: dict[str, float],
    size: Array,
    axis: int,
) -> list[Faces]:
    """Return every face from labels, grains and materials: g = A / (h/2s_i + R f + h/2s_j), and the half cells at the plates.

    Where an interface is tilted, the faces before and behind the crossing gain b and the crossing loses what they gain.
    """
    s = np.array([0.0, *(values[name] for name in PHASES)])[labels]
    ids = np.zeros(labels.shape, np.int64) if grains is None else grains.astype(np.int64)
    what = labels.astype(np.int64) * (ids.max() + 1) + ids
    index, around = np.arange(labels.size).reshape(labels.shape), np.pad(what, 3, mode="symmetric")
    out: list[Faces] = []
    for along in range(3):
        area, half = float(size.prod() / size[along]), 0.5 * size[along]
        shape = list(labels.shape)
        shape[along] -= 1
        crossing, gain = np.zeros(shape), np.zeros(shape)
        better = np.ones(shape)
        for at in product(*(range(n) for n in shape)):
            ahead = tuple(n + (a == along) for a, n in enumerate(at))
            cost = 0.0
            if what[at] != what[ahead] and s[at] > 0.0 and s[ahead] > 0.0:
                cost = resistance["|".join(sorted((PHASES[labels[at] - 1], PHASES[labels[ahead] - 1])))]
            if cost > 0.0:
                window = around[tuple(slice(n, n + 7 + (a == along)) for a, n in enumerate(at))]
                side = (window == what[ahead]).astype(np.int8) - (window == what[at])
                level = area_level(side, along, size.min() / size)
                crossing[at] = cost * (1.0 + (level - 1) / 63.0 * (np.sqrt(3.0) - 1.0))
                if level > 1 and has_room(around, at, along):
                    factor = 1.0 + ((level - 1) // 8 * 8 + 4) / 63.0 * (np.sqrt(3.0) - 1.0)
                    gain[at] = gain_beside(cost * factor / (half / s[at] + half / s[ahead]), factor)
                    for step in (-1, 1):
                        better[tuple(n + step * (a == along) for a, n in enumerate(at))] += gain[at]
        for at in product(*(range(n) for n in shape)):
            ahead = tuple(n + (a == along) for a, n in enumerate(at))
            if s[at] > 0.0 and s[ahead] > 0.0:
                bulk = (half / s[at] + half / s[ahead]) * (1.0 + 2.0 * gain[at] / (1.0 + gain[at])) / better[at]
                out.append((index[at][None], index[ahead][None], np.array([area / (bulk + crossing[at])])))
        if along == axis:
            for end, plate in ((0, -2), (-1, -1)):
                plane = np.moveaxis(index, axis, 0)[end].ravel()
                out.append((plane, np.full(len(plane), plate), np.moveaxis(s, axis, 0)[end].ravel() * area / half))
    return out


def faces_of_table(known: Network, axis: int) -> list[Faces]:
    """Return every face with the conductance that the network's table gives it, and the half faces at the plates."""
    shape = known.structure.shape
    index = np.arange(int(np.prod(shape))).reshape(shape)
    out: list[Faces] = []
    for along in range(3):
        inner = tuple(slice(0, -1) if a == along else slice(None) for a in range(3))
        ahead = tuple(slice(1, None) if a == along else slice(None) for a in range(3))
        out.append(
            (index[inner].ravel(), index[ahead].ravel(), known.conductance[along][known.faces.of_axis[along][inner]].ravel())
        )
    for end, plate in ((0, -2), (-1, -1)):
        plane = np.moveaxis(index, axis, 0)[end].ravel()
        classes = known.faces.plates[axis][0 if end == 0 else 1].ravel()
        out.append((plane, np.full(len(plane), plate), 2.0 * known.conductance[axis][classes]))
    return out


def ours(known: Network, axis: int) -> float:
    solution = solve_axis(known, axis, tolerance=1e-9)
    assert solution.outcome in (Outcome.CONVERGED, Outcome.NOT_PERCOLATING)
    return solution.sigma_eff_S_per_m


@pytest.mark.parametrize("seed", STRUCTURES)
def test_network_and_solver_against_a_matrix_by_hand(seed: int) -> None:
    """Labels, grains and materials to sigma_eff without the product: faces in series, factorised by SciPy; equal to 1e-6."""
    rng = np.random.default_rng(100 + seed)
    labels, grains = random_structure(9, seed)
    values, resistance = random_material(rng)
    edges = (20.0, 25.0, 30.0) if seed % 2 else (25.0, 25.0, 25.0)
    known, axis = network(labels, materials(values, resistance=resistance), edges, grains=grains), int(rng.integers(3))
    size = np.array(edges) * 1e-9
    expected = conductivity_of(faces_by_hand(labels, grains, values, resistance, size, axis), labels.shape, size, axis, spsolve)
    assert expected > 0.0
    assert ours(known, axis) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", STRUCTURES)
def test_solver_against_pyamg(seed: int) -> None:
    """The same face conductances in smoothed aggregation with conjugate gradients (Bell, Olson & Schroder 2022): 1e-6."""
    pyamg = pytest.importorskip("pyamg")

    def solve(matrix: sparse.csr_array, source: Array) -> Array:
        hierarchy = pyamg.smoothed_aggregation_solver(sparse.csr_matrix(matrix), max_coarse=100)
        residuals: list[float] = []
        x = hierarchy.solve(source, tol=1e-12, maxiter=500, accel="cg", residuals=residuals)
        assert residuals[-1] <= 1e-11 * residuals[0]
        return np.asarray(x)

    rng = np.random.default_rng(200 + seed)
    labels, grains = random_structure(22, seed)
    values, resistance = random_material(rng)
    known, axis = network(labels, materials(values, resistance=resistance), grains=grains), int(rng.integers(3))
    size = np.array(known.structure.voxel_size)
    expected = conductivity_of(faces_of_table(known, axis), labels.shape, size, axis, solve)
    assert expected > 0.0
    assert ours(known, axis) == pytest.approx(expected, rel=1e-6)
