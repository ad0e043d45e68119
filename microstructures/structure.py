"""A voxel structure: which phase and which grain every voxel belongs to, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError
from microstructures.features import Coating, Particles, PointContacts, ThinShells
from microstructures.notebook import structure_html
from microstructures.units import NM, UM

SMALLEST_VOXEL_NM, LARGEST_VOXEL_NM = 0.1, 1e5


@dataclass(frozen=True, repr=False)
class VoxelStructure:
    """Voxels of named phases and numbered grains.

    Attributes
    ----------
    labels : ndarray of shape (nx, ny, nz), uint8
        Phase label of every voxel; axes x, y, z are array axes 0, 1, 2.
    voxel_size : tuple of 3 floats
        Edge lengths of a voxel [m] along x, y, z.
    phases : mapping of int to str
        Name of each label. May be empty for a bare image: a materials file then names the labels.
    grains : ndarray of shape (nx, ny, nz), int32, or None
        Grain id of every voxel, 0 where there is none. None: every connected piece of a phase is one grain.
    periodic : tuple of 3 bools
        Whether the structure continues periodically along each axis.
    contacts : PointContacts or None
        Sub-voxel grain contacts (pressed powder). None: grains conduct wherever their voxels share a face.
    particles : Particles or None
        The powder particles this was made from.
    shells : ThinShells or None
        Reaction layers that are too thin for voxels of their own.
    coatings : mapping of str to Coating
        Conducting films on the grains of a phase, by its name: carbon on LFP.
    composition : ndarray of shape (nx, ny, nz), float32, or None
        Where the structure was given one: the composition x of Li(3-x)Fe(2-x-y)Ti(x)Al(y)(PO4)3 in the interphase,
        NaN in every other voxel.
    process : str
        "cold-pressed", "co-fired" or "image".
    recipe : mapping
        The full recipe or import options this structure came from.
    seed : int or None
        The seed it came from.
    """

    labels: NDArray[np.uint8]
    voxel_size: tuple[float, float, float]
    phases: Mapping[int, str] = field(default_factory=dict)
    grains: NDArray[np.int32] | None = None
    periodic: tuple[bool, bool, bool] = (False, False, False)
    contacts: PointContacts | None = None
    particles: Particles | None = None
    shells: ThinShells | None = None
    coatings: Mapping[str, Coating] = field(default_factory=dict)
    composition: NDArray[np.float32] | None = None
    process: str = "image"
    recipe: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check shapes and types once, and make the arrays read-only."""
        if self.labels.ndim != 3 or self.labels.dtype != np.uint8 or self.labels.size == 0:
            raise InputError(
                f"labels have shape {self.labels.shape} and type {self.labels.dtype}; "
                "allowed: three axes with at least one voxel each, uint8; use VoxelStructure.from_labels"
            )
        if self.grains is not None and (self.grains.shape != self.labels.shape or self.grains.dtype != np.int32):
            raise InputError(
                f"grains have shape {self.grains.shape} and type {self.grains.dtype}; allowed: {self.labels.shape}, int32"
            )
        if len(self.voxel_size) != 3:
            raise InputError(f"voxel_size is {self.voxel_size}; allowed: three edge lengths in metres")
        for size in self.voxel_size:
            if not SMALLEST_VOXEL_NM <= size / NM <= LARGEST_VOXEL_NM:
                raise InputError(
                    f"voxel_nm is {size / NM:g} nm; allowed: {SMALLEST_VOXEL_NM} to {LARGEST_VOXEL_NM:g} nm; "
                    "give the voxel edge in nanometres"
                )
        if self.composition is not None and (
            self.composition.shape != self.labels.shape or self.composition.dtype != np.float32
        ):
            raise InputError(
                f"composition has shape {self.composition.shape} and type {self.composition.dtype}; "
                f"allowed: {self.labels.shape}, float32"
            )
        for array in (self.labels, self.grains, self.composition):
            if array is not None:
                array.flags.writeable = False
        object.__setattr__(self, "coatings", MappingProxyType(dict(self.coatings)))
        object.__setattr__(self, "phases", MappingProxyType({int(k): str(v) for k, v in self.phases.items()}))

    @classmethod
    def from_labels(
        cls,
        labels: ArrayLike,
        *,
        voxel_nm: float | tuple[float, float, float],
        phases: Mapping[int, str] | None = None,
        grains: ArrayLike | None = None,
        periodic: bool = False,
    ) -> VoxelStructure:
        """Build a structure from an integer array.

        Parameters
        ----------
        labels : array of shape (nx, ny, nz), any integer or bool type, values 0 to 255
            Phase label of every voxel.
        voxel_nm : float or three floats
            Voxel edge [nm], along x, y, z if three.
        phases : mapping of int to str, optional
            Name of each label.
        grains : array of the same shape, optional
            Grain ids, 0 where there is none.
        periodic : bool
            Whether the structure continues periodically.

        Raises
        ------
        InputError
            If a label does not fit, or the array has not three axes.

        Examples
        --------
        >>> import numpy as np
        >>> VoxelStructure.from_labels(np.ones((2, 2, 2), int), voxel_nm=25).shape
        (2, 2, 2)
        """
        given = np.asarray(labels)
        own = as_labels(given)
        edges = (voxel_nm,) * 3 if isinstance(voxel_nm, int | float) else tuple(float(edge) for edge in voxel_nm)
        return cls(
            labels=own.copy() if np.shares_memory(own, given) else own,  # the structure's array is read-only, not the caller's
            voxel_size=tuple(float(edge) * NM for edge in edges),  # type: ignore[arg-type]
            phases=phases or {},
            grains=None if grains is None else np.array(grains, dtype=np.int32),
            periodic=(periodic,) * 3,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the number of voxels along x, y, z."""
        nx, ny, nz = self.labels.shape
        return nx, ny, nz

    @property
    def voxel_nm(self) -> tuple[float, float, float]:
        """Return the voxel edges [nm]."""
        x, y, z = self.voxel_size
        return x / NM, y / NM, z / NM

    @property
    def edges_um(self) -> tuple[float, float, float]:
        """Return the edges of the whole block [um]."""
        x, y, z = (n * size / UM for n, size in zip(self.shape, self.voxel_size, strict=True))
        return x, y, z

    @property
    def n_grains(self) -> int:
        """Return the highest grain id, or 0 without grains."""
        return 0 if self.grains is None else int(self.grains.max(initial=0))

    def phase_name(self, label: int) -> str:
        """Return the name of a label, or ``"label 7"`` where it has none."""
        return self.phases.get(label, f"label {label}")

    def label_of(self, name: str) -> int:
        """Return the label of a phase name, or raise an InputError that lists the names."""
        for label, phase in self.phases.items():
            if phase == name:
                return label
        raise InputError(f"phase '{name}' is not in this structure; allowed: {', '.join(self.phases.values())}")

    def with_(self, **changes: Any) -> VoxelStructure:
        """Return a copy with some attributes changed."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        """Return one line: process, shape, voxel size, phases."""
        nm = " x ".join(f"{edge:g}" for edge in sorted(set(self.voxel_nm)))
        names = ", ".join(f"{k}={v}" for k, v in self.phases.items()) or "unnamed labels"
        return f"<VoxelStructure {self.process} {'x'.join(map(str, self.shape))} voxels of {nm} nm; {names}>"

    def _repr_html_(self) -> str:
        """Return a slice and a small table for notebooks."""
        return structure_html(self)


def as_labels(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return `image` as uint8 labels without changing a single value.

    Raises
    ------
    InputError
        If the image has not three axes, is not integer-valued, or holds a value outside 0 to 255.
    """
    if image.ndim != 3 or image.size == 0:
        raise InputError(
            f"the image has shape {image.shape}; allowed: three axes with at least one voxel each; stack 2-D slices first"
        )
    if image.dtype == np.bool_:
        return image.astype(np.uint8)
    if image.dtype.kind == "f":
        bad = ~np.isfinite(image)
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise InputError(f"the image holds {int(bad.sum())} NaN or infinite voxels, the first at {first}; clean it first")
        if not np.array_equal(image, np.rint(image)):
            raise InputError("the image holds fractional values; allowed: integer labels 0 to 255; segment it first")
    elif image.dtype.kind not in "iu":
        raise InputError(f"the image has type {image.dtype}; allowed: integers or booleans; convert it to labels first")
    low, high = int(image.min()), int(image.max())
    if low < 0 or high > 255:
        raise InputError(f"labels run from {low} to {high}; allowed: 0 to 255; segment or relabel the image first")
    return np.ascontiguousarray(image, dtype=np.uint8)
