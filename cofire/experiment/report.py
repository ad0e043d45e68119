"""The report of a comparison: one self-contained page, and its figures as files beside."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pandas as pd

from cofire.building import PROCESSES
from cofire.experiment.comparison import Comparison
from cofire.experiment.paper import CONTRADICTIONS, SOURCE, VALUES
from cofire.store import write_text
from cofire.tables import label, published, pull, with_error
from microstructures.formats import read


def write_report(comparison: Comparison) -> Path:
    """Write figures and `report.html` of a comparison; a picture that cannot be drawn is replaced by the reason."""
    figures = comparison.folder / "figures"
    figures.mkdir(exist_ok=True)
    drawn = {
        "structures": _drawn(lambda: _structures(comparison, figures)),
        "estimators": _drawn(lambda: _estimators(comparison, figures)),
        "arrhenius": _drawn(lambda: _arrhenius(comparison, figures)),
    }
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader("cofire"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("report.html").render(
        source=SOURCE,
        contradictions=CONTRADICTIONS,
        sections=_sections(comparison.table),
        summary=_summary(comparison),
        figures=drawn,
        run=comparison.run,
        sources=_material_sources(comparison.run["input"]["materials"]),
    )
    target = comparison.folder / "report.html"
    write_text(target, page)
    return target


def _drawn(draw: Any) -> dict[str, str]:
    """Return a picture as text for the page, or why there is none."""
    try:
        return {"data": base64.b64encode(Path(draw()).read_bytes()).decode(), "why": ""}
    except Exception as error:
        return {"data": "", "why": f"not drawn: {' '.join(str(error).split())}; cofire doctor says what is missing"}


def _structures(comparison: Comparison, folder: Path) -> Path:
    from viz import render_pair

    seed = comparison.run["input"]["seed"]
    pair = [read(comparison.folder / "structures" / f"{process}-seed{seed}.h5") for process in PROCESSES]
    return render_pair(pair[0], pair[1], png=folder / "structures.png", titles=PROCESSES)


def _estimators(comparison: Comparison, folder: Path) -> Path:
    from viz import estimators, save

    table = comparison.estimates.rename(columns={"own_stderr_mS_per_cm": "stderr_mS_per_cm"})
    paper = pd.DataFrame(
        [
            {"process": process, "carrier": carrier, "sigma_mS_per_cm": value.value, "low_mS_per_cm": value.low,
             "high_mS_per_cm": value.high}
            for (quantity, process, carrier), value in VALUES.items()
            if quantity == "sigma"
        ]
    )  # fmt: skip
    return save(estimators(table, paper=paper), folder / "estimators", table)[0]


def _arrhenius(comparison: Comparison, folder: Path) -> Path:
    from viz import arrhenius, save

    table = comparison.arrhenius.copy()
    fits = comparison.table[comparison.table["quantity"] == "activation_energy_fit (ln sigma)"]
    energies = {(row["process"], row["carrier"]): row["value"] for row in fits.to_dict("records")}
    table["activation_energy_eV"] = [
        energies.get((p, c), float("nan")) for p, c in zip(table["process"], table["carrier"], strict=True)
    ]
    experiment = pd.DataFrame(
        [
            {"label": "published", "process": process, "carrier": carrier, "temperature_C": 60.0,
             "sigma_mS_per_cm": value.value, "activation_energy_eV": VALUES[("activation_energy", process, carrier)].value}
            for (quantity, process, carrier), value in VALUES.items()
            if quantity == "sigma"
        ]
    )  # fmt: skip
    return save(arrhenius(table, experiment=experiment), folder / "arrhenius", table)[0]


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


def _summary(comparison: Comparison) -> list[str]:
    """Return what a scientist may quote, from the solver's rows."""
    table = comparison.table

    def text(quantity: str, process: str, carrier: str) -> str:
        part = table[(table["quantity"] == quantity) & (table["process"] == process) & (table["carrier"] == carrier)]
        part = part[part["estimator"] == "solver"]
        if part.empty:
            return "none"
        row = part.iloc[0]
        return with_error(row["value"], row["standard_error"], row["unit"]).replace("+-", "±")

    at = f"{comparison.run['input']['temperature_C']:g} degC"
    out = [
        f"{process}: sigma_i = {text('sigma', process, 'ion')}, sigma_e = {text('sigma', process, 'electron')} at {at} (solver, "
        f"mean and standard error over seeds and axes); activation energies {text('activation_energy', process, 'ion')} (ions) "
        f"and {text('activation_energy', process, 'electron')} (electrons), of ln(sigma)."
        for process in PROCESSES
    ]
    out.append(
        f"Co-firing raises the ionic conductivity {text('ratio', '', 'ion')}-fold and the electronic one "
        f"{text('ratio', '', 'electron')}-fold; the paper says about 1000 for both. The resistance of the sintered LATP|LATP "
        "boundary and the conductance of the carbon film were calibrated on the co-fired sample; the cold-pressed ions follow "
        "without another fit, the cold-pressed electrons rest on a carbon|carbon contact resistance chosen for them (a scenario, "
        "not a prediction)."
    )
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
