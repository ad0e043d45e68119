"""What every process is told when it starts."""

from __future__ import annotations

import signal
import threading

from distributed import Worker, WorkerPlugin


class Manners(WorkerPlugin):
    """Interrupts are for the driver: a terminal sends Ctrl-C to the workers as well."""

    name = "manners"
    idempotent = True

    def setup(self, worker: Worker) -> None:
        """Ignore Ctrl-C."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
