"""How a study was computed, as a paragraph, and its table for a paper."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cofire.experiment.reporting.latex_table import escape, latex_number
from cofire.study.reporting.bootstrap import DRAWS
from cofire.study.reporting.findings import Findings
from cofire.study.reporting.labels import value_label
from cofire.study.reporting.ranking import ANOVA, BINS, LEVELS, SRRC
from cofire.version import __version__

SIGMA = {
    "sigma_ion_mS_per_cm": (r"$\sigma_\mathrm{i}$", "sigma_ion"),
    "sigma_electron_mS_per_cm": (r"$\sigma_\mathrm{e}$", "sigma_el"),
}
SIZES = (("size_um", "box", "um"), ("voxel_nm", "voxels", "nm"))
ESTIMATORS = {
    "solver": "Effective conductivities are those of the voxel network, solved by conjugate gradients with multigrid; a value "
    "counts where inflow, outflow and dissipation agree.",
    "graph": "Effective conductivities are those of the contact graph: grains and contacts, with resistances from solutions inside "
    "grains.",
    "kMC": "Effective conductivities are from kinetic Monte Carlo of independent carriers; what has not settled is an upper bound.",
}
MEASURES = {
    ANOVA: "Shares of the variance are those of an analysis of variance of the full grid: main effects, interactions of pairs, and "
    "the scatter between replicas, each as epsilon squared (Kelley 1935), less what that scatter alone would give it, none below 0, "
    "scaled to sum to 1. Seeds are blocks: what one changes everywhere alike is scatter between replicas and blurs no effect.",
    LEVELS: "Where the grid has holes, since some points have no path or are not finished, shares are what each number explains beyond "
    "the others (sums of squares of type II, as epsilon squared); they need not sum to 1.",
    BINS: "First-order shares of a sample (Sobol' 2001) are what bins of equal count of each number explain beyond those of the "
    "others (epsilon squared); what they lack to 1 is interaction and scatter.",
    SRRC: "Standardised rank regression coefficients (Iman and Conover 1979) say how far the rank of the answer follows the rank of "
    "a number, and which way; where R squared is below about 0.7 they tell little.",
}
PACKED = "Powders are packed and pressed to their density; co-fired bodies are the same green bodies, fired: grains grow, pores close, "
PAIRED = (
    "Values are means over replicas; intervals are of 95 % by Student's t over seeds. The same seed gives the same powders at every "
    "point, so ratios of processes are taken seed by seed and their intervals from the logarithms of the pairs. A point without a "
    "path has a conductivity of exactly 0: it enters means, not logarithms."
)


def methods(found: Findings, ranking: pd.DataFrame) -> list[str]:
    """Return the sentences of the methods paragraph."""
    cell, run, study = (found.plan.get(name, {}) for name in ("cell", "run", "study"))
    sizes = [f"{word} {cell[key]:g} {unit}" for key, word, unit in SIZES if isinstance(cell.get(key), int | float)]
    temperatures = sorted(set(found.rows["temperature_C"]))
    hot = f"{temperatures[0]:g}" if len(temperatures) == 1 else f"{temperatures[0]:g} to {temperatures[-1]:g}"
    given = run.get("materials", "lfp-latp")
    known = given.get("name", "given in the study") if isinstance(given, Mapping) else value_label(given)
    sentences = [
        f"Computed with cofire {__version__}: {found.done} of {found.cases} cases, {found.rows['point'].nunique()} points with up to "
        f"{study['replicas']} replicas, seeds from {study['seed']}" + (f"; {', '.join(sizes)}" if sizes else "") + ".",
        "Structures are images." if set(found.rows["process"]) == {"image"} else f"{PACKED}an interphase forms.",
        f"{ESTIMATORS[found.estimator]} Temperature: {hot} degC; materials: {known}.",
        PAIRED,
        *(text for measure, text in MEASURES.items() if measure in set(ranking["measure"])),
    ]
    if ranking["low_95"].notna().any():
        units = "the points of the sample" if SRRC in set(ranking["measure"]) else "seeds"
        sentences.append(f"Intervals of the ranking: bootstrap, {DRAWS} draws of {units}, laid around the estimate.")
    return sentences


def to_latex(points: pd.DataFrame, name: str) -> str:
    r"""Return a table of points as a `table` environment with booktabs rules.

    Examples
    --------
    >>> points = pd.DataFrame({"size (um)": [3.0], "sigma_ion_mS_per_cm": [0.5], "sigma_ion_mS_per_cm_half_95": [0.021]})
    >>> print(to_latex(points, "sizes").splitlines()[7].strip())
    $3$ & $0.500 \pm 0.021$ \\
    """
    names, values = _columns(points)
    heads = [escape(name) for name in names] + [f"{SIGMA[value][0]} (mS\\,cm$^{{-1}}$)" for value in values]
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{Effective conductivities of the study {escape(name)}, means over replicas with half the interval of 95\\,\\%.}}",
        f"  \\begin{{tabular}}{{{'l' * len(names)}{'r' * len(values)}}}",
        r"    \toprule",
        f"    {' & '.join(heads)} \\\\".replace("²", "$^2$").replace("³", "$^3$"),
        r"    \midrule",
        *(f"    {' & '.join(_latex_cells(row, names, values))} \\\\" for row in points.to_dict("records")),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_cells(row: dict[Any, Any], names: list[str], values: list[str]) -> list[str]:
    given = [f"${row[name]:g}$" if isinstance(row[name], int | float) else escape(str(row[name])) for name in names]
    return given + [latex_number(row[value], row[f"{value}_half_95"]) if row[value] else "no path" for value in values]


def to_markdown(points: pd.DataFrame) -> str:
    """Return a table of points as Markdown.

    Examples
    --------
    >>> points = pd.DataFrame({"size (um)": [3.0], "sigma_ion_mS_per_cm": [0.0], "sigma_ion_mS_per_cm_half_95": [0.0]})
    >>> print(to_markdown(points).splitlines()[-1])
    | 3 | no path |
    """
    names, values = _columns(points)
    rows = [[*names, *(f"{SIGMA[value][1]} (mS/cm)" for value in values)], ["---"] * len(names) + ["---:"] * len(values)]
    for row in points.to_dict("records"):
        rows.append(
            [value_label(row[name]) for name in names] + [_plain_cell(row[value], row[f"{value}_half_95"]) for value in values]
        )
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows) + "\n"


def _plain_cell(value: float, half: float) -> str:
    if value == 0.0:
        return "no path"
    return f"{value:.3g} ± {half:.2g}" if math.isfinite(half) else f"{value:.3g}"


def _columns(points: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the columns of factors and those of conductivities."""
    values = [name for name in SIGMA if name in points.columns]
    return [name for name in points.columns if not str(name).startswith("sigma_")], values
