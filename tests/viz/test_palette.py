"""Colours differ for readers with and without a colour-vision deficiency, on screen and on paper."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import rgb2lab

from viz.palette import AXES, ESTIMATORS, PHASES, PROCESSES, STYLE, phase_colours, rgb, series_colour

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
VISION = {
    "all cones": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
}
SMALLEST_DISTANCE = 20.0
"""In CIELAB; 2.3 is just noticeable side by side."""


def seen(colour: str, vision: str) -> NDArray[np.float64]:
    """Return the CIELAB colour that a reader perceives."""
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    changed = np.clip(VISION[vision] @ linear, 0.0, 1.0)
    shown = np.where(changed <= 0.0031308, 12.92 * changed, 1.055 * changed ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(shown[None, None])[0, 0])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("colours", [PHASES, PROCESSES, ESTIMATORS, AXES], ids=["phases", "processes", "estimators", "axes"])
def test_colours_can_be_told_apart(colours: Mapping[str, str], vision: str) -> None:
    for a, b in itertools.combinations(colours, 2):
        distance = np.linalg.norm(seen(colours[a], vision) - seen(colours[b], vision))
        assert distance > SMALLEST_DISTANCE, (a, b)


def test_unknown_phases_get_free_colours_that_stay() -> None:
    names = ["LFP", "LFTAP", *(f"phase {n}" for n in range(12))]
    colours = phase_colours(names)
    assert colours["LFP"] == PHASES["LFP"]
    assert len(set(colours.values())) == len(names)
    assert phase_colours(names) == colours


def test_series_fall_back_to_a_steady_colour() -> None:
    assert series_colour("solver", ESTIMATORS) == ESTIMATORS["solver"]
    assert series_colour("new", ESTIMATORS) == series_colour("new", ESTIMATORS)


def test_style_holds_known_settings_only() -> None:
    import matplotlib

    assert set(STYLE) <= set(matplotlib.rcParams)
