"""The script that reproduces the paper, small: every number is the stored one. `pytest tests/regression --update` stores anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cofire.calibration.result import TARGETS
from microstructures.materials import load_materials

ROOT = Path(__file__).parent.parent.parent
STORED = Path(__file__).with_name("reproduce_small.json")
SMALL = ("--size-um", "2.4", "--voxel-nm", "80", "--hops", "20000", "--workers", "1", "--no-explain")
NOT_NUMBERS = ("seconds", "version", "run", "provenance")
FROM_DIFFERENCES = ("p_value", "difference_in_errors", "smallest p value")
"""Small differences of the numbers above them, over small errors."""


@dataclass(frozen=True)
class Reproduced:
    """One run of the script."""

    folder: Path
    out: str

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def numbers(self) -> dict[str, Any]:
        """Return every number and word that a run of the same version must give again, by its path."""
        found = {
            "reproduction": self.json("reproduction.json"),
            "calibration": self.json("calibration.json"),
            "comparison": _table(self.folder / "comparison" / "table.csv"),
            "second-seeds": _table(self.folder / "second-seeds" / "table.csv"),
        }
        pairs = _flat(found)
        assert len(dict(pairs)) == len(pairs)
        return dict(sorted(pairs))


def _table(file: Path) -> dict[str, Any]:
    table = pd.read_csv(file, keep_default_na=False, na_values={"value": [""], "standard_error": [""]})
    names = [", ".join(filter(None, row)) for row in table[["estimator", "quantity", "process", "carrier"]].to_numpy()]
    return {
        name: {"value": value, "error": None if pd.isna(error) else error}
        for name, value, error in zip(names, table["value"], table["standard_error"], strict=True)
    }


def _flat(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return numbers and words with their paths; entries of a list go by what they are called, if they are."""
    if isinstance(value, dict):
        return [pair for key, entry in value.items() if key not in NOT_NUMBERS for pair in _flat(entry, f"{path}/{key}")]
    if isinstance(value, list):
        names = [str(k) for k in range(len(value))]
        if value and isinstance(value[0], dict):
            keys = ("name", "quantity", "process", "carrier")
            names = [", ".join(entry[key] for key in keys if entry.get(key)) for entry in value]
        return [pair for name, entry in zip(names, value, strict=True) for pair in _flat(entry, f"{path}/{name}")]
    return [(path.lstrip("/"), float(f"{value:.10g}") if isinstance(value, float) else value)]


def _agrees(path: str, now: Any, before: Any) -> bool:
    if not isinstance(before, float) or not isinstance(now, float):
        return bool(now == before)
    if any(name in path for name in FROM_DIFFERENCES):
        return now == pytest.approx(before, rel=1e-3, abs=1e-2)
    hops = "/kMC, " in path
    return now == pytest.approx(before, rel=1e-3 if hops else 1e-4, abs=1e-8 if path.endswith("error") else 0.0)


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "reproduce_paper.py"), *SMALL, "--out", str(folder), *words]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=environment)


def _reproduce(folder: Path, *words: str) -> Reproduced:
    ran = _run(folder, *words)
    assert ran.returncode == 0, ran.stderr
    return Reproduced(folder, ran.stdout)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Reproduced:
    return _reproduce(tmp_path_factory.mktemp("reproduction") / "out", "--replicas", "2")


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Reproduced:
    return _reproduce(tmp_path_factory.mktemp("single") / "out", "--replicas", "1", "--no-calibrate", "--seed", "5")


def test_every_number_is_the_stored_one(small, pytestconfig):
    now = small.numbers()
    if pytestconfig.getoption("--update"):
        STORED.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        pytest.skip(f"{STORED.name} was written: {len(now)} entries; look at what git says has changed")
    before = json.loads(STORED.read_text(encoding="utf-8"))
    assert sorted(now) == sorted(before)
    changed = [f"{path}: {before[path]!r}, now {now[path]!r}" for path in before if not _agrees(path, now[path], before[path])]
    assert not changed, "\n".join(["these have changed; if they should, run pytest tests/regression --update", *changed])


def test_both_seed_sets_were_computed_with_the_calibrated_materials(small):
    materials = load_materials(small.folder / "materials.toml").to_dict()
    fitted = {entry["name"]: entry["value"] for entry in small.json("calibration.json")["parameters"]}
    boundary = materials["interfaces"]["LATP|LATP"]["ion"]
    assert boundary["area_specific_resistance_ohm_m2"] == pytest.approx(fitted["LATP|LATP resistance"], rel=1e-5)
    for name, seed in (("comparison", 1), ("second-seeds", 1001)):
        given = small.json(f"{name}/run.json")["input"]
        assert given["materials"] == materials
        assert given["seed"] == seed
        assert (small.folder / name / "report.html").is_file()
    assert small.json("calibration.json")["seeds"] == small.json("reproduction.json")["seeds"]["first"] == [1, 2]


def test_the_seeds_of_the_calibration_give_its_targets(small):
    rows = {(row["quantity"], row["process"], row["carrier"]): row for row in small.json("reproduction.json")["quantities"]}
    reached = (("sigma", "ion"), ("sigma", "electron"), ("activation_energy", "ion"))
    for target, (quantity, carrier) in zip(TARGETS, reached, strict=True):
        assert rows[quantity, "co-fired", carrier]["first"] == pytest.approx(target.value, rel=0.01)


def test_what_is_printed_is_what_is_written(small):
    found = small.json("reproduction.json")
    lines = [line for line in small.out.splitlines() if line.startswith("│")]
    assert len(lines) == len(found["quantities"]) + len(found["checks"])
    for line, row in zip(lines, found["quantities"], strict=False):
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells[:3] == [row["quantity"].replace("_", " "), row["process"], row["carrier"]]
        for cell, which in zip(cells[3:5], ("first", "second"), strict=True):
            assert float(cell.split()[0]) == pytest.approx(row[which], rel=0.06)
        assert float(cells[6]) == pytest.approx(row["p_value"], rel=0.06)
    for line, check in zip(lines[len(found["quantities"]) :], found["checks"], strict=True):
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        assert cells[0] == check["name"]
        assert cells[2:] == [check["wanted"], "yes" if check["ok"] else "NO"]


def test_shipped_materials_and_one_replica(single):
    assert {path.name for path in single.folder.iterdir()} == {"comparison", "second-seeds", "reproduction.json"}
    found = single.json("reproduction.json")
    assert found["input"]["calibrated"] is False
    assert found["seeds"] == {"first": [5], "second": [1005]}
    assert single.json("comparison/run.json")["input"]["materials"] == load_materials().to_dict()
    assert all(row["p_value"] is None and row["first_error"] is None for row in found["quantities"])
    assert found["checks"][-1]["ok"] is None
    assert "two replicas or more" in single.out


def test_a_folder_with_something_in_it_is_left_alone(single):
    before = {path: path.stat().st_mtime_ns for path in single.folder.rglob("*")}
    ran = _run(single.folder)
    assert ran.returncode == 1
    assert "--overwrite" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert {path: path.stat().st_mtime_ns for path in single.folder.rglob("*")} == before
