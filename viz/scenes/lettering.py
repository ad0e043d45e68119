"""Words on a picture that is already pixels, in the type of all other pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.palette import INK


def write_line(
    picture: NDArray[np.uint8],
    text: str,
    place: tuple[float, float],
    height_px: float,
    *,
    bold: bool = False,
    colour: str = INK,
    anchor: str = "mm",
) -> NDArray[np.uint8]:
    """Return a picture with a line of text; one that is too wide is written smaller.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), uint8
        What to write on.
    text : str
        One line.
    place : (right, down)
        Where its anchor lies, from the upper left corner [pixels].
    height_px : float
        Height of the type [pixels].
    bold : bool
        Whether it is bold.
    colour : str
        As ``"#RRGGBB"``.
    anchor : str
        Pillow's anchor: "mm" centres it, "lm" and "rm" start and end there.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    room = 0.96 * image.width
    wide = draw.textlength(text, font=_font(round(height_px), bold))
    font = _font(round(height_px if wide <= room else height_px * room / wide), bold)
    draw.text(place, text, fill=colour, font=font, anchor=anchor)
    return np.asarray(image)


@lru_cache(maxsize=32)
def _font(size_px: int, bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    return ImageFont.truetype(
        findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")), max(6, size_px)
    )
