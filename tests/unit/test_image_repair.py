"""Reports count what is there, repairs change what was asked for and nothing else: against hand counts and plain loops."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from support import blobs, random_labels

from microstructures.errors import InputError
from microstructures.features import PointContacts
from microstructures.images.pipeline import import_image
from microstructures.images.repair import crop, majority_filter, remove_islands, resample_cubic
from microstructures.images.report import report_image
from microstructures.structure import VoxelStructure


def image(labels: np.ndarray, voxel_nm: float | tuple[float, float, float] = 50.0, **more: np.ndarray) -> VoxelStructure:
    return VoxelStructure.from_labels(labels, voxel_nm=voxel_nm, phases={0: "pore", 1: "A", 2: "B"}, **more)


def noisy() -> np.ndarray:
    """Return a block of A with an enclosed pore of 8, a single voxel of B, and B of 3 at the rim."""
    labels = np.ones((12, 10, 9), dtype=np.uint8)
    labels[2:4, 2:4, 2:4] = 0
    labels[8, 5, 5] = 2
    labels[0, 0, 0:3] = 2
    return labels


# ------------------------------------------------------------------------------------------------- report


def test_hand_count() -> None:
    found = report_image(image(noisy()), small_below_voxels=4)
    assert found["pore"].to_dict() == {
        "voxels": 8, "volume_fraction": 8 / 1080, "pieces": 1, "largest_piece_share": 1.0, "islands": 0, "island_voxels": 0,
        "single_voxels": 0, "enclosed_pieces": 1, "enclosed_voxels": 8,
    }  # fmt: skip
    b = found["B"]
    assert (b.pieces, b.islands, b.island_voxels, b.single_voxels) == (2, 2, 4, 1)
    assert (b.enclosed_pieces, b.enclosed_voxels, b.largest_piece_share) == (1, 1, 0.75)
    assert (found["A"].pieces, found["A"].enclosed_pieces) == (1, 0)


def test_pieces_meet_at_faces_only() -> None:
    checkers = np.indices((4, 4, 4)).sum(axis=0) % 2
    assert report_image(image(checkers))["A"].single_voxels == 32


@given(st.integers(0, 2**32 - 1))
def test_voxels_add_up(seed: int) -> None:
    found = report_image(image(random_labels((5, 6, 7), 3, seed=seed))).values()
    assert sum(phase.voxels for phase in found) == 210
    assert all(phase.single_voxels <= phase.islands <= phase.pieces for phase in found)


# ------------------------------------------------------------------------------------------------ islands


def test_islands_take_what_surrounds_them() -> None:
    cleaned, changed = remove_islands(image(noisy()), 9)
    assert changed == 12
    assert (cleaned.labels == 1).all()
    kept, changed = remove_islands(image(noisy()), 8)
    assert changed == 4
    assert (kept.labels == 0).sum() == 8


def test_most_faces_win_and_the_lower_label_of_equals() -> None:
    labels = np.ones((7, 7, 7), dtype=np.uint8)
    labels[:, :, 4:] = 2
    labels[3, 3, 3] = 0  # five faces to A, one to B
    labels[3, 5, 3:5] = 0  # five faces to either
    cleaned, changed = remove_islands(image(labels), 3)
    assert changed == 3
    assert cleaned.labels[3, 3, 3] == 1
    assert cleaned.labels[3, 5, 3:5].tolist() == [1, 1]


def test_an_island_inside_an_island_follows() -> None:
    labels = np.ones((9, 9, 9), dtype=np.uint8)
    labels[3:6, 3:6, 3:6] = 2
    labels[4, 4, 4] = 0
    cleaned, changed = remove_islands(image(labels), 27)
    assert changed == 27
    assert (cleaned.labels == 1).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
def test_no_island_is_left_and_large_pieces_stay(seed: int, limit: int) -> None:
    before = image(blobs(12, {0: 0.4, 1: 0.3, 2: 0.3}, seed=seed, size=0.8))
    after, changed = remove_islands(before, limit)
    assert all(phase.islands == 0 for phase in report_image(after, small_below_voxels=limit).values())
    assert changed == (before.labels != after.labels).sum()
    assert changed <= sum(phase.island_voxels for phase in report_image(before, small_below_voxels=limit).values())
    for label in range(3):
        pieces, count = ndimage.label(before.labels == label)
        large = np.flatnonzero(ndimage.sum_labels(np.ones(pieces.shape), pieces, np.arange(count + 1)) >= limit)
        assert (after.labels[np.isin(pieces, large[large > 0])] == label).all()


def test_grains_follow_their_labels() -> None:
    labels = np.ones((9, 5, 5), dtype=np.uint8)
    labels[7, 2, 2] = 2
    grains = np.where(np.arange(9) < 5, 1, 2)[:, None, None] * np.ones((1, 5, 5), int)
    grains[7, 2, 2] = 3
    cleaned, _ = remove_islands(image(labels, grains=grains), 2)
    assert cleaned.grains is not None
    assert cleaned.grains[7, 2, 2] == 2
    assert (cleaned.grains == grains).sum() == grains.size - 1


# ----------------------------------------------------------------------------------------------- majority


def slow_majority(labels: np.ndarray, edge: int) -> np.ndarray:
    out, reach = labels.copy(), edge // 2
    for at in product(*map(range, labels.shape)):
        window = labels[tuple(slice(max(0, i - reach), i + reach + 1) for i in at)]
        votes = Counter(window.ravel().tolist())
        most = max(votes.values())
        out[at] = labels[at] if votes[int(labels[at])] == most else min(k for k, n in votes.items() if n == most)
    return out


@pytest.mark.parametrize("edge", [3, 5])
def test_majority_against_a_plain_loop(edge: int) -> None:
    labels = random_labels((9, 8, 7), 3, seed=2)
    filtered, changed = majority_filter(image(labels), edge)
    np.testing.assert_array_equal(filtered.labels, slow_majority(labels, edge))
    assert changed == (filtered.labels != labels).sum()


def test_majority_keeps_flat_interfaces() -> None:
    labels = np.repeat([1, 2], 6)[:, None, None] * np.ones((1, 8, 8), int)
    assert majority_filter(image(labels), 3)[1] == 0


# --------------------------------------------------------------------------------------- crop and resample


def test_crop_keeps_the_part() -> None:
    labels = random_labels((8, 7, 6), 3, seed=4)
    part = crop(image(labels, grains=labels.astype(int) + 1), ((2, 5), (None, 7), (1, None)))
    np.testing.assert_array_equal(part.labels, labels[2:5, :, 1:])
    np.testing.assert_array_equal(part.grains, labels[2:5, :, 1:].astype(int) + 1)


@pytest.mark.parametrize("spans", [((5, 5), (0, 7), (0, 6)), ((0, 9), (0, 7), (0, 6)), ((-1, 5), (0, 7), (0, 6))])
def test_crop_stays_inside(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(InputError, match="the crop keeps x"):
        crop(image(random_labels((8, 7, 6), 2, seed=4)), spans)


def test_resampling_to_the_same_voxel_changes_nothing_and_halving_repeats() -> None:
    labels = random_labels((6, 5, 4), 3, seed=5)
    np.testing.assert_array_equal(resample_cubic(image(labels), 50.0).labels, labels)
    fine = resample_cubic(image(labels), 25.0)
    np.testing.assert_array_equal(fine.labels, labels.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    np.testing.assert_array_equal(resample_cubic(fine, 50.0).labels, labels)


def test_resampling_makes_voxels_cubic() -> None:
    labels = random_labels((10, 10, 4), 3, seed=6)
    cubic = resample_cubic(image(labels, (20.0, 20.0, 60.0)), 20.0)
    np.testing.assert_array_equal(cubic.labels, labels.repeat(3, 2))
    assert cubic.voxel_nm == pytest.approx((20, 20, 20))


@pytest.mark.parametrize("voxel_nm", [0.0, -1.0, float("nan"), float("inf"), 1e-3, 1e4])
def test_unusable_voxels(voxel_nm: float) -> None:
    with pytest.raises(InputError, match="voxel"):
        resample_cubic(image(random_labels((8, 7, 6), 2, seed=4)), voxel_nm)


@pytest.mark.parametrize(
    ("repair", "words"),
    [
        (lambda s: remove_islands(s, 1), "2 or more"),
        (lambda s: remove_islands(s, 10**6), "every piece"),
        (lambda s: majority_filter(s, 4), "odd numbers"),
        (lambda s: majority_filter(s, 33), "odd numbers"),
    ],
)
def test_unusable_numbers(repair: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        repair(image(noisy()))  # type: ignore[operator]


def test_a_structure_with_contacts_is_left_alone() -> None:
    table = PointContacts(np.array([[1, 2]], np.int32), np.zeros((1, 3)), np.eye(3)[:1], np.ones(1), np.zeros(1))
    pressed = image(noisy()).with_(contacts=table)
    for repair in (
        lambda: remove_islands(pressed, 8),
        lambda: majority_filter(pressed, 3),
        lambda: crop(pressed, ((0, 2),) * 3),
        lambda: resample_cubic(pressed, 25.0),
    ):
        with pytest.raises(InputError, match="more than voxels"):
            repair()


# ------------------------------------------------------------------------------------------------ the chain


def test_nothing_is_repaired_unless_asked_for(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noisy())
    done = import_image(tmp_path / "a.npy", voxel_nm=50)
    np.testing.assert_array_equal(done.structure.labels, noisy())
    assert done.steps == ()
    assert done.left is None
    assert "steps" not in done.structure.recipe


def test_the_chain_counts_and_remembers_every_step(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noisy())
    done = import_image(
        tmp_path / "a.npy",
        voxel_nm=50,
        crop_to=((0, 12), (0, 10), (0, 8)),
        resample_nm=50,
        median_voxels=3,
        remove_islands_below=9,
    )
    assert [step["step"] for step in done.steps] == ["crop", "resample", "median", "remove-islands"]
    assert done.structure.recipe["steps"] == list(done.steps)
    assert done.steps[0]["voxels_after"] == 960
    assert done.found["label 0"].islands == 1
    assert done.left is not None
    assert sum(step.get("voxels_changed", 0) for step in done.steps) >= 12
    assert set(done.left) == {"label 1"}


def test_thresholds_see_the_crop_only(tmp_path: Path) -> None:
    grey = np.where(np.arange(10) < 5, 10, 20)[:, None, None] * np.ones((1, 6, 6), int)
    grey[:, :, 5] = 250  # the holder
    np.save(tmp_path / "a.npy", grey)
    done = import_image(tmp_path / "a.npy", voxel_nm=50, thresholds="otsu", crop_to=((None, None), (None, None), (0, 5)))
    assert done.thresholds is not None
    assert done.thresholds["values"] == [10]


def test_dense_solids_get_a_warning_with_the_watershed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noisy())
    done = import_image(tmp_path / "a.npy", voxel_nm=50, segment_grains=True)
    assert any("0.99" in warning for warning in done.warnings)
    assert any("marker" in note for note in done.notes)
    loose = noisy()
    loose[6:] = 0
    np.save(tmp_path / "b.npy", loose)
    assert not import_image(tmp_path / "b.npy", voxel_nm=50, segment_grains=True).warnings
