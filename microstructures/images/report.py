"""Say what is in a segmented image, and change nothing: pieces, islands, single-voxel noise, enclosed pores.

Pieces are connected by faces (6 neighbours), as everything that conducts here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from microstructures.notebook import InNotebook
from microstructures.segment.connected import pieces_inside
from microstructures.structure import VoxelStructure

SMALL_PIECE_VOXELS = 27
"""A piece smaller than a cube of three voxels is called an island unless the user says otherwise."""


@dataclass(frozen=True)
class PhaseReport(InNotebook):
    """What was found of one phase.

    Attributes
    ----------
    voxels : int
    volume_fraction : float
    pieces : int
        Pieces connected by faces.
    largest_piece_share : float
        Share of the phase's voxels in its largest piece.
    islands, island_voxels : int
        Pieces smaller than the limit, and the voxels in them.
    single_voxels : int
        Pieces of one voxel.
    enclosed_pieces, enclosed_voxels : int
        Pieces that reach no outer face of the block, islands included; closed pores, if the phase is the pore.
    """

    voxels: int
    volume_fraction: float
    pieces: int
    largest_piece_share: float
    islands: int
    island_voxels: int
    single_voxels: int
    enclosed_pieces: int
    enclosed_voxels: int

    def to_dict(self) -> dict[str, float]:
        """Return the numbers by name."""
        return asdict(self)


def report_image(structure: VoxelStructure, *, small_below_voxels: int = SMALL_PIECE_VOXELS) -> dict[str, PhaseReport]:
    """Count what every phase of an image consists of.

    Parameters
    ----------
    structure : VoxelStructure
        Any label image.
    small_below_voxels : int
        Pieces of fewer voxels are islands.

    Returns
    -------
    dict of str to PhaseReport
        By phase name, in the order of the labels.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.ones((5, 5, 5), dtype=int)
    >>> labels[2, 2, 2] = 0
    >>> block = VoxelStructure.from_labels(labels, voxel_nm=25, phases={0: "pore", 1: "LATP"})
    >>> report_image(block)["pore"].enclosed_pieces
    1
    """
    found: dict[str, PhaseReport] = {}
    for label, pieces, sizes in pieces_by_label(structure.labels):
        voxels = int(sizes.sum())
        small = sizes < small_below_voxels
        enclosed = ~_reaches_outside(pieces, len(sizes))
        found[structure.phase_name(label)] = PhaseReport(
            voxels=voxels,
            volume_fraction=voxels / structure.labels.size,
            pieces=len(sizes),
            largest_piece_share=int(sizes.max()) / voxels,
            islands=int(small.sum()),
            island_voxels=int(sizes[small].sum()),
            single_voxels=int((sizes == 1).sum()),
            enclosed_pieces=int(enclosed.sum()),
            enclosed_voxels=int(sizes[enclosed].sum()),
        )
    return found


def pieces_by_label(labels: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
    """Yield every label present, the numbers of its pieces (from 1, 0 elsewhere), and the voxels of each piece."""
    for label in np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist():
        pieces = pieces_inside((labels == label).view(np.uint8))
        yield label, pieces, np.bincount(pieces.ravel())[1:].astype(np.int64, copy=False)


def _reaches_outside(pieces: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    reaches = np.zeros(count + 1, dtype=np.bool_)
    for axis in range(3):
        for end in (0, -1):
            reaches[np.unique(np.take(pieces, end, axis=axis))] = True
    return reaches[1:]
