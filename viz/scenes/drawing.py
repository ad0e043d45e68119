"""Scenes drawn by VTK without a screen: layers of faces, tubes along lines, and the outline of the block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.scenes.arrange import Scene
from viz.scenes.camera import Camera
from viz.scenes.colouring import Shown, face_colours, lit

if TYPE_CHECKING:
    from viz.scenes.streamlines import Streamlines

SUPERSAMPLING = 2
SMALLEST_PIXELS, LARGEST_PIXELS = 240, 8000
PHASE_LIGHT, FIELD_LIGHT = 1.0, 0.55
"""Strength of the light; weak in pictures that show numbers, so that colours can be read."""
TUBE_SHARE = 0.0028
"""Radius of a streamline over the longest edge of the block."""
OUTLINE, BORDER = "#A8A8A8", "#3C3C3C"


def screenshot(scene: Scene, number: int, camera: Camera) -> NDArray[np.uint8]:
    """Return the picture of one structure of a scene, shape (height, width, 3)."""
    import pyvista

    factor = oversampling(camera)
    with quiet_vtk():
        plotter = pyvista.Plotter(
            off_screen=True,
            window_size=[camera.width * factor, camera.height * factor],
            theme=pyvista.themes.DocumentTheme(),
            lighting=lights(scene),
        )
        try:
            add_block(plotter, scene, number, camera, line_width=1.0 * factor)
            return take_picture(plotter, camera.width, camera.height)
        finally:
            plotter.close()


def checked_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the width and height of a picture [pixels].

    Raises
    ------
    InputError
        If one is out of range.
    """
    width, height = size
    if not (SMALLEST_PIXELS <= width <= LARGEST_PIXELS and SMALLEST_PIXELS <= height <= LARGEST_PIXELS):
        raise InputError(f"size is {width} x {height} pixels; allowed: {SMALLEST_PIXELS} to {LARGEST_PIXELS} either way")
    return width, height


def oversampling(camera: Camera) -> int:
    """Return how many pixels are drawn for one along each edge of a picture."""
    return SUPERSAMPLING if max(camera.width, camera.height) * SUPERSAMPLING <= LARGEST_PIXELS else 1


def take_picture(plotter: Any, width: int, height: int) -> NDArray[np.uint8]:
    """Return what a plotter shows, averaged down to the size asked for, shape (height, width, 3)."""
    plotter.render()
    picture = np.asarray(plotter.screenshot(return_img=True))[..., :3]
    factor = picture.shape[0] // height
    blocks = picture.reshape(height, factor, width, factor, 3).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(np.rint(blocks), dtype=np.uint8)


def aim(plotter: Any, camera: Camera) -> None:
    """Let a plotter look through a camera."""
    plotter.enable_parallel_projection()
    plotter.camera_position = camera.position
    plotter.camera.parallel_scale = camera.parallel_scale
    plotter.camera.clipping_range = (0.01, 10.0 * float(np.linalg.norm(camera.edges)))


def lights(scene: Scene) -> Any:
    """Return the lights of a scene: faces bring their own, tubes do not."""
    return "none" if scene.lines is None else "three lights"


def add_block(plotter: Any, scene: Scene, number: int, camera: Camera, line_width: float) -> None:
    """Put the layers of one structure, the lines and the outline of its block into a view, seen through the camera."""
    plotter.set_background("white")
    scale = scene.key.scale
    for layer in scene.layers[number]:
        layer = layer if layer.opacity == 1.0 else _far_first(layer, camera)
        smooth = layer.surface.corner_brightness is not None
        mesh = smooth_mesh_of(layer, scale) if smooth else mesh_of(layer, lit_colours(layer, scale))
        plotter.add_mesh(mesh, scalars="colour", rgb=True, lighting=False, show_scalar_bar=False, opacity=layer.opacity)
    if scene.look.view == "slices":
        borders = borders_of_planes(scene.layers[number][-1], camera)
        plotter.add_mesh(borders, color=BORDER, line_width=line_width, lighting=False)
    if scene.lines is not None:
        tubes = tubes_of(scene.lines, scale, float(camera.edges.max()))
        plotter.add_mesh(tubes, scalars="colour", rgb=True, smooth_shading=True, ambient=0.45, diffuse=0.6)
    plotter.add_mesh(outline(camera), color=OUTLINE, line_width=line_width, lighting=False)
    aim(plotter, camera)


def lit_colours(panel: Shown, scale: Any) -> NDArray[np.uint8]:
    """Return the colour of every face with its light, shape (n_quads, 3)."""
    return lit(face_colours(panel, scale), panel.surface, strength=_strength(panel))


def mesh_of(panel: Shown, colours: NDArray[np.uint8]) -> Any:
    """Return the faces of a panel as `pyvista.PolyData` with the cell array ``colour``; lengths in micrometres."""
    import pyvista

    mesh = pyvista.PolyData.from_regular_faces(panel.points_um, panel.surface.quads)
    mesh.cell_data["colour"] = colours
    return mesh


def smooth_mesh_of(panel: Shown, scale: Any) -> Any:
    """Return the faces of a smooth panel with the point array ``colour``: each face has corners of its own, lit one by one."""
    import pyvista

    light = panel.surface.corner_brightness
    assert light is not None
    factor = 1.0 - _strength(panel) * (1.0 - light[:, :, None])
    quads = panel.surface.quads
    mesh = pyvista.PolyData.from_regular_faces(panel.points_um[quads.ravel()], np.arange(quads.size).reshape(-1, 4))
    mesh.point_data["colour"] = np.rint(face_colours(panel, scale)[:, None, :] * factor).astype(np.uint8).reshape(-1, 3)
    return mesh


def tubes_of(lines: Streamlines, scale: Any, edge_um: float) -> Any:
    """Return streamlines as tubes with the point array ``colour``; lengths in micrometres."""
    import pyvista

    ends = np.cumsum([len(line) for line in lines.points_um])
    cells = [np.r_[len(line), np.arange(end - len(line), end)] for line, end in zip(lines.points_um, ends, strict=True)]
    mesh = pyvista.PolyData(np.concatenate(lines.points_um), lines=np.concatenate(cells))
    mesh.point_data["colour"] = scale.to_rgba(np.concatenate(lines.current_A_per_m2), bytes=True)[:, :3]
    return mesh.tube(radius=TUBE_SHARE * edge_um, n_sides=10)


def borders_of_planes(panel: Shown, camera: Camera) -> Any:
    """Return the edges of the planes that a panel shows, and where they cross, as lines; lengths in micrometres."""
    import pyvista

    places = {}
    for axis in range(3):
        mine = panel.surface.quads[panel.surface.side // 2 == axis]
        if len(mine):
            places[axis] = float(panel.points_um[mine[0, 0], axis])
    lines = []
    for axis, place in places.items():
        low, high = np.zeros(3), camera.edges.copy()
        low[axis] = high[axis] = place
        lines.append(pyvista.Box(bounds=np.stack((low, high), axis=1).ravel().tolist()).extract_all_edges())
        for other in range(axis):
            if other in places:
                start, end = low.copy(), high.copy()
                start[other] = end[other] = places[other]
                lines.append(pyvista.Line(start, end))
    return pyvista.merge(lines)


def outline(camera: Camera) -> Any:
    """Return the twelve edges of the block, a hair outside of it."""
    import pyvista

    hair = 1e-3 * camera.edges
    low, high = -hair, camera.edges + hair
    return pyvista.Box(bounds=[float(v) for pair in zip(low, high, strict=True) for v in pair]).extract_all_edges()


@contextlib.contextmanager
def quiet_vtk() -> Iterator[None]:
    """Keep VTK's remarks about a missing screen off the terminal; errors still raise in pyvista."""
    from vtkmodules.vtkCommonCore import vtkLogger

    verbosity = vtkLogger.GetCurrentVerbosityCutoff()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)


def _far_first(panel: Shown, camera: Camera) -> Shown:
    """Return a clear panel with its faces in the order in which they are drawn over each other."""
    corners = panel.points_um[panel.surface.quads[:, ::2]].mean(axis=1)
    return panel.reordered(np.argsort(corners @ camera.basis[2].astype(np.float32)))


def _strength(panel: Shown) -> float:
    return PHASE_LIGHT if panel.colours is not None else FIELD_LIGHT
