"""How far the volume fractions of one block can be trusted, and how large a block should be.

After Kanit, Forest, Galliet, Mounoury, Jeulin, Int. J. Solids Struct. 40, 3647 (2003): the fraction phi found in blocks of
volume V, cut at random out of a large body, has the variance phi (1 - phi) A3 / V, with A3, the integral range, the
integral of the normalised covariance (S2 - phi^2) / (phi - phi^2) over all of space. It holds for V much larger than A3.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from microstructures.morphology.fractions import present_labels
from microstructures.morphology.two_point import Correlation, correlate_phases
from microstructures.structure import VoxelStructure
from microstructures.units import UM

BLOCKS = 4
"""Blocks along each axis for the check on the integral range."""


def representative_volumes(
    structure: VoxelStructure, known: dict[str, Correlation] | None = None
) -> dict[str, dict[str, float | bool]]:
    """Return the standard error of every volume fraction, and the block that would give it within 1 %.

    The covariance is integrated up to where it first falls to 0: beyond, a single block shows noise. Grains that keep apart
    make it negative there, so for packings the standard error is an upper bound; `integral_range_blocks_um3`, from the
    scatter between the 64 blocks that the structure can be cut into, knows of it, but only within some 20 %,
    and is a third too low where a block holds as few as 3 grains along its edge.

    Parameters
    ----------
    structure : VoxelStructure
        Any structure.
    known : dict of str to Correlation, optional
        S2 of its phases, if it was taken before.

    Returns
    -------
    dict
        By phase that neither fills the block nor is absent: `integral_range_um3`; `settled`, whether the covariance falls
        to 0 within half the block; `standard_error` of the volume fraction of this block; `edge_um_for_1_percent`, the
        edge of the cube whose fraction lies within 1 % of itself in 95 % of cases (two standard errors);
        `integral_range_blocks_um3` where every axis has at least 8 voxels.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(1).random((32, 32, 32)) < 0.3
    >>> found = representative_volumes(VoxelStructure.from_labels(noise, voxel_nm=1000, periodic=True))["label 1"]
    >>> abs(found["integral_range_um3"] - 1.0) < 0.1  # one voxel
    True
    """
    curves = known or correlate_phases(structure)
    voxel_um3 = float(np.prod(structure.voxel_size)) / UM**3
    volume_um3 = structure.labels.size * voxel_um3
    out: dict[str, dict[str, float | bool]] = {}
    for label in present_labels(structure):
        name = structure.phase_name(label)
        phi = curves[name].volume_fraction
        spread = phi * (1.0 - phi)
        if spread <= 0.0:
            continue
        covariance = (curves[name].radial - phi**2) / spread
        below = np.flatnonzero(covariance <= 0.0)
        end = int(below[0]) if len(below) else len(covariance)
        range_um3 = voxel_um3 * float(curves[name].lags[:end] @ covariance[:end])
        out[name] = {
            "integral_range_um3": range_um3,
            "settled": len(below) > 0,
            "standard_error": float(np.sqrt(spread * range_um3 / volume_um3)),
            "edge_um_for_1_percent": float((4.0 * spread * range_um3 / (0.01 * phi) ** 2) ** (1.0 / 3.0)),
        }
        if min(structure.shape) >= 2 * BLOCKS:
            fractions = _fractions_of_blocks(structure.labels, label)
            block_um3 = voxel_um3 * float(np.prod([n // BLOCKS for n in structure.shape]))
            out[name]["integral_range_blocks_um3"] = float(fractions.var(ddof=1)) * block_um3 / spread
    return out


def _fractions_of_blocks(labels: NDArray[np.uint8], label: int) -> NDArray[np.float64]:
    """Return the volume fraction of a label in each of the blocks."""
    edges = [n // BLOCKS for n in labels.shape]
    counts = [
        np.count_nonzero(labels[tuple(slice(n * edge, (n + 1) * edge) for n, edge in zip(at, edges, strict=True))] == label)
        for at in product(range(BLOCKS), repeat=3)
    ]
    return np.array(counts) / float(np.prod(edges))
