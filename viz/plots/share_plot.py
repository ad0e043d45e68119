"""Which number decides a study: shares and coefficients as bars, sorted by size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from viz.palette import GREY, PAPER, SERIES
from viz.plots.axes import require, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {"main": SERIES[0], "pair": "#7FB8D8", "rest": PAPER}
"""Colour of single numbers, of pairs of them, and of what is left."""
WORDS = {"main": "one number", "pair": "two together", "rest": "what is left"}
ROW_INCHES = 0.30
PANEL_INCHES = 3.3
MOST_BARS = 12
LETTERS = 34
"""Longest line of a bar's name."""


@styled
def shares(table: pd.DataFrame, *, xlabel: str) -> Figure:
    """Plot shares or coefficients as bars, largest first, with a panel for every carrier.

    Parameters
    ----------
    table : DataFrame
        Columns `carrier`, `term`, `value`; optional `kind` ("main", "pair", "rest"), `low_95` and `high_95`. Of more than 12 terms
        of a carrier the largest are shown.
    xlabel : str
        What the bars measure.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If a column is missing or the table is empty.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"carrier": "ion", "term": ["size", "density"], "value": [0.2, 0.8]})
    >>> [label.get_text() for label in shares(table, xlabel="share").axes[0].get_yticklabels()]
    ['density', 'size']
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    require(table, ("carrier", "term", "value"))
    carriers = list(dict.fromkeys(map(str, table["carrier"])))
    parts = [table[table["carrier"] == carrier] for carrier in carriers]
    parts = [
        part.iloc[np.argsort(-part["value"].abs().to_numpy(dtype=np.float64), kind="stable")[:MOST_BARS]] for part in parts
    ]
    lines = max(sum(_broken(str(term)).count("\n") + 1 for term in part["term"]) for part in parts)
    figure = Figure(
        figsize=((PANEL_INCHES + 2.2) * len(carriers), 1.2 + 0.8 * ROW_INCHES * max(lines, 2)), layout="constrained"
    )
    grid = figure.subplots(1, len(carriers), squeeze=False)
    for axes, part, carrier in zip(grid[0], parts, carriers, strict=True):
        _bars(axes, part)
        axes.set_title(carrier, loc="left")
        axes.set_xlabel(xlabel)
    kinds = list(dict.fromkeys(table["kind"])) if "kind" in table.columns else []
    if len(kinds) > 1:
        patches = [Patch(color=KINDS[kind], label=WORDS[kind]) for kind in KINDS if kind in kinds]
        figure.legend(handles=patches, loc="outside lower center", ncols=3)
    return figure


def _bars(axes: Axes, part: pd.DataFrame) -> None:
    values = part["value"].to_numpy(dtype=np.float64)
    kinds = part["kind"] if "kind" in part.columns else ["main"] * len(part)
    place = np.arange(len(part))
    axes.barh(place, values, 0.72, color=[KINDS.get(str(kind), PAPER) for kind in kinds])
    right, left = values.copy(), values.copy()
    if {"low_95", "high_95"} <= set(part.columns):
        low, high = (part[name].to_numpy(dtype=np.float64) for name in ("low_95", "high_95"))
        bars: Any = np.clip(np.nan_to_num(np.stack([values - low, high - values])), 0.0, None)
        drawn = bars.sum(axis=0) > 0.0
        axes.errorbar(values[drawn], place[drawn], xerr=bars[:, drawn], linestyle="none", color="#262626", linewidth=1.0)
        left, right = values - bars[0], values + bars[1]
    for y, value, low_end, high_end in zip(place, values, left, right, strict=True):
        outside = high_end if value >= 0.0 else low_end
        axes.annotate(f"{value:.2f}".replace("-0.00", "0.00"), (outside, y), (5 if value >= 0.0 else -5, 0),
                      textcoords="offset points", ha="left" if value >= 0.0 else "right", va="center", fontsize=8.0)  # fmt: skip
    axes.axvline(0.0, color=GREY, linewidth=0.8)
    axes.set_yticks(place, [_broken(str(term)) for term in part["term"]])
    axes.set_ylim(len(part) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.16)


def _broken(text: str) -> str:
    """Return a long name on several lines, broken between words.

    Examples
    --------
    >>> _broken("area specific resistance (ohm m²) × relative density")
    'area specific resistance (ohm m²) ×\\nrelative density'
    """
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LETTERS and word != "×":
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
