"""`cofire hop`: runs that end by their error, that are killed and go on, and what they write beside the numbers."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

MOMENT = ("seconds", "hops_per_second", "provenance")
LONG = {
    "tracer": ("--walkers", 256, "--hops", 120_000_000),
    "lattice-gas": ("--filling", 0.2, "--hops", 20_000_000),
}


def command(built: Any, *words: object) -> list[str]:
    return [sys.executable, "-m", "cofire", "hop", str(built.fired), *map(str, words), "--json"]


def bits(text: str) -> dict[str, Any]:
    """Return everything of a result that must not depend on the moment."""
    return {key: value for key, value in json.loads(text).items() if key not in MOMENT}


def start(words: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_run_goes_on_until_its_error_is_small(done, built):
    found = done("hop", built.fired, "--rel-error", 0.1, "--json").json
    for axis in "xyz":
        assert 0.0 < found["sigma_eff_stderr_S_per_m"][axis] <= 0.1 * found["sigma_eff_S_per_m"][axis]
    assert set(found["plateau"]) == set("xyz")
    assert np.array(found["diffusivity_tensor_m2_per_s"]).shape == (3, 3)
    assert found["mean_dwell_s"]["LATP"] > 0.0


@pytest.mark.parametrize("mode", ["tracer", "lattice-gas"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_at_a_safe_point_and_says_how_to_go_on(built, work, mode, number):
    words = command(built, "--mode", mode, *LONG[mode], "--checkpoint", "run.npz", "--checkpoint-every-s", 0.2)
    running = start(words)
    wait_for(work / "run.npz", running)
    running.send_signal(number)
    out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (128 + number, "")
    assert "go on with: cofire hop" in err
    assert f"--resume {work / 'run.npz'}" in err


def wait_for(file: Path, running: subprocess.Popen[str]) -> None:
    while not file.exists():
        assert running.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.02)


@pytest.mark.parametrize("mode", ["tracer", "lattice-gas"])
def test_a_killed_run_goes_on_to_the_same_bits(built, work, mode):
    kill_and_resume(built, work, mode, kills=2, seed=1)


@pytest.mark.nightly
@pytest.mark.parametrize("mode", ["tracer", "lattice-gas"])
def test_a_run_killed_fifty_times_goes_on_to_the_same_bits(built, work, mode, fresh_seed):
    kill_and_resume(built, work, mode, kills=50, seed=fresh_seed)


def kill_and_resume(built: Any, work: Path, mode: str, *, kills: int, seed: int) -> None:
    """Kill runs at random moments after their first checkpoint; each kill is followed by a resume that must end as one piece."""
    shake = random.Random(seed)
    words = (*LONG[mode], "--mode", mode)
    whole = subprocess.run(command(built, *words), capture_output=True, text=True, check=True, timeout=300)
    began = time.monotonic()
    subprocess.run(command(built, *words), capture_output=True, text=True, check=True, timeout=300)
    length = time.monotonic() - began
    file, killed = work / "run.npz", 0
    saving = ("--checkpoint", "run.npz", "--checkpoint-every-s", 0)
    while killed < kills:
        more = ("--resume", "run.npz") if file.exists() else ()
        running = start(command(built, *words, *saving, *more))
        try:
            running.wait(timeout=length * shake.random())
        except subprocess.TimeoutExpired:
            running.kill()
            killed += 1
        out, err = running.communicate()
        if running.returncode == 0:  # it came to its end: that must be the end of the undisturbed run
            assert bits(out) == bits(whole.stdout)
            file.unlink()
        else:
            assert running.returncode == -signal.SIGKILL, err
    more = ("--resume", "run.npz") if file.exists() else ()
    last = subprocess.run(command(built, *words, *saving, *more), capture_output=True, text=True, check=True, timeout=300)
    assert bits(last.stdout) == bits(whole.stdout)


def test_workers_change_no_bit(built, monkeypatch):
    ends = set()
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        ran = subprocess.run(command(built, "--hops", 1_000_000), capture_output=True, text=True, check=True, timeout=300)
        ends.add(json.dumps(bits(ran.stdout)))
    assert len(ends) == 1


def test_both_carriers_in_one_run(done, built):
    ran = done("hop", built.fired, "--carrier", "both", "--hops", 200_000, "--json")
    found = ran.json
    assert (found["ion"]["carrier"], found["electron"]["carrier"]) == ("ion", "electron")
    assert found["ambipolar_diffusivity_m2_per_s"]["x"] > 0.0
    assert "ambipolar" in done("hop", built.fired, "--carrier", "both", "--hops", 20_000).out


def test_drift_in_a_field(done, built):
    found = done("hop", built.fired, "--field-V-per-m", "0,2e5,0", "--hops", 2_000_000, "--json").json
    assert found["mode"] == "drift"
    assert found["field_V_per_m"] == {"x": 0.0, "y": 2e5, "z": 0.0}
    assert found["mobility_m2_per_Vs"] > 0.0
    assert "Einstein" in done("hop", built.fired, "--field-V-per-m", "0,2e5,0", "--hops", 20_000).out


def test_trajectories_are_written_and_not_overwritten(done, refuse, built, work):
    words = ("hop", built.fired, "--hops", 200_000, "--trajectories", "ways.h5", "--trajectory-count", 4)
    assert done(*words, "--json").json["files"] == ["ways.h5"]
    with h5py.File(work / "ways.h5") as file:
        assert file["position_m"].shape == (4, 1001, 3)
    assert "--overwrite" in refuse(*words)
    done(*words, "--overwrite")


def test_a_gas_in_a_field_at_a_chemical_potential(done, built):
    words = ("--mode", "lattice-gas", "--chemical-potential-eV", 0.0, "--field-V-per-m", "0,0,1e5", "--hops", 200_000)
    found = done("hop", built.fired, *words, "--json").json
    assert 0.0 < found["filling"] < 1.0
    assert found["drift_m_per_s"]["z"] != 0.0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--rel-error", "2"), "rel_error is 2"),
        (("--rel-error", "0.1", "--mode", "lattice-gas"), "--rel-error belongs to --mode tracer"),
        (("--chemical-potential-eV", "0"), "belongs to --mode lattice-gas"),
        (("--filling", "0.5", "--chemical-potential-eV", "0", "--mode", "lattice-gas"), "chemical"),
        (("--basins", "yes"), "basins is 'yes'"),
        (("--field-V-per-m", "1e5"), "three numbers"),
        (("--field-V-per-m", "0,0,0"), "above 0"),
        (("--carrier", "both", "--checkpoint", "x.npz"), "one carrier"),
        (("--carrier", "hole"), "carrier is 'hole'"),
        (("--trajectories", "ways.txt"), "allowed: .h5, .vtp"),
        (("--trajectories", "ways.h5", "--walkers", "5", "--hops", "100"), "10 trajectories"),
    ],
)
def test_options_that_make_no_sense(refuse, built, words, says):
    assert says in refuse("hop", built.fired, *words)
