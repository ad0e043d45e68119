"""What a class of faces conducts: one formula, in real numbers for direct current and in complex ones at a frequency.

A face of area A between two half cells of length h/2 and conductivities s_i, s_j conducts
g = 1 / ( h/(2 s_i A) + R f/A + h/(2 s_j A) ) + G w, where R is the area-specific resistance of the interface it crosses, f
the true area of that interface over the voxel face (inverse: |nx|+|ny|+|nz|), G the sheet conductance of a film and w the
share of it that runs through this face. At an angular frequency s is s + i w e and R the impedance of a resistance and a
capacitance side by side; nothing else changes, so the formula stands here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.faces import BLOCKED, FaceTable
from kmc.faces.steps import BESIDE, PLAIN
from kmc.layers import LayerConductors, crosses_layer, layer_resistance, with_layers
from kmc.steps import gain_beside_steps, tilt_share

Numbers = NDArray[Any]
"""Real at direct current, complex at a frequency."""


@dataclass(frozen=True)
class Conductors:
    """What the parts of a face conduct, for one carrier at one temperature, real or complex.

    Attributes
    ----------
    phase : ndarray of shape (n_phases,)
        Conductivity [S/m]; of an anisotropic phase the mean over its crystal axes.
    side : ndarray of shape (2, n_classes)
        Conductivity [S/m] along the face's normal on both sides of every class.
    pair : ndarray of shape (2, n_phases, n_phases)
        Area-specific resistance [ohm m^2] of every pair of phases, sintered and at point contacts.
    film : ndarray of shape (n_films + 1,)
        Sheet conductance [S] of every film; a trailing 0 stands for no film.
    layers : LayerConductors or None
        What thin reaction layers conduct; None where the structure has none.
    """

    phase: Numbers
    side: Numbers
    pair: Numbers
    film: Numbers
    layers: LayerConductors | None


def class_resistance(faces: FaceTable, conductors: Conductors, direct: Conductors | None = None) -> Numbers:
    """Return the area-specific resistance [ohm m^2] of every class, 0 where it crosses no interface."""
    low, high = faces.phases.T.astype(np.intp)
    plain = np.where(faces.interface, conductors.pair[faces.point_contact.astype(np.intp), low, high], 0.0)
    if conductors.layers is None:
        return plain
    known = layer_resistance(faces, conductors.layers, None if direct is None else direct.layers)
    return np.where(crosses_layer(faces), known, plain)


def class_gain(faces: FaceTable, conductors: Conductors) -> Numbers:
    """Return by how much better the faces in line with the steps of an interface conduct, shape (3, n_classes).

    Both of a crossing and of a face beside it, 0 where there are no steps.
    """
    area, length = (values[:, None] for values in faces.face_geometry())
    near, beyond = faces.phases[:, 0].astype(np.intp), faces.beyond.astype(np.intp)
    interface = conductors.pair[0, near, beyond] * faces.step_factor / area
    with np.errstate(divide="ignore", invalid="ignore"):
        resistivity = 1.0 / conductors.phase
        half_cells = 0.5 * length * (resistivity[near] + resistivity[beyond]) / area
        beside_insulator = np.inf if faces.smooth_insulators else 0.0
        excess = np.where(np.isfinite(half_cells), interface / half_cells, beside_insulator)
    gain = gain_beside_steps(excess, tilt_share(faces.step_factor))
    return np.where(faces.steps != PLAIN, gain, 0.0)


def class_conductance(
    faces: FaceTable, conductors: Conductors, gain: Numbers, resistance: Numbers, direct: Conductors | None = None
) -> Numbers:
    """Return the conductance [S] of every class along each axis, shape (3, n_classes).

    Parameters
    ----------
    faces : FaceTable
        The classes.
    conductors : Conductors
        What their parts conduct.
    gain, resistance : ndarrays
        `class_gain` and `class_resistance` of them.
    direct : Conductors, optional
        The same at direct current, where `conductors` are complex: what is a matter of more or less is settled by them.
    """
    area, length = (values[:, None] for values in faces.face_geometry())
    low, high = conductors.side
    film = conductors.film[faces.film] * faces.film_weight
    lead = np.where(faces.film_across, 2.0 * film, 0.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        half_cell = 0.5 * length * (1.0 + faces.spreading) / area
        side_low = _half_cell_conductance(low, half_cell) + lead
        side_high = _half_cell_conductance(high, half_cell) + lead
        crossing = resistance * faces.area_factor / area
        bulk = 1.0 / side_low + 1.0 / side_high
        total = np.where(faces.steps == BESIDE, bulk / (1.0 + gain), bulk * (1.0 + 2.0 * gain / (1.0 + gain)) + crossing)
        conductance = np.where(np.isfinite(total), 1.0 / total, 0.0)
    if conductors.layers is not None:
        conductance = with_layers(faces, conductance, conductors.layers, None if direct is None else direct.layers)
    conductance += np.where(faces.film_across, 0.0, film)
    conductance[:, BLOCKED] = 0.0
    return np.ascontiguousarray(conductance)


def _half_cell_conductance(sigma: Numbers, length_over_area: NDArray[np.float64]) -> Numbers:
    """Return sigma / length_over_area [S] of half cells; 0 where sigma is."""
    return np.where(sigma != 0.0, sigma / length_over_area, 0.0)
