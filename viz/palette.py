"""One colour per phase, process and estimator, and one style for every plot; colour-blind safe throughout.

Phases differ as `microstructures.colours` says, the others by at least 30 in CIEDE2000 by the same measure. So z is a dark red:
without the cones for blue, Okabe and Ito's green is their blue.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from microstructures.colours import OKABE_ITO, PHASES, contrast, ink_on, phase_colours, rgb

__all__ = [
    "ABSENT",
    "AXES",
    "ESTIMATORS",
    "FIELD_MAPS",
    "GREY",
    "INK",
    "OKABE_ITO",
    "PAPER",
    "PHASES",
    "PROCESSES",
    "SERIES",
    "STYLE",
    "contrast",
    "ink_on",
    "phase_colours",
    "rgb",
    "series_colour",
    "style",
]

PROCESSES: Mapping[str, str] = MappingProxyType({"cold-pressed": "#0072B2", "co-fired": "#D55E00"})
ESTIMATORS: Mapping[str, str] = MappingProxyType({"solver": "#262626", "graph": "#0072B2", "kMC": "#E69F00"})
AXES: Mapping[str, str] = MappingProxyType({"x": "#0072B2", "y": "#E69F00", "z": "#601800"})

PAPER = "#8C8C8C"
"""Colour of published values."""
INK, GREY = "#1A1A1A", "#5A5A5A"
"""Colours of text and of lesser text."""
SERIES = ("#0072B2", "#E69F00", "#262626", "#963C00", "#B4B4B4", "#3CB4F0")
"""Colours of series that have no colour of their own, in turn; any two differ by 19 or more."""
ABSENT = "#C9C9C9"
"""Colour of voxels that have no value of the field shown."""
FIELD_MAPS: Mapping[str, str] = MappingProxyType({"potential": "viridis", "current": "inferno"})
"""Perceptually uniform colour map of each field."""

STYLE: Mapping[str, Any] = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 10.0,
        "axes.labelsize": 10.0,
        "axes.titlesize": 10.0,
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "xtick.direction": "out",
        "ytick.direction": "out",
        "xtick.labelsize": 9.0,
        "ytick.labelsize": 9.0,
        "legend.frameon": False,
        "legend.fontsize": 9.0,
        "lines.linewidth": 1.6,
        "lines.markersize": 6.0,
        "errorbar.capsize": 3.0,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "svg.fonttype": "none",
        "svg.hashsalt": "cofire",
        "mathtext.default": "regular",
    }
)
"""Matplotlib settings of every plot, to be entered with `matplotlib.rc_context`, never set globally."""


def style() -> dict[Any, Any]:
    """Return a copy of `STYLE` for `matplotlib.rc_context`."""
    return dict(STYLE)


def series_colour(name: str, known: Mapping[str, str]) -> str:
    """Return the colour of a process, estimator or axis, with a steady fallback for names that are not known."""
    return known.get(name) or OKABE_ITO[sum(name.encode()) % len(OKABE_ITO)]
