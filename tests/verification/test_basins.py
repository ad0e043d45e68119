"""Walks from basin to basin against what is exact: the conductivity of the network, equilibrium, and linear algebra."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu
from support import block, materials, network, random_labels, sigma, voronoi

from kmc.connectivity import label_clusters
from kmc.hopping.basins import BasinHops, Basins, choose, find, find_basins
from kmc.hopping.basins.joined import JoinedSets, unpack
from kmc.hopping.basins.visits import visits
from kmc.hopping.equilibrium import site_sums
from kmc.multigrid.closed_sets import reduce_to_ports
from kmc.network import Network, build_network
from kmc.rates import mobility_factor
from microstructures.pressing.press import cold_press

N = 12
BLOCKS, SAMPLES = 16, 64
KEY = (3, 0, 0)


def grains() -> Network:
    """Return Voronoi grains of two phases behind boundaries that resist 400 times more than a voxel."""
    labels, ids = voronoi(N, 10, seed=2)
    known = materials({"A": 1.0, "B": 0.3}, resistance={"default": 1e-5}, density={"A": 1e27, "B": 5e27})
    return network(labels, known, grains=ids, periodic=True)


def noise() -> Network:
    """Return voxel noise: one in five conducts a million times better than the rest."""
    labels = np.where(random_labels((N, N, N), 5, seed=3) == 0, 1, 2)
    return network(labels, materials({"A": 1.0, "B": 1e-6}, density={"A": 1e27, "B": 5e27}), periodic=True)


def cold(carrier: str, seed: int = 2) -> Network:
    """Return spheres that touch at points."""
    return build_network(cold_press(size_um=2.0, voxel_nm=50.0, seed=seed), carrier=carrier)


MAKERS: dict[str, Callable[[], Network]] = {
    "grains": grains,
    "noise": noise,
    "cold, ion": lambda: cold("ion"),
    "cold, electron": lambda: cold("electron"),
}
Found = tuple[Network, Basins]


def basins_of(known: Network) -> Basins:
    found = find_basins(known, label_clusters(known, periodic=True))
    assert found is not None
    return found


@pytest.fixture(scope="module", params=MAKERS)
def found(request: pytest.FixtureRequest) -> Found:
    known = MAKERS[request.param]()
    return known, basins_of(known)


def to_sigma(known: Network, found: Basins) -> float:
    """Return what turns a diffusivity of mobile carriers [voxels^2/s] into a conductivity [S/m]."""
    structure = known.structure
    density = found.weight.sum() / structure.labels.size
    return float(structure.voxel_size[0] ** 2 * density / mobility_factor(known.temperature_C))


def steps(found: Basins) -> tuple[sparse.coo_array, NDArray[np.float64]]:
    """Return the chance of each exit (columns) from each state (rows), and the displacements that go with them."""
    n, m = len(found.voxel), len(found.exit_state)
    leave = sparse.lil_array((n, n))
    for state in range(n):
        row, first, ports = found.row[state], found.first[state], found.ports[state]
        chances = found.port_share[row : row + ports] if row >= 0 else np.ones(1)
        leave[state, first : first + ports] = np.diff(chances, prepend=0.0)
    begins = np.zeros(m, dtype=bool)
    begins[found.exits[:-1]] = True
    chance = np.where(begins, found.exit_share, np.diff(found.exit_share, prepend=0.0))
    port = np.repeat(np.arange(n), np.diff(found.exits))
    out = (leave.tocsr() @ sparse.csr_array((chance, (port, np.arange(m))), shape=(n, m))).tocoo()
    return out, (found.exit_at[out.col] - found.at[out.row]).astype(float)


def exact_diffusivity(found: Basins) -> NDArray[np.float64]:
    """Return D [voxels^2/s] along each axis from the Poisson equation of the chain of states: no random numbers."""
    n = len(found.voxel)
    out, moves = steps(found)
    to = found.exit_state[out.col]
    chain = sparse.csr_array((out.data, (out.row, to)), shape=(n, n))
    visited = found.weight / found.tau_s
    assert abs(chain.T @ visited - visited).max() < 1e-12 * visited.max()
    factors = splu((sparse.identity(n) - chain).tocsc()[1:, 1:])
    diffusivity = []
    for axis in range(3):
        drift = np.bincount(out.row, weights=out.data * moves[:, axis], minlength=n)
        potential = np.concatenate(([0.0], factors.solve(drift[1:])))
        step = moves[:, axis] + potential[to] - potential[out.row]
        diffusivity.append(0.5 * (visited[out.row] * out.data * step**2).sum() / found.weight.sum())
    return np.array(diffusivity)


def test_basins_conduct_as_the_network_does(found: Found) -> None:
    """D of the chain of states = that of single hops, to 1e-6 along every axis."""
    known, basins = found
    values = exact_diffusivity(basins) * to_sigma(known, basins)
    assert values == pytest.approx([sigma(known, axis) for axis in range(3)], rel=1e-6)


def test_exact_where_one_axis_hangs_by_a_thread() -> None:
    """Along y these spheres conduct 40 000 times worse than along x: the small value is right to 1e-6 too.

    The flows of the solver meet rounding there, so it is asked for 1e-7; its dissipation errs by the square of that.
    """
    known = cold("electron", seed=1)
    found = basins_of(known)
    values = exact_diffusivity(found) * to_sigma(known, found)
    assert values[1] < 1e-4 * values[0]
    assert values == pytest.approx([sigma(known, axis, tolerance=1e-7) for axis in range(3)], rel=1e-6)


def test_basins_save_hops_and_lose_no_carrier(found: Found) -> None:
    """Exits cost a share of the hops; weights add up to the mobile carriers, of each phase too."""
    known, basins = found
    assert basins.hops_per_event > 30.0
    assert basins.describe()["largest_error"] < 1e-12
    clusters = label_clusters(known, periodic=True)
    mobile = clusters.spans.any(axis=1)[clusters.ids]
    carriers, conductance = site_sums(known, False)
    hops = conductance[mobile].sum() * known.rate_factor / carriers[mobile].sum()
    assert basins.event_rate * basins.hops_per_event == pytest.approx(hops, rel=1e-9)
    phase = known.faces.phase_of_label[known.structure.labels[mobile]]
    expected = np.bincount(phase, weights=carriers[mobile], minlength=len(known.faces.phase_names))
    assert (basins.weight[:, None] * basins.phase_share).sum(axis=0) == pytest.approx(expected, rel=1e-9)


class Walked:
    """What walkers from equilibrium did."""

    def __init__(self, known: Network, basins: Basins, walkers: int, events: float) -> None:
        self.time_s = events / basins.event_rate
        moves = BasinHops(known, basins)
        group = moves.start(basins.weight, walkers, KEY)
        self.places = np.zeros((walkers, SAMPLES + 1, 3), dtype=np.int64)
        for sample in range(1, SAMPLES + 1):
            moves.advance(group, self.time_s * sample / SAMPLES)
            self.places[:, sample] = group.places
        self.residence_s = moves.residence_s(group, self.time_s)
        self.begun = group.residence[:, : len(known.faces.phase_names)]
        self.crossings, self.hops = group.crossings, group.hops

    def diffusivity(self, lag: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return D [voxels^2/s] from the slope between half a lag and the lag, and its standard error."""
        squares = [((self.places[:, n:] - self.places[:, :-n]).astype(float) ** 2).mean(axis=1) for n in (lag // 2, lag)]
        slopes = (squares[1] - squares[0]) / (lag * self.time_s / SAMPLES)
        return slopes.mean(axis=0), slopes.std(axis=0, ddof=1) / np.sqrt(len(slopes))


def test_walk_agrees_with_the_solver_and_is_at_equilibrium(found: Found) -> None:
    """sigma within 4 standard errors at 2 %; time in phases, exits by class and all exits as at equilibrium, within 4 too."""
    known, basins = found
    walkers = 16_000
    walked = Walked(known, basins, walkers, 3_200.0)
    exact = np.array([sigma(known, axis) for axis in range(3)])
    value, error = (part * to_sigma(known, basins) for part in walked.diffusivity(16))
    assert (error > 0.0).all()
    assert (error < 0.022 * exact).all()
    assert (np.abs(value - exact) < 4.0 * error).all()

    expected = (basins.weight[:, None] * basins.phase_share).sum(axis=0) / basins.weight.sum()
    spent = walked.residence_s / (walkers * walked.time_s)
    assert spent.sum() == pytest.approx(1.0, rel=1e-9)
    scatter = (walked.begun / walked.begun.sum(axis=1, keepdims=True)).std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    often = expected * walkers > 100.0  # phases with so few walkers that their scatter shows
    assert often.any()
    assert (np.abs(spent - expected) <= 4.0 * scatter + 1e-9)[often].all()

    rate = basins.weight / basins.tau_s
    port = np.repeat(np.arange(len(basins.voxel)), np.diff(basins.exits))
    begins = basins.exits[port] == np.arange(len(port))
    chance = np.where(begins, basins.exit_share, np.diff(basins.exit_share, prepend=0.0))
    exits = walkers * walked.time_s * rate[port] * chance / basins.weight.sum()
    crossings = np.bincount(basins.exit_class, weights=exits, minlength=known.faces.n_classes)
    assert crossings.sum() == pytest.approx(walkers * walked.time_s * basins.event_rate)
    busiest = np.argsort(crossings)[-5:]
    assert_means(walked.crossings[:, busiest], crossings[busiest] / BLOCKS)
    assert_means(walked.hops[:, None].astype(float), np.array([crossings.sum() / BLOCKS]))
    assert walked.crossings.sum() == walked.hops.sum()


def assert_means(blocks: NDArray[np.number], expected: NDArray[np.float64]) -> None:
    """Compare means over blocks with what is expected, to 4 standard errors and rounding."""
    error = blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
    assert (np.abs(blocks.mean(axis=0) - expected) <= 4.0 * error + 1e-9 * np.abs(expected)).all()


def test_same_bits_for_one_and_two_threads(found: Found) -> None:
    """Every walker has its own stream, every block its own sums."""
    known, basins = found
    runs = []
    before = numba.get_num_threads()
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        try:
            runs.append(Walked(known, basins, 200, 300.0))
        finally:
            numba.set_num_threads(before)
    for name in ("places", "begun", "crossings", "hops"):
        assert np.array_equal(getattr(runs[0], name), getattr(runs[1], name))


def test_a_run_in_parts_is_the_run_in_one_go(found: Found) -> None:
    """Walkers advanced in three steps: the same bits but for the order of sums."""
    known, basins = found
    moves, until = BasinHops(known, basins), 200.0 / basins.event_rate
    whole, parts = (moves.start(basins.weight, 300, KEY) for _ in range(2))
    moves.advance(whole, until)
    for share in (0.2, 0.7, 1.0):
        moves.advance(parts, share * until)
    for name, values in whole.arrays().items():
        if name == "residence":
            assert values == pytest.approx(parts.residence, rel=1e-12)
        else:
            assert np.array_equal(values, parts.arrays()[name])
    assert whole.hops.sum() > 40_000
    assert moves.residence_s(whole, until).sum() == pytest.approx(300 * until, rel=1e-9)


def shifted(known: Network, by: tuple[int, int, int]) -> Network:
    """Return the same network with the outer boundary elsewhere."""
    structure = known.structure
    assert structure.grains is not None
    moved = [np.roll(values, by, axis=(0, 1, 2)) for values in (structure.labels, structure.grains)]
    return build_network(block(moved[0], grains=moved[1], periodic=True), known.materials)


def test_basins_lie_across_the_boundary() -> None:
    """Wherever the box is cut: the same ports, times and diffusivity; the voxels of a grain stay together."""
    known = grains()
    reference = basins_of(known)
    for by in ((5, 3, 7), (0, 0, 6)):
        moved = basins_of(shifted(known, by))
        assert sorted(moved.sizes) == sorted(reference.sizes)
        assert np.sort(moved.ports).tolist() == np.sort(reference.ports).tolist()
        assert np.sort(moved.tau_s) == pytest.approx(np.sort(reference.tau_s), rel=1e-9)
        assert exact_diffusivity(moved) == pytest.approx(exact_diffusivity(reference), rel=1e-9)


def test_exits_lead_to_the_neighbour_of_their_port(found: Found) -> None:
    """One step along one axis, and to the voxel that the state entered is."""
    known, basins = found
    port = np.repeat(np.arange(len(basins.voxel)), np.diff(basins.exits))
    assert (np.abs(basins.exit_at - basins.at[port]).sum(axis=1) == 1).all()
    shape = known.structure.labels.shape
    place = np.stack(np.unravel_index(basins.voxel, shape), axis=1)
    assert ((basins.at - place) % shape == 0).all()
    assert ((basins.exit_at - place[basins.exit_state]) % shape == 0).all()


def bar(gap: bool) -> Network:
    """Return a bar of good conductor through the box, whole or with one voxel out."""
    labels = np.full((8, 6, 6), 2)
    labels[:, 2, 2] = 1
    labels[0, 2, 2] = 2 if gap else 1
    return network(labels, materials({"A": 1.0, "B": 1e-6}), periodic=True)


def test_sets_that_wind_around_the_box_are_no_basins() -> None:
    """A bar through the box has no end; with a gap it is a basin whose ports are all of its voxels."""
    whole = bar(gap=False)
    sets = JoinedSets(whole.faces.of_axis)
    fast = whole.conductance >= 0.5 * whole.conductance.max()
    sets.join(fast, np.zeros((1, 1, 1), dtype=np.int32), np.ones(whole.faces.n_classes, dtype=bool))
    assert np.array_equal(sets.winds[sets.root], whole.structure.labels.reshape(-1) == 1)
    assert find_basins(whole, label_clusters(whole, periodic=True)) is None
    known = bar(gap=True)
    found = basins_of(known)
    assert found.sizes.tolist() == [7]
    assert found.ports.max() == 7
    values = exact_diffusivity(found) * to_sigma(known, found)
    assert values == pytest.approx([sigma(known, axis) for axis in range(3)], rel=1e-6)


def test_a_basin_may_touch_its_own_image() -> None:
    """Three voxels in a ring, two good faces and a bad one: the bad one leads out of the set and into its next image."""
    labels = np.zeros((3, 3, 3))
    labels[:, 1, 1] = (1, 3, 2)
    known = network(labels, materials({"A": 1.0, "B": 1.0, "C": 1.0}, resistance={"A|B": 1e-4}), periodic=True)
    found = basins_of(known)
    assert found.sizes.tolist() == [3]
    assert sorted(found.exit_state.tolist()) == [0, 1]
    assert np.abs(found.exit_at[:, 0] - found.at[found.exit_state, 0]).tolist() == [3, 3]
    assert exact_diffusivity(found)[0] * to_sigma(known, found) == pytest.approx(sigma(known, 0), rel=1e-9)


def test_offsets_count_boxes_in_all_directions() -> None:
    """A packed offset holds a vector of boxes, negative ones too."""
    vectors = np.array([[0, 0, 0], [1, -1, 1], [-3, 5, -7], [-1, 0, -1]])
    packed = vectors @ np.array([1 << 40, 1 << 20, 1])
    assert np.array_equal(unpack(packed), vectors)


def test_nothing_to_save_in_an_even_block() -> None:
    """Where all hops are alike single hops are as good; where nothing moves there are none."""
    even = network(np.ones((6, 6, 6)), materials({"A": 1.0}), periodic=True)
    assert find_basins(even, label_clusters(even, periodic=True)) is None
    pores = network(np.zeros((4, 4, 4)), materials({"A": 1.0}), periodic=True)
    assert find_basins(pores, label_clusters(pores, periodic=True)) is None


def test_dropping_basins_for_memory_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that save least for their size go first; what is left conducts as before."""
    whole = basins_of(noise())
    monkeypatch.setattr(choose, "MOST_ENTRIES", len(whole.port_share) // 2)
    monkeypatch.setattr(find, "LEAST_GAIN", 1.0)
    some = basins_of(noise())
    assert 0 < len(some.sizes) < len(whole.sizes)
    assert len(some.port_share) <= len(whole.port_share) // 2
    assert some.hops_per_event < whole.hops_per_event
    assert exact_diffusivity(some) == pytest.approx(exact_diffusivity(whole), rel=1e-9)


def test_thresholds_lie_in_the_gaps() -> None:
    """One cut below each group of like conductances, the best conductors first; the worst join nothing."""
    assert choose.thresholds(np.array([1e-9, 1.0, 1.1, 2.0, 1e-3])) == [2.0, 1.0, 1e-3]
    assert choose.thresholds(np.array([1.0])) == []


def random_set(n: int, contrast: float, seed: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return where voxels of a cube lie, and the conductances between neighbours spread over `contrast`."""
    at = np.stack(np.meshgrid(*(np.arange(n),) * 3, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int32)
    beside = np.abs(at[:, None] - at[None]).sum(axis=2) == 1
    values = np.exp(np.random.default_rng(seed).uniform(-np.log(contrast), 0.0, beside.shape))
    values = np.triu(np.where(beside, values, 0.0))
    return at, values + values.T


@pytest.mark.parametrize("n", [3, 7])
def test_ports_see_the_same_network(n: int) -> None:
    """Conductances between ports = Schur complement of the Laplacian; carriers go to the port that a walk meets first."""
    at, g = random_set(n, 100.0, seed=n)
    size = len(g)
    is_port = np.zeros(size, dtype=bool)
    is_port[np.random.default_rng(1).choice(size, 6, replace=False)] = True
    carriers = np.random.default_rng(2).random((size, 2))
    graph = sparse.csr_array(g)
    joins = (graph.indptr.astype(np.int64), graph.indices.astype(np.int64), graph.data)
    ports, conductance, shared = reduce_to_ports((0, size), at, joins, is_port, carriers)
    laplacian = np.diag(g.sum(axis=1)) - g
    meets = np.linalg.solve(laplacian[~is_port][:, ~is_port], -laplacian[~is_port][:, is_port])
    schur = laplacian[is_port][:, is_port] + laplacian[is_port][:, ~is_port] @ meets
    assert ports.tolist() == np.flatnonzero(is_port).tolist()
    assert np.diag(conductance.sum(axis=1)) - conductance == pytest.approx(schur, rel=1e-9, abs=1e-12)
    assert shared == pytest.approx(carriers[is_port] + meets.T @ carriers[~is_port], rel=1e-9)


def test_chances_add_up_however_weak_the_exits() -> None:
    """Exits 1e-14 to 1e-10 times weaker than what is inside: all chances to leave still sum to 1 within rounding."""
    _, g = random_set(3, 1e6, seed=5)
    leaving = np.exp(np.random.default_rng(6).uniform(np.log(1e-14), np.log(1e-10), len(g)))
    inverse = visits(g, leaving)
    assert inverse @ leaving == pytest.approx(np.ones(len(g)), rel=1e-12)
    assert np.array_equal(inverse, inverse.T)
    moderate = np.full(len(g), 0.1)
    laplacian = np.diag(g.sum(axis=1) + moderate) - g
    assert visits(g, moderate) == pytest.approx(np.linalg.inv(laplacian), rel=1e-9)
