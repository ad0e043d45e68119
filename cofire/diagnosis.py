"""Examine the machine: versions, threads, memory, renderer, compile cache."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

from cofire.version import __version__, library_versions


def doctor() -> dict[str, Any]:
    """Return what a bug report should say, as plain values."""
    return {
        "cofire": __version__,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        **library_versions(),
        "cores": os.cpu_count() or 1,
        "threads": _threads(),
        "memory_GB": _memory_GB(),
        "compile_cache": _compile_cache(),
        "renderer": _renderer(),
    }


def _threads() -> int:
    import numba

    return int(numba.get_num_threads())


def _memory_GB() -> float | str:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return "unknown"


def _compile_cache() -> str:
    import microstructures

    set_by_user = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(set_by_user) if set_by_user else Path(microstructures.__file__ or ".").parent
    writable = os.access(folder if folder.exists() else folder.parent, os.W_OK)
    return f"{folder} ({'writable' if writable else 'NOT writable: set NUMBA_CACHE_DIR, or every run compiles again'})"


def _renderer() -> str:
    """Draw a tiny picture and say what drew it."""
    try:
        import numpy as np

        from microstructures.structure import VoxelStructure
        from viz import render

        cube = VoxelStructure.from_labels(np.ones((4, 4, 4), int), voxel_nm=25, phases={1: "LFP"})
        with tempfile.TemporaryDirectory() as folder:
            picture = render(cube, png=Path(folder) / "cube.png", size=(320, 240))
            return f"works headless ({picture.stat().st_size} bytes drawn)"
    except Exception as error:
        return f"does not work ({' '.join(str(error).split())[:200]}); pictures will be missing, numbers will not"
