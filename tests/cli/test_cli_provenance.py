"""Every answer and every structure says by which command, from what and when it was made."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from support import KNOWN

from microstructures.formats import content_hash, read, read_provenance
from microstructures.materials import shipped_materials

ANSWERS = {
    "info": ("info", "a.npy", "--voxel-nm", 25),
    "conduct": ("conduct", "a.npy", *KNOWN),
    "percolate": ("percolate", "a.npy", *KNOWN),
    "hop": ("hop", "a.npy", *KNOWN, "--hops", 500, "--walkers", 4),
    "import": ("import", "a.npy", "--out", "a.h5", "--voxel-nm", 25),
    "doctor": ("doctor",),
}


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_its_record(done, work, name):
    found = done(*ANSWERS[name], "--json").json
    said = found["provenance"]
    assert said["command"].startswith(f"cofire {name}")
    assert (said["program"], said["schema"], said["threads"]) == ("cofire", 1, 1)
    assert said["input"]["json"] is True
    assert ("a.npy" in said["inputs"]) == (name != "doctor")
    assert datetime.fromisoformat(said["start_UTC"]) <= datetime.fromisoformat(said["end_UTC"])
    assert said["seconds"] > 0.0
    assert len(found) > 1


def test_the_record_resolves_defaults_and_hashes_what_was_read(done, work):
    said = done(*ANSWERS["conduct"], "--axis", "y", "--json").json["provenance"]
    assert said["command"] == "cofire conduct a.npy --voxel-nm 25 --materials a.toml --axis y --json"
    assert said["input"]["temperature_C"] == 60.0  # the reference of the materials
    assert (said["input"]["axis"], said["input"]["boundary"], said["input"]["tolerance"]) == ("y", "plates", 1e-4)
    assert said["inputs"] == {
        name: {"sha256": sha256(name), "bytes": Path(name).stat().st_size} for name in ("a.npy", "a.toml")
    }  # fmt: skip


def test_shipped_materials_are_named_and_hashed(done, built):
    said = done("conduct", built.fired, "--json").json["provenance"]
    content = shipped_materials()["lfp-latp"].read_bytes()
    assert said["input"]["materials"] == "lfp-latp"
    assert said["inputs"]["lfp-latp"] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert said["inputs"][str(built.fired)]["sha256"] == sha256(built.fired)


def test_what_a_command_writes_is_no_input(done, work):
    found = done(*ANSWERS["conduct"], "--fields", "f.h5", "--contacts", "c.csv", "--overwrite", "--json").json
    assert found["files"] == ["f.h5", "c.csv"]
    assert set(found["provenance"]["inputs"]) == {"a.npy", "a.toml"}
    again = done(*ANSWERS["hop"], "--seed", 7, "--checkpoint", "c.npz", "--json").json["provenance"]
    assert (again["seed"], set(again["inputs"])) == (7, {"a.npy", "a.toml"})
    resumed = done(*ANSWERS["hop"], "--seed", 7, "--resume", "c.npz", "--json").json["provenance"]
    assert resumed["inputs"]["c.npz"]["sha256"] == sha256("c.npz")


def test_a_folder_of_slices_is_hashed_as_a_whole(done, work):
    from PIL import Image

    Path("scan").mkdir()
    for z in range(3):
        Image.fromarray(np.full((4, 5), 1, dtype=np.uint8)).save(f"scan/s{z}.png")
    said = done("info", "scan", "--voxel-nm", 25, "--json").json["provenance"]["inputs"]["scan"]
    assert said == {
        "sha256": content_hash("scan"),
        "bytes": sum(file.stat().st_size for file in Path("scan").iterdir()),
    }


def test_a_structure_says_by_which_command_it_was_built(built):
    said = read_provenance(built.cold)
    assert said["command"].startswith("cofire build cold-pressed --out ")
    assert (said["seed"], said["input"]["size_um"], said["input"]["voxel_nm"]) == (1, 3.0, 50.0)
    assert said["input"]["recipe"]["fire"]["interphase"]["thickness_p05_nm"] == 90.0
    assert said["inputs"][str(built.recipe)]["sha256"] == sha256(built.recipe)


def test_info_tells_who_made_a_structure(done, built, work):
    made = done("info", built.cold, "--json").json["made"]
    assert made == read_provenance(built.cold)
    assert f"cofire {made['version']}, {made['written_UTC']}" in done("info", built.cold).out
    assert done("info", "a.npy", "--voxel-nm", 25, "--json").json["made"] is None
    assert "made by" not in done("info", "a.npy", "--voxel-nm", 25).out


def test_a_body_that_is_fired_names_its_green_body(done, built, work):
    done("build", "co-fired", "--from", built.cold, "--out", "fired.h5")
    said = read_provenance(work / "fired.h5")
    assert said["inputs"] == {str(built.cold): {"sha256": sha256(built.cold), "bytes": built.cold.stat().st_size}}
    assert said["input"]["recipe"] is None  # that of the green body
    assert read(work / "fired.h5").recipe["fire"]["interphase"]["thickness_p05_nm"] == 90.0


def test_the_record_of_a_process_of_its_own_is_one_object(work):
    """As users run it: words from the shell, one object on stdout and nothing else."""
    words = [str(word) for word in (*ANSWERS["conduct"], "--json")]
    ran = subprocess.run([sys.executable, "-m", "cofire", *words], capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(ran.stdout)["provenance"]["command"] == " ".join(["cofire", *words])
