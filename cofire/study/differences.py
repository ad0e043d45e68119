"""Say where two nested tables differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cofire.study.keys import join_key


def first_difference(before: Any, now: Any, where: tuple[str, ...] = ()) -> str | None:
    """Return the first key at which two tables differ, and both values; None where they agree.

    Examples
    --------
    >>> first_difference({"cell": {"size_um": 3.0}}, {"cell": {"size_um": 4.0}})
    'cell.size_um was 3.0 and is 4.0'
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*before, *now)):
            if key not in before or key not in now:
                return f"{join_key((*where, str(key)))} {'is new' if key in now else 'is gone'}"
            found = first_difference(before[key], now[key], (*where, str(key)))
            if found:
                return found
        return None
    if before == now:
        return None
    return f"{join_key(where)} was {_short(before)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
