"""Pieces, depths, markers and flooding, each against an independent way to get them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed
from support import blobs, block, random_labels

from microstructures import connected_grains, watershed_grains
from microstructures.errors import InputError
from microstructures.segment import DenseSolidWarning, connected, dense_warning, distance
from microstructures.segment.distance import depth_in_phase
from microstructures.segment.flood import flood
from microstructures.segment.markers import find_markers
from microstructures.structure import VoxelStructure

CUBE = (1.0, 1.0, 1.0)
OPEN = (False, False, False)
WRAPPED = (True, True, True)


def along(labels: NDArray[Any], periodic: tuple[bool, bool, bool]) -> VoxelStructure:
    return block(labels).with_(periodic=periodic)


def ball(
    shape: tuple[int, int, int], centre: tuple[float, ...], radius: float, edges: tuple[float, ...] = CUBE
) -> NDArray[Any]:
    """Return a ball in a periodic box; lengths in units of the edges."""
    squared = np.zeros(shape)
    for axis, (n, edge, middle) in enumerate(zip(shape, edges, centre, strict=True)):
        away = (np.arange(n) + 0.5) * edge - middle
        away -= n * edge * np.rint(away / (n * edge))
        squared += (away**2).reshape([-1 if a == axis else 1 for a in range(3)])
    return squared < radius**2


def same_parts(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two numberings part the voxels alike."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


@pytest.mark.parametrize("periodic", [OPEN, (True, False, False), (False, True, True), WRAPPED])
@pytest.mark.parametrize("background", [0, 1, -1])
@pytest.mark.parametrize("installed", [True, False])
def test_connected_grains_by_repeated_spreading(
    periodic: tuple[bool, bool, bool], background: int, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The least voxel number spreads over faces until nothing changes: the same pieces, with or without the fast library."""
    if installed:
        pytest.importorskip("cc3d")
    else:
        monkeypatch.setattr(connected, "find_spec", lambda name: None)
    labels = random_labels((9, 7, 8), 3, seed=4)
    least = np.arange(1, labels.size + 1).reshape(labels.shape)
    while True:
        before = least.copy()
        for axis in range(3):
            for step in (1, -1):
                other, neighbour = np.roll(labels, step, axis), np.roll(least, step, axis)
                meets = other == labels
                if not periodic[axis]:
                    edge = [slice(None)] * 3
                    edge[axis] = 0 if step == 1 else -1  # type: ignore[call-overload]
                    meets[tuple(edge)] = False
                least = np.where(meets, np.minimum(least, neighbour), least)
        if np.array_equal(before, least):
            break
    least[labels == background] = 0
    expected = np.searchsorted(np.unique(np.append(least, 0)), least)
    np.testing.assert_array_equal(connected_grains(along(labels, periodic), background=background), expected)


def tiled_depth(labels: NDArray[Any], edges: tuple[float, ...], periodic: tuple[bool, ...]) -> NDArray[Any]:
    """Return the depth of each label from three copies along each periodic axis."""
    copies = [3 if wraps else 1 for wraps in periodic]
    tiled, out = np.tile(labels, copies), np.zeros(labels.shape)
    middle = tuple(slice(n, 2 * n) if wraps else slice(None) for n, wraps in zip(labels.shape, periodic, strict=True))
    for label in np.unique(labels[labels > 0]):
        deep = ndimage.distance_transform_edt(tiled == label, sampling=edges)[middle]
        out[labels == label] = deep[labels == label]
    return out


@pytest.mark.parametrize("periodic", [OPEN, (False, True, False), WRAPPED])
@pytest.mark.parametrize("edges", [CUBE, (1.0, 1.7, 2.3)])
@pytest.mark.parametrize("installed", [True, False])
def test_depth_is_exact(
    edges: tuple[float, float, float],
    periodic: tuple[bool, bool, bool],
    installed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Across the boundary and deeper than the first margin too: one voxel of another phase in a box says how far."""
    if installed:
        pytest.importorskip("edt")
    else:
        monkeypatch.setattr(distance, "find_spec", lambda name: None)
    lone = np.ones((50, 12, 40), dtype=np.uint8)
    lone[3, 2, 38] = 0
    for labels in (blobs(20, {0: 0.4, 1: 0.3, 2: 0.3}, seed=2), lone):
        labels = np.ascontiguousarray(labels)
        expected = tiled_depth(labels, edges, periodic)
        np.testing.assert_allclose(depth_in_phase(labels, edges, periodic), expected, rtol=2e-6)
    assert expected.max() > distance.FIRST_MARGIN


def test_depth_where_there_is_no_surface() -> None:
    """A full box is one grain, an empty one none."""
    assert (depth_in_phase(np.ones((3, 4, 5), dtype=np.uint8), CUBE, WRAPPED) == 1.0).all()
    assert not depth_in_phase(np.zeros((3, 4, 5), dtype=np.uint8), CUBE, WRAPPED).any()
    with pytest.warns(DenseSolidWarning):
        assert (watershed_grains(block(np.ones((3, 4, 5)), periodic=True)) == 1).all()
    assert not watershed_grains(block(np.zeros((3, 4, 5)))).any()


@pytest.mark.parametrize("seed", range(3))
def test_flooding_equals_scikit_image(seed: int) -> None:
    """From the same markers, one per depth so that their order is certain, every voxel goes to the same grain."""
    inside = blobs(40, {0: 0.4, 1: 0.6}, seed=seed, size=2.5)
    depth = depth_in_phase(inside, CUBE, OPEN)
    _, first = np.unique(depth[inside > 0], return_index=True)
    where = np.argwhere(inside)[first]
    markers = np.zeros(inside.shape, dtype=np.int32)
    markers[tuple(where.T)] = np.arange(1, len(where) + 1)
    expected = watershed(-np.rint(depth.astype(float) ** 2), markers, mask=inside > 0)
    grains = np.zeros(inside.shape, dtype=np.int32)
    flood(grains, where, inside, depth, OPEN, cubes=True)
    assert len(where) > 10
    np.testing.assert_array_equal(grains, expected)


def marked(inside: NDArray[Any], *, smoothing: float = 0.4, peak_radius: float = 2.0) -> list[list[int]]:
    depth = depth_in_phase(inside.astype(np.uint8), CUBE, OPEN)
    return find_markers(depth, CUBE, OPEN, smoothing, peak_radius).tolist()


def test_markers_lie_in_the_middle() -> None:
    """Of a ball its centre, of a ridge without a summit the middle of the ridge."""
    assert marked(ball((25, 25, 25), (12.5, 11.5, 12.5), 9.0)) == [[12, 11, 12]]
    plate = np.zeros((9, 21, 31), dtype=bool)
    plate[2:7] = True
    assert marked(plate) == [[4, 10, 15]]


def test_saddle_is_no_marker() -> None:
    """A rod through a ball has a level ridge that climbs into the ball: one summit."""
    rod = np.zeros((41, 21, 21), dtype=bool)
    rod[4:37, 8:13, 8:13] = True
    rod |= ball(rod.shape, (10.5, 10.5, 10.5), 7.0)
    assert marked(rod) == [[10, 10, 10]]


def test_marker_inside_a_deeper_ball_is_dropped() -> None:
    """A small ball whose centre lies in the ball of a large one is part of it, one that lies outside is not."""
    large = ball((48, 30, 30), (15.5, 15.5, 15.5), 11.0)
    for middle, count in ((25.5, 1), (32.5, 2)):
        both = large | ball(large.shape, (middle, 15.5, 15.5), 7.0)
        assert len(marked(both, peak_radius=1.0)) == count


@pytest.mark.parametrize("edges", [CUBE, (1.0, 1.5, 2.0)])
@pytest.mark.parametrize("centre", [(12.0, 12.0, 12.0), (0.0, 12.0, 12.0), (0.0, 0.0, 0.0)])
def test_ball_across_the_boundary_is_one_grain(centre: tuple[float, ...], edges: tuple[float, ...]) -> None:
    """Two touching balls anywhere in a periodic box of equal edge, with voxels of any shape."""
    shape = tuple(round(36 / edge) for edge in edges)
    first = ball(shape, centre, 8.2, edges)  # type: ignore[arg-type]
    second = ball(shape, (centre[0] + 16.0, *centre[1:]), 8.2, edges)  # type: ignore[arg-type]
    voxel_nm = tuple(25.0 * edge for edge in edges)
    grains = watershed_grains(block(first | second, voxel_nm, periodic=True))  # type: ignore[arg-type]
    assert grains.max() == 2
    for own, other in ((first, second), (second, first)):
        assert len(np.unique(grains[own & ~other])) == 1
    assert len(np.unique(grains[first ^ second])) == 2


def test_grains_move_with_a_periodic_structure() -> None:
    """Rolled by any number of voxels, a structure of balls has the same grains."""
    rng = np.random.default_rng(3)
    labels = np.zeros((40, 40, 40), dtype=np.uint8)
    for centre in rng.random((12, 3)) * 40:
        labels[ball((40, 40, 40), tuple(centre), 7.3)] = 1
    still = watershed_grains(block(labels, periodic=True))
    for shift in ((13, 0, 0), (5, 21, 34)):
        moved = watershed_grains(block(np.roll(labels, shift, (0, 1, 2)), periodic=True))
        back = np.roll(moved, np.negative(shift), (0, 1, 2))
        assert back.max() == still.max() > 5
        both = np.unique(np.stack([still.ravel(), back.ravel()]), axis=1, return_counts=True)[1]
        assert np.sort(both)[-still.max() - 1 :].sum() > 0.995 * labels.size  # ties on the seams may fall either way


@pytest.mark.parametrize("periodic", [OPEN, WRAPPED])
def test_every_solid_voxel_is_in_a_connected_grain_of_one_phase(periodic: tuple[bool, bool, bool]) -> None:
    """Noise, the worst case: no grain is split, empty or of two phases."""
    labels = random_labels((14, 15, 16), 3, seed=5)
    grains = watershed_grains(along(labels, periodic))
    np.testing.assert_array_equal(grains > 0, labels > 0)
    assert np.unique(grains).tolist() == list(range(grains.max() + 1))
    for grain in range(1, grains.max() + 1):
        mine = grains == grain
        assert len(np.unique(labels[mine])) == 1
        assert connected_grains(along(mine, periodic)).max() == 1


def test_phases_alone_and_together() -> None:
    """A ball of two halves is two grains, one if its phases are one solid; phases that are not named have none."""
    labels = ball((24, 24, 24), (12.0, 12.0, 12.0), 9.0).astype(np.uint8)
    labels[12:] *= 2
    structure = block(labels)
    assert same_parts(watershed_grains(structure), labels)
    np.testing.assert_array_equal(watershed_grains(structure, phases=[(1, 2)]), labels > 0)
    np.testing.assert_array_equal(watershed_grains(structure, phases=[2]), labels == 2)
    np.testing.assert_array_equal(watershed_grains(structure, phases=[0]) > 0, labels == 0)
    np.testing.assert_array_equal(watershed_grains(structure, phases=[2, 1]), np.array([0, 2, 1])[labels])
    with pytest.warns(DenseSolidWarning):
        around = watershed_grains(structure, background=1)
    assert not around[labels == 1].any()
    assert len(np.unique(around[labels == 2])) == 1
    with pytest.warns(DenseSolidWarning):
        around = watershed_grains(structure, background=-1)
    assert around.min() == 1
    assert same_parts(np.where(labels > 0, around, 0), labels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smoothing": -1.0}, "smoothing is -1.0; allowed: 0 to 50"),
        ({"smoothing": float("nan")}, "smoothing is nan"),
        ({"peak_radius": 51.0}, "peak_radius is 51.0"),
        ({"phases": [1, 1]}, "phases has the label 1"),
        ({"phases": [(1, 256)]}, "phases has the label 256"),
        ({"phases": [-1]}, "labels 0 to 255, each once"),
    ],
)
def test_what_cannot_be_used(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        watershed_grains(block(np.eye(3, dtype=int)[None]), **options)


def test_dense_solids_come_with_a_warning() -> None:
    height = np.broadcast_to(np.arange(10), (10, 10, 10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watershed_grains(block(height > 2))
    with pytest.warns(DenseSolidWarning, match=r"fills 0\.900 of the block"):
        watershed_grains(block(height > 0))
    assert dense_warning(0.8) is None
    assert "0.801" in str(dense_warning(0.801))


def test_same_bits_for_any_number_of_threads(threads: Callable[[int], None]) -> None:
    structure = block(blobs(32, {0: 0.4, 1: 0.6}, seed=1, size=2.0), periodic=True)
    threads(1)
    alone = watershed_grains(structure)
    threads(2)
    np.testing.assert_array_equal(watershed_grains(structure), alone)
