"""What notebooks show of results: compact tables with units, and a slice of a structure. HTML without styles of its own."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from microstructures.colours import phase_colours, rgb

if TYPE_CHECKING:
    from microstructures.structure import VoxelStructure

UNITS = {
    **{"S_per_m": "S/m", "m2_per_s": "m²/s", "m_per_s": "m/s", "V_per_m": "V/m", "per_m3": "1/m³", "per_m": "1/m"},
    **{
        "m2_per_Vs": "m²/(V s)",
        "ohm_m2": "Ω m²",
        "ohm": "Ω",
        "eV": "eV",
        "C": "°C",
        "K": "K",
        "nm": "nm",
        "um": "µm",
        "Hz": "Hz",
    },
    **{"m": "m", "s": "s", "kT": "kT", "A": "A", "bytes": "bytes"},
}
AXES = ("x", "y", "z")
LONGEST_LIST, MOST_ROWS = 6, 60
THUMBNAIL_PX = 160


class InNotebook:
    """A result with `to_dict`, shown in notebooks as a table of its numbers."""

    def to_dict(self) -> Any:
        """Return the result as plain values."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        return table_of(type(self).__name__, self.to_dict())


def table_of(title: str, values: Mapping[str, Any]) -> str:
    """Return plain values as an HTML table: name, value (three columns for x, y, z), unit.

    Parameters
    ----------
    title : str
        Written above.
    values : mapping
        Numbers, words, and mappings of them; a unit at the end of a name (`_S_per_m`) goes into a column of its own. Long lists
        are counted; None, sources and rows beyond the 60th are left out.

    Examples
    --------
    >>> "<td>length</td><td>2</td><td>µm</td>" in table_of("block", {"length_um": 2.0})
    True
    """
    rows = list(_rows(values, ""))
    wide = any(isinstance(value, Mapping) for _, value, _ in rows)
    head = "<th></th>" + ("".join(f"<th>{axis}</th>" for axis in AXES) if wide else "<th></th>") + "<th>unit</th>"
    body = "".join(
        f"<tr><td>{html.escape(name)}</td>{_cells(value, wide)}<td>{unit}</td></tr>" for name, value, unit in rows[:MOST_ROWS]
    )
    more = f"<p>and {len(rows) - MOST_ROWS} more; see to_dict()</p>" if len(rows) > MOST_ROWS else ""
    return f"<b>{html.escape(title)}</b><table><tr>{head}</tr>{body}</table>{more}"


def number(value: float) -> str:
    """Return a number as tables show it: whole numbers in full, others with four digits.

    Examples
    --------
    >>> number(1.23456e-7), number(100000), number(float("nan"))
    ('1.235e-07', '100,000', 'unknown')
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    return "unknown" if math.isnan(value) else f"{value:.4g}"


def structure_html(structure: VoxelStructure) -> str:
    """Return a table of a structure's phases beside its middle slice across z, x to the right and y up."""
    counts = np.bincount(structure.labels.ravel(), minlength=256)
    labels = [int(label) for label in np.flatnonzero(counts)]
    names = {label: structure.phases.get(label, "pore" if label == 0 else structure.phase_name(label)) for label in labels}
    colours = phase_colours(names.values())
    rows = "".join(
        f'<tr><td><span style="background:{colours[names[label]]};border:1px solid #888">&emsp;</span></td><td>{label}</td>'
        f"<td>{html.escape(names[label])}</td><td>{counts[label] / structure.labels.size:.4f}</td></tr>"
        for label in labels
    )
    edges = " × ".join(f"{edge:.3g}" for edge in structure.edges_um)
    voxels = " × ".join(map(str, structure.shape))
    voxel = " × ".join(
        f"{edge:g}" for edge in (structure.voxel_nm if len(set(structure.voxel_nm)) > 1 else structure.voxel_nm[:1])
    )
    grains = f", {structure.n_grains:,} grains" if structure.grains is not None else ""
    title = html.escape(f"VoxelStructure {structure.process}")
    picture = f'<img alt="middle slice across z" src="data:image/png;base64,{_thumbnail(structure, names, colours)}">'
    table = f"<table><tr><th></th><th>label</th><th>phase</th><th>volume fraction</th></tr>{rows}</table>"
    return (
        f"<b>{title}</b>: {edges} µm, {voxels} voxels of {voxel} nm{grains}"
        f"<table><tr><td>{picture}<br>slice z = {structure.shape[2] // 2}</td><td>{table}</td></tr></table>"
    )


def _thumbnail(structure: VoxelStructure, names: Mapping[int, str], colours: Mapping[str, str]) -> str:
    """Return the middle slice across z as PNG in base 64, true to scale."""
    from PIL import Image

    table = np.zeros((256, 3), dtype=np.uint8)
    for label, name in names.items():
        table[label] = np.rint(255.0 * rgb(colours[name]))
    plane = table[structure.labels[:, :, structure.shape[2] // 2].T[::-1]]
    width, height = structure.edges_um[:2]
    size = [max(1, round(THUMBNAIL_PX * edge / max(width, height))) for edge in (width, height)]
    file = io.BytesIO()
    Image.fromarray(plane).resize((size[0], size[1]), Image.Resampling.NEAREST).save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _rows(values: Mapping[str, Any], before: str) -> Iterable[tuple[str, Any, str]]:
    """Return name, value and unit of every row; mappings of anything but axes become rows of their own."""
    for key, value in values.items():
        unit = next((ending for ending in sorted(UNITS, key=len, reverse=True) if str(key).endswith("_" + ending)), "")
        name = before + str(key).removesuffix("_" + unit if unit else "").replace("_", " ")
        if value is None or key == "source" or (isinstance(value, (Mapping, Sequence)) and len(value) == 0):
            continue
        if isinstance(value, Mapping) and not (
            set(value) <= set(AXES) and not any(isinstance(v, Mapping) for v in value.values())
        ):
            yield from ((label, shown, own or UNITS.get(unit, "")) for label, shown, own in _rows(value, f"{name}, "))
        else:
            yield name, value, UNITS.get(unit, "")


def _cells(value: Any, wide: bool) -> str:
    if isinstance(value, Mapping):
        return "".join(f"<td>{_text(value.get(axis))}</td>" for axis in AXES)
    return f'<td colspan="3">{_text(value)}</td>' if wide else f"<td>{_text(value)}</td>"


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (bool, int, float, np.number, np.bool_)):
        return number(value)  # type: ignore[arg-type]
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(entry) for entry in value) if len(value) <= LONGEST_LIST else f"{len(value)} values"
    return html.escape(str(value))
