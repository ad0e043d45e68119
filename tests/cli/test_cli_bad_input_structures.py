"""Hostile structure files and checkpoints: exit code 2 and one line. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import KNOWN

HOP = ("hop", "a.npy", *KNOWN, "--hops", 2000, "--walkers", 8)


@pytest.fixture
def damaged(built, work) -> Path:
    """Copy a good structure to `bad.h5`."""
    return Path(shutil.copy(built.fired, "bad.h5"))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20000])


def _edited(edit: Callable[[Any], object]) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with h5py.File(path, "a") as file:
            edit(file)

    return make


def _put(name: str, value: Any) -> Callable[[Path], object]:
    def edit(file: Any) -> None:
        del file[name]
        file[name] = value

    return _edited(edit)


def _bomb(file: Any) -> None:
    del file["labels"]
    file.create_dataset("labels", (100_000, 1000, 100), "u1", chunks=(64, 64, 64), compression="gzip")


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        place = file["labels"].id.get_chunk_info(0).byte_offset
    content[place + 20] ^= 255
    path.write_bytes(content)


STRUCTURES = [
    pytest.param(_cut, "truncated", id="50-truncated-by-a-kill"),
    pytest.param(_flip, "damaged", id="50-a-flipped-byte-of-the-labels"),
    pytest.param(lambda path: path.write_bytes(b""), "empty", id="28-empty-structure"),
    pytest.param(_edited(lambda file: file.attrs.modify("schema", 99)), "newer", id="51-structure-of-a-newer-program"),
    pytest.param(_edited(lambda file: file.attrs.modify("schema", 0)), "schema", id="51-structure-of-schema-0"),
    pytest.param(_put("labels", h5py.ExternalLink("/etc/hostname", "x")), "link", id="49-structure-with-an-external-link"),
    pytest.param(_put("labels", h5py.SoftLink("/grains")), "link", id="49-structure-with-a-soft-link"),
    pytest.param(_put("labels", np.ones((3, 3))), "3 axes of uint8", id="49-structure-of-another-shape"),
    pytest.param(_edited(_bomb), "stores only", id="46-bomb-in-a-structure"),
    pytest.param(
        _edited(lambda file: file.attrs.modify("recipe", np.bytes_(b"\x80\x04]\x94."))), "JSON", id="47-pickle-in-an-attribute"
    ),
    pytest.param(_edited(lambda file: file.attrs.modify("phases", b"{'1': LFP}")), "JSON", id="48-broken-attribute"),
]


@pytest.mark.parametrize(("spoil", "says"), STRUCTURES)
def test_structures(refuse, damaged, spoil, says):
    spoil(damaged)
    assert says in refuse("conduct", damaged)


def test_foreign_hdf5(refuse, work):
    with h5py.File("bad.h5", "w") as file:
        file["x"] = np.ones(3)
    assert "no cofire structure" in refuse("info", "bad.h5")


@pytest.mark.parametrize("voxel_nm", [pytest.param(60, id="43-voxel-of-the-structure-and-the-user")])
def test_structure_and_user_disagree_on_the_voxel(refuse, built, voxel_nm):
    assert "60 nm" in refuse("info", built.fired, "--voxel-nm", voxel_nm)


@pytest.mark.parametrize("mode", [pytest.param("a", id="49-open-for-writing-elsewhere")])
def test_a_structure_that_another_program_writes(refuse, damaged, mode):
    code = f"import h5py, sys; file = h5py.File(sys.argv[1], {mode!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, str(damaged)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        assert "open for writing" in refuse("info", damaged)
        other.communicate()


# -------------------------------------------------------------------------------------------------- checkpoints


@pytest.fixture
def checkpoint(done, work) -> Path:
    """Run some hops and keep where they stand."""
    done(*HOP, "--checkpoint", "c.npz")
    return Path("c.npz")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("--seed", 2), "seed: 1 there, 2 here", id="52-another-seed"),
        pytest.param(("--temperature-C", 80), "network", id="52-another-temperature"),
        pytest.param(("--walkers", 9), "walkers", id="52-another-number-of-walkers"),
        pytest.param(("--boundary", "plates"), "boundary", id="52-another-boundary"),
    ],
)
def test_a_checkpoint_of_another_run(refuse, checkpoint, words, says):
    line = refuse(*HOP, "--resume", "c.npz", *words)
    assert "belongs to another run" in line
    assert says in line


def _members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def _rewrite(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, content in members.items():
            file.writestr(name, content)


def _npy(value: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(value), allow_pickle=True)
    return stream.getvalue()


def _changed(change: Callable[[dict[str, bytes]], object], packing: int = zipfile.ZIP_STORED) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        members = _members(path)
        change(members)
        _rewrite(path, members, packing)

    return make


def _one_number_more(members: dict[str, bytes]) -> None:
    name = next(name for name in members if not name.startswith("_"))
    array = np.load(io.BytesIO(members[name])).copy()
    array.flat[0] += 1
    members[name] = _npy(array)


def _object_member(members: dict[str, bytes]) -> None:
    members["x.npy"] = _npy(np.array([{"a": 1}], dtype=object))


CHECKPOINTS = [
    pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-500]), "damaged", id="48-checkpoint-truncated"),
    pytest.param(lambda path: path.write_bytes(b"junk" * 99), "damaged", id="48-checkpoint-of-junk"),
    pytest.param(lambda path: path.write_bytes(b""), "damaged", id="28-empty-checkpoint"),
    pytest.param(lambda path: path.write_bytes(b"\x80\x04]\x94."), "damaged", id="47-checkpoint-is-a-pickle"),
    pytest.param(_changed(_object_member), "damaged", id="47-checkpoint-with-a-pickle"),
    pytest.param(_changed(_one_number_more), "changed after it was written", id="53-checkpoint-edited"),
    pytest.param(_changed(lambda members: members.update({"x.npy": _npy(np.ones(3))})), "changed after", id="53-member-added"),
    pytest.param(
        _changed(lambda members: members.update({"x.npy": _npy(np.zeros(10**7))}), zipfile.ZIP_DEFLATED), "damaged",
        id="46-checkpoint-bomb",
    ),
    pytest.param(_changed(lambda members: members.update({"_identity.npy": _npy("[]")})), "c.npz", id="48-identity-of-no-table"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "says"), CHECKPOINTS)
def test_checkpoints(refuse, checkpoint, spoil, says):
    spoil(checkpoint)
    assert says in refuse(*HOP, "--resume", "c.npz")


@pytest.mark.parametrize(
    "name", [pytest.param("../x.npy", id="45-member-above"), pytest.param("/tmp/x.npy", id="45-member-absolute")]
)
def test_members_of_a_checkpoint_are_never_unpacked_to_a_place(refuse, checkpoint, name):
    _changed(lambda members: members.update({name: _npy(np.ones(3))}))(checkpoint)
    refuse(*HOP, "--resume", "c.npz")
    assert not Path("../x.npy").exists()


def _identity(path: Path) -> dict[str, Any]:
    found = json.loads(str(np.load(io.BytesIO(_members(path)["_identity.npy"]))))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("schema", [pytest.param(99, id="51-newer-checkpoint"), pytest.param(1, id="51-older-checkpoint")])
def test_a_checkpoint_of_another_schema(refuse, checkpoint, schema):
    text = json.dumps({**_identity(checkpoint), "schema": schema})
    _changed(lambda members: members.update({"_identity.npy": _npy(text)}))(checkpoint)
    assert "schema" in refuse(*HOP, "--resume", "c.npz")


@pytest.mark.parametrize("place", [pytest.param("link.npz", id="45-output-is-a-link")])
def test_an_output_that_is_a_link_leads_nowhere_unasked(refuse, work, place):
    Path("precious.npz").write_bytes(b"precious")
    os.symlink("precious.npz", place)
    assert "exists already" in refuse(*HOP, "--checkpoint", place)
