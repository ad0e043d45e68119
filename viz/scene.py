"""Pictures of structures in three dimensions, drawn without a screen: phases, grains, potentials and currents."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.camera import Camera, fit_cameras
from viz.colouring import Shown, field_colours, has_value, lit, scale_for, show_structure
from viz.frame import BAR_LABELS, HIDDEN, Frame, Key, write_picture
from viz.grid import from_image_data, to_image_data
from viz.palette import rgb

__all__ = ["from_image_data", "render", "render_pair", "to_image_data"]

SUPERSAMPLING = 2
SMALLEST_PIXELS, LARGEST_PIXELS = 240, 8000
FIELD_LIGHT = 0.55
"""Lighting of pictures that show numbers: weak, so that colours can be read."""


def render(
    structure: VoxelStructure,
    *,
    png: str | Path,
    field: str = "phase",
    potential: ArrayLike | None = None,
    current: ArrayLike | None = None,
    html: str | Path | None = None,
    size: tuple[int, int] = (1200, 900),
    title: str | None = None,
    hide: tuple[str, ...] = ("pore",),
    cut: bool = True,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Draw a structure as a PNG picture, with one corner cut away, a key, a scale bar and axes.

    Parameters
    ----------
    structure : VoxelStructure
        What to draw. Above 8 million voxels every second, third ... voxel is drawn, and the picture says so.
    png : path
        The picture to write.
    field : "phase", "grain", "potential" or "current"
        What the colours mean.
    potential : array of shape (nx, ny, nz), optional
        Potential of every voxel over the applied one, as `AxisSolution.potential`; NaN where there is none: drawn grey.
    current : array of shape (nx, ny, nz), optional
        Current density of every voxel [A/m^2]; 0 or NaN where there is none (drawn grey).
    html : path, optional
        Also write an interactive page that opens in any browser without a network.
    size : (width, height)
        Size of the picture [pixels].
    title : str, optional
        The process unless given.
    hide : tuple of phase names
        Phases to leave out.
    cut : bool
        Whether to cut the corner away that faces the eye.
    limits : (low, high), optional
        Range of the colour scale.

    Returns
    -------
    Path
        The PNG file.

    Raises
    ------
    InputError
        If the field is unknown or lacks its array, the size is impossible, or nothing is left to draw.
    """
    return _draw([structure], field, [_values(field, potential, current)], png, html, size, [title], hide, cut, limits)


def render_pair(
    left: VoxelStructure,
    right: VoxelStructure,
    *,
    png: str | Path,
    field: str = "phase",
    potential: tuple[ArrayLike, ArrayLike] | None = None,
    current: tuple[ArrayLike, ArrayLike] | None = None,
    size: tuple[int, int] = (1800, 980),
    titles: tuple[str | None, str | None] = (None, None),
    hide: tuple[str, ...] = ("pore",),
    cut: bool = True,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Draw two structures side by side: the same view, the same scale, one key.

    Parameters
    ----------
    left, right : VoxelStructure
        What to draw.
    png, field, size, hide, cut, limits
        As for `render`.
    potential, current : pair of arrays, optional
        One array for each structure.
    titles : pair of str, optional
        The processes unless given.

    Returns
    -------
    Path
        The PNG file.

    Raises
    ------
    InputError
        As for `render`.
    """
    pairs = _values(field, potential, current) or (None, None)
    return _draw([left, right], field, list(pairs), png, None, size, list(titles), hide, cut, limits)


def open_window(
    structure: VoxelStructure,
    *,
    field: str = "phase",
    potential: ArrayLike | None = None,
    current: ArrayLike | None = None,
    size: tuple[int, int] = (1200, 900),
    title: str | None = None,
    hide: tuple[str, ...] = ("pore",),
    cut: bool = True,
    limits: tuple[float, float] | None = None,
) -> None:
    """Open a window in which the block can be turned; returns when it is closed. Parameters as for `render`."""
    import pyvista

    panel = show_structure(structure, field, _values(field, potential, current), hide, cut)
    scale = scale_for(field, [panel], limits) if panel.values is not None else None
    key = Key([structure], field, hide, scale, gaps=False)
    camera = fit_cameras([structure.edges_um], *size)[0]
    theme = pyvista.themes.DocumentTheme()
    plotter = pyvista.Plotter(window_size=list(size), theme=theme, lighting="none", title=title or structure.process)
    try:
        _add_block(plotter, panel, _face_colours(panel, scale), camera, line_width=1.0)
        plotter.camera.parallel_scale = 1.3 * camera.parallel_scale
        plotter.add_axes()
        plotter.show_bounds(
            xtitle="x (um)", ytitle="y (um)", ztitle="z (um)", location="outer", fmt="%.2f", font_size=11,
            bounds=[edge for high in structure.edges_um for edge in (0.0, high)], use_3d_text=False,
        )  # fmt: skip
        if scale is not None:
            table = pyvista.LookupTable(
                scale.cmap.name, scalar_range=(scale.norm.vmin, scale.norm.vmax), log_scale=field == "current"
            )
            bar = pyvista.DataSetMapper(pyvista.PolyData())
            bar.lookup_table = table
            label = BAR_LABELS[field].replace("A m⁻²", "A/m^2")
            plotter.add_scalar_bar(label, mapper=bar, n_labels=5, fmt="%.2g", color="black")
        for number, (colour, text) in enumerate(key.entries()):
            if colour != HIDDEN:
                place = (0.83, 0.95 - 0.045 * number)
                ink = "black" if rgb(colour).mean() > 0.45 else "white"
                entry = plotter.add_text(f" {text} ", position=place, viewport=True, font_size=9, color=ink)
                entry.prop.background_color, entry.prop.background_opacity = colour, 1.0
        plotter.show()
    finally:
        plotter.close()


def _values(field: str, potential: Any, current: Any) -> Any:
    return {"potential": potential, "current": current}.get(field)


def _draw(
    structures: list[VoxelStructure],
    field: str,
    values: list[Any],
    png: str | Path,
    html: str | Path | None,
    size: tuple[int, int],
    titles: Sequence[str | None],
    hide: tuple[str, ...],
    cut: bool,
    limits: tuple[float, float] | None,
) -> Path:
    width, height = size
    if not all(SMALLEST_PIXELS <= edge <= LARGEST_PIXELS for edge in (width / len(structures), height)):
        raise InputError(f"size is {width} x {height} pixels; allowed: {SMALLEST_PIXELS} to {LARGEST_PIXELS} a panel")
    shown = [show_structure(s, field, v, hide, cut) for s, v in zip(structures, values, strict=True)]
    numbers = [panel for panel in shown if panel.values is not None]
    scale = scale_for(field, numbers, limits) if numbers else None
    gaps = any(not has_value(panel, scale).all() for panel in numbers)
    key = Key(structures, field, hide, scale, gaps)
    frame = Frame(width, height, len(structures), key)
    cameras = fit_cameras([s.edges_um for s in structures], frame.panel_width, frame.panel_height)
    faces = [_face_colours(panel, scale) for panel in shown]
    pictures = [_screenshot(p, colours, camera) for p, colours, camera in zip(shown, faces, cameras, strict=True)]
    path = write_picture(frame, shown, pictures, cameras, titles, Path(png))
    if html is not None:
        from viz.page import write_page

        write_page(Path(html), shown[0], faces[0], key, titles[0])
    return path


def _face_colours(panel: Shown, scale: Any) -> NDArray[np.uint8]:
    if panel.colours is not None:
        return lit(panel.colours, panel.surface)
    return lit(field_colours(panel, scale), panel.surface, strength=FIELD_LIGHT)


def mesh_of(panel: Shown, colours: NDArray[np.uint8]) -> Any:
    """Return the faces of a panel as `pyvista.PolyData` with the cell array ``colour``; lengths in micrometres."""
    import pyvista

    mesh = pyvista.PolyData.from_regular_faces(panel.points_um, panel.surface.quads)
    mesh.cell_data["colour"] = colours
    return mesh


def _screenshot(panel: Shown, colours: NDArray[np.uint8], camera: Camera) -> NDArray[np.uint8]:
    """Return the picture of a panel, shape (height, width, 3)."""
    import pyvista

    factor = SUPERSAMPLING if max(camera.width, camera.height) * SUPERSAMPLING <= LARGEST_PIXELS else 1
    with quiet_vtk():
        plotter = pyvista.Plotter(
            off_screen=True,
            window_size=[camera.width * factor, camera.height * factor],
            theme=pyvista.themes.DocumentTheme(),
            lighting="none",
        )
        try:
            _add_block(plotter, panel, colours, camera, line_width=1.0 * factor)
            picture = np.asarray(plotter.screenshot(return_img=True))[..., :3]
        finally:
            plotter.close()
    blocks = picture.reshape(camera.height, factor, camera.width, factor, 3).mean(axis=(1, 3), dtype=np.float32)
    return np.rint(blocks).astype(np.uint8)


def _add_block(plotter: Any, panel: Shown, colours: NDArray[np.uint8], camera: Camera, line_width: float) -> None:
    """Put the faces and the outline of a block into a scene, seen through the camera."""
    plotter.set_background("white")
    plotter.add_mesh(mesh_of(panel, colours), scalars="colour", rgb=True, lighting=False, show_scalar_bar=False)
    plotter.add_mesh(outline(camera), color="#A8A8A8", line_width=line_width, lighting=False)
    plotter.enable_parallel_projection()
    plotter.camera_position = camera.position
    plotter.camera.parallel_scale = camera.parallel_scale
    plotter.camera.clipping_range = (0.01, 10.0 * float(np.linalg.norm(camera.edges)))


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
