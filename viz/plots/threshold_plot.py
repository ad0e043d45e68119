"""Do the thresholds cut where they should? Histogram, grey slice and segmented slice side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microstructures.errors import InputError
from viz.made_by import words_of_png
from viz.palette import phase_colours, rgb
from viz.plots.axes import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
CONTRAST = (0.2, 99.8)
"""Percentiles of the grey values that are drawn black and white."""
BIN_COUNT = 256
BAR_SHARES = (5, 2, 1)


@styled
def threshold_preview(
    grey: NDArray[Any],
    labels: NDArray[np.uint8],
    thresholds: Sequence[float],
    *,
    method: str = "given",
    phases: Mapping[int, str] | None = None,
    voxel_nm: Sequence[float] = (1.0, 1.0, 1.0),
    z: int | None = None,
) -> Figure:
    """Draw the histogram with its thresholds, a slice across z of the grey image, and the same slice segmented.

    Parameters
    ----------
    grey : ndarray of shape (nx, ny, nz)
        Grey values.
    labels : ndarray of the same shape, uint8
        Their labels, 0, 1, 2, ... from dark to bright.
    thresholds : sequence of float
        The highest grey value of every label but the last.
    method : str
        How they were found, for the title.
    phases : mapping of int to str, optional
        Names of the labels.
    voxel_nm : three floats
        Voxel edges along x, y, z [nm], for the scale bar.
    z : int, optional
        Which slice; the middle one unless given.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the shapes differ or the slice does not exist.

    Examples
    --------
    >>> grey = np.arange(512).reshape(8, 8, 8)
    >>> len(threshold_preview(grey, (grey > 255).astype(np.uint8), [255], voxel_nm=(50, 50, 50)).axes)
    3
    """
    from matplotlib.figure import Figure

    place = grey.shape[2] // 2 if z is None else z
    if grey.shape != labels.shape or not 0 <= place < grey.shape[2]:
        raise InputError(
            f"grey has shape {grey.shape}, labels {labels.shape}, slice {place}; allowed: equal shapes, a slice inside"
        )
    names = {label: (phases or {}).get(label, f"label {label}") for label in range(len(thresholds) + 1)}
    colours = dict(zip(names, phase_colours(names.values()).values(), strict=True))
    extent = (0.0, grey.shape[0] * voxel_nm[0] / 1e3, grey.shape[1] * voxel_nm[1] / 1e3, 0.0)
    tall = min(max(extent[2] / extent[1], 0.35), 1.25)
    figure = Figure(figsize=(13.6, 4.0 * tall + 1.1), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.15, 1.0, 1.0))
    _draw_histogram(left, grey, thresholds, names, colours)
    left.set_title(f"thresholds ({method}): {', '.join(f'{limit:g}' for limit in thresholds)}", loc="left")
    black, white = np.percentile(grey[:, :, place], CONTRAST)
    middle.imshow(
        grey[:, :, place].T, cmap="gray", vmin=black, vmax=max(white, black + 1e-12), extent=extent, interpolation="nearest"
    )
    middle.set_title(f"grey, slice z = {place}", loc="left")
    table = np.array([rgb(colours[label]) for label in names])
    right.imshow(table[labels[:, :, place].T], extent=extent, interpolation="nearest")
    right.set_title("segmented, the same slice", loc="left")
    for axes in (middle, right):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    _scale_bar(middle, extent[1])
    _phase_key(right, labels, names, colours)
    return figure


def save_threshold_preview(path: Path, *arguments: Any, **options: Any) -> None:
    """Write the figure of `threshold_preview` as PNG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from viz.palette import style

    figure = threshold_preview(*arguments, **options)
    with matplotlib.rc_context(style()):
        FigureCanvasAgg(figure)
        figure.savefig(path, dpi=DPI, metadata=words_of_png())


def _draw_histogram(
    axes: Axes, grey: NDArray[Any], thresholds: Sequence[float], names: Mapping[int, str], colours: Mapping[int, str]
) -> None:
    low, high = np.percentile(grey, (0.02, 99.98))
    low, high = min(float(low), thresholds[0]), max(float(high), thresholds[-1])
    if grey.dtype.kind in "iu":
        step = max(1, int(np.ceil((high - low + 1) / BIN_COUNT)))
        edges = np.arange(np.floor(low), high + step + 1, step) - 0.5
    else:
        edges = np.linspace(low, high, BIN_COUNT + 1)
    counts, edges = np.histogram(grey, bins=edges)
    share = 100.0 * counts / grey.size
    centres = 0.5 * (edges[1:] + edges[:-1])
    label_of_bin = np.searchsorted(np.asarray(thresholds, dtype=float), centres, side="left")
    for label, name in names.items():
        mine = label_of_bin == label
        axes.bar(centres[mine], share[mine], width=np.diff(edges)[mine], color=colours[label], linewidth=0, label=name)
    axes.step(edges, np.append(share, share[-1]), where="post", color="#444444", linewidth=0.7)
    for limit in thresholds:
        axes.axvline(limit, color="black", linewidth=1.2, linestyle="--")
    axes.set(xlabel="grey value (whole image)", ylabel="voxels (% per bin)", xlim=(edges[0], edges[-1]))
    inner = share[1:-1] if share.size > 4 else share
    axes.set_ylim(0.0, 1.12 * max(float(inner.max()), 1e-9))


def _scale_bar(axes: Axes, width_um: float) -> None:
    """Draw a bar of a round length, about a fifth of the picture."""
    decade = 10.0 ** np.floor(np.log10(0.3 * width_um))
    length = next(share * decade for share in BAR_SHARES if share * decade <= 0.3 * width_um)
    text = f"{length:g} µm" if length >= 1.0 else f"{1e3 * length:g} nm"
    box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 3.0}
    start = 0.04 * width_um
    axes.annotate(text, (0.04, 0.045), (0, 6), xycoords="axes fraction", textcoords="offset points", bbox=box, va="bottom")
    axes.plot([start / width_um, (start + length) / width_um], [0.04, 0.04], color="white", linewidth=5.0, solid_capstyle="butt",
              transform=axes.transAxes)  # fmt: skip
    axes.plot([start / width_um, (start + length) / width_um], [0.04, 0.04], color="black", linewidth=2.5, solid_capstyle="butt",
              transform=axes.transAxes)  # fmt: skip


def _phase_key(axes: Axes, labels: NDArray[np.uint8], names: Mapping[int, str], colours: Mapping[int, str]) -> None:
    from matplotlib.patches import Patch

    share = np.bincount(labels.ravel(), minlength=len(names)) / labels.size
    keys = [
        Patch(facecolor=colours[k], edgecolor="#888888", linewidth=0.5, label=f"{name}: {100 * share[k]:.1f} %")
        for k, name in names.items()
    ]
    axes.legend(handles=keys, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=min(len(keys), 3), columnspacing=1.2,
                title="share of the whole image", title_fontsize=9.0)  # fmt: skip
