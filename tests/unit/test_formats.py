"""Structures survive a round trip through every format; hostile files give one named line and nothing else."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from support import contents

from microstructures.errors import CofireError, FormatError, InputError
from microstructures.features import Coating, Particles, PointContacts, ThinShells
from microstructures.formats import content_hash, read, write
from microstructures.structure import VoxelStructure

VOXEL_NM = (20.0, 25.0, 31.3)
SUFFIXES = ("h5", "tif", "npy", "vti")
TOMOGRAM = Path(__file__).parents[3] / "shared" / "data" / "nmc_cathode_ct.tif"
MUTANTS, SLOWEST_S = 100, 5.0


def labels_3d() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, (9, 8, 7)).astype(np.uint8)


def full_structure() -> VoxelStructure:
    draw = np.random.default_rng(1)
    labels = labels_3d()
    structure = VoxelStructure.from_labels(
        labels, voxel_nm=VOXEL_NM, phases={0: "pore", 1: "LFP", 2: "LATP"}, grains=labels.astype(int) * 2, periodic=True
    )
    return structure.with_(
        contacts=PointContacts(
            grains=np.array([[1, 2], [2, 4]], dtype=np.int32),
            point=draw.random((2, 3)),
            normal=draw.random((2, 3)),
            radius=draw.random(2),
            gap=-draw.random(2),
        ),
        particles=Particles(
            draw.random((4, 3)), draw.random(4), np.array([1, 2, 1, 2], dtype=np.uint8), np.arange(1, 5, dtype=np.int32)
        ),
        shells=ThinShells("LFTAP", "LFP", "LATP", 0.25, np.array([[1, 2], [3, 2]], dtype=np.int32), np.array([4e-8, 7e-8])),
        coatings={"LFP": Coating(4e-9, 0.8)},
        composition=np.where(labels == 2, draw.random(labels.shape), np.nan).astype(np.float32),
        process="cold-pressed",
        recipe={"press": {"pressure_MPa": 500.0, "steps": [1, 2]}, "name": "µ"},
        seed=2**100,
    )


def save_stack(path: Path, stack: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, stack, **{"photometric": "minisblack", "metadata": None, **options})
    return path


# ---------------------------------------------------------------------------------------- round trips


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_labels_and_anisotropic_voxels_come_back(tmp_path: Path, suffix: str) -> None:
    structure = full_structure()
    path = write(structure, tmp_path / f"s.{suffix}")
    back = read(path, voxel_nm=VOXEL_NM) if suffix == "npy" else read(path)
    np.testing.assert_array_equal(back.labels, structure.labels)
    assert back.labels.flags.c_contiguous
    assert back.voxel_nm == pytest.approx(VOXEL_NM, rel=1e-6)


def test_hdf5_loses_nothing(tmp_path: Path) -> None:
    structure = full_structure()
    back = read(write(structure, tmp_path / "s.h5"))
    assert back.voxel_size == structure.voxel_size
    assert (back.periodic, back.process, back.seed) == (structure.periodic, structure.process, structure.seed)
    assert dict(back.phases) == dict(structure.phases)
    assert back.recipe == structure.recipe
    np.testing.assert_array_equal(back.grains, structure.grains)
    np.testing.assert_array_equal(back.composition, structure.composition)
    assert dict(back.coatings) == dict(structure.coatings)
    for name in ("contacts", "particles", "shells"):
        before, after = getattr(structure, name), getattr(back, name)
        for column, values in vars(before).items():
            np.testing.assert_array_equal(getattr(after, column), values)
            assert np.asarray(getattr(after, column)).dtype == np.asarray(values).dtype


def test_hdf5_of_schema_1_is_still_read(tmp_path: Path) -> None:
    path = write(full_structure().with_(shells=None), tmp_path / "s.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = 1
        del file["particles/grain"], file["composition"], file.attrs["coatings"]
    back = read(path)
    assert back.particles is not None
    np.testing.assert_array_equal(back.particles.grain, [1, 2, 3, 4])
    assert (back.shells, back.composition, dict(back.coatings)) == (None, None, {})


def test_hdf5_of_a_bare_image_and_of_no_contacts(tmp_path: Path) -> None:
    bare = VoxelStructure.from_labels(np.ones((3, 1, 1), int), voxel_nm=25)
    back = read(write(bare, tmp_path / "bare.h5"))
    assert (back.grains, back.contacts, back.particles, back.seed) == (None, None, None, None)
    assert dict(back.phases) == {}
    none = PointContacts(np.zeros((0, 2), np.int32), *(np.zeros(n) for n in ((0, 3), (0, 3), (0,), (0,))))
    again = read(write(bare.with_(contacts=none), tmp_path / "none.h5"))
    assert again.contacts is not None
    assert len(again.contacts) == 0


def test_hdf5_keeps_a_long_recipe_of_numpy_values(tmp_path: Path) -> None:
    recipe = {"radii_nm": np.arange(3.0), "n": np.int64(7), "edges": (1, 2), "text": "x" * 200_000}
    back = read(write(full_structure().with_(recipe=recipe), tmp_path / "s.h5"))
    assert back.recipe == {"radii_nm": [0.0, 1.0, 2.0], "n": 7, "edges": [1, 2], "text": "x" * 200_000}


def test_writing_replaces_in_one_step_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(full_structure(), tmp_path / "s.h5")
    before = content_hash(path)
    with pytest.raises(InputError, match="recipe"):
        write(full_structure().with_(recipe={"bad": object()}), path)
    assert content_hash(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.h5"]


def test_the_same_structure_gives_the_same_contents(tmp_path: Path) -> None:
    assert contents(write(full_structure(), tmp_path / "a.h5")) == contents(write(full_structure(), tmp_path / "b.h5"))


def test_phases_can_be_named_while_reading(tmp_path: Path) -> None:
    path = write(full_structure(), tmp_path / "s.h5")
    assert dict(read(path, phases={1: "NMC"}).phases) == {1: "NMC"}
    np.save(tmp_path / "s.npy", labels_3d())
    structure = read(tmp_path / "s.npy", voxel_nm=25, phases={1: "NMC"})
    assert dict(structure.phases) == {1: "NMC"}
    assert structure.recipe["sha256"] == content_hash(tmp_path / "s.npy")


@pytest.mark.parametrize("dtype", ["bool", "int8", "int64", ">u2", ">i4", "float32", "float64"])
def test_whole_numbers_of_any_type_are_labels(tmp_path: Path, dtype: str) -> None:
    labels = (labels_3d() > 0).astype(dtype)
    np.save(tmp_path / "a.npy", np.asfortranarray(labels))
    np.testing.assert_array_equal(read(tmp_path / "a.npy", voxel_nm=25).labels, labels_3d() > 0)


# -------------------------------------------------------------------------------------------- voxel size


def test_tiff_axes_are_z_y_x_on_disk(tmp_path: Path) -> None:
    labels = np.zeros((4, 3, 2), dtype=np.uint8)
    labels[3, 0, 1] = 1
    assert tifffile.imread(write(VoxelStructure.from_labels(labels, voxel_nm=10), tmp_path / "a.tif"))[1, 0, 3] == 1


@pytest.mark.parametrize("dpi", [72, 96, 300])
def test_a_bare_resolution_tag_is_no_voxel_size(tmp_path: Path, dpi: int) -> None:
    path = save_stack(tmp_path / "a.tif", labels_3d(), resolution=(dpi, dpi), resolutionunit="INCH")
    with pytest.raises(InputError, match="--voxel-nm"):
        read(path)
    assert read(path, voxel_nm=398).voxel_nm == pytest.approx((398,) * 3)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej_states_its_voxel(tmp_path: Path, unit: str) -> None:
    options: dict[str, Any] = {"imagej": True, "resolution": (50.0, 40.0)}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, labels_3d(), metadata={"axes": "ZYX", "spacing": 0.03, "unit": unit}, **options)
    assert read(path).voxel_nm == pytest.approx((20, 25, 30))
    tifffile.imwrite(path, labels_3d(), metadata={"axes": "ZYX", "unit": unit}, **options)
    with pytest.raises(InputError, match="only in part"):
        read(path)
    tifffile.imwrite(path, labels_3d(), metadata={"axes": "ZYX", "spacing": 0.03, "unit": "pixel"}, **options)
    with pytest.raises(InputError, match="does not state"):
        read(path)


def test_ome_states_its_voxel(tmp_path: Path) -> None:
    sizes = {"PhysicalSizeX": 20, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.025, "PhysicalSizeZ": 0.03}
    tifffile.imwrite(tmp_path / "a.ome.tif", labels_3d(), metadata={"axes": "ZYX", **sizes})
    assert read(tmp_path / "a.ome.tif").voxel_nm == pytest.approx((20, 25, 30))


@pytest.mark.parametrize("suffix", ["h5", "tif", "vti"])
def test_file_and_caller_must_agree_on_the_voxel(tmp_path: Path, suffix: str) -> None:
    path = write(full_structure(), tmp_path / f"s.{suffix}")
    assert read(path, voxel_nm=(20.01, 25.0, 31.3)).shape == (9, 8, 7)
    with pytest.raises(InputError, match=r"25 nm along y.*26 nm"):
        read(path, voxel_nm=(20.0, 26.0, 31.3))


def test_foreign_vti_needs_a_voxel_size(tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista")
    grid = pyvista.ImageData(dimensions=(9, 8, 7), spacing=(1.0, 1.0, 1.0))
    grid.point_data["material"] = labels_3d().ravel(order="F")
    grid.save(tmp_path / "a.vti")
    with pytest.raises(InputError, match="does not state"):
        read(tmp_path / "a.vti")
    np.testing.assert_array_equal(read(tmp_path / "a.vti", voxel_nm=25).labels, labels_3d())
    grid.point_data["other"] = labels_3d().ravel(order="F")
    grid.save(tmp_path / "b.vti")
    with pytest.raises(FormatError, match="material, other"):
        read(tmp_path / "b.vti", voxel_nm=25)


@pytest.mark.parametrize("voxel_nm", [0, -1.0, float("nan"), (1, 2), (1, 2, 0), "25", True, (1, 2, 3, 4)])
def test_unusable_voxel_sizes(tmp_path: Path, voxel_nm: Any) -> None:
    np.save(tmp_path / "a.npy", labels_3d())
    with pytest.raises(InputError, match="voxel_nm"):
        read(tmp_path / "a.npy", voxel_nm=voxel_nm)


# -------------------------------------------------------------------------------------------- bad inputs


def _bytes(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _npy(array: Any) -> Callable[[Path], object]:
    return lambda path: np.save(path, array, allow_pickle=True)


def _tif(array: Any, **options: Any) -> Callable[[Path], object]:
    return lambda path: save_stack(path, array, **options)


def _imagej(array: Any, axes: str) -> Callable[[Path], object]:
    return lambda path: tifffile.imwrite(path, array, imagej=True, metadata={"axes": axes})


def _truncated(keep: float) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        content = write(full_structure(), path).read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])

    return make


def _odd_pages(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for edge in (8, 8, 9):
            writer.write(np.zeros((edge, edge), np.uint8), metadata=None)


def _cyclic(path: Path) -> None:
    content = bytearray(save_stack(path, labels_3d()).read_bytes())
    (first,) = struct.unpack("<I", content[4:8])
    (entries,) = struct.unpack("<H", content[first : first + 2])
    end = first + 2 + 12 * entries
    content[end : end + 4] = content[4:8]
    path.write_bytes(content)


def _huge_tif(path: Path) -> None:
    content = bytearray(save_stack(path, labels_3d()).read_bytes())
    (page,) = struct.unpack("<I", content[4:8])
    while page:
        (entries,) = struct.unpack("<H", content[page : page + 2])
        end = page + 2 + 12 * entries
        for entry in range(page + 2, end, 12):
            if struct.unpack("<H", content[entry : entry + 2])[0] in (256, 257):  # width, height
                content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 1_000_000)
        (page,) = struct.unpack("<I", content[end : end + 4])
    path.write_bytes(content)


def _npy_header(text: bytes) -> Callable[[Path], object]:
    return _bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)


def _edited_h5(edit: Callable[[Any], object]) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        write(full_structure(), path)
        with h5py.File(path, "r+") as file:
            edit(file)

    return make


def _replace(name: str, value: Any) -> Callable[[Any], object]:
    def edit(file: Any) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return edit


def _external(file: Any) -> None:
    del file["labels"]
    file.create_dataset("labels", (9, 8, 7), "u1", external=[("elsewhere.raw", 0, 504)])


def _bomb(file: Any) -> None:
    del file["labels"]
    file.create_dataset("labels", (100_000, 1000, 100), "u1", chunks=(64, 64, 64), compression="gzip")


def _too_large(file: Any) -> None:
    del file["labels"]
    file.create_dataset("labels", (10**6, 10**6, 64), "u1", chunks=(64, 64, 64))


GREY = np.arange(512).reshape(8, 8, 8) % 200
BAD_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "empty tif": ("a.tif", _bytes(b""), "empty"),
    "empty h5": ("a.h5", _bytes(b""), "empty"),
    "empty npy": ("a.npy", _bytes(b""), "empty"),
    "empty vti": ("a.vti", _bytes(b""), "empty"),
    "unknown suffix": ("a.jpg", _bytes(b"x"), r"\.h5, \.hdf5, \.tif, \.tiff, \.npy, \.vti"),
    "no suffix": ("a", _bytes(b"x"), "allowed: .h5"),
    "folder": ("a.tif", lambda path: path.mkdir(), "folder"),
    "absent": ("a.tif", lambda path: None, "does not exist"),
    "text as tif": ("a.tif", _bytes(b"this is no image at all"), "no TIFF"),
    "text as h5": ("a.h5", _bytes(b"this is no image at all"), "no HDF5"),
    "text as npy": ("a.npy", _bytes(b"this is no image at all"), "NPY"),
    "text as vti": ("a.vti", _bytes(b"this is no image at all"), "no VTK"),
    "truncated tif": ("a.tif", _truncated(0.5), "truncated"),
    "truncated h5": ("a.h5", _truncated(0.5), "truncated"),
    "truncated npy": ("a.npy", _truncated(0.5), "NPY"),
    "truncated vti": ("a.vti", _truncated(0.5), "truncated"),
    "cyclic pages": ("a.tif", _cyclic, "earlier page"),
    "million by million": ("a.tif", _huge_tif, "claims 9 x 1000000 x 1000000 voxels"),
    "single slice": ("a.tif", _tif(labels_3d()[0]), "single slice"),
    "2-D npy": ("a.npy", _npy(labels_3d()[0]), "three axes"),
    "4-D npy": ("a.npy", _npy(np.zeros((2, 2, 2, 2), np.uint8)), "three axes"),
    "RGB": ("a.tif", _tif(np.zeros((4, 8, 8, 3), np.uint8), photometric="rgb"), "colour"),
    "RGBA": ("a.tif", _tif(np.zeros((4, 8, 8, 4), np.uint8), photometric="rgb", extrasamples=[2]), "colour"),
    "palette": ("a.tif", _tif(labels_3d(), photometric="palette", colormap=np.zeros((3, 256), np.uint16)), "palette"),
    "channels": ("a.tif", _imagej(np.zeros((4, 2, 8, 8), np.uint8), "ZCYX"), "channels"),
    "time steps": ("a.tif", _imagej(np.zeros((4, 8, 8), np.uint8), "TYX"), "time"),
    "time and z": ("a.tif", _imagej(np.zeros((2, 4, 8, 8), np.uint8), "TZYX"), "time"),
    "slices of different size": ("a.tif", _odd_pages, "do not stack"),
    "grey-scale tif": ("a.tif", _tif(GREY.astype(np.uint8)), "grey-scale image: 200 distinct"),
    "grey-scale npy": ("a.npy", _npy(GREY), "grey-scale image: 200 distinct"),
    "16-bit grey": ("a.tif", _tif((GREY * 300).astype(np.uint16)), "0 to 255"),
    "almost whole": ("a.npy", _npy(np.full((2, 2, 2), 1.9999999)), "fractional"),
    "label 300": ("a.npy", _npy(np.full((2, 2, 2), 300)), "0 to 255"),
    "label -1": ("a.npy", _npy(np.full((2, 2, 2), -1)), "0 to 255"),
    "NaN": ("a.npy", _npy(np.full((2, 2, 2), np.nan)), "NaN"),
    "complex": ("a.npy", _npy(np.zeros((2, 2, 2), complex)), "complex"),
    "strings": ("a.npy", _npy(np.full((2, 2, 2), "a")), "integers"),
    "objects": ("a.npy", _npy(np.full((2, 2, 2), None)), "Python objects"),
    "no voxel": ("a.npy", _npy(np.zeros((0, 2, 2), np.uint8)), "NPY|shape"),
    "token error": ("a.npy", _npy_header(b"{'descr': '|u1', 'shape': (("), "NPY"),
    "7 TiB header": (
        "a.npy",
        _npy_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 10000, 10000), }"),
        "NPY",
    ),
    "overflowing header": (
        "a.npy",
        _npy_header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 9, 9), }" % 10**30),
        "NPY",
    ),
    "h5 of others": ("a.h5", lambda path: h5py.File(path, "w").close(), "no cofire structure"),
    "newer schema": ("a.h5", _edited_h5(lambda file: file.attrs.modify("schema", 4)), "newer than this program"),
    "shell share": ("a.h5", _edited_h5(lambda file: file.attrs.modify("shells", b'{"donor_share": 2}')), "donor_share"),
    "shell names": ("a.h5", _edited_h5(lambda file: file.attrs.modify("shells", b'{"donor_share": 0.5}')), "lacks a name"),
    "coatings": ("a.h5", _edited_h5(lambda file: file.attrs.modify("coatings", b'{"LFP": 3}')), "no thickness and coverage"),
    "no labels": ("a.h5", _edited_h5(_replace("labels", None)), "lacks the dataset 'labels'"),
    "soft link": ("a.h5", _edited_h5(_replace("grains", h5py.SoftLink("/labels"))), "link to elsewhere"),
    "dangling link": ("a.h5", _edited_h5(_replace("grains", h5py.SoftLink("/nowhere"))), "link to elsewhere"),
    "external link": (
        "a.h5",
        _edited_h5(_replace("labels", h5py.ExternalLink("b.h5", "/labels"))),
        "link to elsewhere",
    ),
    "external data": ("a.h5", _edited_h5(_external), "other files"),
    "wrong shape": ("a.h5", _edited_h5(_replace("labels", np.zeros((3, 3), np.uint8))), "allowed: 3 axes of uint8"),
    "wrong type": ("a.h5", _edited_h5(_replace("labels", np.zeros((3, 3, 3)))), "allowed: 3 axes of uint8"),
    "grains do not fit": ("a.h5", _edited_h5(_replace("grains", np.zeros((3, 3, 3), np.int32))), "'grains'"),
    "unknown grains": ("a.h5", _edited_h5(_replace("contacts/grains", np.full((2, 2), 9, np.int32))), "0 to 4"),
    "ragged contacts": ("a.h5", _edited_h5(_replace("contacts/gap", np.zeros(1))), "contacts/"),
    "NaN contacts": ("a.h5", _edited_h5(_replace("contacts/gap", np.full(2, np.nan))), "NaN"),
    "zip bomb": ("a.h5", _edited_h5(_bomb), "stores only"),
    "too large": ("a.h5", _edited_h5(_too_large), "allowed: 2e.10"),
    "broken recipe": ("a.h5", _edited_h5(lambda file: file.attrs.modify("recipe", np.bytes_(b"{"))), "'recipe'"),
    "no voxel size": ("a.h5", _edited_h5(lambda file: file.attrs.pop("voxel_size_m")), "voxel_size_m"),
}


@pytest.mark.parametrize("case", BAD_FILES, ids=lambda case: case.replace(" ", "-"))
def test_bad_file_gives_one_named_line(tmp_path: Path, case: str) -> None:
    name, make, words = BAD_FILES[case]
    path = tmp_path / name
    make(path)
    with pytest.raises(FormatError, match=words) as caught:
        read(path, voxel_nm=25 if path.suffix != ".h5" else VOXEL_NM)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("s.jpg", "allowed: .h5"), ("absent/s.h5", "does not exist"), ("absent/s.npy", "does not exist")],
)
def test_unwritable_targets(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        write(full_structure(), tmp_path / name)


def test_a_tiff_cannot_hold_a_single_slice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="single slice"):
        write(VoxelStructure.from_labels(np.ones((3, 3, 1), int), voxel_nm=25), tmp_path / "a.tif")


# -------------------------------------------------------------------------------------------------- fuzz


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_bytes_raise_only_our_errors(tmp_path: Path, suffix: str) -> None:
    structure = full_structure()
    good = write(structure, tmp_path / f"good.{suffix}").read_bytes()
    path = tmp_path / f"bad.{suffix}"
    draw = random.Random(7)
    for mutant in range(MUTANTS):
        content = bytearray(good)
        if mutant % 3 == 0:
            del content[draw.randrange(1, len(content)) :]
        else:
            reach = len(content) if mutant % 2 else min(len(content), 700)
            for _ in range(draw.choice((1, 1, 3, 10))):
                content[draw.randrange(reach)] = draw.randrange(256)
        path.write_bytes(content)
        start = time.perf_counter()
        try:
            back = read(path, voxel_nm=VOXEL_NM)
        except CofireError as error:
            lines = str(error).splitlines()
        else:
            lines = []
            if suffix == "h5":
                np.testing.assert_array_equal(back.labels, structure.labels, err_msg="checksums must catch this")
        assert len(lines) <= 1
        assert time.perf_counter() - start < SLOWEST_S


# ---------------------------------------------------------------------------------------------- real data


def test_tomogram() -> None:
    if not TOMOGRAM.is_file():
        pytest.skip(f"the tomogram {TOMOGRAM.name} is not beside this checkout")
    structure = read(TOMOGRAM, voxel_nm=398, phases={0: "pore", 1: "NMC", 2: "CBD"})
    assert structure.shape == (301, 301, 251)
    fractions = np.bincount(structure.labels.ravel(), minlength=3) / structure.labels.size
    np.testing.assert_allclose(fractions, (0.4005, 0.4995, 0.1000), atol=5e-5)
    with pytest.raises(InputError, match="does not state its voxel size"):
        read(TOMOGRAM)
