"""The one decorator behind which every numerical kernel hides: compiled once, cached on disk, deterministic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a serial kernel, cached on disk, releasing the GIL."""
    return numba.njit(cache=True, nogil=True)(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel whose outer `prange` loop writes disjoint data, so that its bits do not depend on the threads."""
    return numba.njit(cache=True, nogil=True, parallel=True)(function)


def inline_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a small function that is inlined into other kernels."""
    return numba.njit(cache=True, nogil=True, inline="always")(function)


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


@contextmanager
def threads_for(work: int, per_thread: int) -> Iterator[None]:
    """Let parallel kernels use no more threads than pay: one for every `per_thread` of `work`, at least one."""
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(before, work // per_thread)))
    try:
        yield
    finally:
        numba.set_num_threads(before)
