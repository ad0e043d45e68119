"""The memory guard: what `cofire.memory.estimate` says against the peak that a process of its own reaches; JSON.

usage: python benchmarks/memory.py [--only NAME ...]

Every configuration runs as a user would run it, in a fresh process; run it twice after a change of kernels, since compiling takes
memory too. `ratio` is estimate over measured peak of resident memory. JSON goes to
stdout, progress to stderr; the exit code is 1 if a ratio is off by more than a fifth.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.memory import estimate
from microstructures.recipe import Recipe

ALLOWED = 0.2
ELECTRON, HOPS = ("--carrier", "electron"), ("--hops", "1000000")
CASE = """
import sys
from pathlib import Path
from cofire.experiment.case import Case, run_case
from microstructures.recipe import Recipe
process, size_um, voxel_nm, out = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
run_case(Case(process, 7, 0, size_um, voxel_nm, Recipe(), None, 60.0, 1_000_000, (), out))
"""
IMAGE = """
import sys
import numpy as np
from scipy.ndimage import gaussian_filter
nx, ny, nz = (int(n) for n in sys.argv[1].split("x"))
field = gaussian_filter(np.random.default_rng(3).random((nx, ny, nz), dtype=np.float32), 4.0, mode="wrap")
np.save(sys.argv[2], np.digitize(field, np.quantile(field, [0.15, 0.55])).astype(np.uint8))
"""


@dataclass(frozen=True)
class Configuration:
    """A command on a body, built or an image, and what it is estimated to take.

    Attributes
    ----------
    body : tuple of str, float, float
        Process, edge [um] and voxel edge [nm]; of an image "image", and its shape as text.
    command : tuple of str
        What is run on it: `build`, `case`, or the words of a command that reads it.
    """

    name: str
    body: tuple[Any, ...]
    command: tuple[str, ...]


CONFIGURATIONS = (
    Configuration("build fired", ("co-fired", 4.5, 18.0), ("build",)),
    Configuration("build pressed", ("cold-pressed", 7.0, 32.0), ("build",)),
    Configuration("conduct fired", ("co-fired", 4.5, 23.0), ("conduct",)),
    Configuration(
        "conduct pressed, electrons, three axes", ("cold-pressed", 4.5, 28.0), ("conduct", *ELECTRON, "--axis", "all")
    ),
    Configuration("conduct fired, thin layers", ("co-fired", 5.0, 38.0), ("conduct",)),
    Configuration("conduct image", ("image", "200x150x130"), ("conduct", "--boundary", "periodic")),
    Configuration("percolate fired", ("co-fired", 3.5, 26.0), ("percolate",)),
    Configuration("percolate pressed, electrons", ("cold-pressed", 3.5, 30.0), ("percolate", *ELECTRON)),
    Configuration("percolate image", ("image", "90x80x100"), ("percolate",)),
    Configuration("hop fired", ("co-fired", 4.5, 27.0), ("hop", *HOPS)),
    Configuration("hop pressed, electrons", ("cold-pressed", 4.0, 33.0), ("hop", *HOPS, *ELECTRON)),
    Configuration("hop image between plates", ("image", "140x110x120"), ("hop", *HOPS, "--boundary", "plates")),
    Configuration("import", ("image", "180x170x150"), ("import",)),
    Configuration("case pressed", ("cold-pressed", 3.2, 33.0), ("case",)),
    Configuration("case fired, thin layers", ("co-fired", 3.0, 42.0), ("case",)),
    Configuration("case fired", ("co-fired", 3.2, 30.0), ("case",)),
)


def peak_bytes(command: list[str], folder: Path) -> int:
    """Run a command in a fresh process and return the largest resident memory of it [bytes]."""
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(command, cwd=folder, stdout=nowhere, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {said}")
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def cofire(*words: object) -> list[str]:
    """Return the command line of a command of ours."""
    return [sys.executable, "-m", "cofire", *map(str, words)]


def body_file(body: tuple[Any, ...], folder: Path) -> Path:
    """Return the file of a body, made if it is not there."""
    kind, *size = body
    file = folder / f"{'-'.join(map(str, body))}.{'npy' if kind == 'image' else 'h5'}"
    if not file.exists():
        if kind == "image":
            peak_bytes([sys.executable, "-c", IMAGE, size[0], str(file)], folder)
        else:
            peak_bytes(cofire("build", kind, "--size-um", size[0], "--voxel-nm", size[1], "--out", file), folder)
    return file


def measure(body: tuple[Any, ...], command: tuple[str, ...], folder: Path) -> int:
    """Return the peak of a command on a body."""
    kind, *size = body
    if command[0] == "build":
        out = ("--out", "out.h5", "--overwrite")
        return peak_bytes(cofire("build", kind, "--size-um", size[0], "--voxel-nm", size[1], *out), folder)
    if command[0] == "case":
        return peak_bytes([sys.executable, "-c", CASE, kind, str(size[0]), str(size[1]), str(folder / "case.h5")], folder)
    if command[0] == "import":
        words = ("--voxel-nm", 25, "--phases", "0=pore,1=LFP,2=LATP", "--out", "out.h5", "--overwrite", *command[1:])
        return peak_bytes(cofire("import", body_file(body, folder), *words), folder)
    spacing = ("--voxel-nm", "25") if kind == "image" else ()
    return peak_bytes(cofire(command[0], body_file(body, folder), *spacing, *command[1:], "--json"), folder)


def estimated(body: tuple[Any, ...], command: tuple[str, ...]) -> int:
    """Return what `cofire.memory.estimate` says of a command on a body."""
    kind, *size = body
    if kind == "image":
        shape, common = tuple(int(n) for n in size[0].split("x")), {}
    else:
        of = {"process": kind, "size_um": size[0], "voxel_nm": size[1]}
        if command[0] == "build":
            return estimate.build_bytes(**of)
        if command[0] == "case":
            return estimate.case_bytes(**of)
        shape = (estimate.built_edge_voxels(**of, recipe=Recipe()),) * 3
        thin_layer = estimate.has_thin_layer(kind, size[1], Recipe())
        common = {"kind": kind, "voxel_nm": size[1], "thin_layer": thin_layer}
    if command[0] == "import":
        return estimate.import_bytes(shape, segment_grains="--segment-grains" in command)
    if command[0] == "conduct":
        return estimate.conduct_bytes(shape, axes=3 if "all" in command else 1, **common)
    if command[0] == "percolate":
        return estimate.percolate_bytes(shape, carrier="electron" if "electron" in command else "ion", **common)
    boundary, mode = (
        ("plates" if "plates" in command else "periodic"),
        ("lattice-gas" if "lattice-gas" in command else "tracer"),
    )
    return estimate.hop_bytes(shape, boundary=boundary, mode=mode, **common)


def main() -> int:
    """Run the configurations asked for and print how estimates and peaks compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[one.name for one in CONFIGURATIONS])
    wanted = parser.parse_args().only
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for one in CONFIGURATIONS:
            if wanted is None or one.name in wanted:
                measured, said = measure(one.body, one.command, Path(folder)), estimated(one.body, one.command)
                found.append(
                    {
                        "name": one.name,
                        "body": list(one.body),
                        "command": list(one.command),
                        "estimated_bytes": said,
                        "measured_bytes": measured,
                        "ratio": round(said / measured, 3),
                    }
                )
                print(f"{one.name}: {said / 1e6:.0f} MB estimated, {measured / 1e6:.0f} MB measured", file=sys.stderr)
    off = [entry["name"] for entry in found if abs(entry["ratio"] - 1.0) > ALLOWED]
    print(json.dumps({"configurations": found, "off_by_more_than_a_fifth": off}, indent=2))
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
