"""The solver: time, memory and share of the memory bandwidth over size, iterations over contrast, a race with others; JSON.

usage: python benchmarks/conduction.py [EDGE ...] [--race EDGE ...] [--out FOLDER]

Sizes: Voronoi grains of four phases, one of them pore, contrast 1e6, three interface resistances. Contrasts: these grains at
the first edge, and white noise of which a quarter conducts well, too little to percolate by itself. Races: the grains
without interface resistance against pyamg and TauFactor, see `conduction_rivals.py`. JSON goes to stdout, progress to
stderr; with --out the JSON and a plot also go to that folder.

Every record comes from a process of its own, so that its peak memory is its own too; the structure itself is not counted.
Times are those of the fastest run. An iteration takes the difference between a whole solve and one stopped after its first
iteration, over the iterations between; set-up is what remains of the latter; both are null where noise hides them.
`bandwidth_share`: what iterations move at least over what a triad moves in that time; caches can lift it above 1.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conduction_rivals import Memory, Record, against_pyamg, against_taufactor, compare, fastest
from numba import get_num_threads, prange
from scipy.spatial import cKDTree

from kmc.conduction import conduct
from kmc.network import Network, build_network
from microstructures.jit import parallel_kernel
from microstructures.materials import parse_materials
from microstructures.structure import VoxelStructure

VOXEL_NM = 25.0
TOLERANCE = 1e-4
WARM_EDGE = 32  # enough for several coarse levels, so that every kernel is loaded
MATERIALS = """
schema = 1
name = "three phases and pore"
reference_temperature_C = 25.0
phases.A = {{ label = 1, ion = {{ conductivity_S_per_m = {0}, activation_energy_eV = 0.3 }} }}
phases.B = {{ label = 2, ion = {{ conductivity_S_per_m = {1}, activation_energy_eV = 0.3 }} }}
phases.C = {{ label = 3, ion = {{ conductivity_S_per_m = {2}, activation_energy_eV = 0.3 }} }}
interfaces.default = {{ ion = {{ area_specific_resistance_ohm_m2 = {resistance}, activation_energy_eV = 0.3 }} }}
"""
STREAMS = {
    "smooth, two colours before and two after": (4, 4 * 3, 0),
    "restrict the residual": (1, 2, 1),
    "clear and add the correction": (0, 1 + 2, 1),
    "peak of the residual, two scalar products": (0, 1 + 2 + 2, 0),
    "new direction": (0, 3, 0),
    "apply the network": (1, 2, 0),
    "step of solution and residual": (0, 6, 0),
}
"""How often each part of one iteration streams past the processor: face classes of all three axes, float64 vectors, and the
uint8 places in the aggregates; read off the kernels of `kmc.conduction`.

A vector that is read and written counts twice, a write once, as in the triad; one colour of the smoother touches every cache
line of classes, potential and right-hand side. Neighbours are taken to be in the cache still; coarse levels, conductances,
planes at the plates and the check of convergence are left out: a lower limit.
"""


def grains(edge: int, size: int = 20, seed: int = 1) -> VoxelStructure:
    """Return a periodic Poisson-Voronoi structure of four phases, one of them pore."""
    rng = np.random.default_rng(seed)
    points = rng.random((max(8, round((edge / size) ** 3)), 3)) * edge
    tree, y = cKDTree(points, boxsize=edge), np.arange(edge) + 0.5
    nearest = np.empty((edge, edge, edge), dtype=np.int32)
    for i in range(edge):
        plane = np.stack(np.meshgrid(y[i], y, y, indexing="ij"), axis=-1).reshape(-1, 3)
        nearest[i] = tree.query(plane, workers=-1)[1].reshape(edge, edge)
    labels = rng.integers(0, 4, len(points)).astype(np.uint8)[nearest]
    return VoxelStructure.from_labels(labels, voxel_nm=VOXEL_NM, grains=nearest + 1)


def noise(edge: int, strong: float = 0.25, seed: int = 1) -> VoxelStructure:
    """Return white noise of the best and the worst conductor: every voxel drawn by itself."""
    rng = np.random.default_rng(seed)
    labels = np.empty((edge, edge, edge), dtype=np.uint8)
    for plane in labels:
        plane[...] = np.where(rng.random(plane.shape) < strong, 1, 3)
    return VoxelStructure.from_labels(labels, voxel_nm=VOXEL_NM)


STRUCTURES: dict[str, Callable[[int], VoxelStructure]] = {"grains": grains, "noise": noise}


def measure(solver: str, kind: str, edge: int, contrast: float, ratio: float) -> Record:
    """Return the record of one solver; `ratio` is the interface resistance in units of voxel edge / best conductivity."""
    conductivity = {1: 1.0, 2: contrast**-0.5, 3: 1.0 / contrast}
    if solver == "taufactor":
        return against_taufactor(STRUCTURES[kind](edge), conductivity, TOLERANCE)
    text = MATERIALS.format(*conductivity.values(), resistance=ratio * VOXEL_NM * 1e-9)
    materials = parse_materials(text.encode(), "benchmark")
    conduct(build_network(STRUCTURES[kind](WARM_EDGE), materials), tolerance=TOLERANCE)
    structure = STRUCTURES[kind](edge)
    memory, start = Memory(), time.perf_counter()
    network = build_network(structure, materials)
    if solver == "pyamg":
        return against_pyamg(network, TOLERANCE, memory)
    case = {"structure": kind, "edge": edge, "contrast": contrast, "resistance_voxels": ratio}
    case["faces_s"], case["faces_peak_bytes_per_voxel"] = time.perf_counter() - start, memory.per_voxel(edge**3)
    return {**case, **ours(network), "peak_bytes_per_voxel": memory.per_voxel(edge**3)}


def ours(network: Network) -> Record:
    """Return how long our solver takes."""

    def solve(max_iterations: int) -> Record:
        solution = conduct(network, tolerance=TOLERANCE, max_iterations=max_iterations).solutions[0]
        found = {"sigma_eff_S_per_m": solution.sigma_eff_S_per_m, "iterations": solution.iterations}
        return {"outcome": str(solution.outcome), **found}

    first, whole = fastest(lambda: solve(1)), fastest(lambda: solve(500))
    voxels, class_bytes = network.structure.labels.size, network.faces.of_axis[0].itemsize
    classes, vectors, places = (sum(counts) for counts in zip(*STREAMS.values(), strict=True))
    moved = 3 * class_bytes * classes + 8 * vectors + places
    between, more_s = whole["iterations"] - first["iterations"], whole["solve_s"] - first["solve_s"]
    step_s = more_s / between if between > 0 else 0.0
    iteration_s = step_s if 0.0 < first["iterations"] * step_s < first["solve_s"] else None
    return {
        **whole,
        "setup_s": None if iteration_s is None else first["solve_s"] - first["iterations"] * iteration_s,
        "iteration_s": iteration_s,
        "solve_us_per_voxel": 1e6 * whole["solve_s"] / voxels,
        "moved_bytes_per_iteration_and_voxel": moved,
        "moved_bytes_per_s": None if iteration_s is None else moved * voxels / iteration_s,
    }


@parallel_kernel
def _triad(a, b, s, c):  # type: ignore[no-untyped-def]
    """a = b + s c."""
    for i in prange(len(a)):
        a[i] = b[i] + s * c[i]


def triad_bytes_per_s() -> float:
    """Return the bandwidth of a triad of float64 arrays (STREAM, McCalpin 1995), 24 bytes per element, best of several."""
    a, b, c = (np.ones(2**24) for _ in range(3))
    times = []
    for _ in range(11):  # the first one compiles
        start = time.perf_counter()
        _triad(a, b, 3.0, c)
        times.append(time.perf_counter() - start)
    return 24.0 * len(a) / min(times[1:])


def apart(*case: object) -> Any:
    """Return the record of one case, measured in a process of its own.

    A process starts with the peak memory of the one that starts it, so nothing large may be done here before the last.
    """
    words = [sys.executable, __file__, "--one", json.dumps(case)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


def tell(*case: Any) -> None:
    """Print the record of one case, its floats rounded, and a line on stderr."""
    found = measure(*case).items()
    record = {key: float(f"{value:.7g}") if isinstance(value, float) else value for key, value in found}
    end = record.get("skipped") or f"{record['iterations']} iterations, {record['solve_s']:.3g} s"
    print("{}, {} of {}, contrast {:g}, resistance {:g}".format(*case), end, sep=": ", file=sys.stderr)
    print(json.dumps(record))


def race(edge: int) -> Record:
    """Return the records of all solvers on the same grains without interface resistance."""
    mine, *others = (apart(name, "grains", edge, 1e6, 0.0) for name in ("ours", "pyamg", "taufactor"))
    return {"edge": edge, "ours": mine, "pyamg": compare(others[0], mine), "taufactor": compare(others[1], mine)}


def main() -> None:
    """Measure sizes, contrasts and races."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edges", type=int, nargs="*", metavar="EDGE")
    parser.add_argument("--race", type=int, nargs="*", default=[], metavar="EDGE")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    known = parser.parse_args()
    if known.one:
        print(triad_bytes_per_s()) if known.one == ["triad"] else tell(*known.one)
        return
    edges = known.edges or ([] if known.race else [64, 96, 128])
    contrasts = [10.0**power for power in range(2, 13, 2)] if edges else []
    out: Record = {
        "machine": platform.processor() or platform.machine(),
        "threads": get_num_threads(),
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "tolerance": TOLERANCE,
        "triad_bytes_per_s": round(apart("triad")),
        "sizes": [apart("ours", "grains", edge, 1e6, ratio) for edge in edges for ratio in (0.0, 1e2, 1e6)],
        "contrasts": [apart("ours", kind, edges[0], contrast, 0.0) for kind in STRUCTURES for contrast in contrasts],
        "races": [race(edge) for edge in known.race],
    }
    for record in out["sizes"]:
        speed = record["moved_bytes_per_s"]
        record["bandwidth_share"] = None if speed is None else round(speed / out["triad_bytes_per_s"], 3)
    text = json.dumps(out, indent=2)
    print(text)
    if known.out is not None:
        known.out.mkdir(parents=True, exist_ok=True)
        (known.out / "conduction.json").write_text(text + "\n", encoding="utf-8")
        plot(out, known.out / "conduction.png")


def plot(out: Record, path: Path) -> None:
    """Draw time and memory over size, rivals where raced, and iterations over contrast."""
    from matplotlib.figure import Figure

    lines: dict[tuple[str, str], list[Record]] = {}
    for record in out["sizes"]:
        lines.setdefault((f"ours, interface resistance {record['resistance_voxels']:g}", "o-"), []).append(record)
    for found in out["races"]:
        for name, label in (("ours", "ours, raced"), ("pyamg", "pyamg"), ("taufactor", "TauFactor")):
            late = "" if found[name].get("converged", True) else ", not converged"
            if "skipped" not in found[name]:
                lines.setdefault((label + late, "s--"), []).append({**found[name], "edge": found["edge"]})
    figure = Figure(figsize=(14.0, 4.5), layout="constrained")
    time_axes, memory_axes, contrast_axes = figure.subplots(1, 3)
    for (label, style), records in lines.items():
        voxels = [record["edge"] ** 3 for record in records]
        time_axes.loglog(voxels, [record["solve_s"] for record in records], style, label=label)
        memory_axes.semilogx(voxels, [record["peak_bytes_per_voxel"] for record in records], style, label=label)
    for kind in STRUCTURES:
        records = [record for record in out["contrasts"] if record["structure"] == kind]
        series = [record["contrast"] for record in records], [record["iterations"] for record in records]
        contrast_axes.semilogx(*series, "o-", label=f"{kind}, {records[0]['edge']}³ voxels" if records else None)
    lost = [(record["contrast"], record["iterations"]) for record in out["contrasts"] if record["outcome"] != "converged"]
    contrast_axes.plot(*np.reshape(lost, (-1, 2)).T, "kx", markersize=10, label="not converged" if lost else None)
    edges = sorted({record["edge"] for records in lines.values() for record in records})
    for axes, quantity in ((time_axes, "solve time, set-up included (s)"), (memory_axes, "peak memory (bytes per voxel)")):
        axes.set(xlabel="voxels", ylabel=quantity)
        axes.set_xticks([edge**3 for edge in edges], labels=[f"{edge}³" for edge in edges])
        axes.set_xticks([], minor=True)
    memory_axes.set_ylim(bottom=0.0)
    contrast_axes.set(xlabel="contrast of conductivities (1)", ylabel="iterations (1)", ylim=(0.0, None))
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small") if axes.get_legend_handles_labels()[1] else None
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
