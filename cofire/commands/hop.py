"""`cofire hop`: kinetic Monte Carlo."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from kmc.network import Network

MODES = ("tracer", "lattice-gas")
CARRIERS = ("ion", "electron", "both")
TRAJECTORY_SUFFIXES = (".h5", ".vtp")


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: Annotated[str, typer.Option(help="ion, electron or both (tracer): then also how they diffuse together.")] = "ion",
    temperature_C: options.Temperature = None,
    boundary: options.Boundary = "periodic",
    mode: Annotated[str, typer.Option(help="tracer (independent carriers) or lattice-gas (one carrier a site).")] = "tracer",
    filling: Annotated[float | None, typer.Option(metavar="F", help="Share of sites filled (lattice-gas).")] = None,
    chemical_potential_eV: Annotated[
        float | None,
        typer.Option("--chemical-potential-eV", metavar="MU", help="Or: that of the carriers, 0 half-fills the lowest sites."),
    ] = None,
    walkers: Annotated[
        int | None, typer.Option(help="Number of carriers (tracer); chosen by the program unless given.")
    ] = None,
    time_s: Annotated[float | None, typer.Option("--time-s", metavar="T", help="Time that is followed, in s.")] = None,
    hops: Annotated[int | None, typer.Option(help="Or: about this many hops of all carriers together.")] = None,
    rel_error: Annotated[
        float | None, typer.Option(metavar="E", help="Or: until sigma_eff is known to this share, like 0.01 (tracer).")
    ] = None,
    basins: Annotated[
        str, typer.Option(help="auto or no: cross nearly closed regions, like pressed grains, in one event (tracer, periodic).")
    ] = "auto",
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 1,
    field: Annotated[str | None, typer.Option("--field-V-per-m", metavar="X,Y,Z", help="Drift in a uniform field.")] = None,
    trajectories: Annotated[
        Path | None, typer.Option(metavar="FILE.h5|.vtp", help="Write the ways of a few carriers (tracer).")
    ] = None,
    trajectory_count: Annotated[int, typer.Option(metavar="N", help="How many of them.")] = 10,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write where the run stands here, now and then.")
    ] = None,
    checkpoint_every_s: Annotated[
        float, typer.Option("--checkpoint-every-s", metavar="S", help="Least time between two of them, in s.")
    ] = 5.0,
    resume: Annotated[Path | None, typer.Option(metavar="FILE", help="Go on from a checkpoint of the same run.")] = None,
    smooth_insulators: options.SmoothInsulators = False,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Let carriers hop through the structure: diffusivity and conductivity with their errors."""
    _check(
        mode,
        carrier,
        {"--filling": filling, "--chemical-potential-eV": chemical_potential_eV},
        {"--walkers": walkers, "--rel-error": rel_error, "--trajectories": trajectories},
    )
    if carrier == "both" and any(given is not None for given in (checkpoint, resume, trajectories, field)):
        raise InputError("--checkpoint, --resume, --trajectories and --field-V-per-m take one carrier; choose ion or electron")
    if checkpoint is not None:
        goes_on = resume is not None and resume.resolve() == checkpoint.resolve()
        remedy = f"choose another name, or go on from it with --resume {checkpoint}"
        checkpoint = options.check_output(checkpoint, goes_on, option="--checkpoint", remedy=remedy)
    if trajectories is not None:
        options.check_output(trajectories, overwrite, option="--trajectories", suffixes=TRAJECTORY_SUFFIXES)
    field_V_per_m = None if field is None else _vector(field)
    known = options.read_materials(materials)
    from cofire.console import note, print_json, progress
    from cofire.memory.estimate import hop_bytes
    from cofire.memory.reading import read_for
    from cofire.stopping import resume_command, stop_when_asked
    from kmc.hopping import Stopped
    from kmc.network import build_network

    read = read_for(
        "kinetic Monte Carlo", structure, voxel_nm, partial(hop_bytes, boundary=boundary, mode=mode, walkers=walkers)
    )
    with progress("hopping", "kmc.faces", "kmc.hopping") as bar, stop_when_asked() as asked:
        first = "ion" if carrier == "both" else carrier
        network = build_network(
            read, known, carrier=first, temperature_C=temperature_C, smooth_insulators=smooth_insulators
        )  # fmt: skip
        going: dict[str, Any] = {"seed": seed, "time_s": time_s, "hops": hops, "progress": bar}
        restart: dict[str, Any] = {
            "checkpoint": checkpoint, "checkpoint_every_s": checkpoint_every_s, "resume": resume, "stop": asked
        }  # fmt: skip
        try:
            if mode == "lattice-gas":
                amount = {"filling": filling, "chemical_potential_eV": chemical_potential_eV, "field_V_per_m": field_V_per_m}
                found = _gas(network, boundary, {**amount, **going, **restart})
            elif field_V_per_m is not None:
                found = _drift(network, field_V_per_m, walkers, going)
            elif carrier == "both":
                found = _both(network, boundary, walkers, rel_error, {**going, "basins": basins, "stop": asked})
            else:
                found = _tracers(network, boundary, walkers, rel_error, {**going, "basins": basins, **restart})
                if trajectories is not None:
                    bar(None, "writing trajectories")
                    found["files"] = _write_trajectories(trajectories, trajectory_count, network, found)
        except Stopped as stopped:
            more = (
                "with --checkpoint FILE it could go on" if checkpoint is None else f"go on with: {resume_command(checkpoint)}"
            )
            note(f"{stopped}; {more}")
            raise typer.Exit(asked.code) from None
    if json:
        print_json(found)
    else:
        _show(structure.name, network.temperature_C, found)


def _check(mode: str, carrier: str, gas_only: dict[str, Any], tracer_only: dict[str, Any]) -> None:
    if mode not in MODES:
        raise InputError(f"--mode is '{mode}'{did_you_mean(mode, MODES)}")
    if carrier not in CARRIERS:
        raise InputError(f"carrier is '{carrier}'{did_you_mean(carrier, CARRIERS)}")
    other = gas_only if mode == "tracer" else tracer_only
    given = [option for option, value in other.items() if value is not None]
    if mode == "lattice-gas" and carrier == "both":
        given.append("--carrier both")
    if given:
        needed = MODES[1 - MODES.index(mode)]
        raise InputError(f"{given[0]} belongs to --mode {needed}; leave it out or change the mode")


def _vector(text: str) -> tuple[float, float, float]:
    """Return the field that an option names."""
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--field-V-per-m is '{text}'; allowed: three numbers with commas, in V/m, like 1e5,0,0") from None
    return x, y, z


def _drift(network: Network, field: tuple[float, float, float], walkers: int | None, going: dict[str, Any]) -> dict[str, Any]:
    from kmc.hopping import run_drift

    return run_drift(network, field, walkers=walkers, **going).to_dict()


def _gas(network: Network, boundary: str, going: dict[str, Any]) -> dict[str, Any]:
    from kmc.hopping import run_lattice_gas

    if going["filling"] is None and going["chemical_potential_eV"] is None:
        going["filling"] = 0.5
    return run_lattice_gas(network, boundary=boundary, **going).to_dict()


def _tracers(
    network: Network, boundary: str, walkers: int | None, rel_error: float | None, going: dict[str, Any]
) -> dict[str, Any]:
    from kmc.hopping import hop

    return hop(network, boundary=boundary, walkers=walkers, rel_error=rel_error, **going).to_dict()


def _both(
    network: Network, boundary: str, walkers: int | None, rel_error: float | None, going: dict[str, Any]
) -> dict[str, Any]:
    """Let ions and then electrons hop through the same faces."""
    from kmc.hopping import ambipolar_diffusivity_m2_per_s, hop
    from kmc.network import build_network

    other = build_network(network.faces, network.materials, carrier="electron", temperature_C=network.temperature_C)
    ions, electrons = (hop(one, boundary=boundary, walkers=walkers, rel_error=rel_error, **going) for one in (network, other))
    value, error = ambipolar_diffusivity_m2_per_s(ions, electrons)
    return {
        "mode": "both carriers",
        "ion": ions.to_dict(),
        "electron": electrons.to_dict(),
        "ambipolar_diffusivity_m2_per_s": value,
        "ambipolar_diffusivity_stderr_m2_per_s": error,
    }


def _write_trajectories(path: Path, count: int, network: Network, found: dict[str, Any]) -> list[str]:
    from cofire.console import note
    from kmc.hopping.trajectories import record_trajectories, write_trajectories

    if found["walkers"] == 0:
        note(f"--trajectories {path} is not written: the result is {found['outcome']}")
        return []
    ways = record_trajectories(
        network, walkers=found["walkers"], time_s=found["simulated_time_s"], boundary=found["boundary"], chosen=count,
        basins=found["basins"] is not None, seed=found["seed"],
    )  # fmt: skip
    write_trajectories(path, ways)
    return [str(path)]


def _show(name: str, celsius: float, found: dict[str, Any]) -> None:
    from cofire.console import table

    if "ion" in found:
        for carrier in ("ion", "electron"):
            _show(name, celsius, found[carrier])
        rows = [(f"D {axis}", _pair(found, "ambipolar_diffusivity", "m2_per_s", axis, "m2/s")) for axis in "xyz"]
        table("ions and electrons together: ambipolar diffusion", rows)
        return
    title = f"{found['carrier']} hops ({found['mode']}) in {name} at {celsius:g} degC"
    if found["mode"] == "drift":
        table(title, _drift_rows(found))
        return
    rows = [(f"sigma_eff {axis}", _pair(found, "sigma_eff", "S_per_m", axis, "mS/cm", 10.0)) for axis in "xyz"]
    rows += [(f"D {axis}", _pair(found, "diffusivity", "m2_per_s", axis, "m2/s")) for axis in "xyz"]
    rows += [
        ("outcome", f"{found['outcome']}: {found['advice']}"),
        ("carriers", f"{found['walkers']} followed for {found['simulated_time_s']:.4g} s"),
        ("hops", f"{found['hops']} ({found['hops_per_second']:.3g} per s)"),
        ("residence", ", ".join(f"{phase} {share:.4f}" for phase, share in found["residence_fraction"].items())),
        ("crossings", ", ".join(f"{pair} {count}" for pair, count in found["crossings"].items())),
    ]
    if found.get("basins"):
        rows.append(("basins", ", ".join(f"{key.replace('_', ' ')} {value:.4g}" for key, value in found["basins"].items())))
    if "plateau" in found:
        rows.append(("still falling", ", ".join(f"{axis} {100.0 * share:.2g} %" for axis, share in found["plateau"].items())))
    table(f"{title}, {found['boundary']}", rows)


def _drift_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    mobility, sigma = found["mobility_m2_per_Vs"], 10.0 * found["sigma_eff_S_per_m"]
    return [
        *((f"drift {axis}", _pair(found, "drift", "m_per_s", axis, "m/s")) for axis in "xyz"),
        ("mobility", f"{mobility:.5g} +- {found['mobility_stderr_m2_per_Vs']:.2g} m2/Vs"),
        ("sigma_eff", f"{sigma:.5g} +- {10.0 * found['sigma_eff_stderr_S_per_m']:.2g} mS/cm"),
        (
            "D by Einstein's relation",
            f"{found['einstein_diffusivity_m2_per_s']:.5g} +- {found['einstein_diffusivity_stderr_m2_per_s']:.2g} m2/s",
        ),
        ("field", f"{found['potential_per_voxel_kT']:.3g} kT/q over a voxel, at most"),
        ("outcome", f"{found['outcome']}: {found['advice']}"),
    ]


def _pair(found: dict[str, Any], name: str, unit: str, axis: str, shown: str, factor: float = 1.0) -> str:
    """Return a value along an axis with its standard error."""
    value, error = factor * found[f"{name}_{unit}"][axis], factor * found[f"{name}_stderr_{unit}"][axis]
    return f"{value:.5g} +- {error:.2g} {shown}"
