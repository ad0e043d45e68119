"""Backbones, paths, cuts and loads against other ways to find them: brute force, networkx, resistors, closed forms."""

from __future__ import annotations

from itertools import pairwise, product

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support import block, materials, network, random_labels, voronoi

from kmc.axes import AXES
from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.percolation import (
    ContactGraph,
    build_contact_graph,
    critical_barriers_eV,
    critical_path,
    fastest_path,
    find_backbone,
    find_bottlenecks,
    graph_conductivity,
    minimum_cut,
    path_tortuosity,
)
from kmc.percolation.contacts.resistor_network import solve_resistors
from kmc.percolation.routes.bottlenecks import cut_points
from microstructures.errors import InputError

KNOWN = materials(
    {"A": 1.0, "B": 0.05, "C": 0.002}, resistance={"A|B": 3e-7, "A|A": 1e-6, "A|C": 1e-9}, energy_eV={"A": 0.3, "A|B": 0.5}
)


def drawn(seed: int, pore: float, n_phases: int, longest: int) -> NDArray[np.uint8]:
    """Return random labels, 0 for pores, in a box of random shape."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, longest + 1, 3)
    return np.where(rng.random(shape) < pore, 0, rng.integers(1, n_phases + 1, shape)).astype(np.uint8)


seeds, near_threshold = st.integers(0, 2**32 - 1), st.floats(0.2, 0.7)
pores = st.builds(drawn, seeds, near_threshold, st.just(1), st.just(7))
mixtures = st.builds(drawn, seeds, st.floats(0.0, 0.6), st.just(3), st.just(7))


def lattice(known: Network, axis: int, open_: NDArray[np.bool_]) -> networkx.Graph:
    """Return voxels and plates as a graph whose edges have resistance and barrier."""
    faces, shape = known.faces, known.structure.shape
    joined = networkx.Graph()
    joined.add_nodes_from(["low", "high"])

    def join(a: object, b: object, along: int, kind: int, half: float) -> None:
        if open_[kind]:
            joined.add_edge(a, b, ohm=half / known.conductance[along, kind], barrier=known.barrier_eV[kind])

    for here in product(*map(range, shape)):
        for along in range(3):
            there = tuple(n + (along == m) for m, n in enumerate(here))
            if there[along] < shape[along]:
                join(here, there, along, faces.of_axis[along][here], 1.0)
        rest = tuple(np.delete(here, axis))
        for name, end, plate in zip(("low", "high"), (0, shape[axis] - 1), faces.plates[axis], strict=True):
            if here[axis] == end:
                join(name, here, axis, plate[rest], 0.5)
    return joined


def everything(known: Network) -> NDArray[np.bool_]:
    return np.asarray((known.conductance > 0.0).any(axis=0))


@given(pores, st.integers(0, 2))
def test_backbone_is_the_part_biconnected_through_a_wire(labels: NDArray[np.uint8], axis: int) -> None:
    known = network(labels, KNOWN)
    joined = lattice(known, axis, everything(known))
    joined.add_edge("low", "high")
    expected = np.zeros(labels.shape, dtype=bool)
    for part in networkx.biconnected_components(joined):
        if {"low", "high"} <= part:
            for voxel in part - {"low", "high"}:
                expected[voxel] = True
    np.testing.assert_array_equal(find_backbone(known, axis), expected)


@given(pores, st.integers(0, 2), st.booleans(), seeds)
def test_backbone_is_what_carries_current_of_random_resistors(
    labels: NDArray[np.uint8], axis: int, periodic: bool, seed: int
) -> None:
    """With conductances drawn at random no current is zero by chance, so exactly the backbone carries some."""
    shape = labels.shape
    number = np.arange(labels.size).reshape(shape)
    edges, drive = [], []
    for along in range(3):
        a, b = number.ravel(), np.roll(number, -1, axis=along).ravel()
        wraps = (np.indices(shape)[along] == shape[along] - 1).ravel()
        keep = labels.ravel()[a].astype(bool) & labels.ravel()[b].astype(bool) & (periodic | ~wraps)
        edges.append(np.column_stack((a, b))[keep])
        drive.append((wraps & (along == axis))[keep].astype(float))
    held: dict[int, float] = {}
    if not periodic:
        held = {labels.size: 1.0, labels.size + 1: 0.0}
        for node, end in zip(held, (0, -1), strict=True):
            outer = np.take(number, end, axis=axis)[np.take(labels, end, axis=axis) > 0]
            edges.append(np.column_stack((np.full(outer.size, node), outer)))
            drive.append(np.zeros(outer.size))
    pairs, volts = np.concatenate(edges), np.concatenate(drive)
    conductance = np.random.default_rng(seed).uniform(0.5, 2.0, len(pairs))
    solved = solve_resistors(pairs, conductance, labels.size + 2, held=held, drive_V=volts)
    passing = np.bincount(pairs.ravel(), np.repeat(np.abs(solved.current), 2), labels.size + 2)[: labels.size]
    known = network(labels, KNOWN, periodic=True)
    np.testing.assert_array_equal(find_backbone(known, axis, periodic=periodic).ravel(), passing > 1e-9)


@given(mixtures, st.integers(0, 2))
def test_critical_path_has_the_barrier_that_bisection_finds(labels: NDArray[np.uint8], axis: int) -> None:
    """Independently: the lowest level at which the labels of all faces up to it span, and networkx's minimax path."""
    known = network(labels, KNOWN)
    found = critical_path(known, axis)
    levels = np.unique(known.barrier_eV[np.isfinite(known.barrier_eV)])
    spans = [label_clusters(known, conducts=known.barrier_eV <= level).percolates(axis) for level in levels]
    assert spans == sorted(spans)
    assert (found is None) == (not any(spans))
    if found is None:
        return
    assert found.face_barrier_eV.max() == levels[spans.index(True)] == critical_barriers_eV(known)[axis]
    joined = lattice(known, axis, everything(known))
    tree = networkx.minimum_spanning_tree(joined, weight="barrier")
    steps = pairwise(networkx.shortest_path(tree, "low", "high"))
    assert max(tree.edges[step]["barrier"] for step in steps) == found.face_barrier_eV.max()
    nodes = ["low", *map(tuple, found.voxels.tolist()), "high"]
    assert [joined.edges[step]["barrier"] for step in pairwise(nodes)] == found.face_barrier_eV.tolist()


@given(mixtures, st.integers(0, 2))
def test_fastest_path_is_that_of_networkx(labels: NDArray[np.uint8], axis: int) -> None:
    known = network(labels, KNOWN)
    joined, found = lattice(known, axis, everything(known)), fastest_path(known, axis)
    assert (found is None) == (not networkx.has_path(joined, "low", "high"))
    if found is not None:
        expected = networkx.shortest_path_length(joined, "low", "high", weight="ohm")
        assert found.resistance_ohm == pytest.approx(expected, rel=1e-12)
        nodes = ["low", *map(tuple, found.voxels.tolist()), "high"]
        own = sum(joined.edges[step]["ohm"] for step in pairwise(nodes))
        assert own == pytest.approx(expected, rel=1e-12)


def test_rings_that_hang_by_one_voxel_are_dead_ends() -> None:
    """A column with a ring at its side: current could run around the ring, but not into it and out again."""
    labels = np.zeros((7, 6, 1), dtype=np.uint8)
    labels[:, 0] = labels[3, 1] = 1
    labels[2:5, 2:5] = 1
    labels[3, 3] = 0
    found = find_backbone(network(labels, KNOWN), 0)
    np.testing.assert_array_equal(found[:, :, 0], (labels[:, :, 0] > 0) & (np.arange(6) == 0))
    assert not find_backbone(network(labels, KNOWN), 1).any()


def test_path_tells_where_its_bottleneck_is() -> None:
    """A wall of grain boundary at 0.5 eV, 100 nm from the low plate: every path meets it there."""
    labels = np.ones((8, 3, 3), dtype=np.uint8)
    labels[4:] = 2
    path = critical_path(build_network(block(labels), KNOWN, temperature_C=60.0), 0)
    assert path is not None
    assert path.face_kind[path.highest] == "A|B interface"
    assert path.bottleneck_m()[0] == pytest.approx(100e-9)
    assert path.path_tortuosity == pytest.approx(1.0)
    told = path.to_dict()
    assert told["bottleneck"]["kind"] == "A|B interface"
    assert sum(told["resistance_share"].values()) == pytest.approx(1.0)


@pytest.mark.parametrize("axis", range(3))
def test_straight_ways_have_tortuosity_one(axis: int) -> None:
    found = path_tortuosity(build_network(block(np.ones((9, 8, 7)), (20.0, 25.0, 40.0)), KNOWN), axis)
    assert found is not None
    np.testing.assert_allclose(found.values, 1.0, rtol=1e-12)
    assert found.reached == 1.0


def test_way_around_a_wall_has_its_euclidean_length() -> None:
    """A wall across half of a slab: from behind its edge the way is a straight line over the edge, twice."""
    n, wall = 80, 40
    labels = np.ones((2 * n, n, 1), dtype=np.uint8)
    labels[n - 1 : n + 1, :wall] = 0
    found = path_tortuosity(network(labels, KNOWN), 0)
    assert found is not None
    y = np.arange(n) + 0.5
    back = np.where(y < wall, np.hypot(n - 1.0, wall - y), n - 1.0)
    expected = (n + 1.0 + back) / (2 * n)
    np.testing.assert_allclose(found.values, expected, rtol=0.03)
    assert found.values.mean() == pytest.approx(expected.mean(), rel=0.015)
    counted = (2 * n + np.maximum(wall - y, 0.0)) / (2 * n)  # what steps along voxel faces would give
    assert (counted.mean() - 1.0) > 2.0 * (found.mean - 1.0)


def test_tortuosity_of_a_serpentine() -> None:
    """Three legs of a channel one voxel wide: its length is counted step by step."""
    labels = np.zeros((7, 7, 1), dtype=np.uint8)
    labels[:6, 1], labels[5, 1:6], labels[1:6, 5], labels[1, 3:6], labels[1:, 3] = 0, 0, 0, 0, 0
    labels[0:3, 0], labels[2, 0:6], labels[2:7, 5] = 1, 1, 1
    found = path_tortuosity(network(labels, KNOWN), 0)
    assert found is not None
    assert found.values == pytest.approx([(7 + 5) / 7], rel=0.08)  # 12 voxels long; corners are cut by up to 1 - 1/sqrt(2)
    assert found.to_dict()["p50"] == pytest.approx(found.mean)


def grain_graph(seed: int, *, n: int = 24, count: int = 30, pore: float = 0.0, periodic: bool = False) -> ContactGraph:
    labels, grains = voronoi(n, count, seed=seed, labels=(1, 2, 1))
    holes = np.random.default_rng(seed).random(labels.shape) < pore
    labels, grains = np.where(holes, 0, labels), np.where(holes, 0, grains)
    return build_contact_graph(build_network(block(labels, grains=grains, periodic=True), KNOWN), periodic=periodic)


def flow_network(graph: ContactGraph, axis: int) -> networkx.Graph:
    joined = networkx.Graph()
    joined.add_nodes_from(["low", "high"])
    for (a, b), conductance in zip(graph.edges.tolist(), graph.conductance_S.tolist(), strict=True):
        joined.add_edge(a, b, capacity=conductance)
    for name, plate in zip(("low", "high"), graph.plates[axis], strict=True):
        joined.add_edges_from((name, node) for node in plate.node.tolist())
    return joined


@pytest.mark.parametrize("seed", range(4))
def test_minimum_cut_is_that_of_networkx_and_bounds_the_current(seed: int) -> None:
    graph = grain_graph(seed, count=120)
    for axis in range(3):
        found = minimum_cut(graph, axis)
        assert found is not None
        joined = flow_network(graph, axis)
        assert found.conductance_S == pytest.approx(networkx.minimum_cut_value(joined, "low", "high"), rel=1e-6)
        joined.remove_edges_from(graph.edges[found.contacts].tolist())
        assert not networkx.has_path(joined, "low", "high")
        conducted = graph_conductivity(graph, axis).sigma_eff_S_per_m * 24 * 25e-9
        assert 0.0 < conducted <= found.conductance_S
        assert 0 < len(found.deciding) <= len(found.contacts)
        assert graph.conductance_S[found.deciding].sum() >= 0.99 * found.conductance_S
        counted = minimum_cut(graph, axis, by="count")
        assert counted is not None
        networkx.set_edge_attributes(joined := flow_network(graph, axis), 1.0, "capacity")
        for plate in ("low", "high"):
            for node in joined[plate]:
                del joined.edges[plate, node]["capacity"]
        assert len(counted.contacts) == networkx.minimum_cut_value(joined, "low", "high")


def test_cuts_at_the_limits() -> None:
    whole = build_contact_graph(network(np.ones((4, 4, 4)), KNOWN))
    assert minimum_cut(whole, 0) is None
    labels = np.ones((5, 4, 4), dtype=np.uint8)
    labels[2] = 0
    apart = minimum_cut(build_contact_graph(network(labels, KNOWN)), 0)
    assert apart is not None
    assert (len(apart.contacts), apart.conductance_S) == (0, 0.0)
    with pytest.raises(InputError, match="periodic"):
        minimum_cut(grain_graph(1, periodic=True), 0)
    with pytest.raises(InputError, match="allowed"):
        minimum_cut(whole, 0, by="area")


@pytest.mark.parametrize("seed", range(12))
def test_articulation_grains_and_bridges_by_brute_force(seed: int) -> None:
    """Take away every grain, and every contact, in turn: those listed, and no others, part the plates."""
    known = materials({"A": 1.0, "B": 0.5})
    labels = random_labels((9, 4, 3), 2, seed=seed)
    labels[:, 1, 1] = 1
    labels[4, :, :] = 0
    labels[4, 1, 1] = 1 + seed % 2
    grains = np.where(labels > 0, random_labels(labels.shape, 3, seed=seed + 50, first=1), 0)
    graph = build_contact_graph(build_network(block(labels, grains=grains), known))
    pieces, bridges = cut_points(graph, 0)
    joined = flow_network(graph, 0)
    assert networkx.has_path(joined, "low", "high")

    def parts(without: networkx.Graph) -> bool:
        return not networkx.has_path(without, "low", "high")

    expected = [n for n in range(graph.n_nodes) if parts(networkx.restricted_view(joined, [n], []))]
    assert sorted(pieces.tolist()) == expected
    assert expected
    edges = enumerate(graph.edges.tolist())
    assert sorted(bridges.tolist()) == [m for m, e in edges if parts(networkx.restricted_view(joined, [], [tuple(e)]))]


@pytest.mark.parametrize("axis", range(3))
def test_loads_are_shares_of_the_whole_current(axis: int) -> None:
    """Through any cut the loads add up to 1 or more; through the pieces at a plate to exactly 1."""
    graph = grain_graph(3, count=60)
    found = find_bottlenecks(graph, graph_conductivity(graph, axis))
    assert found.axis == AXES[axis]
    low, high = graph.plates[axis]
    inner = np.setdiff1d(low.node, high.node)
    assert found.grain_load.max() <= 1.0 + 1e-9
    assert (found.contact_load <= found.grain_load[graph.edges].min(axis=1) + 1e-9).all()
    assert inner.size
    assert found.cut is not None
    assert found.contact_load[found.cut.contacts].sum() >= 1.0 - 1e-9
    order = found.contact_load[found.most_loaded_contacts()]
    assert (np.diff(order) <= 0.0).all()
    told = found.to_dict(graph)
    assert told["most_loaded_contacts"][0]["load"] == order[0]
    assert told["minimum_cut"]["contacts"] == len(found.cut.contacts)


def test_chain_of_grains_is_all_articulation() -> None:
    """Four layers in series: each carries everything, each is an articulation grain, the worst contact is the cut."""
    labels = np.ones((8, 3, 3), dtype=np.uint8)
    grains = np.repeat([1, 2, 3, 4], 2)[:, None, None] * np.ones((1, 3, 3), dtype=int)
    labels[4:6] = 2
    graph = build_contact_graph(build_network(block(labels, grains=grains), KNOWN))
    found = find_bottlenecks(graph, graph_conductivity(graph, 0))
    np.testing.assert_allclose(found.grain_load, 1.0)
    np.testing.assert_allclose(found.contact_load, 1.0)
    assert found.articulation.tolist() == [0, 1, 2, 3]
    assert found.bridges.tolist() == [0, 1, 2]
    assert found.cut is not None
    assert found.cut.contacts.tolist() == [int(np.argmin(graph.conductance_S))]
