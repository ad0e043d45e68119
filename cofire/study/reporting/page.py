"""The report of a study: one page that needs nothing else, and its figures as files beside."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cofire import provenance
from cofire.store import write_text
from cofire.study.reporting.figures import Drawn, Figures
from cofire.study.reporting.findings import Findings, find
from cofire.study.reporting.labels import key_labels, value_label
from cofire.study.reporting.methods import methods, to_latex, to_markdown
from cofire.study.reporting.point_table import point_table
from cofire.study.reporting.ranking import rank
from cofire.study.reporting.responses import paired_ratios, pooled_ratio
from microstructures.notebook import InNotebook

MOST_ROWS = 40
"""Of a table of the page; the files hold all."""
MOST_VALUES = 8


@dataclass(frozen=True)
class StudyReport(InNotebook):
    """What was written; `to_dict` gives the JSON of the command line.

    Attributes
    ----------
    folder, report : Path
        Of the study, and the page.
    figures : list of Path
        Pictures, each with SVG and CSV beside.
    ranking, ratio : DataFrame
        From `rank` and `paired_ratios`.
    provenance : dict
        Record of the report.
    """

    folder: Path
    report: Path
    figures: list[Path]
    ranking: pd.DataFrame
    ratio: pd.DataFrame
    provenance: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "folder": str(self.folder), "report": str(self.report), "figures": [str(file) for file in self.figures],
            "ranking": self.ranking.to_dict("records"), "ratio": self.ratio.to_dict("records"), "provenance": self.provenance,
        }  # fmt: skip


def report_study(
    path: str | Path, estimator: str | None = None, progress: Callable[[float | None, str], Any] = lambda share, text: None
) -> StudyReport:
    """Write `report.html` and `figures/` into the folder of a study, finished or not.

    Parameters
    ----------
    path : path
        What `cofire sweep` wrote.
    estimator : str, optional
        Which one to show; the solver where it was asked.
    progress : callable
        Told a short text.

    Returns
    -------
    StudyReport

    Raises
    ------
    InputError
        If the folder holds no study, no case is finished, or nobody asked that estimator.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    started = provenance.start("cofire report")
    found = find(path, estimator)
    progress(None, "ranking")
    ranking, (ratios, no_ratio) = rank(found), paired_ratios(found)
    folder = found.folder / "figures"
    folder.mkdir(exist_ok=True)
    figures = Figures(found, folder)
    progress(None, "drawing")
    figures.responses()
    if len(ratios):
        figures.ratios(ratios)
    figures.maps()
    figures.rankings(ranking)
    points = point_table(found)
    given = {"folder": str(found.folder), "estimator": found.estimator}
    record = provenance.record(started, input=given, seed=found.plan["study"]["seed"], files=[found.folder / "study.json"])
    environment = Environment(loader=PackageLoader("cofire"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("study.html").render(
        found=found,
        replicas=found.plan["study"]["replicas"],
        seed=found.plan["study"]["seed"],
        varied=_varied(found),
        figures=_by_part(figures.drawn),
        ratios=_ratio_rows(ratios, found),
        ratio_count=len(ratios),
        no_ratio=no_ratio,
        pooled=_pooled(found) if len(ratios) else [],
        energies=_energies(found),
        zeros=_zeros(found),
        ranking=_ranking_rows(ranking),
        has_intervals=bool(ranking["low_95"].notna().any()),
        others=_others(found),
        methods=methods(found, ranking),
        latex=to_latex(points.head(MOST_ROWS), str(found.plan["name"])),
        markdown=to_markdown(points.head(MOST_ROWS)),
        point_count=len(points),
        most=MOST_ROWS,
        run=record,
    )
    points.to_csv(folder / "points.csv", index=False)
    target = found.folder / "report.html"
    write_text(target, page)
    files = [folder / f"{one.name}.png" for one in figures.drawn if one.data]
    return StudyReport(found.folder, target, files, ranking, ratios, record)


def _by_part(drawn: list[Drawn]) -> dict[str, list[Drawn]]:
    return {part: [one for one in drawn if one.part == part] for part in ("response", "energy", "ratio", "map", "ranking")}


def _varied(found: Findings) -> list[dict[str, Any]]:
    """Return each key that is varied with its values, or their range."""
    axes = found.plan["study"]["axes"]
    labels = key_labels(key for axis in axes for point in axis for key in point)
    rows = []
    for factor in found.factors:
        for key in factor.keys:
            values = list(dict.fromkeys(value_label(point[key]) for axis in axes for point in axis if key in point))
            numbers = [point[key] for axis in axes for point in axis if key in point]
            if len(values) > MOST_VALUES and factor.numeric:
                text = f"{len(values)} values from {min(numbers):g} to {max(numbers):g}"
            else:
                text = ", ".join(values[:MOST_VALUES]) + (
                    f" and {len(values) - MOST_VALUES} more" if len(values) > MOST_VALUES else ""
                )
            rows.append({"label": labels[key], "key": key, "values": text, "together": len(factor.keys) > 1})
    return rows


def _ratio_rows(ratios: pd.DataFrame, found: Findings) -> list[dict[str, str]]:
    names = {factor.column: factor.label for factor in found.factors}
    return [
        {
            "carrier": str(row["carrier"]),
            "point": ", ".join(f"{label} {value_label(row[column])}" for column, label in names.items() if column in row)
            or "the one point",
            "ratio": f"{row['ratio']:.3g}",
            "interval": interval(row["low_95"], row["high_95"]),
            "n": str(row["n"]),
        }
        for row in ratios.head(MOST_ROWS).to_dict("records")
    ]


def _pooled(found: Findings) -> list[str]:
    """Return a sentence for each carrier on the ratio over all points."""
    texts = []
    for carrier in found.carriers:
        pooled = pooled_ratio(found, carrier)
        if pooled is not None:
            ends = interval(*pooled[1:3])
            texts.append(f"{carrier}s: {pooled[0]:.3g}" + (f" (95 %: {ends})" if ends else "") + f", from {pooled[3]} seeds")
    return texts


def interval(low: float, high: float) -> str:
    """Return an interval as text, empty where it is not known."""
    return f"{low:.3g} to {high:.3g}" if math.isfinite(low) and math.isfinite(high) else ""


def _energies(found: Findings) -> list[dict[str, str]]:
    """Return the activation energies of each process and carrier over all points."""
    known = found.rows[np.isfinite(found.rows["activation_energy_eV"].astype(float))]
    return [
        {
            "process": str(process), "carrier": str(carrier), "mean": f"{part['activation_energy_eV'].mean():.3f}",
            "range": f"{part['activation_energy_eV'].min():.3f} to {part['activation_energy_eV'].max():.3f}", "n": str(len(part)),
        }
        for (process, carrier), part in known.groupby(["process", "carrier"], sort=False)
    ]  # fmt: skip


def _zeros(found: Findings) -> list[dict[str, Any]]:
    """Return how many cases have a path, for each process and carrier."""
    groups = found.rows.groupby(["process", "carrier"], sort=False)["percolates"]
    return [
        {"process": str(names[0]), "carrier": str(names[1]), "paths": int(part.sum()), "cases": len(part)}
        for names, part in groups
    ]


def _ranking_rows(ranking: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the ranking as the page prints it; a regression says how much it explains."""
    names = ("response", "among", "carrier", "term", "n")
    out = []
    for row in ranking.to_dict("records"):
        explained = f" (R² {row['explained']:.2f})" if math.isfinite(row["explained"]) else ""
        out.append({
            **{name: row[name] for name in names}, "measure": f"{row['measure']}{explained}", "value": f"{row['value']:.3f}",
            "interval": interval(row["low_95"], row["high_95"]),
        })  # fmt: skip
    return out


def _others(found: Findings) -> list[dict[str, str]]:
    """Return how the other estimators compare with the one shown, on the same cases."""
    keys = ["case", "point", "carrier"]
    both = found.others.merge(found.rows[[*keys, "sigma_mS_per_cm"]], on=keys, suffixes=("", "_shown"))
    both = both[(both["sigma_mS_per_cm"] > 0.0) & (both["sigma_mS_per_cm_shown"] > 0.0)]
    both = both.assign(ratio=both["sigma_mS_per_cm"] / both["sigma_mS_per_cm_shown"])
    return [
        {"estimator": str(names[0]), "process": str(names[1]), "carrier": str(names[2]), "ratio": f"{part['ratio'].median():.3f}",
         "range": interval(part["ratio"].min(), part["ratio"].max()), "n": str(len(part))}
        for names, part in both.groupby(["estimator", "process", "carrier"], sort=False)
    ]  # fmt: skip
