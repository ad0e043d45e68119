"""Dotted keys and their values as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from cofire.study.keys import split_key

UNITS = {
    **{"nm": "nm", "um": "um", "m": "m", "C": "degC", "K": "K", "eV": "eV", "MPa": "MPa", "GPa": "GPa", "Hz": "Hz", "S": "S"},
    **{"S_per_m": "S/m", "mS_per_cm": "mS/cm", "ohm_m2": "ohm m²", "per_m3": "1/m³", "per_m2": "1/m²", "F_per_m2": "F/m²"},
    **{"g_per_cm3": "g/cm³", "J_per_m2": "J/m²", "percent": "%", "s": "s"},
}
"""Unit at the end of a key, as it is printed."""
NAMED = ("powders", "grain_growth", "phases", "interfaces", "contacts", "films")
"""Tables whose keys are names of phases: the name belongs to the label."""
LONGEST = 28


def key_label(key: str, parents: int = 0) -> str:
    """Return a dotted key as the label of an axis: its last part, after the phases it is about, with its unit in brackets.

    Parameters
    ----------
    key : str
        Dotted key of a study.
    parents : int
        How many parts before are named too.

    Examples
    --------
    >>> key_label("cell.recipe.press.relative_density"), key_label("cell.recipe.press.relative_density", parents=1)
    ('relative density', 'press relative density')
    >>> key_label("cell.recipe.fire.interphase.thickness_p05_nm"), key_label("cell.size_um")
    ('thickness p05 (nm)', 'size (um)')
    >>> key_label('run.materials.interfaces."LATP|LATP".ion.area_specific_resistance_ohm_m2')
    'LATP|LATP ion area specific resistance (ohm m²)'
    >>> key_label("cell.recipe.powders.LFP.mass_fraction"), key_label("cell.recipe.fire.grain_growth.LFP")
    ('LFP mass fraction', 'grain growth LFP')
    """
    parts = split_key(key)
    first = len(parts) - 1
    inside = [place for place, part in enumerate(parts[:-1]) if part in NAMED]
    if inside:
        first = inside[0] + (0 if inside[0] == len(parts) - 2 else 1)
    words = [*parts[max(0, first - parents) : -1], parts[-1]]
    unit = next((end for end in sorted(UNITS, key=len, reverse=True) if words[-1].endswith("_" + end)), "")
    words[-1] = words[-1].removesuffix("_" + unit) if unit else words[-1]
    text = " ".join(words).replace("_", " ")
    return f"{text} ({UNITS[unit]})" if unit else text


def key_labels(keys: Iterable[str]) -> dict[str, str]:
    """Return a label for every key, each with as many parts as tell it from the others.

    Examples
    --------
    >>> list(key_labels(["cell.recipe.press.relative_density", "cell.recipe.fire.relative_density", "cell.size_um"]).values())
    ['press relative density', 'fire relative density', 'size (um)']
    """
    names = list(dict.fromkeys(keys))
    found = {key: key_label(key) for key in names}
    for parents in range(1, max((len(split_key(key)) for key in names), default=0)):
        taken = list(found.values())
        found = {key: label if taken.count(label) == 1 else key_label(key, parents) for key, label in found.items()}
    return found


def value_label(value: Any) -> str:
    """Return a value of a key as it is printed: numbers short, files by their name, long texts cut.

    Examples
    --------
    >>> value_label(0.1 + 0.2), value_label("recipes/dense.toml"), value_label("co-fired"), value_label(True)
    ('0.3', 'dense', 'co-fired', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    text = str(value)
    if text.endswith((".toml", ".h5", ".tif", ".tiff", ".npy", ".vti")):
        text = PurePath(text).stem
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
