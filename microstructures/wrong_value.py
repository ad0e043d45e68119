"""What is wrong with a value in a user's file, in one line: the key, the value seen, what is allowed, what was meant."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from microstructures.errors import clear_line, did_you_mean

LONGEST_KEY, LONGEST_VALUE = 120, 80


def wrong_value(error: ValidationError, root: type[BaseModel], what: str = "the file") -> str:
    """Return the first complaint of a check as one line; unknown keys go first and are told the nearest valid one.

    Parameters
    ----------
    error : ValidationError
        What pydantic raised.
    root : type of BaseModel
        The form that was checked; the keys allowed at each place are its own.
    what : str
        How to call the whole where a complaint has no key.

    Examples
    --------
    >>> from pydantic import ConfigDict
    >>> class Press(BaseModel):
    ...     model_config = ConfigDict(extra="forbid")
    ...     density: float
    >>> try:
    ...     Press.model_validate({"densty": 0.6})
    ... except ValidationError as error:
    ...     wrong_value(error, Press)
    "unknown key 'densty'; did you mean 'density'?"
    """
    first = min(error.errors(include_url=False), key=lambda entry: entry["type"] != "extra_forbidden")
    where = clear_line(".".join(str(part) for part in first["loc"]), LONGEST_KEY) or what
    if first["type"] == "extra_forbidden":
        return f"unknown key '{where}'{did_you_mean(clear_line(str(first['loc'][-1]), LONGEST_KEY), _keys_at(root, first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"key '{where}' is missing; add it"
    seen = first["input"]
    if first["type"] == "value_error":
        told = first["msg"].removeprefix("Value error, ")
        return clear_line(f"{where}: {told}" if isinstance(seen, Mapping | BaseModel) else f"{where} is {_shown(seen)}: {told}")
    allowed = first["msg"].replace("Input should be ", "").replace("Input should ", "")
    return f"{where} is {_shown(seen)}; allowed: {allowed}{_meant(first)}"


def _meant(complaint: ErrorDetails) -> str:
    """Return what the user probably meant: a share for a percentage, eV for meV, a number for its text; else what to do."""
    seen, key, limit = complaint["input"], str(complaint["loc"][-1:]), complaint.get("ctx", {}).get("le")
    if isinstance(seen, str) and complaint["type"].startswith(("float", "int")):
        try:
            return f"; did you mean {float(seen.replace(',', '.')):g}, without quotes?"
        except ValueError:
            return "; correct it"
    if isinstance(seen, int | float) and not isinstance(seen, bool) and isinstance(limit, int | float) and seen > limit:
        for factor, unit in ((1000.0, "eV"),) if "_eV" in key else ((100.0, ""),) if limit == 1.0 else ():
            if 0.0 < seen / factor <= limit:
                return f"; did you mean {f'{seen / factor:g} {unit}'.rstrip()}?"
    return "; correct it"


def _keys_at(root: type[BaseModel], where: tuple[int | str, ...]) -> list[str]:
    """Return the keys allowed in the table that a path leads to."""
    node: Any = root
    for part in where:
        model, entries = _table(node)
        if model is not None:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            node = fields[str(part)].annotation if str(part) in fields else None
        else:
            node = entries
    model, _ = _table(node)
    return [] if model is None else [field.alias or name for name, field in model.model_fields.items()]


def _table(annotation: Any) -> tuple[type[BaseModel] | None, Any]:
    """Return the model that an annotation admits, and what the entries of its mapping or list are."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, UnionType, typing.Annotated):
        found = [_table(choice) for choice in inner if choice is not type(None)]
        return next((pair for pair in found if pair != (None, None)), (None, None))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, None
    return None, inner[-1] if origin in (dict, list, tuple) and inner else None


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    try:
        return clear_line(repr(value), LONGEST_VALUE)
    except (RecursionError, ValueError):  # nested lists; integers of thousands of digits
        return f"a {type(value).__name__}"
