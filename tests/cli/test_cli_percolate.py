"""`cofire percolate`: the keys that others rely on, the files it writes, and what it says of pressed and fired powder."""

from __future__ import annotations

from pathlib import Path

import networkx
import pytest

CONTRACT = {
    "percolates", "percolating_fraction", "clusters", "sigma_eff_graph_S_per_m", "critical_barrier_eV", "grains", "contacts",
}  # fmt: skip


@pytest.mark.parametrize("process", ["cold", "fired"])
def test_percolate_explains_and_writes(done, refuse, built, work, process):
    words = ("percolate", getattr(built, process), "--graph", "g.graphml", "--png", "g.png", "--json")
    ran = done(*words)
    found = ran.json
    assert ran.err == ""
    assert sorted(Path(name).name for name in found["files"]) == ["g.graphml", "g.png"]
    assert set(found) >= CONTRACT
    assert networkx.read_graphml("g.graphml").number_of_edges() == found["contacts"]
    assert Path("g.png").stat().st_size > 10_000
    assert len(found["story"]) == 10
    used = found["utilisation"]
    assert used["active"] == "LFP"
    assert used["fraction"] <= min(used["ion_fraction"], used["electron_fraction"])
    assert found["critical_path"]["barrier_eV"] == found["critical_barrier_eV"]
    assert found["path_tortuosity"]["p05"] <= found["path_tortuosity"]["p50"] <= found["path_tortuosity"]["p95"]
    assert "--overwrite" in refuse(*words)
    assert done(*words, "--overwrite").json["grains"] == found["grains"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--graph", "g.txt"), ".graphml"),
        (("--png", "g.png", "--axis", "all"), "--axis"),
        (("--png", "g.jpg"), ".png"),
        (("--active", "LFX"), "LFX"),
    ],
)
def test_percolate_refuses(refuse, built, work, words, says):
    assert says in refuse("percolate", built.fired, *words)


def test_fired_grains_are_reached_better_than_pressed_ones(done, built):
    """Firing turns point contacts into faces: ions enter LFP through a far larger share of its surface."""
    cold, fired = (done("percolate", name, "--json").json["utilisation"] for name in (built.cold, built.fired))
    assert cold["fraction"] < fired["fraction"] == pytest.approx(1.0, abs=0.02)
    assert 100.0 * cold["surface_fraction"] < fired["surface_fraction"]
