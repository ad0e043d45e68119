"""One colour per phase, for pictures and for the small slice that a notebook shows.

Chosen so that any two differ by at least 20 in CIEDE2000 (Sharma, Wu and Dalal, Color Res. Appl. 30, 21, 2005) for readers
with all cones and, by the matrices of Machado, Oliveira and Fernandes (IEEE Trans. Vis. Comput. Graph. 15, 1291, 2009; full
severity), without those for red, green or blue. Okabe and Ito's blue, orange-red and sky blue meet that beside each other;
their yellow and a mid-grey pore did not without the cones for blue, so LATP is a little deeper and the pore a little lighter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

OKABE_ITO = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#0072B2", "#D55E00")
"""Okabe and Ito's colours but black."""

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "pore": "#F0F0F0",
        "LFP": "#0072B2",
        "LATP": "#F0D040",
        "LFTAP": "#D55E00",
        "carbon": "#262626",
        "NMC": "#66BDEE",
        "CBD": "#858585",
    }
)
FREE = ("#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#F0E442", "#0072B2", "#D55E00")
"""The order in which unknown phases take Okabe and Ito's colours: first those that stand out beside LFP, LATP and LFTAP."""
ALIKE = 0.12
"""Distance in RGB (0 to 1 each) below which two colours count as one."""


def phase_colours(names: Iterable[str]) -> dict[str, str]:
    """Return one colour per phase name; unknown names take the Okabe-Ito colours that are still free.

    Parameters
    ----------
    names : iterable of str
        Phase names; the same names in the same order give the same colours.

    Returns
    -------
    dict of str to str
        Colours as ``"#RRGGBB"``.

    Examples
    --------
    >>> phase_colours(["LFP", "glass"])
    {'LFP': '#0072B2', 'glass': '#56B4E9'}
    """
    listed = list(dict.fromkeys(names))
    taken = [rgb(PHASES[name]) for name in listed if name in PHASES]
    free = [colour for colour in FREE if all(np.linalg.norm(rgb(colour) - other) > ALIKE for other in taken)]
    unknown = [name for name in listed if name not in PHASES]
    extra = {name: _shade(free[i % len(free)], i // len(free)) for i, name in enumerate(unknown)}
    return {name: PHASES.get(name) or extra[name] for name in listed}


def rgb(colour: str) -> NDArray[np.float64]:
    """Return the red, green and blue shares, 0 to 1, of ``"#RRGGBB"``."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 for black to 1 for white (WCAG 2.2, "relative luminance").

    Examples
    --------
    >>> round(luminance("#FFFFFF"), 6)
    1.0
    """
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio"); text needs 4.5.

    Examples
    --------
    >>> round(contrast("#FFFFFF", "#000000"), 6)
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(colour: str) -> str:
    """Return the colour of text that can be read on a colour: near-black or white, whichever stands out more.

    Examples
    --------
    >>> ink_on("#F0D040"), ink_on("#0072B2")
    ('#1A1A1A', '#FFFFFF')
    """
    return max(("#1A1A1A", "#FFFFFF"), key=lambda ink: contrast(ink, colour))


def _shade(colour: str, times: int) -> str:
    """Return `colour` darkened `times` times, so that more than seven unknown phases still differ."""
    red, green, blue = np.rint(rgb(colour) * 0.65**times * 255).astype(int)
    return f"#{red:02X}{green:02X}{blue:02X}"
