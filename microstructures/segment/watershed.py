"""Grains by a watershed of the distance map: what to segment, with which marker rule, and when not to trust it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from microstructures.segment.connected import connected_pieces
from microstructures.segment.distance import depth_in_phase
from microstructures.segment.flood import flood
from microstructures.segment.markers import find_markers
from microstructures.structure import VoxelStructure

DENSEST_TRUSTED = 0.8
LARGEST_REACH = 50.0  # voxels
SMOOTHING, PEAK_RADIUS = 0.7, 2.0
MARKER_RULE = (
    f"grains by a watershed of the distance to the phase's surface; markers are its maxima after a Gaussian of {SMOOTHING:g} voxels, "
    f"within a ball of {PEAK_RADIUS:g} voxels, without saddles and without those inside the ball of a deeper one (Gostick 2017)"
)
"""What `watershed_grains` does unless told otherwise."""


class DenseSolidWarning(UserWarning):
    """The solid is so dense that a watershed may miss many of its grains."""


def dense_warning(relative_density: float) -> str | None:
    """Return one sentence of warning if a solid is too dense for a watershed to be trusted, else None.

    Parameters
    ----------
    relative_density : float
        Share of the voxels that are segmented, 0 to 1.

    Examples
    --------
    >>> dense_warning(0.6) is None
    True
    >>> print(dense_warning(0.89))
    the solid fills 0.890 of the block; above 0.8 grains touch over wide faces and a watershed may merge or split many of them
    """
    if relative_density <= DENSEST_TRUSTED:
        return None
    return (
        f"the solid fills {relative_density:.3f} of the block; above {DENSEST_TRUSTED:g} grains touch over wide faces "
        "and a watershed may merge or split many of them"
    )


def watershed_grains(
    structure: VoxelStructure,
    *,
    background: int = 0,
    phases: Iterable[int | Iterable[int]] | None = None,
    smoothing: float = SMOOTHING,
    peak_radius: float = PEAK_RADIUS,
) -> NDArray[np.int32]:
    """Tell touching grains apart by a watershed of the distance to the surface of their phase.

    The markers follow the rule of Gostick, Phys. Rev. E 96, 023307 (2017), "SNOW":

    1. the distance map, exact, is smoothed by a Gaussian;
    2. a peak is a voxel that no voxel within `peak_radius` exceeds; of a plateau the voxel nearest to its middle counts;
    3. it is dropped if its plateau has a higher neighbour (a saddle);
    4. from the deepest on, a peak is dropped if it lies in the ball that fits inside the phase around one kept before.

    Then grains grow from the markers, deepest voxels first (Meyer 1994). A piece of a phase without a marker, too small to
    have a peak of its own beside a larger one, is one grain. Every grain is connected by faces and lies in one group.

    The published values are a `smoothing` of 0.4 and a `peak_radius` of 4. Those used unless given find more of the grains
    of packed and fired powders with a broad size distribution: `benchmarks/segmentation.py` compares both.

    Parameters
    ----------
    structure : VoxelStructure
        Any label image; grains continue across its periodic boundaries, and voxels need not be cubes.
    background : int
        Label that has no grains, the pore; ignored where `phases` is given.
    phases : iterable of labels or of groups of labels, optional
        What to segment: ``[1, 2]`` labels 1 and 2 separately, ``[(1, 2)]`` jointly, as one solid; the other labels get no
        grains. Every label but the background, separately, unless given.
    smoothing : float
        Standard deviation of the Gaussian [smallest voxel edges]; 0 for none.
    peak_radius : float
        Radius in which a peak is the highest [smallest voxel edges]; the 26 neighbours always count.

    Returns
    -------
    ndarray of shape (nx, ny, nz), int32
        Ids from 1, group by group in memory order of the markers, then pieces without one; 0 elsewhere.

    Warns
    -----
    DenseSolidWarning
        If more than 0.8 of the voxels are segmented; see `dense_warning`.

    Raises
    ------
    InputError
        If an option is out of range, or `phases` names a label twice.

    Examples
    --------
    >>> x = np.arange(24)[:, None, None] + 0.5
    >>> y, z = np.arange(16)[:, None] + 0.5, np.arange(16) + 0.5
    >>> balls = [(x - middle) ** 2 + (y - 8) ** 2 + (z - 8) ** 2 < 36 for middle in (7, 17)]
    >>> touching = VoxelStructure.from_labels(balls[0] | balls[1], voxel_nm=25)
    >>> grains = watershed_grains(touching)
    >>> int(grains.max()), bool((grains[:12] != 2).all())
    (2, True)
    """
    for name, value in (("smoothing", smoothing), ("peak_radius", peak_radius)):
        if not 0.0 <= value <= LARGEST_REACH:
            raise InputError(f"{name} is {value}; allowed: 0 to {LARGEST_REACH:g} voxels")
    groups = _groups(structure.labels, background, phases)
    message = dense_warning(np.count_nonzero(groups) / groups.size)
    if message is not None:
        warnings.warn(message, DenseSolidWarning, stacklevel=2)
    smallest = min(structure.voxel_size)
    x, y, z = (edge / smallest for edge in structure.voxel_size)
    edges, periodic = (x, y, z), structure.periodic
    depth = depth_in_phase(groups, edges, periodic)
    present = np.flatnonzero(np.bincount(groups.ravel(), minlength=256)[1:]) + 1
    markers = [np.empty((0, 3), dtype=np.int64)]
    for group in present:
        alone = depth if len(present) == 1 else np.where(groups == group, depth, np.float32(0.0))
        markers.append(find_markers(alone, edges, periodic, smoothing, peak_radius))
    found = np.concatenate(markers)
    grains = np.zeros(structure.shape, dtype=np.int32)
    flood(grains, found, groups, depth, periodic, cubes=edges == (1.0, 1.0, 1.0))
    del depth
    groups[grains > 0] = 0
    specks = connected_pieces(groups, periodic)
    np.add(specks, len(found), out=grains, where=specks > 0)
    return grains


def _groups(labels: NDArray[np.uint8], background: int, phases: Iterable[int | Iterable[int]] | None) -> NDArray[np.uint8]:
    """Return the group of every voxel, numbered from 1 in the order given; 0 is not segmented."""
    group_of = np.zeros(256, dtype=np.uint8)
    if phases is None:
        group_of[:] = np.arange(256)
        if background != 0:
            group_of[0] = _free_label(labels, background)
        if 0 <= background <= 255:
            group_of[background] = 0
        return group_of[labels]
    for number, entry in enumerate(phases, start=1):
        for label in (entry,) if isinstance(entry, int | np.integer) else entry:
            if not 0 <= label <= 255 or group_of[label]:
                raise InputError(f"phases has the label {label}; allowed: labels 0 to 255, each once; name others")
            group_of[label] = number
    return group_of[labels]


def _free_label(labels: NDArray[np.uint8], background: int) -> int:
    """Return a number for the group of label 0 where 0 is not the background."""
    free = np.bincount(labels.ravel(), minlength=256) == 0
    if 0 <= background <= 255:
        free[background] = True
    if not free[1:].any():
        raise InputError(
            f"background is {background} and all labels 0 to 255 occur; allowed: at most 255 phases; name a background"
        )
    return int(np.flatnonzero(free[1:])[0]) + 1
