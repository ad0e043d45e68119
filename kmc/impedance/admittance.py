"""What every class of faces conducts at a frequency: the direct-current formula with complex numbers.

Phases: s + i w e_r e_0, e_r = 1 where the materials give none. Interfaces and point contacts: a resistance and a capacitance
per true area side by side, R / (1 + i w R C). Films conduct as at direct current. Grains that touch as voxels but not as
particles are parted by a gap: their faces, which conduct nothing at direct current, carry displacement.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.constants import epsilon_0

from kmc.conductors import Conductors, class_conductance, class_gain, class_resistance
from kmc.interfaces import resistance_ohm_m2
from kmc.layers import LayerConductors
from kmc.network import Network
from microstructures.materials import InterfaceConductor

GAP_VOXELS = 0.5
"""Mean width of the gap [voxels] between two particles whose voxels touch: anything from none to one voxel."""

Complex = NDArray[np.complex128]


class Admittance:
    """What the classes of a network conduct at any frequency, displacement included."""

    def __init__(self, network: Network) -> None:
        """Gather permittivities and capacitances."""
        self.network = network
        names = network.faces.phase_names
        self.permittivity = np.array([self._permittivity(name) for name in names])
        self.capacitance = np.zeros((2, len(names), len(names)))
        for i, a in enumerate(names):
            for j, b in enumerate(names):
                self.capacitance[0, i, j] = _capacitance(network.materials.interface(a, b, network.carrier))
                self.capacitance[1, i, j] = _capacitance(network.materials.contact(a, b, network.carrier))

    def conductors(self, angular_frequency: float) -> Conductors:
        """Return what phases, interfaces, films and layers conduct at an angular frequency [1/s]."""
        direct, faces = self.network.conductors, self.network.faces
        displacement = 1j * angular_frequency * self.permittivity
        return Conductors(
            phase=direct.phase + displacement,
            side=direct.side + displacement[faces.phases.T.astype(np.intp)],
            pair=direct.pair / (1.0 + 1j * angular_frequency * direct.pair * self.capacitance),
            film=direct.film.astype(np.complex128),
            layers=self._layers(angular_frequency),
        )

    def classes(self, angular_frequency: float) -> Complex:
        """Return the admittance [S] of every class along each axis, shape (3, n_classes)."""
        faces, found = self.network.faces, self.conductors(angular_frequency)
        direct = self.network.conductors
        gain, resistance = class_gain(faces, found), class_resistance(faces, found, direct)
        return np.asarray(class_conductance(faces, found, gain, resistance, direct), dtype=np.complex128)

    def gaps(self, angular_frequency: float) -> Complex:
        """Return the admittance [S] of a face across a gap between every pair of phases, shape (3, n_phases**2)."""
        area, length = (values[:, None, None] for values in self.network.faces.face_geometry())
        half = 0.5 * length / self.conductors(angular_frequency).phase
        gap = GAP_VOXELS * length / (1j * angular_frequency * epsilon_0)
        return np.asarray(area / (half.transpose(0, 2, 1) + half + gap)).reshape(3, -1)

    def _permittivity(self, name: str) -> float:
        return epsilon_0 * (self.network.materials.phase(name).relative_permittivity or 1.0)

    def _layers(self, angular_frequency: float) -> LayerConductors | None:
        network, direct = self.network, self.network.conductors.layers
        shells = network.faces.shells
        if direct is None or shells is None:
            return None

        def admittivity(conductivity: complex, name: str) -> complex:
            return conductivity + 1j * angular_frequency * self._permittivity(name)

        def impedance(a: str, b: str) -> complex:
            found = network.materials.interface(a, b, network.carrier)
            resistance = resistance_ohm_m2(found, network.temperature_C, network.materials.reference_temperature_C)
            return resistance / (1.0 + 1j * angular_frequency * resistance * _capacitance(found))

        return LayerConductors(
            product=admittivity(direct.product, shells.product),
            donor=admittivity(direct.donor, shells.donor),
            host=admittivity(direct.host, shells.host),
            boundary=impedance(shells.product, shells.product),
            entry=impedance(shells.donor, shells.product) + impedance(shells.product, shells.host),
        )


def _capacitance(interface: InterfaceConductor | None) -> float:
    """Return the capacitance [F/m^2] of an interface, 0 where the materials give none."""
    return 0.0 if interface is None else interface.capacitance_F_per_m2 or 0.0


def double_layer(plate: NDArray[Any], capacitance_F: float, angular_frequency: float) -> Complex:
    """Return the admittance [S] of half cells in series with a capacitance [F] at a plate."""
    blocking = 1j * angular_frequency * capacitance_F
    return np.asarray(plate * blocking / (plate + blocking), dtype=np.complex128)
