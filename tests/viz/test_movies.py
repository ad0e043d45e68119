"""Moving pictures: as many frames as asked for, in colours that hold, the same bytes for the same frames."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viz
from kmc.hopping.trajectories import record_trajectories
from kmc.network import build_network
from microstructures.errors import InputError, MissingExtraError
from microstructures.pressing.press import press_powders
from microstructures.recipe import Recipe, parse_recipe
from microstructures.structure import VoxelStructure
from viz.movies.movie import check_movie, find_ffmpeg
from viz.movies.pair_choice import choose_pair
from viz.movies.pair_stages import firing_stages
from viz.palette import PHASES, rgb

SMALL = {"size_um": 2.0, "voxel_nm": 50.0}
HAS_FFMPEG = importlib.util.find_spec("imageio_ffmpeg") is not None


def share_near(picture: np.ndarray, colour: str, distance: float = 50.0) -> float:
    return float((np.abs(picture.astype(float) - rgb(colour) * 255.0).max(axis=-1) < distance).mean())


def moving_square(count: int = 7) -> list[np.ndarray]:
    frames = np.full((count, 40, 60, 3), 255, dtype=np.uint8)
    for k, frame in enumerate(frames):
        frame[10:20, 5 * k : 5 * k + 10] = (0, 114, 178)
        frame[30:32, 3 + k : 5 + k] = (200, 30, 60)
    return list(frames)


def read_gif(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        found = []
        for k in range(film.n_frames):
            film.seek(k)
            found.append(np.asarray(film.convert("RGB")))
        return found


@pytest.fixture(scope="module")
def firing_frames() -> list[np.ndarray]:
    return viz.draw_firing(**SMALL, frames=12, size=(320, 300))


@pytest.fixture(scope="module")
def two_phases() -> VoxelStructure:
    labels = np.full((12, 12, 12), 2)
    labels[:, :6] = 1
    return VoxelStructure.from_labels(labels, voxel_nm=50, phases={1: "LFP", 2: "LATP"}, periodic=True)


@pytest.fixture(scope="module")
def hops_frames(two_phases: VoxelStructure) -> list[np.ndarray]:
    network = build_network(two_phases, carrier="ion")
    found = record_trajectories(network, walkers=8, chosen=8, time_s=2e-3, samples=30)
    return viz.draw_hops(two_phases, found, count=3, frames=6, size=(320, 300))


# ---------------------------------------------------------------------------------------- files


def test_a_gif_holds_every_frame_in_its_colours(tmp_path: Path) -> None:
    frames = [*moving_square(), moving_square()[-1]]
    path = viz.write_movie(tmp_path / "square.gif", frames, frames_per_s=10.0)
    found = read_gif(path)
    assert len(found) == len(frames)
    for seen, drawn in zip(found, frames, strict=True):
        np.testing.assert_array_equal(seen, drawn)
    with Image.open(path) as film:
        assert film.info["loop"] == 0
        assert film.info["duration"] == 100


def test_the_same_frames_give_the_same_bytes(tmp_path: Path, firing_frames: list[np.ndarray]) -> None:
    paths = [viz.write_movie(tmp_path / f"{k}.gif", firing_frames) for k in range(2)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_small_coloured_things_keep_their_colour_in_a_gif(tmp_path: Path, hops_frames: list[np.ndarray]) -> None:
    for seen, drawn in zip(read_gif(viz.write_movie(tmp_path / "h.gif", hops_frames)), hops_frames, strict=True):
        wrong = np.abs(seen.astype(int) - drawn).max(axis=-1)
        assert wrong.mean() < 1.5
        assert (wrong > 60).mean() < 4e-3
        assert (seen[0, 0] == 255).all()
        assert share_near(seen[260:], PHASES["LFP"], 6.0) > 1e-3


@pytest.mark.skipif(not HAS_FFMPEG, reason="imageio-ffmpeg is not installed: pip install 'cofire[movies]'")
def test_an_mp4_can_be_read_back(tmp_path: Path) -> None:
    frames = [np.kron(frame, np.ones((4, 4, 1), np.uint8)) for frame in moving_square()]
    path = viz.write_movie(tmp_path / "square.mp4", frames, frames_per_s=7.0, hold_s=0.0)
    words = (find_ffmpeg(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    found = np.frombuffer(subprocess.run(words, capture_output=True, check=True).stdout, np.uint8).reshape(-1, 160, 240, 3)
    assert len(found) == len(frames)
    assert np.abs(found[3].astype(int) - frames[3]).mean() < 6.0


def test_without_ffmpeg_an_mp4_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(MissingExtraError, match=r"use \.gif or pip install 'cofire\[movies\]'"):
        viz.write_movie(tmp_path / "x.mp4", moving_square())
    assert not list(tmp_path.iterdir())


def test_bad_movies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in '\.avi'; allowed: \.gif, \.mp4"):
        check_movie("film.avi")
    with pytest.raises(InputError, match=r"one \(height, width, 3\) for all"):
        viz.write_movie(tmp_path / "x.gif", [*moving_square(), np.zeros((2, 2, 3), np.uint8)])
    with pytest.raises(InputError, match="0 frames"):
        viz.write_movie(tmp_path / "x.gif", [])
    with pytest.raises(InputError, match="frames_per_s is 0"):
        viz.write_movie(tmp_path / "x.gif", moving_square(), frames_per_s=0.0)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------- firing


def test_a_firing_has_its_frames_and_its_colours(firing_frames: list[np.ndarray]) -> None:
    assert len(firing_frames) == 12
    assert {frame.shape for frame in firing_frames} == {(300, 320, 3)}
    first, last = (frame[45:260] for frame in (firing_frames[0], firing_frames[-1]))
    assert share_near(first, PHASES["LFP"]) > 0.01
    assert share_near(first, PHASES["LATP"]) > 0.01
    assert share_near(first, PHASES["LFTAP"]) < 1e-4
    assert share_near(last, PHASES["LFTAP"]) > 0.001


def test_pictures_of_a_firing_differ_while_something_happens(firing_frames: list[np.ndarray]) -> None:
    same = [np.array_equal(a, b) for a, b in pairwise(firing_frames)]
    assert sum(same) == 1  # the pressed body stands still for two pictures


def test_every_body_of_a_firing_is_that_of_its_recipe() -> None:
    green = press_powders(size_um=SMALL["size_um"], seed=1)
    pair = choose_pair(green, SMALL["voxel_nm"])
    assert pair.basis @ pair.basis.T == pytest.approx(np.eye(3), abs=1e-12)
    stages = list(firing_stages(green, pair, SMALL["voxel_nm"], 12))
    density = [np.count_nonzero(stage.structure.labels) / stage.structure.labels.size for stage in stages]
    assert density[0] == pytest.approx(0.45, abs=0.03)
    assert density[-1] == pytest.approx(0.90, abs=1e-4)
    assert "density 45 %" in stages[0].numbers
    assert "contact radius" in next(stage.numbers for stage in stages if stage.name == "pressed")
    assert "2.00 h at 775 °C" in stages[-1].numbers
    label = green.particles.label
    for stage in stages:
        if stage.structure.process == "co-fired":
            assert stage.grains == tuple(stage.structure.particles.grain[[pair.donor, pair.host]])
    assert (label[pair.donor], label[pair.host]) == (1, 2)


def test_a_recipe_without_interphase_ends_with_grown_grains() -> None:
    recipe = Recipe()
    plain = recipe.model_copy(update={"fire": recipe.fire.model_copy(update={"interphase": None})})
    green = press_powders(size_um=SMALL["size_um"], recipe=plain, seed=1)
    stages = list(firing_stages(green, choose_pair(green, SMALL["voxel_nm"]), SMALL["voxel_nm"], 12))
    assert len(stages) == 12
    assert stages[-1].name == "fired: grains grow"


def test_bad_firings_are_refused() -> None:
    with pytest.raises(InputError, match="frames is 3; allowed: 10 to 1000"):
        viz.draw_firing(**SMALL, frames=3)
    with pytest.raises(InputError, match="size is 5 x 5 pixels"):
        viz.draw_firing(**SMALL, size=(5, 5))
    powder = {"label": 1, "density_g_per_cm3": 3.6, "mass_fraction": 1.0, "median_diameter_nm": 500.0}
    alone = parse_recipe({"powders": {"LFP": powder}}, "here")
    with pytest.raises(InputError, match="the recipe has 1 powder"):
        viz.draw_firing(**SMALL, recipe=alone)


# ---------------------------------------------------------------------------------------- hops


def test_hops_have_their_frames_and_move(hops_frames: list[np.ndarray]) -> None:
    assert len(hops_frames) == 6
    assert {frame.shape for frame in hops_frames} == {(300, 320, 3)}
    assert all(not np.array_equal(a, b) for a, b in pairwise(hops_frames))
    key = hops_frames[0][260:]
    assert share_near(key, PHASES["LFP"], 6.0) > 1e-3
    assert share_near(key, PHASES["LATP"], 6.0) > 1e-3


def test_a_carrier_that_crosses_the_boundary_leaves_no_streak(two_phases: VoxelStructure) -> None:
    network = build_network(two_phases, carrier="ion")
    found = record_trajectories(network, walkers=8, chosen=8, time_s=1e-9, samples=2)
    start = np.array([0.58e-6, 0.45e-6, 0.3e-6])
    position = np.broadcast_to(start, (1, 3, 3)).copy()
    position[0, 1:, 0] += 0.04e-6
    phase = np.full((1, 3), found.phase_names.index("LATP"), dtype=np.uint8)
    across = type(found)(np.array([0.0, 1e-6, 2e-6]), position, phase, found.phase_names, np.array([0]))
    frames = viz.draw_hops(two_phases, across, count=1, frames=3, size=(320, 300))
    changed = (np.abs(frames[1].astype(int) - frames[0]).max(axis=-1) > 40)[60:255]
    assert 0 < changed.sum() < 900  # both balls, and no line between them


def test_bad_hops_are_refused(two_phases: VoxelStructure) -> None:
    found = record_trajectories(build_network(two_phases, carrier="ion"), walkers=8, chosen=8, time_s=1e-7, samples=5)
    with pytest.raises(InputError, match="frames is 1; allowed: 2 to 1000"):
        viz.draw_hops(two_phases, found, frames=1)
    with pytest.raises(InputError, match="9 carriers are to be drawn"):
        viz.draw_hops(two_phases, found, count=9)
    with pytest.raises(InputError, match="size is 9 x 9"):
        viz.draw_hops(two_phases, found, size=(9, 9))
