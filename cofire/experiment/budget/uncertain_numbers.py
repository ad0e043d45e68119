"""The numbers of a materials file that are known within a range only: found, and replaced one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from microstructures.materials import Carrier, Materials
from microstructures.materials.schema import MaterialsFile

NUMBERS = ("conductivity_S_per_m", "area_specific_resistance_ohm_m2", "sheet_conductance_S")
ENERGIES = ("activation_energy_eV", "migration_barrier_eV")
Place = tuple[str, str, Carrier]


@dataclass(frozen=True)
class Uncertain:
    """One uncertain number of a materials file, or several that were fitted as one.

    Attributes
    ----------
    name : str
        What a reader calls it.
    places : tuple of (table, key, carrier)
        Where it stands; the first one holds `value`, the others keep their ratio to it.
    field : str
        Its name in the file.
    value, low, high : float
        Value and range, in the unit of the field.
    calibrated : bool
        Whether it was fitted to the co-fired body.
    """

    name: str
    places: tuple[Place, ...]
    field: str
    value: float
    low: float
    high: float
    calibrated: bool


def find_uncertain(materials: Materials, carrier: Carrier) -> tuple[Uncertain, ...]:
    """Return every number with a range that one carrier's conductances are made of.

    Calibrated films of one phase were fitted as one number and stay in their ratios. Left out are carrier densities (they set
    clocks only) and film thicknesses (only their ratio to the coating of the structure counts).

    Examples
    --------
    >>> from microstructures.materials import load_materials
    >>> [one.name for one in find_uncertain(load_materials(), "electron") if one.calibrated]
    ['LFP|LFP contact', 'film on LFP', 'film on LFP, Ea']
    """
    found: dict[str, Uncertain] = {}
    for table, key, entry in _entries(materials, carrier):
        for field in (*NUMBERS, *ENERGIES):
            value, source = getattr(entry, field, None), entry.source.get(field)
            if value is None or source is None or source.low is None or source.high is None or source.low >= source.high:
                continue
            fitted = source.status == "calibrated"
            name = f"film on {key.split('|')[0]}" if table == "films" and fitted else _NAMES[table].format(key)
            name += ", Ea" if field in ENERGIES else ""
            place = (table, key, carrier)
            if name in found:
                found[name] = replace(found[name], places=(*found[name].places, place))
            else:
                found[name] = Uncertain(name, (place,), field, float(value), source.low, source.high, fitted)
    return tuple(found.values())


_NAMES = {"phases": "{}", "interfaces": "{} interface", "contacts": "{} contact", "films": "film {}"}


def _entries(materials: Materials, carrier: Carrier) -> Iterator[tuple[str, str, Any]]:
    for table in _NAMES:
        for key, entry in getattr(materials.file, table).items():
            conductor = getattr(entry, carrier)
            if conductor is not None:
                yield table, key, conductor


def with_number(materials: Materials, number: Uncertain, value: float) -> Materials:
    """Return materials in which one uncertain number has another value; numbers fitted with it keep their ratio.

    Examples
    --------
    >>> from microstructures.materials import load_materials
    >>> film = next(one for one in find_uncertain(load_materials(), "electron") if one.name == "film on LFP")
    >>> with_number(load_materials(), film, 1e-6).film("LFP", "LFP", "electron").sheet_conductance_S
    2e-06
    """
    content = materials.to_dict()
    for table, key, carrier in number.places:
        entry = content[table][key][carrier]
        alone = len(number.places) == 1 or number.field in ENERGIES
        entry[number.field] = value if alone else entry[number.field] * value / number.value
    return Materials(file=MaterialsFile.model_validate(content), origin=materials.origin)
