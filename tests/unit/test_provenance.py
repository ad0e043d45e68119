"""What outputs say of their making: the record, files of every schema, and what happens to newer ones."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pyarrow import parquet

from cofire import provenance
from cofire.calibration.materials import write_materials
from cofire.cli import app
from cofire.provenance import WRITTEN, identify, record, start
from cofire.store import write_table
from cofire.version import LIBRARIES, __version__
from kmc.hopping.checkpoint import SCHEMA as CHECKPOINT_SCHEMA
from kmc.hopping.checkpoint import load_checkpoint, save_checkpoint
from kmc.hopping.trajectories import Trajectories, read_trajectories, write_trajectories
from microstructures.errors import FormatError, InputError
from microstructures.formats import content_hash, guard, read, read_provenance, write
from microstructures.formats.hdf5 import SCHEMA
from microstructures.materials import load_materials, parse_materials, shipped_materials
from microstructures.structure import VoxelStructure

DATA = Path(__file__).parents[1] / "data"
KEYS = [
    "schema", "program", "version", "command", "input", "seed", "inputs", "versions", "threads", "host", "system", "start_UTC",
    "end_UTC", "seconds",
]  # fmt: skip
READ = {"structure", "structures", "image", "recipe", "from_file", "resume", "study", "folder", "case"}
"""Options that name a file or folder that a command reads."""
LONG_AGO_S = 1_600_000_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def short_hash(array: Any) -> str:
    return sha256(np.ascontiguousarray(array).tobytes())[:16]


def settled(path: Path, content: bytes, at_s: float = LONG_AGO_S) -> Path:
    """Write a file that looks as if nobody had touched it for years."""
    path.write_bytes(content)
    os.utime(path, (at_s, at_s))
    return path


# --------------------------------------------------------------------------------------------- the record


def test_a_record_says_who_what_from_what_and_when(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("# nothing else\n")
    found = record(start("cofire.example"), input={"size_um": np.float64(3.0), "place": tmp_path}, seed=7, files=[recipe])
    assert list(found) == KEYS
    assert (found["program"], found["version"], found["command"], found["seed"]) == ("cofire", __version__, "cofire.example", 7)
    assert found["input"] == {"size_um": 3.0, "place": str(tmp_path)}
    assert found["inputs"] == {str(recipe): {"sha256": sha256(b"# nothing else\n"), "bytes": 15}}
    assert {"python", "numpy", "numba", "llvmlite"} <= set(found["versions"])
    assert found["threads"] == 1
    assert datetime.fromisoformat(found["start_UTC"]).utcoffset() == timedelta(0)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_cannot_make_time_negative(hours: int) -> None:
    begun = start("x")
    found = record(replace(begun, moment=begun.moment + timedelta(hours=hours)), input={})
    assert 0.0 <= found["seconds"] < 60.0
    assert (found["start_UTC"] > found["end_UTC"]) == (hours > 0)


def test_words_typed_count_inside_a_command_only() -> None:
    with provenance.running(["conduct", "my file.h5"]):
        assert start("cofire.compare").command == "cofire conduct 'my file.h5'"
        assert provenance.of_command() is None  # its options are not known yet
        provenance.note_options({"seed": 3, "out": Path("absent.h5")})
        found = provenance.of_command()
    assert found is not None
    assert (found["seed"], found["input"], found["inputs"]) == (3, {"seed": 3, "out": "absent.h5"}, {})
    assert start("cofire.compare").command == "cofire.compare"
    assert provenance.of_command() is None


def test_every_library_of_the_project_is_in_the_record() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[<>=\[; ]", line)[0] for line in project["dependencies"]}
    assert needed <= set(LIBRARIES)


def test_every_path_that_a_command_takes_is_known_as_read_or_written() -> None:
    paths = {
        name
        for command in app.registered_commands
        if "json" in command.callback.__annotations__  # type: ignore[union-attr]
        for name, kind in command.callback.__annotations__.items()  # type: ignore[union-attr]
        if re.search(r"\bPath\b|options\.(Structure|Out)\b", str(kind))
    }
    assert {"structure", "image", "out", "fields"} <= paths
    assert paths - WRITTEN <= READ
    assert not WRITTEN & READ


# ------------------------------------------------------------------------------------------- hashes of inputs


def test_files_folders_and_shipped_materials_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"defg")
    assert identify(tmp_path / "a") == {"sha256": sha256(b"abc"), "bytes": 3}
    assert identify(tmp_path) == {"sha256": content_hash(tmp_path), "bytes": 7}
    shipped = shipped_materials()["lfp-latp"].read_bytes()
    assert identify("lfp-latp") == {"sha256": sha256(shipped), "bytes": len(shipped)}


def test_a_file_that_has_gone_costs_no_result(tmp_path: Path) -> None:
    assert identify(tmp_path / "gone") == {"sha256": None, "bytes": None}


def test_a_file_that_changed_while_a_run_read_it_is_told(tmp_path: Path) -> None:
    begun = start("x")
    before, after = (begun.moment.timestamp() + shift for shift in (-60.0, 60.0))
    files = settled(tmp_path / "a", b"a", before), settled(tmp_path / "b", b"b", after)
    found = record(begun, input={}, files=files)["inputs"]
    assert found[str(files[0])] == {"sha256": sha256(b"a"), "bytes": 1}
    assert found[str(files[1])] == {"sha256": sha256(b"b"), "bytes": 1, "changed_since_start": True}


@pytest.mark.parametrize(
    ("name", "header"), [("a.mhd", "NDims = 3\nElementDataFile = a.raw\n"), ("a.nhdr", "NRRD0004\ndata file: a.raw\n")]
)
def test_voxels_beside_their_header_are_an_input_too(tmp_path: Path, name: str, header: str) -> None:
    (tmp_path / name).write_text(header)
    (tmp_path / "a.raw").write_bytes(b"\1" * 27)
    found = record(start("x"), input={}, files=[tmp_path / name])["inputs"]
    assert found[str(tmp_path / "a.raw")] == {"sha256": sha256(b"\1" * 27), "bytes": 27}


@pytest.fixture
def digests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with every file whose bytes are read to be hashed."""
    done: list[str] = []
    real = hashlib.file_digest

    def counted(stream: Any, kind: str) -> Any:
        done.append(stream.name)
        return real(stream, kind)

    monkeypatch.setattr(guard.hashlib, "file_digest", counted)
    return done


def test_a_file_is_read_once_to_be_hashed(tmp_path: Path, digests: list[str]) -> None:
    path = settled(tmp_path / "big.raw", b"one")
    assert content_hash(path) == content_hash(path) == sha256(b"one")
    assert len(digests) == 1
    settled(path, b"two", LONG_AGO_S + 1)
    assert content_hash(path) == sha256(b"two")
    assert len(digests) == 2


def test_a_file_written_just_now_is_never_trusted(tmp_path: Path) -> None:
    path, now = tmp_path / "fresh", time.time()
    settled(path, b"one", now)
    assert content_hash(path) == sha256(b"one")
    settled(path, b"two", now)  # same size, same time
    assert content_hash(path) == sha256(b"two")


# ---------------------------------------------------------------------------------------- files of every schema


def test_a_file_of_every_schema_is_kept_and_small() -> None:
    assert {f"structure-schema{number}.h5" for number in range(1, SCHEMA + 1)} <= {file.name for file in DATA.iterdir()}
    assert (DATA / f"checkpoint-schema{CHECKPOINT_SCHEMA}.npz").is_file()
    assert all(file.stat().st_size < 40_000 for file in DATA.iterdir())


@pytest.mark.parametrize("number", range(1, SCHEMA + 1))
def test_stored_files_have_the_schema_of_their_name(number: int) -> None:
    with h5py.File(DATA / f"structure-schema{number}.h5") as file:
        assert file.attrs["schema"] == number


def test_schema_1_is_migrated() -> None:
    """Numbers as the program that wrote the file read it."""
    found = read(DATA / "structure-schema1.h5")
    assert (found.process, found.shape, found.seed, found.n_grains) == ("cold-pressed", (27, 27, 27), 3, 20)
    assert short_hash(found.labels) == "b9719f5dbf967a0d"
    assert short_hash(found.grains) == "8078aed0731fd43e"
    assert found.particles is not None
    assert found.contacts is not None
    assert (len(found.particles), len(found.contacts)) == (20, 60)
    assert found.particles.radius.sum() == pytest.approx(1.0261186695057826e-05, rel=1e-12)
    assert found.contacts.radius.sum() == pytest.approx(1.0063427925580721e-06, rel=1e-12)
    np.testing.assert_array_equal(found.particles.grain, np.arange(1, 21))
    assert (dict(found.coatings), found.shells, found.composition) == ({}, None, None)
    assert read_provenance(DATA / "structure-schema1.h5") == {"program": "cofire", "version": "0.1.0"}


def test_schema_2_is_migrated() -> None:
    found = read(DATA / "structure-schema2.h5")
    assert (found.process, found.shape, found.seed, found.n_grains) == ("co-fired", (24, 24, 24), 3, 20)
    assert short_hash(found.labels) == "d7808518b18d7c68"
    assert short_hash(found.grains) == "ece729d44f9511f9"
    assert found.shells is not None
    assert (len(found.shells), found.shells.product) == (47, "LFTAP")
    assert found.shells.thickness.sum() == pytest.approx(3.084197853027941e-06, rel=1e-12)
    assert found.coatings["LFP"].thickness == pytest.approx(4e-9)
    assert read_provenance(DATA / "structure-schema2.h5") == {"program": "cofire", "version": "0.1.0"}


def test_schema_3_says_who_wrote_it() -> None:
    found, made = read(DATA / "structure-schema3.h5"), read_provenance(DATA / "structure-schema3.h5")
    assert short_hash(found.labels) == "5de9be27f0d3ddf5"
    assert short_hash(found.composition) == "ad5bab06486b67f3"
    assert (made["program"], made["version"], made["host"]) == ("cofire", "0.1.0", "example")
    assert made["command"].startswith("cofire build co-fired")
    assert {"python", "numpy", "h5py"} <= set(made["versions"])


def test_a_migrated_structure_is_written_in_the_present_schema(tmp_path: Path) -> None:
    old = read(DATA / "structure-schema1.h5")
    path = write(old, tmp_path / "new.h5", provenance={"command": "by hand"})
    with h5py.File(path) as file:
        assert file.attrs["schema"] == SCHEMA
    new = read(path)
    np.testing.assert_array_equal(new.labels, old.labels)
    assert new.recipe == old.recipe
    made = read_provenance(path)
    assert (made["command"], made["version"]) == ("by hand", __version__)
    assert datetime.fromisoformat(made["written_UTC"]).utcoffset() == timedelta(0)


def stored_checkpoint() -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(DATA / f"checkpoint-schema{CHECKPOINT_SCHEMA}.npz", allow_pickle=False) as file:
        said = json.loads(str(file["_identity"]))
        return said, {name: file[name] for name in file.files if not name.startswith("_")}


def test_the_stored_checkpoint_is_read_and_says_who_wrote_it() -> None:
    said, arrays = stored_checkpoint()
    assert said["program_version"] == "0.1.0"
    identity = {key: value for key, value in said.items() if key not in ("program_version", "written_UTC")}
    found = load_checkpoint(DATA / f"checkpoint-schema{CHECKPOINT_SCHEMA}.npz", identity)
    assert found.keys() == arrays.keys()
    assert found["sites"].shape == (4,)
    assert int(found["hops"].sum()) > 0


# --------------------------------------------------------------------------------------------- other schemas


def newer_structure(folder: Path) -> Any:
    path = folder / "newer.h5"
    path.write_bytes((DATA / "structure-schema3.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["schema"], file.attrs["program_version"] = 9, np.bytes_(b"7.8.9")
    return lambda: read(path)


def newer_provenance(folder: Path) -> Any:
    newer_structure(folder)
    return lambda: read_provenance(folder / "newer.h5")


def newer_checkpoint(folder: Path) -> Any:
    said, arrays = stored_checkpoint()
    save_checkpoint(folder / "newer.npz", {**said, "schema": 9}, arrays)
    return lambda: load_checkpoint(folder / "newer.npz", {**said, "schema": CHECKPOINT_SCHEMA})


def newer_trajectories(folder: Path) -> Any:
    path = folder / "newer.h5"
    ways = Trajectories(np.arange(2.0), np.zeros((1, 2, 3)), np.zeros((1, 2), np.uint8), ("A",), np.array([0]))
    write_trajectories(path, ways)
    assert read_trajectories(path).phase_names == ("A",)
    with h5py.File(path, "r+") as file:
        assert json.loads(file.attrs["provenance"])["version"] == __version__
        file.attrs["schema"] = 9
    return lambda: read_trajectories(path)


def newer_materials(folder: Path) -> Any:
    content = shipped_materials()["lfp-latp"].read_bytes().replace(b"schema = 1", b"schema = 9")
    return lambda: parse_materials(content, "newer.toml")


@pytest.mark.parametrize(
    "make", [newer_structure, newer_provenance, newer_checkpoint, newer_trajectories, newer_materials], ids=lambda f: f.__name__
)
def test_a_newer_schema_is_refused_in_one_line(tmp_path: Path, make: Callable[[Path], Callable[[], Any]]) -> None:
    reading = make(tmp_path)
    with pytest.raises(InputError) as caught:
        reading()
    line = str(caught.value)
    assert "schema 9" in line
    assert "newer" in line
    assert f"newer than this program reads (cofire {__version__}: " in line
    assert "pip install --upgrade cofire" in line
    assert "\n" not in line


def test_the_version_that_wrote_a_newer_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"written by cofire 7\.8\.9"):
        newer_structure(tmp_path)()


def test_a_checkpoint_of_an_older_schema_is_refused(tmp_path: Path) -> None:
    said, arrays = stored_checkpoint()
    save_checkpoint(tmp_path / "old.npz", {**said, "schema": 1}, arrays)
    with pytest.raises(FormatError, match=r"has schema 1; allowed: 2 .*start the run again"):
        load_checkpoint(tmp_path / "old.npz", said)


# --------------------------------------------------------------------------------- tables, pictures, materials


def test_a_parquet_table_says_who_wrote_it_and_nothing_that_changes(tmp_path: Path) -> None:
    table = pd.DataFrame({"sigma_mS_per_cm": [1.0, 2.0], "process": ["cold-pressed", "co-fired"]})
    for name in ("a", "b"):
        write_table(tmp_path / name, table)
    said = parquet.read_schema(tmp_path / "a.parquet").metadata[b"cofire"]
    assert json.loads(said) == {"program": "cofire", "version": __version__}
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table)


def test_pictures_say_who_drew_them(tmp_path: Path) -> None:
    import viz

    block = VoxelStructure.from_labels(np.ones((4, 4, 4), int), voxel_nm=25, phases={1: "LFP"})
    table = pd.DataFrame(
        {"process": "co-fired", "carrier": "ion", "temperature_C": [60.0, 80.0], "sigma_mS_per_cm": [1.0, 2.0]}
    )  # fmt: skip
    plot, drawing, *_ = viz.save(viz.arrhenius(table), tmp_path / "plot")
    scene = viz.render(block, png=tmp_path / "scene.png", html=tmp_path / "scene.html", size=(320, 240))
    for path in (plot, scene):
        with Image.open(path) as picture:
            assert picture.info["Software"] == f"cofire {__version__}"
            assert datetime.fromisoformat(picture.info["Creation Time"]).utcoffset() == timedelta(0)
    assert f"cofire {__version__}" in drawing.read_text(encoding="utf-8")
    assert f'<meta name="generator" content="cofire {__version__}">' in (tmp_path / "scene.html").read_text(encoding="utf-8")


def test_written_materials_begin_with_their_record(tmp_path: Path) -> None:
    known = record(start("cofire calibrate --out 'a\nb.toml'"), input={"size_um": 3.0}, seed=1)
    write_materials(load_materials(), tmp_path / "m.toml", known)
    lines = (tmp_path / "m.toml").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"# cofire {__version__}, ")
    said = json.loads(lines[1].removeprefix("# provenance: "))
    assert said == {key: value for key, value in known.items() if key != "input"}
    assert load_materials(tmp_path / "m.toml").to_dict() == load_materials().to_dict()
