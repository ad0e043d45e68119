"""The comparison: one green body per seed, pressed and fired, both asked what they conduct and why, beside the experiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cofire.building import DEFAULT_SEED, DEFAULT_SIZE_UM, DEFAULT_VOXEL_NM, PROCESSES, check_size
from cofire.experiment.case import Case, run_case
from cofire.experiment.comparison import Comparison
from cofire.experiment.explaining import explain
from cofire.experiment.reporting.report import write_report
from cofire.experiment.setting import Setting
from cofire.experiment.summary import gather_estimates, summarise, write_tables
from cofire.experiment.warm_up import warm_up
from cofire.memory.estimate import case_bytes
from cofire.memory.guard import check_memory, workers_that_fit
from cofire.provenance import record, start
from cofire.store import open_folder, remove_if_empty, write_json, write_table
from cofire.workers import Workers, worker_count
from microstructures.errors import InputError
from microstructures.materials import DEFAULT_MATERIALS, load_materials
from microstructures.recipe import Recipe, load_recipe
from microstructures.units import kelvin

DEFAULT_HOPS, MOST_HOPS = 200_000_000, 10**15
BASE_SHARE = 0.4
"""Share of the time that goes to the bodies themselves, the rest to what explains them."""
ARRHENIUS_C = (50.0, 80.0, 110.0, 150.0)
Progress = Callable[[float | None, str], Any]


def compare(
    *,
    out: str | Path | None = None,
    size_um: float = DEFAULT_SIZE_UM,
    voxel_nm: float = DEFAULT_VOXEL_NM,
    replicas: int = 3,
    seed: int = DEFAULT_SEED,
    workers: int | None = None,
    recipe: str | Path | Recipe | None = None,
    materials: str | Path | None = None,
    temperature_C: float = 60.0,
    hops: int = DEFAULT_HOPS,
    check_replicas: int = 1,
    explained: bool = True,
    overwrite: bool = False,
    progress: Progress = lambda share, text: None,
) -> Comparison:
    """Press one green body per seed, fire it, and compare what both conduct with the experiment.

    Parameters
    ----------
    out : path, optional
        Folder for table, report, figures and structures; the next free `cofire-compare` unless given.
    size_um, voxel_nm : float
        Edge of the green body [um] and of a voxel [nm].
    replicas : int
        Number of green bodies, with seeds `seed`, `seed` + 1, ...
    seed : int
        The first seed.
    workers : int, optional
        Number of processes; one per core unless given. Results do not depend on it.
    recipe, materials : path, optional
        Other powders or other materials.
    temperature_C : float
        Temperature of the comparison [degC].
    hops : int
        Hops of the kinetic Monte Carlo for each structure and carrier.
    check_replicas : int
        Of how many seeds graph and kinetic Monte Carlo are asked too; the solver answers for all.
    explained : bool
        Whether to add what explains the numbers: waterfall, scenarios, what would close the gap, error budget.
    overwrite : bool
        Whether to write into a folder that holds something.
    progress : callable
        Called with the share done and a short text.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If an option is out of range, or the folder is not empty.
    """
    started = start("cofire.compare")
    if not 1 <= replicas <= 10_000:
        raise InputError(f"replicas is {replicas}; allowed: 1 to 10000")
    if not check_replicas >= 0:
        raise InputError(f"check_replicas is {check_replicas}; allowed: 0 or more")
    if not 1 <= hops <= MOST_HOPS:
        raise InputError(f"hops is {hops}; allowed: 1 to {MOST_HOPS}")
    if not 0 <= seed < 2**64 - replicas:
        raise InputError(f"seed is {seed}; allowed: whole numbers from 0 to 2^64 - 1")
    known = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    conducting = load_materials(materials)  # what is wrong is told before anything is computed
    kelvin(temperature_C)
    for process in PROCESSES:
        check_size(process, size_um=size_um, voxel_nm=voxel_nm, recipe=known)
    needed = {process: case_bytes(process=process, size_um=size_um, voxel_nm=voxel_nm, recipe=known) for process in PROCESSES}
    largest = max(PROCESSES, key=lambda process: needed[process])
    check_memory(needed[largest], f"a {largest} body of {size_um:g} um at {voxel_nm:g} nm")
    used = max(1, workers_that_fit(worker_count(workers, replicas * len(PROCESSES)), needed[largest]))
    source = None if materials is None else str(materials)
    folder = open_folder(out, "cofire-compare", overwrite)

    def case(process: str, replica: int) -> Case:
        return Case(
            process, seed + replica, replica, size_um, voxel_nm, known, source, temperature_C, hops,
            ARRHENIUS_C if replica == 0 else (), folder / "structures" / f"{process}-seed{seed + replica}.h5",
            checked=replica < check_replicas,
        )  # fmt: skip

    cases = [case(process, replica) for replica in range(replicas) for process in PROCESSES]
    told, stages = 0, sum(case.stages for case in cases)
    end = BASE_SHARE if explained else 0.98

    def say(done: int, text: str) -> None:
        nonlocal told
        told += 1
        progress(end * min(1.0, max(done / len(cases), told / stages)), text)

    def say_more(done: int, tasks: int, text: str) -> None:
        progress(end + (0.98 - end) * done / tasks, text)

    (folder / "structures").mkdir(exist_ok=True)
    explanation, why_not = None, None
    with Workers(used) as pool:
        try:
            warm_up(pool, lambda done, text: progress(None, text))
            results = pool.run(run_case, cases, say)
        except BaseException:
            remove_if_empty(folder / "structures", folder)
            raise
        if explained:
            write_table(folder / "estimates", gather_estimates(results))
            try:
                setting = Setting(known, conducting, tuple(range(seed, seed + replicas)), size_um, voxel_nm, temperature_C)
                explanation = explain(gather_estimates(results), setting, workers=pool, say=say_more)
            except InputError as error:  # a variant that cannot be built says nothing against the bodies themselves
                why_not = str(error)
    progress(0.98, "writing tables, figures and the report")
    resolved = {
        "size_um": size_um,
        "voxel_nm": voxel_nm,
        "replicas": replicas,
        "seed": seed,
        "temperature_C": temperature_C,
        "hops": hops,
        "check_replicas": check_replicas,
        "explained": explained,
        "arrhenius_C": list(ARRHENIUS_C),
        "recipe": known.model_dump(),
        "materials": conducting.to_dict(),
    }
    read = [source or DEFAULT_MATERIALS, *(() if recipe is None or isinstance(recipe, Recipe) else (recipe,))]
    run = {**record(started, input=resolved, seed=seed, files=read), "not_explained": why_not, "workers": used}
    comparison = replace(summarise(folder, cases, results, run), explanation=explanation)
    write_tables(comparison)
    write_json(folder / "run.json", {**run, "percolation": [result["percolation"] for result in results]})
    write_report(comparison)
    return comparison
