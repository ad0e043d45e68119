"""Time, memory and accuracy of grain segmentation; JSON on stdout.

usage: python benchmarks/segmentation.py [IMAGE.tif LABEL]

With an image: grains of one label, in processor seconds and bytes a voxel. Without: the share of the true grains of pressed and
fired powders that is recovered, over density, grain growth and width of the size distribution, for the default marker rule and
the published values of it (SNOW, Gostick 2017), phases separate and as one solid.
"""

import json
import platform
import sys
import time
import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from kmc.resources import peak_memory_bytes
from microstructures import VoxelStructure, co_fire, cold_press, read
from microstructures.recipe import parse_recipe
from microstructures.segment import DenseSolidWarning, recovered_share, watershed_grains

RULES = {"default": {}, "published": {"smoothing": 0.4, "peak_radius": 4.0}}
SIZE_UM, VOXEL_NM, DIAMETER_NM = 7.0, 50.0, 1000.0


def timed(structure: VoxelStructure, **options: Any) -> tuple[np.ndarray, dict[str, float]]:
    """Return the grains, and what they took."""
    wall, processor = time.perf_counter(), time.process_time()
    grains = watershed_grains(structure, **options)
    return grains, {
        "processor_s": round(time.process_time() - processor, 2),
        "wall_s": round(time.perf_counter() - wall, 2),
    }


def of_image(file: Path, label: int) -> Iterator[dict[str, Any]]:
    """Yield one record per marker rule; the first call, which may compile, is made on a corner."""
    image = read(file, voxel_nm=100.0)
    watershed_grains(image.with_(labels=image.labels[:16, :16, :16].copy()), phases=[label])
    before = peak_memory_bytes()
    for name, rule in RULES.items():
        grains, cost = timed(image, phases=[label], **rule)
        volume = np.bincount(grains.ravel())[1:]
        del grains
        yield {
            "image": file.name,
            "label": label,
            "rule": name,
            "grains": len(volume),
            "grains_above_100_voxels": int((volume > 100).sum()),
            **cost,
            "peak_bytes_per_voxel": round((peak_memory_bytes() - before) / image.labels.size, 1),
            "peak_of_process_MB": round(peak_memory_bytes() / 1e6),
        }


def of_powders() -> Iterator[dict[str, Any]]:
    """Yield one record per structure and marker rule."""
    for spread, (density, growth), seed in product((0.15, 0.4), ((0.60, 1.0), (0.89, 1.0), (0.95, 1.0), (0.89, 2.0)), (1, 2)):
        powder = {"log_spread": spread, "median_diameter_nm": DIAMETER_NM}
        fire = {
            "relative_density": max(density, 0.89),
            "interphase": None,
            "grain_growth": {"LFP": growth, "LATP": growth},
        }
        recipe = parse_recipe({"powders": {"LFP": powder, "LATP": powder}, "fire": fire}, "benchmark")
        make = cold_press if density == 0.60 else co_fire
        structure = make(size_um=SIZE_UM, voxel_nm=VOXEL_NM, recipe=recipe, seed=seed)
        assert structure.grains is not None
        solid = structure.with_(labels=(structure.labels > 0).astype(np.uint8))
        for (name, rule), (how, image) in product(RULES.items(), (("separate", structure), ("joint", solid))):
            grains, cost = timed(image, **rule)
            yield {
                "process": structure.process,
                "relative_density": density,
                "grain_growth": growth,
                "log_spread": spread,
                "seed": seed,
                "rule": name,
                "phases": how,
                "true_grains": len(np.unique(structure.grains)) - 1,
                "grains": int(grains.max()),
                "recovered_share": round(recovered_share(structure.grains, grains), 4),
                **cost,
            }


def main() -> None:
    """Print the records."""
    warnings.simplefilter("ignore", DenseSolidWarning)
    words = sys.argv[1:]
    records = list(of_image(Path(words[0]), int(words[1])) if words else of_powders())
    print(json.dumps({"machine": platform.processor() or platform.machine(), "records": records}, indent=2))


if __name__ == "__main__":
    main()
