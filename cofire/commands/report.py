"""`cofire report`: what a study found, as one page with figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cofire import options


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")],
    estimator: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which one to show: solver, graph or kMC; the solver where it was asked.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Write DIR/report.html: responses, ratios, maps and which number decides, from the cases finished so far."""
    from cofire.console import note, print_json, progress, table
    from cofire.study.reporting.page import report_study

    with progress("report") as bar:
        found = report_study(folder, estimator, bar)
    if json:
        print_json(found.to_dict())
        return
    first = found.ranking.drop_duplicates(["response", "among", "carrier", "measure"])
    rows = [
        (f"{row['response']}, {row['carrier']}, {row['among']}", f"{row['term']} ({row['measure']} {row['value']:.2f})")
        for row in first.to_dict("records")
    ]
    table(f"what decides most in {found.folder}", rows or [("nothing", "one point, or nothing differs")])
    note(f"{len(found.figures)} figures and the page: {found.report}")
