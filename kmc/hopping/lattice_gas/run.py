"""Run a lattice gas: options, batches, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kmc.connectivity import Clusters, label_clusters
from kmc.hopping.checkpoint import SafePoints, load_checkpoint, run_identity
from kmc.hopping.lattice_gas.plan import check_options, field_steps, make_plan
from kmc.hopping.lattice_gas.result import LatticeGasResult
from kmc.hopping.lattice_gas.sites import gas_sites
from kmc.hopping.lattice_gas.state import GasState, advance_state, start_state
from kmc.hopping.lattice_gas.summary import nothing_moves, summarize
from kmc.network import Network
from microstructures.errors import InputError


def run_lattice_gas(
    network: Network,
    *,
    filling: float | None = None,
    chemical_potential_eV: float | None = None,
    field_V_per_m: tuple[float, float, float] | None = None,
    boundary: str = "periodic",
    time_s: float | None = None,
    hops: int | None = None,
    gases: int = 8,
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
    clusters: Clusters | None = None,
    checkpoint: Path | None = None,
    checkpoint_every_s: float = 5.0,
    resume: Path | None = None,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[float, str], Any] | None = None,
) -> LatticeGasResult:
    """Let carriers that exclude each other hop through a network.

    Parameters
    ----------
    network : Network
        Face conductances; a carrier hops with k_ij = g_ij kT / (q^2 c_i V) to an empty voxel.
    filling : float, optional
        Share of the connected voxels (clusters of two or more) that is occupied at equilibrium, between 0 and 1. Each site
        is drawn by its own occupancy z c / (1 + z c), so the number of carriers differs from gas to gas. Above 0.8 the
        vacancies are followed, because nearly all attempts of carriers would be refused.
    chemical_potential_eV : float, optional
        Instead of a filling: chemical potential [eV] above the energy of the best connected site, e_i = -kT ln(c_i/c_max).
    field_V_per_m : tuple of 3 float, optional
        Electric field [V/m]: hops along it are faster by exp(q E h/(2kT)), and slower by as much against it.
    boundary : "periodic"
        The only boundary of this mode.
    time_s : float, optional
        Time each gas is followed for [s].
    hops : int, optional
        Instead of a time: about this many hops of all gases together (1e8, or what 4e8 attempts give, unless given).
    gases : int
        Independent gases; their scatter gives the standard errors, and they run side by side on the cores.
    seed, case, replica : int
        Key of the random streams; gas g uses (seed, case, replica, g) whatever the number of threads.
    clusters : Clusters, optional
        From `label_clusters` with periodic boundary.
    checkpoint : Path, optional
        File for the whole state, to go on from if the run is killed; written at its end, too.
    checkpoint_every_s : float
        Shortest time between two checkpoints [s]; 0 writes one after every batch, which is some seconds of work at most.
    resume : Path, optional
        Checkpoint of the same run to go on from; the result has the bits of a run that was never stopped.
    stop : callable, optional
        Asked after every batch whether to end the run there.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    LatticeGasResult
        With outcome `not-percolating` and zeros where no cluster winds around the box. The charge diffusivity is a property
        of a whole gas: N carriers give one displacement, not N. With n lags in all gases together its relative error is
        about (2/n)^(1/2), however many carriers there are, so that more time or more gases help and a larger box does not.

    Raises
    ------
    InputError
        If options exclude each other or are out of range, the gas would have less than one carrier, or a checkpoint belongs
        to another run.
    Stopped
        If `stop` said so.

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = run_lattice_gas(build_network(block), filling=0.5, hops=200_000, seed=1)
    >>> abs(result.sigma_eff_S_per_m["x"] - 0.5 * 0.9) < 5 * result.sigma_eff_stderr_S_per_m["x"]
    True
    """
    start = time.perf_counter()
    key = (seed, case, replica)
    check_options(network, filling, chemical_potential_eV, boundary, time_s, hops, gases, key)
    steps = field_steps(network, field_V_per_m)
    found = clusters if clusters is not None else label_clusters(network, periodic=True)
    sites = gas_sites(network, found, filling, chemical_potential_eV)
    if sites is None:
        return nothing_moves(network, filling, chemical_potential_eV, seed, gases, time.perf_counter() - start)
    if sites.mobile_carriers < 1.0:
        n = int(sites.groups.size.sum())
        raise InputError(
            f"filling is {sites.filling:g}, which puts {sites.mobile_carriers:.2g} carriers on {n} mobile sites; "
            "allowed: at least one carrier; raise the filling or take a larger box"
        )
    plan = make_plan(network, sites, gases, time_s, hops, steps)
    identity = run_identity(
        network, mode="lattice-gas", filling=filling, chemical_potential_eV=chemical_potential_eV,
        field_V_per_m=None if field_V_per_m is None else list(field_V_per_m), time_s=time_s, hops=hops, gases=gases,
        seed=seed, case=case, replica=replica,
    )  # fmt: skip
    if resume is not None:
        state = GasState(**load_checkpoint(resume, identity))
    else:
        state = start_state(network, sites, plan, gases, key)
    behind, parts = int(state.hops.sum()), plan.intervals * plan.parts
    safe = SafePoints(checkpoint, identity, checkpoint_every_s, stop)
    while (done := int(state.done[0])) < parts:
        advance_state(network, sites, plan, state, steps, min(plan.batch, parts - done))
        share = int(state.done[0]) / parts
        if progress is not None:
            progress(share, f"{gases} gases, {state.hops.sum():.3g} hops")
        safe.reach(share, share >= 1.0, state.arrays)
    hops_here = int(state.hops.sum()) - behind
    return summarize(network, found, sites, plan, state, field_V_per_m, seed, hops_here, time.perf_counter() - start)
