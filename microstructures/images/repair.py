"""Change an image because the user asked for it, and count what was changed: islands, noise, region, voxel size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from microstructures.errors import InputError
from microstructures.images.report import pieces_by_label
from microstructures.structure import VoxelStructure
from microstructures.units import NM

LARGEST_FILTER_EDGE = 31
LARGEST_VOXEL_COUNT = 2**31
FACES = tuple(tuple(step if axis == a else 0 for a in range(3)) for axis in range(3) for step in (-1, 1))
Span = tuple[int | None, int | None]


def remove_islands(structure: VoxelStructure, smaller_than_voxels: int) -> tuple[VoxelStructure, int]:
    """Give every small piece the label that most of the faces around it have.

    Pieces are connected by faces. Small pieces inside small pieces follow from outside to inside; of equal labels the lowest
    wins. The voxels take the grain of the nearest voxel of their new label.

    Parameters
    ----------
    structure : VoxelStructure
        An image.
    smaller_than_voxels : int
        Pieces of fewer voxels change, at least 2.

    Returns
    -------
    structure : VoxelStructure
    changed : int
        Voxels that have another label now.

    Raises
    ------
    InputError
        If the number is too small, or every piece is that small.
    """
    _only_voxels(structure, "repaired")
    if smaller_than_voxels < 2:
        raise InputError(f"islands are pieces of fewer than {smaller_than_voxels} voxels; allowed: 2 or more")
    labels = np.array(structure.labels)
    piece = np.zeros(labels.shape, dtype=np.int32)
    count = 0
    for _, pieces, sizes in pieces_by_label(labels):
        small = np.flatnonzero(sizes < smaller_than_voxels)
        number = np.zeros(len(sizes) + 1, dtype=np.int32)
        number[small + 1] = count + 1 + np.arange(len(small))
        piece += number[pieces]
        count += len(small)
    where = np.argwhere(piece > 0)
    if len(where) == labels.size:
        raise InputError(f"every piece of the image is smaller than {smaller_than_voxels} voxels; give a smaller number")
    while len(where):
        winner = _labels_around(labels, piece, where, count)
        own = winner[piece[tuple(where.T)]]
        settled = where[own >= 0]
        labels[tuple(settled.T)] = own[own >= 0]
        piece[tuple(settled.T)] = 0
        where = where[own < 0]
    return _relabelled(structure, labels)


def majority_filter(structure: VoxelStructure, edge_voxels: int) -> tuple[VoxelStructure, int]:
    """Give every voxel the label that is most frequent in the cube around it, the median of a label image.

    A voxel keeps its label if no other is more frequent; of others the lowest wins. Outside the block nothing counts.

    Parameters
    ----------
    structure : VoxelStructure
        An image.
    edge_voxels : int
        Edge of the cube: 3, 5, ... 31.

    Returns
    -------
    structure : VoxelStructure
    changed : int
        Voxels that have another label now.

    Raises
    ------
    InputError
        If the edge is even or out of range.
    """
    _only_voxels(structure, "repaired")
    if edge_voxels % 2 == 0 or not 3 <= edge_voxels <= LARGEST_FILTER_EDGE:
        raise InputError(f"the filter is {edge_voxels} voxels wide; allowed: odd numbers from 3 to {LARGEST_FILTER_EDGE}")
    labels = structure.labels
    best, most = np.array(labels), np.zeros(labels.shape, dtype=np.uint16)
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist()
    window = np.ones(edge_voxels, dtype=np.uint16)
    for turn in ("own", "others"):
        for label in present:
            votes = (labels == label).astype(np.uint16)
            for axis in range(3):
                votes = ndimage.convolve1d(votes, window, axis=axis, mode="constant")
            if turn == "own":
                np.copyto(most, votes, where=labels == label)
            else:
                better = votes > most
                best[better] = label
                np.maximum(most, votes, out=most)
    return _relabelled(structure, best)


def crop(structure: VoxelStructure, spans: Sequence[Span]) -> VoxelStructure:
    """Return the part of a structure between two planes along each axis.

    Parameters
    ----------
    structure : VoxelStructure
        An image; a pressed or fired structure has contacts that a cut would tear.
    spans : three pairs of int or None
        First voxel and the one behind the last, along x, y, z; None for the end of the block.

    Raises
    ------
    InputError
        If a span is empty or leaves the block.
    """
    _only_voxels(structure, "cropped")
    box = slices_of(spans, structure.shape)
    whole = [part.stop - part.start == n for part, n in zip(box, structure.shape, strict=True)]
    return structure.with_(
        labels=np.ascontiguousarray(structure.labels[box]),
        grains=None if structure.grains is None else np.ascontiguousarray(structure.grains[box]),
        periodic=tuple(wrap and all_of_it for wrap, all_of_it in zip(structure.periodic, whole, strict=True)),
    )


def slices_of(spans: Sequence[Span], shape: Sequence[int]) -> tuple[slice, slice, slice]:
    """Return three spans of voxels as slices, or raise an InputError if one is empty or leaves the block."""
    out: list[slice] = []
    for axis, (low, high), n in zip("xyz", spans, shape, strict=True):
        first, last = 0 if low is None else low, n if high is None else high
        if not 0 <= first < last <= n:
            raise InputError(f"the crop keeps {axis} from {first} to {last}; allowed: within 0 to {n} voxels, at least one")
        out.append(slice(first, last))
    return out[0], out[1], out[2]


def resample_cubic(structure: VoxelStructure, voxel_nm: float) -> VoxelStructure:
    """Return the structure on cubic voxels; each takes the label of the old voxel that its centre lies in.

    Parameters
    ----------
    structure : VoxelStructure
        An image.
    voxel_nm : float
        New voxel edge [nm]. Edges of the block that are no multiple of it change by up to half a voxel.

    Raises
    ------
    InputError
        If the block would have no voxel, or more than 2^31.
    """
    _only_voxels(structure, "resampled")
    if not 0.0 < voxel_nm < float("inf"):
        raise InputError(f"the new voxel edge is {voxel_nm} nm; allowed: a number above 0")
    counts = [round(n * edge / NM / voxel_nm) for n, edge in zip(structure.shape, structure.voxel_size, strict=True)]
    text = " x ".join(map(str, counts))
    if min(counts) < 1 or np.prod(counts, dtype=float) > LARGEST_VOXEL_COUNT:
        raise InputError(f"voxels of {voxel_nm:g} nm would make {text} of them; allowed: 1 to 2^31; choose another size")
    labels, grains = structure.labels, structure.grains
    for axis, (count, old) in enumerate(zip(counts, structure.voxel_nm, strict=True)):
        centre = (np.arange(count) + 0.5) * voxel_nm / old
        index = np.minimum(np.floor(centre).astype(np.intp), structure.shape[axis] - 1)
        labels = labels.take(index, axis=axis)
        grains = None if grains is None else grains.take(index, axis=axis)
    return structure.with_(labels=labels, grains=grains, voxel_size=(voxel_nm * NM,) * 3)


def _only_voxels(structure: VoxelStructure, what: str) -> None:
    if (
        any((structure.contacts, structure.particles, structure.shells, structure.coatings))
        or structure.composition is not None
    ):
        raise InputError(f"a {structure.process} structure cannot be {what}: it holds more than voxels; build it anew instead")


def _labels_around(
    labels: NDArray[np.uint8], piece: NDArray[np.int32], where: NDArray[np.intp], count: int
) -> NDArray[np.int16]:
    """Return for each piece the label on most of the faces towards voxels of no piece, -1 where there is no such face."""
    keys: list[NDArray[np.int64]] = []
    own = piece[tuple(where.T)]
    for step in FACES:
        to = where + step
        inside = ((to >= 0) & (to < labels.shape)).all(axis=1)
        at = tuple(to[inside].T)
        firm = piece[at] == 0
        keys.append(own[inside][firm].astype(np.int64) * 256 + labels[at][firm])
    key, votes = np.unique(np.concatenate(keys), return_counts=True)
    order = np.lexsort((-key, votes))  # the last entry of a piece wins: most votes, then the lowest label
    winner = np.full(count + 1, -1, dtype=np.int16)
    winner[key[order] // 256] = key[order] % 256
    return winner


def _relabelled(structure: VoxelStructure, labels: NDArray[np.uint8]) -> tuple[VoxelStructure, int]:
    changed = labels != structure.labels
    grains = structure.grains
    if grains is not None and changed.any():
        grains = np.array(grains)
        for label in np.unique(labels[changed]):
            new = changed & (labels == label)
            source = (structure.labels == label) & ~changed
            if source.any():
                nearest = ndimage.distance_transform_edt(
                    ~source, sampling=structure.voxel_size, return_distances=False, return_indices=True
                )
                grains[new] = structure.grains[tuple(index[new] for index in nearest)]  # type: ignore[index]
            else:
                grains[new] = 0
    return structure.with_(labels=labels, grains=grains), int(changed.sum())
