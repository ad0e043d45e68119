"""What `conduction.py` races against: pyamg and TauFactor, on the same labels and down to the same tolerance of the flows.

pyamg (pip install 'cofire[bench]') gets the same matrix and stops at the first of a row of residuals at which its inflow,
outflow and dissipation agree to the tolerance that ours is asked for.

TauFactor (pip install taufactor) gets the same labels and conductivities, on the processor, and stops once the currents
through all layers agree to that tolerance. It knows no interface resistance, computes in float32, and its plates lie half a
voxel farther out than ours, so that its conductivity of a block of n voxels differs by the order of 1 / n.

A rival that cannot be imported has a record that says so.
"""

import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from typing import Any

import numpy as np
from morphology import resident_bytes
from scipy import sparse

from kmc.network import Network
from kmc.resources import peak_memory_bytes
from microstructures.structure import VoxelStructure

STEPS = 500
"""Most iterations of pyamg on the way to each residual."""
SWEEPS = 10_000
"""Most iterations of TauFactor, its own default."""
REPEATS = 10
SPEND_S = 2.0
"""What is short is run up to so often, or for so long; the fastest run counts."""
Record = dict[str, Any]


class Memory:
    """Watches the peak of the resident memory from its making on."""

    def __init__(self) -> None:
        """Remember what is resident now."""
        self.peak = peak_memory_bytes()
        self.resident = resident_bytes() or self.peak

    def per_voxel(self, voxels: int) -> float | None:
        """Return the bytes per voxel since then; None where an earlier peak of the process hides them."""
        peak = peak_memory_bytes()
        return round((peak - self.resident) / voxels, 1) if peak > self.peak else None


def fastest(run: Callable[[], Record]) -> Record:
    """Return the record of the fastest of some runs, with its wall time and processor time [s]."""
    records: list[Record] = []
    start = time.perf_counter()
    while len(records) < REPEATS and (not records or time.perf_counter() - start < SPEND_S):
        wall, cpu = time.perf_counter(), time.process_time()
        record = run()
        record["solve_s"], record["cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu
        records.append(record)
    return min(records, key=lambda record: float(record["solve_s"]))


def assemble(network: Network) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Return the matrix of the voxels between plates at the ends of x, and the leads to both plates, the low one first."""
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
    matrix = (sparse.diags(np.asarray(off.sum(axis=1)).ravel() + low + high) - off).tocsr()
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix, low, high


def against_pyamg(network: Network, tolerance: float, memory: Memory) -> Record:
    """Return how long conjugate gradients with smoothed aggregation of pyamg take; `memory` was made before the network."""
    try:
        import pyamg
    except ImportError as error:
        return {"skipped": f"pyamg cannot be imported: {error}"}

    voxels, shape, size = network.structure.labels.size, network.structure.shape, network.structure.voxel_size
    to_sigma = float(network.conductance.max()) * shape[0] * size[0] / (shape[1] * size[1] * shape[2] * size[2])
    start = time.perf_counter()
    matrix, low, high = assemble(network)
    made = {"matrix_s": time.perf_counter() - start, "matrix_peak_bytes_per_voxel": memory.per_voxel(voxels)}

    def solve() -> Record:
        start = time.perf_counter()
        hierarchy = pyamg.smoothed_aggregation_solver(matrix, strength=("symmetric", {"theta": 0.0}), max_coarse=500)
        setup_s = time.perf_counter() - start
        x, iterations, agreement, heat = np.zeros(len(low)), 0, np.inf, 0.0
        for power in range(4, 13):
            steps: list[float] = []
            x = hierarchy.solve(low, x0=x, tol=10.0**-power, accel="cg", maxiter=STEPS, residuals=steps)
            iterations += len(steps) - 1
            inflow, outflow = float(low @ (1.0 - x)), float(high @ x)
            heat = float(x @ (matrix @ x) - 2.0 * (low @ x) + low.sum())
            flows = inflow, outflow, heat
            agreement = (max(flows) - min(flows)) / max(abs(flow) for flow in flows)
            if agreement <= tolerance:
                break
        return {
            "converged": agreement <= tolerance,
            "sigma_eff_S_per_m": heat * to_sigma,
            "iterations": iterations,
            "setup_s": setup_s,
        }

    return {"version": version("pyamg"), **made, **fastest(solve), "peak_bytes_per_voxel": memory.per_voxel(voxels)}


def against_taufactor(structure: VoxelStructure, conductivity: dict[int, float], tolerance: float) -> Record:
    """Return how long TauFactor takes for labels that conduct so many S/m; label 0 does not conduct."""
    try:
        import taufactor
        import torch
    except ImportError as error:
        return {"skipped": f"TauFactor cannot be imported: {error}"}

    memory = Memory()

    def solve() -> Record:
        start = time.perf_counter()
        solver = taufactor.MultiPhaseSolver(structure.labels, cond=conductivity, device="cpu")
        setup_s = time.perf_counter() - start
        with redirect_stdout(sys.stderr):
            solver.solve(iter_limit=SWEEPS, verbose=False, conv_crit=tolerance)
        return {
            "converged": bool(solver.converged),
            "sigma_eff_S_per_m": float(np.ravel(solver.D_eff)[0]),
            "iterations": int(solver.iter),
            "setup_s": setup_s,
        }

    about = {"version": version("taufactor"), "threads": torch.get_num_threads()}
    return {**about, **fastest(solve), "peak_bytes_per_voxel": memory.per_voxel(structure.labels.size)}


def compare(rival: Record, ours: Record) -> Record:
    """Return a rival's record with how it stands to ours."""
    if "skipped" in rival:
        return rival
    return {
        **rival,
        "ours_is_times_faster": round(rival["solve_s"] / ours["solve_s"], 2),
        "ours_takes_times_less_cpu": round(rival["cpu_s"] / ours["cpu_s"], 2),
        "sigma_eff_over_ours": rival["sigma_eff_S_per_m"] / ours["sigma_eff_S_per_m"],
    }
