"""The report of a comparison: one self-contained page, and its figures as files beside."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd

from cofire.experiment.comparison import Comparison
from cofire.experiment.reporting.figures import draw_figures
from cofire.experiment.reporting.quotes import quotes
from cofire.paper import CONTRADICTIONS, SOURCE
from cofire.store import write_text
from cofire.tables import label, published, pull, with_error


def write_report(comparison: Comparison) -> Path:
    """Write figures and `report.html` of a comparison; a picture that cannot be drawn is replaced by the reason."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("cofire"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("report.html").render(
        source=SOURCE,
        contradictions=CONTRADICTIONS,
        sections=_sections(comparison.table),
        summary=quotes(comparison),
        figures=draw_figures(comparison),
        explanation=_explanation(comparison),
        run=comparison.run,
        sources=_material_sources(comparison.run["input"]["materials"]),
        recipe=_flat(comparison.run["input"]["recipe"]),
    )
    target = comparison.folder / "report.html"
    write_text(target, page)
    return target


def _explanation(comparison: Comparison) -> dict[str, Any] | None:
    """Return the tables that explain, as the page prints them."""
    known = comparison.explanation
    if known is None:
        return None
    return {
        "coarse_nm": f"{known.coarse_nm:g}",
        "waterfall": [
            {**row, "factor": f"{row['factor']:.3g}", "interval": _interval(row["low"], row["high"]),
             "before": f"{row['sigma_before_mS_per_cm']:.3g}", "after": f"{row['sigma_after_mS_per_cm']:.3g}"}
            for row in known.waterfall.to_dict("records")
        ],
        "gaps": known.gaps.to_dict("records"),
        "statement": known.statement,
        "observations": known.observations.to_dict("records"),
        "budget": [
            {**row, "name": label(str(row["quantity"])), "entry": _budget_entry(row), "shift": _signed(row["shift"], row["unit"]),
             "interval": _interval(row["low"], row["high"])}
            for row in known.budget.to_dict("records")
        ],
    }  # fmt: skip


def _interval(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}" if math.isfinite(low) and math.isfinite(high) else ""


def _budget_entry(row: Any) -> str:
    error = row["standard_error"]
    if not math.isfinite(error):
        return "not known"
    return f"{error:.2g} eV" if row["unit"] == "eV" else f"{100.0 * error:.2g} %"


def _signed(shift: float, unit: str) -> str:
    if not math.isfinite(shift):
        return ""
    return f"{shift:+.2g} eV" if unit == "eV" else f"{100.0 * shift:+.2g} %"


def _flat(table: dict[str, Any], where: str = "") -> list[tuple[str, Any]]:
    """Return every number of a recipe with its dotted name."""
    out: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{where}.{key}" if where else key
        out += _flat(value, name) if isinstance(value, dict) else [(name, value)]
    return out


def _sections(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the table in parts, each row as the page prints it."""
    titles = (
        ("sigma", "Effective conductivity at the temperature of the comparison"),
        ("ratio", "Co-fired over cold-pressed"),
        ("activation", "Activation energy"),
        ("", "Structure"),
    )
    left = table.to_dict("records")
    out = []
    for start, title in titles:
        mine = [row for row in left if str(row["quantity"]).startswith(start)]
        left = [row for row in left if row not in mine]
        rows = [
            {
                "quantity": label(str(row["quantity"])),
                "process": row["process"],
                "carrier": row["carrier"],
                "estimator": row["estimator"],
                "value": with_error(row["value"], row["standard_error"], str(row["unit"])).replace("+-", "±"),
                "replicas": row["replicas"],
                "published": published(row),
                "pull": pull(row),
                "note": row["note"],
            }
            for row in mine
        ]
        if rows:
            out.append({"title": title, "rows": rows})
    return out


def _material_sources(materials: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every number of the materials with its source, flat."""
    out: list[dict[str, Any]] = []

    def visit(table: dict[str, Any], where: str) -> None:
        sources = table.get("source", {})
        for key, value in table.items():
            if isinstance(value, dict) and key != "source":
                visit(value, f"{where}.{key}" if where else key)
            elif key in sources:
                source = sources[key]
                out.append({"where": where, "name": key, "value": value, "status": source["status"], "text": source["text"]})

    visit(materials, "")
    return out
