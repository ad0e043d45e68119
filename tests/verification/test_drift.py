"""Carriers in a field, ions with electrons, and the ways they take: what `kmc.hopping` does beside diffusion."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import pyvista
from scipy import constants
from support import blobs, block, materials, network, sigma, voronoi

from kmc.hopping import ambipolar_diffusivity_m2_per_s, hop, run_drift, run_tracers
from kmc.hopping.trajectories import record_trajectories, write_trajectories
from kmc.network import Network, build_network
from microstructures.errors import InputError

H, KT = 25e-9, constants.Boltzmann * 333.15
DENSITY = 6e27


def grains() -> Network:
    labels, ids = voronoi(16, 6, seed=3, labels=(1, 2))
    known = materials({"A": 1.0, "B": 0.3}, density={"A": 6e27, "B": 2e27}, resistance={"A|B": 2e-8})
    return build_network(block(labels, 25.0, grains=ids, periodic=True), known)


@pytest.mark.parametrize(("u", "drift"), [(0.1, 0.1000417), (1.0, 1.0421906)])
def test_drift_on_a_uniform_lattice(u: float, drift: float) -> None:
    """Rates G exp(+-u/2): v/(h G) = 2 sinh(u/2) = .1000417 and 1.0421906; at u = .1 Einstein's relation holds to .08 %."""
    known = network(np.ones((6, 6, 6)), materials({"A": 0.9}))
    rate = 0.9 * H * KT / constants.elementary_charge**2 / (DENSITY * H**3)
    field = u * KT / (constants.elementary_charge * H)
    found = run_drift(known, (0.0, field, 0.0), walkers=20_000, hops=400_000_000, seed=2)
    error = found.drift_stderr_m_per_s["y"] / (H * rate)
    assert error < 3e-3 * drift
    assert abs(found.drift_m_per_s["y"] / (H * rate) - drift) < 4.0 * error
    assert abs(found.drift_m_per_s["x"]) < 4.0 * found.drift_stderr_m_per_s["x"]
    exact = rate * H**2 * drift / u
    assert exact / (rate * H**2) == pytest.approx(1.0, rel=8e-4 if u < 0.5 else 0.05)
    assert abs(found.einstein_diffusivity_m2_per_s - exact) < 4.0 * found.einstein_diffusivity_stderr_m2_per_s


def test_mobility_of_a_small_field_is_the_conductivity_of_the_network() -> None:
    """sigma = q c mobility, in grains with boundaries that resist: 4 standard errors at 2 %; u = .1, so .04 % too high at most."""
    known = grains()
    field = 0.1 * KT / (constants.elementary_charge * H)
    found = run_drift(known, (0.0, 0.0, field), walkers=8000, hops=200_000_000, seed=4)
    assert found.sigma_eff_stderr_S_per_m < 0.02 * found.sigma_eff_S_per_m
    assert abs(found.sigma_eff_S_per_m - sigma(known, axis=2)) < 4.0 * found.sigma_eff_stderr_S_per_m


def test_electrons_drift_against_the_field() -> None:
    """Their mobility is positive all the same."""
    known = build_network(block(np.ones((4, 4, 4)), 25.0), materials({"A": 1.0}, electron={"A": 2.0}), carrier="electron")
    found = run_drift(known, (2e5, 0.0, 0.0), hops=20_000_000, seed=1)
    assert found.drift_m_per_s["x"] < -5.0 * found.drift_stderr_m_per_s["x"]
    assert abs(found.sigma_eff_S_per_m - 2.0) < 4.0 * found.sigma_eff_stderr_S_per_m < 1.0


@pytest.mark.parametrize(
    ("field", "options", "message"),
    [
        ((0.0, 0.0, 0.0), {}, "above 0"),
        ((1e9, 0.0, 0.0), {}, "at most 20"),
        ((1e5, 0.0, 0.0), {"walkers": 1}, "walkers is 1"),
        ((1e5, 0.0, 0.0), {"hops": 10, "time_s": 1.0}, "both given"),
    ],
)
def test_fields_out_of_range_are_refused(field: tuple[float, float, float], options: dict[str, float], message: str) -> None:
    """One line: what was wrong, the value seen, what is allowed."""
    with pytest.raises(InputError, match=message):
        run_drift(network(np.ones((4, 4, 4)), materials({"A": 1.0})), field, **options)  # type: ignore[arg-type]


def test_no_drift_where_nothing_percolates() -> None:
    """Exact zeros, and the reason."""
    labels = np.zeros((6, 6, 6))
    labels[2:4, 2:4, 2:4] = 1
    found = run_drift(network(labels, materials({"A": 1.0})), (1e5, 0.0, 0.0))
    assert (found.mobility_m2_per_Vs, found.hops, str(found.outcome)) == (0.0, 0, "not-percolating")


def test_ambipolar_diffusivity() -> None:
    """(kT/q^2) s_i s_e/(s_i + s_e) (1/c_i + 1/c_e); 4 standard errors of the hops."""
    labels = blobs(12, {1: 0.7, 2: 0.3}, seed=1)
    known = materials({"A": 1.0, "B": 0.2}, electron={"A": 0.5, "B": 3.0})
    faces = build_network(block(labels, 25.0, periodic=True), known)
    electron = build_network(faces.faces, known, carrier="electron")
    ions, electrons = (hop(one, walkers=2000, hops=10_000_000, seed=1) for one in (faces, electron))
    value, error = ambipolar_diffusivity_m2_per_s(ions, electrons)
    s, e = sigma(faces), sigma(electron)
    exact = KT / constants.elementary_charge**2 * s * e / (s + e) * (2.0 / DENSITY)
    assert abs(value["x"] - exact) < 4.0 * error["x"] < 0.15 * exact
    with pytest.raises(InputError, match="an ion and an electron"):
        ambipolar_diffusivity_m2_per_s(electrons, ions)


@pytest.mark.parametrize("boundary", ["periodic", "plates"])
def test_trajectories_are_those_of_the_run(tmp_path: Path, boundary: str) -> None:
    """The ways of some walkers end where the run has them; steps lead through voxels of the phase that is written."""
    known, file = grains(), tmp_path / "run.npz"
    found = run_tracers(known, boundary=boundary, walkers=200, hops=40_000, seed=5, checkpoint=file)
    with np.load(file) as stored:
        places = stored["places"]
    ways = record_trajectories(
        known, boundary=boundary, walkers=200, time_s=found.simulated_time_s, chosen=7, samples=500, seed=5
    )
    assert ways.walker.tolist() == [0, 28, 57, 85, 114, 142, 171]
    ends = np.rint((ways.position_m[:, -1] - ways.position_m[:, 0]) / H)
    np.testing.assert_array_equal(ends, places[ways.walker])
    if boundary == "periodic":
        voxel = np.floor(ways.position_m / H).astype(int) % 16
        expected = known.faces.phase_of_label[known.structure.labels[tuple(np.moveaxis(voxel, -1, 0))]]
        np.testing.assert_array_equal(ways.phase, expected)


def test_trajectory_files(tmp_path: Path) -> None:
    """HDF5 in metres, VTP as lines in micrometres with time, phase and walker; other suffixes are refused."""
    ways = record_trajectories(grains(), walkers=50, time_s=1e-3, chosen=3, samples=20)
    write_trajectories(tmp_path / "ways.h5", ways)
    with h5py.File(tmp_path / "ways.h5") as file:
        np.testing.assert_array_equal(file["position_m"][:], ways.position_m)
        assert list(file.attrs["phase_names"]) == list(ways.phase_names)
    write_trajectories(tmp_path / "ways.vtp", ways)
    mesh = pyvista.read(tmp_path / "ways.vtp")
    assert (mesh.n_lines, mesh.n_points) == (3, 63)
    np.testing.assert_allclose(mesh.points, ways.position_m.reshape(-1, 3) * 1e6, rtol=1e-6)
    np.testing.assert_allclose(mesh.point_data["time_s"], np.tile(ways.time_s, 3))
    with pytest.raises(InputError, match=r"allowed: \.h5, \.vtp"):
        write_trajectories(tmp_path / "ways.txt", ways)
    with pytest.raises(InputError, match="51 trajectories"):
        record_trajectories(grains(), walkers=50, time_s=1e-3, chosen=51)
