"""What a voxel surface shows: phases, grains, a potential or a current, as one colour per face and a key to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError, did_you_mean
from microstructures.structure import VoxelStructure
from viz.palette import ABSENT, FIELD_MAPS, phase_colours, rgb
from viz.surfaces import Surface, cut_corner, exposed_faces

Field = Literal["phase", "grain", "potential", "current"]
FIELDS: tuple[Field, ...] = ("phase", "grain", "potential", "current")
LARGEST_VOXELS = 8_000_000
CURRENT_DECADES = 3.0


@dataclass(frozen=True)
class Shown:
    """A structure as it is drawn.

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
    """

    structure: VoxelStructure
    stride: int
    surface: Surface
    values: NDArray[np.float64] | None
    colours: NDArray[np.uint8] | None

    @property
    def points_um(self) -> NDArray[np.float32]:
        """Return the corners of the faces [um]; the last voxel of a thinned structure may stand over a little."""
        edges = np.array(self.structure.edges_um, dtype=np.float32)
        step = np.array(self.structure.voxel_size) * 1e6 * self.stride
        return np.minimum(self.surface.points * step.astype(np.float32), edges)


def show_structure(structure: VoxelStructure, field: str, values: ArrayLike | None, hide: tuple[str, ...], cut: bool) -> Shown:
    """Return the visible faces of a structure with their colours, or with their field values.

    Raises
    ------
    InputError
        If the field is unknown or its array missing or misshapen, a phase to hide does not exist, or nothing is left.
    """
    if field not in FIELDS:
        raise InputError(f"field is '{field}'{did_you_mean(field, FIELDS)}")
    array = _checked(structure, field, values)
    stride = stride_for(structure)
    thin = (slice(None, None, stride),) * 3
    labels = structure.labels[thin]
    visible = _visible_labels(structure, hide)[labels]
    if not visible.any():
        raise InputError(f"hiding {', '.join(hide)} leaves nothing to draw; allowed: at least one visible phase")
    if cut:
        kept = visible & cut_corner(labels.shape)
        visible = kept if kept.any() else visible
    surface = exposed_faces(visible)
    of_face = labels.ravel()[surface.voxel]
    if array is not None:
        return Shown(structure, stride, surface, array[thin].ravel()[surface.voxel].astype(np.float64), None)
    colours = _label_colours(structure)[of_face]
    if field == "grain":
        colours = _tinted(colours, _grains(structure)[thin].ravel()[surface.voxel])
    return Shown(structure, stride, surface, None, colours)


def stride_for(structure: VoxelStructure) -> int:
    """Return the smallest stride that leaves at most `LARGEST_VOXELS` voxels to draw."""
    stride = 1
    while np.prod([-(-n // stride) for n in structure.shape]) > LARGEST_VOXELS:
        stride += 1
    return stride


def names_of(structure: VoxelStructure) -> dict[int, str]:
    """Return the name of every label that occurs; an unnamed label 0 is the pore."""
    found = np.flatnonzero(np.bincount(structure.labels.ravel(), minlength=256))
    return {int(k): structure.phases.get(int(k), "pore" if k == 0 else structure.phase_name(int(k))) for k in found}


def volume_percent(structure: VoxelStructure) -> dict[str, float]:
    """Return the volume share [%] of every phase that occurs."""
    counts = np.bincount(structure.labels.ravel(), minlength=256)
    return {name: 100.0 * counts[label] / structure.labels.size for label, name in names_of(structure).items()}


def scale_for(field: str, panels: list[Shown], limits: tuple[float, float] | None) -> Any:
    """Return the matplotlib scale (colours of numbers) that all panels share."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([panel.values for panel in panels if panel.values is not None])
    values = values[np.isfinite(values) & ((values > 0.0) if field == "current" else True)]
    if limits is not None:
        low, high = limits
        if not low < high or (field == "current" and low <= 0.0):
            raise InputError(f"limits are {limits}; allowed: low below high, and above 0 for currents")
    elif values.size == 0:
        low, high = (0.1, 1.0) if field == "current" else (0.0, 1.0)
    elif field == "current":
        high = float(np.quantile(values, 0.999))
        low = max(float(values.min()), high * 10.0**-CURRENT_DECADES)
        low = low if low < high else 0.5 * high
    else:
        low, high = float(values.min()), float(values.max())
        if low >= -1e-6 and high <= 1.0 + 1e-6:
            low, high = 0.0, 1.0
        elif low == high:
            low, high = low - 0.5, high + 0.5
    norm = LogNorm(low, high, clip=True) if field == "current" else Normalize(low, high, clip=True)
    return ScalarMappable(norm=norm, cmap=colormaps[FIELD_MAPS[field]])


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


def _checked(structure: VoxelStructure, field: str, values: ArrayLike | None) -> NDArray[Any] | None:
    if field not in ("potential", "current"):
        return None
    if values is None:
        raise InputError(f"field '{field}' needs an array; pass {field}=... of shape {structure.shape}")
    array = np.asarray(values)
    if array.shape != structure.shape:
        raise InputError(f"{field} has shape {array.shape}; allowed: that of the structure, {structure.shape}")
    return array


def _visible_labels(structure: VoxelStructure, hide: tuple[str, ...]) -> NDArray[np.bool_]:
    names = names_of(structure)
    known = {*names.values(), *structure.phases.values(), "pore"}
    for name in hide:
        if name not in known:
            raise InputError(f"cannot hide phase '{name}'{did_you_mean(name, sorted(known))}")
    table = np.zeros(256, dtype=np.bool_)
    table[[label for label, name in names.items() if name not in hide]] = True
    return table


def _label_colours(structure: VoxelStructure) -> NDArray[np.uint8]:
    names = names_of(structure)
    colours = phase_colours(names.values())
    table = np.zeros((256, 3), dtype=np.uint8)
    for label, name in names.items():
        table[label] = np.rint(rgb(colours[name]) * 255)
    return table


def _grains(structure: VoxelStructure) -> NDArray[Any]:
    """Return the grain ids; without a segmentation every connected piece of a phase is one grain."""
    if structure.grains is not None:
        return structure.grains
    from scipy.ndimage import label as label_pieces

    ids = np.zeros(structure.shape, dtype=np.int32)
    for label in names_of(structure):
        pieces, _ = label_pieces(structure.labels == label)
        ids += np.where(pieces > 0, pieces + 131 * label, 0).astype(np.int32)
    return ids


def _tinted(colours: NDArray[np.uint8], ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the phase colours made lighter or darker by grain id, the same for the same id."""
    turn = (ids.astype(np.float64) * 0.6180339887498949) % 1.0
    tint = (1.5 * turn - 0.75)[:, None]
    base = colours.astype(np.float64)
    return np.rint(np.where(tint > 0, base + (255.0 - base) * 0.75 * tint, base * (1.0 + 0.75 * tint))).astype(np.uint8)
