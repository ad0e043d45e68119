"""The lattice gas against exact sums, symmetric exclusion and the network."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from support import block, materials, network, random_labels, voronoi

from kmc.connectivity import label_clusters
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.lattice_gas import run_lattice_gas, sites
from kmc.hopping.lattice_gas.filling import fermi_activity_m3
from kmc.hopping.lattice_gas.sites import gas_sites
from kmc.network import Network, build_network
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

DENSITY = {"A": 6e27, "B": 8e26}
KNOWN = materials({"A": 1.0, "B": 0.2}, density=DENSITY, resistance={"A|B": 1e-8})


@pytest.fixture(scope="module")
def noise() -> Network:
    """Return voxel noise of two phases that differ in conductivity and carriers, with a resistance between them."""
    return network(random_labels((10, 10, 10), 2, seed=3, first=1), KNOWN, periodic=True)


@pytest.fixture(scope="module")
def lattice() -> Network:
    return network(np.ones((12, 12, 12), dtype=np.uint8), materials({"A": 1.0}), periodic=True)


def periodic_sigma(known: Network) -> float:
    """Return the mean conductivity of the periodic network along x, y and z by a direct solve: least dissipation."""
    shape, size = known.structure.shape, known.structure.labels.size
    here = np.arange(size).reshape(shape)
    there = np.concatenate([np.roll(here, -1, axis=axis).ravel() for axis in range(3)])
    g = np.concatenate([known.conductance[axis][known.faces.of_axis[axis]].ravel() for axis in range(3)])
    rows = np.tile(np.arange(3 * size), 2)
    columns = np.concatenate([there, np.tile(here.ravel(), 3)])
    drop = sparse.coo_array((np.repeat([1.0, -1.0], 3 * size), (rows, columns))).tocsr()[:, 1:]
    scaled = drop.T @ sparse.diags_array(g)
    solve = splu((scaled @ drop).tocsc()).solve
    sigma = []
    for axis in range(3):
        field = np.repeat(np.eye(3)[axis], size)
        field += drop @ solve(-(scaled @ field))
        sigma.append(g @ field**2 / size / known.structure.voxel_size[0])
    return float(np.mean(sigma))


def mean_and_error(value: dict[str, float], error: dict[str, float]) -> tuple[float, float]:
    return float(np.mean(list(value.values()))), float(np.sqrt(np.sum(np.square(list(error.values()))))) / 3.0


@pytest.mark.parametrize("vacancies", [False, True])
@pytest.mark.parametrize("pore", [0, 1])
def test_every_face_keeps_detailed_balance(monkeypatch: pytest.MonkeyPatch, pore: int, vacancies: bool) -> None:
    """c_i k_ij = c_j k_ji to 1e-12, with k_ij = g_ij kT / (q^2 c_i V), De Masi et al. 1989.

    Bound times chance is the rate that the kernel gives a mover: of the carrier on i that hops to j, or of the vacancy on j
    that goes to i. The chance is read off the class of the face or, where the site marks it as plain, off its group.
    """
    monkeypatch.setattr(sites, "CROWDED", 0.0 if vacancies else 1.0)
    known = materials({"A": 1.0, "B": 0.2, "C": 1e-4}, density=DENSITY, resistance={"A|B": 1e-8, "default": 3e-8})
    net = network(random_labels((7, 8, 9), 4 - pore, seed=5, first=pore), known, (25.0, 20.0, 30.0), periodic=True)
    found = gas_sites(net, label_clusters(net, periodic=True), 0.3)
    assert found is not None
    assert found.vacancies is vacancies
    density, _ = site_sums(net, mirrored=False)
    prefactor = BOLTZMANN_J_PER_K * kelvin(60.0) / ELEMENTARY_CHARGE_C**2 / np.prod(net.structure.voxel_size)
    groups, words = found.groups, found.groups.words
    mobile = words != 1
    group = np.where(mobile, words >> 4, 0)
    plain_faces = faces = 0
    for axis in range(3):
        g = net.conductance[axis][net.faces.of_axis[axis]]
        ahead, there = np.roll(group, -1, axis=axis), np.roll(density, -1, axis=axis)
        both = mobile & np.roll(mobile, -1, axis=axis) & (g > 0.0)
        plain = (words >> (1 + axis) & 1 == 0) & both
        moves = []
        for start, end in ((group, ahead), (ahead, group)):
            chance = np.where(plain, groups.plain[start, axis], g * net.rate_factor * groups.inverse[start, end, axis])
            assert (chance[both] <= 1.0 + 1e-12).all()
            moves.append((chance * groups.bound[start, axis])[both])
        forth, back = reversed(moves) if vacancies else moves
        np.testing.assert_allclose(forth, (g * prefactor)[both] / density[both], rtol=1e-12)
        np.testing.assert_allclose(density[both] * forth, there[both] * back, rtol=1e-12)
        faces, plain_faces = faces + int(both.sum()), plain_faces + int(plain.sum())
    assert faces > 500
    assert 50 < plain_faces < faces - 50


def test_fermi_occupancy_of_three_energies() -> None:
    """1/(1+exp((e-mu)/kT)) for e = 0, 50, 100 meV at 300 K, mu = 0: .5, .126299, .0204688."""
    density = np.exp(-np.array([0.0, 0.05, 0.1]) / (8.617333262e-5 * 300.0))
    z = fermi_activity_m3(density, (0.5 + 0.126299 + 0.0204688) / 3.0)
    np.testing.assert_allclose(z * density / (1.0 + z * density), [0.5, 0.126299, 0.0204688], rtol=1e-5)


def test_chemical_potential_gives_the_fermi_occupancies() -> None:
    """The same three energies as carrier densities of three phases at 300 K, mu = 0; then the filling gives mu back."""
    density = dict(zip("ABC", 6e27 * np.exp(-np.array([0.0, 0.05, 0.1]) / (8.617333262e-5 * 300.0)), strict=True))
    known = materials(dict.fromkeys("ABC", 1.0), density=density)
    structure = network(random_labels((9, 9, 9), 3, seed=8, first=1), known, periodic=True).structure
    net = build_network(structure, known, temperature_C=26.85)
    result = run_lattice_gas(net, chemical_potential_eV=0.0, hops=20_000_000, gases=32, seed=12)
    for name, expected in zip("ABC", (0.5, 0.126299, 0.0204688), strict=True):
        assert result.occupancy_expected[name] == pytest.approx(expected, rel=1e-5)
        assert result.occupancy[name] == pytest.approx(expected, rel=0.03)
    again = gas_sites(net, label_clusters(net, periodic=True), filling=result.filling)
    assert again is not None
    assert again.chemical_potential_eV == pytest.approx(result.chemical_potential_eV, abs=1e-12)
    n, room = np.array([0.5, 0.126299, 0.0204688]), np.bincount(structure.labels.ravel())[1:]
    assert result.thermodynamic_factor == pytest.approx((room * n).sum() / (room * n * (1.0 - n)).sum(), rel=1e-5)


@pytest.mark.parametrize("checker", [True, False])
def test_occupancy_by_phase_is_the_fermi_one(noise: Network, checker: bool) -> None:
    """Time mean occupancy z c / (1 + z c), z from the carriers the sample really has; |t| < 4.3 with 11 degrees of freedom."""
    net = noise
    if checker:
        labels = (1 + np.indices((10, 10, 10)).sum(axis=0) % 2).astype(np.uint8)
        net = network(labels, noise.materials, periodic=True)
    density, _ = site_sums(net, mirrored=False)
    off = []
    for replica in range(12):
        result = run_lattice_gas(net, filling=0.4, hops=200_000, gases=4, seed=1, replica=replica)
        z = fermi_activity_m3(density.ravel(), result.walkers / result.gases / density.size)
        expected = {name: z * c / (1.0 + z * c) for name, c in DENSITY.items()}
        off.append([result.occupancy[name] - expected[name] for name in DENSITY])
    mean, error = np.mean(off, axis=0), np.std(off, axis=0, ddof=1) / np.sqrt(len(off))
    assert (error < 0.004 * 0.4).all()
    assert (np.abs(mean) < 4.3 * error).all()


@pytest.mark.parametrize("filling", [0.4, 0.9])
def test_hops_per_time_are_the_fermi_sum(noise: Network, filling: float) -> None:
    """Sum over faces of n_i (1 - n_j) k_ij, both ways: the mean time per hop of a multi-phase gas; 1 % at 4 errors."""
    found = gas_sites(noise, label_clusters(noise, periodic=True), filling)
    assert found is not None
    assert found.vacancies is (filling > 0.8)
    runs = [run_lattice_gas(noise, filling=filling, hops=200_000, gases=32, seed=2, replica=n) for n in range(12)]
    rates = np.array([run.hops / (run.gases * run.simulated_time_s) for run in runs]) / found.hop_rate
    error = rates.std(ddof=1) / np.sqrt(len(rates))
    assert error < 0.003
    assert abs(rates.mean() - 1.0) < 4.0 * error


def test_hops_over_each_kind_of_face_are_the_fermi_sum() -> None:
    """Hops from phase to phase of grains, whose plain faces take another path through the kernel than the others."""
    labels, grains = voronoi(16, 12, seed=2)
    known = materials({"A": 1.0, "B": 0.2}, density=DENSITY, resistance={"A|B": 1e-8, "A|A": 5e-9})
    net = network(labels, known, grains=grains, periodic=True)
    found = gas_sites(net, label_clusters(net, periodic=True), 0.3)
    assert found is not None
    density, _ = site_sums(net, mirrored=False)
    z = fermi_activity_m3(density.ravel(), 0.3)
    empty = 1.0 / (1.0 + z * density)
    rate = {"A|A": 0.0, "A|B": 0.0, "all": 0.0}
    for axis, of_axis in enumerate(net.faces.of_axis):
        both_ways = 2.0 * z * net.conductance[axis][of_axis] * net.rate_factor * empty * np.roll(empty, -1, axis=axis)
        rate["all"] += both_ways.sum()
        for pair, low, high in (("A|A", 1, 1), ("A|B", 1, 2)):
            ends = np.sort(np.stack([labels, np.roll(labels, -1, axis=axis)]), axis=0)
            here = (ends[0] == low) & (ends[1] == high) & (grains != np.roll(grains, -1, axis=axis))
            rate[pair] += both_ways[here].sum()
    result = run_lattice_gas(net, filling=0.3, hops=20_000_000, gases=64, seed=13)
    seen = {**result.crossings, "all": result.hops}
    assert min(seen.values()) > 100_000
    for pair, expected in rate.items():
        assert seen[pair] / (result.gases * result.simulated_time_s) == pytest.approx(expected, rel=0.01)


NAKAZATO_KITAHARA = (0.9728, 0.9443, 0.9143, 0.8828, 0.8496, 0.8146, 0.7776, 0.7385, 0.6971)
"""Tracer correlation factor of the simple cubic lattice at fillings of 0.1 to 0.9."""
DAILY = (3, 7, 9)


@pytest.mark.parametrize(
    ("filling", "tracer_factor"),
    [
        pytest.param(0.1 * tenths, factor, marks=() if tenths in DAILY else pytest.mark.nightly)
        for tenths, factor in enumerate(NAKAZATO_KITAHARA, start=1)
    ],
)
def test_exclusion_on_a_uniform_lattice(lattice: Network, filling: float, tracer_factor: float) -> None:
    """Charge: D_q = (1 - c) k h^2, so f_I = 1; tracer: f(c) of Nakazato & Kitahara (1980), itself good to 0.5 %."""
    result = run_lattice_gas(lattice, filling=filling, hops=30_000_000, gases=16, seed=4)
    factor, error = mean_and_error(result.correlation_factor or {}, result.correlation_factor_stderr or {})
    assert error < 0.01 * tracer_factor
    assert abs(factor - tracer_factor) < 3.0 * error + 0.005 * tracer_factor
    bare = result.sigma_eff_S_per_m["x"] / result.charge_diffusivity_m2_per_s["x"]  # q^2 <c> / kT
    empty = 1.0 - result.walkers / (result.gases * 12**3)
    charge, charge_error = mean_and_error(result.charge_diffusivity_m2_per_s, result.charge_diffusivity_stderr_m2_per_s)
    assert charge_error < 0.02 * charge
    assert abs(charge * bare / empty - 1.0) < 3.0 * charge_error * bare / empty
    assert result.haven_ratio["x"] == pytest.approx(factor, rel=0.06)
    assert result.followed == ("vacancies" if filling > 0.85 else "carriers")


def test_tracer_factor_of_a_nearly_full_lattice() -> None:
    """c -> 1: .653109, plus 1 - c times the slope of the table, .440; 16^3 sites with 41 vacancies each."""
    net = network(np.ones((16, 16, 16), dtype=np.uint8), materials({"A": 1.0}), periodic=True)
    result = run_lattice_gas(net, filling=0.99, hops=20_000_000, gases=16, seed=14)
    factor, error = mean_and_error(result.correlation_factor or {}, result.correlation_factor_stderr or {})
    assert result.followed == "vacancies"
    assert error < 0.004
    assert abs(factor - (0.653109 + 0.01 * 0.44)) < 3.0 * error + 0.005 * factor


def test_vacancies_and_carriers_make_the_same_gas(noise: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracer and charge diffusivity, occupancies and hops of a gas of two phases at a filling of 0.8, followed either way."""
    either = []
    for crowded in (0.7, 0.9):
        monkeypatch.setattr(sites, "CROWDED", crowded)
        either.append(run_lattice_gas(noise, filling=0.8, hops=20_000_000, gases=64, seed=15))
    assert [result.followed for result in either] == ["vacancies", "carriers"]
    one, other = either
    assert one.walkers == other.walkers  # from the same start
    for name, most in (("diffusivity", 0.01), ("charge_diffusivity", 0.1)):
        means = [
            mean_and_error(getattr(result, f"{name}_m2_per_s"), getattr(result, f"{name}_stderr_m2_per_s")) for result in either
        ]
        error = float(np.hypot(means[0][1], means[1][1]))
        assert error < most * means[0][0]
        assert abs(means[0][0] - means[1][0]) < 4.0 * error
    for name in DENSITY:
        assert one.occupancy[name] == pytest.approx(other.occupancy[name], abs=0.002)
        assert one.occupancy[name] == pytest.approx(one.occupancy_expected[name], abs=0.012)
    assert one.hops / one.simulated_time_s == pytest.approx(other.hops / other.simulated_time_s, rel=0.01)
    assert one.crossings["A|B"] / one.hops == pytest.approx(other.crossings["A|B"] / other.hops, rel=0.01)


@pytest.mark.parametrize("filling", [0.2, 0.5, 0.8])
def test_chemical_diffusivity_does_not_depend_on_the_filling(lattice: Network, filling: float) -> None:
    """Equal sites: D_q / (1 - c) = k h^2 at every filling; M/(M - 1) larger in a box of M = 1728 sites."""
    found = gas_sites(lattice, label_clusters(lattice, periodic=True), filling)
    assert found is not None
    assert found.uniform_rate is not None
    exact = found.uniform_rate[0] * lattice.structure.voxel_size[0] ** 2
    result = run_lattice_gas(lattice, filling=filling, hops=20_000_000, gases=16, seed=16)
    value, error = mean_and_error(result.chemical_diffusivity_m2_per_s, result.chemical_diffusivity_stderr_m2_per_s)
    assert error < 0.015 * exact
    spread = np.sqrt(filling / (1.0 - filling) / (16 * 12**3))  # of 1 - c of the gases that were drawn
    assert abs(value / exact - 1.0) < 3.5 * np.hypot(error / exact, spread)


@pytest.mark.parametrize(("filling", "push", "speed"), [(0.3, 0.1, 0.1000417), (0.3, 1.0, 1.0421906), (0.9, 1.0, 1.0421906)])
def test_drift_in_a_field(lattice: Network, filling: float, push: float, speed: float) -> None:
    """v = (1 - c) k h 2 sinh(u/2) along the field, 0 across it; Einstein's relation with D_q; u = q E h / kT."""
    found = gas_sites(lattice, label_clusters(lattice, periodic=True), filling)
    assert found is not None
    assert found.uniform_rate is not None
    h, thermal = lattice.structure.voxel_size[0], BOLTZMANN_J_PER_K * kelvin(60.0) / ELEMENTARY_CHARGE_C
    field = push * thermal / h
    result = run_lattice_gas(lattice, filling=filling, field_V_per_m=(0.0, -field, 0.0), hops=20_000_000, gases=64, seed=17)
    unit = (1.0 - result.walkers / (result.gases * 12**3)) * found.uniform_rate[1] * h
    drift, error = result.drift_m_per_s or {}, result.drift_stderr_m_per_s or {}
    assert error["y"] < 0.02 * speed * unit
    assert abs(drift["y"] + speed * unit) < 3.5 * error["y"] + 0.002 * speed * unit
    assert abs(drift["x"]) < 4.0 * error["x"]
    assert result.mobility_m2_per_Vs == pytest.approx(-drift["y"] / field)
    assert result.diffusivity_m2_per_s["y"] == pytest.approx(result.diffusivity_m2_per_s["x"] * np.cosh(push / 2), rel=0.04)


@pytest.mark.parametrize("filling", [0.3, 0.9])
def test_electrons_drift_against_the_field(filling: float) -> None:
    known = materials({"A": 1.0}, electron={"A": 1.0})
    net = build_network(block(np.ones((8, 8, 8)), 25.0, periodic=True), known, carrier="electron")
    result = run_lattice_gas(net, filling=filling, field_V_per_m=(0.0, 0.0, 1e6), hops=1_000_000, seed=18)
    assert result.drift_m_per_s is not None
    assert result.drift_stderr_m_per_s is not None
    assert result.drift_m_per_s["z"] < -10.0 * result.drift_stderr_m_per_s["z"]
    assert result.mobility_m2_per_Vs == pytest.approx(-result.drift_m_per_s["z"] / 1e6)


def test_equal_carriers_conduct_exactly_one_minus_filling() -> None:
    """Symmetric exclusion (all c_i equal): the current is linear in the occupancy: sigma is 1 - F of the network's.

    In a box of M sites with a drawn number of carriers the factor is M/(M - 1) larger, 0.1 % here.
    """
    known = materials({"A": 1.0, "B": 0.1}, resistance={"A|B": 1e-8})
    net = network(random_labels((10, 10, 10), 2, seed=6, first=1), known, periodic=True)
    result = run_lattice_gas(net, filling=0.3, hops=40_000_000, gases=16, seed=5)
    value, error = mean_and_error(result.sigma_eff_S_per_m, result.sigma_eff_stderr_S_per_m)
    assert error < 0.04 * value
    assert abs(value - 0.7 * periodic_sigma(net)) < 3.5 * error


def test_low_filling_conducts_like_the_network(noise: Network) -> None:
    """filling -> 0: independent tracers, whose sigma_eff is the network's own; 3.5 errors at 2 %, and 0.5 % for the filling."""
    result = run_lattice_gas(noise, filling=0.004, hops=16_000_000, gases=16, seed=6)
    expected = periodic_sigma(noise)
    value, error = mean_and_error(result.sigma_eff_S_per_m, result.sigma_eff_stderr_S_per_m)
    assert error < 0.02 * expected
    assert abs(value - expected) < 3.5 * error + 0.005 * expected
    q2_c_over_kT = result.carrier_density_per_m3 * ELEMENTARY_CHARGE_C**2 / (BOLTZMANN_J_PER_K * kelvin(60.0))
    single, single_error = mean_and_error(result.diffusivity_m2_per_s, result.diffusivity_stderr_m2_per_s)
    assert abs(single * q2_c_over_kT - expected) < 3.5 * single_error * q2_c_over_kT + 0.01 * expected
