"""How a good file is damaged: every mutant belongs to a seed and a number, so that it can be made again."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

HEAD_BYTES = 1024
NUMBERS = (0, 1, 2**15, 2**16 - 1, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -1)
WORDS = (
    b"0", b"-1", b"", b"nan", b"inf", b"1e999", b"1000000", b"2147483648", b"99999999999999999999", b"9" * 5000, b"1_0", b"0x",
)  # fmt: skip
SNIPPETS = (
    b"\0",
    b"\n",
    b"\r",
    b'"',
    b'"""',
    b"'",
    b"[",
    b"]]",
    b"{",
    b"=",
    b"#",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"../x",
    b"[" * 2000,
)


def mutant(good: bytes, seed: int, number: int) -> tuple[bytes, str]:
    """Return a damaged copy of a file and the name of the damage.

    Parameters
    ----------
    good : bytes
        The whole file.
    seed, number : int
        The same two give the same mutant.

    Examples
    --------
    >>> mutant(b"schema = 1", 1, 0)[0] == mutant(b"schema = 1", 1, 0)[0]
    True
    """
    draw = random.Random(f"{seed}/{number}")
    name = draw.choice(sorted(DAMAGES))
    damaged = bytearray(good)
    for _ in range(draw.choice((1, 1, 1, 3))):
        DAMAGES[name](damaged, draw)
    return bytes(damaged), name


def _place(content: bytearray, draw: random.Random) -> int:
    """Draw a place: a third in the head, a third in the tail, where directories and closing tags lie, else anywhere."""
    near = min(HEAD_BYTES, len(content))
    kind = draw.randrange(3)
    return (
        draw.randrange(near + 1)
        if kind == 0
        else len(content) - draw.randrange(near + 1)
        if kind == 1
        else draw.randrange(len(content) + 1)
    )


def _flip(content: bytearray, draw: random.Random) -> None:
    for _ in range(draw.choice((1, 1, 3, 10))):
        if content:
            content[min(_place(content, draw), len(content) - 1)] = draw.randrange(256)


def _flip_one_bit(content: bytearray, draw: random.Random) -> None:
    if content:
        content[min(_place(content, draw), len(content) - 1)] ^= 1 << draw.randrange(8)


def _truncate(content: bytearray, draw: random.Random) -> None:
    del content[draw.randrange(len(content) + 1) :]


def _drop(content: bytearray, draw: random.Random) -> None:
    start = _place(content, draw)
    del content[start : start + draw.randrange(1, 300)]


def _insert(content: bytearray, draw: random.Random) -> None:
    start = _place(content, draw)
    content[start:start] = draw.choice((*SNIPPETS, draw.randbytes(draw.randrange(1, 300))))


def _duplicate(content: bytearray, draw: random.Random) -> None:
    start, to = _place(content, draw), _place(content, draw)
    content[to:to] = content[start : start + draw.randrange(1, 500)]


def _zero(content: bytearray, draw: random.Random) -> None:
    start = _place(content, draw)
    content[start : start + 64] = bytes(len(content[start : start + 64]))


def _binary_number(content: bytearray, draw: random.Random) -> None:
    """Write a number that no header expects over two, four or eight bytes."""
    size, order = draw.choice((2, 4, 8)), draw.choice("<>")
    start = _place(content, draw) // 2 * 2
    if start + size <= len(content):
        value = draw.choice((*NUMBERS, len(content))) % 2 ** (8 * size)
        content[start : start + size] = (
            struct.pack(f"{order}Q", value)[-size:] if order == ">" else struct.pack("<Q", value)[:size]
        )


def _text_numbers(content: bytearray, draw: random.Random) -> None:
    """Exchange two numbers of the text in the head, or write a hostile one over one of them."""
    found = [match.span() for match in re.finditer(rb"\d+", content[: 4 * HEAD_BYTES])]
    if len(found) < 2:
        return
    (a, b), (c, d) = sorted(draw.sample(found, 2))
    if draw.randrange(2):
        content[a:d] = content[c:d] + content[b:c] + content[a:b]
    else:
        content[a:b] = draw.choice(WORDS)


def _repeat_line(content: bytearray, draw: random.Random) -> None:
    lines = content.split(b"\n")
    line = draw.choice(lines)
    lines.insert(draw.randrange(len(lines) + 1), line)
    content[:] = b"\n".join(lines)


DAMAGES: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flip": _flip,
    "bit": _flip_one_bit,
    "truncate": _truncate,
    "drop": _drop,
    "insert": _insert,
    "duplicate": _duplicate,
    "zero": _zero,
    "binary number": _binary_number,
    "text numbers": _text_numbers,
    "repeated line": _repeat_line,
}
