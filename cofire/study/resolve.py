"""From points of a study to its cases: defaults filled in, files read, every value checked before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cofire.building import DEFAULT_SIZE_UM, DEFAULT_VOXEL_NM, PROCESSES, check_size
from cofire.study.axes import Point
from cofire.study.case import StudyCase
from cofire.study.keys import split_key, with_value
from cofire.study.study_file import Study
from microstructures.errors import InputError
from microstructures.formats import content_hash
from microstructures.materials import CARRIERS, Materials, load_materials
from microstructures.materials.library import materials_of
from microstructures.recipe import Recipe, parse_recipe
from microstructures.structure import LARGEST_VOXEL_NM, SMALLEST_VOXEL_NM
from microstructures.toml_file import read_toml
from microstructures.units import kelvin
from microstructures.wrong_value import wrong_value

ESTIMATORS = ("solver", "graph", "kMC")
DEFAULT_HOPS = 50_000_000
Length = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
VoxelNm = Annotated[float, Field(ge=SMALLEST_VOXEL_NM, le=LARGEST_VOXEL_NM)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Built(_Table):
    """`[cell]` of a body that is pressed or fired."""

    process: Literal["cold-pressed", "co-fired"]
    size_um: Length = DEFAULT_SIZE_UM
    voxel_nm: VoxelNm = DEFAULT_VOXEL_NM
    recipe: str | dict[str, Any] | None = None


class Imaged(_Table):
    """`[cell]` of an image."""

    image: str
    voxel_nm: VoxelNm | None = None
    phases: dict[str, str] | None = None
    segment_grains: bool = False


class Run(_Table):
    """`[run]`: how the structure is asked."""

    temperature_C: Annotated[float, Field(allow_inf_nan=False)] | None = None
    carriers: Annotated[list[Literal["ion", "electron"]], Field(min_length=1)] = list(CARRIERS)
    estimators: Annotated[list[Literal["solver", "graph", "kMC"]], Field(min_length=1)] = ["solver"]
    hops: Annotated[int, Field(ge=1, le=10**15)] = DEFAULT_HOPS
    axis: Literal["x", "y", "z", "all"] = "all"
    boundary: Literal["plates", "periodic"] | None = None
    smooth_insulators: bool = False
    materials: str | dict[str, Any] | None = None


@dataclass(frozen=True)
class Planned:
    """A case and where it stands in the study: its point and replica."""

    case: StudyCase
    point: Point


def resolve_study(study: Study) -> list[Planned]:
    """Return all cases of a study, the replicas of a point beside each other; equal ones are left in.

    Raises
    ------
    InputError
        If a point cannot be computed; the message names it.
    """
    out = []
    for point in study.points():
        try:
            cell, run, image = _resolve(study, point)
        except InputError as error:
            where = ", ".join(f"{key} = {value}" for key, value in point.items())
            raise InputError(f"study {study.name}{f', point {where}' if where else ''}: {error}") from None
        out += [
            Planned(StudyCase(cell, run, study.seed + replica, replica, image), point) for replica in range(study.replicas)
        ]  # fmt: skip
    return out


def _resolve(study: Study, point: Point) -> tuple[dict[str, Any], dict[str, Any], Path | None]:
    tables: dict[str, Any] = {"cell": dict(study.cell), "run": dict(study.run)}
    for key in sorted(point, key=lambda key: len(split_key(key))):  # a whole file first, then what replaces a part of it
        parts = split_key(key)
        if parts[0] not in tables or len(parts) < 2:
            raise InputError(f"key '{key}' begins with '{parts[0]}'; allowed: cell. and run., like cell.size_um")
        tables = with_value(_opened(tables, parts, study.folder), parts, point[key])
    cell, image = _cell(tables["cell"], study.folder)
    return cell, _run(tables["run"], study.folder), image


def _opened(tables: dict[str, Any], parts: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Put the content of a file in the place of its name where a key reaches into it."""
    if parts[:2] == ("cell", "recipe") and len(parts) > 2 and isinstance(tables["cell"].get("recipe"), str):
        return with_value(tables, parts[:2], read_toml(_beside(folder, tables["cell"]["recipe"]), "recipe"))
    if parts[:2] == ("run", "materials") and len(parts) > 2 and not isinstance(tables["run"].get("materials"), Mapping):
        return with_value(tables, parts[:2], _materials(tables["run"].get("materials"), folder).to_dict())
    return tables


def _cell(table: Mapping[str, Any], folder: Path) -> tuple[dict[str, Any], Path | None]:
    if "image" in table:
        both = [key for key in ("process", "size_um", "recipe") if key in table]
        if both:
            raise InputError(f"cell has 'image' and '{both[0]}'; allowed: an image or a process; leave one out")
        imaged = _checked(Imaged, table, "cell")
        path = _beside(folder, imaged.image)
        phases = imaged.phases
        if phases is not None and not all(label.isdigit() and int(label) < 256 for label in phases):
            raise InputError(f'cell.phases names {list(phases)}; allowed: labels 0 to 255, like 1 = "LFP"')
        plain = {
            "image_sha256": _hash(path), "voxel_nm": imaged.voxel_nm, "phases": phases, "segment_grains": imaged.segment_grains,
        }  # fmt: skip
        return plain, path
    if "process" not in table:
        raise InputError(
            f"cell has neither 'process' nor 'image'; give one, like process = \"{PROCESSES[1]}\", or vary cell.process"
        )
    built = _checked(Built, table, "cell")
    given = built.recipe
    recipe = parse_recipe(read_toml(_beside(folder, given), "recipe") if isinstance(given, str) else given or {}, "cell.recipe")
    check_size(built.process, size_um=built.size_um, voxel_nm=built.voxel_nm, recipe=recipe)
    if built.process == "cold-pressed":
        recipe = _pressed_only(recipe)
    sizes = {"size_um": float(built.size_um), "voxel_nm": float(built.voxel_nm)}
    return {"process": built.process, **sizes, "recipe": recipe.model_dump(mode="json")}, None


def _pressed_only(recipe: Recipe) -> Recipe:
    """Return the recipe with the default firing, where it admits that: a body that is not fired is the same for every firing."""
    try:
        return parse_recipe(recipe.model_dump(include={"powders", "press"}), "cell.recipe")
    except InputError:
        return recipe


def _run(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    run = _checked(Run, table, "run")
    materials = _materials(run.materials, folder)
    celsius = materials.reference_temperature_C if run.temperature_C is None else run.temperature_C
    kelvin(celsius)
    return {
        "temperature_C": float(celsius),
        "carriers": [carrier for carrier in CARRIERS if carrier in run.carriers],
        "estimators": [name for name in ESTIMATORS if name in run.estimators],
        "hops": run.hops if "kMC" in run.estimators else None,
        "axis": run.axis,
        "boundary": run.boundary,
        "smooth_insulators": run.smooth_insulators,
        "materials": materials.to_dict(),
    }


def _materials(given: str | Mapping[str, Any] | None, folder: Path) -> Materials:
    if isinstance(given, Mapping):
        return materials_of(given, "run.materials")
    if given is None or Path(given).suffix == "":
        return load_materials(given)
    return _loaded(_beside(folder, given))


@lru_cache
def _loaded(path: Path) -> Materials:
    return load_materials(path)


@lru_cache
def _hash(path: Path) -> str:
    return content_hash(path)


def _beside(folder: Path, name: str) -> Path:
    """Return a path that a study names, relative to the study file."""
    return (folder / Path(name).expanduser()).resolve()


def _checked(model: type[Any], table: Mapping[str, Any], where: str) -> Any:
    """Return the table as its model, or say which key is wrong, what was seen and what is allowed."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        told = wrong_value(error, model, f"[{where}]")
        raise InputError(f"{where}: {told}") from None


def distinct(planned: Sequence[Planned]) -> list[StudyCase]:
    """Return every case once, in the order in which they first appear."""
    return list({one.case.name: one.case for one in planned}.values())
