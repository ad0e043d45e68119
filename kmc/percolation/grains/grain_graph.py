"""Grains as matrices, built once: then a new temperature, resistance or contact costs next to nothing.

The matrix of a grain follows from solves in the grain (`kmc.percolation.grains.grain_matrices`); what resists between the grains is
read from the network face by face. All currents that the graph knows are balanced ones of the voxel network, so by Thomson's
principle its conductivity is a lower bound of the solver's.

At another temperature or with other materials the currents inside grains keep their shape: plain faces scale with the
conductivity of their phase, which is exact; faces along steps, films and layers scale in groups, each by the mean of its
classes weighted with the heat they give off, and for those the bound is no longer strict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from kmc.network import Network
from kmc.percolation.contacts.contact_graph import ContactGraph
from kmc.percolation.grains.contact_modes import FluxModes, flux_modes
from kmc.percolation.grains.grain_faces import GrainFaces, find_grain_faces
from kmc.percolation.grains.grain_matrices import GrainMatrices, grain_matrices
from kmc.percolation.grains.reduced_kernels import add_blocks, winds
from kmc.percolation.grains.reduced_system import Balanced, ReducedSystem
from microstructures.errors import InputError
from microstructures.materials import Materials

MODES = "tilted"
"""Flux modes of a contact unless others are asked for."""

QUICK_TOLERANCE = 1e-4
"""Share of the conductivity that the last steps may add where other values are looked at."""

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class GrainGraph:
    """A contact graph with the matrix of every grain.

    Attributes
    ----------
    graph : ContactGraph
        Nodes and edges.
    axes : tuple of int
        Directions of transport that it was built for.
    faces : GrainFaces
        Faces of all contacts; the first contacts are the edges of the graph.
    modes : FluxModes
        Flux modes of all contacts.
    matrices : GrainMatrices
        Matrices of all nodes.
    """

    graph: ContactGraph
    axes: tuple[int, ...]
    faces: GrainFaces
    modes: FluxModes
    matrices: GrainMatrices
    _systems: dict[int, ReducedSystem] = field(default_factory=dict, repr=False)
    _solutions: dict[int, Balanced] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        """Return one line: nodes, contacts, modes."""
        return f"<GrainGraph of {self.graph!r}: {len(self.faces)} contacts, {self.modes.start[-1]} flux modes>"

    @property
    def network(self) -> Network:
        """Return the network it was built from."""
        return self.graph.network

    @cached_property
    def face_resistance_ohm(self) -> Array:
        """Return the resistance of every face of `faces` [ohm]."""
        return self.faces.resistance_ohm(self.network.conductance)

    def system(self, axis: int) -> ReducedSystem:
        """Return the network of grain matrices for transport along an axis."""
        if axis not in self.axes:
            raise InputError(f"this grain graph was built for axes {self.axes}, not {axis}; build it with axes=({axis},)")
        if axis not in self._systems:
            plate = self.faces.plate_axis
            self._systems[axis] = ReducedSystem(
                nodes=self.faces.nodes,
                first_mode=self.modes.start,
                live=(plate < 0) | (plate == axis),
                mode=self.matrices.mode,
                sign=self.matrices.sign,
                first_row=self.matrices.first_row,
                first_entry=self.matrices.first_entry,
                entries=self.matrices.plain + self.matrices.special.sum(axis=0),
                first_block=self._first_block,
                blocks=self.blocks(self.face_resistance_ohm),
            )
        return self._systems[axis]

    def drive_V(self, axis: int) -> Array:
        """Return the voltage that drives each mode: the low plate's 1 V, or a jump of 1 V where the box repeats."""
        drive = np.zeros(int(self.modes.start[-1]))
        at_low = (self.faces.plate_axis == axis) & (self.faces.nodes[:, 0] < 0)
        drive[self.modes.start[:-1]] = self.faces.offset[:, axis] if self.graph.periodic else at_low
        return drive

    def solve(self, axis: int) -> Balanced:
        """Return the currents and potentials for 1 V along an axis."""
        if axis not in self._solutions:
            found = self.system(axis).solve(self.drive_V(axis))
            if not self._spans(axis):
                found = found._replace(current=np.zeros_like(found.current), conductance_S=0.0)
            self._solutions[axis] = found
        return self._solutions[axis]

    def _spans(self, axis: int) -> bool:
        """Return whether contacts join both plates of an axis, or wind around it where the box repeats."""
        faces, n = self.faces, self.graph.n_nodes
        live = (faces.plate_axis < 0) | (faces.plate_axis == axis)
        ends = np.where(faces.nodes >= 0, faces.nodes, np.array([n, n + 1]))[live]
        if not self.graph.periodic:
            return _joins(ends, n + 2)
        return winds(ends, faces.offset[live, axis], n)

    def sigma_eff(
        self,
        axis: int,
        *,
        temperature_C: float | None = None,
        materials: Materials | None = None,
        tolerance: float = QUICK_TOLERANCE,
    ) -> float:
        """Return the effective conductivity [S/m] along an axis, at another temperature or with other materials if given.

        Parameters
        ----------
        axis : 0, 1 or 2
            Direction of transport.
        temperature_C : float, optional
            Temperature [degC]; that of the network unless given.
        materials : Materials, optional
            Other values for the same phases, interfaces and films.
        tolerance : float
            Share of the conductivity that the last steps may add, if values are given.

        Raises
        ------
        InputError
            If a face that carried current carries none with the new values, or the axis was left out.
        """
        if temperature_C is None and materials is None:
            return self.solve(axis).conductance_S * to_sigma(self.graph, axis)
        old = self.network
        network = Network(old.faces, materials or old.materials, old.carrier, old.temperature_C).at(
            old.temperature_C if temperature_C is None else temperature_C
        )
        return self.resolve(axis, self._rescaled(network), self.faces.resistance_ohm(network.conductance), tolerance)

    def resolve(
        self, axis: int, entries: Array | None, face_resistance_ohm: Array, tolerance: float = QUICK_TOLERANCE
    ) -> float:
        """Return the effective conductivity [S/m] for other matrices or face resistances, starting from what is known."""
        known = self.solve(axis)
        if known.conductance_S == 0.0:
            return 0.0
        if not np.isfinite(face_resistance_ohm).all():
            raise InputError("with these values a face that conducted lets nothing through; build a new grain graph")
        system = self.system(axis).changed(entries, self.blocks(face_resistance_ohm))
        found = system.solve(self.drive_V(axis), known.current, tolerance)
        return found.conductance_S * to_sigma(self.graph, axis)

    def blocks(self, face_resistance_ohm: Array) -> Array:
        """Return the resistances of all contacts [ohm], modes by modes, from those of their faces."""
        out = np.zeros(int(self._first_block[-1]))
        add_blocks(self.faces.start, self.modes.start, self.modes.shape, face_resistance_ohm, self._first_block, out)
        return out

    @cached_property
    def _first_block(self) -> NDArray[np.int64]:
        return np.concatenate(([0], np.cumsum(np.diff(self.modes.start) ** 2)))

    def _rescaled(self, network: Network) -> Array:
        """Return the matrices of all nodes for other conductances."""
        old, matrices = self.network, self.matrices
        with np.errstate(divide="ignore", invalid="ignore"):
            plain = np.where(old.phase_conductivity > 0.0, old.phase_conductivity / network.phase_conductivity, 1.0)
            ratio = np.where(old.conductance[0] > 0.0, old.conductance[0] / network.conductance[0], 1.0)
        if not (np.isfinite(plain[self.graph.phase]).all() and np.isfinite(ratio[matrices.special_classes]).all()):
            raise InputError("with these values a grain that conducted lets nothing through; build a new grain graph")
        return matrices.rescaled(self.graph.phase, plain, ratio[matrices.special_classes])


def build_grain_graph(graph: ContactGraph, axes: tuple[int, ...] = (0, 1, 2), modes: str = MODES) -> GrainGraph:
    """Solve every grain of a contact graph for its contacts.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts.
    axes : tuple of int
        Directions of transport, whose plates count as contacts.
    modes : str
        How many flux modes a contact has: "plain", "linear", "tilted" or "quadratic" (`kmc.percolation.grains.contact_modes`).

    Returns
    -------
    GrainGraph

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from kmc.percolation.contacts.contact_graph import build_contact_graph
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> round(build_grain_graph(build_contact_graph(build_network(block))).sigma_eff(axis=0), 6)
    0.9
    """
    faces = find_grain_faces(graph, axes)
    network = graph.network
    conductance = 1.0 / faces.resistance_ohm(network.conductance)
    chosen = flux_modes(faces, graph.ids.shape, network.faces.face_geometry()[0], conductance, modes)
    return GrainGraph(graph, tuple(axes), faces, chosen, grain_matrices(graph, faces, chosen))


def to_sigma(graph: ContactGraph, axis: int) -> float:
    """Return L/A [1/m] of the whole block."""
    structure = graph.network.structure
    edges = np.array(structure.shape) * np.array(structure.voxel_size)
    return float(edges[axis] ** 2 / edges.prod())


def _joins(ends: NDArray[np.int64], count: int) -> bool:
    """Return whether contacts join the last two of a number of nodes."""
    graph = sparse.coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    return bool(part[-1] == part[-2])
