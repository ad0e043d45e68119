"""What a picture says of its maker: words that its file carries unseen."""

from __future__ import annotations

from microstructures.origin import PROGRAM, program_version, utc


def made_by() -> str:
    """Return program and version."""
    return f"{PROGRAM} {program_version()}"


def words_of_png() -> dict[str, str]:
    """Return program and version, and the time in UTC, under the names that the PNG standard gives them."""
    return {"Software": made_by(), "Creation Time": utc()}


def words_of_svg() -> dict[str, str | None]:
    """Return program and version, and no time: the same figure gives the same file."""
    return {"Creator": made_by(), "Date": None}
