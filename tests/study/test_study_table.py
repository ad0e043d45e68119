"""The table of a study as other programs read it."""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from cofire.store import write_table
from cofire.study.table import read_study


def test_83_text_that_other_programs_may_take_for_more_comes_back_as_it_was(tmp_path):
    """Separator: a comma; decimals: a point; text with commas, quotes, line ends is quoted, and none is changed."""
    words = ["=1+1", "a;b", 'c,"d"', "e\nf", "+3", "@x", "0,6"]
    table = pd.DataFrame({"case": words, "=cmd, too": [0.1 + 0.2] * len(words)})
    write_table(tmp_path / "table", table)
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["case", "=cmd, too"]
    assert [row[0] for row in rows] == words
    assert {float(row[1]) for row in rows} == {0.1 + 0.2}
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), table)


def test_both_files_and_the_folders_say_the_same(finished):
    known = read_study(finished.folder)
    pd.testing.assert_frame_equal(pd.read_parquet(finished.folder / "table.parquet"), known)
    pd.testing.assert_frame_equal(pd.read_csv(finished.folder / "table.csv"), known, check_exact=True)
    assert len(known) == 16
    assert known["outcome"].eq("converged").all()
    assert known.groupby(["seed", "carrier"]).size().eq(4).all()


def test_the_columns_that_people_rely_on(finished):
    known = read_study(finished.folder)
    assert {
        "case", "process", "seed", "replica", "cell.process", "cell.recipe.press.relative_density", "temperature_C", "carrier",
        "estimator", "sigma_eff_S_per_m", "sigma_eff_stderr_S_per_m", "sigma_eff_x_S_per_m", "outcome", "activation_energy_eV",
        "relative_density", "volume_fraction_LFP", "interphase_thickness_nm_mean",
    } <= set(known)  # fmt: skip
    mean = known[[f"sigma_eff_{axis}_S_per_m" for axis in "xyz"]].mean(axis=1)
    assert known["sigma_eff_S_per_m"].to_numpy() == pytest.approx(mean.to_numpy(), rel=1e-12)
