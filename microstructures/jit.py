"""The one decorator behind which every numerical kernel hides: compiled once, cached on disk, deterministic."""

from __future__ import annotations

from collections.abc import Callable
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
