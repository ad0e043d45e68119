"""What a study varies: axes of points, whose product are all points of the study.

Every key of `grid` is an axis; every table of `zip` is one, whose keys advance together; so are `list`, `latin_hypercube` and
`sobol`. Latin hypercubes: McKay, Beckman, Conover 1979; scrambled Sobol sequences: Owen 1998; both as in scipy.stats.qmc.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from cofire.study.keys import flatten
from microstructures.errors import InputError, did_you_mean

Point = dict[str, Any]
"""Values by dotted key."""
RANGE_KEYS = ("low", "high", "log")
MOST_SAMPLES = 1_000_000


def read_axes(table: Mapping[str, Any], seed: int) -> list[list[Point]]:
    """Return the axes that the table `[study]` names, each a list of points.

    Parameters
    ----------
    table : mapping
        With any of `grid`, `zip`, `list`, `latin_hypercube`, `sobol`.
    seed : int
        Of the samples.

    Raises
    ------
    InputError
        If an axis is empty, lengths differ, or a key is on two axes.

    Examples
    --------
    >>> read_axes({"grid": {"cell.size_um": [3, 4]}, "zip": {"a": [1, 2], "b": [5, 6]}}, seed=1)
    [[{'cell.size_um': 3}, {'cell.size_um': 4}], [{'a': 1, 'b': 5}, {'a': 2, 'b': 6}]]
    """
    axes = []
    if "grid" in table:
        grid = _table(table["grid"], "study.grid")
        axes += [[{key: value} for value in _values(values, f"study.grid '{key}'")] for key, values in flatten(grid).items()]
    if "zip" in table:
        zips = table["zip"] if isinstance(table["zip"], list) else [table["zip"]]
        axes += [_zipped(_table(one, "study.zip")) for one in zips]
    if "list" in table:
        axes.append([flatten(_table(one, "study.list")) for one in _values(table["list"], "study.list")])
    for number, name in enumerate(("latin_hypercube", "sobol")):
        if name in table:
            axes.append(_sampled(_table(table[name], f"study.{name}"), name, (seed, number)))
    seen: set[str] = set()
    for axis in axes:
        keys = {key for point in axis for key in point}
        twice = sorted(keys & seen)
        if twice:
            raise InputError(f"key '{twice[0]}' is varied twice in [study]; leave one out")
        seen |= keys
    return axes


def count_points(axes: Sequence[Sequence[Point]]) -> int:
    """Return how many points the product of all axes has."""
    return math.prod(len(axis) for axis in axes)


def all_points(axes: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the product of all axes, the last one changing fastest.

    Examples
    --------
    >>> all_points([[{"a": 1}, {"a": 2}], [{"b": 3}]])
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    return [{key: value for part in parts for key, value in part.items()} for parts in product(*axes)]


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise InputError(f'{name} is {value!r}; allowed: a table of dotted keys, like "cell.size_um" = [3.0, 4.0]')
    return value


def _values(values: Any, name: str) -> list[Any]:
    if not isinstance(values, list):
        raise InputError(f"{name} is {values!r}; allowed: a list of values; put it in brackets")
    if not values:
        raise InputError(f"{name} is empty; give at least one value, or leave the key out")
    return values


def _zipped(table: Mapping[str, Any]) -> list[Point]:
    columns = {key: _values(values, f"study.zip '{key}'") for key, values in flatten(table).items()}
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        text = ", ".join(f"{key} {length}" for key, length in lengths.items())
        raise InputError(f"study.zip has columns of different lengths ({text}); allowed: one length; complete the shorter")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _sampled(table: Mapping[str, Any], name: str, key: tuple[int, int]) -> list[Point]:
    """Draw points inside ranges; the same seed gives the same points, and a longer Sobol sequence begins like a shorter one."""
    from scipy.stats import qmc

    count = table.get("samples")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_SAMPLES:
        raise InputError(f"study.{name}.samples is {count!r}; allowed: a whole number from 1 to {MOST_SAMPLES}")
    ranges = flatten({key: value for key, value in table.items() if key != "samples"}, ends=frozenset(RANGE_KEYS))
    if not ranges:
        raise InputError(f'study.{name} has no range; give one, like "cell.size_um" = {{ low = 3.0, high = 5.0 }}')
    spans = [_span(key, span, name) for key, span in ranges.items()]
    rng = np.random.default_rng(key)
    if name == "sobol":
        unit = qmc.Sobol(len(spans), rng=rng).random_base2(max(0, math.ceil(math.log2(count))))[:count]
    else:
        unit = qmc.LatinHypercube(len(spans), rng=rng).random(count)
    return [
        {key: span(share) for key, span, share in zip(ranges, spans, row, strict=True)} for row in unit.tolist()
    ]  # fmt: skip


def _span(key: str, table: Any, name: str) -> Callable[[float], float]:
    """Return the function from a share between 0 and 1 to a value of a range."""
    where = f"study.{name} '{key}'"
    if not isinstance(table, Mapping):
        raise InputError(
            f"{where} is {table!r}; allowed: a range like {{ low = 3.0, high = 5.0 }}; add log = true for a logarithmic one"
        )
    for word in table:
        if word not in RANGE_KEYS:
            raise InputError(f"{where}: unknown key '{word}'{did_you_mean(word, RANGE_KEYS)}")
    low, high, log = (table.get(word, default) for word, default in zip(RANGE_KEYS, (math.nan, math.nan, False), strict=True))
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in (low, high))
    if not numbers or not low < high or log not in (True, False) or (log and low <= 0):
        above = " above 0" if log else ""
        raise InputError(f"{where} is {dict(table)}; allowed: two numbers{above} with low below high, and log = true or false")
    if isinstance(low, int) and isinstance(high, int) and not log:
        return lambda share: low + min(high - low, int(share * (high - low + 1)))
    if log:
        return lambda share: float(low * (high / low) ** share)
    return lambda share: float(low + (high - low) * share)
