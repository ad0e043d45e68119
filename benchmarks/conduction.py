"""Time and memory of the solver on Voronoi grains, per voxel, against size and interface resistance; JSON on stdout.

usage: python benchmarks/conduction.py [EDGE ...]
"""

import json
import platform
import sys
import time

import numpy as np
from scipy.spatial import cKDTree

from kmc.conduction import conduct
from kmc.network import build_network
from kmc.resources import peak_memory_bytes
from microstructures.materials import parse_materials
from microstructures.structure import VoxelStructure

MATERIALS = """
schema = 1
name = "four phases, contrast 1e6"
reference_temperature_C = 25.0
phases.A = {{ label = 1, ion = {{ conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 }} }}
phases.B = {{ label = 2, ion = {{ conductivity_S_per_m = 1e-2, activation_energy_eV = 0.3 }} }}
phases.C = {{ label = 3, ion = {{ conductivity_S_per_m = 1e-6, activation_energy_eV = 0.3 }} }}
interfaces.default = {{ ion = {{ area_specific_resistance_ohm_m2 = {resistance}, activation_energy_eV = 0.3 }} }}
"""


def grains(edge: int, size: int = 20, seed: int = 1) -> VoxelStructure:
    """Return a periodic Poisson-Voronoi structure of four phases, one of them pore."""
    rng = np.random.default_rng(seed)
    points = rng.random((max(8, round((edge / size) ** 3)), 3)) * edge
    centres = np.stack(np.meshgrid(*[np.arange(edge) + 0.5] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    nearest = cKDTree(points, boxsize=edge).query(centres, workers=-1)[1].reshape((edge,) * 3)
    return VoxelStructure.from_labels(rng.integers(0, 4, len(points))[nearest], voxel_nm=25.0, grains=nearest + 1)


def main() -> None:
    """Print one record per edge and resistance."""
    records = []
    for edge in [int(word) for word in sys.argv[1:]] or [64, 96, 128]:
        structure = grains(edge)
        for resistance in (0.0, 1e-7, 1e-5):
            known = parse_materials(MATERIALS.format(resistance=resistance).encode(), "benchmark")
            start = time.perf_counter()
            network = build_network(structure, known)
            faces = time.perf_counter() - start
            times = []
            for _ in range(3):
                start = time.perf_counter()
                result = conduct(network)
                times.append(time.perf_counter() - start)
            records.append(
                {
                    "edge": edge,
                    "resistance_ohm_m2": resistance,
                    "outcome": str(result.outcome),
                    "iterations": result.solutions[0].iterations,
                    "faces_s": round(faces, 3),
                    "solve_median_s": round(float(np.median(times)), 3),
                    "solve_us_per_voxel": round(1e6 * float(np.median(times)) / edge**3, 3),
                    "peak_bytes_per_voxel": round(peak_memory_bytes() / edge**3),
                }
            )
    print(json.dumps({"machine": platform.processor() or platform.machine(), "records": records}, indent=2))


if __name__ == "__main__":
    main()
