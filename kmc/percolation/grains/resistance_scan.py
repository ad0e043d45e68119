"""Thousands of interface resistances at once: a few solved cases, and the best mixture of their currents for any other.

Currents that balance stay balanced when they are added, so the mixture that dissipates least bounds the conductivity from
below (a reduced basis: Quarteroni, Manzoni, Negri, 2016). What it costs is a system as small as the number of cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from kmc.layers import crosses_layer
from kmc.percolation.grains.grain_graph import GrainGraph, to_sigma
from microstructures.errors import InputError, did_you_mean

CASE_TOLERANCE = 1e-7
"""Share of the conductivity that the last steps of a solved case may add."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ResistanceScan:
    """Solved cases of a grain graph, ready to be mixed.

    Attributes
    ----------
    interfaces : tuple of str
        Interfaces whose resistance varies, such as "LATP|LATP".
    cases_ohm_m2 : ndarray of shape (k, n_interfaces)
        Their resistances in the solved cases [ohm m^2].
    driven : ndarray of shape (k,)
        Current of each case [A].
    heat : ndarray of shape (k, k)
        What the currents dissipate without these resistances [W].
    heat_per_ohm_m2 : ndarray of shape (n_interfaces, k, k)
        What each interface adds for 1 ohm m^2 [W].
    to_sigma : float
        L/A of the block [1/m].
    """

    interfaces: tuple[str, ...]
    cases_ohm_m2: Array
    driven: Array
    heat: Array
    heat_per_ohm_m2: Array
    to_sigma: float

    def sigma_eff(self, resistance_ohm_m2: Array | Sequence[float]) -> float:
        """Return the effective conductivity [S/m] for a resistance of every interface [ohm m^2], 0 or more."""
        values = np.asarray(resistance_ohm_m2, dtype=np.float64)
        if values.shape != (len(self.interfaces),) or not (values >= 0.0).all():
            raise InputError(f"resistances are {values.tolist()}; allowed: 0 or more for each of {', '.join(self.interfaces)}")
        heat = self.heat + np.tensordot(values, self.heat_per_ohm_m2, axes=1)
        share = np.linalg.lstsq(heat, self.driven, rcond=1e-12)[0]
        lost = float(share @ heat @ share)
        return float(self.driven @ share) ** 2 / lost * self.to_sigma if lost > 0.0 else 0.0


def scan_resistances(grains: GrainGraph, axis: int, cases_ohm_m2: Mapping[str, Sequence[float]]) -> ResistanceScan:
    """Solve a grain graph for a few resistances of some interfaces, to know it for all between.

    Only the contacts change; what steps beside them make up for (`kmc.steps`) stays as it was built.

    Parameters
    ----------
    grains : GrainGraph
        The graph.
    axis : 0, 1 or 2
        Direction of transport.
    cases_ohm_m2 : mapping of interface to values
        Area-specific resistances [ohm m^2] to solve for, every combination; best the ends of the range and one or two between.

    Raises
    ------
    InputError
        If no contact is of such a kind, or thin reaction layers lie in it.
    """
    graph, faces = grains.graph, grains.faces
    table, conductance = grains.network.faces, grains.network.interface_resistance
    area = table.face_geometry()[0]
    kinds, contact = graph.interface, faces.contact
    edge = contact < graph.n_edges
    per_ohm_m2 = []
    base = grains.face_resistance_ohm.copy()
    for name in cases_ohm_m2:
        if name not in kinds:
            known = sorted(set(kinds.tolist()))
            raise InputError(f"no contact is of kind '{name}'{did_you_mean(name, known)}; there are {', '.join(known)}")
        mine = np.zeros(len(contact), dtype=np.bool_)
        mine[edge] = kinds[contact[edge]] == name
        if table.shells is not None and crosses_layer(table)[faces.face_class[mine]].any():
            raise InputError(
                f"thin reaction layers lie in contacts of kind '{name}'; give other materials to sigma_eff instead"
            )
        own = np.where(mine, table.area_factor[faces.face_class] / area[faces.axis], 0.0)
        base -= own * conductance[faces.face_class]
        per_ohm_m2.append(own)
    cases = np.array(list(product(*cases_ohm_m2.values())), dtype=np.float64).reshape(-1, len(cases_ohm_m2))
    drive, system = grains.drive_V(axis), grains.system(axis)
    extra = [grains.blocks(own) for own in per_ohm_m2]
    plain = grains.blocks(base)
    currents: list[Array] = []
    for values in cases:
        changed = system.changed(blocks=plain + sum(value * part for value, part in zip(values, extra, strict=True)))
        guess = currents[-1] if currents else grains.solve(axis).current
        currents.append(changed.solve(drive, guess, CASE_TOLERANCE).current)
    basis = np.stack(currents)
    nothing = np.zeros_like(system.entries)
    through = np.stack([system.changed(blocks=plain).apply(current) for current in currents])
    added = [np.stack([system.changed(nothing, part).apply(current) for current in currents]) for part in extra]
    return ResistanceScan(
        interfaces=tuple(cases_ohm_m2),
        cases_ohm_m2=cases,
        driven=basis @ drive,
        heat=basis @ through.T,
        heat_per_ohm_m2=np.stack([basis @ part.T for part in added]),
        to_sigma=to_sigma(graph, axis),
    )
