"""The reaction layer between two phases: how thick, how much, how much of the contact it covers.

Layers may be made of voxels ("resolved") or be too thin for them and belong to pairs of grains ("thin").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.features import ThinShells
from microstructures.morphology.areas import Interfaces, measure_interfaces
from microstructures.morphology.grains import NO_PHASE, GrainCounts, count_grains, label_of_grains
from microstructures.morphology.layer_thickness import layer_thickness
from microstructures.structure import VoxelStructure
from microstructures.units import NM

DEFAULT = {"product": "LFTAP", "donor": "LFP", "host": "LATP"}
BINS = 20
Floats = NDArray[np.float64]


def interphase_statistics(
    structure: VoxelStructure,
    product: str | None = None,
    donor: str | None = None,
    host: str | None = None,
    *,
    interfaces: Interfaces | None = None,
    counts: GrainCounts | None = None,
) -> dict[str, Any]:
    """Return thickness, volume fraction and coverage of the interphase.

    The thickness of a layer of voxels is measured across it, where its surfaces to donor and host face each other and are
    parallel within 30 degrees (see `layer_thickness`), and weighted by area; if they do so nowhere, it is twice the volume
    over the layer's whole surface. Thin layers bring their thickness, weighted by the area between their grains.

    Coverage is the share of the contact between donor and host that bears a layer. Where most of the layer belongs to
    grains of donor and host, the contact is where those grains meet, so that a layer on both sides counts once; otherwise
    it is donor|product over donor|product + donor|host. Layers that belong to the host's grains alone say nothing about the
    donor's side: its share is then that of the recipe, if there is one.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure.
    product, donor, host : str, optional
        Names of the phases; those of the structure's thin shells or recipe, or else LFTAP, LFP and LATP, unless given.
    interfaces : Interfaces, optional
        Its interfaces, if they were measured before.
    counts : GrainCounts, optional
        Its grains, if they were counted before.

    Returns
    -------
    dict
        `representation` ("resolved" or "thin"), `thickness_nm_mean`, `thickness_nm_standard_deviation`,
        `thickness_nm_p05`, `thickness_nm_p50`, `thickness_nm_p95`, `thickness_distribution` with `edges_nm` and `share` of
        the area, `samples`, `volume_fraction`, `coverage`, `donor_side_fraction` (None where grains do not tell),
        `voxels_across`. Empty where the structure has no interphase.
    """
    names = _names(structure, product, donor, host)
    labels = {name: label for label, name in structure.phases.items()}
    if names["donor"] not in labels:
        return {}
    present = counts or count_grains(structure)
    if names["product"] in labels and (present.labels == labels[names["product"]]).any():
        codes = labels[names["product"]], labels[names["donor"]], labels.get(names["host"], -1)
        return _resolved(structure, *codes, interfaces or measure_interfaces(structure), present)
    shells = structure.shells
    if shells is not None and len(shells) and names["host"] in labels and shells.product == names["product"]:
        known = interfaces or measure_interfaces(structure)
        return _thin(structure, shells, labels[shells.donor], labels[shells.host], known)
    return {}


def _names(structure: VoxelStructure, product: str | None, donor: str | None, host: str | None) -> dict[str, str]:
    """Return the names given, or those of the thin shells, of the recipe, or of LFP and LATP."""
    recipe = _recipe(structure)
    found = {**DEFAULT, **{key: str(recipe[key]) for key in DEFAULT if key in recipe}}
    if structure.shells is not None:
        found.update({key: getattr(structure.shells, key) for key in DEFAULT})
    found.update({key: name for key, name in (("product", product), ("donor", donor), ("host", host)) if name is not None})
    return found


def _recipe(structure: VoxelStructure) -> Mapping[str, Any]:
    """Return what the structure's recipe says about the interphase, of an image or of firing."""
    recipe: Any = structure.recipe.get("interphase")
    if recipe is None and isinstance(structure.recipe.get("fire"), Mapping):
        recipe = structure.recipe["fire"].get("interphase")
    return recipe if isinstance(recipe, Mapping) else {}


def _resolved(
    structure: VoxelStructure, product: int, donor: int, host: int, interfaces: Interfaces, counts: GrainCounts
) -> dict[str, Any]:
    layer_volume = int((structure.labels == product).sum()) * float(np.prod(structure.voxel_size))
    thickness, weight = layer_thickness(structure.labels, product, donor, host, structure.voxel_size, structure.periodic)
    samples = len(thickness)
    if samples == 0:
        surface = interfaces.area[(interfaces.labels == product).sum(axis=1) == 1].sum()
        whole = float(np.prod(np.array(structure.shape) * structure.voxel_size))
        thickness = np.array([2.0 * layer_volume / surface if surface > 0.0 else whole ** (1.0 / 3.0)])
        weight = np.ones(1)
    donor_side: float | None
    grown = _grown_sides(structure, product, donor, host, counts)
    if grown is None:
        covered = float(interfaces.area[interfaces.of(donor, product)].sum())
        bare = float(interfaces.area[interfaces.of(donor, host)].sum())
        donor_side = None
    else:
        donor_side, before = grown
        if donor_side == 0.0:
            donor_side = float(_recipe(structure).get("donor_share", 0.0))
        contact = measure_interfaces(structure, facing=before, between=(donor, host))
        reacted = (contact.labels == product).any(axis=1)
        covered, bare = float(contact.area[reacted].sum()), float(contact.area[~reacted].sum())
    return {
        "representation": "resolved",
        **_distribution(thickness, weight),
        "samples": samples,
        "volume_fraction": layer_volume / (structure.labels.size * float(np.prod(structure.voxel_size))),
        "coverage": covered / (covered + bare) if covered + bare > 0.0 else 0.0,
        "donor_side_fraction": donor_side,
        "voxels_across": float(np.average(thickness, weights=weight)) / float(np.mean(structure.voxel_size)),
    }


def _grown_sides(
    structure: VoxelStructure, product: int, donor: int, host: int, counts: GrainCounts
) -> tuple[float, NDArray[np.uint8]] | None:
    """Return the share of the layer in grains of the donor, and the labels before it grew.

    None where most of the layer lies in no grain of either phase.
    """
    ids, of_grain = label_of_grains(structure, counts, product=product)
    if structure.grains is None or len(ids) == 0:
        return None
    voxels = counts.voxels[:, counts.labels == product].sum(axis=1)
    in_donor, in_host = int(voxels[of_grain == donor].sum()), int(voxels[of_grain == host].sum())
    if 2 * (in_donor + in_host) < int((structure.labels == product).sum()):
        return None
    before = np.array(structure.labels)
    layer = before == product
    at = np.searchsorted(ids, structure.grains[layer])
    at[at == len(ids)] = 0
    was = np.where((ids[at] == structure.grains[layer]) & (of_grain[at] != NO_PHASE), of_grain[at], product)
    before[layer] = was.astype(np.uint8)
    return in_donor / (in_donor + in_host), before


def _thin(structure: VoxelStructure, shells: ThinShells, donor: int, host: int, interfaces: Interfaces) -> dict[str, Any]:
    between = interfaces.of(donor, host)
    donor_first = interfaces.labels[between, 0] == donor
    pairs = np.where(donor_first[:, None], interfaces.grains[between], interfaces.grains[between][:, ::-1])
    area = interfaces.area[between]
    many = structure.n_grains + 1
    listed = shells.grains[:, 0].astype(np.int64) * many + shells.grains[:, 1]
    order = np.argsort(listed, kind="stable")
    keys = pairs[:, 0] * many + pairs[:, 1]
    at = order[np.minimum(np.searchsorted(listed[order], keys), len(order) - 1)]
    covered = (listed[at] == keys) & (shells.thickness[at] > 0.0)
    weight, thickness = area[covered], shells.thickness[at[covered]]
    if len(weight) == 0 or weight.sum() <= 0.0:
        return {}
    volume = structure.labels.size * float(np.prod(structure.voxel_size))
    return {
        "representation": "thin",
        **_distribution(thickness, weight),
        "samples": len(weight),
        "volume_fraction": float(weight @ thickness) / volume,
        "coverage": float(weight.sum() / area.sum()),
        "donor_side_fraction": float(shells.donor_share),
        "voxels_across": float(np.average(thickness, weights=weight)) / float(np.mean(structure.voxel_size)),
    }


def _distribution(thickness: Floats, weight: Floats) -> dict[str, Any]:
    """Return mean, spread, percentiles and histogram by area, in nm."""
    order = np.argsort(thickness, kind="stable")
    nm, share = thickness[order] / NM, weight[order] / weight.sum()
    below = np.cumsum(share) - 0.5 * share
    p05, p50, p95 = np.interp((0.05, 0.50, 0.95), below, nm)
    mean = float(share @ nm)
    edges = np.linspace(0.0, 2.0 * mean, BINS + 1)
    histogram = np.histogram(np.minimum(nm, edges[-1]), bins=edges, weights=share)[0]
    return {
        "thickness_nm_mean": mean,
        "thickness_nm_standard_deviation": float(np.sqrt(max(float(share @ (nm - mean) ** 2), 0.0))),
        "thickness_nm_p05": float(p05),
        "thickness_nm_p50": float(p50),
        "thickness_nm_p95": float(p95),
        "thickness_distribution": {"edges_nm": edges.tolist(), "share": histogram.tolist()},
    }
