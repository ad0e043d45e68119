"""What a study varies, as factors: a key, keys that advance together, or the keys of a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from cofire.study.reporting.labels import key_labels, value_label

Point = Mapping[str, Any]
FEW = 12
"""A single number with more values than these is a sample, not a list of levels."""
FEWEST_SAMPLES, FEWEST_VALUES = 8, 5
"""Points, and different values of each key, from which on untied numbers are a sample."""


@dataclass(frozen=True)
class Factor:
    """Something that a study varies on its own.

    Attributes
    ----------
    keys : tuple of str
        Dotted keys; several where they advance together.
    label : str
        For axes and tables, with its unit; of keys that advance together the first number's.
    together : str
        Labels of the others.
    column : str
        Column of the rows that holds its value: the first number among the keys, or else a text.
    numeric, sampled : bool
        Whether its values are numbers, and whether they are points of a sample and no levels of a grid.
    axis : int
        Axis of the study; the keys of a sample share one.
    """

    keys: tuple[str, ...]
    label: str
    column: str
    numeric: bool
    sampled: bool
    axis: int
    together: str = ""

    @property
    def full(self) -> str:
        """Return its label with those of the keys that advance with it."""
        return f"{self.label} (with {self.together})" if self.together else self.label

    def levels(self, rows: pd.DataFrame) -> list[Any]:
        """Return its different values in these rows: numbers by size, texts as they come."""
        found = list(dict.fromkeys(rows[self.column].dropna()))
        return sorted(found) if self.numeric else found


def is_number(value: Any) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def find_factors(axes: Sequence[Sequence[Point]]) -> list[Factor]:
    """Return the factors of a study, in its order; keys with one value only are none.

    Examples
    --------
    >>> axes = [[{"a": 1}, {"a": 2}], [{"b_nm": 5, "c": 50}, {"b_nm": 6, "c": 60}], [{"d": 7}]]
    >>> [(factor.keys, factor.full) for factor in find_factors(axes)]
    [(('a',), 'a'), (('b_nm', 'c'), 'b (nm) (with c)')]
    """
    labels = key_labels(key for axis in axes for point in axis for key in point)
    return [factor for number, axis in enumerate(axes) for factor in _factors_of(axis, number, labels)]


def _factors_of(axis: Sequence[Point], number: int, labels: Mapping[str, str]) -> list[Factor]:
    values = {key: [point.get(key) for point in axis] for point in axis for key in point}
    varied = {key: found for key, found in values.items() if len(set(map(str, found))) > 1}
    if not varied:
        return []
    numbers = [key for key, found in varied.items() if all(map(is_number, found))]
    if len(varied) == 1:
        (key,) = varied
        many = key in numbers and len(set(varied[key])) > FEW
        return [Factor((key,), labels[key], key, key in numbers, many, number)]
    points = len({tuple(map(str, row)) for row in zip(*varied.values(), strict=True)})
    for main in numbers:
        tied = all(_monotone(varied[main], varied[key]) for key in numbers)
        if len(set(varied[main])) == points and tied:
            others = ", ".join(labels[key] for key in varied if key != main)
            keys = (main, *(key for key in varied if key != main))
            return [Factor(keys, labels[main], main, True, False, number, others)]
    if (
        len(numbers) == len(varied)
        and points >= FEWEST_SAMPLES
        and all(len(set(varied[key])) >= FEWEST_VALUES for key in numbers)
    ):
        return [Factor((key,), labels[key], key, True, True, number) for key in numbers]
    return [Factor(tuple(varied), ", ".join(labels[key] for key in varied), f"joint {number}", False, False, number)]


def _monotone(first: Sequence[Any], second: Sequence[Any]) -> bool:
    """Return whether the second rises, or falls, with the first."""
    ordered = [b for _, b in sorted(zip(first, second, strict=True))]
    rises = all(a <= b for a, b in pairwise(ordered))
    return rises or all(a >= b for a, b in pairwise(ordered))


def with_joint_columns(rows: pd.DataFrame, factors: Sequence[Factor]) -> pd.DataFrame:
    """Return the rows with a column for every factor that has no key of its own; texts in place of other values."""
    out = rows.copy()
    for factor in factors:
        if factor.column not in out.columns:
            texts = [[value_label(value) for value in out[key]] for key in factor.keys if key in out.columns]
            out[factor.column] = [", ".join(row) for row in zip(*texts, strict=True)]
        elif not factor.numeric:
            out[factor.column] = [value_label(value) for value in out[factor.column]]
    return out
