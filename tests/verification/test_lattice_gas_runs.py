"""What a run of the lattice gas returns, refuses and repeats, and how it goes on from a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import blobs, materials, network, random_labels

from kmc.connectivity import label_clusters
from kmc.hopping import Stopped
from kmc.hopping.lattice_gas import groups, plan, run_lattice_gas, sites, state
from kmc.hopping.lattice_gas.sites import gas_sites
from kmc.network import Network
from kmc.outcomes import Outcome
from microstructures.errors import InputError

DENSITY = {"A": 6e27, "B": 8e26}
KNOWN = materials({"A": 1.0, "B": 0.2}, density=DENSITY, resistance={"A|B": 1e-8})
MOMENT = ("seconds", "hops_per_second")


@pytest.fixture(scope="module")
def porous() -> Network:
    return network(random_labels((8, 9, 10), 3, seed=1), KNOWN, periodic=True)


def bits(result: Any) -> str:
    """Return everything of a result that must not depend on the moment."""
    return json.dumps({key: value for key, value in result.to_dict().items() if key not in MOMENT})


@pytest.mark.parametrize("filling", [0.3, 0.9])
def test_same_bits_for_one_and_two_threads(porous: Network, filling: float, threads) -> None:  # type: ignore[no-untyped-def]
    found = []
    for n in (1, 2):
        threads(n)
        found.append(bits(run_lattice_gas(porous, filling=filling, hops=200_000, gases=5, seed=7, case=1, replica=2)))
    assert found[0] == found[1]


@pytest.mark.parametrize(("filling", "field"), [(0.3, None), (0.9, (1e5, 0.0, 0.0))])
def test_a_run_stopped_after_any_batch_goes_on_to_the_same_bits(
    porous: Network, tmp_path: Path, filling: float, field: tuple[float, float, float] | None
) -> None:
    options: dict[str, Any] = {"filling": filling, "hops": 100_000, "gases": 3, "seed": 8, "field_V_per_m": field}
    seen: list[float] = []
    whole = bits(run_lattice_gas(porous, **options, progress=lambda share, text: seen.append(share)))
    assert len(seen) > 10
    file = tmp_path / "gas.npz"
    for batch in range(1, len(seen)):
        asked: list[None] = []

        def stop(asked: list[None] = asked, batch: int = batch) -> bool:
            asked.append(None)
            return len(asked) == batch

        with pytest.raises(Stopped, match="stopped at"):
            run_lattice_gas(porous, **options, checkpoint=file, stop=stop)
        assert bits(run_lattice_gas(porous, **options, resume=file)) == whole
    rest: list[float] = []
    more = run_lattice_gas(porous, **options, resume=file, checkpoint=file, progress=lambda share, text: rest.append(share))
    assert (bits(more), rest) == (whole, [1.0])
    assert bits(run_lattice_gas(porous, **options, resume=file)) == whole


def test_stop_after_every_batch_in_turn(porous: Network, tmp_path: Path) -> None:
    """Each resume does one batch more, until the run is done; threads may change on the way."""
    options: dict[str, Any] = {"filling": 0.5, "time_s": 1e-5, "gases": 4}
    file, stops = tmp_path / "gas.npz", 0
    with pytest.raises(Stopped):
        run_lattice_gas(porous, **options, checkpoint=file, stop=lambda: True)
    while True:
        stops += 1
        try:
            last = run_lattice_gas(porous, **options, checkpoint=file, resume=file, stop=lambda: True)
            break
        except Stopped:
            continue
    assert stops > 10
    assert bits(last) == bits(run_lattice_gas(porous, **options))


def test_batches_change_no_bit(porous: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bits(run_lattice_gas(porous, filling=0.3, hops=100_000))
    monkeypatch.setattr(plan, "BATCHES", 1)
    assert bits(run_lattice_gas(porous, filling=0.3, hops=100_000)) == whole


def test_stop_without_checkpoint_leaves_no_file(porous: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Stopped):
        run_lattice_gas(porous, filling=0.3, hops=50_000, stop=lambda: True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changed", [{"seed": 1}, {"filling": 0.4}, {"hops": 60_000}, {"gases": 9}, {"field_V_per_m": (1.0, 0.0, 0.0)}]
)
def test_checkpoint_of_another_run_is_refused(porous: Network, tmp_path: Path, changed: dict[str, Any]) -> None:
    options: dict[str, Any] = {"filling": 0.3, "hops": 50_000}
    file = tmp_path / "gas.npz"
    with pytest.raises(Stopped):
        run_lattice_gas(porous, **options, checkpoint=file, stop=lambda: True)
    with pytest.raises(InputError, match=next(iter(changed))):
        run_lattice_gas(porous, **{**options, **changed}, resume=file)


def test_long_intervals_are_cut_into_batches(porous: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose intervals take longer than a batch comes back in between, and is as good as one that does not."""
    calls: list[float] = []
    shorter = run_lattice_gas(porous, filling=0.3, hops=400_000, gases=4)
    monkeypatch.setattr(plan, "BATCH_ATTEMPTS", 2_000)
    result = run_lattice_gas(porous, filling=0.3, hops=400_000, gases=4, progress=lambda share, text: calls.append(share))
    assert len(calls) > 300
    assert np.diff(calls).max() < 1.0 / 200.0
    assert result.lag_s == shorter.lag_s
    assert result.diffusivity_m2_per_s["x"] == pytest.approx(shorter.diffusivity_m2_per_s["x"], rel=0.1)


def test_seed_case_and_replica_each_change_the_run(porous: Network) -> None:
    keys: list[dict[str, int]] = [{}, {"seed": 1}, {"case": 1}, {"replica": 1}]
    results = [run_lattice_gas(porous, filling=0.3, hops=20_000, **key) for key in keys]  # type: ignore[arg-type]
    assert len({result.diffusivity_m2_per_s["x"] for result in results}) == 4


@pytest.mark.parametrize("crowded", [0.4, 0.8])
def test_carriers_are_conserved_and_lists_agree_with_sites(
    porous: Network, monkeypatch: pytest.MonkeyPatch, crowded: float
) -> None:
    """After every batch: as many carriers as at the start, each name once, each mover on a held site of its own group."""
    monkeypatch.setattr(sites, "CROWDED", crowded)
    kernel, numbers = state.advance, []
    found = gas_sites(porous, label_clusters(porous, periodic=True), 0.5)
    assert found is not None
    words = found.groups.words.ravel()
    mobile = words != 1

    def spy(*args: Any) -> None:
        kernel(*args)
        shape, bit, vacancies, first, held, counts, places, names = *args[:2], args[7], *args[13:16], *args[17:19]
        assert vacancies is (crowded < 0.5)
        mask = (1 << bit) - 1
        for gas in range(len(held)):
            slots = np.concatenate([np.arange(low, low + n) for low, n in zip(first[:-1], counts[gas], strict=True)])
            place = places[gas, slots]
            index = np.ravel_multi_index((place >> 2 * bit, place >> bit & mask, place & mask), shape)
            assert len(set(index)) == len(index) == (held[gas, mobile] & 1).sum()
            np.testing.assert_array_equal(held[gas, index], words[index] | 1)
            np.testing.assert_array_equal(held[gas, index] >> 4, np.repeat(np.arange(len(counts[gas])), counts[gas]))
            called = names[gas, mobile & (held[gas] & 1 == 0)] if vacancies else names[gas, slots]
            np.testing.assert_array_equal(np.sort(called), np.arange(len(called)))
        numbers.append(counts.sum(axis=1))

    monkeypatch.setattr(state, "advance", spy)
    result = run_lattice_gas(porous, filling=0.5, hops=100_000, gases=3)
    assert len(numbers) > 4
    assert all((number == numbers[0]).all() for number in numbers)
    movers = int(numbers[0].sum())
    assert result.walkers == (3 * int(mobile.sum()) - movers if crowded < 0.5 else movers)


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
    found = gas_sites(net, label_clusters(net, periodic=True), 0.1)
    assert found is not None
    mobile = found.groups.words != 1
    for axis in range(3):
        open_face = net.conductance[axis][net.faces.of_axis[axis]] > 0.0
        assert (mobile == np.roll(mobile, -1, axis=axis))[open_face].all()
    result = run_lattice_gas(net, filling=0.1, hops=16_000_000, gases=64)
    for name, expected in result.occupancy_expected.items():
        assert result.occupancy[name] == pytest.approx(expected, rel=0.05)
    assert result.residence_fraction["pore"] > 0.0


@pytest.mark.parametrize("full", [{"filling": 1.0 - 1e-9}, {"chemical_potential_eV": 5.0}])
def test_full_lattice_stands_still(full: dict[str, float]) -> None:
    net = network(np.ones((4, 4, 4), dtype=np.uint8), KNOWN, periodic=True)
    result = run_lattice_gas(net, **full, time_s=1e-3)  # type: ignore[arg-type]
    assert result.hops == 0
    assert result.occupancy["A"] == pytest.approx(1.0)
    assert result.sigma_eff_S_per_m["x"] == 0.0
    assert result.haven_ratio["x"] is None


@pytest.mark.parametrize("filling", [0.3, 0.9])
def test_wide_sites_and_coordinates_change_no_bit(porous: Network, monkeypatch: pytest.MonkeyPatch, filling: float) -> None:
    """Sites of two bytes, for more than 16 groups, and coordinates of 20 bits, for more than 1024 voxels."""
    narrow = bits(run_lattice_gas(porous, filling=filling, hops=100_000))
    monkeypatch.setattr(groups, "FEW", 0)
    monkeypatch.setattr(state, "NARROW_BITS", 3)
    found = gas_sites(porous, label_clusters(porous, periodic=True), filling)
    assert found is not None
    assert found.groups.words.dtype == np.uint16
    assert bits(run_lattice_gas(porous, filling=filling, hops=100_000)) == narrow


def test_box_of_1030_voxels_conducts_like_any_other() -> None:
    long = network(np.ones((1030, 2, 2), dtype=np.uint8), materials({"A": 1.0}), periodic=True)
    result = run_lattice_gas(long, filling=0.5, hops=2_000_000, gases=16)
    assert result.sigma_eff_stderr_S_per_m["x"] < 0.03
    assert abs(result.sigma_eff_S_per_m["x"] - 0.5) < 4.0 * result.sigma_eff_stderr_S_per_m["x"]


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
        ({"filling": None}, "neither is given"),
        ({"chemical_potential_eV": 0.0}, "both are given"),
        ({"filling": None, "chemical_potential_eV": float("nan")}, "chemical_potential_eV is nan"),
        ({"filling": None, "chemical_potential_eV": -1.0}, "raise the filling"),
        ({"field_V_per_m": (0.0, 0.0, 0.0)}, "above 0"),
        ({"field_V_per_m": (1e12, 0.0, 0.0)}, "at most 20"),
        ({"field_V_per_m": (float("nan"), 0.0, 0.0)}, "field_V_per_m"),
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
