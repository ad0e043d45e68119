"""The example notebooks run from top to bottom, and what ends a cell can be shown."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def cells(notebook: Path) -> list[str]:
    """Return the code of every cell."""
    return [
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]


def run(code: str, known: dict[str, Any]) -> Any:
    """Run a cell and return the value of its last expression, as a notebook would show it."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), known)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), known)


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 2


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_its_results(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    for code in cells(notebook):
        value = run(code, known)
        if isinstance(value, list):
            assert all(Path(path).stat().st_size > 0 for path in value), code
        elif hasattr(value, "_repr_png_"):
            assert value._repr_png_().startswith(b"\x89PNG"), code
        else:
            assert "<table" in value._repr_html_(), code


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_with_their_results(notebook: Path) -> None:
    """Run with `jupyter execute --inplace examples/*.ipynb`: every cell that ends in a value shows it, and nothing of the machine."""
    stored = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in stored["cells"]:
        if cell["cell_type"] == "code" and isinstance(ast.parse("".join(cell["source"])).body[-1], ast.Expr):
            shown = [output for output in cell["outputs"] if output["output_type"] == "execute_result"]
            assert len(shown) == 1
            assert {"image/png", "text/html", "text/plain"} & set(shown[0]["data"])
        assert not any(output["output_type"] in ("error", "stream") for output in cell.get("outputs", []))
    assert not re.search(r"/(tmp|home|root|usr|opt|Users)/", notebook.read_text(encoding="utf-8"))
    assert notebook.stat().st_size < 1_000_000
