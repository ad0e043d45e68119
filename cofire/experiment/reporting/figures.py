"""The figures of a comparison, each as PNG and SVG with its numbers beside; one that cannot be drawn says why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cofire.building import PROCESSES
from cofire.experiment.case import current_file
from cofire.experiment.comparison import Comparison
from cofire.paper import VALUES
from microstructures.errors import InputError
from microstructures.formats import read
from microstructures.materials import CARRIERS, Carrier
from microstructures.structure import VoxelStructure


def draw_figures(comparison: Comparison) -> dict[str, dict[str, str]]:
    """Write the figures of a comparison and return each as base64 text ("data"), or why there is none ("why")."""
    folder = comparison.folder / "figures"
    folder.mkdir(exist_ok=True)
    drawn = {
        "structures": lambda: _structures(comparison, folder),
        "estimators": lambda: _estimators(comparison, folder),
        "arrhenius": lambda: _arrhenius(comparison, folder),
    }
    if comparison.explanation is not None:
        drawn["waterfall"] = lambda: _waterfall(comparison, folder)
        drawn["scenarios"] = lambda: _scenarios(comparison, folder)
        drawn["current_ion"] = lambda: _currents(comparison, folder, "ion")
        drawn["current_electron"] = lambda: _currents(comparison, folder, "electron")
    return {name: draw_or_say_why(draw) for name, draw in drawn.items()}


def draw_or_say_why(draw: Callable[[], Path]) -> dict[str, str]:
    """Return a picture as text for the page, or why there is none."""
    try:
        return {"data": base64.b64encode(Path(draw()).read_bytes()).decode(), "why": ""}
    except Exception as error:
        return {"data": "", "why": f"not drawn: {' '.join(str(error).split())}; cofire doctor says what is missing"}


def _structures(comparison: Comparison, folder: Path) -> Path:
    from viz import render_pair

    left, right = _first_pair(comparison)
    return render_pair(left, right, png=folder / "structures.png", titles=PROCESSES)


def _estimators(comparison: Comparison, folder: Path) -> Path:
    from viz import estimators, save

    table = comparison.estimates.rename(columns={"own_stderr_mS_per_cm": "stderr_mS_per_cm"})
    paper = pd.DataFrame(
        [
            {"process": process, "carrier": carrier, "sigma_mS_per_cm": value.value, "low_mS_per_cm": value.low,
             "high_mS_per_cm": value.high}
            for (quantity, process, carrier), value in VALUES.items()
            if quantity == "sigma"
        ]
    )  # fmt: skip
    return save(estimators(table, paper=paper), folder / "estimators", table)[0]


def _arrhenius(comparison: Comparison, folder: Path) -> Path:
    from viz import arrhenius, save

    table = comparison.arrhenius.copy()
    fits = comparison.table[comparison.table["quantity"] == "activation_energy_fit (ln sigma)"]
    energies = {(row["process"], row["carrier"]): row["value"] for row in fits.to_dict("records")}
    table["activation_energy_eV"] = [
        energies.get((p, c), float("nan")) for p, c in zip(table["process"], table["carrier"], strict=True)
    ]
    experiment = pd.DataFrame(
        [
            {"label": "published", "process": process, "carrier": carrier, "temperature_C": 60.0,
             "sigma_mS_per_cm": value.value, "activation_energy_eV": VALUES[("activation_energy", process, carrier)].value}
            for (quantity, process, carrier), value in VALUES.items()
            if quantity == "sigma"
        ]
    )  # fmt: skip
    return save(arrhenius(table, experiment=experiment), folder / "arrhenius", table)[0]


def _first_pair(comparison: Comparison) -> tuple[VoxelStructure, VoxelStructure]:
    """Return both structures of the first seed, in the order of the processes."""
    seed = comparison.run["input"]["seed"]
    left, right = (read(comparison.folder / "structures" / f"{process}-seed{seed}.h5") for process in PROCESSES)
    return left, right


def _waterfall(comparison: Comparison, folder: Path) -> Path:
    from viz import save, waterfall

    assert comparison.explanation is not None
    rows = []
    for carrier in CARRIERS:
        fired, ratio = VALUES[("sigma", "co-fired", carrier)], VALUES[("ratio", "", carrier)]
        cold = (fired.value / ratio.value, fired.value / ratio.high, fired.value / ratio.low)
        for process, (value, low, high) in {"co-fired": (fired.value, fired.low, fired.high), "cold-pressed": cold}.items():
            row = {"process": process, "carrier": carrier, "sigma_mS_per_cm": value}
            rows.append({**row, "low_mS_per_cm": low, "high_mS_per_cm": high})
    table = comparison.explanation.waterfall
    return save(waterfall(table, published=pd.DataFrame(rows)), folder / "waterfall", table)[0]


def _scenarios(comparison: Comparison, folder: Path) -> Path:
    from viz import save, scenarios

    assert comparison.explanation is not None
    table = comparison.explanation.scenarios
    return save(scenarios(table), folder / "scenarios", table)[0]


def _currents(comparison: Comparison, folder: Path, carrier: Carrier) -> Path:
    """Draw the current density in both structures of the first seed, driven along x."""
    from viz import render_pair

    seed = comparison.run["input"]["seed"]
    files = [
        current_file(comparison.folder / "structures" / f"{process}-seed{seed}.h5", carrier) for process in PROCESSES
    ]  # fmt: skip
    if not all(file.exists() for file in files):
        raise InputError(f"the {carrier}s have no path along x in one of the bodies")
    left, right = _first_pair(comparison)
    currents = (np.load(files[0], allow_pickle=False), np.load(files[1], allow_pickle=False))
    name = folder / f"current-{carrier}.png"
    return render_pair(left, right, png=name, field="current", current=currents, titles=PROCESSES)
