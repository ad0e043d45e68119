"""Scenarios: what nobody has measured, changed one at a time, and what the bodies would then conduct.

Levels that a recipe or the materials already have are not computed again: they are the base. What comes of it is gathered in
`cofire.experiment.scenarios.scenario_table`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cofire.building import PROCESSES
from cofire.calibration.materials import FILM_BEARER
from cofire.experiment.setting import Setting
from cofire.experiment.variants import Body, Variant
from microstructures.firing.interphase import RESOLVED_ABOVE_VOXELS
from microstructures.materials import CARRIERS, Carrier, Materials
from microstructures.materials.schema import MaterialsFile
from microstructures.recipe import Recipe
from microstructures.units import mS_per_cm

BASE = "base"
FIRED = ("co-fired",)
LFTAP_S_PER_M = (4.6e-4, 1.0e-2, 0.1, 0.82)
"""Conductivities of LFTAP; the outer two give way to the range in the materials file."""
SHELL_NM, NARROW = (40.0, 70.0, 100.0), 1.05
"""Thicknesses of the shell; its 5th and 95th percentiles are the thickness over and times `NARROW`."""
COVERAGES = (0.5, 0.75, 1.0)
DENSITIES = (0.55, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Below the density of the pressed body a fired one has no necks; such levels are left out."""
LFP_FRACTIONS = (0.3, 0.4, 0.5, 0.6, 0.7)
GRAIN_SIZES = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Scenario:
    """One thing changed.

    Attributes
    ----------
    group, label : str
        What is changed, and to what, with its unit.
    recipe : Recipe
        How the bodies are made.
    materials : Materials
        What they are asked with.
    processes : tuple of str
        In which bodies it matters.
    carriers : tuple of "ion", "electron"
        To whom it matters.
    scale : float
        Factor on box and voxels.
    """

    group: str
    label: str
    recipe: Recipe
    materials: Materials = field(repr=False)
    processes: tuple[str, ...] = PROCESSES
    carriers: tuple[Carrier, ...] = CARRIERS
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Return the name of its variants, ``"group: label"``."""
        return f"{self.group}: {self.label}" if self.label else self.group


def find_scenarios(recipe: Recipe, materials: Materials) -> list[Scenario]:
    """Return the base and every scenario that applies to a recipe and its materials.

    Examples
    --------
    >>> from microstructures.materials import load_materials
    >>> find_scenarios(Recipe(), load_materials())[1].name
    'LFTAP conductivity (base 1 mS/cm): 0.0046 mS/cm'
    """
    base = Scenario(BASE, "", recipe, materials)
    return [
        base,
        *_product_conductivities(recipe, materials),
        *_carbon(recipe, materials),
        *_shells(recipe, materials),
        *_densities(recipe, materials),
        *_compositions(recipe, materials),
        *_grain_sizes(recipe, materials),
    ]


def scenario_variants(setting: Setting) -> list[Variant]:
    """Return the base and all scenarios as variants, each only in the processes and for the carriers it matters to.

    Parameters
    ----------
    setting : Setting
        The base. Box and voxels are scaled with the grains where their size is changed.

    Returns
    -------
    list of Variant
        Of one body those that differ in the materials share it (`group_by_body`). Where the base has a thin interphase, in
        these voxels, all have: layers of one or two voxels conduct too little, which is not to pass for a change.
    """
    recipe, thin = setting.recipe, _is_thin(setting.recipe, setting.voxel_nm)

    def recipe_of(scenario: Scenario) -> Recipe:
        if scenario.recipe is recipe or scenario.recipe.fire.interphase is None or not thin:
            return scenario.recipe
        return changed_recipe(scenario.recipe, fire={"interphase": {"representation": "thin"}})

    return [
        Variant(
            scenario.name,
            Body(process, seed, setting.size_um * scenario.scale, setting.voxel_nm * scenario.scale, recipe_of(scenario)),
            scenario.materials,
            setting.temperature_C,
            scenario.carriers,
        )
        for seed in setting.seeds
        for scenario in find_scenarios(recipe, setting.materials)
        for process in scenario.processes
    ]


def _is_thin(recipe: Recipe, voxel_nm: float) -> bool:
    """Return whether the interphase of a recipe is thin against a voxel (`microstructures.firing.interphase`)."""
    interphase = recipe.fire.interphase
    if interphase is None or interphase.representation != "auto":
        return interphase is not None and interphase.representation == "thin"
    median_nm = interphase.growth(recipe.fire.temperature_C, recipe.fire.hours) * interphase.median_nm
    return median_nm < RESOLVED_ABOVE_VOXELS * voxel_nm


def _product_conductivities(recipe: Recipe, materials: Materials) -> list[Scenario]:
    """Return the conductivities of the interphase for ions: the range of the file, and decades between."""
    interphase = recipe.fire.interphase
    if interphase is None or interphase.product not in materials.file.phases:
        return []
    ion = materials.file.phases[interphase.product].ion
    if ion is None or ion.conductivity_S_per_m is None:
        return []
    known = ion.source.get("conductivity_S_per_m")
    low, *between, high = LFTAP_S_PER_M
    low = known.low if known and known.low else low
    high = known.high if known and known.high else high
    group = f"{interphase.product} conductivity (base {mS_per_cm(ion.conductivity_S_per_m):g} mS/cm)"
    found = []
    for value in _others((low, *between, high), ion.conductivity_S_per_m):

        def change(table: dict[str, Any], value: float = value) -> None:
            table["phases"][interphase.product]["ion"]["conductivity_S_per_m"] = value

        label = f"{mS_per_cm(value):g} mS/cm"
        found.append(Scenario(group, label, recipe, changed_materials(materials, change), FIRED, ("ion",)))
    return found


def _carbon(recipe: Recipe, materials: Materials) -> list[Scenario]:
    """Return what becomes of the carbon between donor and host: kept although they reacted, or lost although they did not.

    Carbon that survives the reaction is that of a body that did not react, asked about electrons only: the interphase itself
    conducts four decades less than a film. This holds for layers of voxels and for thin ones alike.
    """
    interphase = recipe.fire.interphase
    if interphase is None:
        return []
    found, group = [], f"carbon at {interphase.donor}|{interphase.host} (base: lost where they reacted)"
    pair = f"{interphase.donor}|{interphase.host}"
    if f"{interphase.donor}|{interphase.product}" not in materials.file.films and pair in materials.file.films:
        bare = changed_recipe(recipe, fire={"interphase": None})
        found.append(Scenario(group, "kept everywhere", bare, materials, FIRED, ("electron",)))
    if pair in materials.file.films:
        without = changed_materials(materials, lambda table: table["films"].pop(pair))
        found.append(Scenario(group, "lost everywhere", recipe, without, FIRED, ("electron",)))
    return found


def _shells(recipe: Recipe, materials: Materials) -> list[Scenario]:
    interphase = recipe.fire.interphase
    if interphase is None:
        return []
    growth = interphase.growth(recipe.fire.temperature_C, recipe.fire.hours)
    middle = f"{growth * interphase.thickness_p05_nm:.3g} to {growth * interphase.thickness_p95_nm:.3g} nm"
    found = []
    for thickness in SHELL_NM:
        ends = {"thickness_p05_nm": thickness / growth / NARROW, "thickness_p95_nm": thickness / growth * NARROW}
        other = changed_recipe(recipe, fire={"interphase": ends})
        found.append(Scenario(f"shell thickness (base {middle})", f"{thickness:g} nm", other, materials, FIRED))
    for coverage in _others(COVERAGES, interphase.coverage):
        other = changed_recipe(recipe, fire={"interphase": {"coverage": coverage}})
        group = f"shell coverage (base {100.0 * interphase.coverage:g} %)"
        found.append(Scenario(group, f"{100.0 * coverage:g} %", other, materials, FIRED))
    return found


def _densities(recipe: Recipe, materials: Materials) -> list[Scenario]:
    group = f"density after firing (base {100.0 * recipe.fire.relative_density:g} %)"
    return [
        Scenario(group, f"{100.0 * value:g} %", changed_recipe(recipe, fire={"relative_density": value}), materials, FIRED)
        for value in _others(DENSITIES, recipe.fire.relative_density)
        if value >= recipe.press.relative_density
    ]


def _compositions(recipe: Recipe, materials: Materials) -> list[Scenario]:
    """Return other shares of LFP in the solid volume; the other powders keep their ratios."""
    shares = recipe.solid_fractions()
    if len(shares) < 2 or FILM_BEARER not in shares:
        return []
    base = shares[FILM_BEARER]
    found = []
    for value in _others(LFP_FRACTIONS, base):
        volumes = {name: share * (1.0 - value) / (1.0 - base) for name, share in shares.items()} | {FILM_BEARER: value}
        masses = {name: volume * recipe.powders[name].density_g_per_cm3 for name, volume in volumes.items()}
        total = sum(masses.values())
        powders = {name: {"mass_fraction": mass / total} for name, mass in masses.items()}
        group = f"{FILM_BEARER} in the solid volume (base {100.0 * base:.3g} %)"
        found.append(Scenario(group, f"{100.0 * value:g} %", changed_recipe(recipe, powders=powders), materials))
    return found


def _grain_sizes(recipe: Recipe, materials: Materials) -> list[Scenario]:
    """Return finer and coarser powders: the same packing in a smaller or larger box, so that it differs in nothing else."""
    found = []
    for factor in _others(GRAIN_SIZES, 1.0):
        powders = {}
        for name, powder in recipe.powders.items():
            powders[name] = {"median_diameter_nm": powder.median_diameter_nm * factor}
            if powder.agglomerates is not None:
                powders[name]["agglomerates"] = {"diameter_nm": powder.agglomerates.diameter_nm * factor}  # type: ignore[assignment]
        rounding = {"pore_rounding_nm": recipe.fire.pore_rounding_nm * factor}
        other = changed_recipe(recipe, powders=powders, fire=rounding)
        sizes = ", ".join(f"{name} {powder.median_diameter_nm:g} nm" for name, powder in recipe.powders.items())
        found.append(Scenario(f"powder diameter (base {sizes})", f"x {factor:g}", other, materials, scale=factor))
    return found


def _others(levels: Sequence[float], base: float) -> list[float]:
    return [value for value in levels if not math.isclose(value, base, rel_tol=1e-6)]


def changed_recipe(recipe: Recipe, **changes: Any) -> Recipe:
    """Return a recipe with values replaced, table by table, and checked again.

    Examples
    --------
    >>> changed_recipe(Recipe(), press={"coordination": 5.0}).press.coordination
    5.0
    """

    def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        nested = {key: merged(old[key], value) if isinstance(value, dict) else value for key, value in new.items()}
        return {**old, **nested}

    return Recipe.model_validate(merged(recipe.model_dump(), changes))


def changed_materials(materials: Materials, change: Callable[[dict[str, Any]], Any]) -> Materials:
    """Return materials after `change` has been at work on their plain values; they are checked again."""
    table = materials.to_dict()
    change(table)
    return Materials(file=MaterialsFile.model_validate(table), origin=materials.origin)
