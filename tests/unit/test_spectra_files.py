"""Spectra in text files: to the last bit and back, and what other programs write."""

from __future__ import annotations

import numpy as np
import pytest

from cofire.spectra.files import COLUMNS, read_spectrum, write_spectrum
from cofire.spectra.spectrum import Spectrum
from microstructures.errors import FormatError, InputError


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(1)
    spectrum = Spectrum(np.sort(10 ** rng.uniform(-6, 12, 200)), rng.random(200) * 1e3 - 1j * 10 ** rng.uniform(-20, 9, 200))
    found = read_spectrum(write_spectrum(tmp_path / "a.csv", spectrum))
    np.testing.assert_array_equal(found.frequencies_Hz, spectrum.frequencies_Hz)
    np.testing.assert_array_equal(found.z_ohm, spectrum.z_ohm)
    assert found.label == "a"


def test_columns_stand_as_programs_read_them(tmp_path):
    file = write_spectrum(tmp_path / "a.csv", Spectrum([0.5, 1e9], [3.0 - 0.25j, 1e-7]))
    assert file.read_text() == "frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n0.5,3.0,-0.25\n1000000000.0,1e-07,0.0\n"
    assert COLUMNS == ("frequency/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm")


@pytest.mark.parametrize(
    "text",
    [
        "1,3,-1\n10,2,-0.5\n",
        "10,2,-0.5\n1,3,-1\n",
        "# measured\n\nfrequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\r\n1,3,-1\r\n10,2,-0.5\r\n",
        "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\n10\t2\t0.5\n1\t3\t1\n",
        "freq/Hz;Re(Z)/Ohm;-Im(Z)/Ohm;Phase/deg\n10;2;0.5;7\n1;3;1;8\n",
        "Freq(Hz),Z',Z''\n1,3,-1\n10,2,-0.5\n",
        "Freq,-Z'',Z'\n1,1,3\n10,0.5,2\n",
        "frequency,Z_real,Z_imag\n1,3,-1\n10,2,-0.5\n",
        "\ufeffIm(Z)/Ohm,frequency/Hz,Re(Z)/Ohm\n-1,1,3\n-0.5,10,2\n",
    ],
)
def test_files_of_others_are_read(tmp_path, text):
    (tmp_path / "b.txt").write_text(text, encoding="utf-8")
    found = read_spectrum(tmp_path / "b.txt", label="mine")
    assert found.frequencies_Hz.tolist() == [1.0, 10.0]
    assert found.z_ohm.tolist() == [3.0 - 1.0j, 2.0 - 0.5j]
    assert found.label == "mine"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "empty"),
        ("\n\n", "shape"),
        ("frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n", "shape"),
        ("1,3,-1\n", "shape"),
        ("1,3,-1\n10,2\n", "line 2 has 2 columns"),
        ("1,3,-1\n10,2,x\n", "line 2 has 'x'"),
        ("1,3,-1\n10,2,\n", "line 2 has ''"),
        ("1,5;3;-1\n10;2;-1\n", "decimal point"),
        ("1,5,3,0,-1,0\n10,0,2,0,-1,0\n", "6 columns"),
        ("1,3,-1\n0,2,-1\n", "0 Hz"),
        ("1,3,-1\n10,2,-1\n5,2,-1\n", "10 Hz is followed by 5 Hz"),
        ("1,3,-1\n10,nan,-1\n", "at 10 Hz"),
        ("1,3,-1\n10,-2,-1\n", "at 10 Hz"),
        ("time/s,voltage/V,current/A,charge/C\n1,2,3,4\n", "columns are"),
        ("frequency,modulus,phase\n1,1,3\n10,1,3\n", "columns are"),
        ('1,"3,-1\n10,2,-1\n', "columns"),
    ],
)
def test_bad_files_are_answered_in_one_line(tmp_path, text, seen):
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError) as refused:
        read_spectrum(file)
    assert seen in str(refused.value)
    assert "bad.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bytes_that_are_no_text_are_answered_in_one_line(tmp_path):
    (tmp_path / "bad.csv").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(FormatError, match="cannot be read as a spectrum"):
        read_spectrum(tmp_path / "bad.csv")
    with pytest.raises(FormatError, match="does not exist"):
        read_spectrum(tmp_path / "none.csv")


def test_other_endings_and_folders_are_refused(tmp_path):
    spectrum = Spectrum([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(InputError, match=r"ends in '.xlsx'; allowed: .csv, .txt"):
        write_spectrum(tmp_path / "a.xlsx", spectrum)
    with pytest.raises(InputError, match="does not exist"):
        write_spectrum(tmp_path / "none" / "a.csv", spectrum)
    assert list(tmp_path.iterdir()) == []
