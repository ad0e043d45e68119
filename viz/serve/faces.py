"""What is to be seen of a structure under some choices: faces, their colours and the scale to read them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viz.scenes.colouring import Shown, layer_of, stride_for
from viz.scenes.drawing import lit_colours
from viz.scenes.surfaces import exposed_faces
from viz.serve.choices import NUMBERS, Choices, visible_voxels
from viz.serve.subject import Subject


@dataclass(frozen=True)
class Seen:
    """Faces with their colours.

    Attributes
    ----------
    shown : Shown
        The faces.
    colours : ndarray of shape (n_quads, 3), uint8
        Colour of every face, lighting included.
    scale : matplotlib ScalarMappable or None
        Colours of numbers; None for phases and grains.
    field : str
        What is shown: the choice, or "phase" where the choice was not solved for.
    """

    shown: Shown
    colours: NDArray[np.uint8]
    scale: Any
    field: str


def see(subject: Subject, choices: Choices) -> Seen:
    """Return what is to be seen of a structure; a field that was not solved for falls back to the phases."""
    structure = subject.structure
    values, scale = subject.values(choices.field, choices.carrier, choices.axis)
    field = choices.field if values is not None or choices.field not in NUMBERS else "phase"
    surface = exposed_faces(visible_voxels(structure, choices, values, scale))
    shown = layer_of(structure, field, values, stride_for(structure), 1.0, surface)
    return Seen(shown, lit_colours(shown, scale), scale, field)
