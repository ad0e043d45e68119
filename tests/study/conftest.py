"""A small study that most tests compute a part of."""

from __future__ import annotations

from pathlib import Path

import pytest

from cofire.study.sweep import SweepResult, sweep

STUDY = """\
schema = 1
name = "small"
[cell]
size_um = 2.4
voxel_nm = 80.0
[run]
temperature_C = 60.0
[study]
seed = 3
replicas = 2
[study.grid]
"cell.process" = ["cold-pressed", "co-fired"]
"cell.recipe.press.relative_density" = [0.55, 0.60]
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """Return a file with eight cases of a second or less."""
    file = tmp_path / "small.toml"
    file.write_text(STUDY)
    return file


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    """Compute the small study once, undisturbed, with one process."""
    folder = tmp_path_factory.mktemp("finished")
    file = folder / "small.toml"
    file.write_text(STUDY)
    return sweep(file, out=folder / "study", workers=1)
