"""Our own structure file: HDF5, schema 3, checksummed, complete or absent.

Root attributes `format`, `schema`, `program_version`, `voxel_size_m`, `periodic`, and as JSON `process`, `phases`,
`recipe`, `coatings`, `provenance` and, where there is one, `seed`; datasets `labels`, `grains`, `composition`, `contacts/*`,
`particles/*`, `shells/*`, named as in Python; the names and the share of `shells` are JSON in the attribute `shells`.
Files of schema 1, which had neither shells, coatings, composition nor `particles/grain`, and of schema 2, which had no
`provenance`, are read as well: what they hold is brought up to date in memory, one function a step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError, InputError
from microstructures.features import Coating, Particles, PointContacts, ThinShells
from microstructures.formats.guard import as_format_errors, atomic_file, check_claim, one_line
from microstructures.origin import PROGRAM, program_version, refuse_newer, stamp
from microstructures.structure import VoxelStructure

FORMAT_NAME = "cofire-structure"
SCHEMA = 3
CHUNK_EDGE = 64
LARGEST_CHUNK_BYTES = 1 << 28
HDF5_RELEASE = ("v110", "v110")
"""The first release whose metadata carry checksums; older tools than 1.10 cannot read these files."""
REMEDY = "write or copy it again"
CONTACT_COLUMNS = {
    "grains": ("int32", 2),
    "point": ("float64", 3),
    "normal": ("float64", 3),
    "radius": ("float64", 0),
    "gap": ("float64", 0),
}
PARTICLE_COLUMNS = {"centre": ("float64", 3), "radius": ("float64", 0), "label": ("uint8", 0), "grain": ("int32", 0)}
SHELL_COLUMNS = {"grains": ("int32", 2), "thickness": ("float64", 0)}
SHELL_WORDS = ("product", "donor", "host")
WORDS = {"process": str, "phases": dict, "recipe": dict, "coatings": dict, "provenance": dict}
"""Attributes that every file has as JSON."""
SINCE = {"coatings": 2, "particles/grain": 2, "provenance": 3}
"""The schema that brought what older files lack."""
Columns = Mapping[str, tuple[str, int]]


def write_structure(structure: VoxelStructure, path: Path, provenance: Mapping[str, Any] | None = None) -> None:
    """Write everything a structure holds; the same structure gives the same arrays and attributes but `provenance`.

    Parameters
    ----------
    structure : VoxelStructure
        What to write.
    path : Path
        Where.
    provenance : mapping, optional
        What is known of the run that made it; kept beside who writes it, where and when.

    Raises
    ------
    InputError
        If the system refuses to write, or the recipe holds something that JSON cannot.
    """
    import h5py

    content = BytesIO()  # HDF5 itself reports a full disk once for every object that is still open, past any handler
    with h5py.File(content, "w", libver=HDF5_RELEASE) as file:
        file.attrs["format"] = np.bytes_(FORMAT_NAME)
        file.attrs["schema"] = SCHEMA
        file.attrs["program_version"] = np.bytes_(program_version())
        file.attrs["voxel_size_m"] = np.asarray(structure.voxel_size, dtype=np.float64)
        file.attrs["periodic"] = np.asarray(structure.periodic, dtype=np.uint8)
        file.attrs["process"] = _json_text(structure.process)
        file.attrs["phases"] = _json_text({str(label): name for label, name in structure.phases.items()})
        file.attrs["recipe"] = _json_text(structure.recipe)
        file.attrs["provenance"] = _json_text({**stamp(), **(provenance or {})})
        if structure.seed is not None:
            file.attrs["seed"] = _json_text(int(structure.seed))
        coatings = {name: [coat.thickness, coat.coverage] for name, coat in structure.coatings.items()}
        file.attrs["coatings"] = _json_text(coatings)
        for name in ("labels", "grains", "composition"):
            if getattr(structure, name) is not None:
                _store(file, name, getattr(structure, name))
        shells = structure.shells
        if shells is not None:
            words = {word: getattr(shells, word) for word in (*SHELL_WORDS, "donor_share")}
            file.attrs["shells"] = _json_text(words)
        for group, table, columns in (
            ("contacts", structure.contacts, CONTACT_COLUMNS),
            ("particles", structure.particles, PARTICLE_COLUMNS),
            ("shells", shells, SHELL_COLUMNS),
        ):
            if table is not None:
                for name, (dtype, _) in columns.items():
                    _store(file, f"{group}/{name}", np.asarray(getattr(table, name), dtype=dtype))
    with atomic_file(path) as partial:
        partial.write_bytes(content.getbuffer())


def read_structure(path: Path) -> VoxelStructure:
    """Read a structure file of ours.

    Raises
    ------
    FormatError
        If the file is no structure of ours, is newer than this program, damaged, truncated, or refers to other files.
    """
    with _opened(path) as file:
        return _structure(path, _up_to_date(_attributes(path, file) | _tables(path, file)))


def read_provenance(path: Path) -> dict[str, Any]:
    """Return who wrote a structure file of ours, with what and when; of old files only program and version are known.

    Raises
    ------
    FormatError
        If the file is no structure of ours, is newer than this program, or damaged.
    """
    with _opened(path) as file:
        found: dict[str, Any] = _up_to_date(_attributes(path, file))["provenance"]
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    with as_format_errors(path, "a structure file", f"it is damaged or truncated; {REMEDY}"):
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise FormatError(f"{path} {_why_not_open(error)}") from None
        with file:
            _check_identity(path, file)
            yield file


def _attributes(path: Path, file: Any) -> dict[str, Any]:
    """Return what the attributes say, in the words of the schema the file has."""
    schema = int(file.attrs["schema"])
    known = {name: kind for name, kind in WORDS.items() if schema >= SINCE.get(name, 1)}
    return {
        "schema": schema,
        "program_version": _written_by(file) or "unknown",
        "voxel_size_m": _numbers(path, file, "voxel_size_m", 3),
        "periodic": _numbers(path, file, "periodic", 3),
        "seed": _json_value(path, file, "seed", int) if "seed" in file.attrs else None,
        **{name: _json_value(path, file, name, kind) for name, kind in known.items()},
    }


def _tables(path: Path, file: Any) -> dict[str, Any]:
    """Return every array of a file, None where there is none; the three-dimensional ones agree in shape."""
    labels = _load(path, file, "labels", np.dtype(np.uint8), 3)
    found: dict[str, Any] = {"labels": labels}
    for name, dtype in (("grains", np.dtype(np.int32)), ("composition", np.dtype(np.float32))):
        found[name] = _load(path, file, name, dtype, 3) if _has(file, name) else None
        if found[name] is not None and found[name].shape != labels.shape:
            raise FormatError(f"{path}: '{name}' has shape {found[name].shape} on labels of {labels.shape}; {REMEDY}")
    for name, columns in (("contacts", CONTACT_COLUMNS), ("particles", PARTICLE_COLUMNS), ("shells", SHELL_COLUMNS)):
        schema = int(file.attrs["schema"])
        known = {column: kind for column, kind in columns.items() if schema >= SINCE.get(f"{name}/{column}", 1)}
        found[name] = _load_table(path, file, name, known)
    if found["shells"] is not None:
        found["shells"]["words"] = _json_value(path, file, "shells", dict)
    return found


def _up_to_date(found: dict[str, Any]) -> dict[str, Any]:
    """Return what a file of any schema holds, in the words of the present one."""
    for step in MIGRATIONS[found["schema"] - 1 :]:
        found = step(found)
    return found


def _from_1_to_2(found: dict[str, Any]) -> dict[str, Any]:
    """Number the grains of particles, which were numbered alike; there were no coatings."""
    particles = found.get("particles")
    if particles is not None:
        particles = {**particles, "grain": np.arange(1, len(particles["label"]) + 1, dtype=np.int32)}
    return {**found, "schema": 2, "coatings": {}, "particles": particles}


def _from_2_to_3(found: dict[str, Any]) -> dict[str, Any]:
    """Say the little that is known of who wrote it."""
    return {**found, "schema": 3, "provenance": {"program": PROGRAM, "version": found["program_version"]}}


MIGRATIONS = (_from_1_to_2, _from_2_to_3)
"""From schema 1 on, one step each."""


def _structure(path: Path, found: Mapping[str, Any]) -> VoxelStructure:
    """Return the structure that a file of the present schema holds."""
    grains = found["grains"]
    if grains is not None and grains.min(initial=0) < 0:
        raise FormatError(f"{path}: 'grains' has negative ids; {REMEDY}")
    particles = None if found["particles"] is None else Particles(**found["particles"])
    contacts = None if found["contacts"] is None else PointContacts(**found["contacts"])
    shells = None if found["shells"] is None else _shells(path, **found["shells"])
    highest = max(0 if grains is None else int(grains.max(initial=0)), 0 if particles is None else len(particles))
    for name, pairs in (("contacts", contacts), ("shells", shells)):
        if pairs is not None and len(pairs) and not 0 <= pairs.grains.min() <= pairs.grains.max() <= highest:
            raise FormatError(f"{path}: '{name}/grains' names grains outside 0 to {highest}; {REMEDY}")
    x, y, z = found["voxel_size_m"]
    px, py, pz = (bool(flag) for flag in found["periodic"])
    return VoxelStructure(
        labels=found["labels"],
        voxel_size=(x, y, z),
        phases={int(label): str(name) for label, name in found["phases"].items()},
        grains=grains,
        periodic=(px, py, pz),
        contacts=contacts,
        particles=particles,
        shells=shells,
        coatings=_coatings(path, found["coatings"]),
        composition=found["composition"],
        process=found["process"],
        recipe=found["recipe"],
        seed=found["seed"],
    )


def _json_text(value: Any) -> np.bytes_:
    return np.bytes_(json.dumps(value, default=_plain, ensure_ascii=True, sort_keys=False).encode())


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise InputError(f"the recipe holds a {type(value).__name__}; allowed: numbers, text, lists, tables, arrays; convert it")


def _store(file: Any, name: str, array: NDArray[Any]) -> None:
    if array.size == 0:
        file.create_dataset(name, data=array)
        return
    chunks = tuple(min(CHUNK_EDGE, n) for n in array.shape) if array.ndim == 3 else True
    file.create_dataset(name, data=array, chunks=chunks, compression="gzip", compression_opts=4, shuffle=True, fletcher32=True)


def _why_not_open(error: OSError) -> str:
    text = one_line(error, 400)
    if "unable to lock" in text or "already open" in text:
        return (
            "is marked as open for writing: another program has it open, or died over it; close that program, or write it again"
        )
    if "truncated" in text:
        return f"is truncated; {REMEDY}"
    if "signature" in text:
        return "is no HDF5 file; give a structure written by cofire, or an image (.tif, .npy, .vti)"
    return f"cannot be opened as HDF5: {one_line(error)}; it is damaged; {REMEDY}"


def _check_identity(path: Path, file: Any) -> None:
    name = file.attrs.get("format")
    if not isinstance(name, bytes) or name.decode("ascii", "replace") != FORMAT_NAME:
        raise FormatError(
            f"{path} is an HDF5 file but no cofire structure; it holds {', '.join(list(file)[:8]) or 'nothing'}; "
            "save its labels as .npy or .tif and import them"
        )
    schema = file.attrs.get("schema")
    if not isinstance(schema, int | np.integer) or schema < 1:
        raise FormatError(f"{path} has schema {schema!r}; allowed: 1 to {SCHEMA}; {REMEDY}")
    refuse_newer(int(schema), SCHEMA, str(path), written_by=_written_by(file))


def _written_by(file: Any) -> str | None:
    """Return the version of the program that wrote a file, where it says so."""
    version = file.attrs.get("program_version")
    return version.decode("ascii", "replace") if isinstance(version, bytes) else None


def _has(group: Any, name: str) -> bool:
    return group.get(name, getlink=True) is not None


def _hard(path: Path, group: Any, name: str) -> Any:
    """Return a member that really lies in this file: links that lead elsewhere are refused."""
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        raise FormatError(f"{path} lacks the dataset '{name}'; it holds {', '.join(list(group)[:8]) or 'nothing'}; {REMEDY}")
    if not isinstance(link, h5py.HardLink):
        raise FormatError(f"{path}: '{name}' is a link to elsewhere; allowed: data in this file; write the structure again")
    return group[name]


def _load(path: Path, group: Any, name: str, dtype: np.dtype[Any], ndim: int) -> NDArray[Any]:
    import h5py

    data = _hard(path, group, name)
    if not isinstance(data, h5py.Dataset) or data.ndim != ndim or data.dtype.newbyteorder("=") != dtype:
        found = f"shape {data.shape}, type {data.dtype}" if isinstance(data, h5py.Dataset) else "a group"
        raise FormatError(f"{path}: '{name}' is {found}; allowed: {ndim} axes of {dtype}; {REMEDY}")
    if data.is_virtual or data.external:
        raise FormatError(
            f"{path}: '{name}' takes its data from other files; allowed: data in this file; write the structure again"
        )
    if data.chunks is not None and np.prod(data.chunks, dtype=float) * dtype.itemsize > LARGEST_CHUNK_BYTES:
        raise FormatError(f"{path}: '{name}' has chunks of {data.chunks}; allowed: {LARGEST_CHUNK_BYTES} bytes; {REMEDY}")
    if data.size:
        check_claim(path, data.shape, dtype.itemsize, data.id.get_storage_size())
    array: NDArray[Any] = np.empty(data.shape, dtype=dtype)
    if array.size:
        data.read_direct(array)
    return array


def _load_table(path: Path, file: Any, name: str, columns: Columns) -> dict[str, NDArray[Any]] | None:
    """Read the columns of `contacts`, `particles` or `shells`, which must agree in length."""
    import h5py

    if not _has(file, name):
        return None
    group = _hard(path, file, name)
    if not isinstance(group, h5py.Group):
        raise FormatError(f"{path}: '{name}' is no group; {REMEDY}")
    arrays = {
        column: _load(path, group, column, np.dtype(dtype), 2 if width else 1) for column, (dtype, width) in columns.items()
    }
    length = min(len(array) for array in arrays.values())
    for column, (_, width) in columns.items():
        if arrays[column].shape != ((length, width) if width else (length,)):
            raise FormatError(
                f"{path}: '{name}/{column}' has shape {arrays[column].shape} among columns of {length} rows; {REMEDY}"
            )
        if arrays[column].dtype.kind == "f" and not np.isfinite(arrays[column]).all():
            raise FormatError(f"{path}: '{name}/{column}' holds NaN or infinite numbers; {REMEDY}")
    return arrays


def _shells(
    path: Path, words: dict[str, Any], grains: NDArray[np.int32], thickness: NDArray[np.float64]
) -> ThinShells:  # fmt: skip
    share = words.pop("donor_share", None)
    if set(words) != set(SHELL_WORDS) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise FormatError(
            f"{path}: attribute 'shells' lacks a name, or its donor_share is {share!r}; allowed: 0 to 1; {REMEDY}"
        )
    product, donor, host = (str(words[word]) for word in SHELL_WORDS)
    return ThinShells(product, donor, host, float(share), grains, thickness)


def _coatings(path: Path, words: dict[str, Any]) -> dict[str, Coating]:
    try:
        return {str(name): Coating(float(thickness), float(coverage)) for name, (thickness, coverage) in words.items()}
    except (TypeError, ValueError):
        raise FormatError(f"{path}: attribute 'coatings' holds no thickness and coverage; {REMEDY}") from None


def _numbers(path: Path, file: Any, name: str, count: int) -> list[float]:
    values = np.asarray(file.attrs.get(name, ()))
    if values.shape != (count,) or values.dtype.kind not in "fiub":
        raise FormatError(f"{path}: attribute '{name}' is missing or not {count} numbers; {REMEDY}")
    return [float(value) for value in values]


def _json_value(path: Path, file: Any, name: str, kind: type[Any]) -> Any:
    text = file.attrs.get(name, b"")
    try:
        value = json.loads(bytes(text))
    except (ValueError, TypeError):
        value = None
    if not isinstance(value, kind):
        raise FormatError(f"{path}: attribute '{name}' is missing or no JSON {kind.__name__}; {REMEDY}")
    return value
