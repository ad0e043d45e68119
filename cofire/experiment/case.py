"""One case of a comparison: build one structure and ask all three estimators about both carriers. A pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cofire.building import build
from cofire.estimates import Estimate, of_graph, of_hops, of_solver
from kmc.axes import Boundary, own_boundary
from kmc.conduction import ConductionResult, conduct, conduct_over
from kmc.conduction.fields import current_density
from kmc.hopping import run_tracers
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.percolation import percolate
from microstructures.formats import write
from microstructures.formats.guard import atomic_file
from microstructures.materials import CARRIERS, load_materials
from microstructures.morphology import describe
from microstructures.recipe import Recipe
from microstructures.units import mS_per_cm

Say = Callable[[str], Any]


@dataclass(frozen=True)
class Case:
    """What one case computes; `replica` numbers the seeds, so that both processes of a seed are a pair.

    Graph and hops are asked only if it is `checked`: they answer for the same network as the solver.
    """

    process: str
    seed: int
    replica: int
    size_um: float
    voxel_nm: float
    recipe: Recipe
    materials: str | None
    temperature_C: float
    hops: int
    arrhenius_C: tuple[float, ...]
    structure_file: Path
    checked: bool = True

    @property
    def stages(self) -> int:
        """Return how often the case says what it is doing."""
        return 1 + (3 if self.checked else 1) * len(CARRIERS)


def run_case(case: Case, say: Say = lambda text: None) -> dict[str, Any]:
    """Run a case and return plain values: `rows` of the table of estimates, `structure`, `arrhenius` rows, `percolation`."""
    name = f"{case.process}, seed {case.seed}"
    say(f"{name}: building")
    structure = build(case.process, size_um=case.size_um, voxel_nm=case.voxel_nm, seed=case.seed, recipe=case.recipe)
    write(structure, case.structure_file)
    measured = describe(structure, two_point=False)
    materials = load_materials(case.materials)
    rows: list[dict[str, Any]] = []
    arrhenius: list[dict[str, Any]] = []
    stories: dict[str, Any] = {}
    network: Network | None = None
    boundary: Boundary = own_boundary(structure)
    for carrier in CARRIERS:
        say(f"{name}: {carrier}, solver")
        network = build_network(
            structure if network is None else network.faces, materials, carrier=carrier, temperature_C=case.temperature_C
        )
        solved = conduct(network, axis="all", boundary=boundary, keep_potential=True)
        common = {"process": case.process, "seed": case.seed, "carrier": carrier}
        rows.append({**common, **_row(of_solver(network, solved))})
        if case.checked:
            say(f"{name}: {carrier}, graph")
            graph = percolate(network, axis="all", boundary=boundary)
            stories[carrier] = graph.to_dict()
            say(f"{name}: {carrier}, kinetic Monte Carlo")
            hopped = run_tracers(
                network, boundary=boundary, hops=case.hops, seed=case.seed, replica=case.replica, case=CARRIERS.index(carrier)
            )
            rows += [{**common, **_row(of_graph(graph))}, {**common, **_row(of_hops(hopped))}]
        if case.arrhenius_C:
            _write_current(network, solved, current_file(case.structure_file, carrier))
            arrhenius += [{**common, **row} for row in _temperatures(network, solved, boundary, case.arrhenius_C)]
    return {"rows": rows, "structure": measured, "arrhenius": arrhenius, "percolation": stories}


def _row(found: Estimate) -> dict[str, Any]:
    """Return an estimate as a row of the comparison, in the units of reports."""
    return {
        "estimator": found.estimator,
        "sigma_mS_per_cm": mS_per_cm(found.mean_S_per_m),
        "own_stderr_mS_per_cm": mS_per_cm(found.own_stderr_S_per_m),
        "outcome": str(found.outcome),
        **found.more,
    }


def current_file(structure_file: Path, carrier: str) -> Path:
    """Return where the current density along x of a structure lies."""
    return structure_file.parent.with_name("currents") / f"{structure_file.stem}-{carrier}.npy"


def _write_current(network: Network, solved: ConductionResult, target: Path) -> None:
    if solved.solutions[0].potential is not None:
        target.parent.mkdir(exist_ok=True)
        with atomic_file(target) as partial, partial.open("wb") as file:
            np.save(file, current_density(network, solved.solutions[0]).astype(np.float32))


def _temperatures(
    network: Network, solved: ConductionResult, boundary: Boundary, temperatures_C: tuple[float, ...]
) -> list[dict[str, Any]]:
    """Solve at other temperatures along the axis nearest to the mean of all."""
    typical = min(solved.solutions, key=lambda solution: abs(solution.sigma_eff_S_per_m - solved.mean_sigma_eff_S_per_m))
    series = conduct_over(network, temperatures_C, axis=typical.axis, boundary=boundary).results
    known = [(one.temperature_C, one.mean_sigma_eff_S_per_m) for one in series if one.outcome is Outcome.CONVERGED]
    if typical.outcome is Outcome.CONVERGED:
        known.append((network.temperature_C, typical.sigma_eff_S_per_m))
    return [{"axis": typical.axis, "temperature_C": at, "sigma_mS_per_cm": mS_per_cm(sigma)} for at, sigma in sorted(known)]
