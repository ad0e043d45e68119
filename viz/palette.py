"""One colour per phase, process and estimator, and one style for every plot; colour-blind safe throughout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

OKABE_ITO = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442", "#0072B2", "#D55E00")
"""Okabe and Ito's colours but black, in the order in which unknown phases take them."""

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "pore": "#E6E6E6",
        "LFP": "#0072B2",
        "LATP": "#F0D45A",
        "LFTAP": "#D55E00",
        "carbon": "#262626",
        "NMC": "#56B4E9",
        "CBD": "#7A7A7A",
    }
)
PROCESSES: Mapping[str, str] = MappingProxyType({"cold-pressed": "#0072B2", "co-fired": "#D55E00"})
ESTIMATORS: Mapping[str, str] = MappingProxyType({"solver": "#262626", "graph": "#0072B2", "kMC": "#E69F00"})
AXES: Mapping[str, str] = MappingProxyType({"x": "#0072B2", "y": "#E69F00", "z": "#009E73"})

PAPER = "#8C8C8C"
"""Colour of published values."""
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
    {'LFP': '#0072B2', 'glass': '#E69F00'}
    """
    listed = list(dict.fromkeys(names))
    taken = {PHASES[name] for name in listed if name in PHASES}
    free = [colour for colour in OKABE_ITO if colour not in taken]
    unknown = [name for name in listed if name not in PHASES]
    extra = {name: _shade(free[i % len(free)], i // len(free)) for i, name in enumerate(unknown)}
    return {name: PHASES.get(name) or extra[name] for name in listed}


def series_colour(name: str, known: Mapping[str, str]) -> str:
    """Return the colour of a process, estimator or axis, with a steady fallback for names that are not known."""
    return known.get(name) or OKABE_ITO[sum(name.encode()) % len(OKABE_ITO)]


def rgb(colour: str) -> NDArray[np.float64]:
    """Return the red, green and blue shares, 0 to 1, of ``"#RRGGBB"``."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255.0


def _shade(colour: str, times: int) -> str:
    """Return `colour` darkened `times` times, so that more than seven unknown phases still differ."""
    red, green, blue = np.rint(rgb(colour) * 0.65**times * 255).astype(int)
    return f"#{red:02X}{green:02X}{blue:02X}"
