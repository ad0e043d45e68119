"""Plots: plain numbers in, a figure with a unit on every axis out, and files that hold picture and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from viz.made_by import words_of_png, words_of_svg
from viz.palette import style
from viz.plots.arrhenius_plot import arrhenius
from viz.plots.convergence_plot import solver_convergence, voxel_convergence
from viz.plots.distribution_plot import distributions
from viz.plots.distribution_tables import tabulate_grains, tabulate_shells
from viz.plots.estimators_plot import estimators
from viz.plots.impedance_plot import bode, nyquist
from viz.plots.map_plot import parameter_map
from viz.plots.msd_plot import msd
from viz.plots.response_map import response_map
from viz.plots.response_plot import responses
from viz.plots.scenario_plot import scenarios
from viz.plots.sensitivity_plot import sensitivities
from viz.plots.share_plot import shares
from viz.plots.waterfall_plot import waterfall

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = [
    "arrhenius",
    "bode",
    "distributions",
    "estimators",
    "msd",
    "nyquist",
    "parameter_map",
    "response_map",
    "responses",
    "save",
    "scenarios",
    "sensitivities",
    "shares",
    "solver_convergence",
    "tabulate_grains",
    "tabulate_shells",
    "voxel_convergence",
    "waterfall",
]

DPI = 200


def save(figure: Figure, path_without_suffix: str | Path, data: pd.DataFrame | None = None) -> list[Path]:
    """Write a figure as PNG (200 dpi) and SVG, with its numbers beside it as CSV.

    Parameters
    ----------
    figure : Figure
        From one of the functions here, or any other.
    path_without_suffix : path
        Where; the folder is made if need be.
    data : DataFrame, optional
        The numbers behind the figure.

    Returns
    -------
    list of Path
        The files, PNG first.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    base = Path(path_without_suffix)
    base.parent.mkdir(parents=True, exist_ok=True)
    files = [base.with_name(base.name + suffix) for suffix in (".png", ".svg")]
    with matplotlib.rc_context(style()):
        FigureCanvasAgg(figure)
        figure.savefig(files[0], dpi=DPI, metadata=words_of_png())
        figure.savefig(files[1], metadata=words_of_svg())
    if data is not None:
        files.append(base.with_name(base.name + ".csv"))
        data.to_csv(files[-1], index=False)
    return files
