"""The ways of a few carriers, to look at: the same walks that a run made, sampled more often, and their files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import Clusters, label_clusters
from kmc.hopping.basins import BasinHops, Basins, find_basins
from kmc.hopping.equilibrium import mobile_carriers, site_sums
from kmc.hopping.plan import ESCAPES_PER_LAG, escape_time_s
from kmc.hopping.voxel_hops import VoxelHops
from kmc.hopping.walkers import Walkers
from kmc.network import Network
from microstructures.errors import FormatError, InputError
from microstructures.formats.guard import as_format_errors, atomic_file
from microstructures.origin import refuse_newer, stamp
from microstructures.units import UM

SCHEMA = 1
SUFFIXES = (".h5", ".vtp")
MOST_HOPS = 3_000_000
"""Hops of a carrier, on average, in the time that `time_to_roam_s` gives."""


@dataclass(frozen=True)
class Trajectories:
    """Where a few carriers were.

    Attributes
    ----------
    time_s : ndarray of shape (samples,)
        Times [s].
    position_m : ndarray of shape (walkers, samples, 3)
        Unfolded positions [m]; those in the first box are positions in the structure.
    phase : ndarray of shape (walkers, samples), uint8
        Position of the phase in `phase_names`.
    phase_names : tuple of str
        Names of the phases.
    walker : ndarray of shape (walkers,), int64
        Which walkers of the run they are.
    """

    time_s: NDArray[np.float64]
    position_m: NDArray[np.float64]
    phase: NDArray[np.uint8]
    phase_names: tuple[str, ...]
    walker: NDArray[np.int64]


def record_trajectories(
    network: Network,
    *,
    walkers: int,
    time_s: float,
    boundary: str = "periodic",
    chosen: int = 10,
    samples: int = 1000,
    basins: bool = False,
    seed: int = 0,
    case: int = 0,
    replica: int = 0,
) -> Trajectories:
    """Walk some carriers of a run of `run_tracers` again, hop by hop, and keep where they were.

    Parameters
    ----------
    network : Network
        What they hop through.
    walkers : int
        Number of carriers of the run.
    time_s : float
        How long to follow them [s].
    boundary : "periodic" or "plates"
        Of the run.
    chosen : int
        How many to follow, spread evenly over the carriers of the run and so over the phases.
    samples : int
        How often to look, the start not counted.
    basins : bool
        Whether the run went from basin to basin: positions are then where a carrier entered the one it is in.
    seed, case, replica : int
        Of the run.

    Raises
    ------
    InputError
        If nothing moves, or a number is out of range.
    """
    if not 1 <= chosen <= walkers:
        raise InputError(f"{chosen} trajectories are asked for; allowed: 1 to the number of walkers, {walkers}")
    if samples < 1 or not time_s > 0.0:
        raise InputError(f"samples is {samples}, time_s is {time_s}; allowed: 1 or more, and above 0")
    mirrored = boundary == "plates"
    clusters = label_clusters(network, periodic=not mirrored)
    weight = mobile_carriers(clusters, site_sums(network, mirrored)[0])
    if not weight.any():
        raise InputError("nothing percolates, so no carrier moves; there are no trajectories to write")
    regions = _basins_of(network, clusters) if basins else None
    moves = VoxelHops(network, mirrored=mirrored) if regions is None else BasinHops(network, regions)
    voxel_of = np.arange(weight.size) if regions is None else regions.voxel
    run = moves.start(weight, walkers, (seed, case, replica))
    picked = (np.arange(chosen) * walkers) // chosen
    group = Walkers.from_arrays(
        {**run.arrays(), **{name: getattr(run, name)[picked] for name in ("sites", "clocks", "states", "places", "signs")}}
    )
    times = time_s * np.arange(samples + 1) / samples
    shape = network.structure.shape
    first = np.stack(np.unravel_index(voxel_of[group.sites], shape), axis=1) + 0.5
    phase_of_voxel = network.faces.phase_of_label[network.structure.labels].reshape(-1)
    places, phase = np.empty((chosen, samples + 1, 3)), np.empty((chosen, samples + 1), dtype=np.uint8)
    for m, until in enumerate(times):
        moves.advance(group, float(until))
        places[:, m], phase[:, m] = first + group.places, phase_of_voxel[voxel_of[group.sites]]
    return Trajectories(
        time_s=times,
        position_m=places * np.array(network.structure.voxel_size),
        phase=phase,
        phase_names=network.faces.phase_names,
        walker=picked,
    )


def _basins_of(network: Network, clusters: Clusters) -> Basins | None:
    """Return the basins, None where a float cannot hold what they need: a run then goes hop by hop, too."""
    try:
        return find_basins(network, clusters)
    except FloatingPointError:
        return None


def time_to_roam_s(network: Network, boundary: str = "periodic") -> float:
    """Return a time [s] in which a carrier leaves its grain a few times, and the fastest ones cross the box.

    It is no longer than three million hops of a carrier take.

    Raises
    ------
    InputError
        If nothing moves.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((8, 8, 8), 2), voxel_nm=25, phases={2: "LATP"})
    >>> 1e-9 < time_to_roam_s(build_network(block, carrier="ion")) < 1e-3
    True
    """
    mirrored = boundary == "plates"
    carriers, conductance = site_sums(network, mirrored)
    weight = mobile_carriers(label_clusters(network, periodic=not mirrored), carriers)
    mobile = weight > 0.0
    if not mobile.any():
        raise InputError("nothing percolates, so no carrier moves; there are no trajectories to follow")
    leaving = conductance[mobile] * network.rate_factor
    busy_rate_Hz = float((leaving * (leaving / carriers[mobile] / leaving.sum())).sum())
    cross_box_s = max(network.structure.shape) ** 2 / busy_rate_Hz
    most_s = MOST_HOPS * float(weight.sum()) / float(leaving.sum())
    return min(max(ESCAPES_PER_LAG * escape_time_s(network, weight), cross_box_s), most_s)


def write_trajectories(path: Path, found: Trajectories) -> None:
    """Write trajectories as `.h5` (datasets time_s, position_m, phase, walker) or `.vtp` (lines in um with time and phase).

    Raises
    ------
    InputError
        If the suffix is neither.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"trajectories {path} end in '{path.suffix}'; allowed: {', '.join(SUFFIXES)}; rename the file")
    with atomic_file(path) as partial:
        if suffix == ".h5":
            _write_hdf5(partial, found)
        else:
            _write_vtp(partial, found)


def read_trajectories(path: Path) -> Trajectories:
    """Read trajectories from the `.h5` that `write_trajectories` wrote.

    Raises
    ------
    FormatError
        If the file is absent, is no HDF5, or lacks a dataset, or their shapes do not agree.
    """
    import h5py

    remedy = "write it with cofire hop --trajectories FILE.h5"
    if not path.is_file():
        raise FormatError(f"trajectories {path} are not there; {remedy}")
    with as_format_errors(path, "HDF5", remedy), h5py.File(path, "r") as file:
        refuse_newer(int(file.attrs.get("schema", 1)), SCHEMA, f"trajectories {path}")
        missing = [name for name in ("time_s", "position_m", "phase", "walker") if name not in file]
        if missing or "phase_names" not in file.attrs:
            raise FormatError(f"{path} has no dataset {(missing or ['phase_names'])[0]}, so it holds no trajectories; {remedy}")
        found = Trajectories(
            time_s=np.asarray(file["time_s"][()], dtype=np.float64),
            position_m=np.asarray(file["position_m"][()], dtype=np.float64),
            phase=np.asarray(file["phase"][()], dtype=np.uint8),
            phase_names=tuple(str(name) for name in file.attrs["phase_names"]),
            walker=np.asarray(file["walker"][()], dtype=np.int64),
        )
    expected = (len(found.walker), len(found.time_s), 3)
    if found.position_m.shape != expected or found.phase.shape != expected[:2] or not np.isfinite(found.position_m).all():
        raise FormatError(f"{path} has positions of shape {found.position_m.shape}; allowed: {expected}, all finite; {remedy}")
    return found


def _write_hdf5(path: Path, found: Trajectories) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name, unit in (("time_s", "s"), ("position_m", "m"), ("phase", ""), ("walker", "")):
            file.create_dataset(name, data=getattr(found, name), compression="gzip" if name != "walker" else None)
            file[name].attrs["unit"] = unit
        file.attrs["phase_names"] = list(found.phase_names)
        file.attrs["format"], file.attrs["schema"] = "cofire-trajectories", SCHEMA
        file.attrs["provenance"] = json.dumps(stamp())


def _write_vtp(path: Path, found: Trajectories) -> None:
    import pyvista

    count, samples, _ = found.position_m.shape
    lines = np.column_stack([np.full(count, samples), np.arange(count * samples).reshape(count, samples)])
    mesh = pyvista.PolyData(found.position_m.reshape(-1, 3) / UM, lines=lines.ravel())
    mesh.point_data["time_s"] = np.tile(found.time_s, count)
    mesh.point_data["phase"] = found.phase.ravel()
    mesh.point_data["walker"] = np.repeat(found.walker, samples)
    mesh.field_data["provenance"] = [json.dumps(stamp())]
    mesh.save(path)
