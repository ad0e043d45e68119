"""One case of a study: everything that decides its result, and nothing else. Its name is the hash of that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from microstructures.materials import Carrier, Materials
from microstructures.materials.schema import MaterialsFile
from microstructures.recipe import Recipe

SCHEMA = 1
"""Of the resolved input; a change of meaning raises it, and with it every case gets another name."""
NAME_DIGITS = 16


def hash_of(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of plain values as hexadecimal digits; the order of keys does not matter.

    Examples
    --------
    >>> hash_of({"a": 1, "b": 2.0}) == hash_of({"b": 2.0, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class StudyCase:
    """What one case computes.

    Attributes
    ----------
    cell : mapping
        What: `process`, `size_um`, `voxel_nm`, `recipe` (whole); or of an image `image_sha256`, `voxel_nm`, `phases`,
        `segment_grains`.
    run : mapping
        How: `temperature_C`, `carriers`, `estimators`, `hops`, `axis`, `boundary`, `smooth_insulators`, `materials` (whole).
    seed, replica : int
        Seed of the green body and of the hops; replica number r has the study's seed + r, whatever else is varied.
    image : Path or None
        Where the image lies; its content counts, not its place.
    """

    cell: Mapping[str, Any]
    run: Mapping[str, Any]
    seed: int
    replica: int
    image: Path | None = None

    @cached_property
    def input(self) -> dict[str, Any]:
        """Return the resolved input as plain values."""
        return {"schema": SCHEMA, "cell": dict(self.cell), "run": dict(self.run), "seed": self.seed, "replica": self.replica}

    @cached_property
    def name(self) -> str:
        """Return the name of the case: the first digits of the hash of its input."""
        return hash_of(self.input)[:NAME_DIGITS]

    @cached_property
    def structure_name(self) -> str:
        """Return the name of its structure, which other cases may share."""
        seeded = {} if "image_sha256" in self.cell else {"seed": self.seed}
        return hash_of({"schema": SCHEMA, "cell": dict(self.cell), **seeded})[:NAME_DIGITS]

    @property
    def process(self) -> str:
        """Return the process, or "image"."""
        return str(self.cell.get("process", "image"))

    @property
    def recipe(self) -> Recipe:
        """Return the recipe of a body that is built."""
        return Recipe.model_validate(self.cell["recipe"])

    @property
    def materials(self) -> Materials:
        """Return what phases, interfaces and films conduct."""
        return Materials(file=MaterialsFile.model_validate(self.run["materials"]), origin=str(self.run["materials"]["name"]))

    @property
    def carriers(self) -> tuple[Carrier, ...]:
        """Return who is asked about."""
        return tuple(self.run["carriers"])

    @classmethod
    def of_input(cls, found: Mapping[str, Any], image: Path | None = None) -> StudyCase:
        """Return the case of a stored input."""
        return cls(found["cell"], found["run"], int(found["seed"]), int(found["replica"]), image)
