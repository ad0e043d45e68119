"""Files that are whole or absent: written under another name, synced, then moved."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cofire.plain_values import plain
from microstructures.errors import InputError
from microstructures.formats.guard import atomic_file
from microstructures.origin import PROGRAM, program_version

if TYPE_CHECKING:
    import pandas as pd


def open_folder(path: str | Path | None, default: str, overwrite: bool) -> Path:
    """Return an existing folder to write into; the next free `default`, `default-2`, ... where none is given.

    Raises
    ------
    InputError
        If the folder cannot be made, is a file, or holds something already and `overwrite` is not set.
    """
    if path is None:
        names = (default if n == 1 else f"{default}-{n}" for n in count(1))
        folder = next(Path(name) for name in names if not Path(name).exists())
    else:
        folder = Path(path).expanduser()
        if folder.is_file():
            raise InputError(f"--out {folder} is a file; give a folder")
        if folder.is_dir() and any(folder.iterdir()) and not overwrite:
            raise InputError(f"--out {folder} is not empty; choose another folder or add --overwrite")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".write-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"--out {folder} cannot be written: {error.strerror}; choose another folder") from None
    return folder.resolve()


def remove_if_empty(*folders: Path) -> None:
    """Remove folders that hold nothing, so that a run that failed early does not block the next one."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file in one step; what is not finite becomes null."""
    write_text(path, json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def write_table(path_without_suffix: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV and Parquet, each in one step; the same table gives the same bytes.

    The Parquet file says in its metadata, key ``cofire``, which program and version wrote it; when, where and from what is in
    the record of the folder.
    """
    with atomic_file(path_without_suffix.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, index=False)
    with atomic_file(path_without_suffix.with_suffix(".parquet")) as temporary:
        write_parquet(temporary, table)


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet, with program and version in its metadata."""
    import pyarrow
    from pyarrow import parquet

    whole = pyarrow.Table.from_pandas(table, preserve_index=False)
    written_by = json.dumps({"program": PROGRAM, "version": program_version()})
    parquet.write_table(whole.replace_schema_metadata({**whole.schema.metadata, PROGRAM: written_by}), path)
