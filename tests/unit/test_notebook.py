"""What notebooks show: a slice true to scale, phases with their shares, every result with units, nothing unescaped."""

from __future__ import annotations

import base64
import importlib
import inspect
import io
import pkgutil
import re
from dataclasses import is_dataclass

import numpy as np
import pytest
from PIL import Image

import cofire
import kmc
import microstructures
from kmc.conduction import conduct_over
from kmc.hopping import run_lattice_gas
from kmc.network import build_network
from kmc.tensor import conductivity_tensor
from microstructures.colours import PHASES, rgb
from microstructures.notebook import table_of
from microstructures.structure import VoxelStructure


def block(n: int = 6) -> VoxelStructure:
    return VoxelStructure.from_labels(np.full((n, n, n), 2), voxel_nm=25, phases={2: "LATP"}, grains=np.ones((n, n, n), int))


def test_structure_shows_its_middle_slice_upright_and_true_to_scale() -> None:
    labels = np.ones((8, 4, 5), dtype=np.uint8)
    labels[6:, 3, 2] = 2  # at large x and y, in the middle of z
    structure = VoxelStructure.from_labels(labels, voxel_nm=(10, 40, 10), phases={1: "LFP", 2: "LATP"})
    found = structure._repr_html_()
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]+)", found)[1]))).convert("RGB")
    assert picture.size == (80, 160)
    pixels = np.asarray(picture) / 255.0
    assert pixels[2, -2] == pytest.approx(rgb(PHASES["LATP"]), abs=0.01)
    assert pixels[2, 2] == pytest.approx(rgb(PHASES["LFP"]), abs=0.01)
    assert pixels[-2, -2] == pytest.approx(rgb(PHASES["LFP"]), abs=0.01)
    for text in ("0.08 × 0.16 × 0.05 µm", "8 × 4 × 5 voxels of 10 × 40 × 10 nm", "<td>0.9875</td>", "slice z = 2"):
        assert text in found, text
    assert len(found) < 10_000


def test_names_of_phases_are_escaped() -> None:
    structure = VoxelStructure.from_labels(np.ones((2, 2, 2), int), voxel_nm=25, phases={1: "<b>&"})
    assert "&lt;b&gt;&amp;" in structure._repr_html_()
    assert "<b>&<" not in structure._repr_html_()
    assert "&lt;i&gt;" in table_of("<i>", {"<i>": "<i>"})


def test_table_has_units_axes_and_counts() -> None:
    found = table_of("result", {
        "sigma_eff_S_per_m": {"x": 0.5, "z": 1.25e-7}, "length_um": 2, "many": list(range(40)), "nothing": None, "phases": ["A", "B"],
        "share": {"LFP": 0.25}, "unknown": float("nan"), "percolates": True,
    })  # fmt: skip
    for row in (
        "<td>sigma eff</td><td>0.5</td><td>none</td><td>1.25e-07</td><td>S/m</td>",
        '<td>length</td><td colspan="3">2</td><td>µm</td>',
        '<td>many</td><td colspan="3">40 values</td>',
        '<td>phases</td><td colspan="3">A, B</td>',
        '<td>share, LFP</td><td colspan="3">0.25</td>',
        '<td>unknown</td><td colspan="3">unknown</td>',
        '<td>percolates</td><td colspan="3">yes</td>',
    ):
        assert row in found, row
    assert "nothing" not in found


def test_long_tables_end() -> None:
    found = table_of("long", {f"row {n}": n for n in range(100)})
    assert found.count("<tr>") == 61
    assert "and 40 more" in found


@pytest.mark.parametrize("package", [kmc, microstructures, cofire], ids=lambda package: package.__name__)
def test_every_result_that_gives_plain_values_shows_itself(package) -> None:
    """Frozen dataclasses with a `to_dict` without arguments, and what they are shown as, belong together."""
    missing = set()
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "__main__" in module.name:
            continue
        for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__.startswith(package.__name__) and is_dataclass(found) and hasattr(found, "to_dict"):
                asks = [p for p in list(inspect.signature(found.to_dict).parameters.values())[1:] if p.default is p.empty]
                if not asks and not hasattr(found, "_repr_html_"):
                    missing.add(f"{found.__module__}.{name}")
    assert not missing


def test_results_of_every_estimator_have_their_units() -> None:
    known = build_network(block())
    gas = run_lattice_gas(known, filling=0.5, hops=20_000, seed=1)
    for found, unit in (
        (conductivity_tensor(block()), "S/m"), (conduct_over(block(), [25, 60]), "eV"), (gas, "m²/s"),
        (cofire.conduct(block(), explain=True).explanations[0].sensitivities[0], "S/m"),
    ):  # fmt: skip
        shown = found._repr_html_()
        assert shown.startswith("<b>")
        assert unit in shown
        assert "<td>None</td>" not in shown
        assert "object at 0x" not in shown
