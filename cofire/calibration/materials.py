"""The three numbers of a materials file that are calibrated: read, replaced, and written with their source."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cofire.calibration.result import TEMPERATURE_C, CalibrationResult
from cofire.paper import SOURCE
from cofire.version import __version__
from microstructures.errors import MaterialsError
from microstructures.formats.guard import atomic_file
from microstructures.materials import Materials
from microstructures.materials.schema import MaterialsFile

BOUNDARY_PAIR, FILM_BEARER = "LATP|LATP", "LFP"


def starting_values(materials: Materials) -> tuple[float, float, float]:
    """Return resistance [ohm m^2], activation energy [eV] and sheet conductance [S] of a materials file."""
    pair = materials.file.interfaces.get(BOUNDARY_PAIR)
    boundary = None if pair is None else pair.ion
    film = _film_key(materials)
    if boundary is None or not boundary.area_specific_resistance_ohm_m2 or boundary.activation_energy_eV is None:
        raise MaterialsError(
            f'{materials.origin}: interfaces."{BOUNDARY_PAIR}".ion has no area_specific_resistance_ohm_m2 above 0; give one to start'
        )
    if film is None:
        raise MaterialsError(
            f'{materials.origin}: no film on {FILM_BEARER} conducts electrons; give films."{FILM_BEARER}|pore".electron a '
            "sheet_conductance_S above 0 to start"
        )
    electron = materials.file.films[film].electron
    assert electron is not None
    return boundary.area_specific_resistance_ohm_m2, boundary.activation_energy_eV, electron.sheet_conductance_S


def _film_key(materials: Materials) -> str | None:
    """Return the film whose value is quoted: against the pore if there is one, else the first on LFP."""
    keys = [
        key
        for key, film in materials.file.films.items()
        if key.split("|")[0] == FILM_BEARER and film.electron is not None and film.electron.sheet_conductance_S > 0.0
    ]
    return min(keys, key=lambda key: key != f"{FILM_BEARER}|pore", default=None)


def with_values(
    materials: Materials,
    resistance_ohm_m2: float | None = None,
    activation_energy_eV: float | None = None,
    sheet_conductance_S: float | None = None,
) -> Materials:
    """Return materials with one or more of the three numbers replaced; the films on LFP keep their ratios.

    Examples
    --------
    >>> from microstructures.materials import load_materials
    >>> changed = with_values(load_materials(), sheet_conductance_S=1e-6)
    >>> changed.film("LFP", "LFP", "electron").sheet_conductance_S
    2e-06
    """
    table = materials.to_dict()
    boundary = table["interfaces"][BOUNDARY_PAIR]["ion"]
    if resistance_ohm_m2 is not None:
        boundary["area_specific_resistance_ohm_m2"] = resistance_ohm_m2
    if activation_energy_eV is not None:
        boundary["activation_energy_eV"] = activation_energy_eV
    if sheet_conductance_S is not None:
        factor = sheet_conductance_S / starting_values(materials)[2]
        for film in _films(table):
            film["sheet_conductance_S"] *= factor
    return Materials(file=MaterialsFile.model_validate(table), origin=materials.origin)


def _films(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    films = table["films"].items()
    return [film["electron"] for key, film in films if key.split("|")[0] == FILM_BEARER and "electron" in film]


def calibrated_materials(start: Materials, result: CalibrationResult) -> Materials:
    """Return the materials with the fitted values, six digits of each, and where they come from."""
    resistance, sheet, energy = ({**vars(p), "value": float(f"{p.value:.6g}")} for p in result.parameters)
    known = with_values(start, resistance["value"], energy["value"], sheet["value"])
    table = known.to_dict()
    seeds = f"seed {result.seeds[0]}" if len(result.seeds) == 1 else f"seeds {result.seeds[0]} to {result.seeds[-1]}"
    goals = ", ".join(f"{t.name} = {t.value:g} +- {t.error:g} {t.unit}" for t in result.targets)
    origin = Path(start.origin).name
    text = (
        f"cofire calibrate {__version__}: co-fired bodies of {seeds}, {result.size_um:g} um, voxels of {result.voxel_nm:g} nm, "
        f"fitted at {TEMPERATURE_C:g} degC to {goals} ({SOURCE}); all other values from {origin}."
    )

    def source(fitted: Mapping[str, Any], factor: float = 1.0) -> dict[str, Any]:
        note = "; ".join(part for part in (f"95 % from {result.interval}", fitted["note"]) if part)
        ends = {"low": max(0.0, fitted["low"]) * factor, "high": fitted["high"] * factor}
        bounds = {end: float(f"{value:.4g}") for end, value in ends.items() if math.isfinite(value)}
        return {"text": text, "status": "calibrated", **bounds, "note": note}

    boundary = table["interfaces"][BOUNDARY_PAIR]["ion"].setdefault("source", {})
    boundary["area_specific_resistance_ohm_m2"], boundary["activation_energy_eV"] = source(resistance), source(energy)
    for film in _films(table):
        ratio = film["sheet_conductance_S"] / sheet["value"]
        film["sheet_conductance_S"] = float(f"{film['sheet_conductance_S']:.6g}")
        film.setdefault("source", {})["sheet_conductance_S"] = source(sheet, ratio)
    table["name"] = f"{start.name.removesuffix('-calibrated')}-calibrated"
    table["notes"] = (
        f"{table['notes'].rstrip()}\nThree values of {origin} were replaced by cofire calibrate: the resistance and activation "
        f"energy of {BOUNDARY_PAIR} and the film on {FILM_BEARER} (its ratios kept). Others stand as they were, also where their "
        "source says that they were set equal to one of these.\n"
    )
    return Materials(file=MaterialsFile.model_validate(table), origin=table["name"])


def write_materials(materials: Materials, path: Path, provenance: Mapping[str, Any] | None = None) -> None:
    """Write materials as a TOML file in one step; `load_materials` reads it.

    Parameters
    ----------
    materials : Materials
        What to write.
    path : Path
        Where.
    provenance : mapping, optional
        The record of the run that found them: first lines, as comments. Its resolved input is left out; the sources say it.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    with atomic_file(path) as partial:
        partial.write_text(_heading(provenance) + to_toml(materials.to_dict()), encoding="utf-8")


def _heading(provenance: Mapping[str, Any] | None) -> str:
    if not provenance:
        return ""
    told = {key: value for key, value in provenance.items() if key != "input"}
    written = f"{provenance['program']} {provenance['version']}, {provenance['end_UTC']}: {provenance['command']}"
    return f"# {' '.join(written.split())}\n# provenance: {json.dumps(told)}\n\n"


def to_toml(table: Mapping[str, Any], heading: str = "") -> str:
    """Return plain values as TOML: tables under headings, sources one a line.

    Examples
    --------
    >>> print(to_toml({"a": 1.5, "b|c": {"d": "x"}}))
    a = 1.5
    <BLANKLINE>
    ["b|c"]
    d = "x"
    <BLANKLINE>
    """
    flat = heading.endswith("source")
    inner = {} if flat else {key: entry for key, entry in table.items() if isinstance(entry, Mapping)}
    lines = [f"{_key(key)} = {_value(entry)}" for key, entry in table.items() if key not in inner]
    own = "".join(f"{line}\n" for line in ([f"[{heading}]", *lines] if heading and (lines or not inner) else lines))
    parts = [own] if own else []
    for key, entry in inner.items():
        text = to_toml(entry, f"{heading}.{_key(key)}".lstrip("."))
        parts.append(text)
    return "\n".join(parts)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(entry: Any) -> str:
    if isinstance(entry, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(value)}" for key, value in entry.items()) + " }"
    if isinstance(entry, list | tuple):
        return "[" + ", ".join(_value(value) for value in entry) + "]"
    if isinstance(entry, str):
        return json.dumps(entry, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(entry)
