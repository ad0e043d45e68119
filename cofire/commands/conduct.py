"""`cofire conduct`: effective conductivity by the solver."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError

if TYPE_CHECKING:
    from kmc.conduction import ConductionResult

FIELD_SUFFIXES, TABLE_SUFFIXES = (".h5", ".vti"), (".csv", ".parquet")
SHOWN_NUMBERS = 10
"""Numbers in the table of what decides the result."""
WHAT = {"phase": "conductivity of {}", "interface": "interface {}", "contact": "point contact {}", "film": "film {}"}


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    axis: options.Axis = "x",
    boundary: options.Boundary = "plates",
    tolerance: Annotated[float, typer.Option(help="Largest relative difference of inflow, outflow and dissipation.")] = 1e-4,
    max_iterations: Annotated[int, typer.Option(help="Give up after so many iterations.")] = 500,
    temperatures: Annotated[
        str | None, typer.Option(metavar="T,T,...", help="Further temperatures in degC for an Arrhenius fit, like 25,60,100.")
    ] = None,
    fields: Annotated[
        Path | None,
        typer.Option(metavar="FILE.h5|.vti", help="Write potential, current density and dissipation of every voxel."),
    ] = None,
    contacts: Annotated[
        Path | None, typer.Option(metavar="FILE.csv|.parquet", help="Write the current through every contact of two grains.")
    ] = None,
    smooth_insulators: options.SmoothInsulators = False,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Compute the effective conductivity by balancing the currents of every voxel."""
    series_C = _celsius(temperatures)
    for option, path, suffixes in (("--fields", fields, FIELD_SUFFIXES), ("--contacts", contacts, TABLE_SUFFIXES)):
        if path is not None:
            if axis == "all":
                raise InputError(f"{option} holds one axis, and --axis is all; choose x, y or z")
            options.check_output(path, overwrite, option=option, suffixes=suffixes)
    known = options.read_materials(materials)
    from cofire.console import note, print_json, progress
    from cofire.memory.estimate import conduct_bytes
    from cofire.memory.reading import read_for
    from kmc.conduction import conduct
    from kmc.conduction.temperatures import conduct_over
    from kmc.network import build_network

    read = read_for("the solver", structure, voxel_nm, partial(conduct_bytes, axes=3 if axis == "all" else 1))
    with progress("solving", "kmc.faces", "kmc.multigrid", "kmc.conduction") as bar:
        network = build_network(
            read, known, carrier=carrier, temperature_C=temperature_C, smooth_insulators=smooth_insulators
        )  # fmt: skip
        result = conduct(
            network, axis=axis, boundary=boundary, tolerance=tolerance, max_iterations=max_iterations,
            keep_potential=fields is not None, explain=True, progress=lambda text: bar(None, text),
        )  # fmt: skip
        found = result.to_dict()
        found["files"] = _write(result, fields, contacts)
        if series_C:
            found["temperatures"] = conduct_over(
                result.network, series_C, axis=axis, boundary=boundary, tolerance=tolerance, max_iterations=max_iterations,
                progress=lambda text: bar(None, text),
            ).to_dict()  # fmt: skip
    for option, path in (("--fields", fields), ("--contacts", contacts)):
        if path is not None and str(path) not in found["files"]:
            note(f"{option} {path} is not written: the result is {found['outcome']}")
    if json:
        print_json(found)
    else:
        _show(structure.name, result, found)


def _celsius(text: str | None) -> list[float]:
    """Return the temperatures that an option names."""
    try:
        found = [] if text is None else [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--temperatures is '{text}'; allowed: numbers with commas, in degC, like 25,60,100") from None
    from microstructures.units import kelvin

    for temperature in found:
        kelvin(temperature)
    return found


def _write(result: ConductionResult, fields: Path | None, contacts: Path | None) -> list[str]:
    """Write the files asked for, where there is a converged solution to write; return their names."""
    from cofire.store import write_parquet
    from kmc.conduction.field_files import write_fields
    from microstructures.formats.guard import atomic_file

    written = []
    if result.explanations and fields is not None:
        write_fields(fields, result.network, result.solutions[0])
        written.append(str(fields))
    if result.explanations and contacts is not None:
        table = result.explanations[0].contacts.to_frame()
        with atomic_file(contacts) as partial:
            if contacts.suffix.lower() == ".csv":
                table.to_csv(partial, index=False)
            else:
                write_parquet(partial, table)
        written.append(str(contacts))
    return written


def _show(name: str, result: ConductionResult, found: dict[str, Any]) -> None:
    from cofire.console import table

    sigma = found["sigma_eff_S_per_m"]
    in_reports = {a: 10.0 * v for a, v in sigma.items()} if isinstance(sigma, dict) else 10.0 * sigma
    table(
        f"{result.carrier} conduction of {name} at {result.temperature_C:g} degC, {result.boundary}",
        [
            ("sigma_eff", options.shown(in_reports, "mS/cm")),
            ("", options.shown(sigma, "S/m")),
            ("outcome", f"{found['outcome']}: {found['advice']}"),
            ("inflow", options.shown(found["inflow_S_per_m"], "S/m", ".7g")),
            ("outflow", options.shown(found["outflow_S_per_m"], "S/m", ".7g")),
            ("dissipation", options.shown(found["dissipation_S_per_m"], "S/m", ".7g")),
            ("tortuosity factor", options.shown(found["tortuosity_factor"], "", ".4g")),
            ("", found["tortuosity_factor_definition"]),
            ("formation factor", options.shown(found["formation_factor"], "sigma_0/sigma_eff", ".4g")),
            ("transport efficiency", options.shown(found["transport_efficiency"], "sigma_eff/sigma_0", ".4g")),
            ("area-specific resistance", options.shown(found["area_specific_resistance_ohm_m2"], "ohm m2", ".4g")),
            ("iterations", options.shown(found["iterations"], "", "d")),
            ("time", f"{found['seconds']:.2f} s, {found['voxels']} voxels"),
        ],
    )
    if result.explanations:
        table("what decides it: d ln(sigma_eff) / d ln(number), of a resistance its inverse", _deciding(result))
        table("who carries the current", _carrying(result))
    if "temperatures" in found:
        table("sigma_eff over temperature", _over_temperature(found["temperatures"]))


def _deciding(result: ConductionResult) -> list[tuple[str, str]]:
    """Return rows of the numbers that decide the result, largest first."""
    by_axis: dict[Any, dict[str, float]] = {}
    for entry in result.explanations:
        for one in entry.sensitivities:
            by_axis.setdefault(one.parameter, {})[entry.axis] = one.sensitivity
    order = sorted(by_axis, key=lambda parameter: -max(abs(value) for value in by_axis[parameter].values()))
    rows = []
    for parameter in order[:SHOWN_NUMBERS]:
        values = {entry.axis: by_axis[parameter].get(entry.axis, 0.0) for entry in result.explanations}
        what = WHAT[parameter.kind].format(parameter.name)
        rows.append((what, f"{_per_axis(values, '.4f')}   (now {parameter.value:.4g} {parameter.unit})"))
    if len(order) > SHOWN_NUMBERS:
        rest = {
            entry.axis: sum(by_axis[parameter].get(entry.axis, 0.0) for parameter in order[SHOWN_NUMBERS:])
            for entry in result.explanations
        }
        rows.append((f"{len(order) - SHOWN_NUMBERS} others", _per_axis(rest, ".4f")))
    return rows


def _carrying(result: ConductionResult) -> list[tuple[str, str]]:
    """Return rows of the shares of phases and films, and of the most loaded contacts."""
    names = dict.fromkeys(name for entry in result.explanations for name in entry.current_shares)
    rows = []
    for name in names:
        values = {entry.axis: entry.current_shares.get(name, 0.0) for entry in result.explanations}
        if max(values.values()) >= 5e-5:
            rows.append((name, _per_axis(values, ".2%")))
    for entry in result.explanations:
        loaded = entry.contacts.most_loaded(3)
        text = ", ".join(f"{one['grains'][0]}-{one['grains'][1]} ({one['interface']}) {one['share']:.2%}" for one in loaded)
        if loaded:
            rows.append((f"most loaded contacts, {entry.axis}", text))
    return rows


def _over_temperature(series: dict[str, Any]) -> list[tuple[str, str]]:
    """Return rows of conductivities and of the fits."""
    rows = []
    for celsius, sigma, outcome in zip(series["temperature_C"], series["sigma_eff_S_per_m"], series["outcome"], strict=True):
        more = "" if outcome == "converged" else f"   {outcome}"
        rows.append((f"{celsius:g} degC", options.shown(sigma, "S/m") + more))
    fits = series["arrhenius"]
    bare = fits is None or "activation_energy_eV" in fits
    for axis, fit in {"": fits}.items() if bare else fits.items():
        for words, key in (("ln sigma", "activation_energy"), ("ln sigma T", "activation_energy_sigma_T")):
            if fit is not None:
                value, error = fit[f"{key}_eV"], fit[f"{key}_stderr_eV"]
                rows.append((f"Ea of {words} {axis}".rstrip(), f"{value:.5f} +- {error:.2g} eV"))
    return rows


def _per_axis(values: dict[str, float], form: str) -> str:
    """Return one number bare, several with their axes."""
    if len(values) == 1:
        return f"{next(iter(values.values())):{form}}"
    return ", ".join(f"{axis} {value:{form}}" for axis, value in values.items())
