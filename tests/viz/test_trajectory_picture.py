"""Ways of carriers: folded exactly, drawn through the clear structure, broken where they leave the box."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import viz
from kmc.hopping.trajectories import Trajectories, record_trajectories
from kmc.network import build_network
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.palette import rgb
from viz.scenes.trajectory_scene import TIMES, WALKERS, farthest, seconds
from viz.scenes.ways import fold, fold_points

BOX = np.array([1.0, 2.0, 3.0])


def length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def straight(ends_um: list[tuple[float, float, float]], *, samples: int = 40) -> Trajectories:
    """Return ways that run straight from the middle of a block of 1 um to the given ends."""
    ends = np.array(ends_um) * 1e-6
    share = np.linspace(0.0, 1.0, samples + 1)[None, :, None]
    position = 0.51e-6 + share * (ends[:, None] - 0.51e-6)
    count = len(ends)
    phase = np.zeros((count, samples + 1), dtype=np.uint8)
    return Trajectories(np.linspace(0.0, 2e-6, samples + 1), position, phase, ("LATP",), np.arange(count))


def block() -> VoxelStructure:
    return VoxelStructure.from_labels(np.full((10, 10, 10), 2), voxel_nm=100, phases={2: "LATP"}, periodic=True)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(float)


def share_near(picture: np.ndarray, colour: str, distance: float = 45.0) -> float:
    return float((np.abs(picture - rgb(colour) * 255.0).max(axis=-1) < distance).mean())


# ---------------------------------------------------------------------------------------- folding


def test_a_straight_walk_across_the_boundary_gives_two_pieces_of_the_same_length() -> None:
    way = np.array([[0.5, 0.5, 0.5], [1.3, 0.9, 0.1]])
    first, second = fold(way, BOX)
    assert length(first.points) + length(second.points) == pytest.approx(length(way), rel=1e-12)
    assert first.points[-1] == pytest.approx([1.0, 0.75, 0.25])
    assert second.points[0] == pytest.approx([0.0, 0.75, 0.25])
    assert first.sample[-1] == second.sample[0] == pytest.approx(0.625)


@pytest.mark.parametrize("mirrored", [False, True])
def test_random_walks_keep_their_length_and_stay_inside(mirrored: bool) -> None:
    way = np.cumsum(np.random.default_rng(3).normal(scale=0.7, size=(200, 3)), axis=0)
    pieces = fold(way, BOX, mirrored=mirrored)
    assert len(pieces) > 100
    assert sum(length(piece.points) for piece in pieces) == pytest.approx(length(way), rel=1e-9)
    every = np.concatenate([piece.points for piece in pieces])
    assert (every >= 0.0).all()
    assert (every <= BOX).all()
    folded = fold_points(way, BOX, mirrored=mirrored)
    for piece in pieces:
        whole = piece.sample == np.round(piece.sample)
        assert piece.points[whole] == pytest.approx(folded[piece.sample[whole].astype(int)], abs=1e-9)
    for before, after in pairwise(pieces):
        gap = np.abs(before.points[-1] - after.points[0])
        jumps = np.minimum(gap, np.abs(gap - BOX))
        assert jumps == pytest.approx(np.zeros(3), abs=1e-9)
        assert (gap.max() < 1e-9) == mirrored


def test_ways_that_stay_inside_or_touch_a_side_are_one_piece() -> None:
    inside = np.array([[0.2, 0.2, 0.2], [1.0, 0.4, 0.4], [0.3, 1.9, 2.9]])
    (piece,) = fold(inside, BOX)
    np.testing.assert_allclose(piece.points, inside)
    (resting,) = fold(inside[:1] + BOX, BOX)
    np.testing.assert_allclose(resting.points, inside[:1])


def test_the_part_between_two_moments_ends_at_them() -> None:
    (piece,) = fold(np.array([[0.0, 0.0, 0.0], [0.4, 0.0, 0.0], [0.4, 0.8, 0.0]]), BOX)
    np.testing.assert_allclose(piece.between(0.5, 1.5), [[0.2, 0.0, 0.0], [0.4, 0.0, 0.0], [0.4, 0.4, 0.0]])
    assert len(piece.between(2.0, 3.0)) == 0


# ---------------------------------------------------------------------------------------- pictures


def test_ways_are_drawn_in_the_colours_of_their_carriers(tmp_path: Path) -> None:
    ways = straight([(0.1, 0.2, 0.5), (0.9, 0.9, 0.5), (0.55, 0.5, 0.5)])
    picture = pixels(viz.render_trajectories(block(), ways, png=tmp_path / "w.png", count=2, size=(500, 420)))
    assert picture.shape == (420, 500, 3)
    drawn = picture[60:340]
    assert all(share_near(drawn, colour) > 0.0005 for colour in WALKERS[:2])
    assert share_near(drawn, WALKERS[2]) == 0.0


def test_time_is_told_by_colour(tmp_path: Path) -> None:
    way = straight([(0.9, 0.9, 0.5)])
    path = viz.render_trajectories(block(), way, png=tmp_path / "t.png", count=1, colour="time", size=(700, 600))
    drawn = pixels(path)[90:480]
    shares = [share_near(drawn, colour) for colour in TIMES]
    assert min(shares) > 1e-4, shares


def test_a_way_across_the_boundary_draws_no_streak(tmp_path: Path) -> None:
    across = viz.render_trajectories(block(), straight([(1.4, 0.51, 0.51)]), png=tmp_path / "a.png", count=1, size=(500, 420))
    short = viz.render_trajectories(block(), straight([(0.95, 0.51, 0.51)]), png=tmp_path / "s.png", count=1, size=(500, 420))
    inked = [share_near(pixels(path)[60:330], WALKERS[0], 60.0) for path in (across, short)]
    assert 1.3 < inked[0] / inked[1] < 2.6


def test_walks_of_the_program_can_be_drawn(tmp_path: Path) -> None:
    network = build_network(block(), carrier="ion")
    found = record_trajectories(network, walkers=4, chosen=4, time_s=1e-6, samples=50)
    assert viz.render_trajectories(block(), found, png=tmp_path / "p.png", count=4, size=(300, 300)).exists()


def test_those_that_came_farthest_are_chosen_in_their_order() -> None:
    ways = straight([(0.6, 0.5, 0.5), (2.5, 0.5, 0.5), (0.5, 0.5, 0.5), (0.5, -0.7, 0.5)])
    assert farthest(ways, 2).tolist() == [1, 3]


def test_times_have_a_unit_that_suits_them() -> None:
    assert [seconds(t) for t in (0.0, 1.234e-10, 9.999e-7, 0.02119, 4.0)] == ["0 s", "123 ps", "1 µs", "21.2 ms", "4 s"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 3}, "3 carriers are to be drawn; allowed: 1 to the 1"),
        ({"colour": "walker"}, "colour is 'walker'"),
        ({"size": (10, 10)}, "size is 10 x 10 pixels"),
    ],
)
def test_bad_requests_are_refused(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        viz.render_trajectories(block(), straight([(0.9, 0.2, 0.8)]), png=tmp_path / "x.png", **{"count": 1, **options})
    assert not (tmp_path / "x.png").exists()


def test_ways_of_another_structure_are_refused(tmp_path: Path) -> None:
    other = VoxelStructure.from_labels(np.full((10, 10, 10), 1), voxel_nm=100, phases={1: "LFP"})
    small = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=100, phases={2: "LATP"})
    for wrong in (other, small):
        with pytest.raises(InputError, match="give the structure that they ran through"):
            viz.render_trajectories(wrong, straight([(0.9, 0.2, 0.8)]), png=tmp_path / "x.png", count=1)
