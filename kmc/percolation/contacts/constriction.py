"""What it costs to spread from a contact into a grain: through its volume, and along a conducting film around it.

A disc of radius a on a half-space of conductivity s has the constriction resistance 1/(4 s a) (Holm, Electric Contacts,
1967). On a sphere of radius R that bears a film of sheet conductance G, current runs from the rim of the disc to the
equator through (1/(2 pi G)) ln cot(theta/2) with sin theta = a/R. Both run in parallel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network

LARGEST_SINE = 0.95
"""Contacts wider than this share of their grain count as so wide: the film formula would fall to zero."""

Array = NDArray[np.float64]


def volume_conductance_S(sigma_S_per_m: Array, contact_radius_m: Array) -> Array:
    """Return 4 s a [S], the spreading conductance of a disc into a half-space."""
    return np.asarray(4.0 * sigma_S_per_m * contact_radius_m)


def film_conductance_S(sheet_conductance_S: Array, contact_radius_m: Array, piece_radius_m: Array) -> Array:
    """Return 2 pi G / ln cot(theta/2) [S], from the rim of a contact along the film of a sphere to its equator.

    Examples
    --------
    >>> import numpy as np
    >>> half = film_conductance_S(np.array([1e-6]), np.array([0.5e-6]), np.array([1e-6]))  # theta = 30 degrees
    >>> bool(np.isclose(half[0], 2 * np.pi * 1e-6 / np.log(1 / np.tan(np.pi / 12))))
    True
    """
    sine = np.minimum(contact_radius_m / piece_radius_m, LARGEST_SINE)
    return np.asarray(2.0 * np.pi * sheet_conductance_S / np.arccosh(1.0 / sine))


def phase_film_conductance_S(network: Network) -> Array:
    """Return the sheet conductance [S] of the film around pieces of every phase, shape (n_phases,).

    The largest among the films that the phase bears; a film between two grains of the phase is shared by both.
    """
    faces = network.faces
    sheet = np.zeros(len(faces.phase_names))
    for (bearer, neighbour), conductance in zip(faces.film_pairs, network.film_conductance[:-1], strict=True):
        own = conductance / 2.0 if neighbour == bearer else conductance
        row = faces.phase_names.index(bearer)
        sheet[row] = max(sheet[row], own)
    return sheet
