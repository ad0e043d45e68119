"""Hostile options: exit code 2, one line that says what, why and what to do. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support import KNOWN

CONDUCT = ("conduct", "a.npy", *KNOWN)
HOP = ("hop", "a.npy", *KNOWN)
IMPORT = ("import", "a.npy", "--out", "new.h5", "--voxel-nm", 25)


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
    "text",
    [
        pytest.param(text, id=f"{25 if text == '12,5' else 9}-voxel-{text or 'empty'}")
        for text in ("", "abc", "12,5", "0", "-3", "nan", "inf", "25nm", "1e-9", "1e12", "25,25,0")
    ],
)
def test_voxel_option(refuse, work, text):
    assert "voxel" in refuse("info", "a.npy", "--voxel-nm", text)


def test_there_is_no_default_voxel(refuse, work):
    assert "--voxel-nm" in refuse("info", "a.npy")


@pytest.mark.parametrize("command", ["conduct", "percolate", "hop"])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--axis", "w"), "x, y, z, all", id="3-axis"),
        pytest.param(("--boundary", "open"), "periodic", id="3-boundary"),
        pytest.param(("--carrier", "ions"), "did you mean 'ion'", id="3-carrier"),
        pytest.param(("--temperature-C", "-300"), "-273.15", id="6-temperature"),
        pytest.param(("--temperature-C", "nan"), "nan", id="6-temperature-nan"),
        pytest.param(("--temperature-C", "60C"), "--temperature-C", id="6-temperature-with-unit"),
    ],
)
def test_options_that_commands_share(refuse, work, command, words, says):
    if command == "hop" and words[0] == "--axis":
        says = "--axis"  # hops answer for all axes at once
    assert says in refuse(command, "a.npy", *KNOWN, *words)


@pytest.mark.parametrize(
    "words",
    [("--tolerance", "0"), ("--tolerance", "nan"), ("--tolerance", "1"), ("--max-iterations", "0")],
    ids=lambda words: f"58{''.join(words)}",
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
    ids=lambda words: "84" + ascii("".join(words)).strip("'"),
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
        pytest.param(("--png", "new.png", "--field", "potential", "--axis", "all"), id="19-field-along-all-axes"),
        pytest.param(("--png", "new.png", "--field", "current", "--carrier", "hole"), id="3-carrier"),
    ],
)
def test_show_options(refuse, work, words):
    refuse("show", "a.npy", *KNOWN, *words)


@pytest.mark.parametrize("field", ["phase", "current"])
def test_nothing_to_show(refuse, work, field):
    np.save("pore.npy", np.zeros((4, 4, 4), np.uint8))
    refuse("show", "pore.npy", *KNOWN, "--png", "new.png", "--field", field)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--replicas", "0"), "1 to 10000", id="21-replicas-0"),
        pytest.param(("--replicas", "-1"), "1 to 10000", id="21-replicas-negative"),
        pytest.param(("--replicas", "1000000000"), "1 to 10000", id="21-replicas-1e9"),
        pytest.param(("--replicas", "1.5"), "--replicas", id="21-replicas-1.5"),
        pytest.param(("--workers", "0"), "1 or more", id="81-workers-0"),
        pytest.param(("--workers", "-2"), "1 or more", id="81-workers-negative"),
    ],
)
def test_compare_options(refuse, work, words, says):
    assert says in refuse("compare", "--out", "new", *words)


@pytest.mark.parametrize("name", ["NUMBA_NUM_THREADS", "OMP_NUM_THREADS"])
@pytest.mark.parametrize(
    "value", [pytest.param(text, id=f"81-threads-{text}") for text in ("0", "-1", "many", "1.5", "99999999999999999999", "²")]
)
def test_numbers_of_threads(refuse, work, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    line = refuse(*CONDUCT)
    assert f"{name} is '{value}'; allowed: whole numbers" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--raw-shape", "4,5"), "three", id="63-shape-of-two-numbers"),
        pytest.param(("--raw-shape", "0,5,6"), "above 0", id="63-shape-0"),
        pytest.param(("--raw-shape", "-4,-5,6"), "above 0", id="63-shape-negative"),
        pytest.param(("--raw-shape", "4.5,5,6"), "raw-shape", id="63-shape-4.5"),
        pytest.param(("--raw-shape", "a,b,c"), "raw-shape", id="63-shape-of-words"),
        pytest.param(("--raw-shape", "1300,1300,1300"), "1300 x 1300 x 1300", id="65-more-voxels-than-2^31"),
        pytest.param(("--raw-shape", "5000,5000,5000"), "claims 5000 x 5000 x 5000", id="64-shape-of-125-GB"),
        pytest.param(("--raw-shape", "4,5,6", "--raw-type", "object"), "raw type", id="47-raw-objects"),
    ],
)
def test_shapes_of_headerless_voxels(refuse, work, words, says):
    Path("a.raw").write_bytes(bytes(120))
    assert says in refuse("import", "a.raw", "--out", "new.h5", "--voxel-nm", 25, *words)


@pytest.mark.parametrize(
    ("degrees", "kelvin"),
    [pytest.param("-200", "73.15 K", id="7-colder-than-150-K"), pytest.param("333.15", "606.3 K", id="7-kelvin-meant")],
)
def test_temperatures_that_look_like_another_unit(done, work, degrees, kelvin):
    ran = done(*CONDUCT, "--temperature-C", degrees, "--json")
    assert f"is {kelvin}; temperatures are in degC" in ran.err
    assert "K;" not in done(*CONDUCT, "--temperature-C", "25", "--json").err


@pytest.mark.parametrize("option", [pytest.param("--temperature-K", id="7-kelvin-as-an-option")])
def test_there_is_no_option_in_kelvin(refuse, work, option):
    assert "--temperature-C" in refuse(*CONDUCT, option, "300")


UNITS = re.compile(r"_(S_per_m|S|m2_per_s|s|C|V|nm|um|eV|bytes|Hz|ohm_m2|per_m|per_um|A_per_m2|W_per_m3|per_s|per_um2|K)(_|$)")
WITHOUT_UNIT = {
    "tortuosity_factor", "formation_factor", "transport_efficiency", "iterations", "voxels", "hops", "walkers", "seed", "events",
    "seconds", "schema", "moves", "carriers", "tolerance",
}  # fmt: skip


@pytest.mark.parametrize("command", [pytest.param(("conduct",), id="10-conduct-names-its-units")])
def test_numbers_carry_their_units(done, work, command):
    found = done(*command, "a.npy", *KNOWN, "--json").json
    numbers = [key for key, value in found.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    assert "sigma_eff_S_per_m" in numbers
    assert [key for key in numbers if not UNITS.search(key) and key not in WITHOUT_UNIT] == []


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        pytest.param("60", False, id="67-one-temperature"),
        pytest.param("60,60", False, id="67-equal-temperatures"),
        pytest.param("25,60", True, id="67-two-temperatures"),
    ],
)
def test_arrhenius_needs_two_temperatures(done, work, words, fits):
    found = done(*CONDUCT, "--temperatures", words, "--json").json["temperatures"]
    assert (found["arrhenius"] is not None) == fits


@pytest.mark.parametrize(
    "text", [pytest.param(t, id=f"67-temperatures-{i}") for i, t in enumerate(("", "25;60", "25,x", "25,nan"))]
)
def test_lists_of_temperatures(refuse, work, text):
    assert "temperature" in refuse(*CONDUCT, "--temperatures", text)
