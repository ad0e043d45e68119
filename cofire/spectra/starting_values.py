"""Starting values of a fit, read off the spectrum: apexes, intercepts, peaks of the distribution of relaxation times."""

from __future__ import annotations

import itertools
import math

import numpy as np

from cofire.spectra.apexes import apexes
from cofire.spectra.circuits import Circuit
from cofire.spectra.reading import read_mixed_conductor
from cofire.spectra.relaxation_times import relaxation_times
from cofire.spectra.spectrum import Spectrum
from microstructures.errors import InputError

EXPONENT = 0.95
"""A constant phase element starts as almost a capacitor."""
GEOMETRIC_SHARE = 0.04
"""What the geometric capacitance starts with of the capacitance of the high-frequency arc: that of the paper is 6.5 of 166.5 pF."""
RATIOS = (0.1, 1.0, 10.0)
"""R_i over R_e."""
APART = (1e2, 1e4)
"""Frequency of the fast arc over that of the slow one, where only one is seen."""
Guess = dict[str, float]


def starting_values(spectrum: Spectrum, circuit: Circuit) -> list[Guess]:
    """Return one or more sets of starting values of all parameters of a circuit."""
    if "R_s_ohm" in circuit.parameters:
        return _of_arcs(spectrum, len(circuit.arcs))
    return _of_mixed_conductor(spectrum)


def _of_arcs(spectrum: Spectrum, count: int) -> list[Guess]:
    """Return starting values by the apexes that are seen, and by the peaks of the distribution of relaxation times."""
    largest = float(spectrum.z_ohm.real.max())
    first, last = spectrum.frequencies_Hz[[0, -1]].tolist()
    seen = [(2.0 * abs(apex.minus_imag_ohm), apex.frequency_Hz) for apex in apexes(spectrum)]
    peaks = [(peak.resistance_ohm, peak.frequency_Hz) for peak in relaxation_times(spectrum).peaks]
    band = [(largest / count, float(f)) for f in np.geomspace(first, last, count + 2)[1:-1]]
    guesses = []
    for arcs in (seen, peaks, band):
        chosen = sorted(arcs, reverse=True)[:count]
        while chosen and len(chosen) < count:  # one arc may be two: part the widest
            resistance, frequency = max(chosen)
            chosen.remove((resistance, frequency))
            chosen += [(0.5 * resistance, frequency * 3.0), (0.5 * resistance, frequency / 3.0)]
        if chosen:
            guesses.append(_arcs_in_series(spectrum, chosen, largest))
    return guesses


def _arcs_in_series(spectrum: Spectrum, arcs: list[tuple[float, float]], largest: float) -> Guess:
    series = max(float(spectrum.z_ohm.real.min()), 1e-6 * largest)
    guess = {"R_s_ohm": series}
    for k, (resistance, frequency) in enumerate(sorted(arcs, key=lambda arc: -arc[1]), start=1):
        size = max(resistance, 1e-6 * largest)
        tau_s = 1.0 / (2.0 * math.pi * frequency)
        guess |= {f"R_{k}_ohm": size, f"Q_{k}": tau_s**EXPONENT / size, f"n_{k}": EXPONENT}
    return guess


def _of_mixed_conductor(spectrum: Spectrum) -> list[Guess]:
    """Return starting values by intercepts and apexes, and others by ratios of R_i to R_e, since noise may hide an arc."""
    low = float(spectrum.z_ohm.real[0])
    places = [apex.frequency_Hz for apex in apexes(spectrum)] or [float(np.sqrt(np.prod(spectrum.frequencies_Hz[[0, -1]])))]
    slow_and_fast = [(places[0], places[-1])] if len(places) > 1 else [(places[0] / apart, places[0]) for apart in APART]
    slow_and_fast.append((places[0], places[0] * APART[0]))
    pairs = [(low, low * ratio) for ratio in RATIOS]
    try:
        reading = read_mixed_conductor(spectrum)
        pairs.insert(0, (reading.R_e_ohm, reading.R_i_ohm))
    except InputError:
        pass  # no two arcs are seen; the fit may find them
    guesses = []
    for (R_e, R_i), (slower, faster) in itertools.product(pairs, slow_and_fast):
        whole = (R_i + R_e) / (2.0 * math.pi * faster * R_i * R_e)
        guesses.append(
            {"R_e_ohm": R_e, "R_i_ohm": R_i, "Q_i": (1.0 - GEOMETRIC_SHARE) * whole, "n_i": EXPONENT,
             "Q_int": 1.0 / (2.0 * math.pi * slower * (R_i + R_e)), "n_int": EXPONENT,
             "Q_geom": GEOMETRIC_SHARE * whole, "n_geom": EXPONENT}
        )  # fmt: skip
    return guesses
