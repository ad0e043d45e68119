"""What may be quoted: a verdict follows from both intervals, and none is given where one of them is unknown."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cofire.experiment.comparison import Comparison
from cofire.experiment.explaining import Explanation
from cofire.experiment.reporting.quotes import quotes
from cofire.paper import VALUES

NOTHING = pd.DataFrame()
CONTRADICT, AGREE, OVERLAP = (
    "the two intervals do not meet",
    "its interval holds the published value",
    "its interval meets that of the paper, without its value",
)
RATIOS = {"ion": (160.0, 16.0), "electron": (900.0, 45.0)}


def row(quantity: str, process: str, carrier: str, value: float, error: float, unit: str) -> dict[str, object]:
    keys = {"quantity": quantity, "process": process, "carrier": carrier, "estimator": "solver"}
    return {**keys, "value": value, "standard_error": error, "unit": unit}


def table(ratios: dict[str, tuple[float, float]] = RATIOS) -> pd.DataFrame:
    rows = [row("ratio", "", carrier, *value, "") for carrier, value in ratios.items()]
    rows += [
        row("sigma", "co-fired", "ion", 0.99, 0.031, "mS/cm"),
        row("sigma", "co-fired", "electron", 7.34, 0.12, "mS/cm"),
        row("sigma", "cold-pressed", "ion", 0.0062, 0.0003, "mS/cm"),
        row("activation_energy", "co-fired", "ion", 0.29, 0.0011, "eV"),
    ]
    others = [{**one, "estimator": "kMC", "value": 1e9} for one in rows]
    return pd.DataFrame([*others, *rows])


def budget(low: float, high: float, carrier: str = "ion") -> pd.DataFrame:
    """Return the sum of a budget between a source of the same quantity and the sum of another, which are not to be quoted."""
    keys = {"quantity": "ratio", "process": "", "carrier": carrier, "source": "sum", "low": low, "high": high}
    other = "electron" if carrier == "ion" else "ion"
    return pd.DataFrame(
        [{**keys, "source": "replicas", "low": 1.0, "high": 1e6}, keys, {**keys, "carrier": other, "low": 2.0, "high": 3.0}]
    )


def comparison(of_budget: pd.DataFrame | None = None, gaps: pd.DataFrame | None = None) -> Comparison:
    explanation = None
    if of_budget is not None:
        ways = pd.DataFrame(columns=["carrier", "change", "text"]) if gaps is None else gaps
        explanation = Explanation(NOTHING, NOTHING, NOTHING, ways, of_budget, "A measured energy would decide.", 75.0)
    return Comparison(Path(), table(), NOTHING, NOTHING, [], {"input": {"temperature_C": 60.0}}, explanation)


def about(sentences: list[str], word: str) -> str:
    found = [sentence for sentence in sentences if f"raises the {word} conductivity" in sentence]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (100.0, 250.0, CONTRADICT),
        (100.0, 316.0, CONTRADICT),  # just below the least of the paper, 316.2
        (100.0, 317.0, OVERLAP),
        (100.0, 999.0, OVERLAP),
        (100.0, 1000.0, AGREE),
        (400.0, 2000.0, AGREE),
        (1000.0, 9000.0, AGREE),
        (1001.0, 9000.0, OVERLAP),
        (3162.0, 9000.0, OVERLAP),
        (3163.0, 9000.0, CONTRADICT),
    ],
)
@pytest.mark.parametrize(("carrier", "word"), [("ion", "ionic"), ("electron", "electronic")])
def test_verdict_follows_from_both_intervals(low, high, verdict, carrier, word):
    known = VALUES["ratio", "", carrier]
    assert (known.value, round(known.low, 1), round(known.high, 1)) == (1000.0, 316.2, 3162.3)
    said = about(quotes(comparison(budget(low, high, carrier))), word)
    times = "6.2 times smaller" if carrier == "ion" else "1.1 times smaller"
    assert said.endswith(f"(316 to 3162): the prediction is {times}; {verdict}.")
    assert f"95 % between {low:.3g} and {high:.3g} with all sources of error" in said
    assert sum(other in said for other in (CONTRADICT, AGREE, OVERLAP)) == 1


def test_value_with_its_error_is_the_solvers():
    said = quotes(comparison(budget(120.0, 210.0)))
    assert about(said, "ionic").startswith("Co-firing raises the ionic conductivity 160 ± 16-fold, ")
    assert about(said, "electronic").startswith("Co-firing raises the electronic conductivity 900 ± 45-fold, ")
    assert not any("1e+09" in sentence or "+-" in sentence for sentence in said)


@pytest.mark.parametrize("of_budget", [budget(math.nan, math.nan), budget(1.0, 2.0).iloc[:1]], ids=["no interval", "no sum"])
def test_one_replica_gives_no_verdict(of_budget):
    said = about(quotes(comparison(of_budget)), "ionic")
    assert "its interval is not known from one replica" in said
    assert "about 1000 (316 to 3162)" in said
    assert "95 %" not in said
    assert not any(verdict in said for verdict in (CONTRADICT, AGREE, OVERLAP))


def test_one_replica_gives_values_without_errors():
    alone = comparison(budget(math.nan, math.nan))
    alone = replace(alone, table=alone.table.assign(standard_error=math.nan))
    said = quotes(alone)
    assert about(said, "ionic").startswith("Co-firing raises the ionic conductivity 160-fold, ")
    assert not any("±" in sentence for sentence in said)


def test_without_an_explanation_there_is_a_value_beside_the_paper_and_no_verdict():
    said = quotes(comparison())
    assert about(said, "ionic") == (
        "Co-firing raises the ionic conductivity 160 ± 16-fold; the paper says about 1000 (316 to 3162)."
    )
    assert not any("each a scenario" in sentence or "would decide" in sentence for sentence in said)


def test_conductivities_and_energies_of_each_process_are_one_sentence():
    fired = next(sentence for sentence in quotes(comparison()) if sentence.startswith("co-fired: "))
    assert "sigma_i = 0.990 ± 0.031 mS/cm, sigma_e = 7.34 ± 0.12 mS/cm at 60 degC" in fired
    assert "activation energies 0.2900 ± 0.0011 eV (ions) and none (electrons)" in fired


def test_ways_that_close_the_gap_of_the_ions_are_one_sentence_with_one_barrier_of_a_resistance():
    gaps = pd.DataFrame(
        [
            ("ion", "contact radius", "contacts of 4 nm"),
            ("ion", "contact resistance", "1 ohm m2 at 0.3 eV"),
            ("electron", "contact radius", "contacts of 2 nm"),
            ("ion", "contact resistance", "3 ohm m2 at 0.6 eV"),
        ],
        columns=["carrier", "change", "text"],
    )
    start = "Single changes of the cold-pressed body"
    said = quotes(comparison(budget(100.0, 200.0), gaps))
    ways = [sentence for sentence in said if sentence.startswith(start)]
    assert len(ways) == 1
    assert ways[0].endswith(", each a scenario: contacts of 4 nm; 1 ohm m2 at 0.3 eV.")
    assert "A measured energy would decide." in said
    assert not any(sentence.startswith(start) for sentence in quotes(comparison(budget(100.0, 200.0))))


def test_what_was_fitted_and_what_is_a_scenario_is_said():
    last = quotes(comparison())[-1]
    assert "Three numbers were calibrated" in last
    assert "a scenario, not a prediction" in last
