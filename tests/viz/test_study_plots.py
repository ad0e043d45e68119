"""Plots of distributions, maps, convergence, sensitivities and impedance show the numbers they are given, with units."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.container import ErrorbarContainer
from PIL import Image
from test_plots import inside, keys_overlap_axes, texts
from test_structure_pictures import grains_and_pores

import viz
from microstructures.errors import InputError
from microstructures.morphology import grain_sizes_um, interphase_statistics
from microstructures.structure import VoxelStructure
from viz.palette import PROCESSES
from viz.plots.axes import looks

FREQUENCY_HZ = np.logspace(0, 6, 61)


def layers(thickness: int) -> VoxelStructure:
    """Return LFP, a reaction layer and LATP stacked along x, voxels of 25 nm."""
    stack = np.repeat([1, 3, 2], [10, thickness, 14 - thickness]).astype(np.uint8)
    labels = np.broadcast_to(stack[:, None, None], (24, 16, 16)).copy()
    return VoxelStructure.from_labels(labels, voxel_nm=25, phases={1: "LFP", 2: "LATP", 3: "LFTAP"})


def spectrum(r0: float = 10.0, r1: float = 90.0, capacitance_F: float = 1e-5) -> dict[str, Any]:
    """Return a resistor in line with one beside a capacitor."""
    z = r0 + r1 / (1.0 + 2j * np.pi * FREQUENCY_HZ * r1 * capacitance_F)
    return {"frequency_Hz": FREQUENCY_HZ, "z_real_ohm": z.real, "z_imag_ohm": z.imag}


def fits(figure: Any) -> bool:
    return inside(figure) and not keys_overlap_axes(figure)


# ---------------------------------------------------------------------------------------- distributions


def test_grain_table_agrees_with_the_morphology_and_its_shares_add_up() -> None:
    structure = grains_and_pores()
    table = viz.tabulate_grains({"one": structure, "two": grains_and_pores(seed=1)}, bins=8)
    assert table.groupby(["structure", "phase"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert table.groupby("phase")["high"].nunique().to_list() == [8, 8]
    for phase, sizes in grain_sizes_um(structure).items():
        mine = table[(table["structure"] == "one") & (table["phase"] == phase)]
        assert mine["mean"].unique() == pytest.approx(sizes["volume_weighted_mean"])
        assert (mine["p_low"] <= mine["p_middle"]).all()
        assert (mine["p_middle"] <= mine["p_high"]).all()


def test_shell_table_is_what_the_morphology_measures() -> None:
    table = viz.tabulate_shells({"thin": layers(2), "thick": layers(4)})
    for name, thickness in (("thin", 2), ("thick", 4)):
        mine = table[table["structure"] == name]
        assert mine["mean"].unique() == pytest.approx(interphase_statistics(layers(thickness))["thickness_nm_mean"])
        assert mine["mean"].unique() == pytest.approx(25.0 * thickness, rel=0.01)
        assert mine["share"].sum() == pytest.approx(1.0)


def test_distributions_are_drawn_with_means_percentiles_and_units() -> None:
    table = viz.tabulate_grains({"cold-pressed": grains_and_pores(), "co-fired": grains_and_pores(seed=1)}, bins=8)
    figure = viz.distributions(table)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(table["phase"].unique())
    found = texts(figure)
    for text in ("grain diameter (µm)", "share of the volume (% per 0.1 µm)", "10 to 90 %", "cold-pressed: mean"):
        assert text in found, text
    part = table[(table["phase"] == "LFP") & (table["structure"] == "co-fired")]
    bars = [group for group in figure.axes[0].containers if isinstance(group, ErrorbarContainer)]
    if figure.axes[0].get_title(loc="left") != "LFP":
        bars = [group for group in figure.axes[1].containers if isinstance(group, ErrorbarContainer)]
    ends = bars[1].lines[2][0].get_segments()[0][:, 0]
    assert ends.tolist() == pytest.approx([part["p_low"].iloc[0], part["p_high"].iloc[0]])
    assert fits(figure)


def test_histogram_areas_are_the_shares() -> None:
    figure = viz.distributions(viz.tabulate_shells({"co-fired": layers(3)}))
    steps = next(patch for patch in figure.axes[0].patches if hasattr(patch, "get_data"))
    values, edges, _ = steps.get_data()
    assert (values * np.diff(edges)).sum() / 10.0 == pytest.approx(100.0)
    assert "share of the area (% per 10 nm)" in texts(figure)
    assert fits(figure)


# ---------------------------------------------------------------------------------------- maps


def map_table(values: list[float], name: str = "percolating_fraction") -> pd.DataFrame:
    points = [(share, radius) for share in (0.2, 0.4) for radius in (50.0, 90.0, 100.0)]
    return pd.DataFrame([(*point, value, 0.05) for point, value in zip(points, values, strict=True)],
                        columns=["LFP_mass_fraction", "radius_nm", name, "error"])  # fmt: skip


def test_map_puts_every_number_in_its_cell() -> None:
    table = map_table([0.0, 0.1, 0.2, 0.5, 0.75, 1.0])
    figure = viz.parameter_map(table, x="LFP_mass_fraction", y="radius_nm", value="percolating_fraction", error="error")
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("LFP mass fraction (1)", "radius (nm)")
    assert bar.get_ylabel() == "percolating fraction (1)"
    cells = {(text.get_position()): text.get_text() for text in axes.texts}
    assert cells[0, 1] == "0.10\n± 0.05"
    assert cells[1, 2] == "1.00\n± 0.05"
    assert axes.images[0].get_clim() == (0.0, 1.0)
    assert fits(figure)


def test_map_of_conductivities_is_logarithmic_and_zeros_have_no_path() -> None:
    table = map_table([0.0, 1e-4, 1e-3, 0.1, 1.0, np.nan], "sigma_eff_mS_per_cm")
    figure = viz.parameter_map(table, x="LFP_mass_fraction", y="radius_nm", value="sigma_eff_mS_per_cm")
    cells = {(text.get_position()): text.get_text() for text in figure.axes[0].texts}
    assert cells[0, 0] == "no path"
    assert cells[1, 2] == "–"
    assert type(figure.axes[0].images[0].norm).__name__ == "LogNorm"
    assert figure.axes[0].images[0].get_clim() == (1e-4, 1.0)
    assert "σ$_{eff}$ (mS cm$^{-1}$)" in texts(figure)


# ---------------------------------------------------------------------------------------- convergence


def test_voxel_convergence_runs_through_the_finest_value_into_the_limit() -> None:
    sizes = np.array([25.0, 50.0, 100.0])
    table = pd.DataFrame({"series": "ion", "voxel_nm": sizes, "sigma_eff_mS_per_cm": 1.0 + 1e-5 * sizes**2, "stderr": 0.01})
    limits = pd.DataFrame({"series": ["ion"], "limit": [1.0], "limit_error": [0.02], "order": [2.0]})
    figure = viz.voxel_convergence(table, value="sigma_eff_mS_per_cm", limits=limits)
    axes = figure.axes[0]
    curve = next(line for line in axes.lines if line.get_linestyle() == "--")
    x, y = (np.asarray(part) for part in curve.get_data())
    assert y == pytest.approx(1.0 + 1e-5 * x**2)
    bars = [group.lines[2][0].get_segments() for group in axes.containers if isinstance(group, ErrorbarContainer)]
    assert bars[1][0][:, 1].tolist() == pytest.approx([0.98, 1.02])
    assert fits(figure)
    without = viz.voxel_convergence(table, value="sigma_eff_mS_per_cm", limits=limits.assign(order=np.nan))
    assert not [line for line in without.axes[0].lines if line.get_linestyle() == "--"]


def test_solver_convergence_shows_both_differences() -> None:
    flows = np.array([[2.0, 2.0, 2.0], [1.0, 1.2, 1.1], [1.01, 1.0, 1.0], [1.0, 1.0, 1.0]])
    names = ("inflow_S_per_m", "outflow_S_per_m", "dissipation_S_per_m")
    table = pd.DataFrame({"iterations": range(4), **dict(zip(names, flows.T, strict=True)), "series": "x"})
    figure = viz.solver_convergence(table, tolerance=1e-3)
    value, apart = figure.axes[0].lines[:2]
    assert value.get_xdata().tolist() == [0.0, 1.0]
    assert value.get_ydata() == pytest.approx([1.0, 0.1])
    assert apart.get_xdata().tolist() == [1.0, 2.0]
    assert apart.get_ydata() == pytest.approx([0.2 / 1.2, 0.01 / 1.01])
    assert "tolerance 0.001" in texts(figure)
    assert fits(figure)


# ---------------------------------------------------------------------------------------- sensitivities


def test_sensitivities_are_sorted_and_small_ones_counted() -> None:
    rows = [("phase", "LATP", 0.2), ("interface", "LATP|LFP", 0.81), ("film", "LFP|pore", -0.01), ("contact", "A|A", 1e-4)]
    table = pd.DataFrame(rows, columns=["kind", "name", "sensitivity"]).assign(stderr=[0.02, 0.03, 0.001, 0.0])
    figure = viz.sensitivities(table)
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["LATP|LFP interface", "LATP", "LFP|pore film"]
    widths = {round(bar.get_y() + bar.get_height() / 2): bar.get_width() for bar in axes.patches}
    assert widths == pytest.approx({0: 0.81, 1: 0.2, 2: -0.01})
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert "1 below 0.005 left out" in axes.get_xlabel()
    assert inside(figure)


def test_sensitivities_of_two_carriers_lie_beside_each_other() -> None:
    table = pd.DataFrame({"kind": "phase", "name": ["A", "B"] * 2, "sensitivity": [0.3, 0.7, 0.9, 0.1],
                          "series": ["ion", "ion", "electron", "electron"]})  # fmt: skip
    figure = viz.sensitivities(table)
    bars = figure.axes[0].patches
    assert len(bars) == 4
    assert len({bar.get_facecolor() for bar in bars}) == 2
    spans = sorted((bar.get_y(), bar.get_y() + bar.get_height()) for bar in bars)
    assert all(upper <= lower for (_, upper), (lower, _) in itertools.pairwise(spans))
    assert fits(figure)


# ---------------------------------------------------------------------------------------- impedance


def test_nyquist_has_equal_scales_and_minus_imaginary_up() -> None:
    measured = {
        **spectrum(),
        "series": ["measured"] * 61,
        "z_real_stderr_ohm": np.full(61, 2.0),
        "z_imag_stderr_ohm": np.full(61, 1.0),
    }
    figure = viz.nyquist(spectrum(), experiment=measured)
    axes = figure.axes[0]
    figure.draw_without_rendering()
    box = axes.get_window_extent()
    scales = [length / np.ptp(limits) for length, limits in ((box.width, axes.get_xlim()), (box.height, axes.get_ylim()))]
    assert scales[0] == pytest.approx(scales[1], rel=1e-3)
    first = axes.containers[0].lines[0]
    assert max(first.get_ydata()) == pytest.approx(45.0, rel=0.01)
    assert {"1 MHz", "1 kHz", "measured", "Re Z (Ω)", "−Im Z (Ω)"} <= set(texts(figure).splitlines())
    assert fits(figure)


def test_frequencies_of_curves_that_lie_together_are_written_once() -> None:
    """Two spectra that hardly differ have the frequencies of the first; one of twice the size has its own where there is room."""
    one = pd.DataFrame(spectrum()).assign(series="a")
    close = one.assign(series="b", z_real_ohm=1.02 * one["z_real_ohm"])
    alone, pair = (viz.nyquist(table).axes[0].texts for table in (one, pd.concat([one, close])))
    assert [text.get_text() for text in pair] == [text.get_text() for text in alone]
    large = one.assign(series="b", z_real_ohm=2.0 * one["z_real_ohm"], z_imag_ohm=2.0 * one["z_imag_ohm"])
    assert len(viz.nyquist(pd.concat([one, large])).axes[0].texts) > len(alone)


def test_bode_has_magnitude_phase_and_their_errors() -> None:
    arrays = spectrum()
    errors = {"z_real_stderr_ohm": np.full(61, 0.5), "z_imag_stderr_ohm": np.full(61, 0.5)}
    figure = viz.bode({**arrays, **errors})
    size, phase = figure.axes
    z = np.asarray(arrays["z_real_ohm"]) + 1j * np.asarray(arrays["z_imag_ohm"])
    assert size.containers[0].lines[0].get_ydata() == pytest.approx(np.abs(z))
    assert phase.containers[0].lines[0].get_ydata() == pytest.approx(-np.degrees(np.angle(z)))
    ends = phase.containers[0].lines[2][0].get_segments()[0][:, 1]
    assert np.ptp(ends) == pytest.approx(2.0 * np.degrees(0.5 / abs(z[0])))
    assert "frequency (Hz)" in texts(figure)
    assert fits(figure)


# ---------------------------------------------------------------------------------------- what they share


def test_series_keep_their_own_look_and_others_take_what_is_free() -> None:
    found = looks(["model", "co-fired", *(f"series {n}" for n in range(4))], PROCESSES)
    assert found["co-fired"] == {"color": PROCESSES["co-fired"], "marker": "o"}
    assert len({look["color"] for look in found.values()}) == len(found)
    assert len({look["marker"] for look in found.values()}) == len(found)


def test_figures_show_themselves_in_notebooks() -> None:
    figure = viz.nyquist(spectrum())
    with Image.open(io.BytesIO(figure._repr_png_())) as shown:
        assert shown.size == pytest.approx(figure.get_size_inches() * figure.dpi, abs=1.0)
        assert np.asarray(shown.convert("L")).min() < 50


# ---------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (lambda: viz.distributions(pd.DataFrame({"phase": ["A"]})), "no column structure"),
        (lambda: viz.tabulate_grains({"bare": layers(2)}), "structure 'bare' has no grains"),
        (lambda: viz.tabulate_grains({"one": grains_and_pores()}, bins=0), "bins is 0"),
        (lambda: viz.tabulate_shells({"cold": grains_and_pores()}), "structure 'cold' has no interphase"),
        (lambda: viz.parameter_map(map_table([0.0] * 6), x="a", y="radius_nm", value="error"), "no column a"),
        (lambda: viz.parameter_map(pd.concat([map_table([0.5] * 6)] * 2), x="LFP_mass_fraction", y="radius_nm", value="error"),
         "0.2, 50.0 occurs twice"),
        (lambda: viz.parameter_map(map_table([0.0] * 6, "sigma_S_per_m"), x="LFP_mass_fraction", y="radius_nm", value="sigma_S_per_m"),
         "allowed: at least one above 0"),
        (lambda: viz.voxel_convergence(pd.DataFrame({"series": ["a"], "voxel_nm": [1.0]}), value="sigma"), "no column sigma"),
        (lambda: viz.solver_convergence(pd.DataFrame({"iterations": [1]})), "no column inflow"),
        (lambda: viz.sensitivities(pd.DataFrame({"kind": [], "name": [], "sensitivity": []})), "no rows"),
        (lambda: viz.nyquist({"frequency_Hz": [1.0]}), "no z_real_ohm, z_imag_ohm"),
        (lambda: viz.bode({"frequency_Hz": [1.0, 2.0], "z_real_ohm": [1.0], "z_imag_ohm": [1.0]}), "shapes"),
        (lambda: viz.bode({"frequency_Hz": [0.0], "z_real_ohm": [1.0], "z_imag_ohm": [1.0]}), "lowest frequency is 0 Hz"),
    ],
)  # fmt: skip
def test_bad_tables_are_named(plot: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        plot()
