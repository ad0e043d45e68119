"""Alternating current against exact answers: laminates, relaxation times, circuits, limits, coated spheres, mixed conductors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.constants import epsilon_0
from support import blobs, block, laminate, materials, sphere, voronoi

from cofire.building import build
from kmc.conduction import conduct
from kmc.impedance import DOUBLE_LAYER_F_PER_M2, admittance_spectrum
from kmc.network import build_network
from kmc.outcomes import Outcome
from microstructures.errors import InputError
from microstructures.features import ThinShells
from microstructures.materials import Materials, load_materials
from microstructures.materials.library import materials_of
from microstructures.structure import VoxelStructure

H = 25e-9
WIDE = np.logspace(-2.0, 11.0, 14)
Complex = NDArray[np.complex128]


def dielectrics(
    known: Materials, permittivity: Mapping[str, float], capacitance: Mapping[str, float] | None = None
) -> Materials:
    """Return materials with relative permittivities, and capacitances [F/m2] of interfaces that resist."""
    table = known.to_dict()
    for name, value in permittivity.items():
        table["phases"][name]["relative_permittivity"] = float(value)
    for pair, value in (capacitance or {}).items():
        table["interfaces"][pair]["ion"]["capacitance_F_per_m2"] = float(value)
    return materials_of(table, "test")


def stored(frequencies: NDArray[np.float64], permittivity: float) -> Complex:
    """Return i w e."""
    return 2j * np.pi * frequencies * permittivity * epsilon_0


def relaxation_times(frequencies: NDArray[np.float64], response: Complex, poles: int) -> NDArray[np.float64]:
    """Return the relaxation times [s] of a sum of first-order poles and a constant, falling: rational interpolation."""
    w = 1j * frequencies / frequencies.max()
    powers = w[:, None] ** np.arange(1, poles + 1)
    rows = np.column_stack([np.ones_like(w), powers, -response[:, None] * powers])
    found = np.linalg.lstsq(np.vstack([rows.real, rows.imag]), np.concatenate([response.real, response.imag]), rcond=None)[0]
    roots = np.roots(np.concatenate([found[poles + 1 :][::-1], [1.0]])).real
    return np.sort(-1.0 / (roots * 2.0 * np.pi * frequencies.max()))[::-1]


@pytest.mark.parametrize("axis", "xyz")
@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_laminate_is_exact_at_every_frequency(boundary: str, axis: str) -> None:
    """Series across and parallel along of s + i w e, and an interface R||C in series; pores carry displacement."""
    labels = np.moveaxis(laminate([1] * 3 + [2] * 2 + [0]), 0, "xyz".index(axis))
    known = materials({"A": 1e-6, "B": 1e-2}, resistance={"A|B": 1e-5})
    known = dielectrics(known, {"A": 15.0, "B": 4.0}, {"A|B": 0.03})
    one, two, gas = 1e-6 + stored(WIDE, 15.0), 1e-2 + stored(WIDE, 4.0), stored(WIDE, 1.0)
    interface = 1e-5 / (1.0 + 2j * np.pi * WIDE * 1e-5 * 0.03)
    for along in "xyz":
        found = admittance_spectrum(block(labels), known, frequencies_Hz=WIDE, axis=along, boundary=boundary, tolerance=1e-10)
        across = 6.0 * H / (3.0 * H / one + 2.0 * H / two + H / gas + interface)
        expected = across if along == axis else (3.0 * one + 2.0 * two + gas) / 6.0
        assert found.outcome is Outcome.CONVERGED
        assert found.conductivity_S_per_m == pytest.approx(expected, rel=1e-9)
        assert (found.z_ohm_m2.real > 0.0).all()


def test_maxwell_wagner_time() -> None:
    """f = .4, e = 15 both, 1e-6 in 1e-2 S/m: tau = 1.66011871e-8 s; a laminate of (2 + f)/3 relaxes as coated spheres of f."""
    known = dielectrics(materials({"A": 1e-6, "B": 1e-2}), {"A": 15.0, "B": 15.0})
    frequencies = np.logspace(6.0, 8.0, 5)
    found = admittance_spectrum(block(laminate([1] * 4 + [2])), known, frequencies_Hz=frequencies)
    dispersed = found.conductivity_S_per_m - stored(frequencies, 15.0)
    assert relaxation_times(frequencies, dispersed, 1) == pytest.approx([1.66011871e-8], rel=1e-8)


@pytest.mark.parametrize(("inside", "outside", "inner_e", "outer_e"), [(1e-6, 1e-2, 15.0, 15.0), (1.0, 1e-3, 5.0, 60.0)])
def test_dilute_spheres_against_the_complex_maxwell_formula(
    inside: float, outside: float, inner_e: float, outer_e: float
) -> None:
    """5 % of spheres: s = s_m (1 + 3 f b / (1 - f b)), b = (s_i - s_m)/(s_i + 2 s_m), all complex, within 2 %."""
    labels, _ = sphere(32, 0.05)
    fraction = float((labels == 2).mean())
    known = dielectrics(materials({"A": outside, "B": inside}), {"A": outer_e, "B": inner_e})
    frequencies = np.logspace(4.0, 11.0, 15)
    found = admittance_spectrum(block(labels), known, frequencies_Hz=frequencies, boundary="periodic", tolerance=1e-6)
    one, two = outside + stored(frequencies, outer_e), inside + stored(frequencies, inner_e)
    contrast = (two - one) / (two + 2.0 * one)
    expected = one * (1.0 + 3.0 * fraction * contrast / (1.0 - fraction * contrast))
    assert found.outcome is Outcome.CONVERGED
    assert np.abs(found.conductivity_S_per_m / expected - 1.0).max() < 0.02


def test_brick_layer() -> None:
    """R_b 100, R_gb 900 ohm, C_b 10 pF, C_gb 25 times that: characteristic frequencies 159.155 MHz and 707.355 kHz."""
    n, area, grains = 16, (4 * 25e-9) ** 2, 4
    length = n * H
    conductivity, permittivity = length / (100.0 * area), 10e-12 * length / (area * epsilon_0)
    known = materials({"A": conductivity}, resistance={"A|A": 900.0 * area / (grains - 1)})
    known = dielectrics(known, {"A": permittivity}, {"A|A": 250e-12 * (grains - 1) / area})
    stack = block(laminate([1] * n), grains=laminate(np.repeat(np.arange(1, grains + 1), n // grains)).astype(np.int32))
    frequencies = np.logspace(4.0, 10.0, 13)
    z = admittance_spectrum(stack, known, frequencies_Hz=frequencies).z_ohm_m2 / area
    w = 2j * np.pi * frequencies
    assert z == pytest.approx(100.0 / (1.0 + w * 1e-9) + 900.0 / (1.0 + w * 225e-9), rel=1e-9)
    chosen = [3, 5, 8, 9]
    times = relaxation_times(frequencies[chosen], z[chosen], 2)
    assert 1.0 / (2.0 * np.pi * times) == pytest.approx([707.355e3, 159.155e6], rel=1e-5)


def test_mixed_conductor_between_blocking_plates() -> None:
    """The pellet of the paper: R_i R_e/(R_i + R_e) = 15.069 ohm at high frequency, R_e = 17.1 ohm at low, corner in between."""
    ionic, electronic, thickness, area = 126.9, 17.1, 0.88e-3, np.pi * (9.45e-3 / 2.0) ** 2
    known = materials({"A": thickness / (ionic * area)}, electron={"A": thickness / (electronic * area)})
    pellet = block(laminate([1] * 16), voxel_nm=0.88e6 / 16)
    frequencies = np.array([1e-1, 1e3, 8.7e3, 1e5, 3e8])
    found = admittance_spectrum(pellet, known, frequencies_Hz=frequencies, carrier="both", plates="blocking")
    z, w = found.z_ohm_m2 / area, 2j * np.pi * frequencies
    ions = 1.0 / (1.0 / (ionic) + w * epsilon_0 * area / thickness) + 2.0 / (w * DOUBLE_LAYER_F_PER_M2 * area)
    assert z == pytest.approx(1.0 / (1.0 / ions + 1.0 / electronic), rel=1e-9)
    assert abs(z[0]) == pytest.approx(17.1, rel=1e-5)
    assert abs(z[-1]) == pytest.approx(15.069, rel=1e-3)
    assert DOUBLE_LAYER_F_PER_M2 * area / 2.0 == pytest.approx(1.2e-7, rel=1e-3)
    reversible = admittance_spectrum(pellet, known, frequencies_Hz=frequencies[:1], carrier="both")
    assert reversible.z_ohm_m2[0].real / area == pytest.approx(15.069, abs=5e-4)


def grained(boundary: str) -> VoxelStructure:
    """Return 40 grains of two phases with pores between them."""
    labels, grains = voronoi(24, 40, seed=2)
    labels = np.where(blobs(24, {1: 0.85, 0: 0.15}, seed=3) == 0, 0, labels).astype(np.uint8)
    return block(labels, grains=np.where(labels == 0, 0, grains), periodic=boundary == "periodic")


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_limits_are_two_direct_currents(boundary: str) -> None:
    """w -> 0 is the resistive network, w -> infinity that of the permittivities, each within 1e-4."""
    body = grained(boundary)
    resisting = materials({"A": 1e-4, "B": 1.0}, resistance={"default": 1e-7}, films={"A|pore": 1e-9})
    known = dielectrics(resisting, {"A": 8.0, "B": 15.0}, {"default": 0.05})
    frequencies = np.logspace(-3.0, 14.0, 35)
    found = admittance_spectrum(body, known, frequencies_Hz=frequencies, boundary=boundary)
    assert found.outcome is Outcome.CONVERGED
    assert (found.z_ohm_m2.real > 0.0).all()
    assert (found.conductivity_S_per_m.real > 0.0).all()
    low = conduct(body, resisting, boundary=boundary, tolerance=1e-7).sigma_eff_S_per_m
    assert found.conductivity_S_per_m[0].real == pytest.approx(low, rel=1e-4)
    assert abs(found.conductivity_S_per_m[0].imag) < 1e-4 * low
    # capacitors alone: each interface is a resistor of 1/C over 1/e_0
    dielectric = materials({"pore": 1.0, "A": 8.0, "B": 15.0}, resistance={"default": epsilon_0 / 0.05})
    high = conduct(body, dielectric, boundary=boundary, tolerance=1e-7).sigma_eff_S_per_m
    assert (found.conductivity_S_per_m / stored(frequencies, 1.0))[-1] == pytest.approx(high, rel=1e-4)


@pytest.mark.parametrize("boundary", ["plates", "periodic"])
def test_frequencies_that_are_not_solved_follow_from_those_that_are(boundary: str) -> None:
    """Most of 60 frequencies take no iteration; solved alone and tightly, they give the same within the tolerance."""
    known = materials({"A": 1e-4, "B": 1.0}, resistance={"default": 1e-7})
    known = dielectrics(known, {"A": 8.0, "B": 15.0}, {"default": 0.05})
    frequencies, body = np.logspace(-2.0, 11.0, 60), grained(boundary)
    found = admittance_spectrum(body, known, frequencies_Hz=frequencies, boundary=boundary)
    untouched = np.flatnonzero(np.array(found.iterations) == 0)
    assert len(untouched) > 30
    for number in untouched[-10::3]:
        alone = admittance_spectrum(body, known, frequencies_Hz=[frequencies[number]], boundary=boundary, tolerance=1e-8)
        assert alone.iterations[0] > 0
        assert found.conductivity_S_per_m[number] == pytest.approx(alone.conductivity_S_per_m[0], rel=1e-4)


@pytest.mark.parametrize("process", ["cold-pressed", "co-fired"])
def test_spectrum_of_a_body_is_one_of_resistors_and_capacitors(process: str) -> None:
    """Point contacts, thin shells and films: Re Z > 0, Re y rises, Im y > 0; direct current at the low end."""
    body = build(process, size_um=2.0, voxel_nm=80.0)
    frequencies = np.logspace(-2.0, 10.0, 25)
    found = admittance_spectrum(body, "lfp-latp", frequencies_Hz=frequencies, tolerance=1e-6)
    y = found.conductivity_S_per_m
    assert found.outcome is Outcome.CONVERGED
    assert (y.real > 0.0).all()
    assert (np.diff(y.real) >= -1e-5 * y.real[1:]).all()
    assert (y.imag > -1e-6 * y.real).all()
    direct = conduct(body, "lfp-latp", tolerance=1e-7).sigma_eff_S_per_m
    assert y[0].real == pytest.approx(direct, rel=1e-4)


@pytest.mark.parametrize("thickness", [0.7, 1.7])
@pytest.mark.parametrize("conductivity", [{"A": 1e-6, "B": 1e-3, "C": 5.0}, {"A": 1.0, "B": 1e-2, "C": 1e-4}])
def test_thin_shells_are_exact_in_a_laminate(conductivity: dict[str, float], thickness: float) -> None:
    """Product, donor, host and both entries of a layer folded into the faces, each complex."""
    labels = laminate([1] * 9 + [2] * 9)
    shells = ThinShells("C", "A", "B", 0.5, np.array([[1, 2]], dtype=np.int32), np.array([thickness * H]))
    body = block(labels, grains=labels, periodic=True).with_(shells=shells)
    known = materials(conductivity, resistance={"A|C": 1e-7, "B|C": 2e-7, "A|B": 1.0})
    known = dielectrics(known, {"A": 8.0, "B": 15.0, "C": 30.0}, {"A|C": 0.05, "B|C": 0.02})
    a, b, c = (conductivity[name] + stored(WIDE, e) for name, e in (("A", 8.0), ("B", 15.0), ("C", 30.0)))
    entry = sum(r / (1.0 + 2j * np.pi * WIDE * r * f) for r, f in ((1e-7, 0.05), (2e-7, 0.02)))
    across = 2.0 * ((9.0 - thickness) * H * (1.0 / a + 1.0 / b) / 2.0 + thickness * H / c + entry)
    found = admittance_spectrum(body, known, frequencies_Hz=WIDE, boundary="periodic", tolerance=1e-10)
    assert found.conductivity_S_per_m == pytest.approx(18.0 * H / across, rel=1e-9)
    along = admittance_spectrum(body, known, frequencies_Hz=WIDE, axis="z", boundary="periodic", tolerance=1e-10)
    parallel = ((9.0 - thickness) * (a + b) + 2.0 * thickness * c) / 18.0
    assert along.conductivity_S_per_m == pytest.approx(parallel, rel=1e-9)


def test_electrons_conduct_as_at_direct_current_and_displacement_is_counted_once() -> None:
    body = grained("plates")
    known = dielectrics(materials({"A": 1e-4}, electron={"B": 2.0}), {"A": 8.0})
    runs = {c: admittance_spectrum(body, known, frequencies_Hz=WIDE, carrier=c) for c in ("ion", "electron", "both")}
    direct = conduct(build_network(body, known, carrier="electron"), tolerance=1e-6).sigma_eff_S_per_m
    assert runs["electron"].conductivity_S_per_m == pytest.approx(np.full(len(WIDE), direct + 0j), rel=1e-4)
    both = runs["ion"].conductivity_S_per_m + runs["electron"].conductivity_S_per_m
    assert runs["both"].conductivity_S_per_m == pytest.approx(both, rel=1e-12)


def test_what_does_not_percolate_still_carries_displacement() -> None:
    known = dielectrics(materials({"A": 1.0}, electron={"A": 1.0}), {"A": 15.0})
    body = block(laminate([1, 1, 0, 1]))
    ions = admittance_spectrum(body, known, frequencies_Hz=[1e3])
    expected = 4.0 / (3.0 / (1.0 + stored(np.array([1e3]), 15.0)) + 1.0 / stored(np.array([1e3]), 1.0))
    assert ions.conductivity_S_per_m == pytest.approx(expected, rel=1e-9)
    electrons = admittance_spectrum(body, known, frequencies_Hz=[1e3], carrier="electron")
    assert electrons.outcome is Outcome.NOT_PERCOLATING
    assert electrons.to_dict()["z_real_ohm_m2"] == [None]
    assert admittance_spectrum(body, known, frequencies_Hz=[1e3], carrier="both").outcome is Outcome.CONVERGED


@pytest.mark.parametrize("frequencies", [[], [0.0], [-1.0, 1.0], [1.0, 1.0], [2.0, 1.0], [np.nan], [np.inf], [[1.0]]])
def test_bad_frequencies_are_answered_in_one_line(frequencies: list[float]) -> None:
    with pytest.raises(InputError, match=r"^[^\n]*freq[^\n]*$"):
        admittance_spectrum(block(laminate([1, 1])), materials({"A": 1.0}), frequencies_Hz=frequencies)


@pytest.mark.parametrize(
    "options",
    [{"plates": "open"}, {"carrier": "hole"}, {"axis": "all"}, {"boundary": "periodic", "plates": "blocking"},
     {"plates": "blocking", "double_layer_F_per_m2": 0.0}, {"tolerance": 1.0}, {"max_iterations": 0}],
)  # fmt: skip
def test_bad_options_are_answered_in_one_line(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"^[^\n]+$"):
        admittance_spectrum(block(laminate([1, 1])), materials({"A": 1.0}), frequencies_Hz=[1.0], **options)  # type: ignore[arg-type]


def test_shipped_materials_have_a_spectrum() -> None:
    known = load_materials("lfp-latp")
    assert known.phase("LATP").relative_permittivity == 15.0
    found = admittance_spectrum(block(laminate([1] * 4)), materials({"A": 1.0}), frequencies_Hz=[1.0, 10.0]).to_dict()
    assert found["outcome"] == "converged"
    assert len(found["z_imag_ohm_m2"]) == 2
