"""Materials as data: barriers, conductivities, resistances and films, each with its source."""

from microstructures.materials.library import (
    DEFAULT_MATERIALS,
    PORE,
    Materials,
    load_materials,
    parse_materials,
    shipped_materials,
)
from microstructures.materials.schema import CARRIERS, Carrier, Conductor, FilmConductor, InterfaceConductor, Provenance

__all__ = [
    "CARRIERS",
    "DEFAULT_MATERIALS",
    "PORE",
    "Carrier",
    "Conductor",
    "FilmConductor",
    "InterfaceConductor",
    "Materials",
    "Provenance",
    "load_materials",
    "parse_materials",
    "shipped_materials",
]
