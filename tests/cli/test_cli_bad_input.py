"""Hostile input: exit code 2, one line that says what, why and what to do, no traceback, nothing overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

MEASURED = "conductivity_S_per_m = 1.0\nactivation_energy_eV = 0.3"
BARRIER = "migration_barrier_eV = {}\nattempt_frequency_Hz = {}\nhop_distance_nm = 0.3"
KNOWN = ("--voxel-nm", 25, "--materials", "a.toml")
CONDUCT = ("conduct", "a.npy", *KNOWN)
HOP = ("hop", "a.npy", *KNOWN)
BUILD = ("build", "co-fired", "--out", "new.h5", "--size-um", 3)
IMPORT = ("import", "a.npy", "--out", "new.h5", "--voxel-nm", 25)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("= 1.0\n", '= "1e-3"\n', "conductivity_S_per_m", id="1-number-as-text"),
        pytest.param("name =", 'name = "x"\nname =', "line 3", id="2-key-twice"),
        pytest.param(
            "reference_temperature_C", "reference_temprature_C", "did you mean 'reference_temperature_C'", id="3-typo"
        ),
        pytest.param("= 1.0\n", "= true\n", "True", id="4-truth-for-a-number"),
        pytest.param("= 60.0", "= 12:30:45", "number", id="4-time-for-a-number"),
        pytest.param("= 60.0", "= 010", "line 3", id="4-octal"),
        pytest.param("= 1.0\n", "= nan\n", "finite", id="5-nan"),
        pytest.param("= 1.0\n", "= inf\n", "finite", id="5-inf"),
        pytest.param("= 60.0", "= -300.0", "-273.15", id="6-below-zero-kelvin"),
        pytest.param("= 0.3", "= 290.0", "activation_energy_eV", id="8-barrier-in-meV"),
        pytest.param("= 1.0\n", "= -1.0\n", "greater than or equal to 0", id="11-negative-conductivity"),
        pytest.param("= 0.3", "= -0.3", "greater than or equal to 0", id="11-negative-barrier"),
        pytest.param(MEASURED, BARRIER.format(0.3, 0.0), "attempt_frequency_Hz", id="12-frequency-0"),
        pytest.param(MEASURED, BARRIER.format(0.3, 1e20), "attempt_frequency_Hz", id="12-frequency-1e20"),
        pytest.param(MEASURED, BARRIER.format(29.0, 1e13), "migration_barrier_eV", id="8-barrier-in-kJ-per-mol"),
        pytest.param(MEASURED, MEASURED + "\n" + BARRIER.format(0.3, 1e13), "exactly one", id="19-both-forms"),
        pytest.param("= 1.0\n", "= 0,6\n", "line 7", id="25-decimal-comma"),
        pytest.param("label = 1", "label = 300", "255", id="35-label-300"),
        pytest.param("label = 1", "label = 1.5", "integer", id="34-label-1.5"),
        pytest.param("label = 1", "label = 2", "label 1 (120 voxels)", id="38-label-without-phase"),
        pytest.param("schema = 1", "schema = 2", "schema", id="51-newer-schema"),
        pytest.param("schema = 1\n", "", "'schema' is missing", id="51-no-schema"),
        pytest.param(
            "[phases.A.ion]", '[phases."a "]\nlabel = 3\n[phases.A.ion]', "case or spaces", id="85-same-name-but-case"
        ),
        pytest.param("[phases.A.ion]", '[phases."A|B"]\nlabel = 3\n[phases.A.ion]', "A|B", id="84-bar-in-a-name"),
        pytest.param("[phases.A.ion]", '[films."A|Q".ion]\n[phases.A.ion]', "sheet_conductance_S", id="3-empty-film"),
    ],
)
def test_materials(refuse, work, old, new, says):
    text = Path("a.toml").read_text()
    assert old in text
    Path("a.toml").write_text(text.replace(old, new))
    line = refuse(*CONDUCT)
    assert says in line
    assert "a.toml" in line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "empty", id="22-empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\xff", "UTF-8", id="22-binary"),
        pytest.param("schema = 1".encode("utf-16"), "UTF-8", id="22-utf-16"),
        pytest.param(b'x = "' + b"a" * 5_000_000 + b'"', "bytes", id="24-huge"),
        pytest.param(b"x = " + b"[" * 3000 + b"]" * 3000, "nested", id="24-nested"),
    ],
)
@pytest.mark.parametrize("command", [CONDUCT, ("percolate", "a.npy", *KNOWN), HOP], ids=lambda words: words[0])
def test_content_of_a_materials_file(refuse, work, command, content, says):
    Path("a.toml").write_bytes(content)
    assert says in refuse(*command)


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\r\n"], ids=["22-byte-order-mark", "86-windows-line"])
def test_harmless_materials_are_taken(done, work, start):
    Path("a.toml").write_bytes(start + Path("a.toml").read_bytes().replace(b"\n", b"\r\n"))
    assert done(*CONDUCT, "--json").json["sigma_eff_S_per_m"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(".", "folder", id="23-folder"),
        pytest.param("nothing.toml", "does not exist", id="23-missing"),
        pytest.param("lfp-lapt", "lfp-latp", id="3-typo-of-a-shipped-one"),
        pytest.param("x" * 5000, "too long", id="26-very-long"),
    ],
)
def test_place_of_a_materials_file(refuse, work, name, says):
    line = refuse("conduct", "a.npy", "--voxel-nm", 25, "--materials", name)
    assert says in line
    assert len(line) < 600


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("[powders.LFP]\nmass_fraction = 0.5", "0.9575", id="13-fractions-below-1"),
        pytest.param("[powders.LFP]\nmass_fraction = 0.9", "1.3575", id="13-fractions-above-1"),
        pytest.param("[press]\nrelative_density = 60", "less than or equal to 1", id="14-density-in-percent"),
        pytest.param("[press]\nrelative_density = 0.0", "0.05", id="15-density-0"),
        pytest.param("[press]\nrelative_density = 1.0", "reached 0.6", id="15-density-1"),
        pytest.param("[press]\nrelative_density = 0.75", "reached 0.6", id="15-density-beyond-spheres"),
        pytest.param("[press]\nrelative_densty = 0.6", "did you mean 'relative_density'", id="3-typo"),
        pytest.param("[press]\nrelative_density = '0,6'", "0,6", id="25-decimal-comma"),
        pytest.param("[press]\nrelative_density = nan", "nan", id="5-nan"),
        pytest.param("press = 3", "press", id="4-number-for-a-table"),
        pytest.param("seed = 3", "seed", id="3-key-of-another-place"),
        pytest.param("[fire.interphase]\nthickness_p05_nm = -1.0", "thickness_p05_nm", id="11-negative-thickness"),
        pytest.param("[fire.interphase]\nthickness_p05_nm = 200.0", "swap", id="11-thickness-swapped"),
        pytest.param("[fire.interphase]\nlabel = 1", "label 1", id="19-label-twice"),
        pytest.param("[powders.LFP]\nmedian_diameter_nm = 9000.0", "box", id="18-particle-beyond-the-box"),
        pytest.param("[powders.LFP]\nmedian_diameter_nm = 60.0", "voxel_nm of at most 15", id="18-powder-too-fine"),
        pytest.param("[powders.LFP]\nmedian_diameter_nm = 10.0", "use a voxel_nm of at most 2.5", id="21-powder-of-10-nm"),
        pytest.param("[fire]\nrelative_density = 60", "relative_density", id="14-fired-density-in-percent"),
        pytest.param("not toml", "line 1", id="22-no-toml"),
    ],
)
def test_recipe(refuse, work, text, says):
    Path("r.toml").write_text(text)
    assert says in refuse(*BUILD, "--voxel-nm", 50, "--recipe", "r.toml")


def test_shell_thinner_than_a_voxel(refuse, work):
    (work / "r.toml").write_text("[fire.interphase]\nrepresentation = 'resolved'")
    assert "thinner than a voxel" in refuse(*BUILD, "--voxel-nm", 75, "--recipe", "r.toml")


@pytest.mark.parametrize("name", [".", "nothing.toml"], ids=["23-folder", "23-missing"])
def test_place_of_a_recipe(refuse, work, name):
    assert f"recipe {name}" in refuse(*BUILD, "--voxel-nm", 50, "--recipe", name)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--seed", "1.5"), id="20-seed-1.5"),
        pytest.param(("--seed", "abc"), id="20-seed-abc"),
        pytest.param(("--seed", "-1"), id="20-seed--1"),
        pytest.param(("--seed", "True"), id="20-seed-True"),
        pytest.param(("--seed", "1180591620717411303424"), id="20-seed-2^70"),
        pytest.param(("--seed", ""), id="20-seed-empty"),
        pytest.param(("--size-um", "0"), id="63-size-0"),
        pytest.param(("--size-um", "-1"), id="63-size-negative"),
        pytest.param(("--size-um", "nan"), id="63-size-nan"),
        pytest.param(("--size-um", "inf"), id="63-size-inf"),
        pytest.param(("--size-um", "0,6"), id="25-decimal-comma"),
        pytest.param(("--size-um", "0.3"), id="18-box-below-a-particle"),
        pytest.param(("--size-um", "0.9"), id="18-box-of-one-particle"),
        pytest.param(("--size-um", "1000", "--voxel-nm", "25"), id="64-too-many-voxels"),
        pytest.param(("--size-um", "1000", "--voxel-nm", "1000"), id="64-too-many-particles"),
        pytest.param(("--voxel-nm", "0"), id="9-voxel-0"),
        pytest.param(("--voxel-nm", "-25"), id="9-voxel-negative"),
        pytest.param(("--voxel-nm", "nan"), id="9-voxel-nan"),
        pytest.param(("--voxel-nm", "25e-9"), id="9-voxel-in-metres"),
        pytest.param(("--voxel-nm", "1e9"), id="9-voxel-huge"),
    ],
)
def test_build_options(refuse, work, words):
    refuse("build", "cold-pressed", "--out", "new.h5", *words)


def test_unknown_process(refuse, work):
    assert "did you mean 'co-fired'" in refuse("build", "cofired", "--out", "new.h5")


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
@pytest.mark.parametrize("command", ["build", "import"])
def test_where_to_write_is_checked_before_anything_is_computed(refuse, work, monkeypatch, command, out, says):
    monkeypatch.setattr("cofire.building.build", lambda *arguments, **options: pytest.fail("it computed first"))
    words = ("build", "cold-pressed") if command == "build" else ("import", "a.npy", "--voxel-nm", 25)
    assert says in refuse(*words, "--out", out)


def _npy(values: object) -> None:
    np.save("bad.npy", np.asarray(values), allow_pickle=True)


def _with_nan() -> np.ndarray:
    image = np.ones((4, 4, 4))
    image[1, 2, 3] = np.nan
    return image


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(np.ones((4, 4), np.uint8), "three axes", id="31-two-axes"),
        pytest.param(np.ones((4, 4, 4, 2), np.uint8), "three axes", id="31-four-axes"),
        pytest.param(np.ones((0, 4, 4), np.uint8), "(0, 4, 4)", id="63-no-voxels"),
        pytest.param(np.arange(512).reshape(8, 8, 8) % 256, "256 distinct", id="33-grey-scale"),
        pytest.param(np.full((4, 4, 4), 1.9999999), "fractional", id="34-almost-integers"),
        pytest.param(np.full((4, 4, 4), 300), "0 to 255", id="35-label-300"),
        pytest.param(np.full((4, 4, 4), -1), "0 to 255", id="35-label--1"),
        pytest.param(_with_nan(), "(1, 2, 3)", id="36-nan"),
        pytest.param(np.ones((4, 4, 4), complex), "complex", id="37-complex"),
        pytest.param(np.full((4, 4, 4), "a"), "type", id="37-text"),
        pytest.param(np.array([[[1, None]]], dtype=object), "Python objects", id="47-pickle"),
        pytest.param(np.full((4, 4, 4), 9, np.uint8), "label 9 (64 voxels)", id="38-label-without-phase"),
    ],
)
def test_arrays(refuse, work, values, says):
    _npy(values)
    assert says in refuse("conduct", "bad.npy", *KNOWN)


@pytest.mark.parametrize(
    "values", [np.ones((4, 4, 4), bool), np.ones((4, 4, 4), ">i4"), np.ones((4, 4, 4))], ids=["bool", "big-endian", "whole"]
)
def test_harmless_arrays_are_taken(done, work, values):
    _npy(values)
    assert done("conduct", "bad.npy", *KNOWN, "--json").json["sigma_eff_S_per_m"] == pytest.approx(1.0)


@pytest.mark.parametrize("suffix", ["npy", "tif", "vti", "h5"])
@pytest.mark.parametrize("content", [b"", b"hello" * 100], ids=["28-empty", "48-junk"])
def test_files_that_are_not_what_they_claim(refuse, work, suffix, content):
    Path(f"bad.{suffix}").write_bytes(content)
    assert f"bad.{suffix}" in refuse("info", f"bad.{suffix}", "--voxel-nm", 25)


def test_header_that_claims_a_terabyte(refuse, work):
    head = Path("a.npy").read_bytes()
    Path("bad.npy").write_bytes(head.replace(b"(4, 5, 6), ", b"(9999,9999,9999), ")[: len(head)])
    assert "bad.npy" in refuse("info", "bad.npy", "--voxel-nm", 25)


def test_broken_header(refuse, work):
    Path("bad.npy").write_bytes(Path("a.npy").read_bytes().replace(b"(4, 5, 6)", b"(4, 5, 6 "))
    assert "bad.npy" in refuse("info", "bad.npy", "--voxel-nm", 25)


@pytest.mark.parametrize(
    ("image", "options", "says"),
    [
        pytest.param(np.ones((6, 6), np.uint8), {}, "single slice", id="31-single-slice"),
        pytest.param(np.ones((4, 6, 6, 3), np.uint8), {"photometric": "rgb"}, "colour", id="32-rgb"),
        pytest.param(
            np.ones((4, 6, 6), np.uint8), {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)}, "palette",
            id="32-palette",
        ),
        pytest.param(np.ones((2, 3, 4, 5), np.uint8), {"imagej": True, "metadata": {"axes": "TZYX"}}, "time", id="44-time"),
        pytest.param(np.ones((4, 2, 5, 5), np.uint8), {"imagej": True, "metadata": {"axes": "ZCYX"}}, "channels", id="44-channels"),
    ],
)  # fmt: skip
def test_tiffs(refuse, work, image, options, says):
    tifffile.imwrite("bad.tif", image, **options)
    assert says in refuse("conduct", "bad.tif", *KNOWN)


def test_truncated_tiff(refuse, work):
    tifffile.imwrite("bad.tif", np.ones((6, 6, 6), np.uint8))
    Path("bad.tif").write_bytes(Path("bad.tif").read_bytes()[:400])
    assert "truncated" in refuse("info", "bad.tif", "--voxel-nm", 25)


@pytest.fixture
def damaged(built, work) -> Path:
    """Copy a good structure to `bad.h5`."""
    return Path(shutil.copy(built.fired, "bad.h5"))


def test_truncated_structure(refuse, damaged):
    damaged.write_bytes(damaged.read_bytes()[:20000])
    assert "bad.h5" in refuse("info", damaged)


def test_structure_of_a_newer_program(refuse, damaged):
    with h5py.File(damaged, "a") as file:
        file.attrs["schema"] = 99
    assert "newer" in refuse("info", damaged)


def test_structure_with_a_link_to_elsewhere(refuse, damaged, built):
    with h5py.File(damaged, "a") as file:
        del file["labels"]
        file["labels"] = h5py.ExternalLink(str(built.fired), "labels")
    assert "link" in refuse("conduct", damaged)


def test_foreign_hdf5(refuse, work):
    with h5py.File("bad.h5", "w") as file:
        file["x"] = np.ones(3)
    assert "no cofire structure" in refuse("info", "bad.h5")


def test_structure_and_user_disagree_on_the_voxel(refuse, built):
    assert "60 nm" in refuse("info", built.fired, "--voxel-nm", 60)


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


@pytest.mark.parametrize("text", ["", "abc", "12,5", "0", "-3", "nan", "inf", "25nm", "1e-9", "1e12", "25,25,0"])
def test_voxel_option(refuse, work, text):
    assert "voxel" in refuse("info", "a.npy", "--voxel-nm", text)


def test_there_is_no_default_voxel(refuse, work):
    assert "--voxel-nm" in refuse("info", "a.npy")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--axis", "w"), "x, y, z, all", id="axis"),
        pytest.param(("--boundary", "open"), "periodic", id="boundary"),
        pytest.param(("--carrier", "ions"), "did you mean 'ion'", id="carrier"),
        pytest.param(("--temperature-C", "-300"), "-273.15", id="6-temperature"),
        pytest.param(("--temperature-C", "nan"), "nan", id="6-temperature-nan"),
        pytest.param(("--temperature-C", "60C"), "--temperature-C", id="6-temperature-with-unit"),
    ],
)
@pytest.mark.parametrize("command", ["conduct", "percolate", "hop"])
def test_options_that_commands_share(refuse, work, command, words, says):
    if command == "hop" and words[0] == "--axis":
        says = "--axis"  # hops answer for all axes at once
    assert says in refuse(command, "a.npy", *KNOWN, *words)


@pytest.mark.parametrize(
    "words",
    [("--tolerance", "0"), ("--tolerance", "nan"), ("--tolerance", "1"), ("--max-iterations", "0")],
    ids=" ".join,
)
def test_conduct_options(refuse, work, words):
    refuse(*CONDUCT, *words)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--hops", "0"), id="62-hops-0"),
        pytest.param(("--hops", "-5"), id="62-hops-negative"),
        pytest.param(("--hops", "1.5"), id="62-hops-1.5"),
        pytest.param(("--time-s", "0"), id="62-time-0"),
        pytest.param(("--time-s", "-1"), id="62-time-negative"),
        pytest.param(("--time-s", "inf"), id="62-time-inf"),
        pytest.param(("--time-s", "nan"), id="62-time-nan"),
        pytest.param(("--hops", "10", "--time-s", "1"), id="19-hops-and-time"),
        pytest.param(("--walkers", "0"), id="60-walkers-0"),
        pytest.param(("--walkers", "1000000000000"), id="60-walkers-1e12"),
        pytest.param(("--seed", "-1"), id="20-seed--1"),
        pytest.param(("--seed", "18446744073709551616"), id="20-seed-2^64"),
        pytest.param(("--mode", "gas"), id="3-mode"),
        pytest.param(("--filling", "0.5"), id="19-filling-of-tracers"),
        pytest.param(("--mode", "lattice-gas", "--filling", "0"), id="60-filling-0"),
        pytest.param(("--mode", "lattice-gas", "--filling", "1.5"), id="60-filling-1.5"),
        pytest.param(("--mode", "lattice-gas", "--filling", "nan"), id="60-filling-nan"),
        pytest.param(("--mode", "lattice-gas", "--walkers", "3"), id="19-walkers-of-a-gas"),
        pytest.param(("--resume", "nothing"), id="23-resume-missing"),
        pytest.param(("--resume", "a.npy"), id="53-resume-damaged"),
        pytest.param(("--checkpoint", "a.npy"), id="74-checkpoint-exists"),
        pytest.param(("--checkpoint", "."), id="69-checkpoint-is-a-folder"),
        pytest.param(("--checkpoint", "none/c"), id="69-checkpoint-nowhere"),
    ],
)
def test_hop_options(refuse, work, words):
    refuse(*HOP, *words)


@pytest.mark.parametrize(
    "words",
    [
        ("--phases", "1"),
        ("--phases", ""),
        ("--phases", "1="),
        ("--phases", "1=A,"),
        ("--phases", "1=A,1=B"),
        ("--phases", "1=A,2=A"),
        ("--phases", "1=a,2=A"),
        ("--phases", "300=A"),
        ("--phases", "-1=A"),
        ("--phases", "²=A"),
        ("--phases", "2=A"),
        ("--phases", "1=A|B"),
        ("--phases", "1=default"),
        ("--phases", "1=A\n"),
        ("--phases", "1=A\x07"),
        ("--grow-interphase", "A|B:40-100"),
        ("--phases", "1=A", "--grow-interphase", "A|B:40-100"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|A:40-100"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:100-40"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:nan-40"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:4-inf"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:40-1e9"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:5-10"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A:40-100"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:40-100", "--product", "A"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:40-100", "--product", "x|y"),
        ("--phases", "1=A,2=B", "--grow-interphase", "A|B:40-100", "--seed", "-1"),
    ],
    ids=lambda words: ascii(" ".join(words)),
)
def test_import_options(run, refuse, work, words):
    if "1=A\n" in words:  # blanks around a name do not count
        assert run(*IMPORT, *words).code == 0
    else:
        refuse(*IMPORT, *words)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--field", "phse", "--png", "new.png"), id="3-field"),
        pytest.param(("--png", "a.npy"), id="74-another-kind-of-file"),
        pytest.param(("--png", "new.jpg"), id="69-unknown-suffix"),
        pytest.param(("--png", "."), id="69-folder"),
        pytest.param(("--png", "none/new.png"), id="69-no-such-folder"),
        pytest.param(("--html", "none/new.html"), id="69-no-such-folder-for-a-page"),
        pytest.param(("--html", "new.png"), id="69-page-as-picture"),
        pytest.param(("--png", "new.png", "--field", "potential", "--axis", "all"), id="axis"),
        pytest.param(("--png", "new.png", "--field", "current", "--carrier", "hole"), id="carrier"),
    ],
)
def test_show_options(refuse, work, words):
    refuse("show", "a.npy", *KNOWN, *words)


@pytest.mark.parametrize("field", ["phase", "current"])
def test_nothing_to_show(refuse, work, field):
    np.save("pore.npy", np.zeros((4, 4, 4), np.uint8))
    refuse("show", "pore.npy", *KNOWN, "--png", "new.png", "--field", field)
