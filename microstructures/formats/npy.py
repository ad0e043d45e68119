"""NumPy images: axes x, y, z as in memory, no voxel size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microstructures.errors import FormatError
from microstructures.formats.guard import as_format_errors, atomic_file, check_claim
from microstructures.formats.image import Image
from microstructures.structure import VoxelStructure

LARGEST_HEADER_BYTES = 10_000
REMEDY = "write it again with numpy.save(path, labels)"


def read_image(path: Path) -> Image:
    """Read the values of a ``.npy`` file, shape (nx, ny, nz); the format states no voxel size.

    Raises
    ------
    FormatError
        If the file is damaged, holds Python objects.
    """
    with as_format_errors(path, "NPY", REMEDY):
        try:
            mapped = np.lib.format.open_memmap(path, mode="r", max_header_size=LARGEST_HEADER_BYTES)
        except ValueError as error:
            if "Python objects" in str(error):
                raise FormatError(
                    f"{path} holds Python objects; allowed: an array of integers; opening it could run code, so it is "
                    "refused; save labels.astype('uint8') instead"
                ) from None
            raise
        check_claim(path, mapped.shape, mapped.dtype.itemsize, path.stat().st_size)
        return Image(np.array(mapped), files=(path,))


def write_labels(structure: VoxelStructure, path: Path) -> None:
    """Write the labels of a structure as uint8, axes x, y, z."""
    with atomic_file(path) as partial, open(partial, "wb") as stream:
        np.save(stream, structure.labels, allow_pickle=False)
