"""Time and memory of measuring Poisson-Voronoi grains of 40 voxels with a layer on both sides, by step; JSON on stdout.

usage: python benchmarks/morphology.py [EDGE ...]
"""

import json
import platform
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import get_num_threads
from scipy import ndimage

from microstructures import morphology
from microstructures.morphology.two_point import correlate
from microstructures.structure import VoxelStructure
from microstructures.voxels.rasterize import laguerre_cells


def grains(edge: int, size: float = 40.0, seed: int = 1) -> VoxelStructure:
    """Return periodic grains of LFP and LATP, a tenth of them pore, with a layer of two voxels on both sides."""
    rng = np.random.default_rng(seed)
    cells = max(8, round((edge / size) ** 3))
    ids = laguerre_cells(rng.random((cells, 3)) * edge, np.zeros(cells), (edge,) * 3)
    labels = rng.choice(np.array([0, 1, 2], dtype=np.uint8), cells + 1, p=[0.1, 0.45, 0.45])[ids]
    layer = ndimage.binary_dilation(labels == 1, iterations=2) & (labels == 2)
    layer |= ndimage.binary_dilation(labels == 2, iterations=2) & (labels == 1)
    ids[labels == 0] = 0
    labels[layer] = 3
    phases = {0: "pore", 1: "LFP", 2: "LATP", 3: "LFTAP"}
    return VoxelStructure.from_labels(labels, voxel_nm=25.0, phases=phases, grains=ids, periodic=True)


def resident_bytes() -> int:
    """Return the memory that this process holds now; 0 where the system does not say."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * 4096 if path.exists() else 0


def measured(step: Callable[[], Any]) -> dict[str, float]:
    """Return wall time, processor time and the highest memory above that at the start."""
    done, before, peak = threading.Event(), resident_bytes(), [0]

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    done.set()
    watcher.join()
    return {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "extra_bytes": max(0, peak[0] - before)}


def main() -> None:
    """Print one record per edge and step."""
    records = []
    warm = grains(48)
    morphology.describe(warm)
    for edge in [int(word) for word in sys.argv[1:]] or [100, 200, 300]:
        structure = grains(edge)
        block = structure.with_(periodic=(False,) * 3)
        steps: dict[str, Callable[[], Any]] = {
            "interfaces": lambda s=structure: morphology.measure_interfaces(s),
            "porosity": lambda s=structure: morphology.porosity(s),
            "chords": lambda s=structure: morphology.chord_statistics(s),
            "describe without two-point": lambda s=structure: morphology.describe(s, two_point=False),
            "two-point, one phase, periodic": lambda s=structure: correlate(s, 1),
            "two-point, one phase, block": lambda s=block: correlate(s, 1),
        }
        for name, step in steps.items():
            record = measured(step)
            extra = round(record["extra_bytes"] / structure.labels.size, 1)
            records.append({"edge": edge, "step": name, **record, "extra_bytes_per_voxel": extra})
    machine = {"python": platform.python_version(), "threads": get_num_threads()}
    print(json.dumps({**machine, "records": records}, indent=1))


if __name__ == "__main__":
    main()
