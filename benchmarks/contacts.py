"""Time of closing the necks of point contacts and choosing their faces, against their number; JSON on stdout.

usage: python benchmarks/contacts.py [SIZE_UM ...]
"""

import json
import platform
import sys
import time
from collections.abc import Callable

import numba
import numpy as np

from kmc.faces.point_contacts import select_faces
from microstructures.pressing.necks import fill_necks
from microstructures.pressing.press import cold_press, press_powders
from microstructures.structure import VoxelStructure
from microstructures.voxels.rasterize import spheres_to_grains

VOXEL_NM = 80.0


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and processor time [s] of the faster of two calls."""
    times = []
    for _ in range(2):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    return min(times)


def record(structure: VoxelStructure, threads: int) -> dict[str, float]:
    """Close the necks of the structure's particles once more, and choose its faces."""
    numba.set_num_threads(threads)
    particles, contacts, h = structure.particles, structure.contacts, structure.voxel_size[0]
    grains = spheres_to_grains(particles.centre / h, particles.radius / h, structure.shape)
    label_of_grain = np.concatenate(([0], particles.label)).astype(np.uint8)
    copies = [(label_of_grain[grains], grains.copy()) for _ in range(2)]
    filled = timed(lambda: fill_necks(*copies.pop(), label_of_grain, contacts, h))
    chosen = timed(lambda: select_faces(structure))
    return {
        "voxels": structure.labels.size,
        "contacts": len(contacts),
        "threads": threads,
        "fill_necks_s": round(filled[0], 3),
        "fill_necks_cpu_us_per_contact": round(1e6 * filled[1] / len(contacts), 2),
        "select_faces_s": round(chosen[0], 3),
        "select_faces_cpu_us_per_contact": round(1e6 * chosen[1] / len(contacts), 2),
    }


def main() -> None:
    """Print one record per box and number of threads."""
    record(cold_press(size_um=4.0, voxel_nm=VOXEL_NM, seed=1), 1)  # compiles
    records = []
    for size_um in [float(word) for word in sys.argv[1:]] or [16.0, 31.0]:
        structure = cold_press(green=press_powders(size_um=size_um, seed=1), voxel_nm=VOXEL_NM)
        for threads in sorted({1, numba.config.NUMBA_NUM_THREADS}):
            records.append({"size_um": size_um, **record(structure, threads)})
    print(json.dumps({"machine": platform.processor() or platform.machine(), "records": records}, indent=2))


if __name__ == "__main__":
    main()
