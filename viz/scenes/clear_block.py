"""A scene in which one can look into the block: its faces as a haze, its outline, and a camera that stays where it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from viz.scenes.camera import Camera
from viz.scenes.colouring import Shown, face_colours
from viz.scenes.drawing import aim, mesh_of, outline, oversampling, quiet_vtk

LAYERED_OPACITY, LARGEST_OPACITY = 0.17, 0.10
"""Opacity of the block's faces, times how often they would cover its six sides, and the most that they get."""
SOLID = {"smooth_shading": True, "ambient": 0.35, "diffuse": 0.7, "specular": 0.15}
"""Light on what is drawn inside of the block."""


@contextlib.contextmanager
def clear_block(panel: Shown, camera: Camera) -> Iterator[Any]:
    """Open a pyvista plotter that shows a block as a haze with its outline, through `camera`; it is closed afterwards."""
    import pyvista

    factor = oversampling(camera)
    with quiet_vtk():
        plotter = pyvista.Plotter(
            off_screen=True, window_size=[camera.width * factor, camera.height * factor],
            theme=pyvista.themes.DocumentTheme(), lighting="three lights",
        )  # fmt: skip
        try:
            plotter.set_background("white")
            plotter.add_mesh(
                mesh_of(panel, face_colours(panel, None)), scalars="colour", rgb=True, lighting=False, opacity=_opacity(panel),
                show_scalar_bar=False,
            )  # fmt: skip
            plotter.add_mesh(outline(camera), color="#A8A8A8", line_width=1.0 * factor, lighting=False)
            aim(plotter, camera)
            yield plotter
        finally:
            plotter.close()


def _opacity(panel: Shown) -> float:
    """Return an opacity at which a block of many inner faces hides no more of what is in it than one of few."""
    x, y, z = (-(-n // panel.stride) for n in panel.structure.shape)
    return float(min(LARGEST_OPACITY, LAYERED_OPACITY * 2 * (x * y + y * z + z * x) / len(panel.surface)))
