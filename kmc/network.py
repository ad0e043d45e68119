"""The one network: what every voxel face conducts, for one carrier at one temperature.

Solver, hops and graph all read it: the conductance of a face [S], and the hop rate that follows from it,
k_ij = g_ij kT / (q^2 c_i V) [1/s] with V the volume of a voxel, so that c_i k_ij = c_j k_ji holds by construction.

The formula of a face: `kmc.conductors`. Around the steps of a tilted interface its resistance is shifted from face to face so
that they block only what runs across: `kmc.steps`. Faces near a thin reaction layer: `kmc.layers`. In an anisotropic phase the
conductivity is that of the crystal along the normal of the face: `kmc.faces.orientations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kmc.conductors import Conductors, class_conductance, class_gain, class_resistance
from kmc.faces import FaceTable, Orientations, build_faces
from kmc.interfaces import coating_factor, resistance_ohm_m2, sheet_conductance_S
from kmc.layers import LayerConductors
from kmc.rates import (
    barrier_prefactor_S_per_m,
    carrier_density_per_m3,
    conductivity_S_per_m,
    equivalent_barrier_eV,
    mobility_factor,
    principal_factors,
)
from microstructures.errors import InputError, did_you_mean
from microstructures.materials import CARRIERS, Carrier, Materials, load_materials
from microstructures.structure import VoxelStructure
from microstructures.units import kelvin


@dataclass(frozen=True)
class Network:
    """Face conductances of a structure for one carrier at one temperature.

    Attributes
    ----------
    faces : FaceTable
        Class of every face.
    materials : Materials
        What the classes are made of.
    carrier : "ion" or "electron"
        What moves.
    temperature_C : float
        Temperature [degC].
    """

    faces: FaceTable
    materials: Materials
    carrier: Carrier
    temperature_C: float

    @property
    def structure(self) -> VoxelStructure:
        """Return the structure the network belongs to."""
        return self.faces.structure

    def at(self, temperature_C: float) -> Network:
        """Return the same network at another temperature; the faces are shared."""
        kelvin(temperature_C)
        return Network(self.faces, self.materials, self.carrier, temperature_C)

    @cached_property
    def phase_conductivity(self) -> NDArray[np.float64]:
        """Return the conductivity [S/m] of every phase; of an anisotropic one the mean over its three crystal axes."""
        conductors = [self.materials.conductor(name, self.carrier) for name in self.faces.phase_names]
        means = [sum(principal_factors(conductor)) / 3.0 for conductor in conductors]
        return self._nominal_conductivity * np.array(means)

    @cached_property
    def _nominal_conductivity(self) -> NDArray[np.float64]:
        """Return the conductivity [S/m] of every phase as the materials give it, its anisotropy left out."""
        conductors = [self.materials.conductor(name, self.carrier) for name in self.faces.phase_names]
        reference = self.materials.reference_temperature_C
        return np.array([conductivity_S_per_m(conductor, self.temperature_C, reference) for conductor in conductors])

    @cached_property
    def side_conductivity(self) -> NDArray[np.float64]:
        """Return the conductivity [S/m] along the face's normal on both sides of every class, shape (2, n_classes)."""
        faces = self.faces
        sides = faces.phases.T.astype(np.intp)
        if faces.direction is None or faces.directions is None:
            return np.asarray(self.phase_conductivity[sides])
        factors = np.array([principal_factors(self.materials.conductor(name, self.carrier)) for name in faces.phase_names])
        along = np.einsum("cdi,cdi->dc", faces.directions[faces.direction], factors[faces.phases])
        isotropic = (factors == 1.0).all(axis=1)[sides]
        return np.asarray(self._nominal_conductivity[sides] * np.where(isotropic, 1.0, along))

    @cached_property
    def film_conductance(self) -> NDArray[np.float64]:
        """Return the sheet conductance [S] of every film; a trailing 0 stands for no film."""
        reference = self.materials.reference_temperature_C
        coatings = self.structure.coatings
        films = [(self.materials.film(a, b, self.carrier), coatings.get(a)) for a, b in self.faces.film_pairs]
        sheets = [sheet_conductance_S(film, self.temperature_C, reference) * coating_factor(film, on) for film, on in films]
        return np.array([*sheets, 0.0])

    @cached_property
    def interface_resistance(self) -> NDArray[np.float64]:
        """Return the area-specific resistance [ohm m^2] of every class, 0 where it crosses no interface."""
        return class_resistance(self.faces, self.conductors)

    @cached_property
    def _resistance_table(self) -> NDArray[np.float64]:
        """Return the area-specific resistance [ohm m^2] of every pair of phases, sintered and at point contacts."""
        faces, reference = self.faces, self.materials.reference_temperature_C
        n = len(faces.phase_names)
        table = np.zeros((2, n, n))
        for i, a in enumerate(faces.phase_names):
            for j, b in enumerate(faces.phase_names):
                sintered = self.materials.interface(a, b, self.carrier)
                pressed = self.materials.contact(a, b, self.carrier)
                table[0, i, j] = resistance_ohm_m2(sintered, self.temperature_C, reference)
                table[1, i, j] = resistance_ohm_m2(pressed, self.temperature_C, reference)
        return table

    @cached_property
    def gain_beside_steps(self) -> NDArray[np.float64]:
        """Return by how much better the faces in line with the steps of an interface conduct, shape (3, n_classes).

        Both of a crossing and of a face beside it, 0 where there are no steps.
        """
        return class_gain(self.faces, self.conductors)

    @cached_property
    def conductors(self) -> Conductors:
        """Return what phases, interfaces, films and layers conduct at direct current."""
        return Conductors(
            phase=self.phase_conductivity,
            side=self.side_conductivity,
            pair=self._resistance_table,
            film=self.film_conductance,
            layers=self.layer_conductors,
        )

    @cached_property
    def layer_conductors(self) -> LayerConductors | None:
        """Return what thin reaction layers conduct; None where the structure has none."""
        shells = self.faces.shells
        if shells is None:
            return None
        reference = self.materials.reference_temperature_C

        def conductivity(name: str) -> float:
            return conductivity_S_per_m(self.materials.conductor(name, self.carrier), self.temperature_C, reference)

        def resistance(a: str, b: str) -> float:
            return resistance_ohm_m2(self.materials.interface(a, b, self.carrier), self.temperature_C, reference)

        return LayerConductors(
            product=conductivity(shells.product),
            donor=conductivity(shells.donor),
            host=conductivity(shells.host),
            boundary=resistance(shells.product, shells.product),
            entry=resistance(shells.donor, shells.product) + resistance(shells.product, shells.host),
        )

    @cached_property
    def conductance(self) -> NDArray[np.float64]:
        """Return the conductance [S] of every class along each axis, shape (3, n_classes)."""
        return self._conductance(self.gain_beside_steps)

    def _conductance(self, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        return class_conductance(self.faces, self.conductors, gain, self.interface_resistance)

    @cached_property
    def barrier_eV(self) -> NDArray[np.float64]:
        """Return each class's conductance as an equivalent migration barrier [eV]; infinite where nothing conducts.

        A face inside a phase given by its barrier returns that barrier. Across phases the geometric mean of both
        prefactors is used.
        """
        area, length = self.faces.face_geometry()
        prefactors = np.array([self._prefactor(name) for name in self.faces.phase_names])
        low, high = self.faces.phases.T.astype(np.intp)
        mean = np.sqrt(prefactors[low] * prefactors[high])
        sigma = self._conductance(np.zeros((3, 1)))[0] * length[0] / area[0]
        return np.array([equivalent_barrier_eV(s, p, self.temperature_C) for s, p in zip(sigma, mean, strict=True)])

    def _prefactor(self, name: str) -> float:
        conductor = self.materials.conductor(name, self.carrier)
        if conductor is None:
            bearers = [self.materials.conductor(n, self.carrier) for n in self.faces.phase_names]
            conductor = next((found for found in bearers if found is not None), None)
        return 0.0 if conductor is None else barrier_prefactor_S_per_m(conductor, self.temperature_C)

    @cached_property
    def phase_carrier_density(self) -> NDArray[np.float64]:
        """Return the density of carriers [1/m^3] of every phase; 0 where it does not conduct."""
        names = self.faces.phase_names
        density = np.array([carrier_density_per_m3(self.materials.conductor(n, self.carrier)) for n in names])
        if self.faces.shells is not None:
            shells = self.faces.shells
            layer = carrier_density_per_m3(self.materials.conductor(shells.product, self.carrier))
            beside = np.array([name in (shells.donor, shells.host) for name in names])
            beside &= self.materials.conductor(shells.product, self.carrier) is not None
            density = np.where(beside & (self.phase_conductivity == 0.0), layer, density)
            return np.where((self.phase_conductivity > 0.0) | beside, density, 0.0)
        return np.where(self.phase_conductivity > 0.0, density, 0.0)

    @cached_property
    def film_carrier_density(self) -> float:
        """Return the density [1/m^3] that a film adds to the voxels it runs through.

        The areal density of the film spread over one voxel; sigma_eff does not depend on it, only the clock does.
        """
        films = [self.materials.film(a, b, self.carrier) for a, b in self.faces.film_pairs]
        areal = [film.carrier_density_per_m2 for film in films if film is not None and film.sheet_conductance_S > 0.0]
        return max(areal, default=0.0) / self.structure.voxel_size[0]

    @property
    def rate_factor(self) -> float:
        """Return kT / (q^2 V) [J/(C^2 m^3)]: hop rate = conductance * rate_factor / carrier density."""
        return mobility_factor(self.temperature_C) / float(np.prod(self.structure.voxel_size))

    def conducts(self) -> bool:
        """Return whether anything here conducts at all, be it a single voxel."""
        return bool(self.conductance.any() or self.phase_conductivity.any())


def build_network(
    structure: VoxelStructure | FaceTable,
    materials: Materials | str | None = None,
    *,
    carrier: str = "ion",
    temperature_C: float | None = None,
    orientations: Orientations | None = None,
    smooth_insulators: bool = False,
) -> Network:
    """Build the network of a structure.

    Parameters
    ----------
    structure : VoxelStructure or FaceTable
        A face table from an earlier network of the same materials saves sorting the faces again.
    materials : Materials, path or name, optional
        `lfp-latp` unless given.
    carrier : "ion" or "electron"
        What moves.
    temperature_C : float, optional
        Temperature [degC]; the reference temperature of the materials unless given.
    orientations : Orientations, optional
        Where the crystals of phases with orientation `random-grain` point; drawn from the structure's seed unless given.
    smooth_insulators : bool
        Whether the steps of curved insulators, such as pores, are made up for (`kmc.steps`). It halves what voxels get wrong
        there, but is no longer the plain 7-point network that other solvers take (docs/decisions/0008).

    Raises
    ------
    InputError
        If the carrier is unknown, the temperature impossible, or the structure does not fit the materials.

    Examples
    --------
    >>> import numpy as np
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> float(build_network(block).phase_conductivity[0])
    0.9
    """
    if carrier not in CARRIERS:
        raise InputError(f"carrier is '{carrier}'{did_you_mean(carrier, CARRIERS)}")
    known = materials if isinstance(materials, Materials) else load_materials(materials)
    temperature = known.reference_temperature_C if temperature_C is None else temperature_C
    kelvin(temperature)
    if isinstance(structure, FaceTable):
        if orientations is not None or smooth_insulators:
            what = "smooth_insulators" if smooth_insulators else "orientations"
            raise InputError(f"a face table has its {what} already; give the structure instead")
        faces = structure
    else:
        faces = build_faces(structure, known, orientations, smooth_insulators=smooth_insulators)
    return Network(faces=faces, materials=known, carrier=carrier, temperature_C=float(temperature))
