"""Read a materials file, or one that ships with the program, and answer what it says about phases and interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from microstructures.errors import MaterialsError, did_you_mean
from microstructures.materials.schema import (
    Carrier,
    Conductor,
    FilmConductor,
    Interface,
    InterfaceConductor,
    MaterialsFile,
    Orientation,
    Phase,
)
from microstructures.notebook import InNotebook
from microstructures.origin import refuse_newer
from microstructures.toml_file import parse_toml, read_toml
from microstructures.wrong_value import wrong_value

PORE = "pore"
DEFAULT_MATERIALS = "lfp-latp"
SCHEMA = 1


@dataclass(frozen=True)
class Materials(InNotebook):
    """What every phase, interface, point contact and film conducts.

    Attributes
    ----------
    file : MaterialsFile
        The validated file.
    origin : str
        Its path, or the name under which it ships.
    """

    file: MaterialsFile
    origin: str

    @property
    def name(self) -> str:
        """Return the name the file gives itself."""
        return self.file.name

    @property
    def reference_temperature_C(self) -> float:
        """Return the temperature [degC] at which conductivities and resistances are given."""
        return self.file.reference_temperature_C

    def names_by_label(self) -> dict[int, str]:
        """Return the phase name of each label; label 0 is pore unless the file says otherwise."""
        names = {phase.label: name for name, phase in self.file.phases.items()}
        if PORE not in self.file.phases:
            names.setdefault(0, PORE)
        return names

    def phase(self, name: str) -> Phase:
        """Return a phase; a pore that the file does not mention conducts nothing.

        Raises
        ------
        MaterialsError
            If the file does not know the phase.
        """
        if name in self.file.phases:
            return self.file.phases[name]
        if name == PORE:
            return Phase(label=0)
        raise MaterialsError(f"phase '{name}' is not in the materials file {self.origin}{did_you_mean(name, self.file.phases)}")

    def conductor(self, name: str, carrier: Carrier) -> Conductor | None:
        """Return how a phase conducts a carrier, or None where it does not."""
        conductor: Conductor | None = getattr(self.phase(name), carrier)
        return conductor

    def orientation(self, name: str) -> Orientation | None:
        """Return where the crystal axes of a phase point, or None where it is isotropic for both carriers."""
        return self.phase(name).orientation

    def interface(self, a: str, b: str, carrier: Carrier) -> InterfaceConductor | None:
        """Return the sintered interface a|b (a|a: the grain boundary), the default interface, or None."""
        return _lookup(self.file.interfaces, a, b, carrier)

    def contact(self, a: str, b: str, carrier: Carrier) -> InterfaceConductor | None:
        """Return the point contact a|b of a pressed powder; where none is given, the sintered interface."""
        return _lookup(self.file.contacts, a, b, carrier) or self.interface(a, b, carrier)

    def film(self, bearer: str, neighbour: str, carrier: Carrier) -> FilmConductor | None:
        """Return the film that `bearer` carries towards `neighbour`, or None."""
        film = self.file.films.get(f"{bearer}|{neighbour}")
        found: FilmConductor | None = None if film is None else getattr(film, carrier)
        return found

    def film_pairs(self) -> list[tuple[str, str]]:
        """Return every (bearer, neighbour) pair that has a film, in the order of the file."""
        return [(bearer, neighbour) for bearer, _, neighbour in (key.partition("|") for key in self.file.films)]

    def to_dict(self) -> dict[str, Any]:
        """Return the whole file as plain values."""
        return self.file.model_dump(by_alias=True, exclude_none=True)


def _lookup(table: dict[str, Interface], a: str, b: str, carrier: Carrier) -> InterfaceConductor | None:
    for key in (f"{a}|{b}", f"{b}|{a}", "default"):
        if key in table:
            found: InterfaceConductor | None = getattr(table[key], carrier)
            if found is not None:
                return found
    return None


def shipped_materials() -> dict[str, Any]:
    """Return the names of the materials files that ship with the program, and where they are."""
    folder = resources.files("microstructures.materials")
    return {entry.name.removesuffix(".toml"): entry for entry in folder.iterdir() if entry.name.endswith(".toml")}


def load_materials(source: str | Path | None = None) -> Materials:
    """Read and check a materials file.

    Parameters
    ----------
    source : path or name, optional
        A TOML file, or the name of a shipped one; `lfp-latp` unless given.

    Raises
    ------
    MaterialsError
        If the file is absent, is no TOML, or breaks the form; one line says where and what to do.

    Examples
    --------
    >>> load_materials("lfp-latp").name
    'lfp-latp'
    """
    if source is None or (isinstance(source, str) and source in shipped_materials()):
        return _shipped(str(source or DEFAULT_MATERIALS))
    remedy = f"give a TOML file, or one of those that ship: {', '.join(shipped_materials())}"
    return materials_of(read_toml(source, "materials file", MaterialsError, remedy=remedy), str(Path(source).expanduser()))


@lru_cache
def _shipped(name: str) -> Materials:
    return parse_materials(shipped_materials()[name].read_bytes(), name)


def parse_materials(content: bytes, origin: str) -> Materials:
    """Check the bytes of a materials file; `origin` names it in messages."""
    return materials_of(parse_toml(content, origin, MaterialsError), origin)


def materials_of(table: Mapping[str, Any], origin: str) -> Materials:
    """Check the tables of a materials file; `origin` names them in messages."""
    refuse_newer(table.get("schema"), SCHEMA, origin, error=MaterialsError)
    try:
        file = MaterialsFile.model_validate(table)
    except ValidationError as error:
        raise MaterialsError(f"{origin}: {wrong_value(error, MaterialsFile)}") from None
    _check_pairs(file, origin)
    return Materials(file=file, origin=origin)


def _check_pairs(file: MaterialsFile, origin: str) -> None:
    known = {*file.phases, PORE}
    for table_name, table in (("interfaces", file.interfaces), ("contacts", file.contacts), ("films", file.films)):
        seen: set[frozenset[str]] = set()
        for key in table:
            if key == "default" and table_name != "films":
                continue
            a, bar, b = key.partition("|")
            if not bar or "|" in b:
                raise MaterialsError(f'{origin}: {table_name}."{key}" is no pair; write "A|B"')
            for name in (a, b):
                if name not in known:
                    raise MaterialsError(
                        f"{origin}: {table_name}.\"{key}\" names phase '{name}'{did_you_mean(name, sorted(known))}"
                    )
            pair = frozenset((a, b))
            if pair in seen and table_name != "films":
                raise MaterialsError(f'{origin}: {table_name} "{a}|{b}" is given twice (also as "{b}|{a}"); keep one')
            seen.add(pair)
