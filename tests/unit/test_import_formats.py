"""Images of other programs come in with the right axes, types and voxel edges; hostile ones give one named line."""

from __future__ import annotations

import gzip
import os
import random
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from microstructures.errors import CofireError, FormatError, InputError
from microstructures.formats import RawLayout, content_hash, load_image, read, write
from microstructures.formats.image import Image
from microstructures.structure import VoxelStructure

SHAPE = (7, 5, 4)
LABELS = np.random.default_rng(3).integers(0, 3, SHAPE).astype(np.uint8)
GREY = np.random.default_rng(4).integers(0, 60_000, SHAPE).astype(np.uint16)
IN_FILE_ORDER = LABELS.ravel(order="F").tobytes()
"""x fastest, z slowest, as every headerless format wants it."""
NRRD_HEADER = "NRRD0004\n# by hand\ntype: {type}\ndimension: 3\nsizes: 7 5 4\nendian: {endian}\nencoding: {encoding}\n"
NRRD = NRRD_HEADER.format(type="unsigned char", endian="little", encoding="raw")
MHD = "ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 7 5 4\nElementType = MET_UCHAR\n"
CELLS = "DataContainers/ImageDataContainer/CellData"
MUTANTS, SLOWEST_S = 60, 5.0


def image_of(path: Path, **options: Any) -> Image:
    found = load_image(path, **options)
    assert isinstance(found, Image)
    return found


def labels_of(path: Path, **options: Any) -> np.ndarray:
    return read(path, voxel_nm=50, **options).labels


def write_slices(folder: Path, suffix: str = "png", values: np.ndarray = LABELS, name: str = "slice_{}") -> Path:
    folder.mkdir()
    for z in range(values.shape[2]):
        file = folder / f"{name.format(z + 8)}.{suffix}"
        page = np.ascontiguousarray(values[:, :, z].T)
        if suffix == "tif":
            tifffile.imwrite(file, page)
        else:
            Picture.fromarray(page).save(file)
    return folder


def write_dream3d(path: Path, *, phases: bool = True, spacing: Any = (0.25, 0.5, 0.75), dims: Any = SHAPE) -> Path:
    ids = LABELS.astype(np.int32) * 100
    with h5py.File(path, "w") as file:
        file[f"{CELLS}/FeatureIds"] = ids.transpose(2, 1, 0)[..., None]
        if phases:
            file[f"{CELLS}/Phases"] = LABELS.astype(np.int32).transpose(2, 1, 0)[..., None]
        file[f"{CELLS}/EulerAngles"] = np.zeros((*SHAPE[::-1], 3), np.float32)
        geometry = file.create_group("DataContainers/ImageDataContainer/_SIMPL_GEOMETRY")
        geometry["SPACING"] = np.asarray(spacing, np.float32)
        geometry["DIMENSIONS"] = np.asarray(dims, np.int64)
    return path


# ---------------------------------------------------------------------------------------- folders of slices


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_slices_are_sorted_as_people_count(tmp_path: Path, suffix: str) -> None:
    folder = write_slices(tmp_path / "scan", suffix)  # slice_8 to slice_11: as text, 10 and 11 come first
    (folder / "Thumbs.db").write_bytes(b"junk")
    (folder / ".hidden.png").write_bytes(b"junk")
    structure = read(folder, voxel_nm=50)
    np.testing.assert_array_equal(structure.labels, LABELS)
    recipe = structure.recipe
    assert (recipe["slices"], recipe["first_slice"], recipe["last_slice"]) == (4, f"slice_8.{suffix}", f"slice_11.{suffix}")
    assert recipe["files_left_out"] == ["Thumbs.db"]
    before = recipe["sha256"]
    (folder / f"slice_9.{suffix}").rename(folder / f"slice_7.{suffix}")
    (folder / f"slice_8.{suffix}").rename(folder / f"slice_9.{suffix}")
    (folder / f"slice_7.{suffix}").rename(folder / f"slice_8.{suffix}")
    assert read(folder, voxel_nm=50).recipe["sha256"] != before


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_slices_of_16_bits(tmp_path: Path, suffix: str) -> None:
    image = image_of(write_slices(tmp_path / "scan", suffix, GREY))
    assert image.values.dtype == np.uint16
    np.testing.assert_array_equal(image.values, GREY)


def test_slices_of_one_bit(tmp_path: Path) -> None:
    np.testing.assert_array_equal(labels_of(write_slices(tmp_path / "scan", "png", LABELS > 0)), LABELS > 0)


def test_a_folder_has_a_hash_of_its_files(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan")
    before = content_hash(folder)
    assert before == content_hash(folder)
    (folder / "slice_8.png").write_bytes((folder / "slice_9.png").read_bytes())
    assert content_hash(folder) != before


def _slice(name: str, page: np.ndarray) -> Callable[[Path], object]:
    return lambda folder: Picture.fromarray(page).save(folder / name)


def _rename(old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: (folder / old).rename(folder / new)


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:60])


BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "other shape": (_slice("slice_10.png", np.zeros((5, 6), np.uint8)), r"slice_10\.png is 6 x 5 uint8"),
    "other type": (_slice("slice_10.png", np.zeros((5, 7), np.uint16)), r"slice_10\.png is 7 x 5 uint16"),
    "colours": (_slice("slice_10.png", np.zeros((5, 7, 3), np.uint8)), r"slice_10\.png holds colours"),
    "palette": (lambda f: Picture.fromarray(LABELS[:, :, 0].T).convert("P").save(f / "slice_8.png"), "palette"),
    "missing": (lambda f: (f / "slice_10.png").unlink(), r"missing between slice_9\.png and slice_11\.png"),
    "twice": (_slice("slice_010.png", LABELS[:, :, 0].T.copy()), "same number"),
    "preview": (_slice("overview.png", LABELS[:, :, 0].T.copy()), r"overview\.png does not belong"),
    "two kinds": (_slice("slice_12.bmp", LABELS[:, :, 0].T.copy()), "4 .png, 1 .bmp"),
    "empty slice": (lambda f: (f / "slice_9.png").write_bytes(b""), r"slice_9\.png is empty"),
    "truncated": (_cut("slice_9.png"), r"slice_9\.png"),
    "junk": (lambda f: (f / "slice_9.png").write_bytes(b"junk" * 9), r"slice_9\.png cannot be read as a picture"),
    "dangling link": (lambda f: os.symlink(f / "nowhere", f / "slice_12.png"), r"slice_12\.png does not exist"),
    "single": (lambda f: [(f / f"slice_{z}.png").unlink() for z in (9, 10, 11)], "folder with 1 slice"),
    "none": (lambda f: [(f / f"slice_{z}.png").unlink() for z in (8, 9, 10, 11)], "folder with no slices"),
}


@pytest.mark.parametrize("case", BAD_FOLDERS, ids=lambda case: case.replace(" ", "-"))
def test_bad_folders(tmp_path: Path, case: str) -> None:
    spoil, words = BAD_FOLDERS[case]
    spoil(write_slices(tmp_path / "scan"))
    with pytest.raises(FormatError, match=words) as caught:
        read(tmp_path / "scan", voxel_nm=50)
    assert "\n" not in str(caught.value)


def test_a_slice_of_a_million_by_a_million_is_refused_unread(tmp_path: Path) -> None:
    folder = write_slices(tmp_path / "scan")
    content = bytearray((folder / "slice_8.png").read_bytes())
    content[16:24] = (1_000_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (folder / "slice_8.png").write_bytes(content)
    with pytest.raises(FormatError, match=r"slice_8\.png"):
        read(folder, voxel_nm=50)


# --------------------------------------------------------------------------------------------------- raw


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("header_bytes", [0, 13])
def test_raw(tmp_path: Path, byte_order: str, header_bytes: int) -> None:
    order = {"little": "<u2", "big": ">u2"}[byte_order]
    (tmp_path / "scan.dat").write_bytes(b"h" * header_bytes + GREY.astype(order).ravel(order="F").tobytes())
    layout = RawLayout(SHAPE, "uint16", byte_order, header_bytes)
    np.testing.assert_array_equal(image_of(tmp_path / "scan.dat", raw=layout).values, GREY)


def test_raw_remembers_its_layout(tmp_path: Path) -> None:
    (tmp_path / "scan.raw").write_bytes(IN_FILE_ORDER)
    structure = read(tmp_path / "scan.raw", voxel_nm=50, raw=RawLayout(SHAPE))
    np.testing.assert_array_equal(structure.labels, LABELS)
    assert structure.recipe["raw"] == {"shape": SHAPE, "type": "uint8", "byte_order": "little", "header_bytes": 0}
    with pytest.raises(InputError, match="--raw-shape"):
        read(tmp_path / "scan.raw", voxel_nm=50)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ((7, 5, 5), r"holds 140 bytes of voxels, but 7 x 5 x 5 of uint8 need 175"),
        ((7, 5, 3), "need 105"),
        ((10**6, 10**6, 10**6), "claims"),
        ((10**5, 10**4, 1), "stores only 140"),
    ],
)
def test_raw_of_another_length(tmp_path: Path, layout: tuple[int, int, int], words: str) -> None:
    (tmp_path / "scan.raw").write_bytes(IN_FILE_ORDER)
    with pytest.raises(FormatError, match=words):
        read(tmp_path / "scan.raw", voxel_nm=50, raw=RawLayout(layout))


@pytest.mark.parametrize(
    "values", [((7, 5),), ((7, 5, 0),), (SHAPE, "uint9"), (SHAPE, "uint8", "middle"), (SHAPE, "uint8", "big", -1)]
)
def test_unusable_layouts(values: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match=r"allowed|did you mean"):
        RawLayout(*values)


# -------------------------------------------------------------------------------------------- NRRD and MetaImage


def test_nrrd_attached_raw(tmp_path: Path) -> None:
    more = 'space directions: (25,0,0) (0,-50,0) (0,0,75)\nspace units: "nm" "nm" "nm"\nkey:=value\n\n'
    (tmp_path / "a.nrrd").write_bytes((NRRD + "space: left-posterior-superior\n" + more).encode() + IN_FILE_ORDER)
    structure = read(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(structure.labels, LABELS)
    assert structure.voxel_nm == pytest.approx((25, 50, 75))


def test_nrrd_attached_gzip_and_big_endian(tmp_path: Path) -> None:
    header = NRRD_HEADER.format(type="ushort", endian="big", encoding="gzip") + 'spacings: 1 1 2\nunits: "um" "um" "um"\n\n'
    (tmp_path / "a.nrrd").write_bytes(header.encode() + gzip.compress(GREY.astype(">u2").ravel(order="F").tobytes()))
    image = image_of(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(image.values, GREY)
    assert image.spacing == pytest.approx((1e-6, 1e-6, 2e-6))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", ["", "\r\n\r\n"])
def test_nrrd_detached(tmp_path: Path, packed: bool, end: str) -> None:
    header = NRRD.replace("encoding: raw", "encoding: gz") if packed else NRRD
    (tmp_path / "a.nhdr").write_text(header + "data file: a.bin" + end, newline="")
    (tmp_path / "a.bin").write_bytes(gzip.compress(IN_FILE_ORDER) if packed else IN_FILE_ORDER)
    structure = read(tmp_path / "a.nhdr", voxel_nm=50)
    np.testing.assert_array_equal(structure.labels, LABELS)
    before = structure.recipe["sha256"]
    (tmp_path / "a.bin").write_bytes(gzip.compress(bytes(140)) if packed else bytes(140))
    assert read(tmp_path / "a.nhdr", voxel_nm=50).recipe["sha256"] != before


def test_nrrd_byte_skip(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"preface" + IN_FILE_ORDER)
    for skip in (7, -1):
        (tmp_path / "a.nhdr").write_text(NRRD + f"byte skip: {skip}\ndata file: a.bin\n")
        np.testing.assert_array_equal(labels_of(tmp_path / "a.nhdr"), LABELS)


def test_spacing_without_a_unit_is_no_voxel_size(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes((NRRD + "spacings: 1 1 2\n\n").encode() + IN_FILE_ORDER)
    (tmp_path / "a.mha").write_bytes((MHD + "ElementSpacing = 1 1 2\nElementDataFile = LOCAL\n").encode() + IN_FILE_ORDER)
    for name in ("a.nrrd", "a.mha"):
        with pytest.raises(InputError, match="does not state its voxel size"):
            read(tmp_path / name)
        np.testing.assert_array_equal(labels_of(tmp_path / name), LABELS)


def test_mha_and_mhd(tmp_path: Path) -> None:
    more = "ElementSpacing = 0.1 0.2 0.3\nDistanceUnits = um\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"
    (tmp_path / "a.mha").write_bytes((MHD + more + "ElementDataFile = LOCAL\n").encode() + IN_FILE_ORDER)
    (tmp_path / "a.mhd").write_text(MHD + more + "HeaderSize = -1\nElementDataFile = a.raw\n")
    (tmp_path / "a.raw").write_bytes(b"preface" + IN_FILE_ORDER)
    for name in ("a.mha", "a.mhd"):
        structure = read(tmp_path / name)
        np.testing.assert_array_equal(structure.labels, LABELS)
        assert structure.voxel_nm == pytest.approx((100, 200, 300))


def test_mhd_zlib_and_big_endian(tmp_path: Path) -> None:
    header = MHD.replace("UCHAR", "USHORT") + "ElementByteOrderMSB = True\nCompressedData = True\nElementDataFile = a.zraw\n"
    (tmp_path / "a.mhd").write_text(header)
    (tmp_path / "a.zraw").write_bytes(zlib.compress(GREY.astype(">u2").ravel(order="F").tobytes()))
    np.testing.assert_array_equal(image_of(tmp_path / "a.mhd").values, GREY)


def test_written_by_another_program(tmp_path: Path) -> None:
    """VTK's own MetaImage writer agrees with us on the order of axes."""
    pyvista = pytest.importorskip("pyvista")
    from vtkmodules.vtkIOImage import vtkMetaImageWriter

    grid = pyvista.ImageData(dimensions=SHAPE, spacing=(1.0, 2.0, 3.0))
    grid.point_data["label"] = LABELS.ravel(order="F")
    for packed in (False, True):
        writer = vtkMetaImageWriter()
        writer.SetFileName(str(tmp_path / "v.mhd"))
        writer.SetCompression(packed)
        writer.SetInputData(grid)
        writer.Write()
        np.testing.assert_array_equal(labels_of(tmp_path / "v.mhd"), LABELS)


def _nrrd(text: str, data: bytes = IN_FILE_ORDER) -> Callable[[Path], object]:
    return lambda folder: (folder / "a.nrrd").write_bytes((text + "\n").encode() + data)


def _mha(text: str, data: bytes = IN_FILE_ORDER) -> Callable[[Path], object]:
    return lambda folder: (folder / "a.mha").write_bytes((text + "ElementDataFile = LOCAL\n").encode() + data)


def _detached(target: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (folder.parent / "outside.bin").write_bytes(IN_FILE_ORDER)
        os.symlink(folder.parent / "outside.bin", folder / "link.bin")
        (folder / "a.mhd").write_text(MHD + f"ElementDataFile = {target.format(outside=folder.parent / 'outside.bin')}\n")

    return make


GZIP = NRRD.replace("encoding: raw", "encoding: gzip")
PACKED = MHD + "CompressedData = True\n"
BAD_HEADERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no nrrd": (lambda f: (f / "a.nrrd").write_bytes(b"hello" * 9), "no NRRD"),
    "nrrd without end": (lambda f: (f / "a.nrrd").write_text(NRRD), "header has no end"),
    "nrrd truncated": (_nrrd(NRRD, IN_FILE_ORDER[:-1]), "holds 139 bytes"),
    "nrrd too long": (_nrrd(NRRD, IN_FILE_ORDER + b"x"), "holds 141 bytes"),
    "nrrd ascii": (_nrrd(NRRD.replace("raw", "ascii")), "encoding 'ascii'"),
    "nrrd 4-D": (_nrrd(NRRD.replace("dimension: 3", "dimension: 4")), "dimension 4"),
    "nrrd 2 sizes": (_nrrd(NRRD.replace("7 5 4", "7 5")), "sizes '7 5'"),
    "nrrd word as size": (_nrrd(NRRD.replace("7 5 4", "7 5 x")), "cannot be read as NRRD"),
    "nrrd negative size": (_nrrd(NRRD.replace("7 5 4", "-7 -5 4")), "at least one"),
    "nrrd huge": (_nrrd(NRRD.replace("7 5 4", "99999 99999 99999")), "claims 99999"),
    "nrrd block": (_nrrd(NRRD.replace("unsigned char", "block")), "type 'block'"),
    "nrrd without endian": (_nrrd(NRRD.replace("unsigned char", "short").replace("endian: little\n", "")), "endian"),
    "nrrd twice": (_nrrd(NRRD + "sizes: 5 7 4\n"), "'sizes' twice"),
    "nrrd tilted": (_nrrd(NRRD + "space directions: (1,1,0) (0,1,0) (0,0,1)\n"), "rotated"),
    "nrrd gzip junk": (_nrrd(GZIP, b"junk" * 20), "damaged"),
    "nrrd gzip truncated": (_nrrd(GZIP, gzip.compress(IN_FILE_ORDER)[:30]), "truncated"),
    "nrrd gzip short": (_nrrd(GZIP, gzip.compress(IN_FILE_ORDER[:100])), "100 of 140"),
    "nrrd gzip long": (_nrrd(GZIP, gzip.compress(IN_FILE_ORDER * 2)), "holds more than the 140 bytes"),
    "nrrd bomb": (_nrrd(GZIP.replace("7 5 4", "2000 2000 2000"), gzip.compress(bytes(10**6))), "stores only"),
    "nrrd NaN": (
        _nrrd(NRRD.replace("unsigned char", "float"), np.full(140, np.nan, "<f4").tobytes()), "140 NaN or infinite voxels"),
    "no mha": (lambda f: (f / "a.mha").write_bytes(bytes(range(256))), "no line ElementDataFile"),
    "mha truncated": (_mha(MHD, IN_FILE_ORDER[:-1]), "holds 139 bytes"),
    "mha 2-D": (_mha(MHD.replace("NDims = 3", "NDims = 2")), "ndims 2"),
    "mha channels": (_mha(MHD + "ElementNumberOfChannels = 3\n"), "elementnumberofchannels 3"),
    "mha text": (_mha(MHD.replace("True", "False")), "binarydata False"),
    "mha type": (_mha(MHD.replace("UCHAR", "LONG")), "MET_LONG"),
    "mha tilted": (_mha(MHD + "TransformMatrix = 0 1 0 1 0 0 0 0 1\n"), "rotated"),
    "mha zlib junk": (_mha(PACKED), "damaged"),
    "mha zlib long": (_mha(PACKED, zlib.compress(IN_FILE_ORDER * 9)), "holds more"),
    "mhd list": (_detached("LIST"), "spread over many files"),
    "mhd pattern": (_detached("a%03d.raw"), "spread over many files"),
    "mhd absent": (_detached("b.raw"), r"b\.raw does not exist"),
    "mhd upwards": (_detached("../outside.bin"), "its own folder"),
    "mhd absolute": (_detached("{outside}"), "its own folder"),
    "mhd link": (_detached("link.bin"), "its own folder"),
    "mhd itself": (_detached("a.mhd"), "points to itself"),
    "mhd NUL": (_detached("a\0b"), "cannot be read as MetaImage"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_HEADERS, ids=lambda case: case.replace(" ", "-"))
def test_bad_headers(tmp_path: Path, case: str) -> None:
    make, words = BAD_HEADERS[case]
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)
    file = next(path for path in folder.iterdir() if path.name.startswith("a."))
    with pytest.raises(FormatError, match=words) as caught:
        read(file, voxel_nm=50)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ HDF5, DREAM.3D


@pytest.mark.parametrize("name", ["FeatureIds", "Phases"])
@pytest.mark.parametrize("suffix", ["dream3d", "h5"])
def test_dream3d_phases_are_labels_and_features_grains(tmp_path: Path, name: str, suffix: str) -> None:
    structure = read(write_dream3d(tmp_path / f"a.{suffix}"), dataset=f"/{CELLS}/{name}")
    np.testing.assert_array_equal(structure.labels, LABELS)
    np.testing.assert_array_equal(structure.grains, LABELS.astype(int) * 100)
    assert structure.voxel_nm == pytest.approx((250, 500, 750))
    assert structure.recipe["dataset"] == f"/{CELLS}/{name}"


def test_dream3d_features_alone_are_one_phase(tmp_path: Path) -> None:
    path = write_dream3d(tmp_path / "a.dream3d", phases=False)
    structure = read(path, dataset=f"{CELLS}/FeatureIds")
    np.testing.assert_array_equal(structure.labels, LABELS > 0)
    assert structure.n_grains == 200
    assert "micrometres" in " ".join(image_of(path, dataset=f"{CELLS}/FeatureIds").notes)


def test_dream3d_spacing_has_no_unit_so_the_user_may_know_better(tmp_path: Path) -> None:
    path = write_dream3d(tmp_path / "a.dream3d")
    assert read(path, dataset=f"{CELLS}/Phases", voxel_nm=25).voxel_nm == pytest.approx((25, 25, 25))


def test_dream3d_of_version_7(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.dream3d", "w") as file:
        file["DataStructure/Geometry/Cell Data/Phases"] = LABELS.transpose(2, 1, 0)[..., None]
        file["DataStructure/Geometry"].attrs["_SPACING"] = np.array([0.1, 0.2, 0.3], np.float32)
        file["DataStructure/Geometry"].attrs["_DIMENSIONS"] = np.array(SHAPE)
    structure = read(tmp_path / "a.dream3d", dataset="/DataStructure/Geometry/Cell Data/Phases")
    np.testing.assert_array_equal(structure.labels, LABELS)
    assert structure.voxel_nm == pytest.approx((100, 200, 300))


def test_plain_hdf5_is_z_y_x(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/t0"] = GREY.astype(">u2").transpose(2, 1, 0)
        file["scan/t0"].attrs["element_size_um"] = (0.3, 0.2, 0.1)
    image = image_of(tmp_path / "a.h5", dataset="/scan/t0")
    np.testing.assert_array_equal(image.values, GREY)
    assert image.spacing == pytest.approx((1e-7, 2e-7, 3e-7))


def test_without_a_name_the_datasets_are_listed(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=rf"--dataset.*/{CELLS}/FeatureIds \(7 x 5 x 4 int32\).*Phases") as caught:
        read(write_dream3d(tmp_path / "a.dream3d"))
    assert "EulerAngles" not in str(caught.value)


def _edit(change: Callable[[Any], object]) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        write_dream3d(path)
        with h5py.File(path, "r+") as file:
            change(file)

    return make


def _put(value: Any) -> Callable[[Path], object]:
    def change(file: Any) -> None:
        del file[f"{CELLS}/FeatureIds"]
        file[f"{CELLS}/FeatureIds"] = value

    return _edit(change)


def _create(**options: Any) -> Callable[[Path], object]:
    def change(file: Any) -> None:
        del file[f"{CELLS}/FeatureIds"]
        file.create_dataset(f"{CELLS}/FeatureIds", **options)

    return _edit(change)


BAD_HDF5: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_bytes(b"hello" * 99), "cannot be read as HDF5"),
    "truncated": (lambda path: write_dream3d(path).write_bytes(path.read_bytes()[:3000]), "cannot be read as HDF5"),
    "soft link": (_put(h5py.SoftLink(f"/{CELLS}/Phases")), "link to elsewhere"),
    "external link": (_put(h5py.ExternalLink("/etc/hostname", "/x")), "link to elsewhere"),
    "external data": (_create(shape=SHAPE[::-1], dtype="i4", external=[("/etc/hostname", 0, 560)]), "other files"),
    "negative": (_put(np.full(SHAPE[::-1], -1)), "feature ids"),
    "floats": (_put(np.ones(SHAPE[::-1])), "feature ids"),
    "vectors": (_put(np.ones((*SHAPE[::-1], 3), int)), "three axes"),
    "text values": (_put(np.full(SHAPE[::-1], b"a")), "three axes"),
    "bomb": (_create(shape=(1000, 10_000, 1000), dtype="i4", chunks=(64, 64, 64), compression="gzip"), "stores only"),
    "too large": (_create(shape=(10**6, 10**6, 10**6), dtype="u1", chunks=(64, 64, 64)), "allowed: 2e.10"),
    "huge chunks": (_create(shape=(900, 900, 900), dtype="i4", chunks=(900, 900, 900)), "chunks"),
    "other shape": (_put(np.ones((3, 4, 5), int)), "geometry"),
    "absent": (_edit(lambda file: file.__delitem__(f"{CELLS}/FeatureIds")), "has no dataset"),
    "a group": (
        _edit(lambda file: (file.__delitem__(f"{CELLS}/FeatureIds"), file.create_group(f"{CELLS}/FeatureIds"))),
        "is a group",
    ),
}


@pytest.mark.parametrize("case", BAD_HDF5, ids=lambda case: case.replace(" ", "-"))
def test_bad_hdf5(tmp_path: Path, case: str) -> None:
    make, words = BAD_HDF5[case]
    make(tmp_path / "a.dream3d")
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path / "a.dream3d", dataset=f"/{CELLS}/FeatureIds")
    assert "\n" not in str(caught.value)


def test_virtual_data_are_refused(tmp_path: Path) -> None:
    layout = h5py.VirtualLayout(shape=SHAPE[::-1], dtype="i4")
    layout[:] = h5py.VirtualSource(tmp_path / "b.h5", "x", shape=SHAPE[::-1])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(FormatError, match="other files"):
        read(tmp_path / "a.h5", dataset="x", voxel_nm=50)


@pytest.mark.parametrize("name", ["a.npy", "ours.h5", "scan"])
def test_only_hdf5_of_others_has_datasets(tmp_path: Path, name: str) -> None:
    np.save(tmp_path / "a.npy", LABELS)
    write(VoxelStructure.from_labels(LABELS, voxel_nm=50), tmp_path / "ours.h5")
    write_slices(tmp_path / "scan")
    with pytest.raises(InputError, match="leave --dataset out"):
        read(tmp_path / name, voxel_nm=50, dataset="labels")


# -------------------------------------------------------------------------------------------------- fuzz


def _samples(folder: Path) -> dict[str, bytes]:
    more = 'space directions: (25,0,0) (0,50,0) (0,0,75)\nspace units: "nm" "nm" "nm"\n\n'
    return {
        "nrrd": (GZIP + more).encode() + gzip.compress(IN_FILE_ORDER),
        "mha": (PACKED + "ElementSpacing = 1 1 1\nElementDataFile = LOCAL\n").encode() + zlib.compress(IN_FILE_ORDER),
        "dream3d": write_dream3d(folder / "good.dream3d").read_bytes(),
    }


@pytest.mark.parametrize("suffix", ["nrrd", "mha", "dream3d"])
def test_damaged_images_raise_only_our_errors(tmp_path: Path, suffix: str) -> None:
    good, draw = _samples(tmp_path)[suffix], random.Random(11)
    path = tmp_path / f"bad.{suffix}"
    refused = 0
    for mutant in range(MUTANTS):
        content = bytearray(good)
        if mutant % 3 == 0:
            del content[draw.randrange(1, len(content)) :]
        else:
            for _ in range(draw.choice((1, 3, 10))):
                content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        start = time.perf_counter()
        message = ""
        try:
            read(path, voxel_nm=50, dataset=f"/{CELLS}/FeatureIds" if suffix == "dream3d" else None)
        except CofireError as error:
            message = str(error)
        refused += bool(message)
        assert len(message.splitlines()) <= 1
        assert time.perf_counter() - start < SLOWEST_S
    assert refused > MUTANTS // 4
