"""Grains as matrices: against dense algebra, at other temperatures and resistances, and after sintering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
import support
from numpy.typing import NDArray

from kmc.conduction import solve_axis
from kmc.network import Network, build_network
from kmc.percolation import build_contact_graph
from kmc.percolation.grains.grain_graph import GrainGraph, build_grain_graph
from kmc.percolation.grains.resistance_scan import scan_resistances
from kmc.percolation.grains.sintering import best_contacts_to_sinter, sintered_resistance_ohm, sintering_gain
from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.firing.fire import co_fire
from microstructures.pressing.press import cold_press

RESISTANCE = {"A|A": 2e-8, "A|B": 5e-8}


def grains_of(n: int = 14, count: int = 6, *, seed: int = 1, periodic: bool = False, **options: object) -> GrainGraph:
    labels, grains = support.voronoi(n, count, seed=seed)
    known = support.materials(
        {"A": 1.0, "B": 0.2}, resistance=RESISTANCE, energy_eV={"A": 0.2, "B": 0.4, "A|A": 0.5, "A|B": 0.3}
    )
    network = support.network(labels, known, grains=grains, periodic=True)
    return build_grain_graph(build_contact_graph(network, periodic=periodic), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("periodic", [False, True])
def test_matrices_are_those_of_dense_algebra(periodic: bool) -> None:
    """Z = W^T L^+ W of each grain's own network, its sources balanced through all faces of its contacts."""
    found = grains_of(periodic=periodic)
    faces, modes, ids = found.faces, found.modes, found.graph.ids
    contact_of_mode = np.repeat(np.arange(len(faces)), np.diff(modes.start))
    matrices = found.matrices
    for node in range(found.graph.n_nodes):
        voxels = np.flatnonzero(ids.ravel() == node + 1)
        place = np.full(ids.size, -1)
        place[voxels] = np.arange(len(voxels))
        laplacian = np.zeros((len(voxels), len(voxels)))
        for axis in range(3):
            there = np.roll(np.arange(ids.size).reshape(ids.shape), -1, axis=axis).ravel()[voxels]
            g = found.network.conductance[axis][faces.inside[axis].ravel()[voxels]]
            for a in np.flatnonzero(g):
                b = place[there[a]]
                laplacian[a, a] += g[a]
                laplacian[b, b] += g[a]
                laplacian[a, b] -= g[a]
                laplacian[b, a] -= g[a]
        rows = range(matrices.first_row[node], matrices.first_row[node + 1])
        sources = np.zeros((len(voxels), len(rows)))
        count = np.zeros(len(rows))
        for column, row in enumerate(rows):
            mode, sign = matrices.mode[row], matrices.sign[row]
            part = slice(faces.start[contact_of_mode[mode]], faces.start[contact_of_mode[mode] + 1])
            shape = modes.shape[part, mode - modes.start[contact_of_mode[mode]]]
            np.add.at(sources[:, column], place[faces.voxels[part, 1 if sign > 0 else 0]], sign * shape)
            count[column] = (part.stop - part.start) if mode == modes.start[contact_of_mode[mode]] else 0
        net = sources.sum(axis=0).round(9)
        even = sources @ (net * count / count.sum())
        balanced = sources - even[:, None] * net
        expected = balanced.T @ np.linalg.pinv(laplacian, rcond=1e-12, hermitian=True) @ balanced
        low, high = matrices.first_entry[node], matrices.first_entry[node + 1]
        whole = (matrices.plain + matrices.special.sum(axis=0))[low:high].reshape(len(rows), -1)
        assert whole == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.diag(expected).max(initial=1e-30))


@pytest.mark.parametrize("periodic", [False, True])
def test_other_temperature_and_resistance_without_a_new_build(periodic: bool) -> None:
    """Planes along the grid have no steps, so matrices scale exactly: the same as a graph built anew."""
    labels = support.laminate([1, 1, 1, 2, 2, 1, 1, 1], across=8)
    grains = np.ones(labels.shape, dtype=np.int32)
    grains[3:5], grains[5:], grains[:, 4:] = 2, 3, grains[:, 4:] + 3
    known = support.materials({"A": 1.0, "B": 0.2}, resistance=RESISTANCE, energy_eV={"A": 0.2, "B": 0.4, "A|A": 0.5})
    network = support.network(labels, known, grains=grains, periodic=True)
    found = build_grain_graph(build_contact_graph(network, periodic=periodic))
    other = support.materials({"A": 0.7, "B": 0.3}, resistance={"A|A": 9e-8, "A|B": 0.0}, energy_eV={"A": 0.2})
    for axis in range(3):
        warm = build_contact_graph(network.at(25.0), periodic=periodic)
        assert found.sigma_eff(axis, temperature_C=25.0) == pytest.approx(build_grain_graph(warm).sigma_eff(axis), rel=1e-3)
        changed = build_contact_graph(Network(network.faces, other, "ion", 60.0), periodic=periodic)
        assert found.sigma_eff(axis, materials=other) == pytest.approx(build_grain_graph(changed).sigma_eff(axis), rel=1e-3)
        assert found.sigma_eff(axis, temperature_C=60.0) == pytest.approx(found.sigma_eff(axis), rel=1e-5)


def test_temperatures_of_a_fired_body() -> None:
    """Layers and steps are rescaled in groups: 10 K away the same as a new build to 1 %."""
    network = build_network(co_fire(size_um=2.1, voxel_nm=70.0, seed=4))
    found = build_grain_graph(build_contact_graph(network), axes=(0,))
    for temperature_C in (50.0, 70.0):
        anew = build_grain_graph(build_contact_graph(network.at(temperature_C)), axes=(0,)).sigma_eff(0)
        assert found.sigma_eff(0, temperature_C=temperature_C) == pytest.approx(anew, rel=0.01)


def test_values_that_close_a_face_are_refused() -> None:
    found = grains_of()
    with pytest.raises(InputError, match="build a new grain graph"):
        found.sigma_eff(0, materials=support.materials({"A": 1.0}, resistance=RESISTANCE))
    with pytest.raises(InputError, match="axes"):
        grains_of(axes=(1,)).sigma_eff(0)
    with pytest.raises(InputError, match="tilted"):
        grains_of(modes="tiltd")


def test_same_bits_for_any_thread_count(threads: Callable[[int], None]) -> None:
    found = []
    for count in (1, 2):
        threads(count)
        found.append(grains_of(20, 9, seed=3))
    assert found[0].matrices.plain.tobytes() == found[1].matrices.plain.tobytes()
    assert found[0].solve(0).current.tobytes() == found[1].solve(0).current.tobytes()


def with_resistances(
    network: Network, grains: GrainGraph, at: NDArray[np.int64], resistance_ohm: NDArray[np.float64]
) -> Network:
    """Return a network in which some faces of the graph have another resistance, each in a class of its own."""
    faces, known = network.faces, grains.faces
    of_axis = tuple(part.astype(np.uint32) for part in faces.of_axis)
    lower = np.where(known.sign[at] > 0, known.voxels[at, 0], known.voxels[at, 1])
    for number, (axis, voxel) in enumerate(zip(known.axis[at], lower, strict=True)):
        of_axis[axis].reshape(-1)[voxel] = faces.n_classes + number
    columns = {}
    for column in fields(faces):
        value = getattr(faces, column.name)
        if isinstance(value, np.ndarray) and len(value) == faces.n_classes and column.name != "phase_of_label":
            columns[column.name] = np.concatenate([value, value[known.face_class[at]]])
    changed = replace(network, faces=replace(faces, of_axis=of_axis, shells=None, **columns))
    more = np.tile(1.0 / resistance_ohm, (3, 1))
    changed.__dict__["conductance"] = np.ascontiguousarray(np.concatenate([network.conductance, more], axis=1))
    return changed


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize(("process", "factor"), [("fired", 1.0), ("cold", 1.0), ("cold", 1.5)])
def test_sintering_is_what_a_full_solve_says(boundary: str, process: str, factor: float) -> None:
    """The five best contacts: the rise of the conductivity within 5 % of itself."""
    body = co_fire(size_um=2.8, voxel_nm=70.0, seed=1) if process == "fired" else cold_press(size_um=2.8, voxel_nm=70.0, seed=1)
    network = build_network(body)
    grains = build_grain_graph(build_contact_graph(network, periodic=boundary == "periodic"), axes=(0,))
    best = best_contacts_to_sinter(grains, 5, 0, radius_factor=factor)
    assert len(set(best.contacts.tolist())) == 5
    assert (np.diff(best.gain) > 0.0).all()
    assert sintering_gain(grains, best.contacts, 0, radius_factor=factor) == pytest.approx(best.gain[-1], rel=1e-3)
    changed = with_resistances(network, grains, *sintered_resistance_ohm(grains, best.contacts, radius_factor=factor))
    before, after = (
        solve_axis(n, 0, boundary=boundary, tolerance=1e-7).sigma_eff_S_per_m  # type: ignore[arg-type]
        for n in (network, changed)
    )
    assert best.gain[-1] == pytest.approx(after / before - 1.0, rel=0.05)


def test_first_of_the_best_contacts_is_the_best_of_all() -> None:
    found = grains_of(16, 8, seed=2)
    alone = [sintering_gain(found, np.array([contact]), 0) for contact in range(found.graph.n_edges)]
    best = best_contacts_to_sinter(found, 1, 0)
    assert best.contacts[0] == int(np.argmax(alone))
    assert best.gain[0] == pytest.approx(max(alone), rel=1e-3)


def test_wider_point_contact_has_the_resistance_of_its_radius() -> None:
    """Between two half-spaces: 1/(2 s a) + R/(pi a^2) at the old radius and at the new one."""
    labels, size = np.ones((16, 14, 14), dtype=np.int64), 25e-9
    grains = np.ones_like(labels)
    grains[8:] = 2
    body = support.block(labels, grains=grains).with_(
        contacts=PointContacts(
            grains=np.array([[1, 2]], dtype=np.int32),
            point=np.array([[8.0, 7.0, 7.0]]) * size,
            normal=np.array([[1.0, 0.0, 0.0]]),
            radius=np.array([0.2 * size]),
            gap=np.array([0.0]),
        )
    )
    known = support.materials({"A": 1.0}, contacts={"A|A": 1e-9})
    found = build_grain_graph(build_contact_graph(build_network(body, known)), axes=(0,))
    at, widened = sintered_resistance_ohm(found, np.array([0]), radius_factor=1.2)
    fall = 1.0 / (1.0 / found.face_resistance_ohm[at]).sum() - 1.0 / (1.0 / widened).sum()
    old, new = (1.0 / (2.0 * a) + 1e-9 / (np.pi * a**2) for a in (0.2 * size, 0.24 * size))
    assert fall == pytest.approx(old - new, rel=1e-6)
    with pytest.raises(InputError, match="radius factor"):
        sintered_resistance_ohm(found, np.array([0]), radius_factor=0.5)
    with pytest.raises(InputError, match="edges of the graph"):
        sintered_resistance_ohm(found, np.array([7]))


def test_scan_of_resistances_is_a_lower_bound_next_to_single_solves() -> None:
    found = grains_of(20, 9, seed=5)
    scan = scan_resistances(found, 1, {"A|A": (0.0, 1e-8, 1e-7, 1e-6), "A|B": (0.0, 5e-8, 1e-6)})
    kinds = np.append(found.graph.interface, "plate")[np.minimum(found.faces.contact, found.graph.n_edges)]
    table = found.network.faces
    own = table.area_factor[found.faces.face_class] / table.face_geometry()[0][found.faces.axis]
    before = found.network.interface_resistance[found.faces.face_class]
    for values in ((2e-8, 5e-8), (3e-9, 2e-7), (1e-7, 0.0), (1e-8, 1e-6)):
        wanted = np.where(kinds == "A|A", values[0], np.where(kinds == "A|B", values[1], before))
        single = found.resolve(1, None, found.face_resistance_ohm + (wanted - before) * own, 1e-8)
        assert (1.0 - 2e-3) * single <= scan.sigma_eff(values) <= (1.0 + 1e-6) * single
    assert scan.sigma_eff((2e-8, 5e-8)) == pytest.approx(found.sigma_eff(1), rel=2e-3)
    with pytest.raises(InputError, match="kind"):
        scan_resistances(found, 1, {"A|C": (0.0,)})
    with pytest.raises(InputError, match="0 or more"):
        scan.sigma_eff((-1e-8, 0.0))
