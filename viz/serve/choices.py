"""What the controls of the page say, checked, and which voxels they leave to see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError, did_you_mean
from microstructures.structure import VoxelStructure
from viz.scenes.colouring import names_of, stride_for
from viz.scenes.surfaces import cut_corner

NUMBERS = ("potential", "current")
"""Fields that have to be solved for."""
FIELDS = ("phase", "grain", *NUMBERS)
WHOLE = (0.0, 100.0)


@dataclass(frozen=True)
class Choices:
    """What is to be seen of a structure.

    Attributes
    ----------
    field : "phase", "grain", "potential" or "current"
        What the colours mean.
    hidden : tuple of str
        Phases to leave out.
    clip_um : tuple of 3 pairs of floats
        What is kept along x, y, z [um], from and to; both the same: one layer of voxels.
    corner : bool
        Whether the corner that faces the eye is cut away.
    range_percent : pair of floats
        Which part of the colour scale is kept [%]; voxels outside of it, or without a value, are left out.
    carrier : "ion" or "electron"
        Whose potential and current.
    axis : "x", "y" or "z"
        Direction of transport.
    """

    clip_um: tuple[tuple[float, float], ...]
    field: str = "phase"
    hidden: tuple[str, ...] = ("pore",)
    corner: bool = True
    range_percent: tuple[float, float] = WHOLE
    carrier: str = "ion"
    axis: str = "x"

    def __post_init__(self) -> None:
        """Check what came from a browser."""
        for name, value, allowed in (
            ("field", self.field, FIELDS), ("carrier", self.carrier, ("ion", "electron")), ("axis", self.axis, ("x", "y", "z")),
        ):  # fmt: skip
            if value not in allowed:
                raise InputError(f"{name} is '{value}'{did_you_mean(value, allowed)}")
        ordered = all(low <= high for low, high in (*self.clip_um, self.range_percent))
        if len(self.clip_um) != 3 or not ordered:
            raise InputError(f"clip is {self.clip_um} um, range {self.range_percent} %; allowed: three pairs, low before high")

    @classmethod
    def start(cls, structure: VoxelStructure) -> Choices:
        """Return what a page begins with: all of the structure but its pores and the corner.

        Examples
        --------
        >>> block = VoxelStructure.from_labels(np.ones((4, 4, 8), int), voxel_nm=50)
        >>> Choices.start(block).clip_um
        ((0.0, 0.2), (0.0, 0.2), (0.0, 0.4))
        """
        return cls(clip_um=tuple((0.0, round(edge, 9)) for edge in structure.edges_um))

    def on(self, structure: VoxelStructure) -> Choices:
        """Return the same choices for another structure: clips begin anew, and only phases that it has stay hidden."""
        names = set(names_of(structure).values())
        return replace(Choices.start(structure), field=self.field, hidden=tuple(n for n in self.hidden if n in names),
                       corner=self.corner, carrier=self.carrier, axis=self.axis)  # fmt: skip

    def kept_values(self, scale: Any) -> tuple[float, float]:
        """Return the lowest and the highest value kept; an end of the scale keeps all that lies beyond."""
        low, high = self.range_percent
        bottom = -np.inf if low <= 0.0 else float(scale.norm.inverse(low / 100.0))
        return bottom, np.inf if high >= 100.0 else float(scale.norm.inverse(high / 100.0))


def visible_voxels(
    structure: VoxelStructure, choices: Choices, values: NDArray[np.float64] | None = None, scale: Any = None
) -> NDArray[np.bool_]:
    """Return which voxels are to be seen, of the shape of the drawn (thinned) grid.

    Parameters
    ----------
    structure : VoxelStructure
        Its labels and edges count.
    choices : Choices
        What to leave out; phases that the structure does not have are no error.
    values : ndarray of shape (nx, ny, nz), optional
        The field whose range is chosen.
    scale : matplotlib ScalarMappable, optional
        Its colour scale.

    Examples
    --------
    >>> block = VoxelStructure.from_labels(np.arange(8).reshape(8, 1, 1) % 2 + 1, voxel_nm=100, phases={1: "LFP", 2: "LATP"})
    >>> choices = Choices(clip_um=((0.0, 0.4), (0.0, 0.1), (0.0, 0.1)), hidden=("LATP",))
    >>> visible_voxels(block, choices).ravel().nonzero()[0]
    array([0, 2])
    """
    stride = stride_for(structure)
    thin = (slice(None, None, stride),) * 3
    table = np.zeros(256, dtype=np.bool_)
    table[[label for label, name in names_of(structure).items() if name not in choices.hidden]] = True
    visible = table[structure.labels[thin]]
    if choices.corner:
        visible &= cut_corner(visible.shape)
    for axis, (count, edge_m) in enumerate(zip(visible.shape, structure.voxel_size, strict=True)):
        inside = _layers(count, edge_m * 1e6 * stride, choices.clip_um[axis])
        visible &= np.expand_dims(inside, tuple(k for k in range(3) if k != axis))
    if values is not None and choices.range_percent != WHOLE:
        low, high = choices.kept_values(scale)
        thinned = values[thin]
        visible &= (thinned >= low) & (thinned <= high)
    return visible


def _layers(count: int, step_um: float, kept_um: tuple[float, float]) -> NDArray[np.bool_]:
    """Return which layers have their middle between two places; the one nearest to them if none has."""
    middle = (np.arange(count) + 0.5) * step_um
    inside = (middle >= kept_um[0] - 1e-9) & (middle <= kept_um[1] + 1e-9)
    if not inside.any():
        inside[np.argmin(np.abs(middle - 0.5 * sum(kept_um)))] = True
    return inside
