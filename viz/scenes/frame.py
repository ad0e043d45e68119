"""The frame around a picture of a block: titles, key, scale bar and axes, drawn by matplotlib to the pixel."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.structure import VoxelStructure
from viz.made_by import words_of_png
from viz.palette import ABSENT, phase_colours, rgb, style
from viz.scenes.camera import Camera
from viz.scenes.colouring import Shown, volume_percent

DPI = 100
INK, GREY, HIDDEN = "#1A1A1A", "#5A5A5A", "#FFFFFF"
BAR_LABELS = {
    "potential": "potential / applied potential",
    "current": "current density (A m⁻²)",
    "dissipation": "power lost (W m⁻³)",
}
GAP_LABELS = {"potential": "no potential", "current": "no current", "dissipation": "no power lost"}
CHARACTER = 0.62
"""Mean width of a character over the height of the type."""


@dataclass(frozen=True)
class Key:
    """What a reader needs to read the colours: phases with their volume shares, a colour bar, or both.

    Attributes
    ----------
    structures, field, hide
        What is drawn, and which phases are not.
    scale
        The colour scale of a field of numbers, or None.
    gaps : bool
        Whether some faces have no number.
    clear : tuple of phase names
        Phases that one can see through.
    inside : str
        What shows the numbers inside of the phases, in words; none where the faces show them.
    """

    structures: list[VoxelStructure]
    field: str
    hide: tuple[str, ...]
    scale: Any
    gaps: bool
    clear: tuple[str, ...] = dataclasses.field(default=(), kw_only=True)
    inside: str = dataclasses.field(default="", kw_only=True)

    def entries(self) -> list[tuple[str, str]]:
        """Return colour and text of every patch of the key."""
        if self.scale is not None and not self.inside:
            return [(ABSENT, GAP_LABELS[self.field])] if self.gaps else []
        shares = [volume_percent(structure) for structure in self.structures]
        names = list(dict.fromkeys(name for share in shares for name in share))
        colours = phase_colours(names)
        return [
            (
                self._patch(name, colours[name]),
                f"{name} {' | '.join(f'{share.get(name, 0.0):.1f}' for share in shares)} vol%{self._remark(name)}",
            )
            for name in names
        ]

    def _patch(self, name: str, colour: str) -> str:
        if name in self.hide:
            return HIDDEN
        return pale(colour) if name in self.clear else colour

    def _remark(self, name: str) -> str:
        return " (hidden)" if name in self.hide else " (clear)" if name in self.clear else ""


@dataclass(frozen=True)
class Frame:
    """Where the parts of a picture go [pixels]."""

    width: int
    height: int
    panels: int
    key: Key

    @property
    def type_px(self) -> float:
        """Return the height of the type."""
        return float(np.clip(min(self.width / self.panels, self.height) / 46.0, 10.0, 60.0))

    @property
    def columns(self) -> int:
        """Return the number of key entries in a row."""
        widths = [CHARACTER * len(text) + 3.0 for _, text in self.key.entries()] or [1.0]
        room = 0.96 * self.width / self.type_px
        if sum(widths) <= room:
            return len(widths)
        rows = math.ceil(len(widths) / max(1, int(room / max(widths))))
        return math.ceil(len(widths) / rows)

    @property
    def bottom(self) -> int:
        """Return the height of the strip that holds the key."""
        bar = 5.2 if self.key.scale is not None else 0.0
        if bar and not self.key.inside:
            return round(bar * self.type_px)
        return round((bar + 1.6 * self.rows + 1.2) * self.type_px)

    @property
    def rows(self) -> int:
        """Return the number of rows of the key."""
        return math.ceil(len(self.key.entries()) / self.columns)

    @property
    def top(self) -> int:
        """Return the height of the strip that holds the titles."""
        return round(4.0 * self.type_px)

    @property
    def panel_width(self) -> int:
        """Return the width of one panel."""
        return self.width // self.panels

    @property
    def panel_height(self) -> int:
        """Return the height of the panels."""
        return self.height - self.top - self.bottom


def write_picture(
    frame: Frame,
    shown: list[Shown],
    pictures: list[NDArray[np.uint8]],
    cameras: list[Camera],
    titles: Any,
    path: Path,
) -> Path:
    """Write pictures of blocks with everything a reader needs around them."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(frame.width / DPI, frame.height / DPI), dpi=DPI)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(0, frame.width), ylim=(0, frame.height))
        axes.set_axis_off()
        for number, (panel, picture, camera) in enumerate(zip(shown, pictures, cameras, strict=True)):
            corner = np.array([number * frame.panel_width, frame.bottom])
            figure.figimage(picture, int(corner[0]), int(corner[1]), origin="upper", zorder=-1)
            _titles(axes, frame, panel, titles[number], corner)
            _scale_bar(axes, frame, camera, corner)
            _triad(axes, frame, camera, corner)
        _draw_key(figure, axes, frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=DPI, format="png", metadata=words_of_png())
    return path


def describe(shown: Shown) -> str:
    """Return one line about the size of a block, and whether only some of its voxels are drawn."""
    structure = shown.structure
    edges = " × ".join(f"{edge:.3g}" for edge in structure.edges_um)
    voxel = structure.voxel_nm if len(set(structure.voxel_nm)) > 1 else structure.voxel_nm[:1]
    nm = " × ".join(f"{edge:.4g}" for edge in voxel)
    text = f"{edges} µm, voxels of {nm} nm"
    if shown.stride == 1:
        return text
    ending = {2: "nd", 3: "rd"}.get(shown.stride, "th")
    return f"{text}; every {shown.stride}{ending} voxel drawn"


def pale(colour: str) -> str:
    """Return a colour halfway to white, for what one can see through."""
    return "#" + "".join(f"{round(255 * (1.0 + share) / 2):02X}" for share in rgb(colour))


def length_label(length_um: float) -> str:
    """Return a length in um, or in nm where it is below one um."""
    return f"{length_um:g} µm" if length_um >= 1.0 else f"{length_um * 1e3:g} nm"


def scale_bar_um(edge_um: float) -> float:
    """Return the length of a scale bar: 1, 2 or 5 times a power of ten, at most half of the edge."""
    power = 10.0 ** math.floor(math.log10(0.5 * edge_um))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= 0.5 * edge_um * (1.0 + 1e-9))


def _points(frame: Frame, times: float = 1.0) -> float:
    return 72.0 / DPI * frame.type_px * times


def _titles(axes: Any, frame: Frame, shown: Shown, title: str | None, corner: NDArray[Any]) -> None:
    middle = corner[0] + frame.panel_width / 2
    heading = shown.structure.process if title is None else title
    axes.text(
        middle, frame.height - 1.5 * frame.type_px, heading, ha="center", va="center", color=INK, weight="bold",
        size=_points(frame, 1.25),
    )  # fmt: skip
    axes.text(
        middle, frame.height - 3.2 * frame.type_px, describe(shown), ha="center", va="center", color=GREY,
        size=_points(frame, 0.9),
    )  # fmt: skip


def _scale_bar(axes: Any, frame: Frame, camera: Camera, corner: NDArray[Any]) -> None:
    """Draw a bar along the lower front edge, parallel to x: foreshortened like the block itself."""
    length = scale_bar_um(float(camera.edges[0]))
    start = corner + camera.project((0.0, 0.0, 0.0))
    end = corner + camera.project((length, 0.0, 0.0))
    along = (end - start) / np.linalg.norm(end - start)
    down = np.array([along[1], -along[0]])
    tick = 0.35 * frame.type_px * down
    start, end = start + 0.8 * frame.type_px * down, end + 0.8 * frame.type_px * down
    x, y = zip(start - tick, start + tick, start, end, end - tick, end + tick, strict=True)
    axes.plot(x, y, color=INK, linewidth=0.11 * frame.type_px, solid_capstyle="butt", solid_joinstyle="miter")
    where = 0.5 * (start + end) + 0.9 * frame.type_px * down
    axes.text(*where, length_label(length), ha="center", va="center", color=INK, size=_points(frame),
              rotation=math.degrees(math.atan2(along[1], along[0])), rotation_mode="anchor")  # fmt: skip


def _triad(axes: Any, frame: Frame, camera: Camera, corner: NDArray[Any]) -> None:
    right, up, _ = camera.basis
    length = 3.2 * frame.type_px
    origin = corner + np.array([1.6, 2.6]) * frame.type_px
    for name, direction in zip("xyz", np.eye(3), strict=True):
        step = length * np.array([right @ direction, up @ direction])
        axes.annotate(
            "", xy=origin + step, xytext=origin,
            arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.09 * frame.type_px,
                        "mutation_scale": 0.7 * frame.type_px, "shrinkA": 0.0, "shrinkB": 0.0},
        )  # fmt: skip
        beyond = origin + step * (1.0 + 0.65 * frame.type_px / np.linalg.norm(step))
        axes.text(*beyond, name, ha="center", va="center", color=INK, size=_points(frame))


def _draw_key(figure: Any, axes: Any, frame: Frame) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=c, edgecolor=GREY, linewidth=0.6, label=text) for c, text in frame.key.entries()]
    scale, lift = frame.key.scale, (1.6 * frame.rows + 0.2 if frame.key.inside else 0.0)
    if scale is not None:
        width, height = frame.width, frame.height
        bar = figure.add_axes((0.28, (3.3 + lift) * frame.type_px / height, 0.44, 0.9 * frame.type_px / height))
        figure.colorbar(scale, cax=bar, orientation="horizontal")
        bar.tick_params(labelsize=_points(frame, 0.9))
        bar.set_xlabel(": ".join(filter(None, (BAR_LABELS[frame.key.field], frame.key.inside))), size=_points(frame))
        if patches and not frame.key.inside:
            axes.legend(handles=patches, loc="center left", bbox_to_anchor=(0.75 * width, 3.7 * frame.type_px),
                        bbox_transform=axes.transData, fontsize=_points(frame, 0.9))  # fmt: skip
        if not frame.key.inside:
            return
    middle = 0.5 * (lift + 0.6) * frame.type_px if lift else frame.bottom / 2
    axes.legend(
        handles=[p for first in range(frame.columns) for p in patches[first :: frame.columns]] if frame.rows > 1 else patches,
        loc="center", ncols=frame.columns, bbox_to_anchor=(frame.width / 2, middle),
        bbox_transform=axes.transData, fontsize=_points(frame), columnspacing=1.6, handlelength=1.1, handleheight=1.1,
    )  # fmt: skip
