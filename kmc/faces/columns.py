"""The columns of the class table: what the code of a face stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.faces.classes import FILM_HALF_WIDTH, FILM_LEVELS, ClassCode
from kmc.faces.point_contacts import ContactFaces
from kmc.faces.steps import BESIDE, PLAIN, step_level
from microstructures.voxels.interface_normals import area_factor_of_level


def class_columns(code: ClassCode, codes: NDArray[np.int64]) -> dict[str, Any]:
    """Return the columns of the class table for sorted `codes`, of which the first is the blocked face."""
    fields = code.unpack(codes[1:])
    blocked = {"steps": 0, "low": 0, "high": 0, "beyond": 0, "level": 0, "film": -1, "film_level": -1, "across": 0}
    full = {name: np.concatenate(([blocked[name]], values)) for name, values in fields.items()}
    return {
        "phases": np.stack([full["low"], full["high"]], axis=1).astype(np.uint8),
        "interface": (full["level"] > 0) & (full["steps"] != BESIDE),
        "steps": full["steps"].astype(np.uint8),
        "beyond": full["beyond"].astype(np.uint8),
        "point_contact": np.zeros(len(codes), dtype=np.bool_),
        "area_factor": area_factor_of_level(np.where(full["steps"] == BESIDE, 1, full["level"])),
        "step_factor": area_factor_of_level(np.where(full["steps"] == PLAIN, 1, step_level(full["level"]))),
        "spreading": np.zeros(len(codes)),
        "film": full["film"].astype(np.int16),
        "film_weight": (full["film_level"] + 1) / FILM_LEVELS / FILM_HALF_WIDTH,
        "film_across": full["across"].astype(np.bool_),
    }


def add_contacts(
    columns: dict[str, Any],
    chosen: ContactFaces,
    phases: NDArray[np.uint8],
    names: tuple[str, ...],
    pairs: list[tuple[str, str]],
) -> None:
    """Append one class for every point contact; where both grains bear a film, it leads up to the contact."""
    film = np.full(len(phases), -1, dtype=np.int16)
    for index, name in enumerate(names):
        own = next((i for i, (bearer, _) in enumerate(pairs) if bearer == name), -1)
        film[(phases[:, 0] == index) & (phases[:, 1] == index)] = own
    true = np.ones(len(phases), dtype=np.bool_)
    more = {
        "phases": phases,
        "interface": true,
        "steps": np.zeros(len(phases), dtype=np.uint8),
        "step_factor": np.ones(len(phases)),
        "beyond": phases[:, 1],
        "point_contact": true,
        "area_factor": chosen.area_factor,
        "spreading": chosen.spreading,
        "film": film,
        "film_weight": np.where(film >= 0, 1.0 / FILM_HALF_WIDTH, 0.0),
        "film_across": film >= 0,
    }
    for name, values in more.items():
        columns[name] = np.concatenate([columns[name], values])
