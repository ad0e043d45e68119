"""The resistors that a contact graph stands for.

A contact between bare pieces is one resistor: spreading, interface, spreading in series. A contact that films reach is
divided into the shares of its area that each pair of film parts serves; both sides of a share are points of their own,
tied to the volume of their piece by their share of the spreading and to the film part along it. Volume and film parts of
one piece are tied by 4 pi s R, a sphere into its surroundings, shared out by the voxels that the parts run through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kmc.percolation.contact_graph import ContactGraph

SMALLEST_INTERFACE = 1e-9
"""Least resistance between both points of a contact, as a share of its spreading resistance."""


@dataclass(frozen=True)
class ReducedNetwork:
    """Resistors of a contact graph.

    Attributes
    ----------
    n_shares : int
        Number of shares of contacts.
    n_nodes : int
        Pieces first, then film parts, low plate, high plate, points of filmed shares.
    low, high : int
        Numbers of the plates.
    edges : ndarray of shape (k, 2), int64
        Nodes of each resistor; the first `n_shares` cross the interfaces of the contacts.
    conductance_S : ndarray of shape (k,)
        Conductance [S].
    step : ndarray of shape (k,), int64
        Box of the second node seen from the first, along the axis of transport.
    contact : ndarray of shape (k,), int64
        Contact that a resistor belongs to, -1 for none.
    """

    n_shares: int
    n_nodes: int
    low: int
    high: int
    edges: NDArray[np.int64]
    conductance_S: NDArray[np.float64]
    step: NDArray[np.int64]
    contact: NDArray[np.int64]


def reduce_graph(graph: ContactGraph, axis: int) -> ReducedNetwork:
    """Write a contact graph as resistors, between the plates of an axis or in a periodic box."""
    films, first_film = graph.films, graph.n_nodes
    low = first_film + len(films)
    touch = graph.touches
    contact = touch.contact
    filmed: NDArray[np.bool_] = np.logical_or.reduce(touch.part >= 0, axis=1)
    points = low + 2 + 2 * (np.cumsum(filmed) - 1)
    step = graph.offset[contact, axis]
    with np.errstate(divide="ignore"):
        bare = touch.share / (graph.interface_resistance_ohm + (1.0 / graph.spreading_S).sum(axis=1))[contact]
        sides_ohm = (1.0 / graph.side_conductance_S).sum(axis=1)
    between = touch.share / (graph.interface_resistance_ohm + SMALLEST_INTERFACE * sides_ohm)[contact]
    main = np.where(filmed[:, None], np.column_stack((points, points + 1)), graph.edges[contact])
    rows = [(main, np.where(filmed, between, bare), step, contact)]
    for side in (0, 1):
        which = np.flatnonzero(filmed)
        ends = np.column_stack((graph.edges[contact[which], side], points[which] + side))
        volume = touch.share[which] * graph.spreading_S[contact[which], side]
        rows.append((ends, volume, np.zeros(len(which), np.int64), contact[which]))
        which = np.flatnonzero(touch.part[:, side] >= 0)
        ends = np.column_stack((first_film + touch.part[which, side], points[which] + side))
        rows.append((ends, graph.film_S[which, side], np.zeros(len(which), np.int64), contact[which]))
    rows.append(_inside(graph, first_film))
    rows.append(_loose(films.seams + first_film, films.seam_conductance_S, films.seam_offset[:, axis]))
    for end, plate in enumerate(() if graph.periodic else graph.plates[axis]):
        own = np.full(len(plate.node), low + end)
        rows.append(_loose(np.column_stack((own, plate.node)), plate.spreading_S))
        which = np.flatnonzero(plate.touches.part[:, 0] >= 0)
        ends = np.column_stack((np.full(len(which), low + end), first_film + plate.touches.part[which, 0]))
        rows.append(_loose(ends, plate.film_S[which, 0]))
    return ReducedNetwork(
        n_shares=len(contact),
        n_nodes=low + 2 + 2 * int(filmed.sum()),
        low=low,
        high=low + 1,
        edges=np.concatenate([row[0] for row in rows]),
        conductance_S=np.concatenate([row[1] for row in rows]),
        step=np.concatenate([row[2] for row in rows]),
        contact=np.concatenate([row[3] for row in rows]),
    )


_Rows = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]


def _loose(edges: NDArray[np.int64], conductance_S: NDArray[np.float64], step: NDArray[np.int64] | None = None) -> _Rows:
    """Return resistors that belong to no contact."""
    none = np.full(len(edges), -1)
    return edges, conductance_S, np.zeros(len(edges), np.int64) if step is None else step, none


def _inside(graph: ContactGraph, first_film: int) -> _Rows:
    """Return the resistors between each piece and its film parts, shared out by the voxels they run through."""
    films = graph.films
    borne = films.node >= 0
    node, voxels = films.node[borne], films.voxels[borne]
    share = voxels / np.maximum(np.bincount(node, voxels, graph.n_nodes), 1)[node]
    sigma = graph.network.phase_conductivity[graph.phase[node]]
    part = first_film + np.flatnonzero(borne)
    return _loose(np.column_stack((node, part)), 4.0 * np.pi * sigma * graph.node_radius_m[node] * share)
