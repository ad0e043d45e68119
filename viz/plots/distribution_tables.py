"""Histograms of grain sizes and shell thicknesses of several structures, as tables for `viz.distributions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from microstructures.errors import InputError
from microstructures.structure import VoxelStructure
from microstructures.units import UM

if TYPE_CHECKING:
    import pandas as pd

BINS = 16
PERCENTILES = (10.0, 50.0, 90.0)
MARKS = ("mean", "p_low", "p_middle", "p_high")


def tabulate_grains(structures: Mapping[str, VoxelStructure], *, bins: int = BINS) -> pd.DataFrame:
    """Return how the volume of every phase is spread over grain diameters.

    A grain counts with its whole volume, as the phase that most of it is; its diameter is that of a sphere of its volume.
    All structures share the bins.

    Parameters
    ----------
    structures : mapping of str to VoxelStructure
        Structures with grains, by the names that the plot gives them.
    bins : int
        Number of bins between 0 and the largest diameter.

    Returns
    -------
    DataFrame
        One row a bin: `structure, phase, quantity, low, high, share` (of the phase's volume), and for each structure and
        phase `mean, p_low, p_middle, p_high`: mean, 10th, 50th and 90th percentile by volume [um].

    Raises
    ------
    InputError
        If a structure has no grains, or `bins` is below 1.

    Examples
    --------
    >>> cube = np.ones((10, 10, 10), int)
    >>> one = VoxelStructure.from_labels(cube, voxel_nm=100, phases={1: "LFP"}, grains=cube)
    >>> round(float(tabulate_grains({"one grain": one})["mean"].iloc[0]), 4)  # (6 / pi)^(1/3)
    1.2407
    """
    import pandas as pd

    from microstructures.morphology.grains import count_grains

    if bins < 1:
        raise InputError(f"bins is {bins}; allowed: 1 and above")
    found: dict[tuple[str, str], tuple[Any, Any]] = {}
    for name, structure in structures.items():
        counts = count_grains(structure)
        if len(counts.ids) == 0:
            raise InputError(f"structure '{name}' has no grains; allowed: segmented ones; see microstructures.segment")
        volume = counts.voxels.sum(axis=1) * float(np.prod(structure.voxel_size)) / UM**3
        main = counts.labels[counts.voxels.argmax(axis=1)]
        for label in np.unique(main):
            mine = volume[main == label]
            found[name, structure.phase_name(int(label))] = (6.0 * mine / np.pi) ** (1.0 / 3.0), mine
    largest = max((float(diameter.max()) for diameter, _ in found.values()), default=1.0)
    edges = np.linspace(0.0, largest, bins + 1)
    parts = []
    for (name, phase), (diameter, volume) in found.items():
        share = np.histogram(diameter, bins=edges, weights=volume)[0] / volume.sum()
        order = np.argsort(diameter)
        below = (np.cumsum(volume[order]) - 0.5 * volume[order]) / volume.sum()
        low, middle, high = np.interp(np.array(PERCENTILES) / 100.0, below, diameter[order])
        rows = {"structure": name, "phase": phase, "quantity": "grain_diameter_um", "low": edges[:-1], "high": edges[1:]}
        marks = dict(zip(MARKS, (np.average(diameter, weights=volume), low, middle, high), strict=True))
        parts.append(pd.DataFrame({**rows, "share": share, **marks}))
    return pd.concat(parts, ignore_index=True)


def tabulate_shells(structures: Mapping[str, VoxelStructure]) -> pd.DataFrame:
    """Return how the area of the interphase is spread over its thickness, as `interphase_statistics` measures it.

    Parameters
    ----------
    structures : mapping of str to VoxelStructure
        Structures with an interphase, by the names that the plot gives them.

    Returns
    -------
    DataFrame
        As `tabulate_grains`, with `share` of the area and mean, 5th, 50th and 95th percentile by area [nm]; the last bin
        holds everything thicker.

    Raises
    ------
    InputError
        If a structure has no interphase.
    """
    import pandas as pd

    from microstructures.morphology import interphase_statistics

    parts = []
    for name, structure in structures.items():
        found = interphase_statistics(structure)
        if not found:
            raise InputError(f"structure '{name}' has no interphase; allowed: fired structures with a reaction layer")
        edges = np.array(found["thickness_distribution"]["edges_nm"])
        marks = {key: found[f"thickness_nm_{stat}"] for key, stat in zip(MARKS, ("mean", "p05", "p50", "p95"), strict=True)}
        rows = {
            "structure": name,
            "phase": "interphase",
            "quantity": "shell_thickness_nm",
            "low": edges[:-1],
            "high": edges[1:],
        }
        parts.append(pd.DataFrame({**rows, "share": found["thickness_distribution"]["share"], **marks}))
    return pd.concat(parts, ignore_index=True)
