"""How the ionic conductivity of a fired cathode answers to the thickness of its interphase. Copy and change.

usage: python scripts/scan_shell_thickness.py [OUT.csv]
"""

import sys

import pandas as pd

import cofire
from microstructures.recipe import parse_recipe

rows = []
for thickness_nm in (50.0, 75.0, 100.0):
    table = {"fire": {"interphase": {"thickness_p05_nm": thickness_nm, "thickness_p95_nm": thickness_nm}}}
    recipe = parse_recipe(table, "scan")
    for seed in (1, 2):
        fired = cofire.build("co-fired", size_um=3.0, voxel_nm=25.0, seed=seed, recipe=recipe)
        result = cofire.conduct(fired, carrier="ion", temperature_C=60.0, axis="all")
        rows.append(
            {
                "thickness_nm": thickness_nm,
                "seed": seed,
                "interphase_volume_fraction": result.volume_fractions.get("LFTAP", 0.0),
                "sigma_eff_mS_per_cm": 10.0 * result.mean_sigma_eff_S_per_m,
                "outcome": str(result.outcome),
            }
        )
        print(rows[-1], flush=True)

found = pd.DataFrame(rows)
print(found.groupby("thickness_nm")["sigma_eff_mS_per_cm"].agg(["mean", "sem"]))
if len(sys.argv) > 1:
    found.to_csv(sys.argv[1], index=False)
