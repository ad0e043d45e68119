"""Run independent cases on several processes; results do not depend on how many."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from queue import Empty
from typing import Any, TypeVar

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


def run_all(
    function: Callable[[Item, Callable[[str], Any]], Result],
    items: Sequence[Item],
    workers: int,
    say: Callable[[int, str], Any],
) -> list[Result]:
    """Call `function(item, say)` for every item and return the results in the order of the items.

    Parameters
    ----------
    function : callable
        Importable by name; gets an item, and something to say short texts with.
    items : sequence
        One per case.
    workers : int
        Number of processes; 1 runs in this one.
    say : callable
        Called with the number of finished items and what was said.

    Raises
    ------
    WorkerDiedError
        If the system ended a process.
    """
    if workers == 1:
        results = []
        for done, item in enumerate(items):
            results.append(function(item, lambda text, done=done: say(done, text)))  # type: ignore[misc]
        return results
    context = multiprocessing.get_context("spawn")
    channel = context.Queue()
    threads = max(1, available_cores() // workers)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(channel, threads)) as pool:
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
                        say(done, channel.get_nowait())
                    except Empty:
                        break
        except BrokenProcessPool:
            raise WorkerDiedError(
                f"one of {workers} processes was ended by the system, most likely for lack of memory; "
                "use fewer --workers, larger voxels or a smaller box"
            ) from None
        except BaseException:
            for future in pending:
                future.cancel()
            raise
    return [future.result() for future in futures]


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
