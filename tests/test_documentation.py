"""The documentation is right: its Python runs, its TOML is read, its command lines exist, and the README's first use works."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from documentation import PAGES, ROOT, SHELL, Block, blocks, commands, options, parse

from cofire.cli import main
from cofire.study.study_file import parse_study
from microstructures.materials import load_materials, parse_materials
from microstructures.recipe import parse_recipe

README = ROOT / "README.md"
LONG = {"docs/gallery/index.md": "draws every picture; minutes"}
"""Pages that run by night, commands and Python in their order, as they stand."""
WITH_COMMANDS = {"docs/studies.md"}
"""Pages whose Python reads what their commands write."""
BROUGHT = {"scan.tif", "slices"}
"""Files that a reader has, and pages only name."""
WRITTEN = {"out", "preview", "fields", "contacts", "graph", "png", "html", "checkpoint", "hop.trajectories"}
"""Parameters that name files which a command writes."""
FOLDERS = {"compare": "cofire-compare", "sweep": "cofire-sweep"}
"""Folders that commands write into unless told."""
LEFT_OUT = {
    "cofire calibrate --out my.toml --voxel-nm 50": "minutes; tests/cli/test_cli_calibrate.py runs it",
    "cofire serve cold.h5 fired.h5": "serves until it is stopped; tests/browser run it",
    "cofire import scan.tif --out scan.h5 --voxel-nm 398 --phases 0=pore,1=NMC,2=CBD --segment-grains": "reader's image",
    "cofire import slices/ --out s.h5 --voxel-nm 20 --phases 0=pore,1=LFP,2=LATP --thresholds multi-otsu --preview cuts.png":
        "reader's image",
    "cofire conduct scan.h5 --materials nmc-cathode --carrier electron": "reader's image",
}  # fmt: skip
"""Lines of the README's use that its test does not run, and why."""
PLANNED = {"impedance"}
"""Commands that a page may name before they are there."""
SIZE_UM, VOXEL_NM, FINER_VOXEL_NM = "2.4", "80", "50"
"""What bodies of the README have instead, the last those of the example's recipe: its particles are smaller."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def page_and_commands() -> list[Any]:
    found = [(page, [(block, words) for block in blocks(page, *SHELL) for words in commands(block)]) for page in PAGES]
    return [pytest.param(page, lines, id=name(page)) for page, lines in found if lines]


def read_toml(block: Block) -> None:
    """Read a table by what it describes."""
    table, origin = tomllib.loads(block.text), str(block)
    if "study" in table:
        parse_study(table, origin, ROOT)
    elif "phases" in table:
        parse_materials(block.text.encode(), origin)
    elif {"powders", "press", "fire"} & set(table):
        parse_recipe(table, origin)
    else:
        pytest.fail(f"{origin}: tables {sorted(table)} are neither study nor materials nor recipe")


def run_command(words: Sequence[str]) -> None:
    assert main(list(words[1:])) == 0, words


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one; `examples/` lies in it, its studies made small."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").mkdir()
    for file in (ROOT / "examples").glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        if "study" in tomllib.loads(text):
            for key, value in (("size_um", SIZE_UM), ("voxel_nm", VOXEL_NM), ("replicas", "1")):
                text = re.sub(rf"^{key} = [\d.]+", f"{key} = {value}", text, flags=re.MULTILINE)
        (tmp_path / "examples" / file.name).write_text(text, encoding="utf-8")
    return tmp_path


def run_page(page: Path, shorten: Callable[[list[str]], list[str]] | None) -> None:
    """Run the Python of a page, all blocks as one program, and between them its commands if `shorten` makes words of words."""
    known: dict[str, Any] = {}
    for block in blocks(page, "python", *SHELL):
        if block.language == "python":
            exec(compile("\n" * block.line + block.text, str(block.page), "exec"), known)
        elif shorten:
            for words in commands(block):
                run_command(shorten(words))


@pytest.mark.parametrize("page", [page for page in PAGES if name(page) not in LONG and blocks(page, "python")], ids=name)
def test_python_in_the_documentation_runs(page: Path, beside: Path) -> None:
    run_page(page, small if name(page) in WITH_COMMANDS else None)


@pytest.mark.nightly
@pytest.mark.parametrize("page", LONG)
def test_long_pages_run_with_their_commands(page: str, beside: Path) -> None:
    run_page(ROOT / page, lambda words: words)


@pytest.mark.parametrize("block", [block for page in PAGES for block in blocks(page, "toml")], ids=str)
def test_toml_in_the_documentation_is_read(block: Block) -> None:
    read_toml(block)


@pytest.mark.parametrize(("page", "lines"), page_and_commands())
def test_commands_in_the_documentation_exist(
    page: Path, lines: list[tuple[Block, list[str]]], request: pytest.FixtureRequest
) -> None:
    """Commands, options, extras and markers exist; files exist, were made by a line above, or are named as the reader's."""
    made = set(BROUGHT)
    for block, words in lines:
        if words[0] == "cofire":
            check_cofire(page, block, words[1:], made)
        elif words[0] == "pip":
            assert words[1] == "install", block
            for extra in re.findall(r"\[([\w,-]+)\]", " ".join(words)):
                known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
                assert set(extra.split(",")) <= set(known), block
        elif words[0] == "pytest":
            check_pytest(words[1:], request.config, block)
        else:
            script, *rest = words[1:] if words[0] == "python" else words
            assert Path(script).parts[0] == "scripts", block
            text = (ROOT / script).read_text(encoding="utf-8")
            assert all(word in text for word in rest if word.startswith("--")), block


def check_cofire(page: Path, block: Block, words: list[str], made: set[str]) -> None:
    """Read the words of a command; note what it makes, and find what it needs."""
    command, values = parse(words)
    shows_toml = any(one.line < block.line for one in blocks(page, "toml"))
    for parameter, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if parameter == "materials" and isinstance(one, str) and "." not in one:
                load_materials(one)
            elif parameter in WRITTEN or f"{command}.{parameter}" in WRITTEN:
                made.add(str(one))
            elif isinstance(one, Path) or parameter == "materials":
                if one is None or (shows_toml and Path(one).suffix == ".toml"):
                    continue
                known = {str(parent) for parent in (Path(one), *Path(one).parents)}
                assert made & known or (ROOT / one).exists(), f"{block}: {one} of {parameter} is made nowhere above"
    if command in FOLDERS and values.get("out") is None:
        made.add(FOLDERS[command])


def check_pytest(words: list[str], config: pytest.Config, block: Block) -> None:
    """Find the options, markers and paths of a call of pytest."""
    markers = {line.split(":")[0] for line in config.getini("markers")}
    for before, word in zip(["", *words], words, strict=False):
        if before == "-m":
            assert set(re.findall(r"\w+", word)) - {"not", "and", "or"} <= markers, block
        elif word.startswith("--"):
            config.getoption(word)
        elif not word.startswith("-"):
            assert (ROOT / word).exists(), block


def test_options_within_sentences_exist() -> None:
    """Also `cofire ... --option` between back-ticks names a command and options that exist."""
    seen = 0
    for page in PAGES:
        for line in re.findall(r"(?<!`)`cofire ([a-z][^`\n]*)`(?!`)", page.read_text(encoding="utf-8")):
            words = line.split()
            if words[0] in PLANNED:
                continue
            known = options(words)
            assert known != options([]), f"{name(page)}: cofire {line}"
            missing = {word.split("=")[0] for word in words if word.startswith("--")} - known
            assert not missing, f"{name(page)}: cofire {line}"
            seen += 1
    assert seen > 5


def small(words: list[str]) -> list[str]:
    """Return a command for a body that takes seconds, and for few pictures."""
    command, values = parse(words[1:])
    if command in ("build", "animate firing"):
        for option in ("--size-um", "--voxel-nm"):
            if option in words:
                at = words.index(option)
                words = words[:at] + words[at + 2 :]
        own_particles = values.get("recipe") or values.get("from_file")
        words = [*words, "--voxel-nm", FINER_VOXEL_NM if own_particles else VOXEL_NM]
        if not values.get("from_file"):
            words += ["--size-um", SIZE_UM]
    return [*words, "--frames", "10"] if command.startswith("animate") else words


def test_use_of_the_readme_works_in_its_order(beside: Path) -> None:
    """Every line under "Use" but those left out, on a small body; each writes the files that it names."""
    text = README.read_text(encoding="utf-8")
    first = text[: text.index("\n## Use\n")].count("\n")
    last = text[: text.index("\n## What it stands on\n")].count("\n")
    lines = [words for block in blocks(README, *SHELL) if first < block.line < last for words in commands(block)]
    assert set(LEFT_OUT) <= {" ".join(words) for words in lines}
    done = [words for words in lines if " ".join(words) not in LEFT_OUT]
    assert len(done) > 10
    for words in done:
        run_command(small(words))
        command, values = parse(words[1:])
        for parameter, value in values.items():
            if value is not None and (parameter in WRITTEN or f"{command}.{parameter}" in WRITTEN):
                assert Path(value).stat().st_size > 0
