"""What is drawn of one or more structures: their layers, the lines in them, and one key and scale for all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from viz.scenes.colouring import NUMBERS, Shown, has_value, hot_spots, names_of, scale_for, show_layers
from viz.scenes.frame import Key
from viz.scenes.look import Look

if TYPE_CHECKING:
    from viz.scenes.streamlines import Streamlines


@dataclass(frozen=True)
class Scene:
    """What is drawn.

    Attributes
    ----------
    look : Look
        How it is seen.
    layers : list of list of Shown
        Layers of each structure; the last one is always part of the structure itself.
    lines : Streamlines or None
        Lines in the first structure.
    key : Key
        How to read the colours, with the scale of all numbers.
    """

    look: Look
    layers: list[list[Shown]]
    lines: Streamlines | None
    key: Key


def arrange(
    structures: list[VoxelStructure],
    field: str,
    values: list[Any],
    look: Look,
    limits: tuple[float, float] | None,
    lines: Streamlines | None = None,
) -> Scene:
    """Return the layers of every structure on one scale; with lines or hot spots, the whole block is clear around them.

    Raises
    ------
    InputError
        As for `show_layers`, `hot_spots` and `scale_for`, or if there are lines and the field is not the current.
    """
    if lines is not None and field != "current":
        raise InputError(f"streamlines are drawn in field 'current', not in '{field}'; pass field='current'")
    inside = _inside(look, lines)
    if inside and look.opacity is None:
        look = replace(look, opacity="ghost", view="whole" if look.view == "corner" else look.view)
    layers = [show_layers(s, "phase" if inside else field, v, look) for s, v in zip(structures, values, strict=True)]
    known = [] if lines is None else list(lines.current_A_per_m2)
    if look.hot_percent > 0.0:
        for panel, structure, array in zip(layers, structures, values, strict=True):
            spots = hot_spots(structure, field, array, look.hot_percent, panel[0].stride)
            panel[:0] = [] if spots is None else [spots]
            known.append(np.asarray(array)[(slice(None, None, panel[0].stride),) * 3].ravel())
    numbers = [layer for panel in layers for layer in panel if layer.values is not None]
    known += [] if known else [layer.values for layer in numbers if layer.values is not None]
    scale = scale_for(field, known, limits) if field in NUMBERS else None
    gaps = any(not has_value(layer, scale).all() for layer in numbers)
    names = list(dict.fromkeys(name for structure in structures for name in names_of(structure).values()))
    clear = tuple(name for name in names if look.opacity_of(name) < 1.0)
    return Scene(look, layers, lines, Key(structures, field, look.hidden(names), scale, gaps, clear=clear, inside=inside))


def _inside(look: Look, lines: Streamlines | None) -> str:
    """Return the words for what is drawn inside of the phases, none where nothing is."""
    words = [] if lines is None else [f"{len(lines.points_um)} lines of equal current"]
    if look.hot_percent > 0.0:
        words.append(f"the highest {look.hot_percent:g} % of voxels")
    return ", ".join(words)
