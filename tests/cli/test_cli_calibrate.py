"""Three numbers fitted to the co-fired body: the file that is written gives the targets again."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from cofire.building import build
from cofire.calibration.result import NAMES, TARGETS
from cofire.cli import main
from kmc.conduction import activation_energy_eV, conduct
from kmc.network import build_network
from microstructures.materials import load_materials
from microstructures.units import mS_per_cm

SMALL = ("--size-um", 2.4, "--voxel-nm", 80)
PAIR = "LATP|LATP"
HEADING = '[interfaces."LATP|LATP".ion]\narea_specific_resistance_ohm_m2 = '


@dataclass(frozen=True)
class Calibrated:
    """One run of `cofire calibrate`."""

    file: Path
    found: dict[str, Any]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    file, out = tmp_path_factory.mktemp("calibrated") / "my.toml", io.StringIO()
    words = ("calibrate", "--out", file, *SMALL, "--replicas", 2, "--seed", 5, "--json")
    threads = numba.get_num_threads()
    numba.set_num_threads(1)  # as for every test; this fixture comes before that of the tests
    with contextlib.redirect_stdout(out):
        code = main([str(word) for word in words])
    numba.set_num_threads(threads)
    assert code == 0
    return Calibrated(file, json.loads(out.getvalue()))


def _written_by_hand(folder: Path, before: str, after: str) -> Path:
    from microstructures.materials import shipped_materials

    text = shipped_materials()["lfp-latp"].read_text(encoding="utf-8")
    assert before in text
    file = folder / "other.toml"
    file.write_text(text.replace(before, after), encoding="utf-8")
    return file


def test_the_file_gives_the_targets_on_the_same_replicas(calibrated):
    materials = load_materials(calibrated.file)
    reached: dict[str, list[float]] = {target.name: [] for target in TARGETS}
    for seed in (5, 6):
        body = build("co-fired", size_um=2.4, voxel_nm=80, seed=seed)
        for carrier in ("ion", "electron"):
            network = build_network(body, materials, carrier=carrier, temperature_C=60.0)
            solved = conduct(network, axis="all", boundary="periodic", keep_potential=True)
            reached[f"sigma_{carrier[0]}"].append(mS_per_cm(solved.mean_sigma_eff_S_per_m))
            if carrier == "ion":
                energies = [activation_energy_eV(network, one) for one in solved.solutions]
                reached["Ea(i)"].append(float(np.mean(energies)))
    for target in TARGETS:
        assert np.mean(reached[target.name]) == pytest.approx(target.value, rel=0.01), target.name


def test_the_file_and_the_answer_say_by_which_command(calibrated):
    said = calibrated.found["provenance"]
    assert said["command"].startswith("cofire calibrate --out ")
    assert (said["seed"], said["input"]["replicas"], list(said["inputs"])) == (5, 2, ["lfp-latp"])
    heading = calibrated.file.read_text(encoding="utf-8").splitlines()[0]
    assert heading.startswith(f"# cofire {said['version']}, ")
    assert heading.endswith(said["command"])


def test_intervals_hold_the_values_and_count_both_errors(calibrated):
    found = calibrated.found
    assert found["interval"] == "targets and replicas"
    assert [entry["name"] for entry in found["parameters"]] == list(NAMES)
    for entry in found["parameters"]:
        assert entry["low"] < entry["value"] < entry["high"]
        assert entry["error_from_targets"] > 0.0
        assert entry["error_from_replicas"] > 0.0
    correlation = np.array([[found["correlation"][a][b] for b in NAMES] for a in NAMES])
    assert np.diag(correlation) == pytest.approx(1.0)
    assert correlation == pytest.approx(correlation.T)
    assert np.linalg.eigvalsh(correlation).min() > 0.0
    assert np.abs(correlation - np.eye(3)).max() > 0.05


def test_the_file_says_where_its_values_come_from_and_keeps_all_others(calibrated):
    old, new = load_materials().to_dict(), load_materials(calibrated.file).to_dict()
    fitted = {entry["name"]: entry["value"] for entry in calibrated.found["parameters"]}
    boundary, film = new["interfaces"][PAIR]["ion"], new["films"]["LFP|pore"]["electron"]
    assert boundary["area_specific_resistance_ohm_m2"] == pytest.approx(fitted[NAMES[0]], rel=1e-5)
    assert boundary["activation_energy_eV"] == pytest.approx(fitted[NAMES[2]], rel=1e-5)
    assert film["sheet_conductance_S"] == pytest.approx(fitted[NAMES[1]], rel=1e-5)
    merged = new["films"]["LFP|LFP"]["electron"]["sheet_conductance_S"]
    assert merged == pytest.approx(2.0 * film["sheet_conductance_S"], rel=1e-5)
    for table, key in (
        (boundary, "area_specific_resistance_ohm_m2"),
        (boundary, "activation_energy_eV"),
        (film, "sheet_conductance_S"),
    ):
        source = table["source"][key]
        assert source["status"] == "calibrated"
        for word in ("cofire calibrate", "seeds 5 to 6", "2.4 um", "80 nm", "0.99", "7.34", "0.29"):
            assert word in source["text"]
    assert new["phases"] == old["phases"]
    assert new["contacts"] == old["contacts"]
    assert new["interfaces"] == old["interfaces"] | {PAIR: {**old["interfaces"][PAIR], "ion": boundary}}


def test_one_replica_gives_no_interval_of_replicas(run, work):
    ran = run("calibrate", "--out", "one.toml", *SMALL, "--replicas", 1, "--json")
    assert ran.code == 0, ran.err
    assert "one replica" in ran.err
    assert ran.json["interval"] == "targets only"
    assert all(entry["error_from_replicas"] is None for entry in ran.json["parameters"])
    assert (
        "targets only"
        in load_materials("one.toml").to_dict()["interfaces"][PAIR]["ion"]["source"]["activation_energy_eV"]["note"]
    )


def test_people_get_a_table_of_parameters_and_correlations(done, work):
    shown = done("calibrate", "--out", "my.toml", *SMALL, "--replicas", 1).out
    for words in (*NAMES, "sigma_i", "sigma_e", "Ea(i)", "95 %", "start", "correlations"):
        assert words in " ".join(shown.split())


def test_an_existing_file_is_kept(refuse, work):
    Path("mine.toml").write_text("x = 1\n")
    assert "--overwrite" in refuse("calibrate", "--out", "mine.toml", *SMALL)


def test_sigma_i_beyond_what_no_resistance_gives_is_refused_with_the_largest(refuse, work):
    before = "conductivity_S_per_m = 0.9 "
    poor = _written_by_hand(work, before, "conductivity_S_per_m = 0.45 ")
    line = refuse("calibrate", "--out", "my.toml", *SMALL, "--replicas", 1, "--materials", poor)
    assert "cannot be reached" in line
    largest = float(line.split("these bodies conduct ")[1].split()[0])
    assert 0.45 < largest < 0.99


def test_an_energy_that_no_boundary_can_give_is_refused_with_the_range(refuse, work):
    steep = _written_by_hand(work, "activation_energy_eV = 0.26\n", "activation_energy_eV = 0.50\n")
    assert "Ea(i) of 0.29 eV cannot be reached" in refuse(
        "calibrate", "--out", "my.toml", *SMALL, "--replicas", 1, "--materials", steep
    )


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (f'{HEADING}1.5e-7', f'{HEADING}0.0', PAIR),
        ('[films."LFP|', '[films."LFTAP|', "film on LFP"),
    ],
    ids=["no-resistance", "no-film"],
)  # fmt: skip
def test_materials_without_a_start_are_refused(refuse, work, before, after, says):
    bare = _written_by_hand(work, before, after)
    assert says in refuse("calibrate", "--out", "my.toml", *SMALL, "--materials", bare)


@pytest.mark.parametrize(("option", "value"), [("--replicas", 0), ("--seed", -1), ("--size-um", -2)])
def test_values_out_of_range_are_refused(refuse, work, option, value):
    assert option.removeprefix("--").split("-")[0] in refuse("calibrate", "--out", "my.toml", option, value)
