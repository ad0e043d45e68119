"""Fast phases, dead ends, utilisation, phase clusters, exports, maps and the story, on structures counted by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import networkx
import numpy as np
import pytest
from numpy.typing import NDArray
from support import materials, voronoi

from kmc.network import Network, build_network
from kmc.percolation import (
    build_contact_graph,
    fast_phases,
    fast_shares,
    find_phase_clusters,
    percolate,
    percolation_map,
    utilisation,
    write_graph,
)
from kmc.percolation.contacts.exports import to_networkx
from kmc.percolation.routes.paths import kinds_of_face
from kmc.percolation.scaling.percolation_map import wilson_interval
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.structure import VoxelStructure

VOXEL_NM = 50.0
H = VOXEL_NM * 1e-9
NAMES = {0: "pore", 1: "LFP", 2: "LATP"}


def block(labels: NDArray[np.integer], grains: NDArray[np.integer] | None = None, **options: bool) -> VoxelStructure:
    return VoxelStructure.from_labels(labels, voxel_nm=VOXEL_NM, phases=NAMES, grains=grains, **options)


def pair(structure: VoxelStructure) -> tuple[Network, Network]:
    ion = build_network(structure)
    return ion, build_network(ion.faces, ion.materials, carrier="electron")


def test_fast_phases_of_both_carriers() -> None:
    """Ions: LATP, not LFP. Electrons: LFP by its film, though its bulk conducts no better than LATP."""
    labels = np.ones((6, 4, 4), dtype=np.uint8)
    labels[3:] = 2
    ion, electron = pair(block(labels))
    names = np.array(ion.faces.phase_names)
    assert names[fast_phases(ion)].tolist() == ["LATP"]
    assert names[fast_phases(electron)].tolist() == ["LFP"]
    assert electron.phase_conductivity[0] < 2.0 * electron.phase_conductivity[1]
    assert names[fast_phases(ion, least_share=1e-9)].tolist() == ["LFP", "LATP"]
    with pytest.raises(InputError, match="least_share"):
        fast_phases(ion, least_share=0.0)


def test_shares_of_backbone_dead_ends_and_islands() -> None:
    """A column of 6, a twig of 2, an island of 2, and slow LFP all over the rest, which joins them but does not count."""
    labels = np.ones((6, 5, 3), dtype=np.uint8)
    labels[:, 1, 1] = labels[2, 2:4, 1] = labels[4:, 4, 0] = 2
    network = build_network(block(labels))
    found = fast_shares(network)
    assert found[0].phases == ("LATP",)
    assert (found[0].backbone, found[0].dead_ends, found[0].isolated) == (0.6, 0.2, 0.2)
    assert (found[1].backbone, found[1].dead_ends, found[1].isolated) == (0.0, 0.0, 1.0)
    told = percolate(network).to_dict()
    assert told["fast_network"] == {"phases": ["LATP"], "backbone": 0.6, "dead_ends": 0.2, "isolated": 0.2}
    assert told["percolating_fraction"] == {"LFP": 1.0, "LATP": 1.0}


def sandwich() -> tuple[VoxelStructure, NDArray[np.int64]]:
    """Return LATP below, four bars of LFP on it as grains 1 to 4, the third cut in the middle, the fourth lifted off."""
    labels = np.zeros((8, 8, 5), dtype=np.uint8)
    labels[:, :, :2] = 2
    grains = np.where(labels > 0, 9, 0)
    for number in range(4):
        bar = (slice(None), slice(2 * number, 2 * number + 1), slice(2, 4))
        labels[bar], grains[bar] = 1, number + 1
    labels[3:5, 4, 2:4] = grains[3:5, 4, 2:4] = 0
    labels[:, 6, 2] = grains[:, 6, 2] = 0
    labels[:, 6, 4], grains[:, 6, 4] = 1, 4
    return block(labels, grains), grains


def test_utilisation_counted_by_hand() -> None:
    """Ions reach bars 1 to 3 (on LATP), electrons 1, 2 and 4 (whole): 1 and 2 work, half of the volume less the gap's."""
    structure, grains = sandwich()
    ion, electron = pair(structure)
    found = utilisation(ion, electron)
    assert found is not None
    volume = [int((grains == n).sum()) for n in range(1, 5)]
    assert volume == [16, 16, 12, 16]
    assert found[0].active == "LFP"
    assert found[0].fraction == pytest.approx(32 / 60)
    assert found[0].ion_fraction == pytest.approx(44 / 60)
    assert found[0].electron_fraction == pytest.approx(48 / 60)
    assert (found[0].grains, found[0].grains_used) == (4, 2)
    surface = (16 + 16) + (32 + 16) + (24 + 12 + 4) + (32 + 8)  # of each bar: sides, top and bottom, the gap's ends
    assert found[0].surface_fraction == pytest.approx(16 / surface)
    assert found[0].surface_per_volume_per_m == pytest.approx(16 / (60 * H))
    assert found[1].electron_fraction == 0.0
    assert utilisation(ion, electron, active="LATP") is not None
    with pytest.raises(InputError, match="LFX"):
        utilisation(ion, electron, active="LFX")
    with pytest.raises(InputError, match="in this order"):
        utilisation(electron, ion)


def test_utilisation_through_point_contacts_counts_their_true_area() -> None:
    """A grain of LFP pressed on LATP: only the listed contact lets ions in, through pi a^2."""
    labels = np.ones((12, 12, 12), dtype=np.uint8)
    labels[:, :, 6:] = 2
    radius = 0.6 * H
    contacts = PointContacts(
        grains=np.array([[1, 2]], dtype=np.int32),
        point=np.array([[6.0, 6.0, 6.0]]) * H,
        normal=np.array([[0.0, 0.0, 1.0]]),
        radius=np.array([radius]),
        gap=np.array([0.0]),
    )
    structure = block(labels, labels.astype(np.int32)).with_(contacts=contacts)
    ion, electron = pair(structure)
    found = utilisation(ion, electron, active="LFP")
    assert found is not None
    assert found[0].fraction == 1.0
    assert found[0].surface_fraction == pytest.approx(np.pi * radius**2 / (144 * H**2))


def test_without_active_material_there_is_no_utilisation() -> None:
    found = percolate(block(np.full((4, 4, 4), 2)))
    assert found.explanation.utilisation is None
    assert found.to_dict()["utilisation"] is None


def test_clusters_of_sets_of_phases() -> None:
    labels = np.zeros((4, 4, 4), dtype=np.uint8)
    labels[:2, 1, 1], labels[2:, 1, 1], labels[0, 3, 3] = 1, 2, 2
    structure = block(labels)
    assert find_phase_clusters(structure, "LFP").percolating_fraction == {"x": 0.0, "y": 0.0, "z": 0.0}
    both = find_phase_clusters(structure, ["LFP", "LATP"])
    assert both.percolating_fraction["x"] == pytest.approx(4 / 5)
    assert both.isolated_volume_m3["x"] == pytest.approx(H**3)
    assert both.volume_m3 == pytest.approx(5 * H**3)
    assert both.clusters.count == 2
    diagonal = block(np.where(np.arange(4)[:, None, None] == np.arange(4)[None, :, None], 1, 0) * np.ones((1, 1, 2), int))
    assert find_phase_clusters(diagonal, "LFP").clusters.count == 4
    assert find_phase_clusters(diagonal, "LFP", neighbours=18).percolating_fraction["x"] == 1.0
    shifted = block(np.roll(labels, 1, axis=0))
    assert find_phase_clusters(shifted, ["LFP", "LATP"], periodic=True).percolating_fraction["x"] == pytest.approx(4 / 5)
    for wrong in (
        {"phases": "LFTAP"},
        {"phases": "LFP", "neighbours": 8},
        {"phases": "LFP", "neighbours": 26, "periodic": True},
    ):
        with pytest.raises(InputError):
            find_phase_clusters(structure, **wrong)  # type: ignore[arg-type]


def two_carriers(*, periodic: bool = False) -> tuple[Network, Network]:
    labels, grains = voronoi(20, 12, seed=2)
    return pair(block(labels, grains, periodic=periodic))


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_exports_hold_the_graph(tmp_path: Path, suffix: str, periodic: bool) -> None:
    ion, electron = (build_contact_graph(network, periodic=periodic) for network in two_carriers(periodic=periodic))
    file = write_graph(ion, tmp_path / f"graph{suffix}", electron)
    if suffix == ".json":
        plain = json.loads(file.read_text(encoding="utf-8"))
        read = networkx.node_link_graph(plain, edges="edges")
        assert read.nodes[0]["centroid_m"] == pytest.approx(ion.centroid_m[0])
    else:
        read = networkx.read_graphml(file, node_type=int)
        assert [read.nodes[0][key] for key in ("x_m", "y_m", "z_m")] == pytest.approx(ion.centroid_m[0])
    assert (read.number_of_nodes(), read.number_of_edges()) == (ion.n_nodes, ion.n_edges)
    assert read.is_multigraph() == periodic
    assert read.nodes[0]["phase"] in ("LFP", "LATP")
    total = sum(data["conductance_ion_S"] for _, _, data in read.edges(data=True))
    assert total == pytest.approx(ion.conductance_S.sum())
    total = sum(data["conductance_electron_S"] for _, _, data in read.edges(data=True))
    assert total == pytest.approx(electron.conductance_S.sum())


def test_exports_refuse_what_does_not_fit(tmp_path: Path) -> None:
    ion, electron = two_carriers()
    graph = build_contact_graph(ion)
    with pytest.raises(InputError, match="allowed"):
        write_graph(graph, tmp_path / "graph.csv")
    with pytest.raises(InputError, match="other carrier"):
        to_networkx(graph, graph)
    with pytest.raises(InputError, match="boundary"):
        to_networkx(graph, build_contact_graph(electron, periodic=True))


def test_surfaces_of_grains() -> None:
    """A grain of 2 x 2 x 2 in the middle has 24 faces; a layer at a plate has none on the plate."""
    labels = np.ones((6, 6, 6), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = 2
    graph = build_contact_graph(build_network(block(labels)))
    assert graph.surface_m2 == pytest.approx([24 * H**2, 24 * H**2])


def random_sites(share: float, seed: int) -> VoxelStructure:
    rng = np.random.default_rng([seed, 7])
    return block(np.where(rng.random((16, 16, 16)) < share, 2, 0))


def test_percolation_map_counts_with_binomial_errors() -> None:
    found = percolation_map(random_sites, {"share": [0.1, 0.33, 0.7]}, phase="LATP", replicas=20)
    assert found["spanning_share"].tolist()[::2] == [0.0, 1.0]
    middle = found.iloc[1]
    expected = np.mean([find_phase_clusters(random_sites(0.33, seed), "LATP").clusters.percolates(0) for seed in range(1, 21)])
    assert middle["spanning_share"] == expected
    assert 0.0 < expected < 1.0
    assert middle["spanning_share_stderr"] == pytest.approx(np.sqrt(expected * (1 - expected) / 20))
    assert middle["spanning_low"] < expected < middle["spanning_high"]
    assert found["spanning_high"][0] > 0.0
    assert found["percolating_fraction"].is_monotonic_increasing
    assert found["volume_fraction"].tolist() == pytest.approx([0.1, 0.33, 0.7], abs=0.02)
    by_carrier = percolation_map(random_sites, {"share": [0.33]}, phase="LATP", replicas=20, carrier="ion")
    assert by_carrier["spanning_share"][0] == expected
    assert np.isnan(percolation_map(random_sites, {"share": [0.5]}, phase="LATP", replicas=1)["percolating_fraction_stderr"][0])


@pytest.mark.parametrize("wrong", [{"grid": {}}, {"grid": {"share": []}}, {"replicas": 0}, {"axis": "all"}])
def test_percolation_map_refuses(wrong: dict[str, object]) -> None:
    options = {"grid": {"share": [0.5]}, "phase": "LATP", **wrong}
    with pytest.raises(InputError):
        percolation_map(random_sites, **options)  # type: ignore[arg-type]


def test_wilson_interval_covers_as_often_as_it_says() -> None:
    """Of shares drawn at p = 0.3, 95 % of the intervals hold p; they never leave [0, 1]."""
    drawn = np.random.default_rng(1).binomial(25, 0.3, 2000)
    ends = np.array([wilson_interval(int(k), 25) for k in drawn])
    assert ((ends[:, 0] <= 0.3) & (ends[:, 1] >= 0.3)).mean() == pytest.approx(0.95, abs=0.025)
    assert wilson_interval(25, 25)[1] == 1.0


@pytest.mark.parametrize("carrier", ["ion", "electron"])
@pytest.mark.parametrize(("axis", "boundary"), [("x", "plates"), ("all", "plates"), ("y", "periodic")])
def test_story_is_ten_sentences_at_most(carrier: str, axis: str, boundary: str) -> None:
    network = dict(zip(("ion", "electron"), two_carriers(periodic=True), strict=True))[carrier]
    found = percolate(network, axis=axis, boundary=boundary)
    assert 6 <= len(found.story) <= 10
    whole = " ".join(found.story)
    assert "Utilisation" in whole
    assert "dead ends" in whole
    assert "most loaded" in whole
    assert ("weakest section" in whole) == (boundary == "plates")
    assert all(sentence.endswith(".") and "  " not in sentence for sentence in found.story)
    plain = json.dumps(found.to_dict(), allow_nan=False)
    for key in ("critical_path", "fastest_path", "path_tortuosity", "bottlenecks", "utilisation", "fast_network"):
        assert f'"{key}"' in plain


def test_barrier_below_zero_is_put_in_words() -> None:
    """A film that conducts better than any hop: no barrier, and the sentence says why the number is negative."""
    labels = np.zeros((8, 6, 6), dtype=np.uint8)
    labels[:, 1:5, 1:5] = 1
    found = percolate(block(labels), carrier="electron")
    assert found.critical_barrier_eV is not None
    assert found.critical_barrier_eV < 0.0  # type: ignore[operator]
    sentence = next(line for line in found.story if "barrier" in line)
    assert sentence.startswith("No barrier limits")
    assert "film on LFP" in sentence


def test_story_names_grains_that_must_not_be_lost() -> None:
    """Three grains of LATP in a row: each is needed, and both contacts; across the row LATP joins nothing, LFP does."""
    labels = np.ones((9, 5, 5), dtype=np.uint8)
    labels[:, 1:4, 1:4] = 2
    grains = np.where(labels == 2, np.repeat([1, 2, 3], 3)[:, None, None], 4 + np.arange(5)[None, :, None] // 3)
    network = build_network(block(labels, grains))
    assert "the loss of any one of 3 grains or of 2 contacts would part" in " ".join(percolate(network).story)
    assert "the fast conductors join no electrodes" in " ".join(percolate(network, axis="y").story)


def test_kinds_of_faces_are_told_apart() -> None:
    labels = np.ones((4, 4, 4), dtype=np.uint8)
    labels[2:] = 2
    known = materials({"A": 1.0, "B": 1.0}, resistance={"A|B": 1e-7})
    network = build_network(
        VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 1: "A", 2: "B"}), known, temperature_C=60.0
    )
    assert {"inside A", "inside B", "A|B interface"} <= set(kinds_of_face(network))


def test_numbers_do_not_depend_on_the_threads(threads: Callable[[int], None]) -> None:
    """Everything but the seconds is equal bit by bit."""
    labels, grains = voronoi(24, 14, seed=5)
    labels = np.where(np.random.default_rng(1).random(labels.shape) < 0.2, 0, labels)
    structure = block(labels, np.where(labels > 0, grains, 0), periodic=True)
    told = []
    for count in (1, 2):
        threads(count)
        told.append([percolate(structure, carrier=carrier, axis="all").to_dict() for carrier in ("ion", "electron")])
        for one in told[-1]:
            del one["seconds"]
    assert told[0] == told[1]
