"""Read a TOML file of the user: one named line for whatever can be wrong with it, a key given twice by name and by lines."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from microstructures.errors import CofireError, InputError, clear_line

LARGEST_BYTES = 4_000_000
LONGEST_SHOWN = 60
DEEPEST_KEY = 100
Key = tuple[str, ...]

_TWICE = ("Cannot declare", "Cannot overwrite", "Cannot mutate", "Cannot redefine", "Duplicate inline table key")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_LONG_KEY = re.compile(rb"""(?<![^\s\[{,])(?:(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*\.[ \t]*){%d}""" % DEEPEST_KEY)
_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[^"\'#\[\]{}\n=]+|.', re.DOTALL
)
_HINTS = (
    (re.compile(r"=\s*[-+]?\d+,\d"), "write decimals with a point"),
    (re.compile(r"=\s*(True|False)\b"), "write true or false in small letters"),
    (re.compile(r"=\s*(None|null)\b"), "leave the line out instead"),
    (re.compile(r"=\s*[-+]?0\d"), "write numbers without a leading zero"),
    (re.compile(r"=\s*[A-Za-z_][\w -]*$"), "put text into quotes"),
    (re.compile(r":\s"), "write key = value"),
)


def read_toml(
    path: str | Path,
    what: str,
    error: type[InputError] = InputError,
    largest_bytes: int = LARGEST_BYTES,
    *,
    remedy: str = "check the path",
) -> dict[str, Any]:
    """Read a TOML file that a user wrote.

    Parameters
    ----------
    path : path
        The file; `~` is resolved.
    what : str
        What it is, as the messages call it: "recipe", "materials file", "study".
    error : type of InputError
        What to raise.
    largest_bytes : int
        Refuse a larger file before any of it is parsed.
    remedy : str
        What to do where there is no such file.

    Returns
    -------
    dict
        The tables of the file, never empty.

    Raises
    ------
    InputError
        If the file is absent, a folder, unreadable, empty, too large, no text in UTF-8 (a byte order mark is fine) or no TOML,
        gives a key twice or is nested too deeply; one line says what, where and what to do.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "r.toml"
    ...     _ = file.write_text("[press]\\nrelative_density = 0.6")
    ...     read_toml(file, "recipe")
    {'press': {'relative_density': 0.6}}
    """
    shown = f"{what} {clear_line(str(path), 200)}"
    try:
        file = Path(path).expanduser()
        if file.is_dir():
            raise error(f"{shown} is a folder; give a TOML file")
        if not file.is_file():
            raise error(f"{shown} {'is no regular file' if file.exists() else 'does not exist'}; {remedy}")
        with file.open("rb") as stream:
            content = stream.read(largest_bytes + 1)
    except CofireError:
        raise
    except (OSError, ValueError, RuntimeError) as reason:
        why = (reason.strerror if isinstance(reason, OSError) else None) or str(reason)
        raise error(f"{shown} cannot be read: {why}; check the path and its permissions") from None
    if len(content) > largest_bytes:
        size = max(file.stat().st_size, len(content))
        raise error(f"{shown} has {size} bytes; allowed: {largest_bytes}; it is no {what.removesuffix(' file')} file")
    return parse_toml(content, shown, error)


def parse_toml(content: bytes, origin: str, error: type[InputError] = InputError) -> dict[str, Any]:
    """Return the tables of a TOML document; parameters and errors as for `read_toml`, `origin` names it in messages.

    Examples
    --------
    >>> parse_toml(b"a = 1\\nb = 2\\na = 3", "r.toml")
    Traceback (most recent call last):
    microstructures.errors.InputError: r.toml gives the key 'a' twice, on lines 1 and 3; allowed: once; keep one of them
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        kind = "it looks like UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[1:2] == b"\0" else "it is binary"
        raise error(f"{origin} is not a text file in UTF-8, {kind}; save it as UTF-8 TOML")
    if _LONG_KEY.search(content):
        raise error(f"{origin} is nested too deeply; allowed: keys of fewer than {DEEPEST_KEY} parts; correct it")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise error(f"{origin} is nested too deeply; allowed: the tables of the documented form; correct it") from None
    except ValueError as reason:
        raise error(f"{origin} {_why_refused(text, str(reason))}") from None
    if not table:
        raise error(f"{origin} is empty; write at least one key = value, or leave the file out")
    return table


def _why_refused(text: str, reason: str) -> str:
    """Return what a user needs beside the parser's reason: the line itself, the key that stands there twice, a hint."""
    lines = text.replace("\r\n", "\n").split("\n")
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", reason)
    number = int(place.group(1)) if place and place.group(1) else len(lines)
    plain = reason[: place.start()] if place else reason
    if plain.startswith(_TWICE):
        twice = _given_twice(lines[:number])
        if twice:
            return f"{twice}; allowed: once; keep one of them"
        name = re.search(r"Duplicate inline table key '(.*)'$", plain)
        if name:
            shown = clear_line(name.group(1), LONGEST_SHOWN)
            return f"gives the key '{shown}' twice, both on line {number}; allowed: once; keep one of them"
    line = lines[number - 1].strip()
    hint = next((f"; {words}" for form, words in _HINTS if form.search(line)), "")
    where = f"line {number}, '{clear_line(line, LONGEST_SHOWN)}'" if line else f"line {number}"
    return f"is not TOML: {clear_line(plain, 100)}, {where}{hint}; correct that line"


def _given_twice(lines: list[str]) -> str | None:
    """Say which key the last statement of some lines gives again, and where it stood before; None if it cannot be found."""
    *before, (number, key, _) = list(_statements("\n".join(lines))) or [(0, (), False)]
    for same in (True, False):
        for line, other, is_header in before:
            nested = key == other[: len(key)] or (not is_header and other == key[: len(other)])
            if (key == other) if same else nested:
                if same:
                    return f"gives the key '{_dotted(key)}' twice, on lines {line} and {number}"
                return f"gives '{_dotted(other)}' on line {line} and '{_dotted(key)}' on line {number}, one inside the other"
    return None


def _statements(text: str) -> Iterator[tuple[int, Key, bool]]:
    """Yield line, full key and whether it is a header of every statement; entries of an array of tables are told apart."""
    table: Key = ()
    entries: Counter[Key] = Counter()
    line, start, depth, words, has_value = 1, 1, 0, "", False
    for match in _TOKEN.finditer(text + "\n"):
        token = match.group()
        if token == "\n" and (depth == 0 or not has_value):
            words, is_header = words.strip(), words.lstrip().startswith("[")
            parts = _parts(words.strip("[] \t"))
            if parts and is_header:
                path = _told_apart(parts, entries)
                yield start, path, True
                entries[parts] += words.startswith("[[")
                table = _told_apart((*parts, ""), entries)[:-1]
            elif parts and has_value:
                yield start, (*table, *parts), False
            words, has_value, depth = "", False, 0
            start = line + 1
        elif token == "=" and not words.lstrip().startswith("["):
            has_value = True
        elif has_value:
            depth += (token in "[{") - (token in "]}")
        elif not token.startswith("#"):
            words += token
        line += token.count("\n")


def _told_apart(parts: Key, entries: Counter[Key]) -> Key:
    """Return a path with the number of the entry behind every array of tables it runs through."""
    path: Key = ()
    for depth, part in enumerate(parts, start=1):
        count = entries[parts[:depth]] if depth < len(parts) else 0
        path += (part, f"#{count}") if count else (part,)
    return path


def _parts(words: str) -> Key:
    """Return the parts of a dotted key as it stands in the file."""
    if _BARE_KEY.fullmatch(words):
        return tuple(words.split("."))
    try:
        node: Any = tomllib.loads(f"{words} = 0")
    except ValueError:
        return ()
    parts: list[str] = []
    while isinstance(node, dict):
        ((part, node),) = node.items()
        parts.append(part)
    return tuple(parts)


def _dotted(key: Key) -> str:
    return clear_line(".".join(part for part in key if not part.startswith("#")), LONGEST_SHOWN)
