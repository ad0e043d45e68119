"""Everything that is measured of a structure, as plain values."""

from __future__ import annotations

from typing import Any

from microstructures.morphology.areas import interface_areas, measure_interfaces, raw_interface_areas
from microstructures.morphology.chords import chord_statistics
from microstructures.morphology.contacts import contact_statistics, neighbour_statistics
from microstructures.morphology.fractions import relative_density, volume_fractions
from microstructures.morphology.grains import count_grains, grain_sizes_um
from microstructures.morphology.interphase import interphase_statistics
from microstructures.morphology.pores import porosity
from microstructures.morphology.representative import representative_volumes
from microstructures.morphology.two_point import correlate_phases, two_point_statistics
from microstructures.structure import VoxelStructure


def describe(structure: VoxelStructure, *, two_point: bool = True) -> dict[str, Any]:
    """Measure a structure and return plain values: the JSON of `cofire info`.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure.
    two_point : bool
        Whether to add two-point statistics, the representative volumes that follow from them, and the distributions of
        chords: as much work again, and long lists.

    Returns
    -------
    dict
        Numbers, strings, lists and dictionaries. `contacts` only for a structure with a list of point contacts,
        `neighbours` only for one with grains and without that list.

    Examples
    --------
    >>> import numpy as np
    >>> found = describe(VoxelStructure.from_labels(np.ones((4, 4, 4), int), voxel_nm=25, phases={1: "LFP"}))
    >>> found["volume_fraction"], found["relative_density"], found["porosity"]["open"]
    ({'LFP': 1.0}, 1.0, 0.0)
    """
    counts = count_grains(structure)
    interfaces = measure_interfaces(structure)
    out: dict[str, Any] = {
        "process": structure.process,
        "seed": structure.seed,
        "shape": list(structure.shape),
        "voxel_nm": structure.voxel_nm[0] if len(set(structure.voxel_nm)) == 1 else list(structure.voxel_nm),
        "size_um": list(structure.edges_um),
        "periodic": all(structure.periodic),
        "volume_fraction": volume_fractions(structure),
        "relative_density": relative_density(structure),
        "porosity": porosity(structure),
        "grains": structure.n_grains,
        "grain_diameter_um": grain_sizes_um(structure, counts),
        "interphase": interphase_statistics(structure, interfaces=interfaces, counts=counts),
        "interface_area_per_volume_per_um": interface_areas(structure, interfaces),
        "interface_area_raw_per_volume_per_um": raw_interface_areas(structure, interfaces),
        "chords": chord_statistics(structure, distributions=two_point),
    }
    contacts = contact_statistics(structure, counts)
    if contacts:
        out["contacts"] = contacts
    neighbours = neighbour_statistics(structure, interfaces, counts)
    if neighbours:
        out["neighbours"] = neighbours
    if two_point:
        curves = correlate_phases(structure)
        out["two_point"] = two_point_statistics(structure, curves)
        out["representative_volume"] = representative_volumes(structure, curves)
    return out
