"""Look at a structure: a window to turn it in where there is a screen, a picture where there is none."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microstructures.structure import VoxelStructure
from viz.scenes.scene import open_window, render


@dataclass(frozen=True)
class Picture:
    """A picture on disk that notebooks show by themselves."""

    path: Path

    def _repr_png_(self) -> bytes:
        """Return the picture for notebooks."""
        return self.path.read_bytes()


def show(structure: VoxelStructure, *, png: str | Path | None = None, **options: Any) -> Picture | None:
    """Show a structure in a window, or as a picture in a notebook, without a screen, or when `png` is given.

    Parameters
    ----------
    structure : VoxelStructure
        What to show.
    png : path, optional
        Write the picture here; without it a picture goes into the folder for temporary files.
    **options
        As for `viz.render`: field, potential, current, html, size, title, hide, cut, limits.

    Returns
    -------
    Picture or None
        The picture, or None after a window was closed.
    """
    if png is None and "html" not in options and has_screen() and not in_notebook():
        open_window(structure, **options)
        return None
    if png is None:
        handle, png = tempfile.mkstemp(prefix="structure-", suffix=".png")
        os.close(handle)
    return Picture(render(structure, png=png, **options))


def has_screen() -> bool:
    """Return whether a window can be opened."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def in_notebook() -> bool:
    """Return whether this runs inside a notebook's kernel."""
    return "ipykernel" in sys.modules
