"""Kernels under supervision: interpreted they find what they find compiled, and with checks of bounds nothing is out of them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
LOOSE = ("residence_fraction", "most_loaded_contacts", "most_loaded_grains")
"""What hangs on small differences of potentials or on nearly singular matrices, so that the order of a sum shows."""
OUT_OF_BOUNDS = """
import numba
import numpy as np
from microstructures.jit import inline_kernel, kernel, parallel_kernel


@inline_kernel
def take(values, k):
    return values[k]


@kernel
def serial(values):
    return values[len(values)]


@kernel
def inlined(values):
    return take(values, len(values))


@parallel_kernel
def parallel(values):
    out = np.zeros(len(values) + 1)
    for k in numba.prange(len(out)):
        out[k] = values[k]
    return out


for function in (serial, inlined, parallel):
    try:
        function(np.zeros(3))
    except IndexError:
        print(function.__name__)
"""


def python(*arguments: object, **environment: object) -> str:
    """Run Python with these variables on one thread and return what it prints."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False,
        env={**os.environ, "NUMBA_NUM_THREADS": "1"} | {name: str(value) for name, value in environment.items()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def tour(what: str, **environment: object) -> dict[str, Any]:
    """Return what a tour through the kernels finds."""
    found = json.loads(python(TESTS / "kernel_tour.py", what, **environment))
    assert isinstance(found, dict)
    return found


def differences(a: Any, b: Any, where: str = "", tolerance: float = 1e-12) -> list[str]:
    """Return where two results differ: numbers of floating point by more than a tolerance, anything else at all."""
    if where.endswith(LOOSE):
        tolerance = 1e-7
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return [line for key in a for line in differences(a[key], b[key], f"{where}/{key}", tolerance)]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [
            line for k, (x, y) in enumerate(zip(a, b, strict=True)) for line in differences(x, y, f"{where}/{k}", tolerance)
        ]
    if isinstance(a, float) and isinstance(b, float):
        return [] if math.isclose(a, b, rel_tol=tolerance) else [f"{where}: {a!r} {b!r}"]
    return [] if type(a) is type(b) and a == b else [f"{where}: {a!r} {b!r}"]


def test_interpreted_kernels_find_what_compiled_ones_do() -> None:
    """Fractions, sigma_eff, barriers, paths and diffusivities within 1e-12 and hops exactly, on bodies of 8^3 to 12^3 voxels.

    Loads of grains and contacts, and where hops spend their time, are within 1e-7: numpy takes sums in another order.
    """
    compiled, interpreted = tour("tiny", NUMBA_DISABLE_JIT=0), tour("tiny", NUMBA_DISABLE_JIT=1)
    assert len(compiled) == 8
    assert differences(compiled, interpreted) == []
    assert compiled["co-fired"]["ion"]["tracers"]["hops"] > 1000


def test_an_index_out_of_bounds_is_seen_wherever_it_is(tmp_path: Path) -> None:
    """With NUMBA_BOUNDSCHECK, in serial, inlined and parallel kernels alike: numba alone loses what a parallel loop raises."""
    (tmp_path / "out_of_bounds.py").write_text(OUT_OF_BOUNDS)
    environment = {"NUMBA_BOUNDSCHECK": 1, "NUMBA_DISABLE_JIT": 0, "NUMBA_CACHE_DIR": tmp_path / "cache"}
    assert python(tmp_path / "out_of_bounds.py", PYTHONPATH=TESTS.parent, **environment).split() == [
        "serial", "inlined", "parallel",
    ]  # fmt: skip


@pytest.mark.nightly
def test_bodies_stay_within_bounds(tmp_path: Path) -> None:
    """A pressed and a fired body of 2 um at 80 nm; all kernels are compiled anew, which takes minutes."""
    found = tour("bodies", NUMBA_BOUNDSCHECK=1, NUMBA_DISABLE_JIT=0, NUMBA_CACHE_DIR=tmp_path)
    assert found["co-fired"]["ion"]["conduct"]["outcome"] == "converged"
