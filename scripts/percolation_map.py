"""How often LATP percolates in a pressed cathode, over composition, size ratio and density. Copy and change.

A map over shell thickness: build "co-fired" instead and vary {"fire": {"interphase": {"thickness_p05_nm": ...}}}.

usage: python scripts/percolation_map.py [OUT.csv]
"""

import sys

import cofire
from kmc.percolation import percolation_map
from microstructures.recipe import parse_recipe
from microstructures.structure import VoxelStructure


def build(LFP_mass_fraction: float, size_ratio: float, density: float, seed: int) -> VoxelStructure:
    """Press a cathode of LFP of 500 nm and LATP `size_ratio` times as large."""
    powders = {
        "LFP": {"mass_fraction": LFP_mass_fraction},
        "LATP": {"mass_fraction": 1.0 - LFP_mass_fraction, "median_diameter_nm": 500.0 * size_ratio},
    }
    recipe = parse_recipe({"powders": powders, "press": {"relative_density": density}}, "map")
    return cofire.build("cold-pressed", size_um=3.0, voxel_nm=50.0, seed=seed, recipe=recipe)


grid = {"LFP_mass_fraction": [0.55, 0.70, 0.80], "size_ratio": [0.6, 1.0, 1.6], "density": [0.58, 0.64]}
found = percolation_map(build, grid, phase="LATP", replicas=5, carrier="ion")
print(found.to_string(index=False, float_format="{:.3f}".format))
if len(sys.argv) > 1:
    found.to_csv(sys.argv[1], index=False)
