"""`cofire doctor`: is everything there that the program needs?"""

from __future__ import annotations

from cofire import options


def run(json: options.Json = False) -> None:
    """Print versions, threads, memory, renderer and compile cache."""
    from cofire.console import print_json, progress, table
    from cofire.diagnosis import doctor

    with progress("examining"):
        found = doctor()
    if json:
        print_json(found)
        return
    table("cofire doctor", [(name, str(value)) for name, value in found.items()])
