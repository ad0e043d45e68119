"""The grain contact graph: pieces of grains are the nodes, the contacts between them the edges.

The graph is read from the network that the solver and the hops use, so all three see the same contacts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from kmc.percolation.contacts.constriction import film_conductance_S, phase_film_conductance_S, volume_conductance_S
from kmc.percolation.contacts.contact_faces import add_up, collect_faces
from kmc.percolation.contacts.film_parts import FilmParts, FilmTouches, describe_film_parts, divide_contacts, label_film_parts
from kmc.percolation.contacts.pieces import PieceSums, label_carrying_pieces, merge_periodic, piece_surface_m2, sum_pieces
from kmc.pieces import find_joins

if TYPE_CHECKING:
    import networkx

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PlateContacts:
    """The pieces that one plate cuts.

    Attributes
    ----------
    node : ndarray of shape (n,), int64
        The pieces.
    area_m2 : ndarray of shape (n,)
        Area of each that lies on the plate [m^2].
    spreading_S : ndarray of shape (n,)
        Spreading conductance from the plate into the volume of each piece [S].
    touches : FilmTouches
        The same, divided by the film parts that the plate touches.
    film_S : ndarray of shape (k, 1)
        Conductance along each of them [S].
    """

    node: NDArray[np.int64]
    area_m2: Array
    spreading_S: Array
    touches: FilmTouches
    film_S: Array


@dataclass(frozen=True, repr=False)
class ContactGraph:
    """Pieces of grains and their contacts.

    Attributes
    ----------
    network : Network
        What it was read from.
    periodic : bool
        Whether contacts across the outer boundary count; without it there are plates.
    ids : ndarray of shape (nx, ny, nz), int32
        1 + node of each voxel, 0 where nothing conducts.
    phase : ndarray of shape (n,), int64
        Phase of each node, as a position in `phase_names`.
    grain : ndarray of shape (n,), int64
        Grain of each node; the node's own number + 1 where the structure has no grains.
    voxels : ndarray of shape (n,), int64
        Number of voxels.
    centroid_m : ndarray of shape (n, 3)
        Centre of mass [m]; of a piece that winds around a periodic box, of its part in the box.
    edges : ndarray of shape (m, 2), int64
        Nodes of each contact, the lower first.
    offset : ndarray of shape (m, 3), int64
        Box in which the second node lies, seen from the first; 0 with plates.
    faces : ndarray of shape (m,), int64
        Number of voxel faces.
    area_m2 : ndarray of shape (m,)
        True area [m^2]: pi a^2 of a point contact; a resisting interface corrected for the staircase by its local
        normal. An interface without resistance keeps the area of its voxel faces, up to 3/2 of the true one where it is
        curved.
    point_contact : ndarray of shape (m,), bool
        Whether the edge stands for point contacts.
    interface_resistance_ohm : ndarray of shape (m,)
        Resistance of the interface itself [ohm], all faces in parallel.
    films : FilmParts
        Connected parts of the films around the pieces.
    touches : FilmTouches
        The contacts divided by the film parts that reach them.
    """

    network: Network
    periodic: bool
    ids: NDArray[np.int32]
    phase: NDArray[np.int64]
    grain: NDArray[np.int64]
    voxels: NDArray[np.int64]
    centroid_m: Array
    edges: NDArray[np.int64]
    offset: NDArray[np.int64]
    faces: NDArray[np.int64]
    area_m2: Array
    point_contact: NDArray[np.bool_]
    interface_resistance_ohm: Array
    films: FilmParts
    touches: FilmTouches

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Return the names that `phase` refers to."""
        return self.network.faces.phase_names

    @property
    def n_nodes(self) -> int:
        """Return the number of pieces."""
        return len(self.phase)

    @property
    def n_edges(self) -> int:
        """Return the number of contacts."""
        return len(self.edges)

    @cached_property
    def volume_m3(self) -> Array:
        """Return the volume of each node [m^3]."""
        return np.asarray(self.voxels * float(np.prod(self.network.structure.voxel_size)))

    @cached_property
    def node_radius_m(self) -> Array:
        """Return the radius of the sphere of each node's volume [m]."""
        return np.cbrt(0.75 * self.volume_m3 / np.pi)

    @cached_property
    def surface_m2(self) -> Array:
        """Return the area of the voxel faces of each node towards other nodes and pores [m^2], plates left out.

        Up to 3/2 of the true area where the surface is curved.
        """
        return piece_surface_m2(self.ids, self.n_nodes, self.network.faces.face_geometry()[0], self.periodic)

    @cached_property
    def radius_m(self) -> Array:
        """Return the radius of the disc of each contact's area [m]."""
        return np.sqrt(self.area_m2 / np.pi)

    @cached_property
    def interface(self) -> NDArray[np.str_]:
        """Return the kind of each contact, the names of both phases in alphabetical order: "LATP|LFTAP"."""
        names = np.array(["|".join(sorted((a, b))) for a in self.phase_names for b in self.phase_names])
        return names[self.phase[self.edges[:, 0]] * len(self.phase_names) + self.phase[self.edges[:, 1]]]

    @cached_property
    def spreading_S(self) -> Array:
        """Return the spreading conductance into the volume of both nodes of each contact [S], shape (m, 2)."""
        return volume_conductance_S(self.network.phase_conductivity[self.phase[self.edges]], self.radius_m[:, None])

    @cached_property
    def film_S(self) -> Array:
        """Return the conductance from each share of a contact along its film parts [S], as `touches.part`."""
        contact = self.touches.contact
        return _film(self, self.edges[contact], self.radius_m[contact], self.touches.filmed_share)

    @cached_property
    def side_conductance_S(self) -> Array:
        """Return the conductance of volume and film together on both sides of each contact [S], shape (m, 2)."""
        sides = self.spreading_S.copy()
        np.add.at(sides, self.touches.contact, self.film_S)
        return sides

    @cached_property
    def plates(self) -> tuple[tuple[PlateContacts, PlateContacts], ...]:
        """Return the low and the high plate of each axis; nothing with periodic boundary."""
        if self.periodic:
            return ()
        contact = find_joins(self.network).contact
        return tuple((_plate(self, contact, axis, 0), _plate(self, contact, axis, 1)) for axis in range(3))

    @cached_property
    def conductance_S(self) -> Array:
        """Return the conductance of each contact [S]: interface and both sides in series."""
        with np.errstate(divide="ignore"):
            return 1.0 / (self.interface_resistance_ohm + (1.0 / self.side_conductance_S).sum(axis=1))

    @cached_property
    def coordination(self) -> NDArray[np.int64]:
        """Return the number of contacts of each node."""
        return np.bincount(self.edges.ravel(), minlength=self.n_nodes).astype(np.int64)

    def __repr__(self) -> str:
        """Return one line: carrier, pieces, contacts."""
        return f"<ContactGraph {self.network.carrier}: {self.n_nodes} pieces of grains, {self.n_edges} contacts>"

    def to_networkx(self, other: ContactGraph | None = None) -> networkx.Graph[int]:
        """Return a networkx graph; attributes as `kmc.percolation.contacts.exports.to_networkx` lists them.

        Parameters
        ----------
        other : ContactGraph, optional
            Graph of the other carrier, whose conductances the edges shall have too.

        Examples
        --------
        >>> import numpy as np
        >>> from kmc.network import build_network
        >>> from microstructures.structure import VoxelStructure
        >>> labels = np.repeat([1, 2], 2)[:, None, None] * np.ones((1, 3, 3), int)
        >>> pair = VoxelStructure.from_labels(labels, voxel_nm=25, phases={1: "LFP", 2: "LATP"})
        >>> build_contact_graph(build_network(pair)).to_networkx().edges[0, 1]["interface"]
        'LATP|LFP'
        """
        from kmc.percolation.contacts.exports import to_networkx

        return to_networkx(self, other)


def build_contact_graph(network: Network, *, periodic: bool = False) -> ContactGraph:
    """Build the contact graph of a network.

    Parameters
    ----------
    network : Network
        Face conductances.
    periodic : bool
        Whether the structure goes on across its outer boundary. Pieces are then joined across it, and contacts with
        another box carry its offset; else each axis has a low and a high plate.

    Returns
    -------
    ContactGraph

    Examples
    --------
    >>> import numpy as np
    >>> from kmc.network import build_network
    >>> from microstructures.structure import VoxelStructure
    >>> block = VoxelStructure.from_labels(np.full((4, 4, 4), 2), voxel_nm=25, phases={2: "LATP"})
    >>> build_contact_graph(build_network(block))
    <ContactGraph ion: 1 pieces of grains, 0 contacts>
    """
    joins = find_joins(network)
    ids, count = label_carrying_pieces(network, joins)
    parts = label_film_parts(network, joins)
    found = collect_faces(network, ids, parts[0], joins, periodic)
    sums = sum_pieces(network, ids, count)
    size = np.array(network.structure.voxel_size)
    offset = np.zeros((len(found.axis), 3), dtype=np.int64)
    pieces, number, box, old = found.pieces, np.arange(count + 1), None, ids
    if periodic:
        offset[np.arange(len(offset)), found.axis] = found.wrapped
        crossing = np.unique(np.column_stack((pieces[found.within], found.axis[found.within])), axis=0)
        root, box = merge_periodic(crossing[:, 0], crossing[:, 1], crossing[:, 2], count)
        offset += box[pieces[:, 0]] - box[pieces[:, 1]]
        sums, number = _merge_sums(sums, root, box, np.array(ids.shape))
        pieces, ids = number[pieces], number.astype(np.int32)[ids]
        keep = joins.contact[found.face_class] & ((pieces[:, 0] != pieces[:, 1]) | offset.any(axis=1))
        found, pieces, offset = found.take(keep), pieces[keep], offset[keep]
    contacts = add_up(network, found, pieces, offset)
    films = describe_film_parts(network, joins, parts, old, number, box)
    centroid = sums.place[1:] / sums.voxels[1:, None] * size
    if periodic:
        centroid %= size * np.array(ids.shape)
    has_grains = network.structure.grains is not None
    return ContactGraph(
        network=network,
        periodic=periodic,
        ids=ids,
        phase=sums.phase[1:],
        grain=sums.grain[1:] if has_grains else np.arange(1, len(sums.voxels)),
        voxels=sums.voxels[1:],
        centroid_m=centroid,
        edges=contacts.pieces - 1,
        offset=contacts.offset,
        faces=contacts.faces,
        area_m2=contacts.area_m2,
        point_contact=contacts.point_contact,
        interface_resistance_ohm=contacts.interface_resistance_ohm,
        films=films,
        touches=contacts.touches,
    )


def _merge_sums(
    sums: PieceSums, root: NDArray[np.int64], box: NDArray[np.int64], shape: NDArray[np.int64]
) -> tuple[PieceSums, NDArray[np.int64]]:
    """Return the sums of pieces joined across the outer boundary, and the new number of each old piece."""
    roots, number = np.unique(root, return_inverse=True)
    place = np.zeros((len(roots), 3))
    np.add.at(place, number, sums.place + box * shape * sums.voxels[:, None])
    voxels = np.bincount(number, sums.voxels, len(roots)).astype(np.int64)
    return PieceSums(voxels, place, sums.phase[roots], sums.grain[roots]), number.astype(np.int64)


def _film(graph: ContactGraph, node: NDArray[np.int64], radius_m: Array, share: Array) -> Array:
    """Return the conductance of shares of the films of nodes, shape (k, sides) [S], from contacts of radii (k,)."""
    sheet = phase_film_conductance_S(graph.network)[graph.phase[node]]
    return share * film_conductance_S(sheet, radius_m[:, None], graph.node_radius_m[node])


def _plate(graph: ContactGraph, contact: NDArray[np.bool_], axis: int, end: int) -> PlateContacts:
    """Return the pieces on the low (0) or high (1) plate of an axis."""
    network = graph.network
    faces = network.faces
    outer = np.take(graph.ids, -end, axis=axis)
    classes = faces.plates[axis][end]
    touches = (outer > 0) & contact[classes]
    count = np.bincount(outer[touches], minlength=graph.n_nodes + 1)[1:]
    node = np.flatnonzero(count)
    area = count[node] * faces.face_geometry()[0][axis]
    radius = np.sqrt(area / np.pi)
    film = np.take(graph.films.ids, -end, axis=axis)[touches] if len(graph.films) else np.zeros(touches.sum(), np.int32)
    found = divide_contacts(np.searchsorted(node, outer[touches] - 1), film[:, None].astype(np.int64))
    return PlateContacts(
        node=node,
        area_m2=area,
        spreading_S=volume_conductance_S(network.phase_conductivity[graph.phase[node]], radius),
        touches=found,
        film_S=_film(graph, node[found.contact, None], radius[found.contact], found.filmed_share),
    )
