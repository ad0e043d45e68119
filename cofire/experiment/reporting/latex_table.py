r"""The main numbers of a comparison as a LaTeX table: conductivities, ratios, activation energies beside the published ones.

The document needs `\usepackage{booktabs}`, nothing else.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from cofire.tables import pull

QUANTITIES = {"sigma": r"$\sigma$", "ratio": "co-fired / cold-pressed", "activation_energy": "$E_a$"}
UNITS = {"mS/cm": "mS\\,cm$^{-1}$", "eV": "eV", "": ""}
_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
SMALLEST_RELATIVE_ERROR = 1e-8
"""A smaller error is that of rounding and is not printed."""
HEAD = ("quantity", "process", "carrier", "estimator", "computed", "unit", "published", "pull")


def to_latex(
    table: pd.DataFrame,
    *,
    caption: str = "Computed and published transport, with standard errors over replicas.",
    label: str = "tab:cofire",
) -> str:
    r"""Return the rows of sigma, ratio and activation energy as a `table` environment with booktabs rules.

    Parameters
    ----------
    table : DataFrame
        The table of a comparison.
    caption : str
        Caption, as plain text; what the pull means is added.
    label : str
        Label, taken as it is.

    Returns
    -------
    str
        A value has as many digits as its error deserves; a value without an error has none printed. The pull is the
        difference to the published value over the errors of both (of ratios: of logarithms).

    Examples
    --------
    >>> latex_number(3.1234e-5, 2.1e-6)
    '$(3.12 \\pm 0.21) \\times 10^{-5}$'
    """
    main = table[table["quantity"].isin(list(QUANTITIES))]
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escape(caption)} Pull: difference to the published value over the errors of both.}}",
        f"  \\label{{{label}}}",
        r"  \begin{tabular}{llllrlrr}",
        r"    \toprule",
        f"    {' & '.join(HEAD)} \\\\",
    ]
    before = ""
    for row in main.to_dict("records"):
        if row["quantity"] != before:
            lines.append(r"    \midrule")
            before = row["quantity"]
        lines.append(f"    {' & '.join(_cells(row))} \\\\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    text = pull(row)
    unit = str(row["unit"])
    return (
        QUANTITIES[str(row["quantity"])],
        *(escape(str(row[name])) for name in ("process", "carrier", "estimator")),
        latex_number(row["value"], row["standard_error"]),
        UNITS.get(unit, escape(unit)),
        _published(row),
        f"${text}$" if text else "",
    )


def latex_number(value: float, error: float = math.nan) -> str:
    r"""Return a value with its error in math mode, ``$0.990 \pm 0.031$``; `none` if it is not finite.

    Examples
    --------
    >>> latex_number(0.99, 0.031), latex_number(1000.0), latex_number(math.nan)
    ('$0.990 \\pm 0.031$', '$1000$', 'none')
    """
    if not math.isfinite(value):
        return "none"
    power = math.floor(math.log10(abs(value))) if value else 0
    scale = 0 if -3 <= power <= 3 else power
    value, error = value / 10.0**scale, error / 10.0**scale
    if not (math.isfinite(error) and error > SMALLEST_RELATIVE_ERROR * abs(value)):
        body = f"{value:.4g}"
    else:
        digits = 1 - math.floor(math.log10(error))
        body = f"{_rounded(value, digits)} \\pm {_rounded(error, digits)}"
        body = f"({body})" if scale else body
    return f"${body} \\times 10^{{{scale}}}$" if scale else f"${body}$"


def _rounded(value: float, digits: int) -> str:
    return f"{round(value, digits):.{max(digits, 0)}f}"


def _published(row: dict[Any, Any]) -> str:
    if not math.isfinite(row["published"]):
        return ""
    value, low, high = (latex_number(float(f"{row[name]:.3g}")) for name in ("published", "published_low", "published_high"))
    return f"{value} ({low} to {high})"


def escape(text: str) -> str:
    r"""Return plain text with the characters that LaTeX reads as commands escaped.

    Examples
    --------
    >>> print(escape("co-fired_90 % {a}"))
    co-fired\_90 \% \{a\}
    """
    return "".join(_ESCAPES.get(character, character) for character in text)
