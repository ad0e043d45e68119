"""The lattice gas against exact sums, symmetric exclusion and the network; then what it returns, refuses and repeats."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from support import blobs, materials, network, random_labels

from kmc.connectivity import label_clusters
from kmc.hopping import lattice_gas
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.lattice_gas import run_lattice_gas
from kmc.hopping.lattice_gas_sites import fermi_activity_m3, gas_sites
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.units import BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C, kelvin

DENSITY = {"A": 6e27, "B": 8e26}
KNOWN = materials({"A": 1.0, "B": 0.2}, density=DENSITY, resistance={"A|B": 1e-8})


@pytest.fixture(scope="module")
def noise() -> Network:
    """Return voxel noise of two phases that differ in conductivity and carriers, with a resistance between them."""
    return network(random_labels((10, 10, 10), 2, seed=3, first=1), KNOWN, periodic=True)


@pytest.fixture(scope="module")
def porous() -> Network:
    return network(random_labels((8, 9, 10), 3, seed=1), KNOWN, periodic=True)


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


@pytest.mark.parametrize("pore", [0, 1])
def test_every_face_keeps_detailed_balance(pore: int) -> None:
    """c_i k_ij = c_j k_ji to 1e-12, with k_ij = g_ij kT / (q^2 c_i V), De Masi et al. 1989.

    The gas may use a rate only if its bound and its density give it back: rates * inverse * bound.
    """
    known = materials({"A": 1.0, "B": 0.2, "C": 1e-4}, density=DENSITY, resistance={"A|B": 1e-8, "default": 3e-8})
    net = network(random_labels((7, 8, 9), 4 - pore, seed=5, first=pore), known, (25.0, 20.0, 30.0), periodic=True)
    sites = gas_sites(net, label_clusters(net, periodic=True), 0.3)
    assert sites is not None
    density, _ = site_sums(net, mirrored=False)
    volume = np.prod(net.structure.voxel_size)
    prefactor = BOLTZMANN_J_PER_K * kelvin(60.0) / ELEMENTARY_CHARGE_C**2 / volume
    mobile = sites.groups < len(sites.size)
    group = np.where(mobile, sites.groups, 0)
    faces = 0
    for axis in range(3):
        g = net.conductance[axis][net.faces.of_axis[axis]]
        there = np.roll(density, -1, axis=axis)
        both = mobile & np.roll(mobile, -1, axis=axis) & (g > 0.0)
        scale = net.conductance[axis][net.faces.of_axis[axis]] * net.rate_factor
        chance = scale * sites.inverse[group, axis]
        back = scale * sites.inverse[np.roll(group, -1, axis=axis), axis]
        forth_rate = (chance * sites.bound[group, axis])[both]
        back_rate = (back * sites.bound[np.roll(group, -1, axis=axis), axis])[both]
        assert (chance[both] <= 1.0 + 1e-12).all()
        assert (back[both] <= 1.0 + 1e-12).all()
        np.testing.assert_allclose(forth_rate, (g * prefactor)[both] / density[both], rtol=1e-12)
        np.testing.assert_allclose(density[both] * forth_rate, there[both] * back_rate, rtol=1e-12)
        faces += int(both.sum())
    assert faces > 500


def test_fermi_occupancy_of_three_energies() -> None:
    """1/(1+exp((e-mu)/kT)) for e = 0, 50, 100 meV at 300 K, mu = 0: .5, .126299, .0204688."""
    density = np.exp(-np.array([0.0, 0.05, 0.1]) / (8.617333262e-5 * 300.0))
    z = fermi_activity_m3(density, (0.5 + 0.126299 + 0.0204688) / 3.0)
    np.testing.assert_allclose(z * density / (1.0 + z * density), [0.5, 0.126299, 0.0204688], rtol=1e-5)


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


def test_hops_per_time_are_the_fermi_sum(noise: Network) -> None:
    """Sum over faces of n_i (1 - n_j) k_ij, both ways: the mean time per hop of a multi-phase gas; 1 % at 3 errors."""
    sites = gas_sites(noise, label_clusters(noise, periodic=True), 0.4)
    assert sites is not None
    runs = [run_lattice_gas(noise, filling=0.4, hops=200_000, gases=16, seed=2, replica=n) for n in range(12)]
    rates = np.array([run.hops / (run.gases * run.simulated_time_s) for run in runs]) / sites.hop_rate
    error = rates.std(ddof=1) / np.sqrt(len(rates))
    assert error < 0.003
    assert abs(rates.mean() - 1.0) < 4.0 * error


@pytest.mark.parametrize(("filling", "tracer_factor"), [(0.3, 0.9143), (0.7, 0.7776)])
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


def test_same_bits_for_one_and_two_threads(porous: Network, threads) -> None:  # type: ignore[no-untyped-def]
    found = []
    for n in (1, 2):
        threads(n)
        plain = run_lattice_gas(porous, filling=0.3, hops=200_000, gases=5, seed=7, case=1, replica=2).to_dict()
        found.append({key: value for key, value in plain.items() if key not in ("seconds", "hops_per_second")})
    assert json.dumps(found[0]) == json.dumps(found[1])


def test_seed_case_and_replica_each_change_the_run(porous: Network) -> None:
    keys: list[dict[str, int]] = [{}, {"seed": 1}, {"case": 1}, {"replica": 1}]
    results = [run_lattice_gas(porous, filling=0.3, hops=20_000, **key) for key in keys]  # type: ignore[arg-type]
    assert len({result.diffusivity_m2_per_s["x"] for result in results}) == 4


def test_carriers_are_conserved_and_lists_agree_with_sites(porous: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every batch: as many carriers as at the start, each name once, each on an occupied site of its own group."""
    kernel, numbers = lattice_gas.advance, []

    def spy(*args):  # type: ignore[no-untyped-def]
        kernel(*args)
        shape, first, sites, counts, places, names = args[0], *args[10:13], *args[14:16]
        for gas in range(len(sites)):
            slots = np.concatenate([np.arange(low, low + n) for low, n in zip(first[:-1], counts[gas], strict=True)])
            place = places[gas, slots]
            index = np.ravel_multi_index((place >> 40, (place >> 20) & 0xFFFFF, place & 0xFFFFF), shape)
            assert len(set(index)) == len(index) == (sites[gas] >= 128).sum()
            np.testing.assert_array_equal(sites[gas, index] - 128, np.repeat(np.arange(len(counts[gas])), counts[gas]))
            np.testing.assert_array_equal(np.sort(names[gas, slots]), np.arange(len(slots)))
        numbers.append(counts.sum(axis=1))

    monkeypatch.setattr(lattice_gas, "advance", spy)
    result = run_lattice_gas(porous, filling=0.5, hops=100_000, gases=3)
    assert len(numbers) > 4
    assert all((number == numbers[0]).all() for number in numbers)
    assert result.walkers == numbers[0].sum()


def test_result_has_the_keys_of_the_command_line(porous: Network) -> None:
    shares: list[float] = []
    result = run_lattice_gas(porous, filling=0.3, hops=50_000, progress=lambda share, text: shares.append(share))
    plain = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert plain["mode"] == "lattice-gas"
    assert plain["outcome"] in ("converged", "not-equilibrated")
    assert plain["hops"] == pytest.approx(50_000, rel=0.2)
    assert set(plain["occupancy"]) == set(plain["occupancy_expected"]) == {"A", "B"}
    assert sum(plain["residence_fraction"].values()) == pytest.approx(1.0)
    assert plain["residence_fraction"]["pore"] == 0.0
    assert set(plain["crossings"]) == {"A|B"}
    assert plain["correlation_factor"] is None
    assert set(plain["charge_diffusivity_m2_per_s"]) == set("xyz")
    assert shares[-1] == 1.0


def test_time_given_is_time_simulated(porous: Network) -> None:
    assert run_lattice_gas(porous, filling=0.3, time_s=1e-5).simulated_time_s == pytest.approx(1e-5, rel=1e-12)


def test_what_does_not_wind_around_the_box_conducts_nothing() -> None:
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[1:4, 2:4, 2:4] = 1
    result = run_lattice_gas(network(labels, KNOWN, periodic=True), filling=0.5)
    assert result.outcome is Outcome.NOT_PERCOLATING
    assert result.hops == 0
    assert result.sigma_eff_S_per_m == {"x": 0.0, "y": 0.0, "z": 0.0}
    assert result.to_dict()["advice"]
    frozen = run_lattice_gas(network(np.zeros((4, 4, 4), dtype=np.uint8), KNOWN, periodic=True), filling=0.5)
    assert frozen.outcome is Outcome.FROZEN


def test_column_conducts_along_its_axis_only() -> None:
    labels = np.zeros((12, 3, 3), dtype=np.uint8)
    labels[:, 1, 1] = 1
    result = run_lattice_gas(network(labels, KNOWN, periodic=True), filling=0.5, hops=50_000)
    assert result.sigma_eff_S_per_m["x"] > 0.0
    assert result.sigma_eff_S_per_m["y"] == result.sigma_eff_S_per_m["z"] == 0.0
    assert result.haven_ratio["y"] is None


def test_film_that_is_reached_only_across_the_outer_boundary_is_a_site() -> None:
    """A pore voxel with a film may belong to no cluster; carriers that enter it must find a site there."""
    known = materials({"A": 1.0, "B": 0.2}, density=DENSITY, resistance={"A|B": 1e-8}, films={"A|pore": 1e-9})
    net = network(blobs(20, {0: 0.3, 1: 0.4, 2: 0.3}, seed=1), known, periodic=True)
    sites = gas_sites(net, label_clusters(net, periodic=True), 0.1)
    assert sites is not None
    mobile = sites.groups < len(sites.size)
    for axis in range(3):
        open_face = net.conductance[axis][net.faces.of_axis[axis]] > 0.0
        assert (mobile == np.roll(mobile, -1, axis=axis))[open_face].all()
    result = run_lattice_gas(net, filling=0.1, hops=16_000_000, gases=64)
    for name, expected in result.occupancy_expected.items():
        assert result.occupancy[name] == pytest.approx(expected, rel=0.05)
    assert result.residence_fraction["pore"] > 0.0


def test_full_lattice_stands_still() -> None:
    net = network(np.ones((4, 4, 4), dtype=np.uint8), KNOWN, periodic=True)
    result = run_lattice_gas(net, filling=1.0 - 1e-9, time_s=1e-3)
    assert result.hops == 0
    assert result.occupancy["A"] == pytest.approx(1.0)
    assert result.sigma_eff_S_per_m["x"] == 0.0
    assert result.haven_ratio["x"] is None


def test_slab_one_voxel_thick_conducts_along_its_thin_axis_too() -> None:
    """A carrier that hops to its own periodic image takes the image along."""
    net = network(np.ones((10, 10, 1), dtype=np.uint8), KNOWN, periodic=True)
    result = run_lattice_gas(net, filling=0.02, hops=400_000, gases=16)
    assert abs(result.sigma_eff_S_per_m["z"] - 1.0) < 5.0 * result.sigma_eff_stderr_S_per_m["z"] + 0.05


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"filling": 0.0}, "filling is 0.0"),
        ({"filling": 1.0}, "filling is 1.0"),
        ({"filling": float("nan")}, "filling is nan"),
        ({"filling": 1e-9}, "raise the filling"),
        ({"boundary": "plates"}, "periodic"),
        ({"time_s": 1.0, "hops": 10}, "both given"),
        ({"time_s": -1.0}, "time_s is -1.0"),
        ({"hops": 0}, "hops is 0"),
        ({"gases": 1}, "gases is 1"),
        ({"seed": -1}, "seed is -1"),
        ({"case": 2**64}, "case is"),
    ],
)
def test_wrong_options_are_named(porous: Network, options: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word) as caught:
        run_lattice_gas(porous, **{"filling": 0.3, **options})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
