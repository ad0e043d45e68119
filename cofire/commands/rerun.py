"""`cofire rerun`: compute a case of a study again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options


def run(
    case: Annotated[Path, typer.Argument(metavar="DIR/CASE", help="A finished case, like DIR/cases/NAME.")],
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the image of an image case lies now.")] = None,
    json: options.Json = False,
) -> None:
    """Compute a case of a study from its stored input, and say whether every number is the same."""
    from cofire.console import note, print_json, progress, table
    from cofire.study.rerun import rerun

    with progress("computing again", "microstructures", "kmc.faces", "kmc.multigrid") as bar:
        found = rerun(case, image=image, say=lambda text: bar(None, text))
    if json:
        print_json(found.to_dict())
    else:
        changed = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in found.versions.items())
        table(
            f"case {found.name}",
            [
                ("result", "the same, bit for bit" if found.same else f"different: {found.difference}"),
                ("versions", changed or "the same"),
                *[(f"{row['carrier']}, {row['estimator']}", f"{row['sigma_eff_S_per_m']!r} S/m") for row in found.rows],
            ],
        )
    if not found.same:
        note("numbers may move with versions of packages and with the kind of processor; see docs/studies.md")
        raise typer.Exit(1)
