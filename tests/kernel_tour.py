"""A tour through the kernels on bodies small enough for interpreted Python, and the numbers it finds, as JSON on stdout.

usage: python tests/kernel_tour.py {bodies | tiny}

`bodies` presses and fires 2 um at 80 nm. `tiny` takes grains written down by hand, 8 voxels along the box, and presses and
fires 12. All are described, segmented, balanced, percolated and hopped through, as tracers and as a lattice gas.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from cofire.building import PROCESSES, build
from cofire.experiment import warm_up
from cofire.plain_values import plain
from kmc.axes import own_boundary
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.conduction.fields import current_density
from kmc.hopping import run_lattice_gas, run_tracers
from kmc.multigrid import cycle
from kmc.network import Network, build_network
from kmc.percolation import critical_path, fastest_path, find_backbone, path_tortuosity, percolate, spanning_thresholds
from microstructures.materials import CARRIERS, Materials, load_materials
from microstructures.materials.schema import MaterialsFile
from microstructures.morphology import describe
from microstructures.recipe import parse_recipe
from microstructures.segment import DenseSolidWarning, watershed_grains
from microstructures.structure import VoxelStructure

HOPS = 2000
ALIKE = {"median_diameter_nm": 400.0, "log_spread": 0.0}
RESOLVED = {"representation": "resolved", "thickness_p05_nm": 120.0, "thickness_p95_nm": 150.0}
UNREPEATABLE = ("seconds", "hops_per_second", "peak_memory_bytes", "largest_error")
"""What depends on the clock, or is a rounding error itself."""
RANKINGS = ("most_loaded_contacts", "most_loaded_grains")
"""Lists in which equal loads, as those of grains in a row, may stand in either order."""


def bodies() -> Iterator[tuple[str, VoxelStructure]]:
    """Press a body of 2 um and fire it."""
    for process in PROCESSES:
        yield process, build(process, size_um=2.0, voxel_nm=80.0)


def tiny() -> Iterator[tuple[str, VoxelStructure]]:
    """Give the chessboards of the warm-up with two grains along the box; press and fire equal particles, which react."""
    warm_up.GRAINS = 2
    cycle.LARGEST_DIRECT = 10  # as many levels as large boxes have
    yield from zip(("contacts", "layers", "thin shells"), warm_up.chessboards(), strict=True)
    table = {"powders": {"LFP": ALIKE, "LATP": ALIKE}, "fire": {"interphase": RESOLVED}}
    for process in PROCESSES:
        yield process, build(process, size_um=1.08, voxel_nm=90.0, recipe=parse_recipe(table, "tiny"))


def tour(structure: VoxelStructure) -> dict[str, Any]:
    """Return what all kernels find in one structure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DenseSolidWarning)
        grains = watershed_grains(structure)
    found: dict[str, Any] = {"describe": describe(structure), "watershed": grains.ravel().tolist()}
    boundary = own_boundary(structure)
    for carrier in CARRIERS:
        network = build_network(structure, carrier=carrier)
        solved = conduct(network, axis="all", boundary=boundary, keep_potential=True)
        found[carrier] = {
            "conduct": solved.to_dict(),
            "energy": mean_activation_energy_eV(network, solved.solutions),
            "percolate": percolate(network, axis="all", boundary=boundary).to_dict(),
            "tracers": run_tracers(network, hops=HOPS, seed=1).to_dict(),
            "lattice gas": [
                run_lattice_gas(network, filling=filling, hops=HOPS, gases=2, seed=1).to_dict() for filling in (0.3, 0.9)
            ],
        }
        if solved.solutions[0].potential is not None:
            found[carrier]["current"] = current_density(network, solved.solutions[0]).sum()
            found[carrier]["between plates"] = between_plates(network)
    return found


def needles() -> Materials:
    """Return the default materials with one phase that conducts along one axis of each grain."""
    table = load_materials().to_dict()
    table["phases"]["LFP"]["ion"] |= {"anisotropy": [0.01, 1.0, 0.01], "orientation": "random-grain"}
    return Materials(file=MaterialsFile.model_validate(table), origin="needles")


def between_plates(network: Network) -> dict[str, Any]:
    """Return what leads from one plate to the other along x."""
    fastest, critical, tortuosity = fastest_path(network, 0), critical_path(network, 0), path_tortuosity(network, 0)
    return {
        "backbone": int(find_backbone(network, 0).sum()),
        "conduct": conduct(network, axis="x", boundary="plates").to_dict(),
        "fastest": None if fastest is None else fastest.resistance_ohm,
        "critical": None if critical is None else critical.resistance_ohm,
        "tortuosity": None if tortuosity is None else tortuosity.mean,
    }


def repeatable(value: Any) -> Any:
    """Return a result without what may differ between two runs that agree."""
    if isinstance(value, list):
        return [repeatable(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: repeatable(entry) for key, entry in value.items() if key not in (*UNREPEATABLE, *RANKINGS)}
    return kept | {key: sorted(entry["load"] for entry in value[key]) for key in RANKINGS if key in value}


def main() -> None:
    """Make the tour that the first argument names."""
    structures = {"bodies": bodies, "tiny": tiny}[sys.argv[1]]()
    with np.errstate(over="ignore"):  # random streams wrap around; interpreted, numpy would warn
        found: dict[str, Any] = {name: tour(structure) for name, structure in structures}
        board = warm_up.chessboards()[1]
        found["needles"] = conduct(build_network(board, needles()), axis="all", boundary="periodic").to_dict()
        for element in ("site", "bond"):
            found[element] = spanning_thresholds(6, samples=3, seed=1, element=element)
    json.dump(repeatable(plain(found)), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
