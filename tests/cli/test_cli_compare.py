"""The whole comparison in one command, small."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support import contents

from cofire.building import PROCESSES
from cofire.paper import CONTRADICTIONS
from microstructures.formats import read

SMALL = ("--size-um", "3", "--voxel-nm", "60", "--hops", "20000", "--check-replicas", "2", "--no-explain", "--json")
EXPLANATIONS = ("waterfall", "scenarios", "observations", "gaps", "budget")
RECIPE = "[fire.interphase]\nthickness_p05_nm = 150.0\nthickness_p95_nm = 225.0\n"


@dataclass(frozen=True)
class Compared:
    """One run of `cofire compare`."""

    folder: Path
    found: dict[str, Any]
    err: str


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("recipe") / "small.toml"
    file.write_text(RECIPE)
    return file


def _compare(recipe: Path, folder: Path, *more: str) -> Compared:
    words = [sys.executable, "-m", "cofire", "compare", *SMALL, "--recipe", str(recipe), "--out", str(folder), *more]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    return Compared(folder, json.loads(ran.stdout), ran.stderr)


@pytest.fixture(scope="module")
def compared(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    return _compare(recipe, tmp_path_factory.mktemp("compare") / "one", "--replicas", "2", "--workers", "1")


def test_every_file_is_written(compared):
    tables = {f"{name}.{suffix}" for name in ("table", "estimates", "arrhenius") for suffix in ("csv", "parquet")}
    expected = {*tables, "table.tex", "report.html", "run.json", "structures", "currents", "figures"}
    assert {path.name for path in compared.folder.iterdir()} == expected
    files = {path.name for path in (compared.folder / "structures").iterdir()}
    assert files == {f"{process}-seed{seed}.h5" for process in PROCESSES for seed in (1, 2)}
    for path in (compared.folder / "structures").iterdir():
        structure = read(path)
        assert structure.process in path.name
        assert f"seed{structure.seed}" in path.name


def test_two_workers_give_the_same_table_bit_for_bit(compared, recipe):
    twin = _compare(recipe, compared.folder.with_name("two"), "--replicas", "2", "--workers", "2")
    for name in ("table.csv", "table.parquet", "estimates.csv", "arrhenius.csv"):
        assert (compared.folder / name).read_bytes() == (twin.folder / name).read_bytes(), name
    for path in (compared.folder / "structures").iterdir():
        assert contents(path) == contents(twin.folder / "structures" / path.name), path.name
    assert sorted(path.name for path in (twin.folder / "structures").iterdir()) == sorted(
        path.name for path in (compared.folder / "structures").iterdir()
    )
    assert twin.found["table"] == compared.found["table"]


def test_the_table_holds_both_carriers_both_processes_three_estimators(compared):
    table = pd.read_csv(compared.folder / "table.csv")
    parquet = pd.read_parquet(compared.folder / "table.parquet")
    assert list(parquet.columns) == list(table.columns)
    np.testing.assert_array_equal(parquet["value"], table["value"])
    sigma = table[table["quantity"] == "sigma"]
    rows = set(zip(sigma["process"], sigma["carrier"], sigma["estimator"], strict=True))
    assert rows == {(p, c, e) for p in PROCESSES for c in ("ion", "electron") for e in ("solver", "graph", "kMC")}
    assert (sigma["unit"] == "mS/cm").all()
    assert (sigma["replicas"] == 2).all()
    assert (sigma["standard_error"] > 0.0).all()
    quantities = set(table["quantity"])
    assert {
        "relative_density",
        "interphase_thickness",
        "interphase_volume_fraction",
        "activation_energy",
        "ratio",
    } <= quantities
    published = table[(table["quantity"] == "sigma") & (table["process"] == "co-fired") & (table["carrier"] == "ion")][
        "published"
    ]
    assert (published == 0.99).all()


def test_means_and_errors_are_those_of_the_replicas(compared):
    table, estimates = pd.read_csv(compared.folder / "table.csv"), pd.read_csv(compared.folder / "estimates.csv")
    assert len(estimates) == 2 * 2 * 2 * 3
    for (process, carrier, estimator), part in estimates.groupby(["process", "carrier", "estimator"]):
        mine = table[
            (table["quantity"] == "sigma")
            & (table["process"] == process)
            & (table["carrier"] == carrier)
            & (table["estimator"] == estimator)
        ].iloc[0]
        values = part["sigma_mS_per_cm"].to_numpy()
        assert mine["value"] == pytest.approx(values.mean())
        assert mine["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(2.0))


def test_json_is_the_table(compared):
    assert set(compared.found) == {"folder", "table", "estimates", "arrhenius", "run", "provenance"}
    assert len(compared.found["table"]) == len(pd.read_csv(compared.folder / "table.csv"))
    assert "report.html" in compared.err


def test_run_json_holds_the_full_input(compared, recipe):
    run = json.loads((compared.folder / "run.json").read_text())
    wanted = {"size_um": 3.0, "voxel_nm": 60.0, "replicas": 2, "seed": 1, "hops": 20000, "temperature_C": 60.0}
    assert {key: run["input"][key] for key in wanted} == wanted
    assert run["input"]["recipe"]["fire"]["interphase"]["thickness_p95_nm"] == 225.0
    assert run["input"]["materials"]["name"] == "lfp-latp"
    assert {"numpy", "numba", "scipy"} <= set(run["versions"])
    assert run["workers"] == 1
    assert run["command"].startswith("cofire compare --size-um 3 ")
    assert set(run["inputs"]) == {"lfp-latp", str(recipe)}
    assert compared.found["run"] == {key: entry for key, entry in run.items() if key != "percolation"}
    assert compared.found["provenance"]["input"]["recipe"] == run["input"]["recipe"]


def test_the_report_is_one_self_contained_page(compared):
    page = (compared.folder / "report.html").read_text()
    loads = re.findall(
        r"<(?:script|img|link|iframe|source|object|embed)\b[^>]*\b(?:src|href|data)\s*=\s*[\"']?([^\"'> ]+)", page
    )
    assert len(loads) >= 3
    assert all(address.startswith("data:") for address in loads)
    assert not re.search(r"url\(\s*[\"']?http|@import", page)
    assert "not drawn" not in page


def test_the_report_says_what_it_must(compared):
    page = unescape((compared.folder / "report.html").read_text())
    for word in ("ion", "electron", "solver", "graph", "kMC", *PROCESSES, "741", "10.1002/smll.202200266", "Arrhenius"):
        assert word in page, word
    for contradiction in CONTRADICTIONS:
        assert contradiction in page


@pytest.mark.parametrize("name", ["structures", "estimators", "arrhenius"])
def test_figures_are_not_blank(compared, name):
    from matplotlib import image

    pixels = image.imread(compared.folder / "figures" / f"{name}.png")
    assert min(pixels.shape[:2]) >= 300
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50


def test_a_folder_with_something_in_it_is_left_alone(refuse, compared, recipe):
    before = {path: path.stat().st_mtime_ns for path in compared.folder.rglob("*")}
    assert "--overwrite" in refuse("compare", *SMALL, "--recipe", recipe, "--out", compared.folder)
    assert {path: path.stat().st_mtime_ns for path in compared.folder.rglob("*")} == before


@pytest.fixture(scope="module")
def explained(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    folder = tmp_path_factory.mktemp("explained") / "out"
    coarse = ("--size-um", "2.4", "--voxel-nm", "80", "--hops", "5000")
    alone = ("--check-replicas", "1")
    return _compare(recipe, folder, *coarse, *alone, "--replicas", "2", "--workers", "1", "--explain")


def test_graph_and_hops_are_asked_of_as_many_seeds_as_told(explained):
    estimates = pd.read_csv(explained.folder / "estimates.csv")
    seeds = {name: set(part["seed"]) for name, part in estimates.groupby("estimator")}
    assert seeds == {"solver": {1, 2}, "graph": {1}, "kMC": {1}}
    table = pd.read_csv(explained.folder / "table.csv")
    sigma = table[table["quantity"] == "sigma"]
    assert set(zip(sigma["estimator"], sigma["replicas"], strict=True)) == {("solver", 2), ("graph", 1), ("kMC", 1)}


def test_explanations_are_written_as_tables(explained):
    assert {f"{name}.{suffix}" for name in EXPLANATIONS for suffix in ("csv", "parquet")} <= {
        path.name for path in explained.folder.iterdir()
    }
    assert {*EXPLANATIONS, "statement"} <= set(explained.found)
    for name in EXPLANATIONS:
        table, again = pd.read_csv(explained.folder / f"{name}.csv"), pd.read_parquet(explained.folder / f"{name}.parquet")
        assert list(again.columns) == list(table.columns)
        assert len(table) == len(again) == len(explained.found[name]) > 0
    assert r"\begin{tabular}" in (explained.folder / "table.tex").read_text()


def test_factors_of_the_waterfall_multiply_to_the_ratio_of_the_table(explained):
    table = pd.read_csv(explained.folder / "table.csv")
    ratios = table[(table["quantity"] == "ratio") & (table["estimator"] == "solver")].set_index("carrier")
    falls = pd.read_csv(explained.folder / "waterfall.csv")
    assert set(falls["carrier"]) == set(ratios.index) == {"ion", "electron"}
    for carrier, part in falls.groupby("carrier"):
        steps, total = part[part["step"] != "total"], part[part["step"] == "total"]
        assert len(steps) == 5
        assert steps["factor"].prod() == pytest.approx(ratios.loc[carrier, "value"], rel=1e-3)
        assert total["factor"].tolist() == [pytest.approx(ratios.loc[carrier, "value"], rel=1e-3)]
        assert (part["low"] < part["factor"] * (1.0 + 1e-9)).all()
        assert (part["high"] > part["factor"] * (1.0 - 1e-9)).all()
        fired = table[(table["quantity"] == "sigma") & (table["process"] == "co-fired") & (table["carrier"] == carrier)]
        fired = fired[fired["estimator"] == "solver"]["value"].item()  # arithmetic mean of two, the other is geometric
        assert part["sigma_before_mS_per_cm"].iloc[0] == pytest.approx(fired, rel=0.05)


def test_the_budget_sums_every_quantity(explained):
    budget = pd.read_csv(explained.folder / "budget.csv", keep_default_na=False, na_values={"standard_error": [""]})
    whole = budget[budget["source"] == "sum"]
    names = set(zip(whole["quantity"], whole["process"], whole["carrier"], strict=True))
    assert names == {
        *(("ratio", "", carrier) for carrier in ("ion", "electron")),
        *((q, p, c) for q in ("sigma", "activation_energy") for p in PROCESSES for c in ("ion", "electron")),
    }
    assert len(whole) == len(names)
    for keys, part in budget.groupby(["quantity", "process", "carrier"]):
        inside = part[(part["source"] != "sum") & (part["in_sum"].astype(str) == "True")]
        total = part[part["source"] == "sum"]["standard_error"].item()
        assert "replicas" in set(inside["source"]), keys
        assert total == pytest.approx(np.sqrt((inside["standard_error"] ** 2).sum())), keys
        assert total > 0.0


def test_the_report_explains(explained):
    page = unescape((explained.folder / "report.html").read_text())
    assert "not drawn" not in page
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    for title in ("one thing changed at a time", "What would close the gap", "Scenarios", "Error budget", "contradicts itself"):
        assert sum(title in one for one in titles) == 1, title
    assert explained.found["statement"] in page
    assert len(re.findall(r'<img [^>]*src="data:image/png;base64,', page)) == 7
    for step in pd.read_csv(explained.folder / "waterfall.csv")["step"]:
        assert f"<td>{step}</td>" in page
    for sentence in [row["text"] for row in explained.found["gaps"]]:
        assert sentence in page
    assert "with all sources of error" in page
    assert {"waterfall.png", "scenarios.png", "current-ion.png", "current-electron.png"} <= {
        path.name for path in (explained.folder / "figures").iterdir()
    }


@pytest.fixture(scope="module")
def single(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    folder = tmp_path_factory.mktemp("single") / "out"
    return _compare(recipe, folder, "--replicas", "1", "--workers", "1", "--voxel-nm", "80", "--hops", "5000", "--seed", "7")


def test_one_replica_gives_no_made_up_error(single):
    table = pd.read_csv(single.folder / "table.csv")
    hops = (table["quantity"] == "sigma") & (table["estimator"] == "kMC")
    fits = table["quantity"].str.startswith("activation_energy_fit")  # the error of a slope over temperatures
    assert fits.any()
    assert table[~hops & ~fits]["standard_error"].isna().all()
    estimates = pd.read_csv(single.folder / "estimates.csv")
    own = estimates[estimates["estimator"] == "kMC"]["own_stderr_mS_per_cm"]
    assert table[hops]["standard_error"].tolist() == pytest.approx(own.tolist())
    assert all(
        row["standard_error"] is None
        for row in single.found["table"]
        if row["estimator"] == "solver" and "_fit" not in row["quantity"]
    )
    assert "nan" not in re.sub(r"<[^>]*>", " ", (single.folder / "report.html").read_text()).lower().split()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--replicas", "0"), "replicas is 0"),
        (("--replicas", "-1"), "replicas is -1"),
        (("--replicas", "1000000000"), "10000"),
        (("--hops", "0"), "hops is 0"),
        (("--check-replicas", "-1"), "check_replicas is -1"),
        (("--hops", "1000000000000000000"), "hops"),
        (("--seed", "-1"), "seed is -1"),
        (("--seed", "18446744073709551615"), "seed"),
        (("--workers", "0"), "workers is 0"),
        (("--workers", "-2"), "workers is -2"),
        (("--temperature-C", "-300"), "-273.15"),
        (("--temperature-C", "nan"), "nan"),
        (("--size-um", "0"), "size_um"),
        (("--size-um", "nan"), "size_um"),
        (("--size-um", "100", "--voxel-nm", "100"), "particles"),
        (("--voxel-nm", "0"), "voxel_nm"),
        (("--voxel-nm", "0.5"), "voxels along an edge"),
        (("--recipe", "nothing.toml"), "nothing.toml"),
        (("--materials", "nothing.toml"), "nothing.toml"),
        (("--size-um", "0.9"), "box"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_before_anything_is_left_behind(refuse, work, monkeypatch, words, says):
    monkeypatch.setenv("COFIRE_MEMORY_GB", "1000")
    assert says in refuse("compare", "--out", "new", "--workers", "1", "--replicas", "1", *words)
    assert not (work / "new").exists()


@pytest.mark.parametrize("place", ["a.npy", "a.npy/below", "/proc/cofire"])
def test_a_place_that_cannot_be_written(refuse, work, place):
    assert "--out" in refuse("compare", "--out", place)


def test_folders_without_a_name_are_numbered(work):
    from cofire.store import open_folder

    names = [open_folder(None, "cofire-compare", False).name for _ in range(3)]
    assert names == ["cofire-compare", "cofire-compare-2", "cofire-compare-3"]
