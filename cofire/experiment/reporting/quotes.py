"""What a scientist may quote from a comparison: sentences made from its tables."""

from __future__ import annotations

import math

from cofire.building import PROCESSES
from cofire.experiment.comparison import Comparison
from cofire.experiment.explaining import Explanation
from cofire.paper import VALUES
from cofire.tables import with_error
from microstructures.materials import CARRIERS


def quotes(comparison: Comparison) -> list[str]:
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
    for carrier in CARRIERS:
        out.append(_ratio(comparison, carrier, text("ratio", "", carrier)))
    if comparison.explanation is not None:
        out += [*_closing(comparison.explanation), comparison.explanation.statement]
    out.append(
        "Three numbers were calibrated on the co-fired body: the resistance of the sintered LATP|LATP boundary, its activation "
        "energy and the conductance of the carbon film. The cold-pressed ions follow without another fit; the cold-pressed "
        "electrons rest on a carbon|carbon contact resistance chosen for them: a scenario, not a prediction."
    )
    return out


def _ratio(comparison: Comparison, carrier: str, value: str) -> str:
    """Return the prediction of fired over cold with its interval, and the verdict."""
    name = "ionic" if carrier == "ion" else "electronic"
    if value == "none":
        return f"No pair of bodies conducts {carrier}s both fired and pressed, so nothing is said of their ratio."
    said = f"Co-firing raises the {name} conductivity {value}-fold"
    known = VALUES[("ratio", "", carrier)]
    paper = f"the paper says about {known.value:g} ({known.low:.0f} to {known.high:.0f})"
    if comparison.explanation is None:
        return f"{said}; {paper}."
    budget = comparison.explanation.budget
    whole = budget[(budget["quantity"] == "ratio") & (budget["carrier"] == carrier) & (budget["source"] == "sum")]
    if whole.empty or not math.isfinite(whole.iloc[0]["low"]):
        return f"{said}, its interval is not known from one replica; {paper}."
    low, high = float(whole.iloc[0]["low"]), float(whole.iloc[0]["high"])
    if high < known.low or low > known.high:
        verdict = "the two intervals do not meet"
    elif low <= known.value <= high:
        verdict = "its interval holds the published value"
    else:
        verdict = "its interval meets that of the paper, without its value"
    gap = f"the prediction is {_times(comparison, carrier)}; {verdict}"
    return f"{said}, 95 % between {low:.3g} and {high:.3g} with all sources of error; {paper}: {gap}."


def _times(comparison: Comparison, carrier: str) -> str:
    """Return how many times smaller or larger than published the solver's ratio is."""
    table = comparison.table
    rows = table[(table["quantity"] == "ratio") & (table["carrier"] == carrier) & (table["estimator"] == "solver")]
    factor = VALUES[("ratio", "", carrier)].value / float(rows.iloc[0]["value"])
    return f"{factor:.2g} times smaller" if factor > 1.0 else f"{1.0 / factor:.2g} times larger"


def _closing(explanation: Explanation) -> list[str]:
    """Return what would close the gap of the ions, one sentence for all ways; of one resistance the first barrier."""
    ways = {row["change"]: row["text"] for row in reversed(explanation.gaps.to_dict("records")) if row["carrier"] == "ion"}
    start = "Single changes of the cold-pressed body that would bring the ions there, each a scenario"
    return [f"{start}: {'; '.join(reversed(ways.values()))}."] if ways else []
