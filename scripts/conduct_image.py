"""What a segmented image conducts, along all axes and for both carriers.

usage: python scripts/conduct_image.py IMAGE VOXEL_NM MATERIALS.toml
"""

import sys

import cofire

image, voxel_nm, materials = sys.argv[1:4]
structure = cofire.read(image, voxel_nm=float(voxel_nm))
for carrier in ("ion", "electron"):
    result = cofire.conduct(structure, cofire.load_materials(materials), carrier=carrier, axis="all")
    print(carrier, result.sigma_eff_S_per_m, result.outcome, "tortuosity factor", result.tortuosity_factor)
