"""What the environment says about threads, looked at before a library trips over it."""

from __future__ import annotations

import os

from microstructures.errors import InputError

THREAD_COUNTS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MOST_THREADS = 4096


def check_environment() -> None:
    """Refuse numbers of threads that are none.

    Raises
    ------
    InputError
        If an environment variable is not a whole number from 1 on; OMP_NUM_THREADS may be a list of them.
    """
    for name in THREAD_COUNTS:
        text = os.environ.get(name, "")
        words = text.split(",") if name == "OMP_NUM_THREADS" else [text]
        for word in words if text else ():
            if not (word.strip().isascii() and word.strip().isdigit() and 1 <= int(word.strip()[:9]) <= MOST_THREADS):
                raise InputError(
                    f"the environment variable {name} is '{text[:40]}'; allowed: whole numbers from 1 to {MOST_THREADS}; "
                    "correct it or unset it"
                )
