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
from kmc.percolation import build_contact_graph, percolate
from kmc.percolation.grains.grain_graph import build_grain_graph
from microstructures.errors import InputError
from microstructures.firing.fire import co_fire
from microstructures.pressing.press import cold_press, press_powders
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
    graph = percolate(known, axis="all")
    for solution in solved.solutions:
        percolates = graph.percolates[solution.axis]  # type: ignore[index]
        assert percolates == (solution.outcome is Outcome.CONVERGED)
        assert (graph.sigma_eff_graph_S_per_m[solution.axis] > 0.0) == percolates  # type: ignore[index]
        assert (solution.sigma_eff_S_per_m > 0.0) == percolates


GRAPH_ERROR = {
    ("cold-pressed", "ion"): 0.05,
    ("cold-pressed", "electron"): 0.05,
    ("co-fired", "ion"): 0.15,
    ("co-fired", "electron"): 0.30,
}


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("process", PROCESSES)
def test_graph_is_a_close_lower_bound_of_the_solver(
    networks: dict[tuple[str, str], Network], process: str, carrier: str, boundary: str
) -> None:
    """Never above; ions within 15 % where contacts are as wide as grains, 5 % at point contacts, along every axis.

    Electrons in films along wide contacts crowd at the rims, which few flux modes follow: up to 30 % low.
    """
    known = networks[process, carrier]
    solved = conduct(known, axis="all", boundary=boundary, tolerance=1e-6).sigma_eff_S_per_m
    grains = build_grain_graph(build_contact_graph(known, periodic=boundary == "periodic"))
    for number, name in enumerate("xyz"):
        exact, graph = solved[name], grains.sigma_eff(number)  # type: ignore[index]
        assert (1.0 - GRAPH_ERROR[process, carrier]) * exact <= graph <= (1.0 + 1e-6) * exact


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
