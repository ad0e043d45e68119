"""What the error budget solves beside the comparison: coarser voxels, larger boxes, plates, other contacts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cofire.experiment.setting import Setting
from cofire.experiment.variants import Variant
from microstructures.recipe import Recipe

VOXEL, BOX, PLATES, CONTACTS = "voxel size", "box size", "plates", "contacts"
BOX_FACTORS = (1.5, 2.0)
COORDINATION_STEP, ADHESION_LESS, ADHESION_MORE = 1.0, 1.0 / 3.0, 10.0 / 3.0
"""Contacts are taken to be known within one neighbour, and adhesion within these factors: 5 to 7, and 0.1 to 1 J/m2."""
FEWEST_VOXELS_PER_RADIUS = 2.15
"""Of the smallest particle; pressing refuses below 2, and particles are scaled by a few percent to fill their volume."""


def voxel_levels(recipe: Recipe, voxel_nm: float) -> tuple[float, ...]:
    """Return the voxel sizes [nm] to solve: the run's own, twice, four times, as far as the particles stay resolved.

    Where twice is too coarse, the coarsest that the smallest particles allow stands in its place, in steps of 5 nm.

    Examples
    --------
    >>> voxel_levels(Recipe(), 25.0), voxel_levels(Recipe(), 20.0), voxel_levels(Recipe(), 50.0)
    ((25.0, 50.0, 75.0), (20.0, 40.0, 75.0), (50.0, 75.0))
    """
    smallest = min(0.5 * p.median_diameter_nm * math.exp(-2.5 * p.log_spread) for p in recipe.powders.values())
    coarsest = 5.0 * math.floor(smallest / FEWEST_VOXELS_PER_RADIUS / 5.0)
    levels = [voxel_nm]
    for factor in (2.0, 4.0):
        level = min(factor * voxel_nm, coarsest)
        if level >= 1.25 * levels[-1]:
            levels.append(level)
    return tuple(levels)


def budget_variants(setting: Setting) -> list[Variant]:
    """Return what must be solved beside the comparison itself, which has the run's own voxels and box.

    Parameters
    ----------
    setting : Setting
        The comparison; differences are paired over its seeds.

    Returns
    -------
    list of Variant
        Coarser voxels ("voxel size"), larger boxes ("box size") and plates ("plates") of both processes; other coordination
        numbers and works of adhesion of the cold-pressed body. All but the voxels at the coarsest of
        `voxel_levels`.
    """
    levels = voxel_levels(setting.recipe, setting.voxel_nm)
    out = []
    for seed in setting.seeds:
        for process in ("co-fired", "cold-pressed"):
            body = replace(setting.body(process, seed), voxel_nm=coarse_level(levels))
            base = Variant(VOXEL, body, setting.materials, setting.temperature_C)
            out += [base, replace(base, name=PLATES, plates=True)]
            out += [replace(base, body=replace(body, voxel_nm=level)) for level in levels[1:-1]]
            out += [replace(base, name=BOX, body=replace(body, size_um=factor * setting.size_um)) for factor in BOX_FACTORS]
            if process == "cold-pressed":
                cases = contact_cases(setting.recipe)
                out += [replace(base, name=case.name, body=replace(body, recipe=case.recipe)) for case in cases]
    return out


def study_variants(setting: Setting) -> list[Variant]:
    """Return the bodies of the coarsest voxels for `study_parameters`, one task each, from the first seed."""
    coarse = replace(setting, voxel_nm=coarse_level(voxel_levels(setting.recipe, setting.voxel_nm)))
    return [
        Variant("ranges of the materials", coarse.body(process, setting.seeds[0]), setting.materials, setting.temperature_C)
        for process in ("co-fired", "cold-pressed")
    ]


def coarse_level(levels: Sequence[float]) -> float:
    """Return the voxel size [nm] of all extra solves, the coarsest."""
    return levels[-1]


@dataclass(frozen=True)
class ContactCase:
    """A recipe with other contacts, and the value of what was changed."""

    name: str
    parameter: str
    scale: str
    at: float
    recipe: Recipe


def contact_cases(recipe: Recipe) -> list[ContactCase]:
    """Return the recipes with fewer and more contacts, and with smaller and larger ones."""
    press, out = recipe.press, []
    neighbours = (max(press.coordination - COORDINATION_STEP, 0.5), min(press.coordination + COORDINATION_STEP, 12.0))
    work = (press.work_of_adhesion_J_per_m2 * ADHESION_LESS, min(press.work_of_adhesion_J_per_m2 * ADHESION_MORE, 10.0))
    for key, name, unit, scale, values in (
        ("coordination", "coordination", "", "linear", neighbours),
        ("work_of_adhesion_J_per_m2", "work of adhesion", " J/m2", "log", work),
    ):
        for at in values:
            changed = recipe.model_copy(update={"press": press.model_copy(update={key: at})})
            out.append(ContactCase(f"{name} {at:.3g}{unit}", name, scale, at, changed))
    return out


def select(rows: pd.DataFrame, variant: str, size_um: float, voxel_nm: float) -> pd.DataFrame:
    """Return the rows of one variant in one box with voxels of one size."""
    same = np.isclose(rows["size_um"], size_um) & np.isclose(rows["voxel_nm"], voxel_nm)
    return rows[(rows["variant"] == variant) & same]


def contact_study(rows: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Return the solves with other contacts in the form of `study_parameters`."""
    recipe = setting.recipe
    base = select(rows, VOXEL, setting.size_um, coarse_level(voxel_levels(recipe, setting.voxel_nm)))
    base = base[base["process"] == "cold-pressed"]
    cases = contact_cases(recipe)
    own = {"coordination": recipe.press.coordination, "work of adhesion": recipe.press.work_of_adhesion_J_per_m2}
    out = []
    for before in base.to_dict("records"):
        for name, at in own.items():
            ends = [case.at for case in cases if case.parameter == name]
            scale = next(case.scale for case in cases if case.parameter == name)
            common = {
                "process": before["process"], "seed": before["seed"], "carrier": before["carrier"], "parameter": name,
                "group": CONTACTS, "scale": scale, "low": min(ends), "high": max(ends),
            }  # fmt: skip
            out.append({**common, "at": at, "log_sigma": 0.0, "energy_eV": 0.0})
            for case in (case for case in cases if case.parameter == name):
                match = rows[rows["variant"] == case.name]
                match = match[(match["seed"] == before["seed"]) & (match["carrier"] == before["carrier"])]
                for after in match.to_dict("records"):
                    if before["sigma_mS_per_cm"] > 0.0 and after["sigma_mS_per_cm"] > 0.0:
                        change = math.log(after["sigma_mS_per_cm"] / before["sigma_mS_per_cm"])
                        shift = after["activation_energy_eV"] - before["activation_energy_eV"]
                        out.append({**common, "at": case.at, "log_sigma": change, "energy_eV": shift})
    return pd.DataFrame(out)
