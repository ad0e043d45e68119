"""`cofire sweep`: compute a study, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cofire import options
from microstructures.errors import InputError

if TYPE_CHECKING:
    from cofire.study.sweep import SweepResult


def run(
    study: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="What is varied, and what every case has in common.")],
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write; the next free cofire-sweep.")] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="Processes; one per core unless given.")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this dask scheduler.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in a folder that holds this study.")] = False,
    extend: Annotated[
        bool, typer.Option("--extend", help="Go on in a folder that holds another version of it; common cases are kept.")
    ] = False,
    many: Annotated[bool, typer.Option("--many", help="More than 10000 cases are meant.")] = False,
    case: Annotated[int | None, typer.Option(metavar="INDEX", help="Compute this case only, for job arrays; from 0.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the study, count its cases, compute nothing.")] = False,
    json: options.Json = False,
) -> None:
    """Compute every case of a study that is not finished yet."""
    if case is not None:
        _one(study, case, out, json, {"--workers": workers, "--scheduler": scheduler, "--dry-run": dry_run or None})
        return
    from cofire.console import note, print_json, progress
    from cofire.stopping import resume_words, stop_when_asked
    from cofire.study.sweep import sweep

    if dry_run:
        _tell_plan(study, many, json)
        return
    if workers is not None and scheduler is not None:
        raise InputError("--workers and --scheduler are both given; a scheduler has workers of its own; leave one out")
    with stop_when_asked() as asked, progress(f"sweep {study.name}", "microstructures", "kmc.faces", "kmc.multigrid") as bar:
        told = False

        def stop() -> bool:
            nonlocal told
            if asked() and not told:
                told = True
                note("finishing the cases that run; once more to end at once")
            return asked()

        found = sweep(
            study, out=out, workers=workers, scheduler=scheduler, resume=resume, extend=extend, many=many, stop=stop, progress=bar,
            note=note,
        )  # fmt: skip
    if json:
        print_json(found.to_dict())
    else:
        _show(found)
    if found.stopped:
        note(f"stopped; go on with: {resume_words(found.folder)}")
        raise typer.Exit(asked.code)
    if found.failed:
        raise typer.Exit(1)


def _one(study: Path, case: int, out: Path | None, json: bool, others: dict[str, Any]) -> None:
    """Compute one case."""
    from cofire.console import note, print_json
    from cofire.study.one_case import compute_one

    given = [name for name, value in others.items() if value is not None]
    if given:
        raise InputError(f"--case and {given[0]} are both given; a job array runs one case a task; leave one out")
    if out is None:
        raise InputError("--case needs --out DIR, the folder that all tasks share")
    found, computed = compute_one(study, case, out)
    if json:
        print_json({"case": found.name, "index": case, "computed": computed, "folder": str(out)})
    note(f"case {case}, {found.name}: {'computed' if computed else 'finished already'}")


def _tell_plan(study: Path, many: bool, json: bool) -> None:
    """Say what a study would compute."""
    from cofire.console import print_json, table
    from cofire.study.plan import make_plan

    plan = make_plan(study, many=many)
    structures = len({case.structure_name for case in plan.cases})
    found = {
        "name": plan.study.name,
        "cases": len(plan.cases),
        "points": len(plan.planned) // plan.study.replicas,
        "replicas": plan.study.replicas,
        "structures": structures,
        "memory_bytes_per_process": plan.bytes_each,
        "varied": list(plan.study.keys),
    }
    if json:
        print_json(found)
        return
    table(
        f"study {plan.study.name}",
        [
            ("cases", f"{found['cases']} ({found['points']} points, {found['replicas']} replicas)"),
            ("structures", str(structures)),
            ("memory", f"{plan.bytes_each / 1e9:.2f} GB a process"),
            ("varied", ", ".join(plan.study.keys) or "nothing"),
        ],
    )


def _show(found: SweepResult) -> None:
    from cofire.console import table

    rows = [
        ("finished", f"{found.done} of {found.cases} cases, {found.computed} of them now"),
        ("time", f"{found.seconds:.1f} s, {found.workers} processes"),
        ("table", f"{found.folder / 'table.csv'}, .parquet"),
        *[(f"failed {name}", reason) for name, reason in list(found.failed.items())[:10]],
    ]
    if len(found.failed) > 10:
        rows.append(("", f"and {len(found.failed) - 10} more: cofire status {found.folder}"))
    table(f"study {found.name}: {found.outcome}", rows)
