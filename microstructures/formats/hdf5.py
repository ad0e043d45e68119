"""Our own structure file: HDF5, schema 2, checksummed, complete or absent.

Root attributes `format`, `schema`, `program_version`, `voxel_size_m`, `periodic`, and as JSON `process`, `phases`,
`recipe`, `coatings` and, where there is one, `seed`; datasets `labels`, `grains`, `composition`, `contacts/*`, `particles/*`,
`shells/*`, named as in Python; the names and the share of `shells` are JSON in the attribute `shells`. Files of schema 1, which
had neither shells, coatings, composition nor `particles/grain`, are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import FormatError, InputError
from microstructures.features import Coating, Particles, PointContacts, ThinShells
from microstructures.formats.guard import as_format_errors, atomic_file, check_claim, one_line
from microstructures.structure import VoxelStructure

FORMAT_NAME = "cofire-structure"
SCHEMA = 2
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
Columns = Mapping[str, tuple[str, int]]


def write_structure(structure: VoxelStructure, path: Path) -> None:
    """Write everything a structure holds; the same structure gives the same arrays and attributes.

    Raises
    ------
    InputError
        If the system refuses to write, or the recipe holds something that JSON cannot.
    """
    import h5py

    with atomic_file(path) as partial, h5py.File(partial, "w", libver=HDF5_RELEASE) as file:
        file.attrs["format"] = np.bytes_(FORMAT_NAME)
        file.attrs["schema"] = SCHEMA
        file.attrs["program_version"] = np.bytes_(_program_version())
        file.attrs["voxel_size_m"] = np.asarray(structure.voxel_size, dtype=np.float64)
        file.attrs["periodic"] = np.asarray(structure.periodic, dtype=np.uint8)
        file.attrs["process"] = _json_text(structure.process)
        file.attrs["phases"] = _json_text({str(label): name for label, name in structure.phases.items()})
        file.attrs["recipe"] = _json_text(structure.recipe)
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


def read_structure(path: Path) -> VoxelStructure:
    """Read a structure file of ours.

    Raises
    ------
    FormatError
        If the file is no structure of ours, is newer than this program, damaged, truncated, or refers to other files.
    """
    import h5py

    with as_format_errors(path, "a structure file", f"it is damaged or truncated; {REMEDY}"):
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise FormatError(f"{path} {_why_not_open(error)}") from None
        with file:
            _check_identity(path, file)
            labels = _load(path, file, "labels", np.dtype(np.uint8), 3)
            shape = (len(labels), *labels.shape[1:])
            grains = _load(path, file, "grains", np.dtype(np.int32), 3) if _has(file, "grains") else None
            if grains is not None and (grains.shape != shape or grains.min(initial=0) < 0):
                raise FormatError(f"{path}: 'grains' has shape {grains.shape} on labels of {shape}, or negative ids; {REMEDY}")
            composition = _load(path, file, "composition", np.dtype(np.float32), 3) if _has(file, "composition") else None
            if composition is not None and composition.shape != shape:
                raise FormatError(f"{path}: 'composition' has shape {composition.shape} on labels of {shape}; {REMEDY}")
            particles = _particles(path, file)
            table = _load_table(path, file, "contacts", CONTACT_COLUMNS)
            contacts = None if table is None else PointContacts(**table)
            shells = _shells(path, file)
            highest = max(0 if grains is None else int(grains.max(initial=0)), 0 if particles is None else len(particles))
            for name, pairs in (("contacts", contacts), ("shells", shells)):
                if pairs is not None and len(pairs) and not 0 <= pairs.grains.min() <= pairs.grains.max() <= highest:
                    raise FormatError(f"{path}: '{name}/grains' names grains outside 0 to {highest}; {REMEDY}")
            x, y, z = _numbers(path, file, "voxel_size_m", 3)
            px, py, pz = (bool(flag) for flag in _numbers(path, file, "periodic", 3))
            phases, recipe = (_json_value(path, file, name, dict) for name in ("phases", "recipe"))
            return VoxelStructure(
                labels=labels,
                voxel_size=(x, y, z),
                phases={int(label): str(name) for label, name in phases.items()},
                grains=grains,
                periodic=(px, py, pz),
                contacts=contacts,
                particles=particles,
                shells=shells,
                coatings=_coatings(path, file),
                composition=composition,
                process=_json_value(path, file, "process", str),
                recipe=recipe,
                seed=_json_value(path, file, "seed", int) if "seed" in file.attrs else None,
            )


def _program_version() -> str:
    try:
        return metadata.version("cofire")
    except metadata.PackageNotFoundError:
        return "unknown"


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
    if schema > SCHEMA:
        raise FormatError(f"{path} has schema {int(schema)}, newer than this program reads ({SCHEMA}); update cofire")


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


def _particles(path: Path, file: Any) -> Particles | None:
    old = file.attrs["schema"] < 2  # particle k was grain k + 1
    columns = {name: kind for name, kind in PARTICLE_COLUMNS.items() if not (old and name == "grain")}
    table = _load_table(path, file, "particles", columns)
    if table is None:
        return None
    if old:
        table["grain"] = np.arange(1, len(table["label"]) + 1, dtype=np.int32)
    return Particles(**table)


def _shells(path: Path, file: Any) -> ThinShells | None:
    table = _load_table(path, file, "shells", SHELL_COLUMNS)
    if table is None:
        return None
    words = _json_value(path, file, "shells", dict)
    share = words.pop("donor_share", None)
    if set(words) != set(SHELL_WORDS) or not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
        raise FormatError(
            f"{path}: attribute 'shells' lacks a name, or its donor_share is {share!r}; allowed: 0 to 1; {REMEDY}"
        )
    product, donor, host = (str(words[word]) for word in SHELL_WORDS)
    return ThinShells(product, donor, host, float(share), table["grains"], table["thickness"])


def _coatings(path: Path, file: Any) -> dict[str, Coating]:
    if file.attrs["schema"] < 2:
        return {}
    coatings = _json_value(path, file, "coatings", dict)
    try:
        return {str(name): Coating(float(thickness), float(coverage)) for name, (thickness, coverage) in coatings.items()}
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
