"""Conductivity over many temperatures: one sorting of the faces, and every solve starts from the last potential."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kmc.arrhenius import ArrheniusFit, fit_arrhenius
from kmc.conduction.conduct import ConductionResult, conduct
from kmc.connectivity import label_clusters
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.materials import Materials
from microstructures.notebook import InNotebook
from microstructures.structure import VoxelStructure
from microstructures.units import kelvin


@dataclass(frozen=True)
class TemperatureSeries(InNotebook):
    """What a structure conducts at several temperatures.

    Attributes
    ----------
    results : tuple of ConductionResult
        One per temperature, in rising order; potentials are not kept.
    """

    results: tuple[ConductionResult, ...]

    @property
    def temperature_C(self) -> tuple[float, ...]:
        """Return the temperatures [degC]."""
        return tuple(result.temperature_C for result in self.results)

    @property
    def fits(self) -> dict[str, ArrheniusFit | None]:
        """Return the straight lines through ln(sigma) and ln(sigma T) along each axis; None below two usable values."""
        return {axis: self._fit(number) for number, axis in enumerate(s.axis for s in self.results[0].solutions)}

    def _fit(self, number: int) -> ArrheniusFit | None:
        usable = [
            (result.temperature_C, result.solutions[number].sigma_eff_S_per_m)
            for result in self.results
            if result.solutions[number].outcome is Outcome.CONVERGED
        ]
        return fit_arrhenius(*zip(*usable, strict=True)) if len(usable) > 1 else None

    def to_dict(self) -> dict[str, Any]:
        """Return temperatures, conductivities, outcomes and fits as plain values."""
        fits = {axis: None if fit is None else fit.to_dict() for axis, fit in self.fits.items()}
        return {
            "temperature_C": list(self.temperature_C),
            "sigma_eff_S_per_m": [result.sigma_eff_S_per_m for result in self.results],
            "outcome": [str(result.outcome) for result in self.results],
            "iterations": [result.to_dict()["iterations"] for result in self.results],
            "arrhenius": fits if len(fits) > 1 else next(iter(fits.values())),
        }


def conduct_over(
    structure: VoxelStructure | Network,
    temperatures_C: Sequence[float],
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    axis: str = "x",
    boundary: str = "plates",
    tolerance: float = 1e-4,
    max_iterations: int = 500,
    progress: Callable[[str], Any] | None = None,
) -> TemperatureSeries:
    """Compute the effective conductivity at several temperatures.

    Faces are sorted and clusters labelled once; each temperature starts from the potential of the one below it. The hierarchy
    of the solver is built anew, because conductances of different energies drift apart: see docs/physics.md.

    Parameters
    ----------
    structure : VoxelStructure or Network
        What conducts; with a Network, `materials` and `carrier` are its own.
    temperatures_C : sequence of float
        Temperatures [degC]; each is solved once, in rising order.
    materials, carrier, axis, boundary, tolerance, max_iterations, progress
        See `kmc.conduction.conduct`.

    Returns
    -------
    TemperatureSeries

    Raises
    ------
    InputError
        If no temperature is given or one is impossible, or another option is not one of those allowed.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> series = conduct_over(block, [40.0, 60.0, 80.0])
    >>> [round(result.sigma_eff_S_per_m, 3) for result in series.results]
    [0.505, 0.9, 1.503]
    """
    if len(temperatures_C) == 0:
        raise InputError("no temperature is given; allowed: one or more, in degC")
    wanted = sorted({float(temperature) for temperature in temperatures_C})
    for temperature in wanted:
        kelvin(temperature)
    base = structure
    if not isinstance(base, Network):
        base = build_network(base, materials, carrier=carrier, temperature_C=wanted[0])
    clusters = label_clusters(base, periodic=boundary == "periodic")
    results: list[ConductionResult] = []
    guess: dict[str, Any] = {}
    for number, temperature in enumerate(wanted):
        say = None if progress is None else (lambda text, t=temperature, tell=progress: tell(f"{t:g} degC: {text}"))
        result = conduct(
            base.at(temperature), axis=axis, boundary=boundary, tolerance=tolerance, max_iterations=max_iterations,
            keep_potential=number + 1 < len(wanted), guess=guess, clusters=clusters, progress=say,
        )  # fmt: skip
        guess = {solution.axis: solution.potential for solution in result.solutions}
        results.append(result.without_potentials())
    return TemperatureSeries(tuple(results))
