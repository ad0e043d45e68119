"""The contact graph over its structure: grains as spheres by phase, contacts as tubes by the current they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.axes import AXES
from kmc.percolation import ContactGraph, GraphConductivity, find_bottlenecks
from microstructures.errors import InputError
from viz.palette import phase_colours
from viz.scenes.camera import Camera, fit_cameras
from viz.scenes.clear_block import SOLID, clear_block
from viz.scenes.colouring import show_structure
from viz.scenes.drawing import checked_size, oversampling, take_picture
from viz.scenes.frame import Frame, Key, write_picture

STEPS = ((0.1, "#2D0A4E", "over 10 %"), (0.03, "#8C2981", "3 to 10 %"), (0.01, "#DE4968", "1 to 3 %"))
"""Least load, colour and words of each kind of contact that is drawn as a tube."""
FAINT = "#9A9A9A"
PLATE, PLATE_OPACITY = "#505050", 0.05
PLATE_IN_KEY = "#DADADA"
SPHERE_SHARE = 0.42
"""Radius of a sphere over that of its grain."""
LARGEST_SPHERE, SMALLEST_SPHERE = 0.05, 0.008
THINNEST_TUBE, THICKEST_TUBE = 0.0022, 0.013
"""Radii over the longest edge of the block."""
IDLE_SHRINK = 0.45
"""Spheres of grains that carry less than the least drawn load are shrunk to this."""


@dataclass(frozen=True)
class _GraphKey(Key):
    """Phases of the spheres and loads of the tubes."""

    phases: tuple[str, ...] = ()
    loads: tuple[tuple[str, str], ...] = ()

    def entries(self) -> list[tuple[str, str]]:
        """Return colour and text of every patch of the key."""
        colours = phase_colours(self.phases)
        return [(colours[name], f"{name} grain") for name in self.phases] + list(self.loads)


def render_graph(
    graph: ContactGraph,
    found: GraphConductivity,
    *,
    png: str | Path,
    size: tuple[int, int] = (1400, 1100),
    title: str | None = None,
) -> Path:
    """Draw a contact graph and its currents over the translucent structure.

    Parameters
    ----------
    graph : ContactGraph
        Pieces and contacts.
    found : GraphConductivity
        Its currents along one axis.
    png : path
        The picture to write.
    size : (width, height)
        Size of the picture [pixels].
    title : str, optional
        Carrier, axis and process unless given.

    Returns
    -------
    Path
        The PNG file. Contacts are straight lines between centres of mass; those under 1 % of the current are thin and
        grey, and grains without a contact above it are drawn small.

    Raises
    ------
    InputError
        If there are no grains to draw or the size is impossible.
    """
    width, height = checked_size(size)
    if graph.n_nodes == 0:
        raise InputError("nothing conducts, so the contact graph is empty; show the structure instead (cofire show)")
    structure = graph.network.structure
    panel = show_structure(structure, "phase", None, ("pore",) if "pore" in graph.phase_names else (), cut=False)
    load = found.load(graph)
    names = [graph.phase_names[n] for n in np.unique(graph.phase)]
    kinds = [(colour, f"{words} of the current") for least, colour, words in STEPS if (load >= least).any()]
    if (load < STEPS[-1][0]).any():
        kinds.append((FAINT, "less than 1 %"))
    if not graph.periodic:
        kinds.insert(0, (PLATE_IN_KEY, "electrode"))
    key = _GraphKey([structure], "phase", ("pore",), None, False, tuple(names), tuple(kinds))
    frame = Frame(width, height, 1, key)
    camera = fit_cameras([structure.edges_um], frame.panel_width, frame.panel_height)[0]
    picture = _screenshot(graph, found, panel, camera)
    carried = {"ion": "ions", "electron": "electrons"}[graph.network.carrier]
    heading = title or f"{structure.process}: where {carried} run along {found.axis}"
    return write_picture(frame, [panel], [picture], [camera], [heading], Path(png))


def _screenshot(graph: ContactGraph, found: GraphConductivity, panel: Any, camera: Camera) -> NDArray[np.uint8]:
    """Return the picture of the block and the graph in it, shape (height, width, 3)."""
    with clear_block(panel, camera) as plotter:
        for plate in () if graph.periodic else _plates(camera.edges, AXES.index(found.axis)):
            plotter.add_mesh(plate, color=PLATE, opacity=PLATE_OPACITY, lighting=False)
        _add_graph(plotter, graph, found, float(camera.edges.max()), oversampling(camera))
        return take_picture(plotter, camera.width, camera.height)


def _add_graph(plotter: Any, graph: ContactGraph, found: GraphConductivity, edge_um: float, factor: int) -> None:
    """Put spheres and tubes into a scene; lengths in micrometres."""
    import pyvista

    place = 1e6 * graph.centroid_m
    ends, load = _segments(graph, found, place)
    faint = load < STEPS[-1][0]
    if faint.any():
        plotter.add_mesh(_lines(ends[faint]), color=FAINT, line_width=0.8 * factor, opacity=0.35, lighting=False)
    highest = np.inf
    for least, colour, _ in STEPS:
        chosen = (load >= least) & (load < highest)
        highest = least
        if chosen.any():
            tubes = _lines(ends[chosen])
            tubes.point_data["radius"] = np.repeat(_tube_radius(load[chosen]) * edge_um, 2)
            plotter.add_mesh(tubes.tube(scalars="radius", absolute=True, n_sides=16), color=colour, **SOLID)
    busy = find_bottlenecks(graph, found).grain_load >= STEPS[-1][0]
    radius = SPHERE_SHARE * 1e6 * graph.node_radius_m
    radius = np.clip(radius, SMALLEST_SPHERE * edge_um, LARGEST_SPHERE * edge_um) * np.where(busy, 1.0, IDLE_SHRINK)
    colours = phase_colours([graph.phase_names[n] for n in np.unique(graph.phase)])
    ball = pyvista.Sphere(radius=1.0, theta_resolution=24, phi_resolution=24)
    for number in np.unique(graph.phase):
        for working in (True, False):
            mine = (graph.phase == number) & (busy == working)
            if mine.any():
                points = pyvista.PolyData(place[mine])
                points.point_data["radius"] = radius[mine]
                spheres = points.glyph(scale="radius", geom=ball, orient=False)
                plotter.add_mesh(spheres, color=colours[graph.phase_names[number]], opacity=1.0 if working else 0.55, **SOLID)


def _segments(
    graph: ContactGraph, found: GraphConductivity, place: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of what is drawn of every contact, shape (n, 2, 3) [um], and its load.

    A contact across the outer boundary is drawn as two stubs that end there; a piece that a plate feeds is tied to it.
    """
    load, box = found.load(graph), np.array(graph.network.structure.edges_um)
    low, high = place[graph.edges[:, 0]], place[graph.edges[:, 1]]
    way = high + graph.offset * box - low
    inner = ~graph.offset.any(axis=1)
    ends = [np.stack((low, high), axis=1)[inner]]
    ends += [_to_boundary(start[~inner], step[~inner], box) for start, step in ((low, way), (high, -way))]
    loads = [load[inner], load[~inner], load[~inner]]
    if not graph.periodic:
        axis = AXES.index(found.axis)
        net = np.bincount(graph.edges[:, 0], load * np.sign(found.current_A), graph.n_nodes)
        net -= np.bincount(graph.edges[:, 1], load * np.sign(found.current_A), graph.n_nodes)
        for plate, at in zip(graph.plates[axis], (0.0, box[axis]), strict=True):
            foot = place[plate.node].copy()
            foot[:, axis] = at
            ends.append(np.stack((place[plate.node], foot), axis=1))
            loads.append(np.abs(net[plate.node]))
    return np.concatenate(ends), np.concatenate(loads)


def _to_boundary(start: NDArray[np.float64], way: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return segments from points inside the box along `way` until they leave it, shape (n, 2, 3)."""
    wall = np.where(way > 0.0, box, 0.0)
    share = np.divide(wall - start, way, out=np.full(way.shape, np.inf), where=way != 0.0).min(axis=1, initial=1.0)
    return np.stack((start, start + share[:, None] * way), axis=1)


def _plates(edges_um: NDArray[np.float64], axis: int) -> list[Any]:
    """Return the two sides of the block that the plates cover, a hair outside of it."""
    import pyvista

    found = []
    for at in (-2e-3, 1.0 + 2e-3):
        bounds = np.array([[0.0, edge] for edge in edges_um])
        bounds[axis] = at * edges_um[axis]
        found.append(pyvista.Box(bounds=bounds.ravel().tolist()))
    return found


def _tube_radius(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the radius of tubes over the edge of the block: the area of their section grows with the load."""
    return np.clip(THICKEST_TUBE * np.sqrt(load / 0.3), THINNEST_TUBE, 1.3 * THICKEST_TUBE)


def _lines(ends: Sequence[Any] | NDArray[np.float64]) -> Any:
    import pyvista

    points = np.asarray(ends, dtype=np.float64)
    return pyvista.line_segments_from_points(points.reshape(-1, 3))
