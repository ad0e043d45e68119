"""The current through every contact of two grains, and which contacts bear the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.conduction.face_currents import face_currents, plate_currents
from kmc.conduction.fields import block_length_m
from kmc.conduction.steady import AxisSolution
from kmc.network import Network
from kmc.pieces import carrying_phases, label_pieces
from microstructures.notebook import InNotebook

if TYPE_CHECKING:
    import pandas as pd

PLATES = ("low plate", "high plate")
Integers = NDArray[np.int64]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class ContactCurrents(InNotebook):
    """What flows between grains for a mean field of 1 V/m; one entry for every pair that touches and conducts.

    Attributes
    ----------
    grain : ndarray of shape (n, 2), int64
        Both grains; 0 is what has no grain (pores that carry a film), or a plate.
    side : ndarray of shape (n, 2), int64
        Position of the phase of each side in `names`.
    names : tuple of str
        Phases, then the low and the high plate.
    carries : ndarray of shape (n_names,), bool
        Which of them are phases that conduct or bear a film; into others a film is only spread.
    point_contact : ndarray of shape (n,), bool
        Whether the pair is joined by a point contact.
    faces : ndarray of shape (n,), int64
        Voxel faces between both.
    area_m2 : ndarray of shape (n,)
        True area of the contact [m^2] where it has an interface resistance or is a point contact, else of its voxel faces.
    current_A : ndarray of shape (n,)
        Net current [A] from the first to the second. In a small periodic box a pair may touch twice, and both count.
    total_A : float
        Current [A] through the whole block.
    """

    grain: Integers
    side: Integers
    names: tuple[str, ...]
    carries: NDArray[np.bool_]
    point_contact: NDArray[np.bool_]
    faces: Integers
    area_m2: Array
    current_A: Array
    total_A: float

    def __len__(self) -> int:
        """Return the number of contacts, plates included."""
        return len(self.current_A)

    @property
    def share(self) -> Array:
        """Return the size of each current over that of the whole block."""
        return np.abs(self.current_A) / self.total_A if self.total_A > 0.0 else np.zeros(len(self))

    @property
    def between_grains(self) -> NDArray[np.bool_]:
        """Return which entries are contacts of two grains, rather than of a grain with a plate or with its own film."""
        return np.asarray(self.carries[self.side].all(axis=1))

    def most_loaded(self, count: int = 10) -> list[dict[str, Any]]:
        """Return the contacts between grains with the largest currents as plain values, largest first."""
        inner = np.flatnonzero(self.between_grains)
        order = inner[np.argsort(-np.abs(self.current_A[inner]), kind="stable")[:count]]
        return [self._entry(int(at)) for at in order]

    def by_interface(self) -> dict[str, dict[str, float]]:
        """Return contacts, area [m^2] and summed sizes of currents over the total of each class of interface, "A|B"."""
        found: dict[str, dict[str, float]] = {}
        for at in np.flatnonzero(self.between_grains):
            entry = found.setdefault(self._interface(int(at)), {"contacts": 0, "area_m2": 0.0, "current_over_total": 0.0})
            entry["contacts"] += 1
            entry["area_m2"] += float(self.area_m2[at])
            entry["current_over_total"] += float(self.share[at])
        return found

    def net_currents_A(self) -> dict[tuple[int, str], float]:
        """Return what flows out of every grain less what flows in, by grain and phase; 0 but for the plates (Kirchhoff)."""
        out: dict[tuple[int, str], float] = {}
        for end, sign in ((0, 1.0), (1, -1.0)):
            for grain, side, current in zip(self.grain[:, end], self.side[:, end], self.current_A, strict=True):
                key = (int(grain), self.names[int(side)])
                out[key] = out.get(key, 0.0) + sign * float(current)
        return out

    def to_frame(self) -> pd.DataFrame:
        """Return all entries as a table, largest current first."""
        import pandas as pd

        names = np.array(self.names)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = np.where(self.area_m2 > 0.0, np.abs(self.current_A) / self.area_m2, 0.0)
        table = pd.DataFrame(
            {
                "grain_a": self.grain[:, 0],
                "grain_b": self.grain[:, 1],
                "phase_a": names[self.side[:, 0]],
                "phase_b": names[self.side[:, 1]],
                "interface": [self._interface(at) for at in range(len(self))],
                "point_contact": self.point_contact,
                "faces": self.faces,
                "area_m2": self.area_m2,
                "current_A": self.current_A,
                "current_density_A_per_m2": density,
                "share": self.share,
            }
        )
        return table.iloc[np.argsort(-self.share, kind="stable")].reset_index(drop=True)

    def to_dict(self, count: int = 10) -> dict[str, Any]:
        """Return a summary as plain values: number, current by class of interface, the most loaded contacts."""
        return {
            "contacts": int(self.between_grains.sum()),
            "normalisation": "mean field of 1 V/m along the axis",
            "current_A": self.total_A,
            "by_interface": self.by_interface(),
            "most_loaded": self.most_loaded(count),
        }

    def _interface(self, at: int) -> str:
        return "|".join(sorted(self.names[int(side)] for side in self.side[at]))

    def _entry(self, at: int) -> dict[str, Any]:
        return {
            "grains": [int(grain) for grain in self.grain[at]],
            "interface": self._interface(at),
            "point_contact": bool(self.point_contact[at]),
            "area_m2": float(self.area_m2[at]),
            "current_A": float(self.current_A[at]),
            "share": float(self.share[at]),
        }


def contact_currents(network: Network, solution: AxisSolution) -> ContactCurrents:
    """Return the current through the contact of every pair of grains, and between grains and plates.

    Grains are those of the structure; without any, each connected piece of a phase is one.

    Parameters, errors: see `kmc.conduction.face_currents.face_currents`.

    Examples
    --------
    >>> from kmc.conduction.conduct import conduct
    >>> from microstructures.structure import VoxelStructure
    >>> grains = np.repeat([1, 2], 4)[:, None, None] * np.ones((1, 4, 4), int)
    >>> structure = VoxelStructure.from_labels(np.full((8, 4, 4), 2), voxel_nm=25, phases={2: "LATP"}, grains=grains)
    >>> result = conduct(structure, keep_potential=True)
    >>> found = contact_currents(result.network, result.solutions[0])
    >>> [(entry["grains"], round(entry["share"], 9)) for entry in found.most_loaded()]
    [([1, 2], 1.0)]
    """
    faces = network.faces
    body, grain, side = _bodies(network)
    n_bodies = len(grain) + len(PLATES)
    area, _ = faces.face_geometry()
    keys, flows, areas, points = [], [], [], []
    for axis in range(3):
        flow = face_currents(network, solution, axis)
        after = np.roll(body, -1, axis=axis)
        at = np.flatnonzero((flow != 0.0) & (body != after))
        first, second = body.ravel()[at].astype(np.int64), after.ravel()[at].astype(np.int64)
        keys.append(np.minimum(first, second) * n_bodies + np.maximum(first, second))
        flows.append(flow.ravel()[at] * np.where(first < second, 1.0, -1.0))
        classes = faces.of_axis[axis].ravel()[at]
        areas.append(area[axis] / faces.area_factor[classes])
        points.append(faces.point_contact[classes])
    axis = AXES.index(solution.axis)
    for plate, (end, flow) in enumerate(zip((0, -1), plate_currents(network, solution), strict=True)):
        at = np.flatnonzero(flow)
        beside = np.take(body, end, axis=axis).ravel()[at].astype(np.int64)
        keys.append(beside * n_bodies + len(grain) + plate)
        flows.append(flow.ravel()[at] * (-1.0 if plate == 0 else 1.0))
        areas.append(np.full(len(at), area[axis]))
        points.append(np.zeros(len(at), dtype=np.bool_))
    pairs, which = np.unique(np.concatenate(keys), return_inverse=True)
    ends = np.stack(np.divmod(pairs, n_bodies), axis=1)
    all_grains = np.concatenate([grain, np.zeros(len(PLATES), dtype=np.int64)])
    all_sides = np.concatenate([side, len(faces.phase_names) + np.arange(len(PLATES))])

    def gather(values: list[Any]) -> Array:
        return np.asarray(np.bincount(which, weights=np.concatenate(values), minlength=len(pairs)), dtype=np.float64)

    length = block_length_m(network, solution)
    cross_section = float(np.prod(network.structure.voxel_size) * network.structure.labels.size) / length
    return ContactCurrents(
        grain=all_grains[ends],
        side=all_sides[ends],
        names=(*faces.phase_names, *PLATES),
        carries=np.concatenate([carrying_phases(network), np.zeros(len(PLATES), dtype=np.bool_)]),
        point_contact=gather(points) > 0.0,
        faces=np.bincount(which, minlength=len(pairs)),
        area_m2=gather(areas),
        current_A=gather(flows) * length,
        total_A=solution.sigma_eff_S_per_m * cross_section,
    )


def _bodies(network: Network) -> tuple[NDArray[np.int32], Integers, Integers]:
    """Return the number of each voxel's body, a grain of one phase, and the grain and the phase of every body."""
    faces, structure = network.faces, network.structure
    grains = structure.grains if structure.grains is not None else label_pieces(network)[0]
    count = len(faces.phase_names)
    key = grains.astype(np.int64) * count + faces.phase_of_label[structure.labels]
    used = np.flatnonzero(np.bincount(key.ravel()))
    number = np.zeros(int(used[-1]) + 1, dtype=np.int32)
    number[used] = np.arange(len(used))
    grain, side = np.divmod(used, count)
    return number[key], grain, side
