"""The contact graph against what is known: textbook resistor networks, other labellings, minimax paths."""

from __future__ import annotations

from itertools import pairwise

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kmc.conduction.steady import solve_axis
from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.percolation import build_contact_graph, critical_barriers_eV, graph_conductivity, percolate
from kmc.percolation.contacts.resistor_network import solve_resistors
from kmc.percolation.grains.grain_graph import build_grain_graph
from microstructures.errors import InputError
from microstructures.materials import Materials, load_materials
from microstructures.structure import VoxelStructure

BARRIERS = {"A": 0.30, "B": 0.35, "C": 0.42, "D": 0.50}
PHASES = dict(enumerate(BARRIERS, start=1))


def resistance_ohm(edges: list[tuple[int, int]], ohms: list[float], low: int, high: int) -> float:
    n = max(max(edge) for edge in edges) + 1
    solution = solve_resistors(np.array(edges), 1.0 / np.array(ohms), n, held={low: 1.0, high: 0.0})
    return 1.0 / solution.dissipation


def test_series_and_parallel() -> None:
    assert resistance_ohm([(0, 1), (1, 2), (2, 3)], [1.0, 2.0, 3.5], 0, 3) == pytest.approx(6.5)
    assert resistance_ohm([(0, 1), (0, 1), (1, 0)], [1.0, 2.0, 2.0], 0, 1) == pytest.approx(0.5)


@pytest.mark.parametrize("bridge", [1e-3, 1.0, 1e6])
def test_balanced_wheatstone_bridge_ignores_its_bridge(bridge: float) -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)]
    assert resistance_ohm(edges, [1.0, 2.0, 3.0, 6.0, bridge], 0, 3) == pytest.approx(4.0 * 8.0 / 12.0)


def test_unbalanced_wheatstone_bridge() -> None:
    """Star-triangle transform of the resistors 1, 2 and the bridge 1: 1/2, 1/4 and 1/2 ohm."""
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)]
    expected = 0.5 + (0.25 + 3.0) * (0.5 + 4.0) / (0.25 + 3.0 + 0.5 + 4.0)
    assert resistance_ohm(edges, [1.0, 2.0, 3.0, 4.0, 1.0], 0, 3) == pytest.approx(expected)


def test_cube_of_twelve_resistors() -> None:
    edges = [(a, a ^ bit) for a in range(8) for bit in (1, 2, 4) if a < (a ^ bit)]
    assert resistance_ohm(edges, [1.0] * 12, 0, 7) == pytest.approx(5 / 6)
    assert resistance_ohm(edges, [1.0] * 12, 0, 3) == pytest.approx(3 / 4)
    assert resistance_ohm(edges, [1.0] * 12, 0, 1) == pytest.approx(7 / 12)


def test_long_ladder_is_the_golden_ratio() -> None:
    n = 40
    rungs = [(k, n + 1) for k in range(1, n + 1)]
    rails = [(k, k + 1) for k in range(n)]
    assert resistance_ohm(rails[:n] + rungs, [1.0] * (2 * n), 0, n + 1) == pytest.approx((1 + 5**0.5) / 2, rel=1e-12)


def test_parts_that_nothing_holds_have_no_potential() -> None:
    solution = solve_resistors(np.array([[0, 1], [2, 3]]), np.ones(2), 4, held={0: 1.0, 1: 0.0})
    assert np.isnan(solution.potential).tolist() == [False, False, True, True]
    assert solution.current.tolist() == [1.0, 0.0]
    with pytest.raises(InputError):
        solve_resistors(np.array([[0, 1]]), np.array([np.inf]), 2, held={0: 1.0})


def test_driven_ring() -> None:
    """One volt in a ring of 1, 2 and 3 ohm drives a sixth of an ampere."""
    edges, ohms = np.array([[0, 1], [1, 2], [2, 0]]), np.array([1.0, 2.0, 3.0])
    solution = solve_resistors(edges, 1 / ohms, 3, drive_V=np.array([0.0, 0.0, 1.0]))
    assert solution.current == pytest.approx(np.full(3, 1 / 6))
    assert solution.dissipation == pytest.approx(1 / 6)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.1, 0.6), shape=st.tuples(*[st.integers(1, 7)] * 3))
def test_spanning_clusters_are_those_of_scipy(seed: int, share: float, shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(seed).random(shape) < share
    structure = VoxelStructure.from_labels(np.where(image, 2, 0), voxel_nm=25, phases={0: "pore", 2: "LATP"})
    labels, count = ndimage.label(image)
    found = percolate(structure, axis="all")
    assert found.clusters == count == found.grains
    assert found.contacts == 0
    for axis, name in enumerate("xyz"):
        both = np.intersect1d(np.take(labels, 0, axis=axis), np.take(labels, -1, axis=axis))
        spanning = both[both > 0]
        assert found.percolates[name] == (len(spanning) > 0)
        if image.any():
            expected = np.isin(labels, spanning).sum() / image.sum()
            assert found.percolating_fraction[name]["LATP"] == pytest.approx(expected, abs=1e-15)
        assert (found.sigma_eff_graph_S_per_m[name] > 0.0) == (len(spanning) > 0)


@pytest.fixture(scope="module")
def barriers(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    text = 'schema = 1\nname = "barriers"\nreference_temperature_C = 60.0\n[phases.pore]\nlabel = 0\n'
    for label, (name, barrier) in enumerate(BARRIERS.items(), start=1):
        text += f"""[phases.{name}]
label = {label}
[phases.{name}.ion]
migration_barrier_eV = {barrier}
attempt_frequency_Hz = 1.0e13
hop_distance_nm = 0.35
"""
    text += '[interfaces."A|B".ion]\narea_specific_resistance_ohm_m2 = 1.0e-6\nactivation_energy_eV = 0.3\n'
    path = tmp_path_factory.mktemp("materials") / "barriers.toml"
    path.write_text(text, encoding="utf-8")
    return load_materials(str(path))


@pytest.mark.parametrize("label", PHASES)
@pytest.mark.parametrize("periodic", [False, True])
def test_uniform_block_returns_its_barrier(barriers: Materials, label: int, periodic: bool) -> None:
    structure = VoxelStructure.from_labels(np.full((5, 7, 9), label), voxel_nm=25, phases=PHASES)
    found = critical_barriers_eV(build_network(structure, barriers, temperature_C=25.0), periodic=periodic)
    for axis in range(3):
        assert found[axis] == pytest.approx(BARRIERS[PHASES[label]], abs=1e-9)


def minimax_eV(network: Network, axis: int) -> float | None:
    """Return the least possible largest barrier of a path from plate to plate, by Kruskal's tree."""
    faces, barrier = network.faces, network.barrier_eV
    shape = network.structure.shape
    numbers = np.arange(np.prod(shape)).reshape(shape)
    graph = networkx.Graph()
    for other in range(3):
        n = shape[other]
        a = np.take(numbers, range(n - 1), axis=other).ravel()
        b = np.take(numbers, range(1, n), axis=other).ravel()
        weight = barrier[np.take(faces.of_axis[other], range(n - 1), axis=other).ravel()]
        graph.add_weighted_edges_from((i, j, w) for i, j, w in zip(a, b, weight, strict=True) if np.isfinite(w))
    for name, end, plate in zip(("low", "high"), (0, -1), faces.plates[axis], strict=True):
        outer = np.take(numbers, end, axis=axis).ravel()
        weight = barrier[plate.ravel()]
        graph.add_weighted_edges_from((name, i, w) for i, w in zip(outer, weight, strict=True) if np.isfinite(w))
    if not ("low" in graph and "high" in graph and networkx.has_path(graph, "low", "high")):
        return None
    path = networkx.shortest_path(networkx.minimum_spanning_tree(graph), "low", "high")
    return max(graph.edges[edge]["weight"] for edge in pairwise(path))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("pore", [0.2, 0.55, 0.7])
def test_critical_barrier_is_the_minimax_path(barriers: Materials, seed: int, pore: float) -> None:
    rng = np.random.default_rng([seed, int(100 * pore)])
    labels = np.where(rng.random((5, 7, 9)) < pore, 0, rng.integers(1, 5, (5, 7, 9)))
    structure = VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", **PHASES})
    network = build_network(structure, barriers)
    found = critical_barriers_eV(network)
    for axis in range(3):
        expected = minimax_eV(network, axis)
        assert (found[axis] is None) == (expected is None)
        assert found[axis] == expected


def test_hand_made_pass_over_the_lower_of_two_walls(barriers: Materials) -> None:
    """A block of A is cut by a wall of D with a gate of C in it: the gate decides along x, nothing along y."""
    labels = np.full((9, 6, 6), 1)
    labels[4] = 4
    labels[4, 2, 3] = 3
    structure = VoxelStructure.from_labels(labels, voxel_nm=25, phases=PHASES)
    network = build_network(structure, barriers)
    across = next(
        float(barrier)
        for barrier, pair in zip(network.barrier_eV, network.faces.phases.tolist(), strict=True)
        if sorted(network.faces.phase_names[p] for p in pair) == ["A", "C"] and np.isfinite(barrier)
    )
    found = critical_barriers_eV(network)
    assert found[0] == pytest.approx(across, abs=1e-12)
    assert BARRIERS["A"] < across < BARRIERS["C"]
    assert found[1] == pytest.approx(BARRIERS["A"], abs=1e-9)


def grains_in_a_box(n: int, count: int, seed: int) -> VoxelStructure:
    rng = np.random.default_rng(seed)
    seeds = rng.random((count, 3)) * n
    place = np.indices((n, n, n)).transpose(1, 2, 3, 0) + 0.5
    gap = place[..., None, :] - seeds
    gap -= n * np.round(gap / n)
    grains = 1 + np.argmin((gap**2).sum(axis=-1), axis=-1)
    return VoxelStructure.from_labels(np.full((n, n, n), 2), voxel_nm=25, phases={2: "LATP"}, grains=grains, periodic=True)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("modes", ["plain", "linear", "tilted", "quadratic"])
def test_graph_is_a_lower_bound_that_more_modes_bring_closer(boundary: str, modes: str) -> None:
    """Space-filling grains whose boundaries resist: 1.8 % below the solver with one flux mode a contact, 0.2 % with nine."""
    network = build_network(grains_in_a_box(32, 12, seed=1))
    graph = build_contact_graph(network, periodic=boundary == "periodic")
    grains = build_grain_graph(graph, modes=modes)
    least = {"plain": 0.975, "linear": 0.98, "tilted": 0.99, "quadratic": 0.995}[modes]
    for axis in range(3):
        exact = solve_axis(network, axis, boundary=boundary, tolerance=1e-7).sigma_eff_S_per_m  # type: ignore[arg-type]
        ratio = grains.sigma_eff(axis) / exact
        assert least < ratio <= 1.0
        assert graph_conductivity(graph, axis, grains).sigma_eff_S_per_m == grains.sigma_eff(axis)


def test_currents_of_the_graph_balance() -> None:
    network = build_network(grains_in_a_box(24, 10, seed=2))
    graph = build_contact_graph(network)
    found = graph_conductivity(graph, 1)
    out = np.bincount(graph.edges[:, 0], found.current_A, graph.n_nodes)
    out -= np.bincount(graph.edges[:, 1], found.current_A, graph.n_nodes)
    low, high = (set(plate.node.tolist()) for plate in graph.plates[1])
    inner = np.array([node not in low | high for node in range(graph.n_nodes)])
    whole = found.sigma_eff_S_per_m * 24 * 25e-9
    assert inner.any()
    assert not low & high
    assert np.abs(out[inner]).max() < 1e-12 * whole
    assert out[list(low)].sum() == pytest.approx(whole, rel=1e-6)
    assert -out[list(high)].sum() == pytest.approx(whole, rel=1e-6)
    assert found.heat_W.sum() < whole


def test_clusters_of_pieces_are_the_clusters_of_voxels() -> None:
    """Pieces joined by contacts make up the clusters of the network, with and without the outer boundary."""
    rng = np.random.default_rng(5)
    labels = np.where(rng.random((8, 9, 10)) < 0.55, 0, 2)
    grains = np.where(labels > 0, rng.integers(1, 5, labels.shape), 0)
    structure = VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 2: "LATP"}, grains=grains, periodic=True)
    network = build_network(structure)
    for periodic in (False, True):
        graph = build_contact_graph(network, periodic=periodic)
        clusters = label_clusters(network, periodic=periodic)
        joined = networkx.Graph()
        joined.add_nodes_from(range(graph.n_nodes))
        joined.add_edges_from(graph.edges.tolist())
        assert networkx.number_connected_components(joined) == clusters.count
        for axis in range(3):
            assert (graph_conductivity(graph, axis).sigma_eff_S_per_m > 0.0) == clusters.percolates(axis)
