"""What does not fit into memory is refused at once: one line with what it takes, what there is, and what would fit."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from cofire import cli
from cofire.building import build
from microstructures.formats import write


@pytest.fixture
def sixteen(monkeypatch):
    """State that 16 GB may be used."""
    monkeypatch.setenv("COFIRE_MEMORY_GB", "16")


@pytest.fixture
def huge(work):
    """Return an image of 5000 x 5000 x 5000 voxels of which nothing is on the disk."""
    with open("huge.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (5000, 5000, 5000)})
        file.truncate(file.tell() + 5000**3)
    yield Path("huge.npy")
    Path("huge.npy").unlink()


@pytest.fixture
def refused(run):
    """Return a function that runs a command that must be refused in one line; it gives the line."""

    def go(*arguments: object) -> str:
        ran = run(*arguments)
        assert (ran.code, ran.out) == (2, ""), ran
        assert ran.err.startswith("error: ")
        assert ran.err.count("\n") == 1, ran.err
        return ran.err

    return go


@pytest.mark.parametrize(
    ("command", "user"),
    [
        (("conduct",), "the solver would take about"),
        (("conduct", "--axis", "all"), "the solver would take about"),
        (("percolate",), "the contact graph would take about"),
        (("hop",), "kinetic Monte Carlo would take about"),
        (("import", "--out", "new.h5"), "importing it would take about"),
    ],
)
def test_image_of_5000_voxels_along_each_edge(refused, huge, sixteen, command, user):
    line = refused(command[0], huge, *command[1:], "--voxel-nm", 25)
    for says in (
        "huge.npy claims 5000 x 5000 x 5000 voxels: 125 GB of labels",
        user,
        "available: 16 GB; crop it to",
        "times as coarse",
    ):
        assert says in line
    assert line.endswith("or say with COFIRE_MEMORY_GB what may be used\n")
    assert not Path("new.h5").exists()


@pytest.mark.parametrize("command", ["info", "show"])
def test_commands_without_an_estimate_refuse_what_cannot_be_read(refused, huge, sixteen, command):
    out = () if command == "info" else ("--png", "x.png")
    line = refused(command, huge, "--voxel-nm", 25, *out)
    assert "claims 5000 x 5000 x 5000 voxels, which take 250 GB to read; available: 16 GB; crop or coarsen" in line


def test_cropped_import_is_judged_by_what_is_left(run, refused, work, monkeypatch):
    np.save("scan.npy", np.ones((120, 120, 120), dtype=np.uint8))
    words = ("import", "scan.npy", "--out", "scan.h5", "--voxel-nm", 25, "--phases", "1=LFP")
    monkeypatch.setenv("COFIRE_MEMORY_GB", "0.17")
    assert "scan.npy claims 120 x 120 x 120 voxels" in refused(*words)
    assert run(*words, "--crop", "0:20,0:20,0:20").code == 0


@pytest.mark.parametrize("process", ["co-fired", "cold-pressed"])
def test_body_of_5000_voxels_along_each_edge(refused, work, sixteen, process):
    size_um = 143 if process == "co-fired" else 125
    line = refused("build", process, "--size-um", size_um, "--voxel-nm", 25, "--out", "new.h5")
    for says in (
        f"building a {process} body of ",
        "(its labels and grains alone 62",
        "the solver later ",
        "use a size_um of at most",
    ):
        assert says in line
    assert "available: 16 GB" in line
    assert not Path("new.h5").exists()


def test_structure_of_ours_is_judged_by_its_header(refused, work, monkeypatch):
    shape = (1200, 1200, 1200)
    write(build("cold-pressed", size_um=3.0, voxel_nm=60.0), "body.h5")
    with h5py.File("body.h5", "r+") as file:
        for name in ("labels", "grains"):
            kind = file[name].dtype
            del file[name]
            file.create_dataset(name, shape, kind, chunks=(150, 150, 150), fillvalue=1)
            file[name][:150, :150, :150] = np.random.default_rng(1).integers(1, 3, (150, 150, 150))
    monkeypatch.setenv("COFIRE_MEMORY_GB", "16")
    line = refused("conduct", "body.h5")
    assert "body.h5 claims 1200 x 1200 x 1200 voxels: 1.73 GB of labels, and the solver would take about" in line


def test_what_fits_is_computed(run, work, monkeypatch):
    monkeypatch.setenv("COFIRE_MEMORY_GB", "1")
    ran = run("conduct", "a.npy", "--voxel-nm", 25, "--materials", "a.toml", "--json")
    assert ran.code == 0, ran.err


def test_statement_that_is_no_number(refused, work, monkeypatch):
    monkeypatch.setenv("COFIRE_MEMORY_GB", "plenty")
    line = refused("conduct", "a.npy", "--voxel-nm", 25, "--materials", "a.toml")
    assert "COFIRE_MEMORY_GB is 'plenty'; allowed: a number above 0, in GB, like 16; correct or unset it" in line


def test_too_many_carriers_are_refused_before_they_are_placed(refused, work, sixteen):
    line = refused("hop", "a.npy", "--voxel-nm", 25, "--materials", "a.toml", "--walkers", 10_000_000)
    assert "kinetic Monte Carlo on a.npy, 4 x 5 x 6 voxels, takes about 21" in line
    assert "ask for less of it" in line
    assert cli.main(["hop", "a.npy", "--voxel-nm", "25", "--materials", "a.toml", "--walkers", "100", "--hops", "1000"]) == 0


def test_a_comparison_that_does_not_fit(refuse, work, monkeypatch):
    monkeypatch.setenv("COFIRE_MEMORY_GB", "0.1")
    line = refuse("compare", "--out", "new")
    assert "4 um at 25 nm takes about" in line
    assert "COFIRE_MEMORY_GB" in line
