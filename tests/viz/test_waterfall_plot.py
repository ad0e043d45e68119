"""The waterfall plot: bars that hang between before and after, factors over them, whiskers where an interval is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import BarContainer, ErrorbarContainer
from test_plots import inside, keys_overlap_axes, texts

import viz
from microstructures.errors import InputError

STEPS = ("no reaction layer", "no grain growth", "60 % dense", "point contacts", "contact resistance")
FACTORS = {"ion": (0.8, 1.1, 2.51, 62.0, 1.0), "electron": (0.45, 0.9, 2.0, 3.0, 400.0)}


def waterfall_table() -> pd.DataFrame:
    rows = []
    for carrier, factors in FACTORS.items():
        sigma = np.cumprod([1.0, *(1.0 / f for f in factors)])
        for k, (step, factor) in enumerate(zip(STEPS, factors, strict=True)):
            spread = 1.0 if factor == 1.0 else 1.2
            rows.append((carrier, step, sigma[k], sigma[k + 1], factor, factor / spread, factor * spread))
        total = float(np.prod(factors))
        rows.append((carrier, "total", sigma[0], sigma[-1], total, total / 1.5, total * 1.5))
    columns = ["carrier", "step", "sigma_before_mS_per_cm", "sigma_after_mS_per_cm", "factor", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def bars(axes: Any) -> list[tuple[float, float]]:
    """Return lower and upper end of every bar, from left to right."""
    found = [patch for group in axes.containers if isinstance(group, BarContainer) for patch in group]
    found.sort(key=lambda patch: patch.get_x())
    return [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in found]


def test_bars_hang_between_before_and_after():
    table = waterfall_table()
    figure = viz.waterfall(table)
    for axes, carrier in zip(figure.axes, ("ion", "electron"), strict=True):
        part = table[(table["carrier"] == carrier) & (table["step"] != "total")]
        first, *steps, last = bars(axes)
        assert axes.get_yscale() == "log"
        assert first == pytest.approx((axes.get_ylim()[0], part["sigma_before_mS_per_cm"].iloc[0]))
        assert last == pytest.approx((axes.get_ylim()[0], part["sigma_after_mS_per_cm"].iloc[-1]))
        ends = part[["sigma_before_mS_per_cm", "sigma_after_mS_per_cm"]].to_numpy()
        assert np.array(steps) == pytest.approx(np.sort(ends, axis=1))


def test_factors_names_and_units_are_written():
    figure = viz.waterfall(waterfall_table())
    found = texts(figure).replace("\n", " ")
    for text in ("÷ 2.5", "× 1.25", "÷ 1 ", "÷ 62", "÷ 400", "× 2.2", "no reaction layer", "co-", "pressed", "(mS cm$^{-1}$)"):
        assert text in found, text
    assert "co-fired over cold-pressed: 137 (95 % interval over replicas: 91.3 to 205)" in found
    alone = texts(viz.waterfall(waterfall_table().assign(low=np.nan, high=np.nan)))
    assert "co-fired over cold-pressed: 137\n" in alone
    assert not keys_overlap_axes(figure)
    assert inside(figure)


def test_whiskers_are_drawn_where_the_interval_is_known():
    table = waterfall_table()
    axes = viz.waterfall(table).axes[0]
    whiskers = [group for group in axes.containers if isinstance(group, ErrorbarContainer)]
    assert len(whiskers) == 4  # of five steps one has no spread
    row = table.iloc[2]
    ends = whiskers[2].lines[2][0].get_segments()[0][:, 1]
    before = row["sigma_before_mS_per_cm"]
    assert ends.tolist() == pytest.approx([before / row["high"], before / row["low"]])
    plain = viz.waterfall(table.assign(low=np.nan, high=np.nan)).axes[0]
    assert not [group for group in plain.containers if isinstance(group, ErrorbarContainer)]
    assert inside(viz.waterfall(table.drop(columns=["low", "high"])))


def test_published_values_lie_over_both_bodies():
    published = pd.DataFrame(
        {
            "process": ["co-fired", "cold-pressed"],
            "carrier": "ion",
            "sigma_mS_per_cm": [0.99, np.nan],
            "low_mS_per_cm": [0.85, 3e-4],
            "high_mS_per_cm": [1.15, 3e-3],
        }
    )
    figure = viz.waterfall(waterfall_table(), published=published)
    ion, electron = figure.axes
    assert ion.get_ylim()[0] < 3e-4
    assert [text.get_text() for text in ion.get_legend().get_texts()].count("published") == 1
    assert "published" not in [text.get_text() for text in electron.get_legend().get_texts()]
    boxes = [band.get_paths()[0].get_extents() for band in ion.collections if band.get_paths() and band.get_alpha()]
    assert [end for box in boxes for end in (box.y0, box.y1)] == pytest.approx([0.85, 1.15, 3e-4, 3e-3])
    assert boxes[1].x0 > 5.0
    assert inside(figure)


def test_carrier_without_a_complete_chain_is_said():
    table = waterfall_table()
    table.loc[table["carrier"] == "electron", table.columns[2:]] = np.nan
    figure = viz.waterfall(table)
    assert "no replica conducts in every body" in texts(figure)
    assert bars(figure.axes[1]) == []
    assert inside(figure)


def test_bad_tables_are_refused():
    with pytest.raises(InputError, match="no column factor"):
        viz.waterfall(waterfall_table().drop(columns="factor"))
    with pytest.raises(InputError, match="no rows"):
        viz.waterfall(waterfall_table().iloc[:0])
