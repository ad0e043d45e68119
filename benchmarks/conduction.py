"""The solver on Voronoi grains: time and memory per voxel, iterations against contrast, and a race with pyamg; JSON on stdout.

usage: python benchmarks/conduction.py [EDGE ...] [--race EDGE ...]

Every record comes from a process of its own, so that its peak memory is its own too. The race gives pyamg (pip install
'cofire[bench]') the same matrix and lets it stop at the first of a row of residuals at which its inflow, outflow and
dissipation agree to the tolerance that ours is asked for.
"""

import argparse
import json
import platform
import subprocess
import sys
import time

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from kmc.conduction import conduct
from kmc.network import Network, build_network
from kmc.resources import peak_memory_bytes
from microstructures.materials import parse_materials
from microstructures.structure import VoxelStructure

VOXEL_NM = 25.0
TOLERANCE = 1e-4
MATERIALS = """
schema = 1
name = "four phases, contrast 1e6"
reference_temperature_C = 25.0
phases.A = {{ label = 1, ion = {{ conductivity_S_per_m = 1.0, activation_energy_eV = 0.3 }} }}
phases.B = {{ label = 2, ion = {{ conductivity_S_per_m = {middle}, activation_energy_eV = 0.3 }} }}
phases.C = {{ label = 3, ion = {{ conductivity_S_per_m = {least}, activation_energy_eV = 0.3 }} }}
interfaces.default = {{ ion = {{ area_specific_resistance_ohm_m2 = {resistance}, activation_energy_eV = 0.3 }} }}
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


def measure(edge: int, contrast: float, ratio: float, race: bool) -> dict[str, object]:
    """Return the record of one structure; `ratio` is the interface resistance in units of voxel edge / conductivity."""
    text = MATERIALS.format(middle=contrast**-0.5, least=1.0 / contrast, resistance=ratio * VOXEL_NM * 1e-9)
    conduct(build_network(grains(12), parse_materials(text.encode(), "benchmark")), tolerance=TOLERANCE)  # compiles
    structure = grains(edge)
    bytes_before = peak_memory_bytes()
    start = time.perf_counter()
    network = build_network(structure, parse_materials(text.encode(), "benchmark"))
    faces_s, bytes_faces = time.perf_counter() - start, peak_memory_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    result = conduct(network, tolerance=TOLERANCE)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    record: dict[str, object] = {
        "edge": edge,
        "contrast": contrast,
        "resistance_voxels": ratio,
        "outcome": str(result.outcome),
        "sigma_eff_S_per_m": result.sigma_eff_S_per_m,
        "iterations": result.solutions[0].iterations,
        "faces_s": round(faces_s, 3),
        "solve_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "solve_us_per_voxel": round(1e6 * wall / edge**3, 3),
        "faces_peak_bytes_per_voxel": round((bytes_faces - bytes_before) / edge**3, 1),
        "peak_bytes_per_voxel": round((peak_memory_bytes() - bytes_before) / edge**3, 1),
    }
    if race:
        record["pyamg"] = rival = against_pyamg(network)
        record["times_faster_than_pyamg"] = round(float(rival["solve_s"]) / wall, 2)
        record["times_less_cpu_than_pyamg"] = round(float(rival["cpu_s"]) / cpu, 2)
    return record


def assemble(network: Network) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray, np.ndarray]:
    """Return the matrix of the voxels between plates at the ends of x, the source, and the leads to both plates."""
    faces, scale = network.faces, float(network.conductance.max())
    table, n = network.conductance / scale, network.structure.labels.size
    index = np.arange(n, dtype=np.int32).reshape(network.structure.shape)
    a, b, g = [], [], []
    for axis in range(3):
        here, there = np.moveaxis(index, axis, 0)[:-1].ravel(), np.moveaxis(index, axis, 0)[1:].ravel()
        value = table[axis][np.moveaxis(faces.of_axis[axis], axis, 0)[:-1]].ravel()
        a.append(here[value > 0.0])
        b.append(there[value > 0.0])
        g.append(value[value > 0.0])
    rows, columns, values = (np.concatenate(part) for part in (a, b, g))
    off = sparse.coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr()
    off = off + off.T
    low, high = np.zeros(n), np.zeros(n)
    low[index[0].ravel()] = 2.0 * table[0][faces.plates[0][0]].ravel()
    high[index[-1].ravel()] = 2.0 * table[0][faces.plates[0][1]].ravel()
    sets, member = sparse.csgraph.connected_components(off, directed=False)
    spans = (np.bincount(member, low, sets) > 0.0) & (np.bincount(member, high, sets) > 0.0)
    kept = spans[member]
    off = off[kept][:, kept]
    low, high = low[kept], high[kept]
    matrix = sparse.diags(np.asarray(off.sum(axis=1)).ravel() + low + high) - off
    return matrix.tocsr(), low, low, high


def against_pyamg(network: Network) -> dict[str, object]:
    """Return how long conjugate gradients with smoothed aggregation of pyamg take to the same agreement of the flows."""
    import pyamg

    matrix, source, low, high = assemble(network)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    bytes_before = peak_memory_bytes()
    wall, cpu = time.perf_counter(), time.process_time()
    hierarchy = pyamg.smoothed_aggregation_solver(matrix, strength=("symmetric", {"theta": 0.0}), max_coarse=500)
    x, iterations, agreement = np.zeros(len(source)), 0, np.inf
    for power in range(4, 13):
        steps: list[float] = []
        limit = 10.0**-power * float(np.linalg.norm(source))
        x = hierarchy.solve(source, x0=x, tol=limit / float(np.linalg.norm(source)), accel="cg", maxiter=500, residuals=steps)
        iterations += len(steps) - 1
        inflow, outflow = float(low @ (1.0 - x)), float(high @ x)
        heat = float(x @ (matrix @ x) - 2.0 * (low @ x) + low.sum())
        agreement = (max(inflow, outflow, heat) - min(inflow, outflow, heat)) / max(abs(inflow), abs(outflow), abs(heat))
        if agreement <= TOLERANCE:
            break
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size, shape = np.array(network.structure.voxel_size), network.structure.shape
    to_sigma = float(network.conductance.max()) * shape[0] * size[0] / (shape[1] * size[1] * shape[2] * size[2])
    return {
        "solve_s": round(wall, 3),
        "cpu_s": round(cpu, 3),
        "iterations": iterations,
        "agreement": agreement,
        "sigma_eff_S_per_m": heat * to_sigma,
        "peak_bytes_per_voxel_beyond_matrix": round((peak_memory_bytes() - bytes_before) / network.structure.labels.size, 1),
    }


def apart(*arguments: object) -> dict[str, object]:
    """Return the record of one structure, measured in a process of its own."""
    words = [sys.executable, __file__, "--one", *(str(word) for word in arguments)]
    return dict(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Print one record per edge and resistance, per contrast, and per race."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edges", type=int, nargs="*")
    parser.add_argument("--race", type=int, nargs="*", default=[])
    parser.add_argument("--one", type=float, nargs=4, help=argparse.SUPPRESS)
    known = parser.parse_args()
    if known.one:
        edge, contrast, ratio, race = known.one
        print(json.dumps(measure(int(edge), contrast, ratio, bool(race))))
        return
    edges = known.edges or ([] if known.race else [64, 96, 128])
    out = {
        "machine": platform.processor() or platform.machine(),
        "sizes": [apart(edge, 1e6, ratio, 0) for edge in edges for ratio in (0.0, 1e2, 1e6)],
        "contrasts": [apart(edges[0], 10.0**power, 0.0, 0) for power in (2, 4, 6, 8, 10, 12)] if edges else [],
        "races": [apart(edge, 1e6, 0.0, 1) for edge in known.race],
    }
    print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
