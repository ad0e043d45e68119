"""Run independent cases on several processes; results do not depend on how many."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from queue import Empty
from typing import Any, Self, TypeVar

from microstructures.errors import CofireError, InputError

Item = TypeVar("Item")
Result = TypeVar("Result")

_channel: Any = None


class WorkerDiedError(CofireError, RuntimeError):
    """A process of a comparison ended without a result."""

    exit_code = 1


def worker_count(wanted: int | None, cases: int) -> int:
    """Return how many processes to use; one per core, and no more than cases, unless told.

    Raises
    ------
    InputError
        If fewer than one is asked for.
    """
    cores = available_cores()
    if wanted is not None and wanted < 1:
        raise InputError(f"workers is {wanted}; allowed: 1 or more (this machine has {cores} cores)")
    return max(1, min(wanted or cores, cases, 4 * cores))


def available_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers:
    """Processes that run cases, one series after another; they start with the first series and load kernels once.

    Examples
    --------
    >>> with Workers(1) as workers:
    ...     workers.run(lambda item, say: item**2, [1, 2, 3], lambda done, text: None)
    [1, 4, 9]
    """

    def __init__(self, count: int) -> None:
        """Prepare `count` processes; 1 runs everything in this one."""
        self.count = count
        self._pool: ProcessPoolExecutor | None = None
        self._channel: Any = None

    def __enter__(self) -> Self:
        """Return the workers."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes; what has not begun is left."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(
        self,
        function: Callable[[Item, Callable[[str], Any]], Result],
        items: Sequence[Item],
        say: Callable[[int, str], Any],
    ) -> list[Result]:
        """Call `function(item, say)` for every item and return the results in the order of the items.

        Parameters
        ----------
        function : callable
            Importable by name; gets an item, and something to say short texts with.
        items : sequence
            One per case.
        say : callable
            Called with the number of finished items and what was said.

        Raises
        ------
        WorkerDiedError
            If the system ended a process.
        """
        if self.count == 1:
            results = []
            for done, item in enumerate(items):
                results.append(function(item, lambda text, done=done: say(done, text)))  # type: ignore[misc]
            return results
        pool = self._started()
        futures = [pool.submit(_call, function, item) for item in items]
        pending = set(futures)
        try:
            while pending:
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                done = len(futures) - len(pending)
                for future in finished:
                    future.result()  # a failed case stops the rest at once
                while True:
                    try:
                        say(done, self._channel.get_nowait())
                    except Empty:
                        break
        except BrokenProcessPool:
            raise WorkerDiedError(
                f"one of {self.count} processes was ended by the system, most likely for lack of memory; "
                "use fewer --workers, larger voxels or a smaller box"
            ) from None
        return [future.result() for future in futures]

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._channel = context.Queue()
            threads = max(1, available_cores() // self.count)
            self._pool = ProcessPoolExecutor(
                self.count, mp_context=context, initializer=_start, initargs=(self._channel, threads)
            )  # fmt: skip
        return self._pool


def _start(channel: Any, threads: int) -> None:
    global _channel
    _channel = channel
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    import numba

    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))


def _leave_with_parent() -> None:
    """End this process when the one that started it is gone, killed or not: nobody waits for its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(function: Callable[[Any, Callable[[str], Any]], Any], item: Any) -> Any:
    return function(item, _channel.put)
