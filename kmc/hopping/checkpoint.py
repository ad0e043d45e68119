"""How a run survives a kill: what it has counted and where it stands, in one file that is always whole.

A checkpoint holds arrays and the identity of the run they belong to; a run that goes on from it has the bits of an
undisturbed one, because everything that decides the next number is in those arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.errors import FormatError, InputError
from microstructures.origin import program_version, refuse_newer, utc

SCHEMA = 2


class Stopped(Exception):
    """The run was asked to stop, and did so at a safe point; what it had is in its checkpoint, where it has one."""


def save_checkpoint(path: Path, identity: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays under a temporary name, sync them, and move them to `path`.

    Parameters
    ----------
    path : Path
        File to write or replace.
    identity : mapping
        What the run is, in numbers, texts and lists; see `run_identity`.
    arrays : mapping of str to ndarray
        All that the run needs to go on.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    text = json.dumps({**identity, "program_version": program_version(), "written_UTC": utc()})
    try:
        with temporary.open("wb") as file:
            np.savez(file, _identity=text, _checksum=_checksum(text, arrays), **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class SafePoints:
    """The moments at which a run may be saved or stopped: one rule for all runs."""

    def __init__(self, path: Path | None, identity: Mapping[str, Any], every_s: float, stop: Callable[[], bool] | None) -> None:
        """Save to `path`, where one is given, at most once in `every_s` seconds, and ask `stop` each time."""
        self.path, self.identity, self.every_s, self.stop = path, identity, every_s, stop
        self.saved = time.monotonic()

    def reach(self, share: float, done: bool, arrays: Callable[[], Mapping[str, NDArray[Any]]]) -> None:
        """Save what `arrays` returns if it is time, the run is done or is asked to stop.

        Raises
        ------
        Stopped
            If the run is asked to stop before it is done.
        """
        stopped = not done and self.stop is not None and self.stop()
        if self.path is not None and (done or stopped or time.monotonic() - self.saved >= self.every_s):
            save_checkpoint(self.path, self.identity, arrays())
            self.saved = time.monotonic()
        if stopped:
            raise Stopped(f"stopped at {share:.0%}")


def load_checkpoint(path: Path, identity: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a checkpoint of the run with this identity.

    Raises
    ------
    InputError
        If the file is missing or belongs to another run; the keys that differ are named.
    FormatError
        If the file is damaged, or of another schema: a run goes on only with a program that takes the same steps.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > path.stat().st_size:
                raise ValueError("packed members; checkpoints hold plain ones")
            arrays = {name: file[name] for name in file.files if not name.startswith("_")}
            text, checksum = str(file["_identity"]), str(file["_checksum"])
        found = dict(json.loads(text))
    except FileNotFoundError:
        raise InputError(f"checkpoint {path} does not exist; start the run with --checkpoint first") from None
    except OSError as error:
        raise InputError(f"checkpoint {path} cannot be read: {error.strerror or error}; give a file of --checkpoint") from None
    except Exception as error:
        raise FormatError(f"checkpoint {path} is damaged ({type(error).__name__}); start the run again") from None
    by = found.get("program_version")
    refuse_newer(found.get("schema"), SCHEMA, f"checkpoint {path}", written_by=by)
    if found.get("schema") != SCHEMA:
        raise FormatError(
            f"checkpoint {path} has schema {found.get('schema')}; allowed: {SCHEMA} (cofire {program_version()}), older ones "
            "cannot be gone on from; start the run again"
        )
    here = json.loads(json.dumps(dict(identity)))
    differs = [name for name in here if found.get(name) != here[name]]
    if differs:
        shown = ", ".join(f"{name}: {found.get(name)} there, {here[name]} here" for name in differs)
        raise InputError(f"checkpoint {path} belongs to another run ({shown}); use the same structure and options")
    if checksum != _checksum(text, arrays):
        raise FormatError(f"checkpoint {path} was changed after it was written; start the run again")
    return arrays


def run_identity(network: Network, **options: Any) -> dict[str, Any]:
    """Return what a run is: the hash of everything that decides a hop, and its options."""
    digest = hashlib.sha256()
    for part in (*network.faces.of_axis, *(plate for pair in network.faces.plates for plate in pair)):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(np.ascontiguousarray(network.structure.labels).tobytes())
    digest.update(np.ascontiguousarray(network.conductance).tobytes())
    digest.update(network.phase_carrier_density.tobytes())
    digest.update(f"{network.film_carrier_density} {network.rate_factor} {network.carrier} {network.temperature_C}".encode())
    return {"schema": SCHEMA, "network": digest.hexdigest(), **options}


def _checksum(identity: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(identity.encode())
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()
