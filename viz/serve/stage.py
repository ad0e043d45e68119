"""The picture of the served page: one block, a parallel camera that stays upright, a scale bar that is always right.

It is drawn here and sent as JPEG (`VtkRemoteView`). Measured on two busy cores without a graphics card, 1000 x 800 pixels: a
block of 546 000 faces takes 0.2 s and 40 kB a picture, whatever has changed. Sent as geometry for the browser to draw
(`VtkLocalView`) it would be 30 MB, and again with every clip; 2 million faces would be 110 MB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.scenes.camera import DIRECTION
from viz.scenes.drawing import mesh_of, quiet_vtk
from viz.scenes.frame import INK, length_label
from viz.serve.faces import Seen

VIEWS: dict[str, tuple[float, float, float]] = {
    "corner": DIRECTION,
    "x": (1.0, 0.0, 0.0),
    "y": (0.0, -1.0, 0.0),
    "z": (0.0, 0.0, 1.0),
}
"""From the block to the eye."""
FIT_SHARE = 0.84
"""Part of the picture that the block may fill; the scale bar has the rest."""
BAR_SHARE = 0.25
"""Longest scale bar over the width of the picture."""


class Stage:
    """A block in a window without a screen, to be turned by the mouse events that a browser sends.

    Parameters
    ----------
    width, height : int
        Size of the picture [pixels]; the browser changes it to what it has room for.
    """

    def __init__(self, width: int = 900, height: int = 700) -> None:
        """Open the window."""
        import pyvista

        with quiet_vtk():
            self.plotter: Any = pyvista.Plotter(
                off_screen=True, window_size=[width, height], theme=pyvista.themes.DocumentTheme(), lighting="none"
            )
            self.plotter.set_background("white")
            self.window.SetMultiSamples(0)  # four times faster where the processor draws
            self.plotter.enable_parallel_projection()
            self.plotter.enable_terrain_style(mouse_wheel_zooms=True, shift_pans=True)
            self.plotter.add_axes(color=INK, xlabel="x", ylabel="y", zlabel="z", line_width=2)
            self._bar = _ScaleBar(self.plotter.renderer)
            self._edges = np.ones(3)
            self._fitted = 0.0
            self.plotter.renderer.AddObserver("StartEvent", lambda *_: self._before_drawing())
            self.look("corner")
            self.plotter.render()

    @property
    def window(self) -> Any:
        """Return VTK's render window."""
        return self.plotter.render_window

    def show(self, seen: Seen) -> None:
        """Show other faces, from where the camera is."""
        import pyvista

        edges = np.array(seen.shown.structure.edges_um)
        self._edges = edges
        self.plotter.add_mesh(
            pyvista.Box(bounds=[float(v) for edge in edges for v in (0.0, edge)]).extract_all_edges(),
            name="outline", color="#A8A8A8", lighting=False, reset_camera=False, render=False, pickable=False,
        )  # fmt: skip
        if len(seen.shown.surface) == 0:
            self.plotter.remove_actor("block", reset_camera=False, render=False)
            return
        self.plotter.add_mesh(
            mesh_of(seen.shown, seen.colours), name="block", scalars="colour", rgb=True, lighting=False, culling="back",
            show_scalar_bar=False, reset_camera=False, render=False,
        )  # fmt: skip

    def look(self, view: str) -> None:
        """Look at the whole block from the corner or along an axis."""
        eye = np.array(VIEWS[view]) / np.linalg.norm(VIEWS[view])
        centre = 0.5 * self._edges
        up = (0.0, 1.0, 0.0) if view == "z" else (0.0, 0.0, 1.0)
        self.plotter.camera_position = [tuple(centre + 3.0 * np.linalg.norm(self._edges) * eye), tuple(centre), up]
        self.plotter.camera.parallel_scale = self._fitted = self._fit()

    def picture(self, times: int = 1) -> NDArray[np.uint8]:
        """Return the picture, `times` as wide and high, shape (height, width, 3)."""
        width, height = self.window.GetSize()
        try:
            with quiet_vtk():
                self.window.SetSize(width * times, height * times)
                self.plotter.render()
                shot = self.plotter.screenshot(return_img=True)
        finally:
            self.window.SetSize(width, height)
        return np.asarray(shot)[..., :3]

    def close(self) -> None:
        """Let the window go."""
        self.plotter.close()

    def _fit(self) -> float:
        """Return half the height of the picture [um] at which the whole block fits."""
        camera = self.plotter.camera
        eye = np.array(camera.position) - np.array(camera.focal_point)
        right = np.cross(np.array(camera.up), eye)
        up = np.cross(eye, right)
        right, up = right / np.linalg.norm(right), up / np.linalg.norm(up)
        width, height = self.window.GetSize()
        tall, wide = np.abs(up) @ self._edges, np.abs(right) @ self._edges
        return 0.5 * float(max(tall, wide * height / width)) / FIT_SHARE

    def _before_drawing(self) -> None:
        """Keep the block in the picture when the picture changes its shape, and the scale bar right."""
        camera = self.plotter.camera
        size = tuple(self.window.GetSize())
        if size != self._bar.size:
            fits = self._fit()
            camera.parallel_scale *= fits / self._fitted
            self._fitted = fits
        camera.clipping_range = (0.01, 20.0 * float(np.linalg.norm(self._edges)))
        self._bar.place(size, size[1] / (2.0 * camera.parallel_scale))


def letter_px(size: tuple[int, ...]) -> float:
    """Return the height of the type [pixels] in a picture of that width and height."""
    return float(np.clip(min(size) / 46.0, 12.0, 60.0))


class _ScaleBar:
    """A bar of a round length in the lower right corner of the picture."""

    def __init__(self, renderer: Any) -> None:
        import pyvista
        from vtkmodules.vtkRenderingCore import vtkActor2D, vtkPolyDataMapper2D, vtkTextActor

        self.size: tuple[int, ...] = (0, 0)
        self._mesh = pyvista.PolyData(np.zeros((6, 3), dtype=np.float32), lines=[2, 0, 1, 2, 2, 3, 2, 4, 5])
        mapper = vtkPolyDataMapper2D()
        mapper.SetInputData(self._mesh)
        self._line, self._text = vtkActor2D(), vtkTextActor()
        self._line.SetMapper(mapper)
        self._line.GetProperty().SetColor(0.1, 0.1, 0.1)
        style = self._text.GetTextProperty()
        style.SetColor(0.1, 0.1, 0.1)
        style.SetJustificationToCentered()
        style.SetVerticalJustificationToTop()
        for actor in (self._line, self._text):
            renderer.AddViewProp(actor)

    def place(self, size: tuple[int, ...], pixels_per_um: float) -> None:
        """Make the bar fit the scale of the picture."""
        self.size = size
        longest = BAR_SHARE * size[0] / pixels_per_um
        power = 10.0 ** np.floor(np.log10(longest))
        length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest * (1.0 + 1e-9))
        letter = letter_px(size)
        right, low, tick = size[0] - 1.6 * letter, 2.5 * letter, 0.35 * letter
        left = right - length * pixels_per_um
        self._mesh.points[:, :2] = [
            (left, low), (right, low), (left, low - tick), (left, low + tick), (right, low - tick), (right, low + tick)
        ]  # fmt: skip
        self._mesh.Modified()
        self._line.GetProperty().SetLineWidth(max(1.5, 0.13 * letter))
        self._text.SetInput(length_label(float(f"{length:.3g}")))
        self._text.GetTextProperty().SetFontSize(round(letter))
        self._text.SetDisplayPosition(round(0.5 * (left + right)), round(low - 1.6 * tick))
