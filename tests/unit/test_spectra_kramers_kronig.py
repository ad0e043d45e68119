"""Kramers-Kronig: nothing is left of what is causal, something of what drifted."""

from __future__ import annotations

import numpy as np
import pytest

from cofire.spectra.circuits import PAPER_CIRCUIT, mixed_conductor, series_circuit
from cofire.spectra.kramers_kronig import kramers_kronig
from cofire.spectra.spectrum import Spectrum, parse_frequencies
from microstructures.errors import InputError

BRICK = {"R_s_ohm": 1e-3, "R_1_ohm": 100.0, "Q_1": 1e-11, "n_1": 1.0, "R_2_ohm": 900.0, "Q_2": 2.5e-10, "n_2": 1.0}
DEPRESSED = {"R_s_ohm": 10.0, "R_1_ohm": 90.0, "Q_1": 2e-9, "n_1": 0.85, "R_2_ohm": 400.0, "Q_2": 3e-7, "n_2": 0.75}
CAUSAL = {
    "brick layer": (series_circuit(2), BRICK),
    "depressed arcs": (series_circuit(2), DEPRESSED),
    "paper": (mixed_conductor(), PAPER_CIRCUIT),
    "paper, depressed": (mixed_conductor(), {**PAPER_CIRCUIT, "Q_i": 2e-9, "n_i": 0.9, "n_int": 0.85}),
}
BANDS = ("1e-2:1e9:60", "1e1:1e11:61", "1e4:1e7:40", "1e2:1e9:40")


def spectrum_of(name, frequencies, factor=1.0):
    circuit, values = CAUSAL[name]
    f = parse_frequencies(frequencies)
    return Spectrum(f, circuit.impedance(f, values) * factor)


@pytest.mark.parametrize("frequencies", BANDS)
@pytest.mark.parametrize("name", CAUSAL)
def test_causal_spectra_leave_nothing(name, frequencies):
    found = kramers_kronig(spectrum_of(name, frequencies))
    assert found.dense
    assert found.residual < 1e-6
    assert found.residual == pytest.approx(np.hypot(found.real, found.imag).max())


@pytest.mark.parametrize("lag", [1e-9, 1.0])
def test_series_inductance_and_blocking_capacitance_are_causal_too(lag):
    f = parse_frequencies("1e-1:1e8:60")
    s = 2j * np.pi * f
    z = 5.0 + lag * 1e-7 * s + 1.0 / (1e-6 * s) + 90.0 / (1.0 + s * 1e-5)
    assert kramers_kronig(Spectrum(f, z)).residual < 1e-6


@pytest.mark.parametrize("frequencies", BANDS)
@pytest.mark.parametrize("name", ["brick layer", "paper"])
def test_a_drift_of_five_percent_is_seen(name, frequencies):
    count = parse_frequencies(frequencies).size
    assert kramers_kronig(spectrum_of(name, frequencies, np.linspace(1.05, 1.0, count))).residual > 1e-3


def test_noise_is_left_as_it_is():
    exact = spectrum_of("depressed arcs", "1e0:1e8:80")
    noise = np.random.default_rng(1).normal(size=(2, 80)) * 1e-3
    found = kramers_kronig(Spectrum(exact.frequencies_Hz, exact.z_ohm * (1.0 + noise[0] + 1j * noise[1])))
    assert found.noise == pytest.approx(1e-3, rel=0.2)
    assert found.residual < 5e-3


def test_a_response_that_precedes_its_cause_is_refused():
    f = parse_frequencies("1e2:1e8:60")
    assert kramers_kronig(Spectrum(f, np.conj(10.0 + 90.0 / (1.0 + 1j * f / 1e5)))).residual > 1e-2


def test_the_criterion_of_mu_serves_depressed_arcs_and_not_sharp_ones():
    depressed = kramers_kronig(spectrum_of("depressed arcs", "1e-2:1e9:60"), stop="mu")
    assert depressed.residual < 1e-3
    sharp = kramers_kronig(spectrum_of("brick layer", "1e1:1e11:60"), stop="mu")
    assert sharp.mu < 0.85
    assert sharp.elements < 12
    assert sharp.residual > 0.1


def test_few_frequencies_are_told():
    assert not kramers_kronig(spectrum_of("paper", "1e2:1e9:20")).dense
    with pytest.raises(InputError, match="5 frequencies cannot be tested"):
        kramers_kronig(spectrum_of("paper", "1e2:1e9:5"))
    with pytest.raises(InputError, match="stop is 'never'; allowed: band, mu"):
        kramers_kronig(spectrum_of("paper", "1e2:1e9:40"), stop="never")


def test_as_json_it_keeps_every_point():
    found = kramers_kronig(spectrum_of("paper", "1e2:1e9:40")).to_dict()
    assert len(found["real"]) == len(found["imag"]) == 40
    assert found["dense"] is True
