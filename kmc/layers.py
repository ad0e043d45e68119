"""What a face conducts that lies near a thin reaction layer.

The layer takes the place of the donor from -p t to 0 and of the host from 0 to (1-p) t, p the donor's share of its
thickness t, measured from the plane where both meet. Across it, resistances add along the straight line between the two
voxels; along it, conductances add over the width of the face. On a layer along the grid both are exact, whatever t. On a
tilted one a layer that conducts better than the worse of its neighbours is spread over the faces like a film, one that
conducts worse is crossed piece by piece. At a frequency the numbers are complex, and what a layer is like is settled by those at
direct current: a law that changed with the frequency would no longer be that of a passive network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.faces import FaceTable
from kmc.faces.thin_shells import SPREAD_HALF_WIDTH

Array = NDArray[np.float64]
Numbers = NDArray[Any]
"""Real at direct current, complex at a frequency."""
STEEP = 0.25
"""A face whose voxels differ by less than this [voxels] in distance leads along the layer rather than across it."""
USUAL_STEP = 0.7
"""How much [voxels] the distance from a tilted plane changes from a voxel to the next, typically."""


@dataclass(frozen=True)
class LayerConductors:
    """What the product conducts, and what it costs to enter it, for one carrier at one temperature, real or complex.

    Attributes
    ----------
    product, donor, host : float
        Conductivities [S/m].
    boundary : float
        Resistance between two grains of the product [ohm m^2].
    entry : float
        Resistance of donor|product and product|host together [ohm m^2].
    """

    product: complex
    donor: complex
    host: complex
    boundary: complex
    entry: complex


def layer_resistance(faces: FaceTable, conductors: LayerConductors, direct: LayerConductors | None = None) -> Numbers:
    """Return the area-specific resistance [ohm m^2] of every class that crosses a layer, 0 elsewhere.

    Both interfaces and the layer, less what the replaced lengths of donor and host resisted; at least the interfaces.
    `direct`: the layer's at direct current, where `conductors` are complex.
    """
    assert faces.shells is not None
    thickness, share = faces.shells.thickness[faces.shells.bin], faces.shells.donor_share
    return np.where(crosses_layer(faces), conductors.entry + thickness * _excess(conductors, direct or conductors, share), 0.0)


def crosses_layer(faces: FaceTable) -> NDArray[np.bool_]:
    """Return which classes lie between donor and host of a listed pair."""
    assert faces.shells is not None
    return np.asarray((faces.shells.bin >= 0) & (faces.phases[:, 0] != faces.phases[:, 1]))


def with_layers(
    faces: FaceTable, plain: Numbers, conductors: LayerConductors, direct: LayerConductors | None = None
) -> Numbers:
    """Return the conductances of all classes with the thin layers in place.

    Parameters
    ----------
    faces : FaceTable
        Classes, of cubic voxels.
    plain : ndarray of shape (3, n_classes)
        What they conduct without layers, films along them left out [S].
    conductors : LayerConductors
        The layer's.
    direct : LayerConductors, optional
        Those at direct current, where `conductors` are complex.
    """
    assert faces.shells is not None
    at, h = np.flatnonzero(faces.shells.bin >= 0), faces.structure.voxel_size[0]
    value, around = _values(faces, at, plain[0, at] / h, conductors, direct or conductors)
    judged = (value, around) if direct is None else _values(faces, at, np.zeros(len(at)), direct, direct)
    out = plain.copy()
    out[:, at] = np.where(judged[1] > judged[0], around, value) * h
    return out


def _values(
    faces: FaceTable, at: NDArray[np.intp], bare: Numbers, conductors: LayerConductors, direct: LayerConductors
) -> tuple[Numbers, Numbers]:
    """Return what classes near a layer conduct over the length of a voxel [S/m], and what leads along it past its entry.

    `bare` is what they conduct without layers; it does not matter to those that cross one.
    """
    shells = faces.shells
    assert shells is not None
    h = faces.structure.voxel_size[0]
    low, high = shells.low[at], shells.high[at]
    first = -shells.donor_share * shells.thickness[shells.bin[at]] / h
    last = (1.0 - shells.donor_share) * shells.thickness[shells.bin[at]] / h
    middle, width = 0.5 * (low + high), high - low
    cost = faces.area_factor[at] / h
    across = crosses_layer(faces)[at]
    grain = np.where(faces.interface[at] & ~across, conductors.boundary, 0.0) * cost
    with np.errstate(divide="ignore", invalid="ignore"):
        product = 1.0 / (resistivity(conductors.product) + grain)
        from_donor = 0.5 * np.minimum(1.0, np.where(low < 0.0, first / low, 0.0))
        from_host = 0.5 * np.minimum(1.0, np.where(high > 0.0, last / high, 0.0))
        rest_donor = _part(0.5 - from_donor, conductors.donor)
        rest_host = _part(0.5 - from_host, conductors.host)
        series_across = rest_donor + rest_host + _part(from_donor + from_host, conductors.product)
        through = _overlap(low, high, first, last) / np.where(width > 0.0, width, 1.0)
        series_within = _part(1.0 - through, bare) + _part(through, product)
        half = np.where(across, 0.5, 0.0)
        bulk = np.where(across, 1.0 / (_part(half, conductors.donor) + _part(half, conductors.host)), bare)
        worse_by = _excess(conductors, direct, shells.donor_share) * (last - first)
        crossed = _crossed(low, high, first, last)
        in_steps = 1.0 / (1.0 / bulk + np.where(crossed > 0.0, crossed * worse_by, 0.0))
        aligned = shells.aligned[at]
        series = np.where(aligned, 1.0 / np.where(across, series_across, series_within), in_steps)
    removed = _overlap(middle - 0.5, middle + 0.5, first, last)
    spread = _below((last - middle) / SPREAD_HALF_WIDTH) - _below((first - middle) / SPREAD_HALF_WIDTH)
    parallel = (1.0 - removed) * bulk + spread * product
    worse, better = min(direct.donor.real, direct.host.real), direct.product.real
    like_film = better**2 / max(better**2 + worse**2, 1e-300)
    weight = 1.0 - (1.0 - like_film) * np.minimum(1.0, width / STEEP)
    weight = np.where(aligned, np.where(width == 0.0, 1.0, 0.0), weight)
    value = parallel**weight * series ** (1.0 - weight)
    around = np.where(across & ~aligned, _beside_entry(direct, h) * spread * conductors.product, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(across, 1.0 / (1.0 / value + conductors.entry * cost), value)
    return value, around


def resistivity(conductivity: complex) -> complex:
    """Return 1 / conductivity [ohm m], infinite for an insulator."""
    return 1.0 / conductivity if conductivity != 0.0 else np.inf


def _excess(conductors: LayerConductors, direct: LayerConductors, donor_share: float) -> complex:
    """Return how much more than what it replaces the product resists [ohm m]; 0 if it resists less at direct current."""
    if _more(direct, donor_share).real <= 0.0:
        return 0.0
    return _more(conductors, donor_share)


def _more(conductors: LayerConductors, donor_share: float) -> complex:
    """Return the resistivity of the product less that of what it replaces [ohm m], 0 where that is an insulator."""
    removed = resistivity(conductors.donor) * donor_share if donor_share > 0.0 else 0.0
    removed += resistivity(conductors.host) * (1.0 - donor_share) if donor_share < 1.0 else 0.0
    return resistivity(conductors.product) - removed if np.isfinite(removed) else 0.0


def _beside_entry(direct: LayerConductors, voxel: float) -> float:
    """Return how far a tilted layer may run on through the steps of the plane where its entry resists: 0 to 1.

    The layer lies on one side of its interfaces but is spread over both. Where a neighbour resists more than the entry, a
    way around the entry leads nowhere else than back into the layer; where both neighbours conduct, it would be a leak.
    """
    bulk = voxel * resistivity(min(direct.donor.real, direct.host.real)).real
    return 1.0 / (1.0 + (direct.entry.real / bulk) ** 2) if np.isfinite(bulk) else 1.0


def _crossed(low: Array, high: Array, first: Array, last: Array) -> Array:
    """Return the share of a tilted layer that lies between two voxels, over the cosine of the tilt.

    The layer is drawn together by the usual distance of the voxels, so that as many faces meet it as it is thick: a face
    that it cuts is as good as blocked in the directions along the layer as well.
    """
    half = 0.5 * np.maximum(last - first - USUAL_STEP, 1e-3)
    middle = 0.5 * (first + last)
    return np.asarray(_overlap(low, high, middle - half, middle + half) / (2.0 * half) / np.maximum(high - low, STEEP))


def _part(length: Array, conductivity: complex | Numbers) -> Numbers:
    """Return the resistance of a length, 0 for none even of an insulator."""
    return np.where(length > 0.0, length / np.maximum(conductivity, 0.0), 0.0)


def _overlap(low: Array, high: Array, first: Array, last: Array) -> Array:
    """Return the length that the intervals low..high and first..last share."""
    return np.maximum(np.minimum(high, last) - np.maximum(low, first), 0.0)


def _below(x: Array) -> Array:
    """Return the integral of the raised cosine of half width 1 from -1 to x."""
    y = np.clip(x, -1.0, 1.0)
    return np.asarray(0.5 * (1.0 + y + np.sin(np.pi * y) / np.pi))
