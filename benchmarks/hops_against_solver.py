"""sigma_eff from hops against the solver on six networks, to a given error, with the time it takes; JSON.

usage: python benchmarks/hops_against_solver.py [--rel-error 0.01] [--size-um 3] [--voxel-nm 50] [--scan FILE.tif]

Pressed (ions and electrons), fired (ions and electrons), Voronoi grains, voxel noise; with --scan a crop of 48 voxels of that label
image, phase 1 conducting worse than phase 2. Periodic boxes. `z` is the difference in standard errors along x, y, z.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hopping

import microstructures
from kmc.conduction import conduct
from kmc.hopping import hop
from kmc.network import Network, build_network
from microstructures.firing.fire import co_fire
from microstructures.materials import parse_materials
from microstructures.pressing.press import cold_press, press_powders

SCAN = """
schema = 1
name = "scan"
reference_temperature_C = 25.0
phases.A = { label = 1, ion = { conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 } }
phases.B = { label = 2, ion = { conductivity_S_per_m = 5.0, activation_energy_eV = 0.3 } }
phases.C = { label = 0 }
"""


def networks(size_um: float, voxel_nm: float, scan: Path | None) -> Iterator[tuple[str, Network]]:
    """Yield names and networks."""
    green = press_powders(size_um=size_um, seed=1)
    for name, structure in (
        ("cold-pressed", cold_press(green=green, voxel_nm=voxel_nm)),
        ("co-fired", co_fire(green=green, voxel_nm=voxel_nm)),
    ):
        for carrier in ("ion", "electron"):
            yield f"{name}, {carrier}", build_network(structure, carrier=carrier)
    yield "Voronoi grains", hopping.grains(48, size=16)
    yield "voxel noise", hopping.noise(48)
    if scan is not None:
        image = microstructures.read(scan, voxel_nm=398.0)
        corner = [(n - 48) // 2 for n in image.shape]
        crop = image.labels[tuple(slice(c, c + 48) for c in corner)]
        phases = {0: "C", 1: "A", 2: "B"}
        structure = microstructures.VoxelStructure.from_labels(crop, voxel_nm=398.0, phases=phases)
        yield "tomogram", build_network(structure, parse_materials(SCAN.encode(), "benchmark"))


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rel-error", type=float, default=0.01)
    parser.add_argument("--size-um", type=float, default=3.0)
    parser.add_argument("--voxel-nm", type=float, default=50.0)
    parser.add_argument("--scan", type=Path)
    arguments = parser.parse_args()
    records = []
    for name, network in networks(arguments.size_um, arguments.voxel_nm, arguments.scan):
        solved = conduct(network, axis="all", boundary="periodic", tolerance=1e-6).sigma_eff_S_per_m
        start = time.perf_counter()
        found = hop(network, rel_error=arguments.rel_error, seed=1)
        error = found.sigma_eff_stderr_S_per_m
        records.append(
            {
                "network": name,
                "voxels": network.structure.labels.size,
                "solver_S_per_m": solved,
                "hops_S_per_m": found.sigma_eff_S_per_m,
                "stderr_S_per_m": error,
                "z": {a: round((found.sigma_eff_S_per_m[a] - solved[a]) / error[a], 2) for a in "xyz"},
                "outcome": str(found.outcome),
                "events": found.hops,
                "hops_per_event": 1.0 if found.basins is None else found.basins["hops_per_event"],
                "wall_s": round(time.perf_counter() - start, 1),
            }
        )
        sys.stderr.write(f"{records[-1]}\n")
    print(json.dumps({"rel_error": arguments.rel_error, "records": records}, indent=2))


if __name__ == "__main__":
    main()
