"""Variants of the comparison: one body built and asked what it conducts under one or several sets of materials.

Waterfall, scenarios and error budget are lists of such variants; the solver answers them all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cofire.building import build
from kmc.axes import Boundary, own_boundary
from kmc.conduction import conduct, mean_activation_energy_eV
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from microstructures.materials import CARRIERS, Carrier, Materials
from microstructures.recipe import Recipe
from microstructures.units import mS_per_cm

Say = Callable[[str], Any]


@dataclass(frozen=True)
class Body:
    """A structure to build.

    Attributes
    ----------
    process : "cold-pressed" or "co-fired"
        What is done to the green body.
    seed : int
        Bodies of one seed are pairs: they come from the same powder.
    size_um, voxel_nm : float
        Edge of the green body [um] and of a voxel [nm].
    recipe : Recipe
        Powders, pressing and firing.
    """

    process: str
    seed: int
    size_um: float
    voxel_nm: float
    recipe: Recipe

    def of_seed(self, seed: int) -> Body:
        """Return the same body from another seed."""
        return replace(self, seed=seed)


@dataclass(frozen=True)
class Variant:
    """A body, and the materials it is asked with; several variants of one body are built once.

    Attributes
    ----------
    name : str
        What is different, as a reader calls it.
    body : Body
        The structure.
    materials : Materials
        What its phases, interfaces and films conduct.
    temperature_C : float
        Temperature [degC].
    carriers : tuple of "ion", "electron"
        Who is asked about.
    plates : bool
        Whether current enters through plates; the structure repeats otherwise.
    """

    name: str
    body: Body
    materials: Materials
    temperature_C: float = 60.0
    carriers: tuple[Carrier, ...] = CARRIERS
    plates: bool = False


def group_by_body(variants: Sequence[Variant]) -> list[tuple[Variant, ...]]:
    """Return the variants of each body, in the order in which the bodies first appear: one task of a pool each."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(repr(variant.body), []).append(variant)
    return [tuple(group) for group in groups.values()]


def run_variants(group: Sequence[Variant], say: Say = lambda text: None) -> list[dict[str, Any]]:
    """Build one body and solve its variants; mean of the three axes, one row for each variant and carrier.

    Parameters
    ----------
    group : sequence of Variant
        All of the same body.
    say : callable
        Told what is being done.

    Returns
    -------
    list of dict
        Keys `variant, process, seed, size_um, voxel_nm, boundary, carrier, temperature_C, sigma_mS_per_cm` (NaN if not
        converged, 0 without a path), `activation_energy_eV` (of ln(sigma); NaN where nothing flows), `outcome`.
    """
    body = group[0].body
    say(f"{group[0].name}, {body.process}, seed {body.seed}")
    structure = build(body.process, size_um=body.size_um, voxel_nm=body.voxel_nm, seed=body.seed, recipe=body.recipe)
    rows = []
    for variant in group:
        boundary: Boundary = "plates" if variant.plates else own_boundary(structure)
        network: Network | None = None
        for carrier in variant.carriers:
            network = build_network(
                structure if network is None else network.faces,
                variant.materials,
                carrier=carrier,
                temperature_C=variant.temperature_C,
            )
            rows.append({**_describe(variant, boundary, carrier), **_solve(network, boundary)})
    return rows


def _describe(variant: Variant, boundary: Boundary, carrier: Carrier) -> dict[str, Any]:
    body = variant.body
    return {
        "variant": variant.name,
        "process": body.process,
        "seed": body.seed,
        "size_um": body.size_um,
        "voxel_nm": body.voxel_nm,
        "boundary": boundary,
        "carrier": carrier,
        "temperature_C": variant.temperature_C,
    }


def _solve(network: Network, boundary: Boundary) -> dict[str, Any]:
    found = conduct(network, axis="all", boundary=boundary, keep_potential=True)
    sigma = mS_per_cm(found.mean_sigma_eff_S_per_m)
    lost = found.outcome is Outcome.NOT_CONVERGED
    return {
        "sigma_mS_per_cm": float("nan") if lost else sigma,
        "activation_energy_eV": mean_activation_energy_eV(network, found.solutions),
        "outcome": str(found.outcome),
    }
