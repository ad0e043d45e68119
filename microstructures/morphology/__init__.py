"""Measure a structure: fractions, pores, grains, interfaces, the interphase, contacts, chords, two-point statistics."""

from __future__ import annotations

from microstructures.morphology.areas import Interfaces, interface_areas, measure_interfaces, raw_interface_areas
from microstructures.morphology.chords import chord_statistics, count_chords
from microstructures.morphology.contacts import contact_statistics, neighbour_statistics
from microstructures.morphology.description import describe
from microstructures.morphology.fractions import PORE, relative_density, volume_fractions
from microstructures.morphology.grains import grain_sizes_um, label_of_grains
from microstructures.morphology.interphase import interphase_statistics
from microstructures.morphology.pores import porosity
from microstructures.morphology.representative import representative_volumes
from microstructures.morphology.two_point import Correlation, correlate_phases, two_point_statistics

__all__ = [
    "PORE",
    "Correlation",
    "Interfaces",
    "chord_statistics",
    "contact_statistics",
    "correlate_phases",
    "count_chords",
    "describe",
    "grain_sizes_um",
    "interface_areas",
    "interphase_statistics",
    "label_of_grains",
    "measure_interfaces",
    "neighbour_statistics",
    "porosity",
    "raw_interface_areas",
    "relative_density",
    "representative_volumes",
    "two_point_statistics",
    "volume_fractions",
]
