"""An interactive page: one HTML file that holds the voxels and a small viewer, and opens without a network.

The browser follows one ray a pixel through the voxels (Amanatides and Woo, Eurographics 1987), so that phases can be hidden and
the block cut anywhere without faces having been stored for it; a structure takes less room than its visible faces would.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microstructures.errors import InputError
from viz.made_by import made_by
from viz.palette import ABSENT, phase_colours, rgb
from viz.scenes.camera import DIRECTION
from viz.scenes.colouring import Shown, checked, layer_of, names_of, volume_percent
from viz.scenes.drawing import FIELD_LIGHT, PHASE_LIGHT
from viz.scenes.frame import BAR_LABELS, GAP_LABELS, Key, describe
from viz.scenes.surfaces import BRIGHTNESS, DARKEST_CREVICE, Surface, cut_corner

LONGEST_AXIS = 2048
"""Longest axis of a volume that browsers draw on any recent machine [voxels]."""
BAR_STOPS = 17
FIELD_LEVELS = 255
PALETTE_WIDTH = 256


def write_page(
    path: Path,
    shown: Shown,
    key: Key,
    title: str | None,
    *,
    values: ArrayLike | None = None,
) -> Path:
    """Write a block as a page to turn, zoom, cut and see through; needs a browser with WebGL 2 and nothing else.

    Parameters
    ----------
    path : Path
        The page to write.
    shown : Shown
        The faces that are seen first.
    key : Key
        How to read the colours.
    title : str or None
        The process unless given.
    values : array of shape (nx, ny, nz), optional
        The field, for voxels inside the block; those without faces are grey in a cut without it.

    Raises
    ------
    InputError
        If an axis is too long for the page, or the field has another shape than the structure.
    """
    structure = shown.structure
    labels = structure.labels[(slice(None, None, shown.stride),) * 3]
    if max(labels.shape) > LONGEST_AXIS:
        raise InputError(f"the structure is {max(labels.shape)} voxels long; allowed in a page: {LONGEST_AXIS}; crop it")
    shades, palette = _shades(shown, labels, key, values)
    corner = cut_corner(labels.shape).ravel()
    names = names_of(structure)
    scene = {
        "labels": _packed(labels),
        "shades": None if shades is None else _packed(shades),
        "wide": shades is not None and shades.dtype.itemsize == 2,
        "palette": base64.b64encode(palette.tobytes()).decode("ascii"),
        "count": list(labels.shape),
        "step": [edge * 1e6 * shown.stride for edge in structure.voxel_size],
        "edges": list(structure.edges_um),
        "eye": list(DIRECTION),
        "corner": bool(corner[shown.surface.voxel].all()) and not corner.all(),
        "ranged": key.scale is not None,
        "brightness": [side for axis in BRIGHTNESS for side in axis],
        "crevice": DARKEST_CREVICE,
        "light": PHASE_LIGHT if key.scale is None else FIELD_LIGHT,
    }
    heading = structure.process if title is None else title
    parts = {
        "MADE_BY": html.escape(made_by()),
        "TITLE": html.escape(heading),
        "ABOUT": html.escape(describe(shown)),
        "KEY": _key_html(key, names, volume_percent(structure)),
        "SCENE": json.dumps(scene),
    }
    template = files("viz.scenes").joinpath("page.html").read_text(encoding="utf-8")
    page = re.sub("@(MADE_BY|TITLE|ABOUT|KEY|SCENE)@", lambda mark: parts[mark[1]], template)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def _packed(volume: NDArray[Any]) -> str:
    """Return a volume with x running fastest, compressed, as text."""
    return base64.b64encode(gzip.compress(volume.tobytes(order="F"), compresslevel=9, mtime=0)).decode("ascii")


def _shades(
    shown: Shown, labels: NDArray[np.uint8], key: Key, values: ArrayLike | None
) -> tuple[NDArray[Any] | None, NDArray[np.uint8]]:
    """Return which colour of a palette each voxel has (None: the one of its label), and the palette, a multiple of 256 x 3."""
    if key.scale is not None:
        return _field_shades(shown, labels.shape, key, values)
    if key.field == "grain":
        return _grain_shades(shown, labels)
    palette = np.zeros((PALETTE_WIDTH, 3), dtype=np.uint8)
    names = names_of(shown.structure)
    for label, colour in zip(names, phase_colours(names.values()).values(), strict=True):
        palette[label] = np.rint(rgb(colour) * 255)
    return None, palette


def _field_shades(
    shown: Shown, shape: tuple[int, ...], key: Key, values: ArrayLike | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return 1 to 255 along the colour scale, 0 where there is no value."""
    if values is None:
        known = np.full(shape, np.nan)
        known.ravel()[shown.surface.voxel] = shown.values
    else:
        array = checked(shown.structure, key.field, values)
        known = array[(slice(None, None, shown.stride),) * 3].astype(np.float64)
    good = np.isfinite(known) & ((known > 0.0) if type(key.scale.norm).__name__ == "LogNorm" else True)
    shades = np.zeros(shape, dtype=np.uint8)
    shades[good] = 1 + np.rint(np.asarray(key.scale.norm(known[good])) * (FIELD_LEVELS - 1)).astype(np.uint8)
    palette = np.empty((PALETTE_WIDTH, 3), dtype=np.uint8)
    palette[0] = np.rint(rgb(ABSENT) * 255)
    palette[1:] = key.scale.cmap(np.linspace(0.0, 1.0, FIELD_LEVELS), bytes=True)[:, :3]
    return shades, palette


def _grain_shades(shown: Shown, labels: NDArray[np.uint8]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return a number for every colour of grains that occurs."""
    of_every_voxel = Surface(
        points=np.empty((0, 3), np.float32), quads=np.empty((0, 4), np.int64), voxel=np.arange(labels.size),
        brightness=np.empty(0, np.float32), side=np.empty(0, np.int8),
    )  # fmt: skip
    found = layer_of(shown.structure, "grain", None, shown.stride, 1.0, of_every_voxel).colours
    assert found is not None
    coded = found.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    codes, shades = np.unique(coded, return_inverse=True)
    rows = -(-len(codes) // PALETTE_WIDTH)
    palette = np.zeros((rows * PALETTE_WIDTH, 3), dtype=np.uint8)
    palette[: len(codes)] = (codes[:, None] >> np.array([16, 8, 0])) & 255
    return shades.reshape(labels.shape).astype(np.uint8 if rows == 1 else np.uint16), palette


def _key_html(key: Key, names: dict[int, str], share: dict[str, float]) -> str:
    colours = phase_colours(names.values())
    parts = [
        f'<button type="button" data-label="{label}" aria-pressed="{str(name not in key.hide).lower()}">'
        + ("" if key.scale is not None else f'<i style="background:{colours[name]}"></i>')
        + f"{html.escape(name)} {share[name]:.1f} vol%</button>"
        for label, name in names.items()
    ]
    if key.scale is not None:
        parts.insert(0, _bar_html(key.scale, BAR_LABELS[key.field]))
        if key.gaps:
            parts.append(f'<span><i style="background:{ABSENT}"></i>{html.escape(GAP_LABELS[key.field])}</span>')
    return "".join(parts)


def colour_stops(scale: Any) -> str:
    """Return the colours of a scale for a CSS gradient."""
    from matplotlib.colors import to_hex

    return ",".join(to_hex(scale.cmap(share)) for share in np.linspace(0.0, 1.0, BAR_STOPS))


def _bar_html(scale: Any, label: str) -> str:
    low, high = scale.norm.vmin, scale.norm.vmax
    kind = " (log)" if type(scale.norm).__name__ == "LogNorm" else ""
    return (
        f'<span>{low:.3g}<i class="bar" style="background:linear-gradient(90deg,{colour_stops(scale)})"></i>{high:.3g}'
        f"&ensp;{html.escape(label)}{kind}</span>"
    )
