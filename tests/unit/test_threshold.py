"""Grey images are cut where they should be: given thresholds, Otsu against brute force, and refusals that say the remedy."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microstructures.errors import FormatError, InputError
from microstructures.formats import read
from microstructures.images.threshold import histogram, otsu_thresholds, segment_grey

PHASES = {0: "pore", 1: "A", 2: "B"}


def grey(dtype: str = "uint8", *, means: tuple[float, ...] = (40, 120, 200), spread: float = 6.0, seed: int = 5) -> Any:
    """Return a grey image of three bands along x, and the labels behind it."""
    labels = np.repeat(np.arange(3, dtype=np.uint8), (6, 4, 10))[:, None, None] * np.ones((1, 12, 12), np.uint8)
    values = np.asarray(means)[labels] + spread * np.random.default_rng(seed).standard_normal(labels.shape)
    return (np.rint(values) if np.dtype(dtype).kind in "iu" else values).astype(dtype), labels


def between_variance(values: np.ndarray, thresholds: tuple[float, ...]) -> float:
    """Return Otsu's criterion: the weighted variance of the means of the classes."""
    classes = np.searchsorted(thresholds, values, side="left")
    return sum((part := values[classes == k]).size * (part.mean() - values.mean()) ** 2 for k in np.unique(classes))


def test_a_voxel_of_exactly_the_threshold_is_dark() -> None:
    values = np.array([0, 79, 80, 81, 160, 161, 255], dtype=np.uint8).reshape(1, 1, 7)
    labels, chosen = segment_grey(values, (80, 160))
    assert labels.ravel().tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert chosen == {"method": "given", "values": [80, 160], "voxels": [3, 2, 2]}


@pytest.mark.parametrize("class_count", [2, 3])
def test_otsu_maximises_the_variance_between_classes(class_count: int) -> None:
    values = np.random.default_rng(1).choice([3, 5, 9, 10, 14, 22, 23, 30, 41], size=400).astype(np.uint8)
    candidates = np.unique(values)[:-1].astype(float)
    best = max(combinations(candidates, class_count - 1), key=lambda cut: between_variance(values, cut))
    found = otsu_thresholds(values, class_count)
    assert between_variance(values, tuple(found)) == pytest.approx(between_variance(values, best), rel=1e-6)


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 1.0), ("uint16", 250.0), ("int16", -100.0), ("float32", 0.01)])
def test_bands_are_told_apart(dtype: str, scale: float) -> None:
    means = tuple(sorted(scale * mean for mean in (40, 120, 200)))
    values, truth = grey(dtype, means=means, spread=6.0 * abs(scale))
    labels, chosen = segment_grey(values, "multi-otsu", phase_count=3)
    np.testing.assert_array_equal(labels, truth)
    assert chosen["voxels"] == np.bincount(truth.ravel()).tolist()
    assert means[0] < chosen["values"][0] < means[1] < chosen["values"][1] < means[2]


def test_hot_voxels_do_not_spoil_the_histogram() -> None:
    values, truth = grey("uint16", means=(400, 1200, 2000), spread=60.0)
    values[0, 0, 0] = 65535  # one of 2880: 0.035 %
    labels, _ = segment_grey(values, "multi-otsu", phase_count=3)
    assert (labels != truth).sum() == 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float64"])
def test_histogram_counts_every_voxel_once(dtype: str) -> None:
    values, _ = grey(dtype, means=(40, 120, 200))
    counts, highest = histogram(values)
    assert counts.sum() == values.size
    assert (np.diff(highest) > 0).all()
    middle = len(highest) // 2
    assert counts[: middle + 1].sum() == (values <= highest[middle]).sum()


@pytest.mark.parametrize(
    ("thresholds", "phase_count", "words"),
    [
        ((160, 80), None, "ascending"),
        ((80, 80), None, "ascending"),
        ((), None, "ascending"),
        ((float("nan"),), None, "ascending"),
        ((300,), None, "no voxel falls into label 1"),
        ((1,), None, "no voxel falls into label 0"),
        ((80, 160), 2, "2 thresholds make 3 phases"),
        ("otsu", 3, "use multi-otsu"),
        ("multi-otsu", None, "no phases are named"),
        ("multi-otsu", 9, "allowed: 2 to 5"),
        ("ostu", 2, "did you mean 'otsu'"),
    ],
)
def test_unusable_thresholds(thresholds: Any, phase_count: int | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        segment_grey(grey()[0], thresholds, phase_count=phase_count)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((2, 2, 2), np.nan), r"8 NaN or infinite voxels, the first at \(0, 0, 0\)"),
        (np.ones((2, 2, 2), complex), "complex"),
        (np.ones((2, 2)), "three axes"),
        (np.full((2, 2, 2), 7), "1 distinct grey values"),
    ],
)
def test_images_without_grey_values(values: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        segment_grey(values, "otsu")


def test_read_segments_and_remembers(tmp_path: Path) -> None:
    values, truth = grey("uint16", means=(4000, 12000, 20000), spread=600.0)
    np.save(tmp_path / "grey.npy", values)
    structure = read(tmp_path / "grey.npy", voxel_nm=50, phases=PHASES, thresholds="multi-otsu")
    np.testing.assert_array_equal(structure.labels, truth)
    assert structure.recipe["thresholds"]["method"] == "multi-otsu"
    assert structure.recipe["thresholds"]["values"] == otsu_thresholds(values, 3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_grey_image_without_thresholds_is_told_the_remedy(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "grey.npy", grey(dtype, means=(40, 120, 200) if dtype == "uint8" else (400, 1200, 2000), spread=20.0)[0])
    with pytest.raises(FormatError, match="--thresholds otsu"):
        read(tmp_path / "grey.npy", voxel_nm=50)
