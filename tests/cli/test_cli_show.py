"""`cofire show`: every way to look at a structure writes a picture, and every bad wish is one line."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import image
from support import KNOWN

WAYS = {
    "smooth": ("--surface", "smooth"),
    "whole": ("--view", "whole"),
    "planes": ("--view", "slices", "--field", "grain"),
    "planes-at": ("--slices-um", "0.1,,0.1"),
    "one-phase": ("--only", "pore"),
    "preset": ("--opacity", "glass", "--surface", "smooth"),
    "opacities": ("--opacity", "LFP=0.2,others=1"),
    "heat": ("--field", "dissipation"),
    "lines": ("--streamlines", 20),
    "hot": ("--field", "dissipation", "--hot-percent", 2, "--surface", "smooth"),
}


@pytest.mark.parametrize("words", WAYS.values(), ids=WAYS)
def test_ways_to_look_draw_different_pictures(done, built, work, words):
    done("show", built.fired, "--png", "plain.png")
    done("show", built.fired, *words, "--png", "picture.png")
    plain, picture = (image.imread(work / name)[..., :3] for name in ("plain.png", "picture.png"))
    assert plain.shape == picture.shape
    assert (np.abs(plain - picture).max(axis=-1) > 0.1).mean() > 0.01


def test_ways_of_carriers_are_drawn(done, built, work):
    done("show", built.fired, "--field", "trajectories", "--png", "ways.png")
    picture = image.imread(work / "ways.png")[..., :3]
    assert (np.ptp(picture, axis=-1) > 0.3).mean() > 0.003


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        pytest.param(("--surface", "smoth"), "did you mean 'smooth'", id="surface"),
        pytest.param(("--view", "slice"), "did you mean 'slices'", id="view"),
        pytest.param(("--opacity", "glas"), "did you mean 'glass'", id="preset"),
        pytest.param(("--opacity", "A=x"), "PHASE=NUMBER", id="opacity-number"),
        pytest.param(("--opacity", "A=7"), "allowed: 0", id="opacity-range"),
        pytest.param(("--only", "Z"), "cannot show phase 'Z'", id="phase"),
        pytest.param(("--slices-um", "1,2"), "three places in um", id="places"),
        pytest.param(("--slices-um", "0,0,99"), "inside the block", id="place-outside"),
        pytest.param(("--streamlines", "5", "--field", "grain"), "--field current", id="lines-of-grains"),
        pytest.param(("--streamlines", "-5"), "allowed: 1 to 5000", id="count"),
        pytest.param(("--hot-percent", "1", "--field", "potential"), "current or dissipation", id="hot-potential"),
        pytest.param(("--field", "trajectories", "--html", "new.html"), "picture only", id="ways-as-page"),
        pytest.param(("--hot-percent", "99"), "allowed: 0", id="hot-share"),
    ],
)
def test_bad_ways_to_look(refuse, work, words, remedy):
    assert remedy in refuse("show", "a.npy", *KNOWN, *words, "--png", "new.png")
