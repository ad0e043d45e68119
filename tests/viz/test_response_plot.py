"""Responses, maps and shares show what they are given: zeros, errors, holes, and nothing twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm
from matplotlib.container import BarContainer, ErrorbarContainer
from test_plots import inside, texts

import viz
from microstructures.errors import InputError


def curve(values: list[float], x: list[Any] | None = None, **more: Any) -> pd.DataFrame:
    """Return one curve of ions."""
    return pd.DataFrame({"x": x or list(range(1, len(values) + 1)), "carrier": "ion", "mean": values, **more})


def draw(table: pd.DataFrame, **more: Any) -> Any:
    return viz.responses(table, xlabel="size (um)", ylabel={"ion": "σ (mS/cm)"}, **more)


def heights(axes: Any) -> list[float]:
    """Return where the marks of the first curve lie."""
    (first,) = [found for found in axes.containers if isinstance(found, ErrorbarContainer)][:1]
    return [float(value) for value in first.lines[0].get_ydata()]


def test_a_narrow_range_is_linear_and_a_wide_one_logarithmic() -> None:
    assert draw(curve([1.0, 9.0])).axes[0].get_yscale() == "linear"
    wide = draw(curve([1.0, 50.0], [1.0, 20.0])).axes[0]
    assert (wide.get_yscale(), wide.get_xscale()) == ("log", "log")


def test_zeros_lie_in_a_strip_of_their_own() -> None:
    figure = draw(curve([0.0, 0.1, 50.0], share=[0.0, 0.5, 1.0]))
    assert "0 (no path)" in texts(figure)
    low, high = figure.axes[0].get_ylim()
    shown = heights(figure.axes[0])
    assert low < shown[0] < 0.1
    assert shown[1:] == [0.1, 50.0]
    assert high > 50.0


def test_intervals_may_be_lopsided() -> None:
    figure = draw(curve([1.0, 2.0], low_95=[0.5, 1.0], high_95=[3.0, 2.5]))
    bars = figure.axes[0].containers[0].lines[2][0].get_segments()
    assert [[float(end[1]) for end in bar] for bar in bars] == [[0.5, 3.0], [1.0, 2.5]]


def test_values_that_are_equal_are_seen_beside_each_other() -> None:
    table = pd.concat([curve([1.0, 2.0], series=name) for name in ("a", "b", "c")])
    axes = draw(table).axes[0]
    first = [found.lines[0].get_xdata()[0] for found in axes.containers]
    assert len(set(first)) == 3
    assert np.ptp(first) < 0.03
    assert np.mean(first) == pytest.approx(1.0)


def test_panels_have_titles_and_may_have_axes_of_their_own() -> None:
    table = pd.concat([curve([1.0, 2.0], panel="cold"), curve([1000.0, 2000.0], panel="fired")])
    shared, apart = draw(table), draw(table, apart=True)
    assert [axes.get_title(loc="left") for axes in apart.axes] == ["cold", "fired"]
    assert shared.axes[0].get_ylim() == shared.axes[1].get_ylim()
    assert apart.axes[0].get_ylim()[1] < 10.0 < apart.axes[1].get_ylim()[0]


def test_names_and_dots_can_be_drawn() -> None:
    figure = draw(curve([1.0, 2.0], ["dense", "loose"]), line=1.0)
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["dense", "loose"]
    dots = draw(curve([1.5]), points=curve([1.0, 2.0])).axes[0].lines[0]
    assert dots.get_ydata().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("names", [["a"], [f"relative density {0.1 * n:g}, a longer name" for n in range(6)]])
def test_every_text_lies_within_the_figure(names: list[str]) -> None:
    table = pd.concat([curve([1.0, 2.0], series=name).assign(carrier=c) for name in names for c in ("ion", "electron")])
    assert inside(draw(table))


def cells(values: list[list[float]]) -> pd.DataFrame:
    """Return a grid of cells of ions, rows from below."""
    rows = [(x, 10 * y, "ion", value) for y, row in enumerate(values) for x, value in enumerate(row)]
    return pd.DataFrame(rows, columns=["x", "y", "carrier", "mean"])


def draw_map(table: pd.DataFrame, **more: Any) -> Any:
    return viz.response_map(table, xlabel="size (um)", ylabel="time (h)", label="σ (mS/cm)", **more)


def test_a_map_has_its_numbers_and_hatches() -> None:
    figure = draw_map(cells([[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 50.0]]))
    axes = figure.axes[0]
    assert axes.images[0].get_array().filled(np.nan)[2, 2] == 50.0
    assert isinstance(axes.images[0].norm, LogNorm)
    assert [patch.get_hatch() for patch in axes.patches] == ["xxx"]
    assert "no path" in texts(figure)
    assert len(axes.collections) == 0
    assert "50" in texts(figure)
    assert "σ (mS/cm)" in texts(figure)


def test_many_cells_have_contours_in_place_of_numbers() -> None:
    axes = draw_map(cells([[x + y + 1.0 for x in range(9)] for y in range(4)])).axes[0]
    assert len(axes.collections) == 1
    assert not axes.texts


def test_a_flat_map_and_one_without_any_path_are_drawn() -> None:
    assert len(draw_map(cells([[1.0, 1.0], [1.0, 1.0]])).axes[0].collections) == 0
    assert len(draw_map(cells([[0.0] * 3] * 3)).axes[0].patches) == 9


def test_shares_run_from_zero_to_one_and_their_zero_has_a_colour() -> None:
    axes = draw_map(cells([[0.0, 0.5], [0.5, 1.0]]), share=True).axes[0]
    assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (0.0, 1.0)
    assert not np.ma.getmaskarray(axes.images[0].get_array()).any()
    assert not axes.patches


def test_points_of_a_sample_are_crossed_where_nothing_conducts() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 30.0], "y": [1.0, 2.0, 3.0], "carrier": "ion", "mean": [0.0, 1.0, 2.0]})
    axes = draw_map(table, sampled=True).axes[0]
    assert axes.get_xscale() == "log"
    assert axes.lines[0].get_xdata().tolist() == [1.0]
    assert len(axes.collections[0].get_offsets()) == 2


def test_a_cell_given_twice_is_refused() -> None:
    table = cells([[1.0, 2.0]])
    with pytest.raises(InputError, match="occurs twice"):
        draw_map(pd.concat([table, table]))
    with pytest.raises(InputError, match="no column carrier"):
        draw_map(table.drop(columns="carrier"))


def test_bars_are_sorted_and_the_smallest_left_out() -> None:
    terms = [f"number {n}" for n in range(15)]
    table = pd.DataFrame({"carrier": "ion", "term": terms, "value": np.linspace(-0.9, 0.5, 15), "low_95": -1.0, "high_95": 1.0})
    figure = viz.shares(table, xlabel="share (1)")
    (bars,) = [found for found in figure.axes[0].containers if isinstance(found, BarContainer)]
    widths = [abs(bar.get_width()) for bar in bars]
    assert widths == sorted(widths, reverse=True)
    assert len(widths) == 12
    assert figure.axes[0].get_yticklabels()[0].get_text() == "number 0"
    assert inside(figure)


def test_no_line_leads_down_to_the_strip_of_zeros() -> None:
    axes = draw(curve([0.0, 0.1, 50.0])).axes[0]
    (line,) = [found for found in axes.lines if found.get_linestyle() == "-"]
    assert np.isnan(line.get_ydata()).tolist() == [True, False, False]
