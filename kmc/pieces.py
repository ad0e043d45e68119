"""The pieces of grains that a network is made of: connected voxels of one phase and one grain.

Pieces are joined to each other by interfaces and contacts; inside a piece there is none. A film belongs to the piece that
bears it: voxels without carriers of their own that it runs through join that piece, but a film never joins two grains that
both conduct. The solver takes out one mode per piece, the graph makes a node of each, and the hops ask how long a carrier
stays in one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.connectivity import label_sets
from kmc.network import Network


def carrying_phases(network: Network) -> NDArray[np.bool_]:
    """Return which phases conduct by themselves or bear a film that does, shape (n_phases,), bool."""
    carries = network.phase_conductivity > 0.0
    for (bearer, _), conductance in zip(network.faces.film_pairs, network.film_conductance[:-1], strict=True):
        if conductance > 0.0:
            carries[network.faces.phase_names.index(bearer)] = True
    return carries


@dataclass(frozen=True)
class Joins:
    """Which faces lie inside a piece.

    Attributes
    ----------
    within : ndarray of shape (n_classes,), bool
        Classes that join voxels of one grain to one piece.
    along_film : ndarray of shape (n_classes,), bool
        Those that do so whatever the grains, because a film runs along them.
    contact : ndarray of shape (n_classes,), bool
        Classes that are a contact where they lie between two pieces: open, both sides carry.
    """

    within: NDArray[np.bool_]
    along_film: NDArray[np.bool_]
    contact: NDArray[np.bool_]


def find_joins(network: Network) -> Joins:
    """Sort the face classes of a network into those inside pieces and those between them."""
    faces = network.faces
    open_ = (network.conductance > 0.0).any(axis=0)
    carries = carrying_phases(network)
    phases = faces.phases.astype(np.intp)
    bearer = np.array([faces.phase_names.index(pair[0]) for pair in faces.film_pairs] + [-1])[faces.film]
    filmed = (faces.film >= 0) & ~faces.film_across & (network.film_conductance[faces.film] > 0.0)
    own_or_empty = ((phases == bearer[:, None]) | ~carries[phases]).all(axis=1)
    along_film = open_ & filmed & own_or_empty
    same_phase = phases[:, 0] == phases[:, 1]
    return Joins(
        within=open_ & ~faces.point_contact & (same_phase | along_film),
        along_film=along_film,
        contact=np.logical_and(open_, carries[phases].all(axis=1)),
    )


def label_pieces(network: Network, joins: Joins | None = None) -> tuple[NDArray[np.int32], int]:
    """Return the piece each voxel belongs to, shape (nx, ny, nz), int32, numbered from 1 (0: none), and their number."""
    known = joins or find_joins(network)
    return label_sets(network, known.within, known.along_film)
