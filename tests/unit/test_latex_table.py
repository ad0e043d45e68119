"""The table for a paper: numbers, rules and escapes as LaTeX reads them."""

from __future__ import annotations

import math
import re

import pandas as pd
import pytest

from cofire.experiment.reporting.latex_table import HEAD, escape, latex_number, to_latex


def row(quantity: str, **values: object) -> dict[str, object]:
    empty = {
        "quantity": quantity, "process": "co-fired", "carrier": "ion", "estimator": "solver", "value": 0.99,
        "standard_error": 0.031, "unit": "mS/cm", "replicas": 3, "published": math.nan, "published_low": math.nan,
        "published_high": math.nan, "note": "50 % & more",
    }  # fmt: skip
    return {**empty, **values}


TABLE = pd.DataFrame(
    [
        row("relative_density", unit=""),
        row("sigma", value=1.1, published=0.99, published_low=0.85, published_high=1.15),
        row("sigma", process="cold-pressed", value=3.1234e-5, standard_error=2.1e-6),
        row("ratio", process="", unit="", value=160.0, standard_error=16.0, published=1000.0, published_low=10**2.5,
            published_high=10**3.5),
        row("activation_energy", carrier="a_b", value=math.nan, unit="eV"),
        row("activation_energy_fit (ln sigma)", unit="eV"),
    ]
)  # fmt: skip


def body(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.endswith("\\\\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix("\\\\"))] for line in lines]


def test_rows_are_the_main_ones_with_a_cell_for_every_column():
    head, *rows = body(to_latex(TABLE))
    assert head == list(HEAD)
    assert [cells[0] for cells in rows] == [r"$\sigma$", r"$\sigma$", "co-fired / cold-pressed", "$E_a$"]
    assert all(len(cells) == len(HEAD) for cells in rows)


def test_values_stand_with_errors_published_and_pull():
    _, fired, pressed, ratio, energy = body(to_latex(TABLE))
    assert fired[4:] == [r"$1.100 \pm 0.031$", r"mS\,cm$^{-1}$", "$0.99$ ($0.85$ to $1.15$)", "$+0.7$"]
    assert pressed[4] == r"$(3.12 \pm 0.21) \times 10^{-5}$"
    assert (pressed[6], pressed[7]) == ("", "")
    pull = (math.log(160.0) - math.log(1000.0)) / math.hypot(0.1, 0.5 * math.log(10.0))
    assert ratio[7] == f"${pull:+.1f}$"
    assert (energy[2], energy[4]) == (r"a\_b", "none")


def test_environments_braces_and_dollars_are_closed():
    text = to_latex(TABLE, caption="50 % of {all} & more", label="tab:x")
    opened, closed = (re.findall(rf"\\{word}{{(\w+)}}", text) for word in ("begin", "end"))
    assert opened == closed[::-1]
    plain = re.sub(r"\\[{}$&%#_]", "", text)
    assert plain.count("{") == plain.count("}")
    assert plain.count("$") % 2 == 0
    assert r"\caption{50 \% of \{all\} \& more Pull" in text
    assert r"\label{tab:x}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\bottomrule")] == [1, 1]


def test_a_group_of_rows_begins_with_a_rule():
    assert to_latex(TABLE).count(r"\midrule") == 3


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.2713, 0.0022, r"$0.2713 \pm 0.0022$"),
        (7.34, math.nan, "$7.34$"),
        (0.0, math.nan, "$0$"),
        (2.5e7, 1e6, r"$(2.50 \pm 0.10) \times 10^{7}$"),
        (-3e-6, math.nan, r"$-3 \times 10^{-6}$"),
        (math.inf, 1.0, "none"),
        (160.0, 16.0, r"$160 \pm 16$"),
        (2367.4, 152.0, r"$2370 \pm 150$"),
        (0.2, 3.6e-6, r"$0.2000000 \pm 0.0000036$"),
        (0.2, 1e-12, "$0.2$"),
    ],
)
def test_numbers(value, error, text):
    assert latex_number(value, error) == text


@pytest.mark.parametrize("sign", list("&%$#_{}~^\\<>|"))
def test_signs_of_latex_are_escaped(sign):
    assert escape(f"a{sign}b") not in (f"a{sign}b", "ab")
    assert escape(f"a{sign}b").startswith("a\\")
