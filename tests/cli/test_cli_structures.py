"""From a recipe or an image to a structure, and from a structure to a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from support import contents

from microstructures.formats import content_hash, read


def test_the_pair_comes_from_one_green_body(built):
    cold, fired = read(built.cold), read(built.fired)
    assert (cold.process, fired.process) == ("cold-pressed", "co-fired")
    assert cold.seed == fired.seed == 1
    assert len(cold.particles) == len(fired.particles)
    np.testing.assert_array_equal(cold.particles.label, fired.particles.label)
    assert cold.contacts is not None
    assert len(cold.contacts) > 0
    assert fired.recipe["fire"]["interphase"]["thickness_p05_nm"] == 90.0


@pytest.mark.parametrize("process", ["cold-pressed", "co-fired"])
def test_the_same_seed_gives_the_same_bits(done, built, work, process):
    words = ("build", process, "--size-um", 3, "--voxel-nm", 50, "--recipe", built.recipe)
    done(*words, "--out", "again.h5")
    assert contents("again.h5") == contents(built.cold if process == "cold-pressed" else built.fired)
    done(*words, "--out", "other.h5", "--seed", 2)
    assert contents("other.h5")["labels"] != contents("again.h5")["labels"]


def test_building_is_silent_on_stdout_and_says_where_on_stderr(done, built, work):
    ran = done("build", "cold-pressed", "--out", "cold.h5", "--size-um", 3, "--voxel-nm", 80)
    assert ran.out == ""
    assert "38x38x38 voxels of 80 nm" in ran.err
    assert str(work / "cold.h5") in ran.err


def test_an_existing_file_is_replaced_only_when_told(done, refuse, work):
    words = ("build", "cold-pressed", "--size-um", 3, "--voxel-nm", 80, "--out", "precious.h5")
    Path("precious.h5").write_text("precious")
    assert "--overwrite" in refuse(*words)
    done(*words, "--overwrite")
    assert read("precious.h5").shape == (38, 38, 38)


def test_an_image_keeps_the_labels_and_says_what_it_loses(done, work):
    ran = done("build", "cold-pressed", "--size-um", 3, "--voxel-nm", 80, "--out", "cold.tif")
    assert "labels only" in ran.err
    assert tifffile.imread("cold.tif").shape == (38, 38, 38)


@pytest.mark.parametrize("suffix", ["tif", "npy", "vti"])
def test_an_image_is_an_argument_of_every_command(done, images, suffix):
    where = () if suffix == "vti" else ("--voxel-nm", 25)
    known = ("--materials", images["toml"])
    assert done("info", images[suffix], *where, "--json").json["shape"] == [8, 6, 5]
    found = done("conduct", images[suffix], *where, *known, "--axis", "all", "--json").json
    assert found["sigma_eff_S_per_m"] == {"x": pytest.approx(1.0 / 30.0, rel=1e-6), "y": 0.0, "z": 0.0}
    assert found["volume_fraction"] == pytest.approx({"pore": 29 / 30, "A": 1 / 30})
    assert done("percolate", images[suffix], *where, *known, "--json").json["percolates"] is True
    hopped = done("hop", images[suffix], *where, *known, "--hops", 500, "--json").json
    assert hopped["residence_fraction"] == {"pore": 0.0, "A": 1.0}


def test_voxels_need_not_be_cubes(done, images):
    found = done("info", images["npy"], "--voxel-nm", "25,25,50", "--json").json
    assert found["voxel_nm"] == pytest.approx([25.0, 25.0, 50.0])


def test_import_names_the_phases_and_remembers_the_image(done, images, work):
    ran = done("import", images["tif"], "--out", "scan.h5", "--voxel-nm", 25, "--phases", "0=pore,1=A")
    assert ran.out == ""
    scan = read("scan.h5")
    assert scan.phases == {0: "pore", 1: "A"}
    assert scan.shape == (8, 6, 5)
    assert scan.recipe["sha256"] == content_hash(images["tif"])
    assert "0 grains" in ran.err
    found = done("conduct", "scan.h5", "--materials", images["toml"], "--json").json
    assert found["sigma_eff_S_per_m"] == pytest.approx(1.0 / 30.0, rel=1e-6)


@pytest.fixture
def halves(work) -> Path:
    """Write two balls of A in the left half, B in the right half."""
    labels = np.zeros((24, 16, 16), dtype=np.uint8)
    x, y, z = np.indices(labels.shape)
    for centre in (4.5, 10.5):
        labels[(x - centre) ** 2 + (y - 8) ** 2 + (z - 8) ** 2 < 4.4**2] = 1
    labels[14:] = 2
    np.save("halves.npy", labels)
    return work / "halves.npy"


def test_import_tells_grains_apart(done, halves):
    done("import", halves, "--out", "grains.h5", "--voxel-nm", 25, "--phases", "0=pore,1=A,2=B", "--segment-grains")
    grains = read("grains.h5").grains
    assert grains is not None
    labels = np.load(halves)
    assert grains[4, 8, 8] != grains[10, 8, 8]
    assert len(np.unique(grains[labels == 2])) == 1
    assert not grains[labels == 0].any()


def test_import_grows_an_interphase_as_thick_as_told(done, halves):
    words = ("import", halves, "--voxel-nm", 25, "--phases", "0=pore,1=A,2=B", "--grow-interphase", "A|B:50-50")
    done(*words, "--product", "AB", "--out", "grown.h5")
    grown = read("grown.h5")
    assert grown.phases == {0: "pore", 1: "A", 2: "B", 3: "AB"}
    before = np.load(halves)
    assert set(before[grown.labels == 3].tolist()) == {2}
    assert np.flatnonzero((grown.labels == 3).any(axis=(1, 2))).tolist() == [14, 15]
    assert grown.recipe["interphase"]["thickness_p95_nm"] == 50.0
    done(*words, "--product", "AB", "--out", "same.h5")
    assert contents("same.h5") == contents("grown.h5")


def test_import_says_when_nothing_grew(done, images, work):
    words = ("import", images["npy"], "--voxel-nm", 25, "--phases", "0=pore,1=A,2=B", "--grow-interphase", "A|B:50-90")
    assert "no LFTAP grew" in done(*words, "--out", "grown.h5").err


def _is_a_picture(file: Path) -> bool:
    from matplotlib import image

    pixels = image.imread(file)
    return min(pixels.shape[:2]) >= 200 and len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 20


@pytest.mark.parametrize("field", ["phase", "grain", "potential", "current"])
def test_show_draws_a_picture(done, built, work, field):
    done("show", built.fired, "--field", field, "--png", "picture.png")
    assert _is_a_picture(work / "picture.png")
    assert sorted(path.name for path in work.iterdir()) == ["a.npy", "a.toml", "picture.png"]


def test_show_writes_a_page_alone(done, built, work):
    done("show", built.fired, "--html", "page.html")
    page = (work / "page.html").read_text()
    assert "<canvas" in page
    assert sorted(path.name for path in work.iterdir()) == ["a.npy", "a.toml", "page.html"]


def test_show_writes_both_and_replaces_them_only_when_told(done, refuse, built, work):
    words = ("show", built.fired, "--png", "p.png", "--html", "p.html")
    done(*words)
    assert "--overwrite" in refuse(*words)
    done(*words, "--overwrite")


@pytest.mark.parametrize("name", ["späce in näme.npy", "grün ☃.npy", "-minus.npy"])
def test_file_names_of_all_kinds(done, work, name):
    (work / "a.npy").rename(work / name)
    assert done("conduct", work / name, "--voxel-nm", 25, "--materials", "a.toml", "--json").json["percolates"] is True


def test_home_is_expanded(done, work, monkeypatch):
    monkeypatch.setenv("HOME", str(work))
    assert done("info", "~/a.npy", "--voxel-nm", 25, "--json").json["shape"] == [4, 5, 6]
