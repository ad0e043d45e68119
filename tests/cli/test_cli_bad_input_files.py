"""Hostile images: exit code 2, one line that says what, why and what to do. Ids: rows of docs/bad-inputs.md."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from support import KNOWN

from microstructures.formats import write
from microstructures.structure import VoxelStructure

INFO = ("--voxel-nm", 25)
PAGE = np.ones((6, 6), np.uint8)
STACK = np.ones((6, 6, 6), np.uint8)
NRRD = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: {} {} {}\nencoding: {}\n"


def _npy(values: object) -> None:
    np.save("bad.npy", np.asarray(values), allow_pickle=True)


def _with_nan() -> np.ndarray:
    image = np.ones((4, 4, 4))
    image[1, 2, 3] = np.nan
    return image


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param(np.ones((4, 4), np.uint8), "three axes", id="31-two-axes"),
        pytest.param(np.ones((4, 4, 4, 2), np.uint8), "three axes", id="31-four-axes"),
        pytest.param(np.ones((0, 4, 4), np.uint8), "(0, 4, 4)", id="63-no-voxels"),
        pytest.param(np.arange(512).reshape(8, 8, 8) % 256, "256 distinct", id="33-grey-scale"),
        pytest.param(np.full((4, 4, 4), 1.9999999), "fractional", id="34-almost-integers"),
        pytest.param(np.full((4, 4, 4), 300), "0 to 255", id="35-label-300"),
        pytest.param(np.full((4, 4, 4), -1), "0 to 255", id="35-label--1"),
        pytest.param(_with_nan(), "(1, 2, 3)", id="36-nan"),
        pytest.param(np.ones((4, 4, 4), complex), "complex", id="37-complex"),
        pytest.param(np.full((4, 4, 4), "a"), "type", id="37-text"),
        pytest.param(np.array([[[1, None]]], dtype=object), "Python objects", id="47-pickle"),
        pytest.param(np.full((4, 4, 4), 9, np.uint8), "label 9 (64 voxels)", id="38-label-without-phase"),
    ],
)
def test_arrays(refuse, work, values, says):
    _npy(values)
    assert says in refuse("conduct", "bad.npy", *KNOWN)


@pytest.mark.parametrize(
    "values",
    [np.ones((4, 4, 4), bool), np.ones((4, 4, 4), ">i4"), np.ones((4, 4, 4))],
    ids=["37-bool", "37-big-endian", "34-whole-numbers"],
)
def test_harmless_arrays_are_taken(done, work, values):
    _npy(values)
    assert done("conduct", "bad.npy", *KNOWN, "--json").json["sigma_eff_S_per_m"] == pytest.approx(1.0)


@pytest.mark.parametrize("suffix", ["npy", "tif", "vti", "h5", "nrrd", "mhd", "dream3d"])
@pytest.mark.parametrize("content", [b"", b"hello" * 100, b"hello\0" * 100], ids=["28-empty", "48-junk", "48-binary-junk"])
def test_files_that_are_not_what_they_claim(refuse, work, suffix, content):
    Path(f"bad.{suffix}").write_bytes(content)
    assert f"bad.{suffix}" in refuse("info", f"bad.{suffix}", "--voxel-nm", 25)


@pytest.mark.parametrize(
    ("image", "options", "says"),
    [
        pytest.param(np.ones((6, 6), np.uint8), {}, "single slice", id="31-single-slice"),
        pytest.param(np.ones((4, 6, 6, 3), np.uint8), {"photometric": "rgb"}, "colour", id="32-rgb"),
        pytest.param(
            np.ones((4, 6, 6), np.uint8), {"photometric": "palette", "colormap": np.zeros((3, 256), np.uint16)}, "palette",
            id="32-palette",
        ),
        pytest.param(np.ones((2, 3, 4, 5), np.uint8), {"imagej": True, "metadata": {"axes": "TZYX"}}, "time", id="44-time"),
        pytest.param(np.ones((4, 2, 5, 5), np.uint8), {"imagej": True, "metadata": {"axes": "ZCYX"}}, "channels", id="44-channels"),
    ],
)  # fmt: skip
def test_tiffs(refuse, work, image, options, says):
    tifffile.imwrite("bad.tif", image, **options)
    assert says in refuse("conduct", "bad.tif", *KNOWN)


def _bytes(name: str, content: bytes) -> Callable[[], object]:
    return lambda: Path(name).write_bytes(content)


def _tif(image: np.ndarray = STACK, **options: Any) -> bytearray:
    tifffile.imwrite("bad.tif", image, photometric="minisblack", metadata=None, **options)
    return bytearray(Path("bad.tif").read_bytes())


def _first_page(content: bytearray) -> tuple[int, int]:
    """Return where the entries of the first directory begin, and where its pointer to the next one stands."""
    (first,) = struct.unpack("<I", content[4:8])
    (entries,) = struct.unpack("<H", content[first : first + 2])
    return first + 2, first + 2 + 12 * entries


def _set_tag(content: bytearray, tag: int, value: int) -> None:
    start, end = _first_page(content)
    for entry in range(start, end, 12):
        if struct.unpack("<H", content[entry : entry + 2])[0] == tag:
            content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, value)


def _cyclic() -> None:
    content = _tif()
    _, end = _first_page(content)
    content[end : end + 4] = content[4:8]
    Path("bad.tif").write_bytes(content)


def _strip_far_away() -> None:
    content = _tif()
    _set_tag(content, 273, 10**9)
    Path("bad.tif").write_bytes(content)


def _million_by_million() -> None:
    content = _tif()
    _set_tag(content, 256, 10**6)
    _set_tag(content, 257, 10**6)
    Path("bad.tif").write_bytes(content)


def _odd_pages() -> None:
    with tifffile.TiffWriter("bad.tif") as writer:
        for edge in (8, 8, 9):
            writer.write(np.zeros((edge, edge), np.uint8), metadata=None)


def _two_voxel_sizes() -> None:
    resolution, metadata = (50.0, 50.0), {"axes": "ZYX", "spacing": 0.02, "unit": "um"}
    tifffile.imwrite("bad.tif", STACK, imagej=True, resolution=resolution, metadata=metadata)


def _slices(odd: str, page: np.ndarray = PAGE, *, without: int = -1) -> Callable[[], object]:
    """Write three slices and an odd one."""

    def make() -> None:
        Path("scan").mkdir()
        for z in (8, 9, 10, 11):
            if z != without:
                Picture.fromarray(PAGE).save(f"scan/s_{z}.png")
        if odd:
            Picture.fromarray(page).save(f"scan/{odd}")

    return make


def _header_npy(header: bytes) -> Callable[[], object]:
    return _bytes("bad.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)


def _detached(name: str) -> Callable[[], object]:
    """Write a header that names its voxels; a file of the right length lies outside its folder, and a link to it inside."""

    def make() -> None:
        Path("in").mkdir()
        Path("outside.bin").write_bytes(bytes(64))
        os.symlink(Path("outside.bin").resolve(), "in/link.bin")
        place = name.replace("{here}", str(Path.cwd()))
        Path("in/bad.nhdr").write_text(NRRD.format(4, 4, 4, "raw") + f"data file: {place}\n")

    return make


def _h5(fill: Callable[[Any], object]) -> Callable[[], object]:
    def make() -> None:
        with h5py.File("bad.h5", "w") as file:
            fill(file)

    return make


def _virtual(file: Any) -> None:
    layout = h5py.VirtualLayout(shape=(4, 4, 4), dtype="u1")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape=(4, 4, 4))
    file.create_virtual_dataset("x", layout)


def _unknown_filter(file: Any) -> None:
    space, chunks = h5py.h5s.create_simple((4, 4, 4)), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    chunks.set_chunk((4, 4, 4))
    chunks.set_filter(32099, h5py.h5z.FLAG_OPTIONAL)
    data = h5py.Dataset(h5py.h5d.create(file.id, b"x", h5py.h5t.NATIVE_UINT8, space, chunks))
    data.id.write_direct_chunk((0, 0, 0), bytes(64))


def _vti(old: bytes, new: bytes) -> Callable[[], object]:
    def make() -> None:
        path = write(VoxelStructure.from_labels(STACK, voxel_nm=25), "bad.vti")
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))

    return make


HUGE = {"shape": (100_000, 1000, 100), "dtype": "u1", "chunks": (64, 64, 64), "compression": "gzip"}
IMAGES = [
    pytest.param(lambda: Path("bad.tif").write_bytes(_tif()[:400]), "bad.tif", "truncated", id="29-truncated"),
    pytest.param(_strip_far_away, "bad.tif", "lie beyond the end", id="29-strip-beyond-the-file"),
    pytest.param(_cyclic, "bad.tif", "leads back to an earlier page", id="29-cyclic-pages"),
    pytest.param(_million_by_million, "bad.tif", "bad.tif", id="30-million-by-million"),
    pytest.param(
        _bytes("bad.nrrd", NRRD.format(10**6, 10**6, 9, "raw").encode() + b"\n" + bytes(64)), "bad.nrrd", "claims",
        id="30-nrrd",
    ),
    pytest.param(_vti(b'"0 6 0 6 0 6"', b'"0 99999 0 99999 0 99999"'), "bad.vti", "claims", id="30-vti"),
    pytest.param(_odd_pages, "bad.tif", "do not stack", id="39-pages"),
    pytest.param(_slices("s_10.png", np.ones((5, 6), np.uint8)), "scan", "s_10.png is 6 x 5", id="39-slice-of-another-size"),
    pytest.param(_slices("s_10.png", np.ones((6, 6), np.uint16)), "scan", "uint16", id="39-slice-of-another-type"),
    pytest.param(_slices("", without=10), "scan", "missing between s_9.png and s_11.png", id="41-slice-missing"),
    pytest.param(_slices("s_010.png"), "scan", "same number", id="41-number-twice"),
    pytest.param(_slices("overview.png"), "scan", "does not belong", id="41-other-picture"),
    pytest.param(_two_voxel_sizes, "bad.tif", "20 nm along x", id="43-voxel-of-the-tag-and-the-user"),
    pytest.param(_detached("../outside.bin"), "in/bad.nhdr", "its own folder", id="45-data-file-above"),
    pytest.param(_detached("{here}/outside.bin"), "in/bad.nhdr", "its own folder", id="45-data-file-absolute"),
    pytest.param(_detached("link.bin"), "in/bad.nhdr", "its own folder", id="45-data-file-behind-a-link"),
    pytest.param(_h5(lambda file: file.create_dataset("x", **HUGE)), "bad.h5", "no cofire structure", id="46-hdf5-bomb"),
    pytest.param(
        _bytes("bad.nrrd", NRRD.format(9000, 9000, 90, "gzip").encode() + b"\n" + gzip.compress(bytes(10**6))),
        "bad.nrrd", "stores only", id="46-gzip-bomb",
    ),
    pytest.param(
        _bytes("bad.nrrd", NRRD.format(4, 4, 4, "gzip").encode() + b"\n" + gzip.compress(bytes(10**7))),
        "bad.nrrd", "more than the 64", id="46-gzip-longer-than-claimed",
    ),
    pytest.param(_header_npy(b"{'descr': '|u1', 'shape': (("), "bad.npy", "NPY", id="48-broken-header"),
    pytest.param(
        _header_npy(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 10000, 10000), }"), "bad.npy", "NPY",
        id="48-header-of-8-TB",
    ),
    pytest.param(
        _header_npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (4, 4, 4), }"), "bad.npy", "Python objects", id="47-header"
    ),
    pytest.param(_bytes("bad.npy", b"\x80\x04cos\nsystem\n(S'touch x'\ntR."), "bad.npy", "NPY", id="47-bare-pickle"),
    pytest.param(_bytes("bad.npy", b"PK\x03\x04" + bytes(60)), "bad.npy", "NPY", id="48-zip-as-npy"),
    pytest.param(_h5(lambda file: file.create_group("x")), "bad.h5", "no cofire structure", id="49-nothing-of-ours"),
    pytest.param(_vti(b"<VTKFile", b"<!DOCTYPE x [<!ENTITY a 'b'>]><VTKFile"), "bad.vti", "entities", id="24-xml-entities"),
    pytest.param(_vti(b'type="UInt8"', b'type="Bit"'), "bad.vti", "allowed: Int8", id="37-vti-type"),
    pytest.param(_vti(b"vtkZLibDataCompressor", b"vtkLZ4DataCompressor"), "bad.vti", "vtkZLibDataCompressor", id="48-vti-packer"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "name", "says"), IMAGES)
def test_images(refuse, work, make, name, says):
    make()
    line = refuse("info", name, *INFO)
    assert says in line
    assert len(line) < 700


DATASETS = [
    pytest.param(lambda file: file.__setitem__("x", h5py.SoftLink("/y")), "/x", "link", id="49-soft-link"),
    pytest.param(lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/hostname", "/y")), "/x", "link", id="49-external-link"),
    pytest.param(
        lambda file: file.create_dataset("x", (4, 4, 4), "u1", external=[("/etc/hostname", 0, 64)]), "/x", "other files",
        id="49-external-data",
    ),
    pytest.param(_virtual, "/x", "other files", id="49-virtual-dataset"),
    pytest.param(_unknown_filter, "/x", "filter 32099", id="49-unknown-filter"),
    pytest.param(
        lambda file: file.create_dataset("x", (900, 900, 900), "i4", chunks=(900, 900, 900)), "/x", "chunks", id="49-huge-chunk"
    ),
    pytest.param(lambda file: file.__setitem__("labels", STACK), "/lables", "did you mean '/labels'", id="49-wrong-dataset"),
    pytest.param(lambda file: file.create_dataset("x", **HUGE), "/x", "stores only", id="46-hdf5-bomb-by-name"),
    pytest.param(
        lambda file: file.create_dataset("x", (2, 2, 2), h5py.string_dtype()), "/x", "three axes of numbers", id="47-text-in-hdf5"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fill", "name", "says"), DATASETS)
def test_datasets_of_others(refuse, work, fill, name, says):
    _h5(fill)()
    assert says in refuse("import", "bad.h5", "--out", "new.h5", "--voxel-nm", 25, "--dataset", name)


@pytest.mark.parametrize("names", [pytest.param([f"s{z}.png" for z in range(1, 13)], id="40-slices-1-10-2")])
def test_slices_are_sorted_as_people_count(done, work, names):
    Path("scan").mkdir()
    for z, name in enumerate(names, start=1):
        Picture.fromarray(PAGE * (z % 3)).save(Path("scan") / name)
    for junk in ("Thumbs.db", ".DS_Store", "notes.txt"):
        (Path("scan") / junk).write_bytes(b"junk")
    ran = done("import", "scan", "--out", "s.h5", "--voxel-nm", 25)
    assert "from s1.png to s12.png" in ran.err
    assert "left out: Thumbs.db, notes.txt" in ran.err
    with h5py.File("s.h5") as file:
        np.testing.assert_array_equal(file["labels"][0, 0], [z % 3 for z in range(1, 13)])


@pytest.mark.parametrize("suffix", [pytest.param(s, id=f"42-{s}-is-z-y-x-on-disk") for s in ("tif", "npy", "vti", "nrrd")])
def test_axes_and_their_voxel_edges(done, work, suffix):
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[3] = 1
    name = f"b.{suffix}"
    if suffix == "tif":
        tifffile.imwrite(name, np.ascontiguousarray(labels.transpose(2, 1, 0)), photometric="minisblack")
    elif suffix == "nrrd":
        Path(name).write_bytes(NRRD.format(4, 5, 6, "raw").encode() + b"\n" + labels.tobytes(order="F"))
    else:
        write(VoxelStructure.from_labels(labels, voxel_nm=(10, 20, 30)), name)
    found = done("info", name, "--voxel-nm", "10,20,30", "--json").json
    assert found["shape"] == [4, 5, 6]
    assert found["voxel_nm"] == pytest.approx([10, 20, 30])
    assert found["size_um"] == pytest.approx([0.04, 0.1, 0.18])


@pytest.mark.parametrize("mode", [pytest.param(0o444, id="82-read-only-input")])
def test_input_is_never_written(done, work, mode):
    Path("a.npy").chmod(mode)
    before = (Path("a.npy").read_bytes(), Path("a.npy").stat().st_mtime_ns)
    for command in ("info", "conduct", "percolate"):
        done(command, "a.npy", *(KNOWN if command != "info" else INFO), "--json")
    assert (Path("a.npy").read_bytes(), Path("a.npy").stat().st_mtime_ns) == before
