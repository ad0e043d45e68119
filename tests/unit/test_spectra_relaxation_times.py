"""Distribution of relaxation times: areas and places of known arcs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cofire.plain_values import plain
from cofire.spectra.circuits import PAPER_CIRCUIT, mixed_conductor, series_circuit
from cofire.spectra.relaxation_times import STRENGTHS, relaxation_times
from cofire.spectra.spectrum import Spectrum, parse_frequencies
from microstructures.errors import InputError


def arcs(frequencies, *resistances_and_places, series=10.0):
    f = parse_frequencies(frequencies)
    return Spectrum(f, series + sum(r / (1.0 + 1j * f / place) for r, place in resistances_and_places))


def noisy(spectrum, share, seed):
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(2, spectrum.frequencies_Hz.size)) * share * np.abs(spectrum.z_ohm)
    return Spectrum(spectrum.frequencies_Hz, spectrum.z_ohm + parts[0] + 1j * parts[1])


@pytest.mark.parametrize("place", [1e4, 3.3e4, 1.7e5, 4e6])
@pytest.mark.parametrize("share", [0.0, 1e-3])
def test_one_arc(place, share):
    found = relaxation_times(noisy(arcs("1e1:1e9:60", (90.0, place)), share, 4))
    [peak] = found.peaks
    assert peak.resistance_ohm == pytest.approx(90.0, rel=0.01)
    assert peak.frequency_Hz == pytest.approx(place, rel=0.02)
    assert peak.capacitance_F == pytest.approx(1.0 / (2 * np.pi * place * 90.0), rel=0.02)
    assert found.series_ohm == pytest.approx(10.0, rel=0.01)


@pytest.mark.parametrize("share", [0.0, 1e-3])
def test_two_arcs_a_decade_apart(share):
    fast, slow = relaxation_times(noisy(arcs("1e2:1e10:60", (50.0, 1e7), (50.0, 1e6)), share, 5)).peaks
    assert (fast.resistance_ohm, slow.resistance_ohm) == pytest.approx((50.0, 50.0), rel=0.02)
    assert fast.frequency_Hz == pytest.approx(1e7, rel=0.03)
    assert slow.frequency_Hz == pytest.approx(1e6, rel=0.03)


def test_the_brick_layer():
    fast, slow = relaxation_times(arcs("1e3:1e11:60", (100.0, 159.155e6), (900.0, 707.355e3), series=1e-3)).peaks
    assert (fast.resistance_ohm, slow.resistance_ohm) == pytest.approx((100.0, 900.0), rel=0.01)
    assert fast.frequency_Hz == pytest.approx(159.155e6, rel=0.02)
    assert slow.frequency_Hz == pytest.approx(707.355e3, rel=0.02)


def test_the_paper_has_two_relaxations_whose_resistances_add_to_R_e():
    f = parse_frequencies("1e1:1e11:60")
    fast, slow = relaxation_times(Spectrum(f, mixed_conductor().impedance(f, PAPER_CIRCUIT))).peaks
    assert fast.resistance_ohm == pytest.approx(15.069, rel=0.01)
    assert slow.resistance_ohm == pytest.approx(17.1 - 15.069, rel=0.02)
    assert slow.frequency_Hz == pytest.approx(1.0 / (2 * np.pi * 144.0 * 1.2e-7), rel=0.02)


def test_a_depressed_arc_keeps_its_area_and_place_and_grows_wide():
    f, true = parse_frequencies("1e-1:1e9:60"), {"R_s_ohm": 10.0, "R_1_ohm": 90.0, "Q_1": 2e-7, "n_1": 0.8}
    found = relaxation_times(Spectrum(f, series_circuit(1).impedance(f, true)))
    assert found.gamma_ohm.sum() * np.log(found.tau_s[1] / found.tau_s[0]) == pytest.approx(90.0, rel=0.01)
    place = series_circuit(1).derived(true)["1"]["relaxation_frequency_Hz"]
    top = max(found.peaks, key=lambda peak: peak.resistance_ohm)
    assert top.frequency_Hz == pytest.approx(place, rel=0.5)
    assert np.count_nonzero(found.gamma_ohm > 0.01 * found.gamma_ohm.max()) > 10


def test_noise_asks_for_more_regularisation():
    exact = arcs("1e1:1e9:60", (90.0, 1e5))
    assert relaxation_times(exact).strength == STRENGTHS[0]
    assert relaxation_times(noisy(exact, 1e-2, 6)).strength > 1e2 * STRENGTHS[0]


def test_inductance_and_capacitance_in_series_are_no_arcs():
    f = parse_frequencies("1e1:1e9:60")
    s = 2j * np.pi * f
    found = relaxation_times(Spectrum(f, 10.0 + 90.0 / (1.0 + 1j * f / 1e5) + 1e-7 * s + 1.0 / (1e-5 * s)))
    assert found.series_H == pytest.approx(1e-7, rel=0.01)
    assert found.series_per_F == pytest.approx(1e5, rel=0.01)
    [peak] = found.peaks
    assert peak.resistance_ohm == pytest.approx(90.0, rel=0.01)


def test_a_resistor_has_no_peaks():
    f = parse_frequencies("1:1e6:30")
    assert relaxation_times(Spectrum(f, np.full(30, 7.0))).peaks == ()


def test_given_strengths_and_refusals():
    spectrum = arcs("1e2:1e8:30", (90.0, 1e5))
    assert relaxation_times(spectrum, strength=1e-4).strength == 1e-4
    for strength in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(InputError, match="strength"):
            relaxation_times(spectrum, strength=strength)
    with pytest.raises(InputError, match="4 frequencies"):
        relaxation_times(arcs("1e2:1e8:4", (90.0, 1e5)))


def test_as_json():
    found = json.loads(json.dumps(plain(relaxation_times(arcs("1e2:1e8:30", (90.0, 1e5))).to_dict())))
    assert set(found["peaks"][0]) == {"frequency_Hz", "resistance_ohm", "capacitance_F"}
    assert len(found["tau_s"]) == len(found["gamma_ohm"])
