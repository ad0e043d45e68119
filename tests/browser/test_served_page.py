"""The page that `cofire serve` serves, in a real browser: it draws, turns, hides and solves, and asks this machine alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from viz.palette import PHASES, rgb

pytest.importorskip("trame", reason="needs trame: pip install 'cofire[serve]'")


@dataclass
class Served:
    """A page that is being served."""

    process: subprocess.Popen
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture(scope="module")
def served(page, files):
    """Serve two structures in another process, and end it as a user does."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    command = [sys.executable, "-m", "cofire", "serve", *map(str, files.values()), "--no-open", "--port", str(port)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": ""},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        page.wait(lambda: process.poll() is not None or answers(port), "the server")
        assert process.poll() is None, process.communicate()
        yield Served(process, port)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert out == ""
        assert err.splitlines() == [f"open http://127.0.0.1:{port}/ in a browser; Ctrl-C ends it", "ended"]
    finally:
        process.kill()
        process.communicate()


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def opened(page, served):
    """Open the page, and wait for its picture."""
    page.driver.set_window_size(1000, 700)
    page.open(served.url)
    page.find("#phase-LFP")
    page.wait(lambda: share(page.pixels("#picture"), "LATP") > 0.02, "a picture")
    return page


def share(picture, phase: str) -> float:
    """Return the share of pixels of the hue of a phase, in whatever light."""
    colour = rgb(PHASES[phase])
    length = np.linalg.norm(picture, axis=-1)
    along = (picture @ colour) / np.linalg.norm(colour)
    return float(((along > 0.985 * length) & (picture.max(axis=-1) - picture.min(axis=-1) > 60)).mean())


def changed(page, before) -> bool:
    return bool(np.abs(page.pixels("#picture") - before).mean() > 2.0)


def test_served_page_draws_hides_turns_and_asks_this_machine_alone(opened, served):
    opened.wait(lambda: share(opened.pixels("#picture"), "LFP") > 0.02, "the other phase")
    before = opened.pixels("#picture")
    assert (before > 250).all(axis=-1).mean() > 0.2
    opened.drag("#picture", 120, 40)
    opened.wait(lambda: changed(opened, before), "the block to turn")
    opened.click("#look-corner")
    opened.wait(lambda: not changed(opened, before), "the block to turn back")
    opened.click("#phase-LFP")
    opened.wait(lambda: share(opened.pixels("#picture"), "LFP") < 0.001, "the phase to go")
    opened.click("#phase-LFP")
    opened.wait(lambda: not changed(opened, before), "the phase to come back")
    opened.check_quiet(f"127.0.0.1:{served.port}")


def test_solving_shows_the_current_and_its_number(opened, served):
    assert "ionic conductivity" not in opened.find("#numbers").text
    opened.click("#solve")
    opened.wait(lambda: "ionic conductivity along x, 60 °C" in opened.find("#numbers").text, "a conductivity")
    opened.wait(lambda: share(opened.pixels("#picture"), "LFP") < 0.001, "the current")
    assert "ionic current density (A m⁻²)" in opened.find("#key").text
    opened.check_quiet(f"127.0.0.1:{served.port}")
