"""The report of a study folder: what it says of whole, broken, tiny and closed studies, and its files."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cofire.cli import main
from cofire.study.folder import StudyFolder
from cofire.study.reporting.page import StudyReport, report_study
from cofire.study.sweep import SweepResult
from microstructures.errors import InputError

Sigma = Callable[[Mapping[str, Any]], float]
X, Y = "cell.recipe.press.relative_density", "cell.recipe.fire.interphase.thickness_p05_nm"
PROCESSES = [{"cell.process": name} for name in ("cold-pressed", "co-fired")]
ENERGY_EV = {"ion": 0.3, "electron": 0.1}


def made_up(
    path: Path, axes: Sequence[Sequence[Mapping[str, Any]]], sigma: Sigma, *, failed: int = 0, replicas: int = 2,
    estimators: Sequence[str] = ("solver",),
) -> Path:  # fmt: skip
    """Write a study folder whose cases measured `sigma` [mS/cm]; the first `failed` failed."""
    folder = StudyFolder(path)
    points = [{key: value for part in parts for key, value in part.items()} for parts in product(*axes)]
    entries = [
        {"name": f"{number:08x}{replica:08x}", "point": point, "replica": replica}
        for number, point in enumerate(points) for replica in range(replicas)
    ]  # fmt: skip
    study = {"seed": 5, "replicas": replicas, "axes": [list(axis) for axis in axes]}
    folder.store_plan(
        {"name": "made <up>", "version": "0", "cell": {"size_um": 3.0}, "run": {}, "study": study, "cases": entries}
    )
    for number, entry in enumerate(entries):
        if number < failed:
            record = {"schema": 1, "name": entry["name"], "reason": "the powders | did not fit & more"}
            (folder.failed / f"{entry['name']}.json").write_text(json.dumps(record))
            continue
        rows = []
        for carrier, name in product(ENERGY_EV, estimators):
            value = sigma(entry["point"]) * (1.0 + 0.05 * entry["replica"]) * (0.9 if name == "graph" else 1.0)
            row = {
                "carrier": carrier,
                "estimator": name,
                "sigma_eff_S_per_m": 0.1 * value,
                "outcome": "converged" if value else "not-percolating",
            }
            if value and name == "solver":
                row["activation_energy_eV"] = ENERGY_EV[carrier]
            if not math.isfinite(value):
                row |= {"sigma_eff_S_per_m": None, "outcome": "not-converged"}
            rows.append(row)
        structure = {
            "shape": [9, 9, 9], "grains": 4, "relative_density": 0.6, "porosity": {"open": 0.4, "closed": 0.0},
            "volume_fraction": {"LFP": 0.6}, "interphase": None,
        }  # fmt: skip
        given = {
            "cell": {"process": entry["point"].get("cell.process", "co-fired")}, "run": {"temperature_C": 60.0},
            "seed": 5 + entry["replica"], "replica": entry["replica"],
        }  # fmt: skip
        file = folder.case_file(entry["name"])
        file.parent.mkdir()
        file.write_text(json.dumps({"schema": 1, "name": entry["name"], "input": given, "rows": rows, "structure": structure}))
    return path


def told(report: StudyReport) -> str:
    """Return the page as text; every picture must have been drawn."""
    text = report.report.read_text(encoding="utf-8")
    assert "not drawn" not in text
    return text


def test_a_real_study_has_all_that_a_report_needs(finished: SweepResult, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "study"))
    report = report_study(folder)
    text = told(report)
    for words in ("8 of 8 cases are finished", "relative density", "Response of the conductivity", "Co-fired over cold-pressed",
                  "Activation energies", "Which number decides", "Methods", "\\begin{table}"):  # fmt: skip
        assert words in text
    order = [text.index(f"<h2>{title}") for title in ("What was", "Response", "Co-fired", "Activation", "Which", "Methods")]
    assert order == sorted(order)
    assert report.ranking.iloc[0]["term"] == "process"  # two to three decades
    assert (report.ratio["ratio"] > 10.0).all()
    assert report.ratio["n"].tolist() == [2] * 4
    for png in report.figures:
        assert {png.with_suffix(ending).is_file() for ending in (".png", ".svg", ".csv")} == {True}


def test_a_report_needs_nothing_else_and_names_strangers_safely(tmp_path: Path) -> None:
    text = told(report_study(made_up(tmp_path, [PROCESSES], lambda p: 1.0 if p["cell.process"] == "co-fired" else 0.01)))
    assert "made &lt;up&gt;" in text
    assert 'src="data:image/png;base64,' in text
    assert "http" not in text.replace("http-equiv", "")


def test_failed_cases_are_counted_with_their_reasons(tmp_path: Path) -> None:
    axes = [[{X: value} for value in (0.5, 0.55, 0.6)]]
    report = report_study(made_up(tmp_path, axes, lambda p: p[X], failed=3))
    text = told(report)
    assert "3 of 6 cases are finished, 3 failed" in text
    assert "the powders | did not fit &amp; more" in text
    assert '<td class="number">3</td>' in text


def test_an_unfinished_study_is_called_so(tmp_path: Path) -> None:
    path = made_up(tmp_path, [[{X: 0.5}, {X: 0.6}]], lambda p: p[X])
    shutil.rmtree(next((path / "cases").iterdir()))
    assert "The study is not finished" in told(report_study(path))


def test_nothing_finished_is_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made_up(tmp_path / "none", [[{X: 0.5}, {X: 0.6}]], lambda p: p[X], failed=4)
    assert main(["report", str(path)]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "0 of 4 cases finished; 4 failed, the first with: the powders" in said.err
    assert said.out == ""
    assert not (path / "report.html").exists()


def test_no_study_and_no_such_estimator_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder of a study"):
        report_study(tmp_path)
    path = made_up(tmp_path / "s", [[{X: 0.5}]], lambda p: p[X])
    with pytest.raises(InputError, match=r"--estimator is 'kmc'; allowed: solver"):
        report_study(path, "kmc")


def test_one_point_has_values_and_nothing_to_rank(tmp_path: Path) -> None:
    report = report_study(made_up(tmp_path, [[{X: 0.5}]], lambda p: 0.7))
    text = told(report)
    assert "the study has one point" in text
    assert "Nothing to rank: one point only" in text
    assert "0.718 ± 0.22" in text  # mean of 0.7 and 0.735; 12.7 standard errors
    assert report.figures == []


def test_where_nothing_has_a_path_the_report_says_so(tmp_path: Path) -> None:
    axes = [[{X: value} for value in (0.3, 0.35, 0.4)], [{Y: value} for value in (20.0, 40.0, 60.0)]]
    report = report_study(made_up(tmp_path, axes, lambda p: 0.0))
    text = told(report)
    assert "no case has a path" in text
    assert "no path |" in text
    assert any(file.name.startswith("percolation-") for file in report.figures)


def test_a_map_and_its_shares_hold_the_zeros(tmp_path: Path) -> None:
    axes = [[{X: value} for value in (0.3, 0.4, 0.5)], [{Y: value} for value in (20.0, 40.0, 60.0)]]
    report = report_study(made_up(tmp_path, axes, lambda p: 0.0 if p[X] < 0.35 else 100.0 * p[X] / p[Y]))
    told(report)
    table = pd.read_csv(report.folder / "figures" / "map-relative-density-thickness-p05.csv")
    assert len(table) == 18
    assert set(table[table["x"] == 0.3]["mean"]) == {0.0}
    assert set(table[table["x"] == 0.3]["share"]) == {0.0}
    assert table[table["x"] == 0.4]["mean"].tolist()[0] == pytest.approx(100.0 * 0.4 / 20.0 * 1.025)
    assert set(report.ranking["response"]) == {"ln sigma_eff", "percolates"}


def test_values_that_did_not_converge_are_left_out_and_counted(tmp_path: Path) -> None:
    axes = [[{X: value} for value in (0.4, 0.5, 0.6)]]
    report = report_study(made_up(tmp_path, axes, lambda p: math.nan if p[X] == 0.4 else p[X]))
    assert "4 conductivities have not converged" in told(report)
    assert set(pd.read_csv(report.folder / "figures" / "response-relative-density.csv")["x"]) == {0.5, 0.6}


def test_only_names_are_varied(tmp_path: Path) -> None:
    axes = [[{"cell.recipe": f"recipes/{name}.toml"} for name in ("dense", "loose")]]
    report = report_study(made_up(tmp_path, axes, lambda p: 1.0 if "dense" in p["cell.recipe"] else 0.02))
    assert "dense, loose" in told(report)
    assert pd.read_csv(report.folder / "figures" / "response-recipe.csv")["x"].unique().tolist() == ["dense", "loose"]


def test_other_estimators_are_compared_and_can_be_shown(tmp_path: Path) -> None:
    path = made_up(tmp_path, [[{X: 0.5}, {X: 0.6}]], lambda p: p[X], estimators=("solver", "graph"))
    assert "0.900" in told(report_study(path))
    assert "estimator\n<b>graph</b>" in told(report_study(path, "graph"))


def test_a_sample_has_dots_and_coefficients(tmp_path: Path) -> None:
    axis = [{X: 0.5 + 0.01 * number, Y: 20.0 + 7.0 * (number * 5 % 16)} for number in range(16)]
    report = report_study(made_up(tmp_path, [axis], lambda p: p[X] ** 2, replicas=1))
    text = told(report)
    assert "16 values from 0.5 to 0.65" in text
    assert "SRRC (R² 1.00)" in text
    assert {file.stem for file in report.figures} >= {"response-relative-density", "map-relative-density-thickness-p05"}


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = made_up(
        tmp_path, [PROCESSES, [{X: 0.5}, {X: 0.6}]], lambda p: p[X] * (20.0 if p["cell.process"] == "co-fired" else 1.0)
    )
    assert main(["report", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"folder", "report", "figures", "ranking", "ratio"} <= set(found)
    assert found["ranking"][0]["keys"] == ["cell.process"]
    assert [row["ratio"] for row in found["ratio"]] == pytest.approx([20.0] * 4)
    assert Path(found["report"]).is_file()
    assert main(["report", str(path)]) == 0
    assert "process (ANOVA" in capsys.readouterr().out
