"""Cold-pressed bodies, pressed once and then changed: adhesion, coordination, contact resistance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cofire.calibration.materials import BOUNDARY_PAIR, FILM_BEARER
from cofire.experiment.scenarios.scenarios import changed_materials, changed_recipe
from cofire.experiment.setting import Setting
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.faces import FaceTable
from kmc.interfaces import resistance_ohm_m2
from kmc.network import build_network
from kmc.outcomes import Outcome
from kmc.rates import arrhenius
from microstructures.materials import Carrier, Materials
from microstructures.pressing.press import GreenBody, cold_press, press_powders
from microstructures.recipe import Recipe
from microstructures.units import NM, mS_per_cm

RATIO = 1000.0
BARRIERS_EV = (0.40, 0.475, 0.55)
"""Activation energies of an unsintered LATP|LATP contact that are tried."""
PAIRS: dict[Carrier, str] = {"ion": BOUNDARY_PAIR, "electron": f"{FILM_BEARER}|{FILM_BEARER}"}
Change = Literal["contact radius", "coordination", "contact resistance"]
START_OHM_M2 = 1.0e-7
WEAKEST_J_PER_M2, STRONGEST_J_PER_M2, LARGEST_OHM_M2 = 1.0e-6, 10.0, 1.0e3
FEWEST_CONTACTS, MOST_CONTACTS = 0.5, 8.0
"""Limits of the search: work of adhesion, contact resistance, coordination (8: more than packings of spheres have)."""
Say = Callable[[str], Any]


@dataclass(frozen=True)
class Gap:
    """One change to be found; a task of a pool.

    Attributes
    ----------
    carrier : "ion" or "electron"
        Whose conductivities are compared.
    change : "contact radius", "coordination" or "contact resistance"
        What of the cold body is changed.
    setting : Setting
        The base.
    fired : dict of int to float
        Conductivity [mS/cm] of the co-fired body of every seed.
    ratio : float
        What fired over cold, a geometric mean over seeds, is to be.
    """

    carrier: Carrier
    change: Change
    setting: Setting
    fired: dict[int, float]
    ratio: float = RATIO


@dataclass(frozen=True)
class Point:
    """What the cold bodies do after one change: shapes (n_seeds,), energies (n_barriers, n_seeds)."""

    sigma_mS_per_cm: NDArray[np.float64]
    energies_eV: NDArray[np.float64]
    radius_nm: float


class ColdBodies:
    """The cold bodies of all seeds, pressed once, under changes."""

    def __init__(self, gap: Gap, say: Say) -> None:
        """Press the green bodies of a task."""
        self.gap, self.say, self.solves = gap, say, 0
        self.materials = _about(gap.setting.materials, gap.carrier)
        self.greens: list[GreenBody] = []
        for seed in gap.fired:
            self.greens.append(press_powders(size_um=gap.setting.size_um, recipe=gap.setting.recipe, seed=seed))
        self.kept: dict[int, tuple[float, FaceTable]] = {}
        reference = gap.setting.materials.reference_temperature_C
        a, _, b = PAIRS[gap.carrier].partition("|")
        present = a in gap.setting.materials.file.phases
        sintered = gap.setting.materials.interface(a, b, gap.carrier) if present else None
        pressed = gap.setting.materials.contact(a, b, gap.carrier) if present else None
        self.sintered_ohm_m2 = resistance_ohm_m2(sintered, gap.setting.temperature_C, reference)
        self.contact_ohm_m2 = resistance_ohm_m2(pressed, gap.setting.temperature_C, reference)
        resists = gap.change == "contact resistance"
        own = None if pressed is None else pressed.activation_energy_eV
        self.barriers_eV: tuple[float, ...] = (math.nan,)
        if resists:
            self.barriers_eV = BARRIERS_EV if gap.carrier == "ion" else (own or 0.0,)

    @property
    def limits(self) -> tuple[float, float, float]:
        """Return where the search starts, and its lower and upper limit."""
        if self.gap.change == "contact resistance":
            start = self.contact_ohm_m2 or START_OHM_M2
            return start, 1e-6 * start, max(LARGEST_OHM_M2, 1e3 * start)
        press = self.gap.setting.recipe.press
        if self.gap.change == "coordination":
            return press.coordination, min(FEWEST_CONTACTS, press.coordination), max(MOST_CONTACTS, press.coordination)
        return press.work_of_adhesion_J_per_m2, WEAKEST_J_PER_M2, STRONGEST_J_PER_M2

    def at_base(self) -> Point:
        """Return what the bodies do as they are."""
        return self._ask(self.gap.setting.recipe, [self.materials])

    def at(self, value: float) -> Point:
        """Return what the bodies do with one value changed: work of adhesion, coordination or contact resistance."""
        if self.gap.change == "contact radius":
            return self._ask(
                changed_recipe(self.gap.setting.recipe, press={"work_of_adhesion_J_per_m2": value}), [self.materials]
            )
        if self.gap.change == "coordination":
            return self._ask(changed_recipe(self.gap.setting.recipe, press={"coordination": value}), [self.materials])
        return self._ask(self.gap.setting.recipe, [self._resisting(value, barrier) for barrier in self.barriers_eV])

    def _resisting(self, resistance: float, barrier_eV: float) -> Materials:
        """Return materials whose contacts have a resistance [ohm m2] at the temperature of the task, and a barrier."""
        gap = self.gap
        at_reference = resistance * arrhenius(
            barrier_eV, gap.setting.temperature_C, gap.setting.materials.reference_temperature_C
        )
        pair = PAIRS[gap.carrier]

        def change(table: dict[str, Any]) -> None:
            contact = {"area_specific_resistance_ohm_m2": at_reference, "activation_energy_eV": barrier_eV}
            table.setdefault("contacts", {}).setdefault(pair, {})[gap.carrier] = contact

        return changed_materials(self.materials, change)

    def _ask(self, recipe: Recipe, materials: Sequence[Materials]) -> Point:
        """Solve all bodies with the first of the materials; the others differ in activation energies only."""
        gap, sigma, radii = self.gap, [], []
        energies: list[list[float]] = []
        self.solves += 1
        for k, green in enumerate(self.greens):
            self.say(f"closing the gap by {gap.change}, {gap.carrier}, seed {green.seed}: step {self.solves}")
            radius, faces = self._press(k, green, recipe)
            radii.append(radius)
            network = build_network(faces, materials[0], carrier=gap.carrier, temperature_C=gap.setting.temperature_C)
            result = conduct(network, axis="all", boundary="periodic", keep_potential=True)
            lost = result.outcome is Outcome.NOT_CONVERGED
            sigma.append(math.nan if lost else mS_per_cm(result.mean_sigma_eff_S_per_m))
            own = []
            for known in materials:
                other = build_network(faces, known, carrier=gap.carrier, temperature_C=gap.setting.temperature_C)
                own.append(mean_activation_energy_eV(other, result.solutions))
            energies.append(own)
        return Point(np.array(sigma), np.array(energies).T, float(np.mean(radii)))

    def _press(self, k: int, green: GreenBody, recipe: Recipe) -> tuple[float, FaceTable]:
        """Return the mean radius of contacts [nm] of a pressed body and its sorted faces; those of the base may be kept."""
        keep = recipe is self.gap.setting.recipe and self.gap.change == "contact resistance"
        if keep and k in self.kept:
            return self.kept[k]
        structure = cold_press(voxel_nm=self.gap.setting.voxel_nm, green=replace(green, recipe=recipe))
        network = build_network(
            structure, self.materials, carrier=self.gap.carrier, temperature_C=self.gap.setting.temperature_C
        )
        assert structure.contacts is not None
        pressed = float(structure.contacts.radius.mean()) / NM, network.faces
        if keep:
            self.kept[k] = pressed
        return pressed


def _about(materials: Materials, carrier: Carrier) -> Materials:
    """Return materials without the films that do not concern a carrier: finding out where films run takes long."""

    def change(table: dict[str, Any]) -> None:
        table["films"] = {key: film for key, film in table.get("films", {}).items() if carrier in film}

    return changed_materials(materials, change)
