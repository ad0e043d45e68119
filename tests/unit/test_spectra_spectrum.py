"""Spectra, frequencies and pellets: what is taken and what is refused in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cofire.spectra.spectrum import PAPER_PELLET, Pellet, Spectrum, parse_frequencies
from microstructures.errors import InputError


def test_frequencies_are_even_in_their_logarithm_and_end_where_asked():
    found = parse_frequencies("1e-2:1e9:60")
    assert found.shape == (60,)
    assert (found[0], found[-1]) == (1e-2, 1e9)
    np.testing.assert_allclose(np.diff(np.log(found)), np.log(1e11) / 59, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("0:1e9:60", "0 Hz"),
        ("-1:1e9:60", "-1 Hz"),
        ("1:-5:60", "-5 Hz"),
        ("nan:1e9:60", "nan Hz"),
        ("1:inf:60", "inf Hz"),
        ("1e9:1:60", "from 1e+09 to 1 Hz"),
        ("5:5:60", "from 5 to 5 Hz"),
        ("1:1e9:1", "is 1;"),
        ("1:1e9:0", "is 0;"),
        ("1:1e9:10001", "is 10001;"),
        ("1:1e9:6.5", "'6.5'"),
        ("1:1e9", "'1:1e9'"),
        ("", "''"),
        ("1,5:1e9:60", "'1,5:1e9:60'"),
        ("1:1e9:60:3", "'1:1e9:60:3'"),
        ("1:\n1e9:x", "'x'"),
        ("1:1.0000000000000002:10000", "do not rise"),
    ],
)
def test_bad_frequencies_are_answered_in_one_line(text, seen):
    with pytest.raises(InputError, match="allowed") as refused:
        parse_frequencies(text)
    assert seen in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("frequencies", "z", "seen"),
    [
        ([1.0], [1.0], "shape"),
        ([], [], "shape"),
        ([[1.0, 2.0]], [[1.0, 2.0]], "shape"),
        ([2.0, 1.0], [1.0, 1.0], "2 Hz is followed by 1 Hz"),
        ([1.0, 1.0], [1.0, 1.0], "1 Hz is followed by 1 Hz"),
        ([0.0, 1.0], [1.0, 1.0], "0 Hz"),
        ([-1.0, 1.0], [1.0, 1.0], "-1 Hz"),
        ([1.0, np.nan], [1.0, 1.0], "nan Hz"),
        ([1.0, 2.0], [1.0, np.nan], "at 2 Hz"),
        ([1.0, 2.0], [1.0, 1.0 + 1j * np.inf], "at 2 Hz"),
        ([1.0, 2.0], [0.0, 1.0], "at 1 Hz"),
        ([1.0, 2.0], [-3.0 - 1j, 1.0], "-3-1j"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], "shape"),
        (["a", 2.0], [1.0, 1.0], "no number"),
    ],
)
def test_what_is_no_spectrum_is_refused_in_one_line(frequencies, z, seen):
    with pytest.raises(InputError) as refused:
        Spectrum(frequencies, z)
    assert seen in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_spectrum_keeps_a_copy_that_cannot_be_changed():
    frequencies = np.array([1.0, 2.0])
    spectrum = Spectrum(frequencies, np.array([1.0, 2.0 - 1.0j]), "fired")
    frequencies[0] = 7.0
    assert spectrum.frequencies_Hz[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        spectrum.z_ohm[0] = 5.0


def test_a_spectrum_goes_into_json_under_the_names_of_the_plots():
    from viz.plots.impedance_plot import NAMES

    found = json.loads(json.dumps(Spectrum([1.0, 2.0], [1.0, 2.0 - 1.0j], "fired").to_dict()))
    assert set(NAMES) < set(found)
    assert found["z_imag_ohm"] == [0.0, -1.0]


def test_a_pellet_turns_conductivity_into_the_ohms_of_the_paper():
    assert PAPER_PELLET.ohms(PAPER_PELLET.thickness_m / 0.734) == pytest.approx(17.1, abs=0.02)
    assert PAPER_PELLET.geometric_capacitance_F(9.21) == pytest.approx(6.5e-12, rel=2e-3)


def test_ohms_and_back_for_blocks_of_any_thickness():
    pellet, z = Pellet(1e-3, 8e-3), np.array([1.0, 2.0 - 1.0j])
    np.testing.assert_allclose(pellet.area_specific(pellet.ohms(z, block_m=5e-6), block_m=5e-6), z, rtol=1e-15)
    np.testing.assert_allclose(pellet.ohms(z, block_m=5e-6), 200.0 * pellet.ohms(z), rtol=1e-15)


@pytest.mark.parametrize("size", [0.0, -1.0, np.nan, np.inf])
def test_pellets_and_blocks_have_a_size(size):
    with pytest.raises(InputError, match="thickness_m"):
        Pellet(size, 1e-2)
    with pytest.raises(InputError, match="diameter_m"):
        Pellet(1e-3, size)
    with pytest.raises(InputError, match="block_m"):
        PAPER_PELLET.ohms(1.0, block_m=size)
