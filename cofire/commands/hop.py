"""`cofire hop`: kinetic Monte Carlo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options
from microstructures.errors import InputError, did_you_mean

MODES = ("tracer", "lattice-gas")


def run(
    structure: options.Structure,
    voxel_nm: options.VoxelNm = None,
    materials: options.MaterialsFile = None,
    carrier: options.Carrier = "ion",
    temperature_C: options.Temperature = None,
    boundary: options.Boundary = "periodic",
    mode: Annotated[str, typer.Option(help="tracer (independent carriers) or lattice-gas (one carrier a site).")] = "tracer",
    filling: Annotated[float | None, typer.Option(metavar="F", help="Share of sites filled (lattice-gas).")] = None,
    walkers: Annotated[
        int | None, typer.Option(help="Number of carriers (tracer); chosen by the program unless given.")
    ] = None,
    time_s: Annotated[float | None, typer.Option("--time-s", metavar="T", help="Time that is followed, in s.")] = None,
    hops: Annotated[int | None, typer.Option(help="Or: about this many hops of all carriers together.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bits.")] = 1,
    checkpoint: Annotated[Path | None, typer.Option(metavar="FILE", help="Write finished walkers here (tracer).")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from a checkpoint of the same run (tracer).")
    ] = None,
    smooth_insulators: options.SmoothInsulators = False,
    json: options.Json = False,
) -> None:
    """Let carriers hop through the structure: diffusivity and conductivity with their errors."""
    _check(mode, filling, walkers, checkpoint, resume)
    if checkpoint is not None:
        goes_on = resume is not None and resume.resolve() == checkpoint.resolve()
        remedy = f"choose another name, or go on from it with --resume {checkpoint}"
        checkpoint = options.check_output(checkpoint, goes_on, option="--checkpoint", remedy=remedy)
    known, read = options.read_materials(materials), options.read_structure(structure, voxel_nm)
    from cofire.console import print_json, progress, table
    from kmc.network import build_network

    with progress("hopping", "kmc.faces", "kmc.hopping") as bar:
        network = build_network(
            read, known, carrier=carrier, temperature_C=temperature_C, smooth_insulators=smooth_insulators
        )  # fmt: skip
        if mode == "lattice-gas":
            from kmc.hopping.lattice_gas import run_lattice_gas

            found = run_lattice_gas(
                network, filling=filling if filling is not None else 0.5, boundary=boundary, time_s=time_s, hops=hops,
                seed=seed, progress=bar,
            ).to_dict()  # fmt: skip
        else:
            from kmc.hopping import hop

            found = hop(
                network, boundary=boundary, walkers=walkers, time_s=time_s, hops=hops, seed=seed, checkpoint=checkpoint,
                resume=resume, progress=bar,
            ).to_dict()  # fmt: skip
    if json:
        print_json(found)
        return
    table(
        f"{carrier} hops ({mode}) in {structure.name} at {network.temperature_C:g} degC, {boundary}",
        [
            (
                f"sigma_eff {a}",
                f"{10 * found['sigma_eff_S_per_m'][a]:.5g} +- {10 * found['sigma_eff_stderr_S_per_m'][a]:.2g} mS/cm",
            )
            for a in "xyz"
        ]
        + [
            (f"D {a}", f"{found['diffusivity_m2_per_s'][a]:.5g} +- {found['diffusivity_stderr_m2_per_s'][a]:.2g} m2/s")
            for a in "xyz"
        ]
        + [
            ("outcome", f"{found['outcome']}: {found['advice']}"),
            ("carriers", f"{found['walkers']} followed for {found['simulated_time_s']:.4g} s"),
            ("hops", f"{found['hops']} ({found['hops_per_second']:.3g} per s)"),
            ("residence", ", ".join(f"{name} {share:.4f}" for name, share in found["residence_fraction"].items())),
            ("crossings", ", ".join(f"{pair} {count}" for pair, count in found["crossings"].items())),
        ],
    )


def _check(mode: str, filling: float | None, walkers: int | None, checkpoint: Path | None, resume: Path | None) -> None:
    if mode not in MODES:
        raise InputError(f"--mode is '{mode}'{did_you_mean(mode, MODES)}")
    if mode == "tracer" and filling is not None:
        raise InputError(f"--filling {filling:g} belongs to --mode lattice-gas; leave it out or change the mode")
    if mode == "lattice-gas" and any(given is not None for given in (walkers, checkpoint, resume)):
        raise InputError("--walkers, --checkpoint and --resume belong to --mode tracer; a lattice gas has --filling")
