"""Errors a user can act on: one line that says what was wrong, the value seen, what is allowed and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CofireError(Exception):
    """Base of every error this project raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 2


class InputError(CofireError, ValueError):
    """A value, option or combination of options that cannot be used."""


class FormatError(InputError):
    """A file that is not what it claims to be, or that holds something we cannot read."""


class MaterialsError(InputError):
    """A materials file that is incomplete, contradictory or out of range."""


class MissingExtraError(CofireError, ImportError):
    """An optional package is needed and absent."""

    exit_code = 3


def clear_line(text: str, longest: int = 600) -> str:
    """Return a text as one line of printable characters; a longer one loses its middle.

    Examples
    --------
    >>> clear_line("two\\nlines and a \\0")
    'two lines and a ?'
    """
    if len(text) > longest:
        text = f"{text[: longest - longest // 3 - 3]}...{text[len(text) - longest // 3 :]}"
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def did_you_mean(seen: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` when one of `allowed` is close to `seen`, else the list of what is allowed."""
    options = [str(option) for option in allowed]
    close = difflib.get_close_matches(seen, options, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; allowed: {', '.join(options)}" if options else ""
