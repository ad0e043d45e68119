"""Hostile materials files and recipes: exit code 2, one line that says what, why and what to do. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import KNOWN

MEASURED = "conductivity_S_per_m = 1.0\nactivation_energy_eV = 0.3"
BARRIER = "migration_barrier_eV = {}\nattempt_frequency_Hz = {}\nhop_distance_nm = 0.3"
CONDUCT = ("conduct", "a.npy", *KNOWN)
HOP = ("hop", "a.npy", *KNOWN)
BUILD = ("build", "co-fired", "--out", "new.h5", "--size-um", 3)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("= 1.0\n", '= "1e-3"\n', "did you mean 0.001, without quotes", id="1-number-as-text"),
        pytest.param("name =", 'name = "x"\nname =', "'name' twice, on lines 2 and 3", id="2-key-twice"),
        pytest.param("[phases.A.ion]", "[phases.A]\n[phases.A.ion]", "'phases.A' twice, on lines 4 and 6", id="2-table-twice"),
        pytest.param(MEASURED, "conductivity_S_per_m.x = 1.0\n" + MEASURED, "inside the other", id="2-number-and-table"),
        pytest.param("label = 1", "label = 1\nion = {a = 1, a = 2}", "'a' twice, both on line 6", id="2-key-twice-inline"),
        pytest.param(
            "reference_temperature_C", "reference_temprature_C", "did you mean 'reference_temperature_C'", id="3-typo"
        ),
        pytest.param("= 1.0\n", "= true\n", "True", id="4-truth-for-a-number"),
        pytest.param("= 60.0", "= 12:30:45", "number", id="4-time-for-a-number"),
        pytest.param("= 60.0", "= 010", "line 3", id="4-octal"),
        pytest.param("= 1.0\n", "= nan\n", "finite", id="5-nan"),
        pytest.param("= 1.0\n", "= inf\n", "finite", id="5-inf"),
        pytest.param("= 60.0", "= -300.0", "-273.15", id="6-below-zero-kelvin"),
        pytest.param(
            "reference_temperature_C",
            "reference_temperature_K",
            "did you mean 'reference_temperature_C'",
            id="7-kelvin-as-a-key",
        ),
        pytest.param("= 60.0", '= "60 C"', "valid number", id="7-unit-beside-a-number"),
        pytest.param("= 0.3", "= 290.0", "did you mean 0.29 eV", id="8-barrier-in-meV"),
        pytest.param(
            "conductivity_S_per_m", "conductivity_mS_per_cm", "did you mean 'conductivity_S_per_m'", id="10-mS-per-cm-as-a-key"
        ),
        pytest.param("= 1.0\n", "= -1.0\n", "greater than or equal to 0", id="11-negative-conductivity"),
        pytest.param("= 0.3", "= -0.3", "greater than or equal to 0", id="11-negative-barrier"),
        pytest.param(MEASURED, BARRIER.format(0.3, 0.0), "attempt_frequency_Hz", id="12-frequency-0"),
        pytest.param(MEASURED, BARRIER.format(0.3, 1e20), "attempt_frequency_Hz", id="12-frequency-1e20"),
        pytest.param(MEASURED, BARRIER.format(29.0, 1e13), "migration_barrier_eV", id="8-barrier-in-kJ-per-mol"),
        pytest.param(MEASURED, MEASURED + "\n" + BARRIER.format(0.3, 1e13), "exactly one", id="19-both-forms"),
        pytest.param("= 1.0\n", "= 0,6\n", "decimals with a point", id="25-decimal-comma"),
        pytest.param("= 1.0\n", '= "0,6"\n', "did you mean 0.6", id="25-decimal-comma-in-text"),
        pytest.param("label = 1", "label = 300", "255", id="35-label-300"),
        pytest.param("label = 1", "label = 1.5", "integer", id="34-label-1.5"),
        pytest.param("label = 1", "label = 2", "label 1 (120 voxels)", id="38-label-without-phase"),
        pytest.param("schema = 1", "schema = 2", "schema", id="51-newer-schema"),
        pytest.param("schema = 1\n", "", "'schema' is missing", id="51-no-schema"),
        pytest.param(
            "[phases.A.ion]", '[phases."a "]\nlabel = 3\n[phases.A.ion]', "case or spaces", id="85-same-name-but-case"
        ),
        pytest.param("[phases.A.ion]", '[phases."A|B"]\nlabel = 3\n[phases.A.ion]', "A|B", id="84-bar-in-a-name"),
        pytest.param("[phases.A.ion]", '[phases."a\\u0000b"]\nlabel = 3\n[phases.A.ion]', "rename", id="84-NUL-in-a-name"),
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


@pytest.mark.parametrize("recipe", [False, True], ids=["materials", "recipe"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "empty", id="22-empty"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\xff", "UTF-8", id="22-binary"),
        pytest.param("schema = 1".encode("utf-16"), "UTF-8", id="22-utf-16"),
        pytest.param(b'x = "' + b"a" * 5_000_000 + b'"', "bytes", id="24-huge"),
        pytest.param(b"x = " + b"[" * 3000 + b"]" * 3000, "nested", id="24-nested"),
        pytest.param(b".".join([b"a"] * 1_500_000) + b" = 1", "nested", id="24-key-of-many-parts"),
        pytest.param(b"x = !!python/object:os.system", "line 1", id="24-yaml-tag"),
        pytest.param("schema = 1".encode("utf-16-le"), "UTF-16", id="22-utf-16-without-a-mark"),
        pytest.param(b"# nothing but a remark", "empty", id="22-remark-only"),
    ],
)
def test_content_of_a_table(refuse, work, recipe, content, says):
    Path("a.toml").write_bytes(content)
    words = (*BUILD, "--voxel-nm", 50, "--recipe", "a.toml") if recipe else CONDUCT
    line = refuse(*words)
    assert says in line
    assert len(line) < 400


@pytest.mark.parametrize("command", [("percolate", "a.npy", *KNOWN), HOP], ids=lambda words: f"22-empty-{words[0]}")
def test_every_command_looks_at_the_materials(refuse, work, command):
    Path("a.toml").write_bytes(b"")
    assert "empty" in refuse(*command)


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
        pytest.param("[press]\nrelative_density = 60", "did you mean 0.6?", id="14-density-in-percent"),
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
        pytest.param(
            "[fire.interphase]\nthickness_p05_nm = 900.0\nthickness_p95_nm = 1000.0", "radius", id="16-shell-beyond-the-radius"
        ),
        pytest.param("[fire]\nhours = 1000.0", "radius", id="16-fired-beyond-the-radius"),
        pytest.param("[press]\nrelative_density = 0.6\nrelative_density = 0.7", "lines 2 and 3", id="2-key-twice"),
        pytest.param("[fire.interphase]\ncovrage = 0.5", "did you mean 'coverage'", id="3-typo-in-a-table-of-a-table"),
        pytest.param("[powders.LFP]\ncarbon = {thicknes_nm = 4.0}", "did you mean 'thickness_nm'", id="3-typo-inline"),
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


@pytest.mark.parametrize("voxel_nm", [pytest.param(75, id="17-shell-thinner-than-a-voxel")])
def test_shell_and_voxel(refuse, work, voxel_nm):
    (work / "r.toml").write_text("[fire.interphase]\nrepresentation = 'resolved'")
    assert "thinner than a voxel" in refuse(*BUILD, "--voxel-nm", voxel_nm, "--recipe", "r.toml")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(".", "is a folder", id="23-folder"),
        pytest.param("nothing.toml", "does not exist", id="23-missing"),
        pytest.param("/dev/null", "no regular file", id="23-device"),
        pytest.param("/proc/self/mem", "cannot be read", id="23-unreadable"),
        pytest.param("~nosuchuser/r.toml", "home", id="27-unknown-home"),
    ],
)
def test_place_of_a_recipe(refuse, work, name, says):
    line = refuse(*BUILD, "--voxel-nm", 50, "--recipe", name)
    assert f"recipe {name} " in line
    assert says in line


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("= 1.0\n", "= 1e-3\n", id="1-exponent-without-a-point"),
        pytest.param("= 60.0", "= 60", id="4-whole-number"),
        pytest.param("= 1.0\n", "= 1_000.0\n", id="4-underscore"),
    ],
)
def test_numbers_as_toml_has_them(done, work, old, new):
    Path("a.toml").write_text(Path("a.toml").read_text().replace(old, new))
    value = {"= 1e-3\n": 1e-3, "= 1_000.0\n": 1e3}.get(new, 1.0)
    assert done(*CONDUCT, "--json").json["sigma_eff_S_per_m"] == pytest.approx(value)
