"""`cofire status`: how far a study is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")],
    json: options.Json = False,
) -> None:
    """Say how many cases are finished, which failed and why, and bring the table up to date."""
    from cofire.console import print_json, table
    from cofire.study.status import study_status

    found = study_status(folder)
    if json:
        print_json(found.to_dict())
        return
    left = "" if found.seconds_left is None else f", about {found.seconds_left / 60.0:.0f} min left for one process"
    rows = [
        ("finished", f"{found.done} of {found.cases}{left}"),
        ("failed", str(len(found.failed))),
        *[(f"  {name}", reason) for name, reason in list(found.failed.items())[:20]],
        ("driver", found.driver or "none; go on with cofire sweep STUDY.toml --out DIR --resume"),
        ("time a case", "unknown" if found.seconds_each is None else f"{found.seconds_each:.2f} s (median)"),
        ("table", str(found.table or "none yet")),
    ]
    table(
        f"study {found.name} in {found.folder}",
        rows if found.done < found.cases else [row for row in rows if row[0] != "driver"],
    )
