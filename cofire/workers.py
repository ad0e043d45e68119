"""Run independent cases on several processes, of this machine or of a cluster; results do not depend on how many.

Processes are those of dask.distributed. Each runs one case at a time on its share of the cores; a process that dies is
replaced, and its case is tried once more.
"""

from __future__ import annotations

import logging
import os
import queue
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Self, TypeVar

from microstructures.errors import CofireError, InputError

Item = TypeVar("Item")
Result = TypeVar("Result")
TOPIC = "said"
POLL_S = 0.2
QUIET: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-ttl": None,  # a kernel may keep a process from answering for minutes
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.nanny.pre-spawn-environ": {},  # its limit for malloc makes every array of a solve fault in its pages anew: 40 % slower
}
"""Settings of dask for long cases whose memory was estimated beforehand."""


class WorkerDiedError(CofireError, RuntimeError):
    """A process ended without a result."""

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

    def __init__(self, count: int, *, scheduler: str | None = None, apart: bool = False) -> None:
        """Prepare `count` processes, or those of the `scheduler` at an address; 1 runs everything in this one unless `apart`."""
        self.count = count
        self.scheduler = scheduler
        self.apart = apart or count > 1 or scheduler is not None
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._client: Any = None
        self._cluster: Any = None
        self._scratch: Any = None
        self._settings: Any = None

    def __enter__(self) -> Self:
        """Return the workers."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the processes, at once where something went wrong; what has not begun is left."""
        if self._cluster is not None and error[0] is not None:
            _kill(nanny.pid for nanny in self._cluster.workers.values())
        if self._client is not None:
            self._client.close(timeout=5)
        if self._cluster is not None:
            self._cluster.close(timeout=5)
            self._scratch.cleanup()
        if self._settings is not None:
            self._settings.__exit__(None, None, None)
        self._client = self._cluster = self._settings = None

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
            If the system ended a process twice over the same item.
        """
        found: dict[int, Result] = {}
        for index, result in self.finished(function, items, say):
            if isinstance(result, BaseException):
                raise result  # a failed case stops the rest at once
            found[index] = result
        return [found[index] for index in range(len(items))]

    def finished(
        self,
        function: Callable[[Item, Callable[[str], Any]], Result],
        items: Sequence[Item],
        say: Callable[[int, str], Any],
        *,
        choose: Callable[[list[int], list[int]], int] = lambda waiting, running: 0,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[int, Result | Exception]]:
        """Call `function(item, say)` for every item and yield its number with its result, or what it raised, as they finish.

        Parameters
        ----------
        function, items, say
            As for `run`.
        choose : callable
            Gets the numbers of items that wait and of those that run; returns the place of the one to start next.
        stop : callable
            Once it says so, nothing new is started; what runs is finished.
        """
        waiting = list(range(len(items)))
        done = 0
        if not self.apart:
            while waiting and not stop():
                index = waiting.pop(choose(waiting, []))
                yield index, _attempt(function, items[index], lambda text: say(done, text))  # noqa: B023
                done += 1
            return
        client = self._started()
        running: dict[Any, int] = {}
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            while waiting or running:
                while waiting and not stop() and len(running) < self._places():
                    index = waiting.pop(choose(waiting, list(running.values())))
                    future = client.submit(_call, function, items[index], pure=False)
                    running[future] = index
                    future.add_done_callback(ended.put)
                if not running and stop():
                    return
                for future in _wait(ended):
                    index = running.pop(future)
                    done += 1
                    yield index, _outcome(future, self._places())
                while not self._said.empty():
                    say(done, self._said.get())
        finally:
            for future in running:
                future.cancel()

    @property
    def dashboard(self) -> str | None:
        """Return the address of the page that shows what the processes do; None without bokeh, which draws it."""
        return self._started().dashboard_link if self.apart and find_spec("bokeh") else None

    def _places(self) -> int:
        """Return how many cases can run now; the workers of a cluster come and go."""
        return self.count if self.scheduler is None else max(1, len(self._client.nthreads()))

    def _started(self) -> Any:
        if self._client is None:
            import dask
            import distributed

            from cofire.worker_manners import Manners

            self._settings = dask.config.set(QUIET)
            self._settings.__enter__()
            if self.scheduler is None:
                self._cluster = self._local(distributed)
                self._client = distributed.Client(self._cluster, set_as_default=False)
            else:
                self._client = _connected(distributed, self.scheduler)
            self._client.subscribe_topic(TOPIC, lambda event: self._said.put(event[1]))
            self._client.register_plugin(Manners())
        return self._client

    def _local(self, distributed: Any) -> Any:
        threads = str(max(1, available_cores() // self.count))
        pinned = {name: threads for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        self._scratch = tempfile.TemporaryDirectory(prefix="cofire-workers-", ignore_cleanup_errors=True)
        return distributed.LocalCluster(
            n_workers=self.count,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address="127.0.0.1:0" if self.apart and find_spec("bokeh") else None,
            silence_logs=logging.CRITICAL,
            local_directory=self._scratch.name,
            env={**pinned, "MALLOC_ARENA_MAX": "1"},  # cases run on a thread of the process; a heap of its own would not shrink
        )


def _kill(processes: Iterable[int | None]) -> None:
    """End processes that may be deep inside a kernel, where they do not listen."""
    import psutil

    for number in processes:
        with suppress(psutil.NoSuchProcess):
            if number is not None:
                psutil.Process(number).kill()


def _connected(distributed: Any, address: str) -> Any:
    """Return a client of a scheduler that runs already."""
    try:
        client = distributed.Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError):
        raise InputError(
            f"no scheduler answers at '{address}'; start one with `dask scheduler`, or check the address"
        ) from None
    broad = {name: threads for name, threads in client.nthreads().items() if threads != 1}
    if broad:
        client.close()
        name, threads = next(iter(broad.items()))
        raise InputError(f"worker {name} has {threads} threads; allowed: 1; start workers with `dask worker --nthreads 1`")
    return client


def _wait(done: queue.SimpleQueue[Any]) -> list[Any]:
    """Return the futures that have finished; an empty list after a while, so that others are served."""
    try:
        found = [done.get(timeout=POLL_S)]
    except queue.Empty:
        return []
    while not done.empty():
        found.append(done.get())
    return found


def _outcome(future: Any, places: int) -> Any:
    from distributed import KilledWorker

    error = future.exception()
    if isinstance(error, KilledWorker):
        return WorkerDiedError(
            f"one of {places} processes was ended by the system, most likely for lack of memory; "
            "use fewer --workers, larger voxels or a smaller box"
        )
    return future.result() if error is None else error


def _attempt(function: Callable[[Any, Any], Any], item: Any, say: Callable[[str], Any]) -> Any:
    try:
        return function(item, say)
    except Exception as error:
        return error


def _call(function: Callable[[Any, Callable[[str], Any]], Any], item: Any) -> Any:
    from distributed import get_worker

    worker = get_worker()
    return function(item, lambda text: worker.log_event(TOPIC, text))
