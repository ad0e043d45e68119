"""Hops per second of tracers and of the lattice gas, against the size of the box, on one core; JSON.

usage: python benchmarks/hopping.py [EDGE ...] [--out FOLDER]

Structures: Voronoi grains of three phases, 32 voxels across, with boundaries that resist; and voxel noise of the same phases
without resistance. Tracers: 512 carriers, time of the walk alone. Lattice gas: 8 gases, filling 0.1; the rate is that of the
difference between a long and a short run, so that setting up does not count. Fastest of three, one thread; memory is what the
tables take. JSON goes to stdout, progress to stderr; with --out the JSON and a plot also go to that folder.

SPPARKS is quoted, not run: 0.06 to 0.36 million events per second and core, 57 bytes a site, with its diffusion application
on the same kind of machine (Plimpton et al. 2009, SAND2009-6226; version of 2023, built with g++ -O3).
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from scipy.spatial import cKDTree

from kmc.connectivity import label_clusters
from kmc.hopping import run_lattice_gas
from kmc.hopping.equilibrium import mobile_carriers, site_sums
from kmc.hopping.voxel_hops import VoxelHops
from kmc.network import Network, build_network
from microstructures.materials import parse_materials
from microstructures.structure import VoxelStructure

WALKERS, HOPS, GAS_HOPS = 512, 60_000_000, 40_000_000
FILLING = 0.1
REPEATS = 3
SPPARKS = {"million_events_per_s_and_core": [0.06, 0.36], "bytes_per_site": 57}
MATERIALS = """
schema = 1
name = "three phases"
reference_temperature_C = 25.0
phases.A = {{ label = 1, ion = {{ conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 }} }}
phases.B = {{ label = 2, ion = {{ conductivity_S_per_m = 0.5, activation_energy_eV = 0.3 }} }}
phases.C = {{ label = 3, ion = {{ conductivity_S_per_m = 0.2, activation_energy_eV = 0.3 }} }}
interfaces.default = {{ ion = {{ area_specific_resistance_ohm_m2 = {resistance}, activation_energy_eV = 0.3 }} }}
"""


def grains(edge: int, size: int = 32, seed: int = 1) -> Network:
    """Return periodic Voronoi grains of three phases whose boundaries resist as much as a voxel does."""
    rng = np.random.default_rng(seed)
    points = rng.random((max(8, round((edge / size) ** 3)), 3)) * edge
    tree, y = cKDTree(points, boxsize=edge), np.arange(edge) + 0.5
    nearest = np.empty((edge, edge, edge), dtype=np.int32)
    for i in range(edge):
        plane = np.stack(np.meshgrid(y[i], y, y, indexing="ij"), axis=-1).reshape(-1, 3)
        nearest[i] = tree.query(plane, workers=-1)[1].reshape(edge, edge)
    labels = rng.integers(1, 4, len(points)).astype(np.uint8)[nearest]
    structure = VoxelStructure.from_labels(labels, voxel_nm=25.0, grains=nearest + 1, periodic=True)
    return build_network(structure, parse_materials(MATERIALS.format(resistance=2.5e-8).encode(), "benchmark"))


def noise(edge: int, seed: int = 1) -> Network:
    """Return white noise of three phases: every voxel drawn by itself, no resistance between."""
    labels = np.random.default_rng(seed).integers(1, 4, (edge, edge, edge), dtype=np.uint8)
    structure = VoxelStructure.from_labels(labels, voxel_nm=25.0, periodic=True)
    return build_network(structure, parse_materials(MATERIALS.format(resistance=0.0).encode(), "benchmark"))


STRUCTURES: dict[str, Callable[[int], Network]] = {"grains": grains, "noise": noise}


def tracers(network: Network) -> dict[str, Any]:
    """Return speed and memory of independent carriers."""
    start = time.perf_counter()
    moves = VoxelHops(network)
    setup = time.perf_counter() - start
    carriers, conductance = site_sums(network, mirrored=False)
    weight = mobile_carriers(label_clusters(network, periodic=True), carriers)
    rate = float(conductance[weight > 0.0].sum()) * network.rate_factor / float(weight.sum())
    speeds = []
    for repeat in range(REPEATS):
        walkers = moves.start(weight, WALKERS, (repeat, 0, 0))
        moves.advance(walkers, 1000.0 / rate)
        before, start = int(walkers.hops.sum()), time.perf_counter()
        moves.advance(walkers, (1000.0 + HOPS / WALKERS) / rate)
        speeds.append((int(walkers.hops.sum()) - before) / (time.perf_counter() - start))
    tables = moves.tables
    return {
        "million_hops_per_s_and_core": round(max(speeds) / 1e6, 1),
        "nanoseconds_per_hop": round(1e9 / max(speeds), 2),
        "setup_s": round(setup, 2),
        "kinds_of_surroundings": len(tables.rows),
        "bytes_per_site": round((tables.kind.nbytes + tables.rows.nbytes + tables.faces.nbytes) / tables.kind.size, 1),
        "bytes_per_carrier": sum(getattr(walkers, name)[0].nbytes for name in ("sites", "clocks", "states", "places", "signs")),
    }


def lattice_gas(network: Network) -> dict[str, Any]:
    """Return the speed of carriers that exclude each other."""
    speeds = []
    for repeat in range(REPEATS):
        short, long = (run_lattice_gas(network, filling=FILLING, hops=n, seed=repeat) for n in (GAS_HOPS // 4, GAS_HOPS))
        speeds.append((long.hops - short.hops) / (long.seconds - short.seconds))
    return {
        "million_hops_per_s_and_core": round(max(speeds) / 1e6, 1),
        "nanoseconds_per_hop": round(1e9 / max(speeds), 2),
        "carriers": long.walkers // long.gases,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("edges", type=int, nargs="*", metavar="EDGE")
    parser.add_argument("--out", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    numba.set_num_threads(1)
    for make in STRUCTURES.values():  # the first run compiles
        tracers(make(16))
        lattice_gas(make(16))
    records = []
    for kind, make in STRUCTURES.items():
        for edge in arguments.edges or [64, 128, 256]:
            network = make(edge)
            for mode, measure in (("tracer", tracers), ("lattice-gas", lattice_gas)):
                records.append({"structure": kind, "edge": edge, "mode": mode, **measure(network)})
                sys.stderr.write(f"{records[-1]}\n")
    found = {
        "machine": platform.processor() or platform.machine(),
        "load_average": os.getloadavg()[0],
        "spparks": SPPARKS,
        "records": records,
    }
    text = json.dumps(found, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "hopping.json").write_text(text + "\n")
        plot(records, arguments.out / "hopping.png")


def plot(records: list[dict[str, Any]], path: Path) -> None:
    """Draw time per hop against the number of sites."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.0, 4.0), layout="constrained")
    for mode, marker in (("tracer", "o"), ("lattice-gas", "s")):
        for kind, line in (("grains", "-"), ("noise", "--")):
            mine = [record for record in records if (record["mode"], record["structure"]) == (mode, kind)]
            axes.plot(
                [r["edge"] ** 3 for r in mine],
                [r["nanoseconds_per_hop"] for r in mine],
                f"{marker}{line}",
                label=f"{mode}, {kind}",
            )
    low, high = SPPARKS["million_events_per_s_and_core"]
    axes.axhspan(1e3 / high, 1e3 / low, alpha=0.2, color="gray", label="SPPARKS, as published in the text")
    axes.set(xscale="log", yscale="log", xlabel="sites", ylabel="ns per hop, one core")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
