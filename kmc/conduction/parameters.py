"""The numbers of a materials file that a network is made of, and how every face answers to each of them.

The answer of a face class, d ln(g) / d ln(p), is taken from the network itself: its table of conductances for two values
of p a hair apart. So whatever a face is made of (half cells, interface, film, point contact, thin layer) has its part, and
because conductances are homogeneous in all p together, the parts of a class sum to 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.interfaces import resistance_ohm_m2, sheet_conductance_S
from kmc.network import Network
from kmc.rates import conductivity_S_per_m
from microstructures.materials import Carrier, Materials
from microstructures.materials.schema import Conductor, FilmConductor, InterfaceConductor

STEP = 1e-4
"""Step of ln(p); central, so that the error of an answer is of the order of its square."""


@dataclass(frozen=True)
class Parameter:
    """One number of a materials file, at the temperature of a network.

    Attributes
    ----------
    kind : "phase", "interface", "contact" or "film"
        Table of the materials file; a contact is the point contact of a pressed powder.
    name : str
        "A" of a phase, "A|B" of the others (the bearer of a film first).
    value : float
        Conductivity [S/m], area-specific resistance [ohm m^2] or sheet conductance [S].
    unit : str
        Its unit.
    """

    kind: str
    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class ScaledMaterials(Materials):
    """Materials of which one number conducts `factor` times as well: a resistance is divided by it."""

    kind: str = "phase"
    pair: tuple[str, ...] = ()
    factor: float = 1.0

    def conductor(self, name: str, carrier: Carrier) -> Conductor | None:
        """Return how a phase conducts a carrier, scaled where it is the one."""
        found = super().conductor(name, carrier)
        if found is None or (self.kind, self.pair) != ("phase", (name,)):
            return found
        if found.conductivity_S_per_m is not None:
            return found.model_copy(update={"conductivity_S_per_m": found.conductivity_S_per_m * self.factor})
        return found.model_copy(update={"attempt_frequency_Hz": (found.attempt_frequency_Hz or 0.0) * self.factor})

    def interface(self, a: str, b: str, carrier: Carrier) -> InterfaceConductor | None:
        """Return the interface a|b, scaled where it is the one."""
        found = super().interface(a, b, carrier)
        return self._better(found) if self.kind == "interface" and self.pair == tuple(sorted((a, b))) else found

    def contact(self, a: str, b: str, carrier: Carrier) -> InterfaceConductor | None:
        """Return the point contact a|b, scaled where it is the one."""
        found = super().contact(a, b, carrier)
        return self._better(found) if self.kind == "contact" and self.pair == tuple(sorted((a, b))) else found

    def film(self, bearer: str, neighbour: str, carrier: Carrier) -> FilmConductor | None:
        """Return the film that `bearer` carries towards `neighbour`, scaled where it is the one."""
        found = super().film(bearer, neighbour, carrier)
        if found is None or (self.kind, self.pair) != ("film", (bearer, neighbour)):
            return found
        return found.model_copy(update={"sheet_conductance_S": found.sheet_conductance_S * self.factor})

    def _better(self, found: InterfaceConductor | None) -> InterfaceConductor | None:
        if found is None:
            return None
        if found.area_specific_resistance_ohm_m2 is not None:
            resistance = found.area_specific_resistance_ohm_m2 / self.factor
            return found.model_copy(update={"area_specific_resistance_ohm_m2": resistance})
        return found.model_copy(update={"attempt_frequency_Hz": (found.attempt_frequency_Hz or 0.0) * self.factor})


def find_parameters(network: Network) -> tuple[Parameter, ...]:
    """Return every number of the materials that may decide what a network conducts: phases, interfaces, contacts, films."""
    return tuple(_parameters(network))


def answers(network: Network, parameter: Parameter) -> NDArray[np.float64]:
    """Return d ln(g) / d ln(p) of every face class, shape (3, n_classes); of a resistance, p is its inverse.

    Examples
    --------
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> network = build_network(VoxelStructure.from_labels(np.full((2, 2, 2), 2), voxel_nm=25, phases={2: "LATP"}))
    >>> answers(network, find_parameters(network)[0])[0].round(6).tolist()
    [0.0, 1.0]
    """
    pair = tuple(parameter.name.split("|"))
    low, high = (_scaled(network, parameter.kind, pair, np.exp(sign * STEP)).conductance for sign in (-1.0, 1.0))
    conducts = (low > 0.0) & (high > 0.0)
    ratio = np.divide(high, low, out=np.ones_like(high), where=conducts)
    return np.asarray(np.log(ratio) / (2.0 * STEP))


def _scaled(network: Network, kind: str, pair: tuple[str, ...], factor: float) -> Network:
    known = network.materials
    scaled = ScaledMaterials(file=known.file, origin=known.origin, kind=kind, pair=pair, factor=float(factor))
    return Network(network.faces, scaled, network.carrier, network.temperature_C)


def _parameters(network: Network) -> Iterator[Parameter]:
    faces, known, carrier, celsius = network.faces, network.materials, network.carrier, network.temperature_C
    reference = known.reference_temperature_C
    names = list(faces.phase_names)
    crossed = {(names[int(a)], names[int(b)], bool(c)) for a, b, c in _interface_pairs(network)}
    if faces.shells is not None:
        layer = (faces.shells.donor, faces.shells.product, faces.shells.host)
        crossed |= {(layer[0], layer[1], False), (layer[1], layer[2], False), (layer[1], layer[1], False)}
        names += [name for name in layer if name not in names]
    for name in names:
        value = conductivity_S_per_m(known.conductor(name, carrier), celsius, reference)
        if value > 0.0:
            yield Parameter("phase", name, value, "S/m")
    seen = set()
    for a, b, pressed in sorted(crossed):
        own = pressed and known.contact(a, b, carrier) is not known.interface(a, b, carrier)
        key = ("contact" if own else "interface", *sorted((a, b)))
        table = known.contact(a, b, carrier) if own else known.interface(a, b, carrier)
        value = resistance_ohm_m2(table, celsius, reference)
        if value > 0.0 and key not in seen:
            seen.add(key)
            yield Parameter(key[0], "|".join(key[1:]), value, "ohm m2")
    for bearer, neighbour in faces.film_pairs:
        value = sheet_conductance_S(known.film(bearer, neighbour, carrier), celsius, reference)
        if value > 0.0:
            yield Parameter("film", f"{bearer}|{neighbour}", value, "S")


def _interface_pairs(network: Network) -> NDArray[np.int64]:
    """Return both phases of every class with an interface, and whether it is a point contact, each once."""
    faces = network.faces
    at = faces.interface
    rows = np.column_stack([faces.phases[at], faces.point_contact[at]]).astype(np.int64)
    return np.unique(rows, axis=0) if len(rows) else np.zeros((0, 3), dtype=np.int64)
