"""The fast network: the phases that conduct well, apart from those that conduct a little as well.

Nearly every solid conducts a little, so "some path exists" says little: ions of LFP are a million times slower than those
of LATP. A phase is fast if it conducts at least a given share of what the best one does, its films counted as if each
filled one voxel: G/h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.errors import InputError

LEAST_SHARE = 1e-3
"""Conductivity of the slowest fast phase over that of the best."""


def fast_phases(network: Network, *, least_share: float = LEAST_SHARE) -> NDArray[np.bool_]:
    """Return which phases conduct well, by themselves or along their films, shape (n_phases,), bool.

    Parameters
    ----------
    network : Network
        What conducts.
    least_share : float
        Least conductivity of a fast phase, over that of the best; in (0, 1].

    Raises
    ------
    InputError
        If `least_share` is not in (0, 1].

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> names = {0: "pore", 1: "LFP", 2: "LATP"}
    >>> block = VoxelStructure.from_labels(np.arange(27).reshape(3, 3, 3) % 3, voxel_nm=25, phases=names)
    >>> network = build_network(block)
    >>> [name for name, fast in zip(network.faces.phase_names, fast_phases(network)) if fast]
    ['LATP']
    """
    if not 0.0 < least_share <= 1.0:
        raise InputError(f"least_share is {least_share}; allowed: above 0, up to 1")
    faces = network.faces
    sigma = network.phase_conductivity.copy()
    thinnest = float(min(network.structure.voxel_size))
    for (bearer, _), sheet in zip(faces.film_pairs, network.film_conductance[:-1], strict=True):
        row = faces.phase_names.index(bearer)
        sigma[row] = max(sigma[row], sheet / thinnest)
    return np.asarray((sigma > 0.0) & (sigma >= least_share * sigma.max(initial=0.0)))


def fast_faces(network: Network, *, least_share: float = LEAST_SHARE) -> NDArray[np.bool_]:
    """Return which classes of face belong to the fast network, shape (n_classes,), bool.

    They conduct, and lie between voxels of fast phases or along a film that a fast phase bears.
    """
    return faces_of(network, fast_phases(network, least_share=least_share))


def faces_of(network: Network, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which classes of face conduct and lie inside a set of phases or along their films, shape (n_classes,), bool."""
    faces = network.faces
    open_ = (network.conductance > 0.0).any(axis=0)
    inside = chosen[faces.phases.astype(np.intp)].all(axis=1)
    bears = np.array([chosen[faces.phase_names.index(pair[0])] for pair in faces.film_pairs] + [False])
    filmed = bears[faces.film] & ~faces.film_across & (network.film_conductance[faces.film] > 0.0)
    return np.asarray(open_ & (inside | filmed))
