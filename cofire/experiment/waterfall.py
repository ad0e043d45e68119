"""The waterfall from co-fired to cold-pressed: what each change alone takes from the conductivity, one after the other.

The factors hold for this order of the changes; in another order they share the same total differently. Growth is taken back
before density, because a fired body of grown grains, 60 % dense, depends on its voxels: its ionic conductivity fell 45-fold
from 50 nm to 25 nm (3 um, one seed), while every body of this chain moved by at most 12 %.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cofire.experiment.setting import Setting
from cofire.experiment.variants import Variant
from cofire.statistics import mean_with_error
from microstructures.errors import InputError
from microstructures.recipe import Recipe

CO_FIRED, NO_LAYER, NO_GROWTH = "co-fired", "no reaction layer", "no grain growth"
POINT_CONTACTS, CONTACT_RESISTANCE = "point contacts", "contact resistance"
COLUMNS = (
    "carrier", "step", "sigma_before_mS_per_cm", "sigma_after_mS_per_cm", "factor", "low", "high", "replicas", "note",
)  # fmt: skip


def waterfall_variants(setting: Setting) -> list[Variant]:
    """Return the chain of bodies from co-fired to cold-pressed, one thing changed at a time, for every seed.

    Each variant bears the name of what was changed last:

    - "co-fired": as the recipe says;
    - "no reaction layer": no interphase; the carbon film that its growth would have burned is kept;
    - "no grain growth": every particle is a grain of its own;
    - "60 % dense" (the recipe's number): fired, but no denser than pressed; sintered necks remain, as wide as the recipe's
      `pore_rounding_nm` leaves them (ions: 4-fold from 5 to 80 nm), so that it and the next share what narrow necks cost;
    - "point contacts": cold-pressed; contacts have their own area, but resist, per area, like sintered interfaces;
    - "contact resistance": cold-pressed, with the contacts of the materials. It changes nothing for a carrier without any.

    A change that changes neither body nor materials (no interphase, no growth, equal densities, no contacts) is left out.
    All bodies of a seed come from the same green body.

    Parameters
    ----------
    setting : Setting
        The comparison; one chain for each of its seeds.

    Returns
    -------
    list of Variant
        Seed by seed, in the order of the chain.

    Examples
    --------
    >>> from microstructures.materials import load_materials
    >>> chain = waterfall_variants(Setting(Recipe(), load_materials(), (1,), size_um=4.0, voxel_nm=50.0))
    >>> [variant.name for variant in chain][:3]
    ['co-fired', 'no reaction layer', 'no grain growth']
    """
    recipe, materials = setting.recipe, setting.materials
    pressed = recipe.press.relative_density
    bare = _fired(recipe, interphase=None)
    small = _fired(bare, grain_growth=dict.fromkeys(bare.fire.grain_growth, 1.0))
    loose = _fired(small, relative_density=pressed)
    sintered = replace(materials, file=materials.file.model_copy(update={"contacts": {}}))
    chain = [
        (CO_FIRED, "co-fired", recipe, materials),
        (NO_LAYER, "co-fired", bare, materials),
        (NO_GROWTH, "co-fired", small, materials),
        (f"{100.0 * pressed:g} % dense", "co-fired", loose, materials),
        (POINT_CONTACTS, "cold-pressed", recipe, sintered),
        (CONTACT_RESISTANCE, "cold-pressed", recipe, materials),
    ]
    kept = [link for k, link in enumerate(chain) if k == 0 or link[1:] != chain[k - 1][1:]]
    return [
        Variant(name, replace(setting.body(process, seed), recipe=used), known, setting.temperature_C)
        for seed in setting.seeds
        for name, process, used, known in kept
    ]


def _fired(recipe: Recipe, **changes: Any) -> Recipe:
    return recipe.model_copy(update={"fire": recipe.fire.model_copy(update=changes)})


def waterfall(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by which factor each change of the chain lowers the conductivity, and the total.

    Parameters
    ----------
    rows : DataFrame
        What `run_variants` returns of a `waterfall_variants` list, in its order: columns `variant, seed, carrier,
        sigma_mS_per_cm`.

    Returns
    -------
    DataFrame
        For each carrier one row per change and a row "total"; columns `carrier, step, sigma_before_mS_per_cm,
        sigma_after_mS_per_cm` (geometric means over seeds), `factor` (before over after, geometric mean over seeds; below 1
        where the change raises the conductivity), `low, high` (95 % interval of the factor, Student's t of the logarithms
        paired by seed; NaN from one seed), `replicas` (seeds), `note`. Factors multiply to the total: a seed that has no path
        or no value in one body is left out of all rows of that carrier, and the note says so.

    Raises
    ------
    InputError
        If a column is missing, there is nothing to compare, or a body appears twice.
    """
    missing = [name for name in ("variant", "seed", "carrier", "sigma_mS_per_cm") if name not in rows.columns]
    if missing:
        raise InputError(f"the rows have no column {', '.join(missing)}; give those of run_variants")
    states = list(dict.fromkeys(map(str, rows["variant"])))
    if len(states) < 2:
        raise InputError(f"the rows hold {len(states)} variants; needed: at least two; give those of a whole chain")
    twice = rows[rows.duplicated(["variant", "seed", "carrier"])]
    if not twice.empty:
        first = twice.iloc[0]
        raise InputError(
            f"'{first['variant']}' of seed {first['seed']}, {first['carrier']}, is given twice; "
            "give rows of one chain, one box and one temperature"
        )
    out: list[dict[str, Any]] = []
    for carrier, part in rows.groupby("carrier", sort=False):
        wide = part.pivot(index="seed", columns="variant", values="sigma_mS_per_cm").reindex(columns=states)
        sigma = wide.to_numpy(dtype=float)
        flows = np.isfinite(sigma) & (sigma > 0.0)
        note = _left_out(list(wide.index), sigma, flows, states)
        logs = np.log(sigma[flows.all(axis=1)])
        pairs = [(name, k, k + 1) for k, name in enumerate(states[1:])]
        for step, before, after in [*pairs, ("total", 0, len(states) - 1)]:
            out.append({"carrier": carrier, "step": step, **_factor(logs[:, before], logs[:, after]), "note": note})
    return pd.DataFrame(out, columns=list(COLUMNS))


def _factor(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, Any]:
    """Return geometric means and the interval of their ratio, from logarithms of shape (n_seeds,)."""
    n, fall = len(before), before - after
    nothing = float("nan")
    mean, _, half = mean_with_error(fall)
    return {
        "sigma_before_mS_per_cm": float(np.exp(before.mean())) if n else nothing,
        "sigma_after_mS_per_cm": float(np.exp(after.mean())) if n else nothing,
        "factor": float(np.exp(mean)),
        "low": float(np.exp(mean - half)),
        "high": float(np.exp(mean + half)),
        "replicas": n,
    }


def _left_out(seeds: Sequence[Hashable], sigma: NDArray[np.float64], flows: NDArray[np.bool_], states: Sequence[str]) -> str:
    """Return which seeds are left out of all steps, and the first body that is to blame."""
    blamed: dict[str, list[str]] = {}
    for seed, values, fine in zip(seeds, sigma, flows, strict=True):
        if not fine.all():
            first = int(np.argmin(fine))
            why = "no path" if values[first] == 0.0 else "no value"
            blamed.setdefault(f"{why} in '{states[first]}'", []).append(str(seed))
    return "; ".join(
        f"seed{'s' if len(who) > 1 else ''} {', '.join(who)} left out of every step: {why}" for why, who in blamed.items()
    )
