"""Two grains in their surroundings: solid, cut open where they meet, among neighbours that one can see through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from viz.palette import GREY, INK, phase_colours, rgb
from viz.scenes.drawing import SUPERSAMPLING, quiet_vtk, take_picture
from viz.scenes.frame import length_label, scale_bar_um
from viz.scenes.lettering import write_line

if TYPE_CHECKING:
    from viz.movies.pair_choice import Pair
    from viz.movies.pair_stages import Stage

Floats = NDArray[np.floating[Any]]

TURN_DEG, TILT_DEG = 24.0, 24.0
"""How far the eye has turned around the pair, and looks down on it."""
CELLS = 76
"""Cells from the contact to the side of the sampled cube; never finer than half a voxel."""
SMOOTHING = 1.2
"""Width of the filter that rounds the steps of the voxels [cells]."""
LIGHT = {"smooth_shading": True, "ambient": 0.45, "diffuse": 0.55, "specular": 0.05}
SHARPNESS = 8
"""Power of the shares by which colours are mixed where phases meet."""
HAZE, HAZE_COLOUR = 0.10, "#8FA3AD"
MARGIN = 1.06
TOP_LINES, BOTTOM_LINES = 4.4, 2.6
"""Height of the strips for title and key, in heights of the type."""


@dataclass(frozen=True)
class PairView:
    """How a film looks at its pair, the same in every picture.

    Attributes
    ----------
    pair : Pair
        Who is shown.
    width, height : int
        Size of a picture [pixels].
    reach_um : float
        Half of the cube that is shown [um].
    phases : tuple of str
        Names in the key.
    """

    pair: Pair
    width: int
    height: int
    reach_um: float
    phases: tuple[str, ...]

    @property
    def type_px(self) -> float:
        """Return the height of the type."""
        return float(np.clip(min(self.width, self.height) / 36.0, 10.0, 60.0))

    @property
    def scene_height(self) -> int:
        """Return the height of the part that VTK draws [pixels]."""
        return self.height - round((TOP_LINES + BOTTOM_LINES) * self.type_px)

    @property
    def pixels_per_um(self) -> float:
        """Return the scale of lengths in the plane of the picture."""
        return min(self.width, self.scene_height) / (2.0 * MARGIN * self.reach_um)


def draw_stage(stage: Stage, view: PairView) -> NDArray[np.uint8]:
    """Draw one picture of a film, shape (height, width, 3)."""
    picture = np.full((view.height, view.width, 3), 255, dtype=np.uint8)
    top = round(TOP_LINES * view.type_px)
    picture[top : top + view.scene_height] = _scene(stage, view)
    size = view.type_px
    picture = write_line(picture, stage.name, (view.width / 2, 1.3 * size), 1.25 * size, bold=True)
    picture = write_line(picture, stage.numbers, (view.width / 2, 3.1 * size), size, colour=GREY)
    return _key(_scale_bar(picture, view), view)


def _scene(stage: Stage, view: PairView) -> NDArray[np.uint8]:
    import pyvista

    cell = max(view.reach_um / CELLS, 0.5e6 * stage.structure.voxel_size[0])
    labels, grains, places = _sampled(stage, view, cell)
    mine = np.isin(grains, stage.grains) & (labels > 0)
    middle = np.linalg.norm(np.stack(np.meshgrid(*places, indexing="ij", sparse=False)), axis=0)
    ball = 0.5 + (view.reach_um - middle) / cell
    open_part = 0.5 + np.maximum(-places[1][None, :, None], -places[2][None, None, :]) / cell
    pair = np.minimum(np.minimum(_smooth(mine), ball), open_part)
    others = np.minimum(np.minimum(_smooth((labels > 0) & ~mine), ball), open_part)
    with quiet_vtk():
        plotter = pyvista.Plotter(
            off_screen=True, window_size=[view.width * SUPERSAMPLING, view.scene_height * SUPERSAMPLING],
            theme=pyvista.themes.DocumentTheme(), lighting="three lights",
        )  # fmt: skip
        try:
            plotter.set_background("white")
            if (others > 0.5).any():
                plotter.add_mesh(_surface(others, places), color=HAZE_COLOUR, opacity=HAZE, smooth_shading=True, render=False)
            mesh = _surface(pair, places)
            mesh.point_data["colour"] = _colours(mesh.points, labels, mine, places, stage)
            plotter.add_mesh(mesh, scalars="colour", rgb=True, show_scalar_bar=False, render=False, **LIGHT)
            plotter.enable_parallel_projection()
            plotter.camera_position = _eye(view.reach_um)
            plotter.camera.parallel_scale = view.scene_height / (2.0 * view.pixels_per_um)
            plotter.camera.clipping_range = (0.01, 20.0 * view.reach_um)
            return take_picture(plotter, view.width, view.scene_height)
        finally:
            plotter.close()


def _sampled(stage: Stage, view: PairView, cell: float) -> tuple[NDArray[Any], NDArray[Any], list[Floats]]:
    """Return labels and grains on a grid along the pair, and where its points lie from the contact [um]."""
    structure = stage.structure
    assert structure.grains is not None
    count = int(np.ceil(view.reach_um / cell)) + 2
    line = cell * np.arange(-count, count + 1, dtype=np.float64)
    steps = [(line * 1e-6)[:, None] * row / np.array(structure.voxel_size) for row in view.pair.basis]
    start = stage.contact / np.array(structure.voxel_size)
    at = []
    for axis, n in enumerate(structure.shape):
        place = start[axis] + steps[0][:, axis, None, None] + steps[1][None, :, axis, None] + steps[2][None, None, :, axis]
        at.append(np.floor(place).astype(np.int64) % n)
    where = tuple(at)
    return structure.labels[where], structure.grains[where], [line, line, line]


def _smooth(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(mask.astype(np.float32), SMOOTHING, mode="nearest", truncate=3.0))


def _surface(level: NDArray[np.floating[Any]], places: list[Floats]) -> Any:
    """Return the surface on which a field is one half, with normals, as `pyvista.PolyData` [um]."""
    import pyvista

    grid = pyvista.ImageData(dimensions=level.shape, spacing=[line[1] - line[0] for line in places])
    grid.origin = [line[0] for line in places]
    grid.point_data["level"] = level.astype(np.float32).ravel(order="F")
    return grid.contour(
        [0.5], scalars="level", method="flying_edges", compute_normals=False, compute_scalars=False
    ).compute_normals(split_vertices=True, feature_angle=50.0, auto_orient_normals=False)


def _colours(
    points: NDArray[np.float32], labels: NDArray[Any], mine: NDArray[np.bool_], places: list[Floats], stage: Stage
) -> NDArray[np.uint8]:
    """Return the colour of what lies around each point: that of one phase but for a narrow seam between two."""
    from scipy.ndimage import map_coordinates

    names = stage.structure.phases
    present = [int(k) for k in np.unique(labels[mine])]
    table = phase_colours([stage.structure.phase_name(k) for k in sorted({*names, *present})])
    at = np.stack([(points[:, axis] - line[0]) / (line[1] - line[0]) for axis, line in enumerate(places)])
    shares = np.array([map_coordinates(_smooth((labels == k) & mine), at, order=1, mode="nearest") for k in present])
    weight = shares**SHARPNESS + 1e-30
    palette = np.array([255.0 * rgb(table[stage.structure.phase_name(k)]) for k in present])
    return np.rint((weight / weight.sum(axis=0)).T @ palette).astype(np.uint8)


def _eye(reach_um: float) -> list[tuple[float, float, float]]:
    """Return eye, focal point and view-up in the frame of the pair."""
    turn, tilt = np.radians(TURN_DEG), np.radians(TILT_DEG)
    eye = 8.0 * reach_um * np.array([np.cos(tilt) * np.sin(turn), np.sin(tilt), np.cos(tilt) * np.cos(turn)])
    return [(float(eye[0]), float(eye[1]), float(eye[2])), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0)]


def _scale_bar(picture: NDArray[np.uint8], view: PairView) -> NDArray[np.uint8]:
    """Draw a bar in the plane of the picture into the lower left corner."""
    length_um = scale_bar_um(view.reach_um)
    length, size = round(length_um * view.pixels_per_um), view.type_px
    left, row, thick = round(1.2 * size), view.height - round((BOTTOM_LINES + 0.8) * size), max(2, round(0.22 * size))
    picture = picture.copy()
    picture[row : row + thick, left : left + length] = np.rint(255.0 * rgb(INK))
    return write_line(picture, length_label(length_um), (left + length / 2, row - 0.8 * size), size)


def _key(picture: NDArray[np.uint8], view: PairView) -> NDArray[np.uint8]:
    """Draw a patch and a name for each phase, and for the neighbours, along the lower edge."""
    colours = {**phase_colours(view.phases), "neighbours": "#E3E8EB"}
    size, widths = view.type_px, [(0.62 * len(name) + 3.2) * view.type_px for name in colours]
    left, row = 0.5 * (view.width - sum(widths)), view.height - 1.3 * size
    picture = picture.copy()
    for (name, colour), wide in zip(colours.items(), widths, strict=True):
        low, high = round(row - 0.5 * size), round(row + 0.5 * size)
        picture[low - 1 : high + 1, round(left) - 1 : round(left + size) + 1] = np.rint(255.0 * rgb(GREY))
        picture[low:high, round(left) : round(left + size)] = np.rint(255.0 * rgb(colour))
        picture = np.array(write_line(picture, name, (left + 1.5 * size, row), size, anchor="lm"))
        left += wide
    return picture
