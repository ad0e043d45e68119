"""R_i and R_e as read off two intercepts, and what an error of the first does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cofire.spectra.circuits import PAPER_CIRCUIT, mixed_conductor
from cofire.spectra.reading import from_intercepts, read_mixed_conductor
from cofire.spectra.spectrum import Spectrum, parse_frequencies
from microstructures.errors import InputError


def mixed(frequencies="1e1:1e10:91", **changed):
    f = parse_frequencies(frequencies)
    return Spectrum(f, mixed_conductor().impedance(f, {**PAPER_CIRCUIT, **changed}))


def test_the_numbers_of_the_paper():
    reading = from_intercepts(126.9 * 17.1 / 144.0, 17.1)
    assert reading.first_intercept_ohm == pytest.approx(15.069, abs=5e-4)
    assert reading.R_i_ohm == pytest.approx(126.9)
    assert reading.amplification == pytest.approx(8.42, abs=2e-3)
    assert reading.error_of_R_i_ohm(1.0) / 126.9 == pytest.approx(0.0842, abs=2e-5)
    assert reading.error_of_R_e_ohm(1.0) == pytest.approx(0.171)


def test_amplification_is_the_derivative_of_R_i():
    for first, second in ((15.069, 17.1), (1.0, 100.0), (99.0, 100.0)):
        step = 1e-7
        exact, moved = from_intercepts(first, second), from_intercepts(first * (1.0 + step), second)
        assert (moved.R_i_ohm / exact.R_i_ohm - 1.0) / step == pytest.approx(exact.amplification, rel=1e-4)


def test_the_range_is_lopsided_and_ends_at_infinity():
    reading = from_intercepts(15.069375, 17.1)
    low, high = reading.range_of_R_i_ohm(5.0)
    assert low == pytest.approx(from_intercepts(15.069375 * 0.95, 17.1).R_i_ohm)
    assert high - reading.R_i_ohm > 1.5 * (reading.R_i_ohm - low)
    assert math.isinf(reading.range_of_R_i_ohm(15.0)[1])
    with pytest.raises(InputError, match="is 100 %"):
        reading.range_of_R_i_ohm(100.0)


@pytest.mark.parametrize("by", ["arc", "valley"])
def test_both_readings_of_the_exact_circuit_are_near(by):
    reading = read_mixed_conductor(mixed(), by=by)
    assert reading.first_intercept_ohm == pytest.approx(15.069, rel=6e-4)
    assert reading.R_e_ohm == pytest.approx(17.1, rel=1e-4)
    assert reading.R_i_ohm == pytest.approx(126.9, rel=5e-3)


def test_arcs_far_apart_are_read_exactly():
    reading = read_mixed_conductor(mixed("1e-2:1e10:161", Q_int=1e-3), by="arc")
    assert reading.R_e_ohm == pytest.approx(17.1, rel=1e-6)
    assert reading.R_i_ohm == pytest.approx(126.9, rel=1e-5)


def test_depressed_arcs_that_overlap_mislead_the_eye():
    """By circle R_i comes out too low, by the valley too high."""
    spectrum = mixed(Q_i=2e-9, n_i=0.9, n_int=0.85)
    arc, valley = (read_mixed_conductor(spectrum, by=by) for by in ("arc", "valley"))
    assert 0.85 < arc.R_i_ohm / 126.9 < 0.95
    assert 1.08 < valley.R_i_ohm / 126.9 < 1.20
    assert arc.R_e_ohm == pytest.approx(17.1, rel=5e-3)


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_not_taken_for_an_arc(seed):
    exact = mixed("1e1:1e9:80")
    noise = 2e-3 * np.random.default_rng(seed).normal(size=(2, 80)) * np.abs(exact.z_ohm)
    reading = read_mixed_conductor(Spectrum(exact.frequencies_Hz, exact.z_ohm + noise[0] + 1j * noise[1]))
    assert reading.R_i_ohm == pytest.approx(126.9, rel=0.25)


def test_a_band_that_ends_between_the_arcs_is_enough():
    assert read_mixed_conductor(mixed("1e1:3e5:60")).R_i_ohm == pytest.approx(126.9, rel=5e-3)


def test_what_cannot_be_read_is_refused():
    f = parse_frequencies("1:1e6:40")
    with pytest.raises(InputError, match="no arc"):
        read_mixed_conductor(Spectrum(f, np.full(40, 17.1)))
    with pytest.raises(InputError, match="the spectrum has one arc"):
        read_mixed_conductor(Spectrum(f, 17.1 / (1.0 + 1j * f / 1e3)))
    with pytest.raises(InputError, match="below the second"):
        from_intercepts(17.1, 15.0)
    with pytest.raises(InputError, match="by is 'eye'; allowed: arc, valley"):
        read_mixed_conductor(mixed(), by="eye")
    with pytest.raises(InputError, match="on the upper half of the arc"):
        read_mixed_conductor(mixed("1e1:1e10:9"))


def test_as_json():
    found = from_intercepts(15.069375, 17.1).to_dict(2.0)
    assert found["error_of_R_i_ohm"] == pytest.approx(2.0 * 0.01 * 8.421 * 126.9, rel=1e-3)
    assert found["range_of_R_i_ohm"] == pytest.approx([111.1, 152.5], rel=0.05)
