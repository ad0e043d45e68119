"""Look at a structure: a window to turn it in where there is a screen, a picture where there is none."""

from __future__ import annotations

import html
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microstructures.structure import VoxelStructure
from viz.scenes.scene import open_window, render

PAGE_HEIGHT_PX = 560
"""Height of a page inside a notebook."""


@dataclass(frozen=True)
class Picture:
    """A picture on disk that notebooks show by themselves: the page to turn, if there is one, else the picture.

    Attributes
    ----------
    path : Path
        The PNG file.
    page : Path or None
        The same as a page for browsers.
    """

    path: Path
    page: Path | None = None

    def __repr__(self) -> str:
        """Return the name of the file, wherever it lies."""
        return f"Picture({self.path.name})"

    def _repr_png_(self) -> bytes:
        """Return the picture for notebooks that run no scripts."""
        return self.path.read_bytes()

    def _repr_html_(self) -> str | None:
        """Return the page in a frame of its own; None without one."""
        if self.page is None:
            return None
        text = html.escape(self.page.read_text(encoding="utf-8"), quote=True)
        return f'<iframe srcdoc="{text}" title="structure" style="width: 100%; height: {PAGE_HEIGHT_PX}px; border: 0"></iframe>'


def show(structure: VoxelStructure, *, png: str | Path | None = None, **options: Any) -> Picture | None:
    """Show a structure: in a window, in a notebook as a page to turn, without a screen or when `png` is given as a picture.

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
    asked = options.pop("html", None)
    png = Path(png or _scratch(".png"))
    page = Path(asked or _scratch(".html")) if asked or in_notebook() else None
    return Picture(render(structure, png=png, html=page, **options), page)


def _scratch(suffix: str) -> str:
    handle, path = tempfile.mkstemp(prefix="structure-", suffix=suffix)
    os.close(handle)
    return path


def has_screen() -> bool:
    """Return whether a window can be opened."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def in_notebook() -> bool:
    """Return whether this runs inside a notebook's kernel."""
    return "ipykernel" in sys.modules
