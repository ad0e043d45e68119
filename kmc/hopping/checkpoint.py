"""What a run of tracers has counted so far, and how it survives a kill.

Walkers are independent and have streams of their own, so finished walkers are all there is to keep. The sums over walkers
are kept too; integers and per-block sums in a fixed order make a resumed run equal to an undisturbed one, bit for bit.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kmc.network import Network
from microstructures.errors import FormatError, InputError

SCHEMA = 1
ROW = 16
"""Rows that different threads write are a multiple of this long, so that they share no cache line."""


@dataclass
class Checkpoint:
    """Finished walkers and sums of a run.

    Attributes
    ----------
    identity : dict
        What the run is; a checkpoint of another run is refused.
    places : ndarray of shape (walkers, samples, 3), int32
        Positions [voxels] of every walker at the sample times.
    residence : ndarray of shape (blocks, phases padded to ROW)
        Time spent in each phase [s].
    crossings : ndarray of shape (blocks, classes), int64
        Hops by class of face.
    hops : ndarray of shape (blocks,), int64
        Hops.
    done : int
        Number of finished walkers.
    """

    identity: dict[str, Any]
    places: NDArray[np.int32]
    residence: NDArray[np.float64]
    crossings: NDArray[np.int64]
    hops: NDArray[np.int64]
    done: int = 0

    @classmethod
    def open(
        cls, path: Path | None, network: Network, key: dict[str, Any], walkers: int, samples: int, blocks: int
    ) -> Checkpoint:
        """Start a record, or read the one at `path`.

        Raises
        ------
        InputError
            If the file belongs to another run; the keys that differ are named.
        FormatError
            If the file is damaged.
        """
        identity = {"schema": SCHEMA, "samples": samples, "blocks": blocks, "network": _fingerprint(network), **key}
        fresh = cls(
            identity,
            np.zeros((walkers, samples, 3), dtype=np.int32),
            np.zeros((blocks, -(-len(network.faces.phase_names) // ROW) * ROW)),
            np.zeros((blocks, network.faces.n_classes), dtype=np.int64),
            np.zeros(blocks, dtype=np.int64),
        )
        return fresh if path is None else fresh._filled_from(path)

    def _filled_from(self, path: Path) -> Checkpoint:
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                identity = json.loads(str(file["identity"]))
                stored = {name: file[name] for name in ("places", "residence", "crossings", "hops")}
                done, checksum = int(file["done"]), str(file["checksum"])
        except FileNotFoundError:
            raise InputError(f"checkpoint {path} does not exist; start the run with --checkpoint first") from None
        except Exception as error:
            raise FormatError(f"checkpoint {path} is damaged ({type(error).__name__}); start the run again") from None
        differs = [name for name in self.identity if identity.get(name) != self.identity[name]]
        if differs:
            shown = ", ".join(f"{name}: {identity.get(name)} there, {self.identity[name]} here" for name in differs)
            raise InputError(f"checkpoint {path} belongs to another run ({shown}); use the same structure and options")
        for name, array in stored.items():
            setattr(self, name, array)
        self.done = done
        if checksum != self._checksum():
            raise FormatError(f"checkpoint {path} was changed after it was written; start the run again")
        return self

    def save(self, path: Path) -> None:
        """Write the record under a temporary name, sync it, and move it to `path`."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.savez(
                file, identity=json.dumps(self.identity), places=self.places, residence=self.residence,
                crossings=self.crossings, hops=self.hops, done=self.done, checksum=self._checksum(),
            )  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def _checksum(self) -> str:
        digest = hashlib.sha256(str(self.done).encode())
        for array in (self.places, self.residence, self.crossings, self.hops):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _fingerprint(network: Network) -> str:
    """Return a hash of everything that decides a hop."""
    digest = hashlib.sha256()
    for part in (*network.faces.of_axis, *(plate for pair in network.faces.plates for plate in pair)):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(np.ascontiguousarray(network.conductance).tobytes())
    digest.update(network.phase_carrier_density.tobytes())
    digest.update(f"{network.film_carrier_density} {network.rate_factor} {network.carrier} {network.temperature_C}".encode())
    return digest.hexdigest()
