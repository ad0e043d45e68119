"""The one decorator behind which every numerical kernel hides: compiled once, cached on disk, deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a serial kernel, cached on disk, releasing the GIL."""
    return numba.njit(cache=True, nogil=True)(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel whose outer `prange` loop writes disjoint data, so that its bits do not depend on the threads."""
    return numba.njit(cache=True, nogil=True, parallel=True)(function)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a small function that is inlined into other kernels."""
    return numba.njit(cache=True, nogil=True, inline="always")(function)


@contextmanager
def threads_for(work: int, per_thread: int) -> Iterator[None]:
    """Let parallel kernels use no more threads than pay: one for every `per_thread` of `work`, at least one."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(before, work // per_thread)))
    try:
        yield
    finally:
        numba.set_num_threads(before)
