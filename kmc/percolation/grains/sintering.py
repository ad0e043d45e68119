"""What sintering some contacts would bring: "if these five were sintered, the conductivity would rise by 12 %".

A contact is changed face by face: its interface gets another resistance, a point contact another radius. The gain of a few
contacts is that of a rank-one (one flux mode) or low-rank change of the reduced system (Sherman, Morrison, Woodbury).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.faces.point_contacts import SMALLEST_SHARE
from kmc.percolation.grains.grain_graph import GrainGraph
from microstructures.errors import InputError

CANDIDATES = 4
"""Contacts that are looked at for each one asked for: those that would give most if they were changed alone and by little."""
COLUMN_TOLERANCE = 1e-6
"""Share of its answer that the last steps of the solve for one mode may add."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sintering:
    """Contacts worth sintering, the best first.

    Attributes
    ----------
    contacts : ndarray of shape (n,), int64
        Edges of the contact graph.
    gain : ndarray of shape (n,)
        Relative rise of the conductivity once the first 1, 2, ... n of them are sintered: 0.1 is 10 %.
    """

    contacts: Integers
    gain: Array


def sintered_resistance_ohm(
    grains: GrainGraph, contacts: Integers, *, resistance_ohm_m2: float = 0.0, radius_factor: float = 1.0
) -> tuple[Integers, Array]:
    """Return the faces of contacts, as positions in `grains.faces`, and the resistance of each once sintered [ohm].

    Parameters
    ----------
    grains : GrainGraph
        The graph.
    contacts : ndarray, int64
        Edges of the contact graph.
    resistance_ohm_m2 : float
        Area-specific resistance of a sintered interface [ohm m^2], such as that of a grain boundary; where the interface
        resists less already, nothing changes.
    radius_factor : float
        By how much the radius of a point contact grows. Above 1 it keeps its interface, on a larger disc, and
        `resistance_ohm_m2` is for the other contacts.

    Raises
    ------
    InputError
        If there is no such contact, or a value is out of range.
    """
    chosen = np.asarray(contacts, dtype=np.int64)
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= grains.graph.n_edges):
        raise InputError(f"contacts are {chosen.tolist()}; allowed: 0 to {grains.graph.n_edges - 1}, the edges of the graph")
    if not (resistance_ohm_m2 >= 0.0 and radius_factor >= 1.0):
        raise InputError(
            f"sintered contacts with {resistance_ohm_m2} ohm m2 and a radius factor of {radius_factor}; "
            "allowed: a resistance of 0 or more and a factor of 1 or more"
        )
    known, table, network = grains.faces, grains.network.faces, grains.network
    parts = [np.arange(known.start[contact], known.start[contact + 1]) for contact in chosen.tolist()]
    at = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    kind, axis = known.face_class[at], known.axis[at]
    area, length = (values[axis] for values in table.face_geometry())
    with np.errstate(divide="ignore"):
        half_cells = 0.5 * length / area * (1.0 / network.side_conductivity[:, kind]).sum(axis=0)
    old = grains.face_resistance_ohm[at]
    per_ohm_m2 = table.area_factor[kind] / area
    own = network.interface_resistance[kind]
    flat = np.maximum(old - np.maximum(own - resistance_ohm_m2, 0.0) * per_ohm_m2, half_cells)
    point = table.point_contact[kind]
    if radius_factor > 1.0:
        widened = _widened(grains, kind, own * per_ohm_m2, half_cells, radius_factor)
    else:
        widened = old - np.maximum(own - resistance_ohm_m2, 0.0) * per_ohm_m2
    return at, np.minimum(old, np.where(point, widened, flat))


def _widened(grains: GrainGraph, kind: Integers, interface_ohm: Array, half_cells_ohm: Array, factor: float) -> Array:
    """Return the resistance of faces of point contacts at a larger radius [ohm].

    N faces of a disc of radius a share 1/(2 s a) of spreading, and R/(pi a^2); each keeps `SMALLEST_SHARE` of its half cells.
    """
    table = grains.network.faces
    of_class = np.bincount(grains.faces.face_class, minlength=table.n_classes)[kind]
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = np.sqrt(of_class / (np.pi * table.area_factor[kind]))
        wanted = np.where(radius > 0.0, of_class / (2.0 * radius), 0.0)
    share = np.maximum(1.0 + table.spreading[kind] - wanted * (1.0 - 1.0 / factor), SMALLEST_SHARE)
    return share * half_cells_ohm + interface_ohm / factor**2


def sintering_gain(
    grains: GrainGraph, contacts: Integers, axis: int, *, resistance_ohm_m2: float = 0.0, radius_factor: float = 1.0
) -> float:
    """Return the relative rise of the conductivity if these contacts were sintered: 0.1 is 10 %.

    Parameters are those of `sintered_resistance_ohm`.

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from kmc.percolation.contacts.contact_graph import build_contact_graph
    >>> from kmc.percolation.grains.grain_graph import build_grain_graph
    >>> from microstructures.structure import VoxelStructure
    >>> halves = np.repeat([1, 2], 4)[:, None, None] * np.ones((1, 3, 3), int)
    >>> pair = VoxelStructure.from_labels(halves * 0 + 2, voxel_nm=25, phases={2: "LATP"}, grains=halves)
    >>> gain = sintering_gain(build_grain_graph(build_contact_graph(build_network(pair))), np.array([0]), axis=0)
    >>> boundary, bulk = build_network(pair).interface_resistance.max(), 8 * 25e-9 / 0.9
    >>> bool(np.isclose(gain, boundary / bulk))
    True
    """
    at, sintered = sintered_resistance_ohm(
        grains, contacts, resistance_ohm_m2=resistance_ohm_m2, radius_factor=radius_factor
    )  # fmt: skip
    before = grains.sigma_eff(axis)
    if before == 0.0:
        return 0.0
    resistance = grains.face_resistance_ohm.copy()
    resistance[at] = sintered
    return grains.resolve(axis, None, resistance, COLUMN_TOLERANCE) / before - 1.0


def best_contacts_to_sinter(
    grains: GrainGraph, n: int, axis: int, *, resistance_ohm_m2: float = 0.0, radius_factor: float = 1.0
) -> Sintering:
    """Return the contacts whose sintering would raise the conductivity most, one after another.

    Greedy: each next contact is the best one given those before it. Gains are exact within the graph, by low-rank updates;
    only contacts that would give most by first order are looked at.
    """
    whole = grains.solve(axis)
    if whole.conductance_S == 0.0 or n < 1:
        return Sintering(np.zeros(0, dtype=np.int64), np.zeros(0))
    changes = _changes(grains, resistance_ohm_m2, radius_factor)
    first, start = grains.modes.start, grains.system(axis).first_block
    promise = np.zeros(grains.graph.n_edges)
    for contact in range(len(promise)):
        current = whole.current[first[contact] : first[contact + 1]]
        block = changes[start[contact] : start[contact + 1]].reshape(len(current), len(current))
        promise[contact] = current @ block @ current
    order = np.argsort(-promise, kind="stable")[: CANDIDATES * n]
    order = order[promise[order] > 0.0]
    modes = [np.arange(first[contact], first[contact + 1]) for contact in order.tolist()]
    every = np.concatenate(modes) if modes else np.zeros(0, dtype=np.int64)
    answer = _answers(grains, axis, every)
    place = np.concatenate(([0], np.cumsum([len(part) for part in modes])))
    less = [changes[start[c] : start[c + 1]].reshape(len(part), len(part)) for c, part in zip(order, modes, strict=True)]
    chosen: list[int] = []
    gains: list[float] = []
    while len(chosen) < min(n, len(order)):
        left = [m for m in range(len(order)) if m not in chosen]
        found = [_gain([*chosen, m], place, less, answer, whole.current[every]) for m in left]
        best = int(np.argmax(found))
        chosen.append(left[best])
        gains.append(found[best] / whole.conductance_S)
    return Sintering(order[chosen].astype(np.int64), np.array(gains))


def _changes(grains: GrainGraph, resistance_ohm_m2: float, radius_factor: float) -> Array:
    """Return by how much less every contact would resist [ohm], modes by modes."""
    every = np.arange(grains.graph.n_edges)
    at, sintered = sintered_resistance_ohm(grains, every, resistance_ohm_m2=resistance_ohm_m2, radius_factor=radius_factor)
    less = np.zeros(len(grains.face_resistance_ohm))
    less[at] = grains.face_resistance_ohm[at] - sintered
    return grains.blocks(less)


def _answers(grains: GrainGraph, axis: int, modes: Integers) -> Array:
    """Return the currents of some modes [A] that 1 V in each of them drives, shape (k, k)."""
    system = grains.system(axis)
    out = np.empty((len(modes), len(modes)))
    for column, mode in enumerate(modes.tolist()):
        drive = np.zeros(int(grains.modes.start[-1]))
        drive[mode] = 1.0
        out[:, column] = system.solve(drive, tolerance=COLUMN_TOLERANCE).current[modes]
    return 0.5 * (out + out.T)


def _gain(chosen: list[int], place: Integers, less: list[Array], answer: Array, current: Array) -> float:
    """Return the rise of the conductance [S] if the resistances of some contacts fell: a (1 - D K)^-1 D a."""
    rows = np.concatenate([np.arange(place[m], place[m + 1]) for m in chosen])
    change = np.zeros((len(rows), len(rows)))
    low = 0
    for m in chosen:
        high = low + len(less[m])
        change[low:high, low:high] = less[m]
        low = high
    inner = answer[np.ix_(rows, rows)]
    step = np.linalg.solve(np.eye(len(rows)) - change @ inner, change @ current[rows])
    return float(current[rows] @ step)
