"""What the pages of the documentation hold: blocks of code, command lines, and how a command line is read without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from cofire.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = ("", "sh", "bash", "console")
PROGRAMS = ("cofire ", "pip ", "pytest", "python ", "scripts/")


@dataclass(frozen=True)
class Block:
    """A block of code; `line` is where it starts in its page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Return where it is."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(r"^```([\w-]*)[^\n]*\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    return [
        Block(page, text[: one.start()].count("\n") + 1, one[1], one[2])
        for one in found
        if not languages or one[1] in languages
    ]


def commands(block: Block) -> Iterator[list[str]]:
    """Give the words of every command of ours in a block, without comments; `&&`, `|` and `;` part two commands."""
    for line in block.text.replace("\\\n", " ").splitlines():
        line = re.sub(r"^([A-Z_]+=\S+ +)+", "", line)  # variables before a command
        if not line.startswith(PROGRAMS):
            continue
        reader = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        reader.whitespace_split, reader.commenters = True, "#"
        words: list[str] = []
        for word in [*reader, ";"]:
            if not set(word) <= set("&|;"):
                words.append(word)
            else:
                if f"{' '.join(words)} ".startswith(PROGRAMS):
                    yield words
                words = []


def parse(words: list[str]) -> tuple[str, dict[str, Any]]:
    """Return the name of a cofire command and the value of every parameter, read but not run.

    Raises whatever the command line does about a command or an option that does not exist, or one that is missing.
    """
    command: Any = typer.main.get_command(app)
    context = command.make_context("cofire", list(words))
    name = ""
    while hasattr(command, "commands"):
        found, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(found, rest, parent=context)
        name = f"{name} {found}".strip()
    return name, context.params


def options(words: list[str]) -> set[str]:
    """Return all options of the command that these words begin with."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
