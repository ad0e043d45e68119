"""Colours of phases, and of grains: the colour of their phase, lighter or darker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.structure import VoxelStructure
from viz.palette import phase_colours, rgb


def colours_of_labels(names: Mapping[int, str]) -> NDArray[np.uint8]:
    """Return the colour of every label that has a name, shape (256, 3)."""
    colours = phase_colours(names.values())
    table = np.zeros((256, 3), dtype=np.uint8)
    for label, name in names.items():
        table[label] = np.rint(rgb(colours[name]) * 255)
    return table


def grains_of(structure: VoxelStructure, names: Mapping[int, str]) -> NDArray[Any]:
    """Return the grain ids; without a segmentation every connected piece of a phase is one grain."""
    if structure.grains is not None:
        return structure.grains
    from scipy.ndimage import label as label_pieces

    ids = np.zeros(structure.shape, dtype=np.int32)
    for label in names:
        pieces, _ = label_pieces(structure.labels == label)
        ids += np.where(pieces > 0, pieces + 131 * label, 0).astype(np.int32)
    return ids


def tinted(colours: NDArray[np.uint8], ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the phase colours made lighter or darker by grain id, the same for the same id."""
    turn = (ids.astype(np.float64) * 0.6180339887498949) % 1.0
    tint = (1.5 * turn - 0.75)[:, None]
    base = colours.astype(np.float64)
    return np.rint(np.where(tint > 0, base + (255.0 - base) * 0.75 * tint, base * (1.0 + 0.75 * tint))).astype(np.uint8)
