"""Run commands in this process, and small structures that many tests share."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cofire.cli import main
from microstructures.formats import write
from microstructures.structure import VoxelStructure

RECIPE = "[fire.interphase]\nthickness_p05_nm = 90.0\nthickness_p95_nm = 130.0\n"
MATERIALS = """\
schema = 1
name = "two"
reference_temperature_C = 60.0
[phases.A]
label = 1
[phases.A.ion]
conductivity_S_per_m = 1.0
activation_energy_eV = 0.3
"""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON object on stdout."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def run_command(*arguments: object) -> Ran:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Return a function that runs a command and gives exit code, stdout and stderr."""

    def go(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return go


@pytest.fixture
def done(run: Callable[..., Ran]) -> Callable[..., Ran]:
    """Return a function that runs a command which must succeed."""

    def go(*arguments: object) -> Ran:
        ran = run(*arguments)
        assert ran.code == 0, ran.err
        return ran

    return go


@pytest.fixture
def refuse(run: Callable[..., Ran], work: Path) -> Callable[..., str]:
    """Return a function that runs a command which must be refused in one line without touching a file; it gives the line."""

    def go(*arguments: object, code: int = 2) -> str:
        before = fingerprints(work)
        ran = run(*arguments)
        assert ran.code == code, ran
        assert ran.out == ""
        assert ran.err.startswith("error: "), ran.err
        assert ran.err.count("\n") == 1, ran.err
        assert "Traceback" not in ran.err
        assert fingerprints(work) == before
        return ran.err

    return go


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one; it holds a.npy (all of phase A) and a.toml (its materials)."""
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.ones((4, 5, 6), dtype=np.uint8))
    Path("a.toml").write_text(MATERIALS)
    return tmp_path


@dataclass(frozen=True)
class Built:
    """Files of the pair that most tests look at."""

    recipe: Path
    cold: Path
    fired: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build a small cold-pressed and a small co-fired cathode once."""
    folder = tmp_path_factory.mktemp("built")
    files = Built(folder / "small.toml", folder / "cold.h5", folder / "fired.h5")
    files.recipe.write_text(RECIPE)
    for process, file in (("cold-pressed", files.cold), ("co-fired", files.fired)):
        ran = run_command("build", process, "--out", file, "--size-um", 3, "--voxel-nm", 50, "--recipe", files.recipe)
        assert ran.code == 0, ran.err
        assert ran.out == ""
    return files


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one channel of phase A along x as TIFF (z, y, x on disk), NPY and VTI, and its materials."""
    folder = tmp_path_factory.mktemp("images")
    labels = np.zeros((8, 6, 5), dtype=np.uint8)
    labels[:, 2, 3] = 1
    files = {suffix: folder / f"channel.{suffix}" for suffix in ("tif", "npy", "vti")}
    tifffile.imwrite(files["tif"], np.ascontiguousarray(labels.transpose(2, 1, 0)))
    np.save(files["npy"], labels)
    write(VoxelStructure.from_labels(labels, voxel_nm=25.0), files["vti"])
    materials = folder / "a.toml"
    materials.write_text(MATERIALS)
    return {**files, "toml": materials}
