"""The picture of the scenarios: one row each, published bands, zeros at the edge."""

from __future__ import annotations

import math
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import viz
from microstructures.errors import InputError

GROUPS = ("LFTAP conductivity (base 1 mS/cm)", "carbon (base: lost)", "density (base 90 %)", "powder diameter (base 500 nm)")


def scenario_rows(per_group: int = 7) -> pd.DataFrame:
    """Return a table of four groups; the first does not matter to electrons, the last scenario has no path."""
    rows = []
    names = [("base", ""), *((group, f"level {k}") for group in GROUPS for k in range(per_group))]
    for number, (group, label) in enumerate(names):
        for quantity, process, carrier, base in (
            ("sigma", "co-fired", "ion", 1.0), ("sigma", "cold-pressed", "ion", 0.01), ("sigma", "co-fired", "electron", 7.0),
            ("ratio", "", "ion", 100.0), ("ratio", "", "electron", 900.0),
        ):  # fmt: skip
            change = 1.0 + 0.05 * number
            untouched = group == GROUPS[0] and carrier == "electron"
            value = 0.0 if number == len(names) - 1 else base * change
            rows.append(
                {"group": group, "label": label, "quantity": quantity, "process": process, "carrier": carrier, "value": value,
                 "low": -value, "high": 2.0 * value, "change": change, "change_low": 0.9 * change, "change_high": 1.1 * change,
                 "note": "as the base: does not matter here" if untouched else "", "published": base, "published_low": 0.8 * base,
                 "published_high": 1.3 * base}
            )  # fmt: skip
    return pd.DataFrame(rows)


def texts(figure: Any) -> list[str]:
    figure.draw_without_rendering()
    return [found.get_text() for found in figure.findobj(matplotlib.text.Text)]


def test_every_scenario_has_a_row_under_its_group_and_units_below():
    figure = viz.scenarios(scenario_rows())
    found = texts(figure)
    for text in (*GROUPS, "level 6", "co-fired σ$_i$ (mS cm$^{-1}$)", "95 % of the change", "no path", "published"):
        assert text in found
    assert len(figure.axes[0].get_yticks()) == 28
    assert "base" not in [tick.get_text() for tick in figure.axes[0].get_yticklabels()]


def test_rows_and_headings_do_not_overlap():
    figure = viz.scenarios(scenario_rows())
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    first = figure.axes[0]
    labels = [label for label in first.get_yticklabels() if label.get_text()]
    boxes = [part.get_window_extent() for part in (*labels, *first.texts)]
    assert len(boxes) == 32
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert min(box.x0 for box in boxes) >= 0.0


def test_what_does_not_matter_is_left_out_and_no_path_is_at_the_edge():
    figure = viz.scenarios(scenario_rows())

    def dots(axes: Any, marker: str) -> int:
        return sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == marker)

    assert [dots(axes, "o") for axes in figure.axes] == [27, 0, 27]
    assert [dots(axes, "s") for axes in figure.axes] == [0, 20, 20]
    assert [dots(axes, "<") for axes in figure.axes] == [1, 1, 2]


def test_one_seed_has_dots_without_bars():
    table = scenario_rows(2).assign(low=math.nan, high=math.nan, change_low=math.nan, change_high=math.nan)
    figure = viz.scenarios(table.drop(columns=["published", "published_low", "published_high"]))
    assert "published" not in texts(figure)
    assert all(len(line.get_xdata()) == 1 or np.ptp(line.get_xdata()) == 0.0 for line in figure.axes[0].lines)


def test_a_table_without_columns_is_named():
    with pytest.raises(InputError, match="no column change"):
        viz.scenarios(scenario_rows(1).drop(columns="change"))
