"""What the page holds, read back without a browser: every voxel with its label, and a colour that is that of the picture."""

from __future__ import annotations

import base64
import gzip
import json
import re

import numpy as np
import pytest

from microstructures.errors import InputError
from viz.palette import ABSENT, PHASES, rgb
from viz.scenes import page as page_module
from viz.scenes.camera import DIRECTION
from viz.scenes.colouring import scale_for, show_structure
from viz.scenes.frame import Key
from viz.scenes.page import write_page


@pytest.fixture
def scene(structure, tmp_path):
    """Return a function that writes a page and gives what it holds."""

    def write(field="phase", array=None, inside=None, hide=("pore",), cut=True):
        shown = show_structure(structure, field, array, hide, cut)
        scale = None if array is None else scale_for(field, [array.ravel()], None)
        key = Key([structure], field, hide, scale, False)
        path = write_page(tmp_path / "new" / "a.html", shown, key, None, values=inside)
        found = re.search(r'id="scene">(.*?)</script>', path.read_text(encoding="utf-8"))
        assert found is not None
        return json.loads(found[1])

    return write


def volume(text: str, shape: tuple[int, ...], dtype: type = np.uint8):
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=dtype).reshape(shape, order="F")


def palette(scene) -> np.ndarray:
    return np.frombuffer(base64.b64decode(scene["palette"]), dtype=np.uint8).reshape(-1, 3)


def test_page_holds_every_label_and_the_colours_of_the_phases(structure, scene):
    found = scene()
    np.testing.assert_array_equal(volume(found["labels"], structure.shape), structure.labels)
    assert found["shades"] is None
    np.testing.assert_array_equal(palette(found)[2], np.rint(rgb(PHASES["LATP"]) * 255))
    assert (found["count"], found["eye"]) == (list(structure.shape), list(DIRECTION))
    assert found["edges"] == pytest.approx(structure.edges_um)


@pytest.mark.parametrize("cut", [True, False])
def test_page_begins_with_the_corner_of_the_picture(scene, cut):
    assert scene(cut=cut)["corner"] is cut


def test_grains_have_the_colours_of_the_picture(structure, scene):
    found = scene("grain")
    colours = palette(found)[volume(found["shades"], structure.shape)]
    shown = show_structure(structure, "grain", None, (), False)
    np.testing.assert_array_equal(colours.reshape(-1, 3)[shown.surface.voxel], shown.colours)
    assert len(np.unique(colours[structure.labels == 1], axis=0)) == 2  # two grains of LFP


def test_many_colours_take_two_bytes(structure, scene, monkeypatch):
    monkeypatch.setattr(page_module, "PALETTE_WIDTH", 2)
    found = scene("grain")
    assert found["wide"]
    colours = palette(found)[volume(found["shades"], structure.shape, np.uint16)]
    shown = show_structure(structure, "grain", None, (), False)
    np.testing.assert_array_equal(colours.reshape(-1, 3)[shown.surface.voxel], shown.colours)


def test_values_reach_the_inside_if_given_and_are_grey_else(structure, scene):
    falling = np.broadcast_to(np.linspace(1.0, 0.0, structure.shape[0])[:, None, None], structure.shape).copy()
    falling[structure.labels == 0] = np.nan
    inside = volume(scene("potential", falling, falling)["shades"], structure.shape)
    np.testing.assert_array_equal(inside == 0, structure.labels == 0)
    np.testing.assert_array_equal(inside[:, 0, 0], 1 + np.rint(254 * np.linspace(1.0, 0.0, structure.shape[0])))
    outside = volume(scene("potential", falling)["shades"], structure.shape)
    assert outside[5, 5, 5] == 0
    seen = outside > 0
    np.testing.assert_array_equal(outside[seen], inside[seen])
    np.testing.assert_array_equal(palette(scene("potential", falling))[0], np.rint(rgb(ABSENT) * 255))


def test_impossible_pages_are_refused(structure, scene, monkeypatch):
    with pytest.raises(InputError, match=r"potential has shape \(3,\)"):
        scene("potential", np.zeros(structure.shape), np.zeros(3))
    monkeypatch.setattr(page_module, "LONGEST_AXIS", 19)
    with pytest.raises(InputError, match="20 voxels long; allowed in a page: 19; crop it"):
        scene()
