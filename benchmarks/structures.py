"""Time and memory of building structures: a pair (press, fire, shells, save) at several sizes, and pressing many particles.

    python benchmarks/structures.py [--edges 200 400] [--particles 100000] [--out FILE.json]

Every case runs in a process of its own, after a small warm-up that compiles; `peak_bytes_per_voxel` is the growth of the
process's largest memory during one structure, less the arrays that structure holds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

VOXEL_NM = 25.0


def peak_bytes() -> int:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def pair(edge: int) -> dict[str, Any]:
    """Press and fire one green body whose pressed structure has `edge` voxels along each axis, and save both."""
    from microstructures import co_fire, cold_press, press_powders, write

    def held(structure: Any) -> int:
        return int(structure.labels.nbytes + structure.grains.nbytes)

    cold_press(size_um=2.0, voxel_nm=VOXEL_NM)
    co_fire(size_um=2.0, voxel_nm=VOXEL_NM)
    out: dict[str, Any] = {"edge": edge}
    start = time.perf_counter()
    green = press_powders(size_um=edge * VOXEL_NM / 1000.0, seed=1)
    out["particles"] = len(green.particles)
    out["press_s"] = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("cold", cold_press), ("fired", co_fire)):
            before, now = peak_bytes(), time.perf_counter()
            structure = make(green=green, voxel_nm=VOXEL_NM)
            out[f"{name}_s"] = time.perf_counter() - now
            extra = peak_bytes() - before - held(structure)
            out[f"{name}_peak_bytes_per_voxel"] = max(0.0, extra / structure.labels.size)
            out[f"{name}_shape"] = list(structure.shape)
            now = time.perf_counter()
            write(structure, Path(folder) / f"{name}.h5")
            out[f"{name}_save_s"] = time.perf_counter() - now
            if name == "cold":
                del structure
    out["total_s"] = time.perf_counter() - start
    return out


def press(count: int) -> dict[str, Any]:
    """Press about `count` particles to the default density."""
    from microstructures import Recipe, press_powders
    from microstructures.pressing.contacts import close_contacts

    press_powders(size_um=2.0, seed=1)
    recipe = Recipe()
    mean = 1.0 / sum(share / recipe.powders[name].mean_volume_nm3 for name, share in recipe.solid_fractions().items())
    start = time.perf_counter()
    size_um = (count * mean / recipe.press.relative_density) ** (1.0 / 3.0) / 1000.0
    green = press_powders(size_um=size_um, seed=1)
    pressed = time.perf_counter()
    contacts = close_contacts(green.particles.centre, green.particles.radius, green.edge, recipe.press)
    return {
        "particles": len(green.particles),
        "press_s": pressed - start,
        "contacts": len(contacts),
        "contacts_s": time.perf_counter() - pressed,
    }


def main() -> None:
    """Run all cases and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, nargs="*", default=[200, 400])
    parser.add_argument("--particles", type=int, default=100_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    results: dict[str, Any] = {"pairs": [], "threads": multiprocessing.cpu_count()}
    cases = [(pair, edge) for edge in arguments.edges] + [(press, arguments.particles)] * (arguments.particles > 0)
    for work, size in cases:
        with context.Pool(1) as pool:
            found = pool.apply(work, (size,))
        print(json.dumps(found), flush=True)
        results["pairs" if work is pair else "pressing"] = [*results["pairs"], found] if work is pair else found
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
