"""Plots have a unit on every axis, show zeros and errors, and leave the user's settings alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import viz
from microstructures.errors import InputError
from microstructures.units import BOLTZMANN_EV_PER_K, ZERO_CELSIUS_K

TEMPERATURES_C = np.array([25.0, 40.0, 60.0, 80.0])
SERIES = {
    ("cold-pressed", "ion"): (6e-3, 0.34),
    ("co-fired", "ion"): (0.95, 0.28),
    ("cold-pressed", "electron"): (4e-3, 0.10),
    ("co-fired", "electron"): (7.3, 0.07),
}


def arrhenius_table() -> pd.DataFrame:
    inverse = 1.0 / (TEMPERATURES_C + ZERO_CELSIUS_K)
    rows = [
        (*names, t, sigma * np.exp(-energy / BOLTZMANN_EV_PER_K * (x - inverse[2])), 0.1 * sigma, energy)
        for names, (sigma, energy) in SERIES.items()
        for t, x in zip(TEMPERATURES_C, inverse, strict=True)
    ]
    columns = ["process", "carrier", "temperature_C", "sigma_mS_per_cm", "stderr_mS_per_cm", "activation_energy_eV"]
    return pd.DataFrame(rows, columns=columns)


def estimator_table() -> pd.DataFrame:
    rows = [
        (
            process,
            carrier,
            name,
            0.0 if process == "cold-pressed" and carrier == "electron" else sigma * scale,
            0.05 * sigma,
        )
        for (process, carrier), (sigma, _) in SERIES.items()
        for name, scale in (("solver", 1.0), ("graph", 0.93), ("kMC", 1.04))
        for _ in range(2)
    ]
    return pd.DataFrame(rows, columns=["process", "carrier", "estimator", "sigma_mS_per_cm", "stderr_mS_per_cm"])


def texts(figure: Any) -> str:
    """Return every text of a figure."""
    figure.draw_without_rendering()
    return "\n".join(found.get_text() for found in figure.findobj(matplotlib.text.Text))


def keys_overlap_axes(figure: Any) -> bool:
    """Return whether a key lies over a panel or over another key."""
    FigureCanvasAgg(figure).draw()
    keys = [axes.get_legend().get_window_extent() for axes in figure.axes if axes.get_legend()]
    panels = [axes.get_window_extent() for axes in figure.axes]
    over_panels = any(key.overlaps(panel) for key in keys for panel in panels)
    return over_panels or any(a.overlaps(b) for i, a in enumerate(keys) for b in keys[:i])


def inside(figure: Any) -> bool:
    """Return whether keys and axis labels lie within the figure."""
    FigureCanvasAgg(figure).draw()
    whole = figure.bbox
    boxes = [part.get_tightbbox() for part in figure.axes]
    return all(whole.x0 <= b.x0 and b.x1 <= whole.x1 and whole.y0 <= b.y0 and b.y1 <= whole.y1 for b in boxes)


def test_arrhenius_has_units_both_temperatures_and_energies() -> None:
    experiment = pd.DataFrame(
        {
            "label": "measured",
            "carrier": "ion",
            "process": "co-fired",
            "temperature_C": [60.0],
            "sigma_mS_per_cm": [0.99],
        }
    ).assign(activation_energy_eV=0.28)
    figure = viz.arrhenius(arrhenius_table(), experiment=experiment)
    found = texts(figure)
    for text in ("1000 / T (K$^{-1}$)", "(mS cm$^{-1}$)", "temperature (°C)", "0.34 eV (ln σ)", "measured, co-fired"):
        assert text in found, text
    assert not keys_overlap_axes(figure)
    assert inside(figure)
    top = figure.axes[0].child_axes[0]
    assert [tick.get_text() for tick in top.get_xticklabels()] == ["25", "40", "60", "80"]
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    x, y = dashed[0].get_data()
    slope = np.polyfit(np.asarray(x) / 1000.0, np.log(y), 1)[0]
    assert -slope * BOLTZMANN_EV_PER_K == pytest.approx(0.28, rel=1e-6)


def test_arrhenius_names_series_that_do_not_conduct() -> None:
    table = arrhenius_table()
    table.loc[table["process"] == "cold-pressed", "sigma_mS_per_cm"] = 0.0
    assert "cold-pressed: $E_a$ = 0.34 eV (ln σ): 0 (no path)" in texts(viz.arrhenius(table))


def test_arrhenius_of_one_temperature_without_extras() -> None:
    table = arrhenius_table()[["process", "carrier", "temperature_C", "sigma_mS_per_cm"]]
    figure = viz.arrhenius(table[table["temperature_C"] == 60.0])
    assert inside(figure)


def test_estimators_draw_every_row_zeros_in_a_strip_and_published_values() -> None:
    published = pd.DataFrame(
        {
            "process": ["co-fired", "cold-pressed"],
            "carrier": "ion",
            "sigma_mS_per_cm": [0.99, np.nan],
            "stderr_mS_per_cm": [0.15, np.nan],
            "low_mS_per_cm": [np.nan, 5e-4],
            "high_mS_per_cm": [np.nan, 2e-3],
            "label": "paper",
        }
    )
    figure = viz.estimators(estimator_table(), paper=published)
    ion, electron = figure.axes
    assert len(ion.patches) == 2
    assert {text.get_text() for text in ion.get_legend().get_texts()} == {"solver", "graph", "kMC", "paper"}
    assert "0 (no path)" not in "".join(t.get_text() for t in ion.get_yticklabels())
    assert "0 (no path)" in [t.get_text() for t in electron.get_yticklabels()]
    zeros = [line for line in electron.lines if line.get_marker() == "v"]
    assert sum(len(line.get_xdata()) for line in zeros) == 6
    assert all(electron.get_ylim()[0] < y < 1.0 for line in zeros for y in line.get_ydata())
    assert "electronic conductivity σ$_e$ (mS cm$^{-1}$)" in texts(figure)
    assert not keys_overlap_axes(figure)
    assert inside(figure)


def test_estimators_of_nothing_but_zeros() -> None:
    table = estimator_table().assign(sigma_mS_per_cm=0.0)
    assert inside(viz.estimators(table))


def test_msd_shows_the_plateau_and_its_units() -> None:
    time = 1e-6 * 2.0 ** np.arange(7)
    diffusivity = np.array([1.2e-14, 1.1e-14, 1.3e-14])
    displacement = 2.0 * diffusivity * time[:, None]
    by_axis = dict(zip("xyz", diffusivity, strict=True))
    figure = viz.msd(
        time, displacement, stderr_m2=0.05 * displacement, diffusivity_m2_per_s=by_axis,
        stderr_m2_per_s={axis: 0.03 * value for axis, value in by_axis.items()}, lag_s=8e-6,
    )  # fmt: skip
    found = texts(figure)
    for text in ("time t (s)", "mean square displacement (m$^2$)", "(m$^2$ s$^{-1}$)", "along z"):
        assert text in found, text
    points = figure.axes[1].containers[0].lines[0].get_ydata()
    assert points == pytest.approx(np.full(7, 1.2e-14))
    assert not keys_overlap_axes(figure)
    assert inside(figure)


def test_msd_of_one_axis_and_of_a_blocked_one() -> None:
    time = np.array([1.0, 2.0, 4.0])
    assert inside(viz.msd(time, time))
    assert inside(viz.msd(time, np.stack([time, 0 * time, time], axis=1)))


def test_saving_writes_picture_vector_and_numbers(tmp_path: Path) -> None:
    table = arrhenius_table()
    files = viz.save(viz.arrhenius(table), tmp_path / "new" / "sigma_0.5", table)
    assert [path.name for path in files] == ["sigma_0.5.png", "sigma_0.5.svg", "sigma_0.5.csv"]
    assert "temperature" in files[1].read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(pd.read_csv(files[2]), table)
    again = viz.save(viz.arrhenius(table), tmp_path / "again")
    assert again[1].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: viz.arrhenius(arrhenius_table().drop(columns="carrier")), "no column carrier"),
        (lambda: viz.estimators(estimator_table().iloc[:0]), "no rows"),
        (lambda: viz.msd([1.0, 2.0], [1.0]), "time has shape"),
        (lambda: viz.msd([1.0, 2.0], [0.0, 0.0]), "did anything move"),
    ],
)
def test_bad_tables_are_named(plot: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plot()


def test_settings_of_the_user_stay(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    viz.save(viz.estimators(estimator_table()), tmp_path / "e")
    assert dict(matplotlib.rcParams) == before
