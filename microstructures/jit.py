"""The one decorator behind which every numerical kernel hides: compiled once, cached on disk, deterministic."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numba
from filelock import FileLock
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.caching import FunctionCache
from numba.extending import intrinsic, overload

Result = TypeVar("Result")


class SharedCache(FunctionCache):
    """Compiled code on disk that several processes may add to at once.

    numba reads the index of a kernel, adds to it and writes it back; without a lock two processes may give two signatures
    the same file.
    """

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save compiled code while no other process does."""
        os.makedirs(self.cache_path, exist_ok=True)
        with FileLock(os.path.join(self.cache_path, ".lock")):
            super().save_overload(sig, data)


def _compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    compiled: Callable[..., Any] = numba.njit(nogil=True, **options)(function)
    if not numba.config.DISABLE_JIT:
        compiled._cache = SharedCache(function)  # type: ignore[attr-defined]
    return compiled


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a serial kernel, cached on disk, releasing the GIL."""
    return _compiled(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel whose outer `prange` loop writes disjoint data, so that its bits do not depend on the threads.

    With NUMBA_BOUNDSCHECK it is compiled serially: numba loses what is raised inside a parallel loop.
    """
    return _compiled(function, parallel=not numba.config.BOUNDSCHECK)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a small function that is inlined into other kernels."""
    return _compiled(function, inline="always")


def prefetch(array: Any, index: int) -> None:
    """Ask for the memory of `array[index]`, flat and C-ordered, ahead of its use; it changes nothing but the time that takes."""


@intrinsic
def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [place.type, word, word, word]), "llvm.prefetch.p0i8"
        )
        builder.call(function, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


@overload(prefetch, inline="always")
def _prefetch_compiled(array, index):  # type: ignore[no-untyped-def]
    return lambda array, index: _prefetch(array, index)


def in_threads(part: Callable[[int, int], Result], count: int, at_once: int = 1) -> list[Result]:
    """Call `part(first, last)` for every `at_once` of `count` pieces of work, on as many threads as parallel kernels use.

    For a serial kernel that is too large for a `prange` loop, whose body is compiled anew in the loop's own types. The parts
    write disjoint data or return what they found, in order, so that bits do not depend on the threads.
    """
    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        return list(pool.map(lambda first: part(first, min(first + at_once, count)), range(0, count, at_once)))


@contextmanager
def threads_for(work: int, per_thread: int) -> Iterator[None]:
    """Let parallel kernels use no more threads than pay: one for every `per_thread` of `work`, at least one."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(before, work // per_thread)))
    try:
        yield
    finally:
        numba.set_num_threads(before)
