"""What a structure carries beside its voxels: point contacts, particles, thin shells, coatings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PointContacts:
    """Contacts between two grains that are smaller than, or comparable to, a voxel.

    A structure that owns such a list conducts from grain to grain through these contacts only: two voxels of
    different grains that happen to be neighbours do not conduct.

    Attributes
    ----------
    grains : ndarray of shape (n, 2), int32
        The grain ids on both sides; `normal` points from the first to the second.
    point : ndarray of shape (n, 3), float64
        Centre of the contact [m]; for periodic structures it may lie outside the box by less than one box edge.
    normal : ndarray of shape (n, 3), float64
        Unit normal of the contact plane.
    radius : ndarray of shape (n,), float64
        Radius of the contact disc [m].
    gap : ndarray of shape (n,), float64
        Distance between both surfaces before adhesion closed it [m]; negative for an overlap.
    """

    grains: NDArray[np.int32]
    point: NDArray[np.float64]
    normal: NDArray[np.float64]
    radius: NDArray[np.float64]
    gap: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of contacts."""
        return len(self.grains)

    def coordination(self, n_grains: int) -> float:
        """Return the mean number of contacts per grain."""
        return 2.0 * len(self) / n_grains if n_grains else 0.0


@dataclass(frozen=True)
class Particles:
    """The powder particles a structure was pressed from, so that one grain can be followed through the furnace.

    Attributes
    ----------
    centre : ndarray of shape (n, 3), float64
        Centres [m] in the periodic box.
    radius : ndarray of shape (n,), float64
        Radii [m].
    label : ndarray of shape (n,), uint8
        Phase label of each particle.
    grain : ndarray of shape (n,), int32
        The grain each particle is part of: `k + 1` in a pressed body; in a fired one grains have grown, and particles that
        merged share the id of one of them.
    """

    centre: NDArray[np.float64]
    radius: NDArray[np.float64]
    label: NDArray[np.uint8]
    grain: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self.radius)


@dataclass(frozen=True)
class ThinShells:
    """Reaction layers between grains of two phases, too thin for voxels: they are folded into the faces they lie on.

    Where two grains are listed, the layer replaces `thickness * donor_share` of the donor and the rest of the host, on
    both sides of the plane where they meet.

    Attributes
    ----------
    product, donor, host : str
        Names of the layer's phase and of both phases it grew from.
    donor_share : float
        Share of the thickness that lies in the donor.
    grains : ndarray of shape (n, 2), int32
        Donor grain and host grain, sorted by donor, then host, each pair once.
    thickness : ndarray of shape (n,), float64
        Thickness [m] of the layer between them.
    """

    product: str
    donor: str
    host: str
    donor_share: float
    grains: NDArray[np.int32]
    thickness: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of pairs of grains that have a layer."""
        return len(self.grains)


@dataclass(frozen=True)
class Coating:
    """A conducting film on the grains of a phase, thinner than a voxel: carbon on LFP.

    Attributes
    ----------
    thickness : float
        Thickness [m].
    coverage : float
        Share of the grains' surface that it covers, in patches much smaller than a grain.
    """

    thickness: float
    coverage: float
