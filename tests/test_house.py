"""The house in order: linter, types, arrows between packages, and every example in a docstring."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("cofire", "viz", "kmc", "microstructures")


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_linter():
    run("ruff", "check", "--output-format", "concise", ".")


def test_format():
    run("ruff", "format", "--check", ".")


def test_types():
    run("mypy")


def test_arrows_run_one_way():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def modules() -> list[str]:
    names = []
    for package in PACKAGES:
        found = importlib.import_module(package)
        names.append(package)
        names += [
            module.name for module in pkgutil.walk_packages(found.__path__, f"{package}.") if "__main__" not in module.name
        ]
    return names


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_modules_are_one_idea():
    longest = {path: len(path.read_text().splitlines()) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    too_long = {str(path.relative_to(ROOT)): lines for path, lines in longest.items() if lines > 450}
    assert not too_long


def test_project_speaks_of_itself_alone():
    """No path of a machine and no registry host in the files that ship."""
    hosts = "|".join(("python" + "hosted", "pypi" + r"\.org", "registry" + r"\.npmjs", "/home" + "/", "/ro" + "ot/"))
    for folder in (*PACKAGES, "docs", "scripts", "examples", "benchmarks"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md", ".toml", ".html") and path.is_file():
                assert not re.search(hosts, path.read_text(encoding="utf-8")), path
