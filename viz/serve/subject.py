"""A structure on the page: what was solved on it so far, and its numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.structure import VoxelStructure
from viz.scenes.colouring import scale_for, volume_percent

if TYPE_CHECKING:
    from microstructures.materials import Materials

CARRIERS = {"ion": "ionic", "electron": "electronic"}


@dataclass(frozen=True)
class Answer:
    """What a solution along one axis tells.

    Attributes
    ----------
    sigma_eff_S_per_m : float
        Effective conductivity [S/m].
    tortuosity_factor : float or None
        Bound of parallel phases over sigma_eff; None where it does not conduct or films do.
    temperature_C : float
        Temperature [degC].
    outcome : str
        How the solver ended.
    fields : dict of str to ndarray of shape (nx, ny, nz)
        "potential" over the applied one and "current" density [A/m^2] for 1 V over the block; empty where nothing conducts.
    scales : dict of str to matplotlib ScalarMappable
        Colours of their values.
    """

    sigma_eff_S_per_m: float
    tortuosity_factor: float | None
    temperature_C: float
    outcome: str
    fields: dict[str, NDArray[np.float64]]
    scales: dict[str, Any]


@dataclass
class Subject:
    """A structure with its name, its materials, and the answers found so far by carrier and axis.

    Attributes
    ----------
    name : str
        Name on the page.
    structure : VoxelStructure
        What is shown.
    materials : Materials, str or None
        What conducts, see `kmc.network.build_network`.
    temperature_C : float, optional
        Temperature [degC]; the reference of the materials unless given.
    """

    name: str
    structure: VoxelStructure
    materials: Materials | str | None = None
    temperature_C: float | None = None
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def solve(self, carrier: str, axis: str, progress: Callable[[str], Any] | None = None) -> Answer:
        """Balance the currents along one axis and keep what they tell.

        Raises
        ------
        InputError
            As for `kmc.conduct`.
        """
        from kmc.conduction import conduct
        from kmc.conduction.fields import current_density

        result = conduct(
            self.structure, self.materials, carrier=carrier, axis=axis, temperature_C=self.temperature_C,
            keep_potential=True, progress=progress,
        )  # fmt: skip
        solution = result.solutions[0]
        fields: dict[str, NDArray[np.float64]] = {}
        if solution.potential is not None:
            fields = {"potential": solution.potential, "current": current_density(result.network, solution)}
        tortuosity = result.tortuosity_factor
        answer = Answer(
            solution.sigma_eff_S_per_m, tortuosity if isinstance(tortuosity, float) else None, result.temperature_C,
            str(solution.outcome), fields, {name: scale_for(name, [values.ravel()], None) for name, values in fields.items()},
        )  # fmt: skip
        self.answers[carrier, axis] = answer
        return answer

    def values(self, name: str, carrier: str, axis: str) -> tuple[NDArray[np.float64] | None, Any]:
        """Return a field and its scale, or None twice where it was not solved for."""
        answer = self.answers.get((carrier, axis))
        return (None, None) if answer is None else (answer.fields.get(name), answer.scales.get(name))

    def numbers(self) -> list[tuple[str, str, str]]:
        """Return what is known about the structure: quantity, value and unit.

        Examples
        --------
        >>> block = VoxelStructure.from_labels(np.ones((4, 4, 8), int), voxel_nm=50, phases={1: "LFP"})
        >>> Subject("block", block).numbers()[:2]
        [('size', '0.2 × 0.2 × 0.4', 'µm'), ('voxel edge', '50', 'nm')]
        """
        from microstructures.morphology import grain_sizes_um, relative_density

        structure = self.structure
        voxel = structure.voxel_nm if len(set(structure.voxel_nm)) > 1 else structure.voxel_nm[:1]
        rows = [
            ("size", " × ".join(f"{edge:.4g}" for edge in structure.edges_um), "µm"),
            ("voxel edge", " × ".join(f"{edge:.4g}" for edge in voxel), "nm"),
            ("voxels", " × ".join(map(str, structure.shape)), ""),
            *((f"volume fraction {name}", f"{share:.2f}", "%") for name, share in volume_percent(structure).items()),
            ("relative density", f"{100.0 * relative_density(structure):.2f}", "%"),
        ]
        for name, size in grain_sizes_um(structure).items():
            rows.append((f"grains {name}", f"{size['count']:g}", ""))
            rows.append((f"grain diameter {name}, mean", f"{size['mean']:.3g}", "µm"))
        for (carrier, axis), answer in sorted(self.answers.items()):
            what = f"along {axis}, {answer.temperature_C:g} °C"
            rows.append((f"{CARRIERS[carrier]} conductivity {what}", f"{10.0 * answer.sigma_eff_S_per_m:.5g}", "mS/cm"))
            if answer.tortuosity_factor is not None:
                rows.append((f"tortuosity factor, {carrier} {what}", f"{answer.tortuosity_factor:.4g}", ""))
            if answer.outcome != "converged":
                rows.append((f"outcome, {carrier} {what}", answer.outcome, ""))
        return rows

    def csv(self) -> str:
        """Return the numbers as a table of structure, quantity, value and unit."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("structure", "quantity", "value", "unit"))
        table.writerows((self.name, *row) for row in self.numbers())
        return text.getvalue()
