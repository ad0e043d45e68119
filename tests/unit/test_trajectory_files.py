"""Trajectories come back from their file as they were; anything else is refused by name."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from kmc.hopping.trajectories import Trajectories, read_trajectories, record_trajectories, time_to_roam_s, write_trajectories
from kmc.network import build_network
from microstructures.errors import FormatError, InputError
from microstructures.structure import VoxelStructure


def some_trajectories() -> Trajectories:
    draw = np.random.default_rng(0)
    return Trajectories(
        np.arange(5.0),
        draw.random((3, 5, 3)),
        draw.integers(0, 2, (3, 5)).astype(np.uint8),
        ("LFP", "LATP"),
        np.array([0, 4, 8]),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written = some_trajectories()
    write_trajectories(tmp_path / "w.h5", written)
    read = read_trajectories(tmp_path / "w.h5")
    for name in ("time_s", "position_m", "phase", "walker"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert read.phase_names == written.phase_names


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with pytest.raises(FormatError, match="are not there"):
        read_trajectories(path)
    path.write_bytes(b"no hdf5")
    with pytest.raises(FormatError, match="cannot be read as HDF5"):
        read_trajectories(path)
    write_trajectories(path, some_trajectories())
    with h5py.File(path, "r+") as file:
        del file["phase"]
    with pytest.raises(FormatError, match="has no dataset phase"):
        read_trajectories(path)
    with h5py.File(path, "r+") as file:
        file["phase"] = np.zeros((2, 2), np.uint8)
    with pytest.raises(FormatError, match=r"allowed: \(3, 5, 3\)"):
        read_trajectories(path)


def test_the_time_lets_carriers_cross_the_box() -> None:
    block = VoxelStructure.from_labels(np.full((6, 6, 6), 2), voxel_nm=50, phases={2: "LATP"}, periodic=True)
    network = build_network(block, carrier="ion")
    ways = record_trajectories(network, walkers=40, chosen=40, time_s=time_to_roam_s(network), samples=20)
    away = np.linalg.norm(ways.position_m[:, -1] - ways.position_m[:, 0], axis=-1)
    assert 0.5 < np.sqrt((away**2).mean()) / 300e-9 < 2.0


def test_nothing_moves_where_nothing_percolates() -> None:
    labels = np.zeros((6, 6, 6), dtype=int)
    labels[2:4, 2:4, 2:4] = 2
    network = build_network(VoxelStructure.from_labels(labels, voxel_nm=50, phases={0: "pore", 2: "LATP"}), carrier="ion")
    with pytest.raises(InputError, match="nothing percolates"):
        time_to_roam_s(network)


def test_the_time_is_bounded_where_grains_are_hardly_ever_left() -> None:
    labels = np.full((8, 8, 8), 2)
    labels[:, :4] = 1
    slabs = VoxelStructure.from_labels(labels, voxel_nm=50, phases={1: "LFP", 2: "LATP"}, periodic=True)
    network = build_network(slabs, carrier="ion")
    found = record_trajectories(network, walkers=2, chosen=2, time_s=1e-4 * time_to_roam_s(network), samples=3, basins=True)
    assert np.isfinite(found.position_m).all()
    assert time_to_roam_s(network) < 1e3
