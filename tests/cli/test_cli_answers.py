"""What every command prints with --json: one object, with the keys and types that others rely on."""

from __future__ import annotations

import subprocess
import sys
from numbers import Real

import numpy as np
import pytest

AXES = {"x", "y", "z"}
NUMBERS_OF_CONDUCT = ("sigma_eff_S_per_m", "iterations", "inflow_S_per_m", "outflow_S_per_m", "dissipation_S_per_m")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _are_shares(table: dict[str, float]) -> bool:
    return all(-1e-12 <= share <= 1.0 + 1e-12 for share in table.values())


def test_conduct_along_one_axis_gives_numbers(done, built):
    ran = done("conduct", built.fired, "--json")
    found = ran.json
    assert ran.err == ""
    assert all(_is_number(found[key]) for key in (*NUMBERS_OF_CONDUCT, "tortuosity_factor", "seconds"))
    assert (found["outcome"], found["percolates"], found["axis"], found["carrier"]) == ("converged", True, "x", "ion")
    assert isinstance(found["voxels"], int)
    assert isinstance(found["peak_memory_bytes"], int)
    assert found["voxels"] == 52**3
    for key in ("outflow_S_per_m", "dissipation_S_per_m"):
        assert found[key] == pytest.approx(found["inflow_S_per_m"], rel=2e-4)


def test_smooth_insulators_conduct_more_and_say_so(done, built):
    plain, smooth = (done("conduct", built.fired, *more, "--json").json for more in ((), ("--smooth-insulators",)))
    assert (plain["smooth_insulators"], smooth["smooth_insulators"]) == (False, True)
    assert 1.0 < smooth["sigma_eff_S_per_m"] / plain["sigma_eff_S_per_m"] < 1.2
    hops = [done("hop", built.fired, *more, "--hops", 20_000, "--json").json for more in ((), ("--smooth-insulators",))]
    assert hops[0]["sigma_eff_S_per_m"] != hops[1]["sigma_eff_S_per_m"]


def test_conduct_along_all_axes_gives_one_number_each(done, built):
    found = done("conduct", built.fired, "--axis", "all", "--json").json
    for key in NUMBERS_OF_CONDUCT:
        assert set(found[key]) == AXES
        assert all(_is_number(value) for value in found[key].values())
    assert found["percolates"] == dict.fromkeys("xyz", True)
    assert set(found["tortuosity_factor"]) == AXES


def test_conduct_at_a_temperature_by_a_carrier(done, built):
    found = done("conduct", built.fired, "--carrier", "electron", "--temperature-C", 100, "--axis", "y", "--json").json
    assert (found["carrier"], found["temperature_C"], found["axis"]) == ("electron", 100.0, "y")
    assert found["tortuosity_factor"] is None  # films conduct: it has no meaning


def test_percolate(done, built):
    found = done("percolate", built.fired, "--json").json
    assert found["percolates"] is True
    assert set(found["percolating_fraction"]) == {"pore", "LFP", "LATP", "LFTAP"}
    assert _are_shares(found["percolating_fraction"])
    assert _is_number(found["sigma_eff_graph_S_per_m"])
    assert _is_number(found["critical_barrier_eV"])
    assert all(isinstance(found[key], int) for key in ("clusters", "grains", "contacts"))
    every = done("percolate", built.cold, "--axis", "all", "--json").json
    assert set(every["percolates"]) == set(every["sigma_eff_graph_S_per_m"]) == set(every["critical_barrier_eV"]) == AXES
    assert all(_are_shares(part) for part in every["percolating_fraction"].values())


@pytest.mark.parametrize("mode", ["tracer", "lattice-gas"])
def test_hop(done, built, mode):
    ran = done("hop", built.fired, "--hops", 4000, "--mode", mode, "--seed", 5, "--json")
    found = ran.json
    assert ran.err == ""
    for key in ("diffusivity_m2_per_s", "sigma_eff_S_per_m"):
        error = found[key.replace("_m2", "_stderr_m2").replace("_S_per", "_stderr_S_per")]
        assert set(found[key]) == set(error) == AXES
        assert all(_is_number(value) for value in (*found[key].values(), *error.values()))
    assert isinstance(found["hops"], int)
    assert found["hops"] == pytest.approx(4000, rel=0.25)
    assert found["hops_per_second"] > 0.0
    assert found["simulated_time_s"] > 0.0
    assert sum(found["residence_fraction"].values()) == pytest.approx(1.0)
    assert set(found["residence_fraction"]) == {"pore", "LFP", "LATP", "LFTAP"}
    assert found["crossings"]
    assert all(len(pair.split("|")) == 2 and isinstance(count, int) for pair, count in found["crossings"].items())
    assert (found["boundary"], found["seed"]) == ("periodic", 5)


def test_hop_between_plates_for_a_time_with_some_walkers(done, built):
    found = done("hop", built.fired, "--boundary", "plates", "--time-s", 1e-4, "--walkers", 64, "--json").json
    assert (found["boundary"], found["walkers"]) == ("plates", 64)
    assert found["simulated_time_s"] == pytest.approx(1e-4)


def test_hop_with_the_same_seed_gives_the_same_numbers(done, built):
    def sigma(seed: int) -> object:
        return done("hop", built.fired, "--hops", 2000, "--seed", seed, "--json").json["sigma_eff_S_per_m"]

    assert sigma(3) == sigma(3) != sigma(4)


def test_hop_goes_on_from_a_checkpoint(done, refuse, built, work):
    words = ("hop", built.fired, "--hops", 2000, "--json")
    straight = done(*words, "--checkpoint", "half.npz").json
    assert "--resume" in refuse(*words, "--checkpoint", "half.npz")
    again = done(*words, "--resume", "half.npz", "--checkpoint", "half.npz").json
    assert again["sigma_eff_S_per_m"] == straight["sigma_eff_S_per_m"]
    assert "seed" in refuse(*words, "--seed", 9, "--resume", "half.npz")


@pytest.mark.parametrize("process", ["cold", "fired"])
def test_info(done, built, process):
    ran = done("info", getattr(built, process), "--json")
    found = ran.json
    assert ran.err == ""
    assert found["shape"] == ([60] * 3 if process == "cold" else [52] * 3)
    assert found["voxel_nm"] == pytest.approx(50.0)
    assert sum(found["volume_fraction"].values()) == pytest.approx(1.0)
    assert found["relative_density"] == pytest.approx(0.6 if process == "cold" else 0.9, abs=0.01)
    assert found["interface_area_per_volume_per_um"]["LFP|pore"] > 0.0
    if process == "cold":
        assert found["contacts"]["count"] > 0
        return
    shell = found["interphase"]
    numbers = ("thickness_nm_mean", "thickness_nm_p05", "thickness_nm_p95", "volume_fraction", "coverage")
    assert all(_is_number(shell[key]) for key in numbers)
    assert shell["thickness_nm_p05"] <= shell["thickness_nm_mean"] <= shell["thickness_nm_p95"]
    assert shell["volume_fraction"] == found["volume_fraction"]["LFTAP"]


def test_doctor(done):
    found = done("doctor", "--json").json
    for key in ("cofire", "python", "numpy", "numba", "threads", "memory_GB", "renderer", "compile_cache"):
        assert found[key]


@pytest.mark.parametrize(
    "words",
    [("info",), ("conduct", "--axis", "all"), ("conduct",), ("percolate",), ("percolate", "--axis", "all"), ("hop", "--hops", 2000),
     ("hop", "--hops", 2000, "--mode", "lattice-gas")],
    ids=lambda words: "-".join(map(str, words)),
)  # fmt: skip
def test_tables_for_people(done, built, words):
    command, *more = words
    out = done(command, built.fired, *more).out
    assert "{" not in out
    assert built.fired.name in out


def test_advice_goes_to_stderr(done, built):
    assert "voxels thick" in done("info", built.fired).err


def test_module_prints_one_object_and_nothing_else(built):
    words = [sys.executable, "-m", "cofire", "info", str(built.fired), "--json"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("{")
    assert ran.stdout.endswith("}\n")


def test_structures_that_do_not_conduct_are_outcomes_not_errors(done, images):
    where = ("--voxel-nm", 25, "--materials", images["toml"])
    along = done("conduct", images["npy"], *where, "--axis", "all", "--json").json
    assert along["percolates"] == {"x": True, "y": False, "z": False}
    assert along["sigma_eff_S_per_m"] == {"x": pytest.approx(1.0 / 30.0, rel=1e-6), "y": 0.0, "z": 0.0}
    across = done("conduct", images["npy"], *where, "--axis", "y", "--json").json
    assert (across["outcome"], across["sigma_eff_S_per_m"], across["percolates"]) == ("not-percolating", 0.0, False)
    assert across["advice"]
    assert done("percolate", images["npy"], *where, "--axis", "y", "--json").json["percolates"] is False
    hopped = done("hop", images["npy"], *where, "--hops", 1000, "--json").json
    assert hopped["sigma_eff_S_per_m"]["x"] > 0.0
    assert hopped["sigma_eff_S_per_m"]["y"] == 0.0


@pytest.mark.parametrize("command", ["info", "conduct", "percolate", "hop"])
def test_a_box_of_pore_is_answered(done, work, command):
    np.save("pore.npy", np.zeros((4, 4, 4), dtype=np.uint8))
    more = () if command == "info" else ("--materials", "a.toml")
    found = done(command, "pore.npy", "--voxel-nm", 25, *more, "--json").json
    if command == "info":
        assert found["relative_density"] == 0.0
    else:
        assert found["outcome"] in ("not-percolating", "frozen")


def test_too_cold_to_move_is_frozen(done, work):
    found = done("hop", "a.npy", "--voxel-nm", 25, "--materials", "a.toml", "--temperature-C", -271, "--json").json
    assert found["outcome"] == "frozen"
    assert found["sigma_eff_S_per_m"] == dict.fromkeys("xyz", 0.0)


def test_extreme_contrast_states_its_outcome(done, work):
    labels = (np.random.default_rng(1).random((10, 10, 10)) < 0.5).astype(np.uint8) + 1
    np.save("mix.npy", labels)
    text = (work / "a.toml").read_text().replace("= 1.0\nact", "= 1e10\nact")
    second = "[phases.B]\nlabel = 2\n[phases.B.ion]\nconductivity_S_per_m = 1e-10\nactivation_energy_eV = 0.3\n"
    (work / "mix.toml").write_text(text + second)
    found = done("conduct", "mix.npy", "--voxel-nm", 25, "--materials", "mix.toml", "--json").json
    assert found["outcome"] == "converged"
    assert found["inflow_S_per_m"] == pytest.approx(found["outflow_S_per_m"], rel=1e-3)


def test_too_few_iterations_say_so_and_give_no_tortuosity(done, built):
    found = done("conduct", built.fired, "--max-iterations", 1, "--json").json
    assert found["outcome"] == "not-converged"
    assert "--max-iterations" in found["advice"]
