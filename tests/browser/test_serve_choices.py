"""What the controls of the served page mean, without a browser: choices, what they leave to see, solving, files to keep."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import kmc
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.palette import PHASES, rgb
from viz.scenes import colouring
from viz.serve import Choices, Subject
from viz.serve.choices import visible_voxels
from viz.serve.faces import see
from viz.serve.keeping import png
from viz.serve.stage import Stage


@pytest.fixture
def start(structure):
    return replace(Choices.start(structure), corner=False)


@pytest.fixture(scope="module")
def solved(structure):
    """Return the structure with the current of ions along y solved."""
    subject = Subject("block", structure)
    subject.solve("ion", "y")
    return subject


def test_a_page_begins_with_all_but_pores_and_the_corner(structure):
    seen = visible_voxels(structure, Choices.start(structure))
    assert not seen[structure.labels == 0].any()
    assert not seen[10:, :9, 8:].any()
    assert seen[:10].sum() == (structure.labels[:10] > 0).sum()


def test_hidden_phases_are_gone(structure, start):
    seen = visible_voxels(structure, replace(start, hidden=("LFP",)))
    np.testing.assert_array_equal(seen, structure.labels != 1)


def test_clips_keep_layers_whose_middle_is_inside(structure, start):
    choices = replace(start, hidden=(), clip_um=((0.2, 0.4), (0.0, 0.9), (0.0, 0.1)))
    kept = np.zeros(structure.shape, dtype=bool)
    kept[4:8, :, :2] = True
    np.testing.assert_array_equal(visible_voxels(structure, choices), kept)


@pytest.mark.parametrize(("place_um", "layer"), [(0.0, 0), (0.51, 10), (0.9, 17), (0.55, 10)])
def test_a_clip_without_thickness_is_one_layer(structure, start, place_um, layer):
    choices = replace(start, hidden=(), clip_um=(start.clip_um[0], (place_um, place_um), start.clip_um[2]))
    assert np.flatnonzero(visible_voxels(structure, choices).any(axis=(0, 2))).tolist() == [layer]


def test_a_thinned_structure_is_clipped_at_the_same_place(structure, start, monkeypatch):
    monkeypatch.setattr(colouring, "LARGEST_VOXELS", structure.labels.size // 8)
    seen = visible_voxels(structure, replace(start, hidden=(), clip_um=((0.0, 0.5), *start.clip_um[1:])))
    assert seen.shape == (10, 9, 8)
    assert np.flatnonzero(seen.any(axis=(1, 2))).tolist() == [0, 1, 2, 3, 4]


def test_a_range_of_values_keeps_what_lies_in_it(solved, start):
    choices = replace(start, field="potential", axis="y", range_percent=(25.0, 75.0))
    potential, scale = solved.values("potential", "ion", "y")
    seen = visible_voxels(solved.structure, choices, potential, scale)
    with np.errstate(invalid="ignore"):
        inside = (potential >= 0.25) & (potential <= 0.75) & (solved.structure.labels > 0)
    np.testing.assert_array_equal(seen, inside)
    assert 0 < seen.sum() < (solved.structure.labels > 0).sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"field": "potentail"}, "did you mean 'potential'"),
        ({"carrier": "proton"}, "allowed: ion, electron"),
        ({"axis": "all"}, "allowed: x, y, z"),
        ({"range_percent": (80.0, 20.0)}, "low before high"),
        ({"clip_um": ((0.0, 1.0),)}, "three pairs"),
    ],
)
def test_what_no_control_can_say_is_refused(start, change, message):
    with pytest.raises(InputError, match=message):
        replace(start, **change)


def test_another_structure_keeps_the_choices_that_fit(start):
    other = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=100, phases={2: "LATP"})
    kept = replace(start, field="grain", hidden=("pore", "LATP"), axis="z", range_percent=(10.0, 20.0)).on(other)
    assert (kept.field, kept.axis, kept.hidden) == ("grain", "z", ("LATP",))
    assert kept.clip_um == ((0.0, 0.4),) * 3
    assert kept.range_percent == (0.0, 100.0)


def test_solving_gives_the_numbers_of_conduct(solved):
    expected = kmc.conduct(solved.structure, axis="y", carrier="ion").sigma_eff_S_per_m
    answer = solved.answers["ion", "y"]
    assert answer.sigma_eff_S_per_m == pytest.approx(expected, rel=1e-9)
    assert answer.fields["potential"].shape == answer.fields["current"].shape == solved.structure.shape
    rows = {what: (value, unit) for what, value, unit in solved.numbers()}
    assert rows["ionic conductivity along y, 60 °C"] == (f"{10 * expected:.5g}", "mS/cm")
    assert rows["relative density"] == (f"{100 * (solved.structure.labels > 0).mean():.2f}", "%")
    assert rows["grains LFP"] == ("2", "")


def test_what_does_not_conduct_says_so_and_shows_phases(start):
    insulator = Subject("pore", VoxelStructure.from_labels(np.zeros((4, 4, 4), int), voxel_nm=50, phases={0: "pore"}))
    answer = insulator.solve("ion", "x")
    assert (answer.sigma_eff_S_per_m, answer.fields) == (0.0, {})
    assert any(what.startswith("outcome") for what, _, _ in insulator.numbers())
    choices = replace(Choices.start(insulator.structure), field="current", hidden=())
    assert see(insulator, choices).field == "phase"


def test_table_is_csv(solved):
    rows = list(csv.reader(io.StringIO(solved.csv())))
    assert rows[0] == ["structure", "quantity", "value", "unit"]
    assert {len(row) for row in rows} == {4}
    assert {row[0] for row in rows[1:]} == {"block"}


def test_colours_of_a_field_stay_when_parts_are_hidden(solved, start):
    whole = see(solved, replace(start, field="current", axis="y"))
    part = see(solved, replace(start, field="current", axis="y", hidden=("pore", "LATP")))
    assert part.scale is whole.scale
    assert 0 < len(part.shown.surface) < len(whole.shown.surface) * 2


@pytest.fixture
def stage():
    made = Stage(420, 320)
    yield made
    made.close()


def share(picture, phase: str) -> float:
    """Return the share of pixels of a phase, in whatever light."""
    colour = rgb(PHASES[phase])
    length = np.linalg.norm(picture.astype(float), axis=-1)
    along = (picture @ colour) / np.linalg.norm(colour)
    return float(((along > 0.985 * length) & (np.ptp(picture.astype(int), axis=-1) > 60)).mean())


def test_stage_draws_what_is_seen_and_nothing_where_nothing_is_left(stage, solved, start):
    stage.show(see(solved, start))
    stage.look("corner")
    picture = stage.picture()
    assert picture.shape == (320, 420, 3)
    assert min(share(picture, "LFP"), share(picture, "LATP")) > 0.03
    stage.show(see(solved, replace(start, hidden=("pore", "LFP"))))
    assert share(stage.picture(), "LFP") == 0.0
    stage.show(see(solved, replace(start, hidden=("pore", "LFP", "LATP"))))
    assert share(stage.picture(), "LATP") == 0.0


@pytest.mark.parametrize("view", ["corner", "x", "y", "z"])
@pytest.mark.parametrize("size", [(500, 250), (250, 500)])
def test_the_whole_block_stays_in_a_window_of_any_shape(stage, solved, start, view, size):
    stage.show(see(solved, start))
    stage.look(view)
    stage.window.SetSize(*size)
    drawn = np.argwhere(np.ptp(stage.picture().astype(int), axis=-1) > 60)
    assert drawn.min() > 2
    assert (drawn.max(axis=0) < (size[1] - 2, size[0] - 2)).all()
    assert np.ptp(drawn, axis=0).max() > 0.5 * min(size)


def test_picture_to_keep_is_larger_and_has_a_key(stage, solved, start):
    for choices in (start, replace(start, field="potential", axis="y")):
        seen = see(solved, choices)
        stage.show(seen)
        with Image.open(io.BytesIO(png(stage.picture(2), solved, choices, seen))) as file:
            picture = np.asarray(file.convert("RGB"))
        assert picture.shape[1] == 840
        assert picture.shape[0] > 660
        assert (np.ptp(picture[-60:].astype(int), axis=-1) > 60).sum() > 100
    assert tuple(stage.window.GetSize()) == (420, 320)
