"""What a reader hands over: voxel values as they are in the file, and what the file says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.formats.guard import Spacing

UNKNOWN_SPACING: Spacing = (None, None, None)


@dataclass(frozen=True)
class Image:
    """Voxel values of a file, axes x, y, z.

    Attributes
    ----------
    values : ndarray of shape (nx, ny, nz)
        Labels or grey values, nothing changed.
    spacing : tuple of 3 floats or None
        Voxel edges [m] along x, y, z as far as the file states them.
    spacing_is_assumed : bool
        The file gives numbers without a unit and its format has a custom; the user's word goes before it.
    grains : ndarray of shape (nx, ny, nz), int32, or None
        Grain ids that the file holds beside its labels.
    files : tuple of Path
        The files it was read from, in order.
    facts : mapping
        What to remember in the recipe: the dataset, the layout, the first and last slice.
    notes : tuple of str
        What the reader had to decide, one sentence each.
    """

    values: NDArray[Any]
    spacing: Spacing = UNKNOWN_SPACING
    spacing_is_assumed: bool = False
    grains: NDArray[np.int32] | None = None
    files: tuple[Path, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
