"""A study of 200 cases, undisturbed and killed at random: the same table? What do two workers gain, what costs a case beside physics?

usage: python benchmarks/study.py [OUT.json] [--small]      about an hour on two cores; --small: 12 small cases, two minutes
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

STUDY = """\
schema = 1
name = "shells"
[cell]
size_um = {size_um}
voxel_nm = 50.0
[cell.recipe.powders.LATP]
mass_fraction = "rest"
[study]
seed = 1
[study.grid]
"cell.process" = ["cold-pressed", "co-fired"]
"cell.recipe.press.relative_density" = {densities}
"cell.recipe.powders.LFP.mass_fraction" = {fractions}
[[study.zip]]
"cell.recipe.fire.interphase.thickness_p05_nm" = {thin}
"cell.recipe.fire.interphase.thickness_p95_nm" = {thick}
"""
KILLS = 5


def write_study(folder: Path, size_um: float, shells: int, densities: list[float], fractions: list[float]) -> Path:
    """Write a study; cold-pressed bodies do not depend on the shell, so it has densities x fractions x (shells + 1) cases."""
    thin = [round(40.0 + 10.0 * n, 1) for n in range(shells)]
    file = folder / f"shells-{shells}.toml"
    text = STUDY.format(size_um=size_um, densities=densities, fractions=fractions, thin=thin, thick=[x + 20.0 for x in thin])
    file.write_text(text)
    return file


def start(study: Path, out: Path, workers: int) -> subprocess.Popen[bytes]:
    """Begin a study, or go on with it."""
    more = ["--resume"] if (out / "study.json").exists() else []
    words = [sys.executable, "-m", "cofire", "sweep", str(study), "--out", str(out), "--workers", str(workers), *more]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)


def timed(study: Path, out: Path, workers: int) -> dict[str, Any]:
    """Compute a study undisturbed; seconds of the whole command and of the cases alone."""
    clock = time.monotonic()
    assert start(study, out, workers).wait() == 0
    seconds = time.monotonic() - clock
    cases = [json.loads(file.read_bytes())["provenance"]["seconds"] for file in out.glob("cases/*/case.json")]
    return {
        "workers": workers,
        "seconds": seconds,
        "cases": len(cases),
        "seconds_of_cases": sum(cases),
        "median_case_s": statistics.median(cases),
    }


def killed(study: Path, out: Path, whole_s: float, seed: int) -> list[dict[str, Any]]:
    """Compute a study with two workers; five times, at random moments, kill -9 its driver, one worker or all of them."""
    rng = random.Random(seed)
    kills: list[dict[str, Any]] = []
    while True:
        process = start(study, out, 2)
        if len(kills) == KILLS:
            assert process.wait() == 0
            return kills
        wait = rng.uniform(0.05, 0.18) * whole_s
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            children = [
                child
                for child in psutil.Process(process.pid).children(recursive=True)
                if "spawn_main" in " ".join(child.cmdline())
            ]
            whom = rng.choice(["driver", "one worker", "all"])
            if whom != "driver" and children:
                for child in children[:1] if whom == "one worker" else children:
                    child.kill()
            if whom != "one worker":
                process.kill()
            done = len(list(out.glob("cases/[0-9a-f]*/case.json")))
            kills.append({"whom": whom, "after_s": wait, "finished_cases": done})
            print(kills[-1], flush=True)
            if whom == "one worker":
                try:
                    process.wait(0.05 * whole_s)
                except subprocess.TimeoutExpired:
                    process.kill()  # so that the next kill meets another state
            process.wait()


def main() -> None:
    """Run everything and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="study-"))
    if options.small:
        study, part = (write_study(folder, 2.4, shells, [0.55, 0.6], [0.5, 0.6]) for shells in (2, 1))
    else:
        study = write_study(folder, 5.5, 9, [0.52, 0.54, 0.56, 0.58, 0.6], [0.4, 0.475, 0.55, 0.625])
        part = write_study(folder, 5.5, 5, [0.56, 0.6], [0.475, 0.55])
    timed(part, folder / "warm", 2)  # kernels compiled, files in the cache of the system
    one, two = (timed(part, folder / f"part-{workers}", workers) for workers in (1, 2))
    undisturbed = timed(study, folder / "undisturbed", 2)
    kills = killed(study, folder / "killed", undisturbed["seconds"], seed=1)
    tables = {
        name: (folder / "undisturbed" / name).read_bytes() == (folder / "killed" / name).read_bytes()
        for name in ("table.csv", "table.parquet")
    }
    found = {
        "one_worker": one,
        "two_workers": two,
        "speed_up_of_two_workers": one["seconds"] / two["seconds"],
        "overhead_per_case_s": (one["seconds"] - one["seconds_of_cases"]) / one["cases"],
        "undisturbed": undisturbed,
        "kills": kills,
        "tables_identical": tables,
    }
    print(json.dumps(found, indent=1))
    if options.out:
        Path(options.out).write_text(json.dumps(found, indent=1) + "\n")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
