"""`cofire animate`: films of a firing and of hops, refused in one line where they cannot be made."""

from __future__ import annotations

import sys

import pytest
from PIL import Image


def frames_of(path) -> int:
    with Image.open(path) as film:
        return film.n_frames


def test_firing_becomes_a_gif(done, refuse, work):
    words = ("animate", "firing", "--out", "f.gif", "--size-um", 2, "--voxel-nm", 60, "--frames", 10)
    ran = done(*words)
    assert ran.out == ""
    assert "10 pictures written to" in ran.err
    assert frames_of(work / "f.gif") == 10
    assert "--overwrite" in refuse(*words)


def test_hops_become_a_gif_and_the_same_seed_gives_the_same_bytes(done, built, work):
    words = ("animate", "hops", built.fired, "--frames", 4, "--walkers", 2, "--carrier", "electron")
    done(*words, "--out", "a.gif")
    done(*words, "--out", "b.gif")
    done(*words, "--out", "c.gif", "--seed", 2)
    assert frames_of(work / "a.gif") == 4
    assert (work / "a.gif").read_bytes() == (work / "b.gif").read_bytes()
    assert (work / "a.gif").read_bytes() != (work / "c.gif").read_bytes()


def test_ways_of_a_run_are_drawn(done, refuse, built, work):
    done("hop", built.fired, "--hops", 100_000, "--trajectories", "ways.h5", "--trajectory-count", 3, "--json")
    done("animate", "hops", built.fired, "--trajectories", "ways.h5", "--out", "w.gif", "--frames", 3)
    assert frames_of(work / "w.gif") == 3
    assert "give the structure that they ran through" in refuse(
        "animate", "hops", built.cold, "--trajectories", "ways.h5", "--out", "x.gif", "--frames", 3
    )


def test_pressed_bodies_are_hopped_from_grain_to_grain(done, built, work):
    done("animate", "hops", built.cold, "--out", "p.gif", "--frames", 3, "--walkers", 1)
    assert frames_of(work / "p.gif") == 3


def test_mp4_without_ffmpeg_names_the_remedy(refuse, built, work, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    said = refuse("animate", "hops", built.fired, "--out", "x.mp4", code=3)
    assert "use .gif or pip install 'cofire[movies]'" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "x.avi"), "allowed: .gif, .mp4"),
        (("--out", "x.gif", "--walkers", 0), "--walkers is 0; allowed: 1 to 200"),
        (("--out", "x.gif", "--frames", 1), "frames is 1; allowed: 2 to 1000"),
        (("--out", "x.gif", "--frames", 0), "frames is 0; allowed: 2 to 1000"),
        (("--out", "x.gif", "--time-s", 0), "time_s is 0"),
        (("--out", "x.gif", "--carrier", "hole"), "carrier is 'hole'"),
        (("--out", "x.gif", "--boundary", "open"), "--boundary is 'open'"),
        (("--out", "x.gif", "--boundary", "plates"), "goes with --trajectories"),
        (("--out", "x.gif", "--trajectories", "none.h5"), "none.h5 are not there"),
        (("--out", "x.gif", "--frames-per-s", 0), "frames_per_s is 0; allowed: 0.1 to 50"),
    ],
)
def test_hops_that_cannot_be_drawn(refuse, built, words, says):
    assert says in refuse("animate", "hops", built.fired, *words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "x.png"), "allowed: .gif, .mp4"),
        (("--out", "x.gif", "--size-um", 0), "size_um is 0"),
        (("--out", "x.gif", "--voxel-nm", 200), "use a voxel_nm of at most"),
        (("--out", "x.gif", "--frames", 4), "frames is 4; allowed: 10 to 1000"),
        (("--out", "x.gif", "--seed", -1), "seed is -1"),
        (("--out", "x.gif", "--recipe", "none.toml"), "none.toml does not exist"),
        (("--out", "x.gif", "--frames-per-s", 1000), "frames_per_s is 1000"),
    ],
)
def test_firings_that_cannot_be_drawn(refuse, words, says):
    assert says in refuse("animate", "firing", *words)
