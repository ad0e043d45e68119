"""Utilisation: how much of the active material both ions and electrons can reach.

A grain of active material works if lithium and electrons arrive at it. It counts as reached by a carrier if a voxel of it
lies in a percolating cluster of the carrier's fast network (`kmc.percolation.clusters.fast_network`), or shares a conducting face
with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.connectivity import label_clusters
from kmc.network import Network
from kmc.percolation.clusters.fast_network import LEAST_SHARE, faces_of, fast_phases
from kmc.percolation.contacts.pieces import piece_surface_m2
from microstructures.errors import InputError, did_you_mean
from microstructures.jit import kernel
from microstructures.notebook import InNotebook
from microstructures.segment.connected import connected_pieces


@dataclass(frozen=True)
class Utilisation(InNotebook):
    """What both carriers reach, along one axis.

    Attributes
    ----------
    active : str
        Phase of the active material.
    axis : "x", "y" or "z"
        Direction of transport.
    fraction : float
        Share of its volume in grains that both carriers reach.
    ion_fraction, electron_fraction : float
        Share in grains that ions, and electrons, reach.
    surface_fraction : float
        Share of the surface of the active material where ions enter grains that electrons reach: voxel faces, a point
        contact counted with its true area.
    surface_per_volume_per_m : float
        That area over the volume of the active material [1/m].
    grains, grains_used : int
        Number of pieces of active material, and of those that both reach.
    ion_phases, electron_phases : tuple of str
        Phases of the fast networks.
    """

    active: str
    axis: str
    fraction: float
    ion_fraction: float
    electron_fraction: float
    surface_fraction: float
    surface_per_volume_per_m: float
    grains: int
    grains_used: int
    ion_phases: tuple[str, ...]
    electron_phases: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "active": self.active,
            "fraction": self.fraction,
            "ion_fraction": self.ion_fraction,
            "electron_fraction": self.electron_fraction,
            "surface_fraction": self.surface_fraction,
            "surface_per_volume_per_m": self.surface_per_volume_per_m,
            "grains": self.grains,
            "grains_used": self.grains_used,
            "ion_phases": list(self.ion_phases),
            "electron_phases": list(self.electron_phases),
        }


def default_active(ion: Network, electron: Network) -> str | None:
    """Return the phase that is fast for electrons, slow for ions, and touches a fast ion conductor; LFP in LFP/LATP.

    Of several the one of largest volume; None if there is none.
    """
    faces = ion.faces
    fast, open_ = fast_phases(ion), (ion.conductance > 0.0).any(axis=0)
    candidates = fast_phases(electron) & ~fast & (ion.phase_conductivity > 0.0)
    phases = faces.phases.astype(np.intp)
    touches = np.zeros(len(faces.phase_names), dtype=np.bool_)
    for side in (0, 1):
        touches[phases[open_ & fast[phases[:, 1 - side]], side]] = True
    volume = np.bincount(faces.phase_of_label[ion.structure.labels.ravel()], minlength=len(touches))
    volume = np.where(candidates & touches, volume, 0)
    return faces.phase_names[int(volume.argmax())] if volume.any() else None


def utilisation(
    ion: Network,
    electron: Network,
    *,
    active: str | None = None,
    axes: tuple[int, ...] = (0, 1, 2),
    periodic: bool = False,
    least_share: float = LEAST_SHARE,
) -> dict[int, Utilisation] | None:
    """Find how much of the active material both carriers reach.

    Parameters
    ----------
    ion, electron : Network
        Both networks of one structure.
    active : str, optional
        Phase of the active material; see `default_active` unless given.
    axes : tuple of int
        Directions of transport.
    periodic : bool
        Whether a network percolates by winding around the box instead of joining both plates.
    least_share : float
        What counts as fast; see `fast_phases`.

    Returns
    -------
    dict of axis to Utilisation, or None
        None if no phase is named and none qualifies.

    Raises
    ------
    InputError
        If the networks belong to different structures or the same carrier, or the phase is not in the structure.
    """
    if ion.structure is not electron.structure or (ion.carrier, electron.carrier) != ("ion", "electron"):
        raise InputError("utilisation needs the ion network and the electron network of one structure, in this order")
    names = ion.faces.phase_names
    name = default_active(ion, electron) if active is None else active
    if name is None:
        return None
    if name not in names:
        raise InputError(f"active phase '{name}' is not in the structure{did_you_mean(name, names)}")
    inside = ion.faces.phase_of_label[ion.structure.labels] == names.index(name)
    if not inside.any():
        raise InputError(f"active phase '{name}' has no voxels; name a phase that the structure holds")
    grains = ion.structure.grains
    ids = connected_pieces(inside.astype(np.uint8), (periodic,) * 3) if grains is None else _number(np.where(inside, grains, 0))
    voxels = np.bincount(ids.ravel())[1:]
    looks = [_Look(network, ids, periodic, least_share) for network in (ion, electron)]
    surface = float(piece_surface_m2(inside.astype(np.int32), 1, ion.faces.face_geometry()[0], periodic)[0])
    return {axis: _along(axis, name, voxels, looks, surface, ion) for axis in axes}


class _Look:
    """What the fast network of one carrier reaches."""

    def __init__(self, network: Network, ids: NDArray[np.int32], periodic: bool, least_share: float) -> None:
        chosen = fast_phases(network, least_share=least_share)
        self.network, self.ids, self.periodic = network, ids, periodic
        self.phases = tuple(name for name, fast in zip(network.faces.phase_names, chosen, strict=True) if fast)
        self.open = np.asarray((network.conductance > 0.0).any(axis=0))
        self.clusters = label_clusters(network, periodic=periodic, conducts=faces_of(network, chosen))
        area = network.faces.face_geometry()[0][:, None] * np.ones(len(self.open))
        self.area = np.where(network.faces.point_contact, area / network.faces.area_factor, area)

    def reach(self, axis: int, count: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return which pieces are reached, and through which area [m^2], shapes (n_pieces,)."""
        spans = np.ascontiguousarray(self.clusters.spans[:, axis])
        held = np.zeros(count + 1, dtype=np.bool_)
        entry = np.zeros(count + 1)
        of_axis = self.network.faces.of_axis
        _touch(self.ids, self.clusters.ids, spans, *of_axis, self.open, self.area, self.periodic, held, entry)
        return held[1:], entry[1:]


def _along(axis: int, name: str, voxels: NDArray[np.int64], looks: list[_Look], surface_m2: float, ion: Network) -> Utilisation:
    (by_ion, entry), (by_electron, _) = (look.reach(axis, len(voxels)) for look in looks)
    both = by_ion & by_electron
    volume, used = float(voxels.sum()), float(entry[both].sum())
    return Utilisation(
        active=name,
        axis=AXES[axis],
        fraction=float(voxels[both].sum()) / volume,
        ion_fraction=float(voxels[by_ion].sum()) / volume,
        electron_fraction=float(voxels[by_electron].sum()) / volume,
        surface_fraction=used / surface_m2 if surface_m2 > 0.0 else 0.0,
        surface_per_volume_per_m=used / (volume * float(np.prod(ion.structure.voxel_size))),
        grains=len(voxels),
        grains_used=int(both.sum()),
        ion_phases=looks[0].phases,
        electron_phases=looks[1].phases,
    )


def _number(grains: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return grain ids without gaps, from 1; 0 stays 0."""
    present = np.bincount(grains.ravel()) > 0
    present[0] = False
    return np.where(present, np.cumsum(present), 0).astype(np.int32)[grains]


@kernel
def _touch(ids, clusters, spans, of_x, of_y, of_z, open_, area, periodic, held, entry):  # type: ignore[no-untyped-def]
    """Mark the pieces in or beside a spanning cluster, and add up the area of the faces in between."""
    nx, ny, nz = ids.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                own, through = ids[i, j, k], spans[clusters[i, j, k]]
                if own > 0 and through:
                    held[own] = True
                for axis in range(3):
                    i1, j1, k1, face = i, j, k, np.int64(of_x[i, j, k])
                    if axis == 0:
                        i1 += 1
                    elif axis == 1:
                        j1, face = j + 1, np.int64(of_y[i, j, k])
                    else:
                        k1, face = k + 1, np.int64(of_z[i, j, k])
                    if i1 == nx or j1 == ny or k1 == nz:
                        if not periodic:
                            continue
                        i1, j1, k1 = i1 % nx, j1 % ny, k1 % nz
                    other = ids[i1, j1, k1]
                    if not open_[face] or (own > 0) == (other > 0):
                        continue
                    if own > 0 and spans[clusters[i1, j1, k1]]:
                        held[own] = True
                        entry[own] += area[axis, face]
                    elif other > 0 and through:
                        held[other] = True
                        entry[other] += area[axis, face]
