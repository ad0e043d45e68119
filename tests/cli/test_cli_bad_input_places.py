"""Hostile places and moments: exit code 2 and one line, nothing overwritten. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import KNOWN

ROOT = Path(__file__).parents[2]
CONDUCT = ("conduct", "a.npy", *KNOWN)


@pytest.mark.parametrize("command", ["build", "import"])
@pytest.mark.parametrize(
    ("out", "says"),
    [
        pytest.param("a.npy", "exists already", id="74-exists"),
        pytest.param(".", "folder", id="69-folder"),
        pytest.param("new.xyz", ".h5", id="69-unknown-suffix"),
        pytest.param("new", ".h5", id="69-no-suffix"),
        pytest.param("none/new.h5", "does not exist", id="69-no-such-folder"),
        pytest.param("a.npy/new.h5", "does not exist", id="69-below-a-file"),
        pytest.param("/proc/new.h5", "cannot be written", id="69-unwritable"),
        pytest.param("x" * 300 + ".h5", "too long", id="26-very-long"),
        pytest.param("~nosuchuser/new.h5", "home", id="27-unknown-home"),
    ],
)
def test_where_to_write_is_checked_before_anything_is_computed(refuse, work, monkeypatch, command, out, says):
    monkeypatch.setattr("cofire.building.build", lambda *arguments, **options: pytest.fail("it computed first"))
    words = ("build", "cold-pressed") if command == "build" else ("import", "a.npy", "--voxel-nm", 25)
    assert says in refuse(*words, "--out", out)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        pytest.param("nothing.h5", "nothing.h5 does not exist; check the path", id="23-missing"),
        pytest.param("nothing.tif", "nothing.tif does not exist; check the path", id="23-missing-image"),
        pytest.param(".", ".h5", id="23-folder"),
        pytest.param("a.toml", ".npy", id="23-unknown-suffix"),
        pytest.param("x" * 300 + ".npy", "cannot be opened", id="26-very-long"),
    ],
)
def test_place_of_a_structure(refuse, work, path, says):
    line = refuse("info", path, "--voxel-nm", 25)
    assert says in line
    assert line.count("check the path") <= 1


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ä ö 😀 文.npy", id="26-unicode-and-spaces"),
        pytest.param("two\nlines.npy", id="26-line-break"),
        pytest.param(" .npy", id="26-blank"),
        pytest.param("./-x.npy", id="26-dash"),
        pytest.param("a'b\";$(x)`.npy", id="26-shell-signs"),
        pytest.param("/".join(["d" * 200] * 5) + "/a.npy", id="26-path-of-1000-characters"),
        pytest.param("CON.npy", id="86-reserved-name-of-windows"),
    ],
)
def test_names_that_are_odd_but_work(done, refuse, work, name):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    np.save(name, np.ones((4, 4, 4), np.uint8))
    done("import", name, "--out", f"{name}.h5", "--voxel-nm", 25)
    assert done("info", f"{name}.h5", "--json").json["shape"] == [4, 4, 4]
    refuse("info", f"{name}.gone.npy", "--voxel-nm", 25)


@pytest.mark.parametrize(
    "out",
    [
        pytest.param("../{here}/s.h5", id="27-two-dots"),
        pytest.param("~/s.h5", id="27-home"),
        pytest.param("$X/s.h5", id="27-variable"),
    ],
)
def test_paths_are_resolved_once_and_said(run, work, monkeypatch, out):
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("X", str(work))
    ran = run("import", "a.npy", "--out", out.format(here=work.name), "--voxel-nm", 25)
    if "$" in out:  # a shell resolves variables; who quotes them is told the path that was looked for
        assert ran.code == 2
        assert str(work / "$X") in ran.err
    else:
        assert ran.code == 0
        assert str(work / "s.h5") in ran.err.replace("\n", "")
        assert (work / "s.h5").exists()


@pytest.mark.parametrize(
    "number", [pytest.param(errno.ENOSPC, id="70-disk-full"), pytest.param(errno.EROFS, id="69-read-only-disk")]
)
def test_a_disk_that_refuses_in_the_middle(refuse, work, monkeypatch, number):
    """The file that stands there stays as it is, and nothing half written remains."""
    Path("new.h5").write_bytes(b"precious")

    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", fail)
    assert os.strerror(number) in refuse("import", "a.npy", "--out", "new.h5", "--overwrite", "--voxel-nm", 25)


@pytest.mark.parametrize("name", [pytest.param("new.h5", id="71-killed-while-writing")])
def test_a_write_that_is_killed_leaves_the_old_file(work, name):
    """The process ends without a word between the last byte and the move."""
    Path(name).write_bytes(b"precious")
    code = (
        "import os, sys\nos.replace = lambda *names: os._exit(9)\n"
        "from cofire.cli import main\nmain(sys.argv[1:])"
    )  # fmt: skip
    words = ["import", "a.npy", "--out", name, "--overwrite", "--voxel-nm", "25"]
    done = subprocess.run([sys.executable, "-c", code, *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert done.returncode == 9
    assert Path(name).read_bytes() == b"precious"


@pytest.mark.parametrize("folder", [pytest.param("full", id="74-folder-of-another-run")])
def test_a_folder_that_holds_something(refuse, work, folder):
    Path(folder).mkdir()
    (Path(folder) / "run.json").write_text("{}")
    assert "--overwrite" in refuse("compare", "--out", folder)


PACKAGES = ("cofire", "viz", "kmc", "microstructures", "scripts")
FORBIDDEN = [
    pytest.param(r"\b(pickle|cPickle|dill|joblib|shelve|marshal)\b", id="47-no-pickle"),
    pytest.param(r"allow_pickle\s*=\s*True|np\.load\((?![^)]*allow_pickle=False)", id="47-no-pickled-arrays"),
    pytest.param(r"\byaml\b", id="24-no-yaml"),
    pytest.param(r"\b(eval|exec)\(", id="24-no-code-in-input"),
    pytest.param(r"\b(extractall|extract|unpack_archive|tarfile)\b", id="45-nothing-is-unpacked"),
    pytest.param(r"\b(setlocale|locale\.(atof|atoi))\b", id="25-numbers-never-by-locale"),
    pytest.param(r"datetime\.now\(\)|utcnow\(", id="77-times-in-UTC"),
]


@pytest.mark.parametrize("words", FORBIDDEN)
def test_what_the_packages_never_use(words):
    """Between its own processes a worker pool pickles tasks; no file is ever read or written that way."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if package != "scripts" or "eval" not in words  # a script runs the code of the gallery's own page
        if re.search(words, line.partition("#")[0]) and not line.lstrip().startswith(('"', "'"))
    ]
    assert found == []


@pytest.mark.parametrize("package", [pytest.param("cofire", id="77-durations-by-the-monotonic-clock")])
def test_durations_survive_a_clock_that_jumps_back(done, work, monkeypatch, package):
    times = iter(range(10**9, 0, -1000))
    monkeypatch.setattr("time.time", lambda: float(next(times)))
    found = done(*CONDUCT, "--json").json
    assert 0.0 <= found["seconds"] < 600.0
