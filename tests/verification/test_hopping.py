"""Hops against what is exact: the network's own conductivity, the Poisson walk, equilibrium, and the restart of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import constants, sparse, stats
from scipy.sparse.linalg import expm_multiply
from support import blobs, block, laminate, materials, network, sphere, voronoi

from kmc.conduction import conduct
from kmc.hopping import HopResult, hop, run_tracers
from kmc.hopping.checkpoint import Stopped
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.streams import draw, open_stream
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.errors import FormatError, InputError
from microstructures.features import PointContacts
from microstructures.materials import Materials
from microstructures.structure import VoxelStructure

KT_PER_Q2 = constants.Boltzmann * 333.15 / constants.elementary_charge**2
H = 25e-9
SAMPLES = 64


def two_phases(seed: int = 1, n: int = 12) -> Network:
    """Return pores, two conductors of unlike density, and a resistance between them."""
    known = materials({"A": 1.0, "B": 0.2}, resistance={"A|B": 2e-8}, density={"A": 6e27, "B": 2e27})
    return network(blobs(n, {0: 0.2, 1: 0.45, 2: 0.35}, seed=seed), known, periodic=True)


def grains(seed: int = 2, n: int = 12) -> Network:
    """Return Voronoi grains of two phases with boundaries that resist as much as the grains do."""
    labels, ids = voronoi(n, 6, seed=seed)
    known = materials({"A": 1.0, "B": 0.3}, resistance={"default": 5e-8}, density={"A": 1e27, "B": 5e27})
    return network(labels, known, grains=ids, periodic=True)


def assert_agrees(found: HopResult, known: Network, boundary: str, sigmas: float = 3.0) -> None:
    exact = conduct(known, axis="all", boundary=boundary, tolerance=1e-8).sigma_eff_S_per_m
    assert isinstance(exact, dict)
    assert found.outcome is Outcome.CONVERGED
    for axis in "xyz":
        value, error = found.sigma_eff_S_per_m[axis], found.sigma_eff_stderr_S_per_m[axis]
        assert 0.0 < error <= 0.011 * exact[axis]
        assert abs(value - exact[axis]) < sigmas * error
        diffusivity = exact[axis] * KT_PER_Q2 / found.carrier_density_per_m3
        assert abs(found.diffusivity_m2_per_s[axis] - diffusivity) < sigmas * found.diffusivity_stderr_m2_per_s[axis]


@pytest.mark.parametrize("boundary", ["periodic", "plates"])
@pytest.mark.parametrize("make", [two_phases, grains])
def test_hops_conduct_as_the_network_does(make: Callable[[], Network], boundary: str) -> None:
    """D from hops = K_eff/<pi> from the network's own solve (De Masi et al. 1989): |z| < 3 at 1 % standard error."""
    known = make()
    assert_agrees(hop(known, boundary=boundary, walkers=12_000, hops=40_000_000, seed=5), known, boundary)


@pytest.mark.nightly
@pytest.mark.parametrize("make", [two_phases, grains])
def test_hops_conduct_as_the_network_does_whatever_the_seed(make: Callable[..., Network], fresh_seed: int) -> None:
    """The same on structures and streams nobody has seen, |z| < 4.5."""
    known = make(seed=fresh_seed, n=14)
    assert_agrees(hop(known, walkers=12_000, hops=80_000_000, seed=fresh_seed), known, "periodic", sigmas=4.5)


def test_films_carry_hops_and_the_clock_alone_depends_on_their_carriers() -> None:
    """An insulating sphere with a film: sigma from hops = sigma of the solver for any areal density of the film."""
    labels, radius = sphere(12, 0.3)
    results = []
    for areal in (1e18, 1e20):
        known = network(
            labels,
            materials({"A": 1.0}, films={"B|A": radius * H / 2.0}, film_density_per_m2=areal),
            periodic=True,
        )
        results.append(hop(known, walkers=12_000, hops=40_000_000, seed=4))
        assert_agrees(results[-1], known, "periodic")
    assert results[1].carrier_density_per_m3 > 1.2 * results[0].carrier_density_per_m3
    assert results[1].diffusivity_m2_per_s["x"] < 0.8 * results[0].diffusivity_m2_per_s["x"]


def walk_of(known: Network, tmp_path: Path, **options: Any) -> tuple[HopResult, NDArray[np.int32]]:
    """Run tracers and return the result with the places [voxels] of every walker at the 65 sample times."""
    file = tmp_path / "walk.npz"
    found = run_tracers(known, checkpoint=file, **options)
    with np.load(file) as stored:
        return found, stored["past"]


def test_uniform_block_is_the_poisson_walk(tmp_path: Path) -> None:
    """Displacements along each axis at time t are Skellam(kt, kt), MSD = 6 k t, <r^4>/<r^2>^2 = 5/3 + 1/(6 k t)."""
    known = network(np.ones((4, 5, 6)), materials({"A": 0.9}))
    rate = 0.9 * H * KT_PER_Q2 / (6e27 * H**3)
    walkers, steps = 40_000, 64.0  # so many hops per walker: 1 per sample interval
    found, places = walk_of(known, tmp_path, walkers=walkers, time_s=steps / (6.0 * rate), seed=9)
    assert abs(found.hops - walkers * steps) < 4.0 * np.sqrt(walkers * steps)
    for sample in (1, 4, 16):
        kt = steps / 6.0 * sample / SAMPLES
        r = places[:, sample].astype(float)
        msd = (r**2).sum(axis=1)
        assert abs(msd.mean() - 6.0 * kt) < 4.0 * msd.std() / np.sqrt(walkers)
        ratio = 5.0 / 3.0 + 1.0 / (6.0 * kt)
        fourth = msd**2 - ratio * (6.0 * kt) ** 2
        assert abs(fourth.mean()) < 4.0 * fourth.std() / np.sqrt(walkers)
        for axis in range(3):
            reach = int(stats.skellam.isf(1e-3, kt, kt))  # what lies beyond on either side is one class
            middle = np.clip(r[:, axis], -reach, reach).astype(int) + reach
            below = stats.skellam.cdf(np.arange(-reach, reach), kt, kt)
            expected = walkers * np.diff(np.concatenate(([0.0], below, [1.0])))
            assert stats.chisquare(np.bincount(middle, minlength=2 * reach + 1), expected).pvalue > 1e-3
    assert abs(np.corrcoef(places[:, 16].T)[np.triu_indices(3, 1)]).max() < 4.0 / np.sqrt(walkers)


BARRIER_PHASE = """
[phases.F]
label = 6
[phases.F.ion]
migration_barrier_eV = 0.30
attempt_frequency_Hz = 1.0e13
hop_distance_nm = 0.35
carrier_density_per_m3 = 5.0e27
"""


def test_uniform_phase_diffuses_as_its_barrier_says() -> None:
    """D = a^2 nu/6 exp(-E/kT) whatever the voxel size, isotropic in cubic and in flat voxels."""
    exact = 0.35e-9**2 * 1e13 / 6.0 * np.exp(-0.30 * constants.elementary_charge / (constants.Boltzmann * 333.15))
    for voxel_nm in (10.0, (10.0, 20.0, 30.0)):
        labels = VoxelStructure.from_labels(np.full((6, 6, 6), 6), voxel_nm=voxel_nm, phases={6: "F"})
        found = hop(labels, materials({}, more=BARRIER_PHASE), walkers=4000, hops=4_000_000, seed=1)
        assert found.residence_fraction == {"F": pytest.approx(1.0)}
        for axis in "xyz":
            assert abs(found.diffusivity_m2_per_s[axis] - exact) < 4.0 * found.diffusivity_stderr_m2_per_s[axis]
            assert found.diffusivity_stderr_m2_per_s[axis] < 0.03 * exact


def line_of_barriers() -> tuple[Network, NDArray[np.float64], NDArray[np.float64]]:
    """Return a ring of 9 voxels of five phases, the conductance of its faces and the density of its voxels."""
    s = dict(zip("ABCDE", (1.0, 0.3, 0.1, 0.05, 0.02), strict=True))
    c = dict(zip("ABCDE", (6e27, 1e27, 3e27, 2e27, 5e26), strict=True))
    order = np.array([1, 4, 2, 5, 3, 1, 2, 4, 1])
    sigma = np.array([s["ABCDE"[i - 1]] for i in order])
    g = 2.0 * H * sigma * np.roll(sigma, -1) / (sigma + np.roll(sigma, -1))
    known = network(order[:, None, None], materials(s, density=c), periodic=True)
    return known, g, np.array([c["ABCDE"[i - 1]] for i in order])


def test_ring_of_barriers() -> None:
    """In one dimension D <c> = a^2 / <1/G>: the harmonic mean of the conductances of the faces."""
    known, g, density = line_of_barriers()
    found = hop(known, walkers=12_000, hops=40_000_000, seed=2)
    exact = KT_PER_Q2 / (H * (1.0 / g).mean()) / density.mean()
    assert found.outcome is Outcome.CONVERGED
    assert found.diffusivity_stderr_m2_per_s["x"] < 0.012 * exact
    assert abs(found.diffusivity_m2_per_s["x"] - exact) < 3.0 * found.diffusivity_stderr_m2_per_s["x"]


def test_mean_square_displacement_is_exact_at_every_time(tmp_path: Path) -> None:
    """MSD(t) = sum pi_i (exp(t Q) d^2)_i on the unfolded ring, long before it is linear in t."""
    known, g, density = line_of_barriers()
    n, copies = len(g), 41
    faces = np.tile(g, copies)[:-1] * KT_PER_Q2 / H**3
    c = np.tile(density, copies)
    generator = sparse.diags([faces / c[1:], faces / c[:-1]], [-1, 1])
    generator = (generator - sparse.diags(np.asarray(generator.sum(axis=1)).ravel())).tocsr()
    start = n * (copies // 2)
    rate = float((2.0 * g * KT_PER_Q2 / H**3).sum() / density.sum())
    found, places = walk_of(known, tmp_path, walkers=20_000, time_s=640.0 / rate, seed=4)
    for lag, time_s in zip((1, 4, 16), found.msd_time_s[[0, 2, 4]], strict=True):
        exact = 0.0
        for i in range(n):
            away = (np.arange(n * copies) - (start + i)) ** 2.0
            exact += density[i] / density.sum() * expm_multiply(generator * time_s, away)[start + i]
        steps = (places[:, lag, 0] - places[:, 0, 0]).astype(float) ** 2
        assert abs(steps.mean() - exact) < 4.0 * steps.std() / np.sqrt(len(steps))
        windows = found.msd_m2[list(found.msd_time_s).index(time_s), 0] / H**2
        assert windows == pytest.approx(exact, rel=0.03)


def test_traps_slow_down_by_the_mean_of_their_depth() -> None:
    """Equal barriers out of unequal wells: D = D0/<exp(e/kT)> with D0 of the shallow ones (Haus & Kehr 1987)."""
    depth = {"A": 1.0, "B": 5.0, "C": 30.0}
    known = network(
        blobs(10, {1: 0.5, 2: 0.3, 3: 0.2}, seed=3),
        materials(dict.fromkeys("ABC", 0.5), density={name: 1e26 * d for name, d in depth.items()}),
        periodic=True,
    )
    found = hop(known, walkers=12_000, hops=20_000_000, seed=6)
    mean = 0.5 * 1.0 + 0.3 * 5.0 + 0.2 * 30.0
    for axis in "xyz":
        exact = 0.5 * KT_PER_Q2 / 1e26 / mean
        assert abs(found.diffusivity_m2_per_s[axis] - exact) < 3.0 * found.diffusivity_stderr_m2_per_s[axis]
    share = {"A": 0.5 / mean, "B": 1.5 / mean, "C": 6.0 / mean}
    assert found.residence_fraction == pytest.approx(share, rel=0.02)


def test_time_spent_and_interfaces_crossed_are_those_of_equilibrium() -> None:
    """Residence is the share of the carriers; each face is crossed c_i k_ij + c_j k_ji times per second."""
    known = grains()
    found = hop(known, walkers=8000, hops=20_000_000, seed=7)
    density, _ = site_sums(known, False)
    label = known.structure.labels
    share = {"AB"[n - 1]: density[label == n].sum() / density.sum() for n in (1, 2)}
    assert found.residence_fraction == pytest.approx(share, rel=0.01)
    per_second: dict[str, float] = {}
    for axis, part in enumerate(known.faces.of_axis):
        for index, count in enumerate(np.bincount(part.ravel(), minlength=known.faces.n_classes)):
            if known.faces.interface[index]:
                key = "|".join(sorted("AB"[label] for label in known.faces.phases[index]))
                flow = 2.0 * count * known.conductance[axis, index] * known.rate_factor
                per_second[key] = per_second.get(key, 0.0) + flow
    expected = {key: flow / density.sum() * found.simulated_time_s * found.walkers for key, flow in per_second.items()}
    assert found.crossings == pytest.approx(expected, rel=0.01)


def contacts_between(labels: NDArray[np.integer], ids: NDArray[np.int32]) -> VoxelStructure:
    contact = PointContacts(
        grains=np.array([[1, 2]], dtype=np.int32), point=np.array([[4.0, 4.0, 4.0]]) * H, normal=np.array([[1.0, 0.0, 0.0]]),
        radius=np.array([0.6 * H]), gap=np.zeros(1),
    )  # fmt: skip
    return block(labels, grains=ids).with_(contacts=contact)


def _with_films() -> Network:
    return network(sphere(8, 0.3)[0], materials({"A": 1.0, "B": 1e-3}, films={"B|A": 1e-7}, density={"B": 1e25}), periodic=True)


def _with_contact() -> Network:
    ids = laminate([1] * 4 + [2] * 4, across=8)
    known = materials({"A": 1.0, "B": 0.1}, contacts={"A|B": 1e-8}, density={"A": 1e27, "B": 7e27})
    return build_network(contacts_between(ids, ids), known)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("make", [two_phases, grains, _with_films, _with_contact])
def test_detailed_balance(make: Callable[[], Network], mirrored: bool) -> None:
    """c_i k_ij = c_j k_ji for every pair of voxels, and the rates out of a voxel sum to what the kernel uses, to 1e-12."""
    known = make()
    density, total = site_sums(known, mirrored)
    leaving = np.zeros_like(total)
    for axis, part in enumerate(known.faces.of_axis):
        g = known.conductance[axis][part]
        ahead = np.roll(density, -1, axis=axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            there, back = g * known.rate_factor / density, g * known.rate_factor / ahead
            np.testing.assert_allclose((density * there)[g > 0.0], (ahead * back)[g > 0.0], rtol=1e-12)
        inner = np.ones(g.shape, dtype=bool)
        if mirrored:
            np.moveaxis(inner, axis, 0)[-1] = False
            for end, plate in zip((0, -1), known.faces.plates[axis], strict=True):
                np.moveaxis(leaving, axis, 0)[end] += known.conductance[axis][plate]
        g = np.where(inner, g, 0.0)
        leaving += g + np.roll(g, 1, axis=axis)
    np.testing.assert_allclose(total, leaving, rtol=1e-12)
    assert (density[total > 0.0] > 0.0).all()


# --------------------------------------------------------------------------------------------- streams, bits, restart


@numba.njit
def _numbers(seed, case, replica, walker, n):  # type: ignore[no-untyped-def]
    a, b, c, d = open_stream(seed, case, replica, walker)
    out = np.empty(n)
    for i in range(n):
        out[i], a, b, c, d = draw(a, b, c, d)
    return out


def numbers(seed: int, case: int, replica: int, walker: int, n: int) -> NDArray[np.float64]:
    return np.asarray(_numbers(np.uint64(seed), np.uint64(case), np.uint64(replica), np.uint64(walker), n))


def test_streams_of_different_keys_differ() -> None:
    """Every (seed, case, replica, walker) opens a stream of its own; swapped keys do not meet."""
    keys = np.array(np.meshgrid(*[[0, 1, 2, 2**32]] * 4)).reshape(4, -1).T
    first = {tuple(numbers(*(int(part) for part in key), 2)) for key in keys}
    assert len(first) == len(keys)
    assert numbers(2**64 - 1, 0, 0, 0, 1) != numbers(0, 0, 0, 0, 1)
    np.testing.assert_array_equal(numbers(1, 2, 3, 4, 5), numbers(1, 2, 3, 4, 5))


def test_draws_are_uniform_and_independent() -> None:
    """Mean 1/2, variance 1/12, Kolmogorov-Smirnov at 1e-3, no correlation within a stream nor between neighbours."""
    n = 200_000
    one, two = numbers(7, 0, 0, 0, n), numbers(7, 0, 0, 1, n)
    assert one.min() >= 0.0
    assert one.max() < 1.0
    assert abs(one.mean() - 0.5) < 4.0 / np.sqrt(12.0 * n)
    assert abs(one.var() - 1.0 / 12.0) < 4.0 * np.sqrt(1.0 / 180.0 / n)
    assert stats.kstest(one, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(one, two)[0, 1]) < 4.0 / np.sqrt(n)
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4.0 / np.sqrt(n)
    across = np.array([numbers(7, 0, 0, walker, 1)[0] for walker in range(5000)])
    assert stats.kstest(across, "uniform").pvalue > 1e-3


def bits(found: HopResult) -> dict[str, Any]:
    """Return everything of a result that must not depend on machine or moment."""
    return {key: value for key, value in found.to_dict().items() if key not in ("seconds", "hops_per_second")}


RUN: dict[str, Any] = {"walkers": 300, "hops": 300_000, "seed": 8}


@pytest.mark.parametrize("boundary", ["periodic", "plates"])
def test_one_or_two_threads_give_the_same_bits(threads: Callable[[int], None], boundary: str) -> None:
    """Streams belong to walkers, sums to fixed blocks: not a bit depends on the number of threads."""
    known = two_phases()
    threads(1)
    one = bits(hop(known, boundary=boundary, **RUN))
    threads(2)
    assert bits(hop(known, boundary=boundary, **RUN)) == one


def test_seed_and_replica_change_the_walk() -> None:
    """The same key repeats a run, another one does not."""
    known = two_phases()
    base = bits(hop(known, **RUN))
    assert bits(hop(known, **RUN)) == base
    assert bits(hop(known, replica=1, **RUN))["msd_m2"] != base["msd_m2"]
    assert bits(hop(known, **{**RUN, "seed": 9}))["msd_m2"] != base["msd_m2"]


@pytest.mark.parametrize("steps", [1, 17, 63])
@pytest.mark.parametrize("options", [RUN, {"walkers": 200, "rel_error": 0.05, "seed": 3}])
def test_resumed_run_has_the_bits_of_an_undisturbed_one(tmp_path: Path, steps: int, options: dict[str, Any]) -> None:
    """Stop a run after any step, resume it from its checkpoint: the same result, bit for bit."""
    known, file = two_phases(), tmp_path / "run.npz"
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > steps

    with pytest.raises(Stopped):
        hop(known, checkpoint=file, stop=stop, **options)
    shares: list[float] = []
    resumed = hop(known, checkpoint=file, resume=file, progress=lambda share, _: shares.append(share), **options)
    assert shares[0] > 0.0
    assert bits(resumed) == bits(hop(known, **options))
    again = hop(known, resume=file, stop=lambda: pytest.fail("nothing was left to do"), **options)
    assert bits(again) == bits(resumed)


def test_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Another seed, number of walkers, structure or material: the message names what differs."""
    known, file = two_phases(), tmp_path / "run.npz"
    hop(known, checkpoint=file, **RUN)
    with pytest.raises(InputError, match=r"another run \(seed: 8 there, 9 here\)"):
        hop(known, resume=file, **{**RUN, "seed": 9})
    with pytest.raises(InputError, match="walkers: 300 there, 301 here"):
        hop(known, resume=file, **{**RUN, "walkers": 301})
    with pytest.raises(InputError, match="network"):
        hop(two_phases(seed=2), resume=file, **RUN)
    with pytest.raises(InputError, match="does not exist"):
        hop(known, resume=tmp_path / "absent.npz", **RUN)


def test_checkpoint_of_another_temperature_is_refused(tmp_path: Path) -> None:
    """Hop rates follow kT even where no conductance depends on the temperature."""
    known, file = two_phases(), tmp_path / "run.npz"
    options: dict[str, Any] = {"walkers": 50, "time_s": 1e-3, "seed": 8}
    hop(known, checkpoint=file, **options)
    with pytest.raises(InputError, match="another run"):
        hop(known.at(90.0), resume=file, **options)


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    """A file cut short, or with other numbers under the old checksum, is no checkpoint."""
    known, file = two_phases(), tmp_path / "run.npz"
    hop(known, checkpoint=file, **RUN)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="damaged"):
        hop(known, resume=file, **RUN)
    file.write_bytes(whole)
    with np.load(file) as stored:
        arrays = dict(stored)
    arrays["hops"] = arrays["hops"] + 1
    np.savez(file, **arrays)
    with pytest.raises(FormatError, match="changed after it was written"):
        hop(known, resume=file, **RUN)


# ------------------------------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize("boundary", ["periodic", "plates"])
def test_what_does_not_percolate_gives_exact_zeros(boundary: str) -> None:
    """An island keeps its carriers: nothing walks, the outcome says why."""
    labels = np.zeros((6, 6, 6), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = 1
    found = hop(network(labels, materials({"A": 1.0})), boundary=boundary)
    zero = dict.fromkeys("xyz", 0.0)
    assert (found.sigma_eff_S_per_m, found.sigma_eff_stderr_S_per_m) == (zero, zero)
    assert (found.outcome, found.hops) == (Outcome.NOT_PERCOLATING, 0)
    assert found.to_dict()["msd_m2"] == []
    frozen = hop(network(labels, materials({})), boundary=boundary)
    assert (frozen.outcome, frozen.diffusivity_m2_per_s) == (Outcome.FROZEN, zero)


@pytest.mark.parametrize("boundary", ["periodic", "plates"])
def test_closed_axes_give_exact_zeros(boundary: str) -> None:
    """Along a laminate of conductor and pore carriers walk, across it they get nowhere; islands do not dilute D alone."""
    labels = laminate([1, 1, 1, 0, 2, 0], across=4)
    labels[4, 1:, :] = 0  # the second conductor is a bar along z
    found = hop(network(labels, materials({"A": 1.0, "B": 1.0})), boundary=boundary, walkers=2000, hops=2_000_000, seed=1)
    assert found.sigma_eff_S_per_m["x"] == 0.0
    assert found.sigma_eff_stderr_S_per_m["x"] == 0.0
    for axis, share in (("y", 12.0 / 24.0), ("z", 13.0 / 24.0)):
        assert abs(found.sigma_eff_S_per_m[axis] - share) < 4.0 * found.sigma_eff_stderr_S_per_m[axis]


def test_too_short_a_run_is_flagged_and_errs_upwards() -> None:
    """Before the plateau D is an upper bound: outcome `not-equilibrated`, value above the solver's."""
    labels, ids = voronoi(16, 6, seed=4)
    known = network(labels, materials({"A": 1.0, "B": 1.0}, resistance={"default": 1e-5}), grains=ids, periodic=True)
    found = hop(known, walkers=2000, hops=200_000, seed=1)
    exact = conduct(known, boundary="periodic").sigma_eff_S_per_m
    assert found.outcome is Outcome.NOT_EQUILIBRATED
    assert "upper bound" in found.outcome.advice
    assert found.sigma_eff_S_per_m["x"] > 2.0 * exact  # type: ignore[operator]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boundary": "open"}, "boundary is 'open'"),
        ({"walkers": 1}, "walkers is 1"),
        ({"hops": 0}, "hops is 0"),
        ({"time_s": -1.0}, "time_s is -1.0"),
        ({"time_s": 1.0, "hops": 5}, "both given"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    """One line: what was wrong, the value seen, what is allowed."""
    known: Materials = materials({"A": 1.0})
    with pytest.raises(InputError, match=message):
        hop(block(np.ones((2, 2, 2))), known, **options)
