"""The page that `show --html` writes, in a real browser: it draws, turns, hides and cuts, alone and without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import viz
from viz.palette import PHASES, rgb


@pytest.fixture(scope="module")
def written(structure, tmp_path_factory):
    """Write a page of phases, and one of a potential."""
    folder = tmp_path_factory.mktemp("pages")
    falling = np.broadcast_to(np.linspace(1.0, 0.0, structure.shape[0])[:, None, None], structure.shape)
    made = {"phase": folder / "phase.html", "potential": folder / "potential.html"}
    for field, path in made.items():
        viz.render(structure, png=folder / "a.png", html=path, field=field, potential=falling, size=(300, 300), title=field)
    return made


@pytest.fixture
def opened(page, written):
    """Open the page of phases."""
    show(page, written["phase"])
    return page


def show(page, path: Path) -> None:
    page.driver.set_window_size(760, 600)
    page.open(path.as_uri())
    settle(page)


def settle(page) -> None:
    """Wait until the picture is drawn at its best."""
    page.wait(
        lambda: page.driver.execute_script("return document.querySelector('canvas').dataset.settled === 'true'"), "a picture"
    )


def act(page, script: str) -> None:
    """Run a script, and wait for the picture after it."""
    page.driver.execute_script(f"document.querySelector('canvas').dataset.settled = 'no'; {script}")
    settle(page)


def slide(page, slider: str, value: float) -> None:
    act(page, f"const i = document.getElementById('{slider}'); i.value = {value}; i.dispatchEvent(new Event('input'))")


def share(picture, phase: str) -> float:
    """Return the share of pixels of the hue of a phase, in whatever light."""
    colour = rgb(PHASES[phase])
    length = np.linalg.norm(picture, axis=-1)
    along = (picture @ colour) / np.linalg.norm(colour)
    return float(((along > 0.985 * length) & (picture.max(axis=-1) - picture.min(axis=-1) > 60)).mean())


def test_page_draws_every_phase_and_asks_nobody(opened):
    picture = opened.pixels("canvas")
    for phase in ("LFP", "LATP"):
        assert share(picture, phase) > 0.02, phase
    assert (picture == 255).all(axis=-1).mean() > 0.3
    assert opened.find("h1").text == "phase"
    assert opened.find("#help").text.startswith("drag")
    opened.check_quiet("file:")


def test_a_click_on_the_key_hides_a_phase_and_shows_what_is_behind(opened):
    before = opened.pixels("canvas")
    act(opened, "document.querySelector('button[data-label=\"1\"]').click()")
    hidden = opened.pixels("canvas")
    assert share(hidden, "LFP") < 0.2 * share(before, "LFP")
    assert share(hidden, "LATP") > 1.05 * share(before, "LATP")
    act(opened, "document.querySelector('button[data-label=\"1\"]').click()")
    assert np.abs(opened.pixels("canvas") - before).mean() < 0.5


def test_keys_of_the_keyboard_hide_and_turn(opened):
    from selenium.webdriver.common.keys import Keys

    before = opened.pixels("canvas")
    button = opened.find("button[data-label='1']")
    assert button.get_attribute("aria-pressed") == "true"
    button.send_keys(Keys.SPACE)
    assert button.get_attribute("aria-pressed") == "false"
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    act(opened, "document.querySelector('canvas').dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }))")
    assert np.abs(opened.pixels("canvas") - before).mean() > 2.0


def test_a_drag_turns_the_block(opened):
    before = opened.pixels("canvas")
    opened.driver.execute_script("document.querySelector('canvas').dataset.settled = 'no'")
    opened.drag("canvas", 120, 40)
    settle(opened)
    assert np.abs(opened.pixels("canvas") - before).mean() > 2.0


def test_a_cut_is_closed_and_shows_the_layer_it_meets(opened):
    act(opened, "document.getElementById('corner').click()")
    whole = (opened.pixels("canvas").min(axis=-1) < 250).sum()
    slide(opened, "cut-x-to", 6)
    picture = opened.pixels("canvas")
    assert 0.2 * whole < (picture.min(axis=-1) < 250).sum() < 0.8 * whole
    assert opened.find("#cut output").get_attribute("textContent") == "0.00 to 0.30 µm"
    act(opened, "document.querySelector('button[data-label=\"1\"]').click()")
    slide(opened, "cut-x-to", 4)
    assert share(opened.pixels("canvas"), "LATP") > 0.02  # the first layer across x
    act(opened, "document.querySelector('button[data-label=\"2\"]').click()")
    assert (opened.pixels("canvas").min(axis=-1) < 100).mean() < 0.02  # the scale bar and the axes alone


def test_values_of_a_field_can_be_chosen(page, written):
    show(page, written["potential"])
    before = page.pixels("canvas")
    slide(page, "range-from", 60)
    assert (page.pixels("canvas").min(axis=-1) < 250).sum() < 0.8 * (before.min(axis=-1) < 250).sum()
    page.check_quiet("file:")
