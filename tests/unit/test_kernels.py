"""How kernels are compiled and shared: results in order, one writer of the cache at a time, nothing compiled twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numba
import pytest
from filelock import FileLock

from microstructures.jit import in_threads

KERNEL = """
from microstructures.jit import kernel

@kernel
def twice(x):
    return 2 * x
"""
COUNT_COMPILED = """
import tempfile
from pathlib import Path
from numba.core import event
import cofire.experiment.warm_up as warm_up
from cofire.experiment.case import Case, run_case
from cofire.workers import Workers
from microstructures.recipe import load_recipe

class Listener(event.Listener):
    def on_start(self, found):
        if warm:
            print(found.data["dispatcher"].py_func.__qualname__)
    def on_end(self, found):
        pass

if __name__ == "__main__":
    warm = False
    event.register("numba:compile", Listener())
    with Workers(2) as workers:
        warm_up.warm_up(workers, lambda done, text: None)
    warm = True
    for process in ("cold-pressed", "co-fired"):
        for voxel_nm in (50.0, 75.0):
            target = Path(tempfile.mkdtemp()) / "structures" / "structure.h5"
            target.parent.mkdir()
            run_case(Case(process, 1, 0, 3.0, voxel_nm, load_recipe(), None, 60.0, 20_000, (100.0,), target))
"""


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_parts_come_back_in_order_and_cover_everything(at_once: int) -> None:
    """Blocks of any size cover 0 to 9 once; more threads than parts do no harm."""
    parts = in_threads(lambda first, last: list(range(first, last)), 10, at_once)
    assert [n for part in parts for n in part] == list(range(10))
    assert max(len(part) for part in parts) == min(at_once, 10)


def test_nothing_to_do_is_no_error() -> None:
    """No pieces of work give no results."""
    assert in_threads(lambda first, last: (first, last), 0) == []


def test_what_a_part_raises_reaches_the_caller() -> None:
    """An error on a thread is not lost."""

    def fail(first: int, last: int) -> None:
        raise ValueError(f"part {first}")

    with pytest.raises(ValueError, match="part 0"):
        in_threads(fail, 3)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_the_cache_is_written_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process holds the lock, compiled code is not saved; then it is, and one file serves each signature."""
    (tmp_path / "shared_kernel.py").write_text(KERNEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    import shared_kernel  # type: ignore[import-not-found]

    folder = Path(shared_kernel.twice._cache.cache_path)
    folder.mkdir(parents=True, exist_ok=True)
    answers: list[float] = []
    worker = threading.Thread(target=lambda: answers.append(shared_kernel.twice(1.5)))
    with FileLock(folder / ".lock"):
        worker.start()
        worker.join(timeout=3.0)
        assert worker.is_alive()
        assert not list(folder.glob("*.nbi"))
    worker.join(timeout=60.0)
    assert answers == [3.0]
    assert shared_kernel.twice(2) == 4
    assert len(list(folder.glob("*.nbc"))) == 2
    assert len(list(folder.glob("*.nbi"))) == 1


@pytest.mark.nightly
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_warm_up_compiles_all_that_a_case_runs(tmp_path: Path) -> None:
    """After it, bodies with layers of voxels and with thin ones, built and asked by all three estimators, compile nothing."""
    (tmp_path / "count.py").write_text(COUNT_COMPILED)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "count.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
