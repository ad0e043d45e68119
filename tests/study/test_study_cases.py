"""From a study file to its cases: defaults, files, overrides, names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cofire.study.case import StudyCase
from cofire.study.plan import make_plan
from cofire.study.resolve import distinct, resolve_study
from cofire.study.study_file import Study, load_study, parse_study
from microstructures.errors import InputError

CELL = {"process": "co-fired", "size_um": 2.4, "voxel_nm": 80.0}


def study_of(cell=CELL, run=None, folder=Path("."), **plan) -> Study:
    return parse_study({"cell": cell, "run": run or {}, "study": {"seed": 3, **plan}}, "a study", folder)


def cases_of(*args, **kwargs) -> list[StudyCase]:
    return [planned.case for planned in resolve_study(study_of(*args, **kwargs))]


def test_the_input_is_whole():
    (case,) = cases_of()
    assert case.cell["recipe"]["press"]["relative_density"] == 0.6
    assert case.run["materials"]["phases"]["LATP"]["label"] == 2
    assert case.run["temperature_C"] == case.materials.reference_temperature_C
    assert case.recipe.model_dump(mode="json") == case.cell["recipe"]
    again = StudyCase.of_input(case.input)
    assert (again.name, again.structure_name) == (case.name, case.structure_name)


@pytest.mark.parametrize(
    ("key", "value", "same_structure"),
    [
        ("cell.size_um", 2.8, False),
        ("cell.process", "cold-pressed", False),
        ("cell.recipe.fire.interphase.coverage", 0.5, False),
        ("run.temperature_C", 80.0, True),
        ("run.carriers", ["ion"], True),
        ("run.materials.phases.LATP.ion.activation_energy_eV", 0.31, True),
    ],
)
def test_whatever_decides_the_result_is_in_the_name(key, value, same_structure):
    (before,) = cases_of()
    (after,) = cases_of(grid={key: [value]})
    assert before.name != after.name
    assert (before.structure_name == after.structure_name) is same_structure


def test_what_decides_nothing_is_not_in_the_name():
    (one,) = cases_of(run={"carriers": ["ion", "electron"], "estimators": ["solver"]})
    (other,) = cases_of(run={"carriers": ["electron", "ion"], "hops": 7})
    assert one.name == other.name


def test_both_processes_and_all_points_of_a_replica_share_its_seed():
    cases = cases_of(replicas=3, grid={"cell.process": ["cold-pressed", "co-fired"], "cell.size_um": [2.4, 2.8]})
    assert len(cases) == len({case.name for case in cases}) == 12
    assert {(case.replica, case.seed) for case in cases} == {(0, 3), (1, 4), (2, 5)}


def test_files_are_read_beside_the_study_and_parts_of_them_replaced(tmp_path):
    (tmp_path / "r.toml").write_text("[press]\nrelative_density = 0.5\ncoordination = 5.0\n")
    cell = {**CELL, "recipe": "r.toml"}
    cases = cases_of(cell, folder=tmp_path, grid={"cell.recipe.press.relative_density": [0.52, 0.56]})
    assert [case.recipe.press.relative_density for case in cases] == [0.52, 0.56]
    assert {case.recipe.press.coordination for case in cases} == {5.0}


def test_a_file_may_be_varied_together_with_a_part_of_it(tmp_path):
    for name, coordination in (("a", 5.0), ("b", 6.0)):
        (tmp_path / f"{name}.toml").write_text(f"[press]\ncoordination = {coordination}\n")
    cases = cases_of(
        folder=tmp_path, zip={"cell.recipe.press.relative_density": [0.5, 0.55], "cell.recipe": ["a.toml", "b.toml"]}
    )
    assert [(case.recipe.press.coordination, case.recipe.press.relative_density) for case in cases] == [(5.0, 0.5), (6.0, 0.55)]


def test_the_rest_of_the_powder():
    key = "cell.recipe.powders.LFP.mass_fraction"
    cases = cases_of({**CELL, "recipe": {"powders": {"LATP": {"mass_fraction": "rest"}}}}, grid={key: [0.4, 0.7]})
    assert [case.recipe.powders["LATP"].mass_fraction for case in cases] == pytest.approx([0.6, 0.3])


def test_an_image_counts_by_its_content_and_not_by_its_place(tmp_path):
    labels = np.ones((4, 5, 6), dtype=np.uint8)
    for folder, value in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "i.npy", labels * value)
    one, same, other = (
        cases_of({"image": f"{folder}/i.npy", "voxel_nm": 25.0, "phases": {"1": "LATP"}}, folder=tmp_path)[0]
        for folder in "abc"
    )
    assert one.name == same.name != other.name
    assert one.structure_name == replace(one, seed=9).structure_name


def test_a_body_that_is_not_fired_is_the_same_for_every_firing():
    key = "cell.recipe.fire.interphase.coverage"
    names = [case.name for case in cases_of(grid={"cell.process": ["cold-pressed", "co-fired"], key: [0.5, 0.75, 1.0]})]
    assert len(set(names[:3])) == 1
    assert len(set(names)) == 4


def test_equal_cases_are_computed_once():
    planned = resolve_study(study_of(grid={"cell.size_um": [2.4, 2.4, 2.8]}))
    assert len(planned) == 3
    assert len(distinct(planned)) == 2


def test_a_seed_that_nobody_names_is_drawn_and_told():
    study = parse_study({"cell": CELL}, "s", Path("."))
    assert study.drawn
    assert 0 <= study.seed < 2**32
    assert parse_study({"cell": CELL}, "s", Path(".")).seed != study.seed


def write(folder: Path, text: str) -> Path:
    file = folder / "s.toml"
    file.write_text(text)
    return file


HEAD = '[cell]\nprocess = "co-fired"\nsize_um = 2.4\nvoxel_nm = 80.0\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "empty", id="22-empty-study"),
        pytest.param(HEAD + "size_um = 3.0\n", "'cell.size_um' twice", id="2-key-twice-in-a-study"),
        pytest.param(HEAD + "[sudy]\nseed = 1\n", "did you mean 'study'", id="3-typo-in-a-table"),
        pytest.param(HEAD + "voxel = 3\n", "did you mean 'voxel_nm'", id="3-typo-in-the-cell"),
        pytest.param(HEAD + "[run]\ntemprature_C = 60.0\n", "did you mean 'temperature_C'", id="3-typo-in-the-run"),
        pytest.param(HEAD + '[study.grid]\n"cell.recipe.press.relative_densty" = [0.5]\n', "did you mean", id="3-typo-in-a-grid"),
        pytest.param(HEAD + '[study.grid]\n"press.relative_density" = [0.5]\n', "allowed: cell. and run.", id="3-key-of-no-table"),
        pytest.param(HEAD + "[run]\ntemperature_C = nan\n", "temperature_C", id="5-temperature-nan"),
        pytest.param(HEAD + "[run]\ntemperature_C = -300.0\n", "-273.15", id="6-study-below-zero-kelvin"),
        pytest.param(HEAD.replace("80.0", "2e7"), "voxel_nm", id="9-voxels-of-2-cm"),
        pytest.param(HEAD.replace("2.4", "-2.4"), "size_um", id="11-negative-size"),
        pytest.param(HEAD + "[cell.recipe.powders.LFP]\nmass_fraction = 0.9\n", "1.3575", id="13-study-fractions-above-1"),
        pytest.param(HEAD + '[study.grid]\n"cell.recipe.press.relative_density" = [60]\n', "0.6", id="14-study-density-in-percent"),
        pytest.param(HEAD + 'image = "a.tif"\n', "'image' and 'process'", id="19-image-and-process"),
        pytest.param(HEAD + "[study]\nseed = 1\nseeds = [1, 2]\n", "'seed' and 'replicas'", id="19-seed-and-seeds"),
        pytest.param(HEAD + "[study]\nseed = 1.5\n", "1.5", id="20-seed-1.5"),
        pytest.param(HEAD + '[study]\nseed = "abc"\n', "abc", id="20-seed-text"),
        pytest.param(HEAD + "[study]\nseed = -1\n", "-1", id="20-seed-negative"),
        pytest.param(HEAD + "[study]\nseed = true\n", "True", id="20-seed-true"),
        pytest.param(HEAD + f"[study]\nseed = {2**70}\n", "2\\^64", id="20-seed-2-to-70"),
        pytest.param(HEAD + "[study]\nreplicas = 0\n", "replicas is 0", id="21-no-replica"),
        pytest.param(HEAD + "[study]\nreplicas = -1\n", "replicas is -1", id="21-negative-replicas"),
        pytest.param(HEAD + "[study]\nreplicas = 1000000000\n", "10000", id="21-a-billion-replicas"),
        pytest.param("[study]\nseed = 1\n", "neither 'process' nor 'image'", id="19-no-process"),
        pytest.param(HEAD + '[run]\nestimators = ["sovler"]\n', "solver", id="3-typo-in-an-estimator"),
        pytest.param(HEAD + "[run]\ncarriers = []\n", "at least 1", id="68-no-carrier"),
        pytest.param(HEAD + "[run]\nhops = 0\n", "hops", id="62-no-hops"),
        pytest.param("schema = 2\n" + HEAD, "schema is 2", id="51-newer-study"),
        pytest.param("cell = 3\n", "write \\[cell\\]", id="4-number-for-a-table"),
        pytest.param(HEAD + '[study.grid]\n"cell.size_um" = ["0,6"]\n', "0,6", id="25-decimal-comma-in-a-grid"),
        pytest.param('[cell]\nimage = "none.tif"\n', "none.tif", id="23-missing-image"),
        pytest.param('[cell]\nimage = "a.npy"\nphases = { x = "LFP" }\n', "labels 0 to 255", id="38-label-x"),
        pytest.param(HEAD + 'recipe = "none.toml"\n', "none.toml", id="23-missing-recipe"),
        pytest.param(HEAD + '[run]\nmaterials = "lfp-lapt"\n', "lfp-latp", id="3-typo-in-materials"),
        pytest.param(HEAD.replace("2.4", "9000.0"), "voxel", id="64-far-too-many-voxels"),
    ],
)  # fmt: skip
def test_a_study_that_cannot_be_computed(tmp_path, text, says):
    np.save(tmp_path / "a.npy", np.ones((4, 5, 6), dtype=np.uint8))
    with pytest.raises(InputError, match=says) as caught:
        make_plan(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "s.toml" in str(caught.value) or "study s" in str(caught.value) or "case" in str(caught.value)


def test_ten_million_cases_must_be_meant(tmp_path):
    grid = "\n".join(f'"{key}" = {[0.001 * n + low for n in range(220)]}' for key, low in (
        ("cell.recipe.press.relative_density", 0.4), ("cell.size_um", 2.4), ("run.temperature_C", 60.0)
    ))  # fmt: skip
    with pytest.raises(InputError, match=f"{220**3} cases.*--many"):
        make_plan(write(tmp_path, HEAD + "[study.grid]\n" + grid))


def test_points_name_themselves_in_messages(tmp_path):
    file = write(tmp_path, HEAD + '[study]\nseed = 1\n[study.grid]\n"cell.size_um" = [2.4, -1.0]\n')
    with pytest.raises(InputError, match=r"point cell\.size_um = -1\.0"):
        make_plan(file)
    assert isinstance(load_study(file).points()[0], dict)
