"""Read a study file: `[cell]` says what, `[run]` says how, `[study]` which seeds and what is varied.

.. code-block:: toml

    schema = 1
    name = "shells"
    [cell]
    process = "co-fired"                 # cold-pressed, co-fired; or image = "scan.tif" with phases = { 1 = "LFP" }
    size_um = 4.8
    voxel_nm = 50.0
    recipe = "recipe.toml"               # or tables: [cell.recipe.press] ...
    [run]
    temperature_C = 60.0
    carriers = ["ion", "electron"]
    estimators = ["solver"]              # solver, graph, kMC
    materials = "lfp-latp"
    [study]
    seed = 1
    replicas = 2
    [study.grid]
    "cell.process" = ["cold-pressed", "co-fired"]
    "cell.recipe.press.relative_density" = [0.55, 0.60]
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cofire.study.axes import Point, all_points, count_points, read_axes
from microstructures.errors import InputError, did_you_mean
from microstructures.notebook import InNotebook
from microstructures.toml_file import read_toml

SCHEMA = 1
MOST_REPLICAS = 10_000
TOP = ("schema", "name", "cell", "run", "study")
STUDY = ("seed", "replicas", "grid", "zip", "list", "latin_hypercube", "sobol")
SEEDS = "allowed: a whole number from 0 to 2^64 - 1"


@dataclass(frozen=True)
class Study(InNotebook):
    """A study as its file gives it.

    Attributes
    ----------
    name : str
        What the study calls itself.
    cell, run : mapping
        What every case has in common.
    seed, replicas : int
        Replica r of every point has seed + r.
    axes : sequence of sequences of points
        What is varied: the product of all.
    folder : Path
        Files named in the study are looked for here.
    drawn : bool
        Whether the seed was drawn because the file names none.
    """

    name: str
    cell: Mapping[str, Any]
    run: Mapping[str, Any]
    seed: int
    replicas: int
    axes: Sequence[Sequence[Point]]
    folder: Path
    drawn: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the dotted keys that are varied."""
        return tuple(dict.fromkeys(key for axis in self.axes for point in axis for key in point))

    @property
    def count(self) -> int:
        """Return the number of points times replicas, before equal ones are found."""
        return count_points(self.axes) * self.replicas

    def points(self) -> list[Point]:
        """Return all points."""
        return all_points(self.axes)

    def to_dict(self) -> dict[str, Any]:
        """Return what the study says as plain values, the seed included that was drawn for it."""
        return {
            "name": self.name, "cell": dict(self.cell), "run": dict(self.run),
            "study": {"seed": self.seed, "replicas": self.replicas, "axes": [list(axis) for axis in self.axes]},
        }  # fmt: skip


def load_study(path: str | Path, seed: int | None = None) -> Study:
    """Read a study file; a seed that it does not name is the one given, or drawn.

    Raises
    ------
    InputError
        If the file is absent, is no TOML, or says something unknown, contradictory or impossible.
    """
    file = Path(path).expanduser()
    table = read_toml(file, "study")
    return parse_study(table, str(file), file.resolve().parent, seed)


def parse_study(table: Mapping[str, Any], origin: str, folder: Path, seed: int | None = None) -> Study:
    """Check the tables of a study; `origin` names them in messages.

    Examples
    --------
    >>> study = parse_study({"cell": {}, "study": {"seed": 3, "grid": {"cell.size_um": [3.0, 4.0]}}}, "s", Path("."))
    >>> study.points(), study.count
    ([{'cell.size_um': 3.0}, {'cell.size_um': 4.0}], 2)
    """
    try:
        _only(table, TOP, "")
        schema = table.get("schema", SCHEMA)
        if schema != SCHEMA or isinstance(schema, bool):
            raise InputError(f"schema is {schema!r}; allowed: {SCHEMA}; a newer one needs a newer program")
        for key in ("cell", "run", "study"):
            if not isinstance(table.get(key, {}), Mapping):
                raise InputError(f"{key} is {table[key]!r}; allowed: a table; write [{key}]")
        name = table.get("name", Path(origin).stem)
        if not isinstance(name, str):
            raise InputError(f"name is {name!r}; allowed: text")
        plan = table.get("study", {})
        for word in ("seeds", "replica"):
            if word in plan:
                raise InputError(f"unknown key 'study.{word}'; did you mean 'seed' and 'replicas'? replica r has seed + r")
        _only(plan, STUDY, "study.")
        replicas = plan.get("replicas", 1)
        if not isinstance(replicas, int) or isinstance(replicas, bool) or not 1 <= replicas <= MOST_REPLICAS:
            raise InputError(f"study.replicas is {replicas!r}; allowed: a whole number from 1 to {MOST_REPLICAS}")
        drawn = "seed" not in plan
        seed = plan.get("seed", secrets.randbits(32) if seed is None else seed)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**64 - replicas:
            raise InputError(f"study.seed is {seed!r}; {SEEDS}")
        axes = read_axes(plan, seed)
    except InputError as error:
        raise InputError(f"study {origin}: {error}") from None
    return Study(name, table.get("cell", {}), table.get("run", {}), seed, replicas, axes, folder, drawn)


def _only(table: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise InputError(f"unknown key '{where}{key}'{did_you_mean(key, allowed)}")
