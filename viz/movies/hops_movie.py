"""Carriers that hop through the clear structure: balls with a tail that fades, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from microstructures.units import UM
from viz.scenes.camera import Camera, fit_cameras
from viz.scenes.clear_block import clear_block
from viz.scenes.colouring import show_structure
from viz.scenes.drawing import checked_size, oversampling, take_picture
from viz.scenes.frame import Frame, write_picture
from viz.scenes.lettering import write_line
from viz.scenes.trajectory_scene import (
    WALKERS,
    WaysKey,
    add_balls,
    add_rim,
    check_origin,
    farthest,
    lines_of,
    unit_of_time,
    words_for,
)
from viz.scenes.ways import Piece, fold, fold_points

if TYPE_CHECKING:
    from kmc.hopping.trajectories import Trajectories

FRAMES = 60
TAIL_FRAMES = 5
TAIL_STEPS = ((0.25, 1.2), (0.5, 2.0), (1.0, 3.0))
"""Opacity and width [pixels] of the thirds of a tail, oldest first."""
BALL = 0.02
"""Radius over the longest edge of the block."""


def draw_hops(
    structure: VoxelStructure,
    trajectories: Trajectories,
    *,
    count: int = 6,
    frames: int = FRAMES,
    boundary: str = "periodic",
    size: tuple[int, int] = (640, 560),
    title: str | None = None,
    progress: Callable[[float, str], Any] | None = None,
) -> list[NDArray[np.uint8]]:
    """Draw carriers on their ways, one picture for each step of the clock.

    Parameters
    ----------
    structure : VoxelStructure
        What they move through.
    trajectories : Trajectories
        From `kmc.hopping.trajectories.record_trajectories`; tails are as fine as its samples.
    count : int
        How many to draw: those that come farthest from where they start.
    frames : int
        Number of pictures, from the first to the last time.
    boundary : "periodic" or "plates"
        Of the run.
    size : (width, height)
        Size of a picture [pixels].
    title : str, optional
        Process and number of carriers unless given.
    progress : callable, optional
        Called with the share done and a short text.

    Returns
    -------
    list of ndarray of shape (height, width, 3), uint8
        The pictures.

    Raises
    ------
    InputError
        If a number is out of range, or the carriers are not from this structure.
    """
    width, height = checked_size(size)
    if not 2 <= frames <= 1000:
        raise InputError(f"frames is {frames}; allowed: 2 to 1000")
    chosen = farthest(trajectories, count)
    check_origin(structure, trajectories)
    panel = show_structure(structure, "phase", None, ("pore",) if "pore" in structure.phases.values() else (), cut=False)
    key = WaysKey([structure], "phase", ("pore",), None, False, ())
    frame = Frame(width, height, 1, key)
    camera = fit_cameras([structure.edges_um], frame.panel_width, frame.panel_height)[0]
    around = _surroundings(frame, panel, camera)
    heading = title or f"{structure.process}: {words_for(trajectories, len(chosen))}"
    mirrored = boundary == "plates"
    ways = [fold(trajectories.position_m[walker] / UM, camera.edges, mirrored=mirrored) for walker in chosen]
    places = fold_points(trajectories.position_m[chosen] / UM, camera.edges, mirrored=mirrored)
    last = len(trajectories.time_s) - 1
    pictures = []
    with clear_block(panel, camera) as plotter:
        for number in range(frames):
            at = round(number * last / (frames - 1))
            actors = _add_carriers(plotter, ways, places[:, at], at, TAIL_FRAMES * last / frames, camera)
            drawn = take_picture(plotter, camera.width, camera.height)
            for actor in actors:
                plotter.remove_actor(actor, render=False)
            picture = around.copy()
            part = picture[frame.top : frame.top + camera.height, : camera.width]
            np.minimum(part, drawn, out=part)
            clock = _clock(float(trajectories.time_s[at]), float(trajectories.time_s[-1]))
            picture = write_line(picture, heading, (width / 2, 1.5 * frame.type_px), 1.15 * frame.type_px, bold=True)
            pictures.append(write_line(picture, clock, (width - 1.5 * frame.type_px, 5.4 * frame.type_px), 1.3 * frame.type_px,
                                       bold=True, anchor="rm"))  # fmt: skip
            if progress is not None:
                progress((number + 1) / frames, f"frame {number + 1} of {frames}")
    return pictures


def _clock(time_s: float, end_s: float) -> str:
    """Return the time in the unit of the last one, with as many digits."""
    factor, unit = unit_of_time(end_s)
    digits = max(0, 2 - int(np.floor(np.log10(end_s / factor) + 1e-9)))
    return f"{time_s / factor:.{digits}f} {unit}"


def _surroundings(frame: Frame, panel: Any, camera: Camera) -> NDArray[np.uint8]:
    """Return what surrounds the block in every picture: key, scale bar, axes, size."""
    from PIL import Image

    white = np.full((camera.height, camera.width, 3), 255, dtype=np.uint8)
    with TemporaryDirectory() as folder:
        path = write_picture(frame, [panel], [white], [camera], [""], Path(folder) / "around.png")
        with Image.open(path) as picture:
            return np.array(picture.convert("RGB"))


def _add_carriers(
    plotter: Any, ways: list[list[Piece]], places_um: NDArray[np.float64], at: int, tail: float, camera: Camera
) -> list[Any]:
    """Put the balls and tails of one moment into a scene and return their actors."""
    radius, factor = BALL * float(camera.edges.max()), oversampling(camera)
    actors = []
    for number, (way, place) in enumerate(zip(ways, places_um, strict=True)):
        colour = WALKERS[number % len(WALKERS)]
        actors.append(add_balls(plotter, place[None], radius, colour))
        actors.append(add_rim(plotter, place[None], radius))
        for step, (opacity, thickness) in enumerate(TAIL_STEPS):
            oldest = at - tail * (1.0 - step / len(TAIL_STEPS))
            lines = [p for piece in way if len(p := piece.between(oldest, oldest + tail / len(TAIL_STEPS))) > 1]
            if lines:
                actors.append(
                    plotter.add_mesh(
                        lines_of(lines),
                        color=colour,
                        opacity=opacity,
                        line_width=thickness * factor,
                        lighting=False,
                        render=False,
                    )
                )
    return actors
