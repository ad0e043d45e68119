"""How commands end: interrupts, closed pipes, dead workers, missing packages."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
import tifffile

import kmc.conduction
from cofire.workers import WorkerDiedError, Workers
from microstructures.errors import MissingExtraError

CONDUCT = ("conduct", "a.npy", "--voxel-nm", 25, "--materials", "a.toml")


def _raising(error: BaseException) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


def _wrapped() -> SystemError:
    error = SystemError("a compiled function returned a result with an exception set")
    error.__cause__ = KeyboardInterrupt()
    return error


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (_wrapped(), 130, "interrupted"),
        (MissingExtraError("this needs extra; run: pip install extra"), 3, "pip install extra"),
        (ModuleNotFoundError("No module named 'pyvista'", name="pyvista"), 3, "pip install pyvista"),
        (MemoryError(), 2, "memory"),
        (RecursionError(), 2, "nested"),
        (OSError(28, "No space left on device", "/data/x"), 2, "/data/x: No space left"),
        (WorkerDiedError("one of 4 processes was ended; use fewer --workers"), 1, "--workers"),
        (ValueError("two\nlines"), None, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_how_a_command_ends(refuse, run, work, monkeypatch, error, code, says):
    monkeypatch.setattr(kmc.conduction, "conduct", _raising(error))
    if code is None:  # a mistake of ours is not dressed up as the user's
        with pytest.raises(type(error)):
            run(*CONDUCT)
    else:
        assert says in refuse(*CONDUCT, code=code)


def test_an_interrupted_build_leaves_no_file(run, work, monkeypatch):
    monkeypatch.setattr("cofire.building.build", _raising(KeyboardInterrupt()))
    ran = run("build", "cold-pressed", "--out", "s.h5")
    assert ran.code == 130
    assert not (work / "s.h5").exists()


def test_a_comparison_that_is_interrupted_early_leaves_no_folder(run, work, monkeypatch):
    monkeypatch.setattr("cofire.workers.Workers.run", _raising(KeyboardInterrupt()))
    assert run("compare", "--out", "new", "--workers", 1).code == 130
    assert not (work / "new").exists()


@pytest.mark.parametrize("words", [("info", "--json"), ("info",), ("--help",)], ids=" ".join)
def test_a_closed_pipe_is_no_error(built, words):
    reading, writing = os.pipe()
    os.close(reading)
    more = [str(built.cold)] if words[0] == "info" else []
    command = subprocess.Popen(
        [sys.executable, "-m", "cofire", words[0], *more, *words[1:]], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert command.communicate(timeout=120)[1] == ""
    assert command.returncode == 141


def _die(item: int, say: Callable[[str], object]) -> int:
    if item == 1:
        os._exit(9)
    return item


def _square(item: int, say: Callable[[str], object]) -> int:
    say(f"item {item}")
    return item**2


def test_a_worker_that_dies_is_named(monkeypatch):
    with pytest.raises(WorkerDiedError, match="--workers"), Workers(2) as pool:
        pool.run(_die, [0, 1], lambda done, text: None)
    assert not issubclass(WorkerDiedError, BrokenProcessPool)
    assert issubclass(WorkerDiedError, RuntimeError)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers):
    with Workers(workers) as pool:
        assert pool.run(_square, [3, 1, 2], lambda done, text: None) == [9, 1, 4]
        assert pool.run(_square, [5], lambda done, text: None) == [25]


def test_a_compression_that_needs_a_package(refuse, work):
    tifffile.imwrite("packed.tif", np.ones((4, 5, 6), dtype=np.uint8), photometric="minisblack")
    with tifffile.TiffFile("packed.tif", mode="r+") as file:
        for page in file.pages:
            page.tags["Compression"].overwrite(50001)  # WebP
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        assert "pip install imagecodecs" in refuse("info", "packed.tif", "--voxel-nm", 25, code=3)
    else:
        refuse("info", "packed.tif", "--voxel-nm", 25)


def test_no_renderer_is_told_and_numbers_go_on(done, monkeypatch):
    monkeypatch.setattr("viz.render", _raising(RuntimeError("no display")))
    assert "does not work (no display)" in done("doctor", "--json").json["renderer"]


def test_a_figure_that_cannot_be_drawn_gives_its_reason():
    from cofire.experiment.reporting.figures import draw_or_say_why

    found = draw_or_say_why(_raising(ValueError("no\nscreen")))
    assert found["data"] == ""
    assert "no screen" in found["why"]


def test_workers_leave_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """The parent starts two workers that write their numbers and then sleep for a minute; nothing tells them that it is gone."""
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from cofire.workers import Workers\n"
        "def wait(folder, say):\n"
        "    (Path(folder) / str(os.getpid())).touch()\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    with Workers(2) as pool:\n"
        "        pool.run(wait, [sys.argv[1]] * 2, lambda done, text: None)\n"
    )
    script, folder = tmp_path / "sleepers.py", tmp_path / "workers"
    script.write_text(code, encoding="utf-8")
    folder.mkdir()
    parent = subprocess.Popen([sys.executable, str(script), str(folder)])
    try:
        _until(lambda: len(list(folder.iterdir())) == 2)
        workers = [int(file.name) for file in folder.iterdir()]
    finally:
        parent.kill()
        parent.wait()
    _until(lambda: not any(map(_runs, workers)))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")  # one that has ended and that nobody has asked about still has a number
    return not (state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")


def _until(done: Callable[[], bool], at_most_s: float = 40.0) -> None:
    end = time.monotonic() + at_most_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
