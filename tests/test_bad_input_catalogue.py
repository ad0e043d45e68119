"""Every row of docs/bad-inputs.md is held by at least one test, and every test it names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "bad-inputs.md"
ROWS = 86
LEAST_TESTS = 330
TEST_FILE = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")


def rows() -> dict[int, str]:
    """Return the last column of every row of the page, by its number."""
    found = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(found) == len({number for number, _ in found})
    return {int(number): held.strip() for number, held in found}


@pytest.fixture(scope="module")
def collected() -> list[str]:
    """Return the ids of all tests in the files that the page is about."""
    named = {file for file, _ in TEST_FILE.findall(PAGE.read_text(encoding="utf-8"))}
    files = sorted(named | {str(path.relative_to(ROOT)) for path in (ROOT / "tests/cli").glob("test_cli_bad_input_*.py")})
    words = [sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return [line for line in done.stdout.splitlines() if "::" in line]


def counts(collected: list[str]) -> Counter[int]:
    """Return how many tests begin their id with the number of a row."""
    numbers = (re.search(r"\[(\d+)-", test) for test in collected if "test_cli_bad_input_" in test)
    return Counter(int(found.group(1)) for found in numbers if found)


def test_the_page_has_every_row_once():
    assert sorted(rows()) == list(range(1, ROWS + 1))
    for held in rows().values():
        assert held in ("tested", "later") or TEST_FILE.search(held), held


def test_every_row_is_held(collected):
    found = counts(collected)
    assert [number for number, held in rows().items() if held == "tested" and not found[number]] == []
    assert [number for number in found if rows()[number] != "tested"] == []
    assert sum(found.values()) >= LEAST_TESTS, sum(found.values())


def test_every_test_that_the_page_names_exists(collected):
    for file, name in TEST_FILE.findall(PAGE.read_text(encoding="utf-8")):
        assert any(test.startswith(f"{file}::{name}") for test in collected), name
