"""What a surface shows: phases, grains or a field, as one colour per face, in layers that one can see through or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError, did_you_mean
from microstructures.structure import VoxelStructure
from viz.palette import ABSENT, FIELD_MAPS, rgb
from viz.scenes.layers import finished_faces, layered_faces
from viz.scenes.look import Look
from viz.scenes.surfaces import Surface, exposed_faces
from viz.scenes.tints import colours_of_labels, grains_of, tinted

Field = Literal["phase", "grain", "potential", "current", "dissipation"]
FIELDS: tuple[Field, ...] = ("phase", "grain", "potential", "current", "dissipation")
NUMBERS = ("potential", "current", "dissipation")
"""Fields that need an array."""
DECADES: Mapping[str, float] = MappingProxyType({"current": 3.0, "dissipation": 4.0})
"""Fields on a logarithmic scale, and how many decades it covers at most."""
MAPS: Mapping[str, str] = MappingProxyType({"dissipation": "magma", **FIELD_MAPS})
LARGEST_VOXELS = 8_000_000
LARGEST_SMOOTH_FACES = 3_000_000


@dataclass(frozen=True)
class Shown:
    """A structure as it is drawn, or one layer of it.

    Attributes
    ----------
    structure : VoxelStructure
        The whole structure.
    stride : int
        Every `stride`-th voxel along each axis is drawn.
    surface : Surface
        The faces to draw, in voxels of the drawn grid.
    values : ndarray or None
        Field value of every face; None for phases and grains.
    colours : ndarray of shape (n_quads, 3), uint8, or None
        Colour of every face before lighting; None while `values` wait for a common scale.
    opacity : float
        From 0 to 1; 1 cannot be seen through.
    """

    structure: VoxelStructure
    stride: int
    surface: Surface
    values: NDArray[np.float64] | None
    colours: NDArray[np.uint8] | None
    opacity: float = 1.0

    @property
    def points_um(self) -> NDArray[np.float32]:
        """Return the corners of the faces [um]; the last voxel of a thinned structure may stand over a little."""
        edges = np.array(self.structure.edges_um, dtype=np.float32)
        step = np.array(self.structure.voxel_size) * 1e6 * self.stride
        return np.minimum(self.surface.points * step.astype(np.float32), edges)

    def reordered(self, order: NDArray[np.intp]) -> Shown:
        """Return the same faces in another order."""
        values = None if self.values is None else self.values[order]
        colours = None if self.colours is None else self.colours[order]
        return replace(self, surface=self.surface.part(order), values=values, colours=colours)


def show_structure(structure: VoxelStructure, field: str, values: ArrayLike | None, hide: tuple[str, ...], cut: bool) -> Shown:
    """Return the visible voxel faces of a structure with their colours, or with their field values.

    Raises
    ------
    InputError
        As for `show_layers`.
    """
    return show_layers(structure, field, values, Look(view="corner" if cut else "whole", hide=hide))[0]


def show_layers(structure: VoxelStructure, field: str, values: ArrayLike | None, look: Look) -> list[Shown]:
    """Return what is seen of a structure, one layer for each opacity, solid ones first.

    A solid layer shows its phases wherever nothing solid covers them; a clear one only where its phases meet the outside
    or something hidden, so that what lies behind stays visible.

    Raises
    ------
    InputError
        If the field is unknown or its array missing or misshapen, a phase to show or hide does not exist, a plane lies
        outside of the block, or nothing is left.
    """
    if field not in FIELDS:
        raise InputError(f"field is '{field}'{did_you_mean(field, FIELDS)}")
    array = checked(structure, field, values) if field in NUMBERS else None
    opacity = _opacity_of_labels(structure, look)
    stride = stride_for(structure, planes=look.view == "slices")
    labels = structure.labels[thinned(stride)]
    found = layered_faces(labels, opacity, look, _places(structure, look, stride))
    while look.surface == "smooth" and sum(len(surface) for _, surface in found) > LARGEST_SMOOTH_FACES:
        stride += 1
        labels = structure.labels[thinned(stride)]
        found = layered_faces(labels, opacity, look, _places(structure, look, stride))
    pieces = (
        256 * grains_of(structure, names_of(structure))[thinned(stride)].astype(np.int64) + labels
        if field == "grain"
        else labels
    )
    parts = finished_faces(labels, opacity, look, found, pieces)
    return [layer_of(structure, field, array, stride, level, surface) for level, surface in parts]


def hot_spots(structure: VoxelStructure, field: str, values: ArrayLike | None, percent: float, stride: int) -> Shown | None:
    """Return the voxels of the whole block where a field is highest, as one solid layer; None where it is nowhere above 0.

    The share, in percent, is one of the voxels that have a value.

    Raises
    ------
    InputError
        If the field is none of numbers, or its array is missing or misshapen.
    """
    if field not in DECADES:
        raise InputError(f"there are no hot spots in field '{field}'; allowed: {', '.join(DECADES)}")
    array = np.nan_to_num(checked(structure, field, values))
    known = array[array > 0.0]
    if known.size == 0:
        return None
    thin = array[thinned(stride)]
    hot = (thin >= np.quantile(known, 1.0 - percent / 100.0)) & (thin > 0.0)
    if not hot.any():
        return None
    return layer_of(structure, field, array, stride, 1.0, exposed_faces(hot, crevices=False))


def layer_of(
    structure: VoxelStructure, field: str, array: NDArray[Any] | None, stride: int, opacity: float, surface: Surface
) -> Shown:
    """Return faces of a structure with their colours, or with their values where the field is one of numbers."""
    thin = thinned(stride)
    if array is not None:
        return Shown(structure, stride, surface, array[thin].ravel()[surface.voxel].astype(np.float64), None, opacity)
    colours = colours_of_labels(names_of(structure))[structure.labels[thin].ravel()[surface.voxel]]
    if field == "grain":
        colours = tinted(colours, grains_of(structure, names_of(structure))[thin].ravel()[surface.voxel])
    return Shown(structure, stride, surface, None, colours, opacity)


def thinned(stride: int) -> tuple[slice, slice, slice]:
    """Return what picks every `stride`-th voxel along each axis."""
    return (slice(None, None, stride),) * 3


def stride_for(structure: VoxelStructure, *, planes: bool = False) -> int:
    """Return the smallest stride that leaves at most `LARGEST_VOXELS` voxels to draw, in the block or in three planes."""
    stride = 1
    while _count(structure.shape, stride, planes) > LARGEST_VOXELS:
        stride += 1
    return stride


def _count(shape: tuple[int, int, int], stride: int, planes: bool) -> int:
    x, y, z = (-(-n // stride) for n in shape)
    return x * y + y * z + z * x if planes else x * y * z


def names_of(structure: VoxelStructure) -> dict[int, str]:
    """Return the name of every label that occurs; an unnamed label 0 is the pore."""
    found = np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256))
    return {int(k): structure.phases.get(int(k), "pore" if k == 0 else structure.phase_name(int(k))) for k in found}


def volume_percent(structure: VoxelStructure) -> dict[str, float]:
    """Return the volume share [%] of every phase that occurs."""
    counts = np.bincount(structure.labels.ravel(), minlength=256)
    return {name: 100.0 * counts[label] / structure.labels.size for label, name in names_of(structure).items()}


def scale_for(field: str, known: list[NDArray[np.float64]], limits: tuple[float, float] | None) -> Any:
    """Return the matplotlib scale (colours of numbers) that suits all these values."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([*known, np.empty(0)])
    values = values[np.isfinite(values) & ((values > 0.0) if field in DECADES else True)]
    if limits is not None:
        low, high = limits
        if not low < high or (field in DECADES and low <= 0.0):
            raise InputError(f"limits are {limits}; allowed: low below high, and above 0 for {', '.join(DECADES)}")
    elif values.size == 0:
        low, high = (0.1, 1.0) if field in DECADES else (0.0, 1.0)
    elif field in DECADES:
        high = float(np.quantile(values, 0.999))
        low = max(float(values.min()), high * 10.0 ** -DECADES[field])
        low = low if low < high else 0.5 * high
    else:
        low, high = float(values.min()), float(values.max())
        if low >= -1e-6 and high <= 1.0 + 1e-6:
            low, high = 0.0, 1.0
        elif low == high:
            low, high = low - 0.5, high + 0.5
    norm = LogNorm(low, high, clip=True) if field in DECADES else Normalize(low, high, clip=True)
    return ScalarMappable(norm=norm, cmap=colormaps[MAPS[field]])


def face_colours(panel: Shown, scale: Any) -> NDArray[np.uint8]:
    """Return the colour of every face of a panel before lighting."""
    return field_colours(panel, scale) if panel.colours is None else panel.colours


def field_colours(panel: Shown, scale: Any) -> NDArray[np.uint8]:
    """Return the colour of every face of a panel that shows numbers; faces without one are grey."""
    assert panel.values is not None
    known = has_value(panel, scale)
    colours = np.empty((len(known), 3), dtype=np.uint8)
    colours[:] = np.rint(rgb(ABSENT) * 255)
    colours[known] = scale.to_rgba(panel.values[known], bytes=True)[:, :3]
    return colours


def has_value(panel: Shown, scale: Any) -> NDArray[np.bool_]:
    """Return which faces have a number that the scale can show; zero currents have none on a logarithmic one."""
    assert panel.values is not None
    positive_only = type(scale.norm).__name__ == "LogNorm"
    with np.errstate(invalid="ignore"):
        return np.asarray(np.isfinite(panel.values) & ((panel.values > 0.0) if positive_only else True))


def lit(colours: NDArray[np.uint8], surface: Surface, *, strength: float = 1.0) -> NDArray[np.uint8]:
    """Return the colours darkened by the brightness of each face; strength 0 leaves them as they are."""
    factor = 1.0 - strength * (1.0 - surface.brightness[:, None])
    return np.rint(colours * factor).astype(np.uint8)


def check_look(structure: VoxelStructure, look: Look) -> None:
    """Raise an InputError if a look names phases that a structure does not have, or planes outside of it."""
    look.check_names({*names_of(structure).values(), *structure.phases.values(), "pore"})
    _places(structure, look, 1)


def checked(structure: VoxelStructure, field: str, values: ArrayLike | None) -> NDArray[Any]:
    """Return the array of a field, or raise an InputError where it is missing or has another shape than the structure."""
    if values is None:
        raise InputError(f"field '{field}' needs an array; pass {field}=... of shape {structure.shape}")
    array = np.asarray(values)
    if array.shape != structure.shape:
        raise InputError(f"{field} has shape {array.shape}; allowed: that of the structure, {structure.shape}")
    return array


def _opacity_of_labels(structure: VoxelStructure, look: Look) -> NDArray[np.float64]:
    """Return the opacity of every label, 0 for those that are hidden, shape (256,)."""
    check_look(structure, look)
    names = names_of(structure)
    hidden = look.hidden(names.values())
    table = np.zeros(256)
    for label, name in names.items():
        table[label] = 0.0 if name in hidden else look.opacity_of(name)
    if not table.any():
        clear = ", ".join(hidden) or "everything"
        raise InputError(f"hiding {clear} leaves nothing to draw; allowed: at least one visible phase")
    return table


def _places(structure: VoxelStructure, look: Look, stride: int) -> tuple[int, int, int]:
    """Return in which voxel of the drawn grid each plane lies."""
    found = []
    for axis, place, edge, voxel in zip("xyz", look.slices_um, structure.edges_um, structure.voxel_size, strict=True):
        at = 0.5 * edge if place is None else place
        if not 0.0 <= at <= edge:
            raise InputError(f"the plane across {axis} is at {at:g} um; allowed: 0 to {edge:g} um, inside the block")
        count = structure.shape["xyz".index(axis)]
        found.append(min(int(at * 1e-6 / voxel), count - 1) // stride)
    return found[0], found[1], found[2]
