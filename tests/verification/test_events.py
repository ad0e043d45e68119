"""Single events of the walks: waiting times, the choice of a face, and the exits of basins, each against its exact law."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from support import block, materials, random_labels, voronoi

from kmc.connectivity import label_clusters
from kmc.hopping.basins import find_basins
from kmc.hopping.equilibrium import site_sums
from kmc.hopping.exponential import TAIL, draw_exponential
from kmc.hopping.streams import open_stream
from kmc.hopping.surroundings import FLAGS, OUTER, PACKED, WAIT, WAYS, find_surroundings
from kmc.hopping.voxel_hops import VoxelHops
from kmc.network import Network, build_network
from microstructures.jit import kernel

N = 8


@kernel
def _exponentials(n):  # type: ignore[no-untyped-def]
    a, b, c, d = open_stream(np.uint64(5), np.uint64(0), np.uint64(0), np.uint64(0))
    out = np.empty(n)
    for k in range(n):
        out[k], a, b, c, d = draw_exponential(a, b, c, d)
    return out


def test_waiting_times_are_exponential() -> None:
    """Kolmogorov-Smirnov at 1 % on two million; moments 1, 2, 6, 24; the share beyond the ziggurat's layers is exp(-r)."""
    x = _exponentials(2_000_000)
    assert stats.kstest(x, "expon").pvalue > 0.01
    for power, exact in enumerate((1.0, 2.0, 6.0, 24.0), start=1):
        assert abs((x**power).mean() - exact) < 4.0 * (x**power).std() / np.sqrt(len(x))
    beyond = np.exp(-TAIL)
    assert abs((x > TAIL).sum() - beyond * len(x)) < 4.0 * np.sqrt(beyond * len(x))
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 4.0 / np.sqrt(len(x))


def contrasts() -> Network:
    """Return voxel noise whose conductances span nine decades, with carriers that differ too."""
    known = materials({"A": 1.0, "B": 1e-9, "C": 0.3}, resistance={"A|C": 1e-6}, density={"A": 1e27, "C": 8e27})
    return build_network(block(random_labels((N, N, N), 4, seed=1), 25.0, periodic=True), known)


def six_rates(known: Network, mirrored: bool) -> NDArray[np.float64]:
    """Return the conductance of the six faces of every voxel [S], shape (nx, ny, nz, 6)."""
    out = np.empty((*known.structure.shape, 6))
    for axis in range(3):
        ahead = known.conductance[axis][known.faces.of_axis[axis]]
        behind = np.roll(ahead, 1, axis=axis)
        if mirrored:
            low, high = known.faces.plates[axis]
            np.moveaxis(ahead, axis, 0)[-1] = known.conductance[axis][high]
            np.moveaxis(behind, axis, 0)[0] = known.conductance[axis][low]
        out[..., 2 * axis], out[..., 2 * axis + 1] = behind, ahead
    return out


@pytest.mark.parametrize("mirrored", [False, True])
def test_rows_hold_the_rates_of_the_network(mirrored: bool) -> None:
    """Chances of the alias rows are g/sum g to 1e-15, the mean wait is c/(sum g kT/q^2V); outer faces are marked."""
    known = contrasts()
    tables = find_surroundings(known, mirrored=mirrored)
    rates, (carriers, total) = six_rates(known, mirrored), site_sums(known, mirrored)
    rows = tables.rows[tables.kind].reshape(N, N, N, -1)
    moves = total > 0.0
    packed = rows[..., PACKED].astype(np.int64)
    chance = np.zeros((N, N, N, WAYS))
    for b in range(WAYS):
        chance[..., b] += rows[..., b] / WAYS
        other = (packed >> (3 * b)) & 7
        np.put_along_axis(
            chance, other[..., None], np.take_along_axis(chance, other[..., None], -1) + (1.0 - rows[..., b, None]) / WAYS, -1
        )
    exact = rates[moves] / total[moves][:, None]
    np.testing.assert_allclose(chance[moves], exact, rtol=1e-6, atol=1e-15)
    assert (chance[moves][exact == 0.0] == 0.0).all()
    np.testing.assert_allclose(rows[..., WAIT][moves], carriers[moves] / total[moves] / known.rate_factor, rtol=1e-12)
    assert np.isinf(rows[..., WAIT][~moves]).all()
    outer = (packed[..., None] >> (FLAGS + 2 * np.arange(WAYS))) & OUTER > 0
    assert outer.sum() == 6 * N * N
    assert outer[0, :, :, 0].all()
    assert outer[:, :, -1, 5].all()


def test_faces_are_chosen_by_their_rates() -> None:
    """Chi-square at 1 % of the first hops of 200 000 carriers out of one voxel."""
    known = contrasts()
    rates = six_rates(known, mirrored=False)
    voxel = int(np.argmax((rates > 1e-3 * rates.max()).sum(axis=-1)))
    weight = np.zeros(known.structure.shape)
    weight.flat[voxel] = 1.0
    moves = VoxelHops(known)
    walkers = moves.start(weight, 200_000, (7, 0, 0))
    walkers.clocks[:] = 0.0
    moves.advance(walkers, 1e-40)
    assert int(walkers.hops.sum()) == len(walkers.sites)
    counts = np.array([(walkers.places[:, way // 2] == 2 * (way % 2) - 1).sum() for way in range(6)])
    exact = rates.reshape(-1, 6)[voxel] / rates.reshape(-1, 6)[voxel].sum()
    often = exact * len(walkers.sites) > 5.0
    assert often.sum() >= 4
    assert stats.chisquare(counts[often], exact[often] / exact[often].sum() * counts[often].sum()).pvalue > 0.01


def test_exits_of_basins_are_those_of_single_hops() -> None:
    """First passage out of a grain by direct hops drawn here: chances of the ports by chi-square at 1 %, mean time within 4 errors."""
    n = 12
    labels, ids = voronoi(n, 10, seed=2)
    known = materials({"A": 1.0, "B": 0.3}, resistance={"default": 2e-6}, density={"A": 1e27, "B": 5e27})
    network = build_network(block(labels, 25.0, grains=ids, periodic=True), known)
    basins = find_basins(network, label_clusters(network, periodic=True))
    assert basins is not None
    state = int(np.argmax(np.where(basins.row >= 0, basins.ports, 0)))
    first, ports = int(basins.first[state]), int(basins.ports[state])
    running = basins.port_share[basins.row[state] : basins.row[state] + ports]
    chances = np.diff(running, prepend=0.0)

    rates, (carriers, total) = six_rates(network, mirrored=False), site_sums(network, mirrored=False)
    cumulative = np.cumsum(rates, axis=-1).reshape(-1, 6)
    wait = (carriers / total / network.rate_factor).reshape(-1)
    grain = ids.reshape(-1)
    rng = np.random.default_rng(3)
    count = 10_000
    at, time_s = np.full(count, basins.voxel[state]), np.zeros(count)
    left_by, active = np.full(count, -1), np.arange(count)
    step = np.array([(a == b) * s for a in range(3) for s in (-1, 1) for b in range(3)]).reshape(6, 3)
    while len(active):
        here = at[active]
        time_s[active] += rng.exponential(wait[here])
        way = (rng.random(len(active)) * cumulative[here, 5])[:, None] >= cumulative[here]
        ijk = (np.stack(np.unravel_index(here, (n, n, n)), axis=1) + step[way.sum(axis=1)]) % n
        there = np.ravel_multi_index(tuple(ijk.T), (n, n, n))
        gone = grain[there] != grain[here]
        left_by[active[gone]] = here[gone]
        at[active] = there
        active = active[~gone]
    counts = np.array([(left_by == voxel).sum() for voxel in basins.voxel[first : first + ports]])
    assert counts.sum() == count
    often = chances * count > 5.0
    assert stats.chisquare(counts[often], chances[often] / chances[often].sum() * counts[often].sum()).pvalue > 0.01
    assert abs(time_s.mean() - basins.tau_s[state]) < 4.0 * time_s.std() / np.sqrt(count)
