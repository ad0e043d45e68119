"""Reaction layers without voxels of their own conduct as the layers they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike
from support import block, distance_from_middle, laminate, materials, sigma, voronoi

from kmc.conduction import conduct
from kmc.hopping import hop
from kmc.network import Network, build_network
from kmc.outcomes import Outcome
from kmc.percolation import percolate
from microstructures.features import ThinShells
from microstructures.structure import VoxelStructure

H = 25e-9
BETTER, WORSE = {"A": 0.1, "B": 0.2, "C": 5.0}, {"A": 1.0, "B": 0.2, "C": 0.05}
BETWEEN = {"A": 1e-6, "B": 0.9, "C": 0.1}


def shelled(labels: ArrayLike, thickness_voxels: float, donor_share: float, voxel_nm: float = 25.0) -> VoxelStructure:
    """Return grains A and B of the labels' numbers, with a layer C between them."""
    shells = ThinShells(
        "C", "A", "B", donor_share, np.array([[1, 2]], dtype=np.int32), np.array([thickness_voxels * voxel_nm * 1e-9])
    )
    return block(labels, voxel_nm, grains=labels, periodic=True).with_(shells=shells)


def series_and_parallel(
    conductivity: dict[str, float], spacing: float, thickness: float, donor_share: float, resistance: float
) -> tuple[float, float]:
    """Return sigma across and along layers A|C|B|C of period 2 `spacing` [voxels], with `resistance` at every layer."""
    widths = {"A": spacing - 2.0 * donor_share * thickness, "B": spacing - 2.0 * (1.0 - donor_share) * thickness}
    widths["C"] = 2.0 * thickness
    across = sum(widths[name] * H / conductivity[name] for name in widths) + 2.0 * resistance
    along = sum(widths[name] * conductivity[name] for name in widths)
    return 2.0 * spacing * H / across, along / (2.0 * spacing)


@pytest.mark.parametrize("resistance", [{}, {"A|C": 1e-7, "B|C": 2e-7, "A|B": 1.0}])
@pytest.mark.parametrize("conductivity", [BETTER, WORSE, BETWEEN])
@pytest.mark.parametrize("donor_share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("thickness", [0.2, 0.7, 1.0, 1.7, 3.0])
def test_laminate_is_exact(
    thickness: float, donor_share: float, conductivity: dict[str, float], resistance: dict[str, float]
) -> None:
    """Series across and parallel along, for layers thinner than the half cell they replace part of, and thicker."""
    axis = round(10 * thickness) % 3
    labels = np.moveaxis(laminate([1] * 9 + [2] * 9), 0, axis)
    known = build_network(shelled(labels, thickness, donor_share), materials(conductivity, resistance=resistance))
    entry = resistance.get("A|C", 0.0) + resistance.get("B|C", 0.0)
    across, along = series_and_parallel(conductivity, 9.0, thickness, donor_share, entry)
    expected = dict.fromkeys("xyz", along)
    expected["xyz"[axis]] = across
    found = conduct(known, axis="all", boundary="periodic", tolerance=1e-13).sigma_eff_S_per_m
    assert found == pytest.approx(expected, rel=1e-10)


def tilted(normal: tuple[int, int, int], n: int, thickness: float, donor_share: float) -> tuple[VoxelStructure, float]:
    """Return parallel layers in a periodic box, and the spacing [voxels] between them."""
    shape = tuple(n if component else 4 for component in normal)
    phase = (np.tensordot(normal, np.indices(shape) + 0.5, axes=1) / n + 0.13) % 1.0
    labels = np.where(phase < 0.5, 1, 2)
    return shelled(labels, thickness, donor_share), 0.5 * n / float(np.linalg.norm(normal))


@pytest.mark.parametrize("normal", [(1, 0, 1), (1, 0, 2), (1, 1, 1)])
@pytest.mark.parametrize(
    ("conductivity", "entry"), [({"A": 1e-6, "B": 1e-3, "C": 5.0}, 1e-6), ({"A": 1.0, "B": 1.0, "C": 0.02}, 0.0)]
)
@pytest.mark.parametrize(("thickness", "donor_share"), [(0.8, 0.0), (0.8, 0.5), (2.4, 1.0)])
def test_tilted_layers(
    thickness: float, donor_share: float, conductivity: dict[str, float], entry: float, normal: tuple[int, int, int]
) -> None:
    """sigma_aa = sigma_along (1 - n_a^2) + sigma_across n_a^2, within 2.5 %: good layers in poor grains, and the reverse."""
    structure, spacing = tilted(normal, 72 if 0 in normal else 64, thickness, donor_share)
    known = build_network(structure, materials(conductivity, resistance={"A|C": entry}))
    across, along = series_and_parallel(conductivity, spacing, thickness, donor_share, entry)
    for axis in (0,) if normal == (1, 1, 1) else (0, 1, 2):
        share = normal[axis] ** 2 / float(np.dot(normal, normal))
        assert sigma(known, axis, tolerance=1e-4) == pytest.approx(along * (1.0 - share) + across * share, rel=0.025)


def coated_sphere(thickness_nm: float, donor_share: float, voxel_nm: float) -> tuple[Network, float]:
    """Return a core of 1e-6 S/m in a shell of 0.5 S/m, 500 nm in radius outside, and the matrix it does not disturb.

    Hashin (J. Appl. Mech. 29, 143, 1962): s_m = s_s (1 + 3 c (s_c - s_s) / (3 s_s + (1 - c)(s_c - s_s))), c the share of
    the core in the coated sphere.
    """
    core, shell, radius = 1e-6, 0.5, 500.0
    n = round(1240.0 / voxel_nm)
    plane = radius - thickness_nm * (1.0 - donor_share)
    labels = np.where(distance_from_middle(n) * voxel_nm < plane, 1, 2)
    c = ((radius - thickness_nm) / radius) ** 3
    matrix = shell * (1.0 + 3.0 * c * (core - shell) / (3.0 * shell + (1.0 - c) * (core - shell)))
    known = materials({"A": core, "B": matrix, "C": shell})
    return build_network(shelled(labels, thickness_nm / voxel_nm, donor_share, voxel_nm), known), matrix


@pytest.mark.parametrize("voxel_nm", [40.0, 25.0, 20.0])
@pytest.mark.parametrize("donor_share", [0.0, 1.0])
@pytest.mark.parametrize("thickness_nm", [40.0, 70.0, 100.0])
def test_coated_sphere_is_neutral(thickness_nm: float, donor_share: float, voxel_nm: float) -> None:
    """A thin shell of 1 to 5 voxels, in the matrix' or in the core's place, leaves the matrix as it is, within 2 %."""
    known, matrix = coated_sphere(thickness_nm, donor_share, voxel_nm)
    assert sigma(known, tolerance=1e-4) == pytest.approx(matrix, rel=0.02)


@pytest.fixture(scope="module")
def grains() -> Network:
    """Return Voronoi grains of two phases, most pairs of which have reacted."""
    labels, ids = voronoi(24, 30, seed=3)
    pairs = set()
    for axis in range(3):
        for a, b in ((ids, np.roll(ids, -1, axis)), (np.roll(ids, -1, axis), ids)):
            phase_a, phase_b = (np.array([0, *np.resize([1, 2], 30)])[part] for part in (a, b))
            meets = (phase_a == 1) & (phase_b == 2)
            pairs |= set(zip(a[meets].tolist(), b[meets].tolist(), strict=True))
    listed = np.array(sorted(pairs), dtype=np.int32)
    rng = np.random.default_rng(5)
    listed = listed[rng.random(len(listed)) < 0.8]
    shells = ThinShells("C", "A", "B", 0.3, listed, 60e-9 * np.exp(0.25 * rng.standard_normal(len(listed))))
    known = materials({"A": 0.05, "B": 0.4, "C": 0.2}, resistance={"A|C": 2e-7, "C|B": 1e-7, "A|B": 1e-5, "B|B": 1e-7})
    return build_network(block(labels, 40.0, grains=ids, periodic=True).with_(shells=shells), known)


def test_hops_agree_with_the_solver(grains: Network) -> None:
    """Tracers on the same face table: within 4 standard errors along every axis."""
    solved = conduct(grains, axis="all", boundary="periodic", tolerance=1e-5).sigma_eff_S_per_m
    walked = hop(grains, hops=6_000_000, seed=4)
    assert walked.outcome is Outcome.CONVERGED
    for axis in "xyz":
        assert abs(walked.sigma_eff_S_per_m[axis] - solved[axis]) < 4.0 * walked.sigma_eff_stderr_S_per_m[axis]  # type: ignore[index]


def test_graph_sees_the_layers(grains: Network) -> None:
    """The contact graph counts the layer and its interfaces: sigma falls when the product turns into a poor conductor."""
    found = percolate(grains, boundary="periodic")
    assert found.percolates
    poor = materials({"A": 0.05, "B": 0.4, "C": 1e-5}, resistance={"A|C": 2e-7, "C|B": 1e-7, "A|B": 1e-5, "B|B": 1e-7})
    worse = percolate(grains.structure, poor, boundary="periodic")
    assert 0.0 < worse.sigma_eff_graph_S_per_m < found.sigma_eff_graph_S_per_m  # type: ignore[operator]
