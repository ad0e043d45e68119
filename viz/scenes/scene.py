"""Pictures of structures in three dimensions, drawn without a screen: phases, grains, fields and streamlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.palette import rgb
from viz.scenes.arrange import arrange
from viz.scenes.camera import fit_cameras
from viz.scenes.colouring import DECADES
from viz.scenes.drawing import LARGEST_PIXELS, SMALLEST_PIXELS, add_block, lights, screenshot
from viz.scenes.frame import BAR_LABELS, HIDDEN, Frame, describe, write_picture
from viz.scenes.grid import from_image_data, to_image_data
from viz.scenes.look import Look

if TYPE_CHECKING:
    from viz.scenes.streamlines import Streamlines

__all__ = ["from_image_data", "open_window", "render", "render_pair", "to_image_data"]


def render(
    structure: VoxelStructure,
    *,
    png: str | Path,
    field: str = "phase",
    potential: ArrayLike | None = None,
    current: ArrayLike | None = None,
    dissipation: ArrayLike | None = None,
    lines: Streamlines | None = None,
    html: str | Path | None = None,
    size: tuple[int, int] = (1200, 900),
    title: str | None = None,
    look: Look | None = None,
    hide: tuple[str, ...] | None = None,
    cut: bool | None = None,
    limits: tuple[float, float] | None = None,
    tell: Callable[[str], Any] | None = None,
) -> Path:
    """Draw a structure as a PNG picture, with one corner cut away unless told otherwise, a key, a scale bar and axes.

    Parameters
    ----------
    structure : VoxelStructure
        What to draw. Above 8 million voxels, or 3 million faces of smooth surfaces, every second, third ... voxel is
        drawn, and the picture says so.
    png : path
        The picture to write.
    field : "phase", "grain", "potential", "current" or "dissipation"
        What the colours mean.
    potential : array of shape (nx, ny, nz), optional
        Potential of every voxel over the applied one, as `AxisSolution.potential`; NaN where there is none: drawn grey.
    current : array of shape (nx, ny, nz), optional
        Current density of every voxel [A/m^2]; 0 or NaN where there is none (drawn grey).
    dissipation : array of shape (nx, ny, nz), optional
        Power lost in every voxel [W/m^3]; 0 or NaN where there is none (drawn grey).
    lines : Streamlines, optional
        Lines along which the current runs, from `viz.scenes.streamlines.trace_streamlines`; the structure around them is clear.
    html : path, optional
        Also write an interactive page that opens in any browser without a network: the same field on solid voxel faces.
    size : (width, height)
        Size of the picture [pixels].
    title : str, optional
        The process unless given.
    look : Look, optional
        View, surfaces, phases, opacities and hot spots.
    hide : tuple of phase names, optional
        Short for a look that leaves these phases out.
    cut : bool, optional
        Short for a look at the block without the corner that faces the eye, or at the whole block.
    limits : (low, high), optional
        Range of the colour scale.
    tell : callable, optional
        Called with a short text if only some of the voxels are drawn.

    Returns
    -------
    Path
        The PNG file.

    Raises
    ------
    InputError
        If the field is unknown or lacks its array, the size is impossible, or nothing is left to draw.
    """
    arrays = [_values(field, potential, current, dissipation)]
    return _draw([structure], field, arrays, png, html, size, [title], _look(look, hide, cut), limits, lines, tell)


def render_pair(
    left: VoxelStructure,
    right: VoxelStructure,
    *,
    png: str | Path,
    field: str = "phase",
    potential: tuple[ArrayLike, ArrayLike] | None = None,
    current: tuple[ArrayLike, ArrayLike] | None = None,
    dissipation: tuple[ArrayLike, ArrayLike] | None = None,
    size: tuple[int, int] = (1800, 980),
    titles: tuple[str | None, str | None] = (None, None),
    look: Look | None = None,
    hide: tuple[str, ...] | None = None,
    cut: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> Path:
    """Draw two structures side by side: the same view, the same scale, one key.

    Parameters
    ----------
    left, right : VoxelStructure
        What to draw.
    png, field, size, look, hide, cut, limits
        As for `render`.
    potential, current, dissipation : pair of arrays, optional
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
    pairs = _values(field, potential, current, dissipation) or (None, None)
    return _draw([left, right], field, list(pairs), png, None, size, list(titles), _look(look, hide, cut), limits, None)


def open_window(
    structure: VoxelStructure,
    *,
    field: str = "phase",
    potential: ArrayLike | None = None,
    current: ArrayLike | None = None,
    dissipation: ArrayLike | None = None,
    lines: Streamlines | None = None,
    size: tuple[int, int] = (1200, 900),
    title: str | None = None,
    look: Look | None = None,
    hide: tuple[str, ...] | None = None,
    cut: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """Open a window in which the block can be turned; returns when it is closed. Parameters as for `render`."""
    import pyvista

    arrays = [_values(field, potential, current, dissipation)]
    scene = arrange([structure], field, arrays, _look(look, hide, cut), limits, lines)
    scale = scene.key.scale
    camera = fit_cameras([structure.edges_um], *size)[0]
    theme = pyvista.themes.DocumentTheme()
    plotter = pyvista.Plotter(window_size=list(size), theme=theme, lighting=lights(scene), title=title or structure.process)
    try:
        add_block(plotter, scene, 0, camera, line_width=1.0)
        plotter.camera.parallel_scale = 1.3 * camera.parallel_scale
        plotter.add_axes()
        plotter.show_bounds(
            xtitle="x (um)", ytitle="y (um)", ztitle="z (um)", location="outer", fmt="%.2f", font_size=11,
            bounds=[edge for high in structure.edges_um for edge in (0.0, high)], use_3d_text=False,
        )  # fmt: skip
        if scale is not None:
            table = pyvista.LookupTable(
                scale.cmap.name, scalar_range=(scale.norm.vmin, scale.norm.vmax), log_scale=field in DECADES
            )
            bar = pyvista.DataSetMapper(pyvista.PolyData())
            bar.lookup_table = table
            label = BAR_LABELS[field].replace(" m⁻²", "/m^2").replace(" m⁻³", "/m^3")
            plotter.add_scalar_bar(label, mapper=bar, n_labels=5, fmt="%.2g", color="black")
        for number, (colour, text) in enumerate(scene.key.entries()):
            if colour != HIDDEN:
                place = (0.83, 0.95 - 0.045 * number)
                ink = "black" if rgb(colour).mean() > 0.45 else "white"
                entry = plotter.add_text(f" {text} ", position=place, viewport=True, font_size=9, color=ink)
                entry.prop.background_color, entry.prop.background_opacity = colour, 1.0
        plotter.show()
    finally:
        plotter.close()


def _values(field: str, potential: Any, current: Any, dissipation: Any) -> Any:
    return {"potential": potential, "current": current, "dissipation": dissipation}.get(field)


def _look(look: Look | None, hide: tuple[str, ...] | None, cut: bool | None) -> Look:
    """Return the look that the arguments ask for together."""
    look = look or Look()
    if hide is not None:
        look = replace(look, hide=hide)
    return look if cut is None else replace(look, view="corner" if cut else "whole")


def _draw(
    structures: list[VoxelStructure],
    field: str,
    values: list[Any],
    png: str | Path,
    html: str | Path | None,
    size: tuple[int, int],
    titles: Sequence[str | None],
    look: Look,
    limits: tuple[float, float] | None,
    lines: Streamlines | None,
    tell: Callable[[str], Any] | None = None,
) -> Path:
    width, height = size
    if not all(SMALLEST_PIXELS <= edge <= LARGEST_PIXELS for edge in (width / len(structures), height)):
        raise InputError(f"size is {width} x {height} pixels; allowed: {SMALLEST_PIXELS} to {LARGEST_PIXELS} a panel")
    scene = arrange(structures, field, values, look, limits, lines)
    if tell is not None:
        for panel in (layers[-1] for layers in scene.layers if layers[-1].stride > 1):
            tell(f"{panel.structure.process}: {describe(panel)}")
    frame = Frame(width, height, len(structures), scene.key)
    cameras = fit_cameras([s.edges_um for s in structures], frame.panel_width, frame.panel_height)
    pictures = [screenshot(scene, number, camera) for number, camera in enumerate(cameras)]
    path = write_picture(frame, [panel[-1] for panel in scene.layers], pictures, cameras, titles, Path(png))
    if html is not None:
        from viz.scenes.page import write_page

        plain = arrange(structures, field, values, replace(look, surface="voxels", opacity="solid", hot_percent=0.0), limits)
        shown = plain.layers[0][0]
        write_page(Path(html), shown, plain.key, titles[0], values=values[0])
    return path
