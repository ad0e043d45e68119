"""Spectra as text: the three columns that programs for impedance read.

One line of names, then frequency [Hz], Re Z [ohm], Im Z [ohm] with its sign (negative for a capacitance); commas between, points in
numbers, whatever the system's language. That is the order of columns of the text imports of ZView (ASCII: Freq, Z', Z''), RelaxIS
(columns assigned in its import dialogue) and EC-Lab (text import; its own exports have -Im(Z)/Ohm), and of impedance.py without
the line of names. Programs set to a language with decimal commas must be told the point.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from cofire.spectra.spectrum import Spectrum
from microstructures.errors import FormatError, InputError, clear_line
from microstructures.formats.guard import as_format_errors, atomic_file, existing_file

COLUMNS = ("frequency/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm")
NAMES = (r"f(req|requency)?(?![a-z])", r"(re\(?z\)?|z'(?!')|zre)", r"-?(im\(?z\)?|z''|z\"|zim)")
"""What programs call them, in small letters, without blanks."""
LARGEST_BYTES = 50_000_000
REMEDY = "write lines of frequency, Re Z, Im Z with commas between and points in numbers"


def write_spectrum(path: str | Path, spectrum: Spectrum) -> Path:
    """Write a spectrum as CSV; what is read back is the same to the last bit.

    Raises
    ------
    InputError
        If the file does not end in .csv or .txt, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_spectrum(Path(folder) / "a.csv", Spectrum([1.0, 10.0], [3.0 - 0.1j, 2.0]))
    ...     print(file.read_text().splitlines()[:2], read_spectrum(file).z_ohm[0])
    ['frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm', '1.0,3.0,-0.1'] (3-0.1j)
    """
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".txt"):
        raise InputError(f"{file} ends in '{file.suffix}'; allowed: .csv, .txt; rename it")
    rows = zip(spectrum.frequencies_Hz.tolist(), spectrum.z_ohm.real.tolist(), spectrum.z_ohm.imag.tolist(), strict=True)
    with atomic_file(file) as partial:
        lines = (",".join(repr(value) for value in row) for row in rows)
        partial.write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="ascii")
    return file


def read_spectrum(path: str | Path, *, label: str | None = None) -> Spectrum:
    """Read a spectrum from text: columns by their names, or the first three.

    Separators may be commas, semicolons or tabs; frequencies may rise or fall; -Im(Z) in the line of names turns the sign. Lines
    that start with # and empty ones are passed over.

    Parameters
    ----------
    path : str or Path
        The file.
    label : str, optional
        Name of the spectrum; that of the file unless given.

    Raises
    ------
    FormatError
        If the file cannot be read, a line has no three numbers, or they are no spectrum.
    """
    file = existing_file(path)
    if file.stat().st_size > LARGEST_BYTES:
        raise FormatError(
            f"{file} has {file.stat().st_size} bytes; allowed: {LARGEST_BYTES}; a spectrum is a few lines of text"
        )
    with as_format_errors(file, "a spectrum", REMEDY):
        text = file.read_text(encoding="utf-8-sig")
        lines = [(at, line) for at, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
        separator = next((mark for mark in ("\t", ";") if lines and mark in lines[0][1]), ",")
        rows = [(at, [cell.strip() for cell in cells]) for at, cells in _cells(lines, separator)]
        order, sign, width = (0, 1, 2), 1.0, 3
        if rows and not _is_number(rows[0][1][0], separator):
            names = rows.pop(0)[1]
            (order, sign), width = _by_names(names), len(names)
        for at, cells in rows:
            if len(cells) != width:
                raise InputError(f"line {at} has {len(cells)} columns; needed: {width}; {REMEDY}")
        numbers = np.array([_numbers(at, cells, order, separator) for at, cells in rows]).reshape(-1, 3)
        if numbers.shape[0] > 1 and numbers[0, 0] > numbers[-1, 0]:
            numbers = numbers[::-1]
        return Spectrum(numbers[:, 0], numbers[:, 1] + 1j * sign * numbers[:, 2], file.stem if label is None else label)


def _cells(lines: list[tuple[int, str]], separator: str) -> list[tuple[int, list[str]]]:
    return [(at, next(csv.reader([line], delimiter=separator))) for at, line in lines]


def _is_number(cell: str, separator: str) -> bool:
    """Return whether a cell is a number, one with a decimal comma included."""
    try:
        float(cell if separator == "," else cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _by_names(names: list[str]) -> tuple[tuple[int, int, int], float]:
    """Return where frequency, Re Z and Im Z stand, and the sign of the last."""
    plain = [re.sub(r"[\s_]", "", name).lower() for name in names]
    places = [next((at for at, name in enumerate(plain) if re.match(form, name)), -1) for form in NAMES]
    if min(places) < 0:
        raise InputError(
            f"the columns are '{clear_line(', '.join(names), 80)}'; needed: {', '.join(COLUMNS)} (or -Im(Z)/Ohm); name them so"
        )
    return (places[0], places[1], places[2]), -1.0 if plain[places[2]].startswith("-") else 1.0


def _numbers(at: int, cells: list[str], order: tuple[int, int, int], separator: str) -> list[float]:
    found = []
    for place in order:
        try:
            found.append(float(cells[place]))
        except ValueError:
            comma = separator != "," and "," in cells[place]
            remedy = "write numbers with a decimal point" if comma else REMEDY
            raise InputError(f"line {at} has '{clear_line(cells[place], 30)}' where a number should be; {remedy}") from None
    return found
