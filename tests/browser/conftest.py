"""A real browser without a screen for these tests; they are skipped where there is none."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from microstructures.formats import write
from microstructures.structure import VoxelStructure

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1000,700", "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE_S = 25.0
OWN = ("data", "blob", "about", "chrome")
"""Schemes that stay inside of the browser."""
NAMES = {0: "pore", 1: "LFP", 2: "LATP"}


def wait_for(what: Callable[[], Any], why: str) -> Any:
    """Return what a question gives once it gives something; fail if it never does."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited {PATIENCE_S:g} s for {why}")


@dataclass
class Page:
    """A page in the browser."""

    driver: Any

    wait = staticmethod(wait_for)

    def open(self, url: str) -> None:
        """Open a page and forget what was logged before."""
        self.logged()
        self.driver.get(url)

    def find(self, selector: str) -> Any:
        """Return the element that a CSS selector finds, once it is there."""
        return wait_for(lambda: next(iter(self.driver.find_elements("css selector", selector)), None), selector)

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.driver.execute_script("arguments[0].click()", self.find(selector))

    def pixels(self, selector: str) -> NDArray[np.int_]:
        """Return what an element looks like, shape (height, width, 3)."""
        with Image.open(io.BytesIO(self.find(selector).screenshot_as_png)) as picture:
            return np.asarray(picture.convert("RGB")).astype(int)

    def drag(self, selector: str, right: int, down: int) -> None:
        """Drag from the middle of an element."""
        from selenium.webdriver.common.action_chains import ActionChains

        actions = ActionChains(self.driver, duration=60).move_to_element(self.find(selector)).click_and_hold()
        for _ in range(4):
            actions = actions.move_by_offset(right // 4, down // 4)
        actions.release().perform()

    def logged(self) -> tuple[list[str], list[str]]:
        """Return errors of the console and addresses asked for since the last call."""
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        asked += [m["params"]["url"] for m in messages if m["method"] == "Network.webSocketCreated"]
        return errors, asked

    def check_quiet(self, allowed: str) -> None:
        """Fail if the console holds an error or a request went anywhere but to the address allowed."""
        errors, asked = self.logged()
        assert errors == []
        assert asked
        strangers = [url for url in asked if urlsplit(url).scheme not in OWN and allowed not in url]
        assert strangers == []


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Return a browser, or skip where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install 'cofire[test]'")
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", "about:blank"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    try:
        yield Page(chrome)
    finally:
        chrome.quit()


def block(shape: tuple[int, int, int]) -> VoxelStructure:
    """Return layers of two phases across x, with a pore in the middle of the top, and one grain a layer."""
    grains = np.broadcast_to((np.arange(shape[0]) // 4 + 1)[:, None, None], shape).astype(np.int32).copy()
    labels = (grains % 2 + 1).astype(np.uint8)
    hole = (slice(8, 14), slice(6, 12), slice(12, None))
    labels[hole], grains[hole] = 0, 0
    return VoxelStructure.from_labels(labels, voxel_nm=50, phases=NAMES, grains=grains)


@pytest.fixture(scope="session")
def structure() -> VoxelStructure:
    """Return a small structure that conducts along y and z."""
    return block((20, 18, 16))


@pytest.fixture(scope="session")
def files(structure: VoxelStructure, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write two small structures that conduct."""
    folder = tmp_path_factory.mktemp("structures")
    made = {"one": folder / "one.h5", "two": folder / "two.h5"}
    write(structure, made["one"])
    write(block((12, 12, 12)), made["two"])
    return made
