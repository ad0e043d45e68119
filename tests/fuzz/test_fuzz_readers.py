"""Damaged files of every kind: a named error in one line or a sound result, in seconds, in memory of the order of the file.

Every kind is read in a process of its own (`reading.py`), so that a crash, a hang or a blow-up is a failure of its test and no more.
By day some mutants of each kind, always the same; by night thousands, new ones each time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from good_files import KINDS
from mutants import DAMAGES, mutant
from reading import SLOWEST_S

HERE = Path(__file__).parent
BY_DAY, BY_NIGHT, LARGE_BY_NIGHT = 50, 2000, 100
FLAT_BYTES, TIMES_THE_FILE = 8 << 20, 8
"""What a reader may take beyond what it had: the flat part is libraries and buffers, the rest is a copy or two of packed voxels."""


def read_mutants(kind: str, size: str, seed: int, count: int, folder: Path) -> list[dict[str, Any]]:
    """Return what came of the good file and of its mutants."""
    words = [sys.executable, str(HERE / "reading.py"), kind, size, str(seed), str(count), str(folder)]
    paths = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=600, env={**os.environ, "PYTHONPATH": paths}
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    at = rows[-1]["number"] + 1 if rows else "good"
    assert done.returncode == 0, (
        f"{kind}, seed {seed}, mutant {at} ended the process ({done.returncode}):\n{done.stderr[-3000:]}"
    )
    return rows


def check(kind: str, seed: int, rows: list[dict[str, Any]], count: int) -> None:
    """Check the outcome, time and memory of every mutant."""
    assert [row["number"] for row in rows] == list(range(-1, count))
    wrong = [f"mutant {row['number']} ({row['damage']}): {row['wrong']}" for row in rows if row["wrong"]]
    assert not wrong, f"{kind}, seed {seed}: {len(wrong)} wrong, first " + "\n".join(wrong[:5])
    for row in rows:
        assert row["seconds"] < SLOWEST_S, f"{kind}, seed {seed}: {row}"
        assert (row["peak_bytes"] or 0) < FLAT_BYTES + TIMES_THE_FILE * row["file_bytes"], f"{kind}, seed {seed}: {row}"
    assert any(row["outcome"] == "refused" for row in rows)


@pytest.mark.parametrize("kind", KINDS)
def test_mutants_by_day(kind: str, tmp_path: Path) -> None:
    check(kind, 1, read_mutants(kind, "SMALL", 1, BY_DAY, tmp_path), BY_DAY)


@pytest.mark.nightly
@pytest.mark.parametrize(("size", "count"), [("SMALL", BY_NIGHT), ("LARGE", LARGE_BY_NIGHT)], ids=["small", "large"])
@pytest.mark.parametrize("kind", KINDS)
def test_mutants_by_night(kind: str, size: str, count: int, tmp_path: Path, fresh_seed: int, tell: Callable[..., None]) -> None:
    rows = read_mutants(kind, size, fresh_seed, count, tmp_path)
    tell(f"{kind}, {size.lower()}", rows)
    check(kind, fresh_seed, rows, count)


def test_mutants_can_be_made_again_and_differ() -> None:
    good = Path(__file__).read_bytes()
    made = [mutant(good, 3, number) for number in range(300)]
    assert made == [mutant(good, 3, number) for number in range(300)]
    assert {damage for _, damage in made} == set(DAMAGES)
    assert len({content for content, _ in made}) > 250


def test_the_watch_sees_what_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that hangs ends its process, one that takes memory or raises something foreign is told."""
    (tmp_path / "sitecustomize.py").write_text(
        "import microstructures.recipe as recipe, time\n"
        "good, calls = recipe.load_recipe, []\n"
        "def load(path):\n"
        "    calls.append(path)\n"
        "    if len(calls) == 2: raise KeyError('x')\n"
        "    if len(calls) == 3: return bytearray(50_000_000)\n"
        "    if len(calls) == 4: return bytearray(5_000_000_000)\n"
        "    if len(calls) == 5: time.sleep(60)\n"
        "    return good(path)\n"
        "recipe.load_recipe = load\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{HERE.parents[1]}")
    with pytest.raises(AssertionError, match=r"mutant 3 ended the process \(1\)"):
        read_mutants("recipe-toml", "SMALL", 1, 9, tmp_path)
    rows = read_mutants("recipe-toml", "SMALL", 1, 3, tmp_path)
    assert rows[1]["wrong"] == "KeyError: 'x'"
    assert rows[2]["peak_bytes"] is None or rows[2]["peak_bytes"] > 40_000_000
    assert "MemoryError" in rows[3]["wrong"] or rows[3]["peak_bytes"] is None
