"""How a current may spread over the faces of a contact: a few flux modes, the first of them uniform.

Mode 0 is a current of 1 A that divides as if both sides were equipotential, by the conductances of the faces; where these
are alike, it is uniform. The other modes are the same times a function of the place or of the direction of a face, and carry
no net current. Any set of modes gives a lower bound of the conductance (Thomson's principle), more of them a closer one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.percolation.grains.grain_faces import GrainFaces
from microstructures.errors import InputError, did_you_mean
from microstructures.jit import kernel

MODES = ("plain", "linear", "tilted", "quadratic")
"""Modes of a contact: the first alone; with the two first moments of position in its plane; with the three directions of the
current as well, as far as its faces look along them; with the three second moments too."""
WIDTHS = (1, 3, 6, 9)
"""Modes of a contact at most."""
LEAST_FACES = 12
"""Contacts of fewer faces have the first mode only."""
WEAK = 0.05
"""So have those whose faces conduct less than this share of what all do in the mean, weighted by their conductance."""
INDEPENDENT = 1e-2
"""Least part of a mode, as a share of its own norm, that those before it do not hold already."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class FluxModes:
    """Flux modes of all contacts.

    Attributes
    ----------
    start : ndarray of shape (m + 1,), int64
        First mode of each contact.
    shape : ndarray of shape (k, width)
        Current [A] through each face in every mode of its contact, from the first to the second node; 0 beyond its last.
    """

    start: Integers
    shape: Array


def flux_modes(faces: GrainFaces, shape: tuple[int, int, int], area_m2: Array, conductance_S: Array, modes: str) -> FluxModes:
    """Choose the modes of every contact.

    Parameters
    ----------
    faces : GrainFaces
        Faces by contact.
    shape : tuple of int
        Voxels of the structure.
    area_m2 : ndarray of shape (3,)
        Area of a face along each axis.
    conductance_S : ndarray of shape (k,)
        Conductance of each face.
    modes : str
        One of `MODES`.

    Raises
    ------
    InputError
        If there are no such modes.
    """
    if modes not in MODES:
        raise InputError(f"modes are '{modes}'{did_you_mean(modes, MODES)}; allowed: {', '.join(MODES)}")
    near = np.where(faces.voxels[:, 0] >= 0, faces.voxels[:, 0], faces.voxels[:, 1])
    step = np.where(faces.voxels[:, 0] >= 0, 0.5, -0.5) * faces.sign
    place = np.stack(np.unravel_index(near, shape), axis=1).astype(np.float64)
    place[np.arange(len(near)), faces.axis] += step
    size = area_m2.prod() ** 0.5 / area_m2
    rank = MODES.index(modes)
    out = np.zeros((len(near), WIDTHS[rank]))
    count = np.ones(len(faces), dtype=np.int64)
    weak = WEAK * (conductance_S @ conductance_S) / max(conductance_S.sum(), np.finfo(np.float64).tiny)
    _shape(faces.start, faces.axis, faces.sign, place, np.array(shape), size, conductance_S, rank, weak, out, count)
    return FluxModes(np.concatenate(([0], np.cumsum(count))), out)


@kernel
def _shape(start, axis, sign, place, box, size, conductance, rank, weak, out, count):  # type: ignore[no-untyped-def]
    for contact in range(len(start) - 1):
        first, last = start[contact], start[contact + 1]
        n = last - first
        weight = conductance[first:last] / conductance[first:last].sum()
        out[first:last, 0] = weight
        if n < LEAST_FACES or rank == 0 or conductance[first:last].sum() < weak * n:
            continue
        candidates = _candidates(axis[first:last], sign[first:last], place[first:last], box, size, weight)
        held, used = np.zeros((WIDTHS[-1], n)), 0
        for c in range(WIDTHS[rank]):
            mode = candidates[c].copy()
            norm = np.sqrt((weight * mode * mode).sum())
            for _ in range(2):
                for h in range(used):
                    mode -= (weight * mode * held[h]).sum() * held[h]
            rest = np.sqrt((weight * mode * mode).sum())
            if rest > INDEPENDENT * norm:
                held[used] = mode / rest
                out[first:last, used] = weight * held[used]
                used += 1
        count[contact] = used


@kernel
def _candidates(axis, sign, place, box, size, weight):  # type: ignore[no-untyped-def]
    """Return the functions by which the first mode is multiplied: 1, place along two axes, direction, squares of the places."""
    n = len(axis)
    at = np.empty((n, 3))
    for f in range(n):
        for d in range(3):
            gap = place[f, d] - place[0, d]
            at[f, d] = (gap - box[d] * np.round(gap / box[d])) * size[d]
    for d in range(3):
        at[:, d] -= (weight * at[:, d]).sum()
    spread = np.empty((3, 3))
    for a in range(3):
        for b in range(3):
            spread[a, b] = (weight * at[:, a] * at[:, b]).sum()
    _, axes = np.linalg.eigh(spread)
    out = np.zeros((WIDTHS[-1], n))
    for f in range(n):
        out[0, f] = 1.0
        for d in range(3):
            out[1, f] += at[f, d] * axes[d, 2]
            out[2, f] += at[f, d] * axes[d, 1]
        out[3 + axis[f], f] = sign[f]
        u, v = out[1, f], out[2, f]
        out[6, f], out[7, f], out[8, f] = u * u, u * v, v * v
    return out
