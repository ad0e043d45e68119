"""Ways of single carriers as tubes through the clear structure, folded back into the box."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError, did_you_mean
from microstructures.structure import VoxelStructure
from microstructures.units import UM
from viz.palette import INK, phase_colours
from viz.scenes.camera import fit_cameras
from viz.scenes.clear_block import SOLID, clear_block
from viz.scenes.colouring import show_structure
from viz.scenes.drawing import checked_size, take_picture
from viz.scenes.frame import Frame, Key, write_picture
from viz.scenes.ways import Piece, fold

if TYPE_CHECKING:
    from kmc.hopping.trajectories import Trajectories

WALKERS = ("#6E0F2E", "#D6369C", "#00754F", "#6A3FC8", "#8A5A00", "#37B3C8")
"""Colours of the carriers in turn; they stand out from those of the phases."""
TIMES = ("#14061F", "#4B1D8F", "#A3238E", "#E0457B", "#FF9DBB")
"""Colours of the fifths of the time, first to last."""
COLOURINGS = ("carrier", "time")
START, END = "#FFFFFF", "#000000"
TUBE, BALL = 0.0045, 0.017
"""Radii over the longest edge of the block."""


@dataclass(frozen=True)
class WaysKey(Key):
    """Phases of the block, and what the colours of the ways mean."""

    ways: tuple[tuple[str, str], ...] = ()

    def entries(self) -> list[tuple[str, str]]:
        """Return colour and text of every patch of the key."""
        structure = self.structures[0]
        names = [structure.phase_name(int(k)) for k in np.flatnonzero(np.bincount(structure.labels.ravel()))]
        colours = phase_colours(names)
        return [(colours[name], name) for name in names if name not in self.hide] + list(self.ways)


def render_trajectories(
    structure: VoxelStructure,
    trajectories: Trajectories,
    *,
    png: str | Path,
    count: int = 6,
    colour: str = "carrier",
    boundary: str = "periodic",
    size: tuple[int, int] = (1400, 1100),
    title: str | None = None,
) -> Path:
    """Draw the ways of carriers through the clear structure.

    Ways end where a carrier leaves through a side of the box and go on at the opposite one. A white ball marks where each
    carrier starts, a black one where it ends.

    Parameters
    ----------
    structure : VoxelStructure
        What they moved through.
    trajectories : Trajectories
        From `kmc.hopping.trajectories.record_trajectories` or `read_trajectories`.
    png : path
        The picture to write.
    count : int
        How many to draw: those that came farthest from where they started.
    colour : "carrier" or "time"
        What the colours of the ways mean.
    boundary : "periodic" or "plates"
        Of the run.
    size : (width, height)
        Size of the picture [pixels].
    title : str, optional
        Process, number of carriers and time unless given.

    Returns
    -------
    Path
        The PNG file.

    Raises
    ------
    InputError
        If a word is unknown, a number is out of range, or the carriers are not from this structure.
    """
    width, height = checked_size(size)
    if colour not in COLOURINGS:
        raise InputError(f"colour is '{colour}'{did_you_mean(colour, COLOURINGS)}")
    chosen = farthest(trajectories, count)
    check_origin(structure, trajectories)
    panel = show_structure(structure, "phase", None, ("pore",) if "pore" in structure.phases.values() else (), cut=False)
    duration_s = float(trajectories.time_s[-1])
    key = WaysKey([structure], "phase", ("pore",), None, False, (*_entries(colour, len(chosen), duration_s), *ENDS))
    frame = Frame(width, height, 1, key)
    camera = fit_cameras([structure.edges_um], frame.panel_width, frame.panel_height)[0]
    edge = float(camera.edges.max())
    with clear_block(panel, camera) as plotter:
        for number, walker in enumerate(chosen):
            way = fold(trajectories.position_m[walker] / UM, camera.edges, mirrored=boundary == "plates")
            for shade, pieces in _shades(way, colour, number, len(trajectories.time_s) - 1):
                _add_tubes(plotter, pieces, TUBE * edge, shade)
            for place, ball in ((way[0].points[0], START), (way[-1].points[-1], END)):
                add_balls(plotter, place[None], BALL * edge, ball)
                add_rim(plotter, place[None], BALL * edge)
        picture = take_picture(plotter, camera.width, camera.height)
    heading = title or f"{structure.process}: {words_for(trajectories, len(chosen))} in {seconds(duration_s)}"
    return write_picture(frame, [panel], [picture], [camera], [heading], Path(png))


ENDS = ((START, "start"), (END, "end"))


def farthest(trajectories: Trajectories, count: int) -> NDArray[np.int64]:
    """Return the rows of the `count` carriers that came farthest from where they started, in their order.

    Raises
    ------
    InputError
        If there are fewer carriers.
    """
    known = len(trajectories.walker)
    if not 1 <= count <= known:
        raise InputError(f"{count} carriers are to be drawn; allowed: 1 to the {known} that were followed")
    away = np.linalg.norm(trajectories.position_m - trajectories.position_m[:, :1], axis=-1).max(axis=1)
    return np.sort(np.argsort(-away, kind="stable")[:count])


def check_origin(structure: VoxelStructure, trajectories: Trajectories) -> None:
    """Refuse trajectories that do not start in the structure, or name other phases there.

    Raises
    ------
    InputError
        If a start lies outside of the box, or in another phase than the structure has there.
    """
    voxel = np.floor(trajectories.position_m[:, 0] / np.array(structure.voxel_size)).astype(np.int64)
    inside = (voxel >= 0).all() and (voxel < structure.shape).all()
    if inside and structure.phases:
        there = [structure.phase_name(int(label)) for label in structure.labels[tuple(voxel.T)]]
        inside = there == [trajectories.phase_names[n] for n in trajectories.phase[:, 0]]
    if not inside:
        raise InputError("the trajectories do not start where the structure conducts; give the structure that they ran through")


def words_for(trajectories: Trajectories, count: int) -> str:
    """Return which carriers are drawn, as "6 of 24 carriers, those that came farthest"."""
    known = len(trajectories.walker)
    return f"{count} carriers" if count == known else f"the {count} of {known} carriers that came farthest"


def seconds(time_s: float) -> str:
    """Return a time with the unit that suits it, three digits.

    Examples
    --------
    >>> seconds(2.5e-8), seconds(0.0), seconds(90.0)
    ('25 ns', '0 s', '90 s')
    """
    factor, unit = unit_of_time(time_s)
    return f"{float(f'{time_s / factor:.3g}'):g} {unit}"


def unit_of_time(time_s: float) -> tuple[float, str]:
    """Return the unit in which a time reads well, in seconds and by name."""
    units = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps"))
    return next((known for known in units if time_s >= 0.9995 * known[0]), (1.0, "s"))


def add_balls(plotter: Any, places_um: NDArray[np.float64], radius_um: float, colour: str, opacity: float = 1.0) -> Any:
    """Put balls of one colour into a scene and return their actor."""
    import pyvista

    ball = pyvista.Sphere(radius=radius_um, theta_resolution=20, phi_resolution=20)
    balls = pyvista.PolyData(np.asarray(places_um, dtype=np.float32)).glyph(geom=ball, orient=False, scale=False)
    return plotter.add_mesh(balls, color=colour, opacity=opacity, render=False, **SOLID)


def add_rim(plotter: Any, places_um: NDArray[np.float64], radius_um: float) -> Any:
    """Put a dark rim around balls of a radius into a scene: the far half of balls a little larger; return its actor."""
    import pyvista

    ball = pyvista.Sphere(radius=1.16 * radius_um, theta_resolution=20, phi_resolution=20)
    balls = pyvista.PolyData(np.asarray(places_um, dtype=np.float32)).glyph(geom=ball, orient=False, scale=False)
    return plotter.add_mesh(balls, color=INK, lighting=False, culling="front", render=False)


def lines_of(lines: list[NDArray[np.float64]]) -> Any:
    """Return lines of shape (n, 3) each as one `pyvista.PolyData`."""
    import pyvista

    first = np.cumsum([0] + [len(points) for points in lines])
    cells = np.concatenate([[len(p), *range(at, at + len(p))] for p, at in zip(lines, first[:-1], strict=True)])
    return pyvista.PolyData(np.concatenate(lines).astype(np.float32), lines=cells)


def _entries(colour: str, count: int, duration_s: float) -> tuple[tuple[str, str], ...]:
    """Return the part of the key that tells the ways."""
    if colour == "carrier":
        return tuple((WALKERS[n % len(WALKERS)], f"carrier {n + 1}") for n in range(min(count, len(WALKERS))))
    steps = [f"to {seconds((n + 1) * duration_s / len(TIMES))}" for n in range(len(TIMES))]
    return tuple(zip(TIMES, steps, strict=True))


def _shades(way: list[Piece], colour: str, number: int, samples: int) -> list[tuple[str, list[NDArray[np.float64]]]]:
    """Return the lines of a way for each colour."""
    if colour == "carrier":
        return [(WALKERS[number % len(WALKERS)], [piece.points for piece in way])]
    limits = np.linspace(0.0, samples, len(TIMES) + 1)
    return [
        (shade, [part for piece in way if len(part := piece.between(low, high))])
        for shade, low, high in zip(TIMES, limits[:-1], limits[1:], strict=True)
    ]


def _add_tubes(plotter: Any, pieces: list[NDArray[np.float64]], radius_um: float, colour: str) -> None:
    lines = [points for piece in pieces if len(points := _without_rests(piece)) > 1]
    if not lines:
        return
    tubes = lines_of(lines).tube(radius=radius_um, n_sides=10)
    plotter.add_mesh(tubes, color=colour, **SOLID)


def _without_rests(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a line without corners that repeat the one before."""
    moved = np.concatenate(([True], (np.abs(np.diff(points, axis=0)) > 1e-9).any(axis=1)))
    return points[moved]
