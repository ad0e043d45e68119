"""What people look at: structures in three dimensions and plots of what they conduct.

`import viz` is light: pyvista and matplotlib load when the first picture is drawn.
"""

from viz.movies.firing_movie import draw_firing
from viz.movies.hops_movie import draw_hops
from viz.movies.movie import write_movie
from viz.plots import (
    arrhenius,
    bode,
    distributions,
    estimators,
    msd,
    nyquist,
    parameter_map,
    response_map,
    responses,
    save,
    scenarios,
    sensitivities,
    shares,
    solver_convergence,
    tabulate_grains,
    tabulate_shells,
    voxel_convergence,
    waterfall,
)
from viz.scenes.scene import from_image_data, render, render_pair, to_image_data
from viz.scenes.trajectory_scene import render_trajectories
from viz.scenes.window import Picture, show

__all__ = [
    "Picture",
    "arrhenius",
    "bode",
    "distributions",
    "draw_firing",
    "draw_hops",
    "estimators",
    "from_image_data",
    "msd",
    "nyquist",
    "parameter_map",
    "render",
    "render_pair",
    "render_trajectories",
    "response_map",
    "responses",
    "save",
    "scenarios",
    "sensitivities",
    "shares",
    "show",
    "solver_convergence",
    "tabulate_grains",
    "tabulate_shells",
    "to_image_data",
    "voxel_convergence",
    "waterfall",
    "write_movie",
]
