"""Dotted keys: names of values inside nested tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from microstructures.errors import InputError


def split_key(key: str) -> tuple[str, ...]:
    """Return the parts of a dotted key; a part with other characters than letters, digits, ``_``, ``-`` may be quoted.

    Raises
    ------
    InputError
        If a part is empty.

    Examples
    --------
    >>> split_key("cell.recipe.press.relative_density")
    ('cell', 'recipe', 'press', 'relative_density')
    >>> split_key('run.materials.interfaces."A|B".ion')
    ('run', 'materials', 'interfaces', 'A|B', 'ion')
    """
    try:
        node, parts = tomllib.loads(f"{key} = 0"), []
        while isinstance(node, dict) and len(node) == 1:
            name, node = next(iter(node.items()))
            parts.append(name)
    except tomllib.TOMLDecodeError:
        parts = [part.strip() for part in key.split(".")]
    if not parts or not all(parts):
        raise InputError(f"'{key}' is no dotted key; allowed: names joined by points, like cell.size_um; correct it")
    return tuple(parts)


def join_key(parts: tuple[str, ...]) -> str:
    """Return the one spelling of a dotted key.

    Examples
    --------
    >>> join_key(("run", "materials", "interfaces", "A|B", "ion"))
    'run.materials.interfaces."A|B".ion'
    """
    return ".".join(
        part if part.replace("_", "").replace("-", "").isalnum() and part.isascii() else f'"{part}"' for part in parts
    )


def flatten(table: Mapping[str, Any], *, ends: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the values of a table under their dotted keys, whether written as tables or as dotted keys.

    A table that has one of the keys `ends` is a value itself.

    Examples
    --------
    >>> flatten({"cell": {"size_um": [3, 4]}, "run.hops": [1]})
    {'cell.size_um': [3, 4], 'run.hops': [1]}
    """
    out: dict[str, Any] = {}

    def visit(parts: tuple[str, ...], value: Any) -> None:
        if isinstance(value, Mapping) and value and not ends & set(value):
            for name, inner in value.items():
                visit((*parts, *split_key(name)) if not parts else (*parts, name), inner)
            return
        key = join_key(parts)
        if key in out:
            raise InputError(f"key '{key}' is given twice; leave one out")
        out[key] = value

    if table:
        visit((), table)
    return out


def with_value(table: Mapping[str, Any], parts: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a copy of nested tables with one value set; tables on the way are made where absent.

    Examples
    --------
    >>> with_value({"cell": {"size_um": 4}}, ("cell", "recipe", "press"), {})
    {'cell': {'size_um': 4, 'recipe': {'press': {}}}}
    """
    name, *rest = parts
    out = dict(table)
    if not rest:
        out[name] = value
        return out
    inner = table.get(name, {})
    out[name] = with_value(inner if isinstance(inner, Mapping) else {}, tuple(rest), value)
    return out
