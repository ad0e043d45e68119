"""Input that is extreme but fair: an answer that says what it is worth, never a division by zero. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from support import KNOWN

SECOND = "[phases.B]\nlabel = 2\n[phases.B.ion]\nconductivity_S_per_m = {}\nactivation_energy_eV = 0.3\n"
CHANNEL = np.zeros((6, 6, 6), np.uint8)
CHANNEL[:, 2, 3] = 1
LONELY = np.zeros((3, 3, 3), np.uint8)
LONELY[1, 1, 1] = 1


def _answer(done, image: np.ndarray, *words: object, command: str = "conduct") -> dict:
    np.save("b.npy", image)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return done(command, "b.npy", *KNOWN, *words, "--json").json


@pytest.mark.parametrize("axis", ["x", "all"])
@pytest.mark.parametrize(
    ("label", "sigma"),
    [
        pytest.param(1, 1.0, id="54-all-one-phase"),
        pytest.param(0, 0.0, id="54-all-pore"),
    ],
)
def test_one_phase_alone(done, work, axis, label, sigma):
    image = np.full((4, 5, 6), label, np.uint8)
    found = _answer(done, image, "--axis", axis)["sigma_eff_S_per_m"]
    assert (list(found.values()) if axis == "all" else [found]) == pytest.approx([sigma] * (3 if axis == "all" else 1))
    graph = _answer(done, image, command="percolate")
    assert graph["sigma_eff_graph_S_per_m"] == pytest.approx(sigma)
    assert graph["percolates"] == (label == 1)
    hops = _answer(done, image, "--hops", 1000, command="hop")
    assert (hops["outcome"] == "frozen") == (label == 0)
    assert done("info", "b.npy", *KNOWN[:2], "--json").json["volume_fraction"] == {f"label {label}": 1.0}


@pytest.mark.parametrize("axis", [pytest.param("y", id="55-no-way-through")])
def test_a_phase_that_does_not_percolate(done, work, axis):
    found = _answer(done, CHANNEL, "--axis", axis, "--temperatures", "25,60,80")
    assert (found["sigma_eff_S_per_m"], found["outcome"], found["percolates"]) == (0.0, "not-percolating", False)
    assert found["advice"]
    assert found["temperatures"]["arrhenius"] is None
    graph = _answer(done, CHANNEL, "--axis", axis, command="percolate")
    assert graph["clusters"] == 1
    assert graph["isolated_fraction"]["A"] == 1.0


@pytest.mark.parametrize("axis", [pytest.param("all", id="56-through-along-x-only")])
def test_every_axis_is_told(done, work, axis):
    found = _answer(done, CHANNEL, "--axis", axis)["sigma_eff_S_per_m"]
    assert found == {"x": pytest.approx(1 / 36), "y": 0.0, "z": 0.0}
    assert _answer(done, CHANNEL, "--axis", axis, command="percolate")["percolates"] == {"x": True, "y": False, "z": False}


@pytest.mark.parametrize(
    ("value", "outcomes"),
    [
        pytest.param("1e-16", {"converged"}, id="57-contrast-1e16"),
        pytest.param("1e-20", {"converged", "not-converged"}, id="57-contrast-1e20"),
    ],
)
def test_contrast(done, work, value, outcomes):
    """What is beyond doubles is said to be so; what is called converged is what the insulating limit gives."""
    Path("a.toml").write_text(Path("a.toml").read_text() + SECOND.format(value))
    image = np.random.default_rng(0).integers(1, 3, (8, 8, 8)).astype(np.uint8)
    found = _answer(done, image)
    assert found["outcome"] in outcomes
    if found["outcome"] == "converged":
        alone = _answer(done, np.where(image == 1, 1, 0).astype(np.uint8))["sigma_eff_S_per_m"]
        assert found["sigma_eff_S_per_m"] == pytest.approx(alone, rel=1e-4)
    else:
        assert found["advice"]


@pytest.mark.parametrize("value", [pytest.param("1e-300", id="57-sigma-1e-300"), pytest.param("1e300", id="57-sigma-1e300")])
def test_tiny_and_huge_conductivities(done, work, value):
    Path("a.toml").write_text(Path("a.toml").read_text().replace("= 1.0\n", f"= {value}\n"))
    assert _answer(done, np.ones((4, 5, 6), np.uint8))["sigma_eff_S_per_m"] == pytest.approx(float(value), rel=1e-6)


@pytest.mark.parametrize("value", [pytest.param("1e300", id="59-rates-beyond-a-float")])
def test_rates_that_no_float_holds(refuse, work, value):
    Path("a.toml").write_text(Path("a.toml").read_text().replace("= 1.0\n", f"= {value}\n"))
    assert "hop rates" in refuse("hop", "a.npy", *KNOWN)


@pytest.mark.parametrize("steps", [pytest.param(1, id="58-stopped-before-it-converges")])
def test_a_solution_that_does_not_converge_says_so(done, work, steps):
    Path("a.toml").write_text(Path("a.toml").read_text() + SECOND.format("1e-3"))
    image = np.random.default_rng(0).integers(1, 3, (8, 8, 8)).astype(np.uint8)
    found = _answer(done, image, "--max-iterations", steps)
    assert found["outcome"] == "not-converged"
    assert found["advice"]
    assert found["inflow_S_per_m"] != pytest.approx(found["dissipation_S_per_m"], rel=1e-4)


@pytest.mark.parametrize(
    ("image", "words", "outcome"),
    [
        pytest.param(np.zeros((4, 4, 4), np.uint8), (), "frozen", id="59-nothing-can-move"),
        pytest.param(LONELY, (), "not-percolating", id="60-one-site"),
        pytest.param(LONELY, ("--mode", "lattice-gas", "--filling", 0.5), "not-percolating", id="60-one-site-of-a-gas"),
        pytest.param(np.ones((4, 4, 4), np.uint8), ("--mode", "lattice-gas", "--filling", 1), "", id="60-every-site-taken"),
    ],
)
def test_hops_that_lead_nowhere(run, work, image, words, outcome):
    np.save("b.npy", image)
    ran = run("hop", "b.npy", *KNOWN, *words, "--json")
    if outcome:
        assert ran.json["outcome"] == outcome
        assert set(ran.json["diffusivity_m2_per_s"].values()) == {0.0}
    else:
        assert ran.code == 2
        assert "filling" in ran.err
