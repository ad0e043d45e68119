"""Files to keep from the page: the picture as it is seen, with its title and its key."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.made_by import words_of_png
from viz.palette import phase_colours, style
from viz.scenes.colouring import volume_percent
from viz.scenes.frame import BAR_LABELS, DPI, GREY, INK, describe
from viz.serve.choices import Choices
from viz.serve.faces import Seen
from viz.serve.stage import letter_px
from viz.serve.subject import CARRIERS, Subject


def legend(subject: Subject) -> list[tuple[str, str, str]]:
    """Return name, colour and volume share of every phase, for keys."""
    shares = volume_percent(subject.structure)
    colours = phase_colours(shares)
    return [(name, colours[name], f"{share:.1f} vol%") for name, share in shares.items()]


def bar_label(choices: Choices, field: str, temperature_C: float | None) -> str:
    """Return what a colour bar shows, with carrier, axis and temperature."""
    at = "" if temperature_C is None else f", {temperature_C:g} °C"
    drop = " at 1 V" if field == "current" else ""
    return f"{CARRIERS[choices.carrier]} {BAR_LABELS[field]}{drop}, along {choices.axis}{at}"


def png(picture: NDArray[np.uint8], subject: Subject, choices: Choices, seen: Seen) -> bytes:
    """Return a picture with title and key as a PNG file.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), uint8
        From `Stage.picture`.
    subject, choices, seen
        What it shows.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    height, width = picture.shape[:2]
    letter = letter_px((width, height))
    points = 72.0 / DPI * letter
    top, bottom = round(3.6 * letter), round((5.4 if seen.scale is not None else 3.0) * letter)
    full = height + top + bottom
    with matplotlib.rc_context(style()):
        figure = Figure(figsize=(width / DPI, full / DPI), dpi=DPI)
        FigureCanvasAgg(figure)
        figure.figimage(picture, 0, bottom, origin="upper")
        middle: dict[str, Any] = {"ha": "center", "va": "center"}
        figure.text(0.5, 1.0 - 1.2 * letter / full, subject.name, size=1.25 * points, weight="bold", color=INK, **middle)
        figure.text(0.5, 1.0 - 2.8 * letter / full, describe(seen.shown), size=0.9 * points, color=GREY, **middle)
        if seen.scale is not None:
            answer = subject.answers[choices.carrier, choices.axis]
            bar = figure.add_axes((0.2, 3.6 * letter / full, 0.6, 0.9 * letter / full))
            figure.colorbar(seen.scale, cax=bar, orientation="horizontal")
            bar.tick_params(labelsize=0.9 * points)
            bar.set_xlabel(bar_label(choices, seen.field, answer.temperature_C), size=points)
        else:
            patches = [
                Patch(facecolor=colour, edgecolor=GREY, linewidth=0.6, label=f"{name} {share}")
                for name, colour, share in legend(subject)
                if name not in choices.hidden
            ]
            figure.legend(
                handles=patches, loc="center", ncols=4, bbox_to_anchor=(0.5, 0.5 * bottom / full), fontsize=points,
                columnspacing=1.6, handlelength=1.1, handleheight=1.1,
            )  # fmt: skip
        file = io.BytesIO()
        figure.savefig(file, dpi=DPI, format="png", metadata=words_of_png())
    return file.getvalue()
