"""What crosses an interface: resistances, barriers, true areas, and how conductors turn into hop rates and back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants
from support import blobs, block, laminate, materials, network, sphere

from kmc.arrhenius import fit_arrhenius
from kmc.conduction import conduct
from kmc.interfaces import resistance_ohm_m2, sheet_conductance_S
from kmc.network import Network, build_network
from kmc.rates import (
    arrhenius,
    conductivity_S_per_m,
    equivalent_barrier_eV,
    hop_rate_Hz,
    nernst_einstein_S_per_m,
)
from kmc.tensor import conductivity_tensor
from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from microstructures.voxels.interface_normals import AREA_LEVELS

K, Q = constants.Boltzmann, constants.elementary_charge
T_60C = 333.15
ONE_STEP = (np.sqrt(3.0) - 1.0) / (AREA_LEVELS - 1)


def sigma(known: Network, axis: str = "x", boundary: str = "periodic", tolerance: float = 1e-8) -> float:
    found = conduct(known, axis=axis, boundary=boundary, tolerance=tolerance)
    assert found.outcome.value == "converged"
    return float(found.sigma_eff_S_per_m)  # type: ignore[arg-type]


def kapitza(n: int, volume_fraction: float, matrix: float, ratio: float, voxel_nm: float = 25.0) -> float:
    labels, radius = sphere(n, volume_fraction)
    inside = matrix * ratio
    resistance = (inside - matrix) * radius * voxel_nm * 1e-9 / (inside * matrix)
    known = materials({"A": matrix, "B": inside}, resistance={"A|B": resistance})
    return sigma(network(labels, known, voxel_nm, periodic=True), tolerance=1e-6) / matrix


@pytest.mark.parametrize(
    ("volume_fraction", "matrix", "ratio", "voxel_nm"),
    [
        (0.1, 1.0, 1.2, 25.0),
        (0.1, 1.0, 2.0, 25.0),
        (0.1, 10.0, 1e3, 25.0),
        (0.2, 1.0, 2.0, 40.0),
        (0.3, 1.0, 10.0, 25.0),
        (0.3, 1e-3, 4.0, 10.0),
        (0.2, 0.5, 1e4, 25.0),
        (0.35, 1.0, 1e6, 25.0),
        (0.4, 1.0, 1.2, 25.0),
        (0.45, 1.0, 2.0, 25.0),
        (0.45, 1.0, 1e4, 25.0),
        (0.05, 1.0, 1.05, 25.0),
    ],
)
def test_kapitza_sphere(volume_fraction: float, matrix: float, ratio: float, voxel_nm: float) -> None:
    """A sphere of radius a is neutral when R = (s_i - s_m) a / (s_i s_m), at any f (Torquato & Rintoul 1995); 1 % at 40 voxels."""
    assert kapitza(40, volume_fraction, matrix, ratio, voxel_nm) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("volume_fraction", "ratio"), [(0.3, 1.5), (0.3, 2.0), (0.2, 3.0)])
def test_kapitza_sphere_converges(volume_fraction: float, ratio: float) -> None:
    """Without the true area of the interface the limit would be 3 to 15 % high; with it the error falls at least at first order."""
    errors = [abs(kapitza(n, volume_fraction, 1.0, ratio) - 1.0) for n in (20, 40, 80)]
    assert errors[2] < 0.002
    assert np.log2(errors[0] / errors[2]) / 2.0 > 0.9


@pytest.mark.parametrize("resistance_voxels", [0.1, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize("normal", [(1, 1, 0), (1, 0, -1), (1, 1, 1), (1, -1, 1)])
def test_tilted_interface_resists_only_what_runs_across(normal: tuple[int, int, int], resistance_voxels: float) -> None:
    """1/s = 1/s_A + R n/L across, s_A along: s_xx = s_A - (s_A - s) n_x^2, though all lies on steps at 45 degrees or more."""
    n, unit = 24, np.array(normal) / np.linalg.norm(normal)
    phase = np.tensordot(normal, np.indices((n, n, n)) + 0.5, axes=1) / n + 0.2
    known = materials({"A": 2.0, "B": 2.0}, resistance={"A|B": resistance_voxels * 25e-9 / 2.0})
    across = 2.0 / (1.0 + 2.0 * resistance_voxels * np.linalg.norm(normal) / n)
    found = sigma(network(1 + (phase % 1.0 < 0.5), known, periodic=True))
    assert found == pytest.approx(2.0 - (2.0 - across) * unit[0] ** 2, rel=1e-3)


@pytest.mark.parametrize("normal", [(1, 2, 0), (1, 3, 0), (1, 1, 2), (1, 2, 3)])
def test_any_tilted_interface_resists_what_runs_across(normal: tuple[int, int, int]) -> None:
    """n.S^-1.n of the tensor S is 1/s_A + R n/L within 1.5 % at any tilt; what runs along loses at most 3 %."""
    n, unit = 40, np.array(normal) / np.linalg.norm(normal)
    phase = np.tensordot(normal, np.indices((n, n, n)) + 0.5, axes=1) / n + 0.2
    for resistance_voxels in (1.0, 100.0):
        known = materials({"A": 1.0, "B": 1.0}, resistance={"A|B": resistance_voxels * 25e-9})
        tensor = conductivity_tensor(network(1 + (phase % 1.0 < 0.5), known, periodic=True)).sigma_eff_S_per_m
        across = 1.0 + 2.0 * resistance_voxels * np.linalg.norm(normal) / n
        assert unit @ np.linalg.inv(tensor) @ unit == pytest.approx(across, rel=0.015)
        assert 0.5 * (np.trace(tensor) - unit @ tensor @ unit) == pytest.approx(1.0, abs=0.03)


def test_a_resistance_never_helps() -> None:
    """sigma_eff falls with R, from the plain network on, also where all is steps and corners one or two voxels apart."""
    labels = blobs(16, {0: 0.2, 1: 0.4, 2: 0.4}, seed=2, size=0.8)
    values = [
        sigma(network(labels, materials({"A": 1.0, "B": 1.0}, resistance={"A|B": h * 25e-9}), periodic=True))
        for h in (0.0, 1e-9, 1e-4, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1e4)
    ]
    assert values[1] == pytest.approx(values[0], rel=1e-6)
    assert (np.diff(values[1:]) < 0.0).all()


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
@pytest.mark.parametrize("axis", range(3))
def test_flat_grain_boundary(boundary: str, axis: int) -> None:
    """A|A between two grains of one phase: 1/s = 1/s_A + R n/L for n boundaries in a length L."""
    grains = np.moveaxis(laminate([1] * 2 + [2] * 4 + [1] * 2).astype(np.int32), 0, axis)
    known = materials({"A": 2.0}, resistance={"A|A": 3e-7})
    found = network(np.ones(grains.shape), known, grains=grains, periodic=True)
    assert sigma(found, "xyz"[axis], boundary, 1e-12) == pytest.approx(1.0 / (0.5 + 2 * 3e-7 / (8 * 25e-9)), rel=1e-10)
    assert sigma(network(np.ones(grains.shape), known), "xyz"[axis], boundary, 1e-12) == pytest.approx(2.0, rel=1e-12)


def test_connected_grains_do_not_make_boundaries() -> None:
    """Without grain ids every connected piece of a phase is one grain, so A|A never occurs."""
    known = network(laminate([1, 1, 2, 2, 1, 1]), materials({"A": 1.0, "B": 1.0}, resistance={"A|A": 1.0}))
    assert sigma(known, boundary="plates") == pytest.approx(1.0, rel=1e-10)


def factors(labels: np.ndarray, *, periodic: bool = False, **options: object) -> np.ndarray:
    known = materials({"A": 1.0, "B": 1.0}, resistance={"default": 1e-7})
    faces = network(labels, known, periodic=periodic, **options).faces
    used = np.unique(np.concatenate([part.ravel() for part in faces.of_axis]))
    used = used[faces.interface[used]]
    return faces.area_factor[used]


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("periodic", [False, True])
def test_flat_faces_are_not_corrected(axis: int, periodic: bool) -> None:
    """|nx| + |ny| + |nz| = 1 exactly on a plane along the grid, however thin the layers, and at the outer faces."""
    for layers in ([1, 1, 1, 1, 2, 2, 2, 2], [1, 2, 1, 1, 2, 1, 1, 1], [1, 2, 1, 2, 1, 2, 1, 2]):
        assert factors(np.moveaxis(laminate(layers, across=8), 0, axis), periodic=periodic).tolist() == [1.0]
    grains = np.moveaxis(laminate([1, 1, 1, 1, 2, 2, 2, 2], across=8), 0, axis)
    assert factors(np.ones(grains.shape), periodic=periodic, grains=grains).tolist() == [1.0]


@pytest.mark.parametrize("normal", [(1, 1, 0), (0, 1, 1), (1, 0, -1), (1, 1, 1), (1, -1, 1), (1, 2, 0), (2, 1, 2)])
def test_tilted_planes_have_their_true_area(normal: tuple[int, int, int]) -> None:
    """True area / voxel faces = 1/(|nx| + |ny| + |nz|), within 2 % of a plane's own normal, face by face and in the mean."""
    n = 24
    phase = np.tensordot(normal, np.indices((n, n, n)) + 0.5, axes=1) / n + 0.2
    known = materials({"A": 1.0, "B": 1.0}, resistance={"A|B": 1e-7})
    faces = network(1 + (phase % 1.0 < 0.5), known, periodic=True).faces
    exact = np.abs(normal).sum() / np.linalg.norm(normal)
    seen = np.concatenate([faces.area_factor[part[faces.interface[part]]] for part in faces.of_axis])
    assert len(seen) > 100
    np.testing.assert_allclose(seen, exact, rtol=0.05)
    assert np.mean(1.0 / seen) * exact == pytest.approx(1.0, abs=0.02)


def test_corner_of_a_box_has_a_tilted_normal_only_near_its_edges() -> None:
    """Faces farther than the window from an edge of a box are flat."""
    labels = np.ones((24, 24, 24), dtype=np.uint8)
    labels[6:18, 6:18, 6:18] = 2
    known = network(labels, materials({"A": 1.0, "B": 1.0}, resistance={"A|B": 1e-7}))
    middle = known.faces.of_axis[0][5, 11:13, 11:13]
    assert known.faces.area_factor[middle].tolist() == [[1.0, 1.0], [1.0, 1.0]]


BARRIER = """
[interfaces."A|B".ion]
migration_barrier_eV = 0.45
attempt_frequency_Hz = 5.0e12
hop_distance_nm = 0.4
carrier_density_per_m3 = 3.0e27
"""


@pytest.mark.parametrize("temperature_C", [20.0, 60.0, 150.0])
def test_barrier_of_an_interface_is_a_resistance(temperature_C: float) -> None:
    """R = kT / (q^2 c a nu exp(-E/kT)): carriers within one hop of the interface cross it at that rate."""
    known = materials({"A": 1.0, "B": 1.0}, more=BARRIER)
    kT = K * (temperature_C + 273.15)
    by_hand = kT / (Q**2 * 3.0e27 * 0.4e-9 * 5.0e12 * np.exp(-0.45 * Q / kT))
    interface = known.interface("B", "A", "ion")
    assert resistance_ohm_m2(interface, temperature_C, 60.0) == pytest.approx(by_hand, rel=1e-12)
    found = build_network(block(laminate([1, 1, 2, 2])), known, temperature_C=temperature_C)
    assert sigma(found, boundary="plates") == pytest.approx(1.0 / (1.0 + by_hand / (4 * 25e-9)), rel=1e-8)


def test_resistance_and_film_follow_arrhenius() -> None:
    """1/R(T) and G(T) are plain Arrhenius about the reference temperature: exp(-Ea/k (1/T - 1/Tref))."""
    known = materials({"A": 1.0}, resistance={"A|A": 2e-6}, films={"A|pore": 1e-6}, energy_eV={"A|A": 0.35, "A|pore": 0.07})
    factor = np.exp(-0.35 * Q / K * (1.0 / 373.15 - 1.0 / T_60C))
    assert resistance_ohm_m2(known.interface("A", "A", "ion"), 100.0, 60.0) == pytest.approx(2e-6 / factor, rel=1e-12)
    factor = np.exp(-0.07 * Q / K * (1.0 / 373.15 - 1.0 / T_60C))
    assert sheet_conductance_S(known.film("A", "pore", "ion"), 100.0, 60.0) == pytest.approx(1e-6 * factor, rel=1e-12)
    assert resistance_ohm_m2(None, 60.0, 60.0) == 0.0
    assert sheet_conductance_S(None, 60.0, 60.0) == 0.0


def test_default_interface_stands_in_for_those_not_named() -> None:
    """`default` holds for every pair without an entry of its own, and point contacts fall back to sintered interfaces."""
    known = materials({"A": 1.0, "B": 1.0}, resistance={"default": 1e-6, "A|B": 2e-6}, contacts={"A|A": 5e-6})
    assert resistance_ohm_m2(known.interface("B", "B", "ion"), 60.0, 60.0) == pytest.approx(1e-6)
    assert resistance_ohm_m2(known.interface("B", "A", "ion"), 60.0, 60.0) == pytest.approx(2e-6)
    assert resistance_ohm_m2(known.contact("A", "A", "ion"), 60.0, 60.0) == pytest.approx(5e-6)
    assert resistance_ohm_m2(known.contact("A", "B", "ion"), 60.0, 60.0) == pytest.approx(2e-6)


def test_nernst_einstein() -> None:
    """sigma = q^2 c D / (kT): 6.0e27 /m3, 1e-12 m2/s, 333.15 K give .334849 mS/cm."""
    found = nernst_einstein_S_per_m(1e-12, 6.0e27, 60.0)
    assert found * 10.0 == pytest.approx(0.334849, abs=5e-7)
    assert found == pytest.approx(Q**2 * 6.0e27 * 1e-12 / (K * T_60C), rel=1e-12)


BARRIER_PHASE = """
[phases.F]
label = 6
[phases.F.ion]
migration_barrier_eV = 0.30
attempt_frequency_Hz = 1.0e13
hop_distance_nm = 0.35
carrier_density_per_m3 = 5.0e27
"""


@pytest.mark.parametrize("temperature_C", [0.0, 60.0, 120.0])
def test_barrier_of_a_phase_is_a_conductivity(temperature_C: float) -> None:
    """D = a^2 nu/6 exp(-E/kT), sigma = q^2 c D/(kT); sigma T has the barrier as its activation energy."""
    conductor = materials({}, more=BARRIER_PHASE).conductor("F", "ion")
    kT = K * (temperature_C + 273.15)
    diffusivity = 0.35e-9**2 * 1.0e13 / 6.0 * np.exp(-0.30 * Q / kT)
    assert conductivity_S_per_m(conductor, temperature_C, 60.0) == pytest.approx(Q**2 * 5.0e27 * diffusivity / kT, rel=1e-12)
    assert hop_rate_Hz(1.0e13, 0.30, temperature_C) == pytest.approx(1.0e13 * np.exp(-0.30 * Q / kT), rel=1e-12)


def test_both_forms_of_a_phase_feed_the_same_network() -> None:
    """A measured phase of the same conductivity conducts the same, face by face, and quotes the barrier it came from."""
    known = materials({}, more=BARRIER_PHASE)
    value = conductivity_S_per_m(known.conductor("F", "ion"), 60.0, 60.0)
    one = build_network(VoxelStructure.from_labels(np.full((3, 3, 3), 6), voxel_nm=25, phases={6: "F"}), known)
    two = network(np.ones((3, 3, 3)), materials({"A": value}))
    np.testing.assert_allclose(one.conductance, two.conductance, rtol=1e-12)
    np.testing.assert_allclose(one.conductance[0, 1], value * 25e-9, rtol=1e-12)
    assert one.barrier_eV[1] == pytest.approx(0.30, abs=1e-12)
    assert np.isinf(one.barrier_eV[0])


def test_equivalent_barrier_inverts_the_conductivity() -> None:
    """E = kT ln(prefactor/sigma), infinite where nothing conducts."""
    assert equivalent_barrier_eV(2.0 * np.exp(-0.4 / (K / Q * T_60C)), 2.0, 60.0) == pytest.approx(0.4, rel=1e-12)
    assert equivalent_barrier_eV(0.0, 1.0, 60.0) == np.inf


def test_temperature_moves_phases_and_interfaces_together() -> None:
    """A block of one activation energy has it at every temperature; the fit of sigma T is larger by about kT."""
    known = materials({"A": 1.0, "B": 0.1}, resistance={"A|B": 1e-7}, energy_eV={"A": 0.3, "B": 0.3, "A|B": 0.3})
    base = network(sphere(12, 0.3)[0], known)
    temperatures = [50.0, 60.0, 80.0, 150.0]
    values = [sigma(base.at(t), boundary="plates", tolerance=1e-9) for t in temperatures]
    np.testing.assert_allclose(values, values[1] * np.array([arrhenius(0.3, t, 60.0) for t in temperatures]), rtol=1e-8)
    fit = fit_arrhenius(temperatures, values)
    assert fit.activation_energy_eV == pytest.approx(0.3, abs=1e-8)
    assert fit.activation_energy_sigma_T_eV == pytest.approx(0.3 + K / Q * 356.0, abs=2e-3)
    assert fit.residual < 1e-8
    assert base.at(80.0).faces is base.faces


@pytest.mark.parametrize("temperature_C", [-273.15, -300.0, np.nan, np.inf])
def test_impossible_temperatures_are_refused(temperature_C: float) -> None:
    """Below absolute zero, or no number: one line that says so."""
    with pytest.raises(InputError, match="temperature_C is"):
        network(np.ones((2, 2, 2)), materials({"A": 1.0})).at(temperature_C)


def test_fit_needs_two_temperatures_and_positive_values() -> None:
    """A line through one point, or the logarithm of 0, is refused."""
    with pytest.raises(InputError, match="two different temperatures"):
        fit_arrhenius([60.0, 60.0], [1.0, 1.0])
    with pytest.raises(InputError, match="does not percolate"):
        fit_arrhenius([50.0, 60.0], [1.0, 0.0])
