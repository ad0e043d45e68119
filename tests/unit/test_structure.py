"""A structure's own arrays: checked, read-only, and not the caller's."""

from __future__ import annotations

import numpy as np
import pytest

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure


def test_the_callers_arrays_stay_writable() -> None:
    """The structure freezes a copy; what the caller changes later does not reach it."""
    labels, grains = np.ones((3, 4, 5), dtype=np.uint8), np.ones((3, 4, 5), dtype=np.int32)
    structure = VoxelStructure.from_labels(labels, voxel_nm=25, grains=grains)
    labels[0], grains[0] = 2, 2
    assert (structure.labels == 1).all()
    assert structure.grains is not None
    assert (structure.grains == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        structure.labels[0] = 2


def test_a_composition_must_fit() -> None:
    structure = VoxelStructure.from_labels(np.ones((3, 4, 5), int), voxel_nm=25)
    with pytest.raises(InputError, match="composition has shape"):
        structure.with_(composition=np.zeros((3, 4), np.float32))
    with pytest.raises(InputError, match="float64"):
        structure.with_(composition=np.zeros((3, 4, 5)))
