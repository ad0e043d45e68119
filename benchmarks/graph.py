"""The grain graph against the solver on 20 structures: error, build time, time of a new temperature; JSON and a plot.

usage: python benchmarks/graph.py [--size MICROMETRES] [--modes MODES] [--out FOLDER]

Structures: pressed powders, fired ones of several densities, compositions and seeds, and Voronoi grains of one phase with four
interface resistances; ions along x between plates, and electrons of two of each kind of body. JSON goes to stdout, progress
to stderr; with --out the JSON and a plot also go to that folder.

`error` is graph / solver - 1, never above 0; `build_s` the time for all grains; `new_temperature_s` that of another temperature
20 K warmer once they are built, the table of face classes included; `new_resistance_s` that of 1 to 3 times the resistance
of every contact, at random; `scan_point_s` that of one more resistance of the hottest kind of grain boundary, after `scan_build_s`;
`solver_s` the time of one voxel solve at tolerance 1e-4.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import get_num_threads
from scipy.spatial import cKDTree

from kmc.conduction import solve_axis
from kmc.network import build_network
from kmc.percolation import build_contact_graph, graph_conductivity
from kmc.percolation.grains.contact_modes import MODES
from kmc.percolation.grains.grain_graph import MODES as DEFAULT_MODES
from kmc.percolation.grains.grain_graph import build_grain_graph
from kmc.percolation.grains.resistance_scan import scan_resistances
from microstructures.firing.fire import co_fire
from microstructures.materials import Materials, parse_materials
from microstructures.pressing.press import cold_press
from microstructures.recipe import parse_recipe
from microstructures.structure import VoxelStructure

VOXEL_NM = 50.0
COLD = [("cold", {"seed": seed}) for seed in (1, 2, 3)]
FIRED: list[tuple[str, dict[str, Any]]] = [
    ("fired", {"seed": 1}),
    ("fired", {"seed": 2}),
    ("fired", {"seed": 3}),
    ("fired, LATP 0.6", {"seed": 1, "latp": 0.6}),
    ("fired, LATP 0.75", {"seed": 1, "latp": 0.75}),
    ("fired, 80 % dense", {"seed": 1, "density": 0.8}),
    ("fired, 95 % dense", {"seed": 1, "density": 0.95}),
    ("fired, 99 % dense", {"seed": 2, "density": 0.99}),
]
WARMER_K = 20.0
SCANNED_OHM_M2 = (0.0, 1e-8, 1e-7, 1e-6, 1e-5)
SCANNED = 1000
RESISTANCES_OHM_M2 = (0.0, 1e-8, 1e-7, 1e-6)
Case = tuple[str, str, Callable[[], tuple[VoxelStructure, Materials | None]]]


def voronoi(n: int, resistance_ohm_m2: float) -> tuple[VoxelStructure, Materials]:
    """Return grains of one phase that fill space, 20 voxels across, and what they are made of."""
    rng = np.random.default_rng(1)
    place = np.stack(np.meshgrid(*(np.arange(n) + 0.5,) * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    _, nearest = cKDTree(rng.random((max(8, (n // 20) ** 3), 3)) * n, boxsize=n).query(place)
    grains = nearest.reshape(n, n, n).astype(np.int32) + 1
    text = (
        'schema = 1\nname = "grains"\nreference_temperature_C = 60.0\n'
        "phases.A = { label = 1, ion = { conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 } }\n"
        'interfaces."A|A" = { ion = { '
        f"area_specific_resistance_ohm_m2 = {resistance_ohm_m2!r}, activation_energy_eV = 0.4 }} }}\n"
    )
    structure = VoxelStructure.from_labels(np.ones((n, n, n)), voxel_nm=VOXEL_NM, phases={1: "A"}, grains=grains)
    return structure, parse_materials(text.encode(), "grains.toml")


def cases(size_um: float) -> list[Case]:
    """Return name, carrier and maker of every structure."""

    def pressed(options: dict[str, Any]) -> tuple[VoxelStructure, None]:
        return cold_press(size_um=size_um, voxel_nm=VOXEL_NM, **options), None

    def fired(options: dict[str, Any]) -> tuple[VoxelStructure, None]:
        table: dict[str, Any] = {"fire": {"relative_density": options.get("density", 0.9)}}
        if "latp" in options:
            latp = options["latp"]
            table["powders"] = {"LFP": {"mass_fraction": 1.0 - latp}, "LATP": {"mass_fraction": latp}}
        recipe = parse_recipe(table, "benchmark")
        return co_fire(size_um=size_um, voxel_nm=VOXEL_NM, seed=options["seed"], recipe=recipe), None

    out: list[Case] = [(name, "ion", lambda options=options: pressed(options)) for name, options in COLD]
    out += [(name, "ion", lambda options=options: fired(options)) for name, options in FIRED]
    n = round(size_um * 1000.0 / VOXEL_NM)
    out += [(f"Voronoi, R {r:g} ohm m2", "ion", lambda r=r: voronoi(n, r)) for r in RESISTANCES_OHM_M2]
    out += [(name, "electron", lambda options=options: pressed(options)) for name, options in COLD[:2]]
    out += [(name, "electron", lambda options=options: fired(options)) for name, options in FIRED[:3]]
    return out


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what some work gives, and how long it takes [s]."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def measure(case: Case, modes: str) -> dict[str, Any]:
    """Return one record."""
    name, carrier, make = case
    structure, materials = make()
    network = build_network(structure, materials, carrier=carrier)
    network.conductance  # noqa: B018  (not part of either time)
    exact, solver_s = timed(lambda: solve_axis(network, 0, tolerance=1e-4))
    exact = solve_axis(network, 0, tolerance=1e-6)
    graph = build_contact_graph(network)
    grains, build_s = timed(lambda: build_grain_graph(graph, axes=(0,), modes=modes))
    sigma, first_s = timed(lambda: grains.sigma_eff(0))
    warmer = network.temperature_C + WARMER_K
    warm, temperature_s = timed(lambda: grains.sigma_eff(0, temperature_C=warmer))
    exact_warm = solve_axis(network.at(warmer), 0, tolerance=1e-6).sigma_eff_S_per_m
    factor = np.random.default_rng(1).uniform(1.0, 3.0, len(grains.faces))[grains.faces.contact]
    _, resistance_s = timed(lambda: grains.resolve(0, None, factor * grains.face_resistance_ohm))
    heat = graph_conductivity(graph, 0, grains).heat_by_interface(graph)
    hottest = next(kind for kind in heat if len(set(kind.split("|"))) == 1)
    scan, scan_build_s = timed(lambda: scan_resistances(grains, 0, {hottest: SCANNED_OHM_M2}))
    _, scan_s = timed(lambda: [scan.sigma_eff([value]) for value in np.geomspace(1e-9, 1e-5, SCANNED)])
    return {
        "name": name,
        "carrier": carrier,
        "voxels": list(structure.shape),
        "nodes": graph.n_nodes,
        "contacts": graph.n_edges,
        "flux_modes": int(grains.modes.start[-1]),
        "sigma_solver_S_per_m": exact.sigma_eff_S_per_m,
        "sigma_graph_S_per_m": sigma,
        "error": sigma / exact.sigma_eff_S_per_m - 1.0 if exact.sigma_eff_S_per_m > 0.0 else 0.0,
        "build_s": build_s,
        "first_solve_s": first_s,
        "new_temperature_s": temperature_s,
        "new_temperature_error": warm / exact_warm - 1.0 if exact_warm > 0.0 else 0.0,
        "new_resistance_s": resistance_s,
        "scan_build_s": scan_build_s,
        "scan_point_s": scan_s / SCANNED,
        "solver_s": solver_s,
    }


def summary(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return rms and largest error of every kind of structure."""
    kinds = sorted({(record["name"].split(",")[0], record["carrier"]) for record in records})
    out = {}
    for kind, carrier in kinds:
        errors = [r["error"] for r in records if r["carrier"] == carrier and r["name"].split(",")[0] == kind]
        out[f"{kind}, {carrier}"] = {
            "structures": len(errors),
            "rms": float(np.sqrt(np.mean(np.square(errors)))),
            "lowest": min(errors),
            "highest": max(errors),
        }
    return out


def plot(records: list[dict[str, Any]], path: Path) -> None:
    """Draw graph over solver."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for kind, marker in (("cold", "o"), ("fired", "s"), ("Voronoi", "^")):
        for carrier, face in (("ion", None), ("electron", "none")):
            some = [r for r in records if r["carrier"] == carrier and r["name"].startswith(kind)]
            if not some:
                continue
            x = [r["sigma_solver_S_per_m"] for r in some]
            style: dict[str, Any] = {"marker": marker, "linestyle": "none", "label": f"{kind}, {carrier}s"}
            (line,) = axes[0].loglog(x, [r["sigma_graph_S_per_m"] for r in some], markerfacecolor=face, **style)
            axes[1].semilogx(x, [100 * r["error"] for r in some], markerfacecolor=face, color=line.get_color(), **style)
    ends = [f([r["sigma_solver_S_per_m"] for r in records]) for f in (min, max)]
    axes[0].plot(ends, ends, color="0.6", linewidth=0.8)
    axes[1].axhline(0.0, color="0.6", linewidth=0.8)
    axes[0].set(xlabel="solver / S/m", ylabel="grain graph / S/m")
    axes[1].set(xlabel="solver / S/m", ylabel="graph / solver - 1, %")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=5.0, help="edge of the structures [um]")
    parser.add_argument("--modes", choices=MODES, default=DEFAULT_MODES)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    measure(("warm", "ion", lambda: (co_fire(size_um=1.5, voxel_nm=VOXEL_NM, seed=1), None)), options.modes)
    records = []
    for case in cases(options.size):
        records.append(measure(case, options.modes))
        last = records[-1]
        print(
            f"{last['name']:24s} {last['carrier']:8s} {last['sigma_solver_S_per_m']:10.4g} S/m, graph {100 * last['error']:+7.3f} %, "
            f"build {last['build_s']:.1f} s, first {last['first_solve_s']:.3f} s, new T {1e3 * last['new_temperature_s']:.0f} ms, "
            f"(error {100 * last['new_temperature_error']:+.3f} %), new R {1e3 * last['new_resistance_s']:.0f} ms, "
            f"scan {1e6 * last['scan_point_s']:.0f} us after {last['scan_build_s']:.2f} s, solver {last['solver_s']:.2f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    report = {
        "modes": options.modes,
        "size_um": options.size,
        "voxel_nm": VOXEL_NM,
        "threads": get_num_threads(),
        "load": os.getloadavg()[0],
        "summary": summary(records),
        "records": records,
    }
    text = json.dumps(report, indent=1)
    print(text)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "graph.json").write_text(text + "\n", encoding="utf-8")
        plot(records, options.out / "graph.png")


if __name__ == "__main__":
    main()
