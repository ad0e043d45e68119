"""Solver, graph and hops read one network, so on one structure they must tell one story."""

from __future__ import annotations

import numpy as np
import pytest
from support import blobs, materials, network

from kmc.arrhenius import fit_arrhenius
from kmc.conduction import activation_energy_eV, conduct, dissipation_shares, solve_axis
from kmc.conduction.parameters import answers, find_parameters
from kmc.hopping import hop
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.percolation import percolate
from microstructures.errors import InputError
from microstructures.firing.fire import co_fire
from microstructures.pressing.press import cold_press, press_powders
from microstructures.recipe import parse_recipe
from microstructures.structure import VoxelStructure
from microstructures.units import thermal_energy_eV

CARRIERS = ("ion", "electron")
PROCESSES = ("cold-pressed", "co-fired")


@pytest.fixture(scope="module")
def structures() -> dict[str, VoxelStructure]:
    """Return one green body as it was pressed, and after firing."""
    green = press_powders(size_um=2.8, seed=1)
    return {"cold-pressed": cold_press(green=green, voxel_nm=50.0), "co-fired": co_fire(green=green, voxel_nm=50.0)}


@pytest.fixture(scope="module")
def networks(structures: dict[str, VoxelStructure]) -> dict[tuple[str, str], Network]:
    """Return the networks of both bodies for both carriers."""
    return {
        (process, carrier): build_network(structures[process], carrier=carrier) for process in PROCESSES for carrier in CARRIERS
    }


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("process", PROCESSES)
def test_graph_and_solver_agree_on_what_percolates(
    networks: dict[tuple[str, str], Network], process: str, carrier: str
) -> None:
    """Both positive or both exactly 0, along every axis."""
    known = networks[process, carrier]
    solved = conduct(known, axis="all")
    graph = percolate(known.structure, network=known, axis="all")
    for solution in solved.solutions:
        percolates = graph.percolates[solution.axis]  # type: ignore[index]
        assert percolates == (solution.outcome is Outcome.CONVERGED)
        assert (graph.sigma_eff_graph_S_per_m[solution.axis] > 0.0) == percolates  # type: ignore[index]
        assert (solution.sigma_eff_S_per_m > 0.0) == percolates


@pytest.fixture(scope="module")
def convex() -> Network:
    """Return the ions of a fired body whose grains are single particles of 1 um, as Holm's formula supposes."""
    single = {"median_diameter_nm": 1000.0}
    recipe = parse_recipe(
        {"powders": {"LFP": single, "LATP": single}, "fire": {"grain_growth": {"LFP": 1.0, "LATP": 1.0}}}, "test"
    )
    return build_network(co_fire(size_um=2.8, voxel_nm=50.0, recipe=recipe, seed=1))


def graph_over_solver(known: Network) -> float:
    solved = conduct(known, axis="all", boundary="periodic").mean_sigma_eff_S_per_m
    graph = percolate(known.structure, network=known, axis="all", boundary="periodic").sigma_eff_graph_S_per_m
    return float(np.mean(list(graph.values())) / solved)  # type: ignore[union-attr]


def test_graph_errs_on_the_high_side_for_ions(networks: dict[tuple[str, str], Network], convex: Network) -> None:
    """Holm's formula, in the mean over axes: +1 to +9 % on point contacts, +14 to +61 % on wide contacts of convex grains.

    Grains that grew by merging are not convex and have several contacts with one neighbour: there it is 2 to 3 times too high.
    """
    assert 0.98 <= graph_over_solver(networks["cold-pressed", "ion"]) <= 1.15
    assert 1.0 <= graph_over_solver(convex) <= 1.75
    assert 1.0 <= graph_over_solver(networks["co-fired", "ion"]) <= 3.0


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("process", PROCESSES)
def test_hops_agree_with_the_solver_or_say_that_they_do_not(
    networks: dict[tuple[str, str], Network], process: str, carrier: str
) -> None:
    """Within 4 standard errors where the walk has settled; else flagged, and not below the solver."""
    known = networks[process, carrier]
    solved = conduct(known, axis="all", boundary="periodic", tolerance=1e-5).sigma_eff_S_per_m
    walked = hop(known, hops=5_000_000, seed=2)
    for axis in "xyz":
        value, error = walked.sigma_eff_S_per_m[axis], walked.sigma_eff_stderr_S_per_m[axis]
        exact = solved[axis]  # type: ignore[index]
        if exact == 0.0:
            assert value == error == 0.0
        elif walked.outcome is Outcome.CONVERGED:
            assert abs(value - exact) < 4.0 * error
        else:
            assert walked.outcome is Outcome.NOT_EQUILIBRATED
            assert value > exact - 4.0 * error


def test_firing_helps_both_carriers(networks: dict[tuple[str, str], Network]) -> None:
    """One green body: the fired one conducts both carriers better, ions by more than a factor of ten."""
    gain = {
        carrier: conduct(networks["co-fired", carrier], axis="all", boundary="periodic").mean_sigma_eff_S_per_m
        / conduct(networks["cold-pressed", carrier], axis="all", boundary="periodic").mean_sigma_eff_S_per_m
        for carrier in CARRIERS
    }
    assert gain["ion"] > 10.0
    assert gain["electron"] > 10.0


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("process", PROCESSES)
def test_activation_energy_from_one_solution(networks: dict[tuple[str, str], Network], process: str, carrier: str) -> None:
    """-d ln s/d(1/kT) from the shares of the dissipation (Tellegen) equals the finite difference of two solves, to 1 meV."""
    known = networks[process, carrier]
    solution = solve_axis(known, 0, tolerance=1e-6, keep_potential=True)
    values = [solve_axis(known.at(t), 0, tolerance=1e-7).sigma_eff_S_per_m for t in (58.0, 62.0)]
    fit = fit_arrhenius([58.0, 62.0], values)
    found = activation_energy_eV(known, solution)
    assert found == pytest.approx(fit.activation_energy_eV, abs=1e-3)
    assert activation_energy_eV(known, solution, of="sigma_T") == pytest.approx(fit.activation_energy_sigma_T_eV, abs=1e-3)
    assert activation_energy_eV(known, solution, of="sigma_T") - found == pytest.approx(thermal_energy_eV(60.0), rel=1e-9)


@pytest.mark.parametrize("axis", range(3))
def test_shares_of_the_dissipation(axis: int) -> None:
    """They sum to one, and say how sigma answers to a conductivity: d ln s/d ln s_A = share of A."""
    labels = blobs(16, {0: 0.2, 1: 0.5, 2: 0.3}, seed=1)
    known = network(labels, materials({"A": 1.0, "B": 0.1}, resistance={"A|B": 3e-8}))
    solution = solve_axis(known, axis, tolerance=1e-8, keep_potential=True)
    shares = dissipation_shares(known, solution)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0.0).all()
    step = 1e-3
    values = []
    for factor in (1.0 - step, 1.0 + step):
        table = materials({"A": factor, "B": 0.1 * factor}, resistance={"A|B": 3e-8})
        values.append(solve_axis(network(labels, table), axis, tolerance=1e-9).sigma_eff_S_per_m)
    slope = np.log(values[1] / values[0]) / np.log((1.0 + step) / (1.0 - step))
    (interface,) = (parameter for parameter in find_parameters(known) if parameter.kind == "interface")
    crossing = answers(known, interface)[axis]
    assert slope == pytest.approx(1.0 - float((shares * crossing).sum()), abs=1e-5)


def test_shares_need_a_potential() -> None:
    """A solution that kept none is refused, with what to do."""
    known = network(np.ones((4, 4, 4)), materials({"A": 1.0}))
    with pytest.raises(InputError, match="keep_potential=True"):
        dissipation_shares(known, solve_axis(known, 0))
