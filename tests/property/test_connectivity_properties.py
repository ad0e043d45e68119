"""Clusters against other labellings, and percolation against the solver, on random structures."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import ndimage
from support import materials, network, random_labels

from kmc.conduction import solve_axis
from kmc.connectivity import label_clusters
from kmc.network import Network
from kmc.pieces import label_pieces

shapes = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)
pores = hnp.arrays(np.uint8, shapes, elements=st.sampled_from([0, 1]))
phases = hnp.arrays(np.uint8, shapes, elements=st.sampled_from([0, 1, 2]))
KNOWN = materials({"A": 1.0, "B": 0.1})


def same_partition(one: NDArray[np.integer], two: NDArray[np.integer]) -> bool:
    """Return whether two labellings group the same voxels, 0 being no group in both."""
    pairs = np.unique(np.stack([one.ravel(), two.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1] and bool(
        ((pairs[0] == 0) == (pairs[1] == 0)).all()
    )


@given(pores)
def test_clusters_are_those_of_scipy(labels: NDArray[np.uint8]) -> None:
    """6 neighbours, numbered from 1 in memory order."""
    expected, count = ndimage.label(labels)
    found = label_clusters(network(labels, KNOWN))
    assert found.count == count
    np.testing.assert_array_equal(found.ids, expected)
    np.testing.assert_array_equal(found.sizes, np.bincount(expected.ravel(), minlength=count + 1))
    for axis in range(3):
        low, high = (set(np.take(expected, end, axis=axis).ravel()) for end in (0, -1))
        assert set(np.flatnonzero(found.spans[:, axis])) == (low & high) - {0}


@given(phases)
def test_conducting_phases_join(labels: NDArray[np.uint8]) -> None:
    """A cluster may run through several phases; what does not conduct belongs to none."""
    expected, _ = ndimage.label(labels > 0)
    np.testing.assert_array_equal(label_clusters(network(labels, KNOWN)).ids, expected)
    expected, _ = ndimage.label(labels == 2)
    np.testing.assert_array_equal(label_clusters(network(labels, materials({"B": 1.0}))).ids, expected)


def winding(labels: NDArray[np.uint8]) -> tuple[list[set[tuple[int, int, int]]], NDArray[np.bool_]]:
    """Return periodic clusters and the axes around which each winds, from spanning trees on the unfolded lattice."""
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(map(tuple, np.argwhere(labels)))
    for here in list(graph.nodes):
        for axis in range(3):
            step = np.eye(3, dtype=int)[axis]
            there = tuple((np.array(here) + step) % labels.shape)
            if labels[there]:
                graph.add_edge(here, there, step=step)
                graph.add_edge(there, here, step=-step)
    clusters, winds = [], []
    for part in networkx.weakly_connected_components(graph):
        seen = {next(iter(part)): np.zeros(3, dtype=int)}
        stack, around = list(seen), np.zeros(3, dtype=bool)
        while stack:
            here = stack.pop()
            for _, there, data in graph.out_edges(here, data=True):
                place = seen[here] + data["step"]
                if there in seen:
                    around |= seen[there] != place
                else:
                    seen[there] = place
                    stack.append(there)
        clusters.append(part)
        winds.append(around)
    return clusters, np.array(winds).reshape(len(clusters), 3)


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=5), elements=st.sampled_from([0, 1])))
def test_periodic_clusters_and_how_they_wind(labels: NDArray[np.uint8]) -> None:
    """A cluster percolates along an axis if a closed loop in it winds around the box that way."""
    found = label_clusters(network(labels, KNOWN, periodic=True), periodic=True)
    clusters, winds = winding(labels)
    assert found.count == len(clusters)
    for part, around in zip(clusters, winds, strict=True):
        ids = {int(found.ids[voxel]) for voxel in part}
        assert len(ids) == 1
        assert found.spans[ids.pop()].tolist() == around.tolist()


@given(phases, st.sampled_from(["plates", "periodic"]), st.integers(0, 2))
def test_percolation_is_conduction(labels: NDArray[np.uint8], boundary: str, axis: int) -> None:
    """sigma_eff > 0 exactly where a cluster spans; potentials exist exactly on clusters that do."""
    known = network(labels, KNOWN, periodic=True)
    clusters = label_clusters(known, periodic=boundary == "periodic")
    solution = solve_axis(known, axis, boundary=boundary, keep_potential=True)  # type: ignore[arg-type]
    assert (solution.sigma_eff_S_per_m > 0.0) == clusters.percolates(axis)
    if solution.potential is not None:
        np.testing.assert_array_equal(np.isfinite(solution.potential), clusters.spans[clusters.ids, axis])


@given(phases, st.randoms(use_true_random=False))
def test_pieces_are_connected_voxels_of_one_phase_and_grain(labels: NDArray[np.uint8], random: object) -> None:
    """Without grains a piece is a cluster of one phase; with grains it is cut where grains meet."""
    ids, count = label_pieces(network(labels, KNOWN))
    expected = np.zeros(labels.shape, dtype=int)
    for label in (1, 2):
        part, _ = ndimage.label(labels == label)
        expected[part > 0] = part[part > 0] + expected.max()
    assert count == len(np.unique(expected[expected > 0]))
    assert same_partition(ids, expected)
    grains = random_labels(labels.shape, 2, seed=random.randrange(1000), first=1)  # type: ignore[attr-defined]
    cut, _ = label_pieces(network(labels, KNOWN, grains=grains))
    by_grain = np.zeros(labels.shape, dtype=int)
    for label in (1, 2):
        for grain in (1, 2):
            part, _ = ndimage.label((labels == label) & (grains == grain))
            by_grain[part > 0] = part[part > 0] + by_grain.max()
    assert same_partition(cut, by_grain)


@pytest.mark.parametrize("periodic", [False, True])
def test_large_random_structures_as_well(periodic: bool) -> None:
    """Near the site threshold .3116 of the cubic lattice clusters are as ragged as they get."""
    labels = (np.random.default_rng(4).random((40, 41, 42)) < 0.32).astype(np.uint8)
    known: Network = network(labels, KNOWN, periodic=periodic)
    _, count = ndimage.label(labels)
    assert label_clusters(known).count == count
    if periodic:
        tiled = ndimage.label(np.tile(labels, (2, 2, 2)))[0][:40, :41, :42]
        found = label_clusters(known, periodic=True)
        assert found.count <= count
        joins = np.unique(np.stack([tiled.ravel(), found.ids.ravel()]), axis=1)
        assert len(np.unique(joins[0])) == joins.shape[1]  # no piece of the tiled box lies in two periodic clusters
