"""Clusters, contact graph and the front door of percolation, on structures small enough to count by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.percolation import build_contact_graph, cluster_statistics, graph_conductivity, percolate
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.materials import Materials, load_materials
from microstructures.structure import VoxelStructure

VOXEL_NM = 25.0
H = VOXEL_NM * 1e-9

MATERIALS = """
schema = 1
name = "toy"
reference_temperature_C = 60.0
[phases.pore]
label = 0
[phases.A]
label = 1
[phases.A.ion]
conductivity_S_per_m = 2.0
activation_energy_eV = 0.3
[phases.A.electron]
conductivity_S_per_m = 1.0e-6
activation_energy_eV = 0.3
[phases.B]
label = 2
[phases.B.ion]
conductivity_S_per_m = 0.5
activation_energy_eV = 0.3
[phases.B.electron]
conductivity_S_per_m = 1.0e-6
activation_energy_eV = 0.3
[interfaces."A|A".ion]
area_specific_resistance_ohm_m2 = 3.0e-7
activation_energy_eV = 0.3
[interfaces."A|B".ion]
area_specific_resistance_ohm_m2 = 1.0e-6
activation_energy_eV = 0.3
[interfaces."A|B".electron]
area_specific_resistance_ohm_m2 = 0.1
activation_energy_eV = 0.3
[films."A|pore".electron]
sheet_conductance_S = 2.0e-6
activation_energy_eV = 0.07
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Materials:
    path = tmp_path_factory.mktemp("materials") / "toy.toml"
    path.write_text(MATERIALS, encoding="utf-8")
    return load_materials(str(path))


def block(labels: NDArray[np.integer], grains: NDArray[np.integer] | None = None) -> VoxelStructure:
    return VoxelStructure.from_labels(labels, voxel_nm=VOXEL_NM, phases={0: "pore", 1: "A", 2: "B"}, grains=grains)


def network_of(toy: Materials, labels: NDArray[np.integer], grains: NDArray[np.integer] | None = None) -> Network:
    return build_network(block(labels, grains), toy)


def column() -> NDArray[np.int64]:
    labels = np.zeros((5, 4, 3), dtype=np.int64)
    labels[:, 1, 1] = 1
    return labels


def test_single_column_percolates_along_its_axis_only(toy: Materials) -> None:
    found = percolate(block(column()), toy, axis="all")
    assert found.percolates == {"x": True, "y": False, "z": False}
    assert found.percolating_fraction == {
        "x": {"pore": 0.0, "A": 1.0},
        "y": {"pore": 0.0, "A": 0.0},
        "z": {"pore": 0.0, "A": 0.0},
    }
    assert found.isolated_fraction["y"] == {"pore": 0.0, "A": 1.0}
    assert found.outcome is Outcome.NOT_PERCOLATING
    assert found.critical_barrier_eV["y"] is None
    assert found.sigma_eff_graph_S_per_m["y"] == 0.0


def test_column_conducts_by_its_share_of_the_section(toy: Materials) -> None:
    found = percolate(block(column()), toy)
    assert found.sigma_eff_graph_S_per_m == pytest.approx(2.0 / 12, rel=1e-12)


def test_dead_end_belongs_to_the_cluster_but_carries_nothing(toy: Materials) -> None:
    labels = np.zeros((5, 5, 3), dtype=np.int64)
    labels[:, 1, 1] = 1
    labels[2, 2:4, 1] = 1
    grains = np.where(labels > 0, 1, 0)
    grains[2, 2:4, 1] = 2
    found = percolate(block(labels, grains), toy)
    assert found.percolating_fraction["A"] == 1.0
    assert (found.grains, found.contacts) == (2, 1)
    assert found.currents["x"].current_A[0] == pytest.approx(0.0, abs=1e-20)


def test_column_that_stops_short_does_not_percolate(toy: Materials) -> None:
    labels = column()
    labels[-1] = 0
    found = percolate(block(labels), toy)
    assert found.percolates is False
    assert found.sigma_eff_graph_S_per_m == 0.0
    assert found.outcome is Outcome.NOT_PERCOLATING


def test_diagonal_staircase_does_not_percolate(toy: Materials) -> None:
    labels = np.zeros((4, 4, 3), dtype=np.int64)
    labels[range(4), range(4), 1] = 1
    found = percolate(block(labels), toy)
    assert found.percolates is False
    assert found.clusters == 4


def test_isolated_cluster_lowers_the_percolating_fraction(toy: Materials) -> None:
    labels = column()
    labels[2, 3, 1] = 1
    network = network_of(toy, labels)
    found = cluster_statistics(network, label_clusters(network))
    assert found.percolating_fraction(0)["A"] == pytest.approx(5 / 6)
    assert found.isolated_fraction(0)["A"] == pytest.approx(1 / 6)
    assert (found.count, found.spanning.tolist()) == (2, [1, 0, 0])


def test_two_phases_percolate_together(toy: Materials) -> None:
    labels = column()
    labels[2:, 1, 1] = 2
    assert percolate(block(labels), toy).percolating_fraction == {"pore": 0.0, "A": 1.0, "B": 1.0}


def test_nothing_conducts_is_not_percolating(toy: Materials) -> None:
    found = percolate(block(np.zeros((3, 3, 3), dtype=np.int64)), toy, axis="all")
    assert found.outcome is Outcome.NOT_PERCOLATING
    assert (found.clusters, found.grains, found.contacts) == (0, 0, 0)
    assert found.sigma_eff_graph_S_per_m == {"x": 0.0, "y": 0.0, "z": 0.0}
    assert "<table>" in found._repr_html_()


def test_winding_cluster_that_joins_no_plates(toy: Materials) -> None:
    """Two halves of a column, one plane apart, meet only across the boundary and through a step: they wind around x."""
    labels = np.zeros((6, 3, 4), dtype=np.int64)
    labels[:3, 1, 1] = labels[3:, 1, 2] = 1
    labels[2, 1, 2] = 1
    labels[5, 1, 1] = 1
    found = percolate(block(labels), toy, boundary="periodic", axis="all")
    assert found.percolates == {"x": True, "y": False, "z": False}
    labels[5] = 0
    found = percolate(block(labels), toy, boundary="periodic", axis="all")
    assert not any(found.percolates.values())
    assert found.sigma_eff_graph_S_per_m == {"x": 0.0, "y": 0.0, "z": 0.0}


def test_periodic_block_conducts_like_one_contact_with_itself(toy: Materials) -> None:
    graph = build_contact_graph(network_of(toy, np.ones((4, 6, 5), dtype=np.int64)), periodic=True)
    assert (graph.n_nodes, graph.n_edges) == (1, 3)
    assert graph_conductivity(graph, 0).sigma_eff_S_per_m == pytest.approx(2.0, rel=1e-6)


def test_periodic_grain_cut_by_the_boundary_is_one_piece(toy: Materials) -> None:
    labels = np.ones((8, 4, 4), dtype=np.int64)
    grains = np.ones_like(labels)
    grains[2:6] = 2
    graph = build_contact_graph(network_of(toy, labels, grains), periodic=True)
    assert graph.n_nodes == 2
    assert graph.voxels.tolist() == [64, 64]
    between = graph.edges[:, 0] != graph.edges[:, 1]
    assert graph.offset[between].tolist() == [[-1, 0, 0], [0, 0, 0]]
    assert graph.centroid_m[:, 0] == pytest.approx([0.0, 4 * H], abs=1e-18)
    cut = build_contact_graph(network_of(toy, labels, grains))
    assert cut.voxels.tolist() == [32, 64, 32]


def test_two_grain_laminate_with_an_interface(toy: Materials) -> None:
    labels = np.ones((6, 5, 7), dtype=np.int64)
    labels[2:] = 2
    graph = build_contact_graph(network_of(toy, labels))
    area, length = 35 * H**2, 6 * H
    assert graph.interface.tolist() == ["A|B"]
    assert graph.area_m2[0] == pytest.approx(area)
    assert graph.interface_resistance_ohm[0] == pytest.approx(1e-6 / area)
    resistance = (2 * H / 2.0 + 4 * H / 0.5 + 1e-6) / area
    found = graph_conductivity(graph, 0)
    assert found.sigma_eff_S_per_m == pytest.approx(length / area / resistance, rel=1e-12)
    assert found.current_A[0] == pytest.approx(1 / resistance, rel=1e-12)
    assert found.load(graph)[0] == pytest.approx(1.0)
    assert found.potential_V == pytest.approx([1 - H / 2.0 / area / resistance, 2 * H / 0.5 / area / resistance])
    assert found.heat_by_interface(graph)["A|B"] == pytest.approx((H / 2.0 + 2 * H / 0.5 + 1e-6) / area / resistance)


def test_eight_grains_meet_in_twelve_contacts(toy: Materials) -> None:
    shape = (5, 7, 9)
    octant = np.indices(shape) >= np.array([2, 3, 4])[:, None, None, None]
    grains = 1 + octant[0] * 4 + octant[1] * 2 + octant[2] * 1
    graph = build_contact_graph(network_of(toy, np.ones(shape, dtype=np.int64), grains))
    names = graph.grain[graph.edges] - 1
    assert graph.n_nodes == 8
    assert {tuple(sorted(pair)) for pair in names.tolist()} == {
        (a, a ^ bit) for a in range(8) for bit in (1, 2, 4) if a < (a ^ bit)
    }
    assert int(graph.faces.sum()) == 7 * 9 + 5 * 9 + 5 * 7
    assert int(graph.voxels.sum()) == 5 * 7 * 9
    first = int(np.flatnonzero(graph.grain == 1)[0])
    assert graph.centroid_m[first] == pytest.approx(np.array([1.0, 1.5, 2.0]) * H)
    for axis, area in enumerate((63, 45, 35)):
        for plate in graph.plates[axis]:
            assert plate.area_m2.sum() == pytest.approx(area * H**2)
            assert len(plate.node) == 4


def test_networkx_attributes(toy: Materials) -> None:
    labels = np.ones((4, 3, 3), dtype=np.int64)
    labels[2:] = 2
    graph = build_contact_graph(network_of(toy, labels)).to_networkx()
    assert graph.nodes[1]["phase"] == "B"
    assert set(graph.nodes[0]) == {"phase", "grain", "volume_m3", "voxels", "centroid_m", "radius_m", "surface_m2"}
    assert graph.nodes[0]["surface_m2"] == pytest.approx(9 * H**2)
    edge = graph.edges[0, 1]
    assert edge["interface"] == "A|B"
    assert edge["faces"] == 9
    assert edge["point_contact"] is False
    assert set(edge) == {
        "faces", "area_m2", "radius_m", "interface", "point_contact", "interface_resistance_ohm", "conductance_S",
        "conductance_ion_S",
    }  # fmt: skip


def test_point_contact_keeps_its_true_area(toy: Materials) -> None:
    labels = np.ones((16, 14, 14), dtype=np.int64)
    grains = np.ones_like(labels)
    grains[8:] = 2
    radius = 1.4 * H
    contacts = PointContacts(
        grains=np.array([[1, 2]], dtype=np.int32),
        point=np.array([[8.0, 7.0, 7.0]]) * H,
        normal=np.array([[1.0, 0.0, 0.0]]),
        radius=np.array([radius]),
        gap=np.array([0.0]),
    )
    graph = build_contact_graph(build_network(block(labels, grains).with_(contacts=contacts), toy))
    assert graph.n_edges == 1
    assert graph.point_contact[0]
    assert graph.radius_m[0] == pytest.approx(radius, rel=1e-12)
    assert graph.interface_resistance_ohm[0] == pytest.approx(3e-7 / (np.pi * radius**2), rel=1e-12)
    assert graph.conductance_S[0] == pytest.approx(1 / (2 / (4 * 2.0 * radius) + 3e-7 / (np.pi * radius**2)), rel=1e-12)


def test_film_does_not_join_the_grains_it_runs_past(toy: Materials) -> None:
    """A film on A|pore reaches into the B voxels beside it; A and B stay two pieces all the same."""
    labels = np.zeros((12, 10, 10), dtype=np.int64)
    labels[:6, :6], labels[6:, :6] = 1, 2
    graph = build_contact_graph(build_network(block(labels), toy, carrier="electron"))
    assert graph.n_nodes == 2
    assert graph.interface.tolist() == ["A|B"]
    assert len(graph.films) == 1
    assert set(graph.touches.part[:, 0].tolist()) == {-1, 0}
    assert set(graph.touches.part[:, 1].tolist()) == {-1}
    assert graph.touches.share.sum() == pytest.approx(1.0)


def test_film_patches_that_do_not_meet_are_told_apart(toy: Materials) -> None:
    labels = np.ones((28, 12, 12), dtype=np.int64)
    labels[:, 8:] = 0
    whole = build_network(block(labels), toy, carrier="electron")
    labels = labels.copy()
    labels[8:20, 8:] = 2
    parted = build_network(block(labels), toy, carrier="electron")
    graphs = [build_contact_graph(network) for network in (whole, parted)]
    sigma = [graph_conductivity(graph, 0).sigma_eff_S_per_m for graph in graphs]
    assert [len(graph.films) for graph in graphs] == [1, 2]
    assert sigma[0] > 0.1
    assert 0.0 < sigma[1] < 1e-4


def test_json_and_table(toy: Materials) -> None:
    labels = np.ones((4, 5, 6), dtype=np.int64)
    labels[2:] = 2
    for axis in ("y", "all"):
        found = percolate(block(labels), toy, axis=axis)
        plain = json.loads(json.dumps(found.to_dict()))
        assert {"percolates", "percolating_fraction", "clusters", "sigma_eff_graph_S_per_m"} <= set(plain)
        assert {"critical_barrier_eV", "isolated_fraction", "seconds"} <= set(plain)
        assert plain["neighbourhood"] == "6 faces"
        assert (plain["grains"], plain["contacts"], plain["outcome"]) == (2, 1, "converged")
        assert 1 <= len(plain["story"]) <= 10
        assert "<table>" in found._repr_html_()
        assert "graph=" not in repr(found)
        assert found.graph.n_nodes == 2
    assert percolate(block(labels), toy, axis="y").percolates is True


def test_given_network_is_used(toy: Materials) -> None:
    structure = block(column())
    network = build_network(structure, toy, temperature_C=25.0)
    assert percolate(network).temperature_C == 25.0
    assert (
        percolate(network).to_dict()["sigma_eff_graph_S_per_m"]
        == percolate(structure, toy, temperature_C=25.0).currents["x"].sigma_eff_S_per_m
    )


@pytest.mark.parametrize("options", [{"axis": "w"}, {"boundary": "open"}, {"carrier": "hole"}, {"temperature_C": -300.0}])
def test_bad_options_are_refused(toy: Materials, options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        percolate(block(column()), toy, **options)  # type: ignore[arg-type]
