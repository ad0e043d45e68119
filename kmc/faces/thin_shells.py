"""Faces near a thin reaction layer: how far both of their voxels lie from its plane, and how thick it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from kmc.faces.listed_pairs import pair_index, pair_keys
from kmc.faces.shell_distance import (
    STEPS,
    ball,
    complete_distances,
    mark_contacts,
    nearest_pair,
    read_distances,
)
from microstructures.errors import InputError
from microstructures.features import ThinShells
from microstructures.jit import parallel_kernel
from microstructures.structure import VoxelStructure

BINS = 16
"""Thicknesses that are told apart."""
SPREAD_HALF_WIDTH = 1.5
"""Half width [voxels] of the raised cosine that spreads a layer over the faces along it."""
LARGEST_REACH = 12.0
"""Farthest voxel [voxels] from its plane that a layer may reach."""
_SPAN = 16 * STEPS
_WIDEST = 2 * STEPS


@dataclass(frozen=True)
class ShellClasses:
    """What the classes of faces near thin layers are made of; one entry for every class of the face table.

    Attributes
    ----------
    product, donor, host : str
        Phases of the layer and of both sides.
    donor_share : float
        Share of the thickness that lies in the donor.
    bin : ndarray of shape (n_classes,), int16
        Position in `thickness`; -1 where no layer is near.
    thickness : ndarray of shape (n_bins,)
        Mean thickness [m] of the pairs in a bin, weighted by their faces.
    low, high : ndarrays of shape (n_classes,)
        Distance of the voxel nearer to the donor and of the other one from the plane [voxels], positive in the host.
    aligned : ndarray of shape (n_classes,), bool
        Whether the plane lies exactly along the grid.
    """

    product: str
    donor: str
    host: str
    donor_share: float
    bin: NDArray[np.int16]
    thickness: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    aligned: NDArray[np.bool_]


class ShellLook:
    """The layers of a structure as the kernels see them, prepared once."""

    def __init__(self, structure: VoxelStructure, shells: ThinShells, side_of_label: NDArray[np.int8]) -> None:
        """Find the voxels near the layers; `side_of_label` is -1 for the donor's label, +1 for the host's, else 0."""
        if structure.grains is None:
            raise InputError("thin shells lie between grains, and the structure has none; segment it into grains first")
        h = structure.voxel_size[0]
        self.shells, self.grains, self.wraps = shells, structure.grains, structure.periodic
        self.keys = pair_keys(shells)
        self.side = side_of_label[structure.labels]
        touches, faces = mark_contacts(self.side, self.grains, self.keys, self.wraps)
        self.bin_of_pair, self.thickness = bin_thickness(shells.thickness, faces.sum(axis=0))
        shares = np.array([[shells.donor_share], [1.0 - shells.donor_share]])
        reach = shares * self.thickness / h + SPREAD_HALF_WIDTH + 1.0
        longest = float(reach.max(initial=0.0))
        if longest > LARGEST_REACH:
            raise InputError(
                f"a thin shell of {self.thickness.max() * 1e9:.3g} nm is {self.thickness.max() / h:.3g} voxels thick; allowed: "
                f"{(LARGEST_REACH - SPREAD_HALF_WIDTH - 1.0) / shares.max():.3g}; give shells this thick voxels of their own"
            )
        near, close = nearest_pair(
            self.side, self.grains, self.keys, touches, reach[:, self.bin_of_pair], ball(longest), self.wraps
        )
        read = read_distances(self.side, close, touches, self.wraps)
        self.first, self.last = -shells.donor_share * self.thickness / h, (1.0 - shells.donor_share) * self.thickness / h
        self.distance, self.pair, self.normal = complete_distances(
            self.side, self.grains, self.keys, near, touches, read, ball(longest + 2.0), self.wraps
        )

    def codes(self, axis: int) -> NDArray[np.uint32]:
        """Return the layer part of the code of every face along `axis`, 0 where there is none."""
        return _codes(
            axis, self.side, self.grains, self.keys, self.pair, self.bin_of_pair, self.first, self.last, self.distance,
            self.normal, self.wraps,
        )  # fmt: skip

    def plate_codes(self, axis: int, end: int) -> NDArray[np.uint32]:
        """Return the same for the face between every voxel of an outer plane and its mirror image."""
        at = (slice(None),) * axis + (-1 if end else 0,)
        pair, step = self.pair[at], np.clip(self.distance[at].astype(np.int64), -_SPAN, _SPAN)
        code = 1 + (self.bin_of_pair[pair] * (2 * _SPAN + 1) + step + _SPAN) * (_WIDEST + 1) * 2 + (self.normal[at] < 3)
        return np.where(pair >= 0, code, 0).astype(np.uint32)

    def describe(self, codes: NDArray[np.int64]) -> ShellClasses:
        """Return what the given codes stand for; 0 is no layer."""
        rest, aligned = np.divmod(codes - 1, 2)
        rest, width = np.divmod(rest, _WIDEST + 1)
        which, low = np.divmod(rest, 2 * _SPAN + 1)
        bare = codes == 0
        shells = self.shells
        return ShellClasses(
            product=shells.product,
            donor=shells.donor,
            host=shells.host,
            donor_share=shells.donor_share,
            bin=np.where(bare, -1, which).astype(np.int16),
            thickness=self.thickness,
            low=np.where(bare, 0.0, (low - _SPAN) / STEPS),
            high=np.where(bare, 0.0, (low - _SPAN + width) / STEPS),
            aligned=~bare & (aligned == 1),
        )


def bin_thickness(thickness: NDArray[np.float64], faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sort thicknesses into at most `BINS` bins of equal ratio.

    Parameters
    ----------
    thickness : ndarray of shape (n,)
        Thickness [m] of each pair.
    faces : ndarray of shape (n,), int64
        Voxel faces between the grains of each pair, the weight of its thickness.

    Returns
    -------
    bin_of_pair : ndarray of shape (n,), int64
    thickness : ndarray of shape (n_bins,)
        Mean thickness [m] of each bin.

    Raises
    ------
    InputError
        If a thickness is not above 0.

    Examples
    --------
    >>> bin_thickness(np.array([40e-9, 70e-9, 40e-9]), np.array([10, 10, 10]))[0]
    array([0, 1, 0])
    """
    if not len(thickness):
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    if not (np.isfinite(thickness) & (thickness > 0.0)).all():
        first = int(np.argmin(np.isfinite(thickness) & (thickness > 0.0)))
        raise InputError(
            f"thin shell {first} is {thickness[first]:g} m thick; allowed: above 0; leave out pairs without a layer"
        )
    distinct, which = np.unique(thickness, return_inverse=True)
    which = which.ravel()
    if len(distinct) > BINS:
        edges = np.geomspace(distinct[0], distinct[-1], BINS + 1)[1:-1]
        _, which = np.unique(np.searchsorted(edges, thickness, side="right"), return_inverse=True)
        which = which.ravel()
    weight = np.maximum(faces, 1e-9)
    mean = np.bincount(which, weight * thickness) / np.bincount(which, weight)
    return which.astype(np.int64), np.clip(mean, distinct[0], distinct[-1])


@parallel_kernel
def _codes(axis, side, grains, keys, pair, bin_of_pair, first_of, last_of, distance, normal, wraps):  # type: ignore[no-untyped-def]
    nx, ny, nz = side.shape
    di, dj, dk = 1 if axis == 0 else 0, 1 if axis == 1 else 0, 1 if axis == 2 else 0
    out = np.zeros((nx, ny, nz), dtype=np.uint32)
    for i in prange(nx):
        for j in range(ny):
            for k in range(nz):
                i1, j1, k1 = (i + di) % nx, (j + dj) % ny, (k + dk) % nz
                if not wraps[axis] and (i1 < i or j1 < j or k1 < k):
                    continue
                pair_a, pair_b = pair[i, j, k], pair[i1, j1, k1]
                if pair_a < 0 or pair_b < 0:
                    continue
                a, b = np.int64(distance[i, j, k]), np.int64(distance[i1, j1, k1])
                if side[i, j, k] == side[i1, j1, k1]:
                    found = pair_a if abs(a) <= abs(b) else pair_b
                elif side[i, j, k] < 0:
                    found = pair_index(keys, grains[i, j, k], grains[i1, j1, k1])
                else:
                    found = pair_index(keys, grains[i1, j1, k1], grains[i, j, k])
                if found < 0:
                    continue
                low, high = max(min(a, b), -_SPAN), min(max(a, b), _SPAN)
                at = bin_of_pair[found]
                if side[i, j, k] == side[i1, j1, k1]:
                    middle = 0.5 * (low + high) / STEPS
                    if middle >= last_of[at] + SPREAD_HALF_WIDTH or middle <= first_of[at] - SPREAD_HALF_WIDTH:
                        continue
                width = min(high - low, _WIDEST)
                if width == 0 and normal[i, j, k] == axis and normal[i1, j1, k1] == axis:
                    width = STEPS // 2  # a ridge, as far from a plane behind as from one ahead
                    low -= width if low < 0 else 0
                straight = normal[i, j, k] < 3 and normal[i1, j1, k1] < 3
                code = ((at * (2 * _SPAN + 1) + low + _SPAN) * (_WIDEST + 1) + width) * 2
                out[i, j, k] = 1 + code + (1 if straight else 0)
    return out
