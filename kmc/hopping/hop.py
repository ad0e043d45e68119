"""Hop through a structure: the public face of the kinetic Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kmc.hopping.result import HopResult
from kmc.hopping.tracers import run_tracers
from kmc.network import Network, build_network
from microstructures.errors import InputError
from microstructures.materials import Materials
from microstructures.structure import VoxelStructure


def hop(
    structure: VoxelStructure | Network,
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    temperature_C: float | None = None,
    boundary: str = "periodic",
    walkers: int | None = None,
    time_s: float | None = None,
    hops: int | None = None,
    rel_error: float | None = None,
    basins: str = "auto",
    seed: int = 0,
    replica: int = 0,
    checkpoint: str | Path | None = None,
    checkpoint_every_s: float = 5.0,
    resume: str | Path | None = None,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[float, str], Any] | None = None,
) -> HopResult:
    """Let independent carriers hop through a structure and return diffusivity and conductivity with their errors.

    Parameters
    ----------
    structure : VoxelStructure or Network
        What conducts; with a Network, `materials`, `carrier` and `temperature_C` are its own.
    materials, carrier, temperature_C
        See `kmc.network.build_network`.
    boundary, walkers, time_s, hops, rel_error, basins, seed, replica, checkpoint, checkpoint_every_s, resume, stop, progress
        See `kmc.hopping.run_tracers`.

    Returns
    -------
    HopResult

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> result = hop(block, walkers=200, hops=200_000, seed=1)
    >>> abs(result.sigma_eff_S_per_m["x"] - 0.9) < 5 * result.sigma_eff_stderr_S_per_m["x"]
    True
    """
    for path in (checkpoint, resume):
        if path is not None and Path(path).is_dir():
            raise InputError(f"checkpoint {path} is a folder; give a file name")
    if isinstance(structure, Network):
        network = structure
    else:
        network = build_network(structure, materials, carrier=carrier, temperature_C=temperature_C)
    return run_tracers(
        network, boundary=boundary, walkers=walkers, time_s=time_s, hops=hops, rel_error=rel_error, basins=basins, seed=seed,
        replica=replica, checkpoint=None if checkpoint is None else Path(checkpoint), checkpoint_every_s=checkpoint_every_s,
        resume=None if resume is None else Path(resume), stop=stop, progress=progress,
    )  # fmt: skip
