"""Streamlines carry equal shares of the current, never leave what conducts, and end at the far plate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import materials, voronoi

import viz
from kmc.conduction import ConductionResult, conduct
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.scenes.look import Look
from viz.scenes.streamlines import Streamlines, trace_streamlines

KNOWN = materials({"A": 1.0, "B": 9.0})


def solved(labels: np.ndarray, **options: object) -> ConductionResult:
    structure = VoxelStructure.from_labels(labels, voxel_nm=100, phases={0: "pore", 1: "A", 2: "B"})
    return conduct(structure, KNOWN, keep_potential=True, **options)


def trace(result: ConductionResult, count: int) -> Streamlines:
    return trace_streamlines(result.network, result.solutions[0], count=count)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("axis", ["x", "z"])
def test_lines_in_a_uniform_block_are_straight(axis: str, boundary: str) -> None:
    result = solved(np.ones((4, 5, 6), np.uint8), axis=axis, boundary=boundary)
    lines, number = trace(result, 7), "xyz".index(axis)
    length_um = result.network.structure.edges_um[number]
    assert lines.share == pytest.approx(1 / 7)
    for points, current in zip(lines.points_um, lines.current_A_per_m2, strict=True):
        assert points[[0, -1], number] == pytest.approx([0.0, length_um])
        assert np.ptp(np.delete(points, number, axis=1), axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)
        assert current == pytest.approx(np.full(len(current), result.sigma_eff_S_per_m / (length_um * 1e-6)))


def test_a_phase_gets_as_many_lines_as_it_carries_current() -> None:
    labels = np.ones((6, 8, 4), np.uint8)
    labels[:, 4:] = 2
    lines = trace(solved(labels, axis="x"), 100)
    in_good = sum((points[:, 1] > 0.4).all() for points in lines.points_um)
    assert in_good == 90


def test_lines_of_a_composite_stay_in_it_and_reach_the_far_plate() -> None:
    labels, _ = voronoi(20, 14, seed=3)
    labels = np.asarray(labels, dtype=np.uint8)
    labels[5:15, 4:14, 3:12] = 0
    lines = trace(solved(labels, axis="y"), 60)
    for points in lines.points_um:
        assert points[0, 1] == 0.0
        assert points[-1, 1] == pytest.approx(2.0)
        middle = 0.5 * (points[1:] + points[:-1]) / 0.1
        moved = np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-6
        assert labels[tuple(np.minimum(middle[moved].astype(int), 19).T)].all()


def test_bad_requests_for_lines_are_named(tmp_path: Path) -> None:
    labels = np.ones((3, 3, 3), np.uint8)
    result = solved(labels)
    with pytest.raises(InputError, match="0 streamlines; allowed: 1 to 5000"):
        trace(result, 0)
    with pytest.raises(InputError, match="drawn in field 'current', not in 'phase'"):
        viz.render(result.network.structure, png=tmp_path / "x.png", lines=trace(result, 2))


def test_picture_shows_lines_in_a_clear_block_and_a_page_the_same_field(tmp_path: Path) -> None:
    labels = np.ones((12, 12, 12), np.uint8)
    labels[:, 6:] = 2
    result = solved(labels)
    structure, lines = result.network.structure, trace(result, 40)
    current = np.where(labels == 2, 9.0, 1.0) * result.sigma_eff_S_per_m
    options = {"field": "current", "current": current, "lines": lines, "size": (400, 360)}
    page = tmp_path / "c.html"
    pictures = []
    for name, look in (("lines", None), ("both", Look(hot_percent=5.0))):
        with Image.open(viz.render(structure, png=tmp_path / f"{name}.png", html=page, look=look, **options)) as picture:
            pictures.append(np.asarray(picture.convert("RGB")).astype(int))
    dark = pictures[0][60:260].max(axis=-1) < 130
    assert 0.0005 < dark.mean() < 0.2
    assert (np.abs(pictures[0] - pictures[1]).max(axis=-1) > 20).mean() > 0.01
    assert "current density" in page.read_text(encoding="utf-8")
