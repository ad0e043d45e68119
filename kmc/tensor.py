"""The whole conductivity tensor of a periodic medium: the mean current along every axis under a field along each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction import AxisSolution, conduct
from kmc.conduction.face_currents import face_currents
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.materials import Materials
from microstructures.notebook import InNotebook
from microstructures.structure import VoxelStructure


@dataclass(frozen=True)
class ConductivityTensor(InNotebook):
    """Effective conductivity in all directions.

    Attributes
    ----------
    sigma_eff_S_per_m : ndarray of shape (3, 3)
        Row i, column j: mean current density along axis i under a mean field along axis j [S/m].
    outcome : Outcome
        The worst outcome of the three solutions.
    iterations : tuple of 3 ints
        Iterations for the field along x, y, z.
    """

    sigma_eff_S_per_m: NDArray[np.float64]
    outcome: Outcome
    iterations: tuple[int, int, int]

    @property
    def asymmetry(self) -> float:
        """Return the largest difference between mirrored entries over the largest entry; exactly solved it is 0."""
        sigma = self.sigma_eff_S_per_m
        largest = float(np.abs(sigma).max())
        return float(np.abs(sigma - sigma.T).max()) / largest if largest > 0.0 else 0.0

    def principal(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the principal conductivities [S/m], rising, and their axes as the columns of a matrix."""
        values, axes = np.linalg.eigh(0.5 * (self.sigma_eff_S_per_m + self.sigma_eff_S_per_m.T))
        return values, axes

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "sigma_eff_S_per_m": {
                f"{AXES[i]}{AXES[j]}": float(self.sigma_eff_S_per_m[i, j]) for i in range(3) for j in range(3)
            },
            "asymmetry": self.asymmetry,
            "principal_S_per_m": self.principal()[0].tolist(),
            "outcome": str(self.outcome),
            "iterations": list(self.iterations),
        }


def conductivity_tensor(
    structure: VoxelStructure | Network,
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    temperature_C: float | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 500,
) -> ConductivityTensor:
    """Compute the conductivity tensor of a structure that repeats periodically.

    By Onsager's relations the tensor is symmetric; every entry is read on its own, so `asymmetry` tells how well the
    potentials are solved. Off-diagonal entries are as accurate as the potential, those on the diagonal as its square.

    Parameters
    ----------
    structure : VoxelStructure or Network
        What conducts; with a Network, `materials`, `carrier` and `temperature_C` are its own.
    materials, carrier, temperature_C
        See `kmc.network.build_network`.
    tolerance, max_iterations
        See `kmc.conduction.conduct`.

    Returns
    -------
    ConductivityTensor

    Raises
    ------
    InputError
        If an option is not one of those allowed.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"}, periodic=True)
    >>> np.diag(conductivity_tensor(block).sigma_eff_S_per_m).round(12).tolist()
    [0.9, 0.9, 0.9]
    """
    if isinstance(structure, Network):
        network = structure
    else:
        network = build_network(structure, materials, carrier=carrier, temperature_C=temperature_C)
    result = conduct(
        network, axis="all", boundary="periodic", tolerance=tolerance, max_iterations=max_iterations, keep_potential=True
    )
    sigma = np.zeros((3, 3))
    for driven, solution in enumerate(result.solutions):
        if solution.outcome is Outcome.NOT_PERCOLATING or solution.potential is None:
            continue
        for along in range(3):
            sigma[along, driven] = _mean_current(network, solution, along)
    first, second, third = (solution.iterations for solution in result.solutions)
    return ConductivityTensor(sigma_eff_S_per_m=sigma, outcome=result.outcome, iterations=(first, second, third))


def _mean_current(network: Network, solution: AxisSolution, along: int) -> float:
    """Return the mean current density [A/m^2] along one axis over the mean field [V/m] along that of the solution."""
    size = np.array(network.structure.voxel_size)
    edges = size * network.structure.shape
    current = float(face_currents(network, solution, along).sum())
    return float(current * size[along] * edges[AXES.index(solution.axis)] / edges.prod())
