"""`cofire import`: every kind of image, thresholds with a preview, a report, and repairs on request."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image as Picture

from microstructures.formats import read

SHAPE = (16, 14, 12)


@pytest.fixture
def labels() -> np.ndarray:
    found = np.ones(SHAPE, dtype=np.uint8)
    found[:8] = 0
    found[12, 7, 6] = 0
    return found


@pytest.fixture
def grey(labels, work) -> str:
    noise = np.random.default_rng(0).normal(0.0, 400.0, SHAPE)
    np.save("grey.npy", (np.where(labels == 1, 30_000, 9_000) + noise).astype(np.uint16))
    return "grey.npy"


def test_a_folder_of_slices(done, work, labels):
    Path("scan").mkdir()
    for z in range(SHAPE[2]):
        Picture.fromarray(np.ascontiguousarray(labels[:, :, z].T)).save(f"scan/s{z}.png")
    ran = done("import", "scan", "--out", "s.h5", "--voxel-nm", 50, "--phases", "0=pore,1=A")
    assert "12 slices along z, from s0.png to s11.png" in ran.err
    np.testing.assert_array_equal(read("s.h5").labels, labels)


def test_raw_voxels(done, refuse, work, labels):
    Path("a.raw").write_bytes(b"head" + labels.astype(">i2").ravel(order="F").tobytes())
    words = ("import", "a.raw", "--out", "s.h5", "--voxel-nm", 50, "--raw-shape", "16,14,12", "--raw-type", "int16")
    assert "need 5376" in refuse(*words)
    done(*words, "--raw-byte-order", "big", "--raw-header-bytes", 4)
    np.testing.assert_array_equal(read("s.h5").labels, labels)


def test_an_hdf5_dataset(done, refuse, work, labels):
    with h5py.File("other.h5", "w") as file:
        file["a/b"] = labels.transpose(2, 1, 0)
    words = ("import", "other.h5", "--out", "s.h5", "--voxel-nm", 50)
    assert "--dataset and one of: /a/b (16 x 14 x 12 uint8)" in refuse(*words)
    assert "did you mean '/a/b'" in refuse(*words, "--dataset", "/a/c")
    done(*words, "--dataset", "/a/b")
    np.testing.assert_array_equal(read("s.h5").labels, labels)


def test_commands_take_nrrd_and_mhd_by_their_suffix(done, work, labels):
    data = labels.ravel(order="F").tobytes()
    head = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 16 14 12\nencoding: raw\n"
    Path("a.nrrd").write_bytes((head + 'spacings: 50 50 50\nunits: "nm" "nm" "nm"\n\n').encode() + data)
    Path("a.mhd").write_text("NDims = 3\nDimSize = 16 14 12\nElementType = MET_UCHAR\nElementDataFile = a.bin\n")
    Path("a.bin").write_bytes(data)
    share = (labels == 1).mean()
    for words in (("a.nrrd",), ("a.mhd", "--voxel-nm", 50)):
        assert done("info", *words, "--json").json["volume_fraction"]["label 1"] == pytest.approx(share)


# -------------------------------------------------------------------------------------------------- grey images


def test_a_grey_image_needs_thresholds(refuse, grey):
    assert "--thresholds otsu" in refuse("import", grey, "--out", "s.h5", "--voxel-nm", 50)
    assert "--thresholds otsu" in refuse("info", grey, "--voxel-nm", 50)


@pytest.mark.parametrize("how", ["otsu", "multi-otsu", "20000"])
def test_thresholds_are_printed_stored_and_shown(done, grey, labels, how):
    words = ("import", grey, "--out", "s.h5", "--voxel-nm", 50, "--phases", "0=pore,1=A", "--thresholds", how)
    ran = done(*words, "--preview", "p.png")
    scan = read("s.h5")
    np.testing.assert_array_equal(scan.labels, labels)
    (value,) = scan.recipe["thresholds"]["values"]
    assert 9_000 < value < 30_000
    assert f"{value}" in ran.err
    with Picture.open("p.png") as picture:
        assert min(picture.size) >= 400
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize(
    "words",
    [
        ("--thresholds", "80;160"),
        ("--thresholds", "160,80"),
        ("--thresholds", ""),
        ("--thresholds", "ostu"),
        ("--thresholds", "nan"),
        ("--thresholds", "70000"),
        ("--thresholds", "multi-otsu"),
        ("--thresholds", "20000", "--phases", "0=pore,1=A,2=B"),
        ("--preview", "p.png"),
        ("--thresholds", "otsu", "--preview", "p.jpg"),
        ("--thresholds", "otsu", "--preview", "grey.npy"),
        ("--thresholds", "otsu", "--crop", "0:4,0:4"),
        ("--thresholds", "otsu", "--crop", "0:4,0:4,0:99"),
        ("--thresholds", "otsu", "--crop", "a:4,0:4,0:9"),
        ("--thresholds", "otsu", "--median", "2"),
        ("--thresholds", "otsu", "--remove-islands", "1"),
        ("--thresholds", "otsu", "--resample-nm", "0"),
        ("--thresholds", "otsu", "--resample-nm", "0.001"),
        ("--raw-type", "uint8"),
        ("--raw-shape", "16,14"),
        ("--raw-shape", "16,14,12", "--raw-type", "uint9"),
        ("--dataset", "/x"),
    ],
    ids=" ".join,
)
def test_import_refuses_in_one_line(refuse, grey, words):
    refuse("import", grey, "--out", "s.h5", "--voxel-nm", 50, *words)


# ------------------------------------------------------------------------------------------- report and repairs


def test_the_report_as_json(done, work, labels):
    np.save("b.npy", labels)
    words = ("import", "b.npy", "--out", "s.h5", "--voxel-nm", 50, "--phases", "0=pore,1=A", "--json")
    found = done(*words).json
    assert found["found"]["pore"] == {
        "voxels": 8 * 14 * 12 + 1, "volume_fraction": pytest.approx((8 * 14 * 12 + 1) / 2688), "pieces": 2,
        "largest_piece_share": pytest.approx(1344 / 1345), "islands": 1, "island_voxels": 1, "single_voxels": 1,
        "enclosed_pieces": 1, "enclosed_voxels": 1,
    }  # fmt: skip
    assert found["steps"] == []
    assert found["left"] is None
    np.testing.assert_array_equal(read("s.h5").labels, labels)
    cleaned = done(*words, "--overwrite", "--remove-islands", 5, "--crop", ":,:,2:", "--resample-nm", 25).json
    assert cleaned["shape"] == [32, 28, 20]
    assert cleaned["left"]["pore"]["pieces"] == 2  # at 25 nm the island has 8 voxels
    assert cleaned["steps"][-1] == {"step": "remove-islands", "smaller_than_voxels": 5, "voxels_changed": 0}
    cleaned = done(*words, "--overwrite", "--remove-islands", 9, "--resample-nm", 25).json
    assert cleaned["steps"][-1]["voxels_changed"] == 8
    assert read("s.h5").recipe["steps"] == cleaned["steps"]


def test_the_report_says_that_nothing_was_repaired(done, work, labels):
    np.save("b.npy", labels)
    words = ("import", "b.npy", "--out", "s.h5", "--voxel-nm", 50, "--phases", "0=pore,1=A")
    ran = done(*words)
    assert ran.out == ""
    assert "1 islands below 27 voxels (1 voxels, 1 single)" in ran.err
    assert "nothing was repaired" in ran.err
    assert "median: 1 voxels changed" in done(*words, "--overwrite", "--median", 3).err


def test_watershed_says_its_rule_and_warns_on_dense_solids(done, work):
    dense = np.ones((12, 12, 12), dtype=np.uint8)
    dense[:1] = 0
    np.save("b.npy", dense)
    words = ("import", "b.npy", "--out", "s.h5", "--voxel-nm", 50, "--phases", "0=pore,1=A", "--segment-grains", "--json")
    ran = done(*words)
    assert any("0.917" in warning for warning in ran.json["warnings"])
    assert "marker" in ran.err
    assert ran.json["grains"] == read("s.h5").n_grains


def test_an_interphase_of_an_image_is_of_voxels_or_thin(done, refuse, work):
    halves = np.repeat([1, 2], 8).astype(np.uint8)[:, None, None] * np.ones((1, 6, 6), np.uint8)
    np.save("b.npy", halves)
    words = ("import", "b.npy", "--out", "s.h5", "--voxel-nm", 50, "--phases", "1=A,2=B", "--json", "--product", "AB")
    found = done(*words, "--grow-interphase", "A|B:100-100").json
    assert found["interphase"] == {"product": "AB", "voxels": 72, "thin_pairs_of_grains": 0}
    assert found["phases"] == {"1": "A", "2": "B", "3": "AB"}
    assert "thinner than a voxel" in refuse(*words, "--overwrite", "--grow-interphase", "A|B:20-20")
    thin = done(*words, "--overwrite", "--grow-interphase", "A|B:20-20", "--representation", "thin").json
    assert thin["interphase"] == {"product": "AB", "voxels": 0, "thin_pairs_of_grains": 1}
    assert "did you mean 'thin'" in refuse(*words, "--overwrite", "--representation", "thn")
