"""Colours differ for readers with and without a colour-vision deficiency, and text on them can be read."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from microstructures.colours import FREE
from viz.palette import (
    ABSENT,
    AXES,
    ESTIMATORS,
    GREY,
    INK,
    OKABE_ITO,
    PHASES,
    PROCESSES,
    SERIES,
    STYLE,
    contrast,
    ink_on,
    phase_colours,
    rgb,
    series_colour,
)

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
VISION = {
    "all cones": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}
TEXT = 4.5
"""Least contrast of text, WCAG 2.2, 1.4.3."""


def seen(colour: str, vision: str) -> NDArray[np.float64]:
    """Return the CIELAB colour that a reader perceives."""
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    changed = np.clip(VISION[vision] @ linear, 0.0, 1.0)
    shown = np.where(changed <= 0.0031308, 12.92 * changed, 1.055 * changed ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(shown[None, None])[0, 0])


def closest(colours: Mapping[str, str], vision: str) -> tuple[float, str, str]:
    """Return the smallest distance of two colours in CIEDE2000, and which these are; 1 is just noticeable side by side."""
    lab = {name: seen(colour, vision) for name, colour in colours.items()}
    return min((float(deltaE_ciede2000(lab[a], lab[b])), a, b) for a, b in itertools.combinations(lab, 2))


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("colours", "least"),
    [(PHASES, 20.0), (PROCESSES, 30.0), (ESTIMATORS, 30.0), (AXES, 30.0), (dict(enumerate(SERIES)), 19.0),
     (dict(enumerate(OKABE_ITO)), 10.0)],
    ids=["phases", "processes", "estimators", "axes", "series", "unknown phases"],
)  # fmt: skip
def test_colours_can_be_told_apart(colours: Mapping[str, str], least: float, vision: str) -> None:
    assert closest(colours, vision)[0] > least, closest(colours, vision)


def test_the_measure_knows_colours_that_readers_confuse() -> None:
    """Okabe and Ito's green is their blue without the cones for blue; red and green merge without those for red or green."""
    pair = {"x": "#0072B2", "z": "#009E73"}
    assert closest(pair, "all cones")[0] > 30.0 > 15.0 > closest(pair, "tritanopia")[0]
    signals = {"stop": "#B05A00", "go": "#6E7A00"}
    assert closest(signals, "all cones")[0] > 30.0 > 10.0 > closest(signals, "deuteranopia")[0]


@pytest.mark.parametrize("vision", VISION)
def test_first_unknown_phase_stands_out_beside_the_usual_ones(vision: str) -> None:
    colours = phase_colours(["pore", "LFP", "LATP", "LFTAP", "glass"])
    assert closest(colours, vision)[0] > 15.0


def test_text_can_be_read_on_every_colour() -> None:
    for colour in (*PHASES.values(), *PROCESSES.values(), *SERIES, *OKABE_ITO, ABSENT, "#FFFFFF", "#000000"):
        assert contrast(ink_on(colour), colour) > TEXT, colour
    for ink in (INK, GREY):
        assert contrast(ink, "#FFFFFF") > TEXT


def test_contrast_of_known_greys() -> None:
    """#767676 is the lightest grey that text on white may have, as WCAG's examples say."""
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.005)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


def test_unknown_phases_get_free_colours_that_stay() -> None:
    names = ["LFP", "LFTAP", *(f"phase {n}" for n in range(12))]
    colours = phase_colours(names)
    assert colours["LFP"] == PHASES["LFP"]
    assert len(set(colours.values())) == len(names)
    assert phase_colours(names) == colours
    assert set(FREE) == set(OKABE_ITO)
    assert "#F0E442" not in phase_colours(["LATP", *(f"phase {n}" for n in range(12))]).values()


def test_series_fall_back_to_a_steady_colour() -> None:
    assert series_colour("solver", ESTIMATORS) == ESTIMATORS["solver"]
    assert series_colour("new", ESTIMATORS) == series_colour("new", ESTIMATORS)


def test_style_holds_known_settings_only() -> None:
    import matplotlib

    assert set(STYLE) <= set(matplotlib.rcParams)
