"""What the pressed and fired structures of several seeds are made of, beside the published sample. Copy and change.

usage: python scripts/table_of_structures.py [OUT.csv] [SIZE_UM] [SEEDS]
"""

import sys

import pandas as pd

from microstructures import co_fire, cold_press, describe, press_powders

size_um = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
PUBLISHED = {  # Xu et al., Small 2022, 10.1002/smll.202200266
    "pressed density": "0.60",
    "fired density": "0.90",
    "LFP diameter pressed [um]": "~0.5",
    "LFP diameter fired [um]": "~1",
    "LATP diameter fired [um]": "~1",
    "shell p05 [nm]": "40",
    "shell p95 [nm]": "100",
    "LFTAP [% of solid]": "14 (8 to 20)",
}
rows = {}
for seed in range(1, seeds + 1):
    green = press_powders(size_um=size_um, seed=seed)
    cold = describe(cold_press(green=green, voxel_nm=25.0), two_point=False)
    fired = describe(co_fire(green=green, voxel_nm=25.0), two_point=False)
    shell, volume, grain = fired["interphase"], fired["volume_fraction"], fired["grain_diameter_um"]
    rows[f"seed {seed}"] = {
        "pressed density": cold["relative_density"],
        "fired density": fired["relative_density"],
        "LFP diameter pressed [um]": cold["grain_diameter_um"]["LFP"]["mean"],
        "LFP diameter fired [um]": grain["LFP"]["mean"],
        "LATP diameter fired [um]": grain["LATP"]["mean"],
        "LFP [% of volume]": 100.0 * volume["LFP"],
        "LATP [% of volume]": 100.0 * volume["LATP"],
        "coordination pressed": cold["contacts"]["coordination"],
        "contact radius pressed [nm]": cold["contacts"]["radius_nm_mean"],
        "neighbours fired": fired["neighbours"]["coordination"],
        "closed porosity fired [%]": 100.0 * fired["porosity"]["closed"],
        "shell p05 [nm]": shell["thickness_nm_p05"],
        "shell mean [nm]": shell["thickness_nm_mean"],
        "shell p95 [nm]": shell["thickness_nm_p95"],
        "LFTAP [% of solid]": 100.0 * shell["volume_fraction"] / fired["relative_density"],
        "coverage": shell["coverage"],
    }
    print(f"seed {seed} done", file=sys.stderr, flush=True)
table = pd.DataFrame(rows)
summary = table.agg(["mean", "std"], axis=1)
table = table.assign(mean=summary["mean"], sd=summary["std"], published=pd.Series(PUBLISHED)).fillna({"published": ""})
print(table.to_string(float_format=lambda value: f"{value:.3g}"))
if len(sys.argv) > 1:
    table.to_csv(sys.argv[1])
