"""Pictures look as the stored ones do. `pytest tests/viz --update` stores anew; look at what git says has changed.

Pictures are compared by structural similarity (Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 13, 600, 2004) where
either shows anything but paper, colour by colour; paper alone would hide a small change.
Shades that differ by one of 255 stay above the threshold, a phase, a colour, or a word of a key that changed does not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from skimage.metrics import structural_similarity
from test_plots import arrhenius_table, estimator_table
from test_structure_pictures import NAMES, grains_and_pores
from test_study_plots import map_table, spectrum
from test_waterfall_plot import waterfall_table

import viz
from kmc.network import build_network
from kmc.percolation import build_contact_graph, graph_conductivity
from microstructures.structure import VoxelStructure
from viz.scenes.graph_scene import render_graph

STORED = Path(__file__).parent / "pictures"
THRESHOLD = 0.98
"""Least structural similarity of what is drawn; two runs on one machine give 1."""
DPI = 60
SIZE = (440, 360)
PAPER = 245
"""Pixels are paper from this on, in all colours."""
Picture = NDArray[np.uint8]


def _falling(structure: VoxelStructure) -> NDArray[np.float64]:
    return np.broadcast_to(np.linspace(1.0, 0.01, structure.shape[0])[:, None, None], structure.shape).copy()


def _graph(path: Path) -> None:
    structure = grains_and_pores((20, 20, 20), shell=True)
    graph = build_contact_graph(build_network(structure))
    render_graph(graph, graph_conductivity(graph, 0), png=path, size=SIZE)


def _plot(figure: Any, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=DPI)


FIRED, COLD = grains_and_pores(shell=True), grains_and_pores(seed=1)
SENSITIVITIES = pd.DataFrame({"kind": ["phase", "interface"], "name": ["LATP", "LATP|LFP"], "sensitivity": [0.2, 0.8]})
DRAWN: dict[str, Callable[[Path], Any]] = {
    "phases": lambda path: viz.render(FIRED, png=path, size=SIZE),
    "grains": lambda path: viz.render(FIRED, png=path, size=SIZE, field="grain"),
    "potential": lambda path: viz.render(FIRED, png=path, size=SIZE, field="potential", potential=_falling(FIRED)),
    "current": lambda path: viz.render(FIRED, png=path, size=SIZE, field="current", current=_falling(FIRED)),
    "pair": lambda path: viz.render_pair(COLD, FIRED, png=path, size=(600, 340)),
    "contact-graph": _graph,
    "arrhenius": lambda path: _plot(viz.arrhenius(arrhenius_table()), path),
    "estimators": lambda path: _plot(viz.estimators(estimator_table()), path),
    "waterfall": lambda path: _plot(viz.waterfall(waterfall_table()), path),
    "distributions": lambda path: _plot(
        viz.distributions(viz.tabulate_grains({"cold-pressed": COLD, "co-fired": FIRED})), path
    ),
    "map": lambda path: _plot(
        viz.parameter_map(
            map_table([0.0, 0.1, 0.2, 0.5, 0.75, 1.0]), x="LFP_mass_fraction", y="radius_nm", value="percolating_fraction"
        ),
        path,
    ),
    "sensitivities": lambda path: _plot(viz.sensitivities(SENSITIVITIES), path),
    "nyquist": lambda path: _plot(viz.nyquist(spectrum()), path),
}


def pixels(path: Path) -> Picture:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def similarity(one: Picture, other: Picture) -> float:
    """Return the mean structural similarity, of the least alike colour, over what is not paper in both pictures.

    0 for pictures of other sizes.
    """
    if one.shape != other.shape:
        return 0.0
    _, local = structural_similarity(
        one, other, channel_axis=2, full=True, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    drawn = np.minimum(one, other).min(axis=2) < PAPER
    return float(local.min(axis=2)[drawn].mean()) if drawn.any() else 1.0


@pytest.mark.parametrize("name", DRAWN)
def test_pictures_look_as_stored(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    DRAWN[name](tmp_path / "now.png")
    stored = STORED / f"{name}.png"
    if pytestconfig.getoption("--update"):
        stored.parent.mkdir(exist_ok=True)
        with Image.open(tmp_path / "now.png") as picture:
            picture.convert("RGB").save(stored, optimize=True)
        pytest.skip(f"{stored.name} was written; look at it, and at what git says has changed")
    found = similarity(pixels(tmp_path / "now.png"), pixels(stored))
    assert found >= THRESHOLD, f"{name}: similarity {found:.4f}; if the change is meant, run pytest tests/viz --update"


def test_nothing_is_stored_that_is_not_drawn() -> None:
    assert {path.stem for path in STORED.glob("*.png")} == set(DRAWN)
    assert sum(path.stat().st_size for path in STORED.glob("*.png")) < 500_000


# ---------------------------------------------------------------------------------------- does the threshold notice?


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    path = tmp_path_factory.mktemp("unchanged") / "phases.png"
    DRAWN["phases"](path)
    return pixels(path)


def _phases(structure: VoxelStructure, path: Path, **options: Any) -> Picture:
    return pixels(viz.render(structure, png=path, size=SIZE, **options))


def test_another_run_gives_the_same_picture(unchanged: Picture, tmp_path: Path) -> None:
    assert similarity(unchanged, _phases(FIRED, tmp_path / "again.png")) == pytest.approx(1.0)


def test_threshold_lets_pass_what_no_eye_sees(unchanged: Picture) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, unchanged.shape)
    shaken = np.clip(unchanged.astype(int) + np.where(unchanged < 255, noise, 0), 0, 255).astype(np.uint8)
    assert 1.0 > similarity(unchanged, shaken) >= THRESHOLD


def test_threshold_notices_swapped_colours(unchanged: Picture, tmp_path: Path) -> None:
    swapped = FIRED.with_(phases={**NAMES, 1: "LATP", 2: "LFP"})
    assert similarity(unchanged, _phases(swapped, tmp_path / "s.png", title=FIRED.process)) < THRESHOLD


def test_threshold_notices_a_missing_phase(unchanged: Picture, tmp_path: Path) -> None:
    labels = np.where(FIRED.labels == 3, 2, FIRED.labels)
    assert similarity(unchanged, _phases(FIRED.with_(labels=labels), tmp_path / "m.png")) < THRESHOLD


def test_threshold_notices_a_blurred_picture(unchanged: Picture) -> None:
    blurred = np.asarray(Image.fromarray(unchanged).filter(ImageFilter.GaussianBlur(0.7)))
    assert similarity(unchanged, blurred) < THRESHOLD


@pytest.mark.parametrize("change", ["moved", "gone", "renamed"])
def test_threshold_notices_a_key_that_changed(change: str, tmp_path: Path) -> None:
    DRAWN["arrhenius"](tmp_path / "before.png")
    figure = viz.arrhenius(arrhenius_table())
    key = figure.axes[0].get_legend()
    if change == "moved":
        key.set_bbox_to_anchor((0.62, -0.17), figure.axes[0].transAxes)
        key.set_in_layout(False)
    elif change == "gone":
        key.set_visible(False)
    else:
        key.get_texts()[0].set_text("cold pressing: $E_a$ = 0.34 eV (ln σ)")
    _plot(figure, tmp_path / "after.png")
    assert similarity(pixels(tmp_path / "before.png"), pixels(tmp_path / "after.png")) < THRESHOLD


def test_pictures_of_other_sizes_are_not_alike(unchanged: Picture) -> None:
    assert similarity(unchanged, unchanged[:-1]) == 0.0
