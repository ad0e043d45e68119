"""Circuits and their fit: exact answers, errors of parameters, what a spectrum cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cofire.spectra.apexes import apexes, valleys
from cofire.spectra.circuits import PAPER_CIRCUIT, mixed_conductor, series_circuit
from cofire.spectra.fitting import fit_circuit
from cofire.spectra.spectrum import Spectrum, parse_frequencies
from microstructures.errors import InputError

BRICK = {"R_s_ohm": 1e-3, "R_1_ohm": 100.0, "Q_1": 1e-11, "n_1": 1.0, "R_2_ohm": 900.0, "Q_2": 2.5e-10, "n_2": 1.0}
DEPRESSED = {"R_s_ohm": 10.0, "R_1_ohm": 90.0, "Q_1": 2e-9, "n_1": 0.85, "R_2_ohm": 400.0, "Q_2": 3e-7, "n_2": 0.75}
THREE = {**DEPRESSED, "R_3_ohm": 700.0, "Q_3": 2e-4, "n_3": 0.9}
PAPER_DEPRESSED = {**PAPER_CIRCUIT, "Q_i": 2e-9, "n_i": 0.9, "n_int": 0.85}


def spectrum_of(circuit, values, frequencies):
    f = parse_frequencies(frequencies)
    return Spectrum(f, circuit.impedance(f, values))


def noisy(spectrum, share, seed):
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(2, spectrum.frequencies_Hz.size)) * share * np.abs(spectrum.z_ohm)
    return Spectrum(spectrum.frequencies_Hz, spectrum.z_ohm + parts[0] + 1j * parts[1])


def test_relaxation_frequencies_of_the_brick_layer():
    fit = fit_circuit(spectrum_of(series_circuit(2), BRICK, "1e3:1e11:60"), series_circuit(2))
    assert fit.outcome == "converged"
    assert fit.derived["1"]["relaxation_frequency_Hz"] == pytest.approx(159.155e6, rel=1e-5)
    assert fit.derived["2"]["relaxation_frequency_Hz"] == pytest.approx(707.355e3, rel=1e-5)
    assert fit.derived["1"]["capacitance_F"] == pytest.approx(10e-12, rel=1e-9)
    assert fit.derived["2"]["capacitance_F"] == pytest.approx(250e-12, rel=1e-9)


def test_apexes_of_single_arcs_are_their_relaxation_frequencies():
    for resistance, capacitance, expected in ((100.0, 1e-11, 159.155e6), (900.0, 2.5e-10, 707.355e3)):
        f = parse_frequencies("1e3:1e11:161")
        [apex] = apexes(Spectrum(f, resistance / (1.0 + 2j * np.pi * f * resistance * capacitance)))
        assert apex.frequency_Hz == pytest.approx(expected, rel=2e-3)
        assert apex.minus_imag_ohm == pytest.approx(0.5 * resistance, rel=1e-3)
        assert apex.z_real_ohm == pytest.approx(0.5 * resistance, rel=1e-2)


def test_a_large_arc_moves_the_apex_of_a_small_one():
    slow, fast = apexes(spectrum_of(series_circuit(2), BRICK, "1e3:1e11:321"))
    assert slow.frequency_Hz == pytest.approx(707.355e3, rel=1e-3)
    assert 0.89 < fast.frequency_Hz / 159.155e6 < 0.92
    [valley] = valleys(spectrum_of(series_circuit(2), BRICK, "1e3:1e11:321"))
    assert slow.frequency_Hz < valley.frequency_Hz < fast.frequency_Hz


def test_a_resistor_has_no_apex():
    assert apexes(Spectrum(np.geomspace(1.0, 1e6, 30), np.full(30, 5.0))) == ()


@pytest.mark.parametrize(
    ("arcs", "true", "frequencies"),
    [
        (1, {key: DEPRESSED[key] for key in ("R_s_ohm", "R_1_ohm", "Q_1", "n_1")}, "1e2:1e9:40"),
        (2, DEPRESSED, "1e-1:1e9:60"),
        (2, BRICK, "1e3:1e11:60"),
        (3, THREE, "1e-3:1e10:80"),
    ],
)
def test_exact_data_give_the_parameters_back(arcs, true, frequencies):
    fit = fit_circuit(spectrum_of(series_circuit(arcs), true, frequencies), series_circuit(arcs))
    assert fit.outcome == "converged"
    assert fit.residual < 1e-9
    for name, value in true.items():
        assert fit.values[name] == pytest.approx(value, rel=1e-6 if name != "R_s_ohm" else 1e-5), name


def test_two_arcs_a_decade_apart_are_told_apart():
    true = {**BRICK, "R_2_ohm": 100.0, "Q_2": 1e-10}
    fit = fit_circuit(spectrum_of(series_circuit(2), true, "1e3:1e11:60"), series_circuit(2))
    assert fit.values == pytest.approx(true, rel=1e-6)


def test_exponents_that_noise_puts_above_one_are_held_at_one():
    exact = spectrum_of(series_circuit(2), BRICK, "1e3:1e11:60")
    fits = [fit_circuit(noisy(exact, 1e-3, seed), series_circuit(2)) for seed in range(6)]
    assert all(fit.values["n_1"] <= 1.0 and fit.values["n_2"] <= 1.0 for fit in fits)
    held = [fit for fit in fits if "n_2" in fit.held]
    assert held
    assert all(fit.values["n_2"] == 1.0 and fit.stderr["n_2"] == 0.0 for fit in held)


@pytest.mark.parametrize(("circuit", "true"), [(series_circuit(2), DEPRESSED), (mixed_conductor(), PAPER_DEPRESSED)])
def test_errors_are_those_of_replicas(circuit, true):
    """Over 20 replicas with 0.1 % noise, deviations over stated errors have mean 0 and variance 1."""
    hold = {} if "R_s_ohm" in true else {"Q_geom": true["Q_geom"], "n_geom": 1.0}
    exact = spectrum_of(circuit, true, "1e0:1e10:60")
    fits = [fit_circuit(noisy(exact, 1e-3, seed), circuit, hold=hold) for seed in range(20)]
    fitted = [name for name in circuit.parameters if name not in hold]
    assert all(fit.outcome == "converged" for fit in fits)
    assert np.mean([fit.reduced_chi_square for fit in fits]) == pytest.approx(1e-6, rel=0.1)
    for name in fitted:
        pulls = np.array([(fit.values[name] - true[name]) / fit.stderr[name] for fit in fits])
        assert np.mean(np.abs(pulls) < 2.0) >= 0.8, name
        assert abs(pulls.mean()) < 3.0 / math.sqrt(20), name
        assert 0.5 < pulls.std(ddof=1) < 1.6, name


def test_the_circuit_of_the_paper_has_its_intercepts():
    z = mixed_conductor().impedance([1e-2, 1e14], PAPER_CIRCUIT)
    assert z[0] == pytest.approx(17.1, rel=1e-6)
    assert abs(z[1]) < 1e-3
    without_fast = {**PAPER_CIRCUIT, "Q_i": 1e-30, "Q_geom": 1e-30}
    assert mixed_conductor().impedance([1e9], without_fast)[0].real == pytest.approx(126.9 * 17.1 / 144.0, rel=1e-6)
    assert pytest.approx(15.069, abs=5e-4) == 126.9 * 17.1 / 144.0


def test_apexes_of_the_circuit_of_the_paper():
    slow, fast = apexes(spectrum_of(mixed_conductor(), PAPER_CIRCUIT, "1e1:1e11:401"))
    assert slow.frequency_Hz == pytest.approx(1.0 / (2 * math.pi * 144.0 * 1.2e-7), rel=1e-2)
    assert fast.frequency_Hz == pytest.approx(1.0 / (2 * math.pi * 15.069 * 166.5e-12), rel=1e-2)
    assert 1.0 / (2 * math.pi * 17.1 * 1.2e-7) == pytest.approx(77.6e3, rel=1e-3)


def test_capacitors_in_a_loop_leave_one_parameter_open_until_one_is_held():
    spectrum = spectrum_of(mixed_conductor(), PAPER_CIRCUIT, "1e1:1e11:60")
    exponents = {"n_i": 1.0, "n_int": 1.0, "n_geom": 1.0}
    open_fit = fit_circuit(spectrum, mixed_conductor(), hold=exponents)
    assert open_fit.outcome == "not determined"
    assert open_fit.residual < 1e-9
    assert math.isinf(open_fit.stderr["Q_geom"])
    held = fit_circuit(spectrum, mixed_conductor(), hold={**exponents, "Q_geom": 6.5e-12})
    assert held.outcome == "converged"
    assert held.values == pytest.approx(PAPER_CIRCUIT, rel=1e-8)


def test_exponents_of_the_mixed_conductor_come_back_with_all_parameters_free():
    fit = fit_circuit(spectrum_of(mixed_conductor(), PAPER_DEPRESSED, "1e1:1e11:60"), mixed_conductor())
    assert fit.outcome == "converged"
    assert fit.values == pytest.approx(PAPER_DEPRESSED, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_an_arc_that_noise_hides_from_the_eye_is_fitted(seed):
    spectrum = noisy(spectrum_of(mixed_conductor(), PAPER_DEPRESSED, "1e1:1e9:80"), 0.01, seed)
    fit = fit_circuit(spectrum, mixed_conductor(), hold={"Q_geom": 6.5e-12, "n_geom": 1.0})
    assert fit.outcome == "converged"
    assert abs(fit.values["R_i_ohm"] - 126.9) < 3.5 * fit.stderr["R_i_ohm"] < 126.9


def test_the_slow_arc_relaxes_with_both_resistances():
    [slow, _] = apexes(spectrum_of(mixed_conductor(), PAPER_DEPRESSED, "1e-1:1e11:401"))
    assert mixed_conductor().derived(PAPER_DEPRESSED)["int"]["relaxation_frequency_Hz"] == pytest.approx(
        slow.frequency_Hz, rel=0.1
    )
    assert mixed_conductor().derived(PAPER_CIRCUIT)["int"]["relaxation_frequency_Hz"] == pytest.approx(9210.4, rel=1e-4)
    assert mixed_conductor().derived(PAPER_CIRCUIT)["i"]["capacitance_F"] == pytest.approx(1.6e-10)


def test_a_band_that_misses_the_arc_is_told():
    fit = fit_circuit(spectrum_of(series_circuit(1), {"R_s_ohm": 1e-3, "R_1_ohm": 50.0, "Q_1": 1e-12, "n_1": 1.0}, "1:1e4:30"),
                      series_circuit(1))  # fmt: skip
    assert fit.outcome in ("not determined", "not converged")
    assert "wider band" in fit.advice


def test_unusable_circuits_and_parameters_are_refused():
    spectrum = spectrum_of(series_circuit(1), {"R_s_ohm": 1.0, "R_1_ohm": 5.0, "Q_1": 1e-6, "n_1": 1.0}, "1:1e6:30")
    for arcs in (0, 4, -1):
        with pytest.raises(InputError, match=f"{arcs} arcs; allowed: 1 to 3"):
            series_circuit(arcs)
    with pytest.raises(InputError, match="did you mean 'R_1_ohm'"):
        fit_circuit(spectrum, series_circuit(1), hold={"R_1_oh": 1.0})
    with pytest.raises(InputError, match=r"'R_1_ohm' of the circuit .* is -1"):
        fit_circuit(spectrum, series_circuit(1), start={"R_1_ohm": -1.0})
    with pytest.raises(InputError, match=r"'n_1' is 1.2; allowed"):
        fit_circuit(spectrum, series_circuit(1), hold={"n_1": 1.2})
    with pytest.raises(InputError, match="needs 'Q_1'"):
        series_circuit(1).impedance([1.0], {"R_s_ohm": 1.0, "R_1_ohm": 5.0, "n_1": 1.0})
    few = Spectrum(spectrum.frequencies_Hz[::6], spectrum.z_ohm[::6])
    with pytest.raises(InputError, match="10 parameters are to be fitted to 5 frequencies"):
        fit_circuit(few, series_circuit(3))
