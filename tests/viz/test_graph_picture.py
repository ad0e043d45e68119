"""The contact graph is drawn over its structure: phases, loads and plates in the picture, whatever the boundary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import materials, network, voronoi

from kmc.percolation import build_contact_graph, graph_conductivity
from microstructures.errors import InputError
from viz.palette import rgb
from viz.scenes.graph_scene import FAINT, STEPS, render_graph

KNOWN = materials({"A": 1.0, "B": 1e-6})


def picture_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


def share_near(picture: np.ndarray, colour: str, distance: float = 40.0) -> float:
    return float((np.abs(picture - rgb(colour) * 255.0).max(axis=-1) < distance).mean())


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_graph_over_structure(tmp_path: Path, boundary: str) -> None:
    labels, grains = voronoi(24, 16, seed=1)
    labels[:, :6, :6] = 0
    known = network(labels, KNOWN, grains=np.where(labels > 0, grains, 0), periodic=True)
    graph = build_contact_graph(known, periodic=boundary == "periodic")
    found = graph_conductivity(graph, 0)
    assert found.load(graph).max() > STEPS[0][0]
    file = render_graph(graph, found, png=tmp_path / "graph.png", size=(700, 560))
    picture = picture_of(file)
    assert picture.shape == (560, 700, 3)
    drawn = picture[80:420]
    assert share_near(drawn, STEPS[0][1]) > 0.001
    assert share_near(drawn, "#FFFFFF", 3.0) > 0.2


def test_without_current_all_contacts_are_faint(tmp_path: Path) -> None:
    labels, grains = voronoi(20, 12, seed=2)
    labels[10] = 0
    known = network(labels, KNOWN, grains=np.where(labels > 0, grains, 0))
    graph = build_contact_graph(known)
    picture = picture_of(render_graph(graph, graph_conductivity(graph, 0), png=tmp_path / "dead.png", size=(700, 560)))
    assert all(share_near(picture, colour, 12.0) < 2e-4 for _, colour, _ in STEPS)
    assert share_near(picture[440:], FAINT, 12.0) > 1e-4


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    empty = build_contact_graph(network(np.zeros((3, 3, 3)), KNOWN))
    with pytest.raises(InputError, match="nothing conducts"):
        render_graph(empty, graph_conductivity(empty, 0), png=tmp_path / "none.png")
    whole = build_contact_graph(network(np.ones((3, 3, 3)), KNOWN))
    with pytest.raises(InputError, match="pixels"):
        render_graph(whole, graph_conductivity(whole, 0), png=tmp_path / "none.png", size=(10, 500))
    assert render_graph(whole, graph_conductivity(whole, 0), png=tmp_path / "one.png", size=(300, 300)).exists()
