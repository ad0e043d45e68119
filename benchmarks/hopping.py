"""Hops per second of tracers and of the lattice gas, against the size of the box; JSON on stdout.

usage: python benchmarks/hopping.py [EDGE ...]
"""

import json
import platform
import sys

import numba
import numpy as np

from kmc.hopping import run_lattice_gas, run_tracers
from kmc.network import build_network
from microstructures.structure import VoxelStructure


def main() -> None:
    """Print one record per edge, mode and number of threads."""
    records = []
    most = numba.get_num_threads()
    for edge in [int(word) for word in sys.argv[1:]] or [64, 128]:
        block = VoxelStructure.from_labels(np.full((edge,) * 3, 2), voxel_nm=25.0, phases={2: "LATP"}, periodic=True)
        network = build_network(block)
        for threads in sorted({1, most}):
            numba.set_num_threads(threads)
            for mode in ("tracer", "lattice-gas"):
                for hops in (100_000, 50_000_000):  # the first compiles
                    if mode == "tracer":
                        found = run_tracers(network, hops=hops, walkers=512, seed=1)
                        rate = found.hops_per_second
                    else:
                        rate = run_lattice_gas(network, filling=0.1, hops=hops, seed=1).hops_per_second
                records.append({"edge": edge, "mode": mode, "threads": threads, "million_hops_per_s": round(rate / 1e6, 1)})
    print(json.dumps({"machine": platform.processor() or platform.machine(), "records": records}, indent=2))


if __name__ == "__main__":
    main()
